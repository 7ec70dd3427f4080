"""Shapes and summaries of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from geminga.errors import InputError

__all__ = [
    "array_stats_str",
    "round_up_to_even",
    "round_up_to_odd",
    "shape_2N",
    "shape_divisible_by",
    "symmetric_crop_pad_width",
]

Widths = tuple[tuple[int, int], tuple[int, int]]


def array_stats_str(x: Any, label: str = "") -> str:
    """Size, minimum and maximum of an array in one line.

    Examples
    --------
    >>> from geminga.utils.array import array_stats_str
    >>> array_stats_str([1, 2, 3], "x").strip()
    'x              : size =     3, min =  1.000, max =  3.000'
    """
    values = np.asanyarray(x)
    head = f"{label:15s}: " if label else ""
    return f"{head}size = {values.size:5d}, min = {values.min():6.3f}, max = {values.max():6.3f}\n"


def shape_2N(shape: Sequence[int], N: int = 3) -> tuple[int, ...]:  # noqa: N802
    """Smallest shape, strictly larger, that is divisible by ``2**N``.

    Examples
    --------
    >>> from geminga.utils.array import shape_2N
    >>> shape_2N((20, 30))
    (24, 32)
    """
    return tuple(int(n) + 2**N - int(n) % 2**N for n in shape)


def shape_divisible_by(shape: Sequence[int], factor: int) -> tuple[int, ...]:
    """Smallest shape, not smaller, that is divisible by `factor`.

    Examples
    --------
    >>> from geminga.utils.array import shape_divisible_by
    >>> shape_divisible_by((20, 30), 8)
    (24, 32)
    """
    return tuple(int(n) + (factor - int(n) % factor) % factor for n in shape)


def round_up_to_odd(f: float) -> int:
    """Smallest odd number that is not below `f`.

    Examples
    --------
    >>> from geminga.utils.array import round_up_to_odd
    >>> round_up_to_odd(4.2), round_up_to_odd(3)
    (5, 3)
    """
    return int(np.ceil(f) // 2 * 2 + 1)


def round_up_to_even(f: float) -> int:
    """Smallest even number that is not below `f`.

    Examples
    --------
    >>> from geminga.utils.array import round_up_to_even
    >>> round_up_to_even(4.2)
    6
    """
    return int(np.ceil(f / 2.0) * 2)


def symmetric_crop_pad_width(shape: Sequence[int], new_shape: Sequence[int]) -> Widths:
    """Widths by which to crop or pad an image at each border to get another shape.

    Parameters
    ----------
    shape, new_shape : (int, int)
        Shapes, (lat, lon).

    Raises
    ------
    InputError
        If a difference is odd.

    Examples
    --------
    >>> from geminga.utils.array import symmetric_crop_pad_width
    >>> symmetric_crop_pad_width((5, 6), (7, 10))
    ((1, 1), (2, 2))
    """
    differences = [abs(int(b) - int(a)) for a, b in zip(shape, new_shape, strict=True)]
    if any(d % 2 for d in differences):
        msg = (
            "For symmetric crop / pad width, difference to new shape must be even in all axes: "
            f"got {tuple(shape)} and {tuple(new_shape)}."
        )
        raise InputError(msg)
    first, second = (d // 2 for d in differences)
    return (first, first), (second, second)
