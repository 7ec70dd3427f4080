"""Upper limits from a scan of the fit statistic."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from geminga.errors import InputError
from geminga.numerics.stat_profile import make_profiles

__all__ = ["stat_profile_ul_scipy"]

log = logging.getLogger(__name__)


def stat_profile_ul_scipy(
    value_scan: Any, stat_scan: Any, delta_ts: float = 4, interp_scale: str = "sqrt", **kwargs: Any
) -> float:
    """Upper limit of a parameter from a scan of the fit statistic.

    The signed root of the profile is interpolated. Beyond the scan it goes on as a straight line, the profile as a parabola,
    which is noted in the log.

    Parameters
    ----------
    value_scan : array or Quantity
        Values of the parameter, in order, shape (n,).
    stat_scan : array
        Fit statistic, shape (n,).
    delta_ts : float
        Rise of the statistic at the limit: 4 for two standard deviations.
    interp_scale : str
        Accepted for compatibility.
    **kwargs
        Options of root finders, without effect.

    Returns
    -------
    ul : float
        Upper limit, in the unit of `value_scan`.

    Raises
    ------
    InputError
        If shapes do not fit, fewer than two values are known, or `delta_ts` is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from geminga.modeling import stat_profile_ul_scipy
    >>> x = np.linspace(0, 10, 11)
    >>> round(stat_profile_ul_scipy(x, (x - 3) ** 2 / 4), 6)
    7.0
    """
    x, stat = (np.asarray(getattr(a, "value", a), dtype=float) for a in (value_scan, stat_scan))
    if x.ndim != 1 or x.shape != stat.shape or not np.all(np.diff(x) > 0):
        msg = (
            f"stat_profile_ul_scipy: values of shape {x.shape} and statistic of shape {stat.shape}; expected one increasing row."
        )
        raise InputError(msg)
    if not delta_ts > 0:
        msg = f"stat_profile_ul_scipy: delta_ts is {delta_ts!r}; expected a positive number."
        raise InputError(msg)
    profile = make_profiles(x, stat[np.newaxis])
    limit = float(profile.crossing(np.sqrt(delta_ts))[0])
    if not np.isfinite(limit) or not profile.x_min[0] < x[-1]:
        msg = f"stat_profile_ul_scipy: the profile {stat} does not rise by {delta_ts} above its minimum; scan larger values."
        raise InputError(msg)
    if limit > x[-1]:
        log.warning("The upper limit %.4g lies beyond the scan, which ends at %.4g; it is that of a parabola.", limit, x[-1])
    return limit
