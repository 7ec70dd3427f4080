"""Joint fit of ten on/off spectra of the Crab nebula from five instruments: log parabola."""

from __future__ import annotations

from spectra import INSTRUMENTS, fit_fresh_spectra, read_spectra
from taskkit import Package, main, parameter_complaints, relative_complaints

GOAL = 50.0


def log_parabola(package: Package, scale: float) -> list:
    spectrum = package.models.LogParabolaSpectralModel(
        amplitude="1e-11 cm-2 s-1 TeV-1", reference="1 TeV", alpha=2.3 * scale, beta=0.2
    )
    return [package.models.SkyModel(spectral_model=spectrum, name="crab")]


def run(package: Package) -> dict:
    return fit_fresh_spectra(
        package, lambda: read_spectra(package, *INSTRUMENTS), lambda scale: log_parabola(package, scale), repeat=5
    )


def agree(ours: dict, peer: dict) -> list[str]:
    stats = relative_complaints({"stat": ours["stat"]}, {"stat": peer["stat"]}, rtol=1e-5)
    return parameter_complaints(ours, peer, sigmas=0.02) + stats


if __name__ == "__main__":
    main(run)
