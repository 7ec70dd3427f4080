"""Arithmetic of datasets with an off measurement.

The counts of an off region, times the ratio alpha of the acceptances, are the background: `background`. It is not known
exactly, so predictions and the fit statistic use the background that fits counts and off counts best for the predicted signal
(profiled, W statistic): `npred_background`. The two differ even without any model.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from geminga.datasets import checks
from geminga.datasets.products import label
from geminga.datasets.registry import DATASET_REGISTRY
from geminga.datasets.simulate.counts import random_source
from geminga.errors import DataError, InputError
from geminga.forward import predict
from geminga.maps import Map
from geminga.numerics import poisson
from geminga.numerics.acceptance import acceptance_ratio
from geminga.utils.faults import where
from geminga.utils.units import as_quantity

__all__ = [
    "alpha",
    "background",
    "check_stackable",
    "excess_error",
    "expected_counts",
    "fake",
    "faults",
    "from_map_dataset",
    "is_complete",
    "npred_background",
    "npred_off",
    "predicted_background",
    "stat_array",
    "stat_sum",
    "to_map_dataset",
]

_NEEDED = ("counts", "counts_off", "acceptance", "acceptance_off")


def _missing(dataset: Any, names: tuple[str, ...] = _NEEDED) -> list[str]:
    return [name for name in names if getattr(dataset, name) is None]


def _require(dataset: Any, what: str, names: tuple[str, ...] = _NEEDED) -> None:
    missing = _missing(dataset, names)
    if missing:
        msg = f"{label(dataset)} has no {' and no '.join(missing)}, so {what}; set dataset.{missing[0]} to a map."
        raise DataError(msg)


def is_complete(dataset: Any) -> bool:
    """Whether counts, off counts and acceptances are all there."""
    return not _missing(dataset)


def _array(value: Any) -> Any:
    return np.asarray(value.frozen_data, dtype=float)


def alpha(self: Any) -> Any:
    """Ratio of the on to the off acceptance (`Map`), ``None`` without acceptances.

    0 in bins without off acceptance and off counts, NaN in bins which have off counts but no off acceptance.
    """
    if _missing(self, ("acceptance", "acceptance_off")):
        return None
    n_off = 0 if self.counts_off is None else self.counts_off.frozen_data
    return Map.from_geom(self._geom, data=acceptance_ratio(_array(self.acceptance), _array(self.acceptance_off), n_off))


def background(self: Any) -> Any:
    """Background in the on region, alpha times the off counts (`Map`); ``None`` without off counts or acceptances."""
    if _missing(self, _NEEDED[1:]):
        return None
    return Map.from_geom(self._geom, data=self.alpha.frozen_data * self.counts_off.frozen_data)


def excess_error(self: Any) -> Any:
    """Statistical error of the excess, sqrt(n_on + alpha^2 n_off) (`Map`), Li & Ma (1983) eq. 5."""
    variance = _array(self.counts) + self.alpha.frozen_data**2 * _array(self.counts_off)
    return Map.from_geom(self._geom, data=np.sqrt(variance))


def _measurement(dataset: Any, what: str) -> tuple[Any, Any, Any, Any]:
    """On counts, off counts, alpha with its systematic errors and predicted signal."""
    _require(dataset, what)
    ratio = dataset.alpha.frozen_data * _ratio_factor(dataset)
    arrays = (_array(dataset.counts), _array(dataset.counts_off), ratio)
    return *arrays, dataset.npred_signal().frozen_data


def _ratio_factor(dataset: Any) -> Any:
    """Factor of the systematic errors on alpha, of a shape that broadcasts to that of the counts."""
    return predict.background_factor(dataset)[:, None, None]


def npred_background(self: Any) -> Any:
    """Predicted background in the on region: the one that fits counts and off counts best for the predicted signal.

    Returns
    -------
    npred : Map
        On the geometry of the counts, double precision.

    Raises
    ------
    DataError
        If counts, off counts or acceptances are missing.

    References
    ----------
    `geminga.stats.get_wstat_mu_bkg`, times alpha.
    """
    n_on, n_off, ratio, signal = _measurement(self, "its background cannot be predicted")
    return Map.from_geom(self._geom, data=ratio * poisson.wstat_background(n_on, n_off, ratio, signal))


def predicted_background(dataset: Any) -> Any:
    """Predicted background, ``None`` if it is not defined."""
    return dataset.npred_background() if is_complete(dataset) else None


def expected_counts(self: Any) -> Any:
    """Predicted signal and the measured background, alpha times the off counts (`Map`), not profiled."""
    return Map.from_geom(self._geom, data=self.npred_signal().frozen_data + np.nan_to_num(self.background.frozen_data))


def npred_off(self: Any) -> Any:
    """Predicted counts in the off region: those that fit counts and off counts best for the predicted signal.

    Returns
    -------
    npred : Map
        On the geometry of the counts, double precision.

    Raises
    ------
    DataError
        If counts, off counts or acceptances are missing.
    """
    n_on, n_off, ratio, signal = _measurement(self, "its off counts cannot be predicted")
    return Map.from_geom(self._geom, data=poisson.wstat_background(n_on, n_off, ratio, signal))


def stat_array(self: Any) -> Any:
    """W statistic of each bin, without the mask; shape of the counts."""
    _require(self, "its fit statistic is not defined")
    return predict.stat_array(self)


def stat_sum(self: Any) -> float:
    """W statistic summed over the mask.

    Raises
    ------
    DataError
        If a part is missing, or a bin of the mask has off counts but no off acceptance.
    """
    _require(self, "its fit statistic is not defined")
    stat = float(predict.stat_sum(self))
    if not np.isfinite(stat):
        self.validate()
    return stat


def faults(dataset: Any) -> Iterator[str]:
    """Faults of the parts of a dataset, and parts that are missing, in words."""
    yield from _faults_of_ratio(dataset)
    yield from checks.faults(dataset)


def _faults_of_ratio(dataset: Any) -> list[str]:
    missing = _missing(dataset)
    if missing:
        return [f"it has no {name}" for name in missing]
    ratio, mask = dataset.alpha, dataset.mask
    bad = np.isnan(ratio.frozen_data) & (True if mask is None else mask.frozen_data)
    if not bad.any():
        return []
    own = dataset.counts_off
    places = where(own.frozen_data, own.geom.axes[::-1], np.argwhere(bad))
    return [f"ACCEPTANCE_OFF is not positive in {bad.sum()} bins with off counts, {places}"]


def check_stackable(dataset: Any) -> None:
    """Refuse counts without off measurement, which the sum of others would take for a part of its own.

    Raises
    ------
    DataError
        If off counts or acceptances are missing, or a bin in the safe range has off counts but no off acceptance.
    """
    if dataset.counts is not None:
        _require(dataset, "it cannot be stacked")
        ratio, safe = dataset.alpha.frozen_data, dataset.mask_safe
        if np.isnan(ratio if safe is None else ratio[safe.frozen_data]).any():
            dataset.validate()


def fake(self: Any, npred_background: Any, random_state: Any = "random-seed") -> None:
    """Replace counts and off counts by Poisson numbers drawn from the predicted signal and a background.

    Parameters
    ----------
    npred_background : Map
        Expected background counts in the on region; those in the off region are this over alpha.
    random_state : int, "random-seed", numpy.random.Generator or numpy.random.RandomState
        Source of random numbers; a seed makes the result repeatable.

    Raises
    ------
    DataError
        If an acceptance is missing, or there is background where alpha is 0.
    """
    _require(self, "off counts cannot be drawn", _NEEDED[2:])
    source = random_source(random_state)
    expected = np.nan_to_num(_array(npred_background))
    ratio = acceptance_ratio(_array(self.acceptance), _array(self.acceptance_off), expected) * _ratio_factor(self)
    if not (ratio[expected > 0] > 0).all():
        msg = f"{label(self)}: there is background where the ratio of acceptances is 0; set acceptance and acceptance_off."
        raise DataError(msg)
    off = np.divide(expected, ratio, out=np.zeros_like(expected), where=expected > 0)
    drawn = source.poisson(np.nan_to_num(self.npred_signal().frozen_data)) + source.poisson(expected)
    self.counts = Map.from_geom(self._geom, data=drawn.astype(float))
    self.counts_off = Map.from_geom(self._geom, data=source.poisson(off).astype(float))


def _acceptance(dataset: Any, value: Any, name: str) -> Any:
    """Map of an acceptance given as map, number or array."""
    geom = dataset._geom
    if isinstance(value, Map):
        return value
    data = np.asarray(as_quantity(value, "", name).value, dtype=float)
    shape = tuple(int(n) for n in geom.data_shape)
    # An array of the length of the energy axis is one number a bin.
    data = data.reshape(-1, 1, 1) if data.ndim == 1 else data
    try:
        return Map.from_geom(geom, data=np.broadcast_to(data, shape).copy())
    except ValueError as error:
        msg = f"{label(dataset)}: {name} has shape {np.shape(value)}; expected a number, a map, or an array that fits {shape}."
        raise InputError(msg) from error


def from_map_dataset(
    cls: Any, /, dataset: Any, acceptance: Any, acceptance_off: Any, counts_off: Any = None, name: str | None = None
) -> Any:
    """Dataset with off measurement from one with a known background.

    Parameters
    ----------
    dataset : MapDataset
        Dataset.
    acceptance, acceptance_off : Map, array or float
        Acceptances of the on and the off region.
    counts_off : Map, optional
        Off counts; if not given, the background over alpha, so that the background is the same (none without background).
    name : str, optional
        Name of the new dataset; random if not given.

    Returns
    -------
    dataset : MapDatasetOnOff
        With the maps, masks and meta data of `dataset`, without models.

    Examples
    --------
    >>> from geminga.datasets import SpectrumDataset, SpectrumDatasetOnOff
    >>> from geminga.maps import MapAxis, RegionGeom
    >>> axis = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=3)
    >>> geom = RegionGeom.create("icrs;circle(83.63, 22.01, 0.1)", axes=[axis])
    >>> dataset = SpectrumDataset.create(geom, name="spectrum")
    >>> SpectrumDatasetOnOff.from_spectrum_dataset(dataset=dataset, acceptance=1, acceptance_off=5).alpha.data.ravel().tolist()
    [0.2, 0.2, 0.2]
    """
    own = {n: _acceptance(dataset, v, n) for n, v in (("acceptance", acceptance), ("acceptance_off", acceptance_off))}
    if counts_off is None and dataset.background is not None:
        known = dataset.npred_background()
        ratio = acceptance_ratio(_array(own["acceptance"]), _array(own["acceptance_off"]), 0)
        counts_off = known.copy(data=np.divide(_array(known), ratio, out=np.zeros(ratio.shape), where=ratio > 0))
    parts = {n: getattr(dataset, n) for n in ("counts", "exposure", "psf", "edisp", "mask_safe", "mask_fit")}
    rest = {n: getattr(dataset, n) for n in ("gti", "meta_table", "meta")}
    return cls(**parts, **own, **rest, counts_off=counts_off, name=name)


def to_map_dataset(self: Any, name: str | None = None, cls: Any = None) -> Any:
    """Dataset with the background, alpha times the off counts, as if it were known exactly.

    Parameters
    ----------
    name : str, optional
        Name of the new dataset; random if not given.
    cls : type, optional
        Class of the new dataset, `MapDataset` if not given.

    Returns
    -------
    dataset : MapDataset
        With statistic ``cash``, without models.
    """
    cls = DATASET_REGISTRY.get_cls("MapDataset") if cls is None else cls
    names = ("counts", "background", "exposure", "psf", "edisp", "mask_safe", "mask_fit", "gti", "meta_table", "meta")
    return cls(**{n: getattr(self, n) for n in names}, name=name)
