"""Background rate in the field of view: radially symmetric, or in two coordinates."""

from __future__ import annotations

import logging
from typing import Any, ClassVar

import numpy as np
from astropy import units as u

from geminga.errors import UnitError
from geminga.irf.background import plot
from geminga.irf.base import IRF
from geminga.irf.interpolate import grid_interpolator, inside
from geminga.irf.plot import plot_energy_dependence, plot_offset_dependence, plot_table
from geminga.maps import MapAxis
from geminga.numerics.sphere import offset_by, separation
from geminga.utils.units import parse_unit

__all__ = ["Background2D", "Background3D", "BackgroundIRF"]

log = logging.getLogger(__name__)

#: Directions over which a rate is averaged to make it radially symmetric.
_N_ANGLE = 180


class BackgroundIRF(IRF):
    """Base of background rates, which are interpolated in their logarithm."""

    default_interp_kwargs: ClassVar[dict[str, Any]] = {"bounds_error": False, "fill_value": 0.0, "values_scale": "log"}
    default_unit: ClassVar[u.UnitBase] = u.Unit("s-1 MeV-1 sr-1")
    has_fixed_unit: ClassVar[bool] = True
    plotted_name: ClassVar[str] = "Background rate"
    is_plotted_in_log: ClassVar[bool] = True

    @classmethod
    def from_table(cls, table: Any, format: str = "gadf-dl3") -> Any:
        """Read from a table with one row; a unit that is missing or unknown is taken to be s-1 MeV-1 sr-1, with a warning.

        Raises
        ------
        FormatError
            If a column is missing, or axes and data do not fit.
        UnitError
            If the unit is that of something else.
        """
        return super().from_table(table, format=format)

    @classmethod
    def read_unit(cls, text: str, column: str) -> Any:
        """Unit of a column of a file, see `from_table`."""
        try:
            unit = parse_unit(text, column)
        except UnitError:
            unit = None
        if unit is None or not text.strip():
            log.warning("%s: column %s has unit %r; it is taken to be s-1 MeV-1 sr-1.", cls.__name__, column, text)
            return cls.default_unit
        return unit


class Background2D(BackgroundIRF):
    """Background rate against reconstructed energy and offset from the pointing.

    Parameters
    ----------
    axes : list of MapAxis
        ``energy`` and ``offset``.
    data : array or Quantity
        Rate, shape (energy, offset), s-1 MeV-1 sr-1 unless `unit` says otherwise.

    Examples
    --------
    >>> from geminga.irf import Background2D
    >>> from geminga.maps import MapAxis
    >>> energy = MapAxis.from_energy_bounds("0.1 TeV", "10 TeV", nbin=2)
    >>> offset = MapAxis.from_edges([0, 1, 2], unit="deg", name="offset")
    >>> bkg = Background2D([energy, offset], data=[[1, 0.5], [0.1, 0.05]])
    >>> bkg.to_3d().data.shape
    (2, 4, 4)
    """

    tag: ClassVar[str] = "bkg_2d"
    required_axes: ClassVar[list[str]] = ["energy", "offset"]

    def to_3d(self) -> Background3D:
        """Same rate in two coordinates of the field of view, with bins as wide as those in offset."""
        edges = self.axes["offset"].edge_values
        positive = edges[edges > 0]
        start = [] if edges[0] > 0 else [0.0]
        symmetric = np.concatenate([-positive[::-1], start, positive])
        unit = self.axes["offset"].unit
        lon, lat = (MapAxis.from_edges(symmetric, unit=unit, name=name) for name in ("fov_lon", "fov_lat"))
        x, y = lon.center.to_value("rad")[:, None], lat.center.to_value("rad")
        offset = u.Quantity(separation(0.0, 0.0, x, y), "rad").to(unit)
        data = self.evaluate(energy=self.axes["energy"].center[:, None, None], offset=offset)
        return _converted(self, Background3D, [self.axes["energy"], lon, lat], data)

    peek = plot.peek_2d
    plot_at_energy = plot.plot_at_energy_2d
    plot_energy_dependence = plot_energy_dependence
    plot_offset_dependence = plot_offset_dependence
    plot_spectrum = plot.plot_spectrum
    # The name of the module is taken from here on.
    plot = plot_table


class Background3D(BackgroundIRF):
    """Background rate against reconstructed energy and two coordinates of the field of view.

    Parameters
    ----------
    axes : list of MapAxis
        ``energy``, ``fov_lon`` and ``fov_lat``.
    data : array or Quantity
        Rate, shape (energy, fov_lon, fov_lat), s-1 MeV-1 sr-1 unless `unit` says otherwise.
    """

    tag: ClassVar[str] = "bkg_3d"
    required_axes: ClassVar[list[str]] = ["energy", "fov_lon", "fov_lat"]

    def to_2d(self) -> Background2D:
        """Mean over the directions, at the offsets of the positive edges of ``fov_lon``.

        Directions in which the field of view ends nearer to the centre are left out of the mean.
        """
        lon = self.axes["fov_lon"]
        edges = lon.edge_values
        offset = MapAxis.from_edges(np.append(0.0, edges[edges > 1e-6 * edges[-1]]), unit=lon.unit, name="offset")
        angle = (np.arange(_N_ANGLE) + 0.5) * (2 * np.pi / _N_ANGLE)
        x, y = offset_by(0.0, 0.0, angle, offset.center.to_value("rad")[:, None])
        x = np.where(x > np.pi, x - 2 * np.pi, x)
        lat = self.axes["fov_lat"]
        coords = [u.Quantity(v, "rad").to_value(axis.unit) for v, axis in ((x, lon), (y, lat))]
        rates = grid_interpolator(self.axes, self.data, "log")([self.axes["energy"].center_values[:, None, None], *coords])
        is_inside = np.broadcast_to(inside([lon, lat], coords), rates.shape)
        number = is_inside.sum(axis=-1)
        mean = np.divide(np.where(is_inside, rates, 0.0).sum(axis=-1), number, out=np.zeros(number.shape), where=number > 0)
        return _converted(self, Background2D, [self.axes["energy"], offset], u.Quantity(mean, self.unit))

    peek = plot.peek_3d
    plot_at_energy = plot.plot_at_energy


def _converted(irf: Any, cls: Any, axes: list[Any], data: u.Quantity) -> Any:
    return cls(axes=axes, data=data, interp_kwargs=dict(irf.interp_kwargs), **irf._state())
