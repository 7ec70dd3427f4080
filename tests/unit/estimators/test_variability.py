"""Tables of variability: the numbers of the statistics, for each energy of a light curve."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.time import Time
from numpy.testing import assert_allclose

from geminga.errors import GeometryError, NameLookupError
from geminga.estimators import FluxPoints
from geminga.estimators.utils import (
    compute_lightcurve_discrete_correlation,
    compute_lightcurve_doublingtime,
    compute_lightcurve_fpp,
    compute_lightcurve_fvar,
)
from geminga.stats import compute_fpp, compute_fvar
from tests.helpers import requires_data
from tests.unit.flux.builders import MODEL, TIME, light_curve, single_band_light_curve, spectrum_points


@pytest.mark.parametrize(
    ("function", "statistic", "name"),
    [(compute_lightcurve_fvar, compute_fvar, "fvar"), (compute_lightcurve_fpp, compute_fpp, "fpp")],
)
@pytest.mark.parametrize("quantity", ["flux", "dnde", "norm"])
def test_fractions(function, statistic, name, quantity):
    curve = light_curve()
    table = function(curve, flux_quantity=quantity)
    assert table.colnames == ["min_energy", "max_energy", name, f"{name}_err", "significance"]
    assert table["min_energy"].quantity[1] == 3 * u.TeV
    flux, error = (curve[q].data[..., 0, 0] for q in (quantity, f"{quantity}_err"))
    for k in range(3):
        expected = statistic(flux[:, k], error[:, k])
        assert_allclose([table[name][k], table[f"{name}_err"][k]], expected)
    assert_allclose(table["significance"], table[name] / table[f"{name}_err"])


def test_errors_of_two_standard_deviations_and_of_both_sides():
    curve = light_curve()
    expected = compute_lightcurve_fvar(curve)["fvar"]
    wide = {n: v * 2 if n == "norm_err" else v for n, v in curve._data.items() if n not in {"norm_errn", "norm_errp"}}
    assert_allclose(compute_lightcurve_fvar(FluxPoints(wide, MODEL, meta={"n_sigma": 2}))["fvar"], expected)
    sided = {n: v for n, v in curve._data.items() if n != "norm_err"}
    assert_allclose(compute_lightcurve_fvar(FluxPoints(sided, MODEL))["fvar"], expected)


def test_doubling_times():
    curve = single_band_light_curve()
    table = compute_lightcurve_doublingtime(curve)
    assert table.colnames[2:5] == ["doublingtime", "doubling_err", "doubling_coord"]
    flux = curve.flux.data.ravel()  # high, low, middle at 0.5, 2.5 and 5.5 h
    assert_allclose(table["doublingtime"].quantity.to_value("h"), 3 * np.log(2) / np.log(flux[2] / flux[1]))
    assert_allclose(table["halvingtime"].quantity.to_value("h"), 2 * np.log(2) / np.log(flux[0] / flux[1]))
    assert isinstance(table["halving_coord"], Time)
    assert_allclose((table["halving_coord"][0] - TIME.time_mid[0]).to_value("s"), 0, atol=1e-3)


def test_correlation():
    curve = light_curve()
    result = compute_lightcurve_discrete_correlation(curve, tau=1 * u.h)
    zero = int(np.argmin(np.abs(result["bins"])))
    assert result["bins"].unit == u.s
    assert result["discrete_correlation"].shape == (len(result["bins"]), 3)
    assert result["discrete_correlation"][zero, 0] > 0.9
    both = compute_lightcurve_discrete_correlation(curve, curve, flux_quantity="dnde")
    assert_allclose(np.diff(both["bins"].to_value("h")), 2 * 5 / 3)


def test_what_is_no_light_curve_is_refused():
    with pytest.raises(GeometryError, match=r"needs a light curve with the axes energy and time; this one has \['lon'"):
        compute_lightcurve_fvar(spectrum_points())
    with pytest.raises(NameLookupError, match="flux_quantity 'flux_ul' is no flux; expected one of dnde"):
        compute_lightcurve_fvar(light_curve(), flux_quantity="flux_ul")
    with pytest.raises(NameLookupError, match="'flux_err' is not defined"):
        compute_lightcurve_fvar(FluxPoints({"norm": light_curve().norm}, MODEL))


@requires_data("estimators/pks2155_hess_lc")
def test_flare_of_pks_2155():
    curve = FluxPoints.read("$GAMMAPY_DATA/estimators/pks2155_hess_lc/pks2155_hess_lc.fits")
    table = compute_lightcurve_fvar(curve)
    assert_allclose([table["fvar"][0], table["fvar_err"][0]], [0.5626406413055796, 0.0170070997711498], rtol=1e-6)
    assert compute_lightcurve_fpp(curve)["fpp"][0] < 0.5 * table["fvar"][0]
