"""Quantities that follow from stored ones, or have a rule where they are not stored."""

from __future__ import annotations

from typing import Any

import numpy as np

from geminga.errors import GeometryError, InputError
from geminga.flux.broadcast import along, lift
from geminga.maps import Map

__all__ = [
    "NAMES",
    "is_ul",
    "npred_background",
    "npred_excess_ref",
    "npred_excess_times",
    "scan_norms",
    "set_is_ul",
    "sqrt_ts",
    "ts",
]

#: Names of derived quantities that are not in the table.
NAMES = (
    "ts_scan",
    "npred_background",
    "npred_excess_ref",
    "npred_excess_err",
    "npred_excess_errn",
    "npred_excess_errp",
    "npred_excess_ul",
)


def is_ul(self: Any) -> Any:
    """Whether a value is an upper limit (`Map` of bool).

    As stored; else where the significance is below `sqrt_ts_threshold_ul`; without significances where there is a limit but no
    value.
    """
    stored = self._data.get("is_ul")
    if stored is not None:
        return stored if stored.is_mask else stored.copy(data=np.nan_to_num(stored.frozen_data.astype(float)) != 0)
    norm = self._data["norm"]
    if self.has_any_ts:
        with np.errstate(invalid="ignore"):
            data = self.sqrt_ts.frozen_data < self.sqrt_ts_threshold_ul
    elif self.has_ul:
        data = np.isfinite(self._data["norm_ul"].frozen_data) & ~np.isfinite(norm.frozen_data)
    else:
        data = np.zeros(norm.frozen_data.shape, dtype=bool)
    return Map.from_geom(self.geom, data=data)


def set_is_ul(self: Any, value: Any) -> None:
    """Decide which values are upper limits.

    Raises
    ------
    InputError
        If it is no boolean map or array.
    GeometryError
        If its shape does not fit.
    """
    data = np.asarray(getattr(value, "frozen_data", value))
    if data.dtype != bool:
        msg = f"{type(self).__name__}: is_ul holds {data.dtype}; expected a map or an array of bool."
        raise InputError(msg)
    if data.shape != tuple(self.geom.data_shape):
        msg = f"{type(self).__name__}: is_ul has shape {data.shape}; expected {tuple(map(int, self.geom.data_shape))}."
        raise GeometryError(msg)
    self._data["is_ul"] = Map.from_geom(self.geom, data=data.copy())


def ts(self: Any) -> Any:
    """Test statistic of the source, ``stat_null - stat`` (`Map`)."""
    if "ts" in self._data or not ("sqrt_ts" in self._data or {"stat", "stat_null"} <= self._data.keys()):
        return self._stored("ts")
    if "sqrt_ts" in self._data:
        root = self._data["sqrt_ts"]
        return root.copy(data=root.frozen_data.astype(float) ** 2)
    return self._data["stat_null"] - self._data["stat"]


def sqrt_ts(self: Any) -> Any:
    """Square root of the test statistic with the sign of the norm (`Map`)."""
    if "sqrt_ts" in self._data:
        return self._data["sqrt_ts"]
    value, norm = self.ts, self._data["norm"].frozen_data.astype(float)
    sign = np.where(np.isfinite(norm) & (norm < 0), -1.0, 1.0)
    return value.copy(data=sign * np.sqrt(np.clip(value.frozen_data.astype(float), 0, None)))


def ts_scan(self: Any) -> Any:
    """Rise of the fit statistic above its value at the best norm, on the axis ``norm`` (`Map`)."""
    scan, stat = self._stored("stat_scan"), self._stored("stat")
    return scan.copy(data=scan.frozen_data - lift(stat.frozen_data.astype(float), stat.geom, scan.geom))


def npred_background(self: Any) -> Any:
    """Predicted counts without the source, for each dataset (`Map`)."""
    return self._stored("npred") - self._stored("npred_excess")


def _relative(self: Any, factor: Any) -> Any:
    """`npred_excess` times a factor per bin."""
    excess = self._stored("npred_excess")
    return excess.copy(data=excess.frozen_data * lift(factor, self.geom, excess.geom))


def npred_excess_ref(self: Any) -> Any:
    """Predicted counts of the reference model, for each dataset (`Map`)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return _relative(self, 1.0 / self.norm.frozen_data.astype(float))


def npred_excess_times(self: Any, name: str) -> Any:
    """Predicted counts of the reference model times a kind of norm, for each dataset (`Map`)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = getattr(self, name).frozen_data.astype(float) / self.norm.frozen_data.astype(float)
    return _relative(self, ratio)


def scan_norms(self: Any) -> Any:
    """Norms at the nodes of `stat_scan`, of a shape which broadcasts to its data.

    Raises
    ------
    NameLookupError
        If there is no scan.
    """
    scan = self._stored("stat_scan")
    if "dnde_scan_values" in self._data:
        values = self._data["dnde_scan_values"].quantity.to_value("cm-2 s-1 TeV-1")
        reference = np.broadcast_to(self.dnde_ref.to_value("cm-2 s-1 TeV-1"), self.geom.data_shape)
        return values / lift(reference, self.geom, scan.geom)
    return along(scan.geom, "norm", scan.geom.axes["norm"].center).value
