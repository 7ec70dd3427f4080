"""A tabulated light curve, which may depend on energy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from astropy import units as u
from astropy.time import Time
from numpy.typing import ArrayLike, NDArray

from geminga.errors import DataError, FileError, InputError, UnsupportedError
from geminga.maps import Map
from geminga.modeling.models.base import build_parameters, named_file
from geminga.modeling.models.coordinates import as_energy
from geminga.modeling.models.derivative import Evaluator, Result
from geminga.modeling.models.temporal import plot as figures
from geminga.modeling.models.temporal.base import TemporalModel
from geminga.modeling.models.temporal.light_curve_io import find_light_curve_format, map_of_table, table_of_map
from geminga.modeling.models.temporal.shape import since
from geminga.modeling.parameter import Parameter
from geminga.numerics.light_curve_tables import TimeTable, steps
from geminga.utils.files import make_path, reading

__all__ = ["LightCurveTemplateTemporalModel"]

Array = NDArray[np.float64]

_METHODS = ("linear", "nearest")
_SCALES = ("lin", "log", "sqrt")


class LightCurveTemplateTemporalModel(TemporalModel):
    """Light curve given at nodes in time, interpolated between; zero before the first and after the last.

    On a time axis with bins the values are those of the centres, and the ends are those of the outer bins. With an axis
    "energy" or "energy_true" the light curve depends on energy; it is interpolated as power laws, also beyond the axis.

    Parameters
    ----------
    map : `~geminga.maps.RegionNDMap`
        Map with the axis "time", since the reference time, and perhaps an energy axis; dimensionless.
    t_ref : `~astropy.time.Time`, optional
        Reference time, default MJD 51544 (UTC).
    filename : str, optional
        File, for model files.
    method : {"linear", "nearest"}
        Interpolation in time, default "linear".
    values_scale : {"lin", "log", "sqrt"}
        Scale on which values are interpolated; default "lin", or "log" for light curves which depend on energy.

    Raises
    ------
    InputError
        If the map has no time axis, or a setting is unknown.
    DataError
        If a value is negative or not finite.

    Examples
    --------
    >>> from astropy.table import Table
    >>> from astropy.time import Time
    >>> from geminga.modeling.models import LightCurveTemplateTemporalModel
    >>> table = Table({"TIME": [0.0, 1.0, 2.0], "NORM": [1.0, 3.0, 1.0]}, units={"TIME": "d"})
    >>> table.meta = {"MJDREFI": 55555, "MJDREFF": 0.0, "TIMESYS": "utc"}
    >>> model = LightCurveTemplateTemporalModel.from_table(table)
    >>> print(model.integral(Time(55555, format="mjd"), Time(55556, format="mjd")))
    2.0
    """

    tag = ["LightCurveTemplateTemporalModel", "template"]
    _dict_keys = frozenset({"type", "parameters", "scale", "filename", "format", "unit", "method", "values_scale"})
    _shared = frozenset({"map"})
    t_ref = Parameter("t_ref", 51544.0, unit="d", frozen=True)

    def __init__(
        self, map: Any, t_ref: Any = None, filename: Any = None, method: str | None = None, values_scale: str | None = None
    ) -> None:
        if not isinstance(map, Map) or "time" not in map.geom.axes.names:
            what = f"axes {map.geom.axes.names}" if isinstance(map, Map) else f"a {type(map).__name__}"
            msg = f"LightCurveTemplateTemporalModel got {what}; expected a map with the axis 'time' (read reads a file)."
            raise InputError(msg)
        data = np.asarray(map.frozen_data, dtype=float)
        if not (np.isfinite(data).all() and (data >= 0).all()):
            msg = f"LightCurveTemplateTemporalModel: values from {np.min(data)} to {np.max(data)}; "
            msg += "expected finite values which are not negative."
            raise DataError(msg)
        super().__init__()
        self.map = map.copy()
        self.filename = None if filename is None else str(make_path(filename))
        self.method = _known(method or "linear", _METHODS, "method")
        self.values_scale = _known(values_scale or self._default_scale, _SCALES, "values_scale")
        # How the file holds it; a table has nodes without bins.
        self._format = "map" if self.is_energy_dependent or self.map.geom.axes["time"].node_type == "edges" else "table"
        if t_ref is not None:
            self.reference_time = t_ref

    # The table --------------------------------------------------------------------------------------------------------

    @property
    def _energy_axis(self) -> Any:
        return next((axis for axis in self.map.geom.axes if axis.name in {"energy", "energy_true"}), None)

    @property
    def is_energy_dependent(self) -> bool:
        """Whether it depends on energy."""
        return self._energy_axis is not None

    @property
    def _break_energies(self) -> tuple[float, ...]:
        axis = self._energy_axis
        return () if axis is None else tuple(axis.center.to_value("TeV").tolist())

    @property
    def _default_scale(self) -> str:
        return "log" if self.is_energy_dependent else "lin"

    def _values(self, energy: Array | None) -> Array:
        """Values at the nodes for energies in TeV (all of the map if None), shape (n_energy, n_time)."""
        data = np.asarray(self.map.quantity.to_value(""), dtype=float)
        names = [axis.name for axis in self.map.geom.axes]
        data = data.reshape([axis.nbin for axis in self.map.geom.axes][::-1])
        axis = self._energy_axis
        if axis is None:
            return data.reshape(1, -1)
        table = data if names.index(axis.name) > names.index("time") else data.T
        if energy is None or axis.nbin == 1:
            return table if energy is None else np.broadcast_to(table, (len(energy), table.shape[1]))
        nodes, x = np.log(axis.center.to_value("TeV")), np.log(energy)
        i = np.clip(np.searchsorted(nodes, x) - 1, 0, len(nodes) - 2)
        t = ((x - nodes[i]) / (nodes[i + 1] - nodes[i]))[:, None]
        forward, backward = _TRANSFORMS[self.values_scale]
        scaled = forward(table)
        return np.clip(backward(scaled[i] + t * (scaled[i + 1] - scaled[i])), 0, None)

    def _table(self, energy: Array | None) -> TimeTable:
        axis = self.map.geom.axes["time"]
        nodes, edges = axis.center.to_value("d"), axis.edges.to_value("d")
        low, high = (edges[0], edges[-1]) if axis.node_type == "edges" else (nodes[0], nodes[-1])
        values = self._values(energy)
        if self.method == "nearest" or len(nodes) == 1:
            return TimeTable(*steps(nodes, values, low, high))
        if low < nodes[0]:
            forward, backward = _TRANSFORMS[self.values_scale]
            own = forward(values)
            ends = [(low - nodes[0]) / (nodes[1] - nodes[0]), (high - nodes[-1]) / (nodes[-1] - nodes[-2])]
            first = backward(own[:, 0] + ends[0] * (own[:, 1] - own[:, 0]))
            last = backward(own[:, -1] + ends[1] * (own[:, -1] - own[:, -2]))
            values = np.clip(np.column_stack([first, values, last]), 0, None)
            nodes = np.concatenate([[low], nodes, [high]])
        return TimeTable(nodes, values, self.values_scale)

    def evaluate(self, time: Any, t_ref: Any = None, energy: Any = None) -> u.Quantity:
        """Evaluate at times (MJD, d), shape of `time`; with an energy axis shape (n_energy, ...)."""
        x = since(time, self.t_ref.quantity if t_ref is None else t_ref)
        own = None if energy is None else np.ravel(np.asarray(as_energy(energy).to_value("TeV"), dtype=float))
        value = self._table(own).value(np.ravel(x))
        shape = (len(value), *x.shape) if self.is_energy_dependent else x.shape
        return u.Quantity(value.reshape(shape), "")

    def __call__(self, time: Any, energy: Any = None, **kwargs: Any) -> u.Quantity:
        """Evaluate at times.

        Parameters
        ----------
        time : `~astropy.time.Time`
            Times.
        energy : Quantity, optional
            Energies; those of the map if not given.

        Returns
        -------
        value : Quantity
            Shape of `time`; with an energy axis shape (n_energy, ...).
        """
        return self.evaluate(u.Quantity(getattr(Time(time), self.scale).mjd, "d"), energy=energy)

    def _interval_evaluator(self, low: Array, high: Array, origin: float, energy: Array | None, n_nodes: int) -> Evaluator:
        table = self._table(energy)
        to_days = self.t_ref.unit.to("d")

        def evaluate(values: ArrayLike) -> Result:
            reference = float(np.asarray(values, dtype=float)[0]) * to_days - origin
            a, b = low - reference, high - reference
            value = table.integral_to(b) - table.integral_to(a)
            slope = (table.value(a) - table.value(b)) * to_days
            if not self.is_energy_dependent:
                value, slope = value[0], slope[0]
            return value, slope[None]

        return evaluate

    def plot(self, time_range: Any, ax: Any = None, n_points: int = 100, energy: Any = None, **kwargs: Any) -> Any:
        """Plot the model; one line for each energy (those of the map if not given). See `TemporalModel.plot`."""
        return figures.plot_energies(self, time_range, ax=ax, n_points=n_points, energy=energy, **kwargs)

    # Files ------------------------------------------------------------------------------------------------------------

    @classmethod
    def from_table(cls, table: Any, filename: Any = None) -> LightCurveTemplateTemporalModel:
        """Make a model from a table.

        Parameters
        ----------
        table : `~astropy.table.Table`
            Columns TIME and NORM; ``MJDREFI``, ``MJDREFF`` and ``TIMESYS`` in its meta data.
        filename : str, optional
            File, for model files.

        Raises
        ------
        FormatError
            If a column or the reference time is missing.
        """
        own, reference = map_of_table(table)
        return cls(own, t_ref=reference, filename=filename)

    def to_table(self) -> Any:
        """Table with columns TIME and NORM.

        Raises
        ------
        UnsupportedError
            If the light curve depends on energy.
        """
        if self.is_energy_dependent:
            msg = "A light curve which depends on energy has no table of TIME and NORM; use format='map'."
            raise UnsupportedError(msg)
        return table_of_map(self.map, self.reference_time)

    @classmethod
    def read(cls, filename: Any, format: str = "table") -> LightCurveTemplateTemporalModel:
        """Read a model from a FITS file.

        Parameters
        ----------
        filename : path
            File.
        format : {"table", "map"}
            Format.

        Raises
        ------
        FileError, FormatError
            If it cannot be read, or lacks what the format requires.
        """
        with reading(filename):
            own, reference = find_light_curve_format(format).read(filename)
            new = cls(own, t_ref=reference, filename=filename)
        new._format = format
        return new

    def write(self, filename: Any = None, format: str = "table", overwrite: bool = False) -> None:
        """Write to a FITS file.

        Parameters
        ----------
        filename : path, optional
            File; that of the model if not given.
        format : {"table", "map"}
            Format; light curves which depend on energy need "map".
        overwrite : bool
            Replace the file.

        Raises
        ------
        FileError
            If there is no file name, or the file exists and `overwrite` is false.
        UnsupportedError
            If the format cannot hold it.
        """
        target = self.filename if filename is None else filename
        if target is None:
            msg = "LightCurveTemplateTemporalModel has no filename; set model.filename, or give one."
            raise FileError(msg)
        if format == "table" and self.is_energy_dependent:
            msg = "A light curve which depends on energy cannot be written as a table; give format='map'."
            raise UnsupportedError(msg)
        find_light_curve_format(format).write(self.map, self.reference_time, target, overwrite)
        self.filename, self._format = str(make_path(target)), format

    @property
    def _write_options(self) -> dict[str, Any]:
        """Arguments of `write` when a model file is written."""
        return {"format": self._format}

    def to_dict(self, full_output: bool = False, format: str | None = None) -> dict[str, Any]:
        """Plain dictionary, as it stands in model files; the light curve itself stands in its file.

        Parameters
        ----------
        full_output : bool
            Also give what is as by default.
        format : {"table", "map"}, optional
            Format of the file.
        """
        data = super().to_dict(full_output)
        own = {"filename": self.filename, "format": format or self._format, "unit": str(self.map.unit)}
        data["temporal"].update(own)
        for name, default in (("method", "linear"), ("values_scale", self._default_scale)):
            if getattr(self, name) != default:
                data["temporal"][name] = getattr(self, name)
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], **kwargs: Any) -> LightCurveTemplateTemporalModel:
        """Make a model from a dictionary as `to_dict` gives it, reading its file.

        Raises
        ------
        FormatError
            If the dictionary names no file.
        """
        entry = cls._entry(data, kwargs)
        new = cls.read(named_file(entry, "light curve", cls.__name__), format=entry.get("format", "table"))
        new.scale = entry.get("scale", new.scale)
        for name, known in (("method", _METHODS), ("values_scale", _SCALES)):
            if name in entry:
                setattr(new, name, _known(entry[name], known, name))
        if entry.get("parameters"):
            parameters = build_parameters(entry["parameters"], cls.default_parameters, cls.__name__)
            new._hold(parameters["t_ref"])
        return new

    def __str__(self) -> str:
        axis, values = self.map.geom.axes["time"], self.map.frozen_data
        ends = axis.edges if axis.node_type == "edges" else axis.center
        start, stop = (self.reference_time + end for end in (ends[0], ends[-1]))
        text = (
            f"{type(self).__name__} model summary:\n"
            f" Reference time: {self.reference_time.mjd} MJD \n"
            f" Start time: {start.mjd} MJD \n"
            f" End time: {stop.mjd} MJD \n"
            f" Norm min: {np.min(values)} \n"
            f" Norm max: {np.max(values)}"
        )
        if self.is_energy_dependent:
            center = self._energy_axis.center
            text += f"\n Energy min: {center[0]} \n Energy max: {center[-1]} \n"
        return text


_TINY = float(np.finfo(float).tiny)
_TRANSFORMS: dict[str, Any] = {
    "lin": (np.asarray, np.asarray),
    "log": (lambda v: np.log(np.maximum(v, _TINY)), np.exp),
    "sqrt": (np.sqrt, np.square),
}


def _known(value: str, known: tuple[str, ...], name: str) -> str:
    if value not in known:
        msg = f"LightCurveTemplateTemporalModel: {name} {value!r} is unknown; expected one of {', '.join(known)}."
        raise InputError(msg)
    return value
