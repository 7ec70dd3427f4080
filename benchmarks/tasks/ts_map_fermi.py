"""TS map of the Galactic centre as seen by Fermi-LAT (3FHL): 200 x 400 pixels, 11 energies, kernel of 1 deg."""

from __future__ import annotations

import numpy as np
from taskkit import Package, clock, main

GOAL = 30.0
ROUNDS = 2
FOLDER = "$GAMMAPY_DATA/fermi-3fhl-gc/fermi-3fhl-gc"


def read(package: Package) -> object:
    """Dataset with the Galactic and the isotropic emission as background."""
    maps, irf, models = package.maps, package.irf, package.models
    counts = maps.Map.read(f"{FOLDER}-counts-cube.fits.gz")
    background = maps.Map.read(f"{FOLDER}-background-cube.fits.gz")
    background = maps.Map.from_geom(counts.geom, data=background.data)
    exposure = maps.Map.read(f"{FOLDER}-exposure-cube.fits.gz")
    exposure = maps.Map.from_geom(
        exposure.geom.to_image().to_cube([exposure.geom.axes[0].copy(name="energy_true")]), data=exposure.data, unit="cm2 s"
    )
    psf = irf.PSFMap.read(f"{FOLDER}-psf-cube.fits.gz", format="gtpsf")
    dataset = package.datasets.MapDataset(counts=counts, background=background, exposure=exposure, psf=psf, name="fermi-3fhl-gc")
    dataset.models = [models.FoVBackgroundModel(dataset_name=dataset.name)]
    return dataset


def run(package: Package) -> dict:
    models = package.models
    dataset = read(package)
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
