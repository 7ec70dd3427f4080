"""Stacking: the sum of what two datasets saw within their safe ranges.

Stacking is associative and commutative up to rounding: counts and background add up, the exposure too, responses are means
weighted with their exposures, masks are united.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from astropy.table import Table

from geminga.data import GTI
from geminga.datasets.products import Addend, filled_parts, label, own_part, same_geometry

__all__ = ["check_stackable", "stack", "stack_all"]

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
    stack_all(self, [other], nan_to_num)


def stack_all(self: Any, others: Sequence[Any], nan_to_num: bool = True) -> None:
    """Add several datasets in place, see `stack`."""
    used = [other for other in others if _has_safe_bins(other)]
    if not used:
        return
    for other in used:
        other.check_stackable()
        _warn_migration(self, other)
    apply_background_model(self)
    addends = [Addend(other, same_geometry(self._geom, other._geom)) for other in used]
    # Masks last, mask_safe after all: the rules of the others ask for the masks as they were.
    for part, value in sorted(filled_parts(self), key=lambda pair: (pair[0].rank, pair[0].name == "mask_safe")):
        given = [(addend.value(part), addend) for addend in addends]
        part.stack(self, own_part(self, part, value), [pair for pair in given if pair[0] is not None], nan_to_num)
    for other in used:
        if self.meta is not None and other.meta is not None:
            self.meta.stack(other.meta)
    self.gti = _stacked_gti([self.gti, *(other.gti for other in used)])
    self.meta_table = _stacked_table([self.meta_table, *(other.meta_table for other in used)])


def _has_safe_bins(dataset: Any) -> bool:
    if dataset.mask_safe is None or dataset.mask_safe.frozen_data.any():
        return True
    log.info("%s has no bin in its safe range; nothing is stacked.", label(dataset))
    return False


def check_stackable(dataset: Any) -> None:
    """Refuse a dataset whose sum with another would mean nothing; any map dataset will do."""


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


def _stacked_gti(gtis: Sequence[Any]) -> Any:
    known = [gti for gti in gtis if gti is not None]
    filled = [gti for gti in known if len(gti)]
    if len(filled) < 2:
        return (filled or known)[0].copy() if known else None
    return GTI.from_stack(filled).union()


def _stacked_table(tables: Sequence[Any]) -> Any:
    """One row whose cells are the entries of all tables, for the columns which all have."""
    known = [table for table in tables if table is not None]
    if len(known) < 2:
        return known[0].copy() if known else None
    stacked = Table()
    for name in known[0].colnames:
        if all(name in table.colnames for table in known):
            cells = np.concatenate([np.ravel(np.asarray(table[name])) for table in known])
            stacked[name] = cells[np.newaxis]
            stacked[name].unit = known[0][name].unit
    return stacked
