"""Norms at nodes, in energy or on the sky, as parameters of a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from geminga.errors import DataError, InputError
from geminga.modeling.models.base import build_parameters, without_defaults
from geminga.modeling.parameter import Parameter
from geminga.modeling.parameters import Parameters

__all__ = ["node_scale", "norm_entries", "norm_parameters", "read_norms"]

_SCALES: dict[str, Callable[..., Any]] = {"lin": np.asarray, "log": np.log, "sqrt": np.sqrt}


def node_scale(name: str, owner: str) -> Callable[..., Any]:
    """Function that brings norms to the scale on which they are interpolated.

    Raises
    ------
    InputError
        If there is no such scale.
    """
    if name not in _SCALES:
        msg = f"{owner}: interp {name!r} is unknown; expected one of {', '.join(_SCALES)}."
        raise InputError(msg)
    return _SCALES[name]


def norm_parameters(norms: Iterable[Any] | None, n: int, owner: str) -> Parameters:
    """Parameters "norm_0", "norm_1", ... from numbers or parameters, 1 by default.

    Raises
    ------
    DataError
        If these are not `n`.
    """
    given = np.ones(n) if norms is None else list(norms)
    if len(given) != n:
        msg = f"{owner}: {len(given)} norms for {n} nodes; expected as many."
        raise DataError(msg)
    return Parameters(own if isinstance(own, Parameter) else Parameter(f"norm_{i}", own) for i, own in enumerate(given))


def norm_entries(parameters: Parameters, full_output: bool) -> list[dict[str, Any]]:
    """Norms as they stand in model files; without what is as by default unless `full_output`."""
    plain = Parameter("norm", 1.0).to_dict()
    entries = parameters.to_dict()
    return entries if full_output else [without_defaults(entry, plain) for entry in entries]


def read_norms(entry: Mapping[str, Any], n: int, owner: str) -> list[Parameter]:
    """Norms of an entry of a model file."""
    return list(build_parameters(entry.get("parameters") or [], norm_parameters(None, n, owner), owner))
