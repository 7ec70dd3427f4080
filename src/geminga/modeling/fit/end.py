"""Where a fit ended: the statistic and its derivatives there, and what they say."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from geminga.modeling.fit.curvature import Curvature
from geminga.modeling.fit.diagnosis import FreeCovariance, Reaction, covariance_of, degeneracies, joined, reaction

__all__ = ["End"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class End:
    """A point of an objective with its derivatives."""

    objective: Any
    x: Array
    stat: float
    gradient: Array
    curvature: Curvature

    @classmethod
    def at(cls, objective: Any, x: Array, order: int = 3) -> Self:
        """Evaluate at `x`, with exact second derivatives unless `order` is 2."""
        return cls(objective, x, *objective.curvature(x, order))

    @cached_property
    def names(self) -> list[str]:
        """Names of the free parameters."""
        return list(self.objective.names())

    @cached_property
    def at_bound(self) -> Flags:
        """Parameters at a bound which the statistic does not draw away from it."""
        x, low, high, pull = self.x, self.objective.low, self.objective.high, self.gradient
        # Rounding may leave a step beside the bound, and a slope where there is none: one that gains nothing does not count.
        reach = np.where(np.isfinite(high - low), 1e-14 * (high - low), 0.0)
        flat = pull**2 <= 2e-9 * np.maximum(self.curvature.diagonal(), 0)
        return np.asarray(((x <= low + reach) & ((pull >= 0) | flat)) | ((x >= high - reach) & ((pull <= 0) | flat)))

    @cached_property
    def reaction(self) -> Reaction:
        """What the statistic does where it seems to be flat."""
        if not np.isfinite(self.stat):
            return Reaction(np.zeros(len(self.x), dtype=bool), [])
        objective = self.objective
        bounds = (objective.low, objective.high)
        return reaction(objective.value_many, self.x, objective.size(self.x), self.stat, self.curvature, bounds)

    @property
    def dead(self) -> Flags:
        """Parameters without effect on the statistic."""
        return self.reaction.dead

    @cached_property
    def _outcome(self) -> tuple[FreeCovariance | None, str]:
        return covariance_of(self.curvature, self.dead | self.at_bound)

    def covariance(self) -> tuple[FreeCovariance | None, str]:
        """Covariance of the free parameters; None and the reason if there is none."""
        return self._outcome

    def steep(self) -> list[str]:
        """Up to three parameters along which the statistic falls by a tenth of an error's worth or more."""
        with np.errstate(invalid="ignore"):
            pull = np.abs(self.gradient) / np.sqrt(np.maximum(self.curvature.diagonal(), 1e-300))
        return [self.names[i] for i in np.argsort(-pull)[:3] if pull[i] > 0.1 and not self.at_bound[i] and not self.dead[i]]

    def remarks(self, is_minimum: bool = True) -> list[str]:
        """Sentences about it, none if all is well; less of them unless the search took it for a minimum."""
        names, low, high = self.names, self.objective.low, self.objective.high
        out = []
        for i in np.flatnonzero(self.at_bound).tolist():
            side, bound = ("lower", low[i]) if self.x[i] - low[i] <= high[i] - self.x[i] else ("upper", high[i])
            out.append(f"{names[i]} is at its {side} bound {bound:.6g}, so it has no two-sided error")
        by_model: dict[str, list[str]] = {}
        for i in np.flatnonzero(self.dead & ~self.at_bound).tolist():
            by_model.setdefault(names[i].rpartition(".")[0], []).append(names[i])
        for own in by_model.values():
            verb, them = ("has", "it") if len(own) == 1 else ("have", "them")
            out.append(f"{joined(own)} {verb} no effect on the statistic; freeze {them}")
        for i, value, fall in self.reaction.lower if is_minimum else []:
            out.append(f"The statistic is lower by {fall:.3g} at {names[i]} = {value:.4g}: start from there")
        if not np.isfinite(self.stat) or (self._outcome[0] is None and not is_minimum):
            return out
        return out + degeneracies(names, self.curvature, self.dead | self.at_bound, self._outcome)
