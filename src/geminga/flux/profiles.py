"""What profiles of the fit statistic give: limits at any level, and points of joined bins."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from geminga.errors import GeometryError, InputError
from geminga.flux.derived import scan_norms
from geminga.flux.reference import RECORDED
from geminga.maps import Map
from geminga.numerics.stat_profile import StatProfiles, make_profiles

__all__ = ["profiles_of", "recompute_ul", "resample_axis"]

log = logging.getLogger(__name__)

Array = NDArray[np.float64]

# Quantities of joined bins that are sums.
_SUMS = ("counts", "npred", "npred_excess", "stat_null")


def profiles_of(self: Any) -> StatProfiles:
    """Profiles of all bins, in the order of the flattened norm.

    Raises
    ------
    InputError
        If there are none.
    """
    if not self.has_stat_profiles:
        msg = (
            f"{type(self).__name__}: there is no 'stat_scan', so there are no profiles of the fit statistic; make flux "
            "points with selection_optional='scan'."
        )
        raise InputError(msg)
    scan = self.stat_scan
    stat = scan.frozen_data[..., 0, 0].astype(float)
    norms = np.broadcast_to(scan_norms(self), scan.geom.data_shape)[..., 0, 0]
    known = self._data.get("stat")
    k = stat.shape[-1]
    return make_profiles(
        norms.reshape(-1, k),
        stat.reshape(-1, k),
        self._data["norm"].frozen_data.astype(float).ravel(),
        None if known is None else known.frozen_data.astype(float).ravel(),
    )


def recompute_ul(self: Any, n_sigma_ul: float = 2, **kwargs: Any) -> Any:
    """Upper limits at another level, from the profiles of the fit statistic.

    Parameters
    ----------
    n_sigma_ul : float
        Number of standard deviations: the limit is where the fit statistic has risen by its square.
    **kwargs
        Options of other interpolations (``interp_scale``, ...) are accepted and have no effect: the signed root of the profile is
        interpolated.

    Returns
    -------
    points : FluxPoints
        Copy with new limits; NaN where there is no profile.

    Raises
    ------
    InputError
        If there are no profiles, or the level is not positive.

    Notes
    -----
    The root of a profile is interpolated by a cubic and continued as a straight line, so that limits beyond the scan are those
    of a parabola.
    """
    if not n_sigma_ul > 0:
        msg = f"{type(self).__name__}.recompute_ul: n_sigma_ul is {n_sigma_ul!r}; expected a positive number."
        raise InputError(msg)
    limits = profiles_of(self).crossing(float(n_sigma_ul))
    new = self.copy()
    new._data["norm_ul"] = Map.from_geom(self.geom, data=limits.reshape(self.geom.data_shape))
    new.meta["n_sigma_ul"] = n_sigma_ul
    return new


class _Joint:
    """Sum of several profiles as a function of one norm."""

    def __init__(self, profiles: StatProfiles, rows: NDArray[np.intp]) -> None:
        self.profiles = StatProfiles(
            profiles.x[rows], profiles.root[rows], profiles.slope[rows], profiles.x_min[rows], profiles.stat_min[rows]
        )

    def terms(self, norm: float) -> tuple[float, float, float]:
        """Rise and its first and second derivative."""
        root, first, second = self.profiles.evaluate(np.full(len(self.profiles.x), norm))
        return float(root @ root), float(2 * root @ first), float(2 * (first @ first + root @ second))

    def minimum(self) -> float:
        """Norm where the sum is smallest; it lies among the minima of the parts."""
        low, high = float(self.profiles.x_min.min()), float(self.profiles.x_min.max())
        if high <= low:
            return low
        return float(brentq(lambda norm: self.terms(norm)[1], low, high, xtol=1e-14 * max(abs(low), abs(high)), rtol=1e-12))

    def crossing(self, minimum: float, rise: float, side: int) -> float:
        """Where the sum has risen by `rise` on one side of the minimum."""
        floor = self.terms(minimum)[0]
        step = side * np.sqrt(2 * rise / max(self.terms(minimum)[2], 1e-300))
        far = minimum + step
        for _ in range(60):
            if self.terms(far)[0] - floor >= rise:
                return float(brentq(lambda norm: self.terms(norm)[0] - floor - rise, minimum, far, rtol=1e-12))
            far = minimum + 1.6 * (far - minimum)
        return np.nan


def resample_axis(self: Any, axis_new: Any) -> Any:
    """Join bins of an axis; norms follow from the sum of the profiles.

    Parameters
    ----------
    axis_new : MapAxis or TimeMapAxis
        Axis wanted; its edges are rounded to those there are, time bins which lie inside an interval are joined.

    Returns
    -------
    points : FluxPoints
        With norm, errors, upper limit, test statistic, scan and ``n_dof``, the number of bins joined. Bins without a
        successful fit are left out; where there is no other, values are NaN and ``success`` is false.

    Raises
    ------
    InputError
        If there are no profiles.
    GeometryError
        If no bin of the axis fits, or it is of another kind.
    NameLookupError
        If there is no axis of this name.
    """
    profiles = profiles_of(self)
    axis = self.geom.axes[axis_new.name]
    groups, axis_out = _groups(axis, axis_new)
    position = self.geom.axes.index_data(axis.name)
    geom = self.geom.replace_axis(axis_out)
    meta = dict(self.meta) | {"n_sigma_ul": self.n_sigma_ul or 2}
    index = np.arange(len(profiles.x)).reshape(self.geom.data_shape)
    usable = profiles.is_known & (self._success.ravel() if self.has_success else True)
    shape = tuple(int(n) for n in geom.data_shape)
    names = ("norm", "norm_err", "norm_errn", "norm_errp", "norm_ul", "stat", "n_dof")
    out = {name: np.full(shape, np.nan) for name in names}
    for place, rows in _places(index, groups, position):
        good = rows[usable[rows]]
        values = _joined(_Joint(profiles, good), float(self.n_sigma), float(meta["n_sigma_ul"])) if len(good) else {}
        for name, value in values.items():
            out[name][place] = value
        out["n_dof"][place] = len(good)
    data = {name: Map.from_geom(geom, data=value) for name, value in out.items()}
    data["success"] = Map.from_geom(geom, data=out["n_dof"] > 0)
    data |= _summed(self, geom, groups, position, usable.reshape(self.geom.data_shape))
    if "stat_null" in data:
        data["ts"] = data["stat_null"] - data["stat"]
    data |= _kept_references(self, geom, groups, position, axis.name)
    return type(self)(data, self.reference_model, meta=meta, gti=self.gti, filter_success_nan=self.filter_success_nan)


def _groups(axis: Any, axis_new: Any) -> tuple[list[NDArray[np.intp]], Any]:
    """Bins to join, and the axis they make."""
    if axis.node_type != axis_new.node_type or axis.node_type not in {"edges", "intervals"}:
        msg = f"Axis {axis.name!r} has {axis.node_type}, the new one {axis_new.node_type}; bins of one kind can be joined only."
        raise GeometryError(msg)
    is_time = axis.node_type == "intervals"
    table = axis.group_table(axis_new if is_time else axis_new.edges)
    table = table[table["bin_type"] == "normal"]
    if not len(table):
        msg = f"No interval of axis {axis.name!r} lies inside one of the new axis, which goes from {axis_new.time_bounds}."
        raise GeometryError(msg)
    starts, stops = np.asarray(table["idx_min"], dtype=int), np.asarray(table["idx_max"], dtype=int)
    groups = [np.arange(low, high + 1) for low, high in zip(starts, stops, strict=True)]
    if is_time:
        return groups, axis.copy(edges_min=axis.edges_min[starts], edges_max=axis.edges_max[stops])
    return groups, axis.copy(nodes=axis.edge_values[np.append(starts, stops[-1] + 1)])


def _places(index: NDArray[np.intp], groups: list[NDArray[np.intp]], position: int) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Place of each new bin in the data, and the flat numbers of the bins that it joins."""
    moved = np.moveaxis(index, position, 0)
    for number, group in enumerate(groups):
        for rest in np.ndindex(moved.shape[1:]):
            place = (*rest[:position], number, *rest[position:])
            yield place, moved[(group, *rest)]


