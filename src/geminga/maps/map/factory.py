"""Making, reading and writing maps: the right class follows from the geometry or from the HDU."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from geminga.errors import NameLookupError
from geminga.maps.io.registry import REGION_FORMATS, WCS_FORMATS
from geminga.utils.files import read_fits, reading, write_fits

if TYPE_CHECKING:
    from astropy.io import fits

__all__ = ["MAP_CLASSES", "create", "from_geom", "from_hdulist", "map_class", "read", "write"]

# Kind of geometry to class; a map class joins by ``class MyMap(Map, kind="...")``.
MAP_CLASSES: dict[str, Any] = {}


def class_of_kind(kind: str) -> Any:
    """Map class by kind.

    Raises
    ------
    NameLookupError
        If no class has it.
    """
    if kind not in MAP_CLASSES:
        msg = f"Unrecognized map type: {kind!r}; expected one of {', '.join(sorted(MAP_CLASSES))}."
        raise NameLookupError(msg)
    return MAP_CLASSES[kind]


def map_class(geom: Any) -> Any:
    """Map class for a geometry."""
    return class_of_kind("hpx" if geom.is_hpx else "region" if geom.is_region else "wcs")


def create(**kwargs: Any) -> Any:
    """Make an empty map.

    Parameters
    ----------
    map_type : {"wcs", "region"}
        Kind of geometry.
    **kwargs
        ``dtype``, ``meta``, ``unit``, and the arguments of ``WcsGeom.create`` or ``RegionGeom.create``.

    Returns
    -------
    map : Map
        Map of zeros.

    Raises
    ------
    NameLookupError
        If the kind is unknown.

    Examples
    --------
    >>> from geminga.maps import Map
    >>> Map.create(map_type="region", region="icrs;circle(83.63, 22.01, 0.5)").data.shape
    (1, 1)
    """
    kind = str(kwargs.pop("map_type", "wcs")).removesuffix("-sparse")
    return class_of_kind(kind).create(**kwargs)


def from_geom(geom: Any, meta: dict[str, Any] | None = None, data: Any = None, unit: Any = "", dtype: Any = "float32") -> Any:
    """Make a map on a geometry.

    Parameters
    ----------
    geom : Geom
        Geometry.
    meta : dict, optional
        Anything to be kept with the map.
    data : array, optional
        Data; by default zeros.
    unit : str or Unit
        Unit.
    dtype : str or dtype
        Type of the zeros; `data` keep their own.
    """
    return map_class(geom)(geom, data=data, meta=meta, unit=unit, dtype=dtype)


def _kind_of_hdu(hdulist: fits.HDUList, hdu: Any) -> str:
    """Kind of map an HDU holds."""
    from geminga.maps.geom.io import find_hdu

    names = [entry.name.upper() for entry in hdulist]
    if hdu is None and "SKYMAP" in names and not any(h.is_image and h.header.get("NAXIS", 0) >= 2 for h in hdulist):
        hdu = "SKYMAP"
    if hdu is None and not any(h.is_image and h.header.get("NAXIS", 0) >= 2 for h in hdulist):
        candidates = [h for h in hdulist if not h.is_image]
        found = next((h for h in candidates if "PIXTYPE" in h.header or "WCSSHAPE" in h.header), None)
    else:
        found = find_hdu(hdulist, hdu)
    if found is None or found.is_image:
        return "wcs"
    if str(found.header.get("PIXTYPE", "")).strip().upper() == "HEALPIX":
        return "hpx"
    columns = {name.upper() for name in found.columns.names}
    return "wcs" if {"PIX", "VALUE"} <= columns else "region"


def from_hdulist(
    hdulist: fits.HDUList,
    hdu: Any = None,
    hdu_bands: str | None = None,
    map_type: str = "auto",
    format: str | None = None,
    colname: str | None = None,
) -> Any:
    """Read a map from an HDU list.

    Parameters
    ----------
    hdulist : HDUList
        HDU list.
    hdu : str or int, optional
        HDU of the map; by default the first one that holds a map.
    hdu_bands : str, optional
        HDU of the axes; by default the one that the map names.
    map_type : {"auto", "wcs", "wcs-sparse", "region", "hpx", "hpx-sparse"}
        Kind of map; found out by default.
    format : {None, "gadf", "fgst-ccube", "fgst-template", "fgst-bexpcube", "ogip", "ogip-arf", ...}
        Format; found out by default.
    colname : str, optional
        Column of the data, for kinds that are tables.

    Raises
    ------
    NameLookupError
        If the HDU is missing; the message lists those there are.
    FormatError
        If the HDU holds no map.
    """
    if map_type != "auto":
        kind = map_type.removesuffix("-sparse")
    else:
        kind = "region" if format in REGION_FORMATS and format not in WCS_FORMATS else _kind_of_hdu(hdulist, hdu)
    kwargs: dict[str, Any] = {"hdu": hdu, "format": format}
    if kind == "region":
        kwargs["format"] = format or "gadf"
        kwargs["ogip_column"] = colname
    kwargs["hdu_bands"] = hdu_bands
    if kind == "hpx":
        kwargs["colname"] = colname
    return class_of_kind(kind).from_hdulist(hdulist, **kwargs)


def read(
    filename: str | Path,
    hdu: Any = None,
    hdu_bands: str | None = None,
    map_type: str = "auto",
    format: str | None = None,
    colname: str | None = None,
    checksum: bool = False,
) -> Any:
    """Read a map from a FITS file.

    Parameters
    ----------
    filename : str or Path
        File, plain or gzip; environment variables are expanded.
    hdu, hdu_bands, map_type, format, colname
        See `from_hdulist`.
    checksum : bool
        Verify checksums.

    Raises
    ------
    FileError, CorruptFileError
        If the file cannot be read.
    NameLookupError, FormatError
        If it holds no such map; the message names the file.
    """
    with reading(filename):
        return from_hdulist(read_fits(filename, checksum=checksum), hdu, hdu_bands, map_type, format, colname)


def write(self: Any, filename: str | Path, overwrite: bool = False, **kwargs: Any) -> None:
    """Write the map to a FITS file, whole or not at all.

    Parameters
    ----------
    filename : str or Path
        File; ``.gz`` names are compressed.
    overwrite : bool
        Replace an existing file.
    **kwargs
        ``checksum`` (default True), and the arguments of `to_hdulist`: ``hdu``, ``hdu_bands``, ``sparse``, ``format``.

    Raises
    ------
    FileExistsRefusal
        If the file exists and `overwrite` is false.
    """
    checksum = kwargs.pop("checksum", True)
    write_fits(self.to_hdulist(**kwargs), filename, overwrite=overwrite, checksum=checksum)
