"""Optimisation, covariance, profiles and contours."""

from geminga.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {".budget": ["ErrorBudget"], ".fit": ["Fit"], ".result": ["CovarianceResult", "FitResult", "OptimizeResult"]},
)
