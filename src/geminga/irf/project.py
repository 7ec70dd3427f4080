"""Response tables evaluated on the pixels of a geometry: exposure, PSF and energy dispersion.

A response depends on the place in the field of view through the offset from the pointing only. So it is evaluated once for
each node of the offset axis (with energy and all other axes), and spread over the pixels with one sparse matrix of weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import GeometryError
from geminga.irf.edisp.map import EDispKernelMap, EDispMap
from geminga.irf.points import energy_rows, field_points, finite_map, icrs_vector, offset_weights
from geminga.irf.psf.map import PSFMap
from geminga.maps import Map
from geminga.numerics.grid_weights import spread
from geminga.utils.units import as_quantity

__all__ = ["make_edisp_kernel_map", "make_edisp_map", "make_map_exposure_true_energy", "make_psf_map"]

Floats = NDArray[np.floating]

# NaN and infinity are refused at the end, see `finite_map`.
_quietly = np.errstate(invalid="ignore", over="ignore")


def _need_axes(geom: Any, names: list[str], function: str) -> None:
    found = [name for name in geom.axes.names if name in names or geom.axes[name].nbin > 1]
    if found != names:
        msg = f"{function}: the geometry has the axes {geom.axes.names}; expected {names} in this order."
        raise GeometryError(msg)


@_quietly
def make_map_exposure_true_energy(pointing: Any, livetime: Any, aeff: Any, geom: Any, use_region_center: bool = True) -> Any:
    """Exposure: effective area times livetime.

    The area is taken at the centre of each pixel and bin of energy, interpolated linearly in offset and logarithm of energy,
    and is zero outside the table.

    Parameters
    ----------
    pointing : SkyCoord or FixedPointingInfo
        Pointing.
    livetime : Quantity
        Livetime.
    aeff : EffectiveAreaTable2D
        Effective area.
    geom : Geom
        Geometry with an axis ``energy_true``.
    use_region_center : bool
        For a region: take the area at its centre, else the average over it.

    Returns
    -------
    exposure : Map
        Exposure, m2 s; its meta data hold ``livetime`` and ``is_pointlike``.

    Raises
    ------
    GeometryError
        If the geometry has no axis ``energy_true``.
    DataError
        If the effective area is not a number where it is needed.
    """
    _need_axes(geom, ["energy_true"], "make_map_exposure_true_energy")
    livetime = as_quantity(livetime, "s", "livetime")
    axis = aeff.axes["energy_true"]
    area = energy_rows(axis, geom.axes["energy_true"].center.to_value(axis.unit), aeff.data)
    points = field_points(geom, use_region_center)
    weights, inside = offset_weights(aeff.axes["offset"], points.offset(icrs_vector(pointing)))
    scale = aeff.unit.to("m2") * float(livetime.value)
    exposure = spread(weights, (area * scale).astype(np.float32))
    # The line through the last two offsets may end below zero.
    np.maximum(exposure, 0, out=exposure)
    exposure *= inside
    meta = {"livetime": livetime, "is_pointlike": aeff.is_pointlike}
    return finite_map(geom, points.image(exposure), "m2 s", "the exposure", aeff, meta)


def _on_axes_of(exposure_map: Any, geom: Any) -> Any:
    """Exposure on the geometry of a response, whose squashed axis has one bin."""
    if exposure_map is None or exposure_map.geom == geom:
        return exposure_map
    if int(np.prod(exposure_map.geom.data_shape)) != int(np.prod(geom.data_shape)):
        msg = (
            f"The exposure has shape {exposure_map.geom.data_shape}, the response without its first axis {geom.data_shape}; "
            "make the exposure on the geometry of the response."
        )
        raise GeometryError(msg)
    data = exposure_map.frozen_data.reshape(geom.data_shape)
    return Map.from_geom(geom, data=data.copy(), unit=exposure_map.unit, meta=exposure_map.meta, dtype=data.dtype)


@_quietly
def make_psf_map(psf: Any, pointing: Any, geom: Any, exposure_map: Any = None) -> PSFMap:
    """PSF for each pixel, normalised over the ``rad`` axis.

    Parameters
    ----------
    psf : PSF3D, EnergyDependentMultiGaussPSF or PSFKing
        PSF.
    pointing : SkyCoord or FixedPointingInfo
        Pointing.
    geom : Geom
        Geometry with the axes ``rad`` and ``energy_true``.
    exposure_map : Map, optional
        Exposure on the same pixels and true energies.

    Raises
    ------
    GeometryError
        If the geometry has other axes.
    DataError
        If the PSF is not a number where it is needed.
    """
    _need_axes(geom, ["rad", "energy_true"], "make_psf_map")
    rad, true = geom.axes["rad"], geom.axes["energy_true"]
    points = field_points(geom)
    energy = true.center.to_value(psf.axes["energy_true"].unit)
    density = psf.profiles(energy, rad.center.to_value("deg"), points.offset(icrs_vector(pointing)))
    ring = (2 * np.pi * rad.center.to_value("rad") * rad.bin_width.to_value("rad")).astype(density.dtype)
    np.maximum(density, 0, out=density)
    total = np.einsum("erp,r->ep", density, ring)[:, np.newaxis]
    density /= np.where(total > 0, total, 1)
    psf_map = finite_map(geom, points.image(density.reshape(-1, density.shape[-1])), "sr-1", "the PSF", psf)
    return PSFMap(psf_map, _on_axes_of(exposure_map, geom.squash("rad")))


def _seen_edisp(edisp: Any, pointing: Any, geom: Any, use_region_center: bool) -> tuple[Any, Any, Any, NDArray[np.bool_]]:
    """Points of a geometry, the part of a table with the offsets they need, and weights of these: a region needs two at most."""
    points = field_points(geom, use_region_center)
    weights, inside = offset_weights(edisp.axes["offset"], points.offset(icrs_vector(pointing)))
    used = np.flatnonzero(np.bincount(weights.indices, minlength=weights.shape[1]))
    if len(used) and len(used) < weights.shape[1]:
        near = slice(int(used[0]), int(used[-1]) + 1)
        edisp, weights = edisp.slice_by_idx({"offset": near}), weights[:, near]
    return points, edisp, weights, inside


def _spread_edisp(points: Any, weights: Any, inside: NDArray[np.bool_], table: Floats, mass: Floats) -> Floats:
    """Spread probabilities, shape (energy_true, n, offset), over pixels; `mass`, (energy_true, offset), is 0 without any."""
    n_true, n_bin, n_offset = table.shape
    spread_mass = spread(weights, mass.astype(np.float32))[:, np.newaxis]
    values = spread(weights, table.reshape(-1, n_offset).astype(np.float32)).reshape(n_true, n_bin, -1)
    np.maximum(values, 0, out=values)
    # Beyond the outermost offsets of the table the line through two distributions may go below zero: cut there, more is left.
    total = np.maximum(spread_mass, values.sum(axis=1, keepdims=True))
    values *= np.where(inside & (spread_mass > 1e-3), 1 / np.where(spread_mass > 1e-3, total, 1), 0)
    image: Floats = points.image(values.reshape(n_true * n_bin, -1))
    return image


@_quietly
def make_edisp_map(edisp: Any, pointing: Any, geom: Any, exposure_map: Any = None, use_region_center: bool = True) -> EDispMap:
    """Energy dispersion in migration for each pixel, normalised over the ``migra`` axis.

    Densities are averages over the bins of the ``migra`` axis, at the centres of the bins of true energy.

    Parameters
    ----------
    edisp : EnergyDispersion2D
        Energy dispersion.
    pointing : SkyCoord or FixedPointingInfo
        Pointing.
    geom : Geom
        Geometry with the axes ``migra`` and ``energy_true``.
    exposure_map : Map, optional
        Exposure on the same pixels and true energies.
    use_region_center : bool
        For a region: take the response at its centre, else the average over it.

    Raises
    ------
    GeometryError
        If the geometry has other axes.
    DataError
        If the energy dispersion is not a number where it is needed.
    """
    _need_axes(geom, ["migra", "energy_true"], "make_edisp_map")
    migra, true = geom.axes["migra"], geom.axes["energy_true"]
    points, seen, weights, inside = _seen_edisp(edisp, pointing, geom, use_region_center)
    density = seen.densities(true.center.to_value(edisp.axes["energy_true"].unit))
    probability = seen.probabilities(density, migra.edges.to_value(""))
    mass = probability.sum(axis=1)
    data = _spread_edisp(points, weights, inside, probability, mass)
    width = np.diff(migra.edges.to_value("")).astype(data.dtype)
    data = (data.reshape(true.nbin, migra.nbin, -1) / width[:, np.newaxis]).reshape(data.shape)
    edisp_map = finite_map(geom, data, "", "the energy dispersion", edisp)
    return EDispMap(edisp_map, _on_axes_of(exposure_map, geom.squash("migra")))


@_quietly
def make_edisp_kernel_map(
    edisp: Any, pointing: Any, geom: Any, exposure_map: Any = None, use_region_center: bool = True, threshold: float = 1e-8
) -> EDispKernelMap:
    """Energy dispersion as probabilities of bins of reconstructed energy, for each pixel.

    The probability is averaged over each bin of true energy, weighted by E^-2.

    Parameters
    ----------
    edisp : EnergyDispersion2D
        Energy dispersion.
    pointing : SkyCoord or FixedPointingInfo
        Pointing.
    geom : Geom
        Geometry with the axes ``energy`` and ``energy_true``.
    exposure_map : Map, optional
        Exposure on the same pixels and true energies.
    use_region_center : bool
        For a region: take the response at its centre, else the average over it.
    threshold : float
        Smaller probabilities are zero.

    Raises
    ------
    GeometryError
        If the geometry has other axes.
    DataError
        If the energy dispersion is not a number where it is needed.
    """
    _need_axes(geom, ["energy", "energy_true"], "make_edisp_kernel_map")
    points, seen, weights, inside = _seen_edisp(edisp, pointing, geom, use_region_center)
    table, mass = seen.kernels_at_offsets(geom.axes["energy_true"], geom.axes["energy"])
    data = _spread_edisp(points, weights, inside, table, mass)
    data[data < threshold] = 0
    kernel_map = finite_map(geom, data, "", "the energy dispersion", edisp)
    return EDispKernelMap(kernel_map, _on_axes_of(exposure_map, geom.squash("energy")))
