"""TS map of the Galactic centre: 240 x 320 pixels, kernel of 0.5 deg."""

from __future__ import annotations

import numpy as np
from taskkit import Package, clock, main, read_gc

GOAL = 30.0


def run(package: Package) -> dict:
    models = package.models
    dataset = read_gc(package)
    kernel = models.SkyModel(models.PowerLawSpectralModel(), models.PointSpatialModel(), name="kernel")
    estimator = package.estimators.TSMapEstimator(kernel_model=kernel, kernel_width="0.5 deg")
    first, _ = clock(lambda: estimator.run(dataset))
    seconds, maps = clock(lambda: estimator.run(dataset))
    ts = np.nan_to_num(np.squeeze(maps.ts.data))
    place = [int(i) for i in np.unravel_index(ts.argmax(), ts.shape)]
    return {"time": seconds, "more": {"first": first}, "result": {"peak": float(ts.max()), "place": place}}


def agree(ours: dict, peer: dict) -> list[str]:
    # The peer's kernel of a point source is wider by its four pixels, hence a few per cent in TS.
    out = [] if ours["place"] == peer["place"] else [f"brightest pixel {ours['place']} against {peer['place']}"]
    if abs(ours["peak"] / peer["peak"] - 1) > 0.06:
        out.append(f"largest TS {ours['peak']:.1f} against {peer['peak']:.1f}")
    return out


if __name__ == "__main__":
    main(run)
