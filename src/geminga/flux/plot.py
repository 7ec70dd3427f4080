"""Pictures of flux points: spectra, light curves, profiles, and the profiles of the fit statistic behind them."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import GeometryError, InputError
from geminga.flux.quantities import SedType, find_sed_type
from geminga.maps.map.labels import axis_to_plot, lines_along, plain
from geminga.modeling.models import scale_plot_flux
from geminga.utils.plot import current_axes, quantities_on_axes

__all__ = ["plot", "plot_ts_profiles"]

# Length of the arrow of an upper limit, as a part of the limit.
_ARROW = 0.45


def _axis(self: Any, axis_name: str | None, time_format: str) -> Any:
    """Axis to draw along."""
    if not self.geom.is_region:
        msg = f"{type(self).__name__}.plot: fluxes on a {type(self.geom).__name__} are maps; plot one with .flux.plot(), or see "
        msg += "get_flux_points."
        raise GeometryError(msg)
    axes = self.geom.axes
    axis = axes[axes.names[-1]] if axis_name is None and axes.is_flat else axis_to_plot(self._data["norm"], axis_name)
    if axis.node_type == "intervals":
        axis = axis.copy()
        axis.time_format = time_format
    return axis


def _scaled(self: Any, kind: SedType, suffix: str, power: int) -> Any:
    """Map of a flux in the unit of tables, times a power of energy."""
    return scale_plot_flux(getattr(self, kind.prefix + suffix).to_unit(kind.unit), energy_power=power)


def _errors(self: Any, kind: SedType, power: int) -> tuple[Any, Any] | None:
    """Maps of lower and upper errors, None if there are none."""
    stored = self.available_quantities
    for pair in (("_errn", "_errp"), ("_err", "_err")):
        if all(f"norm{suffix}" in stored for suffix in pair):
            return _scaled(self, kind, pair[0], power), _scaled(self, kind, pair[1], power)
    return None


def _label(kind: SedType, unit: u.UnitBase, power: int) -> str:
    name = kind.prefix if power == 0 else f"e{power} * {kind.prefix}"
    return name if unit == u.dimensionless_unscaled else f"{name} [{unit.to_string('latex_inline')}]"


def _in_units(ax: Any, unit: u.UnitBase, which: str) -> u.UnitBase:
    """Unit which an axis of a plot already has, if it fits."""
    known = getattr(ax, f"{which}axis").units
    return known if isinstance(known, u.UnitBase) and known.is_equivalent(unit) else unit


def plot(
    self: Any,
    ax: Any = None,
    sed_type: str | None = None,
    energy_power: int = 0,
    time_format: str = "iso",
    **kwargs: Any,
) -> Any:
    """Plot flux points with their errors; upper limits are arrows.

    Parameters
    ----------
    ax : Axes, optional
        Where to draw.
    sed_type : {"dnde", "e2dnde", "flux", "eflux", "norm"}, optional
        Kind of flux; that which the points were made from if not given.
    energy_power : int
        Power of energy to multiply with.
    time_format : str
        Format of times, ``"iso"`` or ``"mjd"``.
    **kwargs
        ``axis_name``, the axis to draw along if there are several with more than one bin; others go to ``Axes.errorbar``.

    Returns
    -------
    ax : Axes

    Raises
    ------
    InputError
        If the axis is not given and there are several.
    GeometryError
        If the fluxes are maps of the sky.
    """
    ax = current_axes(ax)
    axis = _axis(self, kwargs.pop("axis_name", None), time_format)
    kind = find_sed_type(sed_type or self.sed_type_plot_default)
    value = _scaled(self, kind, "", energy_power)
    errors = _errors(self, kind, energy_power)
    limit = _scaled(self, kind, "_ul", energy_power) if self.has_ul else None
    unit = _in_units(ax, value.unit, "y")
    had_data, old_limits = ax.has_data(), ax.get_xlim()
    is_energy = axis.is_energy_axis
    if is_energy:
        axis = axis.copy(unit=_in_units(ax, axis.unit, "x"))
    lines = _lines(axis, value, errors, limit, self.is_ul if limit is not None else None, unit)
    kwargs.setdefault("marker", "o")
    kwargs.setdefault("markersize", 4)
    kwargs.setdefault("ls", "None")
    x, xerr = axis.as_plot_center, axis.as_plot_xerr
    with quantities_on_axes():
        for label, y, yerr, is_limit in lines:
            settings = ({"label": label} if label else {}) | kwargs
            xerr_plain = tuple(plain(e) for e in xerr) if isinstance(xerr, tuple) else plain(xerr)
            x_line = u.Quantity(x) if is_energy else plain(x)
            widths = tuple(u.Quantity(e, axis.unit) for e in xerr_plain) if is_energy else xerr_plain
            ax.errorbar(x_line, u.Quantity(y, unit), xerr=widths, yerr=u.Quantity(yerr, unit), uplims=is_limit, **settings)
    _finish(ax, axis, any((y > 0).any() for _, y, _, _ in lines))
    ax.set_ylabel(_label(kind, unit, energy_power))
    if had_data and is_energy:
        low, high = ax.get_xlim()
        ax.set_xlim(min(low, old_limits[0]), max(high, old_limits[1]))
    if len(lines) > 1 or (lines and lines[0][0]):
        ax.legend()
    return ax


def _finish(ax: Any, axis: Any, is_positive: bool) -> None:
    axis.format_plot_xaxis(ax=ax)
    if axis.node_type == "intervals" and axis.time_format != "iso":
        ax.ticklabel_format(axis="x", useOffset=False)
    if is_positive:
        ax.set_yscale("log", nonpositive="clip")


def _lines(
    axis: Any, value: Any, errors: tuple[Any, Any] | None, limit: Any, is_ul: Any, unit: u.UnitBase
) -> list[tuple[str, NDArray[Any], NDArray[Any], NDArray[np.bool_]]]:
    """For each line: label, values, errors of shape (2, n), and which are limits."""
    factor = float(value.unit.to(unit))
    rows = lines_along(value, axis)
    none = [np.full(axis.nbin, np.nan)] * len(rows)
    low, high = ([line for line, _ in lines_along(e, axis)] for e in errors) if errors is not None else (none, none)
    limits = none if limit is None else [line for line, _ in lines_along(limit, axis)]
    flags = none if is_ul is None else [line for line, _ in lines_along(is_ul, axis)]
    found = []
    for (y, label), errn, errp, ul, flag in zip(rows, low, high, limits, flags, strict=True):
        is_limit = (np.nan_to_num(flag) != 0) & np.isfinite(ul)
        shown = np.where(is_limit, ul, y) * factor
        yerr = np.abs(np.where(is_limit, _ARROW * ul, np.array([errn, errp]))) * factor
        found.append((label, shown, np.nan_to_num(yerr), is_limit))
    return found


def _edges(axis: Any) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Edges for a mesh, and the number of the bin in each cell, -1 in a gap."""
    if axis.node_type != "intervals" or axis.is_contiguous:
        return np.asarray(plain(axis.as_plot_edges)), np.arange(axis.nbin)
    center, (left, right) = np.asarray(axis.as_plot_center), axis.as_plot_xerr
    low, high = center - np.asarray(left), center + np.asarray(right)
    edges, cells = [low[0]], []
    for i in range(axis.nbin):
        if low[i] > edges[-1]:
            edges.append(low[i])
            cells.append(-1)
        edges.append(high[i])
        cells.append(i)
    return np.array(edges), np.array(cells)


