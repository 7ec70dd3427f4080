"""Energy dispersion against true energy, migration and offset."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import GeometryError, InputError
from geminga.irf.base import IRF
from geminga.irf.edisp import plot
from geminga.irf.edisp.kernel import EDispKernel, gauss_density
from geminga.irf.edisp.map import kernel_from_migra
from geminga.utils.units import values_in

__all__ = ["EnergyDispersion2D"]

Array = NDArray[np.float64]


class EnergyDispersion2D(IRF):
    """Density in ``migra``, the ratio of reconstructed to true energy.

    Parameters
    ----------
    axes : list of MapAxis
        ``energy_true``, ``migra`` and ``offset``.
    data : array
        Density, shape (energy_true, migra, offset).

    Notes
    -----
    Outside the table in migra or offset the density is zero; true energies outside it get that of its nearest edge, since a
    density continued linearly soon is negative or far too high.

    Examples
    --------
    >>> from geminga.irf import EnergyDispersion2D
    >>> from geminga.maps import MapAxis
    >>> true = MapAxis.from_energy_bounds("0.1 TeV", "100 TeV", nbin=60, name="energy_true")
    >>> migra = MapAxis.from_bounds(0.2, 5, nbin=160, name="migra")
    >>> offset = MapAxis.from_edges([0, 2], unit="deg", name="offset")
    >>> edisp = EnergyDispersion2D.from_gauss(true, migra, offset, bias=0.0, sigma=0.2)
    >>> kernel = edisp.to_edisp_kernel(offset="1 deg")
    >>> print(kernel.get_resolution("1 TeV").round(1))
    [0.2]
    """

    tag: ClassVar[str] = "edisp_2d"
    required_axes: ClassVar[list[str]] = ["energy_true", "migra", "offset"]
    default_unit: ClassVar[u.UnitBase] = u.dimensionless_unscaled
    has_fixed_unit: ClassVar[bool] = True

    @classmethod
    def from_gauss(
        cls, energy_axis_true: Any, migra_axis: Any, offset_axis: Any, bias: Any, sigma: Any, pdf_threshold: float = 1e-6
    ) -> EnergyDispersion2D:
        """Gaussian in migra, the same at all offsets.

        Parameters
        ----------
        energy_axis_true, migra_axis, offset_axis : MapAxis
            Axes.
        bias, sigma : float or array
            Relative bias and resolution, one or for each true energy.
        pdf_threshold : float
            Densities below this are zero.

        Raises
        ------
        InputError
            If a resolution is not positive.
        """
        sigma, bias = (np.broadcast_to(np.asarray(v, dtype=float), energy_axis_true.nbin)[:, None] for v in (sigma, bias))
        if not (sigma > 0).all():
            msg = f"EnergyDispersion2D.from_gauss: sigma is {sigma.min()}; expected a positive relative resolution."
            raise InputError(msg)
        density = gauss_density(migra_axis.edges.to_value(""), sigma, bias)
        density[density < pdf_threshold] = 0.0
        data = np.repeat(density[:, :, np.newaxis], offset_axis.nbin, axis=2)
        return cls(axes=[energy_axis_true, migra_axis, offset_axis], data=data)

    def evaluate(self, method: str | None = None, **kwargs: Any) -> u.Quantity:
        """Density in migra (see `IRF.evaluate` and the notes of the class)."""
        if "energy_true" in kwargs:
            energy = self.axes["energy_true"]
            given = values_in(kwargs["energy_true"], energy.unit, "energy_true")
            kwargs["energy_true"] = u.Quantity(np.clip(given, *energy.edge_values[[0, -1]]), energy.unit)
        return super().evaluate(method=method, **kwargs)

    def normalize(self) -> None:  # type: ignore[override]
        """Make the integral over ``migra`` one, in place; zero stays zero."""
        super().normalize("migra")

    def to_edisp_kernel(
        self, offset: Any, energy_axis_true: Any = None, energy_axis: Any = None, threshold: float = 1e-8, *, n_average: int = 1
    ) -> EDispKernel:
        """Kernel at an offset.

        Parameters
        ----------
        offset : Quantity or str
            Offset from the pointing.
        energy_axis_true, energy_axis : MapAxis, optional
            True and reconstructed energies; those of the table if not given.
        threshold : float
            Smaller probabilities are zero.
        n_average : int
            Energies in each bin of true energy over which the kernel is averaged (weighted by E^-2); 1 takes its centre.

        Raises
        ------
        InputError
            If there is more than one offset.
        GeometryError
            If an axis has another name.
        """
        true = self.axes["energy_true"] if energy_axis_true is None else energy_axis_true
        reco = self.axes["energy_true"].copy(name="energy") if energy_axis is None else energy_axis
        for axis, name in ((true, "energy_true"), (reco, "energy")):
            if axis.name != name:
                msg = f"to_edisp_kernel: an axis is named {axis.name!r}; expected {name!r}."
                raise GeometryError(msg)
        place = values_in(offset, "deg", "offset")
        if place.size != 1:
            msg = f"to_edisp_kernel: offset is {offset}; expected one offset."
            raise InputError(msg)
        migra = self.axes["migra"]
        table = self._normalized()
        density = table.evaluate(energy_true=true.center[:, None], migra=migra.center, offset=place.reshape(()) * u.deg)
        edges = true.edges
        data = kernel_from_migra(
            migra.edges.to_value(""),
            normalized_density(density.value, migra.bin_width.value),
            edges.value,
            reco.edges.to_value(edges.unit),
            threshold,
            n_average,
        )
        return EDispKernel(axes=[true, reco], data=data)

    def _normalized(self) -> EnergyDispersion2D:
        """Copy whose densities integrate to one before they are interpolated: files may hold numbers of simulated events."""
        table = self._like(self.axes, self.data)
        table.normalize()
        return table

    peek = plot.peek_edisp_2d
    plot_bias = plot.plot_bias_2d
    plot_migration = plot.plot_migration


def normalized_density(density: Array, width: Array) -> Array:
    """Densities, shape (..., migra), with an integral of one; those of zero stay, negative ones are taken for zero."""
    density = np.clip(density, 0, None)
    total = (density * width).sum(axis=-1, keepdims=True)
    return np.divide(density, total, out=np.zeros_like(density), where=total > 0)
