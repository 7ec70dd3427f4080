"""What is written is what is read, for every kind of file."""

from __future__ import annotations

import pytest

from tests.trust import kinds
from tests.trust.content import assert_same, differences


@pytest.mark.parametrize(("kind", "suffix"), kinds.FILES, ids=kinds.NAMES)
def test_round_trip(kind, suffix, tmp_path):
    path = tmp_path / f"file{suffix}"
    own = kind.make(0)
    kind.write(own, path)
    read = kind.read(path)
    kind.assert_kept(own, read)
    kind.write(read, path)
    assert_same(read, kind.read(path))


@pytest.mark.parametrize(("kind", "suffix"), kinds.FILES, ids=kinds.NAMES)
def test_replacing_gives_the_new_content(kind, suffix, tmp_path):
    path = tmp_path / f"file{suffix}"
    kind.write(kind.make(0), path)
    before = sorted(p.name for p in tmp_path.iterdir())
    kind.write(kind.make(1), path)
    assert differences(kind.make(0), kind.make(1))
    kind.assert_kept(kind.make(1), kind.read(path))
    assert sorted(p.name for p in tmp_path.iterdir()) == before
