"""FITS files: whole or refused; what was edited by others and what was written by others."""

from __future__ import annotations

import gzip
import io

import numpy as np
import pytest
from astropy.io import fits

from geminga.errors import CorruptFileError
from geminga.utils import files
from geminga.utils.files import fits_bytes, read_fits, write_fits
from geminga.utils.fits_tables import read_tables

READERS = [read_fits, read_tables]


def hdulist(n=1):
    hdus = [fits.ImageHDU(np.arange(10 + i) + np.pi, name=f"IMAGE{i}") for i in range(n)]
    return fits.HDUList([fits.PrimaryHDU(), *hdus])


@pytest.fixture
def path(tmp_path):
    write_fits(hdulist(), tmp_path / "file.fits")
    return tmp_path / "file.fits"


@pytest.fixture
def foreign(tmp_path):
    """A file without manifest, but with checksums."""
    hdulist().writeto(tmp_path / "foreign.fits", checksum=True)
    return tmp_path / "foreign.fits"


def edit(path, **kwargs):
    with fits.open(path, memmap=False) as hdus:
        hdus[1].data += 1
        hdus[1].header["OBJECT"] = "Crab"
        hdus.writeto(path, overwrite=True, **kwargs)


@pytest.mark.parametrize("read", READERS)
class TestEdited:
    def test_in_place(self, path, read):
        with fits.open(path, mode="update") as hdus:
            hdus[1].header["OBJECT"] = "Crab"
        assert read(path)["IMAGE0"].header["OBJECT"] == "Crab"

    def test_written_with_checksums(self, path, read):
        edit(path, checksum=True)
        assert read(path)["IMAGE0"].header["OBJECT"] == "Crab"

    def test_written_without_checksums(self, path, read):
        edit(path)
        with pytest.raises(
            CorruptFileError, match=r"HDU 1 \(IMAGE0\) fails its DATASUM and CHECKSUM.*checksum=True if you edited"
        ):
            read(path)

    def test_hdu_added(self, path, read):
        with fits.open(path, mode="append") as hdus:
            hdus.append(fits.ImageHDU(np.zeros(3), name="MINE"))
        assert len(read(path)) == 3

    def test_hdu_removed(self, path, read):
        with fits.open(path, memmap=False) as hdus:
            fits.HDUList(hdus[:1]).writeto(path, overwrite=True, checksum=True)
        with pytest.raises(CorruptFileError, match="lacks the HDUs IMAGE0 .* remove the keyword NHDUS if you edited"):
            read(path)
        with fits.open(path, mode="update") as hdus:
            del hdus[0].header["NHDUS"]
        assert len(read(path)) == 1


@pytest.mark.parametrize("read", READERS)
class TestOfOthers:
    def test_wrong_sums_are_reported(self, foreign, read, caplog):
        edit(foreign)
        assert read(foreign)["IMAGE0"].header["OBJECT"] == "Crab"
        assert "fails its DATASUM and CHECKSUM" in caplog.text
        with pytest.raises(CorruptFileError, match="fails its DATASUM"):
            read(foreign, checksum=True)

    def test_unknown_sums(self, foreign, read, caplog):
        with fits.open(foreign, memmap=False) as hdus:
            hdus[1].header["DATASUM"], hdus[1].header["CHECKSUM"] = "", ""
            data = io.BytesIO()
            hdus.writeto(data)
        foreign.write_bytes(data.getvalue())
        assert len(read(foreign, checksum=True)) == 2
        assert not caplog.records

    def test_padding_is_missing(self, foreign, read, caplog):
        foreign.write_bytes(foreign.read_bytes().rstrip(b"\0"))
        assert len(read(foreign, checksum=True)) == 2
        assert not caplog.records

    def test_data_are_missing(self, foreign, read):
        foreign.write_bytes(foreign.read_bytes().rstrip(b"\0")[:-8])
        with pytest.raises(CorruptFileError, match=r"truncated in HDU 1 \(IMAGE0\)"):
            read(foreign)

    def test_something_follows(self, foreign, read):
        foreign.write_bytes(foreign.read_bytes() + b"XTENSOIN".ljust(2880))
        with pytest.raises(CorruptFileError, match="corrupt (after HDU 1|in HDU 2)"):
            read(foreign)


@pytest.mark.parametrize("read", READERS)
def test_padding_of_ours_is_missing(path, read):
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CorruptFileError, match="truncated in HDU 1"):
        read(path)


def test_many_hdus(tmp_path):
    write_fits(hdulist(1001), tmp_path / "many.fits")
    for read in READERS:
        assert len(read(tmp_path / "many.fits")) == 1002


def test_negative_size(path):
    """A size that leads back to an HDU that was read."""
    data = path.read_bytes()
    n = data.index(b"NAXIS1  =")
    path.write_bytes(data[:n] + b"NAXIS1  = " + b"-360".rjust(20) + data[n + 30 :])
    for read in READERS:
        with pytest.raises(CorruptFileError):
            read(path)


class TestGzip:
    def test_cap(self, tmp_path, monkeypatch):
        """A few kB could fill any memory; what is larger than the cap is not decompressed to its end."""
        data = fits_bytes(hdulist(), tmp_path / "file.fits")
        monkeypatch.setattr(files, "MAX_RATIO", 0)
        for member in (data, data[:1000]):
            rest = data[len(member) :]
            (tmp_path / "file.fits.gz").write_bytes(gzip.compress(member) + (gzip.compress(rest) if rest else b""))
            monkeypatch.setattr(files, "MAX_DECOMPRESSED", len(data))
            assert len(read_fits(tmp_path / "file.fits.gz")) == 2
            monkeypatch.setattr(files, "MAX_DECOMPRESSED", len(data) - 1)
            for read in READERS:
                with pytest.raises(CorruptFileError, match=r"file\.fits\.gz is larger than .*gunzip it first"):
                    read(tmp_path / "file.fits.gz")

    def test_memory_of_a_bomb(self, tmp_path, monkeypatch):
        import tracemalloc

        (tmp_path / "bomb.fits.gz").write_bytes(gzip.compress(bytes(50_000_000)))
        monkeypatch.setattr(files, "MAX_DECOMPRESSED", 100_000)
        monkeypatch.setattr(files, "MAX_RATIO", 0)
        tracemalloc.start()
        try:
            with pytest.raises(CorruptFileError, match="larger than 100000 bytes"):
                files.read_bytes(tmp_path / "bomb.fits.gz")
            assert tracemalloc.get_traced_memory()[1] < 2_000_000
        finally:
            tracemalloc.stop()

    def test_something_follows(self, tmp_path):
        (tmp_path / "file.fits.gz").write_bytes(gzip.compress(b"SIMPLE") + b"more")
        with pytest.raises(CorruptFileError, match="4 bytes follow its end"):
            files.read_bytes(tmp_path / "file.fits.gz")
