"""Flux points as a dataset: statistics, masks, fits, files, summaries and refusals."""

from __future__ import annotations

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable
from numpy.testing import assert_allclose
from scipy.stats import norm

from geminga.datasets import DATASET_REGISTRY, Datasets, FluxPointsDataset, SpectrumDataset, set_and_restore_mask_fit
from geminga.errors import DataError, FileExistsRefusal, FormatError, GeometryError, InputError, UnsupportedError
from geminga.estimators import FluxPoints
from geminga.maps import MapAxis, RegionGeom, RegionNDMap
from geminga.modeling import Fit
from geminga.modeling.models import (
    ExpDecayTemporalModel,
    FoVBackgroundModel,
    LogParabolaSpectralModel,
    Models,
    PowerLawSpectralModel,
    SkyModel,
    create_crab_spectral_model,
)
from tests.helpers import requires_data
from tests.unit.flux.builders import ENERGY, TIME, gti, light_curve, single_band_light_curve, spectrum_points

UNIT = u.Unit("cm-2 s-1 TeV-1")
CRAB = "$GAMMAPY_DATA/estimators/crab_hess_fp/crab_hess_fp.fits"


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def power_law(name="source"):
    return SkyModel(PowerLawSpectralModel(index=2.5, amplitude="3e-12 cm-2 s-1 TeV-1"), name=name)


def points(dnde, err=None, ul=None, **columns):
    """Flux points at 1, 2, 4... TeV in units of 1e-12, read from a table."""
    table = QTable({"e_ref": 2.0 ** np.arange(len(dnde)) * u.TeV, "dnde": np.array(dnde) * 1e-12 * UNIT})
    for name, value in {"dnde_err": err, "dnde_ul": ul, **columns}.items():
        if value is not None:
            table[name] = np.array(value) if name == "is_ul" else np.array(value) * 1e-12 * UNIT
    return FluxPoints.from_table(table, reference_model=PowerLawSpectralModel(index=2))


# Statistics ----------------------------------------------------------------------------------------------------------


@requires_data("estimators/crab_hess_fp")
def test_chi2_reference_value():
    model = SkyModel(create_crab_spectral_model("hess_ecpl"))
    dataset = FluxPointsDataset(data=FluxPoints.read(CRAB), models=model)
    assert_allclose(dataset.stat_sum(), 2.0160725923265037, rtol=1e-9)
    assert dataset.mask_valid.sum() == 4
    assert np.isnan(dataset.stat_array().ravel()[0])
    dataset.stat_type = "distrib"
    assert_allclose(dataset.stat_sum(), 2.2822358440153794, rtol=1e-9)
    # The profile is the likelihood itself: the three agree about the best model.
    dataset.stat_type = "profile"
    assert_allclose(dataset.stat_sum(), 8.92, rtol=0.02)


def test_distrib_uses_the_error_on_the_side_of_the_model():
    data = points([3.0, 3.0], dnde_errn=[0.5, 0.5], dnde_errp=[1.0, 1.0])
    high = SkyModel(PowerLawSpectralModel(index=0, amplitude="4e-12 cm-2 s-1 TeV-1"))
    low = SkyModel(PowerLawSpectralModel(index=0, amplitude="2e-12 cm-2 s-1 TeV-1"))
    assert_allclose(FluxPointsDataset(data=data, models=high, stat_type="distrib").stat_array().ravel(), [1, 1])
    assert_allclose(FluxPointsDataset(data=data, models=low, stat_type="distrib").stat_array().ravel(), [4, 4])
    assert_allclose(FluxPointsDataset(data=data, models=low, stat_type="chi2").stat_array().ravel(), (1 / 0.75) ** 2)


def test_upper_limits_are_probabilities_to_measure_less():
    data = points([3.0, np.nan], err=[0.5, np.nan], ul=[np.nan, 2.0], is_ul=[False, True])
    data.meta["n_sigma_ul"] = 3
    for amplitude in (0.1, 2.0, 5.0):
        model = SkyModel(PowerLawSpectralModel(index=0, amplitude=amplitude * 1e-12 * UNIT))
        dataset = FluxPointsDataset(data=data, models=model, stat_type="distrib")
        expected = -2 * norm.logcdf((2.0 - amplitude) / (2.0 / 3))
        assert_allclose(dataset.stat_array().ravel()[1], expected, rtol=1e-9)
        dataset.stat_type = "chi2"
        assert dataset.mask_safe.ravel().tolist() == [True, False]


