"""Reports: what they say, that they need nothing but themselves, and that a browser shows them."""

from __future__ import annotations

import logging
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from geminga.analysis import Analysis, AnalysisConfig
from geminga.analysis.report import content
from geminga.analysis.report.make import completed
from geminga.cli.main import main
from geminga.cli.simulate import simulate_field
from geminga.datasets import Datasets
from geminga.errors import FileExistsRefusal, MissingDependencyError, OrderError
from tests.unit.analysis.store import MODELS_1D, config_text, make_config

pytest.importorskip("jinja2")
pytest.importorskip("plotly")

CHROMIUM = next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None)


@pytest.fixture(autouse=True)
def _quiet(caplog):
    caplog.set_level(logging.ERROR)


@pytest.fixture(scope="module")
def field():
    """Analysis of a simulated field after a fit."""
    analysis = Analysis(AnalysisConfig(general={"log": {"level": "error"}}))
    analysis.datasets = Datasets([simulate_field(seed=42).downsample(2, name="field")])
    analysis.set_models([m.copy(name=m.name) for m in simulate_field(seed=42).models if "sky-model" in m.tag])
    analysis.run_fit()
    return analysis


@pytest.fixture(scope="module")
def page(field, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    assert field.report(path, title="A <simulated> field") == path
    return path


def test_page_has_all_parts(page, field) -> None:
    text = page.read_text()
    assert "<title>A &lt;simulated&gt; field</title>" in text
    for part in ("data", "models", "fit", "products", "provenance"):
        assert f'<h2 id="{part}">' in text
    for name in ("Spectrum of star", "Spectrum of nebula", "Maps of field", "field-bkg", "The fit converged after"):
        assert name in text
    own = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)  # plotly has pictures of its own
    assert own.count("data:image/png;base64,") == 5  # correlations, significance and its distribution, two spectra
    assert text.count('class="plotly-graph-div"') == 3
    assert f"{field.fit_result.total_stat:.2f}" in text
    assert field.flux_points is None  # the analysis stays as it is


def test_page_needs_no_network(page) -> None:
    text = page.read_text()
    own = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
    assert not re.findall(r"<link|<script[^>]*src=|<img[^>]*src=\"(?!data:)|url\(|@import", own)
    assert "Plotly.newPlot" in text
    assert "cdn.plot.ly" not in re.sub(r"<script>/\*\*.*?</script>", "", text, count=1, flags=re.DOTALL)


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian package chromium)")
def test_browser_shows_the_page_without_network(page, tmp_path) -> None:
    from matplotlib.image import imread

    options = [
        "--no-sandbox",
        "--headless",
        "--disable-gpu",
        "--virtual-time-budget=15000",
        f"--user-data-dir={tmp_path / 'user'}",
    ]
    options += ["--host-resolver-rules=MAP * ~NOTFOUND", "--window-size=1200,4000"]

    def run(*more: str) -> str:
        done = subprocess.run(
            [str(CHROMIUM), *options, *more, page.as_uri()], capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr[-500:]
        return done.stdout

    document = run("--dump-dom")
    assert document.count('class="main-svg"') >= 3  # the figures are drawn, not only described
    assert "slider-rail" in document
    picture = tmp_path / "shot.png"
    run(f"--screenshot={picture}")
    shot = imread(picture)
    assert shot.shape[:2] == (4000, 1200)
    dark = (shot[..., :3].min(axis=-1) < 0.9).mean(axis=1).reshape(40, 100).mean(axis=1)
    assert (dark[:25] > 0.001).mean() > 0.8  # from top to bottom something is drawn


def test_tables(field) -> None:
    (row,) = content.data_table(field.datasets).rows
    assert row[0] == "field"
    assert float(row[2]) == field.datasets[0].counts.data.sum()
    rows = content.models_table(field.models).rows
    assert len(rows) == len(list(field.models.parameters))
    index = next(r for r in rows if r[:2] == ("star", "index"))
    parameter = field.models["star"].spectral_model.index
    assert np.isclose(float(index[2]), parameter.value, atol=parameter.error)
    (statistic,) = content.statistics_table(field.datasets).rows
    assert np.isclose(float(statistic[2]), field.fit_result.total_stat, atol=0.01)
    names, matrix = content.correlations(field.models)
    assert len(names) == len(field.models.parameters.free_parameters)
    assert np.allclose(np.diag(matrix), 1)
    assert np.all(np.abs(matrix) <= 1 + 1e-9)


def test_diagnosis_names_what_is_wrong(field) -> None:
    models = field.models.copy()
    star = models["star"].spectral_model
    star.index.min = star.index.value
    said = content.diagnosis(models, None)
    assert said[0].startswith("No fit was run")
    assert "star.index is at its lower bound." in said
    assert any("nebula.index and nebula.amplitude are correlated, -0." in line for line in said)


def test_what_cannot_be_made_is_said(store, tmp_path) -> None:
    analysis = Analysis(make_config(store, stack="false"))
    with pytest.raises(OrderError, match="report needs datasets"):
        analysis.report(tmp_path / "report.html")
    analysis.get_observations()
    analysis.get_datasets()
    text = analysis.report(tmp_path / "bare.html").read_text()
    assert "There are no models of sources" in text
    assert "No models are set." in text
    assert "Observations</td><td>1, 2, 3" in text
    analysis.set_models(MODELS_1D)
    analysis.config.flux_points.energy = {"min": "1 TeV"}
    full, spectra, notes = completed(analysis)
    assert spectra == []
    assert any("The spectrum of 'crab' could not be made" in note and "nbins is not given" in note for note in notes)
    assert full.light_curve is not None


def test_existing_file(field, page) -> None:
    before = page.read_bytes()
    with pytest.raises(FileExistsRefusal, match=r"report.html exists"):
        field.report(page)
    assert page.read_bytes() == before


@pytest.mark.parametrize("package", ["jinja2", "plotly.graph_objects"])
def test_missing_package_names_the_extra(field, package: str, monkeypatch, tmp_path) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError, match=r"geminga\[report\]"):
        field.report(tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_command_on_folder_and_configuration(store, tmp_path) -> None:
    config, models = tmp_path / "my.yaml", tmp_path / "start.yaml"
    config.write_text(config_text(store, stack="false"))
    models.write_text(MODELS_1D)

    def run(*arguments: object):
        return CliRunner().invoke(main, [str(argument) for argument in arguments])

    assert run("reduce", config, "--out", tmp_path / "out", "--models", models).exit_code == 0
    result = run("report", tmp_path / "out")
    assert result.exit_code == 0, result.output
    text = (tmp_path / "out" / "report.html").read_text()
    assert "No fit was run for this report" in text
    assert "Light curve of crab" in text
    config.write_text(config_text(store))
    result = run("report", config, "--models", models, "--title", "From the start", "--out", tmp_path / "all.html")
    assert result.exit_code == 0, result.output
    text = (tmp_path / "all.html").read_text()
    assert "The fit converged" in text
    assert "<title>From the start</title>" in text
    result = run("report", store)
    assert result.exit_code == 1
    assert "has no datasets.yaml" in result.output
