"""Choosing among models: by name, by kind, by place.

The functions are methods of `DatasetModels`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import NameLookupError

__all__ = [
    "positions",
    "select",
    "select_from_geom",
    "select_mask",
    "select_region",
    "selection_mask",
    "to_regions",
    "wcs_geom",
]

_KINDS = ("spectral", "spatial", "temporal")


def _set(value: Any) -> set[str] | None:
    if value is None:
        return None
    return {value} if isinstance(value, str) else set(value)


def _tags(model: Any) -> set[str]:
    return {model.tag} if isinstance(model.tag, str) else set(model.tag)


def selection_mask(
    models: Any,
    name_substring: str | None = None,
    datasets_names: Any = None,
    tag: Any = None,
    model_type: str | None = None,
    frozen: bool | None = None,
) -> NDArray[np.bool_]:
    """Which models fulfil all conditions given.

    Parameters
    ----------
    name_substring : str, optional
        Part of the name.
    datasets_names : str or list of str, optional
        Datasets, of which the model must belong to one.
    tag : str or list of str, optional
        Tags; of the model, or of its component if `model_type` is given.
    model_type : {"spectral", "spatial", "temporal"}, optional
        Kind of component that `tag` is about.
    frozen : bool, optional
        Whether all parameters are frozen.

    Returns
    -------
    mask : array of bool
        One for each model.

    Raises
    ------
    NameLookupError
        If `model_type` is unknown.
    """
    if model_type is not None and model_type not in _KINDS:
        msg = f"model_type {model_type!r} is unknown; known: {', '.join(_KINDS)}, or None for the models themselves."
        raise NameLookupError(msg)
    tags, names = _set(tag), _set(datasets_names)

    def fits(model: Any) -> bool:
        component = model if model_type is None else getattr(model, f"{model_type}_model", None)
        return (
            (name_substring is None or name_substring in model.name)
            and (names is None or model.datasets_names is None or not names.isdisjoint(model.datasets_names))
            and (tags is None or (component is not None and not tags.isdisjoint(_tags(component))))
            and (frozen is None or model.frozen == frozen)
        )

    return np.array([fits(model) for model in models], dtype=bool)


def select(
    models: Any,
    name_substring: str | None = None,
    datasets_names: Any = None,
    tag: Any = None,
    model_type: str | None = None,
    frozen: bool | None = None,
) -> Any:
    """Models which fulfil all conditions given; arguments as of `selection_mask`.

    Examples
    --------
    >>> from geminga.modeling.models import Models, SkyModel
    >>> models = Models([SkyModel.create("pl", name="a"), SkyModel.create("ecpl", name="b")])
    >>> models.select(tag="ecpl", model_type="spectral").names
    ['b']
    """
    return models[selection_mask(models, name_substring, datasets_names, tag, model_type, frozen)]


def select_mask(models: Any, mask: Any, margin: Any = "0 deg", use_evaluation_region: bool = True) -> Any:
    """Sky models which reach a mask.

    Parameters
    ----------
    mask : `Map` of bool
        Mask.
    margin : Quantity or str
        Added to the width of the square around a source that is looked at.
    use_evaluation_region : bool
        Count the extent of a source, else its position only.
    """
    if len(mask.geom.axes):
        mask = mask.reduce_over_axes(func=np.logical_or)

    def reaches(model: Any) -> bool:
        if use_evaluation_region or model.position is None:
            return bool(model.contributes(mask=mask, margin=margin))
        return bool(np.any(mask.get_by_coord(model.position) == 1))

    return models._like(model for model in models.select(tag="sky-model") if reaches(model))


def select_region(models: Any, regions: Any, wcs: Any = None) -> Any:
    """Sky models whose position is within regions.

    Parameters
    ----------
    regions : region, str or list of regions
        Regions.
    wcs : WCS, optional
        Projection in which to test.
    """
    from geminga.maps import RegionGeom

    listed = regions if isinstance(regions, Iterable) else [regions]
    geom = RegionGeom.from_regions(listed, wcs=wcs)
    found = (model for model in models.select(tag="sky-model") if model.position is not None)
    return models._like(model for model in found if np.all(geom.contains(model.position)))


def select_from_geom(models: Any, geom: Any, **kwargs: Any) -> Any:
    """Sky models which reach a geometry.

    Parameters
    ----------
    geom : `Geom`
        Geometry.
    **kwargs
        Passed to `select_mask`.
    """
    from geminga.maps import Map

    return select_mask(models, Map.from_geom(geom=geom, data=True, dtype=bool), **kwargs)


def to_regions(models: Any, size_factor: float | None = None, **kwargs: Any) -> list[Any]:
    """Regions of the shapes; models without shape are left out.

    Parameters
    ----------
    size_factor : float, optional
        Factor on the size.
    **kwargs
        Passed to the ``to_region`` of the spatial models.
    """
    if size_factor is not None:
        kwargs["size_factor"] = size_factor
    found = (getattr(model, "spatial_model", None) for model in models)
    return [model.to_region(**kwargs) for model in found if model is not None]


def positions(models: Any) -> Any:
    """Positions (SkyCoord, ICRS) of the models that have one."""
    from astropy.coordinates import SkyCoord

    found = [model.position.icrs for model in models.select(tag="sky-model") if model.position is not None]
    return SkyCoord([p.ra.deg for p in found], [p.dec.deg for p in found], unit="deg", frame="icrs")


def wcs_geom(models: Any) -> Any:
    """Smallest WCS geometry that holds the regions of all models."""
    from geminga.maps import RegionGeom

    return RegionGeom.from_regions(to_regions(models)).to_wcs_geom()