def test_width_of_a_limit_counts_from_its_value():
    data = points([1.0], err=[0.5], ul=[2.5], is_ul=[True])
    data.meta["n_sigma_ul"] = 2
    model = SkyModel(PowerLawSpectralModel(index=0, amplitude="2e-12 cm-2 s-1 TeV-1"))
    dataset = FluxPointsDataset(data=data, models=model, stat_type="distrib")
    assert_allclose(dataset.stat_sum(), -2 * norm.logcdf(0.5 / 0.75), rtol=1e-9)


def test_limits_pull_a_model_below_them():
    data = points([4.0, 1.0, np.nan], err=[0.2, 0.1, np.nan], ul=[np.nan, np.nan, 0.05], is_ul=[False, False, True])
    indices = {}
    for stat_type in ("chi2", "distrib"):
        model = power_law()
        Fit().run(FluxPointsDataset(data=data, models=model, stat_type=stat_type))
        indices[stat_type] = model.spectral_model.index.value
    assert_allclose(indices["chi2"], 2.0, rtol=1e-4)
    assert indices["distrib"] > 2.1


def test_profile_statistic_is_the_rise_of_the_profiles():
    data = spectrum_points()
    dataset = FluxPointsDataset(data=data, models=data.reference_model, stat_type="profile")
    counts, background, signal = np.array([120, 40, 4.0]), np.array([20, 10, 3.0]), np.array([80, 25, 5.0])
    mu = background + signal
    expected = 2 * (mu - counts * np.log(mu)) - 2 * (counts - counts * np.log(counts))
    assert_allclose(dataset.stat_array().ravel(), expected, atol=0.01)


def test_profile_beyond_its_scan():
    far = SkyModel(PowerLawSpectralModel(index=2.4, amplitude="1e-9 cm-2 s-1 TeV-1"))
    dataset = FluxPointsDataset(data=spectrum_points(), models=far, stat_type="profile")
    held = FluxPointsDataset(data=spectrum_points(), models=far, stat_type="profile", stat_kwargs={"extrapolate": False})
    assert dataset.stat_sum() > held.stat_sum()
    assert_allclose(held.likelihood().evaluate(np.array([2.4, 1e-9, 1.0]), np.array([True, True, False]), 1)[1], 0)


def test_statistics_offered():
    dataset = FluxPointsDataset(data=points([1.0, 2.0], err=[0.1, 0.1]), name="points")
    assert dataset.available_stat_type == ["chi2", "distrib", "profile"]
    with pytest.raises(InputError, match="'points': stat_type 'cash' is not offered; choose one of chi2, distrib, profile"):
        dataset.stat_type = "cash"
    with pytest.raises(InputError, match="there is no 'stat_scan'"):
        dataset.stat_type = "profile"
    assert dataset.stat_type == "chi2"
    with pytest.raises(InputError, match="stat_kwargs foo not known"):
        FluxPointsDataset(data=points([1.0]), stat_kwargs={"foo": 1})


# Masks and bad data -----------------------------------------------------------------------------------------------------


def test_points_without_a_good_error_are_not_valid():
    data = points([1.0, 1.0, 1.0, 1.0, np.nan], err=[0.1, np.nan, 0.0, -0.1, 0.1])
    dataset = FluxPointsDataset(data=data, models=power_law())
    assert dataset.mask_valid.ravel().tolist() == [True, False, False, False, False]
    assert np.isfinite(dataset.stat_sum())
    no_errors = FluxPointsDataset(data=points([1.0, 2.0]), models=power_law(), name="bare")
    with pytest.raises(DataError, match=r"'bare': none of the 2 points can be fitted with stat_type 'chi2'; 0 are valid"):
        Fit().run(no_errors)


