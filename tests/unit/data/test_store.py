from __future__ import annotations

import gzip
import logging
import pickle
from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import Table

from geminga.data import DataStore, HDUIndexTable, ObservationTable
from geminga.data.io.location import store_root
from geminga.errors import (
    CorruptFileError,
    DataError,
    FileError,
    FileExistsRefusal,
    FormatError,
    InputError,
    NameLookupError,
)
from geminga.utils.files import read_bytes
from tests.helpers import data_path, requires_data
from tests.unit.data.conftest import events_hdu, gti_hdu, hdu_rows, obs_index, write_file, write_index


class TestOpening:
    def test_reads_both_tables(self, store_dir):
        store = DataStore.from_dir(store_dir)
        assert store.obs_ids.tolist() == [1, 2]
        assert store.hdu_table.hdu_type_unique == ["aeff", "bkg", "edisp", "events", "gti", "psf"]
        assert "Number of observations: 2" in str(store)
        assert store.info(show=False) == str(store)

    def test_needs_no_table_of_observations(self, store_dir):
        (store_dir / "obs-index.fits.gz").unlink()
        store = DataStore.from_dir(store_dir)
        assert store.obs_table is None
        assert store.obs_ids.tolist() == [1, 2]
        assert len(store.get_observations()) == 2
        with pytest.raises(InputError, match="selection needs a table of observations"):
            store.get_observations(selection={"type": "par_box", "variable": "N_TELS", "value_range": [3, 4]})

    def test_names_the_missing_index(self, tmp_path):
        with pytest.raises(FileError, match=r"hdu-index\.fits\.gz does not exist"):
            DataStore.from_dir(tmp_path)

    def test_one_file_by_name_and_by_number(self, tmp_path):
        index = Table(
            rows=hdu_rows(1, "run1.fits"), names=("OBS_ID", "HDU_TYPE", "HDU_CLASS", "FILE_DIR", "FILE_NAME", "HDU_NAME")
        )
        hdus = [fits.PrimaryHDU(), fits.BinTableHDU(index, name="HDU_INDEX"), fits.BinTableHDU(obs_index(1), name="OBS_INDEX")]
        fits.HDUList(hdus).writeto(tmp_path / "both.fits")
        assert DataStore.from_file(tmp_path / "both.fits").obs_ids.tolist() == [1]
        unnamed = [fits.PrimaryHDU(), fits.BinTableHDU(index), fits.BinTableHDU(index[:2])]
        fits.HDUList(unnamed).writeto(tmp_path / "unnamed.fits")
        assert len(DataStore.from_file(tmp_path / "unnamed.fits", hdu_hdu=2).hdu_table) == 2

    def test_refuses_another_table(self, tmp_path):
        fits.BinTableHDU(Table({"A": [1]})).writeto(tmp_path / "hdu-index.fits.gz")
        with pytest.raises(FormatError, match="column OBS_ID missing"):
            DataStore.from_dir(tmp_path)

    def test_many_observations(self, tmp_path):
        ids = range(2000)
        rows = [row for i in ids for row in hdu_rows(i, f"run{i}.fits")]
        write_index(tmp_path / "big", rows, obs_index(*ids))
        # No file but the index exists: nothing of an observation is read.
        assert len(DataStore.from_dir(tmp_path / "big").get_observations()) == 2000

    def test_reads_nothing_before_it_is_used(self, store_dir):
        for path in (store_dir / "data").iterdir():
            path.unlink()
        observations = DataStore.from_dir(store_dir).get_observations()
        assert observations.ids == ["1", "2"]
        assert observations[0].available_irfs == ["aeff", "edisp", "psf", "bkg"]
        with pytest.raises(FileError, match=r"run1\.fits does not exist"):
            observations[0].events  # noqa: B018

    def test_identifiers_may_be_text(self, tmp_path):
        write_file(tmp_path / "data" / "a.fits", events_hdu("crab-1"), gti_hdu())
        write_index(tmp_path, hdu_rows("crab-1", "a.fits"))
        store = DataStore.from_dir(tmp_path)
        assert store.obs("crab-1").events.numbers("RA").shape == (200,)
        assert store.get_observations(["crab-1"]).ids == ["crab-1"]

    def test_duplicate_rows(self, tmp_path, caplog):
        write_file(tmp_path / "data" / "a.fits", events_hdu(1), gti_hdu())
        write_index(tmp_path, hdu_rows(1, "a.fits") + hdu_rows(1, "b.fits", kinds=["events"]), obs_index(1, 1))
        store = DataStore.from_dir(tmp_path)
        assert len(store.obs_table) == 1
        assert len(store.obs(1).events) == 200
        assert "Several HDUs of type 'events'" in caplog.text


