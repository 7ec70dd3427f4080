"""The runs of the demo have the parametric response."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u

from geminga.cli.runs import make_observations, make_response_tables, reduce_runs, simulate_runs
from geminga.cli.simulate import empty_field, power_with_floor, read_response, true_models
from geminga.data import EventList


def test_response_tables() -> None:
    tables = make_response_tables()
    radius = tables["psf"].containment_radius(0.68, energy_true=1 * u.TeV, offset=1 * u.deg).to_value("deg")
    assert np.ravel(radius)[0] == pytest.approx(np.hypot(0.03, 0.015) * np.sqrt(-2 * np.log(0.32)), rel=0.03)
    kernel = tables["edisp"].to_edisp_kernel(offset=0.5 * u.deg)
    resolution = power_with_floor(1 * u.TeV, **read_response()["energy_dispersion"]).value
    assert float(np.ravel(kernel.get_resolution(1 * u.TeV))[0]) == pytest.approx(float(resolution), rel=0.3)
    rate = tables["bkg"].evaluate(energy=1 * u.TeV, offset=1 * u.deg).to_value("TeV-1 s-1 sr-1")
    assert np.ravel(rate)[0] == pytest.approx(35 * np.exp(-0.5 * (1 / 2.5) ** 2), rel=0.02)


def test_observations_add_up() -> None:
    observations = make_observations()
    assert [one.obs_id for one in observations] == [1, 2, 3, 4]
    assert sum(one.observation_time_duration.to_value("s") for one in observations) == pytest.approx(3600)
    assert (observations[1].tstart - observations[0].tstop).to_value("s") == pytest.approx(0, abs=1e-3)
    distance = observations[0].pointing.fixed_icrs.separation(observations[2].pointing.fixed_icrs)
    assert distance.deg == pytest.approx(1.0)


def test_reduced_runs_resemble_the_field(tmp_path) -> None:
    """Exposure and background are those of one long run, but for the offsets of the pointings."""
    paths = simulate_runs(tmp_path, seed=1)
    dataset, field = reduce_runs(paths, name="demo"), empty_field()
    assert dataset.counts.geom == field.counts.geom
    ratio = dataset.exposure.data[10:, 50, 50] / field.exposure.data[10:, 50, 50]
    assert ratio == pytest.approx(np.exp(-0.5 * (0.5 / 3) ** 2), rel=0.03)
    total = dataset.background.data.sum(axis=(1, 2)) / field.background.data.sum(axis=(1, 2))
    assert total == pytest.approx(1.0, abs=0.1)
    dataset.models = true_models("demo")
    expected = dataset.npred().data.sum()
    assert dataset.counts.data.sum() == pytest.approx(expected, abs=5 * np.sqrt(expected))


def test_events_follow_the_seed(tmp_path) -> None:
    lists = [EventList.read(simulate_runs(tmp_path / str(i), seed=seed)[0]) for i, seed in enumerate((3, 3, 4))]
    assert np.array_equal(lists[0].energy.value, lists[1].energy.value)
    assert not np.array_equal(lists[0].energy.value[:50], lists[2].energy.value[:50])
