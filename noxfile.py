"""One session for each check, each in an environment of its own."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import nox

nox.options.sessions = ["lint", "types", "layers", "test"]
nox.options.default_venv_backend = "venv"

ROOT = Path(__file__).parent


def lowest_versions() -> list[str]:
    """Core dependencies at the lowest version that ``pyproject.toml`` allows."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [re.sub(r">=\s*([\w.]+)", r"==\1.*", line) for line in project["dependencies"]]


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, format and spelling."""
    session.install("-e", ".[dev]")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("codespell", "src", "tests", "docs", "benchmarks", "README.md")


@nox.session
def types(session: nox.Session) -> None:
    """Check types."""
    session.install("-e", ".[dev]")
    session.run("mypy")


@nox.session
def layers(session: nox.Session) -> None:
    """Check that imports go down only."""
    session.install("-e", ".[dev]")
    session.run("lint-imports", "--config", "importlinter.ini")


@nox.session
def test(session: nox.Session) -> None:
    """Run the tests with the newest dependencies."""
    session.install("-e", ".[test]")
    session.run("pytest", "-n", "2", "-m", "not slow", *session.posargs)


@nox.session
def mintest(session: nox.Session) -> None:
    """Run the tests with the lowest dependencies; needs a Python for which they have wheels."""
    session.install("-e", ".[test]", *lowest_versions())
    session.run("pytest", "-n", "2", "-m", "not slow", *session.posargs)


@nox.session
def devtest(session: nox.Session) -> None:
    """Run the tests with pre-releases of the dependencies."""
    session.install("--pre", "--upgrade", "-e", ".[test]")
    session.run("pytest", "-n", "2", "-m", "not slow", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation with its examples; warnings are errors."""
    session.install("-e", ".[docs]")
    session.run("sphinx-build", "-W", "--keep-going", "-b", "html", "docs", "docs/_build/html")


@nox.session
def bench(session: nox.Session) -> None:
    """Compare times and answers with gammapy 2.1."""
    session.install("-e", ".[bench]")
    session.run("python", "benchmarks/run.py", *session.posargs)
