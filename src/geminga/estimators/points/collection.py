"""Flux points of several sources, whose norms are fitted together in each band."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import GemingaError, InputError, NameLookupError
from geminga.estimators.base import as_list, check_sigma, energy_bands
from geminga.estimators.parameter import ParameterEstimator
from geminga.estimators.points.reasons import described
from geminga.estimators.points.refit import scale_model
from geminga.flux import FluxPoints
from geminga.maps import Map, RegionGeom
from geminga.modeling import Fit, Parameter
from geminga.modeling.models import DatasetModels, SkyModel

__all__ = ["FluxCollectionEstimator"]

Array = NDArray[np.float64]

OPTIONAL = {"errn-errp": ("norm_errn", "norm_errp"), "ul": ("norm_ul",)}


class FluxCollectionEstimator:
    """Flux points of several sources at once: in each band of energy their norms are fitted together.

    Parameters
    ----------
    energy_edges : Quantity
        Edges of the bands, rounded to the energy bins of the first dataset.
    models : list of SkyModel or str
        Sources among the models of the datasets, or their names.
    n_sigma, n_sigma_ul : float
        Standard deviations of errors and upper limits.
    norm : Parameter, optional
        Bounds and scan values of the norms.
    solver : Fit, optional
        Anything with ``run(datasets)`` which leaves values and errors in the parameters; a `Fit` if not given.
    reoptimize : bool
        Fit the free parameters of all other models in each band as well.
    selection_optional : list of str or "all", optional
        ``"errn-errp"``, ``"ul"``.

    Examples
    --------
    >>> import astropy.units as u
    >>> from geminga.estimators.points.sed import FluxCollectionEstimator
    >>> FluxCollectionEstimator([1, 3, 10] * u.TeV, models=["crab", "other"]).selection_optional
    []
    """

    def __init__(
        self,
        energy_edges: Any,
        models: Any,
        n_sigma: float = 1,
        n_sigma_ul: float = 2,
        norm: Any = None,
        solver: Any = None,
        reoptimize: bool = False,
        selection_optional: Any = None,
    ) -> None:
        self.energy_edges = energy_edges
        self.names = [getattr(model, "name", model) for model in models]
        if not self.names or len(set(self.names)) < len(self.names):
            msg = f"FluxCollectionEstimator: models are {self.names}; expected at least one, each once."
            raise InputError(msg)
        self.n_sigma, self.n_sigma_ul = check_sigma("n_sigma", n_sigma), check_sigma("n_sigma_ul", n_sigma_ul)
        default = Parameter("norm", 1, unit="", interp="log", scan_min=0.2, scan_max=5, scan_n_values=11)
        self.norm = default if norm is None else norm
        self.solver = Fit() if solver is None else solver
        self.reoptimize = reoptimize
        chosen = list(OPTIONAL) if selection_optional == "all" else list(selection_optional or [])
        if set(chosen) - set(OPTIONAL):
            msg = f"FluxCollectionEstimator: selection_optional {chosen}; expected some of {list(OPTIONAL)}, or 'all'."
            raise InputError(msg)
        self.selection_optional = chosen

    def run(self, datasets: Any) -> dict[str, Any]:
        """Estimate the flux points.

        Parameters
        ----------
        datasets : Datasets, list of Dataset or Dataset
            With models set, among them the sources. They are not changed.

        Returns
        -------
        result : dict
            ``energy_edges``; ``solver_results``, an array with what the solver returned in each band (None where it failed); and
            ``flux_points``, a dict of `FluxPoints` by name of the source. A band that cannot be fitted is a row of NaN, with its
            reason in ``meta["failures"]``.

        Raises
        ------
        NameLookupError
            If a source is not among the models.
        """
        items = as_list(datasets)
        known = {m.name: m for d in items for m in d.models or () if hasattr(m, "spectral_model") and hasattr(m, "apply_irf")}
        missing = [name for name in self.names if name not in known]
        if missing:
            names = ", ".join(known)
            msg = f"FluxCollectionEstimator: there is no source {missing[0]!r} among the models of the datasets: {names}."
            raise NameLookupError(msg)
        axis = energy_bands(items[0]._geom.axes["energy"], self.energy_edges)
        bands = [self._band(items, low, high) for low, high in zip(axis.edges_min, axis.edges_max, strict=True)]
        results = np.empty(len(bands), dtype=object)
        results[:] = [band["result"] for band in bands]
        reasons = np.array([[band["reason"] for band in bands]], dtype=object)
        points = {
            name: self._points(known[name], axis, [band["rows"].get(name, {}) for band in bands], reasons) for name in self.names
        }
        return {"energy_edges": axis.edges, "solver_results": results, "flux_points": points}

    def _band(self, items: list[Any], low: Any, high: Any) -> dict[str, Any]:
        """Norms of all sources in one band."""
        out: dict[str, Any] = {"result": None, "reason": "", "rows": {}}
        cut = []
        for dataset in items:
            axis = dataset._geom.axes["energy"]
            if axis.edges[-1] <= low * (1 + 1e-6) or axis.edges[0] >= high * (1 - 1e-6):
                continue
            own = dataset.slice_by_energy(low, high, name=dataset.name)
            if own.mask is None or np.asarray(own.mask.frozen_data).any():
                cut.append((dataset, own))
        if not cut:
            return out | {"reason": "no energy bin of the datasets that is not masked lies inside the band"}
        copies, norms = self._models(items)
        for dataset, own in cut:
            own.models = [copies[id(m)] for m in dataset.models or ()]
        used = [own for _, own in cut]
        try:
            result = self.solver.run(used)
            if not getattr(result, "success", True):
                return out | {"result": result, "reason": f"the fit did not converge: {getattr(result, 'message', '')}"}
            rows = {name: self._row(used, DatasetModels(list(copies.values())), p) for name, p in norms.items()}
        except GemingaError as error:
            return out | {"reason": f"{type(error).__name__}: {error}"}
        return out | {"result": result, "rows": rows}

    def _models(self, items: list[Any]) -> tuple[dict[int, Any], dict[str, Any]]:
        """Copies of all models by identity, and the norms of the sources by name."""
        copies, norms = {}, {}
        for model in {id(m): m for d in items for m in d.models or ()}.values():
            own = model.copy(name=model.name)
            if model.name in self.names:
                for p in own.parameters:
                    p.frozen = True
                parts = (scale_model(model, self.norm), own.spatial_model, own.temporal_model)
                own = SkyModel(*parts, name=model.name, apply_irf=model.apply_irf, datasets_names=model.datasets_names)
                norms[model.name] = own.spectral_model.norm
            elif not self.reoptimize:
                for p in own.parameters:
                    p.frozen = True
            copies[id(model)] = own
        return copies, norms

    def _row(self, datasets: list[Any], models: Any, p: Any) -> dict[str, float]:
        """What is asked for of one source, the others fitted again."""
        fit = self.solver if isinstance(self.solver, Fit) else Fit()
        single = ParameterEstimator(self.n_sigma, self.n_sigma_ul, null_value=0.0, fit=fit)
        stat = float(sum(d.stat_sum() for d in datasets))
        found: dict[str, float] = {"norm": p.value, "norm_err": p.error * self.n_sigma, "stat": stat}
        parts = {"errn-errp": single._errn_errp, "ul": single._ul}
        for name in self.selection_optional:
            with models.restore_status():
                found |= parts[name](datasets, p, True)
        with models.restore_status():
            found |= single._ts(datasets, p, {"stat": stat, p.name: p.value, "success": True})
        return found

    def _points(self, model: Any, axis: Any, rows: list[dict[str, float]], reasons: Any) -> FluxPoints:
        names = ["norm", "norm_err", "stat", "stat_null", "ts", "sqrt_ts"]
        names += [quantity for name in self.selection_optional for quantity in OPTIONAL[name]]
        geom = RegionGeom.create(None, axes=[axis])
        data = {
            name: Map.from_geom(geom, data=np.array([row.get(name, np.nan) for row in rows]).reshape(geom.data_shape))
            for name in names
        }
        data["success"] = Map.from_geom(geom, data=np.array([bool(row) for row in rows]).reshape(geom.data_shape))
        meta: dict[str, Any] = {"n_sigma": self.n_sigma, "n_sigma_ul": self.n_sigma_ul, "sed_type_init": "likelihood"}
        failures = described(reasons, [axis])
        if failures:
            meta["failures"] = failures
        return FluxPoints(data, reference_model=model.copy(name=model.name), meta=meta)
