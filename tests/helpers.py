"""Shared by all tests: where real data are, skipping without them, and which packages are optional."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest


def data_path(relative: str = "") -> Path:
    """Path below ``$GAMMAPY_DATA`` (may not exist)."""
    return Path(os.environ.get("GAMMAPY_DATA", "/nonexistent")) / relative


def requires_data(relative: str = "") -> pytest.MarkDecorator:
    """Skip a test, with a reason, unless the file is there."""
    path = data_path(relative)
    return pytest.mark.skipif(not path.exists(), reason=f"needs $GAMMAPY_DATA/{relative}")


def optional_packages() -> list[str]:
    """Packages of the extras that users install, by the names under which they are imported."""
    extras = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    lines = [line for extra, own in extras.items() if extra not in {"test", "dev", "docs", "bench", "fuzz"} for line in own]
    names = [re.match(r"([\w-]+)(?:\[([\w-]+)\])?", line) for line in lines]
    return sorted(name.replace("-", "_") for match in names if match for name in match.groups() if name)
