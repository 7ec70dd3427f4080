"""Sums of files: those of the standard word by word, and quick ones which stand for them and never hide a change."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from geminga.errors import CorruptFileError
from geminga.utils import sums, whole
from geminga.utils.files import read_fits, write_fits
from geminga.utils.fits_tables import read_tables

READERS = [read_fits, read_tables]


@pytest.mark.parametrize("fill", [None, 0, 0xFF, 0x80])
@pytest.mark.parametrize("blocks", [1, 2, 5])
def test_sums_are_those_of_words_one_by_one(fill, blocks):
    size = 2880 * blocks
    data = np.random.default_rng(1).bytes(8 + size) if fill is None else bytes([fill]) * (8 + size)
    total = sum(int.from_bytes(data[i : i + 4], "big") for i in range(8, 8 + size, 4))
    assert sums.fits_sum(data, 8, 8 + size) == (total and (total - 1) % 0xFFFFFFFF + 1)
    short = data[: 8 + size - 100]
    assert sums.fits_sum(short, 8, 8 + size) == sums.fits_sum(short + bytes(100), 8, 8 + size)


@pytest.fixture
def path(tmp_path):
    """A file of a large image, a small one and a large table."""
    rng = np.random.default_rng(0)
    table = fits.BinTableHDU.from_columns([fits.Column("X", "D", array=rng.normal(size=10000))], name="TABLE")
    hdus = [
        fits.PrimaryHDU(),
        fits.ImageHDU(rng.normal(size=(100, 99)), name="LARGE"),
        fits.ImageHDU(np.ones(5), name="SMALL"),
        table,
    ]
    write_fits(fits.HDUList(hdus), tmp_path / "file.fits")
    return tmp_path / "file.fits"


def test_large_data_have_a_quick_sum_and_standard_sums_are_right(path):
    with fits.open(path, checksum=True) as hdus:  # a warning would be an error
        assert [hdu.name for hdu in hdus if "QUICKSUM" in hdu.header] == ["LARGE", "TABLE"]
        for hdu in hdus:
            assert hdu.verify_checksum() == hdu.verify_datasum() == 1


@pytest.mark.parametrize("read", READERS)
def test_it_stands_for_the_sum_of_the_data(path, read, monkeypatch):
    summed = []
    monkeypatch.setattr(whole, "fits_sum", lambda data, start, end: summed.append(end - start) or sums.fits_sum(data, start, end))
    read(path)
    assert max(summed) < 20_000
    summed.clear()
    read(path, checksum=True)
    assert max(summed) > 70_000


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("name", ["LARGE", "TABLE"])
def test_any_change_is_found(path, read, name):
    with fits.open(path) as hdus:
        info = hdus[name].fileinfo()
    whole_file = path.read_bytes()
    keyword = whole_file.index(b"QUICKSUM=", info["hdrLoc"])
    rng = np.random.default_rng(2)
    for place in [keyword, keyword + 12, keyword + 30, *rng.integers(info["datLoc"], info["datLoc"] + 79_000, 20)]:
        changed = bytearray(whole_file)
        changed[place] ^= 1
        path.write_bytes(changed)
        with pytest.raises(CorruptFileError, match=f"{name}.* fails its"):
            read(path)


@pytest.mark.parametrize("read", READERS)
def test_one_left_behind_by_an_edit(path, read, tmp_path):
    with fits.open(path, memmap=False) as hdus:
        hdus["LARGE"].data += 1
        hdus.writeto(tmp_path / "edited.fits", checksum=True)
    read(tmp_path / "edited.fits")
    hdus = read_fits(tmp_path / "edited.fits")
    write_fits(hdus, tmp_path / "again.fits")
    with fits.open(tmp_path / "again.fits") as again, fits.open(path) as old:
        assert again["LARGE"].header["QUICKSUM"] != old["LARGE"].header["QUICKSUM"]
        assert again["TABLE"].header["QUICKSUM"] == old["TABLE"].header["QUICKSUM"]
