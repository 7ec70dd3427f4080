"""Read 50 on/off spectra from OGIP files."""

from __future__ import annotations

import statistics

from spectra import INSTRUMENTS, pha_files
from taskkit import Package, clock, main, relative_complaints, warm_up

GOAL = 3.0


def run(package: Package) -> dict:
    warm_up(package)
    read = package.datasets.SpectrumDatasetOnOff.read
    files = pha_files(*INSTRUMENTS) * 5

    def read_all() -> list:
        return [read(path, name=f"spectrum-{i}") for i, path in enumerate(files)]

    times = []
    for _ in range(3):
        seconds, datasets = clock(read_all)
        times.append(seconds)
    result = {
        "counts": sum(float(d.counts.data.sum()) for d in datasets),
        "counts_off": sum(float(d.counts_off.data.sum()) for d in datasets),
        "acceptance": sum(float(d.acceptance.data.sum()) for d in datasets),
        "exposure": sum(float(d.exposure.quantity.to_value("m2 s").sum(dtype=float)) for d in datasets),
        "mask": sum(float(d.mask_safe.data.sum()) for d in datasets),
    }
    return {"time": statistics.median(times), "more": {"first": times[0]}, "result": result}


def agree(ours: dict, peer: dict) -> list[str]:
    return relative_complaints(ours, peer, rtol=1e-6)


if __name__ == "__main__":
    main(run)
