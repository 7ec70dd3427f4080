"""Statistics of counts and of series of fluxes: fit statistics, significances, errors, limits, variability.

`CashCountsStatistic` is for counts above a known background, `WStatCountsStatistic` for counts with an off measurement; `cash`,
`cstat` and `wstat` are the fit statistics themselves, -2 ln L of each bin. How much a flux varies is said in
`geminga.stats.variability`.
"""

from __future__ import annotations

from geminga.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        ".blocks": ["bayesian_blocks"],
        ".counts": ["CashCountsStatistic", "WStatCountsStatistic"],
        ".fit_statistics": ["cash", "cstat", "get_wstat_gof_terms", "get_wstat_mu_bkg", "wstat"],
        ".of_datasets": ["Chi2AsymmetricErrorFitStatistic", "Chi2FitStatistic"],
        ".penalties": ["FitStatisticPenalty", "GaussianPriorPenalty"],
        ".pairs": ["discrete_correlation", "structure_function"],
        ".significance": ["sigma_to_ts", "ts_to_sigma"],
        ".simulate": ["TimmerKonig_lightcurve_simulator"],
        ".variability": ["compute_chisq", "compute_flux_doubling", "compute_fpp", "compute_fvar"],
    },
)
