"""One flux map from several: weighted means, sums of profiles, sums of test statistics.

Norms of all maps are first brought to one reference model, through the differential flux.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import GeometryError, InputError, NameLookupError
from geminga.estimators.base import check_data
from geminga.flux import FluxMaps
from geminga.flux.derived import scan_norms
from geminga.flux.reference import as_sky_model
from geminga.maps import Map, MapAxis
from geminga.numerics.stat_profile import StatProfiles, make_profiles
from geminga.stats import ts_to_sigma

__all__ = ["combine_flux_maps", "combine_significance_maps", "get_combined_flux_maps", "get_combined_significance_maps"]

Array = NDArray[np.float64]
#: Rise of the statistic of all maps together above its value at each map's own best norm, as a function of the norm of each bin.
Rise = Callable[[Array], Array]

UNIT = "cm-2 s-1 TeV-1"


def combine_flux_maps(
    maps: Sequence[Any], method: str = "gaussian_errors", reference_model: Any = None, dnde_scan_axis: Any = None
) -> FluxMaps:
    """Flux of which several maps are measurements.

    Parameters
    ----------
    maps : list of FluxMaps
        On one geometry. Bins that are NaN in some maps are those of the others.
    method : {"gaussian_errors", "distrib", "profile"}
        Mean weighted with the symmetric errors; minimum of the sum of parabolas with the error on either side; minimum of the sum
        of the profiles of the fit statistic (``stat_scan``).
    reference_model : SkyModel or SpectralModel, optional
        Reference of the result; that of the first if not given.
    dnde_scan_axis : MapAxis, optional
        Axis ``dnde`` on which the sum is given as ``stat_scan``, for the last two methods.

    Returns
    -------
    maps : FluxMaps
        ``norm``, ``norm_err``, ``ts``; for the last two methods also ``norm_errn``, ``norm_errp``, ``norm_ul`` and ``stat_scan``.

    Raises
    ------
    InputError
        If there are no maps, or errors or profiles are missing.
    GeometryError
        If geometries differ.
    NameLookupError
        If the method is not known.

    Examples
    --------
    >>> from geminga.estimators import FluxMaps
    >>> from geminga.estimators.utils import combine_flux_maps
    >>> from geminga.maps import Map, MapAxis
    >>> from geminga.modeling.models import PowerLawSpectralModel
    >>> axis = MapAxis.from_energy_edges([1, 10], unit="TeV")
    >>> def make(value, error):
    ...     data = {"norm": value, "norm_err": error}
    ...     return {name: Map.create(npix=1, axes=[axis]) + number for name, number in data.items()}
    >>> a, b = (FluxMaps(make(*pair), PowerLawSpectralModel()) for pair in ((1, 0.5), (2, 1)))
    >>> combine_flux_maps([a, b]).norm.data.ravel().round(3)
    array([1.2])
    """
    items = _same_geometry(maps)
    if method not in _METHODS:
        msg = f"combine_flux_maps: method {method!r} is not known; expected one of {', '.join(_METHODS)}."
        raise NameLookupError(msg)
    first = items[0]
    model = first.reference_model if reference_model is None else as_sky_model(reference_model)
    target = FluxMaps({"norm": first._data["norm"]}, model)
    scales = [_ratio(one, target) for one in items]
    meta = {"n_sigma": 1, "n_sigma_ul": first.n_sigma_ul or 2, "sed_type_init": "likelihood"}
    data = _METHODS[method](items, scales, float(meta["n_sigma_ul"]))
    rise = data.pop("rise", None)
    geom = first.geom
    out = {name: Map.from_geom(geom, data=np.reshape(values, geom.data_shape)) for name, values in data.items()}
    if rise is not None:
        out |= _scan(rise, data, target, dnde_scan_axis)
    gtis = [one.gti for one in items if one.gti is not None]
    gti = type(gtis[0]).from_stack(gtis) if gtis else None
    return FluxMaps(out, model, meta=meta, gti=gti)


def _same_geometry(maps: Any) -> list[Any]:
    items = list(maps)
    if not items:
        msg = "There are no flux maps to combine; give at least one."
        raise InputError(msg)
    for number, one in enumerate(items):
        if one.geom != items[0].geom:
            msg = f"Flux maps can be combined on one geometry; that of map {number} is {one.geom}, of the first {items[0].geom}."
            raise GeometryError(msg)
    return items


def _ratio(one: Any, target: Any) -> Array:
    """Factor from the norms of some maps to those of the result, shape of the data."""
    ratio = (one.dnde_ref / target.dnde_ref).to_value("")
    return np.broadcast_to(ratio, one.geom.data_shape)


def _norms(one: Any, name: str, scale: Array) -> Array:
    if f"norm{name}" not in one.available_quantities:
        msg = f"combine_flux_maps: maps have no 'norm{name}', only {one.available_quantities}; choose another method."
        raise InputError(msg)
    values = getattr(one, f"norm{name}").frozen_data.astype(float) * scale
    return np.asarray(values / (float(one.n_sigma) if name.startswith("_err") else 1.0))


def _gaussian(items: list[Any], scales: list[Array], n_sigma_ul: float) -> dict[str, Any]:
    """Weighted mean."""
    norm = np.stack([_norms(one, "", scale) for one, scale in zip(items, scales, strict=True)])
    error = np.stack([_norms(one, "_err", scale) for one, scale in zip(items, scales, strict=True)])
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.where(np.isfinite(norm) & (error > 0), 1 / error**2, 0.0)
        total = weight.sum(axis=0)
        mean = (weight * np.nan_to_num(norm)).sum(axis=0) / total
        width = np.where(total > 0, 1 / np.sqrt(total), np.nan)
        return {"norm": mean, "norm_err": width, "ts": (mean / width) ** 2}


def _distrib(items: list[Any], scales: list[Array], n_sigma_ul: float) -> dict[str, Any]:
    """Sum of parabolas, each with its two errors."""
    parts = list(zip(items, scales, strict=True))
    norm, low, high = (np.stack([_norms(one, name, s).ravel() for one, s in parts]) for name in ("", "_errn", "_errp"))
    good = np.isfinite(norm) & (low > 0) & (high > 0)

    def rise(x: Array) -> Array:
        with np.errstate(invalid="ignore", divide="ignore"):
            pull = (x - norm) / np.where(x > norm, high, low)
        return np.asarray(np.where(good, pull**2, 0.0).sum(axis=0))

    width = np.where(good, np.maximum(low, high), np.nan)
    return _minimised(rise, np.where(good, norm, np.nan), width, n_sigma_ul)


def _profile(items: list[Any], scales: list[Array], n_sigma_ul: float) -> dict[str, Any]:
    """Sum of profiles of the fit statistic."""
    profiles = [_profiles(one, scale.ravel()) for one, scale in zip(items, scales, strict=True)]
    known = np.stack([own.is_known for own in profiles])

    def rise(x: Array) -> Array:
        return np.asarray(sum(np.where(own.is_known, own.evaluate(x)[0] ** 2, 0.0) for own in profiles))

    best = np.where(known, np.stack([own.x_min for own in profiles]), np.nan)
    width = np.stack([np.abs(own.crossing(1.0) - own.x_min) for own in profiles])
    return _minimised(rise, best, np.where(known, width, np.nan), n_sigma_ul)


def _profiles(one: Any, scale: Array) -> StatProfiles:
    """Profiles of all bins, in norms of the result."""
    if not one.has_stat_profiles:
        msg = "combine_flux_maps: method 'profile' needs 'stat_scan'; make the maps with selection_optional='scan'."
        raise InputError(msg)
    scan = one.stat_scan
    extra = next(axis.name for axis in scan.geom.axes if axis.name not in one.geom.axes.names)
    place = scan.geom.axes.index_data(extra)
    stat = np.moveaxis(scan.frozen_data.astype(float), place, -1)
    norms = np.moveaxis(np.broadcast_to(scan_norms(one), scan.geom.data_shape), place, -1)
    k = stat.shape[-1]
    known = one._data.get("stat")
    return make_profiles(
        norms.reshape(-1, k) * scale[:, None],
        stat.reshape(-1, k),
        one.norm.frozen_data.astype(float).ravel() * scale,
        None if known is None else known.frozen_data.astype(float).ravel(),
    )


def _minimised(rise: Rise, best: Array, width: Array, n_sigma_ul: float) -> dict[str, Any]:
    """Minimum of the sum, which lies among the minima of the parts, and where it has risen.

    Parameters
    ----------
    best, width : array
        Best norm and error of each map and bin, shape (n_maps, n_bins), NaN where there is none.
    """
    has = np.isfinite(best).any(axis=0)
    filled, wide = np.where(np.isfinite(best), best, np.nan), np.where(np.isfinite(width), width, np.nan)
    low, high = (np.where(has, f(np.where(np.isfinite(filled), filled, s), axis=0), 0.0) for f, s in _ENDS)
    scale = np.where(has, np.nanmax(np.where(np.isfinite(wide), wide, 0.0), axis=0), 1.0)
    golden = 0.5 * (np.sqrt(5) - 1)
    for _ in range(80):
        a, b = high - golden * (high - low), low + golden * (high - low)
        left = rise(a) < rise(b)
        low, high = np.where(left, low, a), np.where(left, b, high)
    norm = 0.5 * (low + high)
    floor = rise(norm)
    upper, lower, limit = (_crossing(rise, norm, floor + n**2, side * scale) for n, side in ((1, 1), (1, -1), (n_sigma_ul, 1)))
    errors = {"norm_errp": upper - norm, "norm_errn": norm - lower}
    out = {"norm": norm, "norm_err": 0.5 * (upper - lower), **errors, "norm_ul": limit, "ts": rise(np.zeros_like(norm)) - floor}
    return {name: np.where(has, values, np.nan) for name, values in out.items()} | {"rise": lambda x: rise(x) - floor}


#: Smallest and largest over the maps, and what to put where there is none.
_ENDS = ((np.min, np.inf), (np.max, -np.inf))


def _crossing(rise: Rise, norm: Array, level: Array, step: Array) -> Array:
    """Norm on one side of the minimum at which the sum reaches a level."""
    inner, outer = norm.copy(), norm + step
    for _ in range(60):
        short = rise(outer) < level
        if not short.any():
            break
        inner, outer = np.where(short, outer, inner), np.where(short, norm + 2 * (outer - norm), outer)
    for _ in range(60):
        middle = 0.5 * (inner + outer)
        short = rise(middle) < level
        inner, outer = np.where(short, middle, inner), np.where(short, outer, middle)
    return 0.5 * (inner + outer)


_METHODS: dict[str, Callable[[list[Any], list[Array], float], dict[str, Any]]] = {
    "gaussian_errors": _gaussian,
    "distrib": _distrib,
    "profile": _profile,
}


def _scan(rise: Rise, data: dict[str, Array], target: Any, axis: Any) -> dict[str, Any]:
    """The sum on an axis of differential fluxes, and these fluxes."""
    geom = target.geom
    reference = np.broadcast_to(target.dnde_ref.to_value(UNIT), geom.data_shape)
    if axis is None:
        low, high = (data["norm"] + side * 5 * data["norm_err"] for side in (-1, 1))
        ends = (np.nanmin(low.reshape(reference.shape) * reference), np.nanmax(high.reshape(reference.shape) * reference))
        if not np.isfinite(ends).all():
            return {}
        axis = MapAxis.from_nodes(np.linspace(*ends, 201), name="dnde", unit=UNIT, interp="lin")
    values = axis.center.to_value(UNIT)
    own = geom.to_image().to_cube([axis, *geom.axes])
    place = own.axes.index_data(axis.name)
    rows = np.stack([rise((value / reference).ravel()).reshape(geom.data_shape) for value in values], axis=place)
    shape = [1] * len(own.data_shape)
    shape[place] = -1
    nodes = np.broadcast_to(values.reshape(shape), own.data_shape).copy()
    return {
        "stat_scan": Map.from_geom(own, data=rows),
        "dnde_scan_values": Map.from_geom(own, data=nodes, unit=UNIT),
        "stat": Map.from_geom(geom, data=np.where(np.isfinite(data["norm"]), 0.0, np.nan).reshape(geom.data_shape)),
    }


def combine_significance_maps(maps: Sequence[Any]) -> dict[str, Any]:
    """Significance of all energies of several maps together.

    Parameters
    ----------
    maps : list of FluxMaps
        With ``ts`` and ``npred_excess``, on one image.

    Returns
    -------
    result : dict
        Images ``ts`` (sum), ``df`` (number of bins that are not NaN), ``significance`` for as many degrees of freedom,
        ``npred_excess`` (sum), and ``estimator_results``, the maps themselves.

    Raises
    ------
    InputError
        If there are no maps.
    GeometryError
        If images differ.
    """
    items = list(maps)
    if not items:
        msg = "combine_significance_maps: there are no maps; give at least one."
        raise InputError(msg)
    image = items[0].geom.to_image()
    ts, excess, number = (np.zeros(image.data_shape) for _ in range(3))
    for one in items:
        if one.geom.to_image() != image:
            msg = f"combine_significance_maps: the image {one.geom.to_image()} is not that of the first map, {image}."
            raise GeometryError(msg)
        own = one.ts.frozen_data.astype(float).reshape(-1, *image.data_shape)
        ts += np.nansum(own, axis=0)
        number += np.isfinite(own).sum(axis=0)
        excess += np.nansum(one.npred_excess.frozen_data.astype(float).reshape(-1, *image.data_shape), axis=0)
    root = np.full(image.data_shape, np.nan)
    for df in np.unique(number[number > 0]):
        root[number == df] = ts_to_sigma(ts[number == df], df=float(df))
    data = {"significance": root, "df": number, "ts": ts, "npred_excess": excess}
    return {name: Map.from_geom(image, data=values) for name, values in data.items()} | {"estimator_results": items}


def get_combined_flux_maps(
    estimator: Any, datasets: Any, method: str = "gaussian_errors", reference_model: Any = None, dnde_scan_axis: Any = None
) -> dict[str, Any]:
    """Flux maps of each dataset, combined.

    Parameters
    ----------
    estimator : ExcessMapEstimator or TSMapEstimator
        Estimator, run on each dataset.
    datasets : Datasets or list of MapDataset
        Datasets on one geometry.
    method, reference_model, dnde_scan_axis
        See `combine_flux_maps`.

    Returns
    -------
    result : dict
        ``flux_maps``, the combined `FluxMaps`, and ``estimator_results``, those of each dataset.
    """
    results = _each(estimator, datasets)
    return {"flux_maps": combine_flux_maps(results, method, reference_model, dnde_scan_axis), "estimator_results": results}


def get_combined_significance_maps(estimator: Any, datasets: Any) -> dict[str, Any]:
    """Significance of all datasets together.

    Parameters
    ----------
    estimator : ExcessMapEstimator or TSMapEstimator
        Estimator, run on each dataset.
    datasets : Datasets or list of MapDataset
        Datasets on one geometry.

    Returns
    -------
    result : dict
        See `combine_significance_maps`.
    """
    return combine_significance_maps(_each(estimator, datasets))


def _each(estimator: Any, datasets: Any) -> list[Any]:
    """Maps of each dataset; data that cannot be used are refused before the first."""
    items = list(datasets)
    check_data(items)
    return [estimator.run(dataset) for dataset in items]
