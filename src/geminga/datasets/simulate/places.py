"""Where photons of a source come from, weighted with the exposure: exactly from a point, or from the cells of a fine image.

Legend: T node of true energy (centre of a bin of the exposure), c cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import GeometryError
from geminga.maps import Map, MapCoord, WcsGeom
from geminga.numerics.grid_table import bilinear
from geminga.numerics.sampling import draw_columns

__all__ = ["Places", "places_of", "to_icrs"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: Cells to a feature of a source, along a side: a cell is so small that to spread photons evenly over it does not matter.
_CELLS = 4
#: Cells of an image along a side, at least, for a source with edges; and in total, at most.
_SIDE, _MOST = 200, 1_000_000
#: Numbers of a table of exposures made at a time.
_BLOCK = 4_000_000


class Places(Protocol):
    """Places where photons come from."""

    @property
    def exposure(self) -> u.Quantity:
        """Exposure times probability, summed over all places, shape (T,)."""

    def draw(self, rows: Index, rng: Any) -> tuple[Array, Array]:
        """Longitude and latitude (deg, ICRS) of photons at nodes of true energy."""


def to_icrs(lon: Any, lat: Any, frame: str) -> tuple[Array, Array]:
    """Longitude and latitude, deg, in ICRS."""
    coords = MapCoord.create({"lon": lon, "lat": lat}, frame=frame).to_frame("icrs")
    return np.asarray(u.Quantity(coords.lon, "deg").value), np.asarray(u.Quantity(coords.lat, "deg").value)


@dataclass(frozen=True)
class Exposure:
    """Exposure of a field and of what surrounds it, from where the PSF brings photons into the field.

    Parameters
    ----------
    map : Map
        Exposure.
    margin : int
        Pixels around the map in which its outermost pixels go on.
    """

    map: Any
    margin: int

    def pix(self, coords: Any) -> tuple[Array, Array]:
        """Pixel coordinates of places."""
        x, y = self.map.geom.to_image().coord_to_pix(coords)
        return np.ravel(x), np.ravel(y)

    def at(self, pix: tuple[Array, Array], rows: Any) -> Array:
        """Exposure at pixel coordinates, shape (T, n): linear between pixels, zero beyond the margin."""
        data = np.asarray(np.nan_to_num(self.map.frozen_data[rows]), dtype=float)
        is_near, moved = np.ones(len(pix[0]), dtype=bool), []
        for x, n in zip(pix, data.shape[:0:-1], strict=True):
            is_near &= np.abs(x - 0.5 * (n - 1)) <= 0.5 * n + self.margin  # not where it is NaN
            moved.append(np.clip(np.nan_to_num(x), -0.5, n - 0.5))
        return np.clip(bilinear(data, *moved), 0, None) * is_near


@dataclass(frozen=True)
class PointPlaces:
    """All photons from one position (SkyCoord)."""

    position: Any
    field: Exposure

    @cached_property
    def exposure(self) -> u.Quantity:
        """Exposure at the position, shape (T,)."""
        pix = self.field.pix(MapCoord.create({"skycoord": self.position}))
        return u.Quantity(self.field.at(pix, slice(None))[:, 0], self.field.map.unit)

    def draw(self, rows: Index, rng: Any) -> tuple[Array, Array]:
        """The position, for each photon."""
        icrs = self.position.icrs
        return np.full(len(rows), float(icrs.ra.deg)), np.full(len(rows), float(icrs.dec.deg))


@dataclass(frozen=True)
class ImagePlaces:
    """Photons from the cells of an image.

    Parameters
    ----------
    image : WcsGeom
        Cells.
    weights : Quantity, shape (1 or T, c)
        Probability of each cell, before the exposure.
    field : Exposure
        Exposure.
    """

    image: Any
    weights: u.Quantity
    field: Exposure

    @cached_property
    def _pix(self) -> Any:
        return self.field.pix(self.image.get_coord())

    def _table(self, rows: Any) -> Array:
        own = self.weights.value
        return np.asarray(self.field.at(self._pix, rows) * (own if len(own) == 1 else own[rows]))

    @cached_property
    def exposure(self) -> u.Quantity:
        """Exposure times probability, summed over the cells, shape (T,)."""
        n_true, step = len(self.field.map.frozen_data), max(_BLOCK // self.weights.shape[1], 1)
        parts = [self._table(slice(start, start + step)).sum(axis=1) for start in range(0, n_true, step)]
        return u.Quantity(np.concatenate(parts), self.field.map.unit * self.weights.unit)

    def draw(self, rows: Index, rng: Any) -> tuple[Array, Array]:
        """Places in the cells, uniform within each."""
        column, x = draw_columns(rows, self._table, self.weights.shape[1], rng)
        iy, ix = np.divmod(np.maximum(column, 0), self.image.data_shape[1])
        lon, lat = self.image.pix_to_coord((ix + x - 0.5, iy + rng.uniform(-0.5, 0.5, size=len(rows))))
        return to_icrs(lon, lat, self.image.frame)


def places_of(model: Any, dataset: Any) -> Places:
    """Places of a sky model in the field of a dataset.

    Raises
    ------
    GeometryError
        If the dataset has no image.
    """
    exposure, geom = dataset.exposure, dataset.exposure.geom
    if geom.is_region:
        msg = f"Dataset {dataset.name!r} is of a region; events are simulated on images, use a MapDataset with a WcsGeom."
        raise GeometryError(msg)
    if not model.apply_irf["exposure"]:
        exposure = Map.from_geom(geom, data=np.ones(geom.data_shape), unit="")
    spatial, image = model.spatial_model, geom.to_image()
    reach = 0.0 if dataset.psf is None else float(dataset.psf.psf_map.geom.axes["rad"].edges[-1].to_value("deg"))
    margin = int(np.ceil(reach / float(np.min(np.abs(image.pixel_scales.to_value("deg"))))))
    field = Exposure(exposure, margin)
    if spatial is not None and "point" in spatial.tag:
        return PointPlaces(spatial.position, field)
    if spatial is None:
        return ImagePlaces(image, u.Quantity(np.ones((1, int(np.prod(image.data_shape))))), field)
    image = _cells(spatial, image, margin)
    own = spatial.integrate_geom(image.to_cube([geom.axes["energy_true"]]) if spatial.is_energy_dependent else image).quantity
    return ImagePlaces(image, own.reshape(-1, image.data_shape[0] * image.data_shape[1]), field)


def _cells(spatial: Any, image: Any, margin: int) -> Any:
    """Image of cells which resolve a shape: around it, or the field and its margin where it is larger than that."""
    pixel = float(np.max(np.abs(image.pixel_scales.to_value("deg"))))
    feature, radius, position = spatial.evaluation_bin_size_min, spatial.evaluation_radius, spatial.position
    cell = pixel if feature is None else min(pixel, float(u.Quantity(feature).to_value("deg")) / _CELLS)
    if getattr(spatial, "map", None) is not None:
        cell = min(cell, float(np.max(np.abs(spatial.map.geom.pixel_scales.to_value("deg")))))
    width = None if radius is None else 2 * float(u.Quantity(radius).to_value("deg"))
    if position is None or width is None or not 0 < width < float(np.max(image.width.to_value("deg"))):
        image = image.pad(margin, axis_name=None)
        most = max(int(np.sqrt(_MOST / np.prod(image.data_shape))), 1)
        return image.upsample(int(np.clip(np.ceil(pixel / max(cell, 1e-6)), 1, most)))
    cell = float(np.clip(cell, width / np.sqrt(_MOST), width / _SIDE))
    return WcsGeom.create(skydir=position, width=width, binsz=cell, proj="TAN", frame=image.frame)
