"""Acceptances: sums keep the background, in whatever order they are made."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from geminga.numerics.acceptance import acceptance_ratio, merged_acceptance_off, total_ratio

counts = st.integers(0, 20)
positive = st.floats(0.1, 50)
bins = st.lists(st.tuples(positive, positive, counts), min_size=4, max_size=4)


def measure(rows):
    """Acceptances, off counts and background of a few bins."""
    acceptance, acceptance_off, n_off = np.array(rows, dtype=float).T
    return acceptance, acceptance_off, n_off, acceptance_ratio(acceptance, acceptance_off, n_off) * n_off


def add(*measurements):
    """Merge measurements bin by bin."""
    acceptance, own, n_off, background = (sum(parts) for parts in zip(*measurements, strict=True))
    merged = merged_acceptance_off(acceptance, own, n_off, background)
    return acceptance, merged, n_off, acceptance_ratio(acceptance, merged, n_off) * n_off


@given(bins, bins)
def test_background_is_kept(one, two):
    merged = add(measure(one), measure(two))
    assert_allclose(merged[3], measure(one)[3] + measure(two)[3], rtol=1e-12)


@given(bins, bins, bins)
def test_associative_and_commutative(one, two, three):
    one, two, three = measure(one), measure(two), measure(three)
    expected = add(one, two, three)
    for order in (add(add(one, two), three), add(one, add(two, three)), add(add(three, one), two)):
        assert_allclose(order, expected, rtol=1e-10)


def test_bins_without_off_counts_get_the_mean_ratio():
    acceptance_off = merged_acceptance_off([1.0, 1.0, 2.0], [5.0, 10.0, 3.0], [4.0, 2.0, 0.0], [0.8, 0.2, 0.0])
    assert_allclose(acceptance_off, [5, 10, 2 * 6 / 1.0])


def test_no_off_counts_at_all():
    """The ratio is that of the acceptances, not 0 / 0."""
    assert_allclose(merged_acceptance_off([1.0, 2.0], [4.0, 8.0], [0.0, 0.0], [0.0, 0.0]), [4, 8])
    assert total_ratio(0.0, 0.0, 0.0, 0.0) == 0


@pytest.mark.parametrize(
    ("acceptance_off", "n_off", "expected"), [(0, 0, 0), (np.nan, 0, 0), (0, 3, np.nan), (np.nan, 3, np.nan)]
)
def test_ratio_without_off_acceptance(acceptance_off, n_off, expected):
    assert_allclose(acceptance_ratio(1.0, acceptance_off, n_off), expected)
