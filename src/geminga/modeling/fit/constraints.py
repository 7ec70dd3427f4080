"""What a fit knows about its parameters besides the data: priors on one, penalties on several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import UnsupportedError

__all__ = ["Constraints", "penalties_of"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]


def penalties_of(datasets: Any) -> list[Any]:
    """Penalties of the models of datasets, each once; those of a collection of datasets may tie models of several together."""
    lists = [getattr(datasets, "models", None)]
    if not hasattr(datasets, "likelihood"):
        lists += [getattr(dataset, "models", None) for dataset in datasets]
    found = {id(penalty): penalty for models in lists for penalty in getattr(models, "penalties", None) or ()}
    return list(found.values())


class Constraints:
    """Priors and penalties as a function of the values of all parameters of a fit.

    Parameters
    ----------
    parameters : list of Parameter
        Parameters of the fit.
    penalties : list of FitStatisticPenalty
        Penalties; those of their parameters which are not in the fit keep their values.

    Raises
    ------
    UnsupportedError
        If a penalty does not give its derivatives.
    """

    def __init__(self, parameters: Sequence[Any], penalties: Sequence[Any]) -> None:
        place = {id(p): i for i, p in enumerate(parameters)}
        self.priors = [(i, p.prior) for i, p in enumerate(parameters) if p.prior is not None]
        # Parabolas, of which there may be very many, are summed at once.
        parabolas = [(i, *prior._parabola) for i, prior in self.priors if prior._parabola is not None]
        self._others = [(i, prior) for i, prior in self.priors if prior._parabola is None]
        table = np.array(parabolas, dtype=float).reshape(-1, 4).T
        self._at, (self._center, self._bend, least) = table[0].astype(np.intp), table[1:]
        self._least = float(least.sum())
        self.penalties = []
        for penalty in penalties:
            if not hasattr(penalty, "derivatives"):
                msg = f"A fit cannot take the penalty {penalty!r} into account; derive it from geminga.stats.FitStatisticPenalty."
                raise UnsupportedError(msg)
            own = list(penalty.parameters)
            index = np.array([place.get(id(p), -1) for p in own], dtype=np.intp)
            self.penalties.append((penalty, index, np.array([p.value for p in own], dtype=float)))

    def __bool__(self) -> bool:
        return bool(self.priors or self.penalties)

    def groups(self) -> list[Index]:
        """Parameters which are tied together."""
        return [np.unique(index[index >= 0]) for _, index, _ in self.penalties]

    def values(self, points: Array, priors: bool = True) -> Array:
        """Their sum at many points, shape (n, n_parameters) to (n,); that of the penalties alone unless `priors`."""
        total = np.zeros(len(points))
        for i, prior in self.priors if priors else []:
            total += np.asarray(prior(points[:, i]), dtype=float)
        for penalty, index, kept in self.penalties:
            own = np.where(index >= 0, points[:, index], kept)
            total += [float(penalty.evaluate(row)) for row in own]
        return total

    def derivatives(self, values: Array, exact: bool) -> tuple[float, Array, Array, list[tuple[Index, Array]]]:
        """Sum, gradient, second derivatives by each parameter from its prior, and those of penalties in blocks with their places.

        Unless `exact`, directions along which a term bends downwards are taken as straight.
        """
        gradient, bends = np.zeros(len(values)), np.zeros(len(values))
        away = values[self._at] - self._center
        slope = self._bend * away
        total = 0.5 * float(slope @ away) + self._least
        gradient[self._at], bends[self._at] = slope, self._bend
        for i, prior in self._others:
            total += float(prior(values[i]))
            gradient[i] = float(prior.derivative(values[i]))
            bends[i] = float(prior.curvature(values[i]))
        blocks: list[tuple[Index, Array]] = []
        for penalty, index, kept in self.penalties:
            stat, slope, second = penalty.derivatives(np.where(index >= 0, values[index], kept))
            total += float(stat)
            inside = index >= 0
            np.add.at(gradient, index[inside], slope[inside])
            second = second[np.ix_(inside, inside)]
            blocks.append((index[inside], second if exact else _positive(second)))
        return total, gradient, bends if exact else np.maximum(bends, 0.0), blocks


def _positive(matrix: Array) -> Array:
    """Nearest matrix without negative eigenvalues."""
    eigen, vector = np.linalg.eigh(matrix)
    return matrix if len(eigen) == 0 or eigen[0] >= 0 else np.asarray((vector * np.maximum(eigen, 0)) @ vector.T)
