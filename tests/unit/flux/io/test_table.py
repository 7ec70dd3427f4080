"""Tables of flux points: what is written reads back, in every SED type and layout, and bad tables are refused."""

from __future__ import annotations

import logging

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable, Table
from astropy.timeseries import BinnedTimeSeries
from numpy.testing import assert_allclose

from geminga.errors import FormatError, GeometryError, InputError, NameLookupError, UnitError
from geminga.estimators import FluxPoints
from geminga.maps import MapAxis, RegionGeom, RegionNDMap
from tests.unit.flux.builders import ENERGY, MODEL, POWER_LAW, SCAN, TIME, light_curve, single_band_light_curve, spectrum_points

SED_TYPES = ["dnde", "e2dnde", "flux", "eflux", "likelihood", "norm"]


def table(**columns):
    """Three differential fluxes; columns may be replaced, or left out with None."""
    unit = u.Unit("cm-2 s-1 TeV-1")
    given = {"e_ref": [1, 3, 10] * u.TeV, "dnde": [1e-11, 1e-12, 1e-13] * unit} | columns
    return Table(QTable({name: value for name, value in given.items() if value is not None}))


def equal(one, two):
    """All quantities are the same."""
    assert set(one.available_quantities) <= set(two.available_quantities)
    for name in one.available_quantities:
        a, b = getattr(one, name), getattr(two, name)
        assert_allclose(b.data.astype(float), a.data.astype(float), rtol=1e-9, err_msg=name)
    for name in ("dnde", "flux", "eflux"):
        assert_allclose(getattr(two, name).data, getattr(one, name).data, rtol=1e-9, err_msg=name)
    assert_allclose(two.is_ul.data, one.is_ul.data)


@pytest.mark.parametrize("sed_type", SED_TYPES)
def test_spectrum_reads_back(sed_type):
    points = spectrum_points()
    again = FluxPoints.from_table(points.to_table(sed_type=sed_type))
    equal(points, again)
    assert_allclose(again.recompute_ul(2).norm_ul.data, points.recompute_ul(2).norm_ul.data, rtol=1e-9)
    assert again.n_sigma_ul == 2
    assert again.sed_type_init == ("likelihood" if sed_type == "norm" else sed_type)


@pytest.mark.parametrize("sed_type", SED_TYPES)
def test_light_curve_reads_back(sed_type):
    curve = light_curve()
    found = curve.to_table(sed_type=sed_type)
    assert found["time_min"].shape == (3,)
    assert found["stat_scan"].shape == (3, 3, 11)
    again = FluxPoints.from_table(found, gti=curve.gti)
    equal(curve, again)
    assert again.geom.axes["time"].is_allclose(TIME, atol=1e-8)
    assert again.gti == curve.gti


def test_table_of_one_energy_keeps_its_reference():
    curve = single_band_light_curve()
    again = FluxPoints.from_table(curve.to_table(sed_type="flux"))
    equal(curve, again)
    assert_allclose(again.eflux_ref.ravel()[0], curve.eflux_ref.ravel()[0])


def test_profile_reads_back():
    for axis in (
        MapAxis.from_nodes([0.1, 0.2, 0.4], name="projected-distance", unit="deg"),
        MapAxis.from_edges([0.0, 0.1, 0.3, 0.4], name="projected-distance", unit="deg"),
    ):
        geom = RegionGeom.create(None, axes=[ENERGY, axis])
        norm = RegionNDMap.from_geom(geom, data=np.arange(9.0).reshape(geom.data_shape))
        points = FluxPoints({"norm": norm, "norm_err": norm * 0.1}, MODEL)
        found = points.to_table(sed_type="flux")
        assert found["flux"].shape == (3, 3)
        again = FluxPoints.from_table(found, reference_model=MODEL)
        equal(points, again)
        assert again.geom.axes["projected-distance"] == axis


def test_columns_and_units():
    found = spectrum_points().to_table(sed_type="e2dnde")
    assert found.colnames[:3] == ["e_ref", "e_min", "e_max"]
    assert found["e2dnde"].unit == "erg cm-2 s-1"
    assert found["ts"].shape == (3,)
    assert found["counts"].shape == (3, 1)
    assert found["is_ul"].dtype == bool
    assert found.meta == {"SED_TYPE": "e2dnde", "UL_CONF": 0.9544997}
    assert spectrum_points(n_sigma_ul=3, n_sigma=2).to_table().meta["UL_CONF"] == 0.9973002
    assert FluxPoints.from_table(spectrum_points(n_sigma=2).to_table()).n_sigma == 2


