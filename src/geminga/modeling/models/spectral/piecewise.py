"""Norms at nodes in energy, interpolated between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from astropy import units as u

from geminga.errors import DataError
from geminga.modeling.models.coordinates import as_energy
from geminga.modeling.models.node_norms import node_scale, norm_entries, norm_parameters, read_norms
from geminga.modeling.models.spectral.base import Array, Formula, SpectralModel
from geminga.modeling.models.spectral.template import read_column
from geminga.modeling.parameter import Parameter
from geminga.modeling.parameters import Parameters
from geminga.numerics.spectra_table import node_weights, piecewise_norm

__all__ = ["PiecewiseNormSpectralModel"]


class PiecewiseNormSpectralModel(SpectralModel):
    """Factor given at nodes in energy.

    Between nodes the norms are interpolated on the scale `interp`, in energy as well; beyond the ends they are constant.

    Parameters
    ----------
    energy : Quantity
        Energies of the nodes, increasing.
    norms : list of `Parameter` or float, optional
        Norms, default 1.
    interp : {"log", "lin", "sqrt"}
        Scale of the interpolation.
    """

    tag = ["PiecewiseNormSpectralModel", "piecewise-norm"]
    _dict_keys = frozenset({"type", "parameters", "energy", "interp"})

    def __init__(self, energy: Any, norms: Any = None, interp: str = "log") -> None:
        self._energy = np.atleast_1d(as_energy(energy, "PiecewiseNormSpectralModel: energy"))
        self._interp = interp
        self._forward = node_scale(interp, "PiecewiseNormSpectralModel")
        if self._energy.ndim != 1 or not np.all(np.diff(self._energy.value) > 0) or len(self._energy) < 2:  # type: ignore[attr-defined]
            msg = f"PiecewiseNormSpectralModel: energy is {self._energy}; expected at least 2 increasing energies."
            raise DataError(msg)
        parameters = norm_parameters(norms, len(self._energy), "PiecewiseNormSpectralModel")
        self.default_parameters = Parameters(par.copy() for par in parameters)
        super().__init__(**{par.name: par for par in parameters})

    @property
    def energy(self) -> u.Quantity:
        """Energies of the nodes."""
        return self._energy

    @property
    def norms(self) -> Any:
        """Norms at the nodes."""
        return u.Quantity(self.parameters.value)

    def _scaled_energy(self, energy: Array) -> Array:
        return np.asarray(self._forward(energy))

    def __call__(self, energy: Any) -> u.Quantity:
        """Evaluate the model at `energy`."""
        return self.evaluate(as_energy(energy), *self.parameters.value)

    def evaluate(self, energy: Any, *norms: Any, **named: Any) -> u.Quantity:
        """Evaluate for given norms."""
        energy = as_energy(energy).to_value("TeV")
        values = np.array([u.Quantity(v).to_value("") for v in (norms or tuple(named.values()))], dtype=float)
        weights = node_weights(self._scaled_energy(np.ravel(energy)), self._scaled_energy(self._energy.to_value("TeV")))  # type: ignore[attr-defined]
        value, _ = piecewise_norm(weights, self._forward, values)
        return u.Quantity(value.reshape(np.shape(energy)), "")

    def _dnde_formula(self, x: Array) -> Formula:
        weights = node_weights(self._scaled_energy(np.exp(x)), self._scaled_energy(self._energy.to_value("TeV")))  # type: ignore[attr-defined]
        forward = self._forward
        return lambda *norms: piecewise_norm(weights, forward, np.array(norms))

    def _break_energies(self, values: Array) -> Sequence[float]:
        return tuple(self._energy.to_value("TeV").tolist())  # type: ignore[attr-defined]

    def to_dict(self, full_output: bool = False) -> dict[str, Any]:
        """Plain dictionary, as it stands in model files."""
        return {
            "spectral": {
                "type": self.tag[0],
                "parameters": norm_entries(self.parameters, full_output),
                "energy": {"data": self._energy.value.tolist(), "unit": str(self._energy.unit)},  # type: ignore[attr-defined]
                "interp": self._interp,
            }
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], **kwargs: Any) -> Self:
        """Make a model from a dictionary as `to_dict` gives it."""
        entry = cls._entry(data, kwargs)
        energy = read_column(entry, "energy", cls.__name__)
        norms = read_norms(entry, np.size(energy), cls.__name__)
        return cls(energy=energy, norms=norms, interp=entry.get("interp", "log"))

    @classmethod
    def from_parameters(cls, parameters: Iterable[Parameter], **kwargs: Any) -> Self:
        """Make a model which holds these parameters; `energy` is needed."""
        return cls(norms=list(parameters), **kwargs)
