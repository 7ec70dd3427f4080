"""YAML text: nothing that grows without bound, seals that tell a cut from an edit."""

from __future__ import annotations

import contextlib

import pytest

from geminga.errors import CorruptFileError
from geminga.utils import yaml
from geminga.utils.yaml import from_yaml, sealed, to_yaml


def nested(first, pattern, depth):
    """A value, and further ones which each refer nine times to the one before."""
    lines = [f"a0: &a0 {first}"]
    lines += [f"a{i}: &a{i} {pattern.format(', '.join([f'*a{i - 1}'] * 9))}" for i in range(1, depth)]
    return "\n".join(lines)


def test_aliases_that_unfold_without_bound():
    with pytest.raises(CorruptFileError, match="aliases unfold to more than"):
        from_yaml(nested("[1, 2]", "[{}]", 12))


def test_merges_that_unfold_without_bound(monkeypatch):
    """Versions of the parser that keep what is merged twice grow by nine at each step; others stay small."""
    with contextlib.suppress(CorruptFileError):
        assert from_yaml(nested("{x: 1}", "{{<<: [{}]}}", 12))["a11"] == {"x": 1}
    monkeypatch.setattr(yaml, "_MOST_MERGED", 1000)
    chain = "a0: &a0 {x: 1}\n" + "\n".join(f"a{i}: &a{i} {{<<: *a{i - 1}, k{i}: 1}}" for i in range(1, 100))
    with pytest.raises(CorruptFileError, match="merges"):
        from_yaml(chain)


@pytest.mark.parametrize("text", ["a: &a [*a]", "a: &a {b: *a}", "a: &a {<<: *a}"])
def test_aliases_of_themselves(text):
    with pytest.raises(CorruptFileError, match="not valid YAML"):
        from_yaml(text)


def test_deep_nesting():
    with pytest.raises(CorruptFileError, match="not valid YAML"):
        from_yaml("a: " + "[" * 50_000 + "]" * 50_000)


def test_ordinary_aliases_and_merges():
    assert from_yaml("a: &a {x: 1}\nb: &b {y: 2}\nc: {<<: [*a, *b], z: 3}\nd: *a") == {
        "a": {"x": 1},
        "b": {"y": 2},
        "c": {"x": 1, "y": 2, "z": 3},
        "d": {"x": 1},
    }


TEXT = sealed(to_yaml({"key": [1, 2, 3]}))


def test_sealed(caplog):
    assert from_yaml(TEXT, checksum=True)["key"] == [1, 2, 3]
    assert not caplog.records


def test_cut_anywhere():
    for size in range(len(TEXT) - 1):
        with pytest.raises(CorruptFileError):
            from_yaml(TEXT[:size], checksum=size == 0)


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace("- 2", "- 5"),
        lambda text: text + "more: 1\n",
        lambda text: "# mine\n" + text,
        lambda text: text.replace("\n", "\r\n"),
    ],
)
def test_edited_by_hand(edit, caplog):
    """Read, and reported in the log; an error where checksums are asked for."""
    assert len(from_yaml(edit(TEXT))["key"]) == 3
    assert "was changed after it was written" in caplog.text
    with pytest.raises(CorruptFileError, match="fails its checksum"):
        from_yaml(edit(TEXT), checksum=True)


def test_edited_and_unsealed(caplog):
    lines = TEXT.splitlines(keepends=True)
    assert from_yaml("".join(lines[1:-1]).replace("- 2", "- 5"), checksum=True)["key"] == [1, 5, 3]
    assert not caplog.records