def test_formatted_table():
    found = spectrum_points().to_table(sed_type="dnde", formatted=True)
    assert {name: found[name].format for name in ("e_ref", "dnde_ul", "ts", "counts")} == {
        "e_ref": ".3f",
        "dnde_ul": ".3e",
        "ts": ".3f",
        "counts": None,
    }


def test_binned_time_series_is_one_of_astropy():
    found = single_band_light_curve().to_table(sed_type="flux", format="binned-time-series")
    series = BinnedTimeSeries(found)
    assert_allclose(series["flux"].to_value("cm-2 s-1"), single_band_light_curve().flux.data.ravel())
    assert_allclose(found["time_bin_size"].quantity.to_value("h"), 1)
    with pytest.raises(GeometryError, match="cannot be written as 'binned-time-series'.*with one energy bin"):
        light_curve().to_table(format="binned-time-series")
    with pytest.raises(FormatError, match="can only be written; read 'lightcurve'"):
        FluxPoints.from_table(found)


def test_format_must_fit_the_axes():
    with pytest.raises(GeometryError, match=r"axes \{'energy': 3\} cannot be written as 'lightcurve'"):
        spectrum_points().to_table(format="lightcurve")
    with pytest.raises(FormatError, match="format 'votable' is not known; expected one of gadf-sed"):
        spectrum_points().to_table(format="votable")
    with pytest.raises(FormatError, match="no column 'time_min', which the format 'lightcurve' needs"):
        FluxPoints.from_table(table(), format="lightcurve")
    with pytest.raises(NameLookupError, match="SED type 'sed' is not known"):
        spectrum_points().to_table(sed_type="sed")


def test_kind_is_found_by_columns(caplog):
    with caplog.at_level(logging.WARNING):
        assert FluxPoints.from_table(table()).sed_type_init == "dnde"
    assert "power law of index 2 is assumed" in caplog.text


def test_photon_units_are_read():
    found = table(dnde=[1.0, 2.0, 3.0])
    found["dnde"].unit = "ph / (cm2 MeV s)"
    assert_allclose(FluxPoints.from_table(found).dnde.quantity.ravel().to_value("cm-2 s-1 MeV-1"), [1, 2, 3])


def test_masked_cells_are_nan():
    found = Table(table(), masked=True)
    found["dnde"].mask = [False, True, False]
    assert np.isnan(FluxPoints.from_table(found).dnde.data.ravel()).tolist() == [False, True, False]


def test_log_likelihoods_of_old_files():
    found = table(loglike=[1.0, 2.0, 3.0], loglike_null=[2.0, 2.0, 4.0])
    points = FluxPoints.from_table(found)
    assert_allclose(points.stat.data.ravel(), [2, 4, 6])
    assert_allclose(points.ts.data.ravel(), [2, 0, 2])


@pytest.mark.parametrize(
    ("columns", "error", "match"),
    [
        ({"dnde": None}, FormatError, "neither the keyword SED_TYPE nor one of the columns dnde"),
        ({"e_ref": None}, FormatError, "flux tables have e_ref, or e_min and e_max"),
        ({"dnde": [1, 2, 3] * u.m}, UnitError, "dnde has the unit 'm'; expected one such as"),
        ({"dnde": [1.0, 2.0, 3.0]}, UnitError, "Column 'dnde' has no unit; expected one such as"),
        ({"e_ref": [1, 2, 3] * u.s}, FormatError, "Column 'e_ref' has the unit 's'; expected one of energy"),
        ({"e_ref": [1, 1, 2] * u.TeV}, FormatError, "Energies of the table are no axis: .*strict order"),
        ({"dnde_err": [1.0, 2.0, 3.0]}, UnitError, "Column 'dnde_err' has no unit"),
    ],
)
def test_bad_columns_are_refused(columns, error, match):
    with pytest.raises(error, match=match):
        FluxPoints.from_table(table(**columns))


def test_kind_asked_for_must_be_there():
    with pytest.raises(FormatError, match="no column 'flux', which the SED type 'flux' needs"):
        FluxPoints.from_table(table(), sed_type="flux")
    with pytest.raises(FormatError, match="no columns 'e_min' and 'e_max' of bins"):
        FluxPoints.from_table(table(flux=[1, 2, 3] * u.Unit("cm-2 s-1")), sed_type="flux")
    wrong = table()
    wrong.meta["SED_TYPE"] = "brightness"
    with pytest.raises(NameLookupError, match="SED type 'brightness' is not known"):
        FluxPoints.from_table(wrong)


