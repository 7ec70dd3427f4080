"""The FITS file of a dataset: primary header, then an image or table for each part.

The primary header holds name, creator and meta data, and a manifest: ``NHDUS`` and the names ``HDU1``, ``HDU2``... of all HDUs
that follow, so that a file which lost one is refused. Files without manifest read as well.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from astropy.io import fits
from astropy.table import Table

from geminga.data import GTI
from geminga.datasets.metadata import MapDatasetMetaData
from geminga.datasets.products import filled_parts, parts_of
from geminga.errors import CorruptFileError, FileError, FormatError
from geminga.irf import EDispKernelMap, EDispMap, PSFMap, RecoPSFMap
from geminga.maps import Map
from geminga.utils.faults import reported
from geminga.utils.files import fits_bytes, make_path, read_fits, reading, write_files
from geminga.utils.metadata import CreatorMetaData
from geminga.utils.whole import add_manifest, lost_hdus

__all__ = ["DatasetFile", "from_dict", "from_hdulist", "parts_from_hdulist", "read", "to_files", "to_hdulist", "write"]


def _check_format(format: str) -> None:
    if format != "gadf":
        msg = f"Dataset format {format!r} is not known; expected 'gadf'."
        raise FormatError(msg)


def _columns(hdulist: fits.HDUList, hdu: str) -> str:
    """Names of the axes of a map, as its header gives them."""
    header = hdulist[hdu].header
    bands = header.get("BANDSHDU", f"{hdu}_BANDS")
    headers = [header] + ([hdulist[bands].header] if bands in hdulist else [])
    return " ".join(str(h.get(f"AXCOLS{k}", "")) for h in headers for k in (1, 2))


def _read_map(hdulist: fits.HDUList, hdu: str) -> Any:
    return Map.from_hdulist(hdulist, hdu=hdu)


def _read_exposure(hdulist: fits.HDUList, hdu: str) -> Any:
    exposure = Map.from_hdulist(hdulist, hdu=hdu)
    if "energy" in exposure.geom.axes.names:
        exposure = exposure.rename_axes(["energy"], ["energy_true"])
    return exposure


def _read_mask(hdulist: fits.HDUList, hdu: str) -> Any:
    mask = Map.from_hdulist(hdulist, hdu=hdu)
    return mask if mask.frozen_data.dtype == bool else mask.copy(data=mask.frozen_data.astype(bool))


def _read_psf(hdulist: fits.HDUList, hdu: str) -> Any:
    cls = PSFMap if "ENERGY_TRUE" in _columns(hdulist, hdu) else RecoPSFMap
    return cls.from_hdulist(hdulist, hdu=hdu)


def _read_edisp(hdulist: fits.HDUList, hdu: str) -> Any:
    cls = EDispMap if "MIGRA" in _columns(hdulist, hdu) else EDispKernelMap
    return cls.from_hdulist(hdulist, hdu=hdu)


def _read_gti(hdulist: fits.HDUList, hdu: str) -> Any:
    return GTI.from_table_hdu(hdulist[hdu])


def _read_table(hdulist: fits.HDUList, hdu: str) -> Any:
    return Table.read(hdulist[hdu], format="fits")


_READERS = {
    "counts": _read_map,
    "exposure": _read_exposure,
    "background": _read_map,
    "edisp": _read_edisp,
    "psf": _read_psf,
    "mask_safe": _read_mask,
    "mask_fit": _read_mask,
    "gti": _read_gti,
    "meta_table": _read_table,
}


def parts_from_hdulist(hdulist: fits.HDUList, names: set[str]) -> dict[str, Any]:
    """Read the named parts which an HDU list has; ``meta`` comes from the primary header."""
    _check_manifest(hdulist)
    parts = {n: reader(hdulist, n.upper()) for n, reader in _READERS.items() if n in names and n.upper() in hdulist}
    parts |= {name: _read_map(hdulist, name.upper()) for name in names if name not in _READERS and name.upper() in hdulist}
    return parts | ({"meta": MapDatasetMetaData.from_header(hdulist[0].header)} if "meta" in names else {})


def _check_manifest(hdulist: fits.HDUList) -> None:
    """Refuse an HDU list that lacks an HDU its primary header promises."""
    lost = lost_hdus(hdulist[0].header, (hdu.name for hdu in hdulist[1:]))
    if lost:
        name = hdulist[0].header.get("NAME", "unknown")
        msg = f"Dataset file of {name!r} lacks the HDUs {', '.join(lost)} it was written with; fetch it again."
        raise CorruptFileError(msg)


def from_hdulist(cls: Any, /, hdulist: fits.HDUList, name: str | None = None, lazy: bool = False, format: str = "gadf") -> Any:
    """Dataset from an HDU list.

    Parameters
    ----------
    hdulist : HDUList
        HDUs of the format.
    name : str, optional
        Name; that of the primary header if not given, random if that has none.
    lazy : bool
        No effect: an HDU list is in memory.
    format : {"gadf"}
        Format.

    Raises
    ------
    CorruptFileError
        If an HDU is missing that the file was written with.
    """
    _check_format(format)
    parts = parts_from_hdulist(hdulist, _names(cls))
    return cls(name=name or hdulist[0].header.get("NAME"), **parts)


def from_hdulist_onoff(cls: Any, /, hdulist: fits.HDUList, name: str | None = None, format: str = "gadf") -> Any:
    """Dataset from an HDU list; see `MapDataset.from_hdulist`."""
    return from_hdulist(cls, hdulist, name=name, format=format)


def _names(cls: Any) -> set[str]:
    """Names of everything a file holds for a class of datasets."""
    return {*parts_of(cls), "gti", "meta_table", "meta"}


class DatasetFile:
    """A file to be read later.

    Parameters
    ----------
    path : Path
        File.
    names : set of str
        Parts the dataset takes from it.
    cache : bool
        Whether parts stay in memory once read.
    checksum : bool
        Verify checksums also in a compressed file.
    """

    def __init__(self, path: Path, names: set[str], cache: bool, checksum: bool) -> None:
        self.path = path
        self.names = names
        self.cache = cache
        self.checksum = checksum
        self._identity = _identity(path)

    def load(self, names: set[str]) -> dict[str, Any]:
        """Read the named parts.

        Raises
        ------
        FileError
            If the file was replaced since.
        """
        with reading(self.path):
            if _identity(self.path) != self._identity:
                msg = f"File {self.path} was changed since the dataset was opened, or is gone; read the dataset again."
                raise FileError(msg)
            return parts_from_hdulist(read_fits(self.path, checksum=self.checksum), names)


def _identity(path: Path) -> tuple[int, int, int] | None:
    """What tells a file from one that took its place."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def read(
    cls: Any,
    /,
    filename: str | Path,
    name: str | None = None,
    lazy: bool = False,
    cache: bool = True,
    format: str = "gadf",
    checksum: bool = False,
) -> Any:
    """Read a dataset from a FITS file.

    Parameters
    ----------
    filename : str or Path
        File, plain or gzip; environment variables are expanded.
    name : str, optional
        Name; that in the file if not given.
    lazy : bool
        Read the maps when they are first used.
    cache : bool
        With `lazy`, keep maps once read.
    format : {"gadf"}
        Format.
    checksum : bool
        Verify checksums also in a gzip file, which has one of its own.

    Returns
    -------
    dataset : MapDataset
        Without models.

    Raises
    ------
    FileError, CorruptFileError
        Naming the file and the HDU.
    """
    _check_format(format)
    path = make_path(filename)
    if path is None or not path.exists():
        msg = f"File {path} does not exist."
        raise FileError(msg)
    with reading(path):
        if lazy and name:
            return _lazy(cls, path, name, cache, checksum)
        hdulist = read_fits(path, checksum)
        if lazy:
            return _lazy(cls, path, hdulist[0].header.get("NAME"), cache, checksum)
        return reported(cls.from_hdulist(hdulist, name=name, format=format), f"File {path}")


