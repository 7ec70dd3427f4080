"""Files and numbers beside gammapy, run in an interpreter of its own.

Set ``GAMMAPY_PYTHON`` to a Python that has gammapy 2.1.
"""

from __future__ import annotations

import json
import os
import subprocess

import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.datasets import Datasets, MapDataset
from geminga.modeling.models import FoVBackgroundModel, SkyModel
from tests.helpers import data_path, requires_data
from tests.unit.datasets import builders

PYTHON = os.environ.get("GAMMAPY_PYTHON", "")

pytestmark = pytest.mark.skipif(not PYTHON, reason="needs $GAMMAPY_PYTHON, an interpreter with gammapy")


def run(script: str, *arguments: object) -> dict:
    """What a script prints as JSON in its last line."""
    command = [PYTHON, "-W", "ignore", "-c", script, *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return json.loads(result.stdout.strip().splitlines()[-1])


SUMS = """
import sys, json
import numpy as np
from gammapy.datasets import MapDataset, SpectrumDataset, Datasets

def sums(d):
    out = {n: float(np.nansum(getattr(d, n).data, dtype=float)) for n in ("counts", "background", "exposure", "mask_safe")}
    out["edisp"] = float(d.edisp.edisp_map.data.sum(dtype=float))
    out["psf"] = float(d.psf.psf_map.data.sum(dtype=float)) if d.psf else 0.0
    out["ontime"] = d.gti.time_sum.to_value("s")
    out["name"] = d.name
    return out
"""


def sums(dataset) -> dict:
    out = {n: float(np.sum(getattr(dataset, n).data, dtype=float)) for n in ("counts", "background", "exposure", "mask_safe")}
    out["edisp"] = float(dataset.edisp.edisp_map.data.sum(dtype=float))
    out["psf"] = float(dataset.psf.psf_map.data.sum(dtype=float)) if dataset.psf else 0.0
    out["ontime"] = dataset.gti.time_sum.to_value("s")
    return out


def assert_same(ours: dict, theirs: dict) -> None:
    for name, value in ours.items():
        assert_allclose(value, theirs[name], rtol=1e-6, err_msg=name)


@pytest.mark.parametrize("kind", ["MapDataset", "SpectrumDataset"])
def test_gammapy_reads_our_file(tmp_path, kind):
    dataset = builders.map_dataset(1, name="mine") if kind == "MapDataset" else builders.spectrum_dataset("mine")
    dataset.write(tmp_path / "dataset.fits")
    script = SUMS + f"print(json.dumps(sums({kind}.read(sys.argv[1], checksum=True))))"
    theirs = run(script, tmp_path / "dataset.fits")
    assert theirs["name"] == "mine"
    assert_same(sums(dataset), theirs)


def test_gammapy_reads_our_collection(tmp_path):
    datasets = Datasets([builders.map_dataset(1, name="one"), builders.spectrum_dataset("two")])
    datasets.models = [SkyModel.create("pl", "point", name="source"), FoVBackgroundModel(dataset_name="one")]
    datasets.write(tmp_path / "datasets.yaml", filename_models=tmp_path / "models.yaml")
    script = SUMS + (
        "d = Datasets.read(sys.argv[1], filename_models=sys.argv[2]);"
        "print(json.dumps({'names': d.names, 'models': d.models.names, 'first': sums(d[0])}))"
    )
    theirs = run(script, tmp_path / "datasets.yaml", tmp_path / "models.yaml")
    assert theirs["names"] == ["one", "two"]
    assert sorted(theirs["models"]) == ["one-bkg", "source"]
    assert_same(sums(datasets[0]), theirs["first"])


def test_we_read_gammapys_file(tmp_path):
    builders.map_dataset(1, name="mine").write(tmp_path / "ours.fits")
    script = SUMS + "d = MapDataset.read(sys.argv[1]); d.write(sys.argv[2]); print(json.dumps(sums(d)))"
    theirs = run(script, tmp_path / "ours.fits", tmp_path / "theirs.fits")
    assert_same(sums(MapDataset.read(tmp_path / "theirs.fits")), theirs)


STACK = """
one, two = (MapDataset.read(name) for name in sys.argv[1:3])
d = one.to_masked()
d.stack(two)
print(json.dumps({n: np.nan_to_num(getattr(d, n).data).astype(float).tolist() for n in ("counts", "background", "exposure")}
    | {"psf": d.psf.psf_map.data.tolist(), "edisp": d.edisp.edisp_map.data.tolist()}))
"""


def test_stacking(tmp_path):
    one, two = builders.map_dataset(1, name="one", safe=1), builders.map_dataset(2, name="two", safe=1)
    # The same threshold everywhere: pixels of the responses have their centres where those of the counts have their corners.
    two.mask_safe = two.counts.geom.energy_mask("2 TeV")
    for dataset in (one, two):
        dataset.write(tmp_path / f"{dataset.name}.fits")
    theirs = run(SUMS + STACK, tmp_path / "one.fits", tmp_path / "two.fits")
    total = one.to_masked()
    total.stack(two)
    for name in ("counts", "background", "exposure"):
        assert_allclose(getattr(total, name).data, theirs[name], rtol=1e-5, err_msg=name)
    assert_allclose(total.psf.psf_map.data, theirs["psf"], rtol=1e-4)
    assert_allclose(total.edisp.edisp_map.data, theirs["edisp"], rtol=1e-4, atol=1e-7)


TRANSFORM = """
d = MapDataset.read(sys.argv[1])
import astropy.units as u
from astropy.coordinates import SkyCoord
p = SkyCoord(0.3, -0.2, unit="deg", frame="galactic")
made = {"cutout": d.cutout(p, 1.5 * u.deg), "slice": d.slice_by_energy(0.3 * u.TeV, 4 * u.TeV), "pixels": d.downsample(4),
    "energy": d.downsample(5, axis_name="energy"), "image": d.to_image(), "pad": d.pad(2), "masked": d.to_masked()}
print(json.dumps({k: sums(v) for k, v in made.items()}))
"""


@requires_data("cta-1dc-gc/cta-1dc-gc.fits.gz")
def test_transformations():
    import astropy.units as u
    from astropy.coordinates import SkyCoord

    path = data_path("cta-1dc-gc/cta-1dc-gc.fits.gz")
    theirs = run(SUMS + TRANSFORM, path)
    dataset = MapDataset.read(path)
    position = SkyCoord(0.3, -0.2, unit="deg", frame="galactic")
    ours = {
        "cutout": dataset.cutout(position, 1.5 * u.deg),
        "slice": dataset.slice_by_energy(0.3 * u.TeV, 4 * u.TeV),
        "pixels": dataset.downsample(4),
        "energy": dataset.downsample(5, axis_name="energy"),
        "image": dataset.to_image(),
        "pad": dataset.pad(2),
        "masked": dataset.to_masked(),
    }
    for name, one in ours.items():
        assert_same(sums(one), theirs[name])
