"""A disk with a soft edge."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from astropy import units as u
from numpy.typing import ArrayLike

from geminga.errors import InputError
from geminga.modeling.models.derivative import Result
from geminga.modeling.models.spatial.base import Array, SpatialModel
from geminga.modeling.models.spatial.shapes import degrees, ellipse_region, evaluate_shape, plain, round_shape
from geminga.modeling.parameter import Parameter
from geminga.numerics import profiles, sky_shapes

__all__ = ["DiskSpatialModel"]


class DiskSpatialModel(SpatialModel):
    r"""Disk, round or elliptical, normalised to one.

    .. math:: \phi \propto \frac{1}{2} [1 - \mathrm{erf}(2.326 \frac{\theta - r}{r w})]

    Parameters
    ----------
    lon_0, lat_0 : Quantity
        Centre, default 0 deg.
    r_0 : Quantity
        Radius, or semi-major axis, default 1 deg.
    e : float
        Eccentricity, default 0, frozen.
    phi : Quantity
        Position angle of the major axis from north through east, default 0 deg, frozen.
    edge_width : float
        Width of the edge relative to the radius, in which the disk falls from 95 % to 5 %, default 0.01, frozen.
    frame : {"icrs", "galactic"}
        Frame of the centre.
    """

    tag = ["DiskSpatialModel", "disk"]
    lon_0 = Parameter("lon_0", "0 deg")
    lat_0 = Parameter("lat_0", "0 deg", min=-90, max=90)
    r_0 = Parameter("r_0", "1 deg", min=0)
    e = Parameter("e", 0.0, min=0, max=1, frozen=True)
    phi = Parameter("phi", "0 deg", min=-180, max=180, frozen=True)
    edge_width = Parameter("edge_width", 0.01, min=0, max=1, frozen=True)

    @property
    def evaluation_radius(self) -> Any:
        """``1.1 r_0 (1 + edge_width)``."""
        return 1.1 * self.r_0.quantity * (1 + self.edge_width.value)

    @property
    def evaluation_bin_size_min(self) -> Any:
        """``r_0 (1 - edge_width) / 10``."""
        return self.r_0.quantity * (1 - self.edge_width.value) / 10.0

    @staticmethod
    def evaluate(lon: Any, lat: Any, lon_0: Any, lat_0: Any, r_0: Any, e: Any, phi: Any, edge_width: Any) -> Any:
        """Evaluate the density in sr-1."""
        sizes = degrees(r_0), plain(e), plain(edge_width)
        if sizes[1] == 0:
            return evaluate_shape(round_shape(sky_shapes.disk), lon, lat, lon_0, lat_0, *sizes)
        return evaluate_shape(sky_shapes.disk, lon, lat, lon_0, lat_0, *sizes, phi=phi)

    def symmetry(self, values: ArrayLike | None = None) -> str:
        """Kind of shape: "round" if e is frozen at 0, else "none"."""
        return "round" if self._at(values)[3] == 0 and self.e.frozen else "none"

    def _density(self, lon: ArrayLike, lat: ArrayLike, values: Array) -> Result:
        lon_0, lat_0, r_0, e, phi, edge_width = values.tolist()
        if e == 0:
            value, rows = sky_shapes.density(round_shape(sky_shapes.disk), lon, lat, lon_0, lat_0, r_0, e, edge_width)
            by_phi = np.zeros_like(value)
        else:
            value, rows = sky_shapes.density(sky_shapes.disk, lon, lat, lon_0, lat_0, r_0, e, edge_width, phi=phi)
            by_phi = rows[5]
        return value, np.stack([*rows[:4], by_phi, rows[4]])

    def _radial_shape(self, x: Array, values: Array, transform: bool) -> Any:
        value, rows = (profiles.disk_transform if transform else profiles.disk_profile)(x, float(values[2]), float(values[5]))
        return value, {"r_0": rows[0], "edge_width": rows[1]}

    def _edges(self) -> list[float]:
        """Relative radius of the sharp edge, see `integrate`."""
        return [1.0]

    def support_radius(self, values: ArrayLike | None = None) -> float | None:
        """Radius where the edge has fallen to 1e-8, deg."""
        values = self._at(values)
        return float(values[2] * (1 + 1.75 * values[5]))

    def feature_size(self, values: ArrayLike | None = None) -> float:
        """A tenth of the radius, or the width of the edge if that is larger, deg."""
        _, _, r_0, e, _, edge_width = self._at(values)
        return float(r_0 * np.sqrt(max(1 - e * e, 1e-6)) * max(edge_width, 0.1))

    def to_region(self, size_factor: float = 1.0, **kwargs: Any) -> Any:
        """Ellipse with the semi-major axis r_0 times `size_factor`; keyword arguments go to the region."""
        return ellipse_region(self, self.r_0.quantity, size_factor, **kwargs)

    @classmethod
    def from_region(cls, region: Any, **kwargs: Any) -> Self:
        """Make a disk from a circle or an ellipse.

        Parameters
        ----------
        region : `~regions.CircleSkyRegion` or `~regions.EllipseSkyRegion`
            Region.
        **kwargs
            Further arguments of the class.

        Raises
        ------
        InputError
            If the region is of another kind.
        """
        if hasattr(region, "radius") and hasattr(region, "center"):
            sizes: dict[str, Any] = {"r_0": region.radius}
        elif all(hasattr(region, name) for name in ("center", "width", "height", "angle")) and "Ellipse" in type(region).__name__:
            major, minor = region.height, region.width
            angle = region.angle
            if major < minor:
                major, minor, angle = minor, major, angle + 90 * u.deg
            e = np.sqrt(1 - (minor / major).to_value("") ** 2)
            sizes = {"r_0": major / 2, "e": float(e), "phi": (angle.to("deg") + 180 * u.deg) % (360 * u.deg) - 180 * u.deg}
        else:
            msg = (
                f"DiskSpatialModel.from_region got a {type(region).__name__}; expected a CircleSkyRegion or an EllipseSkyRegion."
            )
            raise InputError(msg)
        return cls.from_position(region.center, **{**sizes, **kwargs})
