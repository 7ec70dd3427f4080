"""Compare times and answers of geminga and gammapy 2.1, task by task.

Each task (``benchmarks/tasks/*.py``) is one source that runs with either package in a process of its own, in turn
A B A B. The harness checks that both give the same answer, within the tolerance that the task states, and prints the
median ratio of the times beside its goal. The peer lives in an environment of its own, ``.peer``, made on first use;
the variable ``PEER_PYTHON`` names another one.

    python benchmarks/run.py                 all tasks
    python benchmarks/run.py fit_point       some tasks
    python benchmarks/run.py --write         also write benchmarks/results.md
    python benchmarks/run.py --assert        exit with 1 if a goal is missed or answers differ
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TASKS = ROOT / "benchmarks" / "tasks"
PEER_PACKAGES = ("gammapy==2.1", "regions==0.11")
OURS, PEER = "geminga", "gammapy"
# In the order of the table.
NAMES = (
    "import_packages",
    "read_dataset",
    "stat_sum_spectral",
    "stat_sum_position",
    "stat_sum_background",
    "fit_point",
    "fit_point_systematics",
    "fit_gauss",
    "fit_gauss_2",
    "fit_gauss_4",
    "fit_gauss_8",
    "fit_ellipse",
    "fit_gauss_16",
    "fit_fermi",
    "read_pha",
    "stack_onoff",
    "fit_onoff_power_law",
    "fit_onoff_log_parabola",
    "scan_norms",
    "likelihood_spectra",
    "likelihood_field",
    "fit_spectra_20",
    "fit_spectra_20_systematics",
    "fit_spectra_500",
    "fit_spectra_1000",
    "tutorial",
    "flux_points",
    "flux_points_3d",
    "light_curve",
    "ts_map",
    "ts_map_fermi",
    "excess_map",
    "excess_map_ring",
    "asmooth",
    "sensitivity",
    "reduce_maps",
    "reduce_gc",
    "reduce_onoff",
    "reduce_all_1",
    "reduce_all_2",
    "simulate_events",
    "checks",
)


class TaskError(RuntimeError):
    """A task that did not end well, with the end of its error output."""


@dataclass
class Row:
    """What is known of one task."""

    name: str
    title: str
    goal: float | None
    growth: tuple[str, float] | None
    times: dict[str, list[float]] = field(default_factory=lambda: {OURS: [], PEER: []})
    more: dict[str, list[dict[str, float]]] = field(default_factory=lambda: {OURS: [], PEER: []})
    memory: dict[str, list[float]] = field(default_factory=lambda: {OURS: [], PEER: []})
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)

    def time(self, package: str) -> float | None:
        """Median time in s."""
        return statistics.median(self.times[package]) if self.times[package] else None

    @property
    def ratio(self) -> float | None:
        """Median over the turns of peer / ours."""
        pairs = zip(self.times[PEER], self.times[OURS], strict=False)
        ratios = [peer / ours for peer, ours in pairs]
        return statistics.median(ratios) if ratios else None

    def more_ratio(self, key: str) -> float | None:
        """Median ratio of a further time that the task reports."""
        pairs = zip(self.more[PEER], self.more[OURS], strict=False)
        ratios = [peer[key] / ours[key] for peer, ours in pairs if key in peer and key in ours]
        return statistics.median(ratios) if ratios else None


def peer_python() -> str:
    """Interpreter with the peer; its environment is made if there is none."""
    if "PEER_PYTHON" in os.environ:
        return os.environ["PEER_PYTHON"]
    python = ROOT / ".peer" / "bin" / "python"
    stamp = ROOT / ".peer" / ".installed"
    if not stamp.exists():
        print(f"Making .peer with {', '.join(PEER_PACKAGES)}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(ROOT / ".peer")], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PEER_PACKAGES], check=True)
        stamp.touch()
    return str(python)


def call(python: str, *arguments: str) -> Any:
    """Run a script below `TASKS` in a new process; its last line is JSON."""
    command = [python, str(TASKS / arguments[0]), *arguments[1:]]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tempfile.gettempdir())
    if done.returncode:
        tail = "\n".join(done.stderr.strip().splitlines()[-12:])
        msg = f"{' '.join(arguments)} failed:\n{tail}"
        raise TaskError(msg)
    return json.loads(done.stdout.strip().splitlines()[-1])


def load(name: str) -> ModuleType:
    """Task module, for its goal and its check; packages are only imported when it runs."""
    if str(TASKS) not in sys.path:
        sys.path.insert(0, str(TASKS))
    return importlib.import_module(name)


def run_task(name: str, pythons: dict[str, str], rounds: int) -> Row:
    """Run one task in turn with both packages and check the answers."""
    task = load(name)
    row = Row(name, title_of(name), getattr(task, "GOAL", None), getattr(task, "GROWTH", None))
    packages = [OURS] if getattr(task, "OURS_ONLY", False) else [PEER, OURS]
    try:
        take_turns(row, task, packages, pythons, rounds)
    except TaskError as error:
        print(f"  {error}", flush=True)
        row.complaints = [str(error).splitlines()[-1]]
    return row


def take_turns(row: Row, task: ModuleType, packages: list[str], pythons: dict[str, str], rounds: int) -> None:
    """Fill a row: times in turn, then the check of the answers."""
    name = row.name
    for turn in range(min(rounds, getattr(task, "ROUNDS", rounds)) if rounds > 1 else 1):
        for package in packages:
            record = call(pythons[package], f"{name}.py", package)
            row.times[package].append(record["time"])
            row.more[package].append(record.get("more", {}))
            row.memory[package].append(record["memory"])
            row.results[package] = record["result"]
            print(f"  {name} {package} turn {turn + 1}: {1e3 * record['time']:.2f} ms", flush=True)
    if getattr(task, "FRESH_STATS", False):
        for package in packages:
            values = json.dumps(row.results[package]["values"])
            row.results[package]["fresh_stat"] = call(pythons[PEER], "referee.py", PEER, name, values)
    if len(packages) > 1:
        row.complaints = task.agree(row.results[OURS], row.results[PEER])


def missed(row: Row, rows: dict[str, Row]) -> list[str]:
    """Goals that the row misses."""
    misses = []
    if row.goal is not None and (row.ratio or 0) < row.goal:
        misses.append(f"{row.name}: ratio {row.ratio or 0:.1f}, goal {row.goal:g}")
    if row.growth is not None and row.growth[0] in rows:
        ours, base = row.time(OURS), rows[row.growth[0]].time(OURS)
        if ours is not None and base is not None and ours > row.growth[1] * base:
            misses.append(f"{row.name}: {ours / base:.2f} times {row.growth[0]}, goal {row.growth[1]:g}")
    return misses


def show_time(seconds: float | None) -> str:
    """Milliseconds with three digits, or a dash."""
    return "-" if seconds is None else f"{1e3 * seconds:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


HEADER = (
    "| task | gammapy 2.1 | geminga | ratio | goal | further ratios | memory (MB) | same answer |",
    "|---|---|---|---|---|---|---|---|",
)


def line(row: Row) -> str:
    """Row of the Markdown table."""
    ratio = "-" if row.ratio is None else f"{row.ratio:.1f}x"
    goal = f"{row.goal:g}x" if row.goal else f"{row.growth[1]:g} x {row.growth[0]}" if row.growth else "-"
    keys = list(dict.fromkeys(key for more in row.more[OURS] for key in more))
    further = [(key, row.more_ratio(key)) for key in keys]
    more = ", ".join(f"{key} {value:.1f}x" for key, value in further if value is not None) or "-"
    memory = " / ".join(f"{max(row.memory[p]):.0f}" if row.memory[p] else "-" for p in (PEER, OURS))
    answer = "; ".join(row.complaints) or ("yes" if row.times[PEER] else "-")
    cells = [row.title, show_time(row.time(PEER)), show_time(row.time(OURS)), ratio, goal, more, memory, answer]
    return "| " + " | ".join(cells) + " |"


def title_of(name: str) -> str:
    """First line of the text of a task."""
    return (load(name).__doc__ or name).strip().splitlines()[0].rstrip(".")


def machine() -> str:
    """What the numbers were measured on."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    cpu = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())
    numpy, scipy, astropy = (importlib.import_module(name).__version__ for name in ("numpy", "scipy", "astropy"))
    return (
        f"{datetime.date.today().isoformat()}, {os.cpu_count()} cores, {cpu}, Python {platform.python_version()}, "
        f"numpy {numpy}, scipy {scipy}, astropy {astropy}"
    )


