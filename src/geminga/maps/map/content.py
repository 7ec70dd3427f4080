"""The array of a map and the number that tells its states apart.

A plan made from a map has to notice any later change, also one made in place through an array somebody kept, at no cost
while nothing changed. `Content` therefore remembers whether the array is *exposed*, that is whether somebody outside got
hold of it and may still have it. Only then a checksum of the bytes decides whether the state is a new one; the exposure ends
as soon as the reference count shows that nobody else holds the array (views count, they refer to their base).
"""

from __future__ import annotations

import itertools
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import DataError, InputError

__all__ = ["Content", "checksum", "zeros"]

_counter = itertools.count(1)

_BLOCK = 8192
# Odd, so that each product is invertible modulo 2**64 and no single change can vanish.
_WEIGHTS = np.random.default_rng(0x6A09E667).integers(0, 2**63, _BLOCK, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
_HALF = np.uint64(32)


def checksum(array: NDArray[Any]) -> int:
    """Number that changes with any single change of the bytes of an array, and (but for 1 in 2**40 or less) with any other.

    Words of 64 bit are folded (``x ^ x >> 32``, one to one) and summed with odd weights in blocks, the sums of the blocks
    likewise, all modulo 2**64.
    """
    flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    whole = len(flat) // 8 * 8
    words = flat[:whole].view(np.uint64)
    if whole < len(flat):
        last = np.zeros(8, dtype=np.uint8)
        last[: len(flat) - whole] = flat[whole:]
        words = np.append(words, last.view(np.uint64))
    return _combine(words)


def _combine(words: NDArray[np.uint64]) -> int:
    buffer = np.empty(_BLOCK, dtype=np.uint64)
    sums = np.empty(-(-len(words) // _BLOCK), dtype=np.uint64)
    for index in range(len(sums)):
        block = words[index * _BLOCK : (index + 1) * _BLOCK]
        folded = buffer[: len(block)]
        np.right_shift(block, _HALF, out=folded)
        np.bitwise_xor(folded, block, out=folded)
        sums[index] = np.dot(folded, _WEIGHTS[: len(block)])
    if len(sums) > 1:
        return _combine(sums)
    return int(sums[0]) if len(sums) else 0


def zeros(shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Zeros.

    Raises
    ------
    InputError
        If they do not fit into the memory.
    """
    try:
        return np.zeros(shape, dtype=dtype)
    except (MemoryError, ValueError) as error:
        msg = f"Map: data of shape {tuple(map(int, shape))} cannot be made ({error}); choose fewer or larger pixels."
        raise InputError(msg) from error


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Read-only view whose own views refer to a buffer and not to the array, so that they do not count as holders of it."""
    try:
        return np.asarray(memoryview(array).toreadonly())  # type: ignore[arg-type]
    except (ValueError, TypeError, BufferError):
        view = array.view()
        view.flags.writeable = False
        return view


class Content:
    """Array of a map, with a stamp for its state.

    Parameters
    ----------
    array : array
        Kept as it is if it can be written, else copied.

    Raises
    ------
    DataError
        If it holds Python objects.
    """

    __slots__ = ("_exposed", "_stamp", "_sum", "array", "frozen")

    def __init__(self, array: NDArray[Any]) -> None:
        array = np.asarray(array)
        if array.dtype.hasobject or array.dtype.kind in "USmM":
            msg = f"Map: data are of type {array.dtype}, expected numbers or bool."
            raise DataError(msg)
        self.array: NDArray[Any] = array if array.flags.writeable else array.copy()
        self.frozen = _read_only(self.array)
        # Whoever made the array may still have it.
        self._exposed = True
        self._stamp: int | None = None
        self._sum: int | None = None

    def expose(self) -> NDArray[Any]:
        """Hand out the array."""
        if not self._exposed:
            if self._stamp is not None and self._sum is None:
                self._sum = checksum(self.array)
            self._exposed = True
        return self.array

    def touch(self) -> None:
        """Say that the array was changed."""
        self._stamp = self._sum = None

    @property
    def stamp(self) -> int:
        """Number of the state."""
        if self._exposed:
            held = self._is_held()
            if self._stamp is None:
                self._stamp = next(_counter)
                self._sum = checksum(self.array) if held else None
            else:
                current = checksum(self.array)
                if current != self._sum:
                    self._stamp, self._sum = next(_counter), current
            self._exposed = held
        elif self._stamp is None:
            self._stamp = next(_counter)
        return self._stamp

    @property
    def settled_stamp(self) -> int | None:
        """Number of the state if nobody else can change the array, else None."""
        return None if self._exposed and self._is_held() else self.stamp

    def take_state(self, other: Content) -> None:
        """Say that the array, which nobody else holds, is a copy of that of another content."""
        if not other._exposed:
            self._stamp, self._sum, self._exposed = other.stamp, None, False

    def references(self) -> tuple[int, int]:
        """Reference counts of the array and of the array it is a view of (0 if it owns its memory)."""
        base = self.array.base
        return sys.getrefcount(self.array), 0 if base is None else sys.getrefcount(base)

    def _is_held(self) -> bool:
        base = self.array.base
        if base is None:
            return self.references()[0] > _OWN[0] or not _IS_COUNTED
        if not isinstance(base, np.ndarray) or base.base is not None:
            return True
        del base
        references = self.references()
        return references[0] > _VIEW[0] or references[1] > _VIEW[1] or not _IS_COUNTED

    def __reduce__(self) -> tuple[Any, ...]:
        return Content, (self.array,)


def _baseline() -> tuple[tuple[int, int], tuple[int, int]]:
    """Reference counts when nobody else holds the array: one that owns its memory, and a view."""
    return Content(np.zeros((1, 2))).references(), Content(np.zeros(2).reshape(1, 2)).references()


_IS_COUNTED = hasattr(sys, "getrefcount")
_OWN, _VIEW = _baseline() if _IS_COUNTED else ((0, 0), (0, 0))
