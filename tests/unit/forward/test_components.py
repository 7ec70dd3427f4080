"""Laws every component keeps: it agrees with its slow twin, and its derivatives with differences."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.forward.builders import SIDE, flux, make, response, start

KINDS = ["point", "gauss", "grid", "shape"]


def _mask(n=60):
    """Half of the field, another half at high energy."""
    mask = np.zeros((4, n * n), bool)
    mask[:, : n * n // 2 + 200] = True
    mask[2:, : n * n // 3] = False
    return mask


def _counts(n=60):
    return np.random.default_rng(1).poisson(0.5, size=(4, n * n)).astype(float)


@pytest.mark.parametrize("kind", KINDS)
def test_sparse_equals_dense(kind):
    field, component = make(kind, _counts(), _mask())
    values = start(kind)
    state = component.forward(values)
    dense, pixels = component.dense(values)
    full = np.zeros((4, len(field.pixel)))
    full[:, pixels] = dense
    bins = state.selection.bins
    np.testing.assert_allclose(state.counts, full[field.bin_energy[bins], field.bin_pixel[bins]], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(state.total, full[field.mask[field.group]].sum(), rtol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_fold_conserves_counts(kind):
    """Everything inside: the total is exposure times flux, at the source to first order in the exposure's slope."""
    field, component = make(kind)
    values = start(kind)
    values[2:4] = 0.0
    a = component.exposure[0][:, 0]
    expected = np.sum(response().T @ (a * flux(values[:2])[0]))
    np.testing.assert_allclose(component.forward(values).total, expected, rtol=2e-4)
    assert len(field.pixel) == 3600


@pytest.mark.parametrize("kind", KINDS)
def test_derivatives(kind):
    field, component = make(kind, _counts(), _mask())
    values = start(kind)
    rng = np.random.default_rng(2)
    weight = rng.normal(size=len(field.bin_pixel))

    def function(v):
        state = component.forward(v)
        return state.total + weight[state.selection.bins] @ state.counts

    state = component.forward(values)
    gradient = component.pullback(state, weight[state.selection.bins])
    jacobian = component.jacobian(state, np.arange(len(state.counts)))
    for j in range(len(values)):
        step = np.zeros(len(values))
        step[j] = 1e-5 * max(abs(values[j]), 1e-12 if j == 1 else 0.1)
        difference = (function(values + step) - function(values - step)) / (2 * step[j])
        np.testing.assert_allclose(gradient[j], difference, rtol=2e-5, atol=1e-7 * np.abs(gradient).max() * (j != 1))
        up, down = component.forward(values + step), component.forward(values - step)
        atol = 2e-5 * np.abs(jacobian[j]).max()
        np.testing.assert_allclose(jacobian[j], (up.counts - down.counts) / (2 * step[j]), rtol=1e-4, atol=atol)


@pytest.mark.parametrize("kind", KINDS)
def test_second_derivatives(kind):
    field, component = make(kind, _counts(), _mask())
    values = start(kind)
    weight = np.random.default_rng(3).normal(size=len(field.bin_pixel))
    state = component.forward(values)
    hessian = component.hessian(state, weight[state.selection.bins])
    scale = np.array([1.0, 1e-11, 0.1, 0.1, 0.1][: len(values)])
    numeric = np.empty_like(hessian)
    for j in range(len(values)):
        step = np.zeros(len(values))
        step[j] = 1e-4 * scale[j]
        up, down = component.forward(values + step), component.forward(values - step)
        difference = component.pullback(up, weight[up.selection.bins]) - component.pullback(down, weight[down.selection.bins])
        numeric[j] = difference / (2 * step[j])
    h, e = hessian * np.outer(scale, scale), numeric * np.outer(scale, scale)
    np.testing.assert_allclose(h, e, atol=1e-3 * np.abs(e).max())


def test_point_crosses_pixel_borders_without_kink():
    """Second differences along a path over three pixels fall with the square of the step; at a kink they fall linearly."""
    _, component = make("point", _counts())
    values = start("point")

    def largest_second_difference(n):
        totals = []
        for lon in np.linspace(0.1, 0.1 + 3 * SIDE, n + 1):
            values[2] = lon
            totals.append(np.sum(component.dense(values)[0] ** 2))
        return np.abs(np.diff(totals, 2)).max()

    assert largest_second_difference(600) < 0.3 * largest_second_difference(300)


@pytest.mark.parametrize("kind", ["grid", "shape"])
def test_round_and_general_agree(kind):
    """The same Gaussian by Hankel transform and by FFT."""
    _, radial = make("gauss")
    _, grid = make(kind)
    values = start("gauss")
    values[2:4] = 0.0
    a, pixels = radial.dense(values)
    b, grid_pixels = grid.dense(values)
    full_a, full_b = np.zeros((4, 3600)), np.zeros((4, 3600))
    full_a[:, pixels], full_b[:, grid_pixels] = a, b
    np.testing.assert_allclose(full_a, full_b, atol=1e-4 * full_a.max())


def test_point_against_fine_pixels():
    """Pixel averages equal sums over pixels five times finer."""
    _, component = make("point")
    values = start("point")
    coarse = np.zeros((4, 3600))
    dense, pixels = component.dense(values)
    coarse[:, pixels] = dense
    fine_n, factor = 300, 5
    from geminga.forward.field import make_field
    from geminga.forward.irf import FixedIrf, Irf
    from geminga.forward.radial import RadialComponent
    from tests.unit.forward.builders import Gauss, exposure, image_vectors, psf_table

    vectors, solid_angle = image_vectors(fine_n, SIDE / factor)
    field = make_field(np.zeros((4, fine_n**2)), np.ones((4, fine_n**2), bool), vectors, solid_angle, (fine_n, fine_n))
    irf = FixedIrf(Irf(psf_table(), response()))
    fine = RadialComponent(
        field=field,
        flux=flux,
        spatial=Gauss(),
        is_point=True,
        rotation=np.eye(3),
        irf=irf,
        exposure=exposure(field),
        n_spectral=2,
        n_spatial=2,
    )
    dense, pixels = fine.dense(values)
    image = np.zeros((4, fine_n**2))
    image[:, field.pixel[pixels]] = dense
    summed = image.reshape(4, 60, factor, 60, factor).sum(axis=(2, 4)).reshape(4, -1)
    own = np.zeros_like(summed)
    own[:, component.field.pixel] = coarse
    np.testing.assert_allclose(own, summed, atol=2e-3 * summed.max())
