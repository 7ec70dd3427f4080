"""Reduce four H.E.S.S. runs to a stacked dataset of 250 x 250 pixels and 10 energies."""

from __future__ import annotations

from taskkit import Package, clock_often, main, relative_complaints

GOAL = 10.0
REPEAT = 3
# The peer samples the background, and takes the energy dispersion at the centre of a bin; ours are integrals over the bin.
RTOL = {"background": 0.01, "psf": 0.01, "edisp": 0.05}


def reduce(package: Package):
    maps, datasets, makers = package.maps, package.datasets, package.makers
    store = package.data.DataStore.from_dir("$GAMMAPY_DATA/hess-dl3-dr1")
    energy = maps.MapAxis.from_energy_bounds("0.5 TeV", "20 TeV", nbin=10)
    true = maps.MapAxis.from_energy_bounds("0.3 TeV", "40 TeV", nbin=20, name="energy_true")
    geom = maps.WcsGeom.create(skydir=(83.633, 22.014), width=5, binsz=0.02, axes=[energy])
    chain = [makers.MapDatasetMaker(), makers.SafeMaskMaker(methods=["aeff-default", "offset-max"], offset_max="2.5 deg")]
    empty = datasets.MapDataset.create(geom, energy_axis_true=true, name="stacked")
    return makers.DatasetsMaker(chain).run(empty, store.get_observations([23523, 23526, 23559, 23592]))[0]


def describe(package: Package, dataset) -> dict[str, float]:
    safe = dataset.mask_safe.data
    psf = dataset.psf.get_psf_kernel(package.maps.WcsGeom.create(width=2, binsz=0.02, axes=dataset.exposure.geom.axes))
    return {
        "counts": float(dataset.counts.data.sum()),
        "counts_safe": float(dataset.counts.data[safe].sum()),
        "safe": float(safe.sum()),
        "exposure": float(dataset.exposure.data.max()),
        "exposure_sum": float(dataset.exposure.data.sum(dtype=float)),
        "background": float(dataset.background.data[safe].sum(dtype=float)),
        "edisp": float(dataset.edisp.get_edisp_kernel().pdf_matrix[8].max()),
        "psf": float(psf.data[8].max()),
    }


def run(package: Package) -> dict:
    seconds, dataset = clock_often(lambda: reduce(package), REPEAT)
    return {"time": seconds, "result": describe(package, dataset)}


def agree(ours: dict, peer: dict) -> list[str]:
    return [text for key in peer for text in relative_complaints({key: ours[key]}, {key: peer[key]}, RTOL.get(key, 1e-6))]


if __name__ == "__main__":
    main(run)
