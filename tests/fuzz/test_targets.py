"""A short run without atheris: the corpus, and random changes of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geminga.errors import GemingaError
from tests.fuzz.corpus import corpus
from tests.fuzz.targets import TARGETS


def changed(data: bytes, rng: np.random.Generator) -> bytes:
    """Some bytes replaced, removed, doubled or moved, or a number in a header replaced by another."""
    own = bytearray(data)
    for _ in range(rng.integers(1, 6)):
        place = int(rng.integers(len(own)))
        length = int(rng.integers(1, 100))
        kind = rng.integers(5)
        if kind == 0:
            own[place] = int(rng.integers(256))
        elif kind == 1:
            del own[place : place + length]
        elif kind == 2:
            own[place:place] = own[place : place + length]
        elif kind == 3:
            own[place : place + length] = bytes(rng.integers(32, 127, len(own[place : place + length]), dtype=np.uint8))
        else:
            other = int(rng.integers(len(own)))
            own[place : place + length] = own[other : other + len(own[place : place + length])]
        if not own:
            break
    return bytes(own)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("what", list(TARGETS))
@pytest.mark.parametrize("number", [pytest.param(1), pytest.param(100, marks=pytest.mark.slow)])
def test_only_our_errors(what, number):
    target, rng = TARGETS[what](), np.random.default_rng(0)
    files = list(corpus(what))
    assert len(files) > 3
    for _, data in files:
        for _ in range(number):
            target(changed(data, rng))


def can_read(reader: Callable[[Path], Any], path: Path) -> bool:
    """Whether a reader takes a file."""
    try:
        reader(path)
    except GemingaError:
        return False
    return True


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("what", list(TARGETS))
def test_the_corpus_gets_past_the_door(what):
    target = TARGETS[what]()
    for name, data in corpus(what):
        target.path.write_bytes(data)
        assert any(can_read(reader, target.path) for reader in target.readers), name
