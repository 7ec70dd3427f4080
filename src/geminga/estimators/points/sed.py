"""Flux points: the norm of a source in bands of energy.

With the other parameters fixed, which is the default, all bands (and for light curves all times) are one batch of
one-parameter problems, see `geminga.numerics.binned_norm`. With ``reoptimize=True`` each band is a fit of its own.
"""

from __future__ import annotations

import logging
from typing import Any

import astropy.units as u
import numpy as np
from numpy.typing import NDArray

from geminga.errors import InputError, NameLookupError
from geminga.estimators.base import as_list, check_data, energy_bands
from geminga.estimators.parameter import ParameterEstimator
from geminga.estimators.points.bins import dataset_bins, joined
from geminga.estimators.points.collection import FluxCollectionEstimator
from geminga.estimators.points.norms import NormOptions, estimate_norms, norm_parameter
from geminga.estimators.points.reasons import batch_reasons, described
from geminga.estimators.points.refit import refit_bands, scale_model
from geminga.flux import FluxPoints
from geminga.maps import LabelMapAxis, Map, MapAxis, RegionGeom
from geminga.modeling.models import ScaleSpectralModel
from geminga.utils.parallel import checked_n_jobs
from geminga.utils.threads import single_thread

__all__ = ["FluxCollectionEstimator", "FluxPointsEstimator"]

log = logging.getLogger(__name__)

Array = NDArray[np.float64]

#: Quantities with a value for each dataset.
PER_DATASET = ("counts", "npred", "npred_excess")


