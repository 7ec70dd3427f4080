"""Images on a lattice: splines go through the nodes, and averages are undone."""

import numpy as np
import pytest

from geminga.numerics.lattice import box_average, cubic_spline, lookup, smooth, wave_number_axes

SIZE, STEP = 48, 0.1


def gauss(x, y, sigma=0.35):
    return np.exp(-(x**2 + y**2) / (2 * sigma**2))


def coefficients(image, parts=1):
    axes = wave_number_axes(SIZE, STEP)
    return smooth(image, 1 / np.outer(*(cubic_spline(k, STEP) * box_average(k, STEP, parts) for k in axes)))


def grid(shift=0.0):
    axis = STEP * (np.arange(SIZE) - SIZE // 2) + shift
    return np.meshgrid(axis, axis)


def test_spline_goes_through_the_nodes():
    image = gauss(*grid())
    y, x = np.divmod(np.arange(SIZE * SIZE), SIZE)
    inner = (np.minimum(x, y) > 1) & (np.maximum(x, y) < SIZE - 3)
    values = lookup(x[inner].astype(float), y[inner].astype(float), SIZE) @ coefficients(image).ravel()
    np.testing.assert_allclose(values, image.ravel()[inner], atol=1e-12)


def test_between_the_nodes():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(4, SIZE - 5, (2, 500))
    values = lookup(x, y, SIZE) @ coefficients(gauss(*grid())).ravel()
    np.testing.assert_allclose(values, gauss(STEP * (x - SIZE // 2), STEP * (y - SIZE // 2)), atol=1e-4)


@pytest.mark.parametrize("parts", [2, 5])
def test_averages_are_undone(parts):
    shifts = STEP * ((np.arange(parts) + 0.5) / parts - 0.5)
    axis = STEP * (np.arange(SIZE) - SIZE // 2)
    mean = np.mean([gauss(*np.meshgrid(axis + dx, axis + dy)) for dx in shifts for dy in shifts], axis=0)
    np.testing.assert_allclose(coefficients(mean, parts), coefficients(gauss(*grid())), atol=1e-10)


def test_zero_outside():
    matrix = lookup(np.array([-3.0, 0.5, 10.0, 1e9]), np.array([10.0, 10.0, SIZE - 1.0, 10.0]), SIZE)
    assert abs(matrix).sum() == 0


def test_sum_over_images():
    rng = np.random.default_rng(1)
    images, kernel = rng.normal(size=(3, 8, 8)), rng.normal(size=(3, 8, 5))
    np.testing.assert_allclose(smooth(images, kernel, add=True)[0], smooth(images, kernel).sum(axis=0), atol=1e-12)
