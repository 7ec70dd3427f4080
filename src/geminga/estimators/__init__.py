"""Products: spectra, light curves and maps.

Which one do I want? Spectra: `FluxPointsEstimator`, unfolded with their covariance: `JointFluxPointsEstimator`. Light curves:
`LightCurveEstimator`. Significance and flux of a source at every pixel: `TSMapEstimator`; of the counts around every pixel:
`ExcessMapEstimator`; an image smoothed as its counts allow: `ASmoothMapEstimator`. Profiles on the sky: `FluxProfileEstimator`
(fluxes) and `ImageProfileEstimator` (any image). The faintest source that would be seen: `SensitivityEstimator`; the smallest
change of any parameter: `ParameterSensitivityEstimator`. Does a shape change with energy: `EnergyDependentMorphologyEstimator`.
`FluxPoints` and `FluxMaps` hold fluxes in any quantity; they live in `geminga.flux`.
"""

from geminga.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "geminga.flux": ["FluxMaps", "FluxMetaData", "FluxPoints"],
        ".base": ["Estimator"],
        ".combine": [
            "combine_flux_maps",
            "combine_significance_maps",
            "get_combined_flux_maps",
            "get_combined_significance_maps",
        ],
        ".edges": ["resample_energy_edges"],
        ".energydependentmorphology": ["EnergyDependentMorphologyEstimator", "weighted_chi2_parameter"],
        ".exposure": ["estimate_exposure_reco_energy"],
        ".image_profile": ["ImageProfile", "ImageProfileEstimator"],
        ".map.asmooth": ["ASmoothMapEstimator"],
        ".map.excess": ["ExcessMapEstimator"],
        ".map.ts": ["TSMapEstimator"],
        ".parameter": ["ParameterEstimator"],
        ".parameter_sensitivity": ["ParameterSensitivityEstimator"],
        ".peaks": ["find_peaks", "find_peaks_in_flux_map"],
        ".points.joint": ["JointFluxPointsEstimator"],
        ".points.light_curve": ["LightCurveEstimator"],
        ".points.profile": ["FluxProfileEstimator"],
        ".points.sed": ["FluxPointsEstimator"],
        ".points.sensitivity": ["SensitivityEstimator"],
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
