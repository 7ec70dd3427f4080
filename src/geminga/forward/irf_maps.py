"""IRF sources made from the maps of a dataset."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import GeometryError, UnsupportedError
from geminga.forward.irf import IrfSource, MapIrf, make_psf_scales, normalise_psf
from geminga.forward.memo import Memo
from geminga.numerics.folding import diagonal_response
from geminga.numerics.interpolation import bilinear_corners
from geminga.numerics.sphere import frame_rotation

__all__ = ["irf_factory"]

Array = NDArray[np.float64]
Response = Callable[[float, float], tuple[Array, Array]]


def _pixel_corners(image: Any, frame_of_model: str) -> Callable[[float, float], tuple[NDArray, NDArray, Array]]:
    """Function of a position (deg, model's frame): rows, columns and weights of the four pixels around it."""
    ny, nx = image.data_shape
    if ny * nx == 1 or image.is_region:
        one = np.zeros(1, dtype=np.intp)
        return lambda lon, lat: (one, one, np.ones(1))
    rotation = frame_rotation(frame_of_model, str(image.frame))
    wcs = image.wcs

    def corners(lon: float, lat: float) -> tuple[NDArray, NDArray, Array]:
        phi, theta = np.deg2rad(lon), np.deg2rad(lat)
        v = rotation @ np.array([np.cos(theta) * np.cos(phi), np.cos(theta) * np.sin(phi), np.sin(theta)])
        world = np.rad2deg([[np.arctan2(v[1], v[0]), np.arcsin(np.clip(v[2], -1, 1))]])
        x, y = wcs.wcs_world2pix(world, 0)[0]
        if not (np.isfinite(x) and np.isfinite(y)):
            x, y = (nx - 1) / 2, (ny - 1) / 2
        return bilinear_corners(x, y, (ny, nx))

    return corners


def _valid_weights(values: Array, weight: Array) -> Array:
    """Leave out corners without any response; if none is left, keep the weights."""
    valid = values.reshape(len(values), -1).max(axis=1) > 0
    kept = weight * valid
    return kept / kept.sum() if kept.sum() > 0 else weight


def irf_factory(dataset: Any, geom: Any, edges_true: Array) -> dict[tuple[bool, bool], Callable[[str], IrfSource]]:
    """For (use PSF, use edisp): function of the model's frame giving the IRF source."""
    psf_map = getattr(dataset.psf, "psf_map", None)
    if dataset.psf is not None and psf_map is None:
        msg = f"Dataset {dataset.name!r}: psf is {type(dataset.psf).__name__}; the fit needs a PSFMap or RecoPSFMap."
        raise UnsupportedError(msg)
    energy_axis = geom.axes["energy"]
    edges = np.asarray(energy_axis.edges.to_value("TeV"), dtype=float)
    diagonal = diagonal_response(edges_true, edges)
    edisp = _edisp_map(dataset.edisp, energy_axis)
    if edisp is None:
        own = dataset.edisp
        matrix = diagonal if own is None else np.asarray(own.pdf_matrix, dtype=float)
    else:
        _check_bins(edisp, (len(edges_true) - 1, len(edges) - 1), dataset.name)
        matrix = np.asarray(edisp.frozen_data, dtype=float)  # one for each pixel

    def factory(use_psf: bool, use_edisp: bool) -> Callable[[str], IrfSource]:
        def make(frame: str) -> IrfSource:
            if not use_edisp:
                response = _fixed_response(diagonal)
            else:
                response = _fixed_response(matrix) if edisp is None else _mapped_response(edisp.geom.to_image(), matrix, frame)
            if psf_map is None or not use_psf:
                return MapIrf(None, response, np.zeros(0), 0.0, (0.0, 0.0, 0.0), False)
            return _psf_source(psf_map, response, frame, edges_true, edges)

        return make

    return {(p, e): factory(p, e) for p in (True, False) for e in (True, False)}


def _check_bins(edisp: Any, expected: tuple[int, int], name: str) -> None:
    found = edisp.frozen_data.shape[:2]
    if found != expected:
        msg = (
            f"Dataset {name!r}: energy dispersion has (energy_true, energy) bins {found}, "
            f"exposure and counts have {expected}; use the same axes for all."
        )
        raise GeometryError(msg)


def _fixed_response(matrix: Array) -> Response:
    """The same dispersion everywhere."""
    return lambda lon, lat: (matrix[None], np.ones(1))


def _mapped_response(image: Any, data: Array, frame: str) -> Response:
    """The dispersion of the nearest pixel, as `EDispKernelMap.get_edisp_kernel` gives it."""
    corners, memo = _pixel_corners(image, frame), Memo(8)

    def response(lon: float, lat: float) -> tuple[Array, Array]:
        rows, columns, weight = corners(lon, lat)
        key = (int(rows[0]), int(columns[0]))
        values = memo.get(key, lambda: np.moveaxis(data[:, :, rows, columns], -1, 0))
        valid = _valid_weights(values, weight)
        return values, (np.arange(len(valid)) == np.argmax(valid)).astype(float)

    return response


def _edisp_map(edisp: Any, energy_axis: Any) -> Any:
    """The kernel map of an energy dispersion; None for a single kernel or none."""
    if edisp is None or not hasattr(edisp, "edisp_map"):
        return None
    if "migra" in edisp.edisp_map.geom.axes.names:
        return edisp.to_edisp_kernel_map(energy_axis).edisp_map
    return edisp.edisp_map


def _psf_source(psf_map: Any, response: Response, frame: str, true: Array, reco: Array) -> IrfSource:
    axes = psf_map.geom.axes
    rad_axis = axes["rad"]
    rad = np.asarray(rad_axis.center.to_value("deg"), dtype=float)
    edge = float(rad_axis.edges.to_value("deg")[-1])
    is_reco = "energy" in axes.names
    own = np.asarray(axes["energy" if is_reco else "energy_true"].center.to_value("TeV"), dtype=float)
    edges = reco if is_reco else true
    wanted = np.sqrt(edges[1:] * edges[:-1])
    limits = np.asarray(axes["energy" if is_reco else "energy_true"].edges.to_value("TeV"), dtype=float)
    if wanted[0] < limits[0] * (1 - 1e-3) or wanted[-1] > limits[-1] * (1 + 1e-3):
        msg = (
            f"The PSF goes from {limits[0]:.4g} to {limits[-1]:.4g} TeV, the exposure needs it from {wanted[0]:.4g} to "
            f"{wanted[-1]:.4g} TeV; make the PSF for the energies of the exposure."
        )
        raise GeometryError(msg)
    data = psf_map.frozen_data
    scale = psf_map.unit.to("sr-1")
    corners = _pixel_corners(psf_map.geom.to_image(), frame)
    memo = Memo(8)
    is_same = len(own) == len(wanted) and bool(np.allclose(own, wanted, rtol=1e-3))

    def four(rows: NDArray, columns: NDArray) -> Array:
        values = np.moveaxis(np.asarray(data[:, :, rows, columns], dtype=float), -1, 0) * scale
        values = normalise_psf(rad, edge, np.clip(np.nan_to_num(values), 0, None))
        return values if is_same else np.array([_at_energies(v, own, wanted) for v in values])

    def psf(lon: float, lat: float) -> tuple[Array, Array]:
        rows, columns, weight = corners(lon, lat)
        values = memo.get((int(rows[0]), int(columns[0])), lambda: four(rows, columns))
        return values, _valid_weights(values, weight)

    ny, nx = psf_map.geom.to_image().data_shape
    middle = np.asarray(data[:, :, ny // 2, nx // 2], dtype=float) * scale
    scales = make_psf_scales(rad, edge, normalise_psf(rad, edge, np.clip(np.nan_to_num(middle), 0, None)))
    return MapIrf(psf, response, rad, edge, scales, is_reco)


def _at_energies(values: Array, own: Array, wanted: Array) -> Array:
    """PSFs at other energies, linear in ln E, constant beyond the ends."""
    place = np.interp(np.log(wanted), np.log(own), np.arange(len(own)))
    low = np.minimum(place.astype(int), max(len(own) - 2, 0))
    high = np.minimum(low + 1, len(own) - 1)
    t = (place - low)[:, None]
    return np.asarray(values[low] * (1 - t) + values[high] * t)
