"""Everything that can be written and read: the table which all scans of files go through.

A new kind of file is one more entry in `KINDS`. Scans then cut it off, flip its bytes, kill its writer, fill the disk and read
while it is written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import Table
from astropy.time import Time
from regions import CircleSkyRegion

from geminga.data import GTI, EventList, Observation
from geminga.datasets import Datasets, FluxPointsDataset, MapDataset, MapDatasetOnOff, SpectrumDataset, SpectrumDatasetOnOff
from geminga.estimators import FluxMaps, FluxPoints
from geminga.irf import (
    IRF,
    PSF3D,
    Background2D,
    Background3D,
    EDispKernel,
    EDispKernelMap,
    EDispMap,
    EffectiveAreaTable2D,
    EnergyDependentMultiGaussPSF,
    EnergyDispersion2D,
    PSFKernel,
    PSFKing,
    PSFMap,
    RadMax2D,
    RecoPSFMap,
)
from geminga.maps import LabelMapAxis, Map, MapAxis, Maps, RegionGeom, TimeMapAxis, WcsGeom
from geminga.modeling.models import (
    FoVBackgroundModel,
    GaussianPrior,
    LightCurveTemplateTemporalModel,
    Models,
    SkyModel,
    TemplatePhaseCurveTemporalModel,
)
from tests.trust.content import assert_same
from tests.unit.data.conftest import events_hdu, gti_hdu, irfs
from tests.unit.datasets import builders
from tests.unit.flux import builders as flux_builders

FITS = (".fits", ".fits.gz")


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Parameters
    ----------
    name : str
        Name.
    make : callable
        Makes an object from a seed; two seeds give objects which differ.
    write : callable
        Writes it to a path, replacing what is there.
    read : callable
        Reads it from a path.
    suffixes : tuple of str
        Suffixes of its files.
    rtol : float
        Precision of a round trip.
    loses : tuple of str
        Regular expressions of what the format does not keep (see `tests.trust.content.leaves`).
    sets : tuple of str
        Regular expressions of what is replaced as one.
    """

    name: str
    make: Callable[[int], Any]
    write: Callable[[Any, Path], None]
    read: Callable[[Path], Any]
    suffixes: tuple[str, ...] = FITS
    rtol: float = 1e-12
    loses: tuple[str, ...] = ()
    sets: tuple[str, ...] = ("",)

    def assert_kept(self, own: Any, read: Any) -> None:
        """Fail if a round trip changed anything but what the format does not keep."""
        assert_same(own, read, self.rtol, self.loses)


CENTER = SkyCoord(83.6, 22.0, unit="deg")
ENERGY = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=3, name="energy")
ENERGY_TRUE = MapAxis.from_energy_bounds("0.5 TeV", "20 TeV", nbin=4, name="energy_true")
REGION = CircleSkyRegion(CENTER, 0.3 * u.deg)


def _filled(geom: Any, seed: int, unit: str = "", dtype: Any = float) -> Map:
    data = np.random.default_rng(seed).integers(0, 100, geom.data_shape)
    return Map.from_geom(geom, data=data.astype(dtype), unit=unit, meta={"seed": seed})


def cube(seed: int) -> Map:
    """Map with an energy axis."""
    return _filled(WcsGeom.create(skydir=CENTER, npix=(7, 5), binsz=0.1, axes=[ENERGY]), seed, "cm-2 s-1")


def image(seed: int) -> Map:
    """Map without axes, in galactic coordinates."""
    return _filled(WcsGeom.create(npix=(7, 5), binsz=0.1, frame="galactic", proj="TAN"), seed)


def mask(seed: int) -> Map:
    """Truth values."""
    return cube(seed) > 50 * u.Unit("cm-2 s-1")


def many_axes(seed: int) -> Map:
    """Map with energy, time and label axes."""
    time = TimeMapAxis([0, 2, 5] * u.day, [1, 3, 6] * u.day, Time("2020-01-01"))
    label = LabelMapAxis(labels=["one", "two"], name="kind")
    return _filled(RegionGeom.create(REGION, axes=[ENERGY, time, label]), seed, "m2 s")


def spectrum(seed: int) -> Map:
    """Region map."""
    return _filled(RegionGeom.create(REGION, axes=[ENERGY]), seed)


