"""Settings of every test: no display, reproducible property tests."""

from __future__ import annotations

import matplotlib
from hypothesis import settings

matplotlib.use("Agg")
settings.register_profile("ci", derandomize=True, deadline=None, max_examples=30)
settings.load_profile("ci")

#: Run by ``make fuzz``, which installs what they need.
collect_ignore = ["fuzz/run.py"]
