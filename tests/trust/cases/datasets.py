"""Datasets: values, parts that do not fit, operations on them."""

from __future__ import annotations

from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from regions import CircleSkyRegion

from geminga.datasets import Datasets, MapDataset, SpectrumDatasetOnOff
from geminga.irf import EDispKernelMap, PSFMap
from geminga.maps import Map, MapAxis, WcsGeom
from geminga.modeling.models import FoVBackgroundModel, SkyModel
from tests.trust.cases import Scene, case, cases
from tests.unit.datasets import builders


def field() -> MapDataset:
    """Dataset with a source at its centre."""
    own = builders.map_dataset(name="field", safe=2.0)
    own.models = [SkyModel.create("pl", "gauss", name="source"), FoVBackgroundModel(dataset_name="field")]
    shape = own.models["source"].spatial_model
    shape.frame = "icrs"
    shape.lon_0.value, shape.lat_0.value, shape.sigma.value = 83.6, 22.0, 0.2
    return own


PLACE = (1, 2, 3)


def spoilt(name: str, value: float, action: Any) -> Any:
    """Case that puts a bad value into a map and acts on the dataset."""

    def function(scene: Scene) -> Any:
        own = field()
        part = getattr(own, name)
        part.data = part.data.astype(float)
        part.data[PLACE] = value
        return action(own)

    return function


VALUES = {"NaN": np.nan, "infinity": np.inf, "a negative value": -5.0}
for _name in ("counts", "background", "exposure"):
    for _word, _value in VALUES.items():
        cases({f"{_word} in the {_name}, when the statistic is asked for": spoilt(_name, _value, lambda d: d.stat_sum())})
cases(
    {
        "NaN in the exposure, when counts are predicted": spoilt("exposure", np.nan, lambda d: d.npred().data.sum()),
        "NaN in the background, when counts are predicted": spoilt("background", np.nan, lambda d: d.npred().data.sum()),
        "NaN in the background, when counts are simulated": spoilt("background", np.nan, lambda d: d.fake(0)),
    }
)


def response(change: Any) -> Any:
    """Case that predicts with a changed response."""

    def function(scene: Scene) -> Any:
        own = field()
        change(own)
        return own.npred()

    return function


def _nan_psf(own: Any) -> None:
    own.psf.psf_map.data[1, 1, 0, 0] = np.nan


def _large_edisp(own: Any) -> None:
    own.edisp.edisp_map.data *= 2


def _other_edisp(own: Any) -> None:
    true = MapAxis.from_energy_bounds("1 TeV", "2 TeV", nbin=5, name="energy_true")
    own.edisp = EDispKernelMap.from_diagonal_response(builders.energy_axis(), true)


def _other_psf(own: Any) -> None:
    own.psf = PSFMap.from_gauss(MapAxis.from_energy_bounds("1 TeV", "2 TeV", nbin=2, name="energy_true"))


def _no_exposure(own: Any) -> None:
    own.exposure = None


def _other_counts(own: Any) -> None:
    own.counts = Map.create(npix=(3, 3), axes=[builders.energy_axis()])


cases(
    {
        "PSF with NaN": response(_nan_psf),
        "energy dispersion whose rows sum up to 2": response(_large_edisp),
        "energy dispersion in other bins of true energy than the exposure": response(_other_edisp),
        "PSF for fewer energies than the exposure": response(_other_psf),
        "source without exposure": response(_no_exposure),
        "counts replaced by others on other pixels": response(_other_counts),
        "mask of numbers instead of truth values": lambda scene: setattr(
            field(), "mask_fit", Map.from_geom(builders.geom(), data=1.0)
        ),
        "mask of another shape": lambda scene: setattr(
            field(), "mask_fit", Map.create(npix=3, axes=[builders.energy_axis()], dtype=bool)
        ),
        "mask that is an array": lambda scene: setattr(field(), "mask_fit", np.ones((4, 6, 8), bool)),
        "background on other pixels": lambda scene: setattr(
            field(), "background", Map.create(npix=3, axes=[builders.energy_axis()])
        ),
        "exposure in reconstructed energy": lambda scene: setattr(field(), "exposure", field().counts),
        "PSF that is a map": lambda scene: setattr(field(), "psf", field().counts),
        "exposure in TeV": lambda scene: _exposure_unit().npred(),
        "several parts that do not fit at once": lambda scene: MapDataset(
            counts=field().counts,
            background=Map.create(npix=3, axes=[builders.energy_axis()]),
            mask_safe=Map.from_geom(builders.geom(), data=1.0),
        ),
        "unknown statistic": lambda scene: setattr(field(), "stat_type", "chi3"),
        "statistic of another kind of dataset": lambda scene: setattr(field(), "stat_type", "wstat"),
        "two background models": lambda scene: setattr(
            field(), "models", [FoVBackgroundModel(dataset_name="field", name=n) for n in "ab"]
        ),
        "models that are a number": lambda scene: setattr(field(), "models", 5),
        "model without shape on a map": lambda scene: _with(SkyModel.create("pl", name="flat")).npred(),
        "prediction of an unknown model": lambda scene: field().npred_signal(model_names=["sorce"]),
        "models assigned to a dataset that is not there": lambda scene: setattr(
            Datasets([field()]), "models", [SkyModel.create("pl", "point", name="a", datasets_names=["feld"])]
        ),
        "two datasets of one name": lambda scene: Datasets([field(), field()]),
        "list of datasets with a number": lambda scene: Datasets([field(), 5]),
        "unknown dataset of a list": lambda scene: Datasets([field()])["feld"],
        "slice of energies outside of the data": lambda scene: field().slice_by_energy("100 TeV", "200 TeV"),
        "slice of energies which are swapped": lambda scene: field().slice_by_energy("5 TeV", "2 TeV"),
        "cut-out that does not overlap": lambda scene: field().cutout(SkyCoord(200, -50, unit="deg"), "1 deg"),
        "spectrum of a region outside of the map": lambda scene: field().to_spectrum_dataset(
            CircleSkyRegion(SkyCoord(200, -50, unit="deg"), 1 * u.deg)
        ),
        "stacking on other energies": lambda scene: field().stack(_other_energies()),
        "stacking on pixels that are not aligned": lambda scene: field().stack(_shifted()),
        "resampling to edges between the bins": lambda scene: field().resample_energy_axis(
            MapAxis.from_energy_bounds("1.1 TeV", "7 TeV", nbin=2)
        ),
        "simulation with text for a seed": lambda scene: field().fake("seed"),
        "on/off spectrum without off counts, when the statistic is asked for": lambda scene: _without_off().stat_sum(),
        "on/off spectrum with off counts but without off acceptance": lambda scene: _no_acceptance().stat_sum(),
        "background model on an on/off spectrum": lambda scene: setattr(
            builders.onoff_spectrum(), "models", [FoVBackgroundModel(dataset_name="onoff")]
        ),
        "dataset without counts, background and masks": lambda scene: MapDataset(name="empty").data_shape,
        "residuals by an unknown method": lambda scene: field().residuals(method="ratio"),
    }
)


