"""The parts of a dataset, each with the rules of its kind.

A dataset class lists its parts as class attributes::

    counts = RecoMap("binned counts")
    exposure = TrueMap()
    mask_safe = MaskMap()
    edisp = Response("edisp_map")

Each is a descriptor: it checks what is set, loads a part on first use when the file was opened lazily, and knows how a part of
its kind is cut out, sliced, rebinned, padded, reduced to a region and stacked. `transform` and `stack` only walk over the
list, so a dataset with further parts (counts of an off region, acceptances) needs nothing but further lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from geminga.datasets.masks import in_safe_range, irf_weights, reduce_mask, report_nan
from geminga.errors import DataError, GeometryError, InputError, UnsupportedError
from geminga.irf import IRFMap
from geminga.maps import Map

__all__ = [
    "Addend",
    "MaskMap",
    "Part",
    "Plain",
    "RecoMap",
    "Response",
    "TrueMap",
    "add_maps",
    "changed",
    "filled_parts",
    "label",
    "own_part",
    "parts_of",
    "same_geometry",
    "share_parts",
]


def same_geometry(one: Any, other: Any) -> bool:
    """Whether two geometries hold the same pixels and bins (at once if they are one object)."""
    return one is other or bool(one == other)


def parts_of(cls: type) -> dict[str, Part]:
    """Parts of a dataset class in the order of their definition, inherited ones first, overridden ones left out."""
    names = {name: None for base in reversed(cls.__mro__) for name, value in vars(base).items() if isinstance(value, Part)}
    return {name: value for name in names if isinstance(value := getattr(cls, name), Part)}


@dataclass(frozen=True)
class Addend:
    """A dataset to be added to another one.

    Attributes
    ----------
    dataset : MapDataset
        The dataset; its bins in the safe range count.
    is_same : bool
        Whether its counts are on the very geometry of the sum, so that arrays can be added; else it is a cut-out of it.
    """

    dataset: Any
    is_same: bool

    @property
    def safe(self) -> Any:
        """Array of the safe mask, or 1."""
        mask = self.dataset.mask_safe
        return 1 if mask is None else mask.frozen_data

    def value(self, part: Part) -> Any:
        """What it adds to a part."""
        return self.dataset.predicted_background() if part.name == "background" else getattr(self.dataset, part.name)


def add_maps(part: Any, values: Sequence[tuple[Any, Addend]], nan_to_num: bool) -> None:
    """Add maps in their safe ranges to a map in place."""
    if nan_to_num:
        for value, addend in values:
            report_nan(label(addend.dataset), value, addend.safe)
    quick = [(value, addend) for value, addend in values if addend.is_same and value.unit == part.unit]
    if quick:
        data = part.frozen_data.copy()
        for value, addend in quick:
            array = value.frozen_data
            if nan_to_num and array.dtype.kind == "f":
                array = np.nan_to_num(array, posinf=np.inf, neginf=-np.inf)
            np.add(data, array * addend.safe, out=data, casting="unsafe")
        part.data = data
    for value, addend in values:
        if not (addend.is_same and value.unit == part.unit):
            part.stack(value, weights=addend.dataset.mask_safe, nan_to_num=nan_to_num)


class Part:
    """A named part of a dataset, ``None`` if the dataset has none; the default rule of each operation is "unchanged"."""

    name: str
    accepted: type = Map
    #: Place in the order of stacking: a rule may ask for parts of a higher rank as they were before.
    rank: int = 1

    def __init__(self, doc: str = "") -> None:
        self.__doc__ = doc

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, dataset: Any, owner: type | None = None) -> Any:
        if dataset is None:
            return self
        return dataset._get_part(self.name)

    def __set__(self, dataset: Any, value: Any) -> None:
        if value is not None:
            self.check(dataset, value)
        dataset._set_part(self.name, value)

    def check(self, dataset: Any, value: Any) -> None:
        """Refuse a value which cannot be this part of `dataset`."""
        if not isinstance(value, self.accepted):
            msg = f"{label(dataset)}: {self.name} is a {type(value).__name__}; expected a {self.accepted.__name__} or None."
            raise InputError(msg)

    def cutout(self, dataset: Any, part: Any, **where: Any) -> Any:
        """Spatial cut-out."""
        return part.cutout(**where)

    def slice_by_idx(self, dataset: Any, part: Any, slices: dict[str, slice]) -> Any:
        """Slices of the axes the part has."""
        own = {name: value for name, value in slices.items() if name in self.geom(part).axes.names}
        return part.slice_by_idx(own).copy() if own else part

    def downsample(self, dataset: Any, part: Any, factor: int, axis_name: str | None) -> Any:
        """Merge `factor` pixels or bins into one."""
        return part

    def resample_energy_axis(self, dataset: Any, part: Any, axis: Any) -> Any:
        """Merge bins of reconstructed energy into those of `axis`."""
        return part

    def pad(self, dataset: Any, part: Any, pad_width: Any, mode: str) -> Any:
        """Add pixels at the border."""
        return part

    def to_region(self, dataset: Any, part: Any, region: Any) -> Any:
        """Reduce to one region."""
        return part.to_region_nd_map(region)

    def stack(self, dataset: Any, part: Any, others: Sequence[tuple[Any, Addend]], nan_to_num: bool) -> None:
        """Add the same parts of other datasets to `part` in place."""

    def geom(self, part: Any) -> Any:
        """Geometry of a part."""
        return part.geom

    def maps(self, part: Any) -> list[Any]:
        """Maps a part is made of."""
        return [part]


class Plain:
    """Anything else a dataset holds, which is handed on as it is: time intervals, a table."""

    def __init__(self, name: str, doc: str = "") -> None:
        self.name = name
        self.__doc__ = doc

    def __get__(self, dataset: Any, owner: type | None = None) -> Any:
        return self if dataset is None else dataset._get_part(self.name)

    def __set__(self, dataset: Any, value: Any) -> None:
        dataset._set_part(self.name, value)


def label(dataset: Any) -> str:
    """How messages name a dataset."""
    return f"{dataset.tag} {dataset.name!r}"


class RecoMap(Part):
    """Map on the bins of the counts whose bins add up: counts, background, acceptance."""

    def check(self, dataset: Any, value: Any) -> None:
        """Refuse a map without energy axis, or on another geometry than the counts."""
        super().check(dataset, value)
        counts = dataset._get_part("counts") if self.name != "counts" else None
        if counts is not None and not same_geometry(counts.geom, value.geom):
            msg = f"{label(dataset)}: {self.name} {_differs(value, counts)}; bring it there with .interp_to_geom or .resample."
            raise GeometryError(msg)

    def downsample(self, dataset: Any, part: Any, factor: int, axis_name: str | None) -> Any:
        """Sum within the safe range."""
        return part.downsample(factor=factor, axis_name=axis_name, weights=dataset.mask_safe)

    def resample_energy_axis(self, dataset: Any, part: Any, axis: Any) -> Any:
        """Sum within the safe range."""
        return part.resample_axis(axis=axis, weights=dataset.mask_safe)

    def pad(self, dataset: Any, part: Any, pad_width: Any, mode: str) -> Any:
        """Pad with zeros, or as `mode` says."""
        return part.pad(pad_width, mode=mode)

    def to_region(self, dataset: Any, part: Any, region: Any) -> Any:
        """Sum within the safe range."""
        return part.to_region_nd_map(region, func=np.nansum, weights=dataset.mask_safe)

    def stack(self, dataset: Any, part: Any, others: Sequence[tuple[Any, Addend]], nan_to_num: bool) -> None:
        """Add the bins in the safe ranges of the others."""
        add_maps(part, others, nan_to_num)


class MaskMap(Part):
    """Boolean map on the bins of the counts."""

    rank = 2

    def check(self, dataset: Any, value: Any) -> None:
        """Refuse a map that is not boolean, or on another geometry than the counts."""
        super().check(dataset, value)
        if value.frozen_data.dtype != bool:
            msg = (
                f"{label(dataset)}: {self.name} has data of type {value.frozen_data.dtype}; expected bool, "
                "for example from geom.region_mask or by comparing a map with a number."
            )
            raise DataError(msg)
        counts = dataset._get_part("counts")
        if counts is not None and not same_geometry(counts.geom, value.geom):
            msg = f"{label(dataset)}: {self.name} {_differs(value, counts)}; make the mask from dataset.counts.geom."
            raise GeometryError(msg)

    def downsample(self, dataset: Any, part: Any, factor: int, axis_name: str | None) -> Any:
        """A bin is in if any bin it is made from is: the sums it belongs to are of those bins only."""
        return reduce_mask(part, factor, axis_name)

    def resample_energy_axis(self, dataset: Any, part: Any, axis: Any) -> Any:
        """A bin is in if any bin it is made from is."""
        return part.resample_axis(axis=axis, ufunc=np.logical_or)

    def pad(self, dataset: Any, part: Any, pad_width: Any, mode: str) -> Any:
        """Padded bins are out."""
        return part.pad(pad_width, mode="constant", cval=False)

    def to_region(self, dataset: Any, part: Any, region: Any) -> Any:
        """A bin is in if any pixel of the region is."""
        return part.to_region_nd_map(region, func=np.any)

    def stack(self, dataset: Any, part: Any, others: Sequence[tuple[Any, Addend]], nan_to_num: bool) -> None:
        """Union with the bins of the others in their safe ranges."""
        same = [value.frozen_data & np.asarray(addend.safe, dtype=bool) for value, addend in others if addend.is_same]
        if same:
            part.data = np.logical_or.reduce([part.frozen_data, *same])
        for value, addend in others:
            if not addend.is_same:
                part.stack(in_safe_range(addend.dataset, value), nan_to_num=False)


class TrueMap(Part):
    """Exposure: a map in true energy on the pixels of the counts."""

    def check(self, dataset: Any, value: Any) -> None:
        """Refuse a map without true energy axis, or on other pixels than the counts."""
        super().check(dataset, value)
        if "energy_true" not in value.geom.axes.names:
            msg = f"{label(dataset)}: {self.name} has axes {value.geom.axes.names}; expected an axis named 'energy_true'."
            raise GeometryError(msg)
        counts = dataset._get_part("counts")
        if counts is not None and counts.geom.npix != value.geom.npix:
            msg = (
                f"{label(dataset)}: {self.name} has {_pixels(value)} pixels, the counts {_pixels(counts)}; "
                "bring it to their geometry with .interp_to_geom."
            )
            raise GeometryError(msg)

    def downsample(self, dataset: Any, part: Any, factor: int, axis_name: str | None) -> Any:
        """Mean over the pixels; reconstructed energy does not concern it."""
        if axis_name is not None:
            return part
        return part.downsample(factor=factor, preserve_counts=False)

    def pad(self, dataset: Any, part: Any, pad_width: Any, mode: str) -> Any:
        """Pad with zeros, or as `mode` says."""
        return part.pad(pad_width, mode=mode)

    def to_region(self, dataset: Any, part: Any, region: Any) -> Any:
        """Mean over the pixels of the region."""
        new = part.to_region_nd_map(region, func=np.mean)
        new.meta = dict(part.meta or {})
        return new

    def stack(self, dataset: Any, part: Any, others: Sequence[tuple[Any, Addend]], nan_to_num: bool) -> None:
        """Add the exposure of the pixels which are safe at any energy, and the livetime."""
        for value, addend in others:
            safe = addend.dataset.mask_safe_image
            report_nan(label(addend.dataset), value, 1 if safe is None else safe.frozen_data)
            part.stack(value, weights=safe, nan_to_num=nan_to_num)
        metas = [part.meta, *(value.meta for value, _ in others)]
        livetimes = [meta["livetime"] for meta in metas if meta and "livetime" in meta]
        if livetimes:
            part.meta = dict(part.meta or {}) | {"livetime": sum(livetimes[1:], livetimes[0])}


class Response(Part):
    """Point spread function or energy dispersion on its own, coarser pixels."""

    accepted = IRFMap

    def __init__(self, attribute: str, doc: str = "") -> None:
        super().__init__(doc)
        self.attribute = attribute

    def geom(self, part: Any) -> Any:
        """Geometry of the response."""
        return getattr(part, self.attribute).geom

    def maps(self, part: Any) -> list[Any]:
        """The response and its exposure, if it has one."""
        return [one for one in (getattr(part, self.attribute), part.exposure_map) if one is not None]

    def slice_by_idx(self, dataset: Any, part: Any, slices: dict[str, slice]) -> Any:
        """Slices of the axes the part has."""
        own = {name: value for name, value in slices.items() if name in self.geom(part).axes.names}
        return part.slice_by_idx(own) if own else part

    def _is_binned_in_energy(self, part: Any) -> bool:
        return "energy" in self.geom(part).axes.names

    def downsample(self, dataset: Any, part: Any, factor: int, axis_name: str | None) -> Any:
        """Merge bins of reconstructed energy where the response has them."""
        if axis_name is None or not self._is_binned_in_energy(part):
            return part
        axis = self.geom(part).axes["energy"].downsample(factor)
        return self.resample_energy_axis(dataset, part, axis)

    def resample_energy_axis(self, dataset: Any, part: Any, axis: Any) -> Any:
        """Sum an energy dispersion kernel over the safe bins; other responses have no bins of reconstructed energy."""
        if not self._is_binned_in_energy(part):
            return part
        if not hasattr(part, "resample_energy_axis"):
            msg = f"{label(dataset)}: a {type(part).__name__} cannot be rebinned in energy; use a PSF in true energy."
            raise UnsupportedError(msg)
        return part.resample_energy_axis(energy_axis=axis, weights=irf_weights(dataset.mask_safe, self.geom(part)))

    def stack(self, dataset: Any, part: Any, others: Sequence[tuple[Any, Addend]], nan_to_num: bool) -> None:
        """Mean weighted with the exposures."""
        weighted = [(value, irf_weights(addend.dataset.mask_safe, self.geom(value))) for value, addend in others]
        part.stack_all(weighted, nan_to_num=nan_to_num)


def _pixels(part: Any) -> str:
    return " x ".join(str(int(np.max(n))) for n in part.geom.npix)


def _differs(value: Any, counts: Any) -> str:
    """In what the geometry of a map differs from that of the counts."""
    one, other = value.geom, counts.geom
    if one.axes.names != other.axes.names:
        return f"has axes {one.axes.names}, the counts {other.axes.names}"
    if one.data_shape != other.data_shape:
        return f"has shape {tuple(map(int, one.data_shape))}, the counts {tuple(map(int, other.data_shape))}"
    return "has the shape of the counts but other pixels or bin edges"


def filled_parts(dataset: Any) -> Iterator[tuple[Part, Any]]:
    """Parts a dataset has, with their values."""
    for name, part in parts_of(type(dataset)).items():
        value = dataset._get_part(name)
        if value is not None:
            yield part, value


def share_parts(one: Any, other: Any) -> None:
    """Note which parts two datasets have in common, so that stacking into one of them does not change the other."""
    common = {part.name for part, value in filled_parts(other) if value is one._get_part(part.name)}
    one._shared |= common
    other._shared |= common


def own_part(dataset: Any, part: Part, value: Any) -> Any:
    """Part that may be changed in place; one that another dataset has too is copied first."""
    if part.name in dataset._shared:
        value = value.copy()
        dataset._set_part(part.name, value)
    return value


def changed(dataset: Any, change: Callable[[Part, Any], Any]) -> dict[str, Any]:
    """Values of all parts after `change`, by name."""
    return {part.name: change(part, value) for part, value in filled_parts(dataset)}
