"""``geminga reduce`` and ``geminga analysis`` as a user runs them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from geminga.analysis import Analysis, AnalysisConfig
from geminga.cli.main import main
from geminga.datasets import Datasets
from tests.helpers import requires_data
from tests.unit.analysis.store import MODELS_1D, config_text, write_store


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return write_store(tmp_path_factory.mktemp("store"))


def run(*arguments: object):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def written(folder: Path, text: str) -> Path:
    path = folder / "my.yaml"
    path.write_text(text)
    return path


def test_spectrum_with_models(store, tmp_path) -> None:
    (tmp_path / "start.yaml").write_text(MODELS_1D)
    out = tmp_path / "new" / "out"
    result = run("reduce", written(tmp_path, config_text(store)), "--out", out, "--models", tmp_path / "start.yaml")
    assert result.exit_code == 0, result.output
    assert "Observations: 1, 2, 3" in result.output
    assert "stacked      SpectrumDatasetOnOff" in result.output
    for name in ("datasets.yaml", "models.yaml", "config.yaml"):
        assert name in result.output
        assert (out / name).exists()
    analysis = Analysis(AnalysisConfig.read(out / "config.yaml"))
    analysis.read_datasets()
    analysis.run_fit()
    assert analysis.fit_result.success
    assert f"counts {analysis.datasets[0].info_dict()['counts']:>9.0f}" in result.output


def test_maps_with_processes(store, tmp_path) -> None:
    path = written(tmp_path, config_text(store, "3d", stack="false"))
    result = run("reduce", path, "--out", tmp_path / "two", "--n-jobs", 2)
    assert result.exit_code == 0, result.output
    assert AnalysisConfig.read(tmp_path / "two" / "config.yaml").general.n_jobs == 2
    assert run("reduce", path, "--out", tmp_path / "one").exit_code == 0
    one, two = (Datasets.read(tmp_path / n / "datasets.yaml", tmp_path / n / "models.yaml") for n in ("one", "two"))
    assert one.names == two.names == ["1", "2", "3"]
    assert one.models.names == ["1-bkg", "2-bkg", "3-bkg"]
    assert np.isclose(one.stat_sum(), two.stat_sum())


def test_results_are_not_replaced_unasked(store, tmp_path) -> None:
    path = written(tmp_path, config_text(store).replace("level: warning}", f"level: warning}}, outdir: {tmp_path / 'out'}"))
    assert run("reduce", path).exit_code == 0
    before = {one.name: one.read_bytes() for one in (tmp_path / "out").iterdir()}
    result = run("reduce", path)
    assert result.exit_code == 1
    assert "holds datasets.yaml, config.yaml; give --overwrite" in result.output
    assert before == {one.name: one.read_bytes() for one in (tmp_path / "out").iterdir()}
    assert run("reduce", path, "--overwrite").exit_code == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("datasets: {typ: 1d}", "datasets.typ is unknown"),
        ("observations: {datastore: $GEMINGA_NOWHERE/x}", "GEMINGA_NOWHERE, which is not set"),
        ("observations: {datastore: /nowhere}", "/nowhere"),
        ("a: [", "not valid YAML"),
    ],
)
def test_errors_are_one_line(text: str, message: str, tmp_path) -> None:
    result = run("reduce", written(tmp_path, text), "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert message in result.output
    assert result.output.count("\n") == 1


def test_folder_that_cannot_be_made(store, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    result = run("reduce", written(tmp_path, config_text(store)), "--out", tmp_path / "file" / "out")
    assert result.exit_code == 1
    assert "cannot be made" in result.output


def test_commands_of_gammapy(store, tmp_path) -> None:
    result = run("analysis", "config", "--filename", tmp_path / "c.yaml", "--template", "1d")
    assert result.exit_code == 0, result.output
    assert AnalysisConfig.read(tmp_path / "c.yaml").flux_points.source == "crab"
    assert run("analysis", "config", "--filename", tmp_path / "c.yaml").exit_code == 1
    assert run("analysis", "config", "--filename", tmp_path / "c.yaml", "--overwrite").exit_code == 0
    path = written(tmp_path, config_text(store))
    result = run("analysis", "run", "--filename", path, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert Datasets.read(tmp_path / "out" / "datasets.yaml").names == ["stacked"]


@requires_data("hess-dl3-dr1")
def test_template_on_real_data(tmp_path) -> None:
    assert run("analysis", "config", "--filename", tmp_path / "c.yaml", "--template", "1d").exit_code == 0
    result = run("reduce", tmp_path / "c.yaml", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "Observations: 23523, 23526, 23559, 23592" in result.output
    datasets = Datasets.read(tmp_path / "out" / "datasets.yaml")
    assert [int(d.counts.data.sum()) for d in datasets] == [188, 180, 154, 143]
    assert [int(d.counts_off.data.sum()) for d in datasets] == [217, 204, 468, 557]  # as in gammapy 2.1