class FluxPointsEstimator(ParameterEstimator):
    """Flux points of one source in bands of energy.

    In each band the spectrum of the source keeps the shape of its model, and its norm is fitted to all datasets together.

    Parameters
    ----------
    energy_edges : Quantity
        Edges of the bands, rounded to the energy bins of the first dataset; the result has the rounded edges.
    sum_over_energy_groups : bool
        Add the energies of a band before the fit, pixel by pixel.
    n_jobs : int, optional
        Number of processes for the fits of `reoptimize`; without it all bands are solved in one batch.
    parallel_backend, allow_multiple_telescopes
        Accepted for compatibility: datasets of any instruments are fitted jointly.
    source : str or int
        Name or position of the source among the models.
    n_sigma, n_sigma_ul, n_sigma_sensitivity : float
        Standard deviations of errors, upper limits and sensitivity.
    selection_optional : list of str or "all", optional
        ``"errn-errp"``, ``"ul"``, ``"scan"``, ``"sensitivity"``.
    fit : Fit, optional
        Used with `reoptimize`.
    reoptimize : bool
        Fit the free parameters of all other models in each band as well.
    norm : Parameter or dict, optional
        Bounds and scan values of the norm.
    executor : concurrent.futures.Executor, optional
        Where to run the fits of `reoptimize` instead, such as ``dask.distributed.Client().get_executor()``.

    Examples
    --------
    >>> import astropy.units as u
    >>> from geminga.estimators import FluxPointsEstimator
    >>> FluxPointsEstimator([1, 3, 10] * u.TeV, source="crab", selection_optional="all").selection_optional
    ['errn-errp', 'ul', 'scan', 'sensitivity']
    """

    tag = "FluxPointsEstimator"
    _further_parameters = ("source", "norm")

    n_jobs: int | None = None
    parallel_backend: str | None = None

    def __init__(
        self,
        energy_edges: Any = [1, 10] * u.TeV,
        sum_over_energy_groups: bool = False,
        n_jobs: int | None = None,
        parallel_backend: str | None = None,
        allow_multiple_telescopes: bool = False,
        **kwargs: Any,
    ) -> None:
        self.energy_edges = _edges(energy_edges)
        self.sum_over_energy_groups = sum_over_energy_groups
        checked_n_jobs(n_jobs)
        self.n_jobs, self.parallel_backend = n_jobs, parallel_backend
        self.allow_multiple_telescopes = allow_multiple_telescopes
        self.source = kwargs.pop("source", 0)
        self.norm = norm_parameter(kwargs.pop("norm", None))
        self.executor = kwargs.pop("executor", None)
        super().__init__(**({"reoptimize": False, "null_value": 0.0} | kwargs))

    def run(self, datasets: Any) -> FluxPoints:  # type: ignore[override]
        """Estimate the flux points.

        Parameters
        ----------
        datasets : Datasets, list of Dataset or Dataset
            With models set, among them the source. They are not changed.

        Returns
        -------
        points : FluxPoints
            ``norm``, ``norm_err``, ``ts``, ``sqrt_ts``, ``stat``, ``stat_null``, ``counts``, ``npred``, ``npred_excess``,
            ``niter``, ``success`` and what `selection_optional` asks for. A band outside of the data, without a bin inside the
            mask, without exposure, or whose fit fails is a row of NaN with ``success`` false; ``meta["failures"]`` says which
            and why.

        Raises
        ------
        NameLookupError
            If there is no such source.
        DataError
            For data inside the mask that are not numbers, before anything is computed; with `reoptimize` such a band is a row
            of NaN.
        """
        items = as_list(datasets)
        source = self._find_source(items)
        axis = self._energy_axis(items)
        with single_thread():
            rows = self._estimate(items, source, axis, [0] * len(items), 1)
        region = self._region(items)
        return self._points(rows, region, [axis], items, source)

    def estimate_flux_point(self, datasets: Any, energy_min: Any, energy_max: Any) -> dict[str, Any]:
        """All quantities of one band, by name; those for each dataset as arrays."""
        one = self.copy()
        one.energy_edges = _edges(u.Quantity([energy_min, energy_max]))
        points = one.run(datasets)
        axis = points.geom.axes["energy"]
        out: dict[str, Any] = {"e_min": axis.edges[0], "e_max": axis.edges[-1], "e_ref": axis.center[0]}
        for name in points.available_quantities:
            values = np.squeeze(points[name].frozen_data)
            out[name] = values if values.ndim else values.item()
        return out

    def get_scale_model(self, models: Any) -> ScaleSpectralModel:
        """Spectrum of the source, fixed but for a norm."""
        return scale_model(self._source_in(models), self.norm)

    def estimate_npred_excess(self, datasets: Any) -> dict[str, Any]:
        """Predicted counts of the source inside the mask of each dataset, and the names of the datasets."""
        items = as_list(datasets)
        name = self._find_source(items).name
        bins = [dataset_bins(d, name, [slice(None)]) for d in items]
        return {"npred_excess": np.array([own.signal.sum() for own in bins]), "datasets": [d.name for d in items]}

    # ---- parts shared with light curves --------------------------------------------------------

    def _find_source(self, datasets: list[Any]) -> Any:
        """The model of the source."""
        return self._source_in([model for dataset in datasets for model in dataset.models or ()])

    def _source_in(self, models: Any) -> Any:
        unique = list({id(m): m for m in models if hasattr(m, "spectral_model") and hasattr(m, "apply_irf")}.values())
        if isinstance(self.source, (int, np.integer)) and not isinstance(self.source, bool):
            if -len(unique) <= self.source < len(unique):
                return unique[self.source]
        else:
            for model in unique:
                if model.name == self.source:
                    return model
        names = ", ".join(repr(m.name) for m in unique) or "none; set datasets.models"
        msg = f"{type(self).__name__}: there is no source {self.source!r} among the models of the datasets: {names}."
        raise NameLookupError(msg)

    def _energy_axis(self, datasets: list[Any]) -> Any:
        """Axis of the bands: the edges wanted, rounded to the bins of the first dataset where it has any."""
        return energy_bands(datasets[0]._geom.axes["energy"], self.energy_edges)

    def _estimate(self, datasets: list[Any], source: Any, axis: Any, first: list[int], number: int) -> dict[str, Array]:
        """Quantities of shape (number, n_energy, ...), where a dataset contributes to the batch with index ``first[i]``."""
        n_band = axis.nbin
        groups = [_groups(dataset, axis) for dataset in datasets]
        if self.reoptimize and _others_are_free(datasets, source):
            return refit_bands(self, datasets, source, axis, groups, first, number)
        check_data(datasets)
        bins = [dataset_bins(d, source.name, g, self.sum_over_energy_groups) for d, g in zip(datasets, groups, strict=True)]
        problem, has_bins, is_bad = joined(bins, [f * n_band for f in first], number * n_band)
        out = estimate_norms(problem, NormOptions.of(self))
        shape = (number, n_band)
        norm = out["norm"]
        rows = {name: v.reshape(-1, *shape) if name == "stat_scan" else v.reshape(shape) for name, v in out.items()}
        for name in PER_DATASET:
            rows[name] = np.full((len(datasets), *shape), np.nan)
        for place, (own, start) in enumerate(zip(bins, first, strict=True)):
            for name, values in _counts(own, norm[start * n_band : (start + 1) * n_band], n_band).items():
                rows[name][place, start] = values
        rows["reason"] = batch_reasons(rows["norm"], groups, first, has_bins.reshape(shape), is_bad.reshape(shape))
        return rows

    @staticmethod
    def _region(datasets: list[Any]) -> Any:
        geom = datasets[0]._geom
        return geom.region if geom.is_region else None

    def _points(self, rows: dict[str, Array], region: Any, axes: list[Any], datasets: list[Any], source: Any) -> FluxPoints:
        """Rows of shape (..., n_time, n_energy) as maps; `axes` are energy, and time if there are several."""
        geom = RegionGeom.create(region, axes=axes)
        names = LabelMapAxis([d.name for d in datasets], name="dataset")
        nodes = np.asarray(self.norm.scan_values, dtype=float)
        scan = MapAxis.from_nodes(nodes, interp=self.norm.interp if (nodes > 0).all() else "lin", name="norm")
        data = {}
        failures = described(rows.pop("reason"), axes)
        inner = {**dict.fromkeys(PER_DATASET, names), "stat_scan": scan}
        for name, values in rows.items():
            own = RegionGeom.create(region, axes=[inner[name], *axes]) if name in inner else geom
            content = (np.moveaxis(values, 0, -1) if name in inner else values).reshape(own.data_shape)
            data[name] = Map.from_geom(own, data=content.astype(bool) if name == "success" else content)
        meta = {
            "n_sigma": self.n_sigma,
            "n_sigma_ul": self.n_sigma_ul,
            "n_sigma_sensitivity": self.n_sigma_sensitivity,
            "sed_type_init": "likelihood",
        }
        if failures:
            log.warning("%s: %d bins have no value; meta['failures'] says why.", type(self).__name__, len(failures))
            meta["failures"] = failures
        gtis = [dataset.gti for dataset in datasets if dataset.gti is not None]
        gti = type(gtis[0]).from_stack(gtis) if gtis else None
        return FluxPoints(data, reference_model=source.copy(name=source.name), meta=meta, gti=gti)


