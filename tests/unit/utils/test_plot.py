"""Axes and quantities of plots."""

from __future__ import annotations

import pytest
from astropy import units as u
from numpy.testing import assert_allclose

from geminga.utils.plot import current_axes, quantities_on_axes, two_panels, with_norm

plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_current_axes():
    first, second = plt.figure().subplots(1, 2)
    assert current_axes(first) is first
    assert current_axes() is current_axes(None) is second


def test_quantities_are_converted_and_twice_is_no_news():
    ax = plt.figure().add_subplot()
    with quantities_on_axes():
        ax.plot([1, 2] * u.TeV, [1, 2] * u.cm)
        (line,) = ax.plot([3000, 4000] * u.GeV, [10, 20] * u.mm)
    assert ax.xaxis.units == u.TeV
    assert_allclose(line.get_xdata(orig=False), [3, 4])
    assert_allclose(line.get_ydata(orig=False), [1, 2])


def test_two_panels():
    upper, lower = two_panels(plt.figure())
    lower.set_xlim(2, 3)
    assert upper.get_xlim() == (2, 3)
    above, below = upper.get_position(), lower.get_position()
    assert above.y0 > below.y1
    assert above.height > below.height


def test_norm_of_limits_or_defaults_or_as_given():
    from matplotlib.colors import LogNorm

    options = with_norm({"cmap": "gray", "vmax": 5}, LogNorm, vmin=1, vmax=2)
    assert (options["norm"].vmin, options["norm"].vmax, options["cmap"]) == (1, 5, "gray")
    assert "vmax" not in options
    given = {"norm": LogNorm(3, 4)}
    assert with_norm(given, LogNorm, vmin=1) == given
