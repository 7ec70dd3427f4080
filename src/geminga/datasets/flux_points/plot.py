"""Pictures of flux point datasets: points with models, and residuals."""

from __future__ import annotations

from typing import Any

import astropy.units as u
import numpy as np

from geminga.datasets.residuals import residual_label
from geminga.errors import InputError
from geminga.flux.quantities import SedType, find_sed_type
from geminga.maps import RegionNDMap
from geminga.maps.map.labels import axis_to_plot, lines_along, plain
from geminga.utils.plot import current_axes, two_panels

__all__ = ["plot_fit", "plot_residuals", "plot_spectrum"]

_N_TIMES = 200
# Arguments of a curve which have no meaning for steps.
_CURVE_OPTIONS = {"energy_bounds", "sed_type", "energy_power", "n_points"}


def plot_spectrum(
    self: Any,
    ax: Any = None,
    kwargs_fp: dict[str, Any] | None = None,
    kwargs_model: dict[str, Any] | None = None,
    axis_name: str = "energy",
) -> Any:
    """Plot the flux points with the models, and with their error bands if the covariance is known.

    Parameters
    ----------
    ax : Axes, optional
        Where to draw.
    kwargs_fp : dict, optional
        Arguments of `FluxPoints.plot`; the default is ``sed_type="e2dnde"``, along time ``sed_type="flux"``.
    kwargs_model : dict, optional
        Arguments of `SpectralModel.plot`, along time of ``Axes.plot``.
    axis_name : {"energy", "time"}
        Axis to draw along.

    Returns
    -------
    ax : Axes

    Raises
    ------
    InputError
        If the axis is another one.
    """
    if axis_name not in {"energy", "time"}:
        msg = f"{self.tag} {self.name!r}: axis_name is {axis_name!r}; expected 'energy' or 'time'."
        raise InputError(msg)
    ax = current_axes(ax)
    default = "e2dnde" if axis_name == "energy" or not self.data.is_convertible_to_flux_sed_type else "flux"
    points = {"sed_type": default, "axis_name": axis_name} | (kwargs_fp or {})
    self.data.plot(ax=ax, **points)
    draw = _plot_spectra if axis_name == "energy" else _plot_courses
    draw(self, ax, points, kwargs_model or {})
    return ax


def _plot_spectra(self: Any, ax: Any, points: dict[str, Any], kwargs: dict[str, Any]) -> None:
    """Curves of the spectra, in the same kind of flux as the points; integrals over bins as steps."""
    kind = find_sed_type(points["sed_type"])
    label = ax.get_ylabel()
    draw = _plot_steps if kind.needs_edges else _plot_curve
    for model in self.models or ():
        draw(self, ax, model, kind, points.get("energy_power", 0), {"label": model.name} | kwargs)
    ax.set_ylabel(label)
    if self.models:
        ax.legend()


def _plot_curve(self: Any, ax: Any, model: Any, kind: SedType, power: int, style: dict[str, Any]) -> None:
    axis, spectrum = self.data.energy_axis, model.spectral_model
    settings = {"energy_bounds": [axis.edges[0], axis.edges[-1]], "ax": ax, "sed_type": kind.name, "energy_power": power}
    spectrum.plot(**(settings | style))
    if np.any(np.nan_to_num(spectrum.covariance.data)):
        spectrum.plot_error(**settings, facecolor=ax.lines[-1].get_color(), alpha=0.2)


def _plot_steps(self: Any, ax: Any, model: Any, kind: SedType, power: int, style: dict[str, Any]) -> None:
    axis = self.data.energy_axis
    style = {name: value for name, value in style.items() if name not in _CURVE_OPTIONS}
    x_unit, y_unit = (one.units if isinstance(one.units, u.UnitBase) else None for one in (ax.xaxis, ax.yaxis))
    fluxes = kind.reference(model.spectral_model, axis) * axis.center**power
    values = fluxes.to_value(y_unit or fluxes.unit)
    ax.stairs(values, axis.edges.to_value(x_unit or axis.unit), baseline=None, **({"color": "tab:orange", "lw": 1.5} | style))