class TestPaths:
    def test_root_of_a_store(self):
        assert store_root("/a/hess") == Path("/a/hess")
        assert store_root("/a/1dc/index") == Path("/a/1dc")
        assert store_root("/a/1dc/index/gps") == Path("/a/1dc")

    @pytest.mark.parametrize("folder", ["..", "../../elsewhere", "/etc"])
    def test_outside_is_refused(self, tmp_path, folder):
        write_index(tmp_path / "a" / "store", hdu_rows(1, "run.fits", folder))
        observation = DataStore.from_dir(tmp_path / "a" / "store").obs(1)
        with pytest.raises(FileError, match=r"outside of the store.*allow_outside=True"):
            observation.events  # noqa: B018

    def test_outside_if_allowed(self, tmp_path):
        write_file(tmp_path / "elsewhere" / "run.fits", events_hdu(1), gti_hdu())
        write_index(tmp_path / "store", hdu_rows(1, "run.fits", "../elsewhere"))
        store = DataStore.from_dir(tmp_path / "store", allow_outside=True)
        assert len(store.obs(1).events) == 200

    def test_below_the_folder_that_holds_index(self, tmp_path):
        write_file(tmp_path / "data" / "run.fits", events_hdu(1), gti_hdu())
        write_index(tmp_path / "index" / "gps", hdu_rows(1, "run.fits", "../../data"))
        assert len(DataStore.from_dir(tmp_path / "index" / "gps").obs(1).events) == 200

    def test_environment_variables(self, tmp_path, monkeypatch):
        monkeypatch.setenv("MY_STORE", str(tmp_path / "store"))
        write_file(tmp_path / "store" / "data" / "run.fits", events_hdu(1), gti_hdu())
        write_index(tmp_path / "store", hdu_rows(1, "run.fits", "$MY_STORE/data"))
        assert len(DataStore.from_dir("$MY_STORE").obs(1).events) == 200

    def test_links_of_the_user_are_followed(self, tmp_path):
        write_file(tmp_path / "disk" / "run.fits", events_hdu(1), gti_hdu())
        write_index(tmp_path / "store", hdu_rows(1, "run.fits", "data"))
        (tmp_path / "store" / "data").symlink_to(tmp_path / "disk")
        assert len(DataStore.from_dir(tmp_path / "store").obs(1).events) == 200


