"""TS map of the Galactic centre as seen by Fermi-LAT (3FHL): 200 x 400 pixels, 11 energies, kernel of 1 deg."""

from __future__ import annotations

import numpy as np
from taskkit import Package, clock, main

GOAL = 30.0
ROUNDS = 2
FILE = "$GAMMAPY_DATA/fermi-3fhl-gc/fermi-3fhl-gc.fits.gz"


def run(package: Package) -> dict:
    models = package.models
    dataset = package.datasets.MapDataset.read(FILE, name="fermi-3fhl-gc")
    kernel = models.SkyModel(models.PowerLawSpectralModel(index=2), models.PointSpatialModel(), name="kernel")
    estimator = package.estimators.TSMapEstimator(kernel_model=kernel, kernel_width="1 deg")
    first, _ = clock(lambda: estimator.run(dataset))
    seconds, maps = clock(lambda: estimator.run(dataset))
    ts = np.nan_to_num(np.squeeze(maps.ts.data))
    place = [int(i) for i in np.unravel_index(ts.argmax(), ts.shape)]
    return {"time": seconds, "more": {"first": first}, "result": {"peak": float(ts.max()), "place": place}}


def agree(ours: dict, peer: dict) -> list[str]:
    # As in ts_map: the peer's kernel of a point source is wider by its four pixels.
    out = [] if ours["place"] == peer["place"] else [f"brightest pixel {ours['place']} against {peer['place']}"]
    if abs(ours["peak"] / peer["peak"] - 1) > 0.06:
        out.append(f"largest TS {ours['peak']:.1f} against {peer['peak']:.1f}")
    return out


if __name__ == "__main__":
    main(run)
