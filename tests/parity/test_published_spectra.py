"""Crab nebula and PKS 2155-304 from H.E.S.S. DL3 DR1, against the published results.

Mohrmann et al. 2019, A&A 632, A72: power laws fitted to 24 bins a decade above the energy where the bias of the energy is 10 %,
by HAP (the software of H.E.S.S.), ctools and gammapy 0.12.

The index of the Crab nebula by HAP, 2.589 +- 0.061, is not found by any program from the public files: ctools gives 2.636,
gammapy 0.12 2.629, both 0.7 standard deviations away. The flux points agree with those of HAP one by one; HAP's fit has
events of lower energies besides (its error is smaller by a fifth). So the index is compared with the other programs, and its
distance from HAP is held at what it is, so that nobody takes it for agreement and no change of it goes unseen: 1.2 of HAP's errors
with reflected regions (gammapy 2.1: 1.1), 0.8 and 0.9 with backgrounds from maps.

Fits to cubes are compared with the cubes of ctools. Those of gammapy 0.12 agree for the Crab nebula; their flux of PKS 2155-304 is
1.8 errors above all others, of cubes and of spectra, so it is no reference.

Spectra from rings in narrow bins are harder: a bin with one event and none in the ring counts as background-free. With
PKS 2155-304 and 24 bins a decade the index falls from 3.39 to 3.26; with 12 bins a decade the methods agree.
"""

from __future__ import annotations

import logging
from typing import Any

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from regions import CircleSkyRegion

from geminga.analysis import Analysis, AnalysisConfig
from geminga.data import DataStore
from geminga.datasets import Datasets, MapDataset
from geminga.estimators import FluxPointsEstimator
from geminga.makers import DatasetsMaker, MapDatasetMaker, SafeMaskMaker
from geminga.maps import MapAxis, WcsGeom
from geminga.modeling import Fit
from geminga.modeling.models import FoVBackgroundModel, PointSpatialModel, PowerLawSpectralModel, SkyModel
from tests.helpers import requires_data

pytestmark = [requires_data("hess-dl3-dr1"), pytest.mark.filterwarnings("ignore")]

# Position, runs, reference energy in TeV, amplitude and index by HAP with their errors, index by gammapy 0.12.
SOURCES: dict[str, dict[str, Any]] = {
    "crab": {
        "lon": 83.633, "lat": 22.014, "runs": [23523, 23526, 23559, 23592], "reference": 1.45,
        "amplitude": (1.58643e-11, 7.61326e-13), "index": (2.5889, 0.061393), "index_tools": (2.62888, 0.0735089),
    },
    "pks": {
        "lon": 329.717, "lat": -30.226, "runs": [47802, 47803, 47804, 47827, 47828, 47829], "reference": 0.65,
        "amplitude": (1.80422e-11, 2.0962e-12), "index": (3.46428, 0.238935), "index_tools": (3.46399, 0.245971),
    },
}  # fmt: skip

# Fits to cubes, amplitude and index with their errors: by ctools, and by gammapy 0.12.
CUBES = {
    "crab": [((1.69967e-11, 7.5996e-13), (2.65692, 0.0694857)), ((1.73144e-11, 8.28426e-13), (2.69252, 0.0661353))],
    "pks": [((1.84677e-11, 1.9023e-12), (3.47839, 0.222043)), ((2.20939e-11, 2.23194e-12), (3.49762, 0.225395))],
}

# Distance of our index of the Crab nebula from that of HAP, in the published errors.
CRAB_FROM_HAP = {"reflected": 1.24, "fov_background": 0.82, "ring": 0.91}

# Flux points of the Crab nebula by HAP: energy and its bounds in TeV, flux in cm-2 s-1 TeV-1.
HAP_POINTS = np.array([
    [0.866, 0.7499, 1.0, 5.68125e-11], [1.155, 1.0, 1.334, 2.607e-11], [1.54, 1.334, 1.778, 1.57724e-11],
    [2.054, 1.778, 2.371, 7.33818e-12], [2.738, 2.371, 3.162, 3.86354e-12], [3.652, 3.162, 4.217, 1.21203e-12],
    [4.87, 4.217, 5.623, 6.1162e-13], [6.494, 5.623, 7.499, 4.93162e-13], [8.66, 7.499, 10.0, 1.15486e-13],
    [11.55, 10.0, 13.34, 7.12241e-14],
])  # fmt: skip


