"""``geminga report``: one HTML page of an analysis."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from geminga.cli.options import debug_option
from geminga.errors import FileError

if TYPE_CHECKING:
    from geminga.analysis import Analysis

__all__ = ["report"]

#: Files of models in a folder, the first that exists is taken.
_MODELS = ("models.yaml", "models-fit.yaml")


def _from_folder(folder: Path, models: Path | None) -> Analysis:
    """Analysis of the datasets in a folder, with the models and the configuration there."""
    from geminga.analysis import Analysis, AnalysisConfig

    config_file, datasets_file = folder / "config.yaml", folder / "datasets.yaml"
    models_file = next((folder / name for name in _MODELS if (folder / name).exists()), None)
    config = AnalysisConfig.read(config_file) if config_file.exists() else AnalysisConfig()
    if not datasets_file.exists():
        kinds = "a folder written by 'geminga reduce' or 'geminga demo', or a configuration"
        msg = f"Folder {folder} has no datasets.yaml; give {kinds}."
        raise FileError(msg)
    config.general.datasets_file = datasets_file
    config.general.models_file = models or models_file
    analysis = Analysis(config)
    analysis.read_datasets()
    return analysis


def _from_config(path: Path, models: Path | None) -> Analysis:
    """Analysis of the observations of a configuration, with models of a file."""
    from geminga.analysis import Analysis, AnalysisConfig

    analysis = Analysis(AnalysisConfig.read(path))
    start = models or analysis.config.general.models_file
    analysis.get_observations()
    analysis.get_datasets()
    if start is not None:
        analysis.read_models(start)
    return analysis


@click.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), help="File; by default report.html in the folder, or beside the configuration."
)
@click.option("--models", type=click.Path(path_type=Path), help="YAML file of models.")
@click.option("--fit/--no-fit", default=None, help="Fit the models first; by default for a configuration, not for a folder.")
@click.option("--title", help="Title of the page; by default the name of the folder or file.")
@click.option("--overwrite", is_flag=True, help="Replace the file.")
@debug_option
def report(source: Path, out: Path | None, models: Path | None, fit: bool | None, title: str | None, overwrite: bool) -> None:
    """Write a report of SOURCE, a folder written by `geminga reduce` or `geminga demo` or a configuration, as one HTML page.

    A configuration is run from the observations on; its models are those of --models, or of general.models_file.
    """
    is_folder = source.is_dir()
    analysis = _from_folder(source, models) if is_folder else _from_config(source, models)
    wants_fit = not is_folder if fit is None else fit
    if wants_fit and analysis.datasets.models:
        analysis.run_fit()
    target = out or (source if is_folder else source.parent) / "report.html"
    name = title or (source.resolve().name if is_folder else source.stem)
    click.echo(f"Written: {analysis.report(target, overwrite=overwrite, title=name)}")
