from __future__ import annotations

import pickle

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table
from astropy.time import Time
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from regions import CircleSkyRegion

from geminga.data import EventList
from geminga.data.events import example_events
from geminga.errors import DataError, FormatError, GeometryError, InputError, NameLookupError, UnitError
from geminga.irf import RadMax2D
from geminga.maps import Map, MapAxis, RegionGeom, RegionNDMap, TimeMapAxis, WcsGeom
from tests.helpers import data_path, requires_data
from tests.unit.data.conftest import events_hdu

CENTER = SkyCoord(83.63, 22.01, unit="deg")


@pytest.fixture(params=["file", "table"])
def events(request, tmp_path):
    """The same events, as they lie in a file and as a table."""
    fits.HDUList([fits.PrimaryHDU(), events_hdu()]).writeto(tmp_path / "events.fits")
    one = EventList.read(tmp_path / "events.fits")
    return one if request.param == "file" else EventList(one.table)


def simple(**columns) -> Table:
    default = {"TIME": Time(["2020-01-01"]), "RA": [1.0] * u.deg, "DEC": [2.0] * u.deg, "ENERGY": [3.0] * u.TeV}
    return Table({name: column for name, column in (default | columns).items() if column is not None})


class TestReading:
    def test_columns(self, events):
        assert len(events) == 200
        assert events.energy.unit == u.TeV
        assert events.numbers("TIME").min() >= 5000
        assert_allclose((events.time - events.time_ref).sec, events.numbers("TIME"), atol=1e-6)
        assert_allclose(events.radec.ra.deg, events.table["RA"])
        assert events.table["TIME"].scale == "tt"
        assert events.table.meta["OBS_ID"] == 1
        assert "NAXIS1" not in events.table.meta

    def test_keywords(self, events):
        assert events.pointing_radec.dec.deg == 22.51
        assert events.observation_live_time_duration == 900 * u.s
        assert events.observation_time_duration == 1000 * u.s
        assert events.observation_dead_time_fraction == pytest.approx(0.1)
        assert (events.observation_time_stop - events.observation_time_start).sec == pytest.approx(1000)
        assert events.observatory_earth_location.height.to_value("m") == pytest.approx(1835)
        assert events.is_pointed_observation
        assert events.meta.creation.date is None

    def test_angles(self, events):
        assert_allclose(events.offset.deg, events.radec.separation(events.pointing_radec).deg, rtol=1e-9)
        assert_allclose(events.galactic.b.deg, events.radec.galactic.b.deg)
        assert events.galactic_median.separation(CENTER).deg < 0.2
        assert_allclose(events.offset_from_median.deg, events.radec.separation(events.galactic_median).deg, rtol=1e-9)
        assert_allclose(events.altaz.transform_to("icrs").separation(events.radec).arcsec, 0, atol=1e-3)

    def test_median_across_longitude_zero(self):
        positions = SkyCoord([359, 359.5, 1], [0, 0.1, 0.2], unit="deg", frame="galactic").icrs
        table = Table({"TIME": Time(["2020-01-01"] * 3), "RA": positions.ra, "DEC": positions.dec, "ENERGY": [1, 1, 1] * u.TeV})
        assert EventList(table).galactic_median.l.wrap_at("180d").deg == pytest.approx(-0.5, abs=1e-6)

    def test_table_is_what_counts_once_it_is_there(self, events):
        events.table["ENERGY"] *= 2
        assert events.numbers("ENERGY").max() == pytest.approx(2 * events.table["ENERGY"].max() / 2)
        events.table["PHASE"] = 0.25
        assert len(events.select_parameter("PHASE", [0.2, 0.3])) == 200

    def test_a_change_does_not_reach_the_next_reader(self, store_dir):
        from geminga.data import DataStore

        one = DataStore.from_dir(store_dir).obs(1)
        before = one.events.numbers("ENERGY").copy()
        one.events.table["ENERGY"] *= 2
        one.events.numbers("ENERGY")[:] = 0
        assert (one.events.numbers("ENERGY") == before).all()

    def test_elapsed_times(self):
        table = simple(TIME=[10.0] * u.s)
        table.meta.update({"MJDREFI": 51544, "MJDREFF": 0.5, "TIMESYS": "tt"})
        assert EventList(table).time[0].isot == "2000-01-01T12:00:10.000"

    def test_copy(self, events):
        other = events.copy()
        other.table["ENERGY"] *= 2
        assert (other.numbers("ENERGY") == 2 * events.numbers("ENERGY")).all()

    def test_pickle(self, events):
        other = pickle.loads(pickle.dumps(events))
        assert (other.numbers("RA") == events.numbers("RA")).all()

    def test_columns_which_differ_by_case(self, tmp_path):
        table = Table.read(events_hdu())
        table["ra"] = np.zeros(200)
        fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU(table, name="EVENTS")]).writeto(tmp_path / "a.fits")
        one = EventList.read(tmp_path / "a.fits")
        assert one.numbers("RA").min() > 80
        assert one.numbers("ra").max() == 0
        assert (one.table["ra"] == 0).all()

    def test_drift(self):
        table = simple()
        table.meta["OBS_MODE"] = "DRIFT"
        assert not EventList(table).is_pointed_observation

    def test_altaz_of_columns(self):
        one = EventList(simple(ALT=[70.0] * u.deg, AZ=[10.0] * u.deg))
        one.table.meta.update({"GEOLON": 16.5, "GEOLAT": -23.3, "ALTITUDE": 1800})
        assert one.altaz_from_table.alt.deg == [70.0]


