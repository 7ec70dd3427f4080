"""Spectra tabulated against energy and parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from astropy import units as u

from geminga.errors import InputError
from geminga.maps import Map
from geminga.modeling.models.coordinates import as_energy
from geminga.modeling.models.derivative import canonical_unit
from geminga.modeling.models.spectral.base import Array, Formula, SpectralModel
from geminga.modeling.models.table_axes import (
    GridFile,
    at_parameters,
    axis_parameters,
    pixel_on,
    scaled_table,
    values_scale,
)
from geminga.numerics.grid_table import along_last
from geminga.utils.files import make_path

__all__ = ["TemplateNDSpectralModel"]


class TemplateNDSpectralModel(GridFile, SpectralModel):
    """Spectra on a grid of parameters, interpolated.

    Each axis of the map other than the energy is a parameter, which starts in the middle of the axis and is bounded by it.
    Energies are interpolated as power laws, parameters on the scale of their axis (linearly in its pixels), both also beyond.

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

    def __init__(self, map: Any, interp_kwargs: Mapping[str, Any] | None = None, meta: Any = None, filename: Any = None) -> None:
        if not isinstance(map, Map) or "energy_true" not in map.geom.axes.names:
            what = f"axes {map.geom.axes.names}" if isinstance(map, Map) else f"a {type(map).__name__}"
            msg = f"TemplateNDSpectralModel got {what}; expected a map with the axis 'energy_true'."
            raise InputError(msg)
        self._map = map.copy()
        self.meta = {} if meta is None else meta
        self.filename = None if filename is None else str(make_path(filename))
        self._scale = values_scale(interp_kwargs, "TemplateNDSpectralModel")
        self._axes, table = scaled_table(self._map, ["energy_true"], self._scale, "TemplateNDSpectralModel")
        if table.shape[len(self._axes) + 1 :] not in {(), (1, 1)}:
            msg = f"TemplateNDSpectralModel: the map has {np.prod(table.shape[len(self._axes) + 1 :])} pixels; expected one."
            raise InputError(msg)
        self._table = table.reshape(table.shape[: len(self._axes) + 1])
        self.default_parameters = axis_parameters(self._axes)
        super().__init__()

    @property
    def is_norm_spectral_model(self) -> bool:
        """Whether the table has no unit, so that it is a factor on another spectrum."""
        return bool(self._map.unit == u.dimensionless_unscaled)

    def _at_energies(self, energy: Array) -> Array:
        """Table at energies in TeV."""
        axis = self._map.geom.axes["energy_true"]
        place, _ = pixel_on(axis, energy * u.TeV.to(axis.unit))
        return along_last(self._table, np.arange(axis.nbin, dtype=float), place)

    def __call__(self, energy: Any) -> u.Quantity:
        """Evaluate the model at `energy`."""
        return self.evaluate(as_energy(energy), *(par.quantity for par in self.parameters))

    def evaluate(self, energy: Any, *args: Any, **named: Any) -> u.Quantity:
        """Evaluate for values of the parameters in the order of the axes."""
        energy = as_energy(energy)
        given = args or tuple(named.values())
        values = [float(u.Quantity(value).to_value(axis.unit)) for value, axis in zip(given, self._axes, strict=True)]
        table = self._at_energies(np.ravel(np.asarray(energy.to_value("TeV"), dtype=float)))
        value, _ = at_parameters(table, self._axes, values, self._scale)
        return u.Quantity(value.reshape(energy.shape), self._map.unit)

    def _dnde_formula(self, x: Array) -> Formula:
        table = self._at_energies(np.exp(x))
        factor = float(self._map.unit.to(canonical_unit(self._map.unit)))
        # The formula is called with canonical values.
        to_axis = [float(canonical_unit(axis.unit).to(axis.unit)) for axis in self._axes]

        def formula(*canonical: float) -> tuple[Array, Array]:
            values = [c * f for c, f in zip(canonical, to_axis, strict=True)]
            value, gradient = at_parameters(table, self._axes, values, self._scale)
            return value * factor, gradient * factor * np.array(to_axis)[:, None]

        return formula

    def _break_energies(self, values: Array) -> Sequence[float]:
        axis = self._map.geom.axes["energy_true"]
        return tuple(np.concatenate([axis.center.to_value("TeV"), axis.edges.to_value("TeV")]).tolist())
