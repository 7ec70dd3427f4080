"""What a set of flux points says about a model: the fit statistics of flux points, by name.

``chi2``
    Measured points with their symmetric errors, and with the correlation between them if the points have one (``correlation``).
``distrib``
    Measured points with their lower and upper errors, and upper limits by the probability to measure less than the limit. A limit
    is the value plus `n_sigma_ul` standard deviations; that gives its width. Where no value is given it is taken as zero.
``profile``
    The profile of the fit statistic of each point, whether it is shown as a limit or not: nothing is lost.

Errors are divided by the number of standard deviations they were made for.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from geminga.flux.covariance import energy_correlation
from geminga.flux.profiles import profiles_of
from geminga.numerics.point_statistics import asymmetric_terms, chi2_terms, correlated_terms, upper_limit_terms
from geminga.numerics.stat_profile import StatProfiles

__all__ = ["STATISTICS", "PointStatistic"]

log = logging.getLogger(__name__)

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Terms = Callable[[Array], tuple[Array, Array, Array]]

#: Level of upper limits whose level is not known.
DEFAULT_N_SIGMA_UL = 2.0


class PointStatistic(Protocol):
    """A fit statistic of flux points."""

    def valid(self, data: Any) -> Mask:
        """Points which say something, of the shape of the data."""

    def terms(self, data: Any, keep: Mask, options: dict[str, Any]) -> Terms:
        """Function of the predicted dnde (cm-2 s-1 TeV-1) of the points kept: statistic and its derivatives."""


def _dnde(data: Any, suffix: str) -> Array:
    """Differential flux in cm-2 s-1 TeV-1, NaN everywhere if there is none."""
    if f"norm{suffix}" not in data.available_quantities:
        return np.full(data.geom.data_shape, np.nan)
    return np.asarray(data[f"dnde{suffix}"].quantity.to_value("cm-2 s-1 TeV-1"), dtype=float)


def _errors(data: Any) -> tuple[Array, Array]:
    """Lower and upper standard deviations; the symmetric one where they are missing, and the other way round."""
    symmetric, low, high = (_dnde(data, suffix) / float(data.n_sigma) for suffix in ("_err", "_errn", "_errp"))
    low = np.abs(low)  # some files give them with their sign
    return np.where(low > 0, low, symmetric), np.where(high > 0, high, symmetric)


def _symmetric(data: Any) -> Array:
    symmetric = _dnde(data, "_err") / float(data.n_sigma)
    low, high = _errors(data)
    return np.where(symmetric > 0, symmetric, 0.5 * (low + high))


def _measured(data: Any) -> Mask:
    return np.isfinite(_dnde(data, "")) & ~data.is_ul.frozen_data


def _good(*errors: Array) -> Mask:
    return np.all([np.isfinite(e) & (np.nan_to_num(e) > 0) for e in errors], axis=0)


class Chi2:
    """See the module's text."""

    def valid(self, data: Any) -> Mask:
        """Measured points with an error."""
        return np.asarray(_measured(data) & _good(_symmetric(data)))

    def terms(self, data: Any, keep: Mask, options: dict[str, Any]) -> Terms:
        """Squared deviations in units of the error."""
        value, error = _dnde(data, "")[keep], _symmetric(data)[keep]
        correlation = energy_correlation(data)
        if correlation is not None and data.meta.get("regularization"):
            log.warning(
                "Flux points are regularised (strength %s): their covariance holds the smoothness as if it were measured; fit "
                "models to points without regularization.",
                data.meta["regularization"],
            )
        if correlation is None:
            return lambda model: chi2_terms(value, error, model)
        rows = keep[:, 0, 0]
        inverse = np.linalg.inv(correlation[np.ix_(rows, rows)]) / np.outer(error, error)
        return lambda model: correlated_terms(value, inverse, model)


class Distrib:
    """See the module's text."""

    def _limits(self, data: Any) -> tuple[Array, Array]:
        """Upper limits, and the standard deviation that each stands for."""
        value, limit = _dnde(data, ""), _dnde(data, "_ul")
        level = float(data.n_sigma_ul or DEFAULT_N_SIGMA_UL)
        return limit, (limit - np.nan_to_num(value)) / level

    def valid(self, data: Any) -> Mask:
        """Measured points with errors, and upper limits."""
        limit, width = self._limits(data)
        is_limit = data.is_ul.frozen_data & np.isfinite(limit) & _good(width)
        return np.asarray((_measured(data) & _good(*_errors(data))) | is_limit)

    def terms(self, data: Any, keep: Mask, options: dict[str, Any]) -> Terms:
        """Squared deviations in units of the error on the side of the model, and probabilities of limits."""
        is_limit = np.asarray(data.is_ul.frozen_data[keep])
        value, (low, high) = _dnde(data, "")[keep], (e[keep] for e in _errors(data))
        limit, width = (a[keep] for a in self._limits(data))
        measured = ~is_limit

        def evaluate(model: Array) -> tuple[Array, Array, Array]:
            out = np.zeros((3, len(model)))
            out[:, measured] = asymmetric_terms(value[measured], low[measured], high[measured], model[measured])
            out[:, is_limit] = upper_limit_terms(limit[is_limit], width[is_limit], model[is_limit])
            return out[0], out[1], out[2]

        return evaluate


class Profile:
    """See the module's text."""

    def valid(self, data: Any) -> Mask:
        """Points with a profile."""
        return np.asarray(profiles_of(data).is_known.reshape(data.geom.data_shape))

    def terms(self, data: Any, keep: Mask, options: dict[str, Any]) -> Terms:
        """Rise of the profile; beyond the scan it continues as a parabola, or stays as it is if not ``extrapolate``."""
        whole, rows = profiles_of(data), keep.ravel()
        own = StatProfiles(whole.x[rows], whole.root[rows], whole.slope[rows], whole.x_min[rows], whole.stat_min[rows])
        reference = np.broadcast_to(data.dnde_ref.to_value("cm-2 s-1 TeV-1"), data.geom.data_shape)[keep]
        is_open = bool(options.get("extrapolate", True))

        def evaluate(model: Array) -> tuple[Array, Array, Array]:
            norm = model / reference
            inside = (norm >= own.x[:, 0]) & (norm <= own.x[:, -1])
            root, first, second = own.evaluate(norm if is_open else np.clip(norm, own.x[:, 0], own.x[:, -1]))
            slope = np.where(inside | is_open, first, 0.0) / reference
            bend = np.where(inside | is_open, second, 0.0) / reference**2
            return root**2, 2 * root * slope, np.maximum(2 * slope**2 + 2 * root * bend, 0.0)

        return evaluate


#: Fit statistics by name.
STATISTICS: dict[str, PointStatistic] = {"chi2": Chi2(), "distrib": Distrib(), "profile": Profile()}
