"""1000 points of the likelihood of four H.E.S.S. on/off spectra: index and amplitude, as a sampler asks for them."""

from __future__ import annotations

from points import evaluate_points
from spectra import read_spectra
from taskkit import Package, main, relative_complaints

GOAL = 50.0
ROUNDS = 3


def run(package: Package) -> dict:
    datasets = read_spectra(package, "hess")
    spectrum = package.models.PowerLawSpectralModel(index=2.6, amplitude="4.5e-11 cm-2 s-1 TeV-1")
    datasets.models = [package.models.SkyModel(spectral_model=spectrum, name="crab")]
    return evaluate_points(package, datasets, [spectrum.index, spectrum.amplitude])


def agree(ours: dict, peer: dict) -> list[str]:
    return relative_complaints(ours, peer, rtol=1e-6)


if __name__ == "__main__":
    main(run)
