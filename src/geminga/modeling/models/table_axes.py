"""Models of a table: its axes as parameters, its file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geminga.errors import DataError, FileError, InputError
from geminga.maps import Map
from geminga.modeling.models.base import ModelBase, build_parameters, named_file
from geminga.modeling.parameter import Parameter
from geminga.modeling.parameters import Parameters
from geminga.numerics.grid_table import multilinear, place_on_axis
from geminga.numerics.interpolation import SCALES
from geminga.utils.files import make_path

__all__ = ["GridFile", "at_parameters", "axis_parameters", "pixel_on", "read_map", "scaled_table", "values_scale"]

Array = NDArray[np.float64]


def axis_parameters(axes: Sequence[Any]) -> Parameters:
    """One parameter for each axis: in the middle, and bounded by its ends."""
    parameters = []
    for axis in axes:
        low, high = (float(bound.value) for bound in axis.bounds)
        parameters.append(Parameter(axis.name, 0.5 * (low + high), unit=axis.unit, min=low, max=high))
    return Parameters(parameters)


def pixel_on(axis: Any, x: ArrayLike) -> tuple[Array, Array]:
    """Pixel coordinate of values in the unit of an axis, and its derivative."""
    is_edges = axis.node_type == "edges"
    nodes = (axis.edges if is_edges else axis.center).value
    return place_on_axis(nodes, axis.interp, -0.5 if is_edges else 0.0, np.asarray(x, dtype=float))


def scaled_table(own: Any, last: Sequence[str], scale: str, owner: str) -> tuple[list[Any], Array]:
    """Axes of a map which are parameters, and its values on their scale, shape (*parameters, *last, n_lat, n_lon).

    Parameters
    ----------
    own : Map
        Map.
    last : list of str
        Axes which are no parameters.
    scale : str
        Scale on which values are interpolated.

    Raises
    ------
    DataError
        If a value is not finite.
    """
    data = np.asarray(own.frozen_data, dtype=float)
    if not np.isfinite(data).all():
        msg = f"{owner}: the map holds values which are not finite; remove them."
        raise DataError(msg)
    axes = list(own.geom.axes)
    names = [axis.name for axis in axes]
    parameters = [axis for axis in axes if axis.name not in last]
    # The axes of the array are those of the map in reverse, then the sky.
    data = data.reshape(*[axis.nbin for axis in axes][::-1], *data.shape[len(axes) :])
    order = [len(axes) - 1 - names.index(axis.name) for axis in parameters]
    order += [len(axes) - 1 - names.index(name) for name in last]
    table = data.transpose(*order, *range(len(axes), data.ndim))
    return parameters, SCALES[scale].forward(table)


def at_parameters(table: Array, axes: Sequence[Any], values: Sequence[float], scale: str) -> tuple[Array, Array]:
    """Value and gradient by the parameters (in the units of their axes) of a table, shapes (n,) and (n_par, n)."""
    pairs = [pixel_on(axis, value) for axis, value in zip(axes, values, strict=True)]
    nodes = [np.arange(axis.nbin, dtype=float) for axis in axes]
    inner, gradient = multilinear(table, nodes, [float(pix) for pix, _ in pairs])
    value = SCALES[scale].inverse(inner)
    outer = {"lin": np.ones_like(inner), "log": value, "sqrt": 2 * np.abs(inner)}[scale]
    slopes = np.array([float(slope) for _, slope in pairs])
    return value, gradient * outer * slopes[:, None]


def values_scale(interp_kwargs: Mapping[str, Any] | None, owner: str) -> str:
    """Scale on which values are interpolated, from the interpolation settings of a user.

    Raises
    ------
    InputError
        If a setting is unknown.
    """
    given = dict(interp_kwargs or {})
    scale = given.pop("values_scale", "log")
    unknown = set(given) - {"method", "fill_value", "bounds_error", "extrapolate"}
    if unknown or scale not in SCALES:
        what = f"unknown {', '.join(sorted(unknown))}" if unknown else f"values_scale {scale!r}"
        msg = f"{owner}: interp_kwargs has {what}; expected values_scale of {', '.join(SCALES)}."
        raise InputError(msg)
    return str(scale)


class GridFile(ModelBase):
    """Base of models of a map on a grid of parameters: the map stands in a file of its own, which model files name."""

    _shared: ClassVar[frozenset[str]] = frozenset({"_map", "_table"})
    _read_options: ClassVar[dict[str, Any]] = {}
    """Arguments for a map that nobody else has."""
    _map: Any
    filename: str | None

    @property
    def map(self) -> Any:
        """The map."""
        return self._map

    def write(self, overwrite: bool = False, filename: Any = None) -> None:
        """Write the map to its file.

        Parameters
        ----------
        overwrite : bool
            Replace the file.
        filename : path, optional
            File; that of the model if not given.

        Raises
        ------
        FileError
            If there is no file name, or the file exists and `overwrite` is false.
        """
        target = self.filename if filename is None else filename
        if target is None:
            msg = f"{type(self).__name__} has no filename; set model.filename, or give one."
            raise FileError(msg)
        self._map.write(target, overwrite=overwrite)
        self.filename = str(make_path(target))

    def to_dict(self, full_output: bool = False) -> dict[str, Any]:
        """Plain dictionary, as it stands in model files; the map stands in its file."""
        data = super().to_dict(full_output)
        data[str(self._type)].update({"filename": self.filename, "unit": str(self._map.unit)})
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], **kwargs: Any) -> Self:
        """Make a model from a dictionary as `to_dict` gives it, reading its map.

        Raises
        ------
        FormatError
            If the dictionary names no file.
        """
        entry = cls._entry(data, kwargs)
        new = cls(map=read_map(entry, cls.__name__), filename=entry["filename"], **cls._read_options, **kwargs)
        return new._holding(build_parameters(entry.get("parameters") or [], new.default_parameters, cls.__name__))

    @classmethod
    def from_parameters(cls, parameters: Iterable[Parameter], **kwargs: Any) -> Self:
        """Make a model which holds these parameters; the map is needed."""
        return cls(**kwargs)._holding(parameters)


def read_map(entry: Mapping[str, Any], owner: str) -> Any:
    """Map which an entry of a model file names, with the unit of the entry if its file has none.

    Raises
    ------
    FormatError
        If the entry names no file.
    """
    own = Map.read(named_file(entry, "map", owner))
    if entry.get("unit") and str(own.unit) == "":
        own = Map.from_geom(own.geom, data=own.frozen_data, unit=entry["unit"])
    return own
