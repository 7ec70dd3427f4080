"""Datasets made from a dataset: cut out, sliced, rebinned, padded, reduced to a region.

Each function walks over the parts of the dataset; what happens to a part is the rule of its kind (`products`). Models are not
carried over: a model restricted to a dataset by name would not know the new one.
"""

from __future__ import annotations

import copy
from typing import Any

import astropy.units as u
import numpy as np

from geminga.datasets.products import changed, filled_parts, label, share_parts
from geminga.datasets.registry import DATASET_REGISTRY
from geminga.errors import GeometryError, InputError, NameLookupError
from geminga.maps.axes.grouping import bins_between

__all__ = [
    "cutout",
    "derive",
    "downsample",
    "pad",
    "resample_energy_axis",
    "slice_by_energy",
    "slice_by_idx",
    "to_image",
    "to_masked",
    "to_region_map_dataset",
    "to_spectrum_dataset",
]


def derive(dataset: Any, parts: dict[str, Any], name: str | None, cls: Any = None) -> Any:
    """Dataset of the same kind (or of class `cls`) with other maps and the same GTI, meta data and statistic."""
    cls = type(dataset) if cls is None else cls
    new = cls(
        **parts,
        gti=dataset.gti,
        meta_table=dataset.meta_table,
        meta=copy.deepcopy(dataset.meta),
        name=name,
        stat_type=dataset.stat_type,
    )
    share_parts(dataset, new)
    return new


def cutout(self: Any, position: Any, width: Any, mode: str = "trim", name: str | None = None) -> Any:
    """Cut a smaller field out of the dataset.

    Parameters
    ----------
    position : SkyCoord
        Centre of the new field.
    width : Quantity, str or tuple
        Width, or widths in longitude and latitude; bare numbers are degrees.
    mode : {"trim", "partial", "strict"}
        What to do where the new field leaves the old one.
    name : str, optional
        Name of the new dataset; random if not given.

    Returns
    -------
    dataset : MapDataset
        Without models.
    """
    where = {"position": position, "width": width, "mode": mode}
    return derive(self, changed(self, lambda part, value: part.cutout(self, value, **where)), name)


def slice_by_idx(self: Any, slices: dict[str, Any], name: str | None = None) -> Any:
    """Slice axes of the dataset by bin number.

    Parameters
    ----------
    slices : dict
        Axis name to slice, such as ``{"energy": slice(2, 5)}``; each part is sliced along the axes it has.
    name : str, optional
        Name of the new dataset; random if not given.

    Returns
    -------
    dataset : MapDataset
        Without models.

    Raises
    ------
    NameLookupError
        If no part has an axis of this name.
    """
    known = {axis for part, value in filled_parts(self) for axis in part.geom(value).axes.names}
    unknown = sorted(set(slices) - known)
    if unknown:
        msg = f"{label(self)}: no map has an axis named {unknown[0]!r}; axes are {', '.join(sorted(known))}."
        raise NameLookupError(msg)
    return derive(self, changed(self, lambda part, value: part.slice_by_idx(self, value, slices)), name)


def slice_by_energy(self: Any, energy_min: Any = None, energy_max: Any = None, name: str | None = None) -> Any:
    """Keep the bins of reconstructed energy between two energies, each rounded to the nearest bin edge.

    Parameters
    ----------
    energy_min, energy_max : Quantity or str, optional
        Energies; the ends of the energy axis if not given.
    name : str, optional
        Name of the new dataset; random if not given.

    Returns
    -------
    dataset : MapDataset
        Without models.

    Raises
    ------
    InputError
        If the ends of the range are swapped.
    GeometryError
        If no bin lies in it.
    """
    bins = bins_between(self._geom.axes["energy"], energy_min, energy_max, label(self))
    return self.slice_by_idx({"energy": bins}, name=name)


