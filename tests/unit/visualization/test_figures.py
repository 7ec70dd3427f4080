"""Figures to publish: what they show, read back from the axes."""

from __future__ import annotations

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
import pytest

from geminga.cli.simulate import simulate_field
from geminga.data import GTI
from geminga.datasets import Datasets, FluxPointsDataset
from geminga.errors import GeometryError, InputError
from geminga.estimators import ExcessMapEstimator, FluxPointsEstimator, LightCurveEstimator
from geminga.maps import Map
from geminga.visualization import plot_light_curve, plot_residual_distribution, plot_sed, plot_significance_map


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def dataset():
    return simulate_field(seed=42)


@pytest.fixture(scope="module")
def points(dataset):
    edges = np.geomspace(0.1, 25, 9) * u.TeV
    return FluxPointsEstimator(edges, source="star", selection_optional=["ul"]).run(dataset)


@pytest.fixture(scope="module")
def residuals(dataset):
    return ExcessMapEstimator("0.15 deg", energy_edges=[0.1, 25] * u.TeV).run(dataset)


def legend(ax) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_sed(points, dataset) -> None:
    ax = plot_sed({"flux points": points}, dataset.models["star"])
    assert set(legend(ax)) == {"flux points", "star"}
    drawn = ax.containers[0].lines[0].get_ydata()
    assert np.allclose(u.Quantity(drawn).value, points.e2dnde.to_unit(ax.yaxis.units).data.ravel())
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert "E" in ax.get_ylabel()
    # The limits leave room for all points; they do not follow the model.
    low, high = ax.get_ylim()
    values = points.e2dnde.to_unit(ax.yaxis.units).data
    assert low < values.min() < values.max() < high


def test_sed_of_dataset_takes_its_model(points, dataset) -> None:
    one = FluxPointsDataset(data=points, models=dataset.models["star"], name="points")
    assert legend(plot_sed(one)) == ["star"]
    figure, ax = plt.subplots()
    assert plot_sed(points, dataset.models["star"].spectral_model, ax=ax, energy_bounds=[1, 10] * u.TeV) is ax
    assert len(figure.axes) == 1


def test_sed_of_several(points) -> None:
    ax = plot_sed({"one": points, "two": points})
    colors = [container.lines[0].get_color() for container in ax.containers]
    assert len(set(colors)) == 2
    with pytest.raises(InputError, match="Expected FluxPoints or a FluxPointsDataset, got a str"):
        plot_sed("points.fits")


def test_light_curve(dataset, points) -> None:
    runs = []
    for number in range(4):
        run = simulate_field(seed=number, name=f"run-{number}")
        run.gti = GTI.create(number * u.day, number * u.day + 1 * u.hour)
        run.models = [dataset.models["star"], dataset.models["nebula"]]
        runs.append(run)
    estimator = LightCurveEstimator(energy_edges=[0.3, 25] * u.TeV, source="nebula", selection_optional=["ul"])
    curve = estimator.run(Datasets(runs))
    ax = plot_light_curve(curve)
    flux, error = (m.data.ravel() for m in (curve.flux, curve.flux_err))
    mean = np.average(flux, weights=error**-2)
    chi2 = np.sum(((flux - mean) / error) ** 2)
    (label,) = legend(ax)
    assert f"= {chi2:.1f}/3" in label
    line = next(one for one in ax.lines if one.get_label() == label)
    assert np.allclose(line.get_ydata(), mean)
    with pytest.raises(InputError, match="expected one of time"):
        plot_light_curve(points)


def test_significance_map(residuals, dataset) -> None:
    sources = dataset.models.select(tag="sky-model")
    ax = plot_significance_map(residuals, sources)
    image = ax.images[0]
    assert np.allclose(image.get_array(), residuals.sqrt_ts.data[0], equal_nan=True)
    assert image.norm.vcenter == 0
    assert image.norm.vmin == -5
    assert [text.get_text() for text in ax.texts if text.get_text() in sources.names] == ["star", "nebula"]
    assert len(ax.patches) == 1  # the outline of the nebula


def test_significance_of_a_map_that_is_flat(residuals) -> None:
    image = Map.from_geom(residuals.geom.to_image(), data=0.0)
    ax = plot_significance_map(image)
    assert ax.images[0].norm.vmax == 5
    image.data[:] = np.nan
    plot_significance_map(image)


def test_residual_distribution_is_normal(residuals, dataset) -> None:
    ax = plot_residual_distribution(residuals)
    values = residuals.sqrt_ts.data
    assert f"{np.nanmean(values):.2f}" in legend(ax)[1]
    assert f"{np.nanstd(values):.2f}" in legend(ax)[1]
    mask = Map.from_geom(residuals.geom.to_image(), data=True, dtype=bool)
    mask.data[:50] = False
    ax = plot_residual_distribution(residuals, mask)
    assert f"{np.nanstd(values[0, 50:]):.2f}" in legend(ax)[1]


def test_what_cannot_be_drawn(residuals, points, dataset) -> None:
    with pytest.raises(GeometryError, match=r"\(12,\) bins; expected one bin"):
        plot_significance_map(dataset.counts)
    with pytest.raises(InputError, match="expected FluxMaps"):
        plot_residual_distribution(points)
    wrong = Map.create(npix=(3, 3), dtype=bool)
    with pytest.raises(GeometryError, match=r"mask has shape \(3, 3\)"):
        plot_residual_distribution(residuals, wrong)
    nothing = Map.from_geom(residuals.geom.to_image(), data=np.nan)
    with pytest.raises(InputError, match="0 values to plot"):
        plot_residual_distribution(nothing)
