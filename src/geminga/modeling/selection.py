"""Is a model needed: the test statistic between two hypotheses, of which one is a special case of the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from astropy import units as u
from scipy.stats import chi2, norm

from geminga.errors import FitError, InputError
from geminga.modeling.fit import Fit
from geminga.modeling.fit.objective import as_list, unique
from geminga.modeling.models import Models

__all__ = ["select_nested_models"]


def select_nested_models(
    datasets: Any,
    parameters: Sequence[Any],
    null_values: Sequence[Any],
    n_sigma: float = 2,
    n_free_parameters: int | None = None,
    fit: Any = None,
) -> dict[str, Any]:
    """Test a null hypothesis, in which some parameters have given values, against that in which they are free.

    The models are left with the hypothesis that is preferred: fitted with the parameters free if the test statistic is above
    the threshold, else fitted with the parameters frozen at the null values.

    Parameters
    ----------
    datasets : Datasets
        Datasets with their models.
    parameters : list of Parameter
        Parameters that distinguish the hypotheses.
    null_values : list of float or Quantity
        Their values in the null hypothesis, such as 0 for the amplitude of a source; floats in the parameters' units.
    n_sigma : float
        Significance from which the free parameters are preferred.
    n_free_parameters : int, optional
        Number of degrees of freedom of the test; as many as there are parameters if not given. Give it where the null
        hypothesis makes others meaningless (position and index of a source without amplitude).
    fit : Fit, optional
        Fit to use.

    Returns
    -------
    result : dict
        ``ts`` (statistic of the null hypothesis minus that of the other), ``fit_results`` and ``fit_results_null``; the latter
        is None if no parameter is free under the null hypothesis.

    Raises
    ------
    InputError
        If there are not as many values as parameters.
    FitError
        If a fit does not converge; the models are then as they were.

    References
    ----------
    S. S. Wilks (1938), Ann. Math. Statist. 9, 60: the statistic is distributed as chi2 if the null hypothesis is true and
    not at a bound of the parameters.

    Examples
    --------
    >>> from geminga.modeling.selection import select_nested_models
    >>> select_nested_models([], [], [1.0])
    Traceback (most recent call last):
    ...
    geminga.errors.InputError: select_nested_models got 0 parameters and 1 null values; expected as many, at least one.
    """
    parameters = list(parameters)
    values = [v.to_value(p.unit) if isinstance(v, u.Quantity) else v for p, v in zip(parameters, null_values, strict=False)]
    if len(parameters) != len(null_values) or not parameters:
        msg = (
            f"select_nested_models got {len(parameters)} parameters and {len(null_values)} null values; "
            "expected as many, at least one."
        )
        raise InputError(msg)
    fit = Fit() if fit is None else fit
    threshold = chi2(n_free_parameters or len(parameters)).isf(2 * norm.sf(n_sigma))
    items = as_list(datasets)
    models = Models(unique(m for d in items for m in d.models or []))
    before = [(p, p.value, p.error, p.frozen) for p in dict.fromkeys([*models.parameters, *parameters])]
    try:
        for p in parameters:
            p.frozen = False
        free = _run(fit, datasets, "with the parameters free")
        best = [(p, p.value, p.error) for p, *_ in before]
        for p, value in zip(parameters, values, strict=True):
            p.value, p.error, p.frozen = float(value), 0.0, True
        has_free = any(not p.frozen for p in models.parameters)
        null = _run(fit, datasets, "of the null hypothesis") if has_free else None
    except BaseException:
        for p, value, error, frozen in before:
            p.value, p.error, p.frozen = value, error, frozen
        raise
    alone = sum(d.stat_sum() for d in items) + models.parameters.prior_stat_sum()
    ts = float((alone if null is None else null.total_stat) - free.total_stat)
    if ts > threshold:
        models.covariance = np.asarray(free.covariance_result.matrix)
        for p, value, error in best:
            p.value, p.error = value, error
        for p in parameters:
            p.frozen = False
    return {"ts": ts, "fit_results": free, "fit_results_null": null}


def _run(fit: Any, datasets: Any, which: str) -> Any:
    result = fit.run(datasets)
    if not result.success:
        msg = f"The fit {which} did not converge, so the hypotheses cannot be compared: {result.message}"
        raise FitError(msg)
    return result
