"""Tables as text (ECSV) which say how many rows they have, so that text which was cut off is noticed."""

from __future__ import annotations

import io
import logging
import warnings
from typing import Any

from astropy.table import Table

from geminga.errors import CorruptFileError, FormatError
from geminga.utils.check import yaml_checksum

__all__ = ["read_ecsv", "to_ecsv"]

log = logging.getLogger(__name__)

_ROWS, _SUM = "n_rows", "checksum"


def _without_sum(text: str) -> str:
    """Lines but for that of the checksum."""
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(f"# - {{{_SUM}:"))


def to_ecsv(table: Table) -> str:
    """Text of a table; its meta data say how many rows there are, and their checksum."""
    own = Table(table, copy=False)
    own.meta[_ROWS] = len(own)
    own.meta[_SUM] = yaml_checksum(_text(own))
    text = _text(own)
    # The rest of the text may be laid out otherwise with one entry more.
    own.meta[_SUM] = yaml_checksum(_without_sum(text))
    return _text(own)


def _text(table: Table) -> str:
    stream = io.StringIO()
    table.write(stream, format="ascii.ecsv")
    return stream.getvalue()


def read_ecsv(text: str, name: str, **kwargs: Any) -> Table:
    """Table of text, ECSV unless `kwargs` give another format.

    Parameters
    ----------
    text : str
        Text.
    name : str
        What it is, for messages.
    **kwargs
        Arguments of `astropy.table.Table.read`.

    Raises
    ------
    CorruptFileError
        If it has not the number of rows it was written with.
    FormatError
        If it is no such table.
    """
    kwargs = {"format": "ascii.ecsv"} | kwargs
    try:
        with warnings.catch_warnings():
            # What astropy warns of, such as unknown types of data, is an error or in the log.
            warnings.simplefilter("ignore", UserWarning)
            table = Table.read(text.splitlines(), **kwargs)
    except (ValueError, TypeError, OSError, LookupError, AttributeError, RecursionError) as error:
        msg = f"{name} is no table of the format {kwargs['format']!r}, or truncated: {' '.join(str(error).split())}"
        raise FormatError(msg) from error
    rows, checksum = table.meta.pop(_ROWS, None), table.meta.pop(_SUM, None)
    rows = rows if isinstance(rows, int) else None  # a word of somebody else's
    # More rows than promised were added by someone; fewer, or half a line, may have been cut off.
    if rows is not None and (rows > len(table) or not text.endswith("\n")):
        what = f"{len(table)} rows, {rows} expected" if rows > len(table) else "its last line does not end"
        msg = f"{name} is truncated: {what}. Fetch it again, or correct that if you edited it (meta data: {_ROWS})."
        raise CorruptFileError(msg)
    if checksum is not None and checksum != yaml_checksum(_without_sum(text)):
        log.warning("%s was changed after it was written: it does not have the checksum %s.", name, checksum)
    return table
