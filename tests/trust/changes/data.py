"""Changes of maps, masks, responses and time intervals."""

from __future__ import annotations

from typing import Any

import astropy.units as u

from geminga.data import GTI
from geminga.irf import EDispKernelMap, PSFMap
from geminga.maps import Map
from geminga.modeling.models import LinearTemporalModel
from tests.trust.changes import COUNTS, MAPS, POINTS, WITH_BACKGROUND, change
from tests.trust.changes.fresh import assert_as_fresh, predicted


def a_map(dataset: Any, rng: Any) -> Any:
    if dataset.tag in POINTS:
        return getattr(dataset.data, rng.choice(["norm", "norm_err", "norm_errn", "norm_errp", "norm_ul"]))
    names = [name for name in ("counts", "background", "exposure", "counts_off", "acceptance_off") if name in dataset.part_names]
    return getattr(dataset, rng.choice([name for name in names if getattr(dataset, name) is not None]))


def random_mask(own: Any, rng: Any, share: float = 0.9) -> Map:
    data = rng.uniform(size=own.data.shape) < share
    data.flat[0] = True
    return Map.from_geom(own.geom, data=data)


# Maps


@change()
def map_element(dataset, rng):
    data = a_map(dataset, rng).data
    data[tuple(rng.integers(data.shape))] *= 1.5


@change()
def map_scaled_in_place(dataset, rng):
    a_map(dataset, rng).data *= 1.1


@change(*COUNTS)
def map_operator_in_place(dataset, rng):
    own = a_map(dataset, rng)
    own *= 1.05


@change()
def map_data_assigned(dataset, rng):
    own = a_map(dataset, rng)
    own.data = own.data * 1.2


@change(*COUNTS)
def map_quantity_assigned(dataset, rng):
    own = dataset.exposure
    own.quantity = own.quantity.to("cm2 h" if own.unit == u.Unit("m2 s") else "m2 s") * rng.uniform(0.9, 1.1)


@change(*COUNTS)
def maps_replaced(dataset, rng):
    dataset.counts = dataset.counts + 1
    dataset.exposure = dataset.exposure * rng.uniform(0.9, 1.1)


@change(*WITH_BACKGROUND)
def background_replaced(dataset, rng):
    dataset.background = dataset.background * rng.uniform(0.9, 1.1)


@change(*COUNTS)
def map_filled(dataset, rng):
    dataset.counts.fill_by_coord(dataset.counts.geom.get_coord(), weights=rng.poisson(1, dataset.counts.data.shape))


@change(*COUNTS)
def kept_array(dataset, rng):
    """An array taken before a prediction is written to after it."""
    array, background = dataset.counts.data, dataset.exposure.data[0]
    dataset.npred()
    dataset.stat_sum()
    array[0, 0, 0] += 2
    background *= 1.03


@change(*COUNTS)
def kept_map(dataset, rng):
    """A map which two datasets share is changed through the other."""
    other = dataset.copy(name="other")
    other.exposure = dataset.exposure
    dataset.npred()
    other.exposure.data *= 0.97


# Masks


@change(*COUNTS)
def mask_bit(dataset, rng):
    data = dataset.mask_safe.data
    place = tuple(rng.integers(data.shape))
    data[place] = ~data[place] | (data.sum() < 3)


@change()
def mask_fit_set(dataset, rng):
    like = dataset.data.norm if dataset.tag in POINTS else dataset.counts
    dataset.mask_fit = None if rng.integers(2) else random_mask(like, rng)


@change()
def mask_safe_set(dataset, rng):
    like = dataset.data.norm if dataset.tag in POINTS else dataset.counts
    dataset.mask_safe = random_mask(like, rng)


@change(*COUNTS)
def mask_operator_in_place(dataset, rng):
    dataset.mask_safe |= random_mask(dataset.counts, rng, 0.1)


# Responses


@change(*COUNTS)
def response_in_place(dataset, rng):
    dataset.edisp.edisp_map.data *= 0.98


@change(*COUNTS)
def response_in_part(dataset, rng):
    data = dataset.edisp.edisp_map.data
    data[rng.integers(len(data))] *= 0.9


@change(*COUNTS)
def response_map_assigned(dataset, rng):
    dataset.edisp.edisp_map = dataset.edisp.edisp_map * 0.97


@change(*COUNTS)
def response_replaced(dataset, rng):
    axes = dataset.edisp.edisp_map.geom.axes
    dataset.edisp = EDispKernelMap.from_gauss(axes["energy"], axes["energy_true"], sigma=rng.uniform(0.05, 0.3), bias=0)


@change(*MAPS)
def psf_replaced(dataset, rng):
    axis = dataset.exposure.geom.axes["energy_true"]
    dataset.psf = PSFMap.from_gauss(axis, sigma=rng.uniform(0.05, 0.3) * u.deg)


@change(*MAPS)
def psf_in_place(dataset, rng):
    data = dataset.psf.psf_map.data
    data[...] = data[rng.permutation(len(data))]


@change(*MAPS)
def psf_element(dataset, rng):
    data = dataset.psf.psf_map.data
    data[rng.integers(len(data)), 0] *= 1.001


@change(*COUNTS)
def weights_in_place(dataset, rng):
    for own in (dataset.psf, dataset.edisp):
        if own is not None and own.exposure_map is not None:
            own.exposure_map.data *= rng.uniform(0.5, 2, own.exposure_map.data.shape)


# Time


@change(*COUNTS)
def gti_replaced(dataset, rng):
    dataset.gti = GTI.create([0] * u.s, [rng.uniform(100, 1e5)] * u.s)


@change(*COUNTS)
def gti_in_place(dataset, rng):
    """Intervals are added while something depends on them."""
    kept = dataset.models["one"].temporal_model
    dataset.models["one"].temporal_model = LinearTemporalModel(alpha=1, beta=0.1 / u.d, t_ref=51544 * u.d)
    predicted(dataset)
    dataset.gti.stack(GTI.create([2e5] * u.s, [2e5 + rng.uniform(100, 1e5)] * u.s))
    assert_as_fresh(dataset)
    dataset.models["one"].temporal_model = kept
