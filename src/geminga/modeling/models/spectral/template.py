"""Tabulated spectra."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import DataError, FormatError, InputError, UnitError
from geminga.modeling.models.coordinates import as_energy
from geminga.modeling.models.derivative import canonical_unit
from geminga.modeling.models.spectral.base import Array, Formula, SpectralModel
from geminga.numerics.interpolation import SCALES
from geminga.numerics.quadrature import log_panels
from geminga.numerics.spectra_table import table_integral, table_value

__all__ = ["TemplateSpectralModel"]

_TINY = float(np.finfo(float).tiny)


def _interp_kwargs(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Interpolation settings with their defaults; unknown ones are refused."""
    settings: dict[str, Any] = {"values_scale": "log", "points_scale": ("log",), "extrapolate": True, "method": "linear"}
    unknown = set(given or {}) - {*settings, "fill_value", "bounds_error", "axis", "clip"}
    if unknown:
        msg = f"TemplateSpectralModel: unknown interp_kwargs {', '.join(sorted(unknown))}; known: {', '.join(settings)}."
        raise InputError(msg)
    scale = (given or {}).get("values_scale", "log")
    if scale not in SCALES:
        msg = f"TemplateSpectralModel: values_scale is {scale!r}; expected one of {', '.join(SCALES)}."
        raise InputError(msg)
    return {**settings, **(given or {})}


