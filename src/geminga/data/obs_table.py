"""Table of observations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table
from astropy.time import Time
from numpy.typing import NDArray

from geminga.data.event_select import elapsed_limits
from geminga.data.gti import GTI
from geminga.data.hdu_index import same_id
from geminga.data.io.index import read_index
from geminga.errors import InputError, NameLookupError, UnitError
from geminga.numerics.sphere import separation
from geminga.utils.files import reading
from geminga.utils.time import time_ref_from_dict
from geminga.utils.units import as_quantity

__all__ = ["ObservationTable"]

Mask = NDArray[np.bool_]


class ObservationTable(Table):  # type: ignore[misc]
    """Table of observations (HDUCLAS2 = OBS): one row each, with column ``OBS_ID``.

    Examples
    --------
    >>> from astropy import units as u
    >>> from astropy.coordinates import SkyCoord
    >>> from geminga.data import ObservationTable
    >>> table = ObservationTable({"OBS_ID": [1, 2], "RA_PNT": [83.6, 150.0] * u.deg, "DEC_PNT": [22.0, 2.0] * u.deg})
    >>> table.select_sky_circle(SkyCoord(83, 22, unit="deg"), 2 * u.deg)["OBS_ID"].tolist()
    [1]
    """

    @classmethod
    def read(cls, filename: str | Path, **kwargs: Any) -> ObservationTable:
        """Read from a FITS file; of rows with the same ``OBS_ID`` the first is kept.

        Parameters
        ----------
        filename : str or Path
            File.
        **kwargs
            ``hdu`` (name or number; the first table by default) and ``checksum``.

        Raises
        ------
        FormatError
            If it is not an index of observations.
        """
        with reading(filename):
            table = cls(read_index(filename, **kwargs), copy=False)
            _, first = np.unique(np.asarray(table["OBS_ID"]), return_index=True)
            return table if len(first) == len(table) else table[np.sort(first)]

    # Columns

    @property
    def pointing_radec(self) -> SkyCoord:
        """Pointings in ICRS."""
        return SkyCoord(self._angle("RA_PNT"), self._angle("DEC_PNT"), unit="deg", frame="icrs")

    @property
    def pointing_galactic(self) -> SkyCoord:
        """Pointings in galactic coordinates, from the columns where they are there."""
        if "GLON_PNT" not in self.colnames:
            return self.pointing_radec.galactic
        return SkyCoord(self._angle("GLON_PNT"), self._angle("GLAT_PNT"), unit="deg", frame="galactic")

    def _angle(self, name: str) -> Any:
        return self._values(name, u.deg)

    def _values(self, name: str, unit: u.UnitBase) -> NDArray[np.float64]:
        """Column as floats in a unit, which it has if none is given."""
        if name not in self.colnames:
            msg = f"ObservationTable has no column {name!r}; it has {', '.join(self.colnames)}."
            raise NameLookupError(msg)
        column = self[name]
        values = np.asarray(np.ma.filled(np.ma.asarray(getattr(column, "value", column)).astype(float), np.nan))
        return np.asarray(u.Quantity(values, column.unit or unit).to_value(unit))

    @property
    def time_ref(self) -> Time:
        """Reference of elapsed times."""
        return time_ref_from_dict(self.meta)

    time_start = property(lambda self: self._time("TSTART"), doc="Starts of the observations.")
    time_stop = property(lambda self: self._time("TSTOP"), doc="Ends of the observations.")

    def _time(self, name: str) -> Time:
        return self.time_ref + u.Quantity(self._values(name, u.s), "s")

    # Selections

    def select_obs_id(self, obs_id: Any) -> ObservationTable:
        """Rows of some observations, in the order asked for.

        Parameters
        ----------
        obs_id : int, str or list
            Observations.

        Raises
        ------
        NameLookupError
            If one is not in the table.
        """
        wanted: list[Any] = [obs_id] if np.isscalar(obs_id) else list(obs_id)
        rows = []
        for one in wanted:
            found = np.flatnonzero(same_id(self["OBS_ID"], one))
            if len(found) == 0:
                msg = f"No matches found for key {one}: OBS_ID is not in the table of {len(self)} observations."
                raise NameLookupError(msg)
            rows.append(found[0])
        return self[rows]

    def select_range(self, selection_variable: str, value_range: Any, inverted: bool = False) -> ObservationTable:
        """Rows by a column.

        Parameters
        ----------
        selection_variable : str
            Column.
        value_range : pair
            Limits ``[low, high)``; equal ones select this value. Bare numbers are in the unit of the column.
        inverted : bool
            Keep what lies outside.

        Raises
        ------
        NameLookupError
            If there is no such column.
        InputError
            If limits are not two in order.
        UnitError
            If units do not fit.
        """
        if selection_variable not in self.colnames:
            msg = f"ObservationTable has no column {selection_variable!r}; it has {', '.join(self.colnames)}."
            raise NameLookupError(msg)
        column = self[selection_variable]
        if column.dtype.kind in "SUO":
            msg = f"ObservationTable: column {selection_variable!r} holds text; expected numbers. Select it by comparison."
            raise InputError(msg)
        values = self._values(selection_variable, column.unit or u.dimensionless_unscaled)
        low, high = (self._limit(value, column.unit, selection_variable) for value in _pair(value_range))
        if not low <= high:
            msg = (
                f"ObservationTable: range {value_range!r} of {selection_variable!r} is not in order; give the lower limit first."
            )
            raise InputError(msg)
        mask = values == low if low == high else (values >= low) & (values < high)
        return self[mask != inverted]

    @staticmethod
    def _limit(value: Any, unit: Any, name: str) -> float:
        unit = unit or u.dimensionless_unscaled
        if not isinstance(value, (u.Quantity, str)):
            return float(value)
        try:
            return float(as_quantity(value, unit, name).value)
        except UnitError as error:
            msg = f"ObservationTable: limit {value!r} of {name!r} does not fit its unit '{unit}'."
            raise UnitError(msg) from error

    def select_time_range(self, time_range: Any, partial_overlap: bool = False, inverted: bool = False) -> ObservationTable:
        """Rows by time.

        Parameters
        ----------
        time_range : Time of length two, or pair of Time
            Limits.
        partial_overlap : bool
            Also observations of which a part is in the range.
        inverted : bool
            Keep the others.

        Raises
        ------
        InputError
            If it is not two times in order.
        """
        low, high = elapsed_limits(time_range, self.time_ref, "ObservationTable")
        start, stop = self._values("TSTART", u.s), self._values("TSTOP", u.s)
        mask = (start < high) & (stop > low) if partial_overlap else (start >= low) & (stop <= high)
        return self[mask != inverted]

    def select_sky_circle(self, center: SkyCoord, radius: Any, inverted: bool = False) -> ObservationTable:
        """Rows by pointing.

        Parameters
        ----------
        center : SkyCoord
            Centre.
        radius : Quantity or str
            Radius.
        inverted : bool
            Keep what lies outside.

        Raises
        ------
        InputError
            If the radius is negative.
        """
        limit = float(as_quantity(radius, u.deg, "radius").value)
        if not limit >= 0:
            msg = f"ObservationTable.select_sky_circle: radius is {radius}, expected 0 deg or more."
            raise InputError(msg)
        center = center.icrs
        pointing = np.deg2rad([self._values("RA_PNT", u.deg), self._values("DEC_PNT", u.deg)])
        mask = np.rad2deg(separation(center.ra.rad, center.dec.rad, *pointing)) <= limit
        return self[mask != inverted]

    def select_observations(self, selections: Any = None) -> ObservationTable:
        """Rows by several criteria, one after the other.

        Parameters
        ----------
        selections : dict or list of dict
            Each has a ``type`` and perhaps ``inverted``:
            ``sky_circle`` with ``frame``, ``lon``, ``lat``, ``radius`` and perhaps ``border`` (added to the radius);
            ``time_box`` with ``time_range`` and perhaps ``partial_overlap``;
            ``par_box`` with ``variable`` and ``value_range``.

        Raises
        ------
        NameLookupError
            If a type is not known, or a key is missing.

        Examples
        --------
        >>> from geminga.data import ObservationTable
        >>> table = ObservationTable({"OBS_ID": [1, 2, 3], "N_TELS": [3, 4, 4]})
        >>> table.select_observations({"type": "par_box", "variable": "N_TELS", "value_range": [4, 5]})["OBS_ID"].tolist()
        [2, 3]
        """
        table = self
        for selection in [selections] if isinstance(selections, dict) else list(selections or []):
            kind = selection.get("type")
            if kind not in _SELECTIONS:
                msg = f"Invalid selection type: {kind!r}; expected one of {', '.join(_SELECTIONS)}."
                raise NameLookupError(msg)
            try:
                table = _SELECTIONS[kind](table, selection)
            except KeyError as error:
                if isinstance(error, NameLookupError):
                    raise
                msg = f"Selection of type {kind!r} lacks {error}; it has {sorted(selection)}."
                raise NameLookupError(msg) from error
        return table

    def create_gti(self, obs_id: Any) -> GTI:
        """Good time interval from start to end of an observation.

        Parameters
        ----------
        obs_id : int or str
            Observation.
        """
        row = self.select_obs_id(obs_id)
        return GTI.create(row._values("TSTART", u.s) * u.s, row._values("TSTOP", u.s) * u.s, reference_time=self.time_ref)

    def summary(self) -> str:
        """Text that says what is in the table."""
        name = self.meta.get("OBSERVATORY_NAME", "N/A")
        return f"Observation table:\nObservatory name: {name!r}\nNumber of observations: {len(self)}\n"


def _pair(values: Any) -> tuple[Any, Any]:
    items = tuple(values)
    if len(items) != 2:
        msg = f"ObservationTable: range is {values!r}; expected a lower and an upper limit."
        raise InputError(msg)
    return items


def _sky_circle(table: ObservationTable, selection: dict[str, Any]) -> ObservationTable:
    lon, lat = (as_quantity(selection[key], u.deg, key) for key in ("lon", "lat"))
    radius = as_quantity(selection["radius"], u.deg, "radius") + as_quantity(selection.get("border", 0), u.deg, "border")
    center = SkyCoord(lon, lat, frame=selection.get("frame", "icrs"))
    return table.select_sky_circle(center, radius, inverted=selection.get("inverted", False))


def _time_box(table: ObservationTable, selection: dict[str, Any]) -> ObservationTable:
    options = {key: selection[key] for key in ("partial_overlap", "inverted") if key in selection}
    return table.select_time_range(selection["time_range"], **options)


def _par_box(table: ObservationTable, selection: dict[str, Any]) -> ObservationTable:
    return table.select_range(selection["variable"], selection["value_range"], inverted=selection.get("inverted", False))


_SELECTIONS: dict[str, Callable[[ObservationTable, dict[str, Any]], ObservationTable]] = {
    "sky_circle": _sky_circle,
    "time_box": _time_box,
    "par_box": _par_box,
}
