"""Flux of a source in energy bins, averaged over good time intervals: spectrum times course in time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geminga.modeling.models.derivative import Evaluator, Result, current_values
from geminga.modeling.models.spectral.energy_scale import ScaledFlux
from geminga.numerics.quadrature import log_panels

__all__ = ["flux_evaluator", "temporal_average"]

Array = NDArray[np.float64]


def temporal_average(temporal: Any, gti: Any, energy: ArrayLike | None = None) -> Any:
    """Average of a temporal model over the intervals: a float, or one for each energy in TeV where it depends on energy."""
    if temporal is None or gti is None:
        return 1.0
    value, _ = temporal.average_evaluator(gti.time_start, gti.time_stop, energy)(current_values(temporal.parameters))
    return value


def flux_evaluator(spectral: Any, temporal: Any, gti: Any, energy_edges: Array, n_scales: int = 0) -> Evaluator:
    """Prepare the flux in energy bins.

    Parameters
    ----------
    spectral : SpectralModel
        Spectrum.
    temporal : TemporalModel or None
        Course in time, averaged over `gti`; with energies, weighted by the spectrum within each bin.
    gti : GTI or None
        Intervals; without them there is no course in time.
    energy_edges : array
        Edges in TeV, shape (n + 1,).
    n_scales : int
        Number of scales of energy, see `ScaledFlux`; the temporal model must not depend on energy then.

    Returns
    -------
    evaluator : callable
        Takes the values of the spectral parameters, of the scales and, if there are intervals, of the temporal ones; returns
        flux and gradient, shapes (n,) and (n_par, n).
    """
    if temporal is None or gti is None:
        return _spectral_flux(spectral, energy_edges, n_scales)
    n = len(spectral.parameters) + n_scales
    if temporal.is_energy_dependent:
        low, high = energy_edges[:-1], energy_edges[1:]
        breaks = [*spectral._break_energies(current_values(spectral.parameters)), *temporal._break_energies]
        rule = log_panels(low, high, breaks)
        nodes = np.exp(rule.log_energy)
        average = _remembering(temporal.average_evaluator(gti.time_start, gti.time_stop, nodes))
        return _product(spectral.dnde_evaluator(nodes), average, n, rule.integrate)
    average = _remembering(temporal.average_evaluator(gti.time_start, gti.time_stop))
    return _product(_spectral_flux(spectral, energy_edges, n_scales), average, n, np.asarray)


def _spectral_flux(spectral: Any, energy_edges: Array, n_scales: int) -> Evaluator:
    if n_scales:
        return ScaledFlux(spectral, energy_edges, n_scales)
    own: Evaluator = spectral.flux_evaluator(energy_edges)
    return own


def _product(spectral: Evaluator, temporal: Evaluator, n: int, integrate: Callable[[Array], Array]) -> Evaluator:
    """Product rule of the two factors, integrated over the bins."""

    def evaluate(values: ArrayLike) -> Result:
        values = np.asarray(values, dtype=float)
        value, gradient = spectral(values[:n])
        factor, slope = temporal(values[n:])
        rows = [gradient * factor, (slope if slope.ndim > 1 else slope[:, None]) * value]
        return integrate(value * factor), integrate(np.concatenate(rows))

    return evaluate


def _remembering(evaluator: Evaluator) -> Evaluator:
    """The same evaluator, which keeps its last result: most steps of a fit leave the course in time alone."""
    last: dict[bytes, Result] = {}

    def evaluate(values: ArrayLike) -> Result:
        key = np.asarray(values, dtype=float).tobytes()
        if key not in last:
            result = evaluator(values)
            last.clear()
            last[key] = result
        return last[key]

    return evaluate