class TestRefusals:
    def test_columns(self):
        with pytest.raises(NameLookupError, match="column TIME and ENERGY missing, the columns are RA, DEC"):
            EventList(simple(TIME=None, ENERGY=None))

    def test_units(self):
        with pytest.raises(UnitError, match="'ENERGY' has unit 's'"):
            EventList(simple(ENERGY=[1] * u.s)).energy  # noqa: B018
        with pytest.raises(FormatError, match="'ENERGY' has no unit"):
            EventList(simple(ENERGY=[1.0])).energy  # noqa: B018
        assert EventList(simple(RA=[1.0])).radec.ra.deg == [1.0]

    def test_keywords(self):
        one = EventList(simple())
        with pytest.raises(KeyError, match="no keyword 'RA_PNT'"):
            one.offset  # noqa: B018
        with pytest.raises(NameLookupError, match="no keyword 'LIVETIME'"):
            one.observation_live_time_duration  # noqa: B018

    def test_formats(self, events):
        with pytest.raises(FormatError, match="format 'x' is not known"):
            events.to_table_hdu(format="x")

    def test_no_table(self, tmp_path):
        fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.zeros((2, 2)), name="EVENTS")]).writeto(tmp_path / "a.fits")
        with pytest.raises(FormatError, match="HDU 'EVENTS' is not a table"):
            EventList.read(tmp_path / "a.fits")
        with pytest.raises(NameLookupError, match="has no HDU 'FOO'"):
            EventList.read(tmp_path / "a.fits", hdu="FOO")

    def test_unit_of_a_file_is_named_with_it(self, tmp_path):
        hdu = events_hdu()
        hdu.columns["ENERGY"].unit = "s"
        fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(tmp_path / "a.fits")
        with pytest.raises(UnitError, match=r"a\.fits, HDU 'EVENTS'.*has unit 's'"):
            EventList.read(tmp_path / "a.fits")


