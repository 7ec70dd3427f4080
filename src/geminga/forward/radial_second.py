"""Second derivatives of a round source.

Spectrum and profile enter the table of a source linearly, so that their second derivatives are differences of their own first
ones, folded; the position moves the radius of each bin.

Legend: T true energy, e energy, k exposure rank, node radius node, j parameter.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.forward.irf import Irf
from geminga.forward.position import position_second
from geminga.forward.steps import second_at
from geminga.numerics.cells import differentiate

__all__ = ["hessian", "row_values"]

Array = NDArray[np.float64]


def hessian(component: Any, state: Any, weight: Array) -> Array:
    """Second derivatives of ``sum(weight * counts) + total``, by functionals on the tables."""
    n_s = component.n_spectral
    inner = _table_hessian(component, state, component._functional(state, weight))
    mixed = _mixed_hessian(component, state, weight)
    out = np.zeros((len(inner) + 2,) * 2)
    others = np.r_[:n_s, n_s + 2 : len(out)]
    out[np.ix_(others, others)] = inner
    out[n_s : n_s + 2, others] = mixed
    out[others, n_s : n_s + 2] = mixed.T
    out[n_s : n_s + 2, n_s : n_s + 2] = _position_hessian(component, state, weight)
    return out


def _mixed_hessian(component: Any, state: Any, weight: Array) -> Array:
    """Position by spectrum and shape, shape (2, n): slopes of the tangents, weighted with how the radius moves."""
    geometry = state.geometry
    x, n_k = geometry.patch.exposure, state.table.shape[0]
    moved = (weight * geometry.local_direction).T[:, :, None] * geometry.patch.row_exposure[:, None]
    functional = (geometry.rows_back @ moved.reshape(len(weight), 2 * n_k)).T.reshape(2, *state.table.shape)
    outer = (geometry.direction.T[:, :, None] * x[:, None]).reshape(len(x), 2 * n_k)
    for g, mask in enumerate(geometry.patch.masks):
        inside = outer if mask.all() else outer * mask[:, None]
        total = (geometry.look_back @ inside).T.reshape(2, n_k, 1, -1)
        functional[:, :, component.field.group == g] += total
    return np.einsum("jken,qken->qj", differentiate(component._tangents(state)), functional, optimize=True)


def _per_flux(component: Any, table: Array, functional: Array, irf: Irf) -> Array:
    """Derivative of ``sum(functional * fold)`` by the flux at each true energy: the transpose of the fold, shape (n_T,)."""
    n_k, n_e, n_node = functional.shape
    if irf.psf is not None and irf.psf.is_reco:
        inner = np.einsum("ken,en->ke", functional, table)
        return np.asarray(np.einsum("Tk,Te,ke->T", component.exposure[0], irf.response, inner, optimize=True))
    inner = (table @ functional.reshape(n_k * n_e, n_node).T).reshape(-1, n_k, n_e)
    return np.asarray(np.einsum("Tk,Te,Tke->T", component.exposure[0], irf.response, inner))


def _table_hessian(component: Any, state: Any, functional: Array) -> Array:
    """Spectral and shape parameters: differences of the derivatives of flux and profile, with which the fold is linear."""
    n_s, spectral, profile = component.n_spectral, state.values[: component.n_spectral], state.profile
    flux, flux_gradient = component.flux(spectral)
    shapes = np.array([_per_flux(component, table, functional, state.irf) for table in profile.shape_gradient])
    n = n_s + len(shapes)
    out = np.zeros((n, n))
    if len(shapes):
        out[:n_s, n_s:] = flux_gradient @ shapes.T
        out[n_s:, :n_s] = out[:n_s, n_s:].T
    per_flux = _per_flux(component, profile.table, functional, state.irf)
    out[:n_s, :n_s] = second_at(component.flux, spectral, (flux, flux_gradient), per_flux)
    for i, tables in enumerate(component.shape_second(state) if len(shapes) else []):
        out[n_s + i, n_s:] = [_per_flux(component, table, functional, state.irf) @ flux for table in tables]
    return 0.5 * (out + out.T)


def _position_hessian(component: Any, state: Any, weight: Array) -> Array:
    """Position by position: curvature along the radius plus slope times the bending of the radius."""
    geometry = state.geometry
    spatial = state.values[component.n_spectral :]
    second = position_second(spatial[0], spatial[1], component.rotation)
    scale = np.rad2deg(1.0) / state.profile.step
    slope_table = differentiate(state.table)
    curve_table = differentiate(slope_table)
    local, n = geometry.selection.local, len(geometry.inverse)
    bend = np.bincount(local, component._row_slope(state) * weight, minlength=n) + component._pixel_values(geometry, slope_table)
    along = np.bincount(local, row_values(geometry, curve_table) * weight, minlength=n)
    curve = along + component._pixel_values(geometry, curve_table)
    direction = geometry.direction
    bend *= geometry.inverse
    bending = (scale * np.deg2rad(1.0)) ** 2 * (bend @ geometry.patch.vectors)
    bent = np.array([[bending @ own for own in row] for row in second])
    return np.asarray((direction * (curve - bend)) @ direction.T - bent)


def row_values(geometry: Any, table: Array) -> Array:
    """Table looked up at each occupied bin."""
    flat = np.ascontiguousarray(table.reshape(len(table), -1).T)
    product = geometry.rows @ flat
    return np.einsum("bk,bk->b", product, geometry.patch.row_exposure)
