"""Which statistic a dataset asks for, and which of its arrays that takes.

A dataset names its statistic (``stat_type``); everything else is a trait of the statistic found here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import UnsupportedError
from geminga.numerics.acceptance import acceptance_ratio
from geminga.numerics.likelihood import Cash, Cstat, Statistic, Wstat

__all__ = ["STATISTICS", "StatisticKind", "statistic_kind"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class StatisticKind:
    """A statistic by name.

    Attributes
    ----------
    maps : tuple of str
        Maps of the dataset which it depends on, beside background and exposure.
    make : callable
        From the arrays of these maps to a `Statistic`.
    neutral : tuple of float
        What stands in these arrays where a bin is not used, so that it adds nothing.
    has_background : bool
        Whether the prediction contains the dataset's background (an off measurement takes its place).
    is_sparse : bool
        Whether bins without counts enter through the sum of the prediction alone.
    """

    maps: tuple[str, ...]
    make: Callable[..., Statistic]
    neutral: tuple[float, ...]
    has_background: bool = True
    is_sparse: bool = True

    def read(self, dataset: Any) -> list[Array]:
        """Arrays of a dataset, each of shape (energy, pixel); zero counts where the dataset has none."""
        maps = [getattr(dataset, name) for name in self.maps]
        shape = tuple(int(n) for n in dataset._geom.data_shape)
        data = [np.zeros(shape) if m is None else np.asarray(m.frozen_data, dtype=float) for m in maps]
        return [own.reshape(shape[0], -1) for own in data]

    def statistic(self, arrays: list[Array], used: NDArray[np.bool_]) -> Statistic:
        """The statistic of the bins `used`; the others are neutral."""
        pairs = zip(arrays, self.neutral, strict=True)
        return self.make(*(np.where(used, own, neutral) for own, neutral in pairs))


def _wstat(n_on: Array, n_off: Array, acceptance: Array, acceptance_off: Array) -> Wstat:
    return Wstat(n_on, n_off, acceptance_ratio(acceptance, acceptance_off, n_off))


_COUNTS: dict[str, Any] = {"maps": ("counts",), "neutral": (0.0,)}

STATISTICS: dict[str, StatisticKind] = {
    "cash": StatisticKind(**_COUNTS, make=Cash),
    "cash_weighted": StatisticKind(**_COUNTS, make=Cash),
    "cstat": StatisticKind(**_COUNTS, make=Cstat),
    "wstat": StatisticKind(
        maps=("counts", "counts_off", "acceptance", "acceptance_off"),
        neutral=(0.0, 0.0, 1.0, 1.0),
        make=_wstat,
        has_background=False,
        is_sparse=False,
    ),
}


def statistic_kind(dataset: Any) -> StatisticKind:
    """Kind of the statistic of a dataset.

    Raises
    ------
    UnsupportedError
        If it is not one for counts.
    """
    kind = STATISTICS.get(dataset.stat_type)
    if kind is None:
        msg = (
            f"Dataset {dataset.name!r}: statistic {dataset.stat_type!r} is not one for counts; "
            f"set stat_type to one of {', '.join(STATISTICS)}."
        )
        raise UnsupportedError(msg)
    return kind
