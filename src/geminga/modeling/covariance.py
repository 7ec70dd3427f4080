"""The covariance of parameters, and how models keep theirs.

Errors live on the parameters; a model keeps blocks of covariance as they were set, by a fit or by the user. What
``model.covariance`` shows is put together when asked for: the correlations of the blocks, for those parameters which the
model now holds, times the errors of now. So copying, linking, adding and removing models lose nothing and nothing goes stale.
"""

from __future__ import annotations

import html
import logging
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import DataError
from geminga.modeling.parameter import Parameter
from geminga.modeling.parameters import Parameters

__all__ = ["Covariance", "CovarianceMixin", "translated"]

log = logging.getLogger(__name__)

FloatArray = NDArray[np.float64]


class Covariance:
    """Covariance matrix of parameters.

    Parameters
    ----------
    parameters : `Parameters`
        Parameters, in the order of rows and columns.
    data : array, optional
        Matrix, shape (n, n), in products of the units of the parameters; zero if not given.

    Raises
    ------
    DataError
        If the shape does not fit.

    Examples
    --------
    >>> from geminga.modeling import Covariance, Parameter, Parameters
    >>> covariance = Covariance(Parameters([Parameter("a", 1), Parameter("b", 2)]), data=[[4, 1], [1, 1]])
    >>> covariance.correlation
    array([[1. , 0.5],
           [0.5, 1. ]])
    """

    def __init__(self, parameters: Iterable[Parameter], data: Any = None) -> None:
        self.parameters = parameters if isinstance(parameters, Parameters) else Parameters(parameters)
        self.data = np.zeros(self.shape) if data is None else data

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the matrix."""
        return len(self.parameters), len(self.parameters)

    @property
    def data(self) -> FloatArray:
        """Matrix; on setting, the shape is checked."""
        return self._data

    @data.setter
    def data(self, value: Any) -> None:
        value = np.array(value, dtype=float)
        if value.shape != self.shape:
            msg = (
                f"Invalid covariance shape: {value.shape}, expected {self.shape}: one row for each of the parameters "
                f"{', '.join(self.parameters.names)}."
            )
            raise DataError(msg)
        if not _is_symmetric(value):
            log.warning("Covariance of %s is not symmetric or not finite.", ", ".join(self.parameters.names))
        self._data = value

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> FloatArray:
        return np.array(self._data, dtype=dtype, copy=True if copy is None else copy)

    @classmethod
    def from_factor_matrix(cls, parameters: Parameters, matrix: Any) -> Covariance:
        """Make it from a matrix in the factors of the free, unique parameters.

        Rows of frozen parameters, and of a linked one after its first place, are zero.
        """
        first: dict[Parameter, int] = {}
        for position, parameter in enumerate(parameters):
            if not parameter.frozen:
                first.setdefault(parameter, position)
        matrix = np.asarray(matrix, dtype=float)
        if matrix.shape != (len(first), len(first)):
            names = ", ".join(parameter.name for parameter in first)
            msg = f"Factor matrix has shape {matrix.shape}; expected {(len(first),) * 2} for the free parameters {names}."
            raise DataError(msg)
        scale = np.array([_derivative(parameter) for parameter in first])
        data = np.zeros((len(parameters), len(parameters)))
        positions = list(first.values())
        data[np.ix_(positions, positions)] = matrix * np.outer(scale, scale)
        return cls(parameters, data)

    @classmethod
    def from_stack(cls, covar_list: Sequence[Covariance]) -> Covariance:
        """Join several as blocks on the diagonal."""
        new = cls(Parameters.from_stack(covariance.parameters for covariance in covar_list))
        start = 0
        for covariance in covar_list:
            stop = start + len(covariance.parameters)
            new._data[start:stop, start:stop] = covariance._data
            start = stop
        return new

    def get_subcovariance(self, parameters: Iterable[Parameter]) -> Covariance:
        """Part which belongs to some of the parameters.

        Raises
        ------
        NameLookupError
            If one is not among its parameters.
        """
        parameters = parameters if isinstance(parameters, Parameters) else Parameters(parameters)
        places = _places(self.parameters)
        positions = [places[p] if p in places else self.parameters.index(p) for p in parameters]
        return type(self)(parameters, self._data[np.ix_(positions, positions)])

    def set_subcovariance(self, covar: Covariance) -> None:
        """Replace the part which belongs to the parameters of another one.

        Raises
        ------
        NameLookupError
            If one of them is not among its parameters.
        """
        places = _places(self.parameters)
        positions = [places[p] if p in places else self.parameters.index(p) for p in covar.parameters]
        self._data[np.ix_(positions, positions)] = covar._data

    @property
    def correlation(self) -> FloatArray:
        """Correlation matrix; 1 on the diagonal, 0 where a variance is 0."""
        correlation = _correlation(self._data)
        np.fill_diagonal(correlation, 1.0)
        return correlation

    @property
    def scipy_mvn(self) -> Any:
        """Multivariate normal distribution of scipy around the present values."""
        from scipy.stats import multivariate_normal

        return multivariate_normal(self.parameters.value, self._data, allow_singular=True)

    def plot_correlation(self, figsize: tuple[float, float] | None = None, **kwargs: Any) -> Any:
        """Plot the correlation matrix (see `geminga.modeling.plot.plot_correlation`)."""
        from geminga.modeling.plot import plot_correlation

        return plot_correlation(self, figsize=figsize, **kwargs)

    def __str__(self) -> str:
        return str(self._data)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def _is_symmetric(data: FloatArray) -> bool:
    """Whether all is finite and symmetric, but for the rounding of correlations which are next to nothing."""
    error = np.sqrt(np.abs(np.diag(data)))
    tolerance = np.maximum(1e-6 * np.abs(data), 1e-9 * np.outer(error, error))
    return bool(np.isfinite(data).all() and (np.abs(data - data.T) <= tolerance).all())


def _places(parameters: Iterable[Parameter]) -> dict[Parameter, int]:
    """First position of each parameter."""
    places: dict[Parameter, int] = {}
    for position, parameter in enumerate(parameters):
        places.setdefault(parameter, position)
    return places


def _derivative(parameter: Parameter) -> float:
    """Derivative of the value by the factor."""
    factor = parameter.factor
    return {
        "lin": parameter.scale,
        "sqrt": 2 * factor * parameter.scale**2,
        "log": parameter.value * parameter.scale,
    }[parameter.scale_transform]


def _correlation(data: FloatArray) -> FloatArray:
    """Correlation of a covariance, zero where a variance is not positive."""
    error = np.sqrt(np.clip(np.nan_to_num(np.diag(data)), 0.0, None))
    inverse = np.divide(1.0, error, out=np.zeros_like(error), where=error > 0)
    return np.asarray(np.nan_to_num(data) * np.outer(inverse, inverse))


class CovarianceMixin:
    """What models and their containers share: `covariance`, put together from blocks."""

    _blocks: tuple[Covariance, ...] = ()

    @property
    def parameters(self) -> Parameters:
        """All parameters."""
        raise NotImplementedError

    def _members(self) -> Iterable[CovarianceMixin]:
        """Models this one is made of, which keep their own blocks."""
        return ()

    def _all_blocks(self) -> list[Covariance]:
        """Blocks from the outermost to the innermost; later ones win."""
        blocks = list(self._blocks)
        for member in self._members():
            blocks += member._all_blocks()
        return blocks

    @property
    def covariance(self) -> Covariance:
        """Covariance of all parameters.

        The diagonal is the square of the errors of the parameters. Setting it, from a `Covariance` or a matrix, sets the errors.

        Raises
        ------
        DataError
            On setting a matrix of the wrong shape.
        """
        parameters = self.parameters
        errors = np.nan_to_num(np.array([parameter.error for parameter in parameters], dtype=float))
        correlation = _join(parameters, self._all_blocks())
        return Covariance(parameters, correlation * np.outer(errors, errors))

    @covariance.setter
    def covariance(self, covariance: Any) -> None:
        parameters = self.parameters
        data = covariance.data if isinstance(covariance, Covariance) else covariance
        new = Covariance(parameters, data)
        variances = np.diag(new.data)
        if (variances < 0).any():
            names = [name for name, variance in zip(parameters.names, variances, strict=True) if variance < 0]
            msg = f"Covariance has negative variances for {', '.join(names)}; expected a positive semi-definite matrix."
            raise DataError(msg)
        for parameter, position in _places(parameters).items():
            parameter.error = float(np.sqrt(variances[position]))
        self._keep(new)

    def _keep(self, covariance: Covariance) -> None:
        """Keep a block and hand its parts down to the members."""
        self._blocks = (covariance,)
        for member in self._members():
            member._keep(covariance.get_subcovariance(member.parameters))

    def sample_parameters_from_covariance(
        self, n_samples: int = 1000, random_state: Any = 42, free_only: bool = True
    ) -> FloatArray:
        """Draw parameter values from the multivariate normal distribution of value and covariance.

        Parameters
        ----------
        n_samples : int
            Number of samples.
        random_state : int, "random-seed", "global-rng", RandomState or Generator
            Seed or generator.
        free_only : bool
            Only free parameters.

        Returns
        -------
        samples : array
            Shape (n_samples, number of parameters), each in its own unit.
        """
        from geminga.utils.random import get_random_state

        covariance = self.covariance
        if free_only:
            covariance = covariance.get_subcovariance(self.parameters.free_parameters)
        size = (n_samples, len(covariance.parameters))
        if size[1] == 0:
            return np.zeros(size)
        draws = covariance.scipy_mvn.rvs(n_samples, random_state=get_random_state(random_state))
        return np.asarray(draws, dtype=float).reshape(size)


def _join(parameters: Parameters, blocks: Iterable[Covariance]) -> FloatArray:
    """Correlation of `parameters` from blocks, 1 on the diagonal."""
    places = _places(parameters)
    unique = list(places)
    rows = {parameter: row for row, parameter in enumerate(unique)}
    matrix = np.eye(len(unique))
    for block in blocks:
        own = {parameter: place for parameter, place in _places(block.parameters).items() if parameter in rows}
        if len(own) < 2:
            continue
        source = list(own.values())
        target = [rows[parameter] for parameter in own]
        matrix[np.ix_(target, target)] = _correlation(block.data[np.ix_(source, source)])
    np.fill_diagonal(matrix, 1.0)
    positions = [rows[parameter] for parameter in parameters]
    return matrix[np.ix_(positions, positions)]


def translated(blocks: Iterable[Covariance], substitutes: dict[Parameter, Parameter]) -> tuple[Covariance, ...]:
    """The same blocks for other parameters; those without substitute are left out."""
    new = []
    for block in blocks:
        places = {parameter: place for parameter, place in _places(block.parameters).items() if parameter in substitutes}
        if len(places) > 1:
            positions = list(places.values())
            new.append(Covariance([substitutes[p] for p in places], block.data[np.ix_(positions, positions)]))
    return tuple(new)
