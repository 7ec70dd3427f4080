"""What stands on pictures of flux points."""

from __future__ import annotations

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.errors import GeometryError, InputError, NameLookupError
from geminga.estimators import FluxPoints
from tests.unit.flux.builders import MODEL, flux_maps, light_curve, single_band_light_curve, spectrum_points


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def shown(ax, number=0):
    """Numbers of a line of points."""
    return np.asarray(ax.containers[number].lines[0].get_ydata(), dtype=float)


@pytest.mark.parametrize(
    ("sed_type", "power", "label"),
    [
        ("dnde", 0, "dnde [$"),
        ("e2dnde", 0, "e2dnde [$"),
        ("flux", 0, "flux [$"),
        ("dnde", 2, "e2 * dnde [$"),
        ("norm", 0, "norm"),
    ],
)
def test_points_and_labels(sed_type, power, label):
    ax = spectrum_points().plot(sed_type=sed_type, energy_power=power)
    points = spectrum_points()
    expected = points["norm" if sed_type == "norm" else sed_type].quantity.ravel() * points.energy_ref**power
    unit = {"dnde": "TeV-1 cm-2 s-1", "e2dnde": "erg cm-2 s-1", "flux": "cm-2 s-1", "norm": ""}[sed_type]
    if power:
        unit = "TeV cm-2 s-1"
    assert_allclose(shown(ax)[:2], expected[:2].to_value(unit), rtol=1e-9)
    assert ax.get_ylabel().startswith(label)
    assert ax.get_yscale() == "log"
    assert ax.get_xlabel().startswith("Energy")


def test_upper_limits_are_arrows_at_the_limit():
    points = spectrum_points()
    assert points.is_ul.data.ravel().tolist() == [False, False, True]
    ax = points.plot(sed_type="dnde")
    assert_allclose(shown(ax)[2], points.dnde_ul.data.ravel()[2])
    assert ax.containers[0].has_yerr
    plain = FluxPoints({"norm": points.norm}, MODEL).plot(ax=plt.figure().gca())
    assert_allclose(shown(plain), points.dnde.data.ravel())


def test_light_curve_has_a_line_for_each_energy():
    ax = light_curve().plot(sed_type="flux", axis_name="time")
    assert len(ax.containers) == 3
    assert_allclose(shown(ax, 1)[0], light_curve().flux.data[0, 1, 0, 0])
    assert len(ax.get_legend().get_texts()) == 3
    assert ax.get_xlabel() == "Time [iso]"
    by_energy = light_curve().plot(ax=plt.figure().gca(), sed_type="flux", axis_name="energy")
    assert_allclose(shown(by_energy, 2)[0], light_curve().flux.data[2, 0, 0, 0])


def test_light_curve_in_mjd():
    ax = single_band_light_curve().plot(sed_type="eflux", time_format="mjd", color="k")
    assert ax.get_xlabel() == "Time [mjd]"
    x = ax.containers[0].lines[0].get_xdata()
    assert_allclose(x, single_band_light_curve().geom.axes["time"].time_mid.mjd)


def test_spectra_on_one_picture_share_units():
    one = spectrum_points()
    ax = one.plot(sed_type="e2dnde", label="a")
    low = ax.get_xlim()
    part = one.slice_by_energy("3 TeV", "10 TeV")
    part.plot(ax=ax, sed_type="e2dnde", label="b")
    assert ax.get_xlim() == low
    MODEL.spectral_model.plot(["1 TeV", "30 TeV"], ax=ax, sed_type="e2dnde")
    assert_allclose(u.Quantity(ax.lines[-1].get_ydata()).max().to_value("erg cm-2 s-1"), 3.187e-11, rtol=1e-2)
    assert ax.get_ylabel().startswith("e2dnde")


def test_axis_must_be_said():
    with pytest.raises(InputError, match="axis_name must be given"):
        light_curve().plot()
    with pytest.raises(NameLookupError, match="SED type 'sed' is not known"):
        spectrum_points().plot(sed_type="sed")
    with pytest.raises(GeometryError, match="fluxes on a WcsGeom are maps"):
        FluxPoints.plot(flux_maps())


def test_profiles_are_drawn():
    ax = spectrum_points().plot_ts_profiles(sed_type="dnde")
    mesh = ax.collections[0]
    assert mesh.get_clim() == (-4, 0)
    assert ax.figure.axes[1].get_ylabel() == "Fit statistic difference"
    assert mesh.get_array().max() > -0.01
    ax = single_band_light_curve().plot_ts_profiles(ax=plt.figure().gca(), add_cbar=False, cmap="Reds")
    # Gaps between intervals stay empty.
    assert np.ma.getmaskarray(ax.collections[0].get_array()).any()
    with pytest.raises(InputError, match="select one bin of all but one"):
        light_curve().plot_ts_profiles(axis_name="time")
    with pytest.raises(InputError, match="there is no 'stat_scan'"):
        FluxPoints({"norm": spectrum_points().norm}, MODEL).plot_ts_profiles()


def test_flux_maps_are_plotted_as_maps():
    axes = flux_maps().flux.plot_grid(add_cbar=True)
    assert len(axes) == 2
