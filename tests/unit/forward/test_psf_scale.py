"""Profiles through PSFs of uncertain width: they are those of the wider table, and differentiate exactly."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.forward.irf import Irf
from geminga.forward.profile import extended_profile, point_profile
from geminga.forward.psf_scale import HALF, rounded, widened_extended, widened_point, wider
from geminga.numerics.cells import locate, powers
from tests.unit.forward.builders import SIDE, Gauss, psf_table, response
from tests.unit.forward.test_systematics import make as make_dataset

IRF = Irf(psf_table(), response())
VALUES = np.array([0.0, 0.0, 0.25])
WIDTHS = [0.7, 0.8, 0.93, 0.99, 1.0, 1.05, 1.089, 1.2, 1.4]


def at(profile, r):
    index, place = locate(r / profile.step, profile.n_cells)
    weight = powers(place)
    return sum(profile.table[:, 4 * index + j] * weight[:, j] for j in range(4))


def make(kind, *scales, nodes=None):
    if kind == "point":
        return widened_point(IRF, np.array(scales), SIDE, nodes)
    return widened_extended(Gauss(), VALUES, np.array(scales), IRF, SIDE, nodes)


@pytest.mark.parametrize("kind", ["point", "gauss"])
@pytest.mark.parametrize("width", WIDTHS)
def test_it_is_the_profile_of_the_wider_table(kind, width):
    table = Irf(wider(IRF.psf, width), IRF.response)
    wanted = point_profile(table, SIDE) if kind == "point" else extended_profile(Gauss(), VALUES, table, SIDE, None)
    r = np.linspace(0, 1, 400)
    assert_allclose(at(make(kind, width), r), at(wanted, r), atol=2e-5 * at(wanted, r).max())


@pytest.mark.parametrize("kind", ["point", "gauss"])
@pytest.mark.parametrize("width", [0.8, np.exp(-HALF), 0.93, 1.0, 1.05, np.exp(HALF), 1.2])
def test_derivative_by_the_width(kind, width):
    own = make(kind, width)
    ends = [make(kind, width + sign * 1e-4, nodes=own) for sign in (1, -1)]
    difference = (ends[0].table - ends[1].table) / 2e-4
    assert_allclose(own.shape_gradient[-1], difference, atol=1e-6 * np.abs(difference).max())
    if kind == "gauss":
        wide, narrow = (
            widened_extended(Gauss(), VALUES + np.array([0, 0, sign * 1e-4]), np.array([width]), IRF, SIDE, own)
            for sign in (1, -1)
        )
        assert_allclose(
            own.shape_gradient[0], (wide.table - narrow.table) / 2e-4, atol=1e-6 * np.abs(own.shape_gradient[0]).max()
        )


@pytest.mark.parametrize("kind", ["point", "gauss"])
def test_scales_multiply(kind):
    one, two = make(kind, 1.2 * 0.9), make(kind, 1.2, 0.9)
    assert_allclose(one.table, two.table, rtol=1e-12)
    assert_allclose(one.shape_gradient[-1] * 0.9, two.shape_gradient[-2], rtol=1e-10, atol=1e-12)
    assert_allclose(one.shape_gradient[-1] * 1.2, two.shape_gradient[-1], rtol=1e-10, atol=1e-12)


def test_transform_is_that_of_the_table():
    psf = IRF.psf
    k = np.linspace(0, psf.k_max, 57)
    sigma = np.array([0.12, 0.09, 0.07, 0.06])[:, None]
    value, slope = psf.transform(k)
    assert_allclose(value, np.exp(-((k * sigma) ** 2) / 2), atol=2e-3)  # the table's own bins
    step = 1e-5
    assert_allclose(slope[:, 1:-1], (psf.transform(k + step)[0] - psf.transform(k - step)[0])[:, 1:-1] / (2 * step), atol=1e-6)


def test_nodes_stay_near_one():
    """A fit moves the width about one: nothing that it sees may jump there."""
    sizes = {(r.core, r.reach, r.k_max) for r in (rounded(IRF.psf, w) for w in np.linspace(0.92, 1.08, 9))}
    assert len(sizes) == 1


@pytest.mark.parametrize("kind", ["map point", "map gauss norm"])
@pytest.mark.parametrize("side", [-1e-6, 1e-6])
def test_second_derivatives_where_nodes_change(kind, side):
    """Differences across the width at which the nodes change are taken on the nodes of one side."""
    dataset = make_dataset(kind)
    dataset.models["errors"].psf_scale.value = float(np.exp(HALF)) + side
    term = dataset.likelihood()
    values = np.array([p.value for p in term.parameters])
    free = np.array([not p.frozen for p in term.parameters])
    place = [p.name for p, is_free in zip(term.parameters, free, strict=True) if is_free].index("psf_scale")
    here = term.evaluate(values, free, 3)[2][place]
    values[[p.name for p in term.parameters].index("psf_scale")] += 1e-3 * np.sign(side)
    assert_allclose(here, term.evaluate(values, free, 3)[2][place], rtol=0.05, atol=0.01 * np.abs(here).max())
