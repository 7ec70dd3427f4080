"""Fits with priors and penalties beside gammapy, on the published H.E.S.S. spectra of the Crab nebula.

Set ``GAMMAPY_PYTHON`` to a Python that has gammapy 2.1.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

from tests.helpers import data_path, requires_data
from tests.parity.test_datasets import PYTHON, run

pytestmark = [
    pytest.mark.skipif(not PYTHON, reason="needs $GAMMAPY_PYTHON, an interpreter with gammapy"),
    requires_data("joint-crab/spectra/hess/pha_obs23523.fits"),
]

# The same source for both packages.
FIT = """
import sys, json, importlib
import numpy as np
package, folder, kind = sys.argv[1:]
load = lambda name: importlib.import_module(f"{package}.{name}")
datasets, models, stats, modeling = load("datasets"), load("modeling.models"), load("stats"), load("modeling")
read = datasets.SpectrumDatasetOnOff.read
all_data = datasets.Datasets([read(f"{folder}/pha_obs{i}.fits") for i in (23523, 23526, 23559, 23592)])
spectrum = models.LogParabolaSpectralModel(amplitude="3.8e-11 cm-2 s-1 TeV-1", reference="1 TeV", alpha=2.4, beta=0.1)
own = models.Models([models.SkyModel(spectrum, name="crab")])
priors = {
    "gauss": models.GaussianPrior(mu=2.2, sigma=0.1),
    "generalised": models.GeneralizedGaussianPrior(mu=2.2, sigma=0.1, eta=0.25),
    "uniform": models.UniformPrior(min=2, max=3),
    "log-uniform": models.LogUniformPrior(min=1, max=5),
}
if kind in priors:
    spectrum.alpha.prior = priors[kind]
elif kind == "shape":
    covariance = np.array([[0.01, -0.004], [-0.004, 0.0025]])
    penalty = stats.GaussianPriorPenalty([spectrum.alpha, spectrum.beta], mean=np.array([2.2, 0.3]), covariance=covariance)
    own.set_penalties([penalty])
all_data.models = own
result = modeling.Fit().run(all_data)
free = [spectrum.amplitude, spectrum.alpha, spectrum.beta]
values, errors = [float(p.value) for p in free], [float(p.error) for p in free]
print(json.dumps({"stat": float(result.total_stat), "values": values, "errors": errors, "success": bool(result.success)}))
"""


@pytest.mark.parametrize("kind", ["gauss", "generalised", "uniform", "log-uniform", "shape"])
def test_same_minimum(kind, capsys, monkeypatch):
    folder = data_path("joint-crab/spectra/hess")
    theirs = run(FIT, "gammapy", folder, kind)
    monkeypatch.setattr("sys.argv", ["-c", "geminga", str(folder), kind])
    exec(FIT, {})
    ours = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert ours["success"]
    assert theirs["success"]
    assert_allclose(ours["stat"], theirs["stat"], atol=1e-3)
    pull = np.abs(np.subtract(ours["values"], theirs["values"])) / theirs["errors"]
    assert pull.max() < 0.02
    assert_allclose(ours["errors"], theirs["errors"], rtol=0.03)
