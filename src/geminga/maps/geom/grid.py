"""The image part of a WCS geometry: projection, size, and what follows from them, computed once.

Geometries that differ in their axes only share one grid.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from astropy.wcs import WCS
from numpy.typing import NDArray

from geminga.errors import GeometryError
from geminga.maps.coord import rotated_lonlat, skycoord_lonlat
from geminga.numerics.sphere import frame_rotation, polygon_solid_angle, rotate, unit_vector

__all__ = ["PixelGrid", "make_wcs", "shifted_wcs"]

Floats = NDArray[np.float64]

_CTYPES = {"galactic": ("GLON", "GLAT"), "icrs": ("RA--", "DEC-"), "fk5": ("RA--", "DEC-"), "fk4": ("RA--", "DEC-")}


def make_wcs(
    frame: str,
    proj: str,
    crval: tuple[float, float],
    crpix: tuple[float, float],
    cdelt: tuple[float, float],
    npix: tuple[int, int],
) -> WCS:
    """Celestial WCS of an image; longitude grows to the left if ``cdelt[0]`` is negative.

    Raises
    ------
    GeometryError
        If the frame or the projection is unknown.
    """
    if frame not in _CTYPES:
        msg = f"WcsGeom: frame is {frame!r}, expected one of {', '.join(_CTYPES)}."
        raise GeometryError(msg)
    wcs = WCS(naxis=2)
    inner = wcs.wcs
    inner.ctype = [f"{name}-{proj.upper()}" for name in _CTYPES[frame]]
    inner.crval, inner.crpix, inner.cdelt, inner.cunit = crval, crpix, cdelt, ["deg", "deg"]
    if frame != "galactic":
        inner.radesys = frame.upper()
    if frame in {"fk5", "fk4"}:
        inner.equinox = 2000.0 if frame == "fk5" else 1950.0
    try:
        inner.set()
    except ValueError as error:
        msg = f"WcsGeom: projection {proj!r} with reference {crval} deg cannot be set up: {error}"
        raise GeometryError(msg) from error
    wcs.array_shape = (npix[1], npix[0])
    return wcs


def shifted_wcs(wcs: WCS, crpix: Any, npix: tuple[int, int], scale: Any = None) -> WCS:
    """Copy of a WCS with another reference pixel and size, and with pixels `scale` times as wide."""
    new = wcs.deepcopy()
    new.wcs.crpix = np.asarray(crpix, dtype=float)
    if scale is not None:
        new.wcs.cdelt = np.asarray(new.wcs.cdelt) * np.asarray(scale, dtype=float)
        if wcs.wcs.has_cd():
            new.wcs.cd = np.asarray(wcs.wcs.cd) * np.asarray(scale, dtype=float)
    new.wcs.set()
    new.array_shape = (npix[1], npix[0])
    return new


def _arguments(wcs: WCS, npix: tuple[int, int]) -> tuple[Any, ...] | None:
    """Arguments with which `make_wcs` gives a WCS again; None where there is more to it, such as a distortion."""
    inner = wcs.wcs
    frame = "galactic" if inner.ctype[0].startswith("GLON") else inner.radesys.strip().lower()
    if frame not in _CTYPES or inner.naxis != 2 or wcs.has_distortion:
        return None
    numbers = (tuple(np.asarray(values).tolist()) for values in (inner.crval, inner.crpix, inner.cdelt))
    arguments = (frame, inner.ctype[0][5:], *numbers, npix)
    return arguments if make_wcs(*arguments).wcs.compare(inner) else None


class PixelGrid:
    """Projection and size of an image.

    Parameters
    ----------
    wcs : WCS
        Celestial projection.
    npix : tuple of int
        Number of pixels, (lon, lat).
    """

    def __init__(self, wcs: WCS, npix: tuple[int, int]) -> None:
        if wcs.array_shape != (npix[1], npix[0]):
            wcs = wcs.deepcopy()
            wcs.array_shape = (npix[1], npix[0])
        self.wcs, self.npix = wcs, npix
        self._vectors: dict[str, Floats] = {}
        self._last_part: tuple[Any, PixelGrid] | None = None

    def part(self, crpix: Any, npix: tuple[int, int], scale: Any = None) -> PixelGrid:
        """Same projection with another reference pixel and size, and with pixels `scale` times as wide.

        The last one is kept: the maps of a dataset are cut alike, and then share their coordinates.
        """
        key = (tuple(np.ravel(crpix).tolist()), npix, None if scale is None else tuple(np.ravel(scale).tolist()))
        if self._last_part is None or self._last_part[0] != key:
            self._last_part = (key, PixelGrid(shifted_wcs(self.wcs, crpix, npix, scale), npix))
        return self._last_part[1]

    def __getstate__(self) -> dict[str, Any]:
        """Without coordinates: to compute them takes less than to send them to another process, as it does to make the WCS."""
        arguments = _arguments(self.wcs, self.npix)
        return {"npix": self.npix, "arguments": arguments, "wcs": None if arguments else self.wcs}

    def __setstate__(self, state: dict[str, Any]) -> None:
        wcs = make_wcs(*state["arguments"]) if state["arguments"] else state["wcs"]
        self.__dict__.update(PixelGrid(wcs, state["npix"]).__dict__)

    def __copy__(self) -> PixelGrid:
        """Itself, as it does not change."""
        return self

    def __deepcopy__(self, memo: Any) -> PixelGrid:
        """Itself, as it does not change."""
        return self

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the image, (lat, lon)."""
        return self.npix[1], self.npix[0]

    @cached_property
    def frame(self) -> str:
        """Sky frame."""
        ctype, radesys = self.wcs.wcs.ctype[0], self.wcs.wcs.radesys.strip()
        if ctype.startswith("GLON"):
            return "galactic"
        if ctype.startswith("RA") and radesys == "ICRS":
            return "icrs"
        from astropy.wcs.utils import wcs_to_celestial_frame

        try:
            return str(wcs_to_celestial_frame(self.wcs).name)
        except ValueError as error:
            msg = f"WcsGeom: the WCS with CTYPE {list(self.wcs.wcs.ctype)} has no known sky frame."
            raise GeometryError(msg) from error

    @cached_property
    def projection(self) -> str:
        """Code of the projection."""
        return str(self.wcs.wcs.ctype[0][5:].strip())

    @cached_property
    def _matrix(self) -> Floats:
        """Matrix from pixels to intermediate coordinates, deg."""
        return np.asarray(self.wcs.pixel_scale_matrix)

    @cached_property
    def scales(self) -> Floats:
        """Size of a pixel at the reference pixel, deg, (lon, lat)."""
        return np.asarray(np.sqrt((self._matrix**2).sum(axis=0)))

    def to_world(self, x: Any, y: Any) -> tuple[Floats, Floats]:
        """Longitude and latitude in deg of pixel coordinates, NaN outside the projection."""
        x, y = np.broadcast_arrays(np.asarray(x, dtype=float), np.asarray(y, dtype=float))
        lon, lat = self.wcs.wcs_pix2world(x.ravel(), y.ravel(), 0)
        return lon.reshape(x.shape), lat.reshape(x.shape)

    def to_pix(self, lon: Any, lat: Any) -> tuple[Floats, Floats]:
        """Pixel coordinates of longitude and latitude in deg, NaN outside the projection."""
        lon, lat = np.broadcast_arrays(np.asarray(lon, dtype=float), np.asarray(lat, dtype=float))
        x, y = self.wcs.wcs_world2pix(lon.ravel(), lat.ravel(), 0)
        return x.reshape(lon.shape), y.reshape(lon.shape)

    def skycoord_to_pix(self, skycoord: Any) -> tuple[Floats, Floats]:
        """Pixel coordinates of positions."""
        return self.to_pix(*skycoord_lonlat(skycoord, self.frame))

    @cached_property
    def lonlat(self) -> tuple[Floats, Floats]:
        """Longitude and latitude of pixel centres, deg, shape (lat, lon), read-only."""
        y, x = np.indices(self.shape, dtype=float)
        return self._frozen(self.to_world(x, y))

    def lonlat_in(self, frame: str) -> tuple[Floats, Floats]:
        """Longitude and latitude of pixel centres in another frame."""
        if frame == self.frame:
            return self.lonlat
        if {frame, self.frame} <= {"icrs", "galactic"}:
            return rotated_lonlat(*self.lonlat, self.frame, frame)
        from astropy.coordinates import SkyCoord

        return skycoord_lonlat(SkyCoord(*self.lonlat, unit="deg", frame=self.frame), frame)

    def edge_lonlat(self, along_lon: bool = True, along_lat: bool = True) -> tuple[Floats, Floats]:
        """Longitude and latitude of pixel corners (or of edges in one direction)."""
        x = np.arange(self.npix[0] + along_lon) - 0.5 * along_lon
        y = np.arange(self.npix[1] + along_lat) - 0.5 * along_lat
        return self.to_world(x[np.newaxis, :], y[:, np.newaxis])

    def unit_vectors(self, frame: str | None = None) -> Floats:
        """Unit vectors of pixel centres, shape (3, lat, lon), read-only, NaN outside the projection."""
        frame = frame or self.frame
        if frame not in self._vectors:
            if {frame, self.frame} <= {"icrs", "galactic"} and frame != self.frame:
                vectors = rotate(frame_rotation(self.frame, frame), self.unit_vectors())
            else:
                vectors = unit_vector(*np.deg2rad(self.lonlat_in(frame)))
            vectors.flags.writeable = False
            self._vectors[frame] = vectors
        return self._vectors[frame]

    @cached_property
    def solid_angle(self) -> Floats:
        """Solid angle of pixels, sr, shape (lat, lon), read-only, NaN outside the projection.

        Exact where pixel borders are great circles (TAN) or native parallels and meridians (CAR); else the
        area of the polygon of great circles through the corners.
        """
        out = self._solid_angle_car() if self._is_plain_car else self._solid_angle_polygon()
        out.flags.writeable = False
        return out

    @property
    def _is_plain_car(self) -> bool:
        matrix = self.wcs.pixel_scale_matrix
        return self.projection == "CAR" and not self.wcs.wcs.get_pv() and not matrix[0, 1] and not matrix[1, 0]

    def _solid_angle_car(self) -> Floats:
        matrix, crpix = self.wcs.pixel_scale_matrix, self.wcs.wcs.crpix
        x = (np.arange(self.npix[0]) + 1.0 - crpix[0]) * matrix[0, 0]
        y = (np.arange(self.npix[1] + 1) + 0.5 - crpix[1]) * matrix[1, 1]
        sines = np.sin(np.deg2rad(np.clip(y, -90.0, 90.0)))
        rows = np.abs(np.diff(sines)) * np.deg2rad(abs(matrix[0, 0]))
        centers = 0.5 * (y[1:] + y[:-1])
        inside = (np.abs(centers) <= 90.0)[:, np.newaxis] & (np.abs(x) <= 180.0)[np.newaxis, :]
        return np.where(inside, rows[:, np.newaxis], np.nan)

    def _solid_angle_polygon(self) -> Floats:
        corner = unit_vector(*np.deg2rad(self.edge_lonlat()))
        round_pixel = (corner[:, :-1, :-1], corner[:, :-1, 1:], corner[:, 1:, 1:], corner[:, 1:, :-1])
        return polygon_solid_angle(np.stack(round_pixel))

    @staticmethod
    def _frozen(arrays: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
        for array in arrays:
            array.flags.writeable = False
        return arrays

    def is_allclose(self, other: PixelGrid, rtol: float) -> bool:
        """Whether size, projection and frame are equal up to rounding."""
        return self is other or (
            self.npix == other.npix
            and self.is_same_projection(other, rtol)
            and np.allclose(self.wcs.wcs.crpix, other.wcs.wcs.crpix, rtol=rtol, atol=rtol)
        )

    def is_same_projection(self, other: PixelGrid, rtol: float) -> bool:
        """Whether all but size and reference pixel are equal."""
        if self.frame != other.frame or self.projection != other.projection:
            return False
        tolerance = rtol * float(self.scales.min())
        pairs = ((self.wcs.wcs.crval, other.wcs.wcs.crval), (self._matrix, other._matrix))
        return all(np.array_equal(one, two) or np.allclose(one, two, rtol=rtol, atol=tolerance) for one, two in pairs)
