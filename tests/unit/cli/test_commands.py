"""The commands as a user runs them."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from click.testing import CliRunner

from geminga.cli.main import main
from geminga.data import Observation
from geminga.datasets import MapDataset
from geminga.errors import FormatError


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Output of one run of the demo, and its folder."""
    folder = tmp_path_factory.mktemp("demo")
    return CliRunner().invoke(main, ["demo", "--out", str(folder), "--seed", "7"]), folder


def run(*arguments: object):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_demo_writes_all_it_says(demo) -> None:
    result, folder = demo
    assert result.exit_code == 0, result.output
    names = {"dl3", "dataset.fits.gz", "models-true.yaml", "models-fit.yaml", "residuals.png", "sed.png"}
    assert names <= {path.name for path in folder.iterdir()}
    for name in names:
        assert name in result.output
    for name in ("residuals.png", "sed.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")


def test_report_of_the_demo(demo, tmp_path) -> None:
    pytest.importorskip("plotly")
    result = run("report", demo[1], "--out", tmp_path / "page.html")
    assert result.exit_code == 0, result.output
    page = (tmp_path / "page.html").read_text()
    assert "nebula" in page
    assert "from 0</td>" in page  # the width has a lower bound alone
    assert "Store of observations" not in page  # none was opened, nor named


def test_demo_starts_from_events(demo) -> None:
    paths = sorted((demo[1] / "dl3").iterdir())
    assert [path.name for path in paths] == [f"obs_{number}.fits" for number in range(1, 5)]
    observations = [Observation.read(path) for path in paths]
    assert observations[0].available_irfs == ["aeff", "edisp", "psf", "bkg"]
    dataset = MapDataset.read(demo[1] / "dataset.fits.gz")
    inside = [np.count_nonzero(dataset.counts.geom.contains(run.events.map_coord(dataset.counts.geom))) for run in observations]
    # Corners of the field are more than 3 deg from a pointing.
    assert 0.99 * sum(inside) < dataset.counts.data.sum() <= sum(inside)
    assert dataset.gti.time_sum.to_value("s") == pytest.approx(3600)


def test_demo_prints_pulls(demo) -> None:
    lines = demo[0].output.splitlines()
    head = next(index for index, line in enumerate(lines) if line.startswith("parameter") and line.endswith("pull"))
    table = [line.split() for line in lines[head + 1 : head + 12]]
    assert [row[0] for row in table][:2] == ["star.index", "star.amplitude"]
    assert np.max(np.abs([float(row[-1]) for row in table])) < 4
    assert "Total counts" in demo[0].output


def test_demo_fits_data_of_the_user(demo, tmp_path) -> None:
    _, folder = demo
    result = run("demo", "--data", folder / "dataset.fits.gz", "--out", tmp_path, "--models", folder / "models-fit.yaml")
    assert result.exit_code == 0, result.output
    assert "truth" not in result.output
    assert (tmp_path / "sed.png").exists()
    assert not (tmp_path / "dataset.fits.gz").exists()


def test_demo_finds_a_source_in_data_of_the_user(demo, tmp_path) -> None:
    result = run("demo", "--data", demo[1] / "dataset.fits.gz", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert "source.lon_0" in result.output


def test_demo_refuses_models_without_data() -> None:
    result = run("demo", "--models", "models.yaml")
    assert result.exit_code == 2
    assert "--models needs --data" in result.output


def test_info_of_dataset(demo) -> None:
    result = run("info", demo[1] / "dataset.fits.gz")
    assert result.exit_code == 0, result.output
    assert "dataset.fits.gz: MapDataset" in result.output
    assert "Total background counts" in result.output


def test_info_of_models(demo) -> None:
    result = run("info", demo[1] / "models-fit.yaml")
    assert result.exit_code == 0, result.output
    assert "models-fit.yaml: Models" in result.output
    assert "nebula" in result.output


def test_info_of_map_and_gti(demo, tmp_path) -> None:
    dataset = MapDataset.read(demo[1] / "dataset.fits.gz")
    dataset.counts.write(tmp_path / "map.fits")
    dataset.gti.write(tmp_path / "gti.fits")
    for name, kind in (("map.fits", "Map"), ("gti.fits", "GTI")):
        result = run("info", tmp_path / name)
        assert result.exit_code == 0, result.output
        assert f"{name}: {kind}\n" in result.output


def test_info_of_responses(tmp_path) -> None:
    from geminga.irf import EDispKernel
    from geminga.maps import MapAxis, RegionNDMap

    true = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=3, name="energy_true")
    EDispKernel.from_diagonal_response(true, true.copy(name="energy")).write(tmp_path / "rmf.fits")
    RegionNDMap.create("icrs;circle(0, 0, 1)", axes=[true], unit="m2").write(tmp_path / "arf.fits", format="ogip-arf")
    for name, kind in (("rmf.fits", "EDispKernel (RMF)"), ("arf.fits", "Effective area (ARF)")):
        result = run("info", tmp_path / name)
        assert result.exit_code == 0, result.output
        assert f"{name}: {kind}\n" in result.output


def test_info_lists_any_other_fits_file(tmp_path) -> None:
    table = fits.BinTableHDU.from_columns([fits.Column("ENERGY", "D", array=np.ones(3))], name="SOMETHING")
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(tmp_path / "other.fits")
    result = run("info", tmp_path / "other.fits")
    assert result.exit_code == 0, result.output
    assert "SOMETHING" in result.output
    assert "3 rows: ENERGY" in result.output


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.fits", None, "does not exist"),
        ("text.fits", b"not a fits file", "is not a FITS file"),
        ("cut.fits.gz", gzip.compress(b"SIMPLE  =" + b" " * 9000, mtime=0)[:40], "truncated or corrupt gzip"),
        ("other.yaml", b"colour: red\n", "expected a list 'components' or 'datasets'"),
        ("config.yaml", b"datasets: {stack: true}\n", "expected a list 'components' or 'datasets'"),
        ("bad.yaml", b"a: [1,\n", "is not valid YAML"),
    ],
)
def test_errors_are_one_line(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    result = run("info", tmp_path / name)
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert result.output.count("\n") == 1
    assert message in result.output
    assert name in result.output


@pytest.mark.parametrize("arguments", [["--debug", "info"], ["info", "--debug"]])
def test_debug_shows_the_traceback(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "other.yaml").write_text("colour: red\n")
    result = run(*arguments, tmp_path / "other.yaml")
    assert isinstance(result.exception, FormatError)


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("demo", "--out", tmp_path / "file" / "below")
    assert result.exit_code == 1
    assert "cannot be made" in result.output


def test_check_prints_versions() -> None:
    result = run("check")
    assert result.exit_code == 0, result.output
    for text in ("System:", "Geminga package:", "numpy", "GAMMAPY_DATA"):
        assert text in result.output


def test_help_is_quick() -> None:
    code = "import sys, geminga.cli.main; print(sorted(m for m in ('matplotlib', 'scipy', 'regions') if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    result = run("--help")
    assert {"check", "demo", "info"} <= set(result.output.split())
