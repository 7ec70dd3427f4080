"""Geometries in FITS files: WCS headers, BANDS tables and REGION tables."""

from __future__ import annotations

import ast
import math
from typing import TYPE_CHECKING, Any

from geminga.errors import FormatError, NameLookupError
from geminga.maps.axes import bands

if TYPE_CHECKING:
    from astropy.io import fits

    from geminga.maps.geom.base import Geom
    from geminga.maps.geom.wcs import WcsGeom

__all__ = [
    "bands_format",
    "find_bands_hdu",
    "find_hdu",
    "geom_from_hdulist",
    "parse_wcs_shape",
    "to_bands_hdu",
    "wcs_geom_from_header",
    "wcs_geom_to_header",
]

_BANDS_FORMATS = {"EBOUNDS": "fgst-ccube", "ENERGIES": "fgst-template"}


def find_hdu(hdulist: fits.HDUList, name: Any = None) -> Any:
    """HDU by name or number; without a name the first one that holds an image or a table of a map.

    Raises
    ------
    NameLookupError
        If it is not there; the message lists the names.
    """
    if name is not None:
        try:
            return hdulist[name]
        except (KeyError, IndexError) as error:
            msg = f"HDU {name!r} is not in the file; it has {[hdu.name for hdu in hdulist]}."
            raise NameLookupError(msg) from error
    for hdu in hdulist:
        if hdu.is_image and hdu.header.get("NAXIS", 0) >= 2:
            return hdu
    for hdu in hdulist:
        if not hdu.is_image and "WCSAXES" in hdu.header and "SHAPE" not in hdu.columns.names:
            return hdu
    msg = f"No HDU with a map was found; the file has {[hdu.name for hdu in hdulist]}."
    raise NameLookupError(msg)


def find_bands_hdu(hdulist: fits.HDUList, hdu: Any, name: str | None = None) -> Any:
    """Table of the axes of a map HDU: `name`, else the keyword BANDSHDU, else EBOUNDS or ENERGIES for a cube, else None."""
    if name is not None:
        return find_hdu(hdulist, name)
    if "BANDSHDU" in hdu.header:
        return find_hdu(hdulist, str(hdu.header["BANDSHDU"]).strip())
    names = [other.name for other in hdulist]
    if hdu.is_image and hdu.header.get("NAXIS", 0) != 3:
        return None
    for candidate in ("EBOUNDS", "ENERGIES"):
        if candidate in names:
            return hdulist[candidate]
    return None


def bands_format(hdu_bands: Any, format: str | None = None) -> str:
    """Format of a table of axes: as given, else by its name, else gadf."""
    if format is not None and format not in {"gadf", "auto"}:
        return format
    name = "" if hdu_bands is None else hdu_bands.name.upper()
    return "gadf" if format == "gadf" and name not in _BANDS_FORMATS else _BANDS_FORMATS.get(name, "gadf")


def geom_from_hdulist(cls: type[Geom], hdulist: fits.HDUList, hdu: Any = None, hdu_bands: str | None = None) -> Any:
    """Read a WCS geometry from an HDU list.

    Parameters
    ----------
    hdulist : HDUList
        HDU list.
    hdu : str or int, optional
        HDU of the map; by default the first one that holds a map.
    hdu_bands : str, optional
        HDU of the axes; by default the one the map names.

    Raises
    ------
    NameLookupError, FormatError
        If an HDU is missing or a keyword is wrong.
    """
    from geminga.maps.geom.wcs import WcsGeom

    wcs_cls = cls if issubclass(cls, WcsGeom) else WcsGeom
    found = find_hdu(hdulist, hdu)
    return wcs_cls.from_header(found.header, find_bands_hdu(hdulist, found, hdu_bands), format=bands_format(None, None))


def to_bands_hdu(self: Geom, hdu_bands: str | None = None, format: str = "gadf") -> fits.BinTableHDU:
    """Write the axes to a table HDU; see `MapAxes.to_table_hdu`."""
    return self.axes.to_table_hdu(format=format, hdu_bands=hdu_bands)