def write_results(rows: list[Row]) -> Path:
    """Write the table to ``benchmarks/results.md``; lines of tasks that were not run stay as they are."""
    path = ROOT / "benchmarks" / "results.md"
    before = path.read_text().splitlines() if path.exists() else []
    known = {text.split(" | ")[0].removeprefix("| "): text for text in before if text.startswith("| ")}
    known |= {row.title: line(row) for row in rows}
    lines = [known[title] for title in map(title_of, NAMES) if title in known]
    introduction = (
        "# Benchmarks",
        "Written by `make bench BENCH_ARGS=--write`. Times are medians; ratios are gammapy / geminga, the median over turns\n"
        "A B A B of one process each. Fit times are of a dataset just read, preparation included; *refit* is a further fit\n"
        "of the same dataset from another start; *first* is the first call in a process. Tasks named on the command line\n"
        "renew their lines only.",
        machine(),
        "\n".join([*HEADER, *lines]),
    )
    path.write_text("\n\n".join(introduction) + "\n")
    return path


def make_fields(names: list[str], pythons: dict[str, str]) -> None:
    """Simulate the fields of the tasks with many sources."""
    for name in names:
        if name.startswith("fit_gauss_"):
            call(pythons[PEER], "make_field.py", PEER, name.rsplit("_", 1)[1])


def main() -> int:
    """Run the tasks that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", choices=[[], *NAMES], help="tasks to run (default: all)")
    parser.add_argument("--rounds", type=int, default=3, help="turns for each task (default: 3; a task may set its own)")
    parser.add_argument("--write", action="store_true", help="write benchmarks/results.md")
    parser.add_argument("--assert", dest="check", action="store_true", help="fail if a goal is missed or answers differ")
    options = parser.parse_args()
    if not os.environ.get("GAMMAPY_DATA"):
        parser.error("set GAMMAPY_DATA to the folder that holds cta-1dc-gc/cta-1dc-gc.fits.gz")
    os.environ["GAMMAPY_DATA"] = str(Path(os.environ["GAMMAPY_DATA"]).resolve())
    pythons = {OURS: os.environ.get("GEMINGA_PYTHON", sys.executable), PEER: peer_python()}
    names = [name for name in NAMES if not options.tasks or name in options.tasks]
    rows: dict[str, Row] = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["BENCHMARK_FIELDS"] = folder
        make_fields(names, pythons)
        for name in names:
            rows[name] = run_task(name, pythons, options.rounds)
    print("\n" + "\n".join([*HEADER, *map(line, rows.values())]))
    if options.write:
        print(f"\nWritten: {write_results(list(rows.values()))}")
    failures = [text for row in rows.values() for text in missed(row, rows)]
    failures += [f"{row.name}: {text}" for row in rows.values() for text in row.complaints]
    if failures:
        print("\nMissed:\n  " + "\n  ".join(failures))
    return int(options.check and bool(failures))


if __name__ == "__main__":
    sys.exit(main())
