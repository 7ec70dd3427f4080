"""Read the Galactic Centre MapDataset from its gzip FITS file."""

from __future__ import annotations

import statistics

from taskkit import Package, clock, main, read_gc, relative_complaints, warm_up

GOAL = 5.0
REPEAT = 5


def run(package: Package) -> dict:
    warm_up(package)
    times = []
    for _ in range(REPEAT):
        seconds, dataset = clock(lambda: read_gc(package))
        times.append(seconds)
    result = {
        "counts": float(dataset.counts.data.sum()),
        "background": float(dataset.background.data.sum(dtype=float)),
        "exposure": float(dataset.exposure.data.max()),
        "mask": float(dataset.mask_safe.data.sum()),
        "psf": float(dataset.psf.psf_map.data.sum(dtype=float)),
        "edisp": float(dataset.edisp.edisp_map.data.sum(dtype=float)),
        "time": float(dataset.gti.time_sum.to_value("s")),
    }
    return {"time": statistics.median(times), "more": {"first": times[0]}, "result": result}


def agree(ours: dict, peer: dict) -> list[str]:
    return relative_complaints(ours, peer, rtol=1e-6)


if __name__ == "__main__":
    main(run)
