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


SURROUNDINGS = {
    "language": {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "home": {"HOME": "/proc/none", "XDG_CONFIG_HOME": "/proc/none", "XDG_CACHE_HOME": "/proc/none"},
    "one-thread": {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    "two-threads": {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"},
}


@nox.session
@nox.parametrize("name", list(SURROUNDINGS))
def surroundings(session: nox.Session, name: str) -> None:
    """Run the tests in another language, without a home that can be written, with one and two threads."""
    session.install("-e", ".[test]")
    session.run("pytest", "-n", "2", "-m", "not slow", *session.posargs, env=SURROUNDINGS[name])


@nox.session
def offline(session: nox.Session) -> None:
    """Run the tests without a network."""
    session.install("-e", ".[test]")
    session.run(
        "unshare", "--net", "--map-root-user", "python", "-m", "pytest", "-m", "not slow", *session.posargs, external=True
    )


@nox.session
def fuzz(session: nox.Session) -> None:
    """Fuzz the readers, ten minutes each unless told otherwise."""
    session.install("-e", ".[fuzz]")
    for target in ("fits", "text"):
        session.run("python", "-m", "tests.fuzz.run", target, *(session.posargs or ["600"]))


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
