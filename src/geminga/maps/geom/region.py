"""A region of the sky as one pixel, times further axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from astropy import units as u
from astropy.coordinates import Angle, SkyCoord
from numpy.typing import NDArray

from geminga.errors import GeometryError, InputError, UnsupportedError
from geminga.maps.axes.collection import MapAxes
from geminga.maps.axes.map import pix_to_idx
from geminga.maps.coord import MapCoord, skycoord_lonlat
from geminga.maps.geom import plot, region_io, region_pixels, region_shape
from geminga.maps.geom.base import Geom
from geminga.maps.geom.create import angle_pair
from geminga.maps.geom.grid import PixelGrid
from geminga.numerics.sphere import separation
from geminga.utils.regions import as_region_list, regions_to_compound_region

if TYPE_CHECKING:
    from astropy.wcs import WCS

__all__ = ["RegionGeom"]

Floats = NDArray[np.float64]


class RegionGeom(Geom):
    """A region of the sky (or none) times axes.

    Parameters
    ----------
    region : SkyRegion, PixelRegion, str or None
        Region; a string is in the ds9 format.
    axes : list of MapAxis, optional
        Axes beside the sky.
    wcs : WCS, optional
        Projection in which "inside" is meant; by default a tangential one round the region.
    binsz_wcs : float, str or Quantity
        Pixel size of that default.

    Raises
    ------
    InputError
        If the region is of another type, or a pixel region comes without projection.

    Examples
    --------
    >>> from geminga.maps import RegionGeom
    >>> geom = RegionGeom.create("icrs;circle(83.63, 22.01, 0.5)")
    >>> geom.data_shape
    (1, 1)
    """

    is_regular = True
    is_allsky = False
    is_hpx = False
    is_region = True
    projection = "TAN"

    def __init__(self, region: Any, axes: Any = None, wcs: WCS | None = None, binsz_wcs: Any = "0.1 deg") -> None:
        self._axes = MapAxes.from_default(axes, n_spatial_axes=2)
        self._binsz_wcs = angle_pair(binsz_wcs, "binsz_wcs")
        self._own_region, self._wcs = self._read_region(region, wcs), wcs
        self._make_region: Callable[[], Any] | None = None
        self._cache: dict[Any, Any] = {}
        # What is known of the region, whatever the axes: geometries that differ in these share it.
        self._found: dict[Any, Any] = {}

    @staticmethod
    def _read_region(region: Any, wcs: WCS | None) -> Any:
        if region is None:
            return None
        from regions import PixelRegion, SkyRegion

        if isinstance(region, str):
            region = regions_to_compound_region(as_region_list(region))
        if isinstance(region, PixelRegion):
            if wcs is None:
                msg = f"RegionGeom: {type(region).__name__} is in pixels, so wcs= must be given."
                raise InputError(msg)
            region = region.to_sky(wcs)
        if not isinstance(region, SkyRegion):
            msg = f"RegionGeom: region is of type {type(region).__name__}, expected a region on the sky, a ds9 string or None."
            raise InputError(msg)
        return region

    def _init_kwargs(self) -> dict[str, Any]:
        return {"region": self._region, "axes": self._axes, "wcs": self._wcs, "binsz_wcs": u.Quantity(self._binsz_wcs, "deg")}

    def copy(self, **kwargs: Any) -> RegionGeom:
        """Copy with some arguments of the constructor replaced; another region gets a new default projection."""
        new = type(self)(**{**self._init_kwargs(), **kwargs})
        if not {"region", "wcs", "binsz_wcs"} & set(kwargs):
            new._found = self._found
        return new

    def _with_axes(self, axes: MapAxes) -> RegionGeom:
        """Same region, other axes; nothing of the region is looked at again."""
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        new._axes = MapAxes.from_default(axes, n_spatial_axes=2)
        new._cache = {}
        return new

    @classmethod
    def create(cls, region: Any, **kwargs: Any) -> RegionGeom:
        """Make a geometry; see the class. A list of regions is joined to a union."""
        if isinstance(region, (list, tuple)):
            return cls.from_regions(region, **kwargs)
        return cls(region, **kwargs)

    @classmethod
    def from_regions(cls, regions: Any, **kwargs: Any) -> RegionGeom:
        """Make a geometry of the union of regions.

        Parameters
        ----------
        regions : str, SkyRegion or list of these
            Regions.
        **kwargs : dict
            ``axes``, ``wcs``, ``binsz_wcs`` of the class.
        """
        return cls(regions_to_compound_region(as_region_list(regions)), **kwargs)

    @classmethod
    def deferred(cls, make: Callable[[], Any], axes: Any, wcs: WCS) -> RegionGeom:
        """Make a geometry whose region is made when it is first looked at.

        Parameters
        ----------
        make : callable
            Gives the region on the sky.
        axes : list of MapAxis
            Axes beside the sky.
        wcs : WCS
            Projection in which "inside" is meant.

        Examples
        --------
        >>> from geminga.maps import RegionGeom
        >>> geom = RegionGeom.create("icrs;circle(83.63, 22.01, 0.5)")
        >>> RegionGeom.deferred(lambda: geom.region, axes=[], wcs=geom.wcs).region.radius
        <Quantity 0.5 deg>
        """
        new = cls(None, axes=axes, wcs=wcs)
        new._make_region = make
        return new

    from_hdulist = classmethod(region_io.region_geom_from_hdulist)  # type: ignore[assignment]
    to_hdulist = region_io.region_geom_to_hdulist

    # State

    region = property(lambda self: self._region, doc="Region on the sky or None.")

    @property
    def _region(self) -> Any:
        if self._make_region is not None:
            self._own_region, self._make_region = self._make_region(), None
        return self._own_region

    @property
    def _known_region(self) -> Any:
        if self._region is None:
            msg = "RegionGeom: Region definition required. The geometry has no region; make one with region=."
            raise GeometryError(msg)
        return self._region

    @property
    def wcs(self) -> Any:
        """Projection, None if there is neither region nor projection."""
        if self._wcs is not None:
            return self._wcs
        if self._region is None:
            return None
        if "wcs" not in self._found:
            self._found["wcs"] = region_shape.region_wcs(self._region, self._binsz_wcs)
        return self._found["wcs"]

    @property
    def _grid(self) -> PixelGrid:
        self._known_region  # noqa: B018  (raises without a region)
        if "grid" not in self._found:
            shape = self.wcs.array_shape or (1, 1)
            self._found["grid"] = PixelGrid(self.wcs, (int(shape[1]), int(shape[0])))
        return self._found["grid"]

    @property
    def frame(self) -> str:
        """Sky frame: that of the projection; icrs if there is none."""
        if self.wcs is None:
            return "icrs"
        if "frame" not in self._found:
            self._found["frame"] = PixelGrid(self.wcs, self.wcs.array_shape or (1, 1)).frame
        return self._found["frame"]

    @property
    def binsz_wcs(self) -> Angle:
        """Pixel size of the projection, (lon, lat)."""
        scales = self._binsz_wcs if self.wcs is None else np.sqrt((self.wcs.pixel_scale_matrix**2).sum(axis=0))
        return Angle(scales, "deg")

    npix = property(lambda self: ([1], [1]), doc="Number of pixels, (lon, lat): one.")

    @property
    def data_shape(self) -> tuple[int, ...]:
        """Shape of the data array: axes from last to first, 1, 1."""
        return self.data_shape_axes

    @property
    def is_all_point_sky_regions(self) -> bool:
        """Whether the region consists of points only."""
        return region_shape.is_points(self._region)

    @property
    def width(self) -> u.Quantity:
        """Width and height of the bounding box in whole pixels of the projection, deg."""
        if "width" not in self._found:
            self._found["width"] = region_shape.bounding_width(self._known_region, self.wcs)
        return self._found["width"]

    @property
    def center_skydir(self) -> SkyCoord:
        """Position of the centre of the region (of its bounding box, for unions and polygons); NaN without region."""
        if self._region is None:
            return SkyCoord(np.nan, np.nan, unit="deg", frame=self.frame)
        center = getattr(self._region, "center", None)
        if center is not None:
            return center if center.frame.name == self.frame else center.transform_to(self.frame)
        if "center" not in self._found:
            lon, lat = self._grid.to_world(*region_shape.bounding_center(self._region, self.wcs))
            self._found["center"] = SkyCoord(lon, lat, unit="deg", frame=self.frame)
        return self._found["center"]

    @property
    def _center_lonlat(self) -> tuple[float, float]:
        lon, lat = skycoord_lonlat(self.center_skydir)
        return float(np.squeeze(lon)), float(np.squeeze(lat))

    @property
    def center_pix(self) -> tuple[float, ...]:
        """Pixel coordinates of the centre, (lon, lat, ...)."""
        return (0.0, 0.0, *((n - 1.0) / 2.0 for n in self._axes.shape))

    @property
    def center_coord(self) -> tuple[Any, ...]:
        """Coordinates of the centre, (lon, lat, ...)."""
        return self.pix_to_coord(self.center_pix)

    # Coordinates

    contains = region_pixels.contains
    get_coord = region_pixels.get_coord  # type: ignore[assignment]
    get_idx = region_pixels.get_idx  # type: ignore[assignment]
    get_wcs_coord_and_weights = region_pixels.get_wcs_coord_and_weights

    def coord_to_pix(self, coords: Any) -> tuple[Floats, ...]:
        """Pixel coordinates ``(lon, lat, ...)``: 0 for points inside the region, NaN outside.

        Without a region all points are inside.
        """
        names = self._axes.names if isinstance(coords, (tuple, list)) else None
        coords = MapCoord.create(coords, frame=self.frame, axis_names=names)
        if self._region is None:
            inside = np.ones(np.broadcast_shapes(coords.lon.shape, coords.lat.shape), dtype=bool)
        else:
            inside = self.contains(coords)
        sky = np.where(inside, 0.0, np.nan)
        source = coords if coords.match_by_name else dict(zip(self._axes.names, list(coords)[2:], strict=False))
        return (sky, sky.copy(), *self._axes.coord_to_pix(source))

    def pix_to_coord(self, pix: Any) -> tuple[Any, ...]:
        """Coordinates ``(lon, lat, ...)`` of pixel coordinates: the centre for the pixel, NaN beside it."""
        inside = (np.abs(np.asarray(pix[0], dtype=float)) < 0.5) & (np.abs(np.asarray(pix[1], dtype=float)) < 0.5)
        sky = [u.Quantity(np.where(inside, value, np.nan), "deg") for value in self._center_lonlat]
        return (*sky, *self._axes.pix_to_coord(pix[2:]))

    def pix_to_idx(self, pix: Any, clip: bool = False) -> tuple[NDArray[np.intp], ...]:
        """Indices ``(lon, lat, ...)`` of pixel coordinates, -1 outside; also outside the region if `clip`."""
        sky = [np.atleast_1d(pix_to_idx(value, 1, clip)) for value in pix[:2]]
        return (*sky, *self._axes.pix_to_idx(pix[2:], clip=clip))

    def contains_wcs_pix(self, pix: Any) -> NDArray[np.bool_]:
        """Whether pixel coordinates (x, y) of the projection are inside the region."""
        return region_pixels.contains_pixels(self, pix)

    def separation(self, position: SkyCoord) -> Angle:
        """Distance of the centre from a position."""
        lon, lat = np.deg2rad(skycoord_lonlat(position, self.frame))
        return Angle(np.rad2deg(separation(*np.deg2rad(self._center_lonlat), lon, lat)), "deg")  # type: ignore[call-arg]

    def pixel_unit_vectors(self, frame: str | None = None) -> Floats:
        """Unit vector of the centre, shape (3, 1, 1); see `WcsGeom.pixel_unit_vectors`."""
        return region_pixels.center_unit_vector(self, frame or self.frame)

    def solid_angle(self) -> u.Quantity:
        """Solid angle of the region, sr; 0 for points.

        Raises
        ------
        GeometryError
            If there is no region.
        """
        if "solid_angle" not in self._found:
            value = region_shape.solid_angle(self._known_region, self.wcs, lambda: region_pixels.weighted_pixels(self))
            self._found["solid_angle"] = u.Quantity(value, "sr")
        return self._found["solid_angle"]

    def bin_volume(self) -> u.Quantity:
        """Solid angle times the widths of the bins of all axes, shape of the data."""
        return self.solid_angle() * np.ones((1, 1)) * self._axes.bin_volume()

    # Other geometries

    def to_wcs_geom(self, width_min: Any = None) -> Any:
        """Image of the bounding box of the region, times the same axes.

        Parameters
        ----------
        width_min : Quantity, optional
            Least width of the image.
        """
        return region_pixels.to_wcs_geom(self, width_min)

    def to_binsz_wcs(self, binsz: Any) -> RegionGeom:
        """Same region with a new default projection of another pixel size."""
        return self.copy(wcs=None, binsz_wcs=binsz)

    def to_binsz(self, binsz: Any) -> RegionGeom:
        """Same geometry: a region has no pixels."""
        return self

    def union(self, other: RegionGeom) -> RegionGeom:
        """Join the region of another geometry to this one.

        As in gammapy the geometry itself takes the union; it is also returned.

        Raises
        ------
        GeometryError
            If the other one is not a region geometry with equal axes.
        """
        if not isinstance(other, RegionGeom) or not self._axes.is_allclose(other.axes):
            names = getattr(other, "axes_names", None)
            msg = f"RegionGeom.union: got {type(other).__name__} with axes {names}, expected the same axes."
            raise GeometryError(msg)
        self._own_region = regions_to_compound_region(as_region_list([self._known_region, other._known_region]))
        self._found = {"wcs": self.wcs} if self._wcs is None else {}
        self._cache = {}
        return self

    def upsample(self, factor: int, axis_name: str | None = None) -> RegionGeom:
        """Divide the bins of an axis; without one nothing happens, a region has no pixels."""
        return self if axis_name is None else self._with_axes(self._axes.upsample(factor, axis_name))

    def downsample(self, factor: int, axis_name: str | None = None) -> RegionGeom:
        """Join the bins of an axis; without one nothing happens, a region has no pixels."""
        return self if axis_name is None else self._with_axes(self._axes.downsample(factor, axis_name))

    def crop(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Not offered; raises `UnsupportedError`."""
        msg = "Cropping of `RegionGeom` not supported; slice its axes with slice_by_idx."
        raise UnsupportedError(msg)

    def _pad_spatial(self, pad_width: Any) -> NoReturn:
        msg = "Padding of `RegionGeom` not supported; give axis_name to pad an axis."
        raise UnsupportedError(msg)

    plot_region = plot.plot_region

    # Comparison

    def is_allclose(self, other: Any, rtol_axes: float = 1e-6, atol_axes: float = 1e-6) -> bool:
        """Whether regions are equal and axes are close, see `MapAxis.is_allclose`."""
        if not isinstance(other, RegionGeom) or self.data_shape != other.data_shape:
            return False
        same = region_pixels.same_region(self._region, other.region)
        return same and self._axes.is_allclose(other.axes, rtol=rtol_axes, atol=atol_axes)

    def is_aligned(self, other: Any, tolerance: float = 1e-6) -> bool:
        """Whether regions are equal."""
        return isinstance(other, RegionGeom) and region_pixels.same_region(self._region, other.region)

    def __str__(self) -> str:
        lon, lat = self._center_lonlat
        return (
            f"{type(self).__name__}\n\n"
            f"\tregion     : {type(self._region).__name__}\n"
            f"\taxes       : {self.axes_names}\n"
            f"\tshape      : {self.data_shape[::-1]}\n"
            f"\tndim       : {self.ndim}\n"
            f"\tframe      : {self.frame}\n"
            f"\tcenter     : {lon:.1f} deg, {lat:.1f} deg\n"
        )
