"""Fuzz a target with atheris: ``python -m tests.fuzz.run fits 600``.

A find is written to the working folder as ``crash-...`` (or ``timeout-...``, ``oom-...``); give its name in place of the number of
seconds to run it again.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["geminga"]):
    from tests.fuzz.corpus import corpus
    from tests.fuzz.targets import TARGETS

#: Limits of a case: memory (MB) and time (s).
MEMORY, TIME = 1024, 1


def main(what: str, seconds: str) -> None:
    """Fuzz for some time, or run one input."""
    logging.getLogger("geminga").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        for name, data in corpus(what):
            (Path(folder) / name).write_bytes(data)
        one = Path(seconds)
        tail = [str(one)] if one.is_file() else [f"-max_total_time={seconds}", folder]
        options = [f"-rss_limit_mb={MEMORY}", f"-timeout={TIME}", "-max_len=200000", "-print_final_stats=1"]
        atheris.Setup([sys.argv[0], *options, *tail], TARGETS[what]())
        atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:3])