class TestSelections:
    """Selecting and its complement part the events, whatever the limits."""

    @settings(max_examples=30, deadline=None)
    @given(st.floats(0, 1), st.floats(0, 1))
    def test_time(self, a, b):
        events = example_events(50)
        seconds = sorted(1800 * value for value in (a, b))
        interval = [events.table["TIME"][0] + seconds[0] * u.s, events.table["TIME"][0] + seconds[1] * u.s]
        inside, outside = events.select_time(interval), events.select_time(interval, inverted=True)
        assert len(inside) + len(outside) == 50
        assert ((inside.time >= interval[0]) & (inside.time < interval[1])).all()

    def test_intervals_are_half_open(self):
        events = EventList(
            Table({"TIME": Time(["2020-01-01"] * 3), "RA": [0, 0, 0], "DEC": [0, 0, 0], "ENERGY": [1, 2, 3] * u.TeV})
        )
        assert events.select_energy([1, 3] * u.TeV).energy.value.tolist() == [1, 2]
        assert events.select_energy(["1 TeV", "3000.1 GeV"]).energy.value.tolist() == [1, 2, 3]
        assert events.select_energy((1 * u.TeV, 2000 * u.GeV)).energy.value.tolist() == [1]
        assert events.select_parameter("ENERGY", [1, 3]).energy.value.tolist() == [1, 2]
        assert events.select_parameter("ENERGY", [1000, 3000] * u.GeV).energy.value.tolist() == [1, 2]

    def test_offset(self, events):
        inner, outer = events.select_offset([0, 1] * u.deg), events.select_offset(["1 deg", "180 deg"])
        assert len(inner) + len(outer) == 200
        assert inner.offset.deg.max() < 1 <= outer.offset.deg.min()

    def test_parameter(self, events):
        assert len(events.select_parameter("EVENT_ID", [3, 5, 7], is_range=False)) == 3
        both = events.select_parameter("PHASE", [[0.0, 0.25], [0.5, 0.75]])
        assert len(both) == sum(len(events.select_parameter("PHASE", band)) for band in ([0.0, 0.25], [0.5, 0.75]))
        wrapped = events.select_parameter("PHASE", (0.9, 0.1))
        phase = wrapped.numbers("PHASE")
        assert 0 < len(wrapped) < 100
        assert ((phase >= 0.9) | (phase < 0.1)).all()
        start = events.time[0]
        assert len(events.select_parameter("TIME", (start, start + 1e4 * u.s))) == 200
        assert len(events.select_parameter("TIME", Time([start, start + 1e4 * u.s]))) == 200

    def test_text(self):
        one = EventList(simple(NAME=["abc"]))
        assert len(one.select_parameter("NAME", ["abc"], is_range=False)) == 1
        assert len(one.select_parameter("NAME", ["x"], is_range=False)) == 0

    def test_region(self, events):
        circle = CircleSkyRegion(CENTER, 0.5 * u.deg)
        inside = events.select_region(circle)
        assert_allclose(len(inside), (events.radec.separation(CENTER).deg < 0.5).sum(), atol=1)
        assert len(events.select_region("icrs;circle(83.63, 22.01, 0.5)")) == len(inside)
        away = CircleSkyRegion(SkyCoord(85, 22, unit="deg"), 0.3 * u.deg)
        assert len(events.select_region([circle, away])) == len(inside) + len(events.select_region(away))

    def test_mask(self, events):
        mask = events.energy > 1 * u.TeV
        assert (events.select_mask(mask).energy > 1 * u.TeV).all()
        image = Map.create(skydir=CENTER, width=1, binsz=0.1, dtype=bool)
        image.data[...] = True
        assert len(events.select_mask(image)) == image.geom.contains(events.map_coord(image.geom)).sum()

    def test_rows(self, events):
        assert len(events.select_row_subset(slice(0, 3))) == 3
        assert len(events.select_row_subset(slice(10, 100)).select_row_subset([0, 2])) == 2
        chain = events.select_row_subset(slice(50, 60)).select_row_subset([3])
        assert chain.numbers("TIME")[0] == events.numbers("TIME")[53]
        assert chain.table["EVENT_ID"].tolist() == [53]

    def test_rad_max(self, events):
        energy = MapAxis.from_edges([0.1, 1, 100], unit="TeV", name="energy", interp="log")
        offset = MapAxis.from_edges([0, 5], unit="deg", name="offset")
        table = RadMax2D([energy, offset], data=[[0.2], [0.6]])
        kept = events.select_rad_max(table, CENTER)
        nearest = np.where(events.energy.value < np.sqrt(np.sqrt(0.1) * np.sqrt(100)), 0.2, 0.6)
        assert len(kept) == (events.radec.separation(CENTER).deg <= nearest).sum()

    def test_chain_gives_the_same_in_any_order(self, events):
        region, band = "icrs;circle(83.63, 22.01, 0.5)", [0.5, 2] * u.TeV
        one = events.select_region(region).select_energy(band)
        two = events.select_energy(band).select_region(region)
        assert one.table["EVENT_ID"].tolist() == two.table["EVENT_ID"].tolist()

    def test_refusals(self, events):
        with pytest.raises(InputError, match="is not in order"):
            events.select_energy([3, 1] * u.TeV)
        with pytest.raises(UnitError, match="energy_range"):
            events.select_energy([1, 3] * u.s)
        with pytest.raises(InputError, match="expected a lower and an upper limit"):
            events.select_offset([0, 1, 2] * u.deg)
        with pytest.raises(NameLookupError, match="Column not found in event list: 'FOO'"):
            events.select_parameter("FOO", [0, 1])
        with pytest.raises(InputError, match="range of 'ENERGY' is 3.0 to 1.0"):
            events.select_parameter("ENERGY", [3.0, 1.0])
        with pytest.raises(InputError, match=r"shape \(3,\)"):
            events.select_parameter("ENERGY", [1, 2, 3])
        with pytest.raises(GeometryError, match="expected 200 bools"):
            events.select_mask(np.ones(3, dtype=bool))
        with pytest.raises(InputError, match="ends before it starts"):
            events.select_time([events.time[5], events.time[0]])
        with pytest.raises(InputError, match="expected two times"):
            events.select_time(3)


