"""Point spread function as a table in radius."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import InputError
from geminga.irf.points import energy_rows, offset_weights
from geminga.irf.psf.base import PSF
from geminga.numerics.grid_weights import linear_weights, spread

__all__ = ["PSF3D"]

Array = NDArray[np.float64]


class PSF3D(PSF):
    """PSF against true energy, offset from the pointing, and radius.

    Parameters
    ----------
    axes : list of MapAxis
        ``energy_true``, ``offset`` and ``rad``.
    data : array or Quantity
        Density, shape (energy_true, offset, rad), sr-1 unless `unit` says otherwise.

    Examples
    --------
    >>> import numpy as np
    >>> from geminga.irf import PSF3D
    >>> from geminga.maps import MapAxis
    >>> true = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2, name="energy_true")
    >>> offset = MapAxis.from_edges([0, 1, 2], unit="deg", name="offset")
    >>> rad = MapAxis.from_bounds(0, 0.6, nbin=60, unit="deg", name="rad")
    >>> psf = PSF3D([true, offset, rad], data=np.exp(-0.5 * (rad.center.value / 0.1) ** 2) * np.ones((2, 2, 1)))
    >>> psf.normalize()
    >>> print(psf.containment_radius(0.39, energy_true="2 TeV", offset="1 deg").round(2))
    0.1 deg
    """

    tag: ClassVar[str] = "psf_table"
    required_axes: ClassVar[list[str]] = ["energy_true", "offset", "rad"]
    default_unit: ClassVar[u.UnitBase] = u.Unit("sr-1")
    has_fixed_unit: ClassVar[bool] = True

    def normalize(self) -> None:  # type: ignore[override]
        """Make the integral over the ``rad`` axis one, in place; zero stays zero."""
        super().normalize("rad")

    def profiles(self, energy: Array, rad: Array, offset: Array) -> NDArray[np.floating]:
        """Density (sr-1) at true energies in the unit of the table, radii and offsets in deg, shape (energy, rad, offset).

        Outside the table it is that of its edge in energy, and zero in radius and offset.
        """
        axis, own = self.axes["rad"], self.axes["energy_true"]
        rows = energy_rows(own, energy, np.asarray(self.data, dtype=float) * self.unit.to("sr-1"), fill=False)
        centers, edges = axis.center.to_value("deg"), axis.edges.to_value("deg")
        radial = linear_weights([centers], [np.clip(rad, edges[0], edges[-1])])
        flat = np.moveaxis(rows, 2, 0).reshape(axis.nbin, -1)
        table = np.moveaxis((radial @ flat).reshape(len(rad), len(energy), -1), 0, 1)
        table[:, (rad < edges[0]) | (rad > edges[-1])] = 0.0
        weights, inside = offset_weights(self.axes["offset"], offset)
        spread_out = spread(weights, table.reshape(-1, table.shape[-1]).astype(np.float32))
        spread_out *= inside
        return spread_out.reshape(len(energy), len(rad), -1)

    def containment(self, rad: Any, **kwargs: Any) -> u.Quantity:
        """Fraction within a radius; beyond the ``rad`` axis that of the whole axis.

        Parameters
        ----------
        rad : Quantity
            Radius.
        **kwargs : Quantity
            ``energy_true`` and ``offset``; all broadcast.
        """
        return self.integral(axis_name="rad", rad=rad, **kwargs).to("")

    def containment_radius(self, fraction: Any, factor: int = 20, **kwargs: Any) -> u.Quantity:
        """Radius within which a fraction lies; NaN where the table holds less than that.

        Parameters
        ----------
        fraction : float or array
            Fraction, between 0 and 1.
        factor : int
            Not used: radii are interpolated between the edges of the ``rad`` axis.
        **kwargs : Quantity
            ``energy_true`` and ``offset``; all broadcast.

        Raises
        ------
        InputError
            If a fraction is not between 0 and 1.
        """
        fraction = checked_fraction(fraction)
        edges = self.axes["rad"].edges
        given = {name: u.Quantity(value)[..., np.newaxis] for name, value in kwargs.items()}
        curves = self.containment(rad=edges, **given).value
        shape = np.broadcast_shapes(curves.shape[:-1], fraction.shape)
        curves, wanted = np.broadcast_to(curves, (*shape, len(edges))), np.broadcast_to(fraction, shape)[..., np.newaxis]
        index = np.clip((curves < wanted).sum(axis=-1, keepdims=True) - 1, 0, len(edges) - 2)
        low, high = (np.take_along_axis(curves, index + i, axis=-1)[..., 0] for i in (0, 1))
        with np.errstate(invalid="ignore", divide="ignore"):
            place = (wanted[..., 0] - low) / (high - low)
        radius = edges.value[index[..., 0]] + place * np.diff(edges.value)[index[..., 0]]
        return u.Quantity(np.where(curves[..., -1] >= wanted[..., 0], radius, np.nan), edges.unit)


def checked_fraction(fraction: Any) -> Any:
    """Fractions as floats, refused unless between 0 and 1."""
    values = np.asarray(u.Quantity(fraction).to_value(""), dtype=float)
    if not ((values > 0) & (values < 1)).all():
        msg = f"containment_radius: fraction is {fraction}; expected a number between 0 and 1."
        raise InputError(msg)
    return values
