"""Errors split into what the counts do not tell and what the calibration does not.

With p the parameters of interest, n the nuisance parameters and C the covariance of a fit of both,

    total        C_pp
    statistical  C_pp - C_pn C_nn^-1 C_np    (what a fit with the nuisance parameters held at their best values gives)
    systematic   C_pn C_nn^-1 C_np

because the inverse of a block of the inverse of C is just that. A part of the nuisance parameters, those of one model, has
the share C_pg C_gg^-1 C_gp: by so much the variance falls if these become known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import FitError, NameLookupError

__all__ = ["ErrorBudget", "error_budget"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ErrorBudget:
    """Statistical and systematic errors of the parameters of a fit, each in the parameter's own unit.

    Attributes
    ----------
    names, units : list of str
        Unique name, such as ``"crab.spectral.index"``, and unit of each free parameter that is no nuisance parameter.
    values, errors, statistical, systematic : array
        Values and errors: ``errors**2 = statistical**2 + systematic**2``; NaN where there is no error.
    shares : dict
        Systematic error from the nuisance parameters of each model alone, by its name. Shares of models whose nuisance
        parameters are correlated by the data do not add up in quadrature.
    nuisance : list of str
        Unique names of the nuisance parameters.
    impacts : array
        By how much each parameter changes if a nuisance parameter rises by its error, shape (n_parameter, n_nuisance).
    pulls, constraints : array
        How far each nuisance parameter has moved from the centre of its prior, and its error, in widths of the prior; NaN for
        priors without a width.
    """

    names: list[str]
    units: list[str]
    values: Array
    errors: Array
    statistical: Array
    systematic: Array
    shares: dict[str, Array]
    nuisance: list[str]
    impacts: Array
    pulls: Array
    constraints: Array

    def to_table(self) -> Any:
        """Table with the columns name, value, error, stat, syst, one for each share, and unit."""
        from astropy.table import Table

        columns = {
            "name": self.names,
            "value": self.values,
            "error": self.errors,
            "stat": self.statistical,
            "syst": self.systematic,
        }
        columns |= {f"syst_{name}": share for name, share in self.shares.items()}
        return _formatted(Table(columns | {"unit": self.units}))

    def to_impacts_table(self) -> Any:
        """Table of the nuisance parameters: name, pull, constraint, and the impact on each parameter."""
        from astropy.table import Table

        columns: dict[str, Any] = {"nuisance": self.nuisance, "pull": self.pulls, "constraint": self.constraints}
        return _formatted(Table(columns | dict(zip(self.names, self.impacts, strict=True))))

    def __str__(self) -> str:
        parts = [type(self).__name__, "", *self.to_table().pformat(max_lines=-1, max_width=-1)]
        if self.nuisance:
            parts += ["", *self.to_impacts_table().pformat(max_lines=-1, max_width=-1)]
        return "\n".join(parts) + "\n"


def _formatted(table: Any) -> Any:
    for column in table.itercols():
        if column.dtype.kind == "f":
            column.info.format = ".4g"
    return table


def error_budget(models: Any, covariance: Any, nuisance: Iterable[Any] | None = None) -> ErrorBudget:
    """Split the errors of a fit.

    Parameters
    ----------
    models : Models
        Fitted models.
    covariance : Covariance
        Covariance of a fit of these.
    nuisance : list of Parameter or str, optional
        Nuisance parameters; all free ones of the models of systematic errors if not given.

    Raises
    ------
    FitError
        If there is no covariance.
    NameLookupError
        If a nuisance parameter is not among the free ones.
    """
    if covariance is None:
        msg = "There is no covariance of the parameters, so their errors cannot be split; see the message of the fit."
        raise FitError(msg)
    owners = {p: model.name for model in reversed(list(models)) for p in model.parameters}
    labels = dict(reversed(list(zip(models.parameters, models.parameters_unique_names, strict=True))))
    free = [p for p in labels if not p.frozen][::-1]
    chosen = _chosen(models, free, nuisance)
    keep, others = [p for p in free if p not in chosen], [p for p in free if p in chosen]
    matrix = np.asarray(covariance.get_subcovariance([*keep, *others]).data)
    n = len(keep)
    total, cross, inner = matrix[:n, :n], matrix[:n, n:], matrix[n:, n:]
    groups: dict[str, list[int]] = {}
    for j, p in enumerate(others):
        groups.setdefault(owners[p], []).append(j)
    variances = np.where(np.diag(total) > 0, np.diag(total), np.nan)
    systematic = _share(cross, inner, list(range(len(others))))
    errors = np.sqrt(np.diag(inner))
    pulls, constraints = _against_priors(others, errors)
    return ErrorBudget(
        names=[labels[p] for p in keep],
        units=[str(p.unit) for p in keep],
        values=np.array([p.value for p in keep], dtype=float),
        errors=np.sqrt(variances),
        statistical=np.sqrt(np.maximum(variances - systematic, 0)),
        systematic=np.sqrt(np.where(np.isfinite(variances), systematic, np.nan)),
        shares={name: np.sqrt(_share(cross, inner, places)) for name, places in groups.items()},
        nuisance=[labels[p] for p in others],
        impacts=np.divide(cross, errors, out=np.zeros_like(cross), where=errors > 0),
        pulls=pulls,
        constraints=constraints,
    )


def _chosen(models: Any, free: list[Any], nuisance: Iterable[Any] | None) -> set[Any]:
    if nuisance is None:
        return {p for model in models if model.is_systematic for p in model.parameters}
    chosen = set()
    for own in nuisance:
        parameter = models.parameters[models.parameters_unique_names.index(own)] if own in models.parameters_unique_names else own
        if parameter not in free:
            msg = f"Nuisance parameter {getattr(own, 'name', own)!r} is not among the free parameters of the fit: "
            msg += f"{', '.join(models.parameters_unique_names)}."
            raise NameLookupError(msg)
        chosen.add(parameter)
    return chosen


def _share(cross: Array, inner: Array, places: list[int]) -> Array:
    """Variance of each parameter that goes back to some nuisance parameters; those without an error have no share."""
    places = [j for j in places if inner[j, j] > 0]
    if not places:
        return np.zeros(len(cross))
    own, scale = cross[:, places], np.sqrt(np.diag(inner)[places])
    correlation = inner[np.ix_(places, places)] / np.outer(scale, scale)
    own = own / scale
    return np.maximum(np.einsum("pn,np->p", own, np.linalg.solve(correlation, own.T)), 0)


def _against_priors(parameters: list[Any], errors: Array) -> tuple[Array, Array]:
    """Pulls and constraints: priors with the parameters mu and sigma have a centre and a width."""
    pulls, constraints = np.full(len(parameters), np.nan), np.full(len(parameters), np.nan)
    for j, p in enumerate(parameters):
        own = {} if p.prior is None else {q.name: q.value for q in p.prior.parameters}
        if own.keys() >= {"mu", "sigma"}:
            is_log = "LogNormalPrior" in p.prior.tag
            pulls[j] = (np.log(p.value / own["mu"]) if is_log else p.value - own["mu"]) / own["sigma"]
            constraints[j] = errors[j] / (own["sigma"] * (p.value if is_log else 1))
    return pulls, constraints
