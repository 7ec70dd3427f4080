from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import AltAz, SkyCoord
from astropy.io import fits
from astropy.time import Time
from numpy.testing import assert_allclose

from geminga.data import GTI, DataStore, FixedPointingInfo, Observation, ObservationMetaData, Observations
from geminga.data.events import example_events
from geminga.errors import CorruptFileError, DataError, FileExistsRefusal, FormatError, InputError, NameLookupError
from geminga.irf import EffectiveAreaTable2D
from geminga.maps import MapAxis
from geminga.utils.observers import observatory_locations
from tests.unit.data.conftest import events_hdu, gti_hdu, hdu_rows, irfs, write_file, write_index

POINTING = FixedPointingInfo(SkyCoord(83.63, 22.51, unit="deg"))


@pytest.fixture
def one(store_dir):
    return DataStore.from_dir(store_dir).obs(1)


def made(**kwargs):
    return Observation.create(POINTING, **({"livetime": "1000 s"} | kwargs))


class TestParts:
    def test_response_functions_are_read_once(self, one, store_dir):
        assert one.aeff.quantity.max() == 1e5 * u.m**2
        assert one.aeff is one.aeff
        assert one.rad_max is None
        assert one.available_irfs == ["aeff", "edisp", "psf", "bkg"]
        assert one.available_hdus[:2] == ["events", "gti"]

    def test_set(self, one):
        one.aeff = irfs()["aeff"]
        one.events = example_events(10)
        one.gti = GTI.create(0 * u.s, 10 * u.s)
        assert len(one.events) == 10
        assert one.observation_time_duration.value == pytest.approx(10)
        with pytest.raises(InputError, match="events must be an EventList, got NoneType"):
            one.events = None
        with pytest.raises(InputError, match="gti must be a GTI"):
            one.gti = 3

    def test_nothing_there(self):
        empty = Observation(obs_id=3)
        with pytest.raises(DataError, match="Observation 3 has no events"):
            empty.events  # noqa: B018
        with pytest.raises(DataError, match="Observation 3 has no good time"):
            empty.gti  # noqa: B018
        with pytest.raises(FormatError, match="Observation 3 has neither a pointing nor events"):
            empty.pointing  # noqa: B018
        assert empty.aeff is None
        with pytest.raises(DataError, match="no response functions to plot"):
            empty.peek()

    def test_radius_in_the_header(self):
        energy = MapAxis.from_energy_bounds("0.1 TeV", "10 TeV", nbin=2, name="energy_true")
        offset = MapAxis.from_edges([0, 2], unit="deg", name="offset")
        aeff = EffectiveAreaTable2D([energy, offset], data=np.ones((2, 1)), is_pointlike=True, meta={"RAD_MAX": 0.11})
        assert Observation(aeff=aeff).rad_max.quantity.to_value("deg").tolist() == [[0.11]]

    def test_reversed_longitude_of_dl3_dr1(self, tmp_path):
        header = {"CREATOR": "SASH FITS::EventListWriter", "HDUVERS": "0.2"}
        write_file(tmp_path / "data" / "a.fits", events_hdu(1, **header), gti_hdu())
        write_index(tmp_path, hdu_rows(1, "a.fits"))
        background = DataStore.from_dir(tmp_path).obs(1).bkg
        assert background.fov_alignment.value == "REVERSE_LON_RADEC"
        assert background.quantity.max().value == pytest.approx(1e-6)