def effective_area(seed: int) -> Map:
    """Region map in true energy."""
    return _filled(RegionGeom.create(None, axes=[ENERGY_TRUE]), seed + 1, "m2")


def maps(seed: int) -> Maps:
    """Several maps on one geometry."""
    own = Maps()
    own["one"], own["two"] = cube(seed), cube(seed + 10)
    return own


def psf(seed: int) -> PSFMap:
    """PSF on pixels, with exposure."""
    return builders.map_dataset(seed).psf


def edisp_kernel_map(seed: int) -> EDispKernelMap:
    """Energy dispersion kernels on pixels, with exposure."""
    return builders.map_dataset(seed).edisp


def edisp_map(seed: int) -> EDispMap:
    """Energy dispersion in migra."""
    migra = MapAxis.from_bounds(0.2, 5, nbin=10 + seed, name="migra")
    return EDispMap.from_diagonal_response(ENERGY_TRUE, migra)


def edisp_kernel(seed: int) -> EDispKernel:
    """Energy dispersion kernel."""
    return EDispKernel.from_gauss(ENERGY_TRUE, ENERGY, sigma=0.1 + 0.05 * seed, bias=0)


def psf_kernel(seed: int) -> PSFKernel:
    """PSF image."""
    geom = WcsGeom.create(binsz=0.05, width=1, axes=[ENERGY_TRUE])
    return PSFKernel.from_gauss(geom, sigma=(0.1 + 0.02 * seed) * u.deg, max_radius=0.3 * u.deg)


def gtpsf(seed: int) -> PSFMap:
    """PSF at one place with exposure."""
    return psf(seed).to_region_nd_map(CENTER)


def reco_psf(seed: int) -> RecoPSFMap:
    """PSF in reconstructed energy."""
    dataset = MapDataset.create(builders.geom(), reco_psf=True, name="one")
    dataset.psf.psf_map.data += 1 + seed
    return dataset.psf


def gti(seed: int) -> GTI:
    """Good time intervals."""
    return GTI.create(np.array([0, 100 + seed]) * u.s, np.array([50, 200]) * u.s, "2015-03-01T00:00:00")


def map_dataset(seed: int) -> MapDataset:
    """Dataset with all parts."""
    dataset = builders.map_dataset(seed, name="field")
    dataset.mask_fit = dataset.counts > 2
    dataset.meta_table = Table({"OBS_ID": [[1, 2]], "RA_PNT": [[83.0, 84.0]] * u.deg})
    return dataset


def spectrum_dataset(seed: int) -> SpectrumDataset:
    """Spectrum."""
    dataset = builders.spectrum_dataset()
    dataset.counts.data += seed
    return dataset


def models(seed: int) -> Models:
    """Models with links, prior, bounds, a correlation and a background."""
    own = [SkyModel.create("ecpl", "gauss", name="shell"), SkyModel.create("pl", "point", "const", name="point")]
    own[0].spectral_model.index.value = 2.1 + 0.1 * seed
    own[1].spatial_model.lon_0 = own[0].spatial_model.lon_0
    own[0].spectral_model.index.prior = GaussianPrior(mu=2, sigma=0.3)
    own[0].spatial_model.sigma.min, own[0].spatial_model.sigma.max = 0, 2
    found = Models([*own, FoVBackgroundModel(dataset_name="field")])
    n = len(found.parameters)
    found.covariance = np.diag(np.linspace(0.01, 0.02, n) + 0.001 * seed) + 0.001 * np.eye(n, k=1) + 0.001 * np.eye(n, k=-1)
    return found


def datasets(seed: int) -> Datasets:
    """Two datasets and their models."""
    own = Datasets([map_dataset(seed), spectrum_dataset(seed)])
    own.models = models(seed)
    return own


def onoff(seed: int) -> SpectrumDatasetOnOff:
    """On/off spectrum."""
    return builders.onoff_spectrum(seed)


def onoff_map(seed: int) -> MapDatasetOnOff:
    """On/off maps."""
    return builders.onoff_map(seed)


OFFSET = MapAxis.from_edges([0, 1, 2], unit="deg", name="offset")


def irf(name: str) -> Callable[[int], IRF]:
    """Maker of a response table."""

    def make(seed: int) -> IRF:
        own = irfs()[name]
        own.data = own.data * (1 + 0.1 * np.random.default_rng(seed).uniform(size=own.data.shape))
        return own

    return make


