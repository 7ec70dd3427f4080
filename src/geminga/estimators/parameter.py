"""All that one asks about a single parameter: value, errors, limit, significance, profile."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy.optimize import brentq

from geminga.errors import InputError
from geminga.estimators.base import Estimator, as_list, check_sigma
from geminga.modeling import Fit
from geminga.modeling.fit.objective import models_of, stat_sum_of
from geminga.modeling.models import Models

__all__ = ["ParameterEstimator"]


class ParameterEstimator(Estimator):
    """Value of one parameter with errors, upper limit, significance and profile.

    Parameters
    ----------
    n_sigma, n_sigma_ul, n_sigma_sensitivity : float
        Standard deviations of errors, upper limit and sensitivity.
    null_value : float
        Value without the source, for the test statistic.
    selection_optional : list of str or "all", optional
        ``"errn-errp"``, ``"ul"``, ``"scan"``, ``"sensitivity"``.
    fit : Fit, optional
        Optimiser.
    reoptimize : bool
        Fit the other free parameters as well, also at every point of profiles.

    Examples
    --------
    >>> from geminga.estimators import ParameterEstimator
    >>> ParameterEstimator(selection_optional=["ul"]).config_parameters["reoptimize"]
    True
    """

    tag = "ParameterEstimator"
    _selection_all: ClassVar[tuple[str, ...]] = ("errn-errp", "ul", "scan", "sensitivity")

    def __init__(
        self,
        n_sigma: float = 1,
        n_sigma_ul: float = 2,
        n_sigma_sensitivity: float = 5,
        null_value: float = 1e-150,
        selection_optional: Any = None,
        fit: Any = None,
        reoptimize: bool = True,
    ) -> None:
        self.n_sigma = check_sigma("n_sigma", n_sigma)
        self.n_sigma_ul = check_sigma("n_sigma_ul", n_sigma_ul)
        self.n_sigma_sensitivity = check_sigma("n_sigma_sensitivity", n_sigma_sensitivity)
        self.null_value = null_value
        self.selection_optional = selection_optional
        self.fit = Fit() if fit is None else fit
        self.reoptimize = reoptimize

    def run(self, datasets: Any, parameter: Any) -> Any:  # type: ignore[override]
        """Estimate everything that is selected.

        Parameters
        ----------
        datasets : Datasets, list of Dataset or Dataset
            With models set. They are left as they were.
        parameter : Parameter or str
            Parameter, or its name if that is unique.

        Returns
        -------
        result : dict
            Value under the name of the parameter, ``<name>_err``, ``stat``, ``stat_null``, ``ts``, ``sqrt_ts``, ``niter``,
            ``success``, ``message``, ``counts``, ``npred``, and by `selection_optional` ``<name>_errp``, ``<name>_errn``,
            ``<name>_ul``, ``<name>_scan`` with ``stat_scan``, ``<name>_sensitivity``. NaN where a fit does not succeed.
        """
        items = as_list(datasets)
        models, own = _find(items, parameter)
        parts = {
            "errn-errp": self._errn_errp,
            "ul": self._ul,
            "scan": self._scan,
            "sensitivity": self._sensitivity,
        }
        with models.restore_status():
            result = self._best_fit(items, models, own)
            result |= self.estimate_counts(items) | self.estimate_npred(items)
            for name, part in parts.items():
                if name in self.selection_optional:
                    result |= part(items, own, result["success"])
            result |= self._ts(items, own, result)
        return result

    # ---- single parts; each leaves the models as they were ------------------------------------

    def estimate_best_fit(self, datasets: Any, parameter: Any) -> dict[str, Any]:
        """Best value and its error."""
        items = as_list(datasets)
        models, own = _find(items, parameter)
        with models.restore_status():
            return self._best_fit(items, models, own)

    def estimate_ts(self, datasets: Any, parameter: Any) -> dict[str, Any]:
        """Test statistic of the present value against `null_value`."""
        items = as_list(datasets)
        models, own = _find(items, parameter)
        with models.restore_status():
            stat = stat_sum_of(items)
            return self._ts(items, own, {"stat": stat, own.name: own.value, "success": True})

    def estimate_errn_errp(self, datasets: Any, parameter: Any) -> dict[str, Any]:
        """Asymmetric errors around the present value."""
        return self._at_present(datasets, parameter, self._errn_errp)

    def estimate_ul(self, datasets: Any, parameter: Any) -> dict[str, Any]:
        """Upper limit, from the present value."""
        return self._at_present(datasets, parameter, self._ul)

    def estimate_scan(self, datasets: Any, parameter: Any) -> dict[str, Any]:
        """Statistic at ``parameter.scan_values``."""
        return self._at_present(datasets, parameter, self._scan)

    def estimate_sensitivity(self, datasets: Any, parameter: Any) -> dict[str, Any]:
        """Value whose expected counts have a significance of `n_sigma_sensitivity` against `null_value`."""
        return self._at_present(datasets, parameter, self._sensitivity)

    @staticmethod
    def estimate_counts(datasets: Any) -> dict[str, Any]:
        """Counts inside the mask of each dataset, and the names of the datasets."""
        items = as_list(datasets)
        counts = [float(np.asarray(d.counts.frozen_data)[_inside(d)].sum()) for d in items]
        return {"counts": np.array(counts), "datasets": [d.name for d in items]}

    @staticmethod
    def estimate_npred(datasets: Any) -> dict[str, Any]:
        """Predicted counts inside the mask of each dataset, and the names of the datasets."""
        items = as_list(datasets)
        npred = [float(np.asarray(d.npred().frozen_data)[_inside(d)].sum()) for d in items]
        return {"npred": np.array(npred), "datasets": [d.name for d in items]}

    # ---- how ----------------------------------------------------------------------------------

    def _at_present(self, datasets: Any, parameter: Any, part: Any) -> dict[str, Any]:
        items = as_list(datasets)
        models, own = _find(items, parameter)
        with models.restore_status():
            own.frozen = False
            result: dict[str, Any] = part(items, own, True)
            return result

    def _best_fit(self, items: list[Any], models: Any, own: Any) -> dict[str, Any]:
        own.frozen = False
        if not self.reoptimize:
            for p in models.parameters.free_parameters:
                p.frozen = p is not own
        result = self.fit.run(items)
        found = result.optimize_result
        success = bool(found.success)
        return {
            own.name: own.value if success else np.nan,
            f"{own.name}_err": own.error * self.n_sigma if success else np.nan,
            "stat": found.total_stat if success else np.nan,
            "niter": found.nfev,
            "success": success,
            "message": str(result.message),
        }

    def _ts(self, items: list[Any], own: Any, best: dict[str, Any]) -> dict[str, float]:
        own.value, own.frozen = self.null_value, True
        if self.reoptimize and len(models_of(items).parameters.free_parameters):
            null = float(self.fit.optimize(items).total_stat)
        else:
            null = stat_sum_of(items)
        ts = null - best["stat"]
        root = np.sign(best[own.name] - self.null_value) * np.sqrt(max(ts, 0.0)) if best["success"] else np.nan
        return {"stat_null": null, "ts": ts, "sqrt_ts": float(root)}

    def _errn_errp(self, items: list[Any], own: Any, success: bool) -> dict[str, float]:
        limits = {"errp": np.nan, "errn": np.nan}
        if success:
            limits = self.fit.confidence(items, own, sigma=self.n_sigma, reoptimize=self.reoptimize)
        return {f"{own.name}_errp": limits["errp"], f"{own.name}_errn": limits["errn"]}

    def _ul(self, items: list[Any], own: Any, success: bool) -> dict[str, float]:
        if not success:
            return {f"{own.name}_ul": np.nan}
        error = self.fit.confidence(items, own, sigma=self.n_sigma_ul, reoptimize=self.reoptimize)["errp"]
        return {f"{own.name}_ul": own.value + error}

    def _scan(self, items: list[Any], own: Any, success: bool) -> dict[str, Any]:
        values = np.asarray(own.scan_values, dtype=float)
        if not success:
            return {f"{own.name}_scan": values, "stat_scan": np.full(len(values), np.nan)}
        stat = self.fit.stat_profile(items, own, reoptimize=self.reoptimize)["stat_scan"]
        return {f"{own.name}_scan": values, "stat_scan": stat}

    def _sensitivity(self, items: list[Any], own: Any, success: bool) -> dict[str, float]:
        """For expected counts at a value, the other parameters are at their truth: no fit is needed at either end."""
        present = own.value

        def significance(value: float) -> float:
            own.value = value
            expected = [d.to_asimov(name=d.name) for d in items]
            best = stat_sum_of(expected)
            own.value = self.null_value
            return stat_sum_of(expected) - best - self.n_sigma_sensitivity**2

        high = max(abs(present), 1e-30)
        for _ in range(200):
            if significance(high) > 0:
                break
            high *= 2
        else:
            return {f"{own.name}_sensitivity": np.nan}
        found = brentq(significance, self.null_value, high, xtol=1e-9 * high)
        own.value = present
        return {f"{own.name}_sensitivity": float(found)}


def _find(items: list[Any], parameter: Any) -> tuple[Models, Any]:
    """All models of the datasets, and the parameter among them."""
    models = models_of(items)
    if not len(models):
        msg = f"No models are set on dataset {items[0].name!r}; set dataset.models before estimating a parameter."
        raise InputError(msg)
    return models, models.parameters[parameter]


def _inside(dataset: Any) -> Any:
    if dataset.mask is None:
        return slice(None)
    return np.asarray(dataset.mask.frozen_data)
