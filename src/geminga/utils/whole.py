"""Whether a FITS file is whole: it holds what its headers promise, all HDUs it was written with, and their bytes."""

from __future__ import annotations

import contextlib
import io
import itertools
import logging
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from astropy.io import fits

from geminga.errors import CorruptFileError
from geminga.utils.sums import QUICK, SMALL, fits_sum, has_quick_sum, is_zero, joined

__all__ = ["Extent", "add_manifest", "check_extent", "check_sums", "lost_hdus", "place_of_end", "walk"]

log = logging.getLogger(__name__)

_BLOCK, _CARD = 2880, 80


def add_manifest(hdulist: fits.HDUList) -> None:
    """Write the number and the names of all further HDUs into the primary header."""
    header = hdulist[0].header
    header["NHDUS"] = (len(hdulist) - 1, "number of HDUs that follow")
    for number, hdu in enumerate(hdulist[1:], start=1):
        header[f"HDU{number}"] = hdu.name


class Extent(NamedTuple):
    """Where an HDU lies in a file: its name and header, its first byte, the first byte of its data, and their number."""

    name: str
    header: Mapping[str, Any]
    start: int
    middle: int
    size: int

    @property
    def end(self) -> int:
        """Byte after the last one, with padding."""
        return self.middle + -(-self.size // _BLOCK) * _BLOCK


def walk(hdulist: fits.HDUList) -> Iterator[Extent]:
    """Read the HDUs of a list that was opened lazily one by one, and say where they lie.

    Raises
    ------
    ValueError
        If an HDU has a negative size: the next one would be one that was read, without end.
    """
    for number in itertools.count():
        try:
            hdu = hdulist[number]
        except IndexError:
            return
        if hdu.size < 0:
            msg = f"HDU {number} ({hdu.name}) has a negative size"
            raise ValueError(msg)
        info: Any = hdu.fileinfo()
        yield Extent(hdu.name, hdu.header, info["hdrLoc"], info["datLoc"], int(hdu.size))


def lost_hdus(header: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """HDUs that a primary header promises and that are not among `names`; none without a manifest."""
    if "NHDUS" not in header:
        return []
    number = header["NHDUS"]
    # Keywords have eight characters, so HDU99999 is the last.
    if not isinstance(number, int) or not 0 <= number < 100_000:
        return [f"of a manifest with {number!r} entries"]
    promised = Counter(str(header.get(f"HDU{i}", "")).strip() for i in range(1, number + 1))
    return [name or "(unnamed)" for name in (promised - Counter(names)).elements()]


def _has_manifest(hdus: Sequence[Extent], data: bytes) -> bool:
    return bool(_cards(data, hdus[0], ("NHDUS", "HDU1")))


def _cards(data: bytes, hdu: Extent, names: Iterable[str]) -> dict[str, Any]:
    """Values of keywords that are there, from the bytes of a header: header objects are slow to ask."""
    found: dict[str, Any] = {}
    for name in names:
        mark = f"{name:8}=".encode()
        place = data.find(mark, hdu.start, hdu.middle)
        while place >= 0 and (place - hdu.start) % _CARD:
            place = data.find(mark, place + 1, hdu.middle)
        if place >= 0:
            text = data[place + len(mark) : place + _CARD].decode("ascii", "replace").strip()
            value = text[1:].split("'")[0] if text.startswith("'") else text.split("/")[0]
            found[name] = int(value) if value.strip().isdecimal() and not text.startswith("'") else value.strip()
    return found


def _label(index: int, hdu: Extent) -> str:
    return f"HDU {index} ({hdu.name or 'PRIMARY'})"


def place_of_end(data: bytes) -> str:
    """In which HDU a file that is cut off ends, in words."""
    hdus: list[Extent] = []
    # astropy raises many kinds of errors for broken headers, and this is only for a message.
    with warnings.catch_warnings(), contextlib.suppress(Exception):
        warnings.simplefilter("ignore")
        hdus.extend(walk(fits.open(io.BytesIO(data), memmap=False, lazy_load_hdus=True)))
    if not hdus:
        return "in HDU 0 (PRIMARY)"
    cut = next((i for i, hdu in enumerate(hdus) if hdu.end > len(data)), None)
    return f"in HDU {len(hdus)}" if cut is None else f"in {_label(cut, hdus[cut])}"


def check_extent(hdus: Sequence[Extent], data: bytes, name: str) -> None:
    """Refuse a file that ends before its last HDU, lacks one, or has something behind the last one which is none.

    Files of others, without manifest, may lack the padding after the last HDU: nothing is lost with it.

    Raises
    ------
    CorruptFileError
        Naming the file (`name`) and the HDU.
    """
    is_ours = _has_manifest(hdus, data)
    for index, hdu in enumerate(hdus):
        needed = hdu.end if is_ours else hdu.middle + hdu.size
        if needed > len(data):
            msg = f"{name} is truncated in {_label(index, hdu)}: {len(data)} bytes, at least {needed} expected; fetch it again."
            raise CorruptFileError(msg)
    end = hdus[-1].end
    if data[end : end + 100 * _BLOCK].strip(b"\0 \r\n"):
        msg = f"{name} is corrupt after HDU {len(hdus) - 1}: something follows (byte {end}) that is not a readable HDU."
        raise CorruptFileError(msg)
    manifest = _cards(data, hdus[0], ["NHDUS", *(f"HDU{i}" for i in range(1, len(hdus)))])
    names = [hdu.name for hdu in hdus[1:]]
    is_complete = manifest == {"NHDUS": len(names)} | {f"HDU{i}": name for i, name in enumerate(names, start=1)}
    lost = [] if is_complete else lost_hdus(hdus[0].header, names)
    if lost:
        what = f"lacks the HDUs {', '.join(lost)} it was written with, so it is truncated in HDU {len(hdus)} or edited"
        msg = f"{name} {what}; fetch it again, or remove the keyword NHDUS if you edited it."
        raise CorruptFileError(msg)


def check_sums(hdus: Sequence[Extent], data: bytes, name: str, strict: bool) -> None:
    """Verify ``CHECKSUM`` and ``DATASUM`` where they are, on the bytes of the file.

    A mismatch is an error if `strict` or if the file has a manifest; else it is reported in the log. If not `strict`, a quicker
    sum may stand for ``DATASUM`` (see `geminga.utils.sums`).

    Raises
    ------
    CorruptFileError
        Naming the file (`name`) and the HDU.
    """
    thorough, is_ours = strict, _has_manifest(hdus, data)
    if is_ours and not thorough and _is_unchanged(hdus, data):
        return
    strict |= is_ours
    for index, hdu in enumerate(hdus):
        # The standard says that empty text stands for an unknown sum.
        cards = _cards(data, hdu, ("DATASUM", "CHECKSUM", QUICK))
        quick = cards.pop(QUICK, None)
        known = {key: text for key, value in cards.items() if (text := str(value).strip())}
        datasum = _datasum(data, hdu, known.get("DATASUM", ""), None if thorough else quick) if known else 0
        failed = []
        if known.get("DATASUM", str(datasum)) != str(datasum):
            failed.append("DATASUM")
        if "CHECKSUM" in known and not is_zero(joined(datasum, fits_sum(data, hdu.start, hdu.middle))):
            failed.append("CHECKSUM")
        if failed:
            remedy = "fetch it again, or write it with checksum=True if you edited it"
            msg = f"{name}: {_label(index, hdu)} fails its {' and '.join(failed)}; {remedy}."
            if strict:
                raise CorruptFileError(msg)
            log.warning(msg)


def _is_unchanged(hdus: Sequence[Extent], data: bytes) -> bool:
    """Whether all sums are right, at once: that of an HDU with ``CHECKSUM`` is zero, and so is that of a file of such HDUs."""
    total = start = 0
    for hdu in hdus:
        if hdu.size >= SMALL:
            cards = _cards(data, hdu, ("DATASUM", QUICK))
            before = fits_sum(data, start, hdu.middle)
            total = joined(total, joined(before, _datasum(data, hdu, str(cards.get("DATASUM", "")), cards.get(QUICK))))
            start = hdu.end
    return is_zero(joined(total, fits_sum(data, start, hdus[-1].end)))


def _datasum(data: bytes, hdu: Extent, written: str, quick: Any) -> int:
    """Sum of the data of an HDU: as written if another sum says that they are unchanged."""
    if written.isdecimal() and has_quick_sum(quick, data, hdu.middle, hdu.end):
        return int(written)
    return fits_sum(data, hdu.middle, hdu.end)
