"""What an object of the package holds, as flat leaves that can be compared: bitwise, or to rounding after a round trip.

A kind with an entry of its own in `PARTS` says what belongs to it; any other object of the package is taken apart by its
attributes, so that new kinds are compared without a line here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table
from astropy.time import Time
from regions import Region

from geminga.data import GTI, EventList, Observation
from geminga.datasets import Datasets, FluxPointsDataset, MapDataset
from geminga.estimators import FluxMaps
from geminga.irf import IRF, IRFMap
from geminga.maps import LabelMapAxis, Map, MapAxes, MapAxis, Maps, RegionGeom, TimeMapAxis, WcsGeom
from geminga.modeling.models import DatasetModels

Parts = Mapping[str, Any]


def _dataset(dataset: MapDataset) -> Parts:
    return {name: getattr(dataset, name) for name in dataset.part_names} | {
        "name": dataset.name,
        "type": dataset.tag,
        "stat_type": dataset.stat_type,
        "gti": dataset.gti,
        "meta_table": dataset.meta_table,
        "models": None if dataset.models is None else dataset.models.names,
    }


def _models(models: DatasetModels) -> Parts:
    parameters = {
        name: (p.value, p.error, p.min, p.max, p.frozen, p.unit, p.interp, p.scale_method, p.prior and p.prior.to_dict())
        for name, p in zip(models.parameters_unique_names, models.parameters, strict=True)
    }
    first: dict[int, int] = {}
    links = [first.setdefault(id(p), number) for number, p in enumerate(models.parameters)]
    kinds = [
        (m.tag, m.name, m.datasets_names, getattr(m, "apply_irf", None), *((type(c).__name__, _frame(c)) for c in m._members()))
        for m in models
    ]
    covariance = models.covariance.data if len(models.parameters) else 0
    return {"parameters": parameters, "links": links, "kinds": kinds, "covariance": covariance, "maps": _maps(models)}


def _true(mask: Any) -> Any:
    """Whether a mask is true everywhere, else the mask."""
    return True if mask is None or np.all(mask) else mask


def _frame(component: Any) -> Any:
    return getattr(component, "frame", None)


def _maps(models: DatasetModels) -> list[Any]:
    return [part.map for model in models for part in (model, *model._members()) if isinstance(getattr(part, "map", None), Map)]


def _region_geom(geom: RegionGeom) -> Parts:
    region = geom.region
    return {"axes": geom.axes, "region": None if region is None else region.serialize(format="ds9", precision=9)}


PARTS: dict[type, Callable[[Any], Parts]] = {
    Map: lambda m: {"geom": m.geom, "unit": m.unit, "data": m.frozen_data, "meta": m.meta, "class": type(m).__name__},
    WcsGeom: lambda g: {"wcs": g.wcs.to_header_string(), "npix": tuple(map(int, g.data_shape[-2:])), "axes": g.axes},
    RegionGeom: _region_geom,
    MapAxes: lambda axes: dict(enumerate(axes)),
    MapAxis: lambda a: {"edges": a.edges, "name": a.name, "interp": a.interp, "node": a.node_type},
    TimeMapAxis: lambda a: {"min": a.time_min, "max": a.time_max, "name": a.name, "interp": a.interp},
    LabelMapAxis: lambda a: {"labels": list(a.center), "name": a.name},
    Maps: dict,
    IRFMap: lambda irf: {"map": irf._irf_map, "exposure": irf.exposure_map, "class": type(irf).__name__},
    GTI: lambda gti: {"start": gti.time_start.mjd, "stop": gti.time_stop.mjd, "reference": gti.time_ref.mjd},
    MapDataset: _dataset,
    IRF: lambda irf: {"axes": irf.axes, "data": irf.data, "unit": irf.unit, "pointlike": irf.is_pointlike},
    EventList: lambda e: {"table": e.table},
    Observation: lambda o: {name: getattr(o, name) for name in sorted(o.available_hdus)},
    FluxMaps: lambda f: {"data": f._data, "values": f.reference_model.parameters.value, "gti": f.gti},
    FluxPointsDataset: lambda d: {
        "data": d.data,
        "safe": _true(d.mask_safe),
        "fit": _true(d.mask_fit),
        "stat": d.stat_type,
    },
    Datasets: lambda d: {"datasets": list(d), "models": d.models},
    DatasetModels: _models,
    Table: lambda t: {name: t[name] for name in t.colnames},
    Time: lambda t: {"mjd": t.tt.mjd},
    SkyCoord: lambda c: {"icrs": (c.icrs.ra.deg, c.icrs.dec.deg)},
    u.Quantity: lambda q: {"value": np.asarray(q.value), "unit": str(q.unit)},
}


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Paths and values of everything an object holds."""
    for cls in type(value).__mro__:
        if cls in PARTS:
            value = PARTS[cls](value)
            break
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}")
    elif isinstance(value, (list, tuple)):
        yield f"{path}.len", len(value)
        for number, item in enumerate(value):
            yield from leaves(item, f"{path}[{number}]")
    elif isinstance(value, u.UnitBase):
        yield path, str(value)
    elif isinstance(value, Region):
        yield path, value.serialize(format="ds9", precision=9)
    elif type(value).__module__.startswith("geminga") and hasattr(value, "__dict__"):
        yield from leaves(dict(vars(value)), path)
    else:
        yield path, value


def content(value: Any) -> dict[str, Any]:
    """Everything an object holds, arrays copied, so that a later comparison sees any change."""
    return {path: np.array(leaf) if isinstance(leaf, np.ndarray) else leaf for path, leaf in leaves(value)}


def _equal(one: Any, other: Any, rtol: float) -> bool:
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        a, b = np.asarray(one), np.asarray(other)
        is_float = {a.dtype.kind in "fc", b.dtype.kind in "fc"}
        if a.shape != b.shape or (rtol == 0 and len(is_float) == 2):
            return False
        if is_float == {False}:
            return bool((a == b).all())
        return bool(np.allclose(a, b, rtol=rtol, atol=0, equal_nan=True))
    if isinstance(one, (float, np.floating)) and isinstance(other, (float, np.floating)):
        return bool(np.isclose(one, other, rtol=rtol, atol=0, equal_nan=True))
    return bool(one == other)


def differences(one: Any, other: Any, rtol: float = 0, but: Sequence[str] = ()) -> list[str]:
    """Paths at which two objects (or their `content`) differ, but for those that match a regular expression."""
    a, b = (v if isinstance(v, dict) and all(isinstance(k, str) for k in v) else content(v) for v in (one, other))
    a, b = ({k: v for k, v in c.items() if not any(re.search(pattern, k) for pattern in but)} for c in (a, b))
    missing = [f"{path} is on one side only" for path in a.keys() ^ b.keys()]
    return missing + [f"{p}: {a[p]!r} != {b[p]!r}" for p in a.keys() & b.keys() if not _equal(a[p], b[p], rtol)]


def assert_same(one: Any, other: Any, rtol: float = 0, but: Sequence[str] = ()) -> None:
    """Fail with the first few differences."""
    found = differences(one, other, rtol, but)
    assert not found, "\n".join(found[:5])
