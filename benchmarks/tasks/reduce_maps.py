"""Reduce four H.E.S.S. runs to a stacked dataset of 250 x 250 pixels and 10 energies."""

from __future__ import annotations

import statistics

from taskkit import Package, clock, main, relative_complaints

GOAL = 10.0
REPEAT = 3


def reduce(package: Package):
    maps, datasets, makers = package.maps, package.datasets, package.makers
    store = package.data.DataStore.from_dir("$GAMMAPY_DATA/hess-dl3-dr1")
    energy = maps.MapAxis.from_energy_bounds("0.5 TeV", "20 TeV", nbin=10)
    true = maps.MapAxis.from_energy_bounds("0.3 TeV", "40 TeV", nbin=20, name="energy_true")
    geom = maps.WcsGeom.create(skydir=(83.633, 22.014), width=5, binsz=0.02, axes=[energy])
    chain = [makers.MapDatasetMaker(), makers.SafeMaskMaker(methods=["aeff-default", "offset-max"], offset_max="2.5 deg")]
    empty = datasets.MapDataset.create(geom, energy_axis_true=true, name="stacked")
    return makers.DatasetsMaker(chain).run(empty, store.get_observations([23523, 23526, 23559, 23592]))[0]


def run(package: Package) -> dict:
    times = []
    for _ in range(REPEAT):
        seconds, dataset = clock(lambda: reduce(package))
        times.append(seconds)
    result = {"counts": float(dataset.counts.data.sum()), "exposure": float(dataset.exposure.data.max())}
    return {"time": statistics.median(times), "result": result}


def agree(ours: dict, peer: dict) -> list[str]:
    return relative_complaints(ours, peer, rtol=1e-4)


if __name__ == "__main__":
    main(run)
