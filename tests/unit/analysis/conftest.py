"""One store for all tests."""

from __future__ import annotations

import pytest

from tests.unit.analysis.store import write_store


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    return write_store(tmp_path_factory.mktemp("store"))
