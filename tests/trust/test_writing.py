"""Writers that are killed, that find the disk full, or that write what others write and read: no file is lost or mixed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from geminga.errors import FileError
from geminga.utils import files, filesets
from geminga.utils.filesets import FileSet, write_sets
from tests.trust import kinds
from tests.trust.content import assert_same

SOME = ["Map, image", "Models and covariance"]


def attack(what, folder, number, *names):
    command = [sys.executable, "-m", "tests.trust.attacks", what, str(folder), str(number), *names]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=os.environ | {"PYTHONWARNINGS": "ignore"})


def assert_harmless(what, folder, number, *names):
    result = attack(what, folder, number, *names)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(("what", "number"), [("kill", 8), ("full", 2), ("race", 1.0)])
def test_some(what, number, tmp_path):
    assert_harmless(what, tmp_path, number, *SOME)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Map, cube", "MapDataset", "Models and covariance", "Datasets and models"])
def test_killed_at_many_moments(name, tmp_path):
    assert_harmless("kill", tmp_path, 50, name)


@pytest.mark.slow
@pytest.mark.parametrize("what", ["kill", "full"])
def test_all_kinds(what, tmp_path):
    assert_harmless(what, tmp_path, 4)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["MapDataset", "Models and covariance", "Datasets and models"])
def test_two_writers_and_a_reader(name, tmp_path):
    assert_harmless("race", tmp_path, 10, name)


@pytest.mark.slow
def test_full_file_system(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", str(folder)]
    if mount is None or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("needs the right to mount a small file system")
    try:
        kind = next(kind for kind in kinds.KINDS if kind.name == "Models and covariance")
        kind.write(kind.make(0), folder / "models.yaml")
        (folder / "ballast").write_bytes(bytes((os.statvfs(folder).f_bavail - 1) * os.statvfs(folder).f_bsize))
        with pytest.raises(FileError, match="No space left"):
            kind.write(kind.make(1), folder / "models.yaml")
        assert_same(kind.read(folder / "models.yaml"), kind.make(0), 1e-12)
        assert sorted(p.name for p in folder.iterdir()) == ["ballast", "models.yaml", "models_covariance.dat"]
    finally:
        subprocess.run(["umount", str(folder)], check=True)


class _StopError(BaseException):
    """Stands for Ctrl-C."""


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
@pytest.mark.parametrize("number", range(1, 4))
def test_several_files_are_replaced_or_none(tmp_path, monkeypatch, number, error):
    paths = [tmp_path / name for name in "abc"]
    for path in paths[:2]:
        path.write_text("old")
    calls = []
    replace = os.replace

    def failing(source, target):
        if not str(source).endswith(".old"):
            calls.append(target)
            if len(calls) == number:
                raise error
        replace(source, target)

    monkeypatch.setattr(files.os, "replace", failing)
    with pytest.raises(FileError if error is OSError else error):
        files.write_files(dict.fromkeys(paths, b"new"), overwrite=True)
    assert [path.read_text() for path in paths[:2]] == ["old", "old"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


@pytest.mark.parametrize("number", range(1, 7))
def test_set_of_files_is_replaced_or_not(tmp_path, monkeypatch, number):
    def write(text):
        write_sets([FileSet(tmp_path / "root", {"part": text}, lambda names: text + names["part"].encode())], overwrite=True)

    def read():
        text = (tmp_path / "root").read_bytes()
        return text[:3], (tmp_path / text[3:].decode()).read_bytes()

    write(b"old")
    calls = []
    replace = os.replace

    def failing(source, target):
        calls.append(target)
        if len(calls) == number:
            raise _StopError
        replace(source, target)

    monkeypatch.setattr(filesets.os, "replace", failing)
    if number > 4:
        write(b"new")
    else:
        with pytest.raises(_StopError):
            write(b"new")
    root, part = read()
    assert root == part
    assert root == (b"old" if number <= 2 else b"new")


def test_permissions_and_links_are_kept(tmp_path):
    target = tmp_path / "file"
    target.write_bytes(b"old")
    target.chmod(0o640)
    (tmp_path / "link").symlink_to(target)
    files.write_files({tmp_path / "link": b"new"}, overwrite=True)
    assert target.read_bytes() == b"new"
    assert target.stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "link").is_symlink()
