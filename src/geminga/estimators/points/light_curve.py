"""Light curves: flux points in intervals of time, all in one batch."""

from __future__ import annotations

import logging
from typing import Any

import astropy.units as u
import numpy as np
from astropy.time import Time
from numpy.typing import NDArray

from geminga.errors import InputError
from geminga.estimators.base import as_list, check_data
from geminga.estimators.points.sed import PER_DATASET, FluxPointsEstimator
from geminga.flux import FluxPoints
from geminga.maps import LabelMapAxis, Map, TimeMapAxis
from geminga.utils.threads import single_thread

__all__ = ["LightCurveEstimator"]

Array = NDArray[np.float64]

#: Seconds by which the ends of the same interval may differ through rounding.
SAME = 1e-6

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
        DataError
            For data inside the mask that are not numbers, before anything is computed. With `reoptimize`, where each interval is
            a fit of its own, these are rows of NaN.
        """
        items = as_list(datasets)
        source = self._find_source(items)
        reference = _reference(items)
        spans = _spans(items, reference)
        intervals = self._intervals(spans, reference)
        chosen = self._members(items, spans, intervals, reference)
        if self.stack_over_time_interval:
            check_data(dataset for dataset, _ in chosen)  # in the sum it could not be named
            groups = enumerate(_grouped(chosen, len(intervals)))
            chosen = [(_stacked(group, place), place) for place, group in groups if group]
        used = [dataset for dataset, _ in chosen]
        axis = self._energy_axis(used)
        with single_thread():
            rows = self._estimate(used, source, axis, [place for _, place in chosen], len(intervals))
        first = reference + intervals[0, 0] * u.s
        start, stop = (((own - intervals[0, 0]) * u.s).to("d") for own in intervals.T)
        time = TimeMapAxis(start, stop, reference_time=first, name="time")
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

    def _members(self, datasets: list[Any], spans: Array, intervals: Array, reference: Time) -> list[tuple[Any, int]]:
        """Datasets which lie in an interval, with its index."""
        atol = self.atol.to_value("s")
        # Intervals do not overlap: the one to look at is the last which has begun.
        place = np.clip(np.searchsorted(intervals[:, 0], spans[:, 0] + atol, side="right") - 1, 0, None)
        inside = (spans[:, 0] >= intervals[place, 0] - atol) & (spans[:, 1] <= intervals[place, 1] + atol)
        found = [(datasets[i], int(place[i])) for i in np.flatnonzero(inside)]
        if not found:
            first, last = _iso(reference, spans.min()), _iso(reference, spans.max())
            msg = f"LightCurveEstimator: no dataset lies inside a time interval; the datasets span {first} to {last}."
            raise InputError(msg)
        return found

    def _intervals(self, spans: Array, reference: Time) -> Array:
        """Sorted intervals, seconds from the reference, shape (n, 2), checked."""
        wanted = spans
        if self.time_intervals is not None:
            ends = [_seconds([Time(own[side]) for own in self.time_intervals], reference) for side in (0, 1)]
            wanted = np.stack(ends, axis=1)
        if not (wanted[:, 1] > wanted[:, 0]).all():
            low, high = wanted[np.argmax(~(wanted[:, 1] > wanted[:, 0]))]
            msg = (
                f"LightCurveEstimator: the time interval {_iso(reference, low)} to {_iso(reference, high)} has no length; "
                "give start and stop."
            )
            raise InputError(msg)
        out = wanted[np.lexsort((wanted[:, 1], wanted[:, 0]))]
        # Several datasets of one time are one interval.
        again = np.append(False, (np.abs(np.diff(out, axis=0)) < SAME).all(axis=1))
        out = out[~again]
        overlap = out[:-1, 1] - out[1:, 0] > self.atol.to_value("s")
        if overlap.any():
            number = int(np.argmax(overlap))
            one, two = (f"{_iso(reference, low)} to {_iso(reference, high)}" for low, high in out[number : number + 2])
            msg = f"LightCurveEstimator: the time intervals {one} and {two} overlap; give time_intervals that do not."
            raise InputError(msg)
        return np.asarray(out)


def _reference(datasets: list[Any]) -> Time:
    """Time from which seconds are counted: the reference of the first dataset.

    Raises
    ------
    InputError
        If a dataset has no good time intervals.
    """
    for dataset in datasets:
        if dataset.gti is None or not len(dataset.gti):
            msg = f"Dataset {dataset.name!r} has no good time intervals, so it has no place in a light curve; set dataset.gti."
            raise InputError(msg)
    return datasets[0].gti.time_start[0]


def _seconds(times: list[Time], reference: Time) -> Array:
    """Seconds from the reference."""
    return np.array([(time - reference).to_value("s") for time in times])


def _spans(datasets: list[Any], reference: Time) -> Array:
    """Start of the first and stop of the last good time interval of each dataset, seconds from the reference."""
    shifts: dict[tuple[float, float], float] = {}
    out = np.zeros((len(datasets), 2))
    for row, dataset in enumerate(datasets):
        own = dataset.gti.time_ref
        key = (float(own.jd1), float(own.jd2))
        if key not in shifts:
            shifts[key] = float((own - reference).to_value("s"))
        out[row] = np.array([dataset.gti.met_start.value.min(), dataset.gti.met_stop.value.max()]) + shifts[key]
    return out


def _iso(reference: Time, seconds: float) -> str:
    return str((reference + seconds * u.s).iso)


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
