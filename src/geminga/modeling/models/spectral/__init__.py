"""Spectral models: flux against energy."""

from geminga.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        ".absorption": ["EBL_DATA_BUILTIN", "EBLAbsorptionNormSpectralModel"],
        ".base": ["SpectralModel"],
        ".broken": ["BrokenPowerLawSpectralModel", "SmoothBrokenPowerLawSpectralModel"],
        ".compound": ["CompoundSpectralModel"],
        ".constant": ["ConstantSpectralModel"],
        ".cosmic_ray": ["LogGaussianSpectralModel", "create_cosmic_ray_spectral_model"],
        ".crab": ["MeyerCrabSpectralModel", "create_crab_spectral_model"],
        ".cutoff": [
            "ExpCutoffPowerLaw3FGLSpectralModel",
            "ExpCutoffPowerLawNormSpectralModel",
            "ExpCutoffPowerLawSpectralModel",
        ],
        ".gaussian": ["GaussianSpectralModel"],
        ".integrate": ["integrate_spectrum"],
        ".log_parabola": ["LogParabola2SpectralModel", "LogParabolaNormSpectralModel", "LogParabolaSpectralModel"],
        ".naima": ["NaimaSpectralModel"],
        ".piecewise": ["PiecewiseNormSpectralModel"],
        ".plot": ["scale_plot_flux"],
        ".power_law": ["PowerLaw2SpectralModel", "PowerLawNormSpectralModel", "PowerLawSpectralModel"],
        ".scale": ["ScaleSpectralModel"],
        ".super_cutoff": [
            "SuperExpCutoffPowerLaw3FGLSpectralModel",
            "SuperExpCutoffPowerLaw4FGLDR3SpectralModel",
            "SuperExpCutoffPowerLaw4FGLSpectralModel",
        ],
        ".template": ["TemplateSpectralModel"],
        ".template_nd": ["TemplateNDSpectralModel"],
    },
)
