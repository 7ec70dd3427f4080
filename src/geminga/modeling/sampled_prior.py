"""A prior which is known from samples, for example of the posterior of an earlier measurement."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from geminga.errors import InputError
from geminga.modeling.priors import Prior

__all__ = ["SamplesKDEPrior"]


class SamplesKDEPrior(Prior):
    """Density estimated from samples, for example of an earlier fit, with a Gaussian kernel.

    Parameters
    ----------
    samples : array
        Samples, at least two different ones.
    weights : array, optional
        Weights of the samples.
    weight : float
        Factor on the result.

    Raises
    ------
    InputError
        If the samples are not finite, or all equal.
    """

    tag: ClassVar[Any] = ["SamplesKDEPrior"]
    _dict_keys = frozenset({"type", "parameters", "weight", "samples", "weights"})

    def __init__(self, samples: Any, weights: Any = None, weight: float = 1) -> None:
        from scipy.stats import gaussian_kde

        self.samples = np.asarray(samples, dtype=float).ravel()
        if self.samples.size < 2 or not np.isfinite(self.samples).all() or np.ptp(self.samples) == 0:
            msg = f"SamplesKDEPrior got {self.samples.size} samples; expected at least two different finite numbers."
            raise InputError(msg)
        self.weights = None if weights is None else np.asarray(weights, dtype=float).ravel()
        if self.weights is not None and self.weights.shape != self.samples.shape:
            msg = f"SamplesKDEPrior got {self.weights.size} weights for {self.samples.size} samples; expected as many."
            raise InputError(msg)
        self._kde = gaussian_kde(self.samples, weights=self.weights)
        super().__init__(weight=weight)

    def evaluate(self, value: Any) -> Any:
        """Minus twice the logarithm of the density."""
        return -2 * self._kde.logpdf(np.atleast_1d(value)).reshape(np.shape(value))[()]

    def _derivative(self, value: NDArray[np.float64], **kwargs: float) -> Any:
        mean, _ = self._shift(value)
        return 2 * mean / self._kde.covariance[0, 0]

    def _curvature(self, value: NDArray[np.float64], **kwargs: float) -> Any:
        _, spread = self._shift(value)
        variance = self._kde.covariance[0, 0]
        return 2 * (variance - spread) / variance**2

    def _shift(self, value: NDArray[np.float64]) -> tuple[Any, Any]:
        """Mean and variance of the distances to the samples, each sample by its share of the density."""
        shift = np.atleast_1d(value)[..., np.newaxis] - self.samples
        exponent = -(shift**2) / (2 * self._kde.covariance[0, 0])
        share = np.exp(exponent - exponent.max(axis=-1, keepdims=True)) * self._kde.weights
        share /= share.sum(axis=-1, keepdims=True)
        mean = np.sum(share * shift, axis=-1)
        spread = np.sum(share * (shift - mean[..., np.newaxis]) ** 2, axis=-1)
        return mean.reshape(np.shape(value))[()], spread.reshape(np.shape(value))[()]

    def inverse_cdf(self, probability: Any) -> Any:
        """Value below which the prior has this probability."""
        from scipy.optimize import brentq
        from scipy.special import ndtr

        width = math.sqrt(self._kde.covariance[0, 0])
        low, high = self.samples.min() - 10 * width, self.samples.max() + 10 * width

        def one(target: float) -> float:
            excess = lambda x: float(np.sum(self._kde.weights * ndtr((x - self.samples) / width)) - target)  # noqa: E731
            return float(brentq(excess, low, high)) if 0 < target < 1 else (low if target <= 0 else high)

        return np.vectorize(one, otypes=[float])(probability)[()]

    def to_dict(self, full_output: bool = False) -> dict[str, Any]:
        """Plain dictionary, as it stands in model files."""
        entry: dict[str, Any] = {"type": self._long_tag(), "samples": self.samples.tolist(), "weight": self.weight}
        if self.weights is not None:
            entry["weights"] = self.weights.tolist()
        return {"prior": entry}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], **kwargs: Any) -> Self:
        """Make a prior from a dictionary as `to_dict` gives it."""
        entry = cls._entry(data, kwargs)
        return cls(entry["samples"], weights=entry.get("weights"), weight=entry.get("weight", 1))