@pytest.fixture(autouse=True)
def _quiet(caplog):
    caplog.set_level(logging.ERROR)


def reduced(source: str, background: str, bins: int = 72, kind: str = "1d") -> Datasets:
    known = SOURCES[source]
    position = f"frame: icrs, lon: {known['lon']} deg, lat: {known['lat']} deg"
    axes = f"energy: {{min: 0.1 TeV, max: 100 TeV, nbins: {bins}}}, energy_true: {{min: 0.05 TeV, max: 200 TeV, nbins: 100}}"
    config = AnalysisConfig.from_yaml(f"""
        observations: {{datastore: $GAMMAPY_DATA/hess-dl3-dr1, obs_ids: {known["runs"]}}}
        datasets:
          type: {kind}
          stack: false
          geom:
            wcs: {{skydir: {{{position}}}, width: {{width: 1.8 deg, height: 1.8 deg}}, binsize: 0.01 deg}}
            axes: {{{axes}}}
          on_region: {{{position}, radius: 0.11 deg}}
          background: {background}
          safe_mask: {{methods: [edisp-bias], parameters: {{bias_percent: 10}}}}
        """)
    analysis = Analysis(config)
    analysis.get_observations()
    analysis.get_datasets()
    return analysis.datasets


def spectra_of_maps(source: str, method: str, tmp_path: Any, bins: int = 72) -> Datasets:
    """Spectra of the circle of 0.11 deg in maps whose background is measured outside of 0.35 deg."""
    center = SkyCoord(SOURCES[source]["lon"], SOURCES[source]["lat"], unit="deg")
    geom = WcsGeom.create(skydir=center, width=6, binsz=0.02, proj="TAN")
    path = tmp_path / "exclusion.fits"
    geom.region_mask([CircleSkyRegion(center, 0.35 * u.deg)], inside=False).write(path)
    parameters = "{r_in: 0.5 deg, width: 0.2 deg}" if method == "ring" else "{}"
    background = f"{{method: {method}, exclusion: {path}, parameters: {parameters}}}"
    region = CircleSkyRegion(center, 0.11 * u.deg)
    maps = reduced(source, background, bins, "3d")
    return Datasets([one.to_spectrum_dataset(region, containment_correction=True, name=one.name) for one in maps])


def fitted(source: str, datasets: Datasets) -> tuple[Any, Any]:
    spectrum = PowerLawSpectralModel(index=2.5, amplitude="1e-11 cm-2 s-1 TeV-1", reference=SOURCES[source]["reference"] * u.TeV)
    datasets.models = [SkyModel(spectrum, name=source)]
    assert Fit().run(datasets).success
    return spectrum.amplitude, spectrum.index


def distance(parameter: Any, published: tuple[float, float]) -> float:
    """Difference in units of the published error."""
    return abs(parameter.value - published[0]) / published[1]


def check(source: str, method: str, amplitude: Any, index: Any, most: float = 0.4) -> None:
    """Amplitude within 0.4 errors of HAP, index within `most`: of HAP, for the Crab nebula of gammapy 0.12."""
    known = SOURCES[source]
    assert distance(amplitude, known["amplitude"]) < 0.4
    assert distance(index, known["index_tools" if source == "crab" else "index"]) < most
    if source == "crab":
        assert abs(distance(index, known["index"]) - CRAB_FROM_HAP[method]) < 0.05


@pytest.mark.parametrize(("source", "most"), [("crab", 0.5), ("pks", 0.4)])
def test_reflected_regions(source: str, most: float) -> None:
    amplitude, index = fitted(source, reduced(source, "{method: reflected}"))
    check(source, "reflected", amplitude, index, most)
    # gammapy 2.1: 1.59974e-11 and 2.654 for the Crab, 1.76443e-11 and 3.547 for PKS 2155-304.
    expected = {"crab": (1.59974e-11, 2.65398), "pks": (1.76443e-11, 3.54717)}[source]
    assert abs(amplitude.value - expected[0]) < 0.15 * amplitude.error
    assert abs(index.value - expected[1]) < 0.15 * index.error


