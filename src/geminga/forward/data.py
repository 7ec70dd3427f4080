"""The part of a dataset which models do not touch, read once into arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.forward.field import Field, make_field
from geminga.forward.irf import IrfSource
from geminga.forward.irf_maps import irf_factory
from geminga.forward.statistics import StatisticKind, statistic_kind
from geminga.numerics.folding import low_rank
from geminga.numerics.likelihood import Statistic

__all__ = ["DataPlan", "freeze_data", "image_data"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class DataPlan:
    """Everything of a dataset that models do not touch."""

    name: str
    field: Field
    frame: str
    is_region: bool
    geom: Any
    energy_center: Array  # TeV
    edges_true: Array | None  # TeV
    energy_true: Any  # Quantity, centres
    exposure: tuple[Array, Array] | None  # a (n_T, n_k), x (n_p, n_k) with solid angle
    background: tuple[Array, Array, Array] | None  # occupied bins, total per energy, image (n_e, n_p)
    irf: dict[tuple[bool, bool], Callable[[str], IrfSource]]
    stat_constant: float
    statistic: Statistic | None = None  # of all bins, where these enter in full


def image_data(data: Any) -> NDArray:
    """Map data as (n, n_pixels)."""
    return np.asarray(data).reshape(len(data), -1)


def freeze_data(dataset: Any, whole: bool = False) -> DataPlan:
    """Read a dataset into arrays; `whole` ignores the mask.

    Raises
    ------
    DataError, GeometryError
        From ``dataset.validate()``, or if exposure is missing or does not fit.
    """
    reference = next(m for m in (dataset.counts, dataset.background, dataset.mask_safe, dataset.mask_fit) if m is not None)
    geom = reference.geom
    is_region = bool(geom.is_region)
    shape = (1, 1) if is_region else geom.to_image().data_shape
    vectors, solid_angle = _pixels(geom.to_image(), is_region)
    counts = None if dataset.counts is None else image_data(dataset.counts.frozen_data)
    mask = None if whole else dataset.mask
    n_energy = geom.axes["energy"].nbin
    mask_data = np.ones((n_energy, len(vectors)), bool) if mask is None else image_data(np.asarray(mask.frozen_data))
    kind = statistic_kind(dataset)
    if not kind.is_sparse:  # every bin of the mask is to be evaluated
        counts = np.ones_like(mask_data, dtype=float)
    field = make_field(counts, mask_data, vectors, solid_angle, shape)
    constant = 0.0
    if dataset.stat_type == "cstat":
        n = field.bin_counts
        constant = float(2 * np.sum(n * np.log(n) - n))
    energy = geom.axes["energy"]
    exposure, edges_true, energy_true = _exposure(dataset, geom, field, is_region)
    plan_irf = irf_factory(dataset, geom, edges_true) if edges_true is not None else {}
    return DataPlan(
        name=dataset.name,
        field=field,
        frame=str(geom.frame),
        is_region=is_region,
        geom=geom,
        energy_center=energy.center.to_value("TeV"),
        edges_true=edges_true,
        energy_true=energy_true,
        exposure=exposure,
        background=_background(dataset, field) if kind.has_background else None,
        irf=plan_irf,
        stat_constant=constant,
        statistic=None if kind.is_sparse else _statistic_of_bins(kind, dataset, field),
    )


def _pixels(image: Any, is_region: bool) -> tuple[Array, Array]:
    """Unit vectors and solid angles (sr) of the pixels."""
    vectors = np.moveaxis(np.asarray(image.pixel_unit_vectors(None)), 0, -1).reshape(-1, 3)
    if not is_region:
        return vectors, np.asarray(image.solid_angle().to_value("sr"), dtype=float).reshape(-1)
    # A spectrum needs no solid angle, and may have no region.
    return vectors if np.isfinite(vectors).all() else np.array([[1.0, 0.0, 0.0]]), np.ones(1)


def _background(dataset: Any, field: Field) -> tuple[Array, Array, Array] | None:
    """Background in the occupied bins, its sum over the mask for each energy, and the image (n_e, n_p)."""
    if dataset.background is None:
        return None
    full = image_data(dataset.background.frozen_data)[:, field.pixel].astype(float)
    if not field.mask.all():
        full = np.where(field.mask[field.group], full, 0.0)  # whatever masked bins hold has no influence
    return full[field.bin_energy, field.bin_pixel], full.sum(axis=1), full


def _statistic_of_bins(kind: StatisticKind, dataset: Any, field: Field) -> Statistic:
    arrays = [own[field.bin_energy, field.pixel[field.bin_pixel]] for own in kind.read(dataset)]
    return kind.statistic(arrays, np.ones(len(field.bin_energy), bool))


def _exposure(dataset: Any, geom: Any, field: Field, is_region: bool) -> tuple[tuple[Array, Array] | None, Array | None, Any]:
    exposure = dataset.exposure
    if exposure is None:
        return None, None, None
    axis = exposure.geom.axes["energy_true"]
    edges = np.asarray(axis.edges.to_value("TeV"), dtype=float)
    if exposure.geom.to_image() == geom.to_image() or is_region:
        data = np.take(image_data(exposure.frozen_data), field.pixel, axis=1).astype(float)
    else:
        target = geom.to_image().to_cube([axis])
        data = image_data(exposure.interp_to_geom(target).frozen_data)[:, field.pixel].astype(float)
    if not np.isfinite(data.sum()):
        data = np.nan_to_num(data)
    a, x = low_rank(data, 1e-6)
    scale = float(exposure.unit.to("cm2 s"))
    return (a * scale, np.ascontiguousarray((x * field.solid_angle).T)), edges, axis.center
