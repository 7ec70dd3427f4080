"""Reduce 20 H.E.S.S. runs to on/off spectra with reflected regions."""

from __future__ import annotations

import astropy.units as u
from astropy.coordinates import SkyCoord
from regions import CircleSkyRegion
from taskkit import Package, clock_often, main, relative_complaints

GOAL = 15.0
REPEAT = 3
TARGET = SkyCoord(329.7169, -30.2256, unit="deg")


def reduce(package: Package):
    maps, datasets, makers = package.maps, package.datasets, package.makers
    store = package.data.DataStore.from_dir("$GAMMAPY_DATA/hess-dl3-dr1")
    table = store.obs_table
    near = SkyCoord(table["RA_PNT"], table["DEC_PNT"], unit="deg").separation(TARGET).deg < 2
    observations = store.get_observations(list(table["OBS_ID"][near])[:20])
    energy = maps.MapAxis.from_energy_bounds("0.1 TeV", "100 TeV", nbin=20)
    true = maps.MapAxis.from_energy_bounds("0.05 TeV", "100 TeV", nbin=40, name="energy_true")
    geom = maps.RegionGeom.create(CircleSkyRegion(TARGET, 0.11 * u.deg), axes=[energy])
    empty = datasets.SpectrumDataset.create(geom=geom, energy_axis_true=true)
    chain = [
        makers.SpectrumDatasetMaker(containment_correction=True, selection=["counts", "exposure", "edisp"]),
        makers.ReflectedRegionsBackgroundMaker(),
        makers.SafeMaskMaker(methods=["aeff-max"], aeff_percent=10),
    ]
    return makers.DatasetsMaker(chain, stack_datasets=False).run(empty, observations)


def run(package: Package) -> dict:
    seconds, made = clock_often(lambda: reduce(package), REPEAT)
    result = {
        "runs": len(made),
        "counts": float(sum(one.counts.data.sum() for one in made)),
        "counts_off": float(sum(one.counts_off.data.sum() for one in made)),
        "acceptance_off": float(sum(one.acceptance_off.data.max() for one in made)),
        "exposure": float(sum(one.exposure.data.sum(dtype=float) for one in made)),
        "safe": float(sum(one.mask_safe.data.sum() for one in made)),
    }
    return {"time": seconds, "result": result}


def agree(ours: dict, peer: dict) -> list[str]:
    rtol = {"counts_off": 0.01, "counts": 0.005}
    return [text for key in peer for text in relative_complaints({key: ours[key]}, {key: peer[key]}, rtol.get(key, 1e-3))]


if __name__ == "__main__":
    main(run)
