"""What a sampler needs to know of each parameter before it starts, refused by name where it is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import ParameterError, UnsupportedError

__all__ = ["check_priors", "check_quantiles", "has_quantiles"]

Array = NDArray[np.float64]

#: Probabilities at which priors are looked at.
_PROBABILITIES = np.concatenate([[1e-6, 1e-4], np.linspace(1e-3, 1 - 1e-3, 1000), [1 - 1e-4, 1 - 1e-6]])


def check_priors(parameters: Sequence[Any], names: Sequence[str]) -> None:
    """Refuse parameters without a prior.

    Raises
    ------
    ParameterError
        Naming them.
    """
    missing = [name for p, name in zip(parameters, names, strict=True) if p.prior is None]
    if missing:
        msg = (
            f"Sampling needs a prior on every free parameter; {', '.join(missing)} "
            f"{'has' if len(missing) == 1 else 'have'} none. Set parameter.prior = UniformPrior(min=..., max=...), or freeze it."
        )
        raise ParameterError(msg)


def _quantiles(parameter: Any) -> Array | None:
    """Values which divide the probability of the prior; None if it does not offer these."""
    try:
        return np.asarray(parameter.prior.inverse_cdf(_PROBABILITIES), dtype=float)
    except UnsupportedError:
        return None


def has_quantiles(parameter: Any) -> bool:
    """Whether values can be drawn from the prior of a parameter."""
    return _quantiles(parameter) is not None


def check_quantiles(parameters: Sequence[Any], names: Sequence[str]) -> None:
    """Refuse parameters whose prior cannot be mapped to the unit interval, or lies outside of their bounds.

    Raises
    ------
    ParameterError
        Naming the first such parameter, and the remedy.
    """
    for p, name in zip(parameters, names, strict=True):
        kind, values = type(p.prior).__name__, _quantiles(p)
        remedy = "Take a UniformPrior(min=..., max=...) over the range that is possible, or freeze it"
        if values is None:
            msg = f"Nested sampling draws {name} from its prior, but {kind} does not offer inverse_cdf. {remedy}, or use emcee."
            raise ParameterError(msg)
        if not np.isfinite(values).all() or (np.diff(values) < 0).any() or values[0] == values[-1]:
            msg = (
                f"The prior {kind} of {name} gives quantiles from {values[0]:.6g} to {values[-1]:.6g}, which are not finite and "
                f"rising: it is no density that can be drawn from. {remedy}."
            )
            raise ParameterError(msg)
        if ((values < p.min) | (values > p.max)).all():
            msg = (
                f"The prior {kind} of {name} lies between {values[0]:.6g} and {values[-1]:.6g}, outside of the bounds "
                f"[{p.min:.6g}, {p.max:.6g}] ({p.unit}) of the parameter; change the bounds or the prior."
            )
            raise ParameterError(msg)