def multi_gauss(seed: int) -> EnergyDependentMultiGaussPSF:
    """PSF of three Gaussians."""
    values = {"sigma_1": 0.05, "sigma_2": 0.1, "sigma_3": 0.2, "scale": 2.0 + seed, "ampl_2": 0.3, "ampl_3": 0.05}
    data = {key: np.full((ENERGY_TRUE.nbin, OFFSET.nbin), value) for key, value in values.items()}
    return EnergyDependentMultiGaussPSF([ENERGY_TRUE, OFFSET], data=data)


def king(seed: int) -> PSFKing:
    """PSF of King's profile."""
    return PSFKing([ENERGY_TRUE, OFFSET], data={"gamma": 2.5 + seed, "sigma": 0.06 * u.deg})


def background_2d(seed: int) -> Background2D:
    """Radial background."""
    return Background2D([ENERGY, OFFSET], data=np.full((3, 2), 1e-6 * (1 + seed)), unit="s-1 MeV-1 sr-1")


def rad_max(seed: int) -> RadMax2D:
    """Radii of a point-like analysis."""
    return RadMax2D([ENERGY, OFFSET], data=np.full((3, 2), 0.1 * (1 + seed)), unit="deg", is_pointlike=True)


def observation(seed: int) -> Observation:
    """Events, time intervals and response functions."""
    own = EventList(Table.read(events_hdu(seed=seed)))
    return Observation(obs_id=1, events=own, gti=GTI.from_table_hdu(gti_hdu()), **irfs())


def loaded(own: Observation) -> Observation:
    """The same, with everything read."""
    for name in own.available_hdus:
        getattr(own, name)
    return own


def flux_points(seed: int) -> FluxPoints:
    """Flux points with limits and scans."""
    maps = flux_builders.poisson_maps(flux_builders.COUNTS[seed], [flux_builders.ENERGY])
    return FluxPoints(maps, flux_builders.MODEL, meta={"n_sigma_ul": 2})


def flux_points_dataset(seed: int) -> FluxPointsDataset:
    """Flux points to be fitted."""
    return FluxPointsDataset(data=flux_points(seed), name="points")


def flux_maps(seed: int) -> FluxMaps:
    """Maps of fluxes, with their model in another file."""
    own = flux_builders.flux_maps()
    maps = {name: m + float(seed) for name, m in own._data.items() if not m.is_mask}
    return FluxMaps(maps, own.reference_model, gti=own.gti)


def light_curve(seed: int) -> LightCurveTemplateTemporalModel:
    """Light curve."""
    table = Table({"TIME": [0.0, 1.0, 3.0] * u.d, "NORM": [1.0, 2.0 + seed, 1.5]}, meta={"MJDREFI": 55000, "MJDREFF": 0.0})
    table.meta |= {"TIMESYS": "utc", "TIMEUNIT": "d"}
    return LightCurveTemplateTemporalModel.from_table(table)


def phase_curve(seed: int) -> TemplatePhaseCurveTemporalModel:
    """Phase curve."""
    table = Table({"PHASE": [0.0, 0.25, 0.5, 1.0], "NORM": [1.0, 2.0 + seed, 1.5, 1.0]})
    return TemplatePhaseCurveTemporalModel(table)


def _write(own: Any, path: Path) -> None:
    own.write(path, overwrite=True)


def _write_as(**kwargs: Any) -> Callable[[Any, Path], None]:
    return lambda own, path: own.write(path, overwrite=True, **kwargs)


def _read_as(cls: Any, **kwargs: Any) -> Callable[[Path], Any]:
    return lambda path: cls.read(path, **kwargs)


def _write_datasets(own: Datasets, path: Path) -> None:
    own.write(path, filename_models=path.with_name(f"models_of_{path.name}"), overwrite=True)


def _read_datasets(path: Path) -> Datasets:
    return Datasets.read(path, filename_models=path.with_name(f"models_of_{path.name}"), lazy=False)


def _write_to(own: Any, path: Path) -> None:
    own.copy().write(path, overwrite=True)


