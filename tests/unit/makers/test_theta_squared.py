"""Counts against squared distance."""

from __future__ import annotations

import logging

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.data import DataStore
from geminga.errors import InputError
from geminga.makers.utils import ThetaSquaredTable
from geminga.maps import MapAxis
from geminga.stats import WStatCountsStatistic
from tests.helpers import data_path, requires_data
from tests.unit.makers.builders import POINTING, TARGET, observation

AXIS = MapAxis.from_bounds(0, 0.04, nbin=4, unit="deg2", name="theta2")


def counts(one, position, energy=(0, np.inf)):
    events = one.events
    inside = (events.energy.to_value("TeV") >= energy[0]) & (events.energy.to_value("TeV") < energy[1])
    return np.histogram(events.radec.separation(position).deg[inside] ** 2, AXIS.edges.value)[0]


@pytest.mark.parametrize("number", [1, 3])
def test_counts(number):
    some = [observation(1, number=20000), observation(2, seed=5, number=20000)]
    table = ThetaSquaredTable(some, AXIS, TARGET, off_regions_number=number).run()
    assert (table["counts"] == sum(counts(one, TARGET) for one in some)).all()
    angle = POINTING.position_angle(TARGET)
    off = 0
    for k in range(1, number + 1):
        place = POINTING.directional_offset_by(angle + 360 * k / (number + 1) * u.deg, POINTING.separation(TARGET))
        off = off + sum(counts(one, place) for one in some)
    assert (table["counts_off"] == off).all()
    assert_allclose(table["alpha"], 1 / number)
    statistic = WStatCountsStatistic(table["counts"].data, table["counts_off"].data, table["alpha"].data)
    assert_allclose(table["sqrt_ts"], statistic.sqrt_ts)
    assert_allclose(table["excess"], table["counts"] - table["counts_off"] / number)


def test_energies_and_off_position():
    one = observation(1, number=20000)
    off = POINTING.directional_offset_by(30 * u.deg, 0.5 * u.deg)
    table = ThetaSquaredTable([one], AXIS, TARGET, position_off=off, energy_edges=[0.5, 2] * u.TeV).run()
    assert (table["counts"] == counts(one, TARGET, (0.5, 2))).all()
    assert (table["counts_off"] == counts(one, off, (0.5, 2))).all()
    assert table.meta["OFF_RA"] == off.ra
    assert (table.meta["Energy_filter"] == [0.5, 2] * u.TeV).all()


def test_overlapping_positions(caplog):
    with caplog.at_level(logging.WARNING):
        table = ThetaSquaredTable([observation()], AXIS, TARGET, off_regions_number=20).run()
    assert "20 off positions would overlap; one is taken" in caplog.text
    assert_allclose(table["alpha"], 1)


def test_refusals():
    with pytest.raises(InputError, match="expected two, one interval of energy"):
        ThetaSquaredTable([], AXIS, TARGET, energy_edges=[1, 2, 3] * u.TeV)
    with pytest.raises(InputError, match="off_regions_number is 0"):
        ThetaSquaredTable([], AXIS, TARGET, off_regions_number=0)


@requires_data("hess-dl3-dr1")
def test_numbers_of_gammapy():
    from astropy.coordinates import SkyCoord

    some = DataStore.from_dir(data_path("hess-dl3-dr1")).get_observations([23523, 23526])
    axis = MapAxis.from_bounds(0, 0.2, nbin=4, unit="deg2", name="theta2")
    table = ThetaSquaredTable(some, axis, SkyCoord(83.633, 22.014, unit="deg")).run()
    assert table["counts"].tolist() == [703, 226, 166, 189]
    assert table["counts_off"].tolist() == [143, 153, 143, 132]
    assert_allclose(table["sqrt_ts"], [20.1010355, 3.7615081, 1.3090296, 3.1898853], rtol=1e-6)
    assert_allclose(table["excess_errp"], [29.3118423, 19.5443858, 17.6172671, 17.9890489], rtol=1e-5)
