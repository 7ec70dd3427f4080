from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geminga.numerics.arrow import Arrow, arrow_layout

CASES = {
    "one shared, blocks of one": (6, [[0], [2], [3], [5], [4]]),
    "blocks of several sizes": (9, [[1, 7], [0], [2, 3], [8]]),
    "no shared": (5, [[0, 1], [2, 3], [4]]),
    "all shared": (4, []),
}


def make(name: str, seed: int = 0, positive: bool = True):
    """A random matrix of a layout, as such and dense."""
    n, blocks = CASES[name]
    layout = arrow_layout(n, [np.array(b) for b in blocks])
    rng = np.random.default_rng(seed)
    dense = np.zeros((n, n))
    for own in blocks or [list(range(n))]:
        at = np.concatenate([np.array(own, dtype=int), layout.shared])
        jacobian = rng.normal(size=(len(at), len(at) + 2))
        dense[np.ix_(at, at)] += jacobian @ jacobian.T
    if not positive:
        dense[0, 0] = -1
    i, j = (a.ravel() for a in np.indices((n, n)))
    data = np.bincount(layout.target(i, j), dense.ravel(), minlength=layout.size + 1)[:-1]
    # Entries outside of the blocks are none of the layout: they went to the last place.
    return Arrow(layout, data), dense


@pytest.mark.parametrize("name", CASES)
def test_it_is_the_dense_matrix(name):
    arrow, dense = make(name)
    x = np.random.default_rng(1).normal(size=len(dense))
    np.testing.assert_allclose(arrow.dense(), dense)
    np.testing.assert_allclose(arrow.diagonal(), np.diag(dense))
    np.testing.assert_allclose(arrow.times(x), dense @ x)
    np.testing.assert_allclose(arrow.scaled(x).dense(), dense * np.outer(x, x))
    np.testing.assert_allclose(arrow.shifted(x).dense(), dense + np.diag(x))


@pytest.mark.parametrize("name", CASES)
def test_inverse(name):
    arrow, dense = make(name)
    inverse, expected = arrow.inverse(), np.linalg.inv(dense)
    assert inverse is not None
    x = np.random.default_rng(2).normal(size=len(dense))
    np.testing.assert_allclose(inverse.solve(x), expected @ x, rtol=1e-8)
    np.testing.assert_allclose(inverse.dense(), expected, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(inverse.diagonal(), np.diag(expected), rtol=1e-8)
    some = np.array([2, 0, 3])
    np.testing.assert_allclose(inverse.block(some), expected[np.ix_(some, some)], rtol=1e-8, atol=1e-12)
    for rows, columns, values in inverse.couplings():
        np.testing.assert_allclose(values, expected[rows, columns], rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_without_some_parameters(name):
    arrow, dense = make(name)
    fixed = np.zeros(len(dense), bool)
    fixed[[0, 3]] = True
    inverse = arrow.without(fixed).inverse()
    assert inverse is not None
    kept = np.flatnonzero(~fixed)
    np.testing.assert_allclose(inverse.block(kept), np.linalg.inv(dense[np.ix_(kept, kept)]), rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(inverse.diagonal()[fixed], 1)


@pytest.mark.parametrize("name", CASES)
def test_no_inverse_unless_positive(name):
    assert make(name, positive=False)[0].inverse() is None


@given(st.integers(1, 30), st.integers(1, 3), st.integers(0, 3))
def test_the_flat_array_grows_with_the_number_of_blocks(n_block, size, n_shared):
    n = n_block * size + n_shared
    layout = arrow_layout(n, list(np.arange(n_block * size).reshape(n_block, size)))
    assert layout.size == n_shared**2 + n_block * size * (size + n_shared)
    i, j = layout.rows, layout.columns
    np.testing.assert_array_equal(layout.target(i, j), np.arange(layout.size))
