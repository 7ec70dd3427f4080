"""What can happen to a process while it writes, made to happen in forked children; run as a script, so that it has no threads.

``python -m tests.trust.attacks kill FOLDER N NAME...`` replaces an existing file of each kind and kills the writer (signal 9) at up
to N moments, evenly spaced over all calls of the operating system it makes from the first temporary file on. ``... full FOLDER N
NAME...`` limits the size of files to N values below the size needed, and ``... race FOLDER SECONDS NAME...`` reads while two others
write. All print what was found on disk; the exit status is the number of kinds of file with anything but the old or new content.
"""

from __future__ import annotations

import os
import re
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from geminga.errors import FileError
from tests.trust import kinds
from tests.trust.content import content, differences


def _guarded(action: Callable[[], int]) -> int:
    """Status of an action, 1 if it raises."""
    try:
        return action()
    except Exception as error:  # reported by the parent
        print(f"{type(error).__name__}: {error}", flush=True)
        return 1


def _forked(action: Callable[[], int]) -> int:
    """Run in a child; exit status, or minus the signal that killed it."""
    child = os.fork()
    if child == 0:
        os._exit(_guarded(action))
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


class _Counter:
    """Counts calls of the operating system from the first temporary file on, and kills the process at one of them."""

    def __init__(self, last: int = -1) -> None:
        self.last, self.count, self.is_on = last, 0, False
        sys.addaudithook(self.begin)

    def begin(self, event: str, args: object) -> None:
        if event == "tempfile.mkstemp" and not self.is_on:
            self.is_on = True
            sys.setprofile(self.step)

    def step(self, frame: object, event: str, arg: object) -> None:
        if event not in {"c_call", "c_return"}:
            return
        owner = getattr(arg, "__module__", None) or type(getattr(arg, "__self__", None)).__name__
        if owner in {"posix", "fcntl", "FileIO", "BufferedWriter"}:
            self.count += 1
            if self.count == self.last:
                os.kill(os.getpid(), signal.SIGKILL)


def _calls(kind: kinds.Kind, own: Any, path: Path) -> int:
    """Number of calls a writer makes, found in a child."""
    read, write = os.pipe()

    def action() -> int:
        counter = _Counter()
        kind.write(own, path)
        sys.setprofile(None)
        os.write(write, str(counter.count).encode())
        return 0

    _forked(action)
    os.close(write)
    with os.fdopen(read) as stream:
        return int(stream.read())


def _killed(kind: kinds.Kind, own: Any, path: Path, n: int) -> Iterator[Callable[[], int]]:
    for last in np.unique(np.linspace(1, _calls(kind, own, path), n).astype(int)):

        def action(last: int = int(last)) -> int:
            _Counter(last)
            kind.write(own, path)
            return 0

        yield action


def _full(kind: kinds.Kind, own: Any, path: Path, n: int) -> Iterator[Callable[[], int]]:
    smallest = min(file.stat().st_size for file in path.parent.iterdir())
    for size in np.linspace(0, smallest - 1, n).astype(int):

        def action(size: int = int(size)) -> int:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
            try:
                kind.write(own, path)
            except FileError:
                return 0
            return 1

        yield action


def _which(old: Any, new: Any, after: Any, pattern: str) -> str:
    one, other, now = ({k: v for k, v in c.items() if re.match(pattern, k)} for c in (old, new, after))
    return "old" if not differences(one, now) else "new" if not differences(other, now) else "mixed"


def outcomes(what: str, kind: kinds.Kind, path: Path, n: int) -> Counter[str]:
    """Number of times each outcome was met."""
    found: Counter[str] = Counter()
    first, second = kind.make(0), kind.make(1)
    kind.write(first, path)
    old = content(kind.read(path))
    kind.write(second, path)
    new = content(kind.read(path))
    actions = list({"kill": _killed, "full": _full}[what](kind, second, path, n))
    for action in actions:
        kind.write(first, path)
        status = _forked(action)
        if what == "full" and status != 0:
            found[f"status {status}"] += 1
        try:
            after = content(kind.read(path))
        except Exception as error:  # any failure to read is a finding
            found[f"{type(error).__name__}: {error}"] += 1
            continue
        found.update({_which(old, new, after, pattern) for pattern in kind.sets})
    return found


def _writer(kind: kinds.Kind, objects: Sequence[Any], path: Path, end: float) -> Callable[[], int]:
    def action() -> int:
        while time.monotonic() < end:
            for own in objects:
                kind.write(own, path)
        return 0

    return action


def race(kind: kinds.Kind, path: Path, seconds: float) -> Counter[str]:
    """What is read while two processes write."""
    found: Counter[str] = Counter()
    objects = kind.make(0), kind.make(1)
    states = []
    for own in objects:
        kind.write(own, path)
        states.append(content(kind.read(path)))
    end = time.monotonic() + seconds
    children = []
    for order in (objects, objects[::-1]):
        child = os.fork()
        if child == 0:
            os._exit(_guarded(_writer(kind, order, path, end)))
        children.append(child)
    while time.monotonic() < end:
        try:
            after = content(kind.read(path))
        except Exception as error:  # any failure to read is a finding
            found[f"{type(error).__name__}: {error}"] += 1
            continue
        found.update({_which(*states, after, pattern) for pattern in kind.sets})
    for child in children:
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        found.update([f"a writer ended with {status}"] if status else [])
    return found


def main(what: str, folder: str, n: str, *names: str) -> int:
    """Attack the kinds of file named (all without names), in all their suffixes."""
    bad = 0
    for kind in kinds.KINDS:
        for suffix in kind.suffixes if kind.name in names or not names else ():
            path = Path(folder) / f"{kind.name}{suffix}".replace(" ", "_") / f"file{suffix}"
            path.parent.mkdir(exist_ok=True)
            found = race(kind, path, float(n)) if what == "race" else outcomes(what, kind, path, int(n))
            bad += bool(set(found) - {"old", "new"}) or (what == "full" and bool(found["new"]))
            print(f"{kind.name} {suffix}: {dict(found)}")
    return bad


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
