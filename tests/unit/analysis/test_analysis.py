"""Analyses of a small simulated store, against the makers and estimators called directly."""

from __future__ import annotations

import logging

import astropy.units as u
import numpy as np
import pytest

from geminga.analysis import Analysis, AnalysisConfig
from geminga.errors import ConfigError, FileError, InputError, NameLookupError, OrderError
from geminga.estimators import FluxPointsEstimator
from geminga.makers import DatasetsMaker, MapDatasetMaker, SafeMaskMaker
from geminga.maps import Map
from tests.unit.analysis.store import MODELS_1D, MODELS_3D, make_config


@pytest.fixture(autouse=True)
def _quiet(caplog):
    caplog.set_level(logging.ERROR)


def reduced(config: AnalysisConfig) -> Analysis:
    analysis = Analysis(config)
    analysis.get_observations()
    analysis.get_datasets()
    return analysis


def test_spectrum_from_start_to_end(store, tmp_path) -> None:
    analysis = reduced(make_config(store))
    (dataset,) = analysis.datasets
    assert (dataset.name, dataset.tag) == ("stacked", "SpectrumDatasetOnOff")
    analysis.set_models(MODELS_1D)
    analysis.run_fit()
    assert analysis.fit_result.success
    inside = dataset.mask_fit.data[:, 0, 0]
    axis = dataset.counts.geom.axes["energy"]
    assert np.array_equal(inside, (axis.edges_min > 0.7 * u.TeV) & (axis.edges_max < 20 * u.TeV))
    analysis.get_flux_points()
    estimator = FluxPointsEstimator(energy_edges=analysis.flux_points.data.geom.axes["energy"].edges, source="crab")
    assert np.allclose(analysis.flux_points.data.dnde.data, estimator.run(analysis.datasets).dnde.data, equal_nan=True)
    assert analysis.flux_points.models.names == ["crab"]
    assert analysis.flux_points.data.has_stat_profiles
    analysis.get_light_curve()
    assert analysis.light_curve.geom.axes["time"].nbin == 1
    assert not analysis.light_curve.has_stat_profiles

    analysis.update_config({"general": {"datasets_file": tmp_path / "d.yaml", "models_file": tmp_path / "m.yaml"}})
    analysis.write_datasets()
    analysis.write_models()
    again = Analysis(analysis.config)
    again.read_datasets()
    assert again.models.names == ["crab"]
    assert np.isclose(again.datasets.stat_sum(), analysis.datasets.stat_sum())
    assert again.models.covariance.data.shape == analysis.models.covariance.data.shape


def test_spectra_of_each_run_have_its_name(store) -> None:
    analysis = reduced(make_config(store, stack="false"))
    assert analysis.datasets.names == ["1", "2", "3"]
    whole = reduced(make_config(store))
    assert whole.datasets[0].counts.data.sum() == sum(d.counts.data[d.mask_safe.data].sum() for d in analysis.datasets)
    analysis.set_models(MODELS_1D)
    analysis.get_light_curve()
    assert analysis.light_curve.geom.axes["time"].nbin >= 1


def test_maps_equal_the_makers(store) -> None:
    analysis = reduced(make_config(store, "3d", background="{method: null}"))
    (dataset,) = analysis.datasets
    from geminga.analysis.geometry import reference_dataset

    reference = reference_dataset(analysis.config.datasets)
    makers = [MapDatasetMaker(), SafeMaskMaker(methods=["aeff-default"])]
    (expected,) = DatasetsMaker(makers, cutout_width="5 deg").run(reference, analysis.observations)
    for name in ("counts", "exposure", "background", "mask_safe"):
        assert np.array_equal(getattr(dataset, name).data, getattr(expected, name).data)
    analysis.set_models(MODELS_3D)
    assert analysis.models.names == ["crab", "stacked-bkg"]
    analysis.run_fit()
    assert analysis.fit_result.success
    analysis.get_excess_map()
    assert analysis.excess_map.sqrt_ts.data.shape == (1, *dataset.counts.data.shape[1:])
    analysis.update_config("excess_map: {energy_edges: {min: 0.5 TeV, max: 30 TeV, nbins: 6}}")
    analysis.get_excess_map()
    assert analysis.excess_map.sqrt_ts.data.shape == dataset.counts.data.shape


