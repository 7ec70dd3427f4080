"""The estimators by tag."""

from geminga.estimators.map.excess import ExcessMapEstimator
from geminga.estimators.map.ts import TSMapEstimator
from geminga.estimators.parameter import ParameterEstimator
from geminga.estimators.points.light_curve import LightCurveEstimator
from geminga.estimators.points.sed import FluxPointsEstimator
from geminga.utils.registry import Registry

__all__ = ["ESTIMATOR_REGISTRY"]

ESTIMATOR_REGISTRY = Registry([ExcessMapEstimator, TSMapEstimator, FluxPointsEstimator, LightCurveEstimator, ParameterEstimator])
