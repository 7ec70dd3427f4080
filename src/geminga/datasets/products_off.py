"""The parts of a dataset that come from an off measurement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from geminga.datasets.products import Addend, Part, RecoMap, add_maps
from geminga.numerics.acceptance import merged_acceptance_off

__all__ = ["OffAcceptance", "OffCounts"]


class OffCounts(RecoMap):
    """Counts of the off region: on the bins of the counts, for a spectrum in a region of their own."""

    def check(self, dataset: Any, value: Any) -> None:
        """Refuse a map on other bins than the counts; regions may differ."""
        counts = dataset._get_part("counts")
        is_elsewhere = counts is not None and getattr(getattr(value, "geom", None), "is_region", False) and counts.geom.is_region
        if is_elsewhere and value.geom.axes == counts.geom.axes:
            Part.check(self, dataset, value)
        else:
            super().check(dataset, value)


class OffAcceptance(RecoMap):
    """Acceptance of the off region; where bins are merged, it is what keeps the sum of their backgrounds."""

    rank = 0

    def _merged(self, dataset: Any, part: Any, merge: Callable[[Any], Any]) -> Any:
        background = dataset.background
        if background is None:
            return merge(part)
        own, *sums = (merge(one) for one in (part, dataset.acceptance, dataset.counts_off, background))
        acceptance, n_off, total = (one.frozen_data for one in sums)
        return own.copy(data=merged_acceptance_off(acceptance, own.frozen_data, n_off, total))

    def downsample(self, dataset: Any, part: Any, factor: int, axis_name: str | None) -> Any:
        """Effective acceptance within the safe range."""
        return self._merged(dataset, part, lambda one: super(OffAcceptance, self).downsample(dataset, one, factor, axis_name))

    def resample_energy_axis(self, dataset: Any, part: Any, axis: Any) -> Any:
        """Effective acceptance within the safe range."""
        return self._merged(dataset, part, lambda one: super(OffAcceptance, self).resample_energy_axis(dataset, one, axis))

    def to_region(self, dataset: Any, part: Any, region: Any) -> Any:
        """Effective acceptance within the safe range."""
        return self._merged(dataset, part, lambda one: super(OffAcceptance, self).to_region(dataset, one, region))

    def stack(self, dataset: Any, part: Any, others: Sequence[tuple[Any, Addend]], nan_to_num: bool) -> None:
        """Effective acceptance of all datasets together."""
        sums = []
        for name in ("acceptance", "acceptance_off", "counts_off", "background"):
            own = getattr(dataset, name)
            total = own.copy(data=own.frozen_data.astype(float))
            add_maps(total, [(getattr(addend.dataset, name), addend) for _, addend in others], nan_to_num=True)
            sums.append(total.frozen_data)
        part.data = merged_acceptance_off(*sums)
