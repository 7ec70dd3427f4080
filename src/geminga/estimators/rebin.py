"""Coarser axes for flux points, for `FluxPoints.resample_axis`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import InputError, NameLookupError
from geminga.stats.blocks import bayesian_blocks

__all__ = ["get_rebinned_axis"]

Starts = NDArray[np.intp]


def _fixed_bins(fluxpoint: Any, axis_name: str, *, group_size: int) -> Starts:
    """Groups of as many bins."""
    if isinstance(group_size, bool) or not isinstance(group_size, (int, np.integer)) or group_size < 1:
        msg = f"get_rebinned_axis: group_size is {group_size!r}; expected a positive integer."
        raise InputError(msg)
    return np.arange(0, fluxpoint.geom.axes[axis_name].nbin, int(group_size), dtype=np.intp)


def _along(fluxpoint: Any, axis_name: str, name: str) -> NDArray[np.float64]:
    """Quantity with the axis first, shape (n, others)."""
    position = fluxpoint.geom.axes.index_data(axis_name)
    data = np.moveaxis(fluxpoint[name].frozen_data.astype(float), position, 0)
    return data.reshape(len(data), -1)


def _min_ts(fluxpoint: Any, axis_name: str, *, ts_threshold: float) -> Starts:
    """Groups whose summed test statistic reaches a threshold; the rest is the last group."""
    ts = np.nansum(_along(fluxpoint, axis_name, "ts"), axis=1)
    starts, total = [0], 0.0
    for number, value in enumerate(ts, start=1):
        total += value
        if total >= ts_threshold and number < len(ts):
            starts.append(number)
            total = 0.0
    return np.array(starts, dtype=np.intp)


def _blocks(fluxpoint: Any, axis_name: str, *, p0: float = 0.05, flux_quantity: str = "norm") -> Starts:
    """Bayesian blocks of constant flux."""
    flux, error = (_along(fluxpoint, axis_name, name) for name in (flux_quantity, f"{flux_quantity}_err"))
    if flux.shape[1] > 1:
        msg = f"get_rebinned_axis: 'bayesian-blocks' needs one axis with several bins; there are {fluxpoint.geom.axes.names}."
        raise InputError(msg)
    return bayesian_blocks(flux[:, 0], np.where(error[:, 0] > 0, error[:, 0], np.nan) / float(fluxpoint.n_sigma), p0=p0)


#: Methods, with the options that each needs and may have.
_METHODS: dict[str, tuple[Callable[..., Starts], set[str], set[str]]] = {
    "fixed-bins": (_fixed_bins, {"group_size"}, set()),
    "min-ts": (_min_ts, {"ts_threshold"}, set()),
    "bayesian-blocks": (_blocks, set(), {"p0", "flux_quantity"}),
}


def get_rebinned_axis(fluxpoint: Any, axis_name: str = "energy", method: str | None = None, **kwargs: Any) -> Any:
    """Axis that joins bins of flux points.

    Parameters
    ----------
    fluxpoint : FluxPoints
        Flux points.
    axis_name : str
        Axis.
    method : {"fixed-bins", "min-ts", "bayesian-blocks"}
        Groups of ``group_size`` bins; groups whose summed test statistic reaches ``ts_threshold`` (the rest is the last group);
        or blocks of constant flux, of which a constant source has more than one with the probability ``p0`` (default 0.05).
    **kwargs
        These options.

    Returns
    -------
    axis : MapAxis or TimeMapAxis
        For `FluxPoints.resample_axis`.

    Raises
    ------
    NameLookupError
        If method or axis are unknown.
    InputError
        If an option is missing, unknown or out of range.

    Examples
    --------
    >>> from geminga.estimators import FluxPoints, get_rebinned_axis
    >>> from geminga.maps import MapAxis, RegionNDMap
    >>> from geminga.modeling.models import PowerLawSpectralModel
    >>> axis = MapAxis.from_energy_edges([1, 2, 4, 8], unit="TeV")
    >>> points = FluxPoints({"norm": RegionNDMap.create(None, axes=[axis])}, PowerLawSpectralModel())
    >>> print(get_rebinned_axis(points, method="fixed-bins", group_size=2).edges)
    [1. 4. 8.] TeV
    """
    if method not in _METHODS:
        msg = f"get_rebinned_axis: method {method!r} is not known; expected one of {', '.join(_METHODS)}."
        raise NameLookupError(msg)
    axis = fluxpoint.geom.axes[axis_name]
    function, needed, possible = _METHODS[method]
    if not needed <= kwargs.keys() <= needed | possible:
        names = ", ".join(sorted(needed | possible))
        msg = f"get_rebinned_axis: options are {sorted(kwargs)}; the method {method!r} has the options {names}."
        raise InputError(msg)
    starts = function(fluxpoint, axis_name, **kwargs)
    stops = np.append(starts[1:], axis.nbin)
    if axis.node_type == "intervals":
        return axis.copy(edges_min=axis.edges_min[starts], edges_max=axis.edges_max[stops - 1])
    return axis.copy(nodes=axis.edge_values[np.append(starts, axis.nbin)], node_type="edges")
