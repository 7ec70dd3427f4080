"""Helpers for tests of code that uses the package."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from numpy.testing import assert_allclose

from geminga.errors import NameLookupError

__all__ = [
    "Checker",
    "assert_quantity_allclose",
    "assert_skycoord_allclose",
    "assert_time_allclose",
    "mpl_plot_check",
    "requires_data",
    "requires_dependency",
]


def requires_dependency(name: str) -> Any:
    """Mark a test to be skipped unless a package is installed.

    Parameters
    ----------
    name : str
        Name under which it is imported.
    """
    import pytest

    return pytest.mark.skipif(importlib.util.find_spec(name) is None, reason=f"needs the package {name}")


def requires_data(name: str = "gammapy-data") -> Any:
    """Mark a test to be skipped unless data are there.

    Parameters
    ----------
    name : str
        "gammapy-data", or a path below ``$GAMMAPY_DATA``.
    """
    import pytest

    root = os.environ.get("GAMMAPY_DATA")
    there = root is not None and (Path(root) if name == "gammapy-data" else Path(root) / name).exists()
    return pytest.mark.skipif(not there, reason=f"needs $GAMMAPY_DATA{'' if name == 'gammapy-data' else '/' + name}")


def assert_quantity_allclose(actual: Any, desired: Any, rtol: float = 1.0e-7, atol: Any = None, **kwargs: Any) -> None:
    """Assert that two quantities agree.

    Parameters
    ----------
    actual, desired : Quantity
        What to compare, of convertible units.
    rtol : float
        Relative tolerance.
    atol : Quantity, optional
        Absolute tolerance.
    **kwargs
        Passed to `numpy.testing.assert_allclose`.
    """
    from astropy import units as u

    actual, desired = u.Quantity(actual, subok=True), u.Quantity(desired, subok=True)
    absolute = 0.0 if atol is None else u.Quantity(atol).to_value(actual.unit)
    assert_allclose(actual.value, desired.to_value(actual.unit), rtol=rtol, atol=absolute, **kwargs)


def assert_skycoord_allclose(actual: Any, desired: Any) -> None:
    """Assert that two positions are of one frame and agree to 1e-7 in value."""
    assert actual.frame.name == desired.frame.name, f"frames differ: {actual.frame.name} and {desired.frame.name}"
    assert_allclose(actual.spherical.lon.deg, desired.spherical.lon.deg, rtol=1e-7, atol=1e-7)
    assert_allclose(actual.spherical.lat.deg, desired.spherical.lat.deg, rtol=1e-7, atol=1e-7)


def assert_time_allclose(actual: Any, desired: Any, atol: float = 1e-3) -> None:
    """Assert that two times are of one scale and agree to `atol` in s."""
    assert actual.scale == desired.scale, f"scales differ: {actual.scale} and {desired.scale}"
    assert_allclose((actual - desired).to_value("s"), 0.0, atol=atol)


@contextmanager
def mpl_plot_check() -> Iterator[None]:
    """Context that opens a figure, runs a plot and draws it, to see that it draws at all."""
    import matplotlib.pyplot as plt

    figure = plt.figure()
    try:
        yield
        figure.savefig(os.devnull, format="png")
    finally:
        plt.close(figure)


class Checker:
    """Run named checks, each a method of a subclass.

    A subclass maps the name of a check to that of a method in ``CHECKS``; the method gives one dictionary for each finding.
    """

    CHECKS: ClassVar[dict[str, str]] = {}

    def run(self, checks: Any = "all") -> Iterator[dict[str, Any]]:
        """Findings of some or all checks.

        Parameters
        ----------
        checks : "all" or list of str
            Names of checks.

        Raises
        ------
        NameLookupError
            If a check is unknown.
        """
        names = list(self.CHECKS) if checks == "all" else list(checks)
        unknown = sorted(set(names) - set(self.CHECKS))
        if unknown:
            msg = f"{type(self).__name__}: unknown check {unknown[0]!r}; known checks: {', '.join(self.CHECKS)}."
            raise NameLookupError(msg)
        for name in names:
            yield from getattr(self, self.CHECKS[name])()