def test_all_points_upper_limits():
    data = points([np.nan] * 3, ul=[1.0, 0.5, 0.1])
    dataset = FluxPointsDataset(data=data, models=power_law(), name="limits")
    assert dataset.mask_safe.sum() == 0
    assert dataset.stat_sum() == 0
    with pytest.raises(DataError, match="Upper limits enter with 'distrib' or 'profile'"):
        Fit().run(dataset)
    dataset.stat_type = "distrib"
    assert dataset.mask_safe.sum() == 3
    term = dataset.likelihood()
    assert np.isfinite(term.evaluate(np.array([2.5, 3e-12, 1.0]), np.ones(3, bool), 2)[1]).all()


def test_masks():
    data = light_curve()
    mask = np.zeros((3, 3), dtype=bool)
    mask[0] = True
    dataset = FluxPointsDataset(data=data, mask_fit=mask)
    assert dataset.mask_fit.shape == (3, 3, 1, 1)
    assert dataset.mask.sum() == 3 - data.is_ul.data[0].sum()
    dataset.mask_fit = data.geom.energy_mask(energy_min=3 * u.TeV)
    assert dataset.mask_fit.sum() == 6
    dataset.mask_safe = np.ones((3, 3, 1, 1), dtype=bool)
    assert dataset.mask_safe.sum() == dataset.mask_valid.sum()
    with pytest.raises(GeometryError, match=r"mask_fit has the shape \(9,\); expected \(3, 3, 1, 1\), or \(3, 3\)"):
        dataset.mask_fit = np.ones(9, dtype=bool)
    with pytest.raises(DataError, match="mask_safe holds float64; expected bool"):
        dataset.mask_safe = np.ones((3, 3))


def test_mask_fit_for_a_while():
    dataset = FluxPointsDataset(data=spectrum_points(), mask_fit=np.array([True, True, False]))
    with set_and_restore_mask_fit(Datasets([dataset]), energy_min=3 * u.TeV):
        assert dataset.mask_fit.ravel().tolist() == [False, True, False]
    assert dataset.mask_fit.ravel().tolist() == [True, True, False]


def test_data_must_be_flux_points():
    with pytest.raises(InputError, match=r"'a': data are None; expected FluxPoints"):
        FluxPointsDataset(name="a")
    with pytest.raises(InputError, match="data are 3; expected FluxPoints"):
        FluxPointsDataset(data=3)


def test_models_are_needed():
    dataset = FluxPointsDataset(data=spectrum_points(), name="points")
    for function in (dataset.stat_sum, dataset.flux_pred, dataset.residuals, dataset.stat_array, dataset.likelihood):
        with pytest.raises(DataError, match="'points' has no models"):
            function()


def test_models_of_others_are_left_out():
    dataset = FluxPointsDataset(data=spectrum_points(), name="points")
    other = SkyModel(PowerLawSpectralModel(), name="other", datasets_names=["map"])
    dataset.models = Models([power_law(), other, FoVBackgroundModel(dataset_name="map")])
    assert dataset.models.names == ["source"]
    dataset.models = [power_law(), FoVBackgroundModel(dataset_name="points")]
    assert dataset.models.names == ["source"]
    dataset.models = None
    assert dataset.models is None


# Fits ------------------------------------------------------------------------------------------------------------------


def test_fit_finds_the_truth():
    truth = LogParabolaSpectralModel(amplitude="3e-12 cm-2 s-1 TeV-1", alpha=2.3, beta=0.2)
    energy = np.geomspace(0.3, 30, 12) * u.TeV
    table = QTable({"e_ref": energy, "dnde": truth(energy), "dnde_err": 0.05 * truth(energy)})
    model = SkyModel(LogParabolaSpectralModel(amplitude="1e-12 cm-2 s-1 TeV-1", alpha=2, beta=0), name="source")
    dataset = FluxPointsDataset(data=FluxPoints.from_table(table, reference_model=PowerLawSpectralModel()), models=model)
    result = Fit().run(dataset)
    assert result.success
    assert result.total_stat < 1e-6
    for name in ("amplitude", "alpha", "beta"):
        own = model.spectral_model.parameters[name]
        assert abs(own.value - truth.parameters[name].value) < 1e-3 * own.error
    # Errors of a linear model in the logarithm: the inverse of the sum of squares.
    x = np.log(energy.value / 10)
    jacobian = np.stack([np.ones(12), -x, -(x**2)]) / 0.05
    expected = np.sqrt(np.diag(np.linalg.inv(jacobian @ jacobian.T)))
    assert_allclose([model.spectral_model.alpha.error, model.spectral_model.beta.error], expected[1:], rtol=1e-3)


