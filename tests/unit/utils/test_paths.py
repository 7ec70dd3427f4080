"""File names that stand in files do not lead out of their folder, unless the user or the owner of the folder says so."""

from __future__ import annotations

import pytest
from tests.trust.kinds import image

from geminga.datasets import Datasets, SpectrumDataset
from geminga.errors import FileError
from geminga.maps import MapAxis, RegionGeom
from geminga.modeling.models import ConstantSpectralModel, Models, SkyModel, TemplateSpatialModel
from geminga.utils.paths import inside


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """The folder of a file, one elsewhere with another file, and an empty working folder."""
    for name in ("own", "other", "work"):
        (tmp_path / name).mkdir()
    (tmp_path / "other" / "file").write_text("secret")
    (tmp_path / "own" / "file").write_text("own")
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.delenv("GAMMAPY_DATA", raising=False)
    return tmp_path


def test_beside(folders):
    assert inside("file", folders / "own") == folders / "own" / "file"


@pytest.mark.parametrize("name", ["../other/file", "{}/other/file", "./.././other/file", "link/../../other/file"])
def test_outside(folders, name):
    (folders / "own" / "link").symlink_to(folders / "own", target_is_directory=True)
    name = name.format(folders)
    if name.startswith("link"):
        name = "link/../other/file"
    with pytest.raises(FileError, match="allow_outside=True"):
        inside(name, folders / "own")
    assert inside(name, folders / "own", allow_outside=True).read_text() == "secret"


def test_link_of_the_owner(folders):
    """Data folders are often links to a larger disk."""
    (folders / "own" / "data").symlink_to(folders / "other", target_is_directory=True)
    assert inside("data/file", folders / "own").read_text() == "secret"


def test_folder_of_a_variable(folders, monkeypatch):
    monkeypatch.setenv("MY_DATA", str(folders / "other"))
    assert inside("$MY_DATA/file", folders / "own").read_text() == "secret"
    assert inside("${MY_DATA}/file", folders / "own").read_text() == "secret"
    monkeypatch.setenv("MY_DATA", str(folders / "own"))
    with pytest.raises(FileError, match="allow_outside=True"):
        inside("$MY_DATA/../other/file", folders / "own")


@pytest.mark.parametrize("variable", ["HERE", "GAMMAPY_DATA"])
def test_absolute_below_the_data(folders, monkeypatch, variable):
    monkeypatch.setenv(variable, str(folders / "other"))
    name = str(folders / "other" / "file")
    if variable == "GAMMAPY_DATA":
        assert inside(name, folders / "own").read_text() == "secret"
        return
    with pytest.raises(FileError, match="allow_outside=True"):
        inside(name, folders / "own")


def test_models(folders):
    template = folders / "other" / "template.fits"
    spatial = TemplateSpatialModel(image(0), filename=template, normalize=False)
    Models([SkyModel(ConstantSpectralModel(), spatial, name="one")]).write(folders / "own" / "models.yaml")
    with pytest.raises(FileError, match=r"models\.yaml.*allow_outside=True"):
        Models.read(folders / "own" / "models.yaml")
    assert Models.read(folders / "own" / "models.yaml", allow_outside=True).names == ["one"]


@pytest.mark.parametrize("lazy", [True, False])
def test_datasets(folders, lazy):
    geom = RegionGeom.create(None, axes=[MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2)])
    SpectrumDataset.create(geom, name="one").write(folders / "other" / "one.fits")
    path = folders / "own" / "datasets.yaml"
    path.write_text("datasets:\n- {name: one, type: SpectrumDataset, filename: ../other/one.fits}\n")
    with pytest.raises(FileError, match=r"datasets\.yaml.*allow_outside=True"):
        Datasets.read(path, lazy=lazy)
    assert Datasets.read(path, lazy=lazy, allow_outside=True).names == ["one"]
