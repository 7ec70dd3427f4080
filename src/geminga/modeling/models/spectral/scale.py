"""A spectrum times a norm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from astropy import units as u
from numpy.typing import ArrayLike

from geminga.errors import FormatError, InputError
from geminga.modeling.models.base import build_parameters
from geminga.modeling.models.create import Model
from geminga.modeling.models.derivative import Evaluator, Result, current_values
from geminga.modeling.models.spectral.base import Array, SpectralModel
from geminga.modeling.parameter import Parameter

__all__ = ["ScaleSpectralModel"]


class ScaleSpectralModel(SpectralModel):
    """A fixed spectrum times a free norm.

    Parameters
    ----------
    model : `SpectralModel`
        The spectrum, taken as it is: its parameters are not those of this model.
    norm : float
        Norm, default 1.
    """

    tag = ["ScaleSpectralModel", "scale"]
    _dict_keys = frozenset({"type", "parameters", "model"})
    norm = Parameter("norm", 1.0, unit="", interp="log")

    def __init__(self, model: SpectralModel, norm: Any = 1.0 * u.dimensionless_unscaled) -> None:
        if not isinstance(model, SpectralModel):
            msg = f"ScaleSpectralModel got {model!r}; expected a SpectralModel."
            raise InputError(msg)
        self.model = model
        super().__init__(norm=norm)

    def evaluate(self, energy: Any, norm: Any) -> Any:
        """Evaluate for a norm."""
        return norm * self.model(energy)

    def _scaled(self, evaluator: Evaluator) -> Evaluator:
        shape, _ = evaluator(current_values(self.model.parameters))

        def evaluate(values: ArrayLike) -> Result:
            return float(np.asarray(values, dtype=float)[0]) * shape, shape[None].copy()

        return evaluate

    def dnde_evaluator(self, energy: ArrayLike) -> Evaluator:
        """Prepare the evaluation at fixed energies in TeV; see `SpectralModel.dnde_evaluator`."""
        return self._scaled(self.model.dnde_evaluator(energy))

    def _integral_evaluator(self, low: Array, high: Array, power: int = 0) -> Evaluator:
        return self._scaled(self.model._integral_evaluator(low, high, power))

    def _break_energies(self, values: Array) -> Sequence[float]:
        return self.model._break_energies(current_values(self.model.parameters))

    def to_dict(self, full_output: bool = False) -> dict[str, Any]:
        """Plain dictionary, with the spectrum under the key "model"."""
        data = super().to_dict(full_output)
        data["spectral"]["model"] = self.model.to_dict(full_output)["spectral"]
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], **kwargs: Any) -> Self:
        """Make a model from a dictionary as `to_dict` gives it.

        Raises
        ------
        FormatError
            If the spectrum is missing.
        """
        entry = cls._entry(data, kwargs)
        if "model" not in entry:
            msg = "ScaleSpectralModel: the entry has no 'model'; expected the spectrum which is scaled."
            raise FormatError(msg)
        parameters = build_parameters(entry.get("parameters") or [], cls.default_parameters, cls.__name__)
        return cls(Model.from_dict({"spectral": entry["model"]}), norm=parameters["norm"])
