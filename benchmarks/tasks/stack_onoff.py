"""Stack 100 on/off spectra."""

from __future__ import annotations

import statistics

from spectra import pha_files
from taskkit import Package, clock, main, relative_complaints, warm_up

GOAL = 10.0


def run(package: Package) -> dict:
    warm_up(package)
    read = package.datasets.SpectrumDatasetOnOff.read
    times = []
    for _ in range(3):
        four = [read(path, name=path.stem) for path in pha_files("hess")]
        datasets = package.datasets.Datasets([four[i % 4].copy(name=f"spectrum-{i}") for i in range(100)])
        seconds, stacked = clock(lambda datasets=datasets: datasets.stack_reduce(name="all"))
        times.append(seconds)
    mask = stacked.mask_safe.data
    result = {
        "counts": float(stacked.counts.data[mask].sum()),
        "counts_off": float(stacked.counts_off.data[mask].sum()),
        "background": float(stacked.background.data[mask].sum()),
        "exposure": float(stacked.exposure.data.sum(dtype=float)),
        "edisp": float((stacked.edisp.get_edisp_kernel().pdf_matrix).sum()),
        "bins": float(mask.sum()),
    }
    return {"time": statistics.median(times), "result": result}


def agree(ours: dict, peer: dict) -> list[str]:
    return relative_complaints(ours, peer, rtol=1e-5)


if __name__ == "__main__":
    main(run)
