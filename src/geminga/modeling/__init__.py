"""Models, their parameters, and fits."""

from geminga.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        ".covariance": ["Covariance"],
        ".fit": ["CovarianceResult", "ErrorBudget", "Fit", "FitResult", "OptimizeResult"],
        ".parameter": ["Parameter"],
        ".parameters": ["Parameters", "PriorParameters"],
        ".prior_parameter": ["PriorParameter"],
        ".profile_limit": ["stat_profile_ul_scipy"],
        ".sampler": ["Sampler", "SamplerResult"],
        ".selection": ["select_nested_models"],
    },
)
