from __future__ import annotations

import pytest
from astropy import units as u

from geminga.data import GTI, ObservationFilter
from geminga.data.events import example_events
from geminga.errors import InputError, NameLookupError


def phases(values, name="PHASE"):
    return {"type": "custom", "opts": {"parameter": name, "values": values}}


@pytest.fixture
def events():
    return example_events(100)


@pytest.fixture
def gti(events):
    return GTI.create([0, 1000] * u.s, [800, 1800] * u.s, reference_time=events.time_ref)


class TestLivetime:
    @pytest.mark.parametrize(
        ("filters", "fraction"),
        [
            ([], 1),
            ([phases([0.2, 0.6])], 0.4),
            ([phases([0.9, 0.2])], 0.3),
            ([phases([[0.2, 0.6], [0.7, 0.9]])], 0.6),
            ([phases([[0.2, 0.6], [0.5, 0.9]])], 0.7),
            ([phases([0.2, 0.6]), phases([0.5, 1.0])], 0.1),
            ([phases([0.2, 0.6]), phases([0.0, 0.5], "ORBITAL_PHASE")], 0.2),
            ([phases([1, 2] * u.TeV, "ENERGY")], 1),
            ([{"type": "sky_region", "opts": {"regions": "icrs;circle(83.63, 22.01, 1)"}}], 1),
        ],
    )
    def test_fraction(self, filters, fraction):
        assert ObservationFilter(event_filters=filters).livetime_fraction == pytest.approx(fraction)

    @pytest.mark.parametrize("values", [[0.2, 1.3], [0.1, 0.2, 0.3], "abc"])
    def test_refusals(self, values):
        with pytest.raises(InputError, match="Filter of phase"):
            ObservationFilter(event_filters=[phases(values)]).livetime_fraction  # noqa: B018


class TestTime:
    def test_inside_and_outside(self, events, gti):
        interval = [events.time_ref + 100 * u.s, events.time_ref + 1100 * u.s]
        inside, outside = ObservationFilter(interval), ObservationFilter(interval, inverted_time=True)
        assert inside.filter_gti(gti).time_sum.value == pytest.approx(800)
        assert inside.filter_gti(gti).time_sum + outside.filter_gti(gti).time_sum == gti.time_sum
        assert len(inside.filter_events(events)) + len(outside.filter_events(events)) == 100

    def test_several_intervals(self, events, gti):
        wanted = GTI.create([100, 1500] * u.s, [200, 1600] * u.s, reference_time="2000-01-01")
        wanted = GTI.create(events.time_ref + [100, 1500] * u.s, events.time_ref + [200, 1600] * u.s, "2000-01-01")
        inside, outside = ObservationFilter(wanted), ObservationFilter(wanted, inverted_time=True)
        assert inside.filter_gti(gti).time_sum.value == pytest.approx(200)
        assert outside.filter_gti(gti).time_sum.value == pytest.approx(1400)
        seconds = events.numbers("TIME")
        expected = ((seconds >= 100) & (seconds < 200)) | ((seconds >= 1500) & (seconds < 1600))
        assert len(inside.filter_events(events)) == expected.sum()
        assert len(outside.filter_events(events)) == (~expected).sum()

    def test_narrowed_is_both(self, events, gti):
        first = ObservationFilter([events.time_ref + 100 * u.s, events.time_ref + 500 * u.s])
        both = first.narrowed([events.time_ref + 400 * u.s, events.time_ref + 900 * u.s])
        assert both.filter_gti(gti).time_sum.value == pytest.approx(100)
        without = first.narrowed([events.time_ref + 400 * u.s, events.time_ref + 900 * u.s], inverted=True)
        assert without.filter_gti(gti).time_sum.value == pytest.approx(300)
        assert first.filter_gti(gti).time_sum.value == pytest.approx(400)

    def test_no_interval(self, events, gti):
        nothing = ObservationFilter(GTI.create([] * u.s, [] * u.s))
        assert len(nothing.filter_gti(gti)) == 0
        assert len(nothing.filter_events(events)) == 0


def test_event_filters_all_hold(events):
    region = {"type": "sky_region", "opts": {"regions": "icrs;circle(83.63, 22.01, 1)"}}
    energy = {"type": "custom", "opts": {"parameter": "ENERGY", "values": [1, 10] * u.TeV}}
    both = ObservationFilter(event_filters=[region, energy]).filter_events(events)
    assert len(both) == len(events.select_region("icrs;circle(83.63, 22.01, 1)").select_energy([1, 10] * u.TeV))


def test_unknown_type():
    with pytest.raises(NameLookupError, match="type must be one of sky_region, custom"):
        ObservationFilter(event_filters=[{"type": "foo", "opts": {}}])


def test_text():
    assert "time   : all" in str(ObservationFilter())
    assert ObservationFilter()._repr_html_().startswith("<pre>")
