"""The three optimisers on real data: the Galactic Centre field."""

from __future__ import annotations

import numpy as np
import pytest

from geminga.datasets import MapDataset
from geminga.modeling import Fit
from geminga.modeling.models import (
    FoVBackgroundModel,
    GaussianSpatialModel,
    PointSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
)
from tests.helpers import requires_data

FILE = "cta-1dc-gc/cta-1dc-gc.fits.gz"

pytestmark = requires_data(FILE)


@pytest.fixture(scope="module")
def field():
    return MapDataset.read(f"$GAMMAPY_DATA/{FILE}", name="gc-field")


def fitted(field, kind, backend):
    spectral = PowerLawSpectralModel(index=2.3, amplitude="3e-12 cm-2 s-1 TeV-1")
    place = {"lon_0": "0 deg", "lat_0": "0 deg", "frame": "galactic"}
    spatial = PointSpatialModel(**place) if kind == "point" else GaussianSpatialModel(sigma="0.3 deg", **place)
    field.models = [SkyModel(spectral, spatial, name="gc"), FoVBackgroundModel(dataset_name=field.name)]
    result = Fit(backend=backend).run([field])
    assert result.success, result.message
    parameters = field.models.parameters.free_parameters
    return parameters.value, np.array([p.error for p in parameters]), result.total_stat


@pytest.mark.parametrize("kind", ["point", "gauss"])
def test_backends_agree(field, kind):
    value, error, stat = fitted(field, kind, "newton")
    for backend in ("minuit", "scipy"):
        other, _, other_stat = fitted(field, kind, backend)
        np.testing.assert_array_less(np.abs(other - value), 1e-3 * error + 1e-300)
        assert other_stat == pytest.approx(stat, abs=1e-4)


def test_gauss_is_at_least_as_good_as_known(field):
    """A fresh dataset of gammapy 2.1 gives 420114.9 at its own result."""
    assert fitted(field, "gauss", "newton")[2] < 420108.5
