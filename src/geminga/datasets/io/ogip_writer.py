"""OGIP files of an on/off spectrum: PHA, BKG, ARF and RMF, all of them written or none.

`geminga.datasets.io.ogip` reads them. AREASCAL and the exposure of the background are those of the source here, so that alpha
is the ratio of the BACKSCAL columns, for whoever reads the files.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import astropy.units as u
import numpy as np
from astropy.io import fits

from geminga.errors import DataError, FormatError
from geminga.maps import RegionNDMap
from geminga.utils.files import file_path, fits_bytes, write_files
from geminga.utils.filesets import FileSet, write_sets
from geminga.utils.metadata import CreatorMetaData

__all__ = ["OGIPDatasetWriter"]

log = logging.getLogger(__name__)

#: Flags of OGIP: good, and bad because of the software that made the spectrum.
_GOOD, _BAD = 0, 5
#: Keywords of a PHA file that name other files.
_NAMES = ("ANCRFILE", "BACKFILE", "RESPFILE")


class OGIPDatasetWriter:
    """Writer of a `SpectrumDatasetOnOff` to OGIP files.

    Parameters
    ----------
    filename : str or Path
        PHA file; the others are named after it, see `get_filenames`. ``.gz`` names are compressed.
    format : {"ogip", "ogip-sherpa"}
        With ``ogip-sherpa`` energies are in keV and areas in cm2, else in the units of the dataset.
    overwrite : bool
        Replace existing files.
    checksum : bool
        No effect: checksums are always written.
    creation : CreatorMetaData, optional
        Who wrote the files, and when.

    Raises
    ------
    FormatError
        If the format is unknown.
    """

    tag: ClassVar[list[str]] = ["ogip", "ogip-sherpa"]

    def __init__(
        self,
        filename: str | Path,
        format: str = "ogip",
        overwrite: bool = False,
        checksum: bool = False,
        creation: Any = None,
    ) -> None:
        if format not in self.tag:
            msg = f"OGIPDatasetWriter: format {format!r} is not known; choose one of {', '.join(self.tag)}."
            raise FormatError(msg)
        path = file_path(filename)
        self.filename = path
        self.format = format
        self.overwrite = overwrite
        self.checksum = checksum
        self.creation = creation

    @staticmethod
    def get_filenames(filename: str | Path) -> dict[str, str]:
        """Names of the files that go with a PHA file.

        Examples
        --------
        >>> from geminga.datasets import OGIPDatasetWriter
        >>> OGIPDatasetWriter.get_filenames("pha_obs1.fits")
        {'respfile': 'pha_obs1_rmf.fits', 'backfile': 'pha_obs1_bkg.fits', 'ancrfile': 'pha_obs1_arf.fits'}
        """
        path = Path(filename)
        suffix = "".join(path.suffixes)
        stem = path.name.removesuffix(suffix)
        return {f"{key}file": f"{stem}_{kind}{suffix}" for key, kind in (("resp", "rmf"), ("back", "bkg"), ("ancr", "arf"))}

    def get_ogip_meta(self, dataset: Any, is_bkg: bool = False) -> dict[str, Any]:
        """Keywords of a SPECTRUM table: kind, exposure in s, and the names of the files that go with it."""
        names = self.get_filenames(self.filename)
        meta = {
            "HDUCLAS2": "BKG" if is_bkg else "TOTAL",
            "HDUCLAS3": "COUNT",
            "HDUCLAS4": "TYPE:1",
            "EXPOSURE": float(_livetime(dataset).to_value("s")),
            "OBS_ID": dataset.name,
            "ANCRFILE": names["ancrfile"],
        }
        if dataset.counts_off is not None:
            meta["BACKFILE"] = names["backfile"]
        if dataset.edisp is not None:
            meta["RESPFILE"] = names["respfile"]
        return meta

    def to_counts_hdulist(self, dataset: Any, is_bkg: bool = False) -> fits.HDUList:
        """HDUs of the PHA file, or of the BKG file: SPECTRUM, EBOUNDS, REGION and GTI.

        Counts that are not whole numbers are written in double precision.
        """
        counts, acceptance = dataset.counts, dataset.acceptance
        if is_bkg:
            counts, acceptance = dataset.counts_off, dataset.acceptance_off
        hdulist = counts.to_hdulist(format=self.format)
        size = counts.geom.axes["energy"].nbin
        good = np.ones(size, bool) if dataset.mask_safe is None else dataset.mask_safe.frozen_data.reshape(-1)
        scale = np.ones(size) if acceptance is None else np.nan_to_num(acceptance.frozen_data.reshape(-1).astype(float))
        table = fits.BinTableHDU.from_columns(
            hdulist["SPECTRUM"].columns
            + fits.Column("QUALITY", "I", array=np.where(good, _GOOD, _BAD))
            + fits.Column("BACKSCAL", "D", array=scale),
            header=hdulist["SPECTRUM"].header,
        )
        for key in ("QUALITY", "BACKSCAL"):  # columns say it
            table.header.pop(key, None)
        table.header.update(self.get_ogip_meta(dataset, is_bkg))
        hdus = [table, *hdulist[2:]]
        if dataset.gti is not None and not is_bkg:
            hdus.append(dataset.gti.to_table_hdu())
        return self._hdulist(hdus)

    def _hdulist(self, hdus: Any) -> fits.HDUList:
        hdulist = fits.HDUList([fits.PrimaryHDU(), *hdus])
        creation = CreatorMetaData() if self.creation is None else self.creation
        for hdu in hdulist:
            hdu.header.update(creation.to_header())
        return hdulist

    def _arf(self, dataset: Any) -> fits.HDUList:
        exposure = dataset.exposure
        time = _livetime(dataset).to("s")
        area = RegionNDMap(exposure.geom, data=exposure.frozen_data / time.value, unit=exposure.unit / u.s)
        for unit in (u.cm**2, u.m**2):  # spelled plainly where it can be
            if area.unit == unit:
                area = RegionNDMap(exposure.geom, data=area.frozen_data, unit=unit)
        return self._hdulist(area.to_hdulist(format=self.format.replace("ogip", "ogip-arf"))[1:])

    def _rmf(self, dataset: Any) -> fits.HDUList:
        kernel = dataset.edisp.get_edisp_kernel(energy_axis=dataset.counts.geom.axes["energy"])
        return self._hdulist(kernel.to_hdulist(format=self.format)[1:])

    def _contents(self, dataset: Any) -> dict[str, fits.HDUList]:
        """File names and what goes there."""
        _check(dataset)
        names = self.get_filenames(self.filename)
        contents = {self.filename.name: self.to_counts_hdulist(dataset), names["ancrfile"]: self._arf(dataset)}
        if dataset.counts_off is not None:
            contents[names["backfile"]] = self.to_counts_hdulist(dataset, is_bkg=True)
        if dataset.edisp is not None:
            contents[names["respfile"]] = self._rmf(dataset)
        return contents

    def write(self, dataset: Any) -> None:
        """Write all files, or none if one cannot be written.

        Parameters
        ----------
        dataset : SpectrumDatasetOnOff
            The fit mask, the PSF and the models have no place in OGIP files.

        Raises
        ------
        FileExistsRefusal
            If a file exists and `overwrite` is false; nothing is written then.
        DataError
            If the dataset has no counts or no exposure.
        """
        contents = self._contents(dataset)
        pha = contents.pop(self.filename.name)
        parts = {name: fits_bytes(hdus, Path(name)) for name, hdus in contents.items()}

        def content(names: Mapping[str, str]) -> bytes:
            header = pha["SPECTRUM"].header
            for key in _NAMES:
                if key in header:
                    header[key] = names.get(own[key], header[key])
            return fits_bytes(pha, self.filename)

        own = {key: pha["SPECTRUM"].header.get(key) for key in _NAMES}
        write_sets([FileSet(self.filename, parts, content)], overwrite=self.overwrite)

    def _write_one(self, hdulist: fits.HDUList, filename: str | Path) -> None:
        path = file_path(filename)
        write_files({str(path): fits_bytes(hdulist, path)}, overwrite=self.overwrite)

    def write_pha(self, dataset: Any, filename: str | Path) -> None:
        """Write counts, quality and acceptance to a PHA file."""
        self._write_one(self.to_counts_hdulist(dataset), filename)

    def write_bkg(self, dataset: Any, filename: str | Path) -> None:
        """Write off counts and off acceptance to a BKG file."""
        self._write_one(self.to_counts_hdulist(dataset, is_bkg=True), filename)

    def write_arf(self, dataset: Any, filename: str | Path) -> None:
        """Write the exposure, divided by the live time, to an ARF file."""
        self._write_one(self._arf(dataset), filename)

    def write_rmf(self, dataset: Any, filename: str | Path) -> None:
        """Write the energy dispersion to an RMF file."""
        self._write_one(self._rmf(dataset), filename)


def _livetime(dataset: Any) -> u.Quantity:
    """Live time; that of the time intervals, or 1 s, if the exposure does not know: only area times time matters."""
    meta = (dataset.exposure.meta if dataset.exposure is not None else None) or {}
    if "livetime" in meta:
        return u.Quantity(meta["livetime"])
    total = 0 * u.s if dataset.gti is None else dataset.gti.time_sum
    return total if total > 0 else 1 * u.s


def _check(dataset: Any) -> None:
    """Refuse what OGIP cannot hold, and say what is left out."""
    for name in ("counts", "exposure"):
        if getattr(dataset, name) is None:
            msg = f"{dataset.tag} {dataset.name!r} has no {name}, which OGIP files need; set dataset.{name} or use format 'gadf'."
            raise DataError(msg)
    if dataset.counts_off is not None and (dataset.acceptance is None or dataset.acceptance_off is None):
        msg = f"{dataset.tag} {dataset.name!r} has off counts but not both acceptances; set acceptance and acceptance_off."
        raise DataError(msg)
    lost = [name for name in ("mask_fit", "psf") if getattr(dataset, name) is not None]
    if lost:
        log.warning("Dataset %r: OGIP files hold no %s; format 'gadf' does.", dataset.name, " and no ".join(lost))
