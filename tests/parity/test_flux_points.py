"""Flux points of the Crab nebula against gammapy 2.1 on the same files (values printed by it for this script)."""

import astropy.units as u
import numpy as np
import pytest

from geminga.datasets import Datasets, SpectrumDatasetOnOff
from geminga.estimators import FluxPointsEstimator
from geminga.modeling import Fit
from geminga.modeling.models import PowerLawSpectralModel, SkyModel
from tests.helpers import data_path, requires_data

pytestmark = requires_data("joint-crab/spectra/hess")

NORM = [9.77805e-01, 8.82535e-01, 1.10857e00, 1.24155e00, 8.67609e-01, 1.08041e00, 1.15749e00, 9.57684e-01, 4.66974e-01]
ERROR = [9.76675e-02, 9.25710e-02, 1.12131e-01, 1.70637e-01, 1.81567e-01, 2.49175e-01, 2.98414e-01, 4.36409e-01, 4.17266e-01]
UPPER = [0.10078, 0.09564, 0.11571, 0.17808, 0.19304, 0.26753, 0.32296, 0.49811, 0.52785]
LOWER = [0.09469, 0.08955, 0.10861, 0.16336, 0.17047, 0.2315, 0.27487, 0.3801, 0.40277]
LIMIT = [1.18606, 1.08007, 1.34725, 1.61291, 1.27735, 1.65341, 1.85429, 2.08455, 1.75561]
STAT = [17.16817, 11.42767, 11.21493, 22.84473, 16.84231, 18.15278, 17.95033, 12.91498, 6.79213]


@pytest.fixture(scope="module")
def points():
    folder = data_path("joint-crab/spectra/hess")
    datasets = Datasets([SpectrumDatasetOnOff.read(folder / f"pha_obs{i}.fits") for i in (23523, 23526, 23559, 23592)])
    spectrum = PowerLawSpectralModel(index=2.6, amplitude="4e-11 cm-2 s-1 TeV-1", reference="1 TeV")
    datasets.models = [SkyModel(spectrum, name="crab")]
    Fit().run(datasets)
    edges = np.geomspace(0.7, 30, 11) * u.TeV
    return FluxPointsEstimator(edges, source="crab", selection_optional="all").run(datasets)


def test_norms_errors_and_limits(points):
    error = np.array(ERROR)
    for name, expected in {"norm": NORM, "norm_err": ERROR, "norm_errp": UPPER, "norm_errn": LOWER, "norm_ul": LIMIT}.items():
        np.testing.assert_allclose(points[name].data.ravel()[:9] / error, np.array(expected) / error, atol=0.02, err_msg=name)
    np.testing.assert_allclose(points.stat.data.ravel()[:9], STAT, rtol=1e-4)


def test_band_without_counts(points):
    # gammapy gives a norm of 5e-7 here and the limit 0.8345.
    assert points.norm.data.ravel()[9] == pytest.approx(0, abs=1e-4)
    assert points.norm_ul.data.ravel()[9] == pytest.approx(0.8345, abs=2e-3)


def test_reference_values():
    """Entry ``estimators.fluxpoints.hess`` of the reference values: bands 1, 3, 10, 30 TeV, rounded to the bins of the data."""
    folder = data_path("joint-crab/spectra/hess")
    datasets = Datasets([SpectrumDatasetOnOff.read(folder / f"pha_obs{i}.fits") for i in (23523, 23526, 23559, 23592)])
    datasets.models = [SkyModel(PowerLawSpectralModel(index=2.6, amplitude="4e-11 cm-2 s-1 TeV-1"), name="crab")]
    Fit().run(datasets)
    points = FluxPointsEstimator([1, 3, 10, 30] * u.TeV, selection_optional=["ul"]).run(datasets)
    expected = {
        "dnde": [9.991457303959296e-12, 4.3170104688353537e-13, 1.136490364801133e-14],
        "dnde_err": [6.436410193281092e-13, 5.725346121139855e-14, 4.8297692211699775e-15],
        "dnde_ul": [1.1331450358028067e-11, 5.557327587537936e-13, 2.3421249740240194e-14],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(points[name].quantity.ravel().to_value("cm-2 s-1 TeV-1"), values, rtol=5e-3)
    np.testing.assert_allclose(
        points.sqrt_ts.data.ravel(), [29.88190424257153, 13.701008064640805, 3.4031846265902708], rtol=5e-3
    )
    energies = points.energy_axis.edges.to_value("keV")
    np.testing.assert_allclose(energies, [1e9, 3162277660.1683846, 1e10, 31622776601.683765], rtol=5e-3)
