"""The part of the tutorial on datasets that is about flux points."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.datasets import Datasets, FluxPointsDataset
from geminga.estimators import FluxPoints
from geminga.modeling.models import PowerLawSpectralModel, SkyModel
from tests.helpers import requires_data

FILE = "tests/spectrum/flux_points/diff_flux_points.fits"

pytestmark = requires_data(FILE)


@pytest.fixture
def fp_dataset():
    flux_points = FluxPoints.read(f"$GAMMAPY_DATA/{FILE}")
    model = SkyModel(spectral_model=PowerLawSpectralModel(index=2.3), name="source")
    yield FluxPointsDataset(data=flux_points, models=model, name="points")
    plt.close("all")


def test_read(caplog):
    points = FluxPoints.read(f"$GAMMAPY_DATA/{FILE}")
    assert points.sed_type_init == "dnde"
    assert "a power law of index 2 is assumed" in caplog.text


def test_single_model_and_plot(fp_dataset):
    assert fp_dataset.models.names == ["source"]
    ax = fp_dataset.plot_spectrum()
    assert ax.get_ylabel().startswith("e2dnde")
    assert len(ax.containers) == 1


def test_mask_safe(fp_dataset):
    mask = fp_dataset.mask_safe
    assert type(mask) is np.ndarray
    assert mask.dtype == bool
    assert mask.shape == (24, 1, 1)
    assert (mask.sum(), (~mask).sum()) == (19, 5)


def test_data(fp_dataset):
    assert str(fp_dataset.data) == (
        "FluxPoints\n"
        "----------\n"
        "\n"
        "  geom                   : RegionGeom\n"
        "  axes                   : ['lon', 'lat', 'energy']\n"
        "  shape                  : (1, 1, 24)\n"
        "  quantities             : ['norm', 'norm_err', 'norm_ul']\n"
        "  ref. model             : pl\n"
        "  n_sigma                : 1\n"
        "  n_sigma_ul             : 2.0\n"
        "  sqrt_ts_threshold_ul   : 2\n"
        "  sed type init          : dnde\n"
    )


def test_data_shape(fp_dataset):
    assert fp_dataset.data_shape() == (24,)


def test_print(fp_dataset):
    lines = [line.rstrip() for line in str(fp_dataset).splitlines()]
    for text in (
        "  Number of total flux points     : 24",
        "  Number of fit bins              : 19",
        "  Fit statistic type              : chi2",
        "  Fit statistic value (-2 log(L)) : 1007682.94",
        "  Number of models                : 1",
        "  Number of parameters            : 3",
        "  Number of free parameters       : 2",
        "  Component 0: SkyModel",
    ):
        assert text in lines
    assert_allclose(fp_dataset.stat_sum(), 1007682.9439124826, rtol=1e-9)


def test_in_a_collection(fp_dataset):
    datasets = Datasets([fp_dataset])
    assert datasets.names == ["points"]
    assert "  Type       : FluxPointsDataset" in str(datasets)
