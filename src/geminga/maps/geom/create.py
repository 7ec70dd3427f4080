"""Ways to make a `WcsGeom`; each is a class method of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord

from geminga.errors import InputError
from geminga.maps.coord import skycoord_lonlat
from geminga.maps.geom.grid import make_wcs, shifted_wcs
from geminga.utils.units import as_quantity

if TYPE_CHECKING:
    from geminga.maps.geom.wcs import WcsGeom

__all__ = ["angle_pair", "create", "from_aligned", "sky_lonlat"]


def angle_pair(value: Any, name: str) -> tuple[float, float]:
    """One or two angles, (lon, lat), in deg.

    Raises
    ------
    InputError
        If they are not positive finite numbers, or not one or two.
    """
    if isinstance(value, (tuple, list)):
        numbers = [float(as_quantity(item, u.deg, name).value) for item in value]
    else:
        numbers = np.atleast_1d(as_quantity(value, u.deg, name).value).astype(float).tolist()
    if len(numbers) == 1:
        numbers *= 2
    if len(numbers) != 2 or not all(0 < number < np.inf for number in numbers):
        msg = f"WcsGeom: {name} is {value!r}, expected one or two (lon, lat) angles above zero."
        raise InputError(msg)
    return numbers[0], numbers[1]


def sky_lonlat(skydir: Any, frame: str) -> tuple[float, float]:
    """Longitude and latitude in deg of a SkyCoord or a pair; (0, 0) for None.

    Raises
    ------
    InputError
        For another type, or a position that is not finite.
    """
    if skydir is None:
        return 0.0, 0.0
    if isinstance(skydir, SkyCoord):
        lon, lat = (float(np.squeeze(value)) for value in skycoord_lonlat(skydir, frame))
    elif isinstance(skydir, (tuple, list)) and len(skydir) == 2:
        lon, lat = (float(as_quantity(value, u.deg, "skydir").value) for value in skydir)
    else:
        msg = f"WcsGeom: skydir is {skydir!r}, expected a SkyCoord or a pair (lon, lat) in deg."
        raise InputError(msg)
    if not (np.isfinite(lon) and abs(lat) <= 90):
        msg = f"WcsGeom: skydir is ({lon}, {lat}) deg, expected a longitude and a latitude from -90 to 90 deg."
        raise InputError(msg)
    return lon, lat


def _size(npix: Any, width: Any, binsz: tuple[float, float], proj: str) -> tuple[Any, Any]:
    """Number of pixels; those given win over the width, without both it is the whole sky."""
    if npix is not None:
        return (npix, npix) if np.isscalar(npix) else (npix[0], npix[1])
    if width is None:
        width = (360.0, 180.0)
    widths = angle_pair(width, "width")
    # Rounds half to even.
    return tuple(int(np.rint(w / b)) for w, b in zip(widths, binsz, strict=True))  # type: ignore[return-value]


def create(
    cls: type[WcsGeom],
    npix: Any = None,
    binsz: Any = 0.5,
    proj: str = "CAR",
    frame: str = "icrs",
    refpix: Any = None,
    axes: Any = None,
    skydir: Any = None,
    width: Any = None,
) -> WcsGeom:
    """Make a geometry from its size, pixel size and centre.

    Parameters
    ----------
    npix : int or (int, int), optional
        Number of pixels, (lon, lat).
    binsz : float, str, Quantity or a pair
        Pixel size (deg if a bare number).
    proj : str
        Code of the projection: CAR, TAN, AIT, ...
    frame : {"icrs", "galactic", "fk5", "fk4"}
        Sky frame.
    refpix : (float, float), optional
        Pixel (counted from 1) of the reference position; by default the centre of the image.
    axes : list of MapAxis, optional
        Axes beside the sky.
    skydir : SkyCoord or (float, float), optional
        Reference position.
    width : float, str, Quantity or a pair, optional
        Size of the image if `npix` is not given, rounded to whole pixels; by default the whole sky.

    Raises
    ------
    InputError, UnitError
        For sizes that are not positive, or an unknown frame or projection.

    Examples
    --------
    >>> import astropy.units as u
    >>> from geminga.maps import WcsGeom
    >>> geom = WcsGeom.create(skydir=(83.63, 22.01), width=(5, 3) * u.deg, binsz="0.02 deg", frame="icrs")
    >>> geom.data_shape
    (150, 250)
    """
    size = angle_pair(binsz, "binsz")
    number = cls._read_npix(None, _size(npix, width, size, proj))
    if refpix is None:
        refpix = ((number[0] + 1) / 2.0, (number[1] + 1) / 2.0)
    crpix = (float(np.ravel(refpix[0])[0]), float(np.ravel(refpix[1])[0]))
    wcs = make_wcs(frame, proj, sky_lonlat(skydir, frame), crpix, (-size[0], size[1]), number)
    return cls(wcs, npix=number, axes=axes)


def from_aligned(cls: type[WcsGeom], geom: WcsGeom, skydir: Any, width: Any) -> WcsGeom:
    """Make a geometry whose pixels are those of another one, perhaps continued beyond its borders.

    Parameters
    ----------
    geom : WcsGeom
        Geometry to align with.
    skydir : SkyCoord or (float, float)
        Centre, up to half a pixel.
    width : float, str, Quantity or a pair
        Size.
    """
    widths, scales = angle_pair(width, "width"), geom.pixel_scales.to_value("deg")
    number = tuple(max(int(np.rint(w / s)), 1) for w, s in zip(widths, scales, strict=True))
    x, y = (float(value) for value in geom._grid.to_pix(*sky_lonlat(skydir, geom.frame)))
    start = [np.round(c - (n - 1) / 2.0) for c, n in zip((x, y), number, strict=True)]
    if not np.isfinite(start).all():
        msg = f"WcsGeom.from_aligned: {skydir} is outside the {geom.projection} projection of the geometry."
        raise InputError(msg)
    wcs = shifted_wcs(geom.wcs, np.subtract(geom.wcs.wcs.crpix, start), number)  # type: ignore[arg-type]
    return cls(wcs, npix=number, axes=geom.axes)