def downsample(self: Any, factor: int, axis_name: str | None = None, name: str | None = None) -> Any:
    """Merge pixels, or bins of reconstructed energy.

    Counts and background are summed over the bins in the safe range, the exposure is averaged over pixels, a mask is true
    where it was in any of the merged bins, an energy dispersion kernel is summed over merged energy bins.

    Parameters
    ----------
    factor : int
        Number of pixels on a side, or of bins, to merge; must divide their number.
    axis_name : {None, "energy"}
        Axis to downsample; pixels if not given.
    name : str, optional
        Name of the new dataset; random if not given.

    Returns
    -------
    dataset : MapDataset
        Without models.

    Raises
    ------
    NameLookupError
        If `axis_name` is not an axis of the counts.
    """
    if axis_name is not None and axis_name not in self._geom.axes.names:
        msg = f"{label(self)}: the counts have no axis named {axis_name!r}; axes are {self._geom.axes.names}."
        raise NameLookupError(msg)
    return derive(self, changed(self, lambda part, value: part.downsample(self, value, factor, axis_name)), name)


def resample_energy_axis(self: Any, energy_axis: Any, name: str | None = None) -> Any:
    """Merge bins of reconstructed energy into those of another axis, its edges rounded to the nearest existing ones.

    Parameters
    ----------
    energy_axis : MapAxis
        New axis, named ``energy``.
    name : str, optional
        Name of the new dataset; random if not given.

    Returns
    -------
    dataset : MapDataset
        Without models; true energies are unchanged.
    """
    return derive(self, changed(self, lambda part, value: part.resample_energy_axis(self, value, energy_axis)), name)


def to_image(self: Any, name: str | None = None) -> Any:
    """Merge all bins of reconstructed energy into one.

    Parameters
    ----------
    name : str, optional
        Name of the new dataset; random if not given.

    Returns
    -------
    dataset : MapDataset
        Without models; true energies are unchanged.
    """
    return self.resample_energy_axis(energy_axis=self._geom.axes["energy"].squash(), name=name)


def pad(self: Any, pad_width: int | tuple[int, int], mode: str = "constant", name: str | None = None) -> Any:
    """Add pixels around the field.

    Parameters
    ----------
    pad_width : int or tuple
        Pixels added on each side, in longitude and latitude.
    mode : str
        ``"constant"`` for zeros, or ``"edge"``, ``"interp"``; masks are always padded with false.
    name : str, optional
        Name of the new dataset; random if not given.

    Returns
    -------
    dataset : MapDataset
        Without models.
    """
    return derive(self, changed(self, lambda part, value: part.pad(self, value, pad_width, mode)), name)


def to_masked(self: Any, name: str | None = None, nan_to_num: bool = True) -> Any:
    """Dataset with everything outside its safe mask set to zero.

    Parameters
    ----------
    name : str, optional
        Name of the new dataset; random if not given.
    nan_to_num : bool
        Replace NaN by zero.

    Returns
    -------
    dataset : MapDataset
        Without models.
    """
    new = type(self).from_geoms(**self.geoms, name=name, stat_type=self.stat_type, meta=None)
    for missing in [part for part in new.part_names if getattr(self, part) is None and part != "mask_safe"]:
        new._set_part(missing, None)
    _take_precision(new, self)
    if self.mask_fit is not None:
        new.mask_fit = type(self.mask_fit)(self.mask_fit.geom, data=np.zeros(self.mask_fit.frozen_data.shape, dtype=bool))
    if self.mask_safe is None:
        new.mask_safe = None
    new.stack(self, nan_to_num=nan_to_num)
    return new


def _take_precision(new: Any, dataset: Any) -> None:
    """Make the maps of an empty dataset double precision where those of another are, so that sums lose no digits."""
    for part, value in filled_parts(dataset):
        if new._get_part(part.name) is None:
            continue
        for mine, own in zip(part.maps(new._get_part(part.name)), part.maps(value), strict=False):
            precise = np.result_type(own.frozen_data.dtype, mine.frozen_data.dtype)
            if precise != mine.frozen_data.dtype:
                mine.data = mine.frozen_data.astype(precise)


