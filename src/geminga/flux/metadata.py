"""Meta data of fluxes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from geminga.utils.metadata import CreatorMetaData, MetaData, keyword

__all__ = ["FluxMetaData"]


@dataclass
class FluxMetaData(MetaData):
    """What is known about fluxes beside their values.

    Parameters
    ----------
    sed_type, sed_type_init : str, optional
        Kind of flux, and the kind they were made as.
    n_sigma, n_sigma_ul : float, optional
        Number of standard deviations of errors and of upper limits.
    sqrt_ts_threshold_ul : float, optional
        Significance below which a point is shown as an upper limit.
    n_sigma_sensitivity : float, optional
        Number of standard deviations of the sensitivity.
    target : TargetMetaData, optional
        What was looked at.
    creation : CreatorMetaData
        Who made them, and when.
    optional : dict, optional
        Anything else.

    Examples
    --------
    >>> from geminga.flux import FluxMetaData
    >>> FluxMetaData(sed_type="dnde", n_sigma_ul=2).to_header()["SED_TYPE"]
    'dnde'
    """

    _tag: ClassVar[str] = "flux"
    sed_type: str | None = keyword("SED_TYPE")
    sed_type_init: str | None = keyword("SEDTYPEI")
    n_sigma: float | None = keyword("N_SIGMA")
    n_sigma_ul: float | None = keyword("NSIGMAUL")
    sqrt_ts_threshold_ul: float | None = keyword("STSTHUL")
    n_sigma_sensitivity: float | None = keyword("NSIGMSEN")
    target: Any = None
    creation: Any = field(default_factory=CreatorMetaData)
    optional: dict[str, Any] | None = None