class TestStack:
    def test_numbers_add_up(self, events):
        joined = EventList.from_stack([events, events.select_row_subset(slice(0, 10))])
        assert len(joined) == 210
        assert joined.table.meta["OBS_ID"] == 1
        events.stack(events.select_row_subset(slice(0, 5)))
        assert len(events) == 205

    def test_different_references(self, events):
        other = simple()
        other.meta.update({"MJDREFI": 58000, "MJDREFF": 0.0, "TIMESYS": "utc"})
        joined = EventList.from_stack([events, EventList(other)])
        assert joined.table["TIME"][-1].utc.isot == "2020-01-01T00:00:00.000"
        assert (joined.time[-1] - Time("2020-01-01")).sec == pytest.approx(0, abs=1e-4)

    def test_nothing(self):
        with pytest.raises(InputError, match="got no event list"):
            EventList.from_stack([])


class TestWriting:
    def test_write_then_read(self, events, tmp_path):
        fits.HDUList([fits.PrimaryHDU(), events.to_table_hdu()]).writeto(tmp_path / "b.fits")
        other = EventList.read(tmp_path / "b.fits")
        for name in ("RA", "DEC", "ENERGY", "EVENT_ID", "PHASE"):
            assert (other.numbers(name) == events.numbers(name)).all()
            assert other.table[name].dtype == events.table[name].dtype
        assert_allclose(other.numbers("TIME"), events.numbers("TIME"), atol=1e-6)
        assert abs((other.time_ref - events.time_ref).sec) < 1e-9
        assert other.table.meta["RA_PNT"] == 83.63


class TestMaps:
    def test_counts_are_events_in_the_field(self, events):
        energy = MapAxis.from_energy_bounds("0.5 TeV", "10 TeV", nbin=3)
        for frame in ("icrs", "galactic"):
            counts = Map.from_geom(WcsGeom.create(skydir=CENTER, width=2, binsz=0.1, frame=frame, axes=[energy]))
            counts.fill_events(events)
            assert counts.data.sum() == counts.geom.contains(events.map_coord(counts.geom)).sum() > 100

    def test_weights_and_all_at_once(self, events):
        """Only events in a bin of the other axes are looked at on the sky, with the same result."""
        energy = MapAxis.from_energy_bounds("0.5 TeV", "10 TeV", nbin=3)
        weights = np.random.default_rng(0).uniform(0, 1, len(events))
        for geom in (
            WcsGeom.create(skydir=CENTER, width=2, binsz=0.1, frame="galactic", axes=[energy]),
            RegionGeom.create("icrs;circle(83.63, 22.01, 0.5)", axes=[energy]),
            WcsGeom.create(skydir=CENTER, width=2, binsz=0.1),
        ):
            one, other = Map.from_geom(geom, dtype=float), Map.from_geom(geom, dtype=float)
            one.fill_events(events, weights=weights)
            other.fill_by_coord(events.map_coord(geom), weights=weights)
            assert one.data.sum() > 10
            assert_allclose(one.data, other.data)

    def test_region(self, events):
        geom = RegionGeom.create(
            "icrs;circle(83.63, 22.01, 0.5)", axes=[MapAxis.from_energy_bounds("0.1 TeV", "1000 TeV", nbin=1)]
        )
        counts = RegionNDMap.from_geom(geom)
        counts.fill_events(events)
        assert counts.data.sum() == len(events.select_region(geom.region))

    def test_time_and_other_columns(self, events):
        start = events.time_ref + 5000 * u.s
        axis = TimeMapAxis([0, 500] * u.s, [500, 1000] * u.s, reference_time=start)
        counts = RegionNDMap.from_geom(RegionGeom.create("icrs;circle(83.63, 22.01, 60)", axes=[axis]))
        counts.fill_events(events)
        seconds = events.numbers("TIME")
        assert counts.data.ravel().tolist() == [(seconds < 5500).sum(), (seconds >= 5500).sum()]
        phase = MapAxis.from_edges([0, 0.5, 1], name="phase")
        assert events.map_coord(RegionGeom.create(None, axes=[phase]))["phase"].max() <= 1
        with pytest.raises(NameLookupError, match="Column not found in event list: 'foo'"):
            events.map_coord(RegionGeom.create(None, axes=[phase.copy(name="foo")]))


