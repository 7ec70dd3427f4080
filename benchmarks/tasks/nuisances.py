"""Systematic errors that several tasks add to their models."""

from __future__ import annotations

from taskkit import Package


def systematic_errors(package: Package, *names: str) -> list:
    """One model of systematic errors, each of 5 per cent around where it has no effect."""
    models = package.models
    priors = {name: models.GaussianPrior(mu=1.0 if name.endswith(("_scale", "_norm")) else 0.0, sigma=0.05) for name in names}
    return [models.SystematicsModel(name="errors", **priors)]
