"""Events of whole observations; simulate, write, read, reduce and fit closes the circle."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from numpy.testing import assert_allclose, assert_array_equal

from geminga.data import DataStore, EventList, FixedPointingInfo, Observation, Observations, ObservationsEventsSampler
from geminga.datasets import (
    MapDataset,
    ObservationEventSampler,
    create_empty_map_dataset_from_irfs,
    create_map_dataset_from_observation,
)
from geminga.errors import DataError, FileExistsRefusal, InputError
from geminga.makers import DatasetsMaker, MapDatasetMaker, SafeMaskMaker
from geminga.maps import MapAxis, WcsGeom
from geminga.modeling import Fit
from geminga.modeling.models import (
    FoVBackgroundModel,
    GaussianSpatialModel,
    Models,
    PointSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
)
from tests.unit.makers.builders import POINTING, TARGET, irfs, observation

FINE = {
    "energy_axis_true": MapAxis.from_energy_bounds("0.1 TeV", "100 TeV", nbin=10, per_decade=True, name="energy_true"),
    "energy_axis": MapAxis.from_energy_bounds("0.2 TeV", "50 TeV", nbin=10, per_decade=True),
    "spatial_width": "4 deg",
    "spatial_bin_size": "0.05 deg",
}


def unseen(obs_id=1, pointing=POINTING, livetime="1 h", **changes):
    responses = {name: irf for name, irf in (irfs() | changes).items() if irf is not None}
    return Observation.create(
        FixedPointingInfo(pointing), obs_id=obs_id, livetime=livetime, irfs=responses, location="hess", deadtime_fraction=0.05
    )


def crab(amplitude="6e-11 cm-2 s-1 TeV-1"):
    spatial = PointSpatialModel(lon_0="83.63 deg", lat_0="22.01 deg")
    return SkyModel(PowerLawSpectralModel(index=2.4, amplitude=amplitude), spatial, name="crab")


class TestDataset:
    def test_axes_and_pixels_suit_the_responses(self):
        dataset = create_empty_map_dataset_from_irfs(unseen(5), energy_bin_per_decade_max=8, frame="galactic")
        geom = dataset.counts.geom
        assert (dataset.name, geom.frame) == ("obs_5", "galactic")
        assert_allclose(geom.width.to_value("deg").ravel(), 6, rtol=0.02)
        assert geom.center_skydir.separation(POINTING).deg < 1e-9
        assert_allclose(geom.axes["energy"].edges[[0, -1]].to_value("TeV"), [0.1, 100])
        assert geom.axes["energy"].nbin == 24
        assert_allclose(dataset.exposure.geom.axes["energy_true"].edges[[0, -1]].to_value("TeV"), [0.05, 200])
        assert dataset.edisp.edisp_map.geom.axes["migra"].nbin == 140
        size = irfs()["psf"].containment_radius(0.68, energy_true="1 TeV", offset="0.5 deg").to_value("deg")
        assert_allclose(geom.pixel_scales.to_value("deg"), size, rtol=0.05)
        wide = create_empty_map_dataset_from_irfs(unseen(), spatial_width_max="3 deg", spatial_bin_size_min="0.5 deg")
        assert wide.counts.geom.data_shape[1:] == (6, 6)
        assert wide.counts.geom.axes["energy"].nbin == 39

    def test_what_is_made(self):
        dataset = create_map_dataset_from_observation(unseen(), [crab()], **FINE)
        assert dataset.models.names == ["crab", "obs_1-bkg"]
        maker = MapDatasetMaker(selection=["exposure", "background", "psf", "edisp"])
        expected = maker.run(create_empty_map_dataset_from_irfs(unseen(), **FINE), unseen())
        assert_array_equal(dataset.exposure.data, expected.exposure.data)
        assert_array_equal(dataset.background.data, expected.background.data)
        assert dataset.counts.data.sum() == 0

    def test_models_of_others_and_own_background(self):
        own = FoVBackgroundModel(dataset_name="x")
        models = Models([crab(), own, SkyModel.create("pl", "point", name="other", datasets_names=["y"])])
        dataset = create_map_dataset_from_observation(unseen(), models, dataset_name="x", **FINE)
        assert dataset.models.names == ["crab", "x-bkg"]
        assert dataset.models["x-bkg"] is own

    def test_missing_responses_are_left_out(self):
        dataset = create_map_dataset_from_observation(unseen(psf=None, edisp=None, bkg=None), **FINE)
        assert (dataset.psf, dataset.edisp, dataset.background) == (None, None, None)
        assert not dataset.models
        with pytest.raises(DataError, match="Observation 1 has no aeff"):
            create_map_dataset_from_observation(unseen(aeff=None))


class TestSampler:
    def test_observation_gets_events(self):
        one = unseen()
        simulated = ObservationEventSampler(random_state=0, dataset_kwargs=FINE).run(one, models=[crab()])
        assert "events" not in one.available_hdus
        assert isinstance(simulated.events, EventList)
        meta = simulated.events.table.meta
        assert (meta["MMN00000"], meta["MMN00001"], meta["OBS_ID"]) == ("obs_1-bkg", "crab", 1)
        expected = create_map_dataset_from_observation(one, [crab()], **FINE).npred().data.sum()
        assert len(simulated.events) == pytest.approx(expected, abs=5 * np.sqrt(expected))

    def test_events_that_were_there_do_not_matter(self):
        sampler = ObservationEventSampler(random_state=0, dataset_kwargs=FINE)
        events = sampler.run(observation(3), models=[crab()], dataset_name="own").events
        assert events.table.meta["MMN00000"] == "own-bkg"


class TestFiles:
    def run(self, folder, **options):
        observations = [unseen(number, livetime="5 min") for number in (1, 2, 3)]
        sampler = ObservationsEventsSampler({"random_state": 5}, FINE, outdir=folder, **options)
        return sampler.run(Observations(observations), models=[crab()])

    def test_one_file_each_whatever_the_number_of_workers(self, tmp_path):
        one, two = self.run(tmp_path / "a"), self.run(tmp_path / "b", n_jobs=2)
        assert [path.name for path in one] == ["obs_1.fits", "obs_2.fits", "obs_3.fits"]
        energies = [EventList.read(path).energy.value for path in (*one, *two)]
        for number in range(3):
            assert_array_equal(energies[number], energies[number + 3])
        # Observations have random numbers of their own.
        assert len({tuple(values[:5]) for values in energies[:3]}) == 3

    def test_files_are_kept(self, tmp_path):
        self.run(tmp_path)
        before = (tmp_path / "obs_1.fits").read_bytes()
        (tmp_path / "obs_2.fits").unlink()
        with pytest.raises(FileExistsRefusal, match=r"obs_1.fits, .*obs_3.fits exist; set overwrite=True"):
            self.run(tmp_path, overwrite=False)
        assert (tmp_path / "obs_1.fits").read_bytes() == before
        assert not (tmp_path / "obs_2.fits").exists()

    def test_one_observation(self, tmp_path):
        sampler = ObservationsEventsSampler({"random_state": 5}, FINE, outdir=tmp_path / "new")
        path = sampler.simulate_observation(unseen(8, livetime="1 min"))
        assert path == tmp_path / "new" / "obs_8.fits"
        assert Observation.read(path).available_irfs == ["aeff", "edisp", "psf", "bkg"]

    def test_refusals(self, tmp_path):
        sampler = ObservationsEventsSampler(outdir=tmp_path)
        with pytest.raises(InputError, match=r"identifiers \[1, 1\] occur twice"):
            sampler.run([unseen(), unseen()])
        with pytest.raises(InputError, match="ObservationsEventsSampler: parallel_backend is 'ray'"):
            ObservationsEventsSampler(parallel_backend="ray")
        with pytest.raises(DataError, match="Observation 4 has no aeff"):
            sampler.run([unseen(4, aeff=None)])


def reduced(paths, name="reduced"):
    """Stacked dataset of simulated files."""
    geom = WcsGeom.create(
        skydir=TARGET, npix=(60, 60), binsz=0.05, axes=[MapAxis.from_energy_bounds("0.3 TeV", "30 TeV", nbin=8)]
    )
    true = MapAxis.from_energy_bounds("0.1 TeV", "100 TeV", nbin=24, name="energy_true")
    empty = MapDataset.create(geom, energy_axis_true=true, name=name)
    makers = [MapDatasetMaker(), SafeMaskMaker(methods=["offset-max"], offset_max="2 deg")]
    store = DataStore.from_events_files(paths)
    return DatasetsMaker(makers).run(empty, store.get_observations())[0]


def test_circle(tmp_path):
    """Simulate, write, read, reduce and fit: what went in comes out, within errors; pulls of many parameters are normal."""
    offsets = [(0.5, 0.0), (-0.5, 0.0), (0.0, 0.5)]
    pointings = [SkyCoord(83.63 + lon / np.cos(np.deg2rad(22)), 22.01 + lat, unit="deg") for lon, lat in offsets]
    pulls = []
    for seed in range(4):
        nebula = SkyModel(
            PowerLawSpectralModel(index=2.1, amplitude="4e-11 cm-2 s-1 TeV-1"),
            GaussianSpatialModel(lon_0="84.2 deg", lat_0="22.5 deg", sigma="0.25 deg"),
            name="nebula",
        )
        truth = Models([crab(), nebula])
        observations = [unseen(number, pointing, "40 min") for number, pointing in enumerate(pointings, start=1)]
        sampler = ObservationsEventsSampler({"random_state": seed}, FINE, outdir=tmp_path / str(seed))
        dataset = reduced(sampler.run(observations, models=truth))
        models = truth.copy()
        dataset.models = Models([*models, FoVBackgroundModel(dataset_name="reduced")])
        expected = {(model.name, par.name): par.value for model in truth for par in model.parameters}
        result = Fit().run([dataset])
        assert result.success
        for model in dataset.models:
            free = model.parameters.free_parameters
            pulls += [(par.value - expected.get((model.name, par.name), 1.0)) / par.error for par in free]
    pulls = np.asarray(pulls)
    assert len(pulls) == 4 * 10
    # Positions of the same seed are independent of the rest; 40 pulls of unit width.
    assert np.abs(pulls).max() < 4
    assert abs(pulls.mean()) < 4 / np.sqrt(len(pulls))
    assert 0.7 < pulls.std() < 1.35


@pytest.mark.parametrize("alignment", ["RADEC", "REVERSE_LON_RADEC", "ALTAZ"])
def test_lopsided_background(tmp_path, alignment):
    """Events of a background to one side of the field are written, read and reduced to where the background map has them."""
    bkg = irfs()["bkg"]
    bkg.fov_alignment = alignment
    lon, lat = (bkg.axes[name].center.value for name in ("fov_lon", "fov_lat"))
    bkg.data = bkg.data * np.exp(1.5 * lon[:, None] + 0.7 * lat)
    path = tmp_path / "one.fits"
    sampler = ObservationEventSampler(random_state=1, dataset_kwargs=FINE | {"spatial_width": "6 deg"})
    sampler.run(unseen(bkg=bkg, livetime="10 min")).write(path)
    geom = WcsGeom.create(skydir=POINTING, width=5.8, binsz=0.2, axes=[FINE["energy_axis"]])
    empty = MapDataset.create(geom, energy_axis_true=FINE["energy_axis_true"])
    one = Observation.read(path)
    dataset = MapDatasetMaker(selection=["counts", "background"]).run(empty, one)
    assert one.bkg.fov_alignment.value == alignment
    images = [own.sum_over_axes(keepdims=False) for own in (dataset.counts, dataset.background)]
    place = images[0].geom.get_coord().skycoord.transform_to(POINTING.skyoffset_frame())
    places = np.array([place.lon.wrap_at("180d").deg, place.lat.deg])
    counts, expected = (np.average(places, weights=np.broadcast_to(own.data, places.shape), axis=(1, 2)) for own in images)
    assert np.abs(expected).max() > 0.5
    assert_allclose(counts, expected, atol=5 * 1.2 / np.sqrt(images[0].data.sum()))
    if alignment == "RADEC":
        # The columns of events mean what the axes of the table mean.
        rate = bkg.data.sum(axis=0)
        mean = [np.average(lon, weights=rate.sum(axis=1)), np.average(lat, weights=rate.sum(axis=0))]
        assert_allclose([one.events.table[name].mean() for name in ("DETX", "DETY")], mean, atol=0.1)
