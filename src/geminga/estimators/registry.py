"""The estimators by tag."""

from geminga.estimators.energydependentmorphology import EnergyDependentMorphologyEstimator
from geminga.estimators.image_profile import ImageProfileEstimator
from geminga.estimators.map.asmooth import ASmoothMapEstimator
from geminga.estimators.map.excess import ExcessMapEstimator
from geminga.estimators.map.ts import TSMapEstimator
from geminga.estimators.parameter import ParameterEstimator
from geminga.estimators.parameter_sensitivity import ParameterSensitivityEstimator
from geminga.estimators.points.joint import JointFluxPointsEstimator
from geminga.estimators.points.light_curve import LightCurveEstimator
from geminga.estimators.points.profile import FluxProfileEstimator
from geminga.estimators.points.sed import FluxPointsEstimator
from geminga.estimators.points.sensitivity import SensitivityEstimator
from geminga.utils.registry import Registry

__all__ = ["ESTIMATOR_REGISTRY"]

ESTIMATOR_REGISTRY = Registry(
    [
        ExcessMapEstimator,
        TSMapEstimator,
        FluxPointsEstimator,
        ASmoothMapEstimator,
        LightCurveEstimator,
        SensitivityEstimator,
        ParameterSensitivityEstimator,
        FluxProfileEstimator,
        ParameterEstimator,
        EnergyDependentMorphologyEstimator,
        ImageProfileEstimator,
        JointFluxPointsEstimator,
    ]
)
