"""Functions on products of estimators, under the name by which scripts know them; each lives with its subject."""

from geminga.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "geminga.estimators.combine": [
            "combine_flux_maps",
            "combine_significance_maps",
            "get_combined_flux_maps",
            "get_combined_significance_maps",
        ],
        "geminga.estimators.edges": ["resample_energy_edges"],
        "geminga.estimators.exposure": ["estimate_exposure_reco_energy"],
        "geminga.estimators.peaks": ["find_peaks", "find_peaks_in_flux_map"],
        "geminga.estimators.rebin": ["get_rebinned_axis"],
        "geminga.estimators.variability": [
            "compute_lightcurve_discrete_correlation",
            "compute_lightcurve_doublingtime",
            "compute_lightcurve_fpp",
            "compute_lightcurve_fvar",
        ],
    },
)
