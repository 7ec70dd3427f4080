"""Import maps, datasets, modeling.models, estimators and makers in a new process.

``names`` is the time until, after that, every public name of the five is loaded too.
"""

from __future__ import annotations

import importlib

from taskkit import Package, clock, main

GOAL = 2.5
ROUNDS = 7
PACKAGES = ("maps", "datasets", "modeling.models", "estimators", "makers")


def run(package: Package) -> dict:
    modules = []
    seconds, _ = clock(lambda: modules.extend(importlib.import_module(f"{package.name}.{name}") for name in PACKAGES))
    touch, _ = clock(lambda: [getattr(module, name) for module in modules for name in getattr(module, "__all__", [])])
    return {"time": seconds, "more": {"names": seconds + touch}, "result": {}}


def agree(ours: dict, peer: dict) -> list[str]:
    return []


if __name__ == "__main__":
    main(run)