class TestChecks:
    def test_good(self, events):
        assert [record for record in events.check() if record["level"] == "error"] == []

    def test_bad(self):
        table = simple(ENERGY=[-1.0] * u.TeV, DEC=[95.0] * u.deg, EVENT_ID=[1])
        table.meta.update({"DEADC": -0.5, "TSTART": 0.0, "TSTOP": 1.0})
        messages = [record["msg"] for record in EventList(table).check()]
        assert "1 energies are not positive" in messages
        assert "1 values of DEC are not between -90 and 90 deg" in messages
        assert "DEADC is -0.5, expected a number above 0, at most 1" in messages
        assert "1 events are outside of TSTART to TSTOP" in messages
        assert any(message.startswith("Missing keywords: OBS_ID") for message in messages)

    def test_some(self, events):
        assert list(events.check("energy")) == []
        with pytest.raises(NameLookupError, match="Unknown checks: \\['x'\\]"):
            events.check(["x"])


class TestText:
    def test_summary(self, events):
        lines = str(events).splitlines()
        assert lines[:2] == ["EventList", "---------"]
        assert "  Number of events : 200" in lines
        assert "  Event rate       : 0.200 1 / s" in lines
        assert "  Max. offset      : " in str(events)
        assert events._repr_html_().startswith("<pre>EventList")

    def test_no_events(self, events):
        assert "Number of events : 0" in str(events.select_row_subset(slice(0, 0)))


class TestPlots:
    @pytest.fixture(autouse=True)
    def _close(self):
        import matplotlib.pyplot as plt

        yield
        plt.close("all")

    def test_histograms_hold_all_events(self, events):
        heights = events.plot_energy(histtype="bar").patches
        assert sum(bar.get_height() for bar in heights) == 200
        counts = events.plot_energy_offset(center=CENTER).collections[0].get_array()
        assert 195 <= counts.sum() <= 200
        limited = events.plot_energy_offset(center=CENTER, vmin=0.5, vmax=20).collections[-1]
        assert limited.get_clim() == (0.5, 20)

    def test_all_draw(self, events):
        import matplotlib.pyplot as plt

        for plot in (events.plot_time, events.plot_offset2_distribution, events.plot_energy):
            assert plot(ax=plt.figure().gca()).get_xlabel()
        events.peek()
        assert len(plt.gcf().axes) >= 6

    def test_nothing_to_draw(self, events):
        with pytest.raises(DataError, match="there are no events to plot"):
            events.select_row_subset(slice(0, 0)).plot_energy()


@requires_data("fermi-3fhl-gc/fermi-3fhl-gc-events.fits.gz")
def test_fermi_events():
    events = EventList.read(data_path("fermi-3fhl-gc/fermi-3fhl-gc-events.fits.gz"))
    assert len(events) == 32843
    assert events.energy.unit == u.MeV
    assert events.numbers("ENERGY").min() == pytest.approx(0.01, rel=1e-3)
    assert events.table["EVENT_CLASS"].shape == (32843, 32)
    assert "Max. offset" not in str(events)
