"""Counts statistics: significance, errors and limits of an excess, for arrays of measurements.

`CashCountsStatistic` is for a known background, `WStatCountsStatistic` for a background measured in an off region. Both share
everything that follows from the statistic itself; what each adds are its formulas.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erfc

from geminga.errors import InputError
from geminga.numerics import poisson, poisson_limits

__all__ = ["CashCountsStatistic", "WStatCountsStatistic"]

Array = NDArray[np.float64]


def _check(owner: str, **arrays: Any) -> None:
    """Refuse negative numbers and shapes that do not fit together; NaN passes."""
    for name, values in arrays.items():
        if np.any(np.asarray(values) < 0):
            msg = f"{owner}: {name} has negative values (smallest {np.nanmin(values)}); expected counts or ratios, at least 0."
            raise InputError(msg)
    try:
        np.broadcast_shapes(*[np.shape(a) for a in arrays.values()])
    except ValueError as error:
        shapes = ", ".join(f"{name} {np.shape(a)}" for name, a in arrays.items())
        msg = f"{owner}: shapes do not fit together: {shapes}; give arrays which broadcast."
        raise InputError(msg) from error


def _signed(values: Any) -> NDArray[Any]:
    """Array whose differences may be negative: unsigned numbers would wrap around."""
    array: NDArray[Any] = np.asanyarray(values)
    return array.astype(float) if array.dtype.kind in "ub" else array


class CountsStatistic(ABC):
    """What all counts statistics share: numbers that follow from n_sig, the statistic and its null value."""

    n_on: NDArray[Any]

    @property
    @abstractmethod
    def n_bkg(self) -> Any:
        """Expected background counts in the on region."""

    @property
    @abstractmethod
    def n_sig(self) -> Any:
        """Excess counts."""

    @property
    @abstractmethod
    def error(self) -> Any:
        """Approximate error of the excess, from the variances of the counts."""

    @property
    @abstractmethod
    def stat_null(self) -> Any:
        """Statistic without signal."""

    @property
    @abstractmethod
    def stat_max(self) -> Any:
        """Statistic at the excess, where the likelihood is largest."""

    @property
    def ts(self) -> Any:
        """Test statistic of the excess, at least 0."""
        return np.maximum(self.stat_null - self.stat_max, 0)

    @property
    def sqrt_ts(self) -> Any:
        """Significance, with the sign of the excess."""
        return np.sign(self.n_sig) * np.sqrt(self.ts)

    @property
    def p_value(self) -> Any:
        """Probability of such a test statistic or a larger one in one tail."""
        return 0.5 * erfc(np.sqrt(self.ts / 2))

    @abstractmethod
    def compute_errn(self, n_sigma: float = 1.0) -> Any:
        """Distance from the excess down to where the statistic has risen by `n_sigma` squared (positive)."""

    @abstractmethod
    def compute_errp(self, n_sigma: float = 1.0) -> Any:
        """Distance from the excess up to where the statistic has risen by `n_sigma` squared."""

    def _info(self) -> dict[str, Any]:
        return {
            "n_on": self.n_on,
            "background": self.n_bkg,
            "excess": self.n_sig,
            "significance": self.sqrt_ts,
            "p_value": self.p_value,
        }

    @abstractmethod
    def sum(self, axis: Any = None) -> CountsStatistic:
        """Statistic of the summed counts."""

    def _lines(self) -> list[str]:
        """Summary of the sums over all bins."""
        total = self if np.size(self.n_on) == 1 else self.sum()
        info = {name: float(np.ravel(value)[0]) for name, value in total._info().items()}
        return [
            type(self).__name__,
            f"  {'Total counts':32}: {info['n_on']:.2f} ",
            f"  {'Total background counts':32}: {info['background']:.2f}",
            f"  {'Total excess counts':32}: {info['excess']:.2f}",
            f"  {'Total significance':32}: {info['significance']:.2f}",
            f"  {'p - value':32}: {info['p_value']:.3f}",
            f"  {'Total number of bins':32}: {np.size(self.n_on)}",
        ]

    def _repr_html_(self) -> str:
        import html

        return f"<pre>{html.escape(str(self))}</pre>"


class CashCountsStatistic(CountsStatistic):
    """Statistic of counts above a known background.

    Parameters
    ----------
    n_on : array
        Observed counts.
    mu_bkg : array
        Expected background.

    Raises
    ------
    InputError
        If a number is negative, or shapes do not broadcast.

    Examples
    --------
    >>> from geminga.stats import CashCountsStatistic
    >>> stat = CashCountsStatistic(n_on=13, mu_bkg=5.5)
    >>> round(float(stat.sqrt_ts), 4), round(float(stat.compute_upper_limit(2)), 3)
    (2.7139, 16.102)
    """

    def __init__(self, n_on: ArrayLike, mu_bkg: ArrayLike) -> None:
        _check(type(self).__name__, n_on=n_on, mu_bkg=mu_bkg)
        self.n_on, self.mu_bkg = _signed(n_on), _signed(mu_bkg)

    n_bkg = property(lambda self: self.mu_bkg, doc="Expected background counts.")

    @property
    def n_sig(self) -> Any:
        """Excess counts, n_on - mu_bkg."""
        return self.n_on - self.n_bkg

    @property
    def error(self) -> Any:
        """Approximate error of the excess, the square root of the counts."""
        return np.sqrt(self.n_on)

    @property
    def stat_null(self) -> Any:
        """Cash statistic of the background alone."""
        return poisson.cash(self.n_on, self.mu_bkg)[()]

    @property
    def stat_max(self) -> Any:
        """Cash statistic of an expectation equal to the counts."""
        return poisson.cash(self.n_on, self.n_on)[()]

    @property
    def ts(self) -> Any:
        """Test statistic of the excess, at least 0."""
        mu = np.where(np.asarray(self.n_on) > 0, np.maximum(self.mu_bkg, poisson.TRUNCATION), self.mu_bkg)
        return poisson.deviance(self.n_on, mu)[()]

    def info_dict(self) -> dict[str, Any]:
        """Counts, background, excess, significance, p-value and expected background by name."""
        return {**self._info(), "mu_bkg": self.mu_bkg}

    def __str__(self) -> str:
        mu = np.sum(np.broadcast_to(self.mu_bkg, np.broadcast_shapes(self.n_on.shape, self.mu_bkg.shape)))
        return "\n".join([*self._lines(), f"  {'Predicted background counts':32}: {mu:.2f} ", ""])

    def compute_errn(self, n_sigma: float = 1.0) -> Any:
        """Distance from the excess down to where the statistic has risen by `n_sigma` squared (positive)."""
        return self._errors(n_sigma)[0]

    def compute_errp(self, n_sigma: float = 1.0) -> Any:
        """Distance from the excess up to where the statistic has risen by `n_sigma` squared."""
        return self._errors(n_sigma)[1]

    def _errors(self, n_sigma: float) -> tuple[Any, Any]:
        # The errors of the counts are those of the excess.
        n = np.broadcast_to(self.n_on, np.shape(self.n_sig))
        return poisson_limits.cash_errors(n, float(n_sigma) ** 2)

    def compute_upper_limit(self, n_sigma: float = 3, *, bounded: bool = False) -> Any:
        """Upper limit on the signal counts.

        Parameters
        ----------
        n_sigma : float
            The statistic at the limit is larger by the square of this.
        bounded : bool
            If false, the statistic is compared with that at the excess, and the limit is the excess plus `compute_errp`, which
            may be negative. If true, only signals of at least 0 are considered, and the limit is never negative.

        Returns
        -------
        limit : array
            Counts.
        """
        if bounded:
            return poisson_limits.cash_limit(self.n_on, self.mu_bkg, float(n_sigma) ** 2)
        return np.asarray(self.n_sig + self.compute_errp(n_sigma))

    def n_sig_matching_significance(self, significance: ArrayLike) -> Any:
        """Excess counts that have the given significance above this background."""
        return poisson_limits.cash_matching_excess(self.mu_bkg, significance)

    def sum(self, axis: int | tuple[int, ...] | None = None) -> CashCountsStatistic:
        """Statistic of the counts and backgrounds summed over `axis` (all if None)."""
        n_on, mu_bkg = np.broadcast_arrays(self.n_on, self.mu_bkg)
        return type(self)(n_on.sum(axis=axis), mu_bkg.sum(axis=axis))

    def __getitem__(self, key: Any) -> CashCountsStatistic:
        n_on, mu_bkg = np.broadcast_arrays(self.n_on, self.mu_bkg)
        return type(self)(n_on[key], mu_bkg[key])


class WStatCountsStatistic(CountsStatistic):
    """Statistic of counts with a background measured in an off region.

    Parameters
    ----------
    n_on, n_off : array
        Observed counts in the on and in the off region.
    alpha : array
        Acceptance of the on region over that of the off region.
    mu_sig : array, optional
        Known signal counts in the on region, 0 by default: the null hypothesis.

    Raises
    ------
    InputError
        If counts or `alpha` are negative, or shapes do not broadcast.

    References
    ----------
    T.-P. Li and Y.-Q. Ma (1983), ApJ 272, 317, eq. 17.

    Examples
    --------
    >>> from geminga.stats import WStatCountsStatistic
    >>> stat = WStatCountsStatistic(n_on=13, n_off=11, alpha=0.5)
    >>> float(stat.n_sig), round(float(stat.sqrt_ts), 4)
    (7.5, 2.0928)
    """

    def __init__(self, n_on: ArrayLike, n_off: ArrayLike, alpha: ArrayLike, mu_sig: ArrayLike | None = None) -> None:
        _check(type(self).__name__, n_on=n_on, n_off=n_off, alpha=alpha)
        self.n_on, self.n_off, self.alpha = _signed(n_on), _signed(n_off), _signed(alpha)
        self.mu_sig = np.zeros_like(self.n_on) if mu_sig is None else _signed(mu_sig)

    @property
    def n_bkg(self) -> Any:
        """Expected background counts in the on region, alpha n_off."""
        return self.alpha * self.n_off

    @property
    def n_sig(self) -> Any:
        """Excess counts, n_on - alpha n_off - mu_sig."""
        return self.n_on - self.n_bkg - self.mu_sig

    @property
    def error(self) -> Any:
        """Approximate error of the excess, sqrt(n_on + alpha^2 n_off)."""
        return np.sqrt(self.n_on + self.alpha**2 * self.n_off)

    @property
    def stat_null(self) -> Any:
        """W statistic of the known signal alone."""
        return poisson.wstat(self.n_on, self.n_off, self.alpha, self.mu_sig)[()]

    @property
    def stat_max(self) -> Any:
        """W statistic of a signal equal to the excess."""
        return poisson.wstat(self.n_on, self.n_off, self.alpha, self.n_sig + self.mu_sig)[()]

    def info_dict(self) -> dict[str, Any]:
        """Counts, background, excess, significance, p-value, off counts, alpha and known signal by name."""
        return {**self._info(), "n_off": self.n_off, "alpha": self.alpha, "mu_sig": self.mu_sig}

    def __str__(self) -> str:
        total = self.sum()
        lines = [
            f"  {'Off counts':32}: {float(total.n_off):.2f} ",
            f"  {'alpha ':32}: {float(total.alpha):.2f} ",
            f"  {'Predicted signal counts':32}: {float(total.mu_sig):.2f} ",
        ]
        return "\n".join([*self._lines(), *lines, ""])

    def compute_errn(self, n_sigma: float = 1.0) -> Any:
        """Distance from the excess down to where the statistic has risen by `n_sigma` squared (positive)."""
        return self._best() - poisson_limits.wstat_limit(self.n_on, self.n_off, self.alpha, float(n_sigma) ** 2, side=-1)

    def compute_errp(self, n_sigma: float = 1) -> Any:
        """Distance from the excess up to where the statistic has risen by `n_sigma` squared."""
        return poisson_limits.wstat_limit(self.n_on, self.n_off, self.alpha, float(n_sigma) ** 2, side=1) - self._best()

    def compute_upper_limit(self, n_sigma: float = 3, *, bounded: bool = False) -> Any:
        """Upper limit on the signal counts beyond `mu_sig`.

        Parameters
        ----------
        n_sigma : float
            The statistic at the limit is larger by the square of this.
        bounded : bool
            If false, the statistic is compared with that at the excess, and the limit is the excess plus `compute_errp`, which
            may be negative. If true, only total signals of at least 0 are considered.

        Returns
        -------
        limit : array
            Counts.
        """
        rise = float(n_sigma) ** 2
        limit = poisson_limits.wstat_limit(self.n_on, self.n_off, self.alpha, rise, side=1, bounded=bounded)
        return np.asarray(limit - self.mu_sig)

    def _best(self) -> Any:
        return self.n_on - self.n_bkg

    def n_sig_matching_significance(self, significance: ArrayLike) -> Any:
        """Excess counts that have the given significance for these off counts and known signal."""
        return poisson_limits.wstat_matching_excess(self.n_off, self.alpha, significance, self.mu_sig)

    def sum(self, axis: int | tuple[int, ...] | None = None) -> WStatCountsStatistic:
        """Statistic of the counts summed over `axis` (all if None).

        The ratio of acceptances is such that the expected background is the sum of those of the bins. Without any off counts
        it is the ratio of the summed acceptances, if that of the on region is the same in all bins.
        """
        n_on, n_off, alpha, mu_sig = np.broadcast_arrays(self.n_on, self.n_off, self.alpha, self.mu_sig)
        total_off = n_off.sum(axis=axis)
        with np.errstate(divide="ignore", invalid="ignore"):
            weighted = (alpha * n_off).sum(axis=axis) / total_off
            n_bins = alpha.size / max(np.size(total_off), 1)
            joined = np.where(total_off > 0, weighted, n_bins / (1 / alpha).sum(axis=axis))
        return type(self)(n_on.sum(axis=axis), total_off, joined, mu_sig.sum(axis=axis))

    def __getitem__(self, key: Any) -> WStatCountsStatistic:
        arrays = np.broadcast_arrays(self.n_on, self.n_off, self.alpha, self.mu_sig)
        return type(self)(*[a[key] for a in arrays])