class TestObservations:
    def test_by_identifier(self, store_dir):
        store = DataStore.from_dir(store_dir)
        assert store.obs(2).obs_id == 2
        assert store.get_observations([2, 1]).ids == ["2", "1"]
        assert store.get_observations(1).ids == ["1"]
        assert store.get_observations(np.array([1])).ids == ["1"]
        assert store.get_observations([]).ids == []

    def test_missing(self, store_dir, caplog):
        store = DataStore.from_dir(store_dir)
        with pytest.raises(NameLookupError, match="OBS_ID = 7 not in HDU index"):
            store.obs(7)
        with pytest.raises(ValueError, match="OBS_ID = 7"):
            store.get_observations([1, 7])
        assert store.get_observations([1, 7], skip_missing=True).ids == ["1"]
        assert "Skipping missing obs_id: 7" in caplog.text

    def test_required_parts(self, tmp_path, caplog):
        kinds = ["events", "gti", "aeff", "edisp"]
        write_index(tmp_path, hdu_rows(1, "a.fits") + hdu_rows(2, "b.fits", kinds=kinds) + hdu_rows(3, "c.fits", kinds=["aeff"]))
        store = DataStore.from_dir(tmp_path)
        assert store.get_observations().ids == ["1"]
        assert "Required HDUs ['psf', 'bkg'] not found in observation 2" in caplog.text
        assert store.get_observations(required_irf="point-like").ids == ["1", "2"]
        assert store.get_observations(required_irf=["aeff"]).ids == ["1", "2"]
        assert store.get_observations(required_irf=["aeff"], require_events=False).ids == ["1", "2", "3"]
        assert store.get_observations(required_irf="all-optional", require_events=False).ids == ["1", "2", "3"]
        with pytest.raises(OSError, match="Required HDUs"):
            store.obs(2)
        with pytest.raises(KeyError, match="required_irf is 'foo'"):
            store.obs(1, required_irf="foo")
        with pytest.raises(ValueError, match="not a valid hdu key"):
            store.get_observations(required_irf=["aeff", "foo"])

    def test_selection_and_groups(self, store_dir):
        store = DataStore.from_dir(store_dir)
        selection = {"type": "par_box", "variable": "N_TELS", "value_range": [4, 5]}
        assert store.get_observations(selection=selection).ids == ["2"]
        groups = store.get_observation_groups("OBJECT")
        assert {name: members.ids for name, members in groups.items()} == {"OBJECT_Crab": ["1"], "OBJECT_Off": ["2"]}
        assert list(store.get_observation_groups("OBJECT", obs_id=[1])) == ["OBJECT_Crab"]
        with pytest.raises(ValueError, match="has no column 'foo'"):
            store.get_observation_groups("foo")

    def test_go_to_other_processes(self, store_dir):
        observation = pickle.loads(pickle.dumps(DataStore.from_dir(store_dir).obs(1)))
        assert len(observation.events) == 200
        assert len(pickle.loads(pickle.dumps(observation.events))) == 200

    def test_a_changed_file_is_read_again(self, store_dir):
        observation = DataStore.from_dir(store_dir).obs(1)
        assert len(observation.events) == 200
        (store_dir / "data" / "run1.fits").unlink()
        write_file(store_dir / "data" / "run1.fits", events_hdu(1, number=30), gti_hdu())
        assert len(observation.events) == 30


