"""Sums over the bytes of FITS files: that of the standard, and one which is quicker to verify.

The standard sums words of 32 bits, which a processor turns round and widens one by one. The keyword ``QUICKSUM``, in large HDUs,
is the sum of the words of 64 bits of the data, lowest byte first, modulo 2**64: any single change shows in it. If it agrees, the
data are as they were when ``DATASUM`` was written; if not, an edit may have left it behind, and the standard's sum decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from astropy.io import fits

__all__ = ["QUICK", "SMALL", "add_quick_sums", "fits_sum", "has_quick_sum", "is_zero", "joined", "quick_sums"]

QUICK = "QUICKSUM"

_BLOCK, _CARD = 2880, 80
#: Data of fewer bytes have no quick sum.
SMALL = 1 << 16
_DIGITS = "ABCDEFGHIJKLMNOP"
_END = b"END".ljust(_CARD)


def fits_sum(data: bytes, start: int, end: int) -> int:
    """Ones' complement sum of 32-bit words (FITS standard, appendix J); padding that is missing counts as zeros."""
    if end > len(data):
        data, start, end = data[start:].ljust(end - start, b"\0"), 0, end - start
    words = np.frombuffer(data, dtype=">u4", count=(end - start) // 4, offset=start)
    total = 0
    for first in range(0, len(words), 1 << 20):
        total += int(words[first : first + (1 << 20)].sum(dtype=np.uint64))
    return joined(total, 0)


def joined(one: int, other: int) -> int:
    """Ones' complement sum of two numbers."""
    total = one + other
    while total >> 32:
        total = (total & 0xFFFFFFFF) + (total >> 32)
    return total


def is_zero(total: int) -> bool:
    """Whether a ones' complement sum is zero, of either sign."""
    return total in {0, 0xFFFFFFFF}


def _quick(data: bytes, start: int, end: int) -> str:
    """Value of the keyword: the sum in sixteen letters, and its complement.

    It is known only when the file is complete. A letter and its complement add up to the same, so that the ``CHECKSUM`` of the
    HDU is right whatever they are.
    """
    total = int(np.frombuffer(data, dtype="<u8", count=(end - start) // 8, offset=start).sum())
    digits = [int(digit, 16) for digit in f"{total:016x}"]
    return "".join([_DIGITS[i] for i in digits] + [_DIGITS[15 - i] for i in digits])


def has_quick_sum(value: object, data: bytes, start: int, end: int) -> bool:
    """Whether `value` is the quick sum of some bytes."""
    return isinstance(value, str) and end <= len(data) and value == _quick(data, start, end)


def add_quick_sums(hdulist: Iterable[fits.PrimaryHDU]) -> None:
    """Make room for the keyword in the HDUs of a list that have data enough."""
    for hdu in hdulist:
        hdu.header.remove(QUICK, ignore_missing=True)
        if hdu.size >= SMALL:
            hdu.header[QUICK] = (_DIGITS[0] * 16 + _DIGITS[15] * 16, "sum of 64-bit words of the data")


def quick_sums(data: bytes, hdulist: Iterable[fits.PrimaryHDU]) -> Iterator[tuple[int, bytes]]:
    """Places and values of the keyword in a file that was made from a list of HDUs."""
    start = 0
    for hdu in hdulist:
        middle = _after_header(data, start)
        end = middle + -(-hdu.size // _BLOCK) * _BLOCK
        mark = f"{QUICK:8}= '".encode()
        place = data.find(mark, start, middle)
        if place >= 0:
            yield place + len(mark), _quick(data, middle, end).encode()
        start = end


def _after_header(data: bytes, start: int) -> int:
    """Place of the first byte after a header."""
    place = data.index(_END, start)
    while (place - start) % _CARD:
        place = data.index(_END, place + 1)
    return start + -(-(place + _CARD - start) // _BLOCK) * _BLOCK
