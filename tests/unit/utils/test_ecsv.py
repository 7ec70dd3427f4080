"""Text tables: cut off is an error, edited is reported."""

from __future__ import annotations

import pytest
from astropy.table import Table

from geminga.errors import CorruptFileError, FormatError
from geminga.utils.ecsv import read_ecsv, to_ecsv


@pytest.fixture
def table():
    return Table({"x": [1.25, 2.5, 3.75], "name": ["a", "b", "c"]}, meta={"KEY": "value"})


def test_round_trip(table, caplog):
    own = read_ecsv(to_ecsv(table), "text")
    assert (own == table).all()
    assert own.meta == table.meta == {"KEY": "value"}
    assert not caplog.records


def test_cut_anywhere(table):
    text = to_ecsv(table)
    for size in range(len(text)):
        with pytest.raises((CorruptFileError, FormatError)):
            read_ecsv(text[:size], "text")


@pytest.mark.parametrize("edit", [lambda text: text.replace("2.5", "2.6"), lambda text: text + "4.0 d\n"])
def test_edited(table, edit, caplog):
    """A changed number, and a row more, are the reader's business."""
    assert len(read_ecsv(edit(to_ecsv(table)), "text")) >= 3
    assert "was changed after it was written" in caplog.text


def test_meta_of_others(table):
    assert len(read_ecsv(to_ecsv(table).replace("n_rows: 3", "n_rows: x"), "text")) == 3
