"""Stacking: the sum of what two datasets saw within their safe ranges.

Stacking is associative and commutative up to rounding: counts and background add up, the exposure too, responses are means
weighted with their exposures, masks are united.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from astropy.table import Table

from geminga.data import GTI
from geminga.datasets.products import filled_parts, label

__all__ = ["stack"]

log = logging.getLogger(__name__)


def stack(self: Any, other: Any, nan_to_num: bool = True) -> None:
    """Add another dataset to this one, in place.

    Only bins in the safe range of `other` are added; nothing happens if it has none. Parts which one of the two does not have
    are left alone. A background model of this dataset is applied to the background, which then holds the prediction, and is
    removed from its models: otherwise it would be applied again.

    Parameters
    ----------
    other : MapDataset
        Dataset on the same geometry, or on a cut-out of it.
    nan_to_num : bool
        Replace NaN of `other` by zero.
    """
    if other.mask_safe is not None and not other.mask_safe.frozen_data.any():
        log.info("%s has no bin in its safe range; nothing is stacked.", label(other))
        return
    _warn_migration(self, other)
    apply_background_model(self)
    # Masks last, mask_safe after all: the rules of the others ask for the masks as they were.
    pairs = sorted(filled_parts(self), key=lambda pair: (pair[0].rank, pair[0].name == "mask_safe"))
    for part, value in pairs:
        other_value = other.predicted_background() if part.name == "background" else getattr(other, part.name)
        if other_value is not None:
            part.stack(self, value, other, other_value, nan_to_num)
    self.gti = _stacked_gti(self.gti, other.gti)
    self.meta_table = _stacked_table(self.meta_table, other.meta_table)
    if self.meta is not None and other.meta is not None:
        self.meta.stack(other.meta)


def apply_background_model(dataset: Any) -> None:
    """Replace the background by its prediction and remove the background model from the models."""
    model = dataset.background_model
    if model is None or dataset.background is None:
        return
    dataset.background = dataset.predicted_background()
    log.info("%s: background model %r is now part of the background and removed from the models.", label(dataset), model.name)
    dataset.models = [one for one in dataset.models if one is not model]


def _warn_migration(one: Any, other: Any) -> None:
    """Say that energy thresholds are lost in a response without bins of reconstructed energy."""
    if other.edisp is None or "migra" not in other.edisp.edisp_map.geom.axes.names or other.mask_safe is None:
        return
    safe = other.mask_safe.frozen_data
    if not np.array_equal(np.broadcast_to(safe.any(axis=0), safe.shape), safe):
        log.warning(
            "%s has energy thresholds, which its energy dispersion in migration cannot carry: below the threshold the counts "
            "predicted by the stacked dataset are too many. Create datasets without migra_axis to stack them.",
            label(other),
        )


def _stacked_gti(one: Any, other: Any) -> Any:
    if one is None or other is None:
        return one if other is None else other.copy()
    filled = [gti for gti in (one, other) if len(gti.table)]
    if len(filled) < 2:
        return (filled[0] if filled else one).copy()
    return GTI.from_stack(filled).union()


def _stacked_table(one: Any, other: Any) -> Any:
    """One row whose cells are the entries of both tables, for the columns both have."""
    if one is None or other is None:
        return one if other is None else other.copy()
    names = [name for name in one.colnames if name in other.colnames]
    table = Table()
    for name in names:
        cells = np.concatenate([np.ravel(np.asarray(t[name])) for t in (one, other)])
        table[name] = cells[np.newaxis]
        table[name].unit = one[name].unit
    return table
