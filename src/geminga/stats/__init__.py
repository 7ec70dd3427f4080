"""Statistics of counts: fit statistics, significances, errors and limits.

`CashCountsStatistic` is for counts above a known background, `WStatCountsStatistic` for counts with an off measurement; `cash`,
`cstat` and `wstat` are the fit statistics themselves, -2 ln L of each bin.
"""

from __future__ import annotations

from geminga.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        ".counts": ["CashCountsStatistic", "WStatCountsStatistic"],
        ".fit_statistics": ["cash", "cstat", "get_wstat_gof_terms", "get_wstat_mu_bkg", "wstat"],
        ".significance": ["sigma_to_ts", "ts_to_sigma"],
    },
)