class TestBadFiles:
    def test_half_a_file(self, store_dir):
        path = store_dir / "data" / "run1.fits"
        path.write_bytes(path.read_bytes()[:9000])
        with pytest.raises(CorruptFileError, match=r"run1\.fits is truncated in HDU 1 \(EVENTS\)"):
            DataStore.from_dir(store_dir).obs(1).events  # noqa: B018

    def test_half_a_compressed_file(self, store_dir):
        path = store_dir / "data" / "run1.fits"
        path.write_bytes(gzip.compress(path.read_bytes())[:5000])
        with pytest.raises(CorruptFileError, match="truncated or corrupt gzip"):
            DataStore.from_dir(store_dir).obs(1).gti  # noqa: B018

    def test_half_an_index(self, store_dir):
        path = store_dir / "hdu-index.fits.gz"
        path.write_bytes(gzip.compress(read_bytes(path)[:4000]))
        with pytest.raises(CorruptFileError, match=r"hdu-index\.fits\.gz is truncated"):
            DataStore.from_dir(store_dir)

    def test_missing_hdu(self, tmp_path):
        write_file(tmp_path / "data" / "a.fits", events_hdu(1))
        write_index(tmp_path, hdu_rows(1, "a.fits"))
        with pytest.raises(NameLookupError, match=r"a\.fits has no HDU 'GTI'; it has PRIMARY, EVENTS"):
            DataStore.from_dir(tmp_path).obs(1).gti  # noqa: B018

    @pytest.mark.parametrize(
        ("pairs", "match"), [([(6000, 5000)], r"a\.fits.*stops at 5000.0 s before it starts"), ([(np.nan, 5)], "not finite")]
    )
    def test_wrong_intervals(self, tmp_path, pairs, match):
        write_file(tmp_path / "data" / "a.fits", events_hdu(1), gti_hdu(*pairs))
        write_index(tmp_path, hdu_rows(1, "a.fits"))
        with pytest.raises(DataError, match=match):
            DataStore.from_dir(tmp_path).obs(1).gti  # noqa: B018

    @pytest.mark.parametrize("value", [-0.9, 1.5, float("nan")])
    def test_wrong_dead_time(self, tmp_path, value):
        header = {"DEADC": value} if value == value else {"DEADC": "nan"}
        write_file(tmp_path / "data" / "a.fits", events_hdu(1, **header), gti_hdu())
        write_index(tmp_path, hdu_rows(1, "a.fits"))
        with pytest.raises(DataError, match="Observation 1: DEADC is .*between 0 and 1"):
            DataStore.from_dir(tmp_path).obs(1).observation_live_time_duration  # noqa: B018

    def test_dead_time_from_live_time_or_zero(self, tmp_path, caplog):
        write_file(tmp_path / "data" / "a.fits", events_hdu(1, DEADC=None, LIVETIME=800.0), gti_hdu())
        write_file(tmp_path / "data" / "b.fits", events_hdu(2, DEADC=None, LIVETIME=None), gti_hdu())
        write_index(tmp_path, hdu_rows(1, "a.fits") + hdu_rows(2, "b.fits"))
        store = DataStore.from_dir(tmp_path)
        assert store.obs(1).observation_dead_time_fraction == pytest.approx(0.2)
        assert store.obs(2).observation_dead_time_fraction == 0
        assert "Observation 2 has neither DEADC nor LIVETIME" in caplog.text

    def test_missing_pointing(self, tmp_path):
        write_file(tmp_path / "data" / "a.fits", events_hdu(1, RA_PNT=None), gti_hdu())
        write_index(tmp_path, hdu_rows(1, "a.fits"))
        with pytest.raises(OSError, match="Observation 1: keywords RA_PNT and DEC_PNT .* required for pointing mode POINTING"):
            DataStore.from_dir(tmp_path).obs(1).pointing  # noqa: B018

    def test_energies_without_unit(self, tmp_path, caplog):
        hdu = events_hdu(1)
        del hdu.header["TUNIT5"]
        write_file(tmp_path / "data" / "a.fits", fits.BinTableHDU(hdu.data, hdu.header), gti_hdu())
        write_index(tmp_path, hdu_rows(1, "a.fits"))
        with fits.open(tmp_path / "data" / "a.fits", mode="update") as file:
            file["EVENTS"].header.pop("TUNIT5", None)
        with pytest.raises(FormatError, match=r"a\.fits.*column 'ENERGY' has no unit and there is no keyword EUNIT"):
            DataStore.from_dir(tmp_path).obs(1).events  # noqa: B018
        with fits.open(tmp_path / "data" / "a.fits", mode="update") as file:
            file["EVENTS"].header["EUNIT"] = "GeV"
        events = DataStore.from_dir(tmp_path).obs(1).events
        assert events.energy.unit == u.GeV
        assert events.numbers("ENERGY").min() == pytest.approx(0.5e-3, rel=0.1)