class TestTime:
    def test_durations(self, one):
        assert one.observation_time_duration == 1000 * u.s
        assert one.observation_live_time_duration.to_value("s") == pytest.approx(900)
        assert (one.tstop - one.tstart).sec == pytest.approx(1000)
        assert (one.tmid - one.tstart).sec == pytest.approx(500)

    def test_overlaps_count_once(self, tmp_path, caplog):
        write_file(tmp_path / "data" / "a.fits", events_hdu(1), gti_hdu((5000, 5600), (5400, 6000)))
        write_index(tmp_path, hdu_rows(1, "a.fits"))
        one = DataStore.from_dir(tmp_path).obs(1)
        assert one.observation_time_duration.to_value("s") == pytest.approx(1000)
        assert "1 good time intervals overlap" in caplog.text
        assert [record["msg"] for record in one.check("gti")] == ["1 good time intervals overlap with another, such as row 1"]

    def test_intervals_in_any_order(self):
        one = Observation(obs_id=1, gti=GTI.create([500, 0] * u.s, [900, 100] * u.s), pointing=POINTING)
        assert (one.tstop - one.tstart).sec == pytest.approx(900)

    def test_no_good_time(self, tmp_path):
        write_file(
            tmp_path / "data" / "a.fits", events_hdu(1), fits.BinTableHDU(gti_hdu().data[:0], gti_hdu().header, name="GTI")
        )
        write_index(tmp_path, hdu_rows(1, "a.fits"))
        one = DataStore.from_dir(tmp_path).obs(1)
        assert one.observation_live_time_duration == 0 * u.s
        with pytest.raises(DataError, match="Observation 1 has no good time left"):
            one.tstart  # noqa: B018
        assert "duration          : 0.00 s" in str(one)
        assert [record["msg"] for record in one.check("gti")] == ["There is no good time interval"]

    def test_select(self, one):
        start = one.tstart
        part = one.select_time(Time([start + 100 * u.s, start + 300 * u.s]))
        assert part.observation_live_time_duration.to_value("s") == pytest.approx(180)
        assert len(part.events) == len(one.events.select_time([start + 100 * u.s, start + 300 * u.s]))
        rest = one.select_time([start + 100 * u.s, start + 300 * u.s], inverted=True)
        assert len(part.events) + len(rest.events) == 200
        narrower = part.select_time([start, start + 150 * u.s])
        assert narrower.observation_time_duration.to_value("s") == pytest.approx(50)
        assert one.observation_time_duration == 1000 * u.s

    def test_phases_take_live_time(self, one):
        from geminga.data import ObservationFilter

        phases = ObservationFilter(event_filters=[{"type": "custom", "opts": {"parameter": "PHASE", "values": [0.0, 0.25]}}])
        part = one.copy(in_memory=True, obs_filter=phases)
        assert part.observation_live_time_duration.to_value("s") == pytest.approx(225)
        assert part.events.numbers("PHASE").max() < 0.25


class TestMeta:
    def test_from_header(self, one):
        before = one.obs_info, one.observation_dead_time_fraction
        assert one.meta.obs_info.telescope == "HESS"
        assert (one.meta.obs_info, one.meta.deadtime_fraction) == (one.obs_info, one.observation_dead_time_fraction) == before
        assert one.target_radec.dec.deg == 22.01
        assert one.observatory_earth_location.height.to_value("m") == pytest.approx(1835)
        assert one.observation_dead_time_fraction == pytest.approx(0.1)
        assert (one.meta.time_info.time_stop - one.meta.time_info.time_start).sec == pytest.approx(1000)

    def test_pointing(self, one):
        assert one.get_pointing_icrs(one.tmid).dec.deg == pytest.approx(22.51)
        assert one.get_pointing_altaz(one.tmid).icrs.separation(one.get_pointing_icrs(one.tmid)).arcsec < 1e-3

    def test_fields_of_view(self, one):
        for alignment in ("RADEC", "ALTAZ", "REVERSE_LON_RADEC"):
            frame = one.get_fov_frame(one.tmid, alignment)
            center = one.pointing.fixed_icrs.transform_to(frame)
            assert abs(center.fov_lon.deg) + abs(center.fov_lat.deg) < 1e-5

    def test_header_round_trip(self, one):
        other = ObservationMetaData.from_header(one.meta.to_header())
        assert other.obs_info == one.meta.obs_info
        assert other.deadtime_fraction == pytest.approx(0.1)
        assert other.location.lon.deg == pytest.approx(16.5)
        assert "deadtime_fraction" in one.meta.to_yaml()

    def test_refusal(self):
        with pytest.raises(DataError, match="deadtime_fraction is 1.5"):
            ObservationMetaData(deadtime_fraction=1.5)