class TemplateSpectralModel(SpectralModel):
    """Table of values, interpolated as power laws.

    Beyond the table the end power laws go on. A table with one node is a constant.

    Parameters
    ----------
    energy : Quantity
        Energies of the nodes, increasing, shape (n,).
    values : Quantity
        Values at the nodes, shape (n,).
    interp_kwargs : dict, optional
        ``values_scale`` ("log", "lin" or "sqrt") and ``extrapolate`` (False: 0 outside of the table).
    meta : dict, optional
        Meta data.

    Raises
    ------
    DataError
        If the energies do not increase or the shapes differ.

    Examples
    --------
    >>> from astropy import units as u
    >>> from geminga.modeling.models import TemplateSpectralModel
    >>> model = TemplateSpectralModel([1, 100] * u.TeV, [1, 1e-4] * u.Unit("cm-2 s-1 TeV-1"))
    >>> print(model(10 * u.TeV).round(6))
    0.01 1 / (TeV s cm2)
    """

    tag = ["TemplateSpectralModel", "template"]
    _dict_keys = frozenset({"type", "parameters", "energy", "values"})

    def __init__(self, energy: Any, values: Any, interp_kwargs: Any = None, meta: Any = None) -> None:
        self.energy = np.atleast_1d(as_energy(energy, "TemplateSpectralModel: energy"))
        self.values = np.atleast_1d(u.Quantity(values, copy=False))
        self.meta = {} if meta is None else meta
        self._settings = _interp_kwargs(interp_kwargs)
        nodes = self.energy.to_value("TeV")  # type: ignore[attr-defined]
        if nodes.ndim != 1 or nodes.shape != self.values.shape or len(nodes) == 0:
            msg = f"TemplateSpectralModel: energy has shape {nodes.shape}, values {self.values.shape}; expected one 1-D shape."
            raise DataError(msg)
        if not (np.all(nodes > 0) and np.all(np.diff(nodes) > 0) and np.all(np.isfinite(self.values.value))):  # type: ignore[attr-defined]
            msg = (
                "TemplateSpectralModel: expected positive, increasing energies and finite values; sort the table and remove NaN."
            )
            raise DataError(msg)
        super().__init__()

    @property
    def _nodes(self) -> NDArray[np.float64]:
        return np.log(self.energy.to_value("TeV"))  # type: ignore[attr-defined]

    @property
    def _is_power_law(self) -> bool:
        return bool(self._settings["values_scale"] == "log" and self._settings["extrapolate"])

    def _table(self, x: Array) -> Array:
        """Values in their own unit at ``x = ln(E / TeV)``."""
        nodes, values = self._nodes, self.values.value.astype(float)  # type: ignore[attr-defined]
        scale = self._settings["values_scale"]
        if scale == "log":
            result = table_value(x, nodes, np.log(np.clip(values, _TINY, None)))
        elif len(nodes) == 1:
            result = np.full_like(x, values[0])
        else:
            forward = np.sqrt(np.clip(values, 0, None)) if scale == "sqrt" else values
            i = np.clip(np.searchsorted(nodes, x, side="right") - 1, 0, len(nodes) - 2)
            t = (x - nodes[i]) / (nodes[i + 1] - nodes[i])
            result = forward[i] + t * (forward[i + 1] - forward[i])
            result = result**2 if scale == "sqrt" else result
        if not self._settings["extrapolate"]:
            result = np.where((x < nodes[0]) | (x > nodes[-1]), 0.0, result)
        # Values at the floor of the logarithm are zeros of the table.
        return np.where(result <= 1e-290, 0.0, result)

    def evaluate(self, energy: Any) -> u.Quantity:
        """Interpolate the table."""
        energy = as_energy(energy)
        return u.Quantity(self._table(np.log(energy.to_value("TeV"))), self.values.unit)  # type: ignore[attr-defined]

    def _dnde_formula(self, x: Array) -> Formula:
        value = self._table(x) * self._scale
        return lambda: (value.copy(), np.zeros((0, len(x))))

    @property
    def _scale(self) -> float:
        return float(self.values.unit.to(canonical_unit(self.values.unit)))  # type: ignore[attr-defined]

    def _integral_formula(self, low: Array, high: Array, power: int) -> Formula:
        if self._is_power_law:
            log_values = np.log(np.clip(self.values.value.astype(float), _TINY, None))  # type: ignore[attr-defined]
            value = table_integral(low, high, self._nodes, log_values, power)
        else:
            rule = log_panels(low, high, self._break_energies(np.zeros(0)), energy_power=power)
            value = rule.integrate(self._table(rule.log_energy))
        value = value * self._scale
        return lambda: (value.copy(), np.zeros((0, len(value))))

    def _break_energies(self, values: Array) -> Sequence[float]:
        return tuple(self.energy.to_value("TeV").tolist())  # type: ignore[attr-defined]

    def to_dict(self, full_output: bool = False) -> dict[str, Any]:
        """Plain dictionary, as it stands in model files."""
        return {
            "spectral": {
                "type": self.tag[0],
                "parameters": [],
                "energy": {"data": self.energy.value.tolist(), "unit": str(self.energy.unit)},  # type: ignore[attr-defined]
                "values": {"data": self.values.value.tolist(), "unit": str(self.values.unit)},  # type: ignore[attr-defined]
            }
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], **kwargs: Any) -> Self:
        """Make a model from a dictionary as `to_dict` gives it.

        Raises
        ------
        FormatError
            If energies or values are missing.
        """
        entry = cls._entry(data, kwargs)
        return cls(energy=read_column(entry, "energy", cls.__name__), values=read_column(entry, "values", cls.__name__), **kwargs)

    @classmethod
    def from_region_map(cls, map: Any, **kwargs: Any) -> Self:
        """Make a model from a map with one pixel and an energy axis.

        Parameters
        ----------
        map : `~geminga.maps.RegionNDMap`
            Map with the axis "energy_true" or "energy".
        **kwargs
            Passed on.
        """
        names = [name for name in ("energy_true", "energy") if name in map.geom.axes.names]
        if not names:
            msg = f"TemplateSpectralModel: the map has axes {map.geom.axes.names}; expected 'energy_true' or 'energy'."
            raise InputError(msg)
        return cls(energy=map.geom.axes[names[0]].center, values=u.Quantity(np.ravel(map.data), map.unit), **kwargs)

    @classmethod
    def read_xspec_model(cls, filename: Any, param: float, **kwargs: Any) -> Self:
        """Read an XSPEC table model with one parameter.

        Parameters
        ----------
        filename : path
            FITS file with the tables "PARAMETERS", "ENERGIES" and "SPECTRA".
        param : float
            Value of the parameter; the nearest spectrum is taken.
        **kwargs
            Passed on.

        Raises
        ------
        FormatError
            If a table is missing.
        """
        from geminga.utils.files import read_fits, reading

        with reading(filename):
            return cls._from_xspec(read_fits(filename), param, **kwargs)

    @classmethod
    def _from_xspec(cls, hdus: Any, param: float, **kwargs: Any) -> Self:
        missing = [name for name in ("ENERGIES", "SPECTRA") if name not in hdus]
        if missing:
            msg = f"HDU {', '.join(missing)} is missing; expected an XSPEC table model."
            raise FormatError(msg)
        energies, spectra = hdus["ENERGIES"].data, hdus["SPECTRA"].data
        energy = u.Quantity(np.sqrt(np.asarray(energies["ENERG_LO"], float) * np.asarray(energies["ENERG_HI"], float)), "keV")
        nearest = int(np.argmin(np.abs(np.ravel(spectra["PARAMVAL"]) - param)))
        width = u.Quantity(np.asarray(energies["ENERG_HI"], float) - np.asarray(energies["ENERG_LO"], float), "keV")
        values = u.Quantity(np.asarray(spectra["INTPSPEC"][nearest], float), "cm-2 s-1") / width
        return cls(energy=energy, values=values, **kwargs)


def read_column(entry: Mapping[str, Any], key: str, owner: str) -> u.Quantity:
    """Read ``{data: [...], unit: ...}``.

    Raises
    ------
    FormatError, UnitError
        If it is not of this form.
    """
    column = entry.get(key)
    if not isinstance(column, Mapping) or "data" not in column:
        msg = f"{owner}: {key!r} is {column!r}; expected a mapping with 'data' and 'unit'."
        raise FormatError(msg)
    try:
        return u.Quantity(np.asarray(column["data"], dtype=float), column.get("unit", ""))
    except (ValueError, TypeError) as error:
        msg = f"{owner}: {key!r} cannot be read; expected a list of numbers and a unit, got unit {column.get('unit')!r}."
        raise UnitError(msg) from error
