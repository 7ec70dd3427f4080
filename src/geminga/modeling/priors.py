"""Priors on parameters.

A prior gives minus twice the logarithm of its density, normalised, times its weight, so that it adds to a fit statistic; and the
derivative of that by the value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import ParameterError, UnsupportedError
from geminga.modeling.models.base import ModelBase, build_parameters
from geminga.modeling.parameter import Parameter
from geminga.modeling.parameters import PriorParameters
from geminga.modeling.prior_parameter import PriorParameter
from geminga.modeling.registry import PRIOR_REGISTRY

__all__ = [
    "PRIOR_REGISTRY",
    "GaussianPrior",
    "GeneralizedGaussianPrior",
    "LogNormalPrior",
    "LogUniformPrior",
    "Prior",
    "UniformPrior",
]

_LOG_2PI = math.log(2 * math.pi)


class Prior(ModelBase):
    """Base class of priors.

    A prior of one's own gives `PriorParameter` objects as class attributes and a static ``evaluate(value, ...)``.

    Parameters
    ----------
    **kwargs
        Values of the parameters, and ``weight`` (default 1).
    """

    _type = "prior"
    _dict_keys = frozenset({"type", "parameters", "weight"})

    def __init__(self, **kwargs: Any) -> None:
        self.weight = kwargs.pop("weight", 1)
        super().__init__(**kwargs)
        self._check()

    def _check(self) -> None:
        """Refuse values of the parameters that make no density."""

    @property
    def parameters(self) -> PriorParameters:
        """Parameters of the prior."""
        return PriorParameters(super().parameters)

    @property
    def weight(self) -> float:
        """Factor on the result."""
        return self._weight

    @weight.setter
    def weight(self, value: float) -> None:
        self._weight = value

    @property
    def support(self) -> tuple[float, float] | None:
        """Range outside of which the density is zero, which then bounds the parameter; None for no bounds."""
        return None

    @property
    def _parabola(self) -> tuple[float, float, float] | None:
        """Centre, second derivative and least value of a result that is a parabola; None for any other."""
        return None

    def evaluate(self, value: Any, *args: Any) -> Any:
        """Minus twice the logarithm of the density."""
        raise NotImplementedError

    def __call__(self, value: Any) -> Any:
        """Minus twice the logarithm of the density, times the weight.

        Parameters
        ----------
        value : Parameter, Quantity, float or array
            Value; numbers are in the unit of the prior's parameters.
        """
        return self.weight * self.evaluate(self._bare(value), **self._arguments())

    def derivative(self, value: Any) -> Any:
        """Derivative of the result by the value; zero outside of the support.

        Parameters
        ----------
        value : Parameter, Quantity, float or array
            Value.
        """
        number = np.asarray(self._bare(value), dtype=float)
        return self.weight * self._derivative(number, **self._arguments())

    def _derivative(self, value: NDArray[np.float64], **kwargs: float) -> Any:
        step = 1e-6 * np.where(value != 0, np.abs(value), 1.0)
        return (self.evaluate(value + step, **kwargs) - self.evaluate(value - step, **kwargs)) / (2 * step)

    def curvature(self, value: Any) -> Any:
        """Second derivative of the result by the value; zero outside of the support.

        Parameters
        ----------
        value : Parameter, Quantity, float or array
            Value.
        """
        number = np.asarray(self._bare(value), dtype=float)
        return self.weight * self._curvature(number, **self._arguments())

    def _curvature(self, value: NDArray[np.float64], **kwargs: float) -> Any:
        step = 1e-4 * np.where(value != 0, np.abs(value), 1.0)
        return (self._derivative(value + step, **kwargs) - self._derivative(value - step, **kwargs)) / (2 * step)

    def inverse_cdf(self, probability: Any) -> Any:
        """Value below which the prior has this probability.

        Raises
        ------
        UnsupportedError
            If the prior does not offer it.
        """
        msg = f"{type(self).__name__} does not offer inverse_cdf; choose another prior for sampling."
        raise UnsupportedError(msg)

    def _arguments(self) -> dict[str, float]:
        return {parameter.name: parameter.value for parameter in self.parameters}

    @staticmethod
    def _bare(value: Any) -> Any:
        if isinstance(value, Parameter):
            return value.value
        return value.value if isinstance(value, u.Quantity) else value

    def to_dict(self, full_output: bool = False) -> dict[str, Any]:
        """Plain dictionary, as it stands in model files."""
        entry = {"type": self._long_tag(), "parameters": self.parameters.to_dict(), "weight": self.weight}
        return {"prior": entry}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], **kwargs: Any) -> Self:
        """Make a prior from a dictionary as `to_dict` gives it.

        Raises
        ------
        NameLookupError, FormatError, ParameterError
            Naming the prior, what came and what is known.
        """
        entry = cls._entry(data, kwargs)
        parameters = build_parameters(entry.get("parameters") or [], cls.default_parameters, cls.__name__)
        return cls.from_parameters(parameters, weight=entry.get("weight", 1), **kwargs)

    def _positive(self, *names: str) -> None:
        for name in names:
            value = getattr(self, name).value
            if value <= 0:
                msg = f"{type(self).__name__}: {name} is {value}; expected a number above 0."
                raise ParameterError(msg)

    def _ordered(self) -> None:
        low, high = self.__dict__["min"].value, self.__dict__["max"].value
        if not low < high:
            msg = f"{type(self).__name__}: min is {low} and max {high}; expected min < max."
            raise ParameterError(msg)


class GaussianPrior(Prior):
    """Normal density of mean `mu` and standard deviation `sigma`.

    Examples
    --------
    >>> from geminga.modeling.models import GaussianPrior
    >>> round(float(GaussianPrior(mu=2, sigma=0.1)(2.1)), 6)
    -1.767293
    """

    tag: ClassVar[Any] = ["GaussianPrior"]
    mu = PriorParameter("mu", 0)
    sigma = PriorParameter("sigma", 1)

    def _check(self) -> None:
        self._positive("sigma")

    @property
    def _parabola(self) -> tuple[float, float, float] | None:
        if type(self).evaluate is not GaussianPrior.evaluate:
            return None
        mu, sigma, weight = self.mu.value, self.sigma.value, self.weight
        return mu, 2 * weight / sigma**2, weight * (2 * math.log(sigma) + _LOG_2PI)

    @staticmethod
    def evaluate(value: Any, mu: float, sigma: float) -> Any:
        """Minus twice the logarithm of the density."""
        return ((value - mu) / sigma) ** 2 + 2 * math.log(sigma) + _LOG_2PI

    def _derivative(self, value: NDArray[np.float64], **kwargs: float) -> Any:
        return 2 * (value - kwargs["mu"]) / kwargs["sigma"] ** 2

    def _curvature(self, value: NDArray[np.float64], **kwargs: float) -> Any:
        return np.full_like(value, 2 / kwargs["sigma"] ** 2)

    def inverse_cdf(self, probability: Any) -> Any:
        """Value below which the prior has this probability."""
        from scipy.special import ndtri

        return self.mu.value + self.sigma.value * ndtri(probability)


class GeneralizedGaussianPrior(Prior):
    """Generalised normal density: ``eta=0.5`` is normal of standard deviation `sigma`, smaller is flatter at the top."""

    tag: ClassVar[Any] = ["GeneralizedGaussianPrior"]
    mu = PriorParameter("mu", 0)
    sigma = PriorParameter("sigma", 1)
    eta = PriorParameter("eta", 0.5)

    def _check(self) -> None:
        self._positive("sigma", "eta")

    @staticmethod
    def evaluate(value: Any, mu: float, sigma: float, eta: float) -> Any:
        """Minus twice the logarithm of the density."""
        scale, beta = sigma * math.sqrt(2), 1 / eta
        norm = math.log(beta / (2 * scale)) - math.lgamma(1 / beta)
        return 2 * np.abs((value - mu) / scale) ** beta - 2 * norm

    def _derivative(self, value: NDArray[np.float64], **kwargs: float) -> Any:
        scale, beta = kwargs["sigma"] * math.sqrt(2), 1 / kwargs["eta"]
        x = (value - kwargs["mu"]) / scale
        distance = np.abs(x)
        slope = np.power(distance, beta - 1, out=np.zeros_like(distance), where=distance > 0)
        return 2 * beta * np.sign(x) * slope / scale

    def _curvature(self, value: NDArray[np.float64], **kwargs: float) -> Any:
        scale, beta = kwargs["sigma"] * math.sqrt(2), 1 / kwargs["eta"]
        # Below beta = 2 it is infinite at the mean: as large as it is a thousandth of sigma away.
        distance = np.maximum(np.abs((value - kwargs["mu"]) / scale), 1e-3 if beta < 2 else 0.0)
        return 2 * beta * (beta - 1) * distance ** (beta - 2) / scale**2

    def inverse_cdf(self, probability: Any) -> Any:
        """Value below which the prior has this probability."""
        from scipy.stats import gennorm

        return gennorm.ppf(probability, 1 / self.eta.value, loc=self.mu.value, scale=self.sigma.value * math.sqrt(2))


class UniformPrior(Prior):
    """Constant density between `min` and `max`, which also bound the parameter."""

    tag: ClassVar[Any] = ["UniformPrior"]
    min = PriorParameter("min", 0)
    max = PriorParameter("max", 1)

    def _check(self) -> None:
        self._ordered()

    @property
    def support(self) -> tuple[float, float]:
        """The range."""
        return self.min.value, self.max.value

    @staticmethod
    def evaluate(value: Any, min: float, max: float) -> Any:
        """Minus twice the logarithm of the density."""
        return np.where((value >= min) & (value <= max), 2 * math.log(max - min), np.inf)[()]

    def _derivative(self, value: NDArray[np.float64], **kwargs: float) -> Any:
        return np.zeros_like(value)

    _curvature = _derivative

    def inverse_cdf(self, probability: Any) -> Any:
        """Value below which the prior has this probability."""
        low, high = self.support
        return low + (high - low) * probability


class LogUniformPrior(Prior):
    """Density constant in the logarithm between `min` and `max`, which also bound the parameter."""

    tag: ClassVar[Any] = ["LogUniformPrior"]
    min = PriorParameter("min", 1e-14)
    max = PriorParameter("max", 1e-10)

    def _check(self) -> None:
        self._positive("min")
        self._ordered()

    @property
    def support(self) -> tuple[float, float]:
        """The range."""
        return self.min.value, self.max.value

    @staticmethod
    def evaluate(value: Any, min: float, max: float) -> Any:
        """Minus twice the logarithm of the density."""
        value = np.asarray(value, dtype=float)
        inside = (value >= min) & (value <= max)
        logarithm = np.log(np.where(inside, value, 1.0))
        return np.where(inside, 2 * (logarithm + math.log(math.log(max / min))), np.inf)[()]

    def _derivative(self, value: NDArray[np.float64], **kwargs: float) -> Any:
        inside = (value >= kwargs["min"]) & (value <= kwargs["max"])
        return np.divide(2.0, value, out=np.zeros_like(value), where=inside)

    def _curvature(self, value: NDArray[np.float64], **kwargs: float) -> Any:
        slope = self._derivative(value, **kwargs)
        return -0.5 * slope**2

    def inverse_cdf(self, probability: Any) -> Any:
        """Value below which the prior has this probability."""
        low, high = self.support
        return low * (high / low) ** np.asarray(probability)


class LogNormalPrior(Prior):
    """Normal density in the logarithm of the value: median `mu`, standard deviation of the logarithm `sigma`."""

    tag: ClassVar[Any] = ["LogNormalPrior"]
    mu = PriorParameter("mu", 1)
    sigma = PriorParameter("sigma", 1)

    def _check(self) -> None:
        self._positive("mu", "sigma")

    @staticmethod
    def evaluate(value: Any, mu: float, sigma: float) -> Any:
        """Minus twice the logarithm of the density; infinite at and below 0."""
        value = np.asarray(value, dtype=float)
        inside = value > 0
        logarithm = np.log(np.where(inside, value, 1.0))
        result = ((logarithm - math.log(mu)) / sigma) ** 2 + 2 * (logarithm + math.log(sigma)) + _LOG_2PI
        return np.where(inside, result, np.inf)[()]

    def _derivative(self, value: NDArray[np.float64], **kwargs: float) -> Any:
        inside = value > 0
        safe = np.where(inside, value, 1.0)
        return np.where(inside, 2 / safe * (1 + np.log(safe / kwargs["mu"]) / kwargs["sigma"] ** 2), 0.0)[()]

    def _curvature(self, value: NDArray[np.float64], **kwargs: float) -> Any:
        inside = value > 0
        safe = np.where(inside, value, 1.0)
        variance = kwargs["sigma"] ** 2
        return np.where(inside, 2 / safe**2 * ((1 - np.log(safe / kwargs["mu"])) / variance - 1), 0.0)[()]

    def inverse_cdf(self, probability: Any) -> Any:
        """Value below which the prior has this probability."""
        from scipy.special import ndtri

        return self.mu.value * np.exp(self.sigma.value * ndtri(probability))