def test_adjusted_background_has_the_sum_of_the_counts(store) -> None:
    (dataset,) = reduced(make_config(store, "3d")).datasets
    inside = dataset.mask_safe.data
    assert np.isclose(dataset.background.data[inside].sum(), dataset.counts.data[inside].sum(), rtol=1e-3)


def test_rings_are_stacked_on_the_whole_map(store) -> None:
    ring = "{method: ring, parameters: {r_in: 0.4 deg, width: 0.3 deg}}"
    whole = reduced(make_config(store, "3d", background=ring))
    parts = reduced(make_config(store, "3d", background=ring, stack="false"))
    (dataset,) = whole.datasets
    assert (dataset.name, dataset.tag) == ("stacked", "MapDatasetOnOff")
    assert dataset.counts.data.sum() == sum(d.counts.data[d.mask_safe.data].sum() for d in parts.datasets)
    whole.get_excess_map()
    parts.get_excess_map()
    assert np.allclose(whole.excess_map.sqrt_ts.data, parts.excess_map.sqrt_ts.data, equal_nan=True)


def test_exclusion_mask(store, tmp_path) -> None:
    (dataset,) = reduced(make_config(store, "3d")).datasets
    mask = Map.from_geom(dataset.counts.geom.to_image(), data=True, dtype=bool)
    mask.data[:, 14:] = False
    mask.write(tmp_path / "mask.fits")
    text = f"{{method: fov_background, exclusion: {tmp_path / 'mask.fits'}}}"
    (other,) = reduced(make_config(store, "3d", background=text)).datasets
    assert other.background.data.sum() < dataset.background.data.sum()  # the source was in what is left out
    text = f"{{method: reflected, exclusion: {tmp_path / 'mask.fits'}}}"
    (spectrum,) = reduced(make_config(store, background=text)).datasets
    (free,) = reduced(make_config(store)).datasets
    assert spectrum.acceptance_off.data.sum() < free.acceptance_off.data.sum()


def test_processes_give_the_same(store) -> None:
    config = make_config(store, "3d")
    (one,) = reduced(config).datasets
    (two,) = reduced(config.update("general: {n_jobs: 2}")).datasets
    assert np.array_equal(one.counts.data, two.counts.data)
    assert np.allclose(one.background.data, two.background.data)


def test_observations(store, tmp_path) -> None:
    def ids(text: str) -> list[str]:
        analysis = Analysis(make_config(store).update(f"observations: {text}"))
        analysis.get_observations()
        return analysis.observations.ids

    cone = "{frame: icrs, lon: 83.63 deg, lat: 22.51 deg, radius: 0.3 deg}"
    (tmp_path / "ids.txt").write_text("3\n2\n")
    assert ids("{}") == ["1", "2", "3"]
    assert ids("{obs_ids: [3, 1]}") == ["3", "1"]
    assert ids(f"{{obs_file: {tmp_path / 'ids.txt'}}}") == ["3", "2"]
    assert ids(f"{{obs_cone: {cone}}}") == ["1", "3"]
    assert ids(f"{{obs_ids: [1, 2], obs_cone: {cone}}}") == ["1"]
    assert ids("{required_irf: [events, gti, aeff]}") == ["1", "2", "3"]
    with pytest.raises(NameLookupError, match="OBS_ID = 7 not in HDU index"):
        ids("{obs_ids: [7]}")
    with pytest.raises(InputError, match="No observation of .* fits the configuration: obs_ids all, obs_cone .*lon=<Angle 3"):
        ids("{obs_cone: {frame: icrs, lon: 3 deg, lat: 22 deg, radius: 0.1 deg}}")
    with pytest.raises(ConfigError, match=r"observations.obs_cone.radius is not given"):
        ids("{obs_cone: {frame: icrs, lon: 3 deg, lat: 22 deg}}")
    with pytest.raises(ConfigError, match=r"observations.obs_file is .*ids.txt, and obs_ids is given too"):
        ids(f"{{obs_ids: [1], obs_file: {tmp_path / 'ids.txt'}}}")
    with pytest.raises(FileError, match=r"No such file|not exist|cannot"):
        ids(f"{{datastore: {tmp_path / 'nothing'}}}")


