"""The page of the documentation that lists all cases: ``python -m tests.trust.cases.page``."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterable
from pathlib import Path

from tests.trust.cases import TOPICS, Case, Outcome, outcomes

PAGE = Path(__file__).parents[3] / "docs" / "trust.rst"

HEAD = """What happens with bad input
===========================

Files are cut off, copied over, edited; values are NaN; axes do not fit. Geminga refuses what it cannot use, with an error that names the
object, the value and the remedy (`geminga.errors`), or says in the log what it makes of it. No file is damaged by a write that fails.

This table is made by the tests, which hand all of it to the package: {number} cases, of which {refused} are refused, {reported} are reported
in the log, and {harmless} do no harm.
"""

TITLES = {
    "files": "FITS files",
    "text": "YAML and tables of text",
    "writing": "Writing",
    "maps": "Maps, axes and geometries",
    "responses": "Response functions",
    "data": "Events, time intervals, stores",
    "models": "Models and parameters",
    "datasets": "Datasets",
    "fits": "Fits",
    "fluxes": "Fluxes and estimators",
    "makers": "Makers",
}
WIDTH = 230


def escaped(text: str) -> str:
    """Text without marks that reStructuredText would act on."""
    return "".join("\\" + c if c in "*`|_\\" else c for c in text)


def _row(own: Case, outcome: Outcome) -> str:
    text = outcome.text if len(outcome.text) <= WIDTH else outcome.text[: WIDTH - 4].rsplit(" ", 1)[0] + " ..."
    what = f"``{outcome.error}``: {escaped(text)}" if outcome.error else f"{outcome.kind}: {escaped(text)}"
    return f"   * - {escaped(own.given)}\n     - {what}\n"


def rows(text: str) -> list[tuple[str, str]]:
    """What is given and the kind of outcome, as they stand on a page."""
    found = []
    lines = text.splitlines()
    for one, two in zip(lines, lines[1:], strict=False):
        if one.startswith("   * - ") and two.startswith("     - "):
            what = two[7:].split(":")[0]
            found.append((one[7:], "refused" if what.startswith("``") else what))
    return found


def render(found: Iterable[tuple[Case, Outcome]]) -> str:
    """Text of the page."""
    own = list(found)
    kinds = [outcome.kind for _, outcome in own]
    counts = {kind: kinds.count(kind) for kind in ("refused", "reported", "harmless")}
    text = HEAD.format(number=len(own), **counts)
    for topic in TOPICS:
        members = [pair for pair in own if pair[0].topic == topic]
        title = TITLES[topic]
        text += f"\n{title}\n{'-' * len(title)}\n\n.. list-table::\n   :header-rows: 1\n   :widths: 30 70\n\n"
        text += "   * - Given\n     - What happens\n" + "".join(_row(*pair) for pair in members)
    return text


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        PAGE.write_text(render(outcomes(Path(folder))), encoding="utf-8")