def _plot_courses(self: Any, ax: Any, points: dict[str, Any], kwargs: dict[str, Any]) -> None:
    """Curves of the models against time, one for each energy bin."""
    axis = self._geom.axes["time"]
    time_format = points.get("time_format", "iso")
    times = axis.time_min[0] + np.linspace(0, 1, _N_TIMES) * (axis.time_max[-1] - axis.time_min[0])
    shown = times.datetime if time_format == "iso" else getattr(times, time_format)
    kind = find_sed_type(points["sed_type"])
    power = points.get("energy_power", 0)
    for model in self.models or ():
        courses = np.ones(_N_TIMES)
        if model.temporal_model is not None:
            courses = np.broadcast_to(u.Quantity(model.temporal_model(times)).to_value(""), (_N_TIMES,))
        fluxes = kind.reference(model.spectral_model, self.data.energy_axis) * self.data.energy_ref**power
        unit = ax.yaxis.units if isinstance(ax.yaxis.units, u.UnitBase) else fluxes.unit
        for flux in np.atleast_1d(fluxes.to_value(unit)):
            ax.plot(shown, flux * courses, **({"color": "black", "lw": 1} | kwargs))


def plot_residuals(self: Any, ax: Any = None, method: str = "diff", **kwargs: Any) -> Any:
    """Plot the residuals with their errors along the axis that has several bins.

    Parameters
    ----------
    ax : Axes, optional
        Where to draw.
    method : {"diff", "diff/model"}
        See `residuals`.
    **kwargs
        ``axis_name``, the axis to draw along; others go to ``Axes.errorbar``.

    Returns
    -------
    ax : Axes

    Raises
    ------
    InputError
        If the method is unknown, or the axis is not given and there are several.
    """
    values = self.residuals(method)
    ax = current_axes(ax)
    axis_name = kwargs.pop("axis_name", "energy" if self._geom.axes.is_flat else None)
    errors = _errors(self)
    if method != "diff":
        with np.errstate(divide="ignore", invalid="ignore"):
            model = self.flux_pred()
            errors = errors / (model if method == "diff/model" else np.sqrt(model))
    maps = [RegionNDMap.from_geom(self._geom, data=one.to_value(values.unit), unit=values.unit) for one in (values, errors)]
    axis = axis_to_plot(maps[0], axis_name)
    kwargs = {"color": "black", "fmt": ".", "capsize": 2, "lw": 1} | kwargs
    xerr = axis.as_plot_xerr
    xerr = tuple(plain(e) for e in xerr) if isinstance(xerr, tuple) else plain(xerr)
    for (y, label), (yerr, _) in zip(lines_along(maps[0], axis), lines_along(maps[1], axis), strict=True):
        settings = ({"label": label} if label else {}) | kwargs
        ax.errorbar(plain(axis.as_plot_center), y, xerr=xerr, yerr=np.nan_to_num(yerr), **settings)
    ax.axhline(0, color=kwargs["color"], lw=0.5)
    axis.format_plot_xaxis(ax=ax)
    unit = "" if values.unit == u.dimensionless_unscaled else f" [{values.unit.to_string('latex_inline')}]"
    ax.set_ylabel(f"Residuals\n{residual_label(method)}{unit}")
    reach = np.nanmax(np.abs(maps[0].frozen_data) + np.nan_to_num(maps[1].frozen_data), initial=0)
    if reach > 0:
        ax.set_ylim(-1.05 * reach, 1.05 * reach)
    return ax


def _errors(self: Any) -> u.Quantity:
    """Symmetric errors of the points, the mean of both sides where only these are known, else NaN."""
    stored, data = self.data.available_quantities, self.data
    if "norm_err" in stored:
        return data.dnde_err.quantity
    if {"norm_errn", "norm_errp"} <= set(stored):
        return 0.5 * (np.abs(data.dnde_errn.quantity) + data.dnde_errp.quantity)
    return u.Quantity(np.full(data.geom.data_shape, np.nan), data.dnde.unit)


def plot_fit(
    self: Any,
    ax_spectrum: Any = None,
    ax_residuals: Any = None,
    kwargs_spectrum: dict[str, Any] | None = None,
    kwargs_residuals: dict[str, Any] | None = None,
) -> tuple[Any, Any]:
    """Plot the flux points with the models, and the residuals below.

    Parameters
    ----------
    ax_spectrum, ax_residuals : Axes, optional
        Where to draw; new ones if not given.
    kwargs_spectrum, kwargs_residuals : dict, optional
        Arguments of `plot_spectrum` and `plot_residuals`; residuals are relative to the model by default.

    Returns
    -------
    ax_spectrum, ax_residuals : Axes
    """
    if ax_spectrum is None or ax_residuals is None:
        import matplotlib.pyplot as plt

        ax_spectrum, ax_residuals = two_panels(plt.gcf())
    self.plot_spectrum(ax=ax_spectrum, **(kwargs_spectrum or {}))
    self.plot_residuals(ax=ax_residuals, **({"method": "diff/model"} | (kwargs_residuals or {})))
    ax_spectrum.set_xlabel("")
    return ax_spectrum, ax_residuals