class TestCreate:
    def test_defaults(self):
        one = made(deadtime_fraction=0.1, location="hess", irfs=irfs())
        assert one.observation_live_time_duration.to_value("s") == pytest.approx(900)
        assert one.tstart.iso == "2000-01-01 00:00:00.000"
        assert one.available_hdus == ["gti", "aeff", "edisp", "psf", "bkg"]
        assert one.observatory_earth_location is observatory_locations["hess"]
        assert one.meta.obs_info.obs_id == 0

    @pytest.mark.parametrize(
        "kwargs",
        [
            {"tstart": 10 * u.s, "tstop": 20 * u.s},
            {"tstart": Time("2010-01-01 00:00:10"), "livetime": 10 * u.s},
            {"tstart": Time("2010-01-01 00:00:10"), "tstop": Time("2010-01-01 00:00:20")},
            {"tstart": "10 s", "tstop": "20 s"},
        ],
    )
    def test_limits(self, kwargs):
        one = Observation.create(POINTING, reference_time="2010-01-01", **kwargs)
        assert one.gti.met_start.to_value("s") == pytest.approx([10])
        assert one.observation_time_duration.to_value("s") == pytest.approx(10)

    def test_several_intervals(self):
        one = Observation.create(POINTING, tstart=[0, 100] * u.s, tstop=[10, 120] * u.s)
        assert one.observation_time_duration.to_value("s") == pytest.approx(30)

    def test_drift(self):
        zenith = SkyCoord(alt=70 * u.deg, az=10 * u.deg, frame=AltAz())
        one = Observation.create(FixedPointingInfo(fixed_altaz=zenith), livetime="1 h", location="hawc")
        assert one.get_pointing_altaz(one.tmid).alt.deg == 70
        assert one.get_pointing_icrs(one.tmid).shape == ()
        assert "pointing (altaz)  : 10.0 deg, 70.0 deg" in str(one)

    def test_refusals(self):
        with pytest.raises(InputError, match="neither livetime nor tstop"):
            Observation.create(POINTING)
        with pytest.raises(DataError, match="livetime is -1 s"):
            made(livetime="-1 s")
        with pytest.raises(DataError, match="stops at 5.0 s before it starts"):
            made(tstart=10 * u.s, tstop=5 * u.s)
        with pytest.raises(DataError, match="deadtime_fraction is 1.5"):
            made(deadtime_fraction=1.5)
        with pytest.raises(InputError, match="unknown response functions \\['foo'\\]"):
            made(irfs={"foo": 1})
        with pytest.raises(NameLookupError, match="Observatory 'x' is not known"):
            made(location="x")


class TestCopy:
    def test_in_memory_needs_no_file(self, one, store_dir):
        copy = one.copy(in_memory=True)
        for path in (store_dir / "data").iterdir():
            path.unlink()
        assert len(copy.events) == 200
        assert copy.psf.tag == "psf_table"
        assert copy.meta.obs_info.telescope == "HESS"

    def test_arguments(self, one):
        assert one.copy(in_memory=True, obs_id=7).obs_id == 7
        with pytest.raises(InputError, match="requires in_memory=True"):
            one.copy(obs_id=7)
        with pytest.raises(InputError, match="unknown arguments \\['foo'\\]"):
            one.copy(in_memory=True, foo=1)

    def test_what_a_copy_reads_is_not_kept_by_the_first(self, one):
        from geminga.data.io.location import HDULocation

        assert one.copy().aeff.unit == "m2"
        assert isinstance(one._parts["aeff"], HDULocation)


class TestFiles:
    def test_write_then_read(self, one, tmp_path):
        one.write(tmp_path / "out.fits")
        other = Observation.read(tmp_path / "out.fits")
        assert other.obs_id == 1
        assert (other.events.numbers("RA") == one.events.numbers("RA")).all()
        assert other.gti == one.gti
        for name in one.available_irfs:
            assert getattr(other, name) == getattr(one, name)
        assert other.pointing.fixed_icrs.dec.deg == pytest.approx(22.51)
        assert other.events.table.meta["OBS_MODE"] == "WOBBLE"
        assert other.observation_live_time_duration.to_value("s") == pytest.approx(900)
        with pytest.raises(FileExistsRefusal, match="overwrite=True"):
            one.write(tmp_path / "out.fits")

    def test_a_part_is_written_with_its_own_time(self, one, tmp_path):
        part = one.select_time([one.tstart + 100 * u.s, one.tstart + 300 * u.s])
        part.write(tmp_path / "part.fits", include_irfs=False)
        header = Observation.read(tmp_path / "part.fits").events.table.meta
        assert header["TSTART"] == pytest.approx(5100)
        assert header["TSTOP"] == pytest.approx(5300)
        assert header["LIVETIME"] == pytest.approx(180)
        assert Observation.read(tmp_path / "part.fits").available_irfs == []

    def test_responses_in_another_file(self, tmp_path):
        events = write_file(tmp_path / "events.fits", events_hdu(1), gti_hdu(), with_irfs=False)
        other = write_file(tmp_path / "irfs.fits")
        assert Observation.read(events).available_irfs == []
        assert Observation.read(events, other).available_irfs == ["aeff", "edisp", "psf", "bkg"]

    def test_refusals(self, one, tmp_path):
        with pytest.raises(FormatError, match="format 'x'"):
            one.write(tmp_path / "a.fits", format="x")
        path = write_file(tmp_path / "only.fits", events_hdu(1), with_irfs=False)
        with pytest.raises(FormatError, match=r"only\.fits has no HDU of GTI"):
            Observation.read(path)

    def test_checksum(self, one, tmp_path):
        one.write(tmp_path / "out.fits", checksum=True)
        assert len(Observation.read(tmp_path / "out.fits", checksum=True).events) == 200
        data = bytearray((tmp_path / "out.fits").read_bytes())
        start = data.index(b"XTENSION= 'BINTABLE'")
        end = data.index(b"END   ", start)
        data[end + 2880] ^= 1
        (tmp_path / "bad.fits").write_bytes(bytes(data))
        with pytest.raises(CorruptFileError, match="fails its DATASUM"):
            Observation.read(tmp_path / "bad.fits", checksum=True)


