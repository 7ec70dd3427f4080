"""The layouts ``lightcurve``, a row for each time interval, and ``binned-time-series`` of astropy, which is only written."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u

from geminga.flux.io.energy import energy_columns, read_energy
from geminga.flux.io.registry import TABLE_FORMATS, TableFormat
from geminga.maps import TimeMapAxis

__all__ = ["read_light_curve_axes"]


def _mjd(time: Any) -> Any:
    return np.asarray(time.mjd, dtype=float)


def _columns(geom: Any) -> dict[str, Any]:
    axis = geom.axes["time"]
    return {"time_min": _mjd(axis.time_min), "time_max": _mjd(axis.time_max), **energy_columns(geom.axes["energy"], axis.nbin)}


def _meta(geom: Any) -> dict[str, Any]:
    scale = geom.axes["time"].reference_time.scale
    return {"MJDREFI": 0, "MJDREFF": 0.0, "TIMESYS": scale, "TIMEUNIT": "d"}


def read_light_curve_axes(table: Any) -> list[Any]:
    """Energy and time axis; times are counted in ``TIMEUNIT`` from the time reference."""
    plain = table.copy(copy_data=False)
    unit = u.Unit(str(table.meta.get("TIMEUNIT", "d")).strip() or "d")
    for name in ("time_min", "time_max"):
        if hasattr(plain[name], "unit") and plain[name].unit is None:
            plain[name].unit = unit
    return [read_energy(table, is_cell=True), TimeMapAxis.from_table(plain, format="lightcurve")]


def _series_columns(geom: Any) -> dict[str, Any]:
    axis = geom.axes["time"]
    return {"time_bin_start": axis.time_min, "time_bin_size": axis.time_delta.to("d"), **_scalar_energies(geom)}


def _scalar_energies(geom: Any) -> dict[str, Any]:
    cells = energy_columns(geom.axes["energy"], geom.axes["time"].nbin)
    return {name: values[:, 0] for name, values in cells.items()}


TABLE_FORMATS["lightcurve"] = TableFormat(
    name="lightcurve",
    marker="time_min",
    axes=("energy", "time"),
    columns=_columns,
    meta=_meta,
    read_axes=read_light_curve_axes,
)
TABLE_FORMATS["binned-time-series"] = TableFormat(
    name="binned-time-series",
    marker="time_bin_start",
    axes=("energy", "time"),
    columns=_series_columns,
    meta=lambda geom: {},
    read_axes=None,
    squeeze=True,
)
