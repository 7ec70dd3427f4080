"""The covariance that a fit leaves with the models: made into a matrix only where one is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from geminga.modeling.covariance import Covariance
from geminga.modeling.fit.diagnosis import FreeCovariance
from geminga.modeling.parameter import Parameter
from geminga.modeling.parameters import Parameters

__all__ = ["FitCovariance"]

Array = NDArray[np.float64]


class FitCovariance(Covariance):
    """Covariance of all parameters of the models, from that of the free ones; the others have zeros.

    Parts of it, which is all that a single model needs, cost only as much as they are large.

    Parameters
    ----------
    parameters : Parameters
        Parameters of the models; a linked one has its numbers at its first place.
    free : list of Parameter
        Parameters of the fit.
    covariance : FreeCovariance or None
        Their covariance; None if there is none.
    """

    def __init__(self, parameters: Parameters, free: Sequence[Parameter], covariance: FreeCovariance | None) -> None:
        self.parameters = parameters
        self._rows = {parameter: row for row, parameter in enumerate(free)}
        self._covariance = covariance

    @cached_property
    def _data(self) -> Array:
        return self._of(self.parameters)

    def _of(self, parameters: Iterable[Parameter]) -> Array:
        places: dict[Parameter, int] = {}
        for position, parameter in enumerate(parameters):
            if parameter in self._rows:
                places.setdefault(parameter, position)
        size = len(self.parameters) if parameters is self.parameters else len(list(parameters))
        out = np.zeros((size, size))
        if self._covariance is not None and places:
            at = np.array(list(places.values()), dtype=np.intp)
            rows = np.array([self._rows[parameter] for parameter in places], dtype=np.intp)
            out[at[:, None], at] = self._covariance.block(rows)
        return out

    def get_subcovariance(self, parameters: Iterable[Parameter]) -> Covariance:
        """Part which belongs to some of the parameters.

        Raises
        ------
        NameLookupError
            If one is not among its parameters.
        """
        parameters = parameters if isinstance(parameters, Parameters) else Parameters(parameters)
        for parameter in parameters:
            if parameter not in self._known:
                self.parameters.index(parameter)
        return Covariance(parameters, self._of(parameters))

    @cached_property
    def _known(self) -> set[Parameter]:
        return set(self.parameters)
