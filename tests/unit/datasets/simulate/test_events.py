"""Sampled events follow the prediction in every axis; true positions, energies and times are those of the models."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table
from numpy.testing import assert_allclose, assert_array_equal
from regions import CircleSkyRegion
from scipy.stats import chisquare, kstest

from geminga.data import GTI, FixedPointingInfo, Observation
from geminga.datasets import MapDataset, MapDatasetEventSampler
from geminga.errors import DataError, GeometryError, InputError
from geminga.irf import EDispKernelMap, EDispMap, PSFMap
from geminga.maps import Map, MapAxis, WcsGeom
from geminga.modeling.models import (
    DiskSpatialModel,
    ExpDecayTemporalModel,
    FoVBackgroundModel,
    GaussianSpatialModel,
    PointSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
    SystematicsModel,
    TemplateNPredModel,
    TemplatePhaseCurveTemporalModel,
    TemplateSpatialModel,
)

CENTER = SkyCoord(83.63, 22.01, unit="deg")
RECO = MapAxis.from_energy_bounds("1 TeV", "30 TeV", nbin=8)
TRUE = MapAxis.from_energy_bounds("0.5 TeV", "60 TeV", nbin=40, name="energy_true")
RAD = MapAxis.from_bounds(0, 0.8, nbin=80, unit="deg", name="rad")
MIGRA = MapAxis.from_bounds(0.4, 1.6, nbin=120, name="migra")


def field(exposure=3e11, name="field", background=0.5, npix=50, **responses):
    """Field with an exposure that falls to one side and grows with energy."""
    geom = WcsGeom.create(skydir=CENTER, npix=(npix, npix), binsz=0.05, axes=[RECO])
    cube = geom.to_image().to_cube([TRUE])
    slope = np.linspace(0.7, 1.3, npix)[None, None, :] * TRUE.center.value[:, None, None] ** 0.4
    return MapDataset(
        exposure=Map.from_geom(cube, data=np.broadcast_to(exposure * slope, cube.data_shape).copy(), unit="m2 s"),
        background=Map.from_geom(geom, data=np.full(geom.data_shape, background) * np.linspace(1, 2, npix)[:, None]),
        counts=Map.from_geom(geom),
        gti=GTI.create([0, 2000] * u.s, [1000, 4000] * u.s),
        name=name,
        **responses,
    )


def psf():
    return PSFMap.from_gauss(TRUE, RAD, sigma=0.12 * TRUE.center.value**-0.3 * u.deg)


def edisp():
    migra = 1 + 0 * TRUE.center.value
    own = np.exp(-0.5 * ((MIGRA.center.value[None] - migra[:, None]) / 0.12) ** 2)
    own /= (own * MIGRA.bin_width.value).sum(axis=1, keepdims=True)
    image = WcsGeom.create(skydir=CENTER, npix=(2, 2), binsz=2)
    data = np.broadcast_to(own[:, :, None, None], (40, 120, 2, 2)).copy()
    return EDispMap(Map.from_geom(image.to_cube([MIGRA, TRUE]), data=data))


def source(spatial, amplitude="1e-11 cm-2 s-1 TeV-1", name="source", **kwargs):
    return SkyModel(PowerLawSpectralModel(index=2.3, amplitude=amplitude), spatial, name=name, **kwargs)


POINT = PointSpatialModel(lon_0="83.71 deg", lat_0="21.94 deg")
SHAPES = {
    "point": POINT,
    "gauss": GaussianSpatialModel(lon_0="83.7 deg", lat_0="22.1 deg", sigma="0.2 deg"),
    "ellipse": GaussianSpatialModel(lon_0="83.7 deg", lat_0="22.1 deg", sigma="0.3 deg", e=0.9, phi="30 deg"),
    "disk": DiskSpatialModel(lon_0="83.6 deg", lat_0="22.0 deg", r_0="0.5 deg"),
}


def sampled(dataset, seed=0, **options):
    return MapDatasetEventSampler(random_state=seed, **options).run(dataset)


def counts_of(dataset, events):
    counts = Map.from_geom(dataset.counts.geom)
    counts.fill_events(events)
    return counts.data


def assert_follows(found, expected):
    """Chi-square of the projection on each axis, in bins of at least twenty; the total is within five sigma."""
    total = expected.sum()
    assert found.sum() == pytest.approx(total, abs=5 * np.sqrt(total))
    for axis in range(found.ndim):
        others = tuple(i for i in range(found.ndim) if i != axis)
        n, mu = found.sum(axis=others), expected.sum(axis=others)
        enough = mu > 20
        rest = [n[~enough].sum()], [mu[~enough].sum()]
        n, mu = np.append(n[enough], rest[0]), np.append(mu[enough], rest[1])
        n, mu = n[mu > 5], mu[mu > 5]
        assert chisquare(n, mu * n.sum() / mu.sum()).pvalue > 1e-3


class TestAgainstPrediction:
    @pytest.mark.parametrize("shape", sorted(SHAPES))
    def test_sources_through_psf_and_dispersion(self, shape):
        dataset = field(background=0, psf=psf(), edisp=edisp())
        dataset.models = [source(SHAPES[shape])]
        events = sampled(dataset)
        assert len(events) > 20_000
        assert_follows(counts_of(dataset, events), dataset.npred().data)

    def test_background_with_its_model(self):
        dataset = field(background=4)
        dataset.models = [FoVBackgroundModel(dataset_name="field")]
        dataset.models["field-bkg"].spectral_model.norm.value = 1.3
        dataset.models["field-bkg"].spectral_model.tilt.value = 0.5
        assert_follows(counts_of(dataset, sampled(dataset)), dataset.npred().data)

    def test_kernels(self):
        dataset = field(background=0, edisp=EDispKernelMap.from_gauss(RECO, TRUE, sigma=0.15, bias=0.1))
        dataset.models = [source(SHAPES["gauss"])]
        assert_follows(counts_of(dataset, sampled(dataset)), dataset.npred().data)

    def test_template_of_the_sky_and_of_counts(self):
        dataset = field(background=0, psf=psf())
        image = WcsGeom.create(skydir=CENTER, npix=(60, 60), binsz=0.1)
        data = np.exp(-(image.separation(CENTER).deg ** 2))
        sky = TemplateSpatialModel(Map.from_geom(image, data=data, unit="sr-1"))
        template = TemplateNPredModel(dataset.background.copy(data=np.full(RECO.nbin, 2.0)[:, None, None] * np.ones((50, 50))))
        dataset.models = [source(sky, "1e-11 cm-2 s-1 TeV-1"), template]
        events = sampled(dataset)
        assert_follows(counts_of(dataset, events), dataset.npred().data)
        assert np.count_nonzero(events.table["MC_ID"] == 2) == pytest.approx(2.0 * 8 * 2500, rel=0.02)

    def test_without_responses(self):
        dataset = field(background=0)
        dataset.models = [source(SHAPES["disk"])]
        assert_follows(counts_of(dataset, sampled(dataset)), dataset.npred().data)

    def test_responses_which_a_model_does_not_want(self):
        dataset = field(background=0, psf=psf(), edisp=edisp())
        bare = source(POINT, name="bare", apply_irf={"psf": False, "edisp": False, "exposure": True})
        dataset.models = [bare, source(SHAPES["gauss"], name="seen")]
        table = sampled(dataset).table
        own = table[table["MC_ID"] == 1]
        assert_array_equal(own["RA"], own["RA_TRUE"])
        assert_array_equal(own["ENERGY"], own["ENERGY_TRUE"])
        other = table[table["MC_ID"] == 2]
        assert (np.asarray(other["RA"]) != np.asarray(other["RA_TRUE"])).all()


class TestTruth:
    def test_photons_of_a_point_come_from_it(self):
        dataset = field(psf=psf())
        dataset.models = [source(POINT)]
        table = MapDatasetEventSampler(random_state=1).sample_sources(dataset)
        assert_allclose(table["RA_TRUE"], 83.71, rtol=0, atol=1e-12)
        assert_allclose(table["DEC_TRUE"], 21.94, rtol=0, atol=1e-12)
        assert table.colnames == ["TIME", "ENERGY_TRUE", "RA_TRUE", "DEC_TRUE", "MC_ID"]
        assert table.meta == {"MID00001": 1, "MMN00001": "source"}

    def test_energies_within_wide_bins(self):
        """Spectrum times exposure is a power law of index 1.9, also inside the two bins of a coarse axis."""
        dataset = field()
        axis = MapAxis.from_energy_bounds("1 TeV", "16 TeV", nbin=2, name="energy_true")
        data = 1e11 * np.ones((1, 50, 50)) * axis.center.value[:, None, None] ** 0.4
        dataset.exposure = Map.from_geom(dataset.exposure.geom.to_image().to_cube([axis]), data=data, unit="m2 s")
        dataset.models = [source(POINT)]
        energy = MapDatasetEventSampler(random_state=1).sample_sources(dataset)["ENERGY_TRUE"].value
        assert kstest(energy, lambda e: (e**-0.9 - 1) / (16**-0.9 - 1)).pvalue > 1e-3

    def test_energies_of_the_background_within_bins(self):
        dataset = field(background=0, npix=10)
        edges = RECO.edges.value
        counts = 3000 * (edges[:-1] ** -1.5 - edges[1:] ** -1.5)
        dataset.background.data = np.broadcast_to(counts[:, None, None], (8, 10, 10)).copy()
        energy = MapDatasetEventSampler(random_state=1).sample_background(dataset)["ENERGY"].value
        assert kstest(energy, lambda e: (1 - e**-1.5) / (1 - 30**-1.5)).pvalue > 1e-3

    def test_places_of_a_gaussian(self):
        dataset = field()
        dataset.exposure.data = np.full(dataset.exposure.data.shape, 1e11)
        dataset.models = [source(SHAPES["gauss"])]
        table = MapDatasetEventSampler(random_state=1).sample_sources(dataset)
        place = SkyCoord(table["RA_TRUE"], table["DEC_TRUE"])
        offset = place.separation(SkyCoord("83.7d", "22.1d")).deg
        assert kstest(offset, lambda r: 1 - np.exp(-(r**2) / 2 / 0.2**2)).pvalue > 1e-3

    def test_exposure_weights_the_places(self):
        """The mean longitude shifts by slope times variance."""
        dataset = field()
        dataset.models = [source(SHAPES["gauss"], "1e-11 cm-2 s-1 TeV-1")]
        table = MapDatasetEventSampler(random_state=1).sample_sources(dataset)
        shift = (np.mean(table["RA_TRUE"].value) - 83.7) * np.cos(np.deg2rad(22.1))
        slope = -0.6 / (49 * 0.05) / (1.0 - 0.6 / 2.45 * (83.7 - 83.63) * np.cos(np.deg2rad(22.0)))
        assert shift == pytest.approx(slope * 0.2**2, abs=5 * 0.2 / np.sqrt(len(table)))


class TestTimes:
    def seconds(self, dataset, **kwargs):
        events = sampled(dataset, **kwargs)
        return (events.time - dataset.gti.time_ref).sec, events

    def test_constant_in_all_intervals(self):
        dataset = field()
        dataset.models = [source(POINT)]
        time, _ = self.seconds(dataset)
        assert not ((time > 1000) & (time < 2000)).any()
        assert (time < 1000).mean() == pytest.approx(1 / 3, abs=5 * np.sqrt(2 / 9 / len(time)))
        assert (np.diff(time) >= 0).all()

    def test_decay(self):
        dataset = field(background=0)
        reference = dataset.gti.time_ref.utc.mjd * u.d
        dataset.models = [source(POINT, temporal_model=ExpDecayTemporalModel(t0="1000 s", t_ref=reference))]
        expected = dataset.npred_signal().data.sum()
        time, events = self.seconds(dataset)
        assert len(events) == pytest.approx(expected, abs=5 * np.sqrt(expected))

        def enclosed(t):
            first = 1 - np.exp(-np.minimum(t, 1000) / 1000)
            return first + np.where(t > 2000, np.exp(-2) - np.exp(-np.maximum(t, 2000) / 1000), 0)

        assert kstest(time, lambda t: enclosed(t) / enclosed(4000.0)).pvalue > 1e-3

    def test_pulsar(self):
        dataset = field(background=0)
        table = Table({"PHASE": [0.0, 0.2, 0.25, 0.3, 1.0], "NORM": [0.0, 0.0, 1.0, 0.0, 0.0]})
        model = TemplatePhaseCurveTemporalModel(table, t_ref=dataset.gti.time_ref.utc.mjd * u.d, f0="29.9 s-1")
        dataset.models = [source(POINT, temporal_model=model)]
        events = sampled(dataset)
        assert (model(events.time).value > 0).all()
        assert len(events) == pytest.approx(dataset.npred().data.sum(), rel=0.03)


class TestEventList:
    def dataset(self):
        dataset = field(psf=psf(), edisp=edisp(), background=0.2)
        dataset.models = [
            source(POINT, name="one"),
            source(SHAPES["gauss"], name="two"),
            FoVBackgroundModel(dataset_name="field"),
        ]
        return dataset

    def observation(self):
        return Observation.create(
            FixedPointingInfo(CENTER),
            tstart=[0, 2000] * u.s,
            tstop=[1000, 4000] * u.s,
            obs_id=7,
            deadtime_fraction=0.1,
            location="hess",
        )

    def test_columns_and_keywords(self):
        dataset = self.dataset()
        dataset.gti = self.observation().gti
        events = MapDatasetEventSampler(random_state=0).run(dataset, self.observation())
        table, meta = events.table, events.table.meta
        assert table.colnames == (
            ["TIME", "ENERGY_TRUE", "RA_TRUE", "DEC_TRUE", "MC_ID", "RA", "DEC", "ENERGY", "EVENT_ID", "DETX", "DETY"]
        )
        assert [meta[f"MID0000{i}"] for i in range(3)] == [0, 1, 2]
        assert [meta[f"MMN0000{i}"] for i in range(3)] == ["field-bkg", "one", "two"]
        assert (meta["NMCIDS"], meta["OBS_ID"], meta["OBJECT"]) == (3, 7, "one")
        assert_allclose([meta[k] for k in ("TSTART", "TSTOP", "ONTIME", "LIVETIME", "DEADC")], [0, 4000, 3000, 2700, 0.9])
        assert set(np.unique(table["MC_ID"])) == {0, 1, 2}
        assert_array_equal(table["EVENT_ID"], np.arange(len(table)))
        offset = SkyCoord(table["RA"], table["DEC"]).transform_to(CENTER.skyoffset_frame())
        # The longitude in the field of view grows against right ascension (GADF).
        assert_allclose(table["DETX"], -offset.lon.wrap_at("180d").deg, atol=1e-9)
        assert_allclose(table["DETY"], offset.lat.deg, atol=1e-9)
        assert meta["DSVAL2"] == f"{RECO.edges[0].value}:{RECO.edges[-1].value}"

    def test_without_identifiers(self):
        events = sampled(self.dataset(), keep_mc_id=False)
        assert "MC_ID" not in events.table.colnames
        assert not [key for key in events.table.meta if key.startswith(("MID", "MMN"))]

    def test_same_seed_gives_the_same(self):
        one, two, other = (sampled(self.dataset(), seed=seed) for seed in (3, 3, 4))
        assert_array_equal(one.table["RA"], two.table["RA"])
        assert len(one) != len(other) or (np.asarray(one.table["RA"]) != np.asarray(other.table["RA"])).any()

    def test_only_background_and_only_sources(self):
        dataset = field(background=0.2)
        events = sampled(dataset)
        assert set(events.table["MC_ID"]) == {0}
        assert events.table.meta["MMN00000"] == "field-bkg"
        dataset.background = None
        assert len(sampled(dataset)) == 0
        dataset.models = [source(POINT)]
        assert set(sampled(dataset).table["MC_ID"]) == {1}

    def test_source_outside_the_exposure(self):
        dataset = field(background=0)
        dataset.models = [source(PointSpatialModel(lon_0="100 deg", lat_0="0 deg"))]
        assert len(sampled(dataset)) == 0

    def test_tables_of_the_parts(self):
        sampler, dataset = MapDatasetEventSampler(random_state=0), self.dataset()
        table = sampler.sample_sources(dataset)
        assert sampler.sample_edisp(dataset.edisp, table) is table
        assert sampler.sample_psf(dataset.psf, table) is table
        assert table.colnames[-3:] == ["ENERGY", "RA", "DEC"]
        assert (table["ENERGY"].unit, table["RA"].unit) == (u.TeV, u.deg)
        assert sampler.sample_background(dataset).meta == {"MID00000": 0, "MMN00000": "field-bkg"}


class TestRefusals:
    def test_no_good_time(self):
        dataset = field()
        dataset.gti = None
        with pytest.raises(InputError, match="dataset 'field' has no good time in which events could be; set dataset.gti"):
            sampled(dataset)

    def test_no_exposure(self):
        dataset = field()
        dataset.exposure = None
        dataset.models = [source(POINT)]
        with pytest.raises(DataError, match="'field' has no exposure, which sky models need"):
            sampled(dataset)

    def test_region(self):
        dataset = field()
        dataset.mask_safe = Map.from_geom(dataset.counts.geom, data=np.ones((8, 50, 50), bool))
        region = dataset.to_region_map_dataset(CircleSkyRegion(CENTER, 0.3 * u.deg), name="spot")
        with pytest.raises(GeometryError, match="'spot' is of a region; events are drawn on images"):
            sampled(region)

    def test_negative_background(self):
        dataset = field()
        dataset.background.data[0, 0, 0] = -1
        with pytest.raises(DataError, match=r"expected counts go from -1.0 to .*; events need finite numbers"):
            sampled(dataset)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"oversample_energy_factor": 0}, "oversample_energy_factor is 0; expected a whole number >= 1"),
            ({"t_delta": "-1 s"}, "t_delta is -1 s; expected a positive duration"),
            ({"random_state": "dice"}, "random_state got 'dice'"),
        ],
    )
    def test_options(self, options, message):
        with pytest.raises(InputError, match=message):
            MapDatasetEventSampler(**options)


@pytest.mark.parametrize(
    "error",
    [
        {},
        {"background_norm": 1.6},
        {"area_scale": 1.4, "area_slope": 0.3},
        {"energy_scale": 1.3},
        {"psf_scale": 2.0},
    ],
    ids=str,
)
def test_systematic_errors_act_as_in_the_prediction(error):
    dataset = field(psf=psf(), edisp=edisp(), background=0.5)
    dataset.models = [source(POINT, name="one"), FoVBackgroundModel(dataset_name="field"), SystematicsModel(name="x", **error)]
    events = sampled(dataset)
    assert {key: value for key, value in events.table.meta.items() if key.startswith("MMN")} == {
        "MMN00000": "field-bkg",
        "MMN00001": "one",
    }
    counts, expected = counts_of(dataset, events), dataset.npred().data
    per_energy = expected.sum(axis=(1, 2))
    assert (np.abs(counts.sum(axis=(1, 2)) - per_energy) < 4.5 * np.sqrt(per_energy) + 0.01 * per_energy).all()
    distance = np.ravel(dataset.counts.geom.to_image().separation(POINT.position).deg)
    for radius in (0.12, 0.2, 0.35):
        inside, total = (data.sum(axis=0).ravel()[distance < radius].sum() for data in (counts, expected))
        assert abs(inside - total) < 4.5 * np.sqrt(total) + 0.02 * total
    star = events.table[events.table["MC_ID"] == 1]
    assert np.median(star["ENERGY"] / star["ENERGY_TRUE"]) == pytest.approx(error.get("energy_scale", 1.0), rel=0.02)
