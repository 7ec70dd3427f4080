"""Files that are cut off or have a changed byte: every kind, every file of it."""

from __future__ import annotations

import logging
import shutil

import numpy as np
import pytest

from geminga.errors import CorruptFileError, FileError, FormatError, GemingaError
from tests.trust import kinds
from tests.trust.content import content, differences

SHORT, LONG = 8, 60
N_FLIPS, N_FLIPS_LONG = 12, 250
LENGTHS = [pytest.param("short"), pytest.param("long", marks=pytest.mark.slow)]


@pytest.fixture(scope="module", params=kinds.FILES, ids=kinds.NAMES)
def written(request, tmp_path_factory):
    """A kind, its root file and its content; the folder holds the files it consists of."""
    kind, suffix = request.param
    folder = tmp_path_factory.mktemp("files")
    path = folder / f"file{suffix}"
    kind.write(kind.make(0), path)
    return kind, path, content(kind.read(path))


def damaged(path, folder):
    """For each file of a set: copies of all of them, and the one to be damaged."""
    for file in sorted(path.parent.iterdir()):
        shutil.copytree(path.parent, folder, dirs_exist_ok=True)
        yield folder / path.name, folder / file.name, file.read_bytes()


@pytest.mark.parametrize("length", LENGTHS)
def test_cut_off(written, length, tmp_path):
    kind, path, _ = written
    n = SHORT if length == "short" else LONG
    for root, file, whole in damaged(path, tmp_path / "cut"):
        for size in np.linspace(0, len(whole) - 2, n).astype(int):
            file.write_bytes(whole[:size])
            with pytest.raises((CorruptFileError, FormatError) if file.suffix == ".ecsv" else CorruptFileError) as info:
                kind.read(root)
            assert file.name in str(info.value)
            if file.suffix in {".fits", ".gz"} and size > 2880:
                assert "HDU" in str(info.value)
        file.write_bytes(whole)


@pytest.mark.parametrize("length", LENGTHS)
def test_cut_between_hdus(written, length, tmp_path):
    kind, path, _ = written
    for root, file, whole in damaged(path, tmp_path / "cut"):
        if file.suffix != ".fits":
            continue
        blocks = [n for n in range(2880, len(whole), 2880) if whole[n : n + 8] == b"XTENSION"]
        for size in blocks:
            file.write_bytes(whole[:size])
            with pytest.raises(CorruptFileError, match=r"lacks the HDUs|truncated"):
                kind.read(root)
        file.write_bytes(whole)


@pytest.mark.filterwarnings("ignore::astropy.io.fits.verify.VerifyWarning")
@pytest.mark.parametrize("length", LENGTHS)
def test_changed_byte(written, length, tmp_path, caplog):
    """The content is the same, or one of our errors says what is wrong; text that may have been edited is reported in the log."""
    kind, path, before = written
    rng = np.random.default_rng(1)
    caplog.set_level(logging.WARNING)
    number = (N_FLIPS if length == "short" else N_FLIPS_LONG) // len(list(path.parent.iterdir()))
    for root, file, whole in damaged(path, tmp_path / "flip"):
        for position in rng.integers(0, len(whole), number):
            changed = bytearray(whole)
            changed[position] ^= int(rng.integers(1, 256))
            file.write_bytes(bytes(changed))
            caplog.clear()
            try:
                after = content(kind.read(root))
            except GemingaError:
                continue
            assert not differences(before, after) or (file.suffix in {".yaml", ".ecsv", ".dat"} and caplog.records), position
        file.write_bytes(whole)


def test_missing_part(written, tmp_path):
    kind, path, _ = written
    for root, file, _ in damaged(path, tmp_path / "lost"):
        file.unlink()
        # Models without their covariance are reported in the log; a lost reference model is found where it was written.
        if file.suffix == ".dat" or file.name == "file_model.yaml":
            continue
        with pytest.raises(FileError, match=file.name):
            kind.read(root)