def _exposure_unit() -> MapDataset:
    own = field()
    own.exposure = Map.from_geom(own.exposure.geom, data=own.exposure.data, unit="TeV")
    return own


def _with(model: SkyModel) -> MapDataset:
    own = field()
    own.models = [model]
    return own


def _other_energies() -> MapDataset:
    axis = MapAxis.from_energy_bounds("1.3 TeV", "9 TeV", nbin=4)
    return _filled(WcsGeom.create(skydir=builders.CENTER, npix=(8, 6), binsz=0.25, axes=[axis]))


def _filled(geom: WcsGeom) -> MapDataset:
    own = MapDataset.create(geom, energy_axis_true=builders.energy_axis_true())
    own.counts.data += 1
    own.mask_safe.data[...] = True
    return own


def _shifted() -> MapDataset:
    place = SkyCoord(83.7, 22.07, unit="deg")
    return _filled(WcsGeom.create(skydir=place, npix=(8, 6), binsz=0.23, axes=[builders.energy_axis()]))


def _without_off() -> SpectrumDatasetOnOff:
    own = builders.onoff_spectrum()
    own.counts_off = None
    return own


def _no_acceptance() -> SpectrumDatasetOnOff:
    own = builders.onoff_spectrum()
    own.counts_off.data[:] = 3
    own.acceptance_off.data[:] = 0
    return own


@case("NaN, infinity and negative values in bins that the mask leaves out")
def masked(scene: Scene) -> Any:
    own = field()
    own.mask_fit = Map.from_geom(own.counts.geom, data=np.ones(own.counts.data.shape, bool))
    own.mask_fit.data[PLACE] = False
    before = own.stat_sum()
    for part, value in (("counts", -3.0), ("background", np.nan)):
        data = getattr(own, part).data.astype(float)
        data[PLACE] = value
        getattr(own, part).data = data
    assert own.stat_sum() == before
    return "the statistic is bitwise the same"


@case("counts that are not whole numbers")
def fractions(scene: Scene) -> Any:
    own = field()
    own.counts = own.npred()
    assert np.isfinite(own.stat_sum())
    return "Asimov data are as good as others"


def stacked(name: str) -> Any:
    """Case that adds a dataset with a NaN to another."""

    def function(scene: Scene) -> None:
        one, other = (builders.map_dataset(seed, name=text, safe=2.0) for seed, text in enumerate("ab"))
        getattr(other, name).data[0, 0, 0] = np.nan
        one.stack(other)

    return function


def predicted(**values: float) -> Any:
    """Case that predicts with values of parameters."""

    def function(scene: Scene) -> Any:
        own = field()
        for name, value in values.items():
            own.models["source"].parameters[name].value = value
        return own.npred().data.sum()

    return function


@case("off counts without off acceptance in some bins, when the statistic is asked for")
def no_acceptance_off(scene: Scene) -> Any:
    own = builders.onoff_spectrum()
    own.models = [SkyModel.create("pl", name="source")]
    own.counts_off.data[:] = 3
    own.acceptance_off.data[0] = 0
    return own.stat_sum()


@case("statistic with a spectral index of -500")
def overflow(scene: Scene) -> Any:
    own = field()
    own.models["source"].spectral_model.index.value = -500
    return own.stat_sum()


cases(
    {
        "NaN in the background of a dataset that is stacked": stacked("background"),
        "NaN in the exposure of a dataset that is stacked": stacked("exposure"),
        "prediction with a spectral index of -500": predicted(index=-500),
        "simulation with a negative seed": lambda scene: field().fake(-3),
        "map and spectrum stacked": lambda scene: Datasets(
            [builders.map_dataset(name="a"), builders.spectrum_dataset()]
        ).stack_reduce(),
    }
)
