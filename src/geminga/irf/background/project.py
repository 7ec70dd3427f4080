"""Background counts of an observation on the pixels of a geometry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import AltAz, SkyCoord
from astropy.time import Time
from numpy.typing import NDArray

from geminga.errors import InputError
from geminga.irf.base import FoVAlignment
from geminga.irf.points import FieldPoints, field_points, finite_map, icrs_vector
from geminga.numerics.field_of_view import field_coordinates, rotation_rate
from geminga.numerics.grid_weights import linear_weights, spread
from geminga.numerics.log_integral import integrate_samples, log_samples
from geminga.utils.units import as_quantity

__all__ = ["make_map_background_irf", "needs_time"]

Array = NDArray[np.float64]

# NaN and infinity are refused at the end, see `finite_map`.
_quietly = np.errstate(invalid="ignore", over="ignore")

_NORTH = np.array([0.0, 0.0, 1.0])
#: Logarithm of the rate that stands for zero, and below which the result is zero.
_ZERO, _FLOOR = -80.0, -79.0


@_quietly
def make_map_background_irf(
    pointing: Any,
    ontime: Any,
    bkg: Any,
    geom: Any,
    time_start: Any,
    fov_rotation_step: Any = 1.0 * u.deg,
    oversampling: int | None = None,
    use_region_center: bool = True,
    location: Any = None,
) -> Any:
    """Background counts.

    The rate is interpolated bilinearly in the field of view, in its logarithm, at the centre of each pixel. In energy it is a
    power law between the centres of the bins of the table, which is integrated exactly.

    Parameters
    ----------
    pointing : FixedPointingInfo or SkyCoord
        Pointing.
    ontime : Quantity
        Time of observation, dead time included.
    bkg : Background2D or Background3D
        Background rate.
    geom : WcsGeom or RegionGeom
        Geometry with an axis ``energy``.
    time_start : Time
        Start of the observation, for a field of view that turns with the horizon or drifts.
    fov_rotation_step : Quantity
        Angle by which the field of view may turn before it is evaluated again.
    oversampling : int, optional
        Not needed, because the integral over energy is exact; kept for scripts that give it.
    use_region_center : bool
        For a region: take the rate at its centre, else the average over it.
    location : EarthLocation, optional
        Where the telescopes stand; needed for a field of view that turns with the horizon, or a drift scan.

    Returns
    -------
    background : Map
        Counts.

    Raises
    ------
    InputError
        If the location is needed and missing.
    DataError
        If the rate is not a number where it is needed.
    """
    axis = bkg.axes["energy"]
    ontime = as_quantity(ontime, "s", "ontime")
    samples = log_samples(
        geom.axes["energy"].edges.to_value(axis.unit), axis.center_values, axis.edge_values[0], axis.edge_values[-1]
    )
    table = _log_table(bkg, samples.log_energy)
    points = field_points(geom, use_region_center)
    total: Any = None
    for place, up, sign, part in _orientations(pointing, bkg, time_start, ontime, fov_rotation_step, location):
        weights, inside = _weights(bkg, points, place, up, sign)
        log_rate = spread(weights, table)
        counts = integrate_samples(log_rate, samples, _FLOOR)
        counts *= inside * np.float32(part)
        total = counts if total is None else np.add(total, counts, out=total)
    unit = bkg.unit * axis.unit * u.s * u.sr
    scale = float(unit.to("")) * float(ontime.value)
    data = points.image(total) * (np.nan_to_num(_solid_angle(geom)) * scale).astype(total.dtype)
    return finite_map(geom, data.astype(np.float32, copy=False), "", "the background", bkg)


def needs_time(pointing: Any, bkg: Any) -> bool:
    """Whether the field of view moves on the sky: it drifts, or turns with the horizon."""
    return _turns(bkg) or _drifts(pointing)


def _turns(bkg: Any) -> bool:
    return bkg.fov_alignment is FoVAlignment.ALTAZ and not bkg.has_offset_axis


def _drifts(pointing: Any) -> bool:
    return getattr(pointing, "fixed_altaz", None) is not None


def _solid_angle(geom: Any) -> Array:
    """Solid angle of the pixels, sr, shape (lat, lon)."""
    values = np.asarray(geom.solid_angle().to_value("sr"), dtype=float)
    return values.reshape(values.shape[-2:] if values.ndim >= 2 else (1, 1))


def _log_table(bkg: Any, log_energy: Array) -> NDArray[np.floating]:
    """Logarithm of the rate at energies (linear in ln E between those of the table), shape (n_energy, n_nodes)."""
    rate = np.asarray(bkg.data, dtype=float).reshape(bkg.axes["energy"].nbin, -1)
    values = np.log(np.maximum(rate, np.exp(_ZERO)))
    nodes = np.log(bkg.axes["energy"].center_values)
    # A sparse product leaves out what has no weight, so that NaN elsewhere in the table does no harm.
    return np.asarray(linear_weights([nodes], [log_energy]) @ values, dtype=np.float32)


def _weights(bkg: Any, points: FieldPoints, pointing: Array, up: Array, sign: float) -> tuple[Any, NDArray[np.bool_]]:
    """Weights of the nodes of the table over the field of view, and which points are inside it."""
    if bkg.has_offset_axis:
        coords = [points.offset(pointing)]
    else:
        lon, lat = field_coordinates(points.vectors, pointing, up)
        coords = [np.nan_to_num(np.rad2deg(angle), nan=180.0) for angle in (sign * lon, lat)]
    axes = [axis for axis in bkg.axes if axis.name != "energy"]
    inside = np.ones(coords[0].shape, dtype=bool)
    for i, axis in enumerate(axes):
        low, high = axis.edges.to_value("deg")[[0, -1]]
        inside &= (coords[i] >= low) & (coords[i] <= high)
        coords[i] = np.clip(coords[i], low, high)
    return linear_weights([axis.center.to_value("deg") for axis in axes], coords, dtype=np.float32), inside


def _orientations(
    pointing: Any, bkg: Any, start: Any, ontime: u.Quantity, step: Any, location: Any
) -> Iterator[tuple[Array, Array, float, float]]:
    """Pointing, direction of growing latitude, sign of the longitude, and fraction of the time, for each step in time."""
    is_drift, turns = _drifts(pointing), _turns(bkg)
    # Azimuth grows to the right where right ascension grows to the left.
    sign = 1.0 if turns or bkg.fov_alignment is FoVAlignment.REVERSE_LON_RADEC else -1.0
    if not (turns or is_drift):
        yield icrs_vector(pointing), _NORTH, sign, 1.0
        return
    if location is None:
        kind = "a drift scan" if is_drift else "a background aligned with ALTAZ"
        msg = f"make_map_background_irf: {kind} needs the location of the telescopes; give location=."
        raise InputError(msg)
    times = _times(pointing, start, ontime, step, location, is_drift)
    places = pointing.get_icrs(times, location) if is_drift else None
    zenith = SkyCoord(np.zeros(len(times)), np.full(len(times), 90.0), unit="deg", frame=AltAz(obstime=times, location=location))
    for i, one in enumerate(zenith.icrs):
        place = icrs_vector(places[i] if places is not None else pointing)
        yield place, icrs_vector(one) if turns else _NORTH, sign, 1 / len(times)


def _times(pointing: Any, start: Any, ontime: u.Quantity, step: Any, location: Any, is_drift: bool) -> Time:
    """Middles of equal steps in time, in each of which the field of view turns (or the sky moves) by less than `step`."""
    limit = float(as_quantity(step, "rad", "fov_rotation_step").value)
    if not limit > 0:
        msg = f"make_map_background_irf: fov_rotation_step is {step}; expected a positive angle."
        raise InputError(msg)
    seconds = float(ontime.value)
    if is_drift:
        rate = 2 * np.pi / 86164.0
    else:
        position = pointing.get_icrs() if hasattr(pointing, "get_icrs") else pointing
        ends = start + np.linspace(0, seconds, 5) * u.s
        altaz = position.transform_to(AltAz(obstime=ends, location=location))
        latitude = location.lat.rad
        rate = max(rotation_rate(az, alt, latitude) for az, alt in zip(altaz.az.rad, altaz.alt.rad, strict=True))
    number = int(np.clip(np.ceil(rate * seconds / limit), 1, max(1.0, np.ceil(seconds))))
    return start + (np.arange(number) + 0.5) * (seconds / number) * u.s
