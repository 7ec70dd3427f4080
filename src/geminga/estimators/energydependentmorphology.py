"""Test whether the shape of a source changes with energy.

The null hypothesis is one shape for all bands of energy, the alternative a shape for each. Spectra and backgrounds are free in
each band under both.
"""

from __future__ import annotations

import logging
from typing import Any

import astropy.units as u
import numpy as np

from geminga.errors import InputError, NameLookupError
from geminga.estimators.base import Estimator, as_list
from geminga.estimators.points.reasons import MASKED, NO_ENERGY, has_bins
from geminga.modeling import Fit
from geminga.stats import ts_to_sigma

log = logging.getLogger(__name__)

_Value = tuple[u.Quantity, u.Quantity]

__all__ = ["EnergyDependentMorphologyEstimator", "weighted_chi2_parameter"]


class EnergyDependentMorphologyEstimator(Estimator):
    """Test of a source's shape for a dependence on energy.

    In a band with fewer energy bins than the spectrum has free parameters, the shape of the spectrum is fixed.

    Parameters
    ----------
    energy_edges : Quantity
        Edges of the energy bands, rounded to those of the datasets.
    source : str or int
        Name or position of the source among the models.
    fit : Fit, optional
        Optimiser.

    Raises
    ------
    InputError
        If there are fewer than two bands.

    Examples
    --------
    >>> import astropy.units as u
    >>> from geminga.estimators import EnergyDependentMorphologyEstimator
    >>> EnergyDependentMorphologyEstimator([1, 3, 5, 20] * u.TeV, source="source").num_energy_bands
    3
    """

    tag = "EnergyDependentMorphologyEstimator"

    def __init__(self, energy_edges: Any, source: str | int = 0, fit: Any = None) -> None:
        self.energy_edges = u.Quantity(energy_edges)
        self.source = source
        self.num_energy_bands = len(self.energy_edges) - 1
        self.fit = Fit() if fit is None else fit
        if self.num_energy_bands < 2:
            msg = f"EnergyDependentMorphologyEstimator: energy_edges are {energy_edges}; expected at least two bands."
            raise InputError(msg)

    def run(self, datasets: Any) -> dict[str, Any]:
        """Test the source.

        Parameters
        ----------
        datasets : Datasets, list of MapDataset or MapDataset
            With models, among them the source, whose spatial model has free parameters. They are not changed.

        Returns
        -------
        result : dict
            ``energy_dependence``: see `estimate_energy_dependence`. ``src_above_bkg``: for each band ``Emin``, ``Emax``,
            ``delta_ts`` of the source, ``df`` and ``significance``. ``failures``: for each band without a value, and each
            number that could not be had, the reason.
        """
        bands = self._fitted(datasets)
        out = {"energy_dependence": self._dependence(bands), "src_above_bkg": self._above_background(bands)}
        return {**out, "failures": [*out["energy_dependence"].pop("failures"), *out["src_above_bkg"].pop("failures")]}

    def estimate_energy_dependence(self, datasets: Any) -> dict[str, Any]:
        """Test statistic of a shape for each band against one shape for all.

        Returns
        -------
        result : dict
            ``delta_ts``, ``df``, and ``result``: columns ``Hypothesis`` (``H0`` for all bands, ``H1`` for each), ``Emin``,
            ``Emax``, and each free spatial parameter with its error. A band outside of the data or whose fit fails is a row of
            NaN, and the test is that of the other bands; ``failures`` has the reasons.
        """
        return self._dependence(self._fitted(datasets))

    def _fitted(self, datasets: Any) -> list[_Band]:
        """Bands, each with its own fit; those without have a reason."""
        bands = self._bands(as_list(datasets))
        for band in bands:
            if not band.failure:
                band.failure, _ = self._fit(band.datasets)
            if band.failure:
                log.warning("%s: %s", type(self).__name__, band.described())
        return bands

    def _bands(self, items: list[Any]) -> list[_Band]:
        source = _find_source(items, self.source)
        if source.spatial_model is None or not len(source.spatial_model.parameters.free_parameters):
            msg = f"EnergyDependentMorphologyEstimator: source {source.name!r} has no free spatial parameter."
            raise InputError(msg)
        pairs = zip(self.energy_edges[:-1], self.energy_edges[1:], strict=True)
        return [_Band(items, source, low, high, number) for number, (low, high) in enumerate(pairs)]

    def _fit(self, datasets: list[Any]) -> tuple[str, float]:
        """Why a fit failed (empty if not) and its statistic."""
        result = self.fit.run(datasets)
        return ("", float(result.total_stat)) if result.success else (str(result.message), np.nan)

    def _dependence(self, bands: list[_Band]) -> dict[str, Any]:
        """The test, of bands that were fitted."""
        own = [band for band in bands if not band.failure]
        free = [p.name for p in bands[0].source.spatial_model.parameters if not p.frozen]
        rows = [band.shape(free) for band in bands]
        failures = [band.described() for band in bands if band.failure]
        delta_ts, first = np.nan, [(np.nan * value.unit, np.nan * value.unit) for value, _ in rows[0]]
        if len(own) > 1:
            failure, delta_ts, first = self._shared(own, free, first)
            failures += [f"one shape for all bands: {failure}"] if failure else []
        table: dict[str, Any] = {"Hypothesis": ["H0"] + ["H1"] * len(bands)}
        low, high = ([getattr(band, side) for band in bands] for side in ("low", "high"))
        table["Emin"], table["Emax"] = u.Quantity([low[0], *low]), u.Quantity([high[-1], *high])
        for column, name in enumerate(free):
            values = [row[column] for row in (first, *rows)]
            table[name] = u.Quantity([value for value, _ in values])
            table[f"{name}_err"] = u.Quantity([error for _, error in values])
        df = len(free) * max(len(own) - 1, 0)
        return {"delta_ts": delta_ts, "df": df, "result": table, "failures": failures}

    def _shared(self, bands: list[_Band], free: list[str], unknown: list[_Value]) -> tuple[str, float, list[_Value]]:
        """Fit of one shape for all bands: why it failed, the test statistic, and the shape. The bands are as before."""
        stat, row = sum(band.stat() for band in bands), bands[0].shape(free)
        shapes = [band.source.spatial_model for band in bands]
        shared = shapes[0]
        for band in bands:
            band.source.spatial_model = shared
        try:
            failure, null = self._fit([d for band in bands for d in band.datasets])
            found = unknown if failure else bands[0].shape(free)
        finally:
            for band, shape in zip(bands, shapes, strict=True):
                band.source.spatial_model = shape
            for p, (value, _) in zip([shared.parameters[name] for name in free], row, strict=True):
                p.value = value.to_value(p.unit)
        return failure, null - stat, found

    def _above_background(self, bands: list[_Band]) -> dict[str, Any]:
        """Significance of the source in each band, of bands that were fitted."""
        out: dict[str, Any] = {"Emin": u.Quantity([b.low for b in bands]), "Emax": u.Quantity([b.high for b in bands])}
        out |= {"delta_ts": [], "df": [], "significance": [], "failures": []}
        for band in bands:
            stat = band.stat()
            free = len(band.source.parameters.free_parameters)
            for dataset in band.datasets:
                dataset.models = [m for m in dataset.models if m is not band.source]
            has_free = any(not p.frozen for d in band.datasets for m in d.models or () for p in m.parameters)
            failure, null = self._fit(band.datasets) if has_free and not band.failure else ("", band.stat())
            if failure:
                out["failures"].append(f"{band.described()}without the source: {failure}")
            out["delta_ts"].append(null - stat)
            out["df"].append(free)
            out["significance"].append(ts_to_sigma(max(null - stat, 0.0), df=free) if np.isfinite(null - stat) else np.nan)
        return out


