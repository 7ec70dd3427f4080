"""Spectra in OGIP format: a PHA file that names its background (BKG), effective area (ARF) and energy dispersion (RMF).

How the tables are read is in `ogip_tables`. With b BACKSCAL, a AREASCAL and t EXPOSURE of source D and background B, XSPEC's

    C(I) = D(I) / (a_D t_D) - b_D / b_B B(I) / (a_B t_B)

gives alpha = a_D t_D b_D / (a_B t_B b_B); the model is multiplied by a_D.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import astropy.units as u
import numpy as np

from geminga.datasets.io.ogip_tables import (
    Spectrum,
    check_energies,
    columns_of,
    energy_edges,
    find_table,
    read_column,
    read_spectrum,
    read_unit,
)
from geminga.datasets.registry import DATASET_REGISTRY
from geminga.errors import FileError, FormatError
from geminga.irf import EDispKernel, EDispKernelMap
from geminga.maps import MapAxis, RegionGeom, RegionNDMap
from geminga.utils.faults import reported
from geminga.utils.files import file_path, reading
from geminga.utils.fits_tables import FitsTables, read_tables
from geminga.utils.locks import locked
from geminga.utils.units import as_quantity, parse_unit

__all__ = ["OGIPDatasetReader"]

#: What file names stand for "no file".
_NO_FILE = {"", "none", "unknown"}


def _open(filename: Any, checksum: bool) -> tuple[FitsTables, str]:
    path = file_path(filename)
    return read_tables(path, checksum=checksum), f"File {path}"


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
        path = file_path(filename)
        self.filename = path
        self.checksum = checksum
        self.name = name
        self.group = group

    def get_valid_path(self, filename: str | Path) -> Path:
        """Path of a file named in the PHA file: in the folder of that file if it is there, else as it stands."""
        path = file_path(filename)
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
        tables, where = _open(filename, checksum)
        hdu = find_table(tables, where, ("SPECRESP",), "SPECRESP")
        area = read_column(hdu, "SPECRESP")
        if area is None:
            msg = f"{where}: HDU {hdu.name} has no column SPECRESP; it has {', '.join(hdu.names)}."
            raise FormatError(msg)
        axis = MapAxis.from_energy_edges(energy_edges(hdu, "ENERG_LO", "ENERG_HI", where), name="energy_true")
        unit = parse_unit(read_unit(hdu, "SPECRESP", "cm2"), where)
        if unit not in (u.Unit("cm2"), u.Unit("m2")):
            area, unit = as_quantity(u.Quantity(area, unit), "m2", f"{where}: SPECRESP").value, u.Unit("m2")
        time = as_quantity(livetime, "s", "livetime")
        data = area.astype(float) * time.value
        return RegionNDMap(
            RegionGeom(None, axes=[axis]),
            data=data.reshape(-1, 1, 1),
            unit=unit * u.s,
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
        tables, where = _open(filename, checksum)
        matrix = find_table(tables, where, ("MATRIX", "SPECRESP MATRIX"), "RSP_MATRIX")
        ebounds = find_table(tables, where, ("EBOUNDS",), "EBOUNDS")
        kernel = EDispKernel.from_columns(columns_of(matrix), columns_of(ebounds), matrix.header, matrix.name)
        own, axis = kernel.axes["energy_true"].edges, exposure.geom.axes["energy_true"]
        check_energies(own, axis.edges, where, "true energies", "of the effective area")
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
        with locked([self.filename.parent], shared=True), reading(self.filename):
            return self.read_from()

    def read_from(self, tables: FitsTables | None = None) -> Any:
        """Read all files; the PHA file may be in memory already."""
        if tables is None:
            tables = read_tables(self.filename, checksum=self.checksum)
        where = f"File {self.filename}"
        pha = read_spectrum(tables, where)
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
        return reported(_grouped(dataset, pha) if self.group else dataset, where)


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
        check_energies(pha.edges, own.edges, pha.where, "energies", "of its RMF")
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
        check_energies(off.edges, axis.edges, off.where, "energies", "of the spectrum")
    # Some writers leave out the exposure of the background or set it to zero; it is that of the spectrum then.
    time = off.exposure / pha.exposure if off.exposure > 0 else 1.0
    area = np.divide(off.areascal, pha.areascal, out=np.ones(len(off.areascal)), where=pha.areascal > 0)
    return parts | {
        "counts_off": pha.to_map(off.counts, axis),
        "acceptance_off": pha.to_map(off.backscal * time * area, axis),
    }


def _name(header: Any, path: Path) -> str:
    """OBS_ID, or the name of the file if there is none or there are several."""
    own = str(header.get("OBS_ID", "")).strip()
    return own if own and "OBS_ID" not in header.repeated else path.name.split(".")[0]


def _grouped(dataset: Any, pha: Spectrum) -> Any:
    """Dataset with channels merged: 1 starts a group, -1 goes on with it, 0 is a channel of its own."""
    is_start = pha.grouping >= 0
    if is_start.all():
        return dataset
    is_start[0] = True
    edges = dataset.counts.geom.axes["energy"].edges
    axis = MapAxis.from_energy_edges(edges[np.append(np.flatnonzero(is_start), len(is_start))], name="energy")
    return dataset.resample_energy_axis(axis, name=dataset.name)