@pytest.mark.parametrize("backend", ["minuit", "scipy"])
def test_backends_agree(backend):
    values = []
    for name in (backend, None):
        model = power_law()
        fit = Fit() if name is None else Fit(backend=name, optimize_opts={"tol": 1e-4} if name == "minuit" else None)
        fit.run(FluxPointsDataset(data=spectrum_points(), models=model, stat_type="distrib"))
        values.append([model.spectral_model.index.value, model.spectral_model.index.error])
    assert abs(values[0][0] - values[1][0]) < 2e-3 * values[1][1]


def test_fit_of_a_course_in_time():
    truth = ExpDecayTemporalModel(t0="4 h", t_ref=TIME.time_min[0].utc.mjd * u.d)
    sky = SkyModel(PowerLawSpectralModel(amplitude="3e-12 cm-2 s-1 TeV-1", index=2.5), temporal_model=truth, name="flare")
    curve = single_band_light_curve()
    dataset = FluxPointsDataset(data=curve, models=sky)
    expected = dataset.flux_pred()
    dnde = RegionNDMap.from_geom(curve.geom, data=expected.value, unit=expected.unit)
    data = FluxPoints.from_maps({"dnde": dnde, "dnde_err": dnde * 0.1}, reference_model=curve.reference_model, gti=curve.gti)
    sky.temporal_model.t0.value = 7
    sky.spectral_model.index.frozen = True
    sky.spectral_model.amplitude.value = 2e-12
    dataset = FluxPointsDataset(data=data, models=sky)
    result = Fit().run(dataset)
    assert result.success
    assert_allclose(sky.temporal_model.t0.quantity.to_value("h"), 4, rtol=1e-3)
    assert_allclose(sky.spectral_model.amplitude.value, 3e-12, rtol=1e-3)


def spectrum_dataset(model):
    """Asimov counts of a model."""
    geom = RegionGeom.create("icrs;circle(0, 0, 0.1)", axes=[ENERGY])
    true = MapAxis.from_energy_edges([1, 3, 10, 30], unit="TeV", name="energy_true")
    exposure = RegionNDMap.create(geom.region, axes=[true], unit="cm2 s", data=np.full((3, 1, 1), 1e14))
    background = RegionNDMap.from_geom(geom, data=np.full((3, 1, 1), 2.0))
    dataset = SpectrumDataset(exposure=exposure, background=background, counts=background.copy(), name="counts")
    dataset.models = model
    dataset.counts = dataset.npred()
    return dataset


def test_joint_fit_with_counts_is_tighter_than_either():
    errors = {}
    for which in ("points", "counts", "both"):
        model = power_law()
        counts = spectrum_dataset(model)
        data = points([3.0, 3.0 * 2**-2.5, 3.0 * 4**-2.5], err=[0.3, 0.1, 0.02])
        members = {"points": [FluxPointsDataset(data=data, name="points")], "counts": [counts]}
        members["both"] = members["points"] + members["counts"]
        datasets = Datasets(members[which])
        datasets.models = Models([model])
        result = Fit().run(datasets)
        assert result.success
        assert_allclose(model.spectral_model.index.value, 2.5, atol=1e-2)
        assert_allclose(datasets.stat_sum(), result.total_stat)
        errors[which] = model.spectral_model.amplitude.error
    expected = (errors["points"] ** -2 + errors["counts"] ** -2) ** -0.5
    assert errors["both"] < min(errors["points"], errors["counts"])
    assert_allclose(errors["both"], expected, rtol=0.3)


# Numbers, parts and text -------------------------------------------------------------------------------------------------


