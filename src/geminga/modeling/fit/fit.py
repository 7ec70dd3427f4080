"""`Fit`: the public face of the optimisers."""

from __future__ import annotations

import html
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import InputError, NameLookupError
from geminga.modeling.fit import profile
from geminga.modeling.fit.backends import Minimum, get_backend
from geminga.modeling.fit.causes import causes_of_failure, causes_of_invalid_start, report_idle
from geminga.modeling.fit.ellipse import minimize_ellipses
from geminga.modeling.fit.end import End
from geminga.modeling.fit.fit_covariance import FitCovariance
from geminga.modeling.fit.forecast import forecast
from geminga.modeling.fit.objective import Objective, all_or_nothing, models_of
from geminga.modeling.fit.result import CovarianceResult, FitResult, OptimizeResult
from geminga.modeling.models.collection import Models

__all__ = ["Fit"]

Array = NDArray[np.float64]

#: How often the IRFs may follow a source that moved during a fit.
MAX_ROUNDS = 4


class Fit:
    """Fit models to datasets.

    The statistic's gradient is exact for every backend. Parameters are written once, when the fit has succeeded;
    a fit that fails, or is interrupted, leaves the models as they were and says why.

    Parameters
    ----------
    backend : {"newton", "minuit", "scipy"}
        Optimiser; the errors of all come from the exact second derivatives.
    optimize_opts : dict, optional
        Options of the backend: ``tol``, ``max_iterations``, ``radius`` (newton); ``tol``, ``strategy``, ``print_level``,
        ``migrad_opts`` (minuit); ``method``, ``options`` (scipy).
    covariance_opts : dict, optional
        ``{"backend": ...}``, accepted for compatibility.
    confidence_opts : dict, optional
        ``{"backend": "newton"}`` or ``{"backend": "minuit"}`` (MINOS), and their options.
    store_trace : bool
        Keep the value of each free parameter at every step.

    Examples
    --------
    >>> from geminga.modeling import Fit
    >>> Fit(backend="newton").backend
    'newton'
    """

    def __init__(
        self,
        backend: str = "newton",
        optimize_opts: dict[str, Any] | None = None,
        covariance_opts: dict[str, Any] | None = None,
        confidence_opts: dict[str, Any] | None = None,
        store_trace: bool = False,
    ) -> None:
        get_backend(backend)
        self.backend = backend
        self.optimize_opts = {"backend": backend, **(optimize_opts or {})}
        self.covariance_opts = {"backend": backend, **(covariance_opts or {})}
        self.confidence_opts = {"backend": backend, **(confidence_opts or {})}
        self.store_trace = store_trace

    def __repr__(self) -> str:
        return f"Fit(backend={self.backend!r})"

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"

    def run(self, datasets: Any) -> FitResult:
        """Optimise and estimate the covariance.

        Parameters
        ----------
        datasets : Datasets, list of Dataset or Dataset
            What to fit.

        Returns
        -------
        result : FitResult
            Value, status and message.

        Raises
        ------
        FitError
            If there are no models, or nothing is free.
        ParameterError
            If a value lies outside its bounds.
        UnsupportedError
            If a penalty does not give its derivatives.
        """
        objective = Objective(datasets)
        report_idle(objective.parameters, models_of(datasets))
        with all_or_nothing(objective.parameters, models_of(datasets)):
            optimized, end = self._optimize(objective, datasets)
            if not optimized.success:
                return FitResult(optimized)
            return FitResult(optimized, self._covariance(objective, end, optimized.models))

    def optimize(self, datasets: Any) -> OptimizeResult:
        """Find the minimum and write it into the models' parameters."""
        objective = Objective(datasets)
        with all_or_nothing(objective.parameters, models_of(datasets)):
            return self._optimize(objective, datasets)[0]

    def covariance(self, datasets: Any, optimize_result: OptimizeResult | None = None) -> CovarianceResult:
        """Covariance at the present values, from the exact second derivatives; sets errors and ``models.covariance``."""
        objective, models = Objective(datasets), models_of(datasets)
        with all_or_nothing(objective.parameters, models):
            return self._covariance(objective, End.at(objective, objective.x0), models)

    def _optimize(self, objective: Objective, datasets: Any) -> tuple[OptimizeResult, End]:
        backend = get_backend(self.optimize_opts["backend"])
        names = objective.names()
        x = objective.x0
        trace: list[tuple[float, Array]] = []
        for _ in range(MAX_ROUNDS):
            minimum = minimize_ellipses(backend, objective, x, names, self.optimize_opts)
            trace += minimum.trace
            x = minimum.x
            if not minimum.success or not objective.refresh(x):
                break
        else:
            minimum.success = True
        end = End.at(objective, x, 3 if minimum.success else 2)
        success, remarks = self._judge(end, minimum)
        if success:
            objective.write(x)
        models = models_of(datasets)
        result = OptimizeResult(
            models=models,
            nfev=objective.nfev,
            total_stat=end.stat,
            trace=_trace_table(trace if self.store_trace else [], models, objective),
            minuit=minimum.minuit,
            backend=self.optimize_opts["backend"],
            method=minimum.method,
            success=success,
            message=" ".join(f"{remark}." for remark in remarks),
        )
        return result, end

    def _judge(self, end: End, minimum: Minimum) -> tuple[bool, list[str]]:
        """Whether it is a minimum, and sentences about it."""
        names, objective = end.names, end.objective
        dead = end.dead & ~end.at_bound
        success = minimum.success and not dead.any() and not end.reaction.lower
        if success:
            return True, ["Optimization terminated successfully", *end.remarks(True)]
        reason = "" if minimum.success or not minimum.reason else f": {minimum.reason}"
        out = [f"Fit failed{reason}"]
        steep = [] if minimum.success else end.steep()
        if steep:
            out.append(f"The statistic still falls along {', '.join(steep)}")
        out += ["The models are unchanged", *end.remarks(minimum.success)]
        if not np.isfinite(end.stat):
            return False, out + causes_of_invalid_start(objective.datasets, objective.parameters)
        lost = dict.fromkeys(names[i].rpartition(".")[0] for i in np.flatnonzero(dead & objective.logarithmic))
        return False, out + causes_of_failure(objective.datasets, list(lost), len(names))

    def _covariance(self, objective: Objective, end: End, models: Models) -> CovarianceResult:
        covariance, problem = end.covariance()
        free, names = objective.free_parameters, end.names
        block = FitCovariance(models.parameters, free, covariance)
        models._keep(block)
        for p in set(models.parameters).difference(free):
            p.error = 0.0
        variances = np.full(len(free), np.nan) if covariance is None else covariance.variances()
        for p, variance in zip(free, variances.tolist(), strict=True):
            p.error = math.sqrt(variance) if variance >= 0 else math.nan
        missing = [
            f"{names[i]} ({'at a bound' if end.at_bound[i] else 'without effect'})" for i in np.flatnonzero(np.isnan(variances))
        ]
        message = "Hesse terminated successfully."
        if problem:
            message = f"Covariance failed: {problem}."
        elif missing:
            message += f" No error for {', '.join(missing)}."
        return CovarianceResult(
            matrix=None if problem else block, backend=self.backend, method="exact hessian", success=not problem, message=message
        )

    forecast = forecast

    def confidence(self, datasets: Any, parameter: Any, sigma: float = 1, reoptimize: bool = True) -> dict[str, Any]:
        """Asymmetric errors of a parameter, where the profile statistic rises by ``sigma**2``.

        Parameters
        ----------
        datasets : Datasets, list of Dataset or Dataset
            Datasets, with their models at the minimum.
        parameter : Parameter or str
            A free parameter.
        sigma : float
            Number of standard deviations.
        reoptimize : bool
            Minimise over the other parameters at every point.

        Returns
        -------
        result : dict
            ``success``, ``message``, ``errp``, ``errn``, ``nfev``; NaN on a side where the statistic does not rise enough.
        """
        if not 0 < sigma < np.inf:
            msg = f"Fit.confidence got sigma {sigma}; expected a number above 0."
            raise InputError(msg)
        objective = Objective(datasets)
        position = self._position(objective, datasets, parameter)
        if self.confidence_opts["backend"] == "minuit" and reoptimize:
            return profile.minos(objective, position, sigma)
        return profile.confidence(objective, position, sigma, reoptimize)

    def _position(self, objective: Objective, datasets: Any, parameter: Any) -> int:
        own = models_of(datasets).parameters[parameter]
        for i, p in enumerate(objective.free_parameters):
            if p is own:
                return i
        msg = f"Parameter {own.name!r} is frozen, so it has no profile; free ones: {', '.join(objective.names())}."
        raise NameLookupError(msg)

    def stat_profile(self, datasets: Any, parameter: Any, reoptimize: bool = False) -> dict[str, Any]:
        """Statistic at ``parameter.scan_values``.

        Returns
        -------
        result : dict
            ``"<model>.<kind>.<name>_scan"``, ``stat_scan`` and, with `reoptimize`, ``fit_results``.
        """
        models = models_of(datasets)
        own = models.parameters[parameter]
        name = _unique_name(models, own)
        values = np.asarray(own.scan_values, dtype=float)
        stat, minima = profile.scan(datasets, [own], values[:, None], reoptimize)
        return {f"{name}_scan": values, "stat_scan": stat, "fit_results": _scan_results(minima, models)}

    def stat_surface(self, datasets: Any, x: Any, y: Any, reoptimize: bool = False) -> dict[str, Any]:
        """Statistic on the grid of scan values of two parameters; ``stat_scan`` has shape (n_x, n_y)."""
        models = models_of(datasets)
        first, second = models.parameters[x], models.parameters[y]
        values_x, values_y = np.asarray(first.scan_values, dtype=float), np.asarray(second.scan_values, dtype=float)
        grid = np.stack(np.meshgrid(values_x, values_y, indexing="ij"), axis=-1)
        stat, minima = profile.scan(datasets, [first, second], grid.reshape(-1, 2), reoptimize)
        return {
            f"{_unique_name(models, first)}_scan": values_x,
            f"{_unique_name(models, second)}_scan": values_y,
            "stat_scan": stat.reshape(grid.shape[:2]),
            "fit_results": _scan_results(minima, models),
        }

    def stat_contour(self, datasets: Any, x: Any, y: Any, numpoints: int = 10, sigma: float = 1) -> dict[str, Any]:
        """Contour on which the profile statistic has risen by ``sigma**2``; it is cut off by the bounds of the parameters.

        With ``confidence_opts={"backend": "minuit"}`` it is followed by MNCONTOUR.

        Returns
        -------
        result : dict
            Coordinates under the unique names of the two parameters (closed: the first point is repeated), ``success``.
        """
        models = models_of(datasets)
        objective = Objective(datasets)
        i, j = (self._position(objective, datasets, p) for p in (x, y))
        if i == j or not sigma > 0:
            msg = f"Fit.stat_contour got {x!r}, {y!r} and sigma {sigma}; expected two parameters that differ, and sigma above 0."
            raise InputError(msg)
        if not numpoints >= 3:
            msg = f"Fit.stat_contour got numpoints {numpoints}; expected at least 3."
            raise InputError(msg)
        follow = profile.mncontour if self.confidence_opts["backend"] == "minuit" else profile.contour
        first, second, success = follow(objective, i, j, numpoints, sigma)
        names = [_unique_name(models, models.parameters[p]) for p in (x, y)]
        return {names[0]: first, names[1]: second, "success": success}


def _scan_results(minima: list[tuple[Minimum, int]], models: Any) -> list[OptimizeResult]:
    """The points of a scan as results; the models are not changed."""
    return [
        OptimizeResult(
            models=models,
            nfev=nfev,
            total_stat=float(minimum.stat),
            trace=None,
            backend="newton",
            method=minimum.method,
            success=minimum.success,
            message=minimum.reason or "Optimization terminated successfully.",
        )
        for minimum, nfev in minima
    ]


def _unique_name(models: Models, parameter: Any) -> str:
    for own, name in zip(models.parameters, models.parameters_unique_names, strict=True):
        if own is parameter:
            return str(name)
    msg = f"Parameter {parameter!r} does not belong to the models."
    raise NameLookupError(msg)


def _trace_table(trace: list[tuple[float, Array]], models: Models, objective: Objective) -> Any:
    from astropy.table import Table

    table = Table()
    if trace:
        table["total_stat"] = [stat for stat, _ in trace]
        for i, p in enumerate(objective.free_parameters):
            table[_unique_name(models, p)] = [x[i] for _, x in trace]
    return table
