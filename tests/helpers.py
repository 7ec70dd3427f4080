"""Shared by all tests: where real data are, and skipping without them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def data_path(relative: str = "") -> Path:
    """Path below ``$GAMMAPY_DATA`` (may not exist)."""
    return Path(os.environ.get("GAMMAPY_DATA", "/nonexistent")) / relative


def requires_data(relative: str = "") -> pytest.MarkDecorator:
    """Skip a test, with a reason, unless the file is there."""
    path = data_path(relative)
    return pytest.mark.skipif(not path.exists(), reason=f"needs $GAMMAPY_DATA/{relative}")
