"""Spectra tabulated against energy and parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from astropy import units as u

from geminga.errors import DataError, FileError, FormatError, InputError
from geminga.maps import Map
from geminga.modeling.models.base import build_parameters
from geminga.modeling.models.derivative import canonical_unit
from geminga.modeling.models.spectral.base import Array, Formula, SpectralModel, as_energy
from geminga.modeling.models.table_axes import axis_parameters, place_of, scaled_nodes
from geminga.modeling.parameter import Parameter
from geminga.modeling.parameters import Parameters
from geminga.numerics.grid_table import along_last, multilinear
from geminga.numerics.interpolation import SCALES
from geminga.utils.files import make_path

__all__ = ["TemplateNDSpectralModel"]


class TemplateNDSpectralModel(SpectralModel):
    """Spectra on a grid of parameters, interpolated.

    Each axis of the map other than the energy is a parameter, which starts in the middle of the axis and is bounded by it.
    Energies are interpolated as power laws, parameters on the scale of their axis, both also beyond the axes.

    Parameters
    ----------
    map : `~geminga.maps.RegionNDMap`
        Map with one pixel, the axis "energy_true" and further axes.
    interp_kwargs : dict, optional
        ``values_scale``: scale on which values are interpolated, "log" (default), "lin" or "sqrt".
    meta : dict, optional
        Meta data.
    filename : str, optional
        File of the map, for model files.

    Raises
    ------
    InputError
        If the map has no energy axis or more than one pixel.
    DataError
        If a value is not finite.

    Examples
    --------
    >>> from astropy import units as u
    >>> from geminga.maps import MapAxis, RegionNDMap
    >>> from geminga.modeling.models import TemplateNDSpectralModel
    >>> energy = MapAxis.from_nodes([1, 100] * u.TeV, name="energy_true", interp="log")
    >>> cutoff = MapAxis.from_nodes([10, 30], name="cutoff")
    >>> data = [[1e-12, 1e-16], [1e-12, 1e-14]]
    >>> map = RegionNDMap.create(region=None, axes=[energy, cutoff], data=data, unit="cm-2 s-1 TeV-1")
    >>> model = TemplateNDSpectralModel(map)
    >>> print(model.cutoff.value, model(100 * u.TeV).round(20))
    20.0 1e-15 1 / (TeV s cm2)
    """

    tag = ["TemplateNDSpectralModel", "templateND"]
    _dict_keys = frozenset({"type", "parameters", "filename", "unit"})
    _shared: ClassVar[frozenset[str]] = frozenset({"_map", "_table"})

    def __init__(self, map: Any, interp_kwargs: Mapping[str, Any] | None = None, meta: Any = None, filename: Any = None) -> None:
        if not isinstance(map, Map) or "energy_true" not in map.geom.axes.names:
            what = f"axes {map.geom.axes.names}" if isinstance(map, Map) else f"a {type(map).__name__}"
            msg = f"TemplateNDSpectralModel got {what}; expected a map with the axis 'energy_true'."
            raise InputError(msg)
        self._map = map.copy()
        self.meta = {} if meta is None else meta
        self.filename = None if filename is None else str(make_path(filename))
        self._scale = _values_scale(interp_kwargs)
        self._axes = [axis for axis in self._map.geom.axes if axis.name != "energy_true"]
        self._table = self._make_table()
        self.default_parameters = axis_parameters(self._axes)
        super().__init__()

    def _make_table(self) -> Array:
        """Values on their scale, shape (*parameters, n_energy), in the order of the axes of the map."""
        axes = list(self._map.geom.axes)
        shape = [axis.nbin for axis in axes][::-1]
        data = np.asarray(self._map.frozen_data, dtype=float)
        if data.size != int(np.prod(shape)):
            msg = f"TemplateNDSpectralModel: the map has {data.size // int(np.prod(shape))} pixels; expected one."
            raise InputError(msg)
        if not np.isfinite(data).all():
            msg = "TemplateNDSpectralModel: the map holds values which are not finite; remove them."
            raise DataError(msg)
        # Numpy order is the reverse of the axes; energy last, the parameters in order.
        table = data.reshape(shape).transpose()
        table = np.moveaxis(table, [axis.name for axis in axes].index("energy_true"), -1)
        return SCALES[self._scale].forward(table)

    @property
    def map(self) -> Any:
        """The map."""
        return self._map

    @property
    def is_norm_spectral_model(self) -> bool:
        """Whether the table has no unit, so that it is a factor on another spectrum."""
        return bool(self._map.unit == u.dimensionless_unscaled)

    @property
    def _log_energy(self) -> Array:
        return np.log(self._map.geom.axes["energy_true"].center.to_value("TeV"))

    def _at(self, table: Array, values: Sequence[float]) -> tuple[Array, Array]:
        """Values in the map's unit at the energies of a table, and gradient by the parameters in the units of the axes."""
        point, slopes = place_of(self._axes, values)
        inner, gradient = multilinear(table, scaled_nodes(self._axes), point)
        value = SCALES[self._scale].inverse(inner)
        outer = {"lin": np.ones_like(inner), "log": value, "sqrt": 2 * np.abs(inner)}[self._scale]
        return value, gradient * outer * np.array(slopes)[:, None]

    def __call__(self, energy: Any) -> u.Quantity:
        """Evaluate the model at `energy`."""
        return self.evaluate(as_energy(energy), *(par.quantity for par in self.parameters))

    def evaluate(self, energy: Any, *args: Any, **named: Any) -> u.Quantity:
        """Evaluate for values of the parameters in the order of the axes."""
        energy = as_energy(energy)
        given = args or tuple(named.values())
        values = [float(u.Quantity(value).to_value(axis.unit)) for value, axis in zip(given, self._axes, strict=True)]
        x = np.log(np.asarray(energy.to_value("TeV"), dtype=float))
        value, _ = self._at(along_last(self._table, self._log_energy, np.ravel(x)), values)
        return u.Quantity(value.reshape(x.shape), self._map.unit)

    def _dnde_formula(self, x: Array) -> Formula:
        table = along_last(self._table, self._log_energy, x)
        factor = float(self._map.unit.to(canonical_unit(self._map.unit)))
        # The formula is called with canonical values.
        to_axis = [float(canonical_unit(axis.unit).to(axis.unit)) for axis in self._axes]

        def formula(*canonical: float) -> tuple[Array, Array]:
            value, gradient = self._at(table, [c * f for c, f in zip(canonical, to_axis, strict=True)])
            return value * factor, gradient * factor * np.array(to_axis)[:, None]

        return formula

    def _break_energies(self, values: Array) -> Sequence[float]:
        return tuple(np.exp(self._log_energy).tolist())

    # Files ------------------------------------------------------------------------------------------------------------

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
            msg = "TemplateNDSpectralModel has no filename; set model.filename, or give one."
            raise FileError(msg)
        self._map.write(target, overwrite=overwrite)
        self.filename = str(make_path(target))

    def to_dict(self, full_output: bool = False) -> dict[str, Any]:
        """Plain dictionary, as it stands in model files; the map stands in its file."""
        data = super().to_dict(full_output)
        data["spectral"].update({"filename": self.filename, "unit": str(self._map.unit)})
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
        if not entry.get("filename"):
            msg = "TemplateNDSpectralModel: the entry has no 'filename'; expected the file of the map."
            raise FormatError(msg)
        own = Map.read(entry["filename"])
        if entry.get("unit") and own.unit == u.dimensionless_unscaled:
            own = Map.from_geom(own.geom, data=own.frozen_data, unit=entry["unit"])
        new = cls(own, filename=entry["filename"], **kwargs)
        for par in build_parameters(entry.get("parameters") or [], new.default_parameters, cls.__name__):
            new._hold(par)
        return new

    @classmethod
    def from_parameters(cls, parameters: Iterable[Parameter], **kwargs: Any) -> Self:
        """Make a model which holds these parameters; the map is needed."""
        new = cls(**kwargs)
        for par in Parameters(parameters):
            new._hold(par)
        return new


def _values_scale(interp_kwargs: Mapping[str, Any] | None) -> str:
    given = dict(interp_kwargs or {})
    scale = given.pop("values_scale", "log")
    unknown = set(given) - {"method", "fill_value", "bounds_error", "extrapolate"}
    if unknown or scale not in SCALES:
        what = f"unknown {', '.join(sorted(unknown))}" if unknown else f"values_scale {scale!r}"
        msg = f"TemplateNDSpectralModel: interp_kwargs has {what}; expected values_scale of {', '.join(SCALES)}."
        raise InputError(msg)
    return str(scale)