class TestCopy:
    def test_copy_is_a_store(self, store_dir, tmp_path):
        store = DataStore.from_dir(store_dir)
        store.copy_obs([2], tmp_path / "out")
        copied = DataStore.from_dir(tmp_path / "out")
        assert copied.obs_ids.tolist() == [2]
        assert (copied.obs(2).events.numbers("RA") == store.obs(2).events.numbers("RA")).all()
        assert list(copied.check("files")) == []
        with pytest.raises(FileExistsRefusal, match="overwrite=True"):
            store.copy_obs([2], tmp_path / "out")
        store.copy_obs([2], tmp_path / "out", overwrite=True)

    def test_stays_below_the_folder(self, tmp_path):
        write_file(tmp_path / "data" / "run.fits", events_hdu(1), gti_hdu())
        write_index(tmp_path / "index" / "gps", hdu_rows(1, "run.fits", "../../data"), obs_index(1))
        store = DataStore.from_dir(tmp_path / "index" / "gps")
        store.copy_obs(store.obs_table, tmp_path / "deep" / "out", hdu_class=["events", "gti"])
        files = sorted(p.relative_to(tmp_path / "deep" / "out").as_posix() for p in (tmp_path / "deep").rglob("*.fits*"))
        assert files == ["data/run.fits", "hdu-index.fits.gz", "obs-index.fits.gz"]
        assert len(DataStore.from_dir(tmp_path / "deep" / "out").obs(1, required_irf="all-optional").events) == 200

    def test_nothing_is_written_if_a_file_is_missing(self, store_dir, tmp_path):
        (store_dir / "data" / "run2.fits").unlink()
        with pytest.raises(FileError, match=r"run2\.fits is missing"):
            DataStore.from_dir(store_dir).copy_obs([1, 2], tmp_path / "out")
        assert list((tmp_path / "out").iterdir()) == []

    def test_unknown(self, store_dir, tmp_path):
        with pytest.raises(NameLookupError, match="no HDU"):
            DataStore.from_dir(store_dir).copy_obs([9], tmp_path / "out")


class TestFromEventsFiles:
    def test_events_and_responses_in_one_file(self, store_dir):
        paths = sorted((store_dir / "data").iterdir())
        store = DataStore.from_events_files(paths)
        assert store.obs_ids.tolist() == [1, 2]
        assert store.obs_table["EVENT_COUNT"].tolist() == [200, 200]
        assert store.hdu_table.hdu_class_unique == ["aeff_2d", "bkg_3d", "edisp_2d", "events", "gti", "psf_table"]
        assert store.obs(1).psf.tag == "psf_table"
        assert store.obs_table.pointing_galactic[0].l.deg == pytest.approx(184.13, abs=0.01)

    def test_responses_elsewhere(self, tmp_path):
        events = write_file(tmp_path / "e.fits", events_hdu(1), gti_hdu(), with_irfs=False)
        responses = write_file(tmp_path / "caldb" / "data" / "hess" / "dr1" / "bcf" / "std" / "irf.fits")
        assert DataStore.from_events_files([events], responses).obs(1).aeff.tag == "aeff_2d"
        assert DataStore.from_events_files([events]).get_observations().ids == []

    def test_responses_of_one_file_are_independent(self, tmp_path):
        events = [write_file(tmp_path / f"{n}.fits", events_hdu(n), gti_hdu(), with_irfs=False) for n in (1, 2)]
        responses = write_file(tmp_path / "irf.fits")
        store = DataStore.from_events_files(events, responses)
        one, other = store.obs(1), store.obs(2)
        before = other.aeff.data.copy()
        one.aeff.data[:] = 0
        one.bkg.meta["MINE"] = 1
        assert (other.aeff.data == before).all()
        assert (store.obs(2).aeff.data == before).all()
        assert "MINE" not in store.obs(2).bkg.meta

    def test_calibration_database(self, tmp_path, monkeypatch):
        events = write_file(tmp_path / "e.fits", events_hdu(1, CALDB="dr1", IRF="std"), gti_hdu(), with_irfs=False)
        monkeypatch.delenv("CALDB", raising=False)
        with pytest.raises(FileError, match="environment variable CALDB is not set"):
            DataStore.from_events_files([events])
        monkeypatch.setenv("CALDB", str(tmp_path / "caldb"))
        with pytest.raises(FileError, match="holds 0 files"):
            DataStore.from_events_files([events])
        write_file(tmp_path / "caldb" / "data" / "hess" / "dr1" / "bcf" / "std" / "irf.fits")
        assert DataStore.from_events_files([events]).obs(1).bkg.tag == "bkg_3d"

    def test_refusals(self, tmp_path):
        with pytest.raises(InputError, match="got no file"):
            DataStore.from_events_files([])
        with pytest.raises(InputError, match="1 files of events and 2"):
            DataStore.from_events_files([tmp_path / "a"], [tmp_path / "b", tmp_path / "c"])
        with pytest.raises(FileError, match="does not exist"):
            DataStore.from_events_files([tmp_path / "a"])


