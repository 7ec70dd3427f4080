from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.time import Time

from geminga.data import ObservationTable
from geminga.errors import FormatError, InputError, NameLookupError, UnitError
from tests.helpers import data_path, requires_data
from tests.unit.data.conftest import MJD, obs_index


@pytest.fixture
def table():
    new = ObservationTable(obs_index(1, 2, 3))
    new.meta.update(MJD)
    return new


def ids(table):
    return table["OBS_ID"].tolist()


class TestColumns:
    def test_positions(self, table):
        assert table.pointing_radec.dec.deg.tolist() == [22.51, 23.51, 24.51]
        assert table.pointing_galactic.icrs.separation(table.pointing_radec).arcsec.max() < 1e-6
        table["GLON_PNT"], table["GLAT_PNT"] = [1.0, 2.0, 3.0], [0.0, 0.0, 0.0]
        assert table.pointing_galactic.l.deg.tolist() == [1, 2, 3]

    def test_times(self, table):
        assert (table.time_stop - table.time_start).sec == pytest.approx([1000] * 3)
        assert table.create_gti(2).time_sum.to_value("s") == pytest.approx(1000)
        assert (table.create_gti(2).time_start[0] - table.time_start[1]).sec == pytest.approx(0, abs=1e-5)
        with pytest.raises(FormatError, match="MJDREFI"):
            ObservationTable(obs_index(1)).time_start  # noqa: B018


class TestSelections:
    def test_identifiers(self, table):
        assert ids(table.select_obs_id(2)) == [2]
        assert ids(table.select_obs_id([3, 1])) == [3, 1]
        with pytest.raises(KeyError, match="No matches found for key 9"):
            table.select_obs_id([1, 9])

    def test_range(self, table):
        assert ids(table.select_range("N_TELS", [3, 5])) == [1, 2]
        assert ids(table.select_range("N_TELS", [4, 4])) == [2]
        assert ids(table.select_range("N_TELS", [4, 5], inverted=True)) == [1, 3]
        assert ids(table.select_range("DEC_PNT", [23, 24] * u.deg)) == [2]
        assert ids(table.select_range("DEC_PNT", ["1380 arcmin", "24 deg"])) == [2]
        for variable, values, error in (
            ("foo", [1, 2], NameLookupError),
            ("OBJECT", ["A", "B"], InputError),
            ("N_TELS", [2, 1], InputError),
            ("N_TELS", [1, 2, 3], InputError),
            ("DEC_PNT", [1, 2] * u.s, UnitError),
        ):
            with pytest.raises(error, match="ObservationTable"):
                table.select_range(variable, values)

    def test_masked_cells_are_outside(self, table):
        table["X"] = np.ma.MaskedArray([1.0, 2.0, 3.0], mask=[False, True, False])
        assert ids(table.select_range("X", [0, 10])) == [1, 3]

    def test_sky_circle(self, table):
        center = SkyCoord(83.63, 22.51, unit="deg")
        assert ids(table.select_sky_circle(center, "0 deg")) == [1]
        assert ids(table.select_sky_circle(center.galactic, 1.5 * u.deg)) == [1, 2]
        assert ids(table.select_sky_circle(center, 1.5 * u.deg, inverted=True)) == [3]
        with pytest.raises(InputError, match="radius is -1 deg"):
            table.select_sky_circle(center, "-1 deg")

    def test_time_range(self, table):
        start = table.time_start[0]
        middle = Time([start - 1 * u.s, start + 10500 * u.s])
        assert ids(table.select_time_range(middle)) == [1]
        assert ids(table.select_time_range(middle, partial_overlap=True)) == [1, 2]
        assert ids(table.select_time_range(middle, partial_overlap=True, inverted=True)) == [3]

    def test_by_criteria(self, table):
        circle = {"type": "sky_circle", "frame": "icrs", "lon": "83.63 deg", "lat": "22.51 deg", "radius": "0.5 deg"}
        assert ids(table.select_observations(circle)) == [1]
        assert ids(table.select_observations(circle | {"border": "1 deg"})) == [1, 2]
        assert ids(
            table.select_observations(
                [circle | {"border": "1 deg"}, {"type": "par_box", "variable": "N_TELS", "value_range": [4, 9]}]
            )
        ) == [2]
        box = {"type": "time_box", "time_range": Time([table.time_start[1], table.time_stop[1]])}
        assert ids(table.select_observations(box | {"partial_overlap": True})) == [2]
        assert ids(table.select_observations(box | {"partial_overlap": True, "inverted": True})) == [1, 3]
        assert ids(table.select_observations()) == [1, 2, 3]
        with pytest.raises(NameLookupError, match="Invalid selection type: 'foo'"):
            table.select_observations({"type": "foo"})
        with pytest.raises(NameLookupError, match="lacks 'radius'"):
            table.select_observations({key: value for key, value in circle.items() if key != "radius"})

    def test_summary(self, table):
        assert table.summary() == "Observation table:\nObservatory name: 'N/A'\nNumber of observations: 3\n"
        assert isinstance(table[:2], ObservationTable)


@requires_data("hess-dl3-dr1")
def test_hess():
    table = ObservationTable.read(data_path("hess-dl3-dr1/obs-index.fits.gz"))
    # Numbers of gammapy 2.1.
    assert len(table.select_sky_circle(SkyCoord(83.633, 22.014, unit="deg"), "2 deg")) == 4
    assert len(table.select_time_range(Time(["2004-01-01", "2005-01-01"]))) == 59
    assert len(table.select_range("ALT_PNT", [60, 70] * u.deg)) == 26
    assert len(table.select_range("MUONEFF", [1, 1.1])) == 21