def _others_are_free(datasets: list[Any], source: Any) -> bool:
    """Whether any model but the source has a free parameter."""
    return any(not p.frozen for d in datasets for m in d.models or () if m is not source for p in m.parameters)


def _groups(dataset: Any, bands: Any) -> list[slice | None]:
    """Energy bins of a dataset inside each band, ``None`` for a band without any."""
    axis = dataset._geom.axes["energy"]
    low, high = axis.edges_min.to_value("TeV"), axis.edges_max.to_value("TeV")
    groups: list[slice | None] = []
    for start, stop in zip(bands.edges_min.to_value("TeV"), bands.edges_max.to_value("TeV"), strict=True):
        inside = np.flatnonzero((low >= start * (1 - 1e-6)) & (high <= stop * (1 + 1e-6)))
        groups.append(slice(int(inside[0]), int(inside[-1]) + 1) if len(inside) else None)
    return groups


def _counts(bins: Any, norm: Array, number: int) -> dict[str, Array]:
    """Counts, predicted counts and those of the source in each band."""

    def total(values: Array) -> Array:
        return np.asarray(np.bincount(bins.band, values, minlength=number), dtype=float)

    excess = total(bins.signal) * norm
    background = np.where(np.isfinite(bins.alpha), np.nan_to_num(bins.alpha * bins.off), 0.0)
    return {"counts": total(bins.counts), "npred": total(bins.other + background) + excess, "npred_excess": excess}


def _edges(value: Any) -> u.Quantity:
    try:
        edges = u.Quantity(value).to("TeV")
    except (u.UnitConversionError, TypeError, ValueError) as error:
        msg = f"energy_edges are {value!r}; expected at least two energies with a unit, like [1, 10] * u.TeV."
        raise InputError(msg) from error
    if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges.value) > 0).all() or not np.isfinite(edges.value).all():
        msg = f"energy_edges are {value}; expected at least two energies, each larger than the one before."
        raise InputError(msg)
    return edges