@pytest.mark.parametrize("source", ["crab", "pks"])
def test_background_model_of_the_field(source: str, tmp_path) -> None:
    amplitude, index = fitted(source, spectra_of_maps(source, "fov_background", tmp_path))
    check(source, "fov_background", amplitude, index)


# Bins of the rings without off counts still bias the index of PKS 2155-304 a little: 0.42 errors.
@pytest.mark.parametrize(("source", "most"), [("crab", 0.4), ("pks", 0.5)])
def test_rings(source: str, most: float, tmp_path) -> None:
    amplitude, index = fitted(source, spectra_of_maps(source, "ring", tmp_path, bins=36))
    check(source, "ring", amplitude, index, most)


def cubes(source: str) -> tuple[Datasets, SkyModel]:
    """Cubes of each run, 4 deg wide, with a point source and a background of free norm."""
    known = SOURCES[source]
    center = SkyCoord(known["lon"], known["lat"], unit="deg")
    energy = MapAxis.from_energy_bounds("0.1 TeV", "100 TeV", nbin=24, per_decade=True)
    true = MapAxis.from_energy_bounds("0.05 TeV", "200 TeV", nbin=30, per_decade=True, name="energy_true")
    geom = WcsGeom.create(skydir=center, width=4, binsz=0.02, proj="TAN", axes=[energy])
    safe = SafeMaskMaker(methods=["edisp-bias", "offset-max"], bias_percent=10, offset_max="2 deg", position=center)
    observations = DataStore.from_dir("$GAMMAPY_DATA/hess-dl3-dr1").get_observations(known["runs"])
    chain = DatasetsMaker([MapDatasetMaker(), safe], stack_datasets=False)
    datasets = chain.run(MapDataset.create(geom, energy_axis_true=true), observations)
    spectrum = PowerLawSpectralModel(index=2.5, amplitude="1e-11 cm-2 s-1 TeV-1", reference=known["reference"] * u.TeV)
    model = SkyModel(spectrum, PointSpatialModel(lon_0=center.ra, lat_0=center.dec, frame="icrs"), name=source)
    datasets.models = [model, *(FoVBackgroundModel(dataset_name=name) for name in datasets.names)]
    return datasets, model


@pytest.mark.parametrize("source", ["crab", "pks"])
def test_cubes(source: str) -> None:
    datasets, model = cubes(source)
    assert Fit().run(datasets).success
    amplitude, index = model.spectral_model.amplitude, model.spectral_model.index
    ctools, gammapy = CUBES[source]
    assert distance(amplitude, ctools[0]) < 0.4
    assert distance(index, ctools[1]) < 0.4
    assert distance(index, gammapy[1]) < 0.75
    assert (distance(amplitude, gammapy[0]) < 0.75) == (source == "crab")
    assert model.position.separation(SkyCoord(SOURCES[source]["lon"], SOURCES[source]["lat"], unit="deg")) < 0.02 * u.deg


def test_flux_points_of_the_crab_are_those_of_hap() -> None:
    datasets = reduced("crab", "{method: reflected}")
    fitted("crab", datasets)
    edges = np.append(HAP_POINTS[:, 1], HAP_POINTS[-1, 2]) * u.TeV
    points = FluxPointsEstimator(energy_edges=edges, source="crab").run(datasets)
    energy = points.geom.axes["energy"].center
    spectrum = datasets.models["crab"].spectral_model
    # Published at the linear middle of each bin.
    published = HAP_POINTS[:, 3] * (spectrum(energy) / spectrum(HAP_POINTS[:, 0] * u.TeV)).to_value("")
    ours, error = points.dnde.data[:, 0, 0], points.dnde_err.data[:, 0, 0]
    assert np.all(np.abs(ours - published) < 0.7 * error)
    assert np.isclose(np.average(ours / published, weights=(published / error) ** 2), 1.0, atol=0.04)
