"""Analyses of real data from configurations, beside gammapy 2.1 run with the same files."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from geminga.analysis import Analysis, AnalysisConfig
from tests.helpers import requires_data
from tests.unit.analysis.store import MODELS_1D

CRAB = """
observations:
  datastore: $GAMMAPY_DATA/hess-dl3-dr1
  obs_cone: {frame: icrs, lon: 83.633 deg, lat: 22.014 deg, radius: 5 deg}
  required_irf: [aeff, edisp, bkg]
datasets:
  type: 1d
  stack: false
  geom:
    axes: {energy: {min: 0.5 TeV, max: 30 TeV, nbins: 20}, energy_true: {min: 0.1 TeV, max: 50 TeV, nbins: 40}}
  on_region: {frame: icrs, lon: 83.633 deg, lat: 22.014 deg, radius: 0.11 deg}
  safe_mask: {methods: [aeff-default, aeff-max], parameters: {aeff_percent: 10}}
  background: {method: reflected}
fit: {fit_range: {min: 0.8 TeV, max: 20 TeV}}
flux_points: {energy: {min: 1 TeV, max: 20 TeV, nbins: 8}, source: crab, parameters: {selection_optional: [ul]}}
light_curve: {energy_edges: {min: 1 TeV, max: 20 TeV, nbins: 1}, source: crab, parameters: {selection_optional: [ul]}}
"""

GALACTIC_CENTRE = """
observations: {datastore: $GAMMAPY_DATA/cta-1dc/index/gps, obs_ids: [110380, 111140, 111159]}
datasets:
  type: 3d
  geom:
    wcs: {skydir: {frame: galactic, lon: 0 deg, lat: 0 deg}, width: {width: 6 deg, height: 4 deg}, binsize: 0.04 deg}
    axes: {energy: {min: 0.1 TeV, max: 10 TeV, nbins: 6}, energy_true: {min: 0.05 TeV, max: 20 TeV, nbins: 12}}
  background: {method: METHOD}
  safe_mask: {methods: [aeff-default, offset-max]}
"""


@pytest.fixture(autouse=True)
def _quiet(caplog):
    caplog.set_level(logging.ERROR)


@requires_data("hess-dl3-dr1")
def test_spectra_of_the_crab() -> None:
    analysis = Analysis(AnalysisConfig.from_yaml(CRAB))
    analysis.get_observations()
    analysis.get_datasets()
    info = [dataset.info_dict() for dataset in analysis.datasets]
    assert analysis.datasets.names == ["23523", "23526", "23559", "23592"]
    assert [one["counts"] for one in info] == [119, 114, 109, 85]
    assert np.allclose([one["background"] for one in info], [6.833333, 8.833333, 4.975610, 5.170732], rtol=1e-6)
    exposure = [dataset.exposure.data.sum() for dataset in analysis.datasets]
    assert np.allclose(exposure, [15801109533.1, 15080362729.1, 9881063912.5, 10329935457.5], rtol=1e-6)
    analysis.set_models(MODELS_1D)
    analysis.run_fit()
    # Energy dispersion averaged over the bins of true energy moves the fit by 0.03 standard deviations.
    index, amplitude = (analysis.models["crab"].spectral_model.parameters[name] for name in ("index", "amplitude"))
    assert np.isclose(index.value, 2.6365, atol=0.03 * 0.088)
    assert np.isclose(amplitude.value, 4.4577e-11, atol=0.05 * 3.43e-12)
    assert np.isclose(analysis.fit_result.total_stat, 81.337, atol=0.1)
    analysis.get_flux_points()
    dnde = analysis.flux_points.data.dnde.data[:, 0, 0]
    assert np.allclose(dnde[[0, 3, 7]], [2.91958e-11, 1.007034e-12, 1.580737e-14], rtol=0.01)
    analysis.get_light_curve()
    flux = analysis.light_curve.flux.data[:, 0, 0, 0]
    assert np.allclose(flux, [3.236864e-11, 2.428272e-11, 3.458505e-11, 3.473444e-11], rtol=4e-3)


@requires_data("cta-1dc/index/gps")
@pytest.mark.parametrize(("method", "background"), [("null", 55185.57), ("fov_background", 66799.0)])
def test_maps_of_the_galactic_centre(method: str, background: float) -> None:
    analysis = Analysis(AnalysisConfig.from_yaml(GALACTIC_CENTRE.replace("METHOD", method)))
    analysis.get_observations()
    analysis.get_datasets()
    (dataset,) = analysis.datasets
    assert dataset.name == "stacked"
    assert dataset.counts.data.sum() == 66799
    assert dataset.mask_safe.data.sum() == 87000
    assert np.isclose(dataset.exposure.data.sum(), 7.7480915e14, rtol=1e-6)
    # Six bins over two decades: gammapy's sum over the energies of a bin misses one percent of the background.
    assert np.isclose(dataset.background.data.sum(), background, rtol=0.012)