def plot_ts_profiles(
    self: Any,
    ax: Any = None,
    sed_type: str | None = None,
    add_cbar: bool = True,
    axis_name: str | None = None,
    **kwargs: Any,
) -> Any:
    """Plot the profiles of the fit statistic as colours.

    Parameters
    ----------
    ax : Axes, optional
        Where to draw.
    sed_type : {"dnde", "e2dnde", "flux", "eflux", "norm"}, optional
        Kind of flux; that which the points were made from if not given.
    add_cbar : bool
        Add a colour bar.
    axis_name : str, optional
        Axis to draw along; may be left out if only one has several bins.
    **kwargs
        Arguments of ``Axes.pcolormesh``, such as ``vmin`` (default -4) and ``cmap`` (Blues); and ``y_values``, the fluxes at
        which to draw (Quantity).

    Returns
    -------
    ax : Axes

    Raises
    ------
    InputError
        If there are no profiles, or several axes with more than one bin.
    """
    from geminga.flux.profiles import profiles_of

    ax = current_axes(ax)
    axis = _axis(self, axis_name, "iso")
    if sum(one.nbin > 1 for one in self.geom.axes) > 1:
        msg = (
            f"plot_ts_profiles: the axes {self.geom.axes.names} have {self.geom.axes.shape} bins; select one bin of all but one "
            "axis with slice_by_idx first."
        )
        raise InputError(msg)
    kind = find_sed_type(sed_type or self.sed_type_plot_default)
    profiles = profiles_of(self)
    reference = np.broadcast_to(self._reference(kind).to_value(kind.unit), self.geom.data_shape).ravel()
    given = kwargs.pop("y_values", None)
    depth = float(np.sqrt(-min(kwargs.get("vmin", -4), -0.1)))
    values = _grid(profiles, reference, depth) if given is None else u.Quantity(given).to_value(kind.unit)
    rises = np.array([-profiles.rise(y / reference) for y in values])
    edges, cells = _edges(axis)
    image = np.where(cells >= 0, rises[:, cells], np.nan)
    kwargs.setdefault("vmax", 0)
    kwargs.setdefault("vmin", -4)
    kwargs.setdefault("cmap", "Blues")
    kwargs.setdefault("linewidths", 0)
    kwargs.setdefault("shading", "auto")
    mesh = ax.pcolormesh(edges, values, np.ma.masked_invalid(image[:-1]), **kwargs)
    _finish(ax, axis, bool((values > 0).all()))
    ax.set_ylabel(_label(kind, kind.unit, 0))
    if add_cbar:
        ax.figure.colorbar(mesh, ax=ax, label="Fit statistic difference")
    return ax


def _grid(profiles: Any, reference: NDArray[Any], depth: float) -> NDArray[Any]:
    """Fluxes over which all profiles fall by the depth that is shown: logarithmic if these are positive."""
    high = profiles.crossing(1.3 * depth) * reference
    low = profiles.crossing(-1.3 * depth) * reference
    best = profiles.x_min * reference
    positive = np.concatenate([low[low > 0], best[best > 0], high[high > 0]])
    if not len(positive):
        return np.linspace(np.nanmin(low, initial=-1.0), np.nanmax(high, initial=1.0), 200)
    floor = np.nanmin(np.concatenate([best[best > 0], high[high > 0]])) / 10
    return np.geomspace(max(float(positive.min()), float(floor)), 1.05 * float(positive.max()), 400)