class _Band:
    """Datasets cut to a band of energy, with copies of their models."""

    def __init__(self, items: list[Any], source: Any, low: Any, high: Any, number: int) -> None:
        parts = [(d, _cut(d, low, high, f"{d.name}-{number}")) for d in items]
        inside = [(d, cut) for d, cut in parts if cut is not None]
        self.failure = MASKED if inside else NO_ENERGY
        inside = [(d, cut) for d, cut in inside if has_bins(cut)]
        self.datasets = [cut for _, cut in inside]
        self.low, self.high, self.source = low, high, source.copy(name=source.name)
        if not inside:
            return
        self.failure = ""
        axis = self.datasets[0]._geom.axes["energy"]
        self.low, self.high = axis.edges[0], axis.edges[-1]
        copies: dict[int, Any] = {}
        for whole, cut in inside:
            own = []
            for model in whole.models or ():
                if id(model) not in copies:
                    copies[id(model)] = _copy(model, f"{model.name}-{number}")
                copy = copies[id(model)]
                if copy.datasets_names is not None:
                    copy.datasets_names = [*copy.datasets_names, cut.name]
                own.append(copy)
            cut.models = own
        self.source = copies.get(id(source), self.source)
        _freeze_beyond(self.source, axis.nbin)

    def shape(self, names: list[str]) -> list[tuple[u.Quantity, u.Quantity]]:
        """Values and errors of spatial parameters."""
        known = np.nan if self.failure else 1.0
        parameters = [self.source.spatial_model.parameters[name] for name in names]
        return [(known * p.quantity, known * p.error * p.unit) for p in parameters]

    def stat(self) -> float:
        """Statistic; NaN without a fit."""
        return np.nan if self.failure else float(sum(d.stat_sum() for d in self.datasets))

    def described(self) -> str:
        """The band and why it has no value."""
        return f"{self.low:.4g} - {self.high:.4g}: {self.failure}"


