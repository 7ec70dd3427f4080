"""Errors of fluxes from the covariance of the parameters.

By default the errors are propagated linearly with the exact gradient: no noise, and both sides are equal. With ``samples`` the
quantiles over these parameter values are given instead, which shows asymmetries.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from geminga.errors import InputError
from geminga.modeling.models.coordinates import as_energy
from geminga.modeling.models.derivative import Evaluator, current_values

__all__ = ["energy_flux_error", "evaluate_error", "integral_error", "pivot_energy", "spectral_index_error"]

Array = NDArray[np.float64]

_QUANTILES = (0.15865525393145707, 0.5, 0.8413447460685429)


def _parameter_samples(model: Any, samples: Any) -> Array:
    """Samples of all parameters in their own units, shape (n_sample, n_par)."""
    parameters = model.parameters
    if isinstance(samples, np.ndarray) and not isinstance(samples, u.Quantity) and samples.ndim == 2:
        free = [i for i, par in enumerate(parameters) if not par.frozen]
        columns = list(range(len(parameters))) if samples.shape[1] == len(parameters) else free
        if samples.shape[1] == len(columns):
            values = np.tile(current_values(parameters), (len(samples), 1))
            values[:, columns] = samples
            return values
    elif isinstance(samples, (list, tuple)) and len(samples) == len(parameters):
        pairs = zip(samples, parameters, strict=True)
        arrays = [np.ravel(s.to_value(par.unit) if isinstance(s, u.Quantity) else s) for s, par in pairs]
        return np.stack(np.broadcast_arrays(*arrays), axis=1).astype(float)
    msg = (
        f"{type(model).__name__}: samples ({type(samples).__name__}) do not fit {len(parameters)} parameters; give an array of "
        "shape (n_samples, n_parameters), or (n_samples, n_free), or a list with one Quantity of samples for each parameter."
    )
    raise InputError(msg)


def _propagate(model: Any, evaluator: Evaluator, unit: Any, shape: tuple[int, ...], samples: Any) -> u.Quantity:
    """Value, negative and positive error, shape (3, ...)."""
    if samples is not None:
        drawn = np.array([evaluator(values)[0] for values in _parameter_samples(model, samples)])
        low, median, high = np.quantile(drawn, _QUANTILES, axis=0)
        return u.Quantity(np.stack([median, median - low, high - median]).reshape(3, *shape), unit)
    value, gradient = evaluator(current_values(model.parameters))
    variance = np.einsum("in,ij,jn->n", gradient, model.covariance.data, gradient)
    error = np.sqrt(np.maximum(variance, 0.0))
    return u.Quantity(np.stack([value, error, error]).reshape(3, *shape), unit)


def evaluate_error(self: Any, energy: Any, n_samples: int = 3500, random_state: Any = 42, samples: Any = None) -> u.Quantity:
    """Value of the spectrum with its errors.

    Parameters
    ----------
    energy : Quantity
        Energies.
    n_samples, random_state
        Accepted for compatibility: the linear propagation draws nothing.
    samples : array or list of Quantity, optional
        Parameter values, shape (n_samples, n_parameters) or (n_samples, n_free), or one array for each parameter; errors are
        then quantiles over them.

    Returns
    -------
    dnde, dnde_errn, dnde_errp : Quantity
        Shape (3, ...).
    """
    energy = as_energy(energy).to("TeV").value
    return _propagate(self, self.dnde_evaluator(np.ravel(energy)), self._dnde_unit, np.shape(energy), samples)


def integral_error(
    self: Any, energy_min: Any, energy_max: Any, n_samples: int = 3500, random_state: Any = 42, samples: Any = None, **kwargs: Any
) -> u.Quantity:
    """Integral flux with its errors; see `evaluate_error` and `integral`."""
    return _propagate(self, *self._integrate(energy_min, energy_max, 0), samples)  # type: ignore[call-arg]


def energy_flux_error(
    self: Any, energy_min: Any, energy_max: Any, n_samples: int = 3500, random_state: Any = 42, samples: Any = None, **kwargs: Any
) -> u.Quantity:
    """Energy flux with its errors; see `evaluate_error` and `energy_flux`."""
    return _propagate(self, *self._integrate(energy_min, energy_max, 1), samples)  # type: ignore[call-arg]


def spectral_index_error(
    self: Any, energy: Any, n_samples: int = 3500, random_state: Any = 42, samples: Any = None
) -> u.Quantity:
    """Local spectral index with its errors; see `evaluate_error` and `spectral_index`."""
    energy = as_energy(energy).to("TeV").value
    step = 1e-4
    pair = np.concatenate([np.ravel(energy) * np.exp(step), np.ravel(energy) * np.exp(-step)])
    dnde = self.dnde_evaluator(pair)

    def evaluator(values: Any) -> tuple[Array, Array]:
        value, gradient = dnde(values)
        log_value, relative = np.log(value), gradient / value
        n = len(value) // 2
        return -(log_value[:n] - log_value[n:]) / (2 * step), -(relative[:, :n] - relative[:, n:]) / (2 * step)

    return _propagate(self, evaluator, u.dimensionless_unscaled, np.shape(energy), samples)


def pivot_energy(self: Any) -> u.Quantity:
    """Energy where the relative error of the spectrum is smallest, within a factor e^3 of the reference energy."""
    covariance = self.covariance.data
    parameters = self.parameters
    reference = parameters["reference"].quantity.to_value("TeV") if "reference" in parameters.names else 1.0
    if not np.any(covariance):
        return u.Quantity(np.nan, "TeV")
    log_energy = np.log(reference) + np.linspace(-3, 3, 61)

    def relative_variance(x: Any) -> Array:
        value, gradient = self.dnde_evaluator(np.exp(np.atleast_1d(x)))(current_values(parameters))
        with np.errstate(divide="ignore", invalid="ignore"):
            relative = gradient / value
        return np.asarray(np.einsum("in,ij,jn->n", relative, covariance, relative))

    grid = relative_variance(log_energy)
    if not np.all(np.isfinite(grid)) or np.ptp(grid) <= 1e-10 * grid.max():
        return u.Quantity(np.nan, "TeV")
    best = int(np.argmin(grid))
    low, high = log_energy[max(best - 1, 0)], log_energy[min(best + 1, len(grid) - 1)]
    found = minimize_scalar(lambda x: relative_variance(x)[0], bounds=(low, high), method="bounded", options={"xatol": 1e-8})
    return u.Quantity(np.exp(found.x), "TeV")
