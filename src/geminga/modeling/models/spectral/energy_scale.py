"""Flux of a spectrum seen by an instrument whose energy scale is uncertain.

A photon of energy E is taken for one of energy s E. What is seen in a bin [a, b] of the response then comes from [a/s, b/s]:

    F(s) = int_{a/s}^{b/s} phi(E) dE,    dF/ds = [a phi(a/s) - b phi(b/s)] / s^2

so that nothing tabulated is moved or interpolated, and the derivative is a closed form.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geminga.modeling.models.derivative import Result, evaluate_many, unit_factors
from geminga.numerics.quadrature import LogPanels, log_panels

__all__ = ["ScaledFlux"]

Array = NDArray[np.float64]


class ScaledFlux:
    """Flux in energy bins as a function of the parameters of a spectrum and of energy scales, whose product is s.

    Parameters
    ----------
    spectral : SpectralModel
        Spectrum.
    energy_edges : array
        Edges in TeV, shape (n_bin + 1,).
    n_scales : int
        Number of scales, which follow the spectral parameters among the values.

    Examples
    --------
    The counts of a power law of index 3 rise with the square of the scale:

    >>> from geminga.modeling.models import PowerLawSpectralModel
    >>> flux = ScaledFlux(PowerLawSpectralModel(index=3), [1.0, 10.0], 1)
    >>> float(flux([3, 1e-12, 1, 1.1])[0][0] / flux([3, 1e-12, 1, 1.0])[0][0])
    1.21...
    """

    def __init__(self, spectral: Any, energy_edges: ArrayLike, n_scales: int) -> None:
        self.spectral, self.n_scales = spectral, n_scales
        self.edges = np.asarray(energy_edges, dtype=float)
        self.n = len(spectral.parameters)

    @cached_property
    def _takes_rows(self) -> bool:
        return bool(self.spectral._takes_columns and self.spectral._has_own("_dnde_formula"))

    @cached_property
    def _is_closed(self) -> bool:
        return bool(self.spectral._has_own("_integral_formula"))

    @cached_property
    def _rule(self) -> LogPanels:
        return log_panels(self.edges[:-1], self.edges[1:])

    @cached_property
    def _log_nodes(self) -> Array:
        return np.concatenate([self._rule.log_energy, np.log(self.edges)])

    @cached_property
    def _factors(self) -> Array:
        return unit_factors(self.spectral.parameters)

    def __call__(self, values: ArrayLike) -> Result:
        """Flux and gradient, shapes (n_bin,) and (n + n_scales, n_bin)."""
        value, gradient = self.many(np.asarray(values, dtype=float)[None])
        return value[0], gradient[0]

    def many(self, values: Array) -> Result:
        """See `evaluate_many`."""
        own, scales = values[:, : self.n], values[:, self.n :]
        scale = scales.prod(axis=1)
        if len(scale) > 1 and (scale[1:] == scale[0]).all():
            scale = scale[:1]
        spectral = self.spectral
        # A formula which takes columns of parameters also takes a row of energies for each.
        if not self._takes_rows:
            value, gradient, dnde = self._one_by_one(own, np.broadcast_to(scale, len(own)))
        elif self._is_closed:
            energy = self.edges / scale[:, None]
            value, gradient = self._columns(spectral._integral_formula(energy[:, :-1], energy[:, 1:], 0), own)
            dnde = spectral._dnde_formula(np.log(energy))(*(own * self._factors).T[:, :, None])[0]
        else:
            value, gradient, dnde = self._by_quadrature(own, scale[:, None])
        slope = (self.edges[:-1] * dnde[:, :-1] - self.edges[1:] * dnde[:, 1:]) / scale[:, None] ** 2
        by_scale = slope[:, None] * (scale[:, None] / scales)[:, :, None]
        return value, np.concatenate([gradient, by_scale], axis=1)

    def _by_quadrature(self, own: Array, scale: Array) -> tuple[Array, Array, Array]:
        """Flux, its gradient and the spectrum at the edges, from the nodes of a rule, moved by the scale."""
        n = len(self._rule.log_energy)
        dnde, gradient = self._columns(self.spectral._dnde_formula(self._log_nodes - np.log(scale)), own)
        integrate = self._rule.integrate
        return integrate(dnde[:, :n]) / scale, integrate(gradient[:, :, :n]) / scale[:, None], dnde[:, n:]

    def _one_by_one(self, own: Array, scale: Array) -> tuple[Array, Array, Array]:
        """The same, with one call for all points of equal scale."""
        n_bin = len(self.edges) - 1
        value, gradient = np.empty((len(own), n_bin)), np.empty((len(own), self.n, n_bin))
        dnde = np.empty((len(own), n_bin + 1))
        for s in np.unique(scale):
            rows = np.flatnonzero(scale == s)
            value[rows], gradient[rows] = evaluate_many(self.spectral.flux_evaluator(self.edges / s), own[rows])
            dnde[rows] = evaluate_many(self.spectral.dnde_evaluator(self.edges / s), own[rows])[0]
        return value, gradient, dnde

    def _columns(self, formula: Any, own: Array) -> Result:
        """A formula of canonical numbers at rows of energies, each with its row of values in the parameters' own units."""
        value, gradient = formula(*(own * self._factors).T[:, :, None])
        return value, gradient.swapaxes(0, 1) * self._factors[:, None]
