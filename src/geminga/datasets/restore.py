"""Masks for the time of a block."""

from __future__ import annotations

from typing import Any

import numpy as np

from geminga.datasets.collection import Datasets

__all__ = ["set_and_restore_mask_fit"]


class set_and_restore_mask_fit:  # noqa: N801
    """Context manager that restricts the fit masks of datasets and puts them back at its end.

    Parameters
    ----------
    datasets : Datasets or list of Dataset
        Datasets whose ``mask_fit`` is set.
    mask_fit : Map, optional
        Mask, brought to the geometry of each dataset by nearest pixel.
    energy_min, energy_max : Quantity, optional
        Range of reconstructed energy.
    round_to_edge : bool
        Round the energies to the nearest bin edges.
    operator : callable, optional
        How to join the new mask with the one there is; ``None`` replaces it.

    Examples
    --------
    >>> from geminga.datasets import Datasets, set_and_restore_mask_fit
    >>> with set_and_restore_mask_fit(Datasets(), energy_min="1 TeV") as datasets:
    ...     len(datasets)
    0
    """

    def __init__(
        self,
        datasets: Any,
        mask_fit: Any = None,
        energy_min: Any = None,
        energy_max: Any = None,
        round_to_edge: bool = False,
        operator: Any = np.logical_and,
    ) -> None:
        self.datasets = datasets if isinstance(datasets, Datasets) else Datasets(datasets)
        self.mask_fit = mask_fit
        self.energy_min = energy_min
        self.energy_max = energy_max
        self.round_to_edge = round_to_edge
        self.operator = operator
        self.mask_fits = [dataset.mask_fit for dataset in self.datasets]

    def _mask(self, dataset: Any) -> Any:
        geom = dataset._geom
        mask = geom.energy_mask(self.energy_min, self.energy_max, round_to_edge=self.round_to_edge)
        if self.mask_fit is not None:
            same = self.mask_fit.geom == geom
            mask = mask & (self.mask_fit if same else self.mask_fit.interp_to_geom(geom))
        if self.operator is None or dataset.mask_fit is None:
            return mask
        # Flux points keep their masks as arrays.
        known = getattr(dataset.mask_fit, "frozen_data", dataset.mask_fit)
        return mask.copy(data=self.operator(known, mask.frozen_data))

    def __enter__(self) -> Any:
        """Set the masks and return the datasets."""
        masks = [self._mask(dataset) for dataset in self.datasets]
        for dataset, mask in zip(self.datasets, masks, strict=True):
            dataset.mask_fit = mask
        return self.datasets

    def __exit__(self, *error: object) -> None:
        """Put the masks back."""
        for dataset, mask in zip(self.datasets, self.mask_fits, strict=True):
            dataset.mask_fit = mask
