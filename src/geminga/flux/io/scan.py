"""Scans of the fit statistic in tables: at which norms their nodes are.

``norm_scan`` is relative to the reference of whoever wrote the table. Where that is not recorded and nobody gives it, the scan
has no meaning and is left out; else nodes are converted to the reference in force.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.flux.io.energy import quantity
from geminga.maps import MapAxis, RegionGeom, RegionNDMap

__all__ = ["place_scan"]

log = logging.getLogger(__name__)

_UNIT = "cm-2 s-1 TeV-1"


def _dnde(reference: Any, geom: Any) -> NDArray[np.float64]:
    """Differential flux of a map or a model, shape (..., energy, 1)."""
    if hasattr(reference, "spectral_model"):
        values = reference.spectral_model(geom.axes["energy"].center).to_value(_UNIT)
    else:
        values = reference.quantity.to_value(_UNIT)[..., 0, 0]
    return np.asarray(values, dtype=float)[..., np.newaxis]


def _nodes(table: Any, scan: Any, own: Any) -> NDArray[np.float64] | None:
    """Differential flux at the nodes of a scan, shape (..., energy, node), None if that is not known."""
    shape = scan.frozen_data.shape[:-2]
    if "dnde_scan_values" in table.colnames:
        return np.broadcast_to(quantity(table, "dnde_scan_values").to_value(_UNIT), shape)
    if "norm_scan" not in table.colnames or own is None:
        return None
    norms = quantity(table, "norm_scan").value
    norms = norms.reshape(shape) if norms.size == np.prod(shape) else norms.reshape(-1, shape[-1])[:1]
    return np.asarray(np.broadcast_to(norms * _dnde(own, scan.geom), shape))


def place_scan(owner: str, table: Any, data: dict[str, Any], own: Any, reference: Any) -> None:
    """Give ``data["stat_scan"]`` its axis of norms, or take it out.

    Parameters
    ----------
    owner : str
        Who asks, for the log.
    table : Table
        Table with ``norm_scan`` or ``dnde_scan_values``.
    data : dict of Map
        Maps; changed in place.
    own, reference : Map, SkyModel or None
        Reference which the table is relative to (None if unknown), and the one in force.
    """
    scan = data["stat_scan"]
    data.pop("dnde_scan_values", None)
    nodes = _nodes(table, scan, own)
    if nodes is None:
        del data["stat_scan"]
        log.warning("%s: stat_scan is left out, as the table does not record what its norms are relative to.", owner)
        return
    norms = nodes / _dnde(reference, scan.geom)
    rows = norms.reshape(-1, norms.shape[-1])
    known = rows[np.isfinite(rows).all(axis=1)]
    if not len(known):
        del data["stat_scan"]
        log.warning("%s: stat_scan is left out, as its norms are not known.", owner)
        return
    order = np.argsort(known[0], kind="stable")
    axis_norms = known[0][order]
    if np.allclose(known, known[0], rtol=1e-6, atol=1e-12) and (np.diff(axis_norms) > 0).all():
        axis = MapAxis.from_nodes(axis_norms, name="norm", interp="lin")
        axes = [axis, *[one for one in scan.geom.axes if one.name != "norm"]]
        target = RegionGeom.create(scan.geom.region, axes=axes)
        data["stat_scan"] = RegionNDMap.from_geom(target, data=scan.frozen_data[..., order, :, :])
        return
    values = np.array(nodes)[..., np.newaxis, np.newaxis]
    data["dnde_scan_values"] = RegionNDMap.from_geom(scan.geom, data=values, unit=_UNIT)
