"""What all geometries share: axes, masks along them, and geometries with other axes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import GeometryError
from geminga.maps.axes.plot import repr_html
from geminga.maps.geom import io, masks

if TYPE_CHECKING:
    from astropy.coordinates import SkyCoord

    from geminga.maps.axes.collection import MapAxes

__all__ = ["Geom"]


class Geom(ABC):
    """A part of the sky times further axes.

    A geometry is a value: it never changes, its methods give new ones. Arrays that belong to it are shaped
    ``(axes[-1], ..., axes[0], lat, lon)``, tuples of pixel coordinates are in the order ``(lon, lat, axes[0], ...)``.
    """

    is_hpx: bool = False
    is_region: bool = False
    _axes: MapAxes

    # State

    @property
    def axes(self) -> MapAxes:
        """Axes beside the sky."""
        return self._axes

    @property
    def axes_names(self) -> list[str]:
        """Names of all axes, ``lon`` and ``lat`` first."""
        return ["lon", "lat", *self._axes.names]

    @property
    def ndim(self) -> int:
        """Number of axes, the two of the sky included."""
        return len(self._axes) + 2

    @property
    @abstractmethod
    def frame(self) -> str:
        """Sky frame: icrs, galactic, ..."""

    @property
    @abstractmethod
    def data_shape(self) -> tuple[int, ...]:
        """Shape of the data array."""

    @property
    def data_shape_axes(self) -> tuple[int, ...]:
        """Shape of an array over the axes only, which broadcasts against data."""
        return (*self._axes.shape[::-1], 1, 1)

    @property
    def shape_axes(self) -> tuple[int, ...]:
        """Number of bins of each axis."""
        return self._axes.shape

    @property
    def is_image(self) -> bool:
        """Whether there are no axes beside the sky."""
        return not len(self._axes)

    @property
    def is_flat(self) -> bool:
        """Whether each axis beside the sky has one bin."""
        return self._axes.is_flat

    @property
    @abstractmethod
    def is_allsky(self) -> bool:
        """Whether it covers the whole sky."""

    @property
    def has_energy_axis(self) -> bool:
        """Whether there is exactly one axis ``energy`` or ``energy_true``."""
        return sum(axis.is_energy_axis for axis in self._axes) == 1

    @property
    def as_energy_true(self) -> Geom:
        """Same geometry with the axis ``energy`` renamed to ``energy_true``."""
        if "energy" not in self._axes.names or "energy_true" in self._axes.names:
            msg = f"Geom: axes are {self._axes.names}; as_energy_true needs one named 'energy' and none named 'energy_true'."
            raise GeometryError(msg)
        return self.rename_axes("energy", "energy_true")

    @property
    @abstractmethod
    def center_skydir(self) -> SkyCoord:
        """Position of the centre."""

    @property
    @abstractmethod
    def center_pix(self) -> tuple[float, ...]:
        """Pixel coordinates of the centre, ``(lon, lat, ...)``."""

    @property
    @abstractmethod
    def center_coord(self) -> tuple[Any, ...]:
        """Coordinates of the centre, ``(lon, lat, ...)``."""

    def data_nbytes(self, dtype: str = "float32") -> u.Quantity:
        """Size of a data array, in Mbyte."""
        return u.Quantity(np.prod(self.data_shape, dtype=float) * np.dtype(dtype).itemsize / 1e6, "Mbyte")

    # Coordinates

    @abstractmethod
    def get_coord(self, idx: Any = None, flat: bool = False) -> Any:
        """Coordinates of all pixels."""

    @abstractmethod
    def get_idx(self, idx: Any = None, local: bool = False, flat: bool = False) -> tuple[NDArray[Any], ...]:
        """Indices of all pixels."""

    @abstractmethod
    def coord_to_pix(self, coords: Any) -> tuple[NDArray[np.float64], ...]:
        """Pixel coordinates of points."""

    @abstractmethod
    def pix_to_coord(self, pix: Any) -> tuple[Any, ...]:
        """Coordinates of pixel coordinates."""

    @abstractmethod
    def pix_to_idx(self, pix: Any, clip: bool = False) -> tuple[NDArray[np.intp], ...]:
        """Indices of pixel coordinates, -1 outside."""

    @abstractmethod
    def contains(self, coords: Any) -> NDArray[np.bool_]:
        """Whether points are inside."""

    @abstractmethod
    def solid_angle(self) -> u.Quantity:
        """Solid angle of pixels, sr."""

    def coord_to_idx(self, coords: Any, clip: bool = False) -> tuple[NDArray[np.intp], ...]:
        """Indices ``(lon, lat, ...)`` of points.

        Parameters
        ----------
        coords : tuple, dict or MapCoord
            Points.
        clip : bool
            Give the nearest pixel instead of -1 to points outside.
        """
        return self.pix_to_idx(self.coord_to_pix(coords), clip=clip)

    def contains_pix(self, pix: Any) -> NDArray[np.bool_]:
        """Whether pixel coordinates are inside."""
        idx = self.pix_to_idx(pix)
        inside = np.ones(np.broadcast_shapes(*[i.shape for i in idx]), dtype=bool)
        for i in idx:
            inside = inside & (i >= 0)
        return inside

    # Other geometries

    @abstractmethod
    def _init_kwargs(self) -> dict[str, Any]:
        """Arguments that make this geometry."""

    def copy(self, **kwargs: Any) -> Any:
        """Copy with some arguments of the constructor replaced."""
        return type(self)(**{**self._init_kwargs(), **kwargs})

    def _with_axes(self, axes: MapAxes) -> Any:
        """Same sky, other axes; what is known of the sky is kept."""
        return self.copy(axes=axes)

    def to_image(self) -> Any:
        """Sky without further axes."""
        from geminga.maps.axes.collection import MapAxes

        return self._with_axes(MapAxes([]))

    def to_cube(self, axes: Any) -> Any:
        """Append axes.

        Parameters
        ----------
        axes : list of MapAxis
            Axes, slowest last.
        """
        return self._with_axes(self._axes + list(axes))

    def drop(self, axis_name: str) -> Any:
        """Leave an axis out."""
        return self._with_axes(self._axes.drop(axis_name))

    def squash(self, axis_name: str) -> Any:
        """Make one bin of an axis."""
        return self._with_axes(self._axes.squash(axis_name))

    def replace_axis(self, axis: Any) -> Any:
        """Put an axis in the place of the one with its name."""
        return self._with_axes(self._axes.replace(axis))

    def resample_axis(self, axis: Any) -> Any:
        """Join bins of an axis to come closest to `axis`."""
        return self._with_axes(self._axes.resample(axis))

    def rename_axes(self, names: Any, new_names: Any) -> Any:
        """Rename axes."""
        return self._with_axes(self._axes.rename_axes(names, new_names))

    def slice_by_idx(self, slices: dict[str, Any]) -> Any:
        """Cut axes: a slice keeps the axis, an int drops it.

        Raises
        ------
        NameLookupError
            If a name is not that of an axis.
        """
        return self._with_axes(self._axes.slice_by_idx(slices))

    def pad(self, pad_width: Any, axis_name: str | None) -> Any:
        """Add bins at the ends of an axis, or pixels at the borders (``axis_name=None``)."""
        if axis_name is None:
            return self._pad_spatial(pad_width)
        return self._with_axes(self._axes.pad(axis_name=axis_name, pad_width=pad_width))

    @abstractmethod
    def _pad_spatial(self, pad_width: Any) -> Any:
        """Add pixels at the borders."""

    @abstractmethod
    def crop(self, crop_width: Any) -> Any:
        """Take pixels away at the borders."""

    @abstractmethod
    def downsample(self, factor: int, axis_name: str | None = None) -> Any:
        """Join pixels, or bins of an axis."""

    @abstractmethod
    def upsample(self, factor: int, axis_name: str | None = None) -> Any:
        """Divide pixels, or bins of an axis."""

    # Masks

    energy_mask = masks.energy_mask
    create_mask = masks.create_mask

    # Files

    from_hdulist = classmethod(io.geom_from_hdulist)
    to_bands_hdu = io.to_bands_hdu

    @abstractmethod
    def is_allclose(self, other: Any, rtol_axes: float = 1e-6, atol_axes: float = 1e-6) -> bool:
        """Whether both are equal up to rounding."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return NotImplemented
        return self.is_allclose(other)

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return str(self)

    _repr_html_ = repr_html