def test_residuals():
    data = spectrum_points()
    dataset = FluxPointsDataset(data=data, models=power_law())
    diff = dataset.residuals()
    assert_allclose(diff[:2].value, (data.dnde.quantity - dataset.flux_pred())[:2].value)
    assert np.isnan(diff.ravel()[2])  # an upper limit
    assert dataset.residuals("diff/model").unit == u.dimensionless_unscaled
    with pytest.raises(InputError, match="method 'ratio' is unknown"):
        dataset.residuals("ratio")


def test_slice_by_energy():
    dataset = FluxPointsDataset(data=spectrum_points(), mask_fit=np.array([True, False, True]), stat_type="distrib", name="a")
    part = dataset.slice_by_energy("3 TeV", "30 TeV", name="b")
    assert part.name == "b"
    assert part.stat_type == "distrib"
    assert part.mask_fit.ravel().tolist() == [False, True]
    parts = Datasets([dataset]).slice_by_energy("1 TeV", "3 TeV")
    assert parts["a"].data_shape() == (1,)


def test_collection():
    dataset = FluxPointsDataset(data=light_curve(), models=power_law(), name="curve")
    datasets = Datasets([dataset])
    assert datasets.is_all_same_shape
    assert datasets.contributes_to_stat.tolist() == [True]
    assert datasets.info_table()["n_bins"][0] == 9
    assert datasets.gti == gti()
    low, high = datasets.energy_ranges
    assert low[0] == 1 * u.TeV
    assert high[0] == 30 * u.TeV
    dataset.mask_fit = dataset.data.geom.energy_mask(energy_max=10 * u.TeV)
    assert datasets.energy_ranges[1][0] == 10 * u.TeV
    assert "FluxPointsDataset" in str(datasets)
    with pytest.raises(UnsupportedError, match="'curve': flux points cannot be stacked"):
        Datasets([dataset, dataset.copy("other")]).stack_reduce()
    empty = FluxPointsDataset(data=points([np.nan], ul=[1.0]), models=power_law())
    assert np.isnan(empty.energy_range_total[0])


def test_copy():
    dataset = FluxPointsDataset(data=spectrum_points(), models=power_law(), name="a", stat_type="distrib")
    new = dataset.copy("b")
    new.data.norm.data *= 2
    assert new.name == "b"
    assert new.models is None
    assert new.stat_type == "distrib"
    assert_allclose(dataset.data.norm.data, spectrum_points().norm.data)


def test_print():
    dataset = FluxPointsDataset(data=spectrum_points(), name="points")
    assert str(dataset) == (
        "FluxPointsDataset\n"
        "-----------------\n"
        "\n"
        "  Name                            : points\n"
        "\n"
        "  Number of total flux points     : 3\n"
        "  Number of fit bins              : 2\n"
        "\n"
        "  Fit statistic type              : chi2\n"
        "  Fit statistic value (-2 log(L)) : nan\n"
        "\n"
        "  Number of models                : 0\n"
        "  Number of parameters            : 0\n"
        "  Number of free parameters       : 0\n"
        "\n"
    )


# Files -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["points.fits", "points.fits.gz", "points.ecsv"])
def test_file_reads_back(tmp_path, name):
    data = light_curve()
    mask = np.zeros((3, 3), dtype=bool)
    mask[1] = True
    dataset = FluxPointsDataset(data=data, mask_fit=mask, stat_type="profile", name="curve")
    dataset.write(tmp_path / name, checksum=True)
    again = FluxPointsDataset.read(tmp_path / name, name="again")
    assert again.name == "again"
    assert again.stat_type == "profile"
    assert_allclose(again.data.eflux.data, data.eflux.data)
    assert_allclose(again.data.stat_scan.data, data.stat_scan.data)
    assert (again.mask_fit == dataset.mask_fit).all()
    assert (again.mask_safe == dataset.mask_safe).all()
    assert again.gti == data.gti if "fits" in name else again.gti is None
    with pytest.raises(FileExistsRefusal, match="exists"):
        dataset.write(tmp_path / name)
    dataset.write(tmp_path / name, overwrite=True)


def test_file_of_flux_points_is_a_dataset(tmp_path):
    spectrum_points().write(tmp_path / "points.fits")
    dataset = FluxPointsDataset.read(tmp_path / "points.fits")
    assert dataset.mask_fit is None
    assert dataset.data_shape() == (3,)


