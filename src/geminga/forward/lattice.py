"""A plane of nodes around a source, on which images are made, smoothed and read.

The smoothed image of a source of any shape is as smooth as the source or the PSF, so nodes some fifth of that apart hold all
of it, however small the pixels. PSF and pixel act in Fourier space, where they are exact for any distance of the nodes.
Where the shape itself is finer than the nodes (an edge), it is averaged over parts of their cells, which is undone there too.

Between sizes and places that differ little the nodes stay where they are: what is minimised is smooth.

Legend: T true energy, e energy, g node, p pixel, b occupied bin, j parameter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.interpolate import CubicSpline
from scipy.sparse import csr_array

from geminga.forward.field import Field, Selection
from geminga.forward.irf import PsfTable
from geminga.forward.position import position_vectors
from geminga.numerics.lattice import box_average, cubic_spline, lookup, wave_number_axes
from geminga.numerics.radial import pixel_transform, psf_transform, subdivision

__all__ = ["Density", "Extent", "Lattice", "lonlat", "make_kernel", "make_lattice", "pixel_parts", "plan_extent"]

Array = NDArray[np.float64]
Density = Callable[[Array, Array, Array], tuple[Array, Array]]

#: Nodes in the smallest length of the smoothed image.
FINENESS = 5.0

#: Largest number of points at which the density is evaluated.
MAX_POINTS = 1_000_000


@dataclass(frozen=True)
class Extent:
    """What a lattice is made from: equal extents give equal lattices."""

    lon: float  # of the centre, deg, in the model's frame
    lat: float
    radius: float  # deg
    step: float  # deg
    size: int
    parts: int  # of a node's cell along a side, for averages of the density
    pixel_parts: int  # of a pixel along a side
    covers_field: bool  # all of it, wherever the source is


@dataclass(frozen=True)
class Lattice:
    """Nodes, and the matrices which read them."""

    extent: Extent
    field: Field
    selection: Selection
    lon: Array  # of the parts of all nodes, deg in the model's frame, shape (parts**2, n_g)
    lat: Array
    area: Array  # of these relative to a flat plane
    look: csr_array  # (n_p, n_g)

    @cached_property
    def rows(self) -> csr_array:
        """From a table, flattened (e, g), to the occupied bins of the selection."""
        look = self.look[self.selection.local]
        energy = self.field.bin_energy[self.selection.bins]
        n = look.shape[1]
        columns = look.indices + np.repeat(energy.astype(np.int64) * n, np.diff(look.indptr))
        return csr_array((look.data, columns, look.indptr), shape=(look.shape[0], n * self.field.n_energy))

    def sample(self, density: Density, values: Array, active: NDArray[np.bool_], with_gradient: bool) -> Array:
        """Density at the nodes, then its derivatives by the active parameters if wanted: (1 + n, n_T or 1, n_g), sr-1."""
        total: Array | float = 0.0
        for lon, lat, area in zip(self.lon, self.lat, self.area, strict=True):
            value, gradient = density(lon, lat, values)
            stack = np.concatenate([value[None], gradient[active]]) if with_gradient else value[None]
            total = total + stack * area
        return np.asarray(total) / len(self.lon)


def plan_extent(
    field: Field,
    center: tuple[float, float],
    moves: bool,
    rotation: Array,
    feature: float,
    support: float | None,
    psf: PsfTable,
    max_nodes: int,
    anchor: Extent | None = None,
    margin: float = 1.0,
) -> Extent:
    """Place, size and step of a lattice for a source at `center` (deg, in the model's frame).

    Parameters
    ----------
    moves : bool
        The source follows its centre: choose among places some way apart.
    feature : float
        Smallest length of the source, deg.
    support : float or None
        Radius of the source, deg; None for no end.
    max_nodes : int
        Largest number of nodes along one side: finer shapes are averaged to it.
    anchor : Extent, optional
        Take this one while it serves.
    margin : float
        Larger and finer than needed by this factor, so that it also serves for what is a little larger or finer.
    """
    # Parts of a pixel which the smoothed source spans: see `numerics.radial.subdivision`.
    length = float(np.hypot(feature, psf.core))
    pixel_parts = subdivision(length / margin, field.side)
    own = psf.reach + (180.0 if support is None else support)
    if anchor is not None and _serves(anchor, center, own, length / FINENESS):
        return anchor
    step = _ladder(length / FINENESS / margin, math.floor)
    own *= margin
    (lon, lat), radius = _around_field(field, rotation)
    radius += psf.reach
    covers_field = own >= radius
    if not covers_field:
        (lon, lat), radius = center, own
        if moves:
            grain = _ladder(own, math.ceil) / 8
            grain_lon = grain / max(float(np.cos(np.deg2rad(lat))), 0.05)
            lon, lat = grain_lon * round(lon / grain_lon), grain * round(lat / grain)
            radius = _ladder(own + grain, math.ceil)
    size = int(fft.next_fast_len(int(np.ceil(2 * radius / step)) + 7, real=True))
    if size > max_nodes:
        size = max_nodes
        step = 2 * radius / (size - 7)
    wanted = int(np.ceil(2.5 * step / feature)) if feature > 0 else 8
    parts = int(np.clip(min(wanted, np.sqrt(MAX_POINTS) / size), 1, 8))
    return Extent(float(lon), float(lat), float(radius), float(step), size, parts, pixel_parts, covers_field)


def _serves(extent: Extent, center: tuple[float, float], radius: float, step: float) -> bool:
    """Does a lattice hold a source of this radius and fineness, and is it not far more than that needs."""
    if not step / 4 < extent.step <= 1.001 * step or radius < extent.radius / 4:
        return False
    vectors = [position_vectors(*place, np.eye(3))[0] for place in (center, (extent.lon, extent.lat))]
    apart = float(np.rad2deg(2 * np.arcsin(min(float(np.linalg.norm(vectors[0] - vectors[1])) / 2, 1.0))))
    return extent.covers_field or apart + radius <= 1.001 * extent.radius


def _ladder(size: float, rounding: Callable[..., float]) -> float:
    """The next power of the fourth root of two, so that sizes that differ little are the same."""
    return float(2.0 ** (rounding(4 * math.log2(size)) / 4))


def _around_field(field: Field, rotation: Array) -> tuple[tuple[float, float], float]:
    """Middle (deg, in the model's frame) and radius (deg) of a circle around all pixels."""
    used = field.tile_radius >= 0
    if not used.any():
        return (0.0, 0.0), 0.0
    middle = field.tile_center[used].mean(axis=0)
    middle = middle / max(np.linalg.norm(middle), 1e-300)
    chord = np.linalg.norm(field.tile_center[used] - middle, axis=1)
    angle = 2 * np.arcsin(np.minimum(chord / 2, 1.0)) + field.tile_radius[used]
    lon, lat = lonlat((rotation.T @ middle)[None], 0.0)
    return (float(lon[0]), float(lat[0])), min(float(np.rad2deg(angle.max())), 180.0)


def make_lattice(field: Field, extent: Extent, rotation: Array) -> Lattice:
    """Nodes of an extent, and the matrix which reads them at the pixels nearby."""
    center, east, north = position_vectors(extent.lon, extent.lat, np.eye(3))
    east = east / np.linalg.norm(east)
    selection = field.select(rotation @ center, extent.radius)
    middle = 0.5 * (extent.size - 1)
    offset = extent.step * ((np.arange(extent.parts) + 0.5) / extent.parts - 0.5)
    axis = extent.step * (np.arange(extent.size) - middle)
    parts = []
    for dy in offset:
        for dx in offset:
            x, y = np.meshgrid(axis + dx, axis + dy)
            vectors, area = _from_plane(x.ravel(), y.ravel(), center, east, north)
            parts.append((*lonlat(vectors, extent.lon), area))
    lon, lat, area = (np.array(own) for own in zip(*parts, strict=True))
    look: csr_array | None = None
    for part in pixel_parts(field, selection, extent.pixel_parts):
        x, y = _to_plane(part @ rotation, center, east, north)
        own = lookup(x / extent.step + middle, y / extent.step + middle, extent.size)
        look = own if look is None else look + own
    assert look is not None
    return Lattice(extent, field, selection, lon, lat, area, csr_array(look / extent.pixel_parts**2))


def make_kernel(psf: PsfTable, extent: Extent, side: float, width: float = 1.0, slope: bool = False) -> Array:
    """What turns density at the nodes into spline coefficients of its smoothed pixel averages, in Fourier space.

    Shape (n_T or n_e, size, size // 2 + 1). The PSF is `width` times as wide as its table; with `slope` the derivative by the
    logarithm of that.
    """
    ky, kx = wave_number_axes(extent.size, extent.step)
    k = np.hypot(ky[:, None], kx[None])
    spacing = 0.2 / psf.reach
    nodes = np.linspace(0, k.max() * 1.001, int(np.ceil(k.max() / spacing)) + 8)
    transform = CubicSpline(nodes, psf_transform(width * nodes, psf.rad, psf.edge, psf.values), axis=1)
    kernel = k * transform(k, 1) if slope else transform(k)
    divisor = [cubic_spline(own, extent.step) * box_average(own, extent.step, extent.parts) for own in (ky, kx)]
    return np.asarray(kernel * pixel_transform(k, side / extent.pixel_parts) / np.outer(*divisor))


def pixel_parts(field: Field, selection: Selection, number: int) -> Iterator[Array]:
    """Vectors to the ``number**2`` parts of each pixel, one part of all pixels at a time, shape (n, 3)."""
    v = field.vectors[selection.pixels]
    if number == 1:
        yield v
        return
    east = np.cross([0.0, 0.0, 1.0], v)
    norm = np.linalg.norm(east, axis=1, keepdims=True)
    east = np.divide(east, norm, out=np.zeros_like(east), where=norm > 0)
    north = np.cross(v, east)
    side = np.deg2rad(field.side)
    offset = (np.arange(number) + 0.5) / number - 0.5
    for dy in offset:
        for dx in offset:
            yield v + side * (dx * east + dy * north)


def lonlat(v: Array, center: float) -> tuple[Array, Array]:
    """Longitude within 180 deg of that of the centre (models need not know about the wrap), and latitude, deg."""
    lon = np.rad2deg(np.arctan2(v[:, 1], v[:, 0]))
    lon = center + (lon - center + 180) % 360 - 180
    lat = np.rad2deg(np.arctan2(v[:, 2], np.hypot(v[:, 0], v[:, 1])))
    return lon, lat


def _from_plane(x: Array, y: Array, center: Array, east: Array, north: Array) -> tuple[Array, Array]:
    """Unit vectors at plane offsets (deg, equidistant from the centre), and the area of a node relative to flat."""
    r = np.hypot(x, y)
    theta = np.deg2rad(r)
    sinc = np.where(r > 0, np.sin(theta) / np.where(theta > 0, theta, 1), 1.0)
    scale = np.deg2rad(1.0) * sinc
    vectors = np.cos(theta)[:, None] * center + (x * scale)[:, None] * east + (y * scale)[:, None] * north
    return vectors, sinc


def _to_plane(v: Array, center: Array, east: Array, north: Array) -> tuple[Array, Array]:
    """Inverse of `_from_plane`."""
    along_x, along_y = v @ east, v @ north
    sine = np.hypot(along_x, along_y)
    theta = np.arctan2(sine, v @ center)
    scale = np.rad2deg(np.divide(theta, sine, out=np.ones_like(theta), where=sine > 0))
    return along_x * scale, along_y * scale
