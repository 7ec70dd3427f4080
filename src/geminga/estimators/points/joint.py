r"""Flux points of all bands in one fit: unfolded, with their covariance.

Bands are those of the true energy. The spectrum is the reference times a norm, which is linear in ln E between the centres of the
bands and goes on beyond the first and the last. It is folded forward through the energy dispersion, so that counts of a band that
are measured in its neighbours are put where they belong. Norms are parameters of one fit with the exact gradient of

.. math:: -2 \ln L(F_1, \ldots, F_K) + \lambda \sum_m \Big(\sum_k D_{mk} \ln F_k\Big)^2 ,

with second differences :math:`D` if they are regularised (Tikhonov 1963). The strength may be that of the smallest generalised
cross validation (Golub, Heath & Wahba 1979, Technometrics 21, 215), :math:`K\,\Delta S(\lambda) / (K - \mathrm{df})^2`, where
:math:`\Delta S` is what the statistic has risen above the fit without penalty and :math:`K - \mathrm{df} = \mathrm{tr}(C P)` for
the covariance :math:`C` and the penalty's part :math:`P` of its inverse.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import FitError, InputError
from geminga.estimators.base import as_list
from geminga.estimators.parameter import ParameterEstimator
from geminga.estimators.points.node_norms import NodeNormSpectralModel, Smoothness
from geminga.estimators.points.reasons import MASKED, NO_ENERGY, NO_SIGNAL
from geminga.estimators.points.sed import FluxPointsEstimator
from geminga.flux import FluxPoints
from geminga.flux.covariance import correlation_map
from geminga.maps import MapAxis
from geminga.modeling.models import DatasetModels, SkyModel

__all__ = ["JointFluxPointsEstimator"]

Array = NDArray[np.float64]

#: Strengths among which cross validation chooses.
STRENGTHS = np.geomspace(1e-2, 1e6, 33)
#: Least norm whose logarithm is regularised, relative to the mean.
LEAST = 1e-4


class JointFluxPointsEstimator(FluxPointsEstimator):
    """Unfolded flux points of one source: all bands in one fit, with the covariance between them.

    Parameters
    ----------
    energy_edges : Quantity
        Edges of the bands in true energy.
    regularization : float or "gcv", optional
        Strength of the penalty on second differences of the logarithm of the norms: none, a number, or that of generalised cross
        validation.
    **kwargs
        Further options of `FluxPointsEstimator`. `norm` may have bounds; norms are not negative if it has none.

    Notes
    -----
    Errors are those of all other bands (and, with `reoptimize`, all other free parameters) fitted again. With a penalty they
    are errors of the smooth solution, significances and limits are those of a normal distribution, and there is no scan. The
    covariance then holds the smoothness as if it had been measured, which pulls models that are fitted to the points towards the
    shape of the reference: fit models to points without penalty, or to the datasets.

    All bands with an error count as values (``is_ul`` is false), whatever their significance, so that a fit of models to the
    points uses them all.

    Examples
    --------
    >>> import astropy.units as u
    >>> from geminga.estimators import JointFluxPointsEstimator
    >>> JointFluxPointsEstimator([1, 3, 10, 30] * u.TeV, regularization="gcv").regularization
    'gcv'
    """

    tag = "JointFluxPointsEstimator"

    def __init__(self, energy_edges: Any = None, *, regularization: float | str | None = None, **kwargs: Any) -> None:
        super().__init__(**({} if energy_edges is None else {"energy_edges": energy_edges}), **kwargs)
        if regularization not in (None, "gcv"):
            if isinstance(regularization, (str, bool)) or not np.isfinite(regularization) or regularization < 0:
                msg = f"{self.tag}: regularization is {regularization!r}; expected a number of at least 0, 'gcv' or None."
                raise InputError(msg)
            regularization = float(regularization) or None
        if regularization is not None and len(self.energy_edges) < 4:
            msg = f"{self.tag}: regularization needs at least three bands, there are {len(self.energy_edges) - 1}."
            raise InputError(msg)
        self.regularization = regularization

    def run(self, datasets: Any) -> FluxPoints:  # type: ignore[override]
        """Estimate the flux points.

        Parameters
        ----------
        datasets : Datasets, list of Dataset or Dataset
            With models set, among them the source. They are not changed. Their energy bins inside the bands are used.

        Returns
        -------
        points : FluxPoints
            As of `FluxPointsEstimator.run`, with ``correlation`` of the norms. A norm is that of the differential flux at the
            centre of its band; ``npred_excess`` are the counts that belong to it. The strength of the penalty is
            ``meta["regularization"]``.

        Raises
        ------
        FitError
            If the fit does not converge.
        """
        items = as_list(datasets)
        source = self._find_source(items)
        axis = MapAxis.from_energy_edges(self.energy_edges)
        problem = _Problem(self, items, source)
        problem.fit()
        rows = problem.rows()
        points = self._points(rows, self._region(items), [axis], items, source)
        points._data["correlation"] = correlation_map(points, problem.correlation())
        points.meta["regularization"] = problem.strength
        return points


class _Problem:
    """Datasets inside the bands, copies of their models with a norm at the centre of each band, and the fit."""

    def __init__(self, estimator: Any, items: list[Any], source: Any) -> None:
        self.estimator, self.number = estimator, len(items)
        self.n_band = len(estimator.energy_edges) - 1
        parts = [(number, own) for number, own in enumerate(_cut(d, estimator.energy_edges) for d in items) if own is not None]
        self.place, self.cut = [number for number, _ in parts], [own for _, own in parts]
        #: Bands in which there are data: only these have a norm.
        self.bands = np.flatnonzero(_has_data(self.cut, estimator.energy_edges))
        whole = _has_data(items, estimator.energy_edges, is_masked=False)
        self.reasons = np.where(whole, MASKED, NO_ENERGY).astype(object)
        self.strength, self.norms = 0.0, []
        if not len(self.bands):
            return
        copies, self.source = _models(estimator, items, source, self.nodes)
        for number, own in parts:
            own.models = [copies[id(m)] for m in items[number].models or ()]
        self.models = DatasetModels(list(copies.values()))
        self.norms = list(self.source.spectral_model.parameters)
        self.signal, is_seen = self._signals()
        for p, seen in zip(self.norms, is_seen, strict=True):
            p.frozen = not seen

    @property
    def nodes(self) -> Array:
        """Energies of the norms, TeV."""
        edges = self.estimator.energy_edges.to_value("TeV")
        return np.asarray(np.sqrt(edges[:-1] * edges[1:])[self.bands])

    def _signals(self) -> tuple[Array, Any]:
        """Expected counts that belong to each norm when it is one, shape (n_datasets, n_norms), and whether there are any."""
        out, size = np.zeros((len(self.cut), len(self.norms))), np.zeros(len(self.norms))
        for band in range(len(self.norms)):
            for number, p in enumerate(self.norms):
                p.value = float(number == band)
            for row, dataset in enumerate(self.cut):
                if any(m.name == self.source.name for m in dataset.models):
                    counts = dataset.npred_signal(model_names=[self.source.name]).frozen_data[_inside(dataset)]
                    out[row, band] = float(counts.sum())
                    size[band] += float(np.abs(counts).sum())  # beyond the ends norms go on as lines, also below zero
        for p in self.norms:
            p.value = 1.0
        return out, size > 1e-9 * size.max(initial=0.0)

    def fit(self) -> None:
        """Fit, with the penalty if one is wanted."""
        if not self._free():
            return
        wanted = self.estimator.regularization if len(self._free()) > 2 else None
        self._run()
        if wanted == "gcv":
            wanted = self._cross_validated()
        if wanted:
            self._run(float(wanted))

    def _run(self, strength: float = 0.0) -> float:
        """Fit; returns the statistic of the data."""
        self.strength = strength
        penalty = []
        if strength:
            self._start_smooth()
            penalty = [self._penalty()]
        result = self.estimator.fit.run([*self.cut, *penalty])
        if not result.optimize_result.success:
            msg = f"{self.estimator.tag}: the fit did not converge: {result.message}"
            raise FitError(msg)
        values = np.array([p.value for p in self._free()])
        none = np.zeros(len(values), dtype=bool)
        return float(result.total_stat - sum(own.evaluate(values, none, 0)[0] for own in penalty))

    def _start_smooth(self) -> None:
        """Norms within a factor of their mean, from where logarithms are well behaved."""
        free = self._free()
        positive = [p.value for p in free if p.value > LEAST] or [1.0]
        mean = float(np.exp(np.mean(np.log(positive))))
        for p in free:
            p.value, p.min = float(np.clip(p.value, 0.3 * mean, 3 * mean)), LEAST * mean

    def _penalty(self) -> Smoothness:
        return Smoothness(self._free(), self.nodes[self._is_free()], self.strength)

    def _is_free(self) -> Any:
        return np.array([not p.frozen for p in self.norms], dtype=bool)

    def _free(self) -> list[Any]:
        return [p for p in self.norms if not p.frozen]

    def _cross_validated(self) -> float:
        """Strength with the smallest generalised cross validation."""
        best = self._run()
        scores = []
        for strength in STRENGTHS:
            try:
                rise = max(self._run(float(strength)) - best, 0.0)
            except FitError:
                scores.append(np.inf)
                continue
            values = np.array([p.value for p in self._free()])
            lost = float(np.trace(self._covariance() @ self._penalty().curvature(values)))
            scores.append(len(values) * rise / max(lost, 1e-12) ** 2)
        # The least strength that is as good as the best.
        return float(STRENGTHS[int(np.argmax(np.array(scores) <= 1.01 * np.min(scores)))])

    def _covariance(self) -> Array:
        """Covariance of the norms that are free."""
        models = DatasetModels(list({id(m): m for d in self.cut for m in d.models}.values()))
        return np.asarray(models.covariance.get_subcovariance(self._free()).data)

    def correlation(self) -> Array:
        """Correlation of all bands, NaN for those without an error."""
        out = np.full((self.n_band, self.n_band), np.nan)
        if self._free():
            covariance, where = self._covariance(), self.bands[self._is_free()]
            with np.errstate(divide="ignore", invalid="ignore"):
                error = np.sqrt(np.diag(covariance))
                out[np.ix_(where, where)] = covariance / np.outer(error, error)
        return out

    # ---- results -------------------------------------------------------------------------------

    def rows(self) -> dict[str, Any]:
        """Quantities of shape (1, n_band), or with datasets or scan values first."""
        own, free = self.estimator, self._is_free()
        norm = np.where(free, [p.value for p in self.norms], np.nan) if len(free) else np.zeros(0)
        error = np.array([p.error for p in self.norms], dtype=float)
        error = np.where(free & (error > 0), error * own.n_sigma, np.nan)
        rows: dict[str, Any] = {"norm": norm, "norm_err": error}
        rows |= self._normal(norm, error) if self.strength else self._profiled(free)
        excess = np.full((self.number, len(norm)), np.nan)
        if len(free):
            excess[self.place] = self.signal * np.nan_to_num(norm)
        rows = {name: self._everywhere(values) for name, values in (rows | {"npred_excess": excess}).items()}
        known = np.isfinite(rows["norm"])
        rows["success"], rows["is_ul"] = known.astype(float), ~np.isfinite(rows["norm_err"])
        reason = self.reasons.copy()
        reason[self.bands] = NO_SIGNAL
        rows["reason"] = np.where(known[0], "", reason).reshape(1, -1)
        return rows

    def _everywhere(self, values: Array) -> Array:
        """Values of the norms in their bands, NaN in the others, with an axis of time of one bin."""
        out = np.full((*values.shape[:-1], 1, self.n_band), np.nan)
        out[..., 0, self.bands] = values
        return out

    def _normal(self, norm: Array, error: Array) -> dict[str, Array]:
        """What follows from a normal distribution."""
        own = self.estimator
        sigma = error / own.n_sigma
        root = norm / sigma
        out = {"sqrt_ts": root, "ts": root**2}
        if "errn-errp" in own.selection_optional:
            out |= {"norm_errn": error, "norm_errp": error}
        if "ul" in own.selection_optional:
            out["norm_ul"] = norm + own.n_sigma_ul * sigma
        return out

    def _profiled(self, free: Any) -> dict[str, Array]:
        """What follows from the likelihood with the other norms fitted again."""
        own = self.estimator
        single = ParameterEstimator(own.n_sigma, own.n_sigma_ul, null_value=0.0, fit=own.fit)
        wanted = {"errn-errp": single._errn_errp, "ul": single._ul, "scan": single._scan}
        parts = [function for name, function in wanted.items() if name in own.selection_optional]
        names = {"errn-errp": ("errn", "errp"), "ul": ("ul",)}
        keys = ["stat", "stat_null", "ts", "sqrt_ts", *(f"norm_{k}" for n in own.selection_optional for k in names.get(n, ()))]
        out = {key: np.full(len(self.norms), np.nan) for key in keys}
        if "scan" in own.selection_optional:
            out["stat_scan"] = np.full((len(own.norm.scan_values), len(self.norms)), np.nan)
        stat = float(sum(d.stat_sum() for d in self.cut))
        for band in np.flatnonzero(free):
            p = self.norms[band]
            p.scan_values = np.asarray(own.norm.scan_values, dtype=float)
            found: dict[str, Any] = {}
            for function in parts:
                with self.models.restore_status():
                    found |= function(self.cut, p, True)
            with self.models.restore_status():
                found |= single._ts(self.cut, p, {"stat": stat, p.name: p.value, "success": True})
            found["stat"] = stat
            for key, values in out.items():
                values[..., band] = found[key.replace("norm", p.name)]
        return out


def _cut(dataset: Any, edges: Any) -> Any:
    """Dataset inside the bands, ``None`` if nothing is left of it."""
    axis = dataset._geom.axes["energy"]
    if axis.edges[-1] <= edges[0] or axis.edges[0] >= edges[-1]:
        return None
    own = dataset.slice_by_energy(edges[0], edges[-1], name=dataset.name)
    return own if own.mask is None or np.asarray(own.mask.frozen_data).any() else None


def _has_data(datasets: list[Any], edges: Any, is_masked: bool = True) -> Any:
    """Whether the centre of an energy bin lies in each band, of those that the masks leave if `is_masked`."""
    out = np.zeros(len(edges) - 1, dtype=bool)
    for dataset in datasets:
        center = dataset._geom.axes["energy"].center
        seen = np.ones(len(center), bool)
        if is_masked and dataset.mask is not None:
            seen = dataset.mask.frozen_data.reshape(len(center), -1).any(axis=1)
        band = np.searchsorted(edges.to_value("TeV"), center.to_value("TeV")[seen]) - 1
        out[band[(band >= 0) & (band < len(out))]] = True
    return out


def _models(estimator: Any, items: list[Any], source: Any, nodes: Array) -> tuple[dict[int, Any], Any]:
    """Copies of all models by identity, and that of the source with a norm at each node."""
    copies: dict[int, Any] = {}
    for model in {id(m): m for d in items for m in d.models or ()}.values():
        own = model.copy(name=model.name)
        if model is source:
            spectrum = NodeNormSpectralModel(own.spectral_model, nodes)
            for p in own.parameters:
                p.frozen = True
            parts = (spectrum, own.spatial_model, own.temporal_model)
            own = SkyModel(*parts, name=model.name, apply_irf=model.apply_irf, datasets_names=model.datasets_names)
            for p in spectrum.parameters:
                p.min, p.max = 0.0 if np.isnan(estimator.norm.min) else estimator.norm.min, estimator.norm.max
        elif not estimator.reoptimize:
            for p in own.parameters:
                p.frozen = True
        copies[id(model)] = own
    return copies, copies[id(source)]


def _inside(dataset: Any) -> Any:
    return slice(None) if dataset.mask is None else np.asarray(dataset.mask.frozen_data)
