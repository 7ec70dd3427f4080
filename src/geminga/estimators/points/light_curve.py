"""Light curves: flux points in intervals of time, all in one batch."""

from __future__ import annotations

import logging
from typing import Any

import astropy.units as u
import numpy as np
from astropy.time import Time

from geminga.errors import InputError
from geminga.estimators.base import as_list
from geminga.estimators.points.sed import PER_DATASET, FluxPointsEstimator
from geminga.flux import FluxPoints
from geminga.maps import LabelMapAxis, Map, TimeMapAxis
from geminga.utils.threads import single_thread

__all__ = ["LightCurveEstimator"]

log = logging.getLogger(__name__)


class LightCurveEstimator(FluxPointsEstimator):
    """Fluxes of one source in intervals of time and bands of energy.

    A dataset belongs to an interval if the span of its good time intervals lies inside. Datasets outside of all intervals
    are not used, and intervals without datasets are rows of NaN.

    Parameters
    ----------
    time_intervals : list of Time, optional
        Pairs of start and stop, which must not overlap. By default the span of each dataset.
    atol : Quantity or str
        Tolerance of the comparison.
    stack_over_time_interval : bool
        Stack the datasets of an interval before the fit, in place of a joint fit.
    **kwargs
        Further options of `FluxPointsEstimator`.

    Examples
    --------
    >>> from geminga.estimators import LightCurveEstimator
    >>> LightCurveEstimator(source="crab", selection_optional=["ul"]).atol
    <Quantity 1.e-06 s>
    """

    tag = "LightCurveEstimator"

    def __init__(
        self, time_intervals: Any = None, atol: Any = "1e-6 s", stack_over_time_interval: bool = False, **kwargs: Any
    ) -> None:
        self.time_intervals = time_intervals
        self.atol = u.Quantity(atol)
        self.stack_over_time_interval = stack_over_time_interval
        super().__init__(**kwargs)

    def run(self, datasets: Any) -> FluxPoints:  # type: ignore[override]
        """Estimate the light curve.

        Parameters
        ----------
        datasets : Datasets, list of Dataset or Dataset
            With models and good time intervals. They are not changed.

        Returns
        -------
        points : FluxPoints
            As of `FluxPointsEstimator.run`, with an axis of time.

        Raises
        ------
        InputError
            If intervals overlap or have no length, a dataset has no good time intervals, or no dataset lies in any interval.
        """
        items = as_list(datasets)
        source = self._find_source(items)
        spans = [_span(dataset) for dataset in items]
        chosen, intervals = self._members(items, spans)
        if self.stack_over_time_interval:
            groups = enumerate(_grouped(chosen, len(intervals)))
            chosen = [(_stacked(group, place), place) for place, group in groups if group]
        used = [dataset for dataset, _ in chosen]
        axis = self._energy_axis(used)
        with single_thread():
            rows = self._estimate(used, source, axis, [place for _, place in chosen], len(intervals))
        start, stop = (Time([own[side] for own in intervals]) for side in (0, 1))
        reference = start[0]
        time = TimeMapAxis((start - reference).to("d"), (stop - reference).to("d"), reference_time=reference, name="time")
        return self._points(rows, self._region(used), [axis, time], used, source)

    def estimate_time_bin_flux(self, datasets: Any, dataset_names: Any = None) -> FluxPoints:
        """Flux points of the datasets of one interval.

        Parameters
        ----------
        datasets : Datasets, list of Dataset or Dataset
            Datasets.
        dataset_names : list of str, optional
            Names on the axis of datasets; those which are not there get NaN.
        """
        points = super().run(datasets)
        if dataset_names is None:
            return points
        data = {name: points[name] for name in points.available_quantities}
        for name in PER_DATASET:
            data[name] = self.expand_map(data[name], dataset_names)
        return FluxPoints(data, reference_model=points.reference_model, meta=points.meta, gti=points.gti)

    @staticmethod
    def expand_map(m: Any, dataset_names: Any) -> Any:
        """Map with an axis of more datasets, NaN for those which it does not have."""
        names = list(dataset_names)
        axes = [LabelMapAxis(names, name="dataset") if axis.name == "dataset" else axis for axis in m.geom.axes]
        geom = m.geom.to_image().to_cube(axes)
        place = m.geom.axes.index_data("dataset")
        data = np.full(geom.data_shape, np.nan)
        where = [names.index(label) for label in m.geom.axes["dataset"].center]
        np.moveaxis(data, place, 0)[where] = np.moveaxis(m.frozen_data, place, 0)
        return Map.from_geom(geom, data=data, unit=m.unit)

    def _members(
        self, datasets: list[Any], spans: list[tuple[Time, Time]]
    ) -> tuple[list[tuple[Any, int]], list[tuple[Time, Time]]]:
        """Datasets with the index of their interval, and all intervals, in order of time."""
        intervals = self._intervals(spans)
        atol = self.atol.to_value("s")
        found: list[tuple[Any, int]] = []
        for dataset, (start, stop) in zip(datasets, spans, strict=True):
            for place, (low, high) in enumerate(intervals):
                if (start - low).to_value("s") >= -atol and (high - stop).to_value("s") >= -atol:
                    found.append((dataset, place))
                    break
        if not found:
            first, last = min(s[0] for s in spans), max(s[1] for s in spans)
            msg = f"LightCurveEstimator: no dataset lies inside a time interval; the datasets span {first.iso} to {last.iso}."
            raise InputError(msg)
        return found, intervals

    def _intervals(self, spans: list[tuple[Time, Time]]) -> list[tuple[Time, Time]]:
        """Sorted intervals, checked."""
        if self.time_intervals is None:
            wanted = [(start, stop) for start, stop in spans]
        else:
            wanted = [(Time(own[0]), Time(own[1])) for own in self.time_intervals]
        wanted.sort(key=lambda own: float(own[0].tt.mjd))
        unique: list[tuple[Time, Time]] = []
        for start, stop in wanted:
            if not stop > start:
                msg = f"LightCurveEstimator: the time interval {start.iso} to {stop.iso} has no length; give start and stop."
                raise InputError(msg)
            if unique and (start - unique[-1][0]).to_value("s") == 0 and (stop - unique[-1][1]).to_value("s") == 0:
                continue  # several datasets of one time
            if unique and (unique[-1][1] - start).to_value("s") > self.atol.to_value("s"):
                last = unique[-1]
                msg = (
                    f"LightCurveEstimator: the time intervals {last[0].iso} to {last[1].iso} and {start.iso} to {stop.iso} "
                    "overlap; give time_intervals that do not."
                )
                raise InputError(msg)
            unique.append((start, stop))
        return unique


