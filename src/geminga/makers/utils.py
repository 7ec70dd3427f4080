"""Functions behind the makers, to be used on their own."""

from geminga.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    "geminga.makers.utils",
    {
        "geminga.irf.background.project": ["make_map_background_irf"],
        "geminga.irf.project": [
            "make_edisp_kernel_map",
            "make_edisp_map",
            "make_map_exposure_true_energy",
            "make_psf_map",
        ],
        "geminga.makers.livetime": ["make_effective_livetime_map", "make_observation_time_map"],
        "geminga.makers.rad_max": ["make_counts_off_rad_max", "make_counts_rad_max"],
        "geminga.makers.theta_squared": ["ThetaSquaredTable"],
    },
)