def test_norms_without_reference_are_refused():
    found = spectrum_points().to_table()
    found.remove_columns(["ref_dnde", "ref_flux", "ref_eflux"])
    with pytest.raises(FormatError, match="holds norms, but no reference"):
        FluxPoints.from_table(found)
    assert_allclose(FluxPoints.from_table(found, reference_model=POWER_LAW).norm.data, spectrum_points().norm.data)


def test_gaps_between_bins_leave_differential_fluxes(caplog):
    unit = u.Unit("cm-2 s-1")
    found = QTable({"e_min": [1, 3] * u.TeV, "e_max": [2, 4] * u.TeV, "flux": [1, 2] * unit})
    with pytest.raises(FormatError, match="do not follow each other .* and there is no column 'e_ref'"):
        FluxPoints.from_table(found)
    found["e_ref"] = [1.4, 3.5] * u.TeV
    with pytest.raises(FormatError, match="bins that follow each other"):
        FluxPoints.from_table(found)
    found["dnde"] = [1, 2] * u.Unit("cm-2 s-1 TeV-1")
    with caplog.at_level(logging.WARNING):
        points = FluxPoints.from_table(found, sed_type="dnde")
    assert "only differential fluxes" in caplog.text
    assert_allclose(points.energy_ref.value, [1.4, 3.5])


def test_energies_of_a_light_curve_are_the_same_in_all_rows():
    found = light_curve().to_table()
    found["e_min"][1] *= 2
    with pytest.raises(FormatError, match="Column 'e_min': rows have different energies"):
        FluxPoints.from_table(found)


def test_columns_of_other_shapes_are_refused():
    found = light_curve().to_table()
    found["ts"] = [1.0, 2.0, 3.0]
    with pytest.raises(FormatError, match=r"Column 'ts' has the shape \(3,\); expected \(3, 3\)"):
        FluxPoints.from_table(found)


def test_light_curve_with_scalar_cells():
    found = single_band_light_curve().to_table(sed_type="flux")
    for name in found.colnames:
        if found[name].ndim == 2 and name not in {"stat_scan", "norm_scan", "counts", "npred", "npred_excess"}:
            found[name] = found[name][:, 0]
    found.remove_columns(["stat_scan", "norm_scan"])
    again = FluxPoints.from_table(found)
    assert_allclose(again.flux.data, single_band_light_curve().flux.data)


def test_scan_of_unknown_reference_is_left_out(caplog):
    found = spectrum_points().to_table(sed_type="flux")
    found.remove_columns(["ref_dnde", "ref_flux", "ref_eflux"])
    with caplog.at_level(logging.WARNING):
        points = FluxPoints.from_table(found)
    assert not points.has_stat_profiles
    assert "stat_scan is left out" in caplog.text
    known = FluxPoints.from_table(found, reference_model=MODEL)
    assert_allclose(known.stat_scan.geom.axes["norm"].center, SCAN)


def test_scan_follows_another_reference():
    points = spectrum_points()
    other = FluxPoints.from_table(points.to_table(), reference_model=POWER_LAW)
    # The norms of the table are relative to its own reference, so fluxes would differ; in dnde they are the same.
    again = FluxPoints.from_table(points.to_table(sed_type="dnde"), reference_model=POWER_LAW)
    limits = again.recompute_ul(2)
    assert_allclose(limits.dnde_ul.data, points.recompute_ul(2).dnde_ul.data, rtol=1e-6)
    assert other.has_stat_profiles
    assert "dnde_scan_values" in again.available_quantities
    equal(again, FluxPoints.from_table(again.to_table(sed_type="dnde")))


def test_scans_with_their_own_nodes():
    points = spectrum_points()
    found = points.to_table()
    found["norm_scan"] = found["norm_scan"] * np.array([1.0, 2.0, 3.0])[:, None]
    again = FluxPoints.from_table(found)
    assert_allclose(again.dnde_scan_values.data[1, :, 0, 0], 2 * SCAN * points.dnde_ref.ravel()[1].value)
    again = FluxPoints.from_table(again.to_table())
    assert_allclose(again.dnde_scan_values.data[2, :, 0, 0], 3 * SCAN * points.dnde_ref.ravel()[2].value)


def test_energies_without_bins_have_no_integral_table():
    points = FluxPoints.from_table(table())
    assert points.to_table(sed_type="dnde").colnames == ["e_ref", "dnde", "is_ul"]
    with pytest.raises(InputError, match="without bin edges"):
        points.to_table(sed_type="flux")
    assert points.to_table(sed_type="likelihood").colnames == ["e_ref", "ref_dnde", "norm", "is_ul"]