def test_file_with_unknown_statistic_is_refused(tmp_path):
    FluxPointsDataset(data=spectrum_points(), stat_type="distrib").write(tmp_path / "points.fits")
    with fits.open(tmp_path / "points.fits", mode="update") as hdulist:
        hdulist["TABLE"].header["STATTYPE"] = "wstat"
    with pytest.raises(FormatError, match="STATTYPE is 'wstat'; expected one of chi2"):
        FluxPointsDataset.read(tmp_path / "points.fits")


def test_datasets_file_reads_back(tmp_path):
    model = power_law()
    counts = spectrum_dataset(model)
    one = FluxPointsDataset(data=spectrum_points(), name="flux points")
    datasets = Datasets([one, counts])
    datasets.models = Models([model])
    datasets.write(tmp_path / "datasets.yaml", filename_models=tmp_path / "models.yaml")
    assert (tmp_path / "flux_points.fits").exists()
    again = Datasets.read(tmp_path / "datasets.yaml", filename_models=tmp_path / "models.yaml")
    assert again.names == ["flux points", "counts"]
    assert_allclose(again.stat_sum(), datasets.stat_sum(), rtol=1e-6)
    assert one.to_dict() == {"name": "flux points", "type": "FluxPointsDataset", "filename": "flux_points.fits"}
    assert DATASET_REGISTRY.get_cls("FluxPointsDataset") is FluxPointsDataset


# Pictures ----------------------------------------------------------------------------------------------------------------


def test_plot_fit():
    dataset = FluxPointsDataset(data=spectrum_points(), models=power_law(), name="points")
    Fit().run(dataset)
    ax_spectrum, ax_residuals = dataset.plot_fit()
    assert ax_spectrum.get_ylabel().startswith("e2dnde")
    assert [t.get_text() for t in ax_spectrum.get_legend().get_texts()] == ["source"]
    assert len(ax_spectrum.collections) >= 1  # the error band
    assert "(data - model) / model" in ax_residuals.get_ylabel()
    assert_allclose(
        ax_residuals.containers[0].lines[0].get_ydata()[:2], dataset.residuals("diff/model").value.ravel()[:2], rtol=1e-9
    )


def test_plot_spectrum_of_integral_fluxes_has_steps():
    model = power_law()
    dataset = FluxPointsDataset(data=spectrum_points(), models=model)
    ax = dataset.plot_spectrum(kwargs_fp={"sed_type": "flux"}, kwargs_model={"sed_type": "flux", "color": "red"})
    steps = ax.patches[0].get_data()
    expected = model.spectral_model.integral(ENERGY.edges_min, ENERGY.edges_max).to_value("cm-2 s-1")
    assert_allclose(steps.values, expected)
    assert ax.get_ylabel().startswith("flux")


def test_plot_along_time():
    model = power_law()
    dataset = FluxPointsDataset(data=single_band_light_curve(), models=model)
    ax = dataset.plot_spectrum(axis_name="time")
    flux = model.spectral_model.integral(1 * u.TeV, 3 * u.TeV).to_value("cm-2 s-1")
    assert_allclose(ax.lines[-1].get_ydata(), flux)
    model.temporal_model = ExpDecayTemporalModel(t0="2 h", t_ref=TIME.time_min[0].utc.mjd * u.d)
    ax = dataset.plot_spectrum(ax=plt.figure().gca(), axis_name="time", kwargs_fp={"time_format": "mjd"})
    assert ax.lines[-1].get_ydata()[-1] < 0.1 * flux
    ax = dataset.plot_residuals(ax=plt.figure().gca(), method="diff/model")
    assert ax.get_xlabel() == "Time [iso]"
    with pytest.raises(InputError, match="axis_name is 'lon'; expected 'energy' or 'time'"):
        dataset.plot_spectrum(axis_name="lon")


def test_plot_residuals():
    dataset = FluxPointsDataset(data=spectrum_points(), models=power_law())
    ax = dataset.plot_residuals(color="red")
    assert ax.get_ylabel().startswith("Residuals\ndata - model [$")
    with pytest.raises(InputError, match="method 'ratio' is unknown"):
        dataset.plot_residuals(method="ratio")