def _cut(dataset: Any, low: Any, high: Any, name: str) -> Any:
    """Part of a dataset in a band; None if it has no energy bin there."""
    try:
        return dataset.slice_by_energy(low, high, name=name)
    except InputError:
        return None


def _freeze_beyond(source: Any, number: int) -> None:
    """Keep as many spectral parameters free as there are energy bins: more could not be told apart."""
    free = sorted(source.spectral_model.parameters.free_parameters, key=lambda p: p.name not in {"amplitude", "norm"})
    for p in free[number:]:
        p.frozen = True


def _copy(model: Any, name: str) -> Any:
    """Copy under another name, for datasets that are still to be named if it is bound to some."""
    copy = model.copy(name=name)
    copy.datasets_names = [] if model.datasets_names is not None else None
    return copy


def _find_source(items: list[Any], source: str | int) -> Any:
    models = list(
        {id(m): m for d in items for m in d.models or () if hasattr(m, "spatial_model") and hasattr(m, "apply_irf")}.values()
    )
    found = models[source : source + 1] if isinstance(source, int) else [m for m in models if m.name == source]
    if not found:
        names = ", ".join(repr(m.name) for m in models) or "none; set datasets.models"
        msg = f"EnergyDependentMorphologyEstimator: there is no source {source!r} among the models of the datasets: {names}."
        raise NameLookupError(msg)
    return found[0]


def weighted_chi2_parameter(results_edep: Any, parameters: Any = ["sigma"]) -> dict[str, list[Any]]:  # noqa: B006
    """Is a parameter the same in all bands: chi2 around the mean, weighted with the errors.

    Parameters
    ----------
    results_edep : dict
        ``result`` of `EnergyDependentMorphologyEstimator.estimate_energy_dependence`.
    parameters : list of str
        Names of parameters.

    Returns
    -------
    result : dict
        ``parameter``, ``chi2``, ``df`` and ``significance``, a list each.

    Raises
    ------
    NameLookupError
        If there is no such parameter.

    Examples
    --------
    >>> from geminga.estimators.energydependentmorphology import weighted_chi2_parameter
    >>> round(weighted_chi2_parameter({"sigma": [0.2, 0.1, 0.3], "sigma_err": [1, 0.1, 0.1]})["chi2"][0], 6)
    2.0
    """
    out: dict[str, list[Any]] = {"parameter": [], "chi2": [], "df": [], "significance": []}
    for name in parameters:
        if name not in results_edep or f"{name}_err" not in results_edep:
            known = ", ".join(key[:-4] for key in results_edep if key.endswith("_err"))
            msg = f"weighted_chi2_parameter: there is no parameter {name!r} with an error; there are {known}."
            raise NameLookupError(msg)
        values, errors = (u.Quantity(results_edep[key])[1:] for key in (name, f"{name}_err"))
        weight = 1 / errors.to_value(values.unit) ** 2
        mean = np.sum(weight * values.value) / np.sum(weight)
        chi2 = float(np.sum(weight * (values.value - mean) ** 2))
        df = len(values) - 1
        for key, value in {"parameter": name, "chi2": chi2, "df": df, "significance": ts_to_sigma(chi2, df=df)}.items():
            out[key].append(value)
    return out
