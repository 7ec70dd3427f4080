"""Files to start from: every kind the package writes, without the checksums that would stop most changes at the door."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

from astropy.io import fits

from tests.trust import kinds

__all__ = ["corpus"]

_GUARDS = ("CHECKSUM", "DATASUM", "NHDUS")


def _unguarded(path: Path) -> bytes:
    with fits.open(path) as hdus:
        for hdu in hdus:
            for key in [key for key in hdu.header if key in _GUARDS or (key.startswith("HDU") and key[3:].isdigit())]:
                del hdu.header[key]
        stream = io.BytesIO()
        hdus.writeto(stream)
    return stream.getvalue()


def _unsealed(text: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(
        line for line in lines if not line.startswith(("# Geminga", "checksum:", "# - {checksum", "covariance_checksum"))
    )


def corpus(what: str) -> Iterator[tuple[str, bytes]]:
    """Names and contents of small files, for a target."""
    with tempfile.TemporaryDirectory() as folder:
        for number, kind in enumerate(kinds.KINDS):
            place = Path(folder) / str(number)
            place.mkdir()
            kind.write(kind.make(0), place / f"file{kind.suffixes[0]}")
            for path in sorted(place.iterdir()):
                name = f"{number}-{path.name}"
                if what == "fits" and path.suffix == ".fits":
                    yield name, _unguarded(path)
                elif what == "text" and path.suffix in {".yaml", ".ecsv"}:
                    yield name, _unsealed(path.read_text()).encode()
