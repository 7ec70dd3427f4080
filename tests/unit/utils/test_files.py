"""Several files are written all or none, whatever goes wrong on the way."""

from __future__ import annotations

import os

import pytest

from geminga.errors import FileError, FileExistsRefusal
from geminga.utils.files import file_path, read_fits, write_files


@pytest.fixture
def folder(tmp_path):
    """Two files that exist; a third one does not."""
    (tmp_path / "a").write_text("old a")
    (tmp_path / "b").write_text("old b")
    return tmp_path


def content(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


NEW = {"a": b"new a", "c": b"new c", "b": b"new b"}
OLD = {"a": "old a", "b": "old b"}


def write(folder, **kwargs):
    write_files({folder / name: data for name, data in NEW.items()}, **kwargs)


def test_all(folder):
    write(folder, overwrite=True)
    assert content(folder) == {"a": "new a", "b": "new b", "c": "new c"}


def test_existing(folder):
    with pytest.raises(FileExistsRefusal, match="a exists; give overwrite=True"):
        write(folder)
    assert content(folder) == OLD


def test_folder_in_the_way(folder):
    (folder / "c").mkdir()
    with pytest.raises(FileError, match="c is a folder"):
        write(folder, overwrite=True)
    (folder / "c").rmdir()
    assert content(folder) == OLD


@pytest.mark.parametrize("error", [OSError("disk on fire"), KeyboardInterrupt()])
@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("step", ["replace", "fsync"])
@pytest.mark.parametrize("has_links", [True, False])
def test_failure_at_any_step(folder, monkeypatch, error, number, step, has_links):
    """Files that were renamed already get their old content back, and nothing is left behind."""
    real, calls = getattr(os, step), []

    def fail(*args, **kwargs):
        calls.append(args)
        if len(calls) == number + 1:
            raise error
        return real(*args, **kwargs)

    def no_link(*args):
        message = "no links here"
        raise OSError(message)

    monkeypatch.setattr(os, step, fail)
    if not has_links:
        monkeypatch.setattr(os, "link", no_link)
    with pytest.raises((FileError, KeyboardInterrupt)):
        write(folder, overwrite=True)
    assert content(folder) == OLD


def test_rights_are_kept(folder):
    (folder / "a").chmod(0o640)
    write(folder, overwrite=True)
    assert (folder / "a").stat().st_mode & 0o777 == 0o640


def test_a_file_must_be_named(monkeypatch):
    monkeypatch.setenv("FOLDER", "/somewhere")
    assert str(file_path("$FOLDER/a.fits")) == "/somewhere/a.fits"
    for call in (file_path, read_fits):
        with pytest.raises(FileError, match="No file name is given"):
            call(None)
