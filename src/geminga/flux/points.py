"""`FluxPoints`: fluxes at one position, in bins of energy and perhaps of time or distance."""

from __future__ import annotations

from geminga.flux import covariance, profiles
from geminga.flux import plot as figures
from geminga.flux.io import files, table
from geminga.flux.maps import FluxMaps

__all__ = ["FluxPoints"]


class FluxPoints(FluxMaps):
    """Fluxes at one position: a spectrum, a light curve or a profile.

    Arguments as of `FluxMaps`, with maps of one pixel (`RegionNDMap`).

    Examples
    --------
    >>> import astropy.units as u
    >>> from astropy.table import QTable
    >>> from geminga.estimators import FluxPoints
    >>> unit = u.Unit("cm-2 s-1")
    >>> table = QTable({"e_min": [1, 2] * u.TeV, "e_max": [2, 4] * u.TeV, "flux": [4e-12, 1e-12] * unit})
    >>> points = FluxPoints.from_table(table)
    >>> points.available_quantities
    ['norm']
    >>> points.dnde.quantity.ravel().to("1e-12 cm-2 s-1 TeV-1").round(2)
    <Quantity [4. , 0.5] 1e-12 / (TeV s cm2)>
    """

    read = classmethod(files.read)  # type: ignore[assignment]
    write = files.write  # type: ignore[assignment]
    from_table = classmethod(table.from_table)
    to_table = table.to_table

    covariance = covariance.covariance

    recompute_ul = profiles.recompute_ul
    resample_axis = profiles.resample_axis

    plot = figures.plot
    plot_ts_profiles = figures.plot_ts_profiles
