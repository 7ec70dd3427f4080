"""Figures of spectral models."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u

from geminga.errors import InputError
from geminga.modeling.models.coordinates import as_energy
from geminga.utils.plot import current_axes, quantities_on_axes

__all__ = ["plot", "plot_error", "scale_plot_flux"]

# Energy fluxes are shown in erg, as in most publications.
_UNITS = {"eflux": "erg cm-2 s-1", "e2dnde": "erg cm-2 s-1"}
_SED_TYPES = ("dnde", "flux", "eflux", "e2dnde", "norm")


def _energies(energy_bounds: Any, n_points: int) -> u.Quantity:
    """Energies to plot at: `n_points` between two bounds, the centres of an axis, or an array as it is."""
    if hasattr(energy_bounds, "edges"):
        low, high = energy_bounds.edges[0], energy_bounds.edges[-1]
    elif hasattr(energy_bounds, "bounds"):
        low, high = energy_bounds.bounds
    else:
        given = [as_energy(e, "energy_bounds") for e in energy_bounds]
        if len(given) < 2:
            msg = f"energy_bounds: got {energy_bounds!r}; expected a lower and an upper energy."
            raise InputError(msg)
        low, high = given[0], given[-1].to(given[0].unit)
    return np.geomspace(low.value, high.to_value(low.unit), n_points) * low.unit


def _curve(model: Any, energy_bounds: Any, sed_type: str, n_points: int, with_errors: bool) -> tuple[u.Quantity, u.Quantity]:
    """Energies and values, or values with errors of shape (3, n)."""
    if sed_type not in _SED_TYPES:
        msg = f"sed_type {sed_type!r} is unknown; expected one of {', '.join(_SED_TYPES)}."
        raise InputError(msg)
    if sed_type in {"flux", "eflux"}:
        edges = _energies(energy_bounds, n_points + 1)
        energy, bins = np.sqrt(edges[:-1] * edges[1:]), (edges[:-1], edges[1:])
        names = {"flux": ("integral", "integral_error"), "eflux": ("energy_flux", "energy_flux_error")}[sed_type]
        values = getattr(model, names[with_errors])(*bins)
    else:
        energy = _energies(energy_bounds, n_points)
        values = model.evaluate_error(energy) if with_errors else model(energy)
    if sed_type == "e2dnde":
        values = values * energy**2
    if sed_type in _UNITS and values.unit.is_equivalent(_UNITS[sed_type]):
        values = values.to(_UNITS[sed_type])
    return energy, values


def _labelled(ax: Any, energy: u.Quantity, values: u.Quantity, energy_power: int, sed_type: str = "dnde") -> None:
    power = "" if energy_power == 0 else f"e{energy_power} * "
    ax.set_xscale("log", nonpositive="clip")
    ax.set_yscale("log", nonpositive="clip")
    ax.set_xlabel(f"Energy [{energy.unit.to_string('latex_inline')}]")
    ax.set_ylabel(f"{power}{sed_type} [{values.unit.to_string('latex_inline')}]")


def _one_energy_unit(unit: u.UnitBase, energy: u.UnitBase) -> u.UnitBase:
    """Unit with `energy` in place of several units of energy; as it is if there is only one."""
    pairs = list(zip(unit.bases, unit.powers, strict=True))
    if sum(base.is_equivalent("TeV") for base, _ in pairs) < 2:
        return unit
    merged = u.dimensionless_unscaled
    for base, power in pairs:
        merged = merged * (energy if base.is_equivalent("TeV") else base) ** power
    return merged


def _in_axis_units(ax: Any, energy: u.Quantity, values: u.Quantity, energy_power: int) -> tuple[u.Quantity, u.Quantity]:
    """Multiply with a power of energy, and follow the units which the axes already have."""
    if energy_power:
        values = values * energy**energy_power
        values = values.to(_one_energy_unit(values.unit, energy.unit))
    x_unit, y_unit = ax.xaxis.units, ax.yaxis.units
    if isinstance(x_unit, u.UnitBase):
        energy = energy.to(x_unit)
    if isinstance(y_unit, u.UnitBase) and values.unit.is_equivalent(y_unit):
        values = values.to(y_unit)
    return energy, values


def plot(
    self: Any,
    energy_bounds: Any,
    ax: Any = None,
    sed_type: str = "dnde",
    energy_power: int = 0,
    n_points: int = 100,
    **kwargs: Any,
) -> Any:
    """Plot the spectrum.

    Parameters
    ----------
    energy_bounds : list of Quantity, Quantity or `~geminga.maps.MapAxis`
        Lower and upper energy.
    ax : `~matplotlib.axes.Axes`, optional
        Axes to draw on.
    sed_type : {"dnde", "flux", "eflux", "e2dnde"}
        What to draw.
    energy_power : int
        Power of energy to multiply with.
    n_points : int
        Number of points.
    **kwargs
        Passed to `~matplotlib.axes.Axes.plot`.

    Returns
    -------
    ax : `~matplotlib.axes.Axes`
        Axes.
    """
    ax = current_axes(ax)
    energy, values = _curve(self, energy_bounds, sed_type, n_points, with_errors=False)
    with quantities_on_axes():
        energy, values = _in_axis_units(ax, energy, values, energy_power)
        ax.plot(energy, values, **kwargs)
    _labelled(ax, energy, values, energy_power, sed_type)
    return ax


def plot_error(
    self: Any,
    energy_bounds: Any,
    ax: Any = None,
    sed_type: str = "dnde",
    energy_power: int = 0,
    n_points: int = 100,
    n_samples: int = 3500,
    random_state: Any = 42,
    samples: Any = None,
    **kwargs: Any,
) -> Any:
    """Plot the error band of the spectrum.

    Parameters
    ----------
    energy_bounds, ax, sed_type, energy_power, n_points
        See `SpectralModel.plot`.
    n_samples, random_state, samples
        See `SpectralModel.evaluate_error`.
    **kwargs
        Passed to `~matplotlib.axes.Axes.fill_between`.

    Returns
    -------
    ax : `~matplotlib.axes.Axes`
        Axes.
    """
    ax = current_axes(ax)
    kwargs.setdefault("facecolor", "black")
    kwargs.setdefault("alpha", 0.2)
    kwargs.setdefault("linewidth", 0)
    if samples is None:
        energy, values = _curve(self, energy_bounds, sed_type, n_points, with_errors=True)
    else:
        energy = _energies(energy_bounds, n_points)
        values = self.evaluate_error(energy, samples=samples)
    with quantities_on_axes():
        energy, values = _in_axis_units(ax, energy, values, energy_power)
        ax.fill_between(energy, np.clip(values[0] - values[1], 0 * values.unit, None), values[0] + values[2], **kwargs)
    _labelled(ax, energy, values, energy_power, sed_type)
    return ax


def scale_plot_flux(flux: Any, energy_power: int = 0) -> Any:
    """Multiply a map of fluxes with a power of the energy at the centre of its bins.

    Parameters
    ----------
    flux : `~geminga.maps.Map`
        Map with the axis "energy" or "energy_true".
    energy_power : int
        Power.

    Returns
    -------
    flux : `~geminga.maps.Map`
        Map in the unit of the flux times the unit of the axis to that power.
    """
    names = [name for name in ("energy", "energy_true") if name in flux.geom.axes.names]
    if not names:
        msg = f"scale_plot_flux: the map has axes {flux.geom.axes.names}; expected 'energy' or 'energy_true'."
        raise InputError(msg)
    energy = flux.geom.get_coord(sparse=True)[names[0]]
    quantity = flux.quantity * energy**energy_power
    quantity = quantity.to(_one_energy_unit(quantity.unit, energy.unit))
    return type(flux).from_geom(flux.geom, data=quantity.value, unit=quantity.unit)
