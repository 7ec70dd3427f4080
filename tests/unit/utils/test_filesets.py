"""Files that refer to each other are replaced as one, also after a writer that was killed."""

from __future__ import annotations

import os

import pytest

from geminga.errors import FileExistsRefusal, InputError
from geminga.utils.filesets import FileSet, write_sets


class _StopError(BaseException):
    """Stands for Ctrl-C."""


def own(folder, text):
    return FileSet(folder / "root", {"part": text}, lambda names: text + names["part"].encode())


def read(folder):
    text = (folder / "root").read_bytes()
    return text[:3], (folder / text[3:].decode()).read_bytes()


@pytest.fixture(params=["new", "next"])
def killed(tmp_path, request):
    """A set whose writer was killed right after the root named the new part."""
    write_sets([own(tmp_path, b"old")])
    (tmp_path / "part").rename(tmp_path / f".{request.param}.part")
    (tmp_path / "root").write_bytes(b"old" + f".{request.param}.part".encode())
    (tmp_path / "part").write_bytes(b"stale")
    return tmp_path


@pytest.mark.parametrize("number", [1, 2])
def test_part_in_use_is_kept(killed, monkeypatch, number):
    replace, calls = os.replace, []

    def failing(source, target):
        calls.append(target)
        if len(calls) == number:
            raise _StopError
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(_StopError):
        write_sets([own(killed, b"new")], overwrite=True)
    assert read(killed) == (b"old", b"old")


def test_nothing_is_left_behind(killed):
    write_sets([own(killed, b"new")], overwrite=True)
    assert read(killed) == (b"new", b"new")
    assert sorted(p.name for p in killed.iterdir()) == ["part", "root"]


def test_existing(tmp_path):
    write_sets([own(tmp_path, b"old")])
    with pytest.raises(FileExistsRefusal, match="overwrite=True"):
        write_sets([own(tmp_path, b"new")])
    assert read(tmp_path) == (b"old", b"old")


def test_same_file_twice(tmp_path):
    with pytest.raises(InputError, match="written twice"):
        write_sets([own(tmp_path, b"one"), own(tmp_path, b"two")])
    assert not list(tmp_path.iterdir())
