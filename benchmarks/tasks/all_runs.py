"""What the tasks which reduce all runs of H.E.S.S. DL3-DR1 share."""

from __future__ import annotations

from taskkit import Package, clock, relative_complaints


def reduce_all(package: Package, n_jobs: int) -> dict:
    """Reduce each run to a dataset of 250 x 250 pixels and 10 energies around its pointing."""
    maps, datasets, makers = package.maps, package.datasets, package.makers
    store = package.data.DataStore.from_dir("$GAMMAPY_DATA/hess-dl3-dr1")
    observations = store.get_observations(list(store.obs_table["OBS_ID"]))
    energy = maps.MapAxis.from_energy_bounds("0.5 TeV", "20 TeV", nbin=10)
    true = maps.MapAxis.from_energy_bounds("0.3 TeV", "40 TeV", nbin=20, name="energy_true")
    empty = []
    for observation in observations:
        geom = maps.WcsGeom.create(skydir=observation.pointing.fixed_icrs, width=5, binsz=0.02, axes=[energy])
        empty.append(datasets.MapDataset.create(geom, energy_axis_true=true, name=f"empty-{observation.obs_id}"))
    chain = [makers.MapDatasetMaker(), makers.SafeMaskMaker(methods=["offset-max"], offset_max="2.5 deg")]
    maker = makers.DatasetsMaker(chain, stack_datasets=False, n_jobs=n_jobs)
    seconds, made = clock(lambda: maker.run(empty[0], observations, datasets=empty))
    result = {
        "runs": len(made),
        "counts": float(sum(one.counts.data.sum(dtype=float) for one in made)),
        "exposure": float(sum(one.exposure.data.sum(dtype=float) for one in made)),
    }
    return {"time": seconds, "result": result}


def agree_all(ours: dict, peer: dict) -> list[str]:
    """Numbers of counts and sums of exposures that differ."""
    return relative_complaints(ours, peer, 1e-5)