def _lazy(cls: Any, path: Path, name: str | None, cache: bool, checksum: bool) -> Any:
    """Dataset that reads its parts when they are asked for."""
    dataset = cls(name=name)
    dataset._read_later(DatasetFile(path, _names(cls), cache, checksum))
    return dataset


def from_dict(cls: Any, /, data: dict[str, Any], lazy: bool = False, cache: bool = True) -> Any:
    """Read the dataset of an entry in a datasets YAML file.

    Parameters
    ----------
    data : dict
        ``name`` and ``filename``.
    lazy, cache
        See `read`.
    """
    return cls.read(make_path(data["filename"]), name=str(data["name"]), lazy=lazy, cache=cache)


def to_hdulist(self: Any) -> fits.HDUList:
    """HDU list of the dataset: an empty primary HDU with name, meta data and manifest, then its parts.

    Returns
    -------
    hdulist : HDUList
        Models and fit statistic are not stored.
    """
    hdus = [hdu for name, value in _in_order(self) for hdu in _hdus(name, value)]
    if self.gti is not None:
        hdus.append(self.gti.to_table_hdu())
    if self.meta_table is not None:
        hdus.append(fits.BinTableHDU(self.meta_table, name="META_TABLE"))
    hdulist = fits.HDUList([_primary(self), *hdus])
    add_manifest(hdulist)
    return hdulist


_ORDER = ("counts", "exposure", "background", "edisp", "psf", "mask_safe", "mask_fit")


def _in_order(dataset: Any) -> list[tuple[str, Any]]:
    """Parts in the order of the format, further ones at the end."""
    parts = {part.name: value for part, value in filled_parts(dataset)}
    names = [name for name in _ORDER if name in parts]
    return [(name, parts[name]) for name in names + [name for name in parts if name not in _ORDER]]


def _hdus(name: str, value: Any) -> list[Any]:
    """HDUs of one part; a response names its own."""
    hdu = name.upper()
    hdulist = value.to_hdulist(hdu=hdu, hdu_bands=f"{hdu}_BANDS") if isinstance(value, Map) else value.to_hdulist()
    return [one for one in hdulist if not isinstance(one, fits.PrimaryHDU)]


def _primary(dataset: Any) -> fits.PrimaryHDU:
    primary = fits.PrimaryHDU()
    header = primary.header
    header["NAME"] = dataset.name
    for key, value in (dataset.meta.to_header() | CreatorMetaData().to_header()).items():
        header[key] = value
    return primary


def to_files(self: Any, filename: str | Path) -> dict[Path, bytes]:
    """Files that make up the dataset on disk: name and content."""
    path = make_path(filename)
    if path is None:
        msg = f"Dataset {self.name!r}: no file name was given to write it to."
        raise FileError(msg)
    return {path: fits_bytes(self.to_hdulist(), path)}


def write(self: Any, filename: str | Path, overwrite: bool = False, checksum: bool = False) -> None:
    """Write the dataset to a FITS file, whole or not at all.

    Parameters
    ----------
    filename : str or Path
        File; ``.gz`` names are compressed.
    overwrite : bool
        Replace an existing file.
    checksum : bool
        No effect: checksums are always written.

    Raises
    ------
    FileExistsRefusal
        If the file exists and `overwrite` is false.
    """
    write_files(self.to_files(filename), overwrite=overwrite)
