"""Spectral energy distributions and light curves as they are published, each in one call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from astropy import units as u

from geminga.errors import InputError
from geminga.stats import compute_chisq
from geminga.visualization.palette import COLORS, axes_with

__all__ = ["plot_light_curve", "plot_sed"]

_MARKERS = "osD^v<>"


def _points_of(one: Any) -> Any:
    """Flux points, also those in a dataset.

    Raises
    ------
    InputError
        If it is neither.
    """
    points = one.data if getattr(one, "tag", "") == "FluxPointsDataset" else one
    if not hasattr(points, "to_table") or not hasattr(points, "sed_type_plot_default"):
        msg = f"Expected FluxPoints or a FluxPointsDataset, got a {type(one).__name__}."
        raise InputError(msg)
    return points


def _labelled(points: Any) -> dict[str, Any]:
    given = points if isinstance(points, Mapping) else {"": points}
    return {label: _points_of(one) for label, one in given.items()}


def _model_of(points: Any, model: Any) -> tuple[Any, str]:
    """Spectrum to draw with its name: that which is given, or that of the dataset; None if there is none."""
    if model is None:
        models = getattr(points, "models", None)
        model = models[0] if models else None
    spectrum = getattr(model, "spectral_model", model)
    return spectrum, str(getattr(model, "name", "model"))


def plot_sed(
    points: Any, model: Any = None, ax: Any = None, *, energy_bounds: Any = None, sed_type: str = "e2dnde", **kwargs: Any
) -> Any:
    """Plot a spectral energy distribution: points with errors and upper limits, and a model with its error band.

    Parameters
    ----------
    points : FluxPoints, FluxPointsDataset or dict
        Points, or several by their labels.
    model : SkyModel or SpectralModel, optional
        Model to draw; by default the first of the dataset. Its band is the propagated covariance of its parameters.
    ax : Axes, optional
        Where to draw; by default a figure of its own.
    energy_bounds : tuple of Quantity, optional
        Range of the model; by default that of the points.
    sed_type : {"e2dnde", "dnde", "flux", "eflux"}
        What to draw.
    **kwargs
        Arguments of ``Axes.errorbar`` for the points.

    Returns
    -------
    ax : Axes

    Raises
    ------
    InputError
        If `points` are no flux points.

    Examples
    --------
    >>> import numpy as np
    >>> from astropy.table import QTable
    >>> from geminga.estimators import FluxPoints
    >>> from geminga.visualization import plot_sed
    >>> unit = "erg cm-2 s-1"
    >>> table = QTable({"e_ref": [1, 3, 10] * u.TeV, "e2dnde": u.Quantity([3e-12, 2e-12, 1e-12], unit)})
    >>> table["e2dnde_err"] = 0.2 * table["e2dnde"]
    >>> ax = plot_sed({"this work": FluxPoints.from_table(table)})
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['this work']
    """
    known = _labelled(points)
    spectrum, name = _model_of(points, model)
    ax = axes_with(ax)
    for number, (label, one) in enumerate(known.items()):
        settings = {"color": COLORS[number % len(COLORS)], "marker": _MARKERS[number % len(_MARKERS)], "capsize": 0}
        one.plot(ax=ax, sed_type=sed_type, **(({"label": label} if label else {}) | settings | kwargs))
    if spectrum is not None:
        bounds = _energy_bounds(known) if energy_bounds is None else energy_bounds
        color = COLORS[len(known) % len(COLORS)]
        spectrum.plot(bounds, ax=ax, sed_type=sed_type, color=color, label=name)
        spectrum.plot_error(bounds, ax=ax, sed_type=sed_type, facecolor=color, alpha=0.25)
    _limits(ax, known, sed_type)
    unit = ax.yaxis.units
    label = _LABELS.get(sed_type, sed_type)
    ax.set_ylabel(f"{label} [{unit.to_string('latex_inline')}]" if isinstance(unit, u.UnitBase) else label)
    if ax.get_legend_handles_labels()[1]:
        ax.legend(frameon=False)
    return ax


_LABELS = {
    "e2dnde": r"$E^2\,\mathrm{d}N/\mathrm{d}E$",
    "dnde": r"$\mathrm{d}N/\mathrm{d}E$",
    "flux": "Integral flux",
    "eflux": "Integral energy flux",
}


def _limits(ax: Any, known: Mapping[str, Any], sed_type: str) -> None:
    """Let the points, with the space of their arrows, fill the axes: a model far below would press them together."""
    values = [_finite(getattr(one, sed_type).to_unit(_unit_of(ax, one, sed_type)).frozen_data) for one in known.values()]
    limits = [
        _finite(getattr(one, f"{sed_type}_ul").to_unit(_unit_of(ax, one, sed_type)).frozen_data)
        for one in known.values()
        if one.has_ul
    ]
    positive = np.concatenate([*values, *limits, np.zeros(0)])
    if len(positive):
        ax.set_ylim(0.2 * positive.min(), 5 * positive.max())


def _finite(values: Any) -> Any:
    flat = np.ravel(values)
    return flat[np.isfinite(flat) & (flat > 0)]


def _unit_of(ax: Any, points: Any, sed_type: str) -> Any:
    unit = ax.yaxis.units
    return unit if isinstance(unit, u.UnitBase) else getattr(points, sed_type).unit


def _energy_bounds(known: Mapping[str, Any]) -> u.Quantity:
    edges = [one.geom.axes["energy"].edges for one in known.values()]
    return u.Quantity([min(one[0] for one in edges), max(one[-1] for one in edges)])


def plot_light_curve(points: Any, ax: Any = None, *, sed_type: str = "flux", time_format: str = "mjd", **kwargs: Any) -> Any:
    """Plot a light curve: fluxes with errors and upper limits, and the mean flux with the test of a constant one.

    Parameters
    ----------
    points : FluxPoints or FluxPointsDataset
        With an axis of time; each band of energy has its own colour.
    ax : Axes, optional
        Where to draw; by default a figure of its own.
    sed_type : {"flux", "eflux", "dnde", "e2dnde"}
        What to draw.
    time_format : {"mjd", "iso"}
        Format of times.
    **kwargs
        Arguments of ``Axes.errorbar``.

    Returns
    -------
    ax : Axes

    Raises
    ------
    InputError
        If there is no axis of time.
    """
    curve = _points_of(points)
    if "time" not in curve.geom.axes.names:
        msg = (
            f"plot_light_curve: the flux points have axes {curve.geom.axes.names}; expected one of time, see LightCurveEstimator."
        )
        raise InputError(msg)
    ax = axes_with(ax)
    ax.set_prop_cycle(color=COLORS)
    bands = curve.geom.axes["energy"].nbin
    curve.plot(ax=ax, sed_type=sed_type, axis_name="time", time_format=time_format, **({"capsize": 0} | kwargs))
    values = getattr(curve, sed_type)
    unit = _unit_of(ax, curve, sed_type)
    data = values.to_unit(unit).frozen_data.reshape(-1, bands)
    errors = getattr(curve, f"{sed_type}_err").to_unit(unit).frozen_data.reshape(-1, bands)
    for band in range(bands):
        _draw_mean(ax, data[:, band], errors[:, band], COLORS[band % len(COLORS)], "" if bands == 1 else f"band {band}: ")
    ax.set_yscale("linear")
    ax.set_ylabel(f"{_LABELS[sed_type]} [{unit.to_string('latex_inline')}]")
    if ax.get_legend_handles_labels()[1]:
        ax.legend(frameon=False)
    return ax


def _draw_mean(ax: Any, flux: Any, error: Any, color: str, prefix: str) -> None:
    """Weighted mean and its error as a band, with the probability that the flux is constant."""
    used = np.isfinite(flux) & np.isfinite(error) & (error > 0)
    if used.sum() < 2:
        return
    weight = error[used] ** -2.0
    mean, width = np.sum(weight * flux[used]) / np.sum(weight), np.sum(weight) ** -0.5
    chi2, probability = compute_chisq(flux[used], flux_err=error[used])
    text = rf"{prefix}mean, $\chi^2$/ndf = {chi2:.1f}/{used.sum() - 1}, p = {probability:.2g}"
    ax.axhline(mean, color=color, lw=1, ls="--", label=text)
    ax.axhspan(mean - width, mean + width, color=color, alpha=0.15, lw=0)
