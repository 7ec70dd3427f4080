"""``geminga reduce``: from a store of observations to datasets on disk, as a configuration says."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geminga.cli.options import debug_option
from geminga.errors import FileError, FileExistsRefusal

if TYPE_CHECKING:
    from geminga.analysis import Analysis, AnalysisConfig

__all__ = ["read_config", "reduce", "reduce_to_folder"]

_DATASETS, _MODELS, _CONFIG = "datasets.yaml", "models.yaml", "config.yaml"


@contextmanager
def _progress_bars() -> Iterator[None]:
    """Show progress bars, if somebody is there to see them."""
    from geminga.utils import pbar

    before = pbar.SHOW_PROGRESS_BAR
    pbar.SHOW_PROGRESS_BAR = sys.stderr.isatty()
    try:
        yield
    finally:
        pbar.SHOW_PROGRESS_BAR = before


def _prepare(folder: Path, overwrite: bool) -> None:
    """Make the folder; refuse one with results before anything is computed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"Folder {folder} cannot be made: {error}. Give another with --out."
        raise FileError(msg) from error
    there = [name for name in (_DATASETS, _MODELS, _CONFIG) if (folder / name).exists()]
    if there and not overwrite:
        msg = f"Folder {folder} holds {', '.join(there)}; give --overwrite to replace them, or another folder with --out."
        raise FileExistsRefusal(msg)


def read_config(path: Path, n_jobs: int | None = None) -> AnalysisConfig:
    """Configuration of a file, with the number of processes of the command line."""
    from geminga.analysis import AnalysisConfig

    config = AnalysisConfig.read(path)
    if n_jobs is not None:
        config.general.n_jobs = n_jobs
    return config


def reduce_to_folder(
    config: AnalysisConfig, folder: Path, models: Path | None = None, overwrite: bool = False
) -> tuple[Analysis, list[Path]]:
    """Reduce the observations of a configuration, and write datasets, models and the configuration.

    Parameters
    ----------
    config : AnalysisConfig
        Configuration; the files written are entered in it.
    folder : Path
        Folder of the files.
    models : Path, optional
        File with models to set on the datasets.
    overwrite : bool
        Replace files.

    Returns
    -------
    analysis, written : Analysis, list of Path
        The analysis, and the files.

    Raises
    ------
    FileExistsRefusal
        If the folder has results and `overwrite` is false; nothing is computed then.
    """
    from geminga.analysis import Analysis
    from geminga.modeling.models import Models

    _prepare(folder, overwrite)
    start = None if models is None else Models.read(models)
    analysis = Analysis(config)
    analysis.get_observations()
    with _progress_bars():
        analysis.get_datasets()
    if start is not None:
        analysis.set_models(start)
    has_models = bool(analysis.datasets.models)
    general: dict[str, Any] = {"outdir": str(folder), "datasets_file": folder / _DATASETS}
    general["models_file"] = folder / _MODELS if has_models else None
    analysis.update_config({"general": general})
    analysis.write_datasets(overwrite=overwrite)
    analysis.config.write(folder / _CONFIG, overwrite=overwrite)
    names = [_DATASETS, *([_MODELS] if has_models else []), _CONFIG]
    return analysis, [folder / name for name in names]


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the results; by default general.outdir of the file.")
@click.option("--models", type=click.Path(path_type=Path), help="YAML file of models to set on the datasets.")
@click.option("--n-jobs", type=click.IntRange(min=1), help="Number of processes; by default general.n_jobs of the file.")
@click.option("--overwrite", is_flag=True, help="Replace results in the folder.")
@debug_option
def reduce(config: Path, out: Path | None, models: Path | None, n_jobs: int | None, overwrite: bool) -> None:
    """Reduce observations (DL3) to datasets (DL4), as the YAML file CONFIG says.

    Writes datasets.yaml with a FITS file for each dataset, models.yaml if there are models, and config.yaml with what was used.
    """
    settings = read_config(config, n_jobs)
    folder = Path(settings.general.outdir) if out is None else out
    analysis, written = reduce_to_folder(settings, folder, models, overwrite)
    click.echo(f"Observations: {', '.join(analysis.observations.ids)}\n")
    for dataset in analysis.datasets:
        click.echo(_summary(dataset))
    click.echo("\nWritten: " + ", ".join(map(str, written)))


def _summary(dataset: Any) -> str:
    """Counts, background and livetime of a dataset in one line."""
    info = dataset.info_dict()
    livetime = info["livetime"].to_value("h")
    return (
        f"{dataset.name:12} {dataset.tag:22} counts {info['counts']:>9.0f}  background {info['background']:>11.2f}  "
        f"significance {info['sqrt_ts']:>7.2f}  livetime {livetime:>6.2f} h"
    )
