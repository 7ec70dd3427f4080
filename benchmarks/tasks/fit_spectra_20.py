"""Joint fit of 20 simulated spectra with a shared index and an amplitude each."""

from __future__ import annotations

from spectra import fit_simulated
from taskkit import Package, main, parameter_complaints, relative_complaints

GOAL = 100.0
ROUNDS = 2


def run(package: Package) -> dict:
    return fit_simulated(package, number=20, repeat=1 if package.name == "gammapy" else 5)


def agree(ours: dict, peer: dict) -> list[str]:
    stats = relative_complaints({"stat": ours["stat"]}, {"stat": peer["stat"]}, rtol=1e-6)
    return parameter_complaints(ours, peer, sigmas=0.05) + stats


if __name__ == "__main__":
    main(run)
