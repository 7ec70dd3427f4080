"""Parameters of a list of models as a table, and limits for many of them at once."""

from __future__ import annotations

from typing import Any

from geminga.errors import NameLookupError

__all__ = ["set_parameters_bounds", "to_parameters_table", "update_parameters_from_table"]

# The unit first: the numbers are in it.
_COLUMNS = {"unit": str, "value": float, "error": float, "min": float, "max": float, "frozen": bool}


def set_parameters_bounds(
    self: Any,
    tag: str,
    model_type: str,
    parameters_names: Any = None,
    min: float | None = None,
    max: float | None = None,
    value: float | None = None,
) -> None:
    """Set bounds and value of parameters of all components of a kind.

    Parameters
    ----------
    tag : str
        Tag of the component, such as "pl".
    model_type : {"spectral", "spatial", "temporal"}
        Kind of component.
    parameters_names : str or list of str, optional
        Parameters, all if not given.
    min, max, value : float, optional
        What to set, in the unit of the parameter.
    """
    for model in self.select(tag=tag, model_type=model_type):
        component = getattr(model, f"{model_type}_model")
        for parameter in component.parameters.select(name=parameters_names):
            parameter.set_lim(min, max)
            if value is not None:
                parameter.value = value


def to_parameters_table(self: Any) -> Any:
    """Table of all parameters with the name of the model (see `Parameters.to_table`)."""
    table = self.parameters.to_table()
    table.add_column([model.name for model in self._models for _ in model.parameters], name="model", index=0)
    return table


def update_parameters_from_table(self: Any, t: Any) -> None:
    """Take over value, unit, error, bounds and frozen from a table as `to_parameters_table` gives it.

    Raises
    ------
    NameLookupError
        If models or parameters are not the same, in the same order.
    """
    models = [model.name for model in self._models for _ in model.parameters]
    expected = list(zip(models, self.parameters.names, strict=True))
    found = [(str(row["model"]), str(row["name"])) for row in t]
    if found != expected:
        msg = f"The table holds {len(found)} parameters and differs from the {len(expected)} of models {', '.join(self.names)}."
        raise NameLookupError(msg)
    for parameter, row in zip(self.parameters, t, strict=True):
        for name, kind in _COLUMNS.items():
            if name in t.colnames:
                setattr(parameter, name, kind(row[name]))
