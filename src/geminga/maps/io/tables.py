"""A table HDU as little more than its arrays, which is much faster to make than a `Table`, and meta data as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import FormatError, UnitError
from geminga.maps.axes.collection import MapAxes
from geminga.maps.axes.map import MapAxis
from geminga.maps.geom.io import bands_format
from geminga.utils.units import parse_unit

__all__ = ["HduTable", "axes_from_hdu", "is_foreign_energies", "meta_from_text", "meta_to_text", "native"]


def native(data: Any) -> NDArray[Any]:
    """Array of its own in the byte order of the machine."""
    return np.array(data, dtype=data.dtype.newbyteorder("="))


class UnitArray(np.ndarray):
    """Array that knows the unit of its column."""

    unit: str = ""


class HduTable:
    """Columns and keywords of a table HDU, the way readers of axes want them."""

    def __init__(self, hdu: Any) -> None:
        self._data = hdu.data
        self._units = {column.name: column.unit or "" for column in hdu.columns}
        self.colnames = list(hdu.columns.names)
        self.meta = hdu.header

    def __getitem__(self, name: str) -> UnitArray:
        data = self._data[name]
        column = (np.asarray(data) if data.dtype.kind in "USO" else native(np.asarray(data))).view(UnitArray)
        column.unit = self._units[name]
        return column

    def __iter__(self) -> Iterator[str]:
        return iter(self.colnames)


def axes_from_hdu(hdu_bands: Any, format: str | None) -> MapAxes:
    """Axes in a table HDU, none for None."""
    if hdu_bands is None:
        return MapAxes([])
    table, format = HduTable(hdu_bands), bands_format(hdu_bands, format)
    if is_foreign_energies(hdu_bands):
        return MapAxes([MapAxis.from_table(table, format=format)])
    return MapAxes.from_table(table, format=format)


def is_foreign_energies(hdu_bands: Any) -> bool:
    """Whether a table holds the energies of a Fermi cube; AXCOLS without INTERP in it do not say what they are."""
    return hdu_bands is not None and hdu_bands.name == "ENERGIES" and "INTERP1" not in hdu_bands.header


def _encode(value: Any) -> Any:
    if isinstance(value, u.Quantity) and value.isscalar:
        number = repr(float(value.value))
        return f"{number} {value.unit.to_string('fits')}" if value.unit != u.dimensionless_unscaled else float(value.value)
    if isinstance(value, u.Quantity):
        return [_encode(item) for item in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    return str(value)


def meta_to_text(meta: dict[str, Any]) -> str:
    """JSON text of meta data; quantities become ``"value unit"``, other objects their string."""
    return json.dumps(meta, default=_encode)


_QUANTITY = re.compile(r"[-+]?(\d+\.?\d*([eE][-+]?\d+)?|\.\d+([eE][-+]?\d+)?|inf|nan) +[A-Za-z]\S*(.*\S)?")


def _decode(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _decode(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_decode(item) for item in value]
    if isinstance(value, str) and _QUANTITY.fullmatch(value):
        number, unit = value.split(maxsplit=1)
        try:
            return u.Quantity(float(number), parse_unit(unit))
        except UnitError:
            return value
    return value


def meta_from_text(text: str | None, name: str) -> dict[str, Any]:
    """Meta data of the keyword META; strings that are quantities become such.

    Raises
    ------
    FormatError
        If the text is not a JSON object.
    """
    if not text or not str(text).strip():
        return {}
    try:
        meta = json.loads(text)
    except ValueError as error:
        msg = f"HDU {name}: keyword META is not JSON ({error}): {text!r}"
        raise FormatError(msg) from error
    if not isinstance(meta, dict):
        msg = f"HDU {name}: keyword META is {text!r}, expected a JSON object."
        raise FormatError(msg)
    return {key: _decode(value) for key, value in meta.items()}
