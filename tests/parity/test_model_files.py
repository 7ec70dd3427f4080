"""Every model file among the data reads; what is written from it gammapy reads with the same values.

Set ``GAMMAPY_PYTHON`` to a Python that has gammapy 2.1 for the comparison.
"""

from __future__ import annotations

import os

import numpy as np
import pytest
from astropy import units as u
from numpy.testing import assert_allclose

from geminga.modeling.models import Models
from tests.helpers import data_path, requires_data
from tests.parity.test_datasets import PYTHON, run

FILES = {
    "fermi-3fhl-crab/Fermi-LAT-3FHL_models.yaml": ["Crab Nebula", "Fermi-LAT-bkg"],
    "datasets/simulations/simulated_map_dataset_model.yaml": ["-q0ZWV4X-bkg", "source"],
    "datasets/simulations/simulated_spectrum_dataset_PL_model.yaml": ["source"],
    "datasets/simulations/simulated_spectrum_dataset_ECPL_model.yaml": ["source"],
    "tests/models/gc_example_models.yaml": ["gc", "gll_iem_v06_cutout", "gc-bkg", "g09", "g09-bkg"],
    "estimators/crab_hess_fp/models.yaml": ["Crab"],
    "estimators/pks2155_hess_lc/models.yaml": ["pks2155"],
}
ENERGY = np.array([0.02, 0.15, 0.9, 3.0, 22.0])

VALUES = """
import sys, json
import numpy as np
from astropy import units as u
from gammapy.maps import WcsGeom
from gammapy.modeling.models import Models

energy = np.array([0.02, 0.15, 0.9, 3.0, 22.0]) * u.TeV
out = {}
for model in Models.read(sys.argv[1]):
    value = model.spectral_model(energy)
    own = {"dnde": u.Quantity(value).value.tolist(), "names": model.parameters.names}
    own["values"] = [float(p.value) for p in model.parameters]
    own["frozen"] = [bool(p.frozen) for p in model.parameters]
    if getattr(model, "spatial_model", None) is not None:
        center = model.spatial_model.position if model.spatial_model.tag[0] != "TemplateSpatialModel" else None
        if center is not None:
            geom = WcsGeom.create(skydir=center, npix=(9, 7), binsz=0.1)
            own["inside"] = float(np.nansum(model.spatial_model.integrate_geom(geom).quantity.to_value("")))
    out[model.name] = own
print(json.dumps(out))
"""


def our_values(models: Models) -> dict:
    """The same numbers from our models."""
    out = {}
    for model in models:
        own = {"dnde": u.Quantity(model.spectral_model(ENERGY * u.TeV)).value.tolist()}
        own["names"] = model.parameters.names
        own["values"] = [float(p.value) for p in model.parameters]
        own["frozen"] = [bool(p.frozen) for p in model.parameters]
        out[model.name] = own
    return out


def find_model_files() -> list[str]:
    """Model files below the data folder: YAML with a list ``components`` of models."""
    found = []
    for folder, _, names in os.walk(data_path()):
        for name in names:
            if name.endswith((".yaml", ".yml")):
                path = os.path.join(folder, name)  # noqa: PTH118 (many thousand files)
                with open(path, encoding="utf-8") as file:  # noqa: PTH123
                    text = file.read()
                if text.startswith("components:") and "Model" in text:
                    found.append(os.path.relpath(path, data_path()))
    return sorted(found)


@requires_data("fermi-3fhl-crab/Fermi-LAT-3FHL_models.yaml")
def test_the_list_is_complete():
    assert set(find_model_files()) <= set(FILES)


@requires_data("fermi-3fhl-crab/Fermi-LAT-3FHL_models.yaml")
@pytest.mark.parametrize("name", FILES)
def test_read_and_write(name, tmp_path):
    models = Models.read(data_path(name))
    assert models.names == FILES[name]
    models.write(tmp_path / "models.yaml", write_covariance=False)
    again = Models.read(tmp_path / "models.yaml")
    ours, theirs = our_values(models), our_values(again)
    assert ours == theirs


@pytest.mark.skipif(not PYTHON, reason="needs $GAMMAPY_PYTHON, an interpreter with gammapy")
@requires_data("fermi-3fhl-crab/Fermi-LAT-3FHL_models.yaml")
@pytest.mark.parametrize("name", FILES)
def test_gammapy_reads_what_we_write(name, tmp_path):
    models = Models.read(data_path(name))
    models.write(tmp_path / "models.yaml", write_covariance=False)
    original, written = run(VALUES, data_path(name)), run(VALUES, tmp_path / "models.yaml")
    ours = our_values(models)
    assert list(written) == list(ours)
    for own in ours:
        assert_allclose(written[own]["dnde"], original[own]["dnde"], rtol=1e-12)
        assert_allclose(ours[own]["dnde"], original[own]["dnde"], rtol=1e-6)
        if "inside" in original[own]:
            assert_allclose(written[own]["inside"], original[own]["inside"], rtol=1e-9)
        theirs = dict(zip(original[own]["names"], original[own]["values"], strict=True))
        mine = dict(zip(ours[own]["names"], ours[own]["values"], strict=True))
        assert theirs.items() <= mine.items()