def to_region_map_dataset(self: Any, region: Any, name: str | None = None) -> Any:
    """Integrate the dataset over a region.

    Counts and background are summed over the pixels in the safe range whose centre lies in the region, the exposure is their
    mean, PSF and energy dispersion are those of the centre.

    Parameters
    ----------
    region : SkyRegion or SkyCoord
        Any region inside the field.
    name : str, optional
        Name of the new dataset; random if not given.

    Returns
    -------
    dataset : MapDataset
        On a `RegionGeom`, without models.

    Raises
    ------
    GeometryError
        If the region leaves the field, or a mask is true in a part of the region only.
    """
    return derive(self, _in_region(self, region), name)


def _in_region(dataset: Any, region: Any) -> dict[str, Any]:
    geom = dataset._geom
    if not geom.is_region:
        inside = geom.to_image().region_mask([region])
        _check_region(dataset, region, inside)
    return changed(dataset, lambda part, value: part.to_region(dataset, value, region))


def _check_region(dataset: Any, region: Any, inside: Any) -> None:
    """Refuse a region that is not wholly inside the field, or partly masked."""
    pixels = inside.frozen_data
    if not inside.mask_contains_region(region) if hasattr(inside, "mask_contains_region") else not pixels.any():
        msg = f"{label(dataset)}: the region {region} is not wholly inside the field of the counts; choose a smaller one."
        raise GeometryError(msg)
    for mask_name in ("mask_safe", "mask_fit"):
        mask = getattr(dataset, mask_name)
        if mask is None or not pixels.any():
            continue
        values = mask.frozen_data[..., pixels]
        partly = values.any(axis=-1) & ~values.all(axis=-1)
        if partly.any():
            bins = ", ".join(str(i) for i in np.flatnonzero(partly))
            msg = (
                f"{label(dataset)}: {mask_name} is true in a part of the region only, in energy bins {bins}; "
                "sums over the region and its mean exposure would not belong together. Choose another region or mask."
            )
            raise GeometryError(msg)


def to_spectrum_dataset(self: Any, on_region: Any, containment_correction: bool = False, name: str | None = None) -> Any:
    """Spectrum of a region.

    As `to_region_map_dataset`, without PSF: a model is either taken to lie wholly inside the region, or, with
    `containment_correction`, the exposure is multiplied by the fraction of the PSF inside the circle.

    Parameters
    ----------
    on_region : SkyRegion
        Region; a circle if `containment_correction` is asked for.
    containment_correction : bool
        Correct the exposure for a point source at the centre.
    name : str, optional
        Name of the new dataset; random if not given.

    Returns
    -------
    dataset : SpectrumDataset
        Without models.

    Raises
    ------
    InputError
        If a containment correction is asked for a region other than a circle, or without PSF.
    """
    if containment_correction:
        _check_containment(self, on_region)
    parts = _in_region(self, on_region)
    if containment_correction and parts.get("exposure") is not None:
        parts["exposure"] = _contained(self, parts["exposure"], on_region)
    parts.pop("psf", None)
    return derive(self, parts, name, cls=DATASET_REGISTRY.get_cls(self.spectrum_tag))


def _check_containment(dataset: Any, region: Any) -> None:
    from regions import CircleSkyRegion

    if not isinstance(region, CircleSkyRegion):
        msg = f"{label(dataset)}: containment_correction needs a CircleSkyRegion, got a {type(region).__name__}."
        raise InputError(msg)
    if dataset.psf is None:
        msg = f"{label(dataset)}: containment_correction needs a PSF, and the dataset has none."
        raise InputError(msg)


def _contained(dataset: Any, exposure: Any, region: Any) -> Any:
    """Exposure times the fraction of the PSF inside a circle."""
    energy = exposure.geom.axes["energy_true"].center
    fraction = dataset.psf.containment(rad=region.radius, energy_true=energy, position=region.center)
    factor = np.reshape(u.Quantity(fraction, "").value, (-1, 1, 1))
    return type(exposure)(exposure.geom, data=exposure.frozen_data * factor, unit=exposure.unit, meta=exposure.meta)
