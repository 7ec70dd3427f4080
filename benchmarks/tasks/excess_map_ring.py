"""Excess map with errors and limits of a field with off counts around every pixel: 40 x 40 pixels, 10 energies."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from excess_map import NAMES, agree
from taskkit import Package, clock, main, read_gc

__all__ = ["agree", "run"]

GOAL = 100.0
ROUNDS = 1


def run(package: Package) -> dict:
    field = read_gc(package).cutout(SkyCoord(0, 0, unit="deg", frame="galactic"), 1 * u.deg, name="gc-field")
    geom, background = field.counts.geom, np.asarray(field.background.data, dtype=float)
    off = np.random.default_rng(1).poisson(np.round(20 * background, 6)).astype(float)
    maps = [package.maps.Map.from_geom(geom, data=data) for data in (background, 20 * background, off)]
    dataset = package.datasets.MapDatasetOnOff.from_map_dataset(field, maps[0], maps[1], maps[2])
    estimator = package.estimators.ExcessMapEstimator(
        "0.1 deg", selection_optional=["errn-errp", "ul"], energy_edges=geom.axes["energy"].edges
    )
    seconds, found = clock(lambda: estimator.run(dataset))
    place = (5, slice(0, 40, 5), slice(0, 40, 5))
    return {"time": seconds, "result": {name: np.nan_to_num(found[name].data[place]).ravel().tolist() for name in NAMES}}


if __name__ == "__main__":
    main(run)
