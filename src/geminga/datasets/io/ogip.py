"""Spectra in OGIP format: a PHA file that names its background (BKG), effective area (ARF) and energy dispersion (RMF).

What the standard (OGIP/92-007, CAL/GEN/92-002) leaves open is read in all its forms: BACKSCAL, AREASCAL, QUALITY and GROUPING
as columns or keywords; QUALITY as integers (0 is good) or logicals (true is bad); channels counted from any number; energies
in the PHA file or only in the RMF. With b BACKSCAL, a AREASCAL and t EXPOSURE of source D and background B, XSPEC's

    C(I) = D(I) / (a_D t_D) - b_D / b_B B(I) / (a_B t_B)

gives alpha = a_D t_D b_D / (a_B t_B b_B); the model is multiplied by a_D.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import astropy.units as u
import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from geminga.data import GTI
from geminga.datasets.registry import DATASET_REGISTRY
from geminga.errors import FileError, FormatError, UnsupportedError
from geminga.irf import EDispKernel, EDispKernelMap
from geminga.maps import MapAxis, RegionGeom, RegionNDMap
from geminga.maps.geom.region_io import read_region_hdu
from geminga.utils.files import make_path, read_fits
from geminga.utils.units import as_quantity, parse_unit

__all__ = ["OGIPDatasetReader", "Spectrum", "read_spectrum"]

Array = NDArray[np.float64]

#: What file names stand for "no file".
_NO_FILE = {"", "none", "unknown"}
_ENERGY_RTOL = 1e-5


@dataclass(frozen=True)
class Spectrum:
    """One SPECTRUM table: numbers for each channel, ordered by channel."""

    where: str
    header: Any
    counts: NDArray[Any]
    backscal: Array
    areascal: Array
    is_good: NDArray[np.bool_]
    grouping: NDArray[Any]
    edges: u.Quantity | None  # None: only the RMF knows the energies
    region: Any
    gti: Any

    @property
    def exposure(self) -> float:
        """Exposure (live time) in s, 0 if the file does not say."""
        return float(self.header.get("EXPOSURE") or 0.0)

    def to_map(self, data: Any, axis: Any = None) -> RegionNDMap:
        """Numbers as a map in energy."""
        region, wcs = self.region
        if axis is None:
            if self.edges is None:
                msg = f"{self.where} has no HDU EBOUNDS, so its energies are not known."
                raise FormatError(msg)
            axis = MapAxis.from_energy_edges(self.edges, name="energy")
        geom = RegionGeom(region, axes=[axis], wcs=wcs)
        return RegionNDMap(geom, data=np.array(data).reshape(geom.data_shape))


def _find(hdulist: fits.HDUList, where: str, names: tuple[str, ...], kind: str) -> Any:
    """HDU by name, or by its OGIP class."""
    for name in names:
        if name in hdulist:
            return hdulist[name]
    found = [h for h in hdulist if kind in {str(h.header.get(f"HDUCLAS{i}", "")).strip() for i in (1, 2)}]
    if not found:
        msg = f"{where} has no HDU {names[0]}; it has {', '.join(h.name or 'PRIMARY' for h in hdulist)}."
        raise FormatError(msg)
    return found[0]


def _column(hdu: Any, name: str) -> Any:
    """Column by name in any case as native array, ``None`` if there is none."""
    known = {n.upper(): n for n in hdu.columns.names}
    if name not in known:
        return None
    data = np.asarray(hdu.data[known[name]])
    return data.astype(data.dtype.newbyteorder("="))


def _column_or_keyword(hdu: Any, name: str, default: float, where: str) -> Any:
    """Values of a column, or the keyword or default for all channels."""
    column = _column(hdu, name)
    if column is not None:
        return column
    value = hdu.header.get(name, default)
    try:
        return np.full(len(hdu.data), float(value))
    except (TypeError, ValueError) as error:
        msg = f"{where}: keyword {name} is {value!r}; expected a number."
        raise FormatError(msg) from error


def _edges(hdu: Any, low: str, high: str, where: str) -> u.Quantity:
    """Bin edges in energy, in keV if the columns have no unit."""
    lows, highs = _column(hdu, low), _column(hdu, high)
    if lows is None or highs is None:
        msg = f"{where}: HDU {hdu.name} has no columns {low} and {high}; it has {', '.join(hdu.columns.names)}."
        raise FormatError(msg)
    unit = {c.name.upper(): c.unit for c in hdu.columns}[low] or "keV"
    lows, highs = lows.astype(float), highs.astype(float)
    if not np.allclose(highs[:-1], lows[1:], rtol=_ENERGY_RTOL, atol=0):
        msg = f"{where}: energy bins of HDU {hdu.name} do not follow each other; bins with gaps are not offered."
        raise FormatError(msg)
    # A first edge of zero cannot stand on a logarithmic axis.
    lows[0] = lows[0] or 1e-3 * highs[0]
    return u.Quantity(np.append(lows, highs[-1]), parse_unit(unit, where))


def _counts(hdu: Any, where: str) -> NDArray[Any]:
    counts = _column(hdu, "COUNTS")
    if counts is None:
        rate = _column(hdu, "RATE")
        if rate is None:
            msg = f"{where} has neither a column COUNTS nor RATE; it has {', '.join(hdu.columns.names)}."
            raise FormatError(msg)
        counts = rate * float(hdu.header.get("EXPOSURE") or 0.0)
        whole = np.rint(counts)
        counts = np.where(np.isclose(counts, whole, atol=1e-3), whole, counts)
    if counts.ndim > 1:
        msg = f"{where} holds several spectra (PHA type II); write each to a file of its own."
        raise UnsupportedError(msg)
    return np.asarray(counts)


def read_spectrum(hdulist: fits.HDUList, where: str) -> Spectrum:
    """Read a SPECTRUM table, and energies, region and time intervals if they are there.

    Parameters
    ----------
    hdulist : HDUList
        PHA or BKG file.
    where : str
        Name of the file, for messages.

    Raises
    ------
    FormatError
        If counts or other columns are missing or do not fit together.
    """
    hdu = _find(hdulist, where, ("SPECTRUM",), "SPECTRUM")
    counts = _counts(hdu, where)
    channel = _column(hdu, "CHANNEL")
    order = np.arange(len(counts)) if channel is None else np.argsort(channel, kind="stable")
    quality = _column_or_keyword(hdu, "QUALITY", 0, where)
    edges = None
    if "EBOUNDS" in hdulist:
        edges = _edges(hdulist["EBOUNDS"], "E_MIN", "E_MAX", where)
        if len(edges) != len(counts) + 1:
            msg = f"{where}: SPECTRUM has {len(counts)} channels, EBOUNDS {len(edges) - 1}."
            raise FormatError(msg)
    return Spectrum(
        where=where,
        header=hdu.header,
        counts=counts[order],
        backscal=np.asarray(_column_or_keyword(hdu, "BACKSCAL", 1, where)[order], dtype=float),
        areascal=np.asarray(_column_or_keyword(hdu, "AREASCAL", 1, where)[order], dtype=float),
        is_good=np.asarray(quality[order]) == 0,
        grouping=np.asarray(_column_or_keyword(hdu, "GROUPING", 0, where)[order], dtype=int),
        edges=edges,
        region=read_region_hdu(hdulist["REGION"]) if "REGION" in hdulist else (None, None),
        gti=GTI.from_table_hdu(hdulist["GTI"]) if "GTI" in hdulist else None,
    )


def _open(filename: Any, checksum: bool) -> tuple[fits.HDUList, str]:
    path = make_path(filename)
    assert path is not None
    return read_fits(path, checksum=checksum), f"File {path}"


class OGIPDatasetReader:
    """Reader of a `SpectrumDatasetOnOff` from OGIP files.

    Parameters
    ----------
    filename : str or Path
        PHA file; it names the other files.
    checksum : bool
        Verify the checksums of the files.
    name : str, optional
        Name of the dataset; the OBS_ID of the file if not given, or the name of the file if it has none or several.
    group : bool
        Merge channels as the column GROUPING says.
    """

    tag: ClassVar[str] = "ogip"

    def __init__(self, filename: str | Path, checksum: bool = False, name: str | None = None, *, group: bool = True) -> None:
        path = make_path(filename)
        assert path is not None
        self.filename = path
        self.checksum = checksum
        self.name = name
        self.group = group

    def get_valid_path(self, filename: str | Path) -> Path:
        """Path of a file named in the PHA file: in the folder of that file if it is there, else as it stands."""
        path = make_path(filename)
        assert path is not None
        here = self.filename.parent / path
        return here if here.exists() else path

    def get_filenames(self, pha_meta: Any) -> dict[str, Path]:
        """Files named in the header of the PHA file.

        Parameters
        ----------
        pha_meta : Header or dict
            Keywords of the SPECTRUM table.

        Returns
        -------
        filenames : dict
            Keys ``arffile`` and, if the header names them, ``bkgfile`` and ``rmffile``.

        Raises
        ------
        FormatError
            If it names no ANCRFILE.
        """
        keywords = {"arffile": "ANCRFILE", "bkgfile": "BACKFILE", "rmffile": "RESPFILE"}
        named = {key: str(pha_meta.get(keyword, "")).strip() for key, keyword in keywords.items()}
        found = {key: self.get_valid_path(name) for key, name in named.items() if name.lower() not in _NO_FILE}
        if "arffile" not in found:
            msg = f"File {self.filename} names no effective area (keyword ANCRFILE), so there is no exposure."
            raise FormatError(msg)
        return found

    @staticmethod
    def read_pha(filename: str | Path, checksum: bool = False) -> dict[str, Any]:
        """Counts, acceptance, safe mask and, if there are any, time intervals of a PHA file."""
        spectrum = read_spectrum(*_open(filename, checksum))
        maps = {"counts": spectrum.counts, "acceptance": spectrum.backscal, "mask_safe": spectrum.is_good}
        data: dict[str, Any] = {name: spectrum.to_map(values) for name, values in maps.items()}
        return data | ({} if spectrum.gti is None else {"gti": spectrum.gti})

    @staticmethod
    def read_bkg(filename: str | Path, checksum: bool = False) -> dict[str, Any]:
        """Off counts and off acceptance, as they stand in a BKG file."""
        spectrum = read_spectrum(*_open(filename, checksum))
        return {"counts_off": spectrum.to_map(spectrum.counts), "acceptance_off": spectrum.to_map(spectrum.backscal)}

    @staticmethod
    def read_arf(filename: str | Path, livetime: Any, checksum: bool = False) -> RegionNDMap:
        """Exposure: the effective area of an ARF file, in cm2 if it has no unit, times `livetime`.

        Raises
        ------
        FormatError
            If the table SPECRESP or a column is missing.
        """
        hdulist, where = _open(filename, checksum)
        hdu = _find(hdulist, where, ("SPECRESP",), "SPECRESP")
        area = _column(hdu, "SPECRESP")
        if area is None:
            msg = f"{where}: HDU {hdu.name} has no column SPECRESP; it has {', '.join(hdu.columns.names)}."
            raise FormatError(msg)
        axis = MapAxis.from_energy_edges(_edges(hdu, "ENERG_LO", "ENERG_HI", where), name="energy_true")
        unit = {c.name.upper(): c.unit for c in hdu.columns}["SPECRESP"] or "cm2"
        time = as_quantity(livetime, "s", "livetime")
        data = area.astype(float) * time.value
        return RegionNDMap(
            RegionGeom(None, axes=[axis]),
            data=data.reshape(-1, 1, 1),
            unit=parse_unit(unit, where) * u.s,
            meta={"livetime": time},
        )

    @staticmethod
    def read_rmf(filename: str | Path, exposure: Any, checksum: bool = False) -> EDispKernelMap:
        """Energy dispersion of an RMF file, with the exposure.

        Raises
        ------
        FormatError
            If its true energies are not those of `exposure`.
        """
        hdulist, where = _open(filename, checksum)
        kernel = EDispKernel.from_hdulist(hdulist)
        own, axis = kernel.axes["energy_true"].edges, exposure.geom.axes["energy_true"]
        _check_energies(own, axis.edges, where, "true energies", "of the effective area")
        kernel = EDispKernel(axes=[axis, kernel.axes["energy"]], data=kernel.pdf_matrix)
        edisp = EDispKernelMap.from_edisp_kernel(kernel, geom=exposure.geom)
        geom = edisp.exposure_map.geom
        edisp.exposure_map = RegionNDMap(
            geom, data=exposure.quantity.to_value("m2 s").reshape(geom.data_shape), unit="m2 s", meta=dict(exposure.meta)
        )
        return edisp

    def read(self) -> Any:
        """Read all files.

        Returns
        -------
        dataset : SpectrumDatasetOnOff
            Without off counts if no BKG file is named, without energy dispersion if no RMF file is.

        Raises
        ------
        FileError, CorruptFileError, FormatError
            If a file is missing, broken, or does not fit the others.
        """
        hdulist, where = _open(self.filename, self.checksum)
        pha = read_spectrum(hdulist, where)
        if not pha.exposure > 0:
            msg = f"{where}: keyword EXPOSURE is {pha.header.get('EXPOSURE')!r}; expected a positive time in s."
            raise FormatError(msg)
        files = self.get_filenames(pha.header)
        for file in files.values():
            if not file.exists():
                msg = f"{where} names {file.name}, which is neither beside it nor at {file}."
                raise FileError(msg)
        exposure = self.read_arf(files["arffile"], livetime=pha.exposure * u.s, checksum=self.checksum)
        edisp = self.read_rmf(files["rmffile"], exposure, self.checksum) if "rmffile" in files else None
        exposure, edisp = _with_areascal(pha, exposure, edisp)
        axis = _energy_axis(pha, edisp)
        off = None
        if "bkgfile" in files:
            off = read_spectrum(*_open(files["bkgfile"], self.checksum))
        parts = {"exposure": _on_region(exposure, pha), "edisp": edisp, "mask_safe": pha.to_map(pha.is_good, axis)}
        cls = DATASET_REGISTRY.get_cls("SpectrumDatasetOnOff")
        parts |= _measurement(pha, off, axis)
        dataset = cls(name=self.name or _name(pha.header, self.filename), gti=pha.gti, **parts)
        return _grouped(dataset, pha) if self.group else dataset


def _check_energies(own: Any, other: Any, where: str, what: str, whose: str) -> None:
    if len(own) != len(other) or not np.allclose(own.to_value(other.unit), other.value, rtol=_ENERGY_RTOL, atol=0):
        msg = (
            f"{where}: its {what} ({len(own) - 1} bins, {own[0]:.4g} to {own[-1]:.4g}) are not those {whose} "
            f"({len(other) - 1} bins, {other[0]:.4g} to {other[-1]:.4g})."
        )
        raise FormatError(msg)


def _energy_axis(pha: Spectrum, edisp: Any) -> Any:
    """Axis of reconstructed energy: that of the PHA file if it has one, checked against that of the RMF."""
    if pha.edges is None and edisp is None:
        msg = f"{pha.where} has no HDU EBOUNDS and names no RESPFILE, so its energies are not known."
        raise FormatError(msg)
    if edisp is None:
        return MapAxis.from_energy_edges(pha.edges, name="energy")
    own = edisp.edisp_map.geom.axes["energy"]
    if len(pha.counts) != own.nbin:
        msg = f"{pha.where}: it has {len(pha.counts)} channels, its RMF {own.nbin}."
        raise FormatError(msg)
    if pha.edges is not None:
        _check_energies(pha.edges, own.edges, pha.where, "energies", "of its RMF")
    return own


def _with_areascal(pha: Spectrum, exposure: Any, edisp: Any) -> tuple[Any, Any]:
    """Exposure times a common AREASCAL; one that depends on the channel multiplies the energy dispersion."""
    scale = pha.areascal
    if not (np.isfinite(scale).all() and (scale >= 0).all()):
        msg = f"{pha.where}: AREASCAL is {scale[~(scale >= 0)][0]} in a channel; expected positive numbers."
        raise FormatError(msg)
    if (scale == 1).all():
        return exposure, edisp
    if (scale == scale[0]).all():
        return exposure.copy(data=exposure.frozen_data * scale[0]), edisp
    if edisp is None:
        msg = f"{pha.where}: AREASCAL depends on the channel, which needs an RMF file (keyword RESPFILE) to be applied."
        raise FormatError(msg)
    kernel = edisp.edisp_map
    return exposure, type(edisp)(kernel.copy(data=kernel.frozen_data * scale[:, None, None]), edisp.exposure_map)


def _on_region(exposure: Any, pha: Spectrum) -> Any:
    region, wcs = pha.region
    geom = RegionGeom(region, axes=exposure.geom.axes, wcs=wcs)
    return RegionNDMap(geom, data=exposure.frozen_data.copy(), unit=exposure.unit, meta=exposure.meta)


def _measurement(pha: Spectrum, off: Spectrum | None, axis: Any) -> dict[str, Any]:
    """Counts and acceptances; those of the off spectrum in the exposure and area of the on spectrum."""
    parts = {"counts": pha.to_map(pha.counts, axis), "acceptance": pha.to_map(pha.backscal, axis)}
    if off is None:
        return parts
    if len(off.counts) != len(pha.counts):
        msg = f"{off.where}: it has {len(off.counts)} channels, the spectrum {len(pha.counts)}."
        raise FormatError(msg)
    if off.edges is not None:
        _check_energies(off.edges, axis.edges, off.where, "energies", "of the spectrum")
    # Some writers leave out the exposure of the background or set it to zero; it is that of the spectrum then.
    time = off.exposure / pha.exposure if off.exposure > 0 else 1.0
    area = np.divide(off.areascal, pha.areascal, out=np.ones(len(off.areascal)), where=pha.areascal > 0)
    return parts | {
        "counts_off": pha.to_map(off.counts, axis),
        "acceptance_off": pha.to_map(off.backscal * time * area, axis),
    }


def _name(header: Any, path: Path) -> str:
    """OBS_ID, or the name of the file if there is none or there are several."""
    ids = [str(card.value).strip() for card in header.cards if card.keyword == "OBS_ID"]
    return ids[0] if len(ids) == 1 and ids[0] else path.name.split(".")[0]


def _grouped(dataset: Any, pha: Spectrum) -> Any:
    """Dataset with channels merged: 1 starts a group, -1 goes on with it, 0 is a channel of its own."""
    is_start = pha.grouping >= 0
    if is_start.all():
        return dataset
    is_start[0] = True
    edges = dataset.counts.geom.axes["energy"].edges
    axis = MapAxis.from_energy_edges(edges[np.append(np.flatnonzero(is_start), len(is_start))], name="energy")
    return dataset.resample_energy_axis(axis, name=dataset.name)