#: What stands otherwise in OGIP files.
OGIP_LOSES = ("mask_fit", "meta", "unit", "region", "dtype", "acceptance", "edisp")
#: What the formats of fluxes add, or tables do not say.
FLUX_LOSES = ("model", "values", "ref_", "sqrt_ts", "is_ul", "class", "geom", "meta", "unit", "name")

KINDS: list[Kind] = [
    Kind("Map, cube", cube, _write, Map.read),
    Kind("Map, image", image, _write, Map.read),
    Kind("Map, mask", mask, _write, Map.read),
    Kind("Map, sparse", cube, _write_as(sparse=True), Map.read),
    Kind("Map, energy, time and label axes", many_axes, _write, Map.read),
    Kind("Map, region", spectrum, _write, Map.read),
    Kind("Map, OGIP", spectrum, _write_as(format="ogip"), _read_as(Map, format="ogip"), loses=("meta", "data")),
    Kind("Map, OGIP ARF", effective_area, _write_as(format="ogip-arf"), _read_as(Map, format="ogip-arf"), loses=("meta",)),
    Kind("Map, Fermi counts cube", cube, _write_as(format="fgst-ccube"), Map.read),
    Kind("Maps", maps, _write, Maps.read),
    Kind("PSFMap", psf, _write, PSFMap.read),
    Kind("PSFMap, gtpsf", gtpsf, _write_as(format="gtpsf"), _read_as(PSFMap, format="gtpsf"), loses=("geom", "unit", "exposure")),
    Kind("RecoPSFMap", reco_psf, _write, RecoPSFMap.read),
    Kind("EDispKernelMap", edisp_kernel_map, _write, EDispKernelMap.read),
    Kind("EDispMap", edisp_map, _write, EDispMap.read),
    Kind("EDispKernel, OGIP RMF", edisp_kernel, _write, EDispKernel.read),
    Kind("PSFKernel", psf_kernel, _write, PSFKernel.read),
    Kind("GTI", gti, _write, GTI.read),
    Kind("MapDataset", map_dataset, _write, MapDataset.read),
    Kind("SpectrumDataset", spectrum_dataset, _write, SpectrumDataset.read),
    Kind("MapDatasetOnOff", onoff_map, _write, MapDatasetOnOff.read),
    Kind("SpectrumDatasetOnOff", onoff, _write, SpectrumDatasetOnOff.read),
    Kind("Spectrum and responses, OGIP", onoff, _write_as(format="ogip"), SpectrumDatasetOnOff.read, loses=OGIP_LOSES, rtol=1e-9),
    Kind("EffectiveAreaTable2D", irf("aeff"), _write, EffectiveAreaTable2D.read),
    Kind("EnergyDispersion2D", irf("edisp"), _write, EnergyDispersion2D.read),
    Kind("PSF3D", irf("psf"), _write, PSF3D.read),
    Kind("Background3D", irf("bkg"), _write, Background3D.read),
    Kind("Background2D", background_2d, _write, Background2D.read),
    Kind("EnergyDependentMultiGaussPSF", multi_gauss, _write, EnergyDependentMultiGaussPSF.read),
    Kind("PSFKing", king, _write, PSFKing.read),
    Kind("RadMax2D", rad_max, _write, RadMax2D.read),
    Kind("Observation", observation, _write, lambda path: loaded(Observation.read(path))),
    Kind("FluxPoints", flux_points, _write, FluxPoints.read, (*FITS, ".ecsv"), loses=FLUX_LOSES),
    Kind("FluxPointsDataset", flux_points_dataset, _write, FluxPointsDataset.read, (*FITS, ".ecsv"), loses=FLUX_LOSES),
    Kind("FluxMaps and model", flux_maps, _write, FluxMaps.read, loses=FLUX_LOSES),
    Kind("Light curve of a model", light_curve, _write_to, LightCurveTemplateTemporalModel.read, loses=("filename",)),
    Kind("Phase curve of a model", phase_curve, _write, TemplatePhaseCurveTemporalModel.read, loses=("filename",)),
    Kind("Models and covariance", models, _write, Models.read, (".yaml",)),
    Kind("Datasets and models", datasets, _write_datasets, _read_datasets, (".yaml",), sets=(".datasets", ".models")),
]

#: Each kind with each suffix.
FILES = [(kind, suffix) for kind in KINDS for suffix in kind.suffixes]
NAMES = [f"{kind.name} {suffix}" for kind, suffix in FILES]
