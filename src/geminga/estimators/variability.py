"""How much a light curve varies, for each of its energy bins; the statistics are those of `geminga.stats`."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u
from astropy.table import QTable, Table
from numpy.typing import NDArray

from geminga.errors import GeometryError, NameLookupError
from geminga.flux.quantities import SED_TYPES, split
from geminga.stats.pairs import discrete_correlation
from geminga.stats.variability import compute_flux_doubling, compute_fpp, compute_fvar

__all__ = [
    "compute_lightcurve_discrete_correlation",
    "compute_lightcurve_doublingtime",
    "compute_lightcurve_fpp",
    "compute_lightcurve_fvar",
]

Array = NDArray[np.float64]


def _fluxes(lightcurve: Any, quantity: str) -> tuple[Array, Array, u.UnitBase]:
    """Fluxes and symmetric errors of one standard deviation, shape (time, energy), and their unit.

    Raises
    ------
    GeometryError
        If there is no time axis, or a further axis beside that and energy.
    NameLookupError
        If the quantity is no flux, or has no errors.
    """
    axes = lightcurve.geom.axes
    if sorted(axes.names) != ["energy", "time"] or not lightcurve.geom.is_region:
        msg = f"Variability needs a light curve with the axes energy and time; this one has {lightcurve.geom.axes_names}."
        raise GeometryError(msg)
    found = split(quantity)
    if found is None or found[1]:
        names = ", ".join(kind.prefix for kind in SED_TYPES.values())
        msg = f"flux_quantity {quantity!r} is no flux; expected one of {names}."
        raise NameLookupError(msg)
    value = lightcurve[quantity]
    stored = lightcurve.available_quantities
    if "norm_err" not in stored and {"norm_errn", "norm_errp"} <= set(stored):
        error = 0.5 * (np.abs(lightcurve[f"{quantity}_errn"].quantity) + lightcurve[f"{quantity}_errp"].quantity)
    else:
        error = lightcurve[f"{quantity}_err"].quantity
    error = error.to_value(value.unit) / float(lightcurve.n_sigma)
    order = [axes.index_data("time"), axes.index_data("energy")]
    flux, sigma = (np.asarray(a, dtype=float)[..., 0, 0].transpose(order) for a in (value.frozen_data, error))
    return flux, np.where(sigma >= 0, sigma, np.nan), value.unit


def _table(lightcurve: Any, columns: dict[str, Any]) -> Table:
    axis = lightcurve.energy_axis
    return Table(QTable({"min_energy": axis.edges_min, "max_energy": axis.edges_max, **columns}))


def _fractions(lightcurve: Any, flux_quantity: str, name: str, function: Any) -> Table:
    flux, error, _ = _fluxes(lightcurve, flux_quantity)
    value, value_err = (np.atleast_1d(a) for a in function(flux, error, axis=0))
    with np.errstate(divide="ignore", invalid="ignore"):
        significance = value / value_err
    return _table(lightcurve, {name: value, f"{name}_err": value_err, "significance": significance})


def compute_lightcurve_fvar(lightcurve: Any, flux_quantity: str = "flux") -> Table:
    """Fractional excess variance of a light curve, see `geminga.stats.compute_fvar`.

    Parameters
    ----------
    lightcurve : FluxPoints
        Light curve.
    flux_quantity : {"flux", "dnde", "eflux", "e2dnde", "norm"}
        Kind of flux.

    Returns
    -------
    table : Table
        ``min_energy``, ``max_energy``, ``fvar``, ``fvar_err``, ``significance``; a row for each energy.

    Raises
    ------
    GeometryError
        If there is no time axis.
    NameLookupError
        If the quantity is no flux, or has no errors.
    """
    return _fractions(lightcurve, flux_quantity, "fvar", compute_fvar)


def compute_lightcurve_fpp(lightcurve: Any, flux_quantity: str = "flux") -> Table:
    """Point-to-point variability of a light curve, see `geminga.stats.compute_fpp`.

    Parameters
    ----------
    lightcurve, flux_quantity
        See `compute_lightcurve_fvar`.

    Returns
    -------
    table : Table
        ``min_energy``, ``max_energy``, ``fpp``, ``fpp_err``, ``significance``; a row for each energy.
    """
    return _fractions(lightcurve, flux_quantity, "fpp", compute_fpp)


def compute_lightcurve_doublingtime(lightcurve: Any, flux_quantity: str = "flux") -> Table:
    """Shortest doubling and halving times of a light curve, see `geminga.stats.compute_flux_doubling`.

    Parameters
    ----------
    lightcurve, flux_quantity
        See `compute_lightcurve_fvar`.

    Returns
    -------
    table : Table
        ``min_energy``, ``max_energy``, ``doublingtime``, ``doubling_err`` (s), ``doubling_coord`` (Time), and the same for
        ``halvingtime``; a row for each energy.
    """
    flux, error, unit = _fluxes(lightcurve, flux_quantity)
    found = compute_flux_doubling(flux * unit, error * unit, lightcurve.geom.axes["time"].time_mid, axis=0)
    columns: dict[str, Any] = {}
    for name in ("doubling", "halving"):
        coord = found[f"{name}_coord"].copy(format="mjd")
        columns |= {f"{name}time": found[name].to("s"), f"{name}_err": found[f"{name}_err"].to("s"), f"{name}_coord": coord}
    return _table(lightcurve, columns)


def compute_lightcurve_discrete_correlation(
    lightcurve1: Any, lightcurve2: Any = None, flux_quantity: str = "flux", tau: Any = None
) -> dict[str, Any]:
    """Correlation of two light curves as a function of their distance in time, see `geminga.stats.discrete_correlation`.

    Parameters
    ----------
    lightcurve1, lightcurve2 : FluxPoints
        Light curves with as many energies; the first with itself if there is one only.
    flux_quantity : str
        See `compute_lightcurve_fvar`.
    tau : Quantity, optional
        Width of the bins; by default twice the span of the times by the number of points of the shorter light curve.

    Returns
    -------
    result : dict
        ``bins`` (s), ``discrete_correlation`` and ``discrete_correlation_err``, shape (n_bins, n_energy).
    """
    second = lightcurve1 if lightcurve2 is None else lightcurve2
    flux1, error1, unit = _fluxes(lightcurve1, flux_quantity)
    flux2, error2, unit2 = _fluxes(second, flux_quantity)
    time1, time2 = (one.geom.axes["time"].time_mid for one in (lightcurve1, second))
    if tau is None:
        start, stop = min(time1.min(), time2.min()), max(time1.max(), time2.max())
        tau = 2 * (stop - start).to("s") / min(len(time1), len(time2))
    bins, correlation, error = discrete_correlation(
        flux1 * unit, error1 * unit, flux2 * unit2, error2 * unit2, time1, time2, tau, axis=0
    )
    return {"bins": bins.to("s"), "discrete_correlation": correlation, "discrete_correlation_err": error}
