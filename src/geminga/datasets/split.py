"""One large dataset as several small ones that can be fitted jointly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from geminga.datasets.collection import Datasets
from geminga.datasets.products import label
from geminga.errors import InputError
from geminga.maps import Map
from geminga.modeling.models import FoVBackgroundModel
from geminga.utils.units import values_in

__all__ = ["split_dataset"]


def split_dataset(dataset: Any, width: Any, margin: Any, split_template_models: bool = True) -> Datasets:
    """Split a dataset into tiles.

    Each pixel belongs to the fit mask of exactly one tile; around it a tile holds a margin, so that sources outside can
    contribute. The tiles share all model parameters with the dataset, those of its background model too.

    Parameters
    ----------
    dataset : MapDataset
        Dataset on a WCS geometry.
    width : Quantity or Angle
        Width of a tile without margin; one number, or those in longitude and latitude.
    margin : Quantity or Angle
        Margin on each side; likewise.
    split_template_models : bool
        Cut predicted-counts templates to the tiles.

    Returns
    -------
    datasets : Datasets
        Named after the dataset, with numbers from 0.

    Raises
    ------
    InputError
        If width is not positive or margin negative.
    """
    geom = dataset._geom
    scale = values_in(geom.pixel_scales, "deg")
    size = np.rint(np.broadcast_to(values_in(width, "deg", "width"), 2) / scale).astype(int)
    border = np.rint(np.broadcast_to(values_in(margin, "deg", "margin"), 2) / scale).astype(int)
    if (size < 1).any() or (border < 0).any():
        msg = f"{label(dataset)}: cannot split with width {width} and margin {margin}; expected at least a pixel, and 0 or more."
        raise InputError(msg)
    tiles = Datasets()
    for number, (core, field) in enumerate(_tiles(geom, size, border)):
        name = f"{dataset.name}-{number}"
        tile = _cut(dataset, geom, field, name)
        data = np.zeros(tile.data_shape, dtype=bool)
        data[..., slice(*(core[1] - field[1][0])), slice(*(core[0] - field[0][0]))] = True
        mask = Map.from_geom(tile._geom, data=data)
        tile.mask_fit = mask if tile.mask_fit is None else tile.mask_fit & mask
        tile.models = None if dataset.models is None else list(_models(dataset, tile, split_template_models))
        tiles.append(tile)
    return tiles


def _tiles(geom: Any, size: Any, border: Any) -> Iterator[tuple[list[Any], list[Any]]]:
    """First and end pixel of each tile, without and with margin, for longitude and latitude."""
    n_lat, n_lon = (int(n) for n in geom.to_image().data_shape)
    edges = [np.append(np.arange(0, n, step), n) for n, step in zip((n_lon, n_lat), size, strict=True)]
    for lat in zip(edges[1][:-1], edges[1][1:], strict=True):
        for lon in zip(edges[0][:-1], edges[0][1:], strict=True):
            core = [np.array(lon), np.array(lat)]
            outer = [
                np.clip(pair + np.array([-width, width]), 0, n)
                for pair, width, n in zip(core, border, (n_lon, n_lat), strict=True)
            ]
            yield core, outer


def _cut(dataset: Any, geom: Any, field: list[Any], name: str) -> Any:
    """Cut-out of a range of pixels."""
    image = geom.to_image()
    centre = image.pix_to_coord(tuple((low + high - 1) / 2 for low, high in field))
    position = image.center_skydir.__class__(*centre, unit="deg", frame=image.frame)
    scale = values_in(geom.pixel_scales, "deg")
    width = [float(high - low) * step for (low, high), step in zip(field, scale, strict=True)]
    return dataset.cutout(position=position, width=width, mode="trim", name=name)


def _models(dataset: Any, tile: Any, split_templates: bool) -> Iterator[Any]:
    """Models of the dataset for a tile."""
    for model in dataset.models:
        if model is dataset.background_model:
            yield FoVBackgroundModel(
                dataset_name=tile.name, spectral_model=model.spectral_model, spatial_model=model.spatial_model
            )
        elif "TemplateNPredModel" in model.tag and split_templates:
            cut = model.map.interp_to_geom(tile._geom)
            yield type(model)(
                map=cut, spectral_model=model.spectral_model, name=f"{model.name}-{tile.name}", datasets_names=[tile.name]
            )
        elif model.datasets_names is None:
            yield model
        else:
            model.datasets_names = list(dict.fromkeys([*model.datasets_names, tile.name]))
            yield model
