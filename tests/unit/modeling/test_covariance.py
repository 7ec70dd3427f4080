"""Covariances are symmetric, and what is not is said."""

from __future__ import annotations

import numpy as np

from geminga.modeling import Covariance, Parameter, Parameters
from geminga.modeling.fit.curvature import Dense


def test_rounding_is_no_asymmetry(caplog):
    """Parameters which have next to nothing to do with each other: the rounding of their covariance is not worth a word."""
    parameters = Parameters([Parameter("a", 1), Parameter("b", 1)])
    Covariance(parameters, np.array([[4.0, 1e-11], [1.0001e-11, 1.0]]))
    assert not caplog.records
    Covariance(parameters, np.array([[4.0, 1e-3], [1.0001e-3, 1.0]]))
    assert "a, b is not symmetric" in caplog.text


def test_the_inverse_of_a_curvature_is_symmetric():
    rng = np.random.default_rng(0)
    half = rng.normal(size=(40, 40)) * np.geomspace(1, 1e4, 40)
    inverse = Dense(half @ half.T).inverse().dense()
    np.testing.assert_array_equal(inverse, inverse.T)
