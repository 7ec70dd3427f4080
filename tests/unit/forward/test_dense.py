"""The term of all bins equals the sparse one for Poisson data, and has the derivatives of its value for others."""

from __future__ import annotations

import numpy as np
import pytest

from geminga.forward.dense import DenseTerm
from geminga.forward.term import Source, Template
from geminga.numerics.likelihood import Cash, Wstat
from tests.unit.forward.builders import make, make_term

ERRORS = {"point": np.array([0.02, 5e-13, 0.003, 0.003, 0.01]), "gauss": np.array([0.02, 5e-13, 0.003, 0.003, 0.004, 0.01])}


def dense_twin(kind: str, statistic: str = "cash"):
    """The sparse term of `make_term`, and the dense one of the same data."""
    sparse, values = make_term(kind, n=30)
    own = sparse.field
    field, component = make(kind, np.ones(own.shape), None, 30)
    counts = np.zeros(own.shape)
    counts[own.bin_energy, own.pixel[own.bin_pixel]] = own.bin_counts
    n = counts[field.bin_energy, field.pixel[field.bin_pixel]]
    source, template = sparse.sources[0], sparse.templates[0]
    image = np.broadcast_to(np.array([0.4, 0.2, 0.1, 0.05])[:, None], (4, len(field.pixel)))
    bins = image[field.bin_energy, field.bin_pixel]
    sources = [Source("source", component, source.index, source.scale)]
    templates = [Template("background", bins, image.sum(axis=1), template.factor, template.index, image)]
    kinds = {"cash": lambda: Cash(n), "wstat": lambda: Wstat(n, np.full(n.shape, 2.0), np.full(n.shape, 0.2))}
    return sparse, DenseTerm(field, sparse.parameters, kinds[statistic](), sources, templates), values


@pytest.mark.parametrize("kind", ["point", "gauss"])
def test_it_equals_the_sparse_term(kind):
    sparse, dense, values = dense_twin(kind)
    free = np.ones(len(values), bool)
    errors = ERRORS[kind]
    for order in range(4):
        ours, theirs = dense.evaluate(values, free, order), sparse.evaluate(values, free, order)
        np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-12)
        if order:
            np.testing.assert_allclose(ours[1] * errors, theirs[1] * errors, rtol=1e-8, atol=1e-8)
    exact = [term.evaluate(values, free, 3)[2] * np.outer(errors, errors) for term in (dense, sparse)]
    np.testing.assert_allclose(exact[0], exact[1], rtol=1e-5, atol=1e-5 * np.abs(exact[1]).max())


@pytest.mark.parametrize("kind", ["point", "gauss"])
def test_derivatives_of_an_off_measurement(kind):
    _, term, values = dense_twin(kind, "wstat")
    errors, free = ERRORS[kind], np.ones(len(values), bool)
    _, gradient, exact = term.evaluate(values, free, 3)
    for j, error in enumerate(errors):
        step = np.zeros(len(values))
        step[j] = 1e-3 * error
        ends = [term.evaluate(values + f * step, free, 1) for f in (-2, -1, 1, 2)]
        slope = (8 * (ends[2][0] - ends[1][0]) - (ends[3][0] - ends[0][0])) / 12e-3
        np.testing.assert_allclose(gradient[j] * error, slope, rtol=1e-5, atol=1e-5 * np.abs(gradient * errors).max())
        row = (8 * (ends[2][1] - ends[1][1]) - (ends[3][1] - ends[0][1])) / 12e-3 * errors
        np.testing.assert_allclose(exact[j] * error * errors, row, atol=3e-3 * np.abs(exact * np.outer(errors, errors)).max())
