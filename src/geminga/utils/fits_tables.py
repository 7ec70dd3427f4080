"""Tables of FITS files as arrays, without the cost of general FITS objects.

An observation is seven small tables; to make an astropy HDU and Table of each takes twenty times longer than to look at their
bytes. `read_tables` parses the headers (FITS standard 4.0, sections 4 and 7.3) and hands out columns on demand; columns of
rare formats (bits, complex) go through astropy.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from astropy import units as u
from astropy.io import fits
from astropy.table import Column, Table
from numpy.typing import NDArray

from geminga.errors import CorruptFileError, FormatError, NameLookupError
from geminga.utils import whole
from geminga.utils.files import make_path, read_bytes

__all__ = ["FitsColumns", "FitsHeader", "FitsTable", "FitsTables", "read_tables"]

_BLOCK, _CARD = 2880, 80
_FORMAT = re.compile(r"\s*(\d*)([LBIJKAEDXCMPQ])")
_TYPES = {"L": "S1", "B": "u1", "I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8", "A": "S"}
_VARIABLE = re.compile(r"\s*\d*([PQ])([BIJKED])")
_UNSIGNED = {("I", 2.0**15): "u2", ("J", 2.0**31): "u4", ("K", 2.0**63): "u8", ("B", -128.0): "i1"}
_STRUCTURE = re.compile(
    "SIMPLE|XTENSION|BITPIX|NAXIS[0-9]*|PCOUNT|GCOUNT|TFIELDS|T(TYPE|FORM|UNIT|DIM|NULL|SCAL|ZERO|DISP)[0-9]+|THEAP|"
    "COMMENT|HISTORY|CHECKSUM|DATASUM|QUICKSUM|END|"
)


class FitsHeader(dict[str, Any]):
    """Keywords of a header; ``COMMENT`` and ``HISTORY`` are lists, `comments` are what stands behind the values.

    Of a keyword that stands several times the first value counts, and `repeated` has its name.
    """

    def __init__(self) -> None:
        super().__init__()
        self.comments: dict[str, str] = {}
        self.repeated: set[str] = set()

    def add(self, key: str, value: Any, comment: str) -> str:
        """Add a keyword, of which the first counts if there are several, and return it (nothing if it was there)."""
        if key in self:
            self.repeated.add(key)
            return ""
        self[key] = value
        self.comments[key] = comment
        return key


def _value(text: str) -> tuple[Any, str]:
    """Value and comment of a card."""
    text = text.strip()
    if text.startswith("'"):
        end = 1
        while (end := text.find("'", end)) != -1 and text[end : end + 2] == "''":
            end += 2
        end = len(text) if end == -1 else end
        return text[1:end].replace("''", "'").rstrip(), text[end + 1 :].partition("/")[2].strip()
    plain, _, comment = text.partition("/")
    return _number(plain.strip()), comment.strip()


def _number(text: str) -> Any:
    if text in {"T", "F", ""}:
        return text == "T" if text else None
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text.replace("D", "E").replace("d", "e"))
    except ValueError:
        return text


def _parse_header(data: bytes, start: int, name: str, number: int) -> tuple[FitsHeader, int]:
    """Header of an HDU at a position, and where its data begin."""
    header, position, last = FitsHeader(), start, ""
    while True:
        block = data[position : position + _BLOCK].decode("latin-1")
        if len(block) < _BLOCK:
            msg = f"File {name} is truncated in the header of HDU {number}, {len(data)} bytes; fetch it again."
            raise CorruptFileError(msg)
        position += _BLOCK
        for i in range(0, _BLOCK, _CARD):
            card = block[i : i + _CARD]
            key = card[:8].rstrip()
            if key == "END":
                return header, position
            if card[8:10] == "= ":
                last = header.add(key, *_value(card[10:]))
            elif key in {"COMMENT", "HISTORY"}:
                header.setdefault(key, []).append(card[8:].rstrip())
            elif key == "CONTINUE" and isinstance(header.get(last), str):
                # A long text ends in "&" and goes on in the next card.
                header[last] = header[last].removesuffix("&") + str(_value(card[8:])[0])
            elif key == "HIERARCH" and "=" in card:
                long_key, _, rest = card[8:].partition("=")
                last = header.add(long_key.strip(), *_value(rest))


def _size(header: FitsHeader) -> int:
    """Bytes of the data, without padding."""
    axes = [int(header[f"NAXIS{i + 1}"]) for i in range(int(header.get("NAXIS", 0)))]
    if not axes:
        return 0
    count = math.prod(axes) + int(header.get("PCOUNT", 0))
    return abs(int(header["BITPIX"])) // 8 * int(header.get("GCOUNT", 1)) * count


@functools.lru_cache(maxsize=256)
def _unit(text: str) -> Any:
    return u.Unit(text, parse_strict="silent") if text else None


def _decoded(values: NDArray[np.bytes_]) -> NDArray[np.str_]:
    try:
        return values.astype(str)
    except UnicodeDecodeError:  # not plain ASCII
        return np.char.decode(values, "utf-8", "replace")


class FitsTable:
    """Binary table: header, names and units of columns, and their numbers on demand.

    Parameters
    ----------
    header : FitsHeader
        Header.
    data : bytes
        The file.
    start : int
        Where the data begin.
    header_start : int
        Where the header begins.
    """

    def __init__(self, header: FitsHeader, data: bytes, start: int, header_start: int) -> None:
        self.header, self._data, self._start, self._header_start = header, data, start, header_start
        self.name = str(header.get("EXTNAME", ""))
        self.is_table = header.get("XTENSION") == "BINTABLE"
        fields = range(1, int(header.get("TFIELDS", 0)) + 1 if self.is_table else 1)
        self.names = [str(header.get(f"TTYPE{i}", f"col{i}")) for i in fields]
        self.units = [str(header.get(f"TUNIT{i}", "")).strip() for i in fields]

    def __len__(self) -> int:
        return int(self.header.get("NAXIS2", 0)) if self.is_table else 0

    @functools.cached_property
    def _rows(self) -> NDArray[Any]:
        """Rows as a structured array, read-only."""
        formats = [self._format(i + 1) for i in range(len(self.names))]
        dtype = np.dtype({"names": [f"f{i}" for i in range(len(formats))], "formats": formats}, align=False)
        if dtype.itemsize != int(self.header["NAXIS1"]):
            msg = f"HDU {self.name!r}: columns have {dtype.itemsize} bytes a row, NAXIS1 says {self.header['NAXIS1']}."
            raise CorruptFileError(msg)
        return np.frombuffer(self._data, dtype=dtype, count=len(self), offset=self._start)

    def _parts(self, number: int) -> tuple[int, str]:
        match = _FORMAT.match(str(self.header.get(f"TFORM{number}", "")))
        if match is None:
            msg = f"HDU {self.name!r}: TFORM{number} is {self.header.get(f'TFORM{number}')!r}, which is no format of a column."
            raise FormatError(msg)
        return int(match[1]) if match[1] else 1, match[2]

    def _format(self, number: int) -> Any:
        repeat, code = self._parts(number)
        if code == "A":
            return f"S{repeat}" if repeat else "V0"
        if code in _TYPES:
            return (_TYPES[code], (repeat,)) if repeat != 1 else _TYPES[code]
        return f"V{(repeat + 7) // 8 if code == 'X' else repeat * {'C': 8, 'M': 16, 'P': 8, 'Q': 16}[code]}"

    def values(self, name: str) -> NDArray[Any]:
        """Column by its exact name, shape (rows, ...), in native byte order; an independent copy.

        Raises
        ------
        NameLookupError
            If there is no such column.
        """
        if name not in self.names:
            msg = f"HDU {self.name!r} has no column {name!r}; it has {', '.join(self.names) or 'none'}."
            raise NameLookupError(msg)
        number = self.names.index(name) + 1
        code = self._parts(number)[1]
        variable = _VARIABLE.match(str(self.header[f"TFORM{number}"]))
        if variable is not None and not {f"TSCAL{number}", f"TZERO{number}"} & self.header.keys():
            return self._variable(number, ">i4" if variable[1] == "P" else ">i8", np.dtype(_TYPES[variable[2]]))
        if code not in _TYPES or (code == "A" and f"TDIM{number}" in self.header):
            values = np.asarray(self.to_hdu().data.field(number - 1))
            return values.astype(values.dtype.newbyteorder("="))
        values = self._rows[f"f{number - 1}"]
        if code == "L":
            return self._shaped(np.asarray(values == b"T"), number, code)
        if code == "A":
            return np.char.rstrip(_decoded(values))
        return self._shaped(np.array(values, dtype=values.dtype.newbyteorder("=")), number, code)

    def _shaped(self, values: NDArray[Any], number: int, code: str) -> NDArray[Any]:
        """Scaled, and in the shape of TDIM."""
        scale, zero = (float(self.header.get(f"{key}{number}", default)) for key, default in (("TSCAL", 1), ("TZERO", 0)))
        if (code, zero) in _UNSIGNED and scale == 1:
            kind = np.dtype(_UNSIGNED[code, zero])
            # Adding the offset flips the highest bit.
            values = values.view(kind) ^ kind.type(-128 if code == "B" else int(zero))
        elif (scale, zero) != (1, 0):
            values = values * scale + zero
        dims = [int(n) for n in re.findall(r"\d+", str(self.header.get(f"TDIM{number}", "")))]
        return values.reshape(len(self), *dims[::-1]) if dims and np.prod(dims) == values[:1].size else values

    def _variable(self, number: int, pointer: str, kind: np.dtype[Any]) -> NDArray[Any]:
        """Column whose cells are arrays of different lengths, behind the rows (section 7.3.5): array of arrays."""
        places = np.array(self._rows[f"f{number - 1}"]).view(pointer).reshape(-1, 2)
        rows = int(self.header["NAXIS1"]) * len(self)
        heap, end = self._start + int(self.header.get("THEAP", rows)), self._start + _size(self.header)
        cells = np.empty(len(places), dtype=object)
        for row, (count, offset) in enumerate(places.tolist()):
            if not 0 <= offset <= offset + count * kind.itemsize <= end - heap:
                msg = f"HDU {self.name!r}: the cell of column {self.names[number - 1]} in row {row} lies outside of the table."
                raise CorruptFileError(msg)
            values = np.frombuffer(self._data, dtype=kind, count=count, offset=heap + offset)
            cells[row] = values.astype(kind.newbyteorder("="))
        return cells

    def to_hdu(self) -> fits.BinTableHDU:
        """The same as an astropy HDU, for columns of rare formats and readers that know no other."""
        size = -(-_size(self.header) // _BLOCK) * _BLOCK
        return fits.BinTableHDU.fromstring(
            self._data[self._header_start : self._start + size].ljust(self._start - self._header_start + size, b"\0")
        )

    def unit(self, name: str) -> str:
        """Unit of a column as it is written, empty if there is none."""
        return self.units[self.names.index(name)]

    def keywords(self) -> dict[str, Any]:
        """Keywords that say something about the content; comments are joined in a list."""
        kept = {key: value for key, value in self.header.items() if not _STRUCTURE.fullmatch(key)}
        return kept | ({"comments": list(self.header["COMMENT"])} if "COMMENT" in self.header else {})

    @property
    def columns(self) -> FitsColumns:
        """What readers of an astropy table look at, where each column is made when it is asked for."""
        return FitsColumns(self)

    def table(self) -> Table:
        """Independent astropy table; units that are not known are kept as they are written."""
        columns = [Column(self.values(name), name=name, unit=_unit(self.unit(name))) for name in self.names]
        return Table(columns, meta=self.keywords(), copy=False)


class FitsColumns:
    """Columns of a table by name, its keywords and the names, as those of an astropy table.

    Parameters
    ----------
    table : FitsTable
        Table.
    """

    def __init__(self, table: FitsTable) -> None:
        self._table, self.colnames = table, table.names
        self._made: dict[str, Column] = {}

    @property
    def meta(self) -> dict[str, Any]:
        """Keywords that say something about the content."""
        return self._table.keywords()

    def __getitem__(self, name: str) -> Column:
        """Column, made once; `NameLookupError` if there is none."""
        if name not in self._made:
            self._made[name] = Column(self._table.values(name), name=name, unit=_unit(self._table.unit(name)))
        return self._made[name]


class FitsTables:
    """HDUs of a file, by number or name (capitals or not).

    Parameters
    ----------
    path : str or Path
        File, for messages.
    data : bytes
        Its content.

    Raises
    ------
    CorruptFileError
        If it is not a FITS file, or ends early.
    """

    def __init__(self, path: str | Path, data: bytes) -> None:
        self.path = path
        if data[:9] != b"SIMPLE  =":
            msg = f"File {path} is not a FITS file (it does not start with 'SIMPLE  =')."
            raise CorruptFileError(msg)
        self._hdus: list[FitsTable] = []
        self.extents: list[whole.Extent] = []
        position = 0
        # Padding, or what is no HDU, may follow the last one.
        while position == 0 or data[position : position + 8] == b"XTENSION":
            header, start = _parse_header(data, position, str(path), len(self._hdus))
            hdu = FitsTable(header, data, start, position)
            if _size(header) < 0:  # the next HDU would be one that was read
                where = f"HDU {len(self._hdus)} ({hdu.name or 'PRIMARY'})"
                msg = f"File {path} is corrupt: {where} has a negative size; fetch it again."
                raise CorruptFileError(msg)
            self.extents.append(whole.Extent(hdu.name, header, position, start, _size(header)))
            self._hdus.append(hdu)
            position = self.extents[-1].end
        whole.check_extent(self.extents, data, f"File {path}")

    names = property(lambda self: [hdu.name or "PRIMARY" for hdu in self._hdus], doc="Names of the HDUs.")

    def __contains__(self, key: object) -> bool:
        return self._number_of(str(key)) is not None

    def __len__(self) -> int:
        return len(self._hdus)

    def __iter__(self) -> Iterator[FitsTable]:
        return iter(self._hdus)

    def __getitem__(self, key: int | str) -> FitsTable:
        """HDU by number or name; `NameLookupError` if there is none."""
        number = key if isinstance(key, int) else self._number_of(str(key))
        if number is None or not -len(self._hdus) <= number < len(self._hdus):
            msg = f"File {self.path} has no HDU {key!r}; it has {', '.join(self.names)}."
            raise NameLookupError(msg)
        return self._hdus[number]

    def _number_of(self, key: str) -> int | None:
        names = [name.upper() for name in self.names]
        return names.index(key.strip().upper()) if key.strip().upper() in names else None


def read_tables(path: str | Path, checksum: bool = False) -> FitsTables:
    """Read the tables of a FITS file, plain or gzip.

    Parameters
    ----------
    path : str or Path
        File.
    checksum : bool
        Verify checksums as `geminga.utils.files.read_fits` does.

    Raises
    ------
    FileError, CorruptFileError
        If it cannot be read or is not whole.
    """
    target, data = make_path(path), read_bytes(path)
    tables = FitsTables(str(target), data)
    if checksum or Path(str(target)).suffix != ".gz":
        whole.check_sums(tables.extents, data, f"File {target}", strict=checksum)
    return tables
