"""Simulate a field of Gaussian sources: ``make_field.py PACKAGE NUMBER``."""

from __future__ import annotations

import json
import sys
import warnings

from many import write_field
from taskkit import Package

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    write_field(Package(sys.argv[1]), int(sys.argv[2]))
    print(json.dumps(None))
