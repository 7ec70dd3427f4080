import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geminga.datasets import SpectrumDatasetOnOff
from geminga.errors import InputError, NameLookupError
from geminga.estimators.utils import resample_energy_edges
from geminga.maps import Map
from tests.unit.estimators.test_points import ENERGY, spectrum

ALL = ("counts", "background", "excess", "sqrt_ts", "npred", "npred_background", "npred_signal")


def places(edges):
    return np.abs(ENERGY.edges.value[:, None] - edges.value).argmin(axis=0).tolist()


def counts(values):
    dataset = spectrum()
    dataset.counts.data[:, 0, 0] = values
    return dataset


@given(values=st.lists(st.integers(0, 9), min_size=8, max_size=8), least=st.integers(1, 12))
def test_every_band_has_enough(values, least):
    dataset = counts(values)
    if sum(values) < least:
        with pytest.raises(InputError, match="cannot be met"):
            resample_energy_edges(dataset, {"counts_min": least})
        return
    edges = places(resample_energy_edges(dataset, {"counts_min": least}))
    assert edges[0] == 0
    assert edges[-1] == 8
    sums = [sum(values[a:b]) for a, b in zip(edges[:-1], edges[1:], strict=True)]
    assert min(sums) >= least
    # No band but the last could end earlier.
    assert all(sum(values[a : b - 1]) < least for a, b in zip(edges[:-2], edges[1:-1], strict=True))


@pytest.mark.parametrize("name", ALL)
def test_every_condition(name):
    # All seven, also those whose names end in letters of "_min".
    dataset = spectrum(seed=1)
    onoff = SpectrumDatasetOnOff.from_spectrum_dataset(
        dataset=dataset, acceptance=1, acceptance_off=5, counts_off=dataset.background * 5
    )
    onoff.models = dataset.models
    for one in (dataset, onoff):
        fine = resample_energy_edges(one, {f"{name}_min": 1e-9})
        coarse = resample_energy_edges(one, {f"{name}_min": 4})
        assert len(fine) >= len(coarse) >= 2


def test_significance_of_a_band():
    dataset = counts([9, 0, 0, 9, 9, 0, 0, 0])
    # Two expected in each bin: 9 above 2 have 3.6 sigma, 9 above 6 have 1.1, 18 above 8 have 3.03; the rest is joined to them.
    assert places(resample_energy_edges(dataset, {"sqrt_ts_min": 3})) == [0, 1, 8]
    assert places(resample_energy_edges(dataset, {"sqrt_ts_min": 2.9, "counts_min": 9})) == [0, 1, 8]
    dataset.counts.data[5, 0, 0] = 30
    assert places(resample_energy_edges(dataset, {"sqrt_ts_min": 3})) == [0, 1, 5, 8]


def test_masked_ends_are_left_out():
    dataset = counts([0, 5, 5, 5, 5, 5, 5, 0])
    inside = np.ones((8, 1, 1), bool)
    inside[[0, 7]] = False
    dataset.mask_safe = Map.from_geom(dataset.counts.geom, data=inside)
    assert places(resample_energy_edges(dataset, {"counts_min": 5})) == [1, 2, 3, 4, 5, 6, 7]
    assert places(resample_energy_edges(dataset)) == [1, 2, 3, 4, 5, 6, 7]
    dataset.mask_safe.data[:] = False
    with pytest.raises(InputError, match="selects no bin"):
        resample_energy_edges(dataset, {"counts_min": 5})


def test_unknown_condition():
    with pytest.raises(NameLookupError, match="counts_max"):
        resample_energy_edges(counts([1] * 8), {"counts_max": 3})
