"""Run the example of the README, as it stands there, and save its figure: ``python docs/readme_figure.py``."""

from __future__ import annotations

import contextlib
import io
import os
import re
import tempfile
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def example_code(readme: Path) -> str:
    """Code block after the mark ``<!-- example``."""
    match = re.search(r"<!-- example.*?-->\s*```python\n(.*?)```", readme.read_text(), flags=re.DOTALL)
    if match is None:
        msg = f"{readme} has no code block after '<!-- example'."
        raise ValueError(msg)
    return match.group(1)


def draw(readme: Path, target: Path) -> str:
    """Simulate the runs of the demo, run the example beside it, and save its figure; what it printed."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from geminga.cli.runs import reduce_runs, simulate_runs

    target.parent.mkdir(parents=True, exist_ok=True)
    printed = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), warnings.catch_warnings():
        warnings.simplefilter("error")
        Path("geminga-demo").mkdir()
        reduce_runs(simulate_runs(Path("geminga-demo/dl3"))).write("geminga-demo/dataset.fits.gz")
        with contextlib.redirect_stdout(printed):
            exec(compile(example_code(readme), str(readme), "exec"), {"__name__": "readme"})
        plt.savefig(target, dpi=110, bbox_inches="tight")
        plt.close("all")
    return printed.getvalue()


if __name__ == "__main__":
    os.environ.setdefault("MPLBACKEND", "Agg")
    print(draw(ROOT / "README.md", ROOT / "docs" / "_static" / "readme.png"))