class TestHDUIndexTable:
    def test_location(self, store_dir):
        table = HDUIndexTable.read(store_dir / "hdu-index.fits.gz")
        place = table.hdu_location(1, "aeff")
        assert place.hdu_class == "aeff_2d"
        assert place.path() == store_dir / "data" / "run1.fits"
        assert place.get_hdu().name == "EFFECTIVE AREA"
        assert "HDU_NAME  = EFFECTIVE AREA" in str(place)
        assert table.row_idx(2, "events") == [6]
        assert table.row_idx(2, hdu_class="bkg_3d") == [11]
        assert len(table.location_info(6).load()) == len(DataStore.from_dir(store_dir).obs(2).events) > 0

    def test_refusals(self, store_dir, caplog):
        table = HDUIndexTable.read(store_dir / "hdu-index.fits.gz")
        with pytest.raises(NameLookupError, match="No entry available with OBS_ID = 5"):
            table.hdu_location(5, "events")
        with pytest.raises(ValueError, match="Invalid hdu_type: 'eve'"):
            table.hdu_location(1, "eve")
        with pytest.raises(ValueError, match="Invalid hdu_class: 'eve'"):
            table.hdu_location(1, None, "eve")
        with pytest.raises(InputError, match="You have to specify"):
            table.hdu_location(1)
        assert table.hdu_location(1, "rad_max", warn_missing=False) is None
        assert caplog.text == ""
        assert table.hdu_location(1, "rad_max") is None
        assert "No HDU found" in caplog.text


class TestCheck:
    def test_a_good_store(self, store_dir):
        assert [record for record in DataStore.from_dir(store_dir).check() if record["level"] == "error"] == []

    def test_finds_all(self, store_dir, tmp_path):
        (store_dir / "data" / "run1.fits").unlink()
        store = DataStore.from_dir(store_dir)
        store.obs_table = ObservationTable(obs_index(1, 3))
        records = list(store.check())
        messages = [(record["obs_id"], record["msg"]) for record in records]
        assert ("3", "Observation is not in the index of HDUs") in messages
        assert ("2", "Observation is not in the table of observations") in messages
        assert any("run1.fits does not exist" in record["msg"] and record["hdu"] == "GTI" for record in records)
        with pytest.raises(NameLookupError, match="Unknown checks"):
            list(store.check("foo"))


@requires_data("hess-dl3-dr1")
class TestRealStores:
    def test_hess(self):
        store = DataStore.from_dir("$GAMMAPY_DATA/hess-dl3-dr1")
        observations = store.get_observations()
        assert len(observations) == 105
        one = store.obs(20137)
        assert one.observation_live_time_duration.to_value("s") == pytest.approx(819.2054217, rel=1e-9)
        assert len(one.events) == 5693
        assert one.events.numbers("ENERGY").sum() == pytest.approx(float(one.events.table["ENERGY"].sum()), rel=1e-6)
        assert one.bkg.fov_alignment.value == "REVERSE_LON_RADEC"
        # Events of this list beyond 20 deg are in the file.
        assert one.events.offset.max().to_value("deg") == pytest.approx(66.5921, abs=1e-3)

    @requires_data("cta-1dc")
    def test_index_in_a_folder_index(self):
        store = DataStore.from_dir(data_path("cta-1dc/index/gps"))
        one = store.obs(110380)
        assert len(one.events) == 106217
        assert one.observation_live_time_duration.to_value("s") == pytest.approx(1764, abs=1e-3)
        assert one.observatory_earth_location.height.to_value("m") == pytest.approx(2150)
        assert one.psf.tag == "psf_3gauss"

    @requires_data("magic")
    def test_point_like(self, caplog):
        store = DataStore.from_dir(data_path("magic/rad_max/data"))
        with caplog.at_level(logging.WARNING):
            assert len(store.get_observations()) == 0
        one = store.get_observations(required_irf="point-like")["5029747"]
        assert one.rad_max.tag == "rad_max_2d"
        # 971 of gammapy 2.1.
        assert len(one.events.select_rad_max(one.rad_max, one.target_radec)) == 971
