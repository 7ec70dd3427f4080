"""Products: spectra, light curves and maps.

Which one do I want? Spectra: `FluxPointsEstimator`. Light curves: `LightCurveEstimator`. Significance and flux of a source
at every pixel: `TSMapEstimator`; of the counts around every pixel: `ExcessMapEstimator`. `FluxPoints` and `FluxMaps` hold
fluxes in any quantity; they live in `geminga.flux`.
"""

from geminga.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "geminga.flux": ["FluxMaps", "FluxMetaData", "FluxPoints"],
        ".base": ["Estimator"],
        ".exposure": ["estimate_exposure_reco_energy"],
        ".map.excess": ["ExcessMapEstimator"],
        ".map.ts": ["TSMapEstimator"],
        ".parameter": ["ParameterEstimator"],
        ".peaks": ["find_peaks", "find_peaks_in_flux_map"],
        ".points.light_curve": ["LightCurveEstimator"],
        ".points.sed": ["FluxPointsEstimator"],
        ".rebin": ["get_rebinned_axis"],
        ".registry": ["ESTIMATOR_REGISTRY"],
        ".variability": [
            "compute_lightcurve_discrete_correlation",
            "compute_lightcurve_doublingtime",
            "compute_lightcurve_fpp",
            "compute_lightcurve_fvar",
        ],
    },
)
