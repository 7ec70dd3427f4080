"""Locks on folders: they part readers and writers, and never stand in the way of reading."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest

from geminga.utils import locks
from geminga.utils.locks import locked

fcntl = pytest.importorskip("fcntl")


def is_free(folder):
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True


@pytest.mark.parametrize("shared", [True, False])
def test_held_and_released(tmp_path, shared):
    with locked([tmp_path], shared=shared):
        assert not is_free(tmp_path)
    assert is_free(tmp_path)
    assert not list(tmp_path.iterdir())


def test_readers_share(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(locks, "_PATIENCE", 0.0)
    with locked([tmp_path], shared=True), locked([tmp_path, tmp_path], shared=True):
        pass
    assert not caplog.records


def test_hanging_process_is_not_waited_for(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(locks, "_PATIENCE", 0.01)
    with locked([tmp_path], shared=False), locked([tmp_path], shared=True):
        pass
    assert "is locked by another process" in caplog.text


_FORKED = """
import fcntl, os, sys, time
from geminga.utils.locks import locked
with locked([sys.argv[1]], shared=False):
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
handle = os.open(sys.argv[1], os.O_RDONLY)
try:
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
finally:
    os.kill(child, 9)
"""


def test_released_though_a_child_was_forked(tmp_path):
    """A worker started meanwhile inherits the lock; it must not keep it for the rest of its life."""
    result = subprocess.run([sys.executable, "-c", _FORKED, str(tmp_path)], check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EBADF, errno.EOPNOTSUPP])
def test_file_system_without_locks(tmp_path, monkeypatch, number):
    def flock(handle, mode):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    with locked([tmp_path], shared=False):
        pass


def test_errors_inside_come_through(tmp_path):
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(FileNotFoundError, match="inside"), locked([folder], shared=True):
            open("inside")  # noqa: PTH123, SIM115
        assert is_free(tmp_path)
