"""WCS maps in FITS files: images, or tables of the pixels that are not zero, with a table of the axes beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import numpy as np
from astropy import units as u
from astropy.io import fits
from numpy.typing import NDArray

from geminga.errors import FormatError, GeometryError, UnsupportedError
from geminga.maps.geom.grid import PixelGrid
from geminga.maps.geom.io import bands_format, find_bands_hdu, find_hdu, parse_wcs_shape
from geminga.maps.geom.wcs import WcsGeom
from geminga.maps.io import fgst  # noqa: F401  (registers its formats)
from geminga.maps.io.registry import WCS_FORMATS, WcsFormat, find_format
from geminga.maps.io.tables import axes_from_hdu, is_foreign_energies, meta_from_text, meta_to_text, native
from geminga.utils.units import unit_from_fits_image_hdu

if TYPE_CHECKING:
    from geminga.maps.map.wcs import WcsMap

__all__ = ["is_named_mask", "wcs_map_from_hdu", "wcs_map_from_hdulist", "wcs_map_to_hdu", "wcs_map_to_hdulist"]

WCS_FORMATS["gadf"] = WcsFormat()

# Keywords that make a celestial projection.
_WCS_KEYS = ("CTYPE", "CRPIX", "CRVAL", "CDELT", "CUNIT", "CROTA", "CD1_", "CD2_", "PC1_", "PC2_", "PC00", "PV1_", "PV2_", "PS")
_WCS_NAMES = {"LONPOLE", "LATPOLE", "RADESYS", "RADECSYS", "EQUINOX", "WCSAXES"}

# Maps with the same projection share what follows from it, as long as one of them lives.
_grids: WeakValueDictionary[Any, PixelGrid] = WeakValueDictionary()
# The same for whole geometries, which are values and never change.
_geoms: WeakValueDictionary[Any, WcsGeom] = WeakValueDictionary()

_BOOL = "DTYPE"


def is_named_mask(name: str) -> bool:
    """Whether the name of an HDU says that it holds truth values."""
    return any(part in name.lower() for part in ("mask", "is_ul", "success"))


def _geom_from_header(header: fits.Header, hdu_bands: Any, format: str | None) -> WcsGeom:
    """Geometry of a header; the projection is made once for equal headers."""
    if hdu_bands is not None and "NPIX" in hdu_bands.columns.names:
        return WcsGeom.from_header(header, hdu_bands, format=bands_format(hdu_bands, format))
    is_table = header.get("XTENSION", "").strip() == "BINTABLE"
    if "WCSSHAPE" in header:
        npix = parse_wcs_shape(header["WCSSHAPE"])[:2]
    elif is_table:
        msg = "A table without the keyword WCSSHAPE does not say how many pixels the map has."
        raise FormatError(msg)
    else:
        npix = (int(header["NAXIS1"]), int(header["NAXIS2"]))
    keys = [k for k in header if k.startswith(_WCS_KEYS) or k in _WCS_NAMES]
    key = (npix, tuple((k, header[k]) for k in keys))
    whole = (key, bands_format(hdu_bands, format), is_foreign_energies(hdu_bands), _bands_key(hdu_bands))
    geom = _geoms.get(whole)
    if geom is not None:
        return geom
    grid = _grids.get(key)
    if grid is None:
        grid = WcsGeom.from_header(header)._grid
        _grids[key] = grid
    geom = _geoms[whole] = WcsGeom(grid, axes=axes_from_hdu(hdu_bands, format))
    return geom


def _bands_key(hdu_bands: Any) -> Any:
    """All that a table of axes says, but for its name."""
    if hdu_bands is None:
        return None
    names = {"", "XTENSION", "EXTNAME", "CHECKSUM", "DATASUM", "QUICKSUM", "COMMENT", "HISTORY", "DATE"}
    header = hdu_bands.header
    return tuple((k, header[k]) for k in header if k not in names), np.asarray(hdu_bands.data).tobytes()


def wcs_map_from_hdulist(
    cls: Any, hdulist: fits.HDUList, hdu: Any = None, hdu_bands: str | None = None, format: str | None = None
) -> Any:
    """Read a map from an HDU list.

    Raises
    ------
    NameLookupError
        If an HDU is missing or the format unknown.
    FormatError
        If data and axes do not fit.
    """
    if format is not None and format != "auto":
        find_format(WCS_FORMATS, format, "WcsNDMap.read")
    found = find_hdu(hdulist, hdu)
    bands = find_bands_hdu(hdulist, found, hdu_bands)
    out = wcs_map_from_hdu(cls, found, bands, format)
    default = WCS_FORMATS[bands_format(bands, format)].default_unit
    has_unit = str(found.header.get("BUNIT", "")).strip() or ("BUNIT" in found.header and not is_foreign_energies(bands))
    if not has_unit and default is not None:
        out = out._like(out.frozen_data, unit=default(hdulist))
    return out


def wcs_map_from_hdu(cls: Any, hdu: Any, hdu_bands: Any = None, format: str | None = None) -> Any:
    """Read a map from its HDU and that of its axes; see `wcs_map_from_hdulist`."""
    header, name = hdu.header, hdu.name or "PRIMARY"
    geom = _geom_from_header(header, hdu_bands, format)
    shape = tuple(int(n) for n in geom.data_shape)
    data = _image_data(hdu, name, shape) if hdu.is_image else _sparse_data(hdu, name, shape)
    if is_named_mask(name) or str(header.get(_BOOL, "")).strip() == "bool":
        data = data != 0
    return cls(geom, data=data, meta=meta_from_text(header.get("META"), name), unit=unit_from_fits_image_hdu(header))


def _image_data(hdu: Any, name: str, shape: tuple[int, ...]) -> NDArray[Any]:
    data = hdu.data
    if data is None:
        msg = f"HDU {name} holds no data."
        raise FormatError(msg)
    if data.size != int(np.prod(shape)) or data.shape[-2:] != shape[-2:]:
        msg = f"HDU {name}: the image has shape {data.shape}, the axes and the projection say {shape}."
        raise FormatError(msg)
    return native(data).reshape(shape)


def _sparse_data(hdu: Any, name: str, shape: tuple[int, ...]) -> NDArray[Any]:
    columns = {column.upper() for column in hdu.columns.names}
    if not {"PIX", "VALUE"} <= columns:
        msg = f"HDU {name}: columns are {hdu.columns.names}, expected PIX, VALUE and perhaps CHANNEL."
        raise FormatError(msg)
    table = hdu.data
    pix, value = np.asarray(table["PIX"], dtype=np.int64), native(np.asarray(table["VALUE"]))
    channel = np.asarray(table["CHANNEL"], dtype=np.int64) if "CHANNEL" in columns else np.zeros_like(pix)
    size = shape[-1] * shape[-2]
    data = np.zeros((int(np.prod(shape)) // size, size), dtype=value.dtype)
    if len(pix) and (min(pix.min(), channel.min()) < 0 or pix.max() >= size or channel.max() >= len(data)):
        msg = f"HDU {name}: pixels up to {pix.max()} and channels up to {channel.max()} are beyond the map of shape {shape}."
        raise FormatError(msg)
    data[channel, pix] = value
    return data.reshape(shape)


def _storable(data: NDArray[Any]) -> NDArray[Any]:
    """Data in a type that FITS knows; truth values become 0 and 1."""
    if data.dtype == bool:
        return data.astype(np.uint8)
    if data.dtype == np.float16:
        return data.astype(np.float32)
    if data.dtype.kind not in "iuf" or data.dtype.itemsize > 8:
        msg = f"Map: data of type {data.dtype} cannot be written to FITS; convert them with map.copy(dtype=float)."
        raise UnsupportedError(msg)
    return data


def wcs_map_to_hdu(self: WcsMap, hdu: str | None = "SKYMAP", hdu_bands: str | None = None, sparse: bool = False) -> Any:
    """HDU of the data, without the axes."""
    name = "PRIMARY" if hdu is None else hdu.upper()
    header = self.geom.to_header()
    if self.is_mask:
        header[_BOOL] = "bool"
    if hdu_bands is not None:
        header["BANDSHDU"] = hdu_bands.upper()
    header["META"] = meta_to_text(self.meta)
    header["BUNIT"] = self.unit.to_string("fits") if self.unit != u.dimensionless_unscaled else ""
    if sparse:
        return _sparse_hdu(self, "SKYMAP" if name == "PRIMARY" else name, header)
    data = _storable(self.frozen_data)
    if name == "PRIMARY":
        return fits.PrimaryHDU(np.array(data), header=header)
    return fits.ImageHDU(np.array(data), header=header, name=name)


def _sparse_hdu(self: WcsMap, name: str, header: fits.Header) -> Any:
    data = _storable(self.frozen_data)
    flat = data.reshape(-1, data.shape[-2] * data.shape[-1])
    channel, pix = np.nonzero(flat)
    columns = [fits.Column("PIX", "J", array=pix.astype(np.int32))]
    if not self.geom.is_image:
        columns.append(fits.Column("CHANNEL", "J", array=channel.astype(np.int32)))
    value = flat[channel, pix]
    code = {"f4": "E", "f8": "D", "i2": "I", "i4": "J", "i8": "K", "u1": "B"}.get(value.dtype.str[1:])
    if code is None:
        code, value = "D", value.astype(float)
    columns.append(fits.Column("VALUE", code, array=value))
    return fits.BinTableHDU.from_columns(columns, header=header, name=name)


def wcs_map_to_hdulist(
    self: WcsMap, hdu: str | None = None, hdu_bands: str | None = None, sparse: bool = False, format: str = "gadf"
) -> fits.HDUList:
    """HDU list of the map: the data in the primary HDU, or in one of their own, and the axes.

    Raises
    ------
    NameLookupError
        If the format is unknown.
    GeometryError
        If the axes are not those of the format.
    """
    record = find_format(WCS_FORMATS, format, "WcsNDMap.write")
    names = self.geom.axes.names
    if record.axes_names and (len(names) != 1 or names[0] not in record.axes_names):
        msg = f"WcsNDMap.write: format {format!r} needs one axis named {' or '.join(record.axes_names)}, the axes are {names}."
        raise GeometryError(msg)
    if sparse and (hdu is None or hdu.upper() == "PRIMARY"):
        hdu = "SKYMAP"
    name = "PRIMARY" if hdu is None else hdu.upper()
    bands = None if self.geom.is_image else (hdu_bands or record.hdu_bands or f"{name}_BANDS").upper()
    data = wcs_map_to_hdu(self, hdu=name, hdu_bands=bands, sparse=sparse)
    hdulist = fits.HDUList([data] if name == "PRIMARY" else [fits.PrimaryHDU(), data])
    if bands is not None:
        hdulist.append(self.geom.to_bands_hdu(hdu_bands=bands, format=format))
    return hdulist
