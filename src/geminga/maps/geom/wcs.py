"""A pixelised image of a part of the sky, in a WCS projection, times further axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u
from astropy.coordinates import Angle, SkyCoord
from numpy.typing import NDArray

from geminga.errors import InputError, UnsupportedError
from geminga.maps.axes.collection import MapAxes
from geminga.maps.axes.map import pix_to_idx
from geminga.maps.coord import MapCoord, degrees, skycoord_lonlat
from geminga.maps.geom import create as makers
from geminga.maps.geom import cutouts, io, masks, pixels
from geminga.maps.geom.base import Geom
from geminga.maps.geom.grid import PixelGrid
from geminga.numerics.sphere import separation

if TYPE_CHECKING:
    from astropy.wcs import WCS

__all__ = ["WcsGeom"]

Floats = NDArray[np.float64]


class WcsGeom(Geom):
    """Pixels of a WCS projection times axes; all bands have the same pixels.

    Parameters
    ----------
    wcs : WCS
        Celestial projection of the image.
    npix : tuple of int
        Number of pixels, (lon, lat); by default the size the WCS has.
    cdelt, crpix : tuple of float, optional
        Pixel size in deg and reference pixel, if other than those of `wcs`.
    axes : MapAxes or list of MapAxis, optional
        Axes beside the sky.

    Raises
    ------
    InputError
        If the number of pixels is not known or below 1.
    UnsupportedError
        If bands differ in size.

    Examples
    --------
    >>> from geminga.maps import MapAxis, WcsGeom
    >>> axis = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=3)
    >>> WcsGeom.create(skydir=(83.63, 22.01), width=5, binsz=0.05, axes=[axis]).data_shape
    (3, 100, 100)
    """

    is_hpx = False
    is_region = False
    is_regular = True

    def __init__(self, wcs: WCS | PixelGrid, npix: Any = None, cdelt: Any = None, crpix: Any = None, axes: Any = None) -> None:
        self._axes = MapAxes.from_default(axes, n_spatial_axes=2)
        self._cache: dict[Any, Any] = {}
        if isinstance(wcs, PixelGrid):
            self._grid = wcs
            return
        size = self._read_npix(wcs, npix)
        if cdelt is not None or crpix is not None:
            wcs = wcs.deepcopy()
            if cdelt is not None:
                wcs.wcs.cdelt = [float(np.ravel(value)[0]) for value in cdelt]
            if crpix is not None:
                wcs.wcs.crpix = [float(np.ravel(value)[0]) for value in crpix]
        self._grid = PixelGrid(wcs, size)

    def __getstate__(self) -> dict[str, Any]:
        """Without what is computed when asked for."""
        return self.__dict__ | {"_cache": {}}

    @staticmethod
    def _read_npix(wcs: WCS, npix: Any) -> tuple[int, int]:
        if npix is None:
            if wcs.array_shape is None:
                msg = "WcsGeom: the WCS has no array_shape, so npix=(nlon, nlat) must be given."
                raise InputError(msg)
            npix = wcs.array_shape[::-1]
        npix = (npix, npix) if np.isscalar(npix) else npix
        sizes = [np.ravel(np.asarray(n)) for n in npix]
        if any((size != size[0]).any() for size in sizes):
            msg = f"WcsGeom: npix is {npix}; bands of different sizes are not supported, make one map for each."
            raise UnsupportedError(msg)
        nlon, nlat = (int(size[0]) for size in sizes)
        if min(nlon, nlat) < 1:
            msg = f"WcsGeom: npix is {(nlon, nlat)}, expected at least one pixel in each direction; check width and binsz."
            raise InputError(msg)
        return nlon, nlat

    def _init_kwargs(self) -> dict[str, Any]:
        return {"wcs": self._grid.wcs, "axes": self._axes}

    def _with_axes(self, axes: MapAxes) -> WcsGeom:
        return type(self)(self._grid, axes=axes)

    create = classmethod(makers.create)
    from_aligned = classmethod(makers.from_aligned)
    from_header = classmethod(io.wcs_geom_from_header)
    to_header = io.wcs_geom_to_header

    # State

    wcs = property(lambda self: self._grid.wcs, doc="Celestial projection.")
    frame = property(lambda self: self._grid.frame, doc="Sky frame.")
    projection = property(lambda self: self._grid.projection, doc="Code of the projection.")
    pixel_scales = property(lambda self: Angle(self._grid.scales, "deg"), doc="Pixel size at the reference, (lon, lat).")

    @property
    def npix(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Number of pixels, (lon, lat), each an array of one number."""
        return np.array([self._grid.npix[0]]), np.array([self._grid.npix[1]])

    @property
    def data_shape(self) -> tuple[int, ...]:
        """Shape of the data array: axes from last to first, lat, lon."""
        return (*self._axes.shape[::-1], *self._grid.shape)

    @property
    def data_shape_image(self) -> tuple[int, ...]:
        """Shape of an image that broadcasts against data."""
        return (*((1,) * len(self._axes)), *self._grid.shape)

    @property
    def width(self) -> u.Quantity:
        """Pixel size times number of pixels, deg, shape (2, 1)."""
        return u.Quantity((self._grid.scales * self._grid.npix)[:, np.newaxis], "deg")

    @property
    def pixel_area(self) -> u.Quantity:
        """Product of the pixel scales, deg2, shape (1,)."""
        return u.Quantity([self._grid.scales.prod()], "deg2")

    @property
    def is_allsky(self) -> bool:
        """Whether the image is 360 deg by 180 deg."""
        return bool(np.allclose(self.width.value[:, 0], (360.0, 180.0), rtol=1e-5))

    @property
    def center_pix(self) -> tuple[float, ...]:
        """Pixel coordinates of the centre, (lon, lat, ...)."""
        return tuple((n - 1.0) / 2.0 for n in (*self._grid.npix, *self._axes.shape))

    @property
    def center_coord(self) -> tuple[Any, ...]:
        """Coordinates of the centre, (lon, lat, ...)."""
        return self.pix_to_coord(self.center_pix)

    @property
    def center_skydir(self) -> SkyCoord:
        """Position of the centre."""
        lon, lat = self._grid.to_world(*self.center_pix[:2])
        return SkyCoord(lon, lat, unit="deg", frame=self.frame)

    @property
    def footprint(self) -> SkyCoord:
        """Positions of the four corners of the image."""
        (nlon, nlat), low = self._grid.npix, -0.5
        lon, lat = self._grid.to_world([low, low, nlon + low, nlon + low], [low, nlat + low, nlat + low, low])
        return SkyCoord(lon, lat, unit="deg", frame=self.frame)

    @property
    def footprint_rectangle_sky_region(self) -> Any:
        """Rectangle with the centre and the width of the image."""
        from regions import RectangleSkyRegion

        width, height = self.width[:, 0]
        return RectangleSkyRegion(center=self.center_skydir, width=width, height=height, angle=0 * u.deg)

    # Coordinates

    get_idx = pixels.get_idx  # type: ignore[assignment]
    get_pix = pixels.get_pix
    get_coord = pixels.get_coord  # type: ignore[assignment]

    def coord_to_pix(self, coords: Any) -> tuple[Floats, ...]:
        """Pixel coordinates ``(lon, lat, ...)`` of points; NaN outside the projection.

        Arrays keep the shapes of the coordinates, which broadcast against each other.

        Raises
        ------
        NameLookupError
            If an axis is missing.
        UnitError
            If a unit does not fit.
        """
        coords = MapCoord.create(
            coords, frame=self.frame, axis_names=self._axes.names if isinstance(coords, (tuple, list)) else None
        )
        lon, lat = degrees(coords.lon), degrees(coords.lat)
        if coords.match_by_name:
            further = self._axes.coord_to_pix(coords)
        else:
            values = dict(zip(self._axes.names, list(coords)[2:], strict=False))
            further = self._axes.coord_to_pix(values)
        return (*self._grid.to_pix(lon, lat), *further)

    def pix_to_coord(self, pix: Any) -> tuple[Any, ...]:
        """Coordinates ``(lon, lat, ...)`` of pixel coordinates, NaN outside the projection."""
        lon, lat = self._grid.to_world(pix[0], pix[1])
        further = self._axes.pix_to_coord(pix[2:])
        return (u.Quantity(lon, "deg", copy=False), u.Quantity(lat, "deg", copy=False), *further)

    def pix_to_idx(self, pix: Any, clip: bool = False) -> tuple[NDArray[np.intp], ...]:
        """Indices ``(lon, lat, ...)`` of pixel coordinates, -1 outside (or the nearest pixel if `clip`)."""
        sky = [np.atleast_1d(pix_to_idx(p, n, clip)) for p, n in zip(pix[:2], self._grid.npix, strict=True)]
        return (*sky, *self._axes.pix_to_idx(pix[2:], clip=clip))

    def contains(self, coords: Any) -> NDArray[np.bool_]:
        """Whether points are in a pixel and in a bin of each axis."""
        return self.contains_pix(self.coord_to_pix(coords))

    def separation(self, center: SkyCoord) -> Angle:
        """Distance of pixel centres from a position, shape (lat, lon)."""
        lon, lat = skycoord_lonlat(center, self.frame)
        mine = np.deg2rad(self._grid.lonlat)
        return Angle(np.rad2deg(separation(np.deg2rad(lon), np.deg2rad(lat), *mine)), "deg")

    def pixel_unit_vectors(self, frame: str | None = None) -> Floats:
        """Unit vectors of pixel centres.

        Parameters
        ----------
        frame : {"icrs", "galactic"}, optional
            Frame of the vectors, by default that of the geometry.

        Returns
        -------
        vectors : array, shape (3, lat, lon)
            Read-only; computed once. NaN outside the projection.
        """
        return self._grid.unit_vectors(frame)

    def solid_angle(self) -> u.Quantity:
        """Solid angle of pixels, sr, shape ``(1, ..., lat, lon)``; NaN outside the projection."""
        if "solid_angle" not in self._cache:
            values = self._grid.solid_angle.reshape(self.data_shape_image)
            self._cache["solid_angle"] = u.Quantity(values, "sr", copy=False)
        return self._cache["solid_angle"]

    def bin_volume(self) -> u.Quantity:
        """Solid angle times the widths of the bins of all axes, shape of the data."""
        if "bin_volume" not in self._cache:
            self._cache["bin_volume"] = self.solid_angle() * self._axes.bin_volume()
        return self._cache["bin_volume"]

    # Masks

    region_mask = masks.region_mask
    region_weights = masks.region_weights
    binary_structure = masks.binary_structure
    boundary_mask = masks.boundary_mask

    # Other geometries

    cutout = cutouts.cutout
    cutout_slices = cutouts.cutout_slices
    crop = cutouts.crop
    _pad_spatial = cutouts.pad_spatial
    upsample = cutouts.upsample
    downsample = cutouts.downsample
    to_binsz = cutouts.to_binsz
    to_odd_npix = cutouts.to_odd_npix
    to_even_npix = cutouts.to_even_npix

    # Comparison

    def is_aligned(self, other: WcsGeom, tolerance: float = 1e-6) -> bool:
        """Whether pixels of one are pixels of the other: same projection, shifted by whole pixels."""
        if not isinstance(other, WcsGeom) or not self._grid.is_same_projection(other._grid, tolerance):
            return False
        shift = np.subtract(self.wcs.wcs.crpix, other.wcs.wcs.crpix)
        return bool(np.all(np.abs(shift - np.round(shift)) < tolerance))

    def is_allclose(self, other: Any, rtol_axes: float = 1e-6, atol_axes: float = 1e-6, rtol_wcs: float = 1e-6) -> bool:
        """Whether pixels and axes are equal up to rounding.

        Parameters
        ----------
        other : WcsGeom
            Another geometry.
        rtol_axes, atol_axes : float
            Tolerance of axes, see `MapAxis.is_allclose`.
        rtol_wcs : float
            Tolerance of the projection.
        """
        if not isinstance(other, WcsGeom) or self.data_shape != other.data_shape:
            return False
        return self._grid.is_allclose(other._grid, rtol_wcs) and self._axes.is_allclose(
            other.axes, rtol=rtol_axes, atol=atol_axes
        )

    def __str__(self) -> str:
        lon, lat = (float(value) for value in self._grid.to_world(*self.center_pix[:2]))
        ref = self.wcs.wcs.crval
        width = self.width.value[:, 0]
        return (
            f"{type(self).__name__}\n\n"
            f"\taxes       : {self.axes_names}\n"
            f"\tshape      : {self.data_shape[::-1]}\n"
            f"\tndim       : {self.ndim}\n"
            f"\tframe      : {self.frame}\n"
            f"\tprojection : {self.projection}\n"
            f"\tcenter     : {lon:.1f} deg, {lat:.1f} deg\n"
            f"\twidth      : {width[0]:.1f} deg x {width[1]:.1f} deg\n"
            f"\twcs ref    : {ref[0]:.1f} deg, {ref[1]:.1f} deg\n"
        )
