"""Penalties: terms of a fit statistic which tie several parameters together.

A prior knows one parameter; a penalty knows how some belong together: fluxes of neighbouring energies which should not jump, or
parameters whose common measurement has a covariance. Models carry them (`Models.set_penalties`), fits add them to the statistic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from geminga.errors import InputError, NameLookupError

__all__ = ["FitStatisticPenalty", "GaussianPriorPenalty"]

Array = NDArray[np.float64]


class FitStatisticPenalty:
    """Base class of penalties.

    A penalty of one's own gives ``evaluate(values)``, the term of the statistic at the values of its parameters. Its derivatives
    are taken from differences, unless it gives `derivatives` as well.

    Parameters
    ----------
    parameters : Parameters or list of Parameter
        Parameters it is about; values in their own units.

    Examples
    --------
    Two indices that must not differ much:

    >>> from geminga.modeling import Parameter
    >>> from geminga.stats import FitStatisticPenalty
    >>> class SameIndex(FitStatisticPenalty):
    ...     def evaluate(self, values):
    ...         return ((values[..., 0] - values[..., 1]) / 0.1) ** 2
    >>> penalty = SameIndex([Parameter("a", 2.0), Parameter("b", 2.3)])
    >>> round(penalty.stat_sum(), 6)
    9.0
    """

    def __init__(self, parameters: Any) -> None:
        self._parameters = parameters
        if not len(parameters):
            msg = f"{type(self).__name__} got no parameters; expected at least one."
            raise InputError(msg)

    @property
    def parameters(self) -> Any:
        """Parameters it is about, as they were given."""
        return self._parameters

    def evaluate(self, values: Array) -> Any:
        """Term of the statistic at parameter values, shape (..., n) to (...)."""
        msg = f"{type(self).__name__} does not say what it adds to the statistic; give it a method evaluate(values)."
        raise NotImplementedError(msg)

    def derivatives(self, values: Array) -> tuple[float, Array, Array]:
        """Term, its gradient (n,) and second derivatives (n, n), at values of shape (n,)."""
        n = len(values)
        step = 1e-4 * np.where(values != 0, np.abs(values), 1.0)
        moved = np.diag(step)

        def at(*shifts: Array) -> Any:
            return float(self.evaluate(values + sum(shifts)))

        gradient = np.array([(at(d) - at(-d)) / (2 * s) for d, s in zip(moved, step, strict=True)])
        second = np.empty((n, n))
        for i in range(n):
            for j in range(i + 1):
                a, b = moved[i], moved[j]
                rise = at(a, b) - at(a, -b) - at(-a, b) + at(-a, -b)
                second[i, j] = second[j, i] = rise / (4 * step[i] * step[j])
        return at(), gradient, second

    def stat_sum(self) -> float:
        """Term of the statistic at the present values."""
        return float(self.evaluate(np.array([p.value for p in self.parameters], dtype=float)))


class GaussianPriorPenalty(FitStatisticPenalty):
    """Normal prior of several parameters: lambda (x - mean)^T covariance^-1 (x - mean).

    Parameters
    ----------
    parameters : Parameters or list of Parameter
        The n parameters x; values in their own units.
    mean : array or float, optional
        Mean, shape (n,); 0 if not given.
    covariance : array, optional
        Covariance, shape (n, n); the unit matrix if not given.
    lambda_ : float
        Strength.

    Raises
    ------
    InputError
        If shapes do not fit, or the covariance is not symmetric and positive.

    Examples
    --------
    >>> from geminga.modeling import Parameter
    >>> from geminga.stats import GaussianPriorPenalty
    >>> parameters = [Parameter("a", 1.0), Parameter("b", 3.0)]
    >>> GaussianPriorPenalty(parameters, mean=[1, 1], covariance=[[1, 0], [0, 4]]).stat_sum()
    1.0
    """

    def __init__(self, parameters: Any, mean: Any = None, covariance: Any = None, lambda_: float = 1.0) -> None:
        super().__init__(parameters)
        n = len(parameters)
        self.mean = _vector(0.0 if mean is None else mean, n, "mean")
        self.lambda_ = lambda_
        self.covariance = np.eye(n) if covariance is None else covariance

    @property
    def covariance(self) -> Array:
        """Covariance of the prior, shape (n, n).

        Raises
        ------
        InputError
            If the penalty was made from a precision which says nothing about some combination of the parameters.
        """
        try:
            return np.asarray(np.linalg.inv(self._precision), dtype=float)
        except np.linalg.LinAlgError as error:
            msg = "GaussianPriorPenalty has no covariance, because its precision is singular: it leaves a direction free."
            raise InputError(msg) from error

    @covariance.setter
    def covariance(self, covariance: Any) -> None:
        matrix = _symmetric(covariance, len(self.parameters), "covariance")
        least = np.linalg.eigvalsh(matrix)[0]
        if not least > 0:
            msg = f"GaussianPriorPenalty: the covariance has the eigenvalue {least:.3g}; expected all above 0."
            raise InputError(msg)
        self._precision: Array = np.asarray(np.linalg.inv(matrix), dtype=float)

    @property
    def precision(self) -> Array:
        """Inverse of the covariance, shape (n, n)."""
        return self._precision

    @classmethod
    def from_precision(cls, parameters: Any, precision: Any, mean: Any = None, lambda_: float = 1.0) -> Self:
        """From the inverse of the covariance, which may leave directions free (eigenvalues of zero).

        Raises
        ------
        InputError
            If its shape does not fit, or an eigenvalue is negative.
        """
        matrix = _symmetric(precision, len(parameters), "precision")
        eigen = np.linalg.eigvalsh(matrix)
        if eigen[0] < -1e-12 * max(abs(eigen[-1]), 1e-300):
            msg = f"GaussianPriorPenalty: the precision has the eigenvalue {eigen[0]:.3g}; expected none below 0."
            raise InputError(msg)
        new = cls(parameters, mean=mean, lambda_=lambda_)
        new._precision = matrix
        return new

    @classmethod
    def from_diagonal(cls, parameters: Any, sigma: Any, mean: Any = None, lambda_: float = 1.0) -> Self:
        """From a standard deviation for each parameter, or one for all."""
        return cls(parameters, mean=mean, covariance=np.diag(_vector(sigma, len(parameters), "sigma") ** 2), lambda_=lambda_)

    @classmethod
    def L2_penalty(cls, parameters: Any, mean: Any = None, lambda_: float = 1.0) -> Self:  # noqa: N802
        """Sum of the squares of the distances from the mean."""
        return cls(parameters, mean=mean, lambda_=lambda_)

    @classmethod
    def SmoothnessPenalty(cls, parameters: Any, mean: Any = None, lambda_: float = 1.0) -> Self:  # noqa: N802
        """Sum of the squared steps between neighbours, the first and last of which step to the mean."""
        n = len(parameters)
        precision = 2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
        return cls.from_precision(parameters, precision, mean=mean, lambda_=lambda_)

    @classmethod
    def from_method(cls, parameters: Any, method: str, **method_kwargs: Any) -> Self:
        """By name of the method.

        Parameters
        ----------
        parameters : Parameters
            Parameters.
        method : {"L2", "smoothness", "diagonal", "precision"}
            Method.
        **method_kwargs
            Its arguments.

        Raises
        ------
        NameLookupError
            If there is none of that name.
        """
        methods: dict[str, Callable[..., Self]] = {
            "L2": cls.L2_penalty,
            "smoothness": cls.SmoothnessPenalty,
            "diagonal": cls.from_diagonal,
            "precision": cls.from_precision,
        }
        if method not in methods:
            msg = f"GaussianPriorPenalty method {method!r} is not known; choose one of {', '.join(methods)}."
            raise NameLookupError(msg)
        return methods[method](parameters, **method_kwargs)

    def evaluate(self, values: Array) -> Any:
        """Term of the statistic at parameter values, shape (..., n) to (...)."""
        shift = np.asarray(values, dtype=float) - self.mean
        return self.lambda_ * np.einsum("...i,ij,...j->...", shift, self._precision, shift)

    def derivatives(self, values: Array) -> tuple[float, Array, Array]:
        """Term, its gradient (n,) and second derivatives (n, n), at values of shape (n,)."""
        second = 2 * self.lambda_ * self._precision
        gradient = second @ (values - self.mean)
        return 0.5 * float(gradient @ (values - self.mean)), gradient, second


def _vector(value: Any, n: int, name: str) -> Array:
    """An array of n numbers from one or n of them."""
    array = np.asarray(value, dtype=float)
    if array.shape not in {(), (n,)} or not np.isfinite(array).all():
        msg = f"GaussianPriorPenalty got {name}={value!r} for {n} parameters; expected one finite number, or {n}."
        raise InputError(msg)
    return np.array(np.broadcast_to(array, (n,)))


def _symmetric(value: Any, n: int, name: str) -> Array:
    """A symmetric matrix of shape (n, n)."""
    matrix = np.asarray(value, dtype=float)
    if matrix.shape != (n, n) or not np.isfinite(matrix).all():
        msg = f"GaussianPriorPenalty got a {name} of shape {matrix.shape} for {n} parameters; expected finite numbers, {(n, n)}."
        raise InputError(msg)
    if not np.allclose(matrix, matrix.T, rtol=1e-8, atol=1e-12 * float(np.abs(matrix).max())):
        msg = f"GaussianPriorPenalty: the {name} is not symmetric; give a symmetric matrix."
        raise InputError(msg)
    return 0.5 * (matrix + matrix.T)
