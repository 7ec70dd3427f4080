"""Energy dispersion against true energy, migration and offset."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import GeometryError, InputError
from geminga.irf.base import IRF
from geminga.irf.edisp import migra, plot
from geminga.irf.edisp.kernel import EDispKernel
from geminga.irf.edisp.migra import bin_energies, gauss_density
from geminga.irf.points import offset_weights
from geminga.numerics.grid_weights import linear_weights, spread
from geminga.numerics.interpolation import SCALES, bracket
from geminga.utils.units import values_in

__all__ = ["EnergyDispersion2D"]

Array = NDArray[np.float64]

#: Widest spacing in ln E of the energies over which a kernel is averaged: below the resolution of any instrument.
_SPACING = 0.03


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
        edges, owner = migra_axis.edges.to_value(""), "EnergyDispersion2D.from_gauss"
        density = gauss_density(edges, sigma, bias, energy_axis_true.nbin, pdf_threshold, owner)
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
        self,
        offset: Any,
        energy_axis_true: Any = None,
        energy_axis: Any = None,
        threshold: float = 1e-8,
        *,
        n_average: int | None = 1,
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
        n_average : int, optional
            Energies in each bin of true energy over which the kernel is averaged, see `kernels_at_offsets`. The default, the
            centre of the bin, shows bias and resolution of the instrument; maps made for datasets are averaged.

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
        table, mass = self.kernels_at_offsets(true, reco, n_average)
        weights, inside = offset_weights(self.axes["offset"], np.atleast_1d(place.ravel()), dtype=float)
        data, total = (
            (spread(weights, part.reshape(-1, part.shape[-1])) * inside).reshape(part.shape[:-1]) for part in (table, mass)
        )
        data = np.clip(data, 0, None)
        # Beyond the outermost offsets what is cut at zero leaves more than there was.
        total = np.maximum(total, data.sum(axis=1))[:, None]
        data = np.divide(data, total, out=np.zeros_like(data), where=total > 0)
        data[data < threshold] = 0.0
        return EDispKernel(axes=[true, reco], data=data)

    def densities(self, energy: Array) -> Array:
        """Normalised densities at true energies in the unit of the table, shape (energy, migra, offset).

        Energies outside the table get those of its edge. Zero where the table has no distribution.
        """
        steps = self._steps(self._scaled(energy))
        width = self.axes["migra"].bin_width.to_value("")[:, np.newaxis]
        return _divided(steps, steps.sum(axis=1, keepdims=True)) / width

    def _scaled(self, energy: Array) -> Array:
        """True energies as they are interpolated; those outside the table are at its edge."""
        axis = self.axes["energy_true"]
        return np.asarray(SCALES[axis.interp].forward(np.clip(energy, *axis.edge_values[[0, -1]])))

    def _steps(self, place: Array) -> Array:
        """Probabilities of the bins of migration at true energies (see `_scaled`); their sum is zero where a row is empty."""
        low, fraction = bracket(place, self._centers)
        fraction = fraction[:, np.newaxis, np.newaxis]
        used, place_of = np.unique([low, np.minimum(low + 1, len(self._centers) - 1)], return_inverse=True)
        rows, (first, second) = self._rows(used), place_of.reshape(2, -1)
        steps = rows[first] * (1 - fraction)
        steps += rows[second] * fraction
        return np.maximum(steps, 0, out=steps)

    def _rows(self, rows: Any) -> Array:
        """Probabilities of the bins of migration in rows of the table: files may hold numbers of simulated events."""
        density, width = np.asarray(self.data[rows], dtype=float), self.axes["migra"].bin_width.to_value("")
        return _divided(density * width[:, np.newaxis], np.matmul(width, density)[:, np.newaxis])

    @property
    def _centers(self) -> Array:
        return self._scaled(self.axes["energy_true"].center_values)

    def probabilities(self, density: Array, edges: Array) -> Array:
        """Probability between edges in migration, of densities of shape (energy, migra, offset).

        Parameters
        ----------
        edges : array
            Shape (n + 1,), or (energy, n + 1).

        Returns
        -------
        probability : array
            Shape (energy, n, offset).
        """
        return migra.probabilities(self.axes["migra"].edges.to_value(""), density, edges)

    def kernels_at_offsets(self, true: Any, reco: Any, n_average: int | None = None) -> tuple[Array, Array]:
        """Probabilities for bins of reconstructed energy at the offsets of the table, averaged over bins of true energy.

        Parameters
        ----------
        true, reco : MapAxis
            True and reconstructed energies.
        n_average : int, optional
            Number of energies in a bin of true energy (Gauss-Legendre nodes in ln E, weighted by E^-2). If not given, as many
            as keep them 3 % apart, at least five; 1 takes the geometric centre.

        Raises
        ------
        InputError
            If `n_average` is below 1.

        Returns
        -------
        kernel : array
            Shape (energy_true, energy, offset).
        mass : array
            Shape (energy_true, offset): fraction of the bin of true energy for which there is a distribution.
        """
        unit = self.axes["energy_true"].unit
        edges_true = true.edges.to_value(unit)
        if n_average is None:
            n_average = max(5, int(np.ceil(np.max(np.diff(np.log(edges_true))) / _SPACING)))
        energies, share = bin_energies(edges_true, n_average)
        enclosed, total = self._enclosed(energies.ravel(), reco.edges.to_value(unit) / energies.reshape(-1, 1))
        kernel = _divided(np.diff(enclosed, axis=1), total[:, np.newaxis]).reshape(*energies.shape, reco.nbin, -1)
        mass = (total != 0).reshape(*energies.shape, -1)
        return np.einsum("kt,ktro->tro", share, kernel), np.einsum("kt,kto->to", share, mass)

    def _enclosed(self, energy: Array, edges: Array) -> tuple[Array, Array]:
        """Probabilities below edges in migration, shape (energy, n), at true energies, and in all; both for each offset.

        Between the rows of the table they are linear, so that only these and the two ends are added up. (Beyond the outermost
        rows they are not, as what would be negative is cut.)
        """
        place, centers, migra_edges = self._scaled(energy), self._centers, self.axes["migra"].edges.to_value("")
        low, high = place.min(), place.max()
        inner = np.flatnonzero((centers > low) & (centers < high))
        outer = np.unique([low, high, *place[(place < centers[0]) | (place > centers[-1])]])
        nodes = np.sort(np.concatenate([outer, centers[inner]]))
        sums = np.zeros((len(nodes), len(migra_edges), self.data.shape[-1]))
        sums[np.searchsorted(nodes, outer), 1:] = np.cumsum(self._steps(outer), axis=1)
        if len(inner):
            rows = self._rows(slice(inner[0], inner[-1] + 1))
            sums[np.searchsorted(nodes, centers[inner]), 1:] = np.cumsum(np.maximum(rows, 0, out=rows), axis=1)
        points = [np.repeat(place, edges.shape[1]), np.clip(edges, *migra_edges[[0, -1]]).ravel()]
        below = linear_weights([nodes, migra_edges], points) @ sums.reshape(-1, sums.shape[-1])
        return below.reshape(*edges.shape, -1), linear_weights([nodes], [place]) @ sums[:, -1]

    peek = plot.peek_edisp_2d
    plot_bias = plot.plot_bias_2d
    plot_migration = plot.plot_migration


def _divided(values: Array, total: Array) -> Array:
    """Quotient, zero where the total is."""
    with np.errstate(invalid="ignore"):  # infinity becomes NaN, which is refused where it is needed
        return np.divide(values, total, out=np.zeros_like(values), where=total != 0)