def _span(dataset: Any) -> tuple[Time, Time]:
    gti = dataset.gti
    if gti is None or not len(gti.table):
        msg = f"Dataset {dataset.name!r} has no good time intervals, so it has no place in a light curve; set dataset.gti."
        raise InputError(msg)
    start, stop = gti.time_start, gti.time_stop
    return start[int(np.argmin(start.tt.mjd))], stop[int(np.argmax(stop.tt.mjd))]


def _grouped(chosen: list[tuple[Any, int]], number: int) -> list[list[Any]]:
    groups: list[list[Any]] = [[] for _ in range(number)]
    for dataset, place in chosen:
        groups[place].append(dataset)
    return groups


def _stacked(group: list[Any], place: int) -> Any:
    """One dataset from those of an interval, with the models that applied to them."""
    from geminga.datasets import Datasets

    if len(group) == 1:
        return group[0]
    models = list({id(m): m for dataset in group for m in dataset.models or ()}.values())
    new = Datasets(group).stack_reduce(name=f"interval-{place}")
    # Models which name their datasets follow into the stacked one; the background is already part of it.
    kept = [m.copy(name=m.name) for m in models if hasattr(m, "apply_irf") or _is_of_all(m, group)]
    for model in kept:
        model.datasets_names = None
    new.models = kept
    return new


def _is_of_all(model: Any, group: list[Any]) -> bool:
    """Whether systematic errors are those of all datasets, and so of their sum; others are lost, with a warning."""
    is_shared = all(any(own is model for own in dataset.models) for dataset in group)
    if model.is_systematic and not is_shared:
        log.warning("Systematic errors %r are not those of all datasets of an interval, and left out of their sum.", model.name)
    return bool(model.is_systematic and is_shared)