class TestCheck:
    def test_good(self, one):
        assert [record for record in one.check() if record["level"] == "error"] == []

    def test_bad(self, one):
        bad = one.copy(in_memory=True)
        bad.aeff.data[0, 0] = np.nan
        bad.psf.data[...] = 0
        messages = {record["hdu"]: record["msg"] for record in bad.check()}
        assert messages["AEFF"] == "aeff_2d is NaN in 1 bins, at energy_true bin 0, offset bin 0: nan"
        assert messages["PSF"] == "No value is positive"


class TestPeek:
    def test_panels(self, one):
        import matplotlib.pyplot as plt

        one.peek()
        assert [ax.get_title() for ax in plt.gcf().axes][:4] == [
            "Effective area",
            "Background rate",
            "Energy dispersion",
            "Containment radius",
        ]
        plt.close("all")


class TestObservations:
    @pytest.fixture
    def several(self):
        return Observations([made(obs_id=i, tstart=1000 * i * u.s) for i in (7, 8, 9)])

    def test_items(self, several):
        assert several.ids == ["7", "8", "9"]
        assert several[1] is several["8"]
        assert several[:2].ids == ["7", "8"]
        assert several[["9", "7"]].ids == ["9", "7"]
        assert several.index("9") == several.index(several[2]) == 2
        assert [one.obs_id for one in several] == [7, 8, 9]
        del several["8"]
        several[0] = made(obs_id=5)
        assert several.ids == ["5", "9"]
        assert str(several).startswith("Observations\nNumber of observations: 2\nObservation\n")

    def test_refusals(self, several, caplog):
        with pytest.raises(KeyError, match="'foo' is not in list"):
            several["foo"]
        with pytest.raises(IndexError):
            several[5]
        with pytest.raises(InputError, match="got int, expected an Observation"):
            several.append(3)
        several.append(made(obs_id=7))
        assert "obs_id 7 already belongs" in caplog.text

    def test_group(self, several):
        groups = several.group_by_label([1, 0, 1])
        assert {name: members.ids for name, members in groups.items()} == {"group_0": ["8"], "group_1": ["7", "9"]}
        with pytest.raises(InputError, match="2 labels for 3 observations"):
            several.group_by_label([1, 0])

    def test_select_time(self, several, caplog):
        start = several[0].tstart
        middle = [start + 500 * u.s, start + 1500 * u.s]
        assert several.select_time(middle).ids == ["7", "8"]
        assert several.select_time(Time(middle)).ids == ["7", "8"]
        assert several.select_time([middle, [start, start + 10 * u.s]]).ids == ["7", "8", "7"]
        assert several.select_time([[start - 20 * u.s, start - 10 * u.s]]).ids == []
        total = sum(one.observation_time_duration.value for one in several.select_time(middle))
        assert_allclose(total, 1000)
        assert caplog.text == ""

    def test_from_stack(self, several):
        assert Observations.from_stack([several, Observations([made(obs_id=1)])]).ids == ["7", "8", "9", "1"]

    def test_in_memory_generator(self, store_dir):
        observations = DataStore.from_dir(store_dir).get_observations()
        copies = list(observations.in_memory_generator())
        for path in (store_dir / "data").iterdir():
            path.unlink()
        assert [len(one.events) for one in copies] == [200, 200]