def test_time_intervals(store) -> None:
    analysis = Analysis(make_config(store))
    analysis.get_observations()
    start = analysis.observations[0].tstart
    config = analysis.config.model_copy(deep=True)
    config.observations.obs_time = {"start": [start.isot], "stop": [(start + 100 * u.s).isot]}
    analysis = Analysis(config)
    analysis.get_observations()
    assert np.allclose([one.gti.time_sum.to_value("s") for one in analysis.observations], 100, atol=0.01)
    config.observations.obs_time.start = [start.isot, start.isot]
    with pytest.raises(ConfigError, match=r"obs_time has 2 starts and 1 stops"):
        Analysis(config).get_observations()


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        ("1d", "datasets: {on_region: {radius: null}}", "datasets.on_region.radius is not given"),
        ("1d", "datasets: {background: {method: ring}}", "method is 'ring', which is for datasets of type '3d'; .*'reflected'"),
        (
            "1d",
            "datasets: {background: {parameters: {min_distnce: 1 deg}}}",
            "parameters.min_distnce is no option .*'min_distance'",
        ),
        (
            "1d",
            "datasets: {safe_mask: {parameters: {aeff_procent: 1}}}",
            "aeff_procent is no option of SafeMaskMaker .*'aeff_percent'",
        ),
        (
            "1d",
            "datasets: {safe_mask: {parameters: {offset_max: 1 TeV}}}",
            "safe_mask.parameters is .*which SafeMaskMaker refuses",
        ),
        ("1d", "datasets: {geom: {axes: {energy: {min: null}}}}", "datasets.geom.axes.energy.min is not given"),
        ("3d", "datasets: {geom: {wcs: {skydir: {frame: null}}}}", "datasets.geom.wcs.skydir.frame is not given"),
        ("3d", "datasets: {background: {method: ring}}", "RingBackgroundMaker refuses"),
        (
            "3d",
            "datasets: {background: {method: reflected}}",
            "'reflected', which is for datasets of type '1d'; .*'fov_background', 'ring'",
        ),
    ],
)
def test_wrong_reduction(store, kind: str, changes: str, message: str) -> None:
    analysis = Analysis(make_config(store, kind).update(changes))
    analysis.get_observations()
    with pytest.raises(ConfigError, match=message):
        analysis.get_datasets()


def test_wrong_products(store) -> None:
    analysis = reduced(make_config(store))
    analysis.set_models(MODELS_1D)
    with pytest.raises(InputError, match="excess map of dataset 'stacked', a spectrum"):
        analysis.get_excess_map()
    analysis.config.flux_points.energy.nbins = None
    with pytest.raises(ConfigError, match=r"flux_points.energy.nbins is not given"):
        analysis.get_flux_points()
    analysis.config.flux_points.energy = {}
    analysis.get_flux_points()
    assert analysis.flux_points.data.geom.axes["energy"].nbin == 6
    analysis.config.flux_points.parameters = {"n_sgma": 2}
    with pytest.raises(ConfigError, match=r"n_sgma is no option of FluxPointsEstimator .*'n_sigma'"):
        analysis.get_flux_points()
    analysis.config.light_curve.source = "carb"
    with pytest.raises(NameLookupError, match="carb"):
        analysis.get_light_curve()


def test_steps_out_of_order(store, tmp_path) -> None:
    analysis = Analysis(make_config(store))
    for step in ("run_fit", "get_flux_points", "get_light_curve", "get_excess_map", "write_models"):
        with pytest.raises((OrderError, ConfigError)):
            getattr(analysis, step)()
    with pytest.raises(OrderError, match="no observations have been selected"):
        analysis.get_datasets()
    with pytest.raises(OrderError, match="there are no datasets"):
        analysis.set_models(MODELS_1D)
    with pytest.raises(ConfigError, match=r"general.datasets_file is not given"):
        analysis.write_datasets()
    analysis = reduced(make_config(store))
    with pytest.raises(OrderError, match="the datasets have no models"):
        analysis.run_fit()
    with pytest.raises(InputError, match=r"set_models got 5"):
        analysis.set_models(5)
    with pytest.raises(InputError, match="config is 'x'; expected an AnalysisConfig"):
        Analysis("x")
    assert Analysis({"general": {"outdir": str(tmp_path)}}).config.general.outdir == str(tmp_path)


def test_models_are_added_or_replaced(store) -> None:
    analysis = reduced(make_config(store))
    analysis.set_models(MODELS_1D)
    with pytest.raises(NameLookupError, match="crab"):
        analysis.set_models(MODELS_1D)
    analysis.set_models(MODELS_1D.replace("crab", "other"))
    assert analysis.models.names == ["crab", "other"]
    analysis.models = [analysis.models["other"]]
    assert analysis.models.names == ["other"]
