"""Functions behind the makers, to be used on their own."""

from geminga.irf.background.project import make_map_background_irf
from geminga.irf.project import make_edisp_kernel_map, make_edisp_map, make_map_exposure_true_energy, make_psf_map
from geminga.makers.livetime import make_effective_livetime_map, make_observation_time_map
from geminga.makers.rad_max import make_counts_off_rad_max, make_counts_rad_max
from geminga.makers.theta_squared import ThetaSquaredTable

__all__ = [
    "ThetaSquaredTable",
    "make_counts_off_rad_max",
    "make_counts_rad_max",
    "make_edisp_kernel_map",
    "make_edisp_map",
    "make_effective_livetime_map",
    "make_map_background_irf",
    "make_map_exposure_true_energy",
    "make_observation_time_map",
    "make_psf_map",
]
