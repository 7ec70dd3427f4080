"""The value of a parameter that a dataset would tell from another."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy.optimize import brentq

from geminga.errors import InputError
from geminga.estimators.base import as_list, check_sigma
from geminga.modeling import Fit
from geminga.modeling.fit.objective import stat_sum_of
from geminga.modeling.models import Models
from geminga.stats import ts_to_sigma

__all__ = ["ParameterSensitivityEstimator"]


class ParameterSensitivityEstimator:
    """Value of a parameter which is expected to be distinguished from a null value with a significance.

    For a value of the parameter the counts that the models predict are taken as data. Their test statistic against the null
    value, with the other free parameters fitted again, is that which is expected (Cowan et al. 2011, EPJ C71, 1554).

    Parameters
    ----------
    parameter : Parameter
        Parameter.
    null_value : float
        Its value under the null hypothesis.
    n_sigma : float
        Significance.
    n_free_parameters : int, optional
        Number of degrees of freedom of the test; one if not given.
    rtol : float
        Relative accuracy of the value.
    max_niter : int
        Number of data sets that are tried.

    Examples
    --------
    >>> from geminga.estimators import ParameterSensitivityEstimator
    >>> from geminga.modeling.models import PowerLawSpectralModel
    >>> amplitude = PowerLawSpectralModel().amplitude
    >>> ParameterSensitivityEstimator(amplitude, null_value=0).n_sigma
    5.0
    """

    tag: ClassVar[str] = "ParameterSensitivityEstimator"

    def __init__(
        self,
        parameter: Any,
        null_value: float,
        n_sigma: float = 5,
        n_free_parameters: int | None = None,
        rtol: float = 0.01,
        max_niter: int = 100,
    ) -> None:
        self.parameter = parameter
        self.n_sigma = check_sigma("n_sigma", n_sigma)
        self.rtol, self.max_niter = float(rtol), int(max_niter)
        #: The test: null value, and number of degrees of freedom.
        self.test = {"null_value": float(null_value), "n_free_parameters": int(n_free_parameters or 1)}

    def run(self, datasets: Any) -> float:
        """Value which has the significance; NaN if none has.

        Parameters
        ----------
        datasets : Datasets, list of Dataset or Dataset
            With models, among them that of the parameter. Neither is changed.

        Returns
        -------
        value : float
            In the unit of the parameter, on the side of the null value on which the present value is.

        Raises
        ------
        InputError
            If the parameter belongs to none of the models.
        """
        return self.parameter_matching_significance(datasets)

    def parameter_matching_significance(self, datasets: Any) -> float:
        """See `run`."""
        items = as_list(datasets)
        models = Models(list({id(m): m for d in items for m in d.models or ()}.values()))
        if not any(p is self.parameter for p in models.parameters):
            msg = (
                f"ParameterSensitivityEstimator: parameter {self.parameter.name!r} belongs to none of the models of the datasets."
            )
            raise InputError(msg)
        null = self.test["null_value"]
        step = self.parameter.value - null
        step = step if step != 0 else max(abs(null), 1.0) * 0.1
        number = 0

        def excess(distance: float) -> float:
            nonlocal number
            number += 1
            return self._significance(items, models, null + distance * step) - self.n_sigma

        low, high = 0.0, 1.0
        with models.restore_status():
            while not excess(high) >= 0:
                low, high = high, 2 * high
                if number >= self.max_niter or not self._is_allowed(null + high * step):
                    return float("nan")
            tolerance = 0.1 * self.rtol * max(abs(null / step + high), high) if null else self.rtol * high
            found = brentq(excess, low, high, xtol=min(tolerance, self.rtol * high), maxiter=self.max_niter)
        return float(null + found * step)

    def _is_allowed(self, value: float) -> bool:
        return not (value > self.parameter.max or value < self.parameter.min)

    def _significance(self, items: list[Any], models: Models, value: float) -> float:
        """Expected significance of a value."""
        if value == self.test["null_value"]:
            return 0.0
        with models.restore_status():
            self.parameter.value = value
            expected = [d.to_asimov(name=d.name) for d in items]
            if not all(np.isfinite(d.counts.frozen_data).all() for d in expected):
                return float("nan")
            best = stat_sum_of(expected)
            self.parameter.value, self.parameter.frozen = self.test["null_value"], True
            null = stat_sum_of(expected)
            if any(not p.frozen for p in models.parameters):
                null = min(null, float(Fit().optimize(expected).total_stat))
        ts = max(float(null - best), 0.0)
        return float(np.sign(ts) * ts_to_sigma(ts, df=self.test["n_free_parameters"]))
