"""``geminga analysis``: the commands of gammapy's high-level interface."""

from __future__ import annotations

from pathlib import Path

import click

from geminga.cli.options import debug_option

__all__ = ["analysis"]


@click.group()
def analysis() -> None:
    """Make and run configurations of analyses."""


@analysis.command("config")
@click.option("--filename", type=click.Path(path_type=Path), default="config.yaml", show_default=True, help="File to write.")
@click.option("--template", type=click.Choice(["basic", "1d", "3d"]), default="basic", show_default=True, help="Example.")
@click.option("--overwrite", is_flag=True, help="Replace the file.")
@debug_option
def write_config(filename: Path, template: str, overwrite: bool) -> None:
    """Write a configuration with all its keys, to start from."""
    from geminga.analysis import AnalysisConfig

    AnalysisConfig.from_template(template).write(filename, overwrite=overwrite)
    click.echo(f"Written: {filename}")


@analysis.command("run")
@click.option("--filename", type=click.Path(path_type=Path), default="config.yaml", show_default=True, help="Configuration.")
@click.option("--out", type=click.Path(path_type=Path), default="datasets", show_default=True, help="Folder of the results.")
@click.option("--overwrite", is_flag=True, help="Replace results in the folder.")
@debug_option
def run(filename: Path, out: Path, overwrite: bool) -> None:
    """Reduce observations to datasets; the same as `geminga reduce`."""
    from geminga.cli.reduce import read_config, reduce_to_folder

    _, written = reduce_to_folder(read_config(filename), out, overwrite=overwrite)
    click.echo("Written: " + ", ".join(map(str, written)))
