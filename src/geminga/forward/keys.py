"""Keys of what predictions are made from: equal keys, equal results.

A key holds the objects it stands for, so that no other object can get their identity while it is remembered.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.data import GTI
from geminga.maps import Map
from geminga.maps.map.content import checksum
from geminga.modeling.models import ModelBase
from geminga.modeling.parameter import Parameter

__all__ = ["Same", "state_of"]

_WITHOUT_EFFECT = frozenset({"_blocks", "_name", "_datasets_names", "filename", "meta"})


class Same:
    """An object in a key: it equals itself only."""

    __slots__ = ("own",)

    def __init__(self, own: object) -> None:
        self.own = own

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.own is other.own

    def __hash__(self) -> int:
        return id(self.own)


@singledispatch
def state_of(value: Any) -> Hashable:
    """What a model, or something it holds, gives to its evaluation but for the values of parameters: they come later."""
    return Same(value)


@state_of.register(str)
@state_of.register(bytes)
@state_of.register(int)
@state_of.register(float)
@state_of.register(type(None))
def _of_value(value: Hashable) -> Hashable:
    return value


@state_of.register
def _of_array(value: np.ndarray) -> Hashable:
    plain: NDArray[Any] = np.asarray(value)
    content = Same(value) if plain.dtype.hasobject else checksum(plain)
    return content, plain.shape, plain.dtype.str, getattr(value, "unit", None)


@state_of.register(tuple)
@state_of.register(list)
def _of_sequence(value: Any) -> Hashable:
    return tuple([state_of(item) for item in value])


@state_of.register
def _of_dict(value: dict) -> Hashable:
    return tuple([(key, state_of(item)) for key, item in value.items()])


@state_of.register
def _of_map(value: Map) -> Hashable:
    return value.stamp, value.unit, Same(value.geom)


@state_of.register
def _of_intervals(value: GTI) -> Hashable:
    return tuple([state_of(item) for item in vars(value).values()])


@state_of.register
def _of_parameter(value: Parameter) -> Hashable:
    return Same(value), value.frozen, value.unit


@state_of.register
def _of_model(value: ModelBase) -> Hashable:
    # Large tables, which copies share, are not made to be changed in place; maps among them have a stamp.
    tables = value._shared
    return Same(value), *[
        Same(item) if name in tables and not isinstance(item, Map) else state_of(item)
        for name, item in vars(value).items()
        if name not in _WITHOUT_EFFECT
    ]
