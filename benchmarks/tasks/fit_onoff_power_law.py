"""Joint fit of four H.E.S.S. on/off spectra of the Crab nebula: power law."""

from __future__ import annotations

from spectra import fit_fresh_spectra, read_spectra
from taskkit import Package, main, parameter_complaints, relative_complaints

GOAL = 50.0


def power_law(package: Package, scale: float) -> list:
    spectrum = package.models.PowerLawSpectralModel(index=2 * scale, amplitude="1e-11 cm-2 s-1 TeV-1")
    return [package.models.SkyModel(spectral_model=spectrum, name="crab")]


def run(package: Package) -> dict:
    return fit_fresh_spectra(package, lambda: read_spectra(package, "hess"), lambda scale: power_law(package, scale), repeat=9)


def agree(ours: dict, peer: dict) -> list[str]:
    stats = relative_complaints({"stat": ours["stat"]}, {"stat": peer["stat"]}, rtol=1e-5)
    return parameter_complaints(ours, peer, sigmas=0.02) + stats


if __name__ == "__main__":
    main(run)
