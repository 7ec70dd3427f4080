"""Region geometries in FITS files: a REGION table in pixels of a projection, and the table of the axes."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from geminga.errors import FormatError, NameLookupError
from geminga.maps.axes.collection import MapAxes
from geminga.utils.regions import as_region_list, regions_to_compound_region

if TYPE_CHECKING:
    from astropy.io import fits

    from geminga.maps.geom.region import RegionGeom

__all__ = ["read_region_hdu", "region_geom_from_hdulist", "region_geom_to_hdulist", "region_to_hdu"]

# Format of the axes, and the name of their table; None: none is written.
_FORMATS: dict[str, tuple[str, str | None]] = {
    "ogip": ("ogip", "EBOUNDS"),
    "ogip-sherpa": ("ogip-sherpa", "EBOUNDS"),
    "ogip-arf": ("ogip-arf", "SPECRESP"),
    "ogip-arf-sherpa": ("ogip-arf-sherpa", "SPECRESP"),
    "gadf": ("gadf", None),
}


def _lookup(format: str) -> tuple[str, str | None]:
    if format not in _FORMATS:
        msg = f"RegionGeom: format {format!r} is not known; expected one of {', '.join(sorted(_FORMATS))}."
        raise NameLookupError(msg)
    return _FORMATS[format]


def region_to_hdu(geom: RegionGeom, name: str = "REGION") -> fits.BinTableHDU:
    """Table of the regions in pixels (counted from 0) of the projection, whose keywords are in its header."""
    from astropy.io import fits
    from regions import Regions

    pixel = Regions([part.to_pixel(geom.wcs) for part in as_region_list(geom._known_region)])
    table = pixel.serialize(format="fits")
    header = geom.wcs.to_header()
    if geom.wcs.array_shape is not None:
        nlat, nlon = (int(n) for n in geom.wcs.array_shape)
        header["WCSSHAPE"] = f"({nlon},{nlat})"
    return fits.BinTableHDU(table, header=header, name=name)


def read_region_hdu(hdu: fits.BinTableHDU) -> tuple[Any, Any]:
    """Region on the sky (a union of the rows) and projection.

    Raises
    ------
    FormatError
        If a shape is not known or the projection is missing.
    """
    from astropy.table import QTable
    from astropy.wcs import WCS, FITSFixedWarning
    from regions import Regions

    from geminga.maps.geom.io import parse_wcs_shape

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        wcs = WCS(hdu.header).celestial
    if not wcs.has_celestial:
        msg = f"HDU {hdu.name}: the header has no celestial coordinates, so the regions cannot be placed on the sky."
        raise FormatError(msg)
    if "WCSSHAPE" in hdu.header:
        wcs.array_shape = parse_wcs_shape(hdu.header["WCSSHAPE"])[:2][::-1]
    try:
        found = Regions.parse(QTable.read(hdu, format="fits"), format="fits")
    except Exception as error:  # the parser raises many kinds
        msg = f"HDU {hdu.name}: the region table cannot be read: {error}"
        raise FormatError(msg) from error
    return regions_to_compound_region([region.to_sky(wcs) for region in found]), wcs


def region_geom_from_hdulist(cls: type[RegionGeom], hdulist: fits.HDUList, format: str = "ogip", hdu: Any = None) -> RegionGeom:
    """Read the geometry from an HDU list.

    Parameters
    ----------
    hdulist : HDUList
        HDU list.
    format : {"gadf", "ogip", "ogip-sherpa", "ogip-arf", "ogip-arf-sherpa"}
        Format.
    hdu : str, optional
        For ``gadf``: name of the map HDU, whose axes and region are in ``<hdu>_BANDS`` and ``<hdu>_REGION``.
        For the others: name of the region HDU, ``REGION`` by default.

    Raises
    ------
    NameLookupError
        If the table of the axes is missing or the format unknown.
    FormatError
        If the region cannot be read.
    """
    axes_format, hdu_axes = _lookup(format)
    if format == "gadf":
        stem = "" if hdu is None else f"{hdu}_"
        hdu_axes, hdu_region = f"{stem}BANDS", f"{stem}REGION"
    else:
        hdu_region = hdu or "REGION"
    names = [entry.name.upper() for entry in hdulist]
    region = wcs = None
    if hdu_region.upper() in names:
        region, wcs = read_region_hdu(hdulist[hdu_region])
    if hdu_axes is None or hdu_axes.upper() not in names:
        if format == "gadf":
            return cls(region, wcs=wcs, axes=MapAxes([]))
        msg = f"HDU {hdu_axes!r} with the axes is not in the file; it has {names}."
        raise NameLookupError(msg)
    return cls(region, wcs=wcs, axes=MapAxes.from_table_hdu(hdulist[hdu_axes], format=axes_format))


def region_geom_to_hdulist(
    self: RegionGeom, format: str = "ogip", hdu_bands: str | None = None, hdu_region: str | None = None
) -> fits.HDUList:
    """Write the geometry to an HDU list: an empty primary HDU, the axes, the region.

    Parameters
    ----------
    format : {"gadf", "ogip", "ogip-sherpa", "ogip-arf", "ogip-arf-sherpa"}
        Format.
    hdu_bands, hdu_region : str, optional
        Names of the HDUs of axes (``HDU_BANDS`` or ``EBOUNDS``) and region (``HDU_REGION`` or ``REGION``).

    Raises
    ------
    NameLookupError
        If the format is unknown or needs an axis that is not there.
    """
    from astropy.io import fits

    axes_format, hdu_axes = _lookup(format)
    hdulist = fits.HDUList([fits.PrimaryHDU()])
    if format == "gadf":
        hdu_axes, hdu_region = hdu_bands or "HDU_BANDS", hdu_region or "HDU_REGION"
    if len(self.axes):
        hdulist.append(self.axes.to_table_hdu(format=axes_format, hdu_bands=hdu_bands or hdu_axes))
    if self._region is not None:
        hdulist.append(region_to_hdu(self, hdu_region or "REGION"))
    return hdulist
