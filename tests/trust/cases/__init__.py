"""Bad inputs: a table of what may be given, and of what happens then.

A case is a function that hands something bad to the package. What happens must be one of: it is refused with an error of the
package, it is reported in the log, or it is harmless, which the case itself asserts and says in words. Nothing may pass in
silence, end in an error from somewhere inside, damage a file, or take long.
"""

from __future__ import annotations

import importlib
import logging
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from geminga.errors import GemingaError

__all__ = ["CASES", "Case", "Outcome", "Scene", "case", "run"]

TOPICS = ("files", "text", "writing", "maps", "responses", "data", "models", "datasets", "fits", "fluxes", "makers")
#: Longest time (s) a case may take: far above what any takes on a busy machine.
LIMIT = 20.0


@dataclass
class Scene:
    """Folder of a case, and the files in it that must stay as they are."""

    folder: Path
    precious: dict[Path, bytes] = field(default_factory=dict)

    def path(self, name: str, content: bytes | str | None = None) -> Path:
        """Path in the folder, of a file with this content if it is given."""
        path = self.folder / name
        if content is not None:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def keep(self, path: Path) -> Path:
        """From now on the file must not change."""
        self.precious[path] = path.read_bytes()
        return path

    def damaged(self) -> list[str]:
        """Names of files that changed nevertheless, or were left behind."""
        changed = [p.name for p, old in self.precious.items() if not p.exists() or p.read_bytes() != old]
        return changed + [p.name for p in self.folder.rglob("*.tmp*")]


@dataclass(frozen=True)
class Case:
    """What is given, and the function that gives it; the latter returns words if it found the result to be right."""

    topic: str
    given: str
    function: Callable[[Scene], Any]


@dataclass(frozen=True)
class Outcome:
    """What happened: ``refused``, ``reported`` or ``harmless``, or one of the faults ``silent``, ``obscure``, ``damage``, ``slow``."""

    kind: str
    text: str
    error: str = ""

    @property
    def is_good(self) -> bool:
        """Whether that is how it should be."""
        return self.kind in {"refused", "reported", "harmless"}


CASES: list[Case] = []


def case(given: str) -> Callable[[Callable[[Scene], Any]], Callable[[Scene], Any]]:
    """Add a function to the table."""

    def add(function: Callable[[Scene], Any]) -> Callable[[Scene], Any]:
        CASES.append(Case(function.__module__.rsplit(".", 1)[-1], given, function))
        return function

    return add


def cases(table: dict[str, Callable[[Scene], Any]]) -> None:
    """Add several functions of the module of the first to the table."""
    for given, function in table.items():
        case(given)(function)


class _Records(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


#: Addresses, checksums of files that hold their date, names of temporary files, of models and of datasets.
_RANDOM = {
    r"0x[0-9a-f]{6,}": "0x...",
    r"checksum [0-9a-f]{32}": "checksum ...",
    r"\.\w{8}\.tmp": ".tmp",
    r"\b((?:SkyModel|MapDataset) )'[\w-]{8}'": r"\1'...'",
}


def _plain(text: str, folder: Path) -> str:
    """Text without folders, addresses and random names."""
    text = " ".join(text.replace(str(folder), "FOLDER").split())
    for pattern, word in _RANDOM.items():
        text = re.sub(pattern, word, text)
    return text


def run(own: Case, folder: Path) -> Outcome:
    """Run a case in an empty folder."""
    scene, records = Scene(folder), _Records()
    log = logging.getLogger("geminga")
    log.addHandler(records)
    start, said, error = time.monotonic(), None, None
    try:
        said = own.function(scene)
    except Exception as caught:  # every kind of failure is an outcome
        error = caught
    finally:
        log.removeHandler(records)
    seconds = time.monotonic() - start
    if seconds > LIMIT:
        return Outcome("slow", f"{seconds:.0f} s")
    if scene.damaged():
        return Outcome("damage", ", ".join(scene.damaged()))
    if error is not None:
        is_ours = isinstance(error, GemingaError) and len(str(error)) > 20
        return Outcome("refused" if is_ours else "obscure", _plain(str(error), folder), type(error).__name__)
    if isinstance(said, str):
        return Outcome("harmless", said)
    if records.texts:
        return Outcome("reported", _plain(records.texts[0], folder))
    return Outcome("silent", repr(said))


def load() -> list[Case]:
    """All cases, in the order of the topics."""
    for topic in TOPICS:
        importlib.import_module(f"{__name__}.{topic}")
    return sorted(CASES, key=lambda own: TOPICS.index(own.topic))


def outcomes(folder: Path) -> Iterator[tuple[Case, Outcome]]:
    """All cases with what happened."""
    for number, own in enumerate(load()):
        place = folder / str(number)
        place.mkdir()
        yield own, run(own, place)
