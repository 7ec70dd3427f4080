"""Columns and headers are those of astropy, for files of all kinds."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.helpers import data_path, requires_data

from geminga.errors import CorruptFileError, FileError, NameLookupError
from geminga.utils.fits_tables import read_tables

COLUMNS = [
    fits.Column("I16", "I", array=np.array([-3, 0, 32767], dtype="i2")),
    fits.Column("U16", "I", bzero=2**15, array=np.array([0, 1, 65535], dtype="u2")),
    fits.Column("U32", "J", bzero=2**31, array=np.array([0, 7, 2**32 - 1], dtype="u4")),
    fits.Column("U64", "K", bzero=2**63, array=np.array([0, 7, 2**64 - 1], dtype="u8")),
    fits.Column("BYTE", "B", array=np.array([0, 127, 255], dtype="u1")),
    fits.Column("F32", "E", unit="TeV", array=np.array([1.5, np.nan, -np.inf], dtype="f4")),
    fits.Column("F64", "D", array=np.array([1.5, 2.5, 1e300])),
    fits.Column("CUBE", "12E", dim="(4,3)", unit="m2", array=np.arange(36, dtype="f4").reshape(3, 3, 4)),
    fits.Column("LOGIC", "L", array=np.array([True, False, True])),
    fits.Column("BITS", "11X", array=np.arange(33).reshape(3, 11) % 2 == 0),
    fits.Column("TEXT", "8A", array=np.array(["a", "bc d", " x"])),
    fits.Column("COMPLEX", "C", array=np.array([1 + 2j, 0, 3], dtype="c8")),
]


@pytest.fixture
def path(tmp_path):
    hdu = fits.BinTableHDU.from_columns(COLUMNS, name="KINDS")
    hdu.header["TEXT1"] = ("it's a 'test' / really", "comment / with slash")
    hdu.header["NUMBER"] = (1.5e-3, "[m] length")
    hdu.header["WHOLE"], hdu.header["YES"], hdu.header["NONE"] = 12345678901234, True, None
    hdu.header["LONG"] = "word " * 40 + "end"
    hdu.header["HIERARCH a long key"] = 3
    hdu.header.add_comment("first comment")
    hdu.header.add_comment("second")
    fits.HDUList([fits.PrimaryHDU(np.arange(6.0)), hdu, fits.ImageHDU(np.zeros((3, 4)), name="PIC")]).writeto(
        tmp_path / "kinds.fits"
    )
    return tmp_path / "kinds.fits"


class TestAgainstAstropy:
    @pytest.mark.parametrize("name", [column.name for column in COLUMNS])
    def test_column(self, path, name):
        ours = read_tables(path)["KINDS"].values(name)
        with fits.open(path) as file:
            theirs = np.asarray(file["KINDS"].data[name])
        assert ours.dtype.kind == theirs.dtype.kind
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype.isnative

    def test_scaled_column(self, path):
        data = path.read_bytes()
        # A scale in the place of another keyword.
        start = data.index(b"NUMBER  =")
        path.write_bytes(data[:start] + b"TSCAL1  =                  0.5".ljust(80) + data[start + 80 :])
        with fits.open(path) as file:
            np.testing.assert_allclose(read_tables(path)["KINDS"].values("I16"), file["KINDS"].data["I16"])

    def test_header(self, path):
        ours = read_tables(path)["KINDS"].header
        with fits.open(path) as file:
            theirs = file["KINDS"].header
        assert ours["TEXT1"] == "it's a 'test' / really"
        for key in theirs:
            if key not in {"COMMENT", "TEXT1", ""}:
                assert ours[key] == (None if isinstance(theirs[key], fits.card.Undefined) else theirs[key])
        assert ours["COMMENT"] == [" first comment", " second"] or ours["COMMENT"] == ["first comment", "second"]
        assert ours.comments["NUMBER"] == "[m] length"

    def test_hdus(self, path):
        tables = read_tables(path)
        assert tables.names == ["PRIMARY", "KINDS", "PIC"]
        assert len(tables) == 3
        assert tables["kinds"] is tables[1]
        assert [hdu.is_table for hdu in tables] == [False, True, False]
        assert len(tables["PIC"]) == 0

    def test_table(self, path):
        table = read_tables(path)["KINDS"].table()
        assert table["F32"].unit == "TeV"
        assert table["CUBE"].shape == (3, 3, 4)
        assert table.meta["WHOLE"] == 12345678901234
        assert "TTYPE1" not in table.meta
        table["F64"][0] = 7
        assert read_tables(path)["KINDS"].values("F64")[0] == 1.5

    @settings(max_examples=10, deadline=None)
    @given(
        st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=60),
        st.one_of(st.integers(-(10**17), 10**17), st.booleans(), st.floats(allow_nan=False, allow_infinity=False)),
    )
    def test_values(self, tmp_path_factory, text, value):
        hdu = fits.PrimaryHDU()
        hdu.header["TEXT"], hdu.header["VALUE"] = text, value
        path = tmp_path_factory.mktemp("header") / "a.fits"
        hdu.writeto(path)
        header = read_tables(path)[0].header
        theirs = fits.getheader(path)
        assert header["TEXT"] == theirs["TEXT"] == text.rstrip()
        assert header["VALUE"] == theirs["VALUE"]

    @requires_data("hess-dl3-dr1")
    def test_real_file(self):
        path = data_path("hess-dl3-dr1/data/hess_dl3_dr1_obs_id_020137.fits.gz")
        tables = read_tables(path)
        with fits.open(path) as file:
            for hdu in file[1:]:
                for name in hdu.columns.names:
                    np.testing.assert_array_equal(tables[hdu.name].values(name), hdu.data[name])


class TestRefusals:
    def test_truncated(self, path):
        data = path.read_bytes()
        with fits.open(path) as file:
            places = [hdu.fileinfo() for hdu in file]
        # A cut between two HDUs leaves a whole file.
        inside = [(p["hdrLoc"], p["datLoc"] + {0: 48, 1: 0, 2: 96}[i]) for i, p in enumerate(places)]
        sizes = [size for low, high in inside for size in range(low + 100, high, 777)]
        for size in sizes:
            path.write_bytes(data[:size])
            with pytest.raises(CorruptFileError, match=r"kinds\.fits is truncated"):
                read_tables(path)

    def test_compressed(self, path):
        path.write_bytes(gzip.compress(path.read_bytes()))
        assert len(read_tables(path)["KINDS"]) == 3

    def test_no_fits(self, path):
        path.write_bytes(b"hello")
        with pytest.raises(CorruptFileError, match="is not a FITS file"):
            read_tables(path)
        with pytest.raises(FileError, match="does not exist"):
            read_tables(path.parent / "none.fits")

    def test_names(self, path):
        with pytest.raises(NameLookupError, match="has no HDU 'FOO'; it has PRIMARY, KINDS, PIC"):
            read_tables(path)["FOO"]
        with pytest.raises(NameLookupError, match="has no HDU 5"):
            read_tables(path)[5]
        with pytest.raises(NameLookupError, match="has no column 'foo'"):
            read_tables(path)["KINDS"].values("foo")

    def test_widths_that_disagree(self, path):
        data = path.read_bytes().replace(b"TFORM7  = 'D       '", b"TFORM7  = 'E       '")
        path.write_bytes(data)
        with pytest.raises(CorruptFileError, match="bytes a row"):
            read_tables(path)["KINDS"].values("F64")

    def test_checksum(self, tmp_path):
        fits.BinTableHDU(Table({"A": [1, 2]}), name="T").writeto(tmp_path / "a.fits", checksum=True)
        assert read_tables(tmp_path / "a.fits", checksum=True)["T"].values("A").tolist() == [1, 2]
        data = bytearray((tmp_path / "a.fits").read_bytes())
        data[-2880] ^= 1
        (tmp_path / "a.fits").write_bytes(bytes(data))
        with pytest.raises(CorruptFileError, match="DATASUM"):
            read_tables(tmp_path / "a.fits", checksum=True)


class TestVariableLength:
    """Cells of different lengths, as the matrices of energy dispersions have them."""

    CELLS = ([1.5, 2.5], [], [3.0, 4.0, 5.0])

    @pytest.fixture(params=["PI()", "PJ()", "PE()", "PD()", "QD()"])
    def variable(self, request, tmp_path):
        cells = np.empty(3, dtype=object)
        kind = {"I": "i2", "J": "i4", "E": "f4", "D": "f8"}[request.param[1]]
        cells[:] = [np.array(cell, dtype=kind) for cell in self.CELLS]
        columns = [fits.Column("FIRST", "J", array=np.arange(3)), fits.Column("CELLS", request.param, array=cells)]
        path = tmp_path / "variable.fits"
        fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns, name="V")]).writeto(path)
        return path, kind

    def test_cells(self, variable):
        path, kind = variable
        values = read_tables(path)["V"].values("CELLS")
        for ours, expected in zip(values, self.CELLS, strict=True):
            assert ours.dtype == kind
            np.testing.assert_array_equal(ours, np.array(expected, dtype=kind))

    def test_place_outside_of_the_table(self, variable):
        path, _ = variable
        table = read_tables(path)["V"]
        data = bytearray(path.read_bytes())
        data[table._start + 4 : table._start + 8] = (9999).to_bytes(4, "big")
        path.write_bytes(data)
        with pytest.raises(CorruptFileError, match="cell of column CELLS in row 0 lies outside"):
            read_tables(path)["V"].values("CELLS")


def test_repeated_keywords(tmp_path):
    hdu = fits.BinTableHDU.from_columns([COLUMNS[0]], name="T")
    for value in (1, 2):
        hdu.header.append(("OBS_ID", value))
    hdu.writeto(tmp_path / "t.fits")
    header = read_tables(tmp_path / "t.fits")["T"].header
    assert header["OBS_ID"] == 1
    assert header.repeated == {"OBS_ID"}


def test_contains(path):
    tables = read_tables(path)
    assert "kinds" in tables
    assert "OTHER" not in tables