def parse_wcs_shape(text: str) -> tuple[int, ...]:
    """Numbers of the keyword WCSSHAPE, such as ``"(100,100,3)"``.

    Raises
    ------
    FormatError
        If it is anything but a tuple of at least two whole numbers above zero.
    """
    try:
        value = ast.literal_eval(str(text).strip())
        shape = tuple(int(number) for number in value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        msg = f"Keyword WCSSHAPE is {text!r}, expected whole numbers such as '(100,100,3)'."
        raise FormatError(msg) from error
    if len(shape) < 2 or min(shape) < 1 or any(a != b for a, b in zip(shape, value, strict=True)):
        msg = f"Keyword WCSSHAPE is {text!r}, expected at least two whole numbers above zero, such as '(100,100,3)'."
        raise FormatError(msg)
    return shape


def wcs_geom_from_header(cls: type[WcsGeom], header: fits.Header, hdu_bands: Any = None, format: str | None = "gadf") -> WcsGeom:
    """Read the geometry from a FITS header.

    Parameters
    ----------
    header : Header
        Header of the map. Only its celestial axes are used.
    hdu_bands : BinTableHDU, optional
        Table of the other axes.
    format : str, optional
        Format of that table; one named EBOUNDS or ENERGIES is recognised.

    Raises
    ------
    FormatError
        If there is no celestial WCS or no size.
    """
    import warnings

    from astropy.wcs import WCS, FITSFixedWarning

    from geminga.maps.axes.collection import MapAxes

    _check_numbers(header)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        wcs = WCS(header, naxis=2).sub(2) if header.get("WCSAXES", 2) == 2 else WCS(header).celestial
    if not wcs.has_celestial:
        msg = f"Header has no celestial coordinates (CTYPE1 = {header.get('CTYPE1')!r}), so it is not a sky map."
        raise FormatError(msg)
    axes = MapAxes.from_table_hdu(hdu_bands, format=bands_format(hdu_bands, format))
    if hdu_bands is not None and "NPIX" in hdu_bands.columns.names:
        npix = _regular_npix(hdu_bands)
    elif "WCSSHAPE" in header:
        npix = parse_wcs_shape(header["WCSSHAPE"])[:2]  # type: ignore[assignment]
    elif "NAXIS2" in header:
        npix = (int(header["NAXIS1"]), int(header["NAXIS2"]))
    else:
        msg = "Header has neither WCSSHAPE nor NAXIS1 and NAXIS2, so the size of the map is not known."
        raise FormatError(msg)
    return cls(wcs, npix=npix, axes=axes)


def _check_numbers(header: fits.Header) -> None:
    """Refuse text and impossible numbers for the place of the pixels, which would be taken for zero or folded."""
    for axis in (1, 2):
        is_latitude = str(header.get(f"CTYPE{axis}", ""))[:4] in {"DEC-", "GLAT"} and header.get(f"CUNIT{axis}", "deg") == "deg"
        for name, most in (("CRPIX", math.inf), ("CRVAL", 90 if is_latitude else math.inf), ("CDELT", 1e9)):
            value = header.get(f"{name}{axis}", 0)
            if isinstance(value, (str, bool)) or not (math.isfinite(value) and abs(value) <= most):
                msg = f"Keyword {name}{axis} is {value!r}, with which pixels have no place on the sky."
                raise FormatError(msg)


def _regular_npix(hdu_bands: Any) -> tuple[int, int]:
    """Size from the column NPIX, which must be the same for all bands."""
    npix = hdu_bands.data["NPIX"].reshape(-1, 2)
    if (npix != npix[0]).any():
        msg = f"HDU {hdu_bands.name}: bands have different sizes ({npix[0]} ... {npix[-1]} pixels), which is not supported."
        raise FormatError(msg)
    return int(npix[0, 0]), int(npix[0, 1])


def wcs_geom_to_header(self: WcsGeom) -> fits.Header:
    """FITS keywords: the WCS, ``AXCOLS``, ``INTERP`` of the axes, and ``WCSSHAPE``."""
    header = self.wcs.to_header()
    if "RADESYS" not in header and self.frame == "icrs":
        header["RADESYS"] = "ICRS"
    header.update(self.axes.to_header(format=bands.FORMATS[0]))
    shape = [*self.data_shape[-2:][::-1], *self.axes.shape]
    header["WCSSHAPE"] = "({})".format(",".join(str(int(number)) for number in shape))
    return header
