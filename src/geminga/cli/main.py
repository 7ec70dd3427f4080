"""The command ``geminga``: what stands in front of all its commands.

Commands import what they need when they run, so that ``geminga --help`` answers at once.
"""

from __future__ import annotations

from typing import Any

import click

import geminga
from geminga.cli.analysis import analysis
from geminga.cli.check import check
from geminga.cli.demo import demo
from geminga.cli.info import info
from geminga.cli.reduce import reduce
from geminga.cli.report import report
from geminga.errors import GemingaError

__all__ = ["main"]


class OneLineErrors(click.Group):
    """Show errors raised on purpose in one line with exit code 1, or whole with ``--debug``."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except GemingaError as error:
            if (ctx.obj or {}).get("debug"):
                raise
            message = " ".join(str(error).split())
            click.echo(f"Error: {message}", err=True)
            ctx.exit(1)


@click.group(cls=OneLineErrors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(geminga.__version__, "--version", prog_name="geminga")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def main(ctx: click.Context, debug: bool) -> None:
    """Gamma-ray astronomy from event lists to spectra, light curves and maps."""
    ctx.obj = {"debug": debug}


for _command in (analysis, check, demo, info, reduce, report):
    main.add_command(_command)
