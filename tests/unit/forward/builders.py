"""A small field, PSF and sources on plain arrays, for the tests of the forward layer."""

from __future__ import annotations

import numpy as np

from geminga.forward.field import make_field
from geminga.forward.grid import GridComponent
from geminga.forward.irf import FixedIrf, Irf, PsfTable, make_psf_scales, normalise_psf
from geminga.forward.radial import RadialComponent
from geminga.forward.shape import ShapeComponent
from geminga.forward.term import PoissonTerm, Source, Template
from geminga.numerics.radial import SQUARE_DEG

EDGES = np.geomspace(1, 10, 5)
SIDE = 0.05


def image_vectors(n: int = 60, side: float = SIDE):
    """Unit vectors and solid angles of an n x n image around (0, 0), plate carree."""
    axis = side * (np.arange(n) - (n - 1) / 2)
    lon, lat = (a.ravel() for a in np.meshgrid(np.deg2rad(axis), np.deg2rad(axis)))
    vectors = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
    return vectors, np.deg2rad(side) ** 2 * np.cos(lat)


def psf_table(sigmas=(0.12, 0.09, 0.07, 0.06)):
    """Gaussian PSFs."""
    rad = (np.arange(80) + 0.5) * 0.01
    sigma = np.array(sigmas)[:, None]
    values = np.exp(-(rad**2) / (2 * sigma**2)) / (2 * np.pi * sigma**2) / SQUARE_DEG
    values = normalise_psf(rad, 0.8, values)
    return PsfTable(rad, 0.8, values, *make_psf_scales(rad, 0.8, values))


def flux(values):
    """Power law (index, amplitude at 1 TeV) integrated over the bins."""
    index, amplitude = values
    low, high = EDGES[:-1], EDGES[1:]
    g = 1 - index
    value = (high**g - low**g) / g
    slope = -(high**g * np.log(high) - low**g * np.log(low)) / g + (high**g - low**g) / g**2
    return amplitude * value, np.array([amplitude * slope, value])


class Gauss:
    """The part of a round Gaussian which the forward layer asks for."""

    def feature_size(self, values):
        return float(values[2])

    def support_radius(self, values):
        return 5 * float(values[2])

    def radial_transform(self, k, values):
        m = np.exp(-(k**2) * values[2] ** 2 / 2)
        return m, np.array([0 * k, 0 * k, -(k**2) * values[2] * m])


def gauss_density(lon, lat, values):
    """Flat Gaussian as a general density, with derivatives."""
    x, y, s = lon - values[0], lat - values[1], values[2]
    r2 = x**2 + y**2
    m = np.exp(-r2 / (2 * s**2)) / (2 * np.pi * s**2) / SQUARE_DEG
    return m[None], np.array([m * x / s**2, m * y / s**2, m * (r2 / s**3 - 2 / s)])[:, None]


def response():
    """A dispersion that mixes neighbours."""
    return np.array([[0.8, 0.2, 0, 0], [0.1, 0.7, 0.2, 0], [0, 0.1, 0.8, 0.1], [0, 0, 0.1, 0.9]])


def exposure(field):
    """Two ranks: flat, and a gradient over the field."""
    a = np.array([[1.0, 0.2], [2.0, 0.1], [3.0, -0.3], [4.0, 0.4]]) * 1e13
    x = np.stack([np.ones(len(field.pixel)), 5 * field.vectors[:, 1]])
    return a, np.ascontiguousarray((x * field.solid_angle).T)


def make(kind: str, counts=None, mask=None, n: int = 60):
    """Field and component of a kind: point, gauss (radial) or grid."""
    vectors, solid_angle = image_vectors(n)
    if mask is None:
        mask = np.ones((4, n * n), bool)
    field = make_field(np.zeros((4, n * n)) if counts is None else counts, mask, vectors, solid_angle, (n, n))
    irf = FixedIrf(Irf(psf_table(), response()))
    if kind in {"grid", "shape"}:
        component = {"grid": GridComponent, "shape": ShapeComponent}[kind](
            field=field,
            flux=flux,
            density=gauss_density,
            support=lambda v: 5 * v[2],
            feature=lambda v: v[2],
            center=None,
            rotation=np.eye(3),
            irf=irf,
            exposure=exposure(field),
            n_spectral=2,
            n_spatial=3,
            active=np.ones(3, bool),
        )
    else:
        component = RadialComponent(
            field=field,
            flux=flux,
            spatial=Gauss(),
            is_point=kind == "point",
            rotation=np.eye(3),
            irf=irf,
            exposure=exposure(field),
            n_spectral=2,
            n_spatial=2 if kind == "point" else 3,
        )
    return field, component


def start(kind: str):
    """Values of the source's parameters."""
    return np.array([2.2, 3e-11, 0.12, -0.07] + ([] if kind == "point" else [0.25]))


def make_term(kind: str, seed: int = 0, n: int = 60, mask=None):
    """A term with one source and a background, and counts drawn from it."""
    _, component = make(kind, mask=mask, n=n)
    background = np.broadcast_to(np.array([0.4, 0.2, 0.1, 0.05])[:, None], (4, n * n))
    counts = background.copy()
    dense, pixels = component.dense(start(kind))
    counts[:, component.field.pixel[pixels]] += dense
    counts = np.random.default_rng(seed).poisson(counts).astype(float)
    field, component = make(kind, counts, mask, n)
    image = background[:, field.pixel]
    total = np.einsum("ep,ep->e", image, field.mask[field.group])
    template = Template(
        "background",
        image[field.bin_energy, field.bin_pixel],
        total,
        lambda v: (np.full(4, v[0]), np.ones((1, 4))),
        np.array([len(start(kind))]),
        image,
    )
    size = len(start(kind))
    source = Source("source", component, np.arange(size), np.ones(size))
    return PoissonTerm(field, tuple(range(size + 1)), [source], [template]), np.append(start(kind), 1.05)
