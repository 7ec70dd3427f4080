"""``geminga check``: what is installed and where the data are."""

from __future__ import annotations

import click

from geminga.cli.options import debug_option

__all__ = ["check"]


@click.command()
@debug_option
def check() -> None:
    """Print versions of Geminga and what it uses, and the environment variables."""
    from geminga.utils.check import check_tutorials_setup

    check_tutorials_setup()
