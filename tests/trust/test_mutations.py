"""Whatever is changed in a dataset or its models, by assignment or in place: predictions are those of a fresh build."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import astropy.units as u
import numpy as np
import pytest

from geminga.data import GTI
from geminga.datasets import MapDataset, MapDatasetOnOff, SpectrumDataset, SpectrumDatasetOnOff
from geminga.irf import EDispKernelMap, PSFMap
from geminga.maps import Map
from geminga.modeling.models import (
    DiskSpatialModel,
    ExpCutoffPowerLawSpectralModel,
    FoVBackgroundModel,
    GaussianSpatialModel,
    LinearTemporalModel,
    Models,
    PointSpatialModel,
    PowerLawNormSpectralModel,
    PowerLawSpectralModel,
    SkyModel,
    TemplateSpatialModel,
    TemplateSpectralModel,
)
from tests.unit.datasets import builders

CENTER = {"lon_0": 83.6 * u.deg, "lat_0": 22.0 * u.deg, "frame": "icrs"}
AMPLITUDE = 1e-12 * u.Unit("cm-2 s-1 TeV-1")


def template() -> TemplateSpatialModel:
    own = Map.create(skydir=builders.CENTER, npix=(9, 9), binsz=0.2, unit="sr-1")
    own.data += np.random.default_rng(3).uniform(1, 2, own.data.shape)
    return TemplateSpatialModel(own, normalize=False)


def table() -> TemplateSpectralModel:
    return TemplateSpectralModel([0.3, 3, 30] * u.TeV, [1e-11, 2e-13, 1e-15] * u.Unit("cm-2 s-1 TeV-1"))


SPECTRA: list[Callable[[], Any]] = [
    lambda: PowerLawSpectralModel(index=2.2, amplitude=AMPLITUDE),
    lambda: ExpCutoffPowerLawSpectralModel(amplitude=AMPLITUDE, lambda_="0.1 TeV-1"),
    lambda: table() * PowerLawNormSpectralModel(),
    table,
]
SHAPES: list[Callable[[], Any]] = [
    lambda: PointSpatialModel(**CENTER),
    lambda: GaussianSpatialModel(sigma="0.3 deg", **CENTER),
    lambda: DiskSpatialModel(r_0="0.4 deg", e=0.5, **CENTER),
    template,
]


def models(dataset: Any, rng: Any) -> Models:
    own = [
        SkyModel(SPECTRA[rng.integers(4)](), SHAPES[rng.integers(4)](), name="one"),
        SkyModel(SPECTRA[rng.integers(4)](), SHAPES[rng.integers(4)](), name="two"),
    ]
    if dataset.tag == "MapDataset":
        own.append(FoVBackgroundModel(dataset_name=dataset.name))
    return Models(own)


def a_map(dataset: Any, rng: Any) -> Any:
    names = [name for name in ("counts", "background", "exposure", "counts_off", "acceptance_off") if name in dataset.part_names]
    return getattr(dataset, rng.choice([name for name in names if getattr(dataset, name) is not None]))


def some(dataset: Any, rng: Any) -> Any:
    return dataset.models[str(rng.choice(["one", "two"]))]


# Changes: (dataset, random numbers)


def map_element(dataset, rng):
    data = a_map(dataset, rng).data
    data[tuple(rng.integers(data.shape))] += 1


def map_scaled_in_place(dataset, rng):
    a_map(dataset, rng).data *= 1.1


def map_data_assigned(dataset, rng):
    own = a_map(dataset, rng)
    own.data = own.data * 1.2


def map_replaced(dataset, rng):
    dataset.counts = dataset.counts + 1


def kept_array(dataset, rng):
    """An array taken before a prediction is written to after it."""
    array = dataset.counts.data
    dataset.npred()
    array[0, 0, 0] += 2


def mask_bit(dataset, rng):
    data = dataset.mask_safe.data
    place = tuple(rng.integers(data.shape))
    data[place] = ~data[place]


def mask_fit_set(dataset, rng):
    own = Map.from_geom(dataset.counts.geom, data=rng.uniform(size=dataset.counts.data.shape) < 0.9)
    dataset.mask_fit = None if rng.integers(2) else own


def response_in_place(dataset, rng):
    dataset.edisp.edisp_map.data *= 0.98


def response_replaced(dataset, rng):
    axes = dataset.edisp.edisp_map.geom.axes
    dataset.edisp = EDispKernelMap.from_gauss(axes["energy"], axes["energy_true"], sigma=rng.uniform(0.05, 0.3), bias=0)


def psf_replaced(dataset, rng):
    if dataset.psf is not None:
        axis = dataset.exposure.geom.axes["energy_true"]
        dataset.psf = PSFMap.from_gauss(axis, sigma=rng.uniform(0.05, 0.3) * u.deg)


def gti_replaced(dataset, rng):
    dataset.gti = GTI.create([0] * u.s, [rng.uniform(100, 1e5)] * u.s)


def parameter_value(dataset, rng):
    free = [p for p in dataset.models.parameters if p.name in {"amplitude", "norm", "index", "sigma", "lon_0", "r_0"}]
    if free:
        own = rng.choice(free)
        own.value = own.value * (1 + 1e-3 * rng.normal()) if own.name == "lon_0" else own.value * rng.uniform(0.8, 1.25)


def parameter_frozen(dataset, rng):
    own = list(dataset.models.parameters)[rng.integers(len(dataset.models.parameters))]
    own.frozen = not own.frozen


def parameter_unit(dataset, rng):
    for own in dataset.models.parameters:
        if own.name == "amplitude":
            own.quantity = own.quantity.to("cm-2 s-1 GeV-1" if "TeV" in str(own.unit) else "cm-2 s-1 TeV-1")


def unit_alone(dataset, rng):
    for own in dataset.models.parameters:
        if own.name == "sigma":
            own.unit = "arcmin" if own.unit == u.deg else "deg"


def spectrum_replaced(dataset, rng):
    some(dataset, rng).spectral_model = SPECTRA[rng.integers(4)]()


def part_of_compound_replaced(dataset, rng):
    own = some(dataset, rng).spectral_model
    if hasattr(own, "model2"):
        own.model2 = PowerLawNormSpectralModel(norm=rng.uniform(0.5, 2), tilt=rng.uniform(-0.5, 0.5))


def table_in_place(dataset, rng):
    own = getattr(some(dataset, rng).spectral_model, "model1", some(dataset, rng).spectral_model)
    if hasattr(own, "values"):
        own.values[1] *= 1.3


def shape_replaced(dataset, rng):
    some(dataset, rng).spatial_model = SHAPES[rng.integers(4)]()


def template_in_place(dataset, rng):
    own = some(dataset, rng).spatial_model
    if hasattr(own, "map"):
        own.map.data[2:5, 3:6] *= 1.5


def time_model(dataset, rng):
    course = LinearTemporalModel(alpha=rng.uniform(0.5, 2), beta=0.1 / u.d, t_ref=51544 * u.d)
    some(dataset, rng).temporal_model = None if rng.integers(2) else course


def responses_switched(dataset, rng):
    own = some(dataset, rng).apply_irf
    own["psf"] = not own["psf"]


def responses_assigned(dataset, rng):
    some(dataset, rng).apply_irf = {"psf": True, "edisp": bool(rng.integers(2)), "exposure": True}


def linked(dataset, rng):
    one, two = (dataset.models[name].spectral_model for name in ("one", "two"))
    if "amplitude" in one.default_parameters.names and "amplitude" in two.default_parameters.names:
        two.amplitude = one.amplitude


def models_replaced(dataset, rng):
    dataset.models = models(dataset, rng)


def models_shortened(dataset, rng):
    dataset.models = [m for m in dataset.models if m.name != "two" or "two" not in dataset.models.names] + [
        SkyModel(SPECTRA[0](), SHAPES[0](), name="two")
    ]


def statistic(dataset, rng):
    if dataset.tag in {"MapDataset", "SpectrumDataset"}:
        dataset.stat_type = str(rng.choice(["cash", "cstat"]))


CHANGES = [value for value in list(vars().values()) if callable(value) and getattr(value, "__code__", None) is not None]
CHANGES = [
    own
    for own in CHANGES
    if own.__code__.co_varnames[:2] == ("dataset", "rng") and own.__name__ not in {"models", "a_map", "some"}
]


def onoff_with_psf() -> SpectrumDatasetOnOff:
    return builders.onoff_spectrum()


def spectrum_of_map() -> SpectrumDataset:
    from regions import CircleSkyRegion

    own = builders.map_dataset(name="spectrum", safe=2.0).to_spectrum_dataset(CircleSkyRegion(builders.CENTER, 0.4 * u.deg))
    own.mask_fit = None
    return own


MAKERS: dict[str, Callable[[], Any]] = {
    "MapDataset": lambda: builders.map_dataset(name="field"),
    "MapDatasetOnOff": builders.onoff_map,
    "SpectrumDataset": spectrum_of_map,
    "SpectrumDatasetOnOff": onoff_with_psf,
}


def fresh(dataset: Any) -> Any:
    """The same, of copies of all arrays and models."""
    cls: type[MapDataset | MapDatasetOnOff] = type(dataset)
    parts = {name: copy.deepcopy(getattr(dataset, name)) for name in dataset.part_names}
    own = cls(**parts, gti=copy.deepcopy(dataset.gti), name=dataset.name)
    own.stat_type = dataset.stat_type
    own.models = [copy.deepcopy(model) for model in dataset.models]
    for new, old in zip(own.models, dataset.models, strict=True):
        assert new is not old
        for part in new._members():
            if hasattr(part, "map"):
                part._map = Map.from_geom(part.map.geom, data=part.map.data.copy(), unit=part.map.unit)
    return own


def predictions(dataset: Any) -> list[Any]:
    return [dataset.npred().data, dataset.npred_signal(model_names=["one"]).data, np.float64(dataset.stat_sum())]


def run(kind: str, n_sequences: int, length: int) -> None:
    for seed in range(n_sequences):
        rng = np.random.default_rng(seed)
        dataset = MAKERS[kind]()
        dataset.models = models(dataset, rng)
        predictions(dataset)
        done = []
        for _ in range(length):
            change = CHANGES[rng.integers(len(CHANGES))]
            change(dataset, rng)
            done.append(change.__name__)
            if rng.integers(2):
                found = predictions(dataset)
        found = predictions(dataset)
        for one, other in zip(found, predictions(fresh(dataset)), strict=True):
            scale = np.abs(other).max()
            np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-9 * scale, err_msg=f"seed {seed}: {done}")


def test_there_are_many_changes():
    assert len(CHANGES) >= 25


@pytest.mark.parametrize("kind", list(MAKERS))
def test_short(kind):
    run(kind, 8, 4)


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(MAKERS))
def test_long(kind):
    run(kind, 2500, 6)
