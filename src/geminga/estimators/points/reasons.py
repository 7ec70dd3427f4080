"""Why a bin of flux points has no value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["batch_reasons", "described", "has_bins", "missing_reason"]

Text = NDArray[Any]

NO_DATASET = "no dataset lies in this interval"
NO_ENERGY = "no energy bin of the datasets lies inside the band"
MASKED = "all bins are masked"
NOT_FINITE = "counts, background or predictions are not finite"
NO_SIGNAL = "the source predicts no counts: there is no exposure, or it lies outside"


def missing_reason(groups: Sequence[Sequence[slice | None]], first: Sequence[int], batch: int, band: int) -> str:
    """Reason why no dataset has bins for a band of an interval, masks aside; empty if one has."""
    own = [group[band] for group, start in zip(groups, first, strict=True) if start == batch]
    if not own:
        return NO_DATASET
    return "" if any(part is not None for part in own) else NO_ENERGY


def batch_reasons(
    norm: NDArray[np.float64],
    groups: Sequence[Sequence[slice | None]],
    first: Sequence[int],
    has_bins: NDArray[np.bool_],
    is_bad: NDArray[np.bool_],
) -> Text:
    """Reason for each norm that is NaN, shape of the norms (number, n_band); empty for others.

    Parameters
    ----------
    norm : array
        Norms.
    groups : list
        Energy bins of each dataset in each band.
    first : list of int
        Interval of each dataset.
    has_bins, is_bad : array of bool
        Whether any bin is inside the mask, and whether any such bin is not finite.
    """
    out = np.full(norm.shape, "", dtype=object)
    for cell in zip(*np.nonzero(~np.isfinite(norm)), strict=True):
        batch, band = int(cell[0]), int(cell[1])
        known = NOT_FINITE if is_bad[cell] else NO_SIGNAL if has_bins[cell] else MASKED
        out[cell] = missing_reason(groups, first, batch, band) or known
    return out


def described(reasons: Text, axes: Sequence[Any]) -> list[str]:
    """One line for each bin without a value; `axes` are energy, and time or another if there are several."""
    energy, lines = axes[0], []
    for batch, band in zip(*np.nonzero(reasons != ""), strict=True):
        where = f"{energy.edges[band]:.4g} - {energy.edges[band + 1]:.4g}"
        if len(axes) > 1:
            where = f"{axes[1].name} {batch}, {where}"
        lines.append(f"{where}: {reasons[batch, band]}")
    return lines


def has_bins(dataset: Any) -> bool:
    """Whether the mask of a dataset selects any bin."""
    return dataset.mask is None or bool(np.asarray(dataset.mask.frozen_data).any())
