"""``geminga demo``: from events to a fitted spectrum, on a simulated field; or from counts, on one's own data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geminga.cli.options import debug_option
from geminga.errors import FileError

if TYPE_CHECKING:
    from geminga.datasets import MapDataset
    from geminga.estimators import FluxPoints
    from geminga.modeling.models import Models

__all__ = ["demo"]

_RESIDUAL_RADIUS = "0.1 deg"


def _simulate(out: Path, seed: int, bar: Any) -> tuple[MapDataset, Models]:
    """Simulate runs, write their event lists, reduce them, write the dataset and read it back; dataset and true models."""
    from geminga.cli.runs import reduce_runs, simulate_runs
    from geminga.cli.simulate import true_models
    from geminga.datasets import MapDataset
    from geminga.modeling.models import Models
    from geminga.utils.files import write_files
    from geminga.utils.yaml import to_yaml

    bar.set_description("simulate")
    path, truth = out / "dataset.fits.gz", out / "models-true.yaml"
    true_models("demo").write(truth, overwrite=True)
    paths = simulate_runs(out / "dl3", seed=seed)
    bar.update()
    bar.set_description("reduce")
    reduce_runs(paths, name="demo").write(path, overwrite=True)
    entry = {"name": "demo", "type": "MapDataset", "filename": path.name}
    write_files({out / "datasets.yaml": to_yaml({"datasets": [entry]}).encode()}, overwrite=True)
    bar.update()
    return MapDataset.read(path, name="demo"), Models.read(truth)


def _load(data: Path, models: Path | None, bar: Any) -> tuple[MapDataset, Models]:
    """Read a dataset of the user; dataset and start models."""
    from geminga.cli.fitting import default_models
    from geminga.datasets import MapDataset
    from geminga.modeling.models import Models

    bar.set_description("read")
    dataset = MapDataset.read(data)
    bar.update()
    bar.set_description("start models")
    start = default_models(dataset) if models is None else Models.read(models)
    bar.update()
    return dataset, start


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"Folder {out} cannot be made: {error}. Give another with --out."
        raise FileError(msg) from error


def _source_names(models: Models) -> list[str]:
    """Sources with an amplitude to fit in bands."""
    spectral = {m.name: getattr(m, "spectral_model", None) for m in models if getattr(m, "spatial_model", None) is not None}
    return [name for name, model in spectral.items() if model is not None and "amplitude" in model.parameters.names]


def _make_flux_points(dataset: MapDataset, bar: Any) -> dict[str, FluxPoints]:
    from geminga.cli.fitting import flux_points

    bar.set_description("flux points")
    points = {name: flux_points(dataset, name) for name in _source_names(dataset.models)}
    bar.update()
    return points


def _write_products(dataset: MapDataset, points: dict[str, FluxPoints], out: Path, bar: Any) -> list[Path]:
    """Fitted models and figures; the paths written."""
    from astropy import units as u

    from geminga.cli.fitting import significance_map
    from geminga.cli.plot import plot_residuals, plot_seds
    from geminga.utils.files import write_files

    bar.set_description("figures")
    dataset.models.write(out / "models-fit.yaml", overwrite=True)
    figures: dict[str | Path, bytes] = {
        out / "residuals.png": plot_residuals(significance_map(dataset, u.Quantity(_RESIDUAL_RADIUS)), dataset.models)
    }
    if points:
        figures[out / "sed.png"] = plot_seds(dataset.models, points)
    write_files(figures, overwrite=True)
    bar.update()
    return [out / "models-fit.yaml", *map(Path, figures)]


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Fit this MapDataset file (DL4, FITS), no simulation.")
@click.option("--models", type=click.Path(path_type=Path), help="With --data: start from the models of this YAML file.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default="geminga-demo", show_default=True, help="Output folder."
)
@click.option("--seed", type=int, default=42, show_default=True, help="Seed of the simulated events.")
@debug_option
def demo(data: Path | None, models: Path | None, out: Path, seed: int) -> None:
    """Simulate a few runs, reduce and fit them, and draw the spectra and residuals.

    Without options the events of a point source, an extended source and background are simulated with a parametric response
    and written as DL3 files; these are read and reduced to a dataset (DL4), which is written, read back and fitted. The
    parameters are printed beside the truth. With --data your own dataset is fitted: a point source at its brightest spot,
    unless --models gives other models.
    """
    from tqdm import tqdm

    from geminga.cli.fitting import displaced_models, fit_models, parameter_table

    if models is not None and data is None:
        msg = "--models needs --data"
        raise click.UsageError(msg)
    _make_folder(out)
    with tqdm(total=5, disable=None, leave=False) as bar:
        if data is None:
            dataset, truth = _simulate(out, seed, bar)
            start = displaced_models(truth)
        else:
            dataset, start = _load(data, models, bar)
            truth = None
        bar.set_description("fit")
        result = fit_models(dataset, start)
        bar.update()
        points = _make_flux_points(dataset, bar)
        written = _write_products(dataset, points, out, bar)
    click.echo(str(dataset))
    click.echo(f"Fit: statistic {result.total_stat:.2f} after {result.nfev} evaluations\n")
    click.echo(parameter_table(dataset.models, truth))
    if data is None:
        written = [out / "dl3", out / "dataset.fits.gz", out / "datasets.yaml", out / "models-true.yaml", *written]
    click.echo("\nWritten: " + ", ".join(map(str, written)))
    if data is None:
        click.echo(f"Next: geminga report {out}")
