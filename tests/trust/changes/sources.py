"""What models are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import astropy.units as u
import numpy as np

from geminga.maps import Map
from geminga.modeling import Parameter
from geminga.modeling.models import (
    DiskSpatialModel,
    ExpCutoffPowerLawSpectralModel,
    FoVBackgroundModel,
    GaussianSpatialModel,
    Models,
    PiecewiseNormSpectralModel,
    PointSpatialModel,
    PowerLawNormSpectralModel,
    PowerLawSpectralModel,
    SkyModel,
    SpectralModel,
    TemplateSpatialModel,
    TemplateSpectralModel,
)
from tests.unit.datasets import builders

CENTER = {"lon_0": 83.6 * u.deg, "lat_0": 22.0 * u.deg, "frame": "icrs"}
AMPLITUDE = 1e-12 * u.Unit("cm-2 s-1 TeV-1")


class OwnSpectralModel(SpectralModel):
    """A user's own power law."""

    tag = ["OwnSpectralModel", "own"]
    amplitude = Parameter("amplitude", 1e-12, unit="cm-2 s-1 TeV-1")
    index = Parameter("index", 2.0)

    @staticmethod
    def evaluate(energy, amplitude, index):
        return amplitude * (energy / (1 * u.TeV)).to_value("") ** (-index)


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
    OwnSpectralModel,
    lambda: PowerLawSpectralModel(amplitude=AMPLITUDE) * PiecewiseNormSpectralModel([1, 3, 10] * u.TeV),
]
SHAPES: list[Callable[[], Any]] = [
    lambda: PointSpatialModel(**CENTER),
    lambda: GaussianSpatialModel(sigma="0.3 deg", **CENTER),
    lambda: DiskSpatialModel(r_0="0.4 deg", e=0.5, **CENTER),
    template,
]


def one_of(options: list[Callable[[], Any]], rng: Any) -> Any:
    return options[rng.integers(len(options))]()


def source(name: str, rng: Any) -> SkyModel:
    return SkyModel(one_of(SPECTRA, rng), one_of(SHAPES, rng), name=name)


def models(dataset: Any, rng: Any) -> Models:
    """Two sources, and a model of the background where there is one."""
    own = [source("one", rng), source("two", rng)]
    if dataset.tag == "MapDataset":
        own.append(FoVBackgroundModel(dataset_name=dataset.name))
    return Models(own)


def some(dataset: Any, rng: Any) -> Any:
    """One of the sources."""
    return dataset.models[str(rng.choice(["one", "two"]))]
