"""What models of counts share: a dimensionless norm, a function of energy and perhaps of position."""

from __future__ import annotations

from typing import Any

from astropy import units as u

from geminga.errors import InputError
from geminga.modeling import registry
from geminga.modeling.models.named import NamedModel, as_component

__all__ = ["NormModel", "energy_center"]


def _norm_spectrum(model: Any, owner: str) -> Any:
    """A dimensionless spectral model; a power law of norm 1 if none is given."""
    if model is None:
        return registry.SPECTRAL_MODEL_REGISTRY.get_cls("pl-norm")()
    as_component(model, "spectral", owner, optional=False)
    if not model.is_norm_spectral_model:
        msg = f"{owner}: spectral_model got a {type(model).__name__}; a norm spectral model is required, such as "
        msg += "PowerLawNormSpectralModel."
        raise InputError(msg)
    return model


class NormModel(NamedModel):
    """Base of the models of counts; freezing acts on the spectrum unless said otherwise."""

    _kinds = ("spectral", "spatial")

    def freeze(self, model_type: Any = "spectral") -> None:
        """Freeze parameters.

        Parameters
        ----------
        model_type : {"spectral", "spatial", None}
            Which component, all if None.
        """
        super().freeze(model_type)

    def unfreeze(self, model_type: Any = "spectral") -> None:
        """Free those parameters which are free by default; arguments as of `freeze`."""
        super().unfreeze(model_type)

    @property
    def spectral_model(self) -> Any:
        """Norm as a function of energy."""
        return self._spectral_model

    @spectral_model.setter
    def spectral_model(self, model: Any) -> None:
        self._spectral_model = _norm_spectrum(model, type(self).__name__)

    @property
    def spatial_model(self) -> Any:
        """Norm as a function of position, or None."""
        return self._spatial_model

    @spatial_model.setter
    def spatial_model(self, model: Any) -> None:
        self._spatial_model = as_component(model, "spatial", type(self).__name__)

    def _reset_spectrum(self) -> None:
        """Set the spectral parameters to their default values."""
        spectrum = self.spectral_model
        for parameter, default in zip(spectrum.parameters, spectrum.default_parameters, strict=True):
            parameter.unit = default.unit
            parameter.value = default.value


def energy_center(geom: Any) -> u.Quantity:
    """Centres of the axis "energy", of a shape which broadcasts to that of the geometry."""
    shape = [1] * len(geom.data_shape)
    shape[geom.axes.index_data("energy")] = -1
    return geom.axes["energy"].center.reshape(shape)
