"""Axes of a table as parameters of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.modeling.parameter import Parameter
from geminga.modeling.parameters import Parameters
from geminga.numerics.grid_table import scale_slope
from geminga.numerics.interpolation import SCALES

__all__ = ["axis_parameters", "place_of", "scaled_nodes"]

Array = NDArray[np.float64]


def axis_parameters(axes: Sequence[Any]) -> Parameters:
    """One parameter for each axis: in the middle, and bounded by its ends."""
    parameters = []
    for axis in axes:
        low, high = (float(bound.value) for bound in axis.bounds)
        parameters.append(Parameter(axis.name, 0.5 * (low + high), unit=axis.unit, min=low, max=high))
    return Parameters(parameters)


def scaled_nodes(axes: Sequence[Any]) -> list[Array]:
    """Nodes of each axis on its scale."""
    return [SCALES[axis.interp].forward(axis.center.value) for axis in axes]


def place_of(axes: Sequence[Any], values: Sequence[float]) -> tuple[list[float], list[float]]:
    """Place of values on the scales of the axes, and its derivative by the values."""
    place = [float(SCALES[axis.interp].forward(value)) for axis, value in zip(axes, values, strict=True)]
    return place, [scale_slope(axis.interp, value) for axis, value in zip(axes, values, strict=True)]
