"""The same results with any number of threads, language, home and start of processes, and without a network or extras."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from tests.helpers import optional_packages

PROGRAM = f"""
import json, socket, sys, tempfile
from pathlib import Path

def refuse(*args, **kwargs):
    raise RuntimeError("no network")

socket.socket.connect = refuse
sys.modules |= dict.fromkeys({optional_packages()!r})  # an import of one of them fails
import astropy.units as u
from geminga.datasets import Datasets
from geminga.estimators import FluxPointsEstimator
from geminga.modeling import Fit
from tests.trust.cases.datasets import field
import matplotlib.pyplot as plt

own = Datasets([field()])
own.models["source"].spatial_model.freeze()
result = Fit().run(own)
points = FluxPointsEstimator([1, 3, 10] * u.TeV, source="source").run(own)
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "data.yaml"
    own.write(path, filename_models=Path(folder) / "models.yaml")
    again = Datasets.read(path, filename_models=Path(folder) / "models.yaml")
    stat = again.stat_sum()
    own[0].plot_residuals_spatial()
    plt.savefig(Path(folder) / "figure.png")
values = [*own.models.parameters.value, result.total_stat, stat, *points.norm.data.ravel()]
print(json.dumps([float(v) for v in values]))
"""

SURROUNDINGS = {
    "one thread": {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    "two threads": {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"},
    "plain language": {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "no home": {"HOME": "/proc/none", "XDG_CONFIG_HOME": "/proc/none", "XDG_CACHE_HOME": "/proc/none"},
}


def values_in(surroundings: dict[str, str]) -> list[float]:
    """Results of the program under some environment variables."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | surroundings
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def reference():
    return values_in({})


@pytest.mark.parametrize("name", list(SURROUNDINGS))
def test_same_results(name, reference):
    np.testing.assert_allclose(values_in(SURROUNDINGS[name]), reference, rtol=1e-9)


REDUCTION = """
import json, multiprocessing, sys

if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    from geminga.makers import DatasetsMaker, MapDatasetMaker
    from tests.unit.makers.builders import empty, observation

    several = [observation(i, seed=i) for i in (1, 2, 3)]
    made = DatasetsMaker([MapDatasetMaker()], n_jobs=2 if sys.argv[2] == "2" else 1).run(empty("sum"), several)
    dataset = made[0] if hasattr(made, "names") else made
    print(json.dumps([float(dataset.counts.data.sum()), float(dataset.background.data.sum()), float(dataset.exposure.data.sum())]))
"""


def test_processes_are_started_in_any_way(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(REDUCTION)
    found = []
    for method, jobs in (("fork", "1"), ("fork", "2"), ("spawn", "2")):
        command = [sys.executable, "-W", "ignore", str(program), method, jobs]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr[-2000:]
        found.append(json.loads(done.stdout.splitlines()[-1]))
    np.testing.assert_allclose(found[1], found[0], rtol=1e-6)
    np.testing.assert_allclose(found[2], found[0], rtol=1e-6)


def test_names_of_files_beyond_the_language():
    program = """
from geminga.errors import InputError
from geminga.maps import Map
try:
    Map.create(npix=2).write("d\\u00e4ta.fits")
except InputError as error:
    print(ascii(error))
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | SURROUNDINGS["plain language"]
    command = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    assert "use letters of ASCII" in done.stdout
