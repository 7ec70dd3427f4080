"""Small fluxes with known answers."""

from __future__ import annotations

from typing import Any

import astropy.units as u
import numpy as np
from astropy.time import Time

from geminga.data import GTI
from geminga.flux import FluxMaps, FluxPoints
from geminga.maps import Map, MapAxis, RegionGeom, RegionNDMap, TimeMapAxis, WcsGeom
from geminga.modeling.models import LogParabolaSpectralModel, PowerLawSpectralModel, SkyModel

ENERGY = MapAxis.from_energy_edges([1, 3, 10, 30], unit="TeV")
TIME = TimeMapAxis([0, 2, 5] * u.h, [1, 3, 6] * u.h, reference_time=Time("2020-01-01", scale="tt"))
# Curved, so that an interpolated reference has other integrals.
MODEL = SkyModel(LogParabolaSpectralModel(amplitude="2e-12 cm-2 s-1 TeV-1", reference="3 TeV", alpha=2.4, beta=0.4), name="ref")
POWER_LAW = SkyModel(PowerLawSpectralModel(index=2.7, amplitude="3e-12 cm-2 s-1 TeV-1"), name="pl")
COUNTS = np.array([[120.0, 40.0, 4.0], [60.0, 22.0, 0.0], [90.0, 30.0, 9.0]])
BACKGROUND = np.array([20.0, 10.0, 3.0])
SIGNAL = np.array([80.0, 25.0, 5.0])
SCAN = np.geomspace(0.2, 5, 11)


def gti() -> Any:
    return GTI.create([0, 2, 5] * u.h, [1, 3, 6] * u.h, reference_time=TIME.reference_time)


def poisson_maps(n: Any, axes: list[Any]) -> dict[str, Any]:
    """Norms of Poisson counts with a known background, with everything an estimator knows; `n` of shape (..., energy)."""
    n = np.asarray(n, dtype=float)
    norm = (n - BACKGROUND) / SIGNAL
    mu = BACKGROUND + norm * SIGNAL
    with np.errstate(divide="ignore", invalid="ignore"):
        stat = 2 * (mu - np.where(n > 0, n * np.log(mu), 0))
        stat_null = 2 * (BACKGROUND - n * np.log(BACKGROUND))
        scan = np.stack([2 * (m - n * np.log(m)) for m in (BACKGROUND + x * SIGNAL for x in SCAN)], axis=-1)
    error = np.sqrt(np.maximum(n, 1.0)) / SIGNAL
    values = {
        "norm": norm,
        "norm_err": error,
        "norm_errn": 0.95 * error,
        "norm_errp": 1.05 * error,
        "norm_ul": norm + 2 * error,
        "ts": stat_null - stat,
        "stat": stat,
        "stat_null": stat_null,
        "success": np.ones(n.shape, dtype=bool),
    }
    geom = RegionGeom.create(None, axes=axes)
    maps = {name: RegionNDMap.from_geom(geom, data=v.reshape(geom.data_shape)) for name, v in values.items()}
    scan_geom = RegionGeom.create(None, axes=[MapAxis.from_nodes(SCAN, name="norm"), *axes])
    maps["stat_scan"] = RegionNDMap.from_geom(scan_geom, data=scan.reshape(scan_geom.data_shape))
    count_geom = RegionGeom.create(None, axes=[MapAxis.from_edges([-0.5, 0.5], name="dataset"), *axes])
    for name, value in {"counts": n, "npred": mu, "npred_excess": norm * SIGNAL}.items():
        maps[name] = RegionNDMap.from_geom(count_geom, data=value.reshape(count_geom.data_shape))
    return maps


def spectrum_points(model: Any = MODEL, **meta: Any) -> Any:
    """Flux points of one spectrum; the last has few counts."""
    return FluxPoints(poisson_maps(COUNTS[0], [ENERGY]), model, meta={"n_sigma_ul": 2} | meta)


def light_curve(model: Any = MODEL) -> Any:
    """Three time intervals and three energies."""
    return FluxPoints(poisson_maps(COUNTS, [ENERGY, TIME]), model, meta={"n_sigma_ul": 2}, gti=gti())


def single_band_light_curve() -> Any:
    """Three time intervals, one energy."""
    return light_curve().slice_by_idx({"energy": slice(0, 1)})


def flux_maps() -> Any:
    """Maps of 4 x 3 pixels and two energies."""
    axis = MapAxis.from_energy_edges([1, 2, 4], unit="TeV")
    geom = WcsGeom.create(npix=(4, 3), binsz=0.1, axes=[axis])
    numbers = np.arange(24.0).reshape(2, 3, 4)
    values = {"norm": numbers + 1, "norm_err": 0.1 * numbers + 0.5, "norm_ul": numbers + 3, "ts": numbers}
    maps = {name: Map.from_geom(geom, data=value) for name, value in values.items()}
    maps["success"] = Map.from_geom(geom, data=numbers != 5)
    return FluxMaps(maps, POWER_LAW, meta={"n_sigma_ul": 2, "sqrt_ts_threshold_ul": 3}, gti=gti())