def _joined(joint: _Joint, n_sigma: float, n_sigma_ul: float) -> dict[str, float]:
    norm = joint.minimum()
    rise, _, second = joint.terms(norm)
    return {
        "norm": norm,
        "norm_err": n_sigma * float(np.sqrt(2 / second)) if second > 0 else np.nan,
        "norm_errn": norm - joint.crossing(norm, n_sigma**2, -1),
        "norm_errp": joint.crossing(norm, n_sigma**2, 1) - norm,
        "norm_ul": joint.crossing(norm, n_sigma_ul**2, 1),
        "stat": float(joint.profiles.stat_min.sum()) + rise,
    }


def _summed(self: Any, geom: Any, groups: list[NDArray[np.intp]], position: int, usable: NDArray[np.bool_]) -> dict[str, Any]:
    """Sums over the bins that are joined, without those that have no successful fit."""
    out = {}
    names = [*_SUMS, "stat_scan"]
    if "dnde_scan_values" in self._data:
        log.warning("%s: nodes of the scans differ from bin to bin, the sum of the scans is left out.", type(self).__name__)
        names.remove("stat_scan")
    for name in names:
        if name not in self._data:
            continue
        value = self._data[name]
        data = value.frozen_data.astype(float)
        keep = usable if data.ndim == usable.ndim else usable[..., np.newaxis, :, :]
        data = np.where(keep, data, 0.0)
        if name != "stat_scan":
            data = np.nan_to_num(data)
        parts = [data.take(group, axis=position).sum(axis=position) for group in groups]
        if name.startswith("stat"):
            known = [keep.take(group, axis=position).any(axis=position) for group in groups]
            parts = [np.where(some, part, np.nan) for some, part in zip(known, parts, strict=True)]
        further = [axis for axis in value.geom.axes if axis.name not in self.geom.axes.names]
        target = geom.to_image().to_cube([*further, *geom.axes])
        out[name] = Map.from_geom(target, data=np.stack(parts, axis=position), unit=value.unit)
    return out


def _kept_references(self: Any, geom: Any, groups: list[NDArray[np.intp]], position: int, name: str) -> dict[str, Any]:
    """Reference values that a file recorded, where the bins joined have the same; those of other energies are not known."""
    if name == "energy":
        return {}
    out = {}
    for key in RECORDED:
        if key not in self._data:
            continue
        data = self._data[key].frozen_data
        for group in groups:
            if not np.allclose(data.take(group, axis=position), data.take(group[:1], axis=position), rtol=1e-6, atol=0):
                msg = f"Bins of axis {name!r} are relative to different references, so that their norms cannot be joined."
                raise InputError(msg)
        kept = data.take([group[0] for group in groups], axis=position)
        out[key] = Map.from_geom(geom, data=kept, unit=self._data[key].unit)
    return out
