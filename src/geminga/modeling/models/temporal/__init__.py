"""Temporal models: when."""

from geminga.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        ".base": ["TemporalModel"],
        ".constant": ["ConstantTemporalModel"],
        ".exp_decay": ["ExpDecayTemporalModel"],
        ".gaussian": ["GaussianTemporalModel", "GeneralizedGaussianTemporalModel"],
        ".light_curve": ["LightCurveTemplateTemporalModel"],
        ".linear": ["LinearTemporalModel"],
        ".phase": ["TemplatePhaseCurveTemporalModel"],
        ".power_law": ["PowerLawTemporalModel"],
        ".sine": ["SineTemporalModel"],
    },
)
