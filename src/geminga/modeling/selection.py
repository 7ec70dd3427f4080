"""Is a model needed: the test statistic between two hypotheses, of which one is a special case of the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from astropy import units as u
from scipy.stats import chi2, norm

from geminga.errors import FitError, InputError
from geminga.modeling.fit import Fit
from geminga.modeling.fit.end import End
from geminga.modeling.fit.objective import Objective, all_or_nothing, as_list, models_of, stat_sum_of
from geminga.modeling.models import Models
from geminga.modeling.parameters import Parameters

__all__ = ["NestedModelSelection", "select_nested_models"]


class NestedModelSelection:
    """Test of a null hypothesis, in which some parameters have given values, against that in which they are free.

    Parameters
    ----------
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

    Raises
    ------
    InputError
        If there are not as many values as parameters.

    References
    ----------
    S. S. Wilks (1938), Ann. Math. Statist. 9, 60: the statistic is distributed as chi2 if the null hypothesis is true and
    not at a bound of the parameters.

    Examples
    --------
    >>> from geminga.modeling import Parameter
    >>> from geminga.modeling.selection import NestedModelSelection
    >>> test = NestedModelSelection([Parameter("amplitude", 1), Parameter("index", 2)], [0, 2], n_sigma=3)
    >>> round(test.ts_threshold, 2)
    11.83
    """

    def __init__(
        self,
        parameters: Sequence[Any],
        null_values: Sequence[Any],
        n_sigma: float = 2,
        n_free_parameters: int | None = None,
        fit: Any = None,
    ) -> None:
        self.parameters, self.null_values = list(parameters), list(null_values)
        if len(self.parameters) != len(self.null_values) or not self.parameters:
            msg = (
                f"select_nested_models got {len(self.parameters)} parameters and {len(self.null_values)} null values; "
                "expected as many, at least one."
            )
            raise InputError(msg)
        self.n_sigma = n_sigma
        self.n_free_parameters = n_free_parameters or len(self.parameters)
        self.fit = Fit() if fit is None else fit

    @property
    def ts_threshold(self) -> float:
        """Test statistic from which the free parameters are preferred."""
        return float(chi2(self.n_free_parameters).isf(2 * norm.sf(self.n_sigma)))

    def _nulls(self) -> list[float]:
        pairs = zip(self.parameters, self.null_values, strict=True)
        return [float(v.to_value(p.unit) if isinstance(v, u.Quantity) else v) for p, v in pairs]

    def ts_known_bkg(self, datasets: Any) -> float:
        """Test statistic of the present values without any fit: all that the null hypothesis leaves is taken as known."""
        best = stat_sum_of(datasets)
        with self._at_null():
            return stat_sum_of(datasets) - best

    def ts_asimov(self, datasets: Any) -> float:
        """The same for counts as the present models predict them (Asimov data): what a measurement can be expected to give."""
        return self.ts_known_bkg([dataset.to_asimov(name=dataset.name) for dataset in as_list(datasets)])

    def ts(self, datasets: Any) -> float:
        """Test statistic of both hypotheses fitted; the models are as they were afterwards."""
        with Parameters(self.parameters).restore_status(), models_of(datasets).restore_status():
            return float(self._compare(datasets)["ts"])

    def run(self, datasets: Any, apply_selection: bool = True) -> dict[str, Any]:
        """Fit both hypotheses and compare them.

        Parameters
        ----------
        datasets : Datasets
            Datasets with their models.
        apply_selection : bool
            Leave the models with the hypothesis that is preferred: fitted with the parameters free if the test statistic is
            above the threshold, else fitted with the parameters frozen at the null values. If false, leave them fitted with the
            parameters free.

        Returns
        -------
        result : dict
            ``ts`` (statistic of the null hypothesis minus that of the other), ``fit_results`` and ``fit_results_null``; the
            latter is None if no parameter is free under the null hypothesis.

        Raises
        ------
        FitError
            If a fit does not converge; the models are then as they were.
        """
        models = models_of(datasets)
        with all_or_nothing(self.parameters, models):
            found = self._compare(datasets)
        if found["ts"] > self.ts_threshold or not apply_selection:
            models.covariance = np.asarray(found["fit_results"].covariance_result.matrix)
            for p, value, error in found["best"]:
                p.value, p.error = value, error
            for p in self.parameters:
                p.frozen = False
        return {key: found[key] for key in ("ts", "fit_results", "fit_results_null")}

    def _compare(self, datasets: Any) -> dict[str, Any]:
        """Both fits; the models are left with the null hypothesis."""
        models = models_of(datasets)
        for p in self.parameters:
            p.frozen = False
        free = self._run(datasets, "with the parameters free")
        best = [(p, p.value, p.error) for p in dict.fromkeys([*models.parameters, *self.parameters])]
        self._set_null()
        null = self._run_null(datasets, models)
        stat = stat_sum_of(datasets) if null is None else null.total_stat
        return {"ts": float(stat - free.total_stat), "fit_results": free, "fit_results_null": null, "best": best}

    def _run_null(self, datasets: Any, models: Models) -> Any:
        """Fit of the null hypothesis, without the parameters which it makes meaningless; None if nothing else is free."""
        if all(p.frozen for p in models.parameters):
            return None
        objective = Objective(datasets)
        dead = End.at(objective, objective.x0).dead
        idle = [p for p, is_dead in zip(objective.free_parameters, dead, strict=True) if is_dead]
        if len(idle) == len(dead):
            return None
        for p in idle:
            p.frozen = True
        null = self._run(datasets, "of the null hypothesis")
        for p in idle:
            p.frozen = False
        return null

    def _set_null(self) -> None:
        for p, value in zip(self.parameters, self._nulls(), strict=True):
            p.value, p.error, p.frozen = value, 0.0, True

    @contextmanager
    def _at_null(self) -> Iterator[None]:
        with Parameters(self.parameters).restore_status():
            self._set_null()
            yield

    def _run(self, datasets: Any, which: str) -> Any:
        result = self.fit.run(datasets)
        if not result.success:
            msg = f"The fit {which} did not converge, so the hypotheses cannot be compared: {result.message}"
            raise FitError(msg)
        return result


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
    parameters, null_values, n_sigma, n_free_parameters, fit
        See `NestedModelSelection`.

    Returns
    -------
    result : dict
        See `NestedModelSelection.run`.

    Raises
    ------
    InputError
        If there are not as many values as parameters.
    FitError
        If a fit does not converge; the models are then as they were.

    Examples
    --------
    >>> from geminga.modeling.selection import select_nested_models
    >>> select_nested_models([], [], [1.0])
    Traceback (most recent call last):
    ...
    geminga.errors.InputError: select_nested_models got 0 parameters and 1 null values; expected as many, at least one.
    """
    return NestedModelSelection(parameters, null_values, n_sigma, n_free_parameters, fit).run(datasets)
