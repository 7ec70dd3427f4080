"""Plots that are not methods."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
import pytest
from astropy.table import Table
from numpy.testing import assert_allclose

from geminga import visualization as vis
from geminga.errors import GeometryError, InputError
from geminga.maps import LabelMapAxis, MapAxis, RegionNDMap, WcsGeom, WcsNDMap

ENERGY = MapAxis.from_energy_edges([1, 3, 10, 30] * u.TeV)
GEOM = WcsGeom.create(npix=(60, 20), binsz=0.2, frame="galactic", axes=[ENERGY])


@pytest.fixture(autouse=True)
def figures() -> Iterator[None]:
    plt.close("all")
    yield
    plt.gcf().canvas.draw()
    plt.close("all")


def cube() -> WcsNDMap:
    return WcsNDMap(GEOM, data=np.random.default_rng(0).normal(1, 2, GEOM.data_shape))


def test_colormap_hess() -> None:
    colors = vis.colormap_hess(transition=0.4, width=0.1)
    assert_allclose(colors(0.0), (0, 0, 0, 1), atol=0.01)
    assert_allclose(colors(0.4), (1, 0, 0, 1), atol=0.05)
    assert_allclose(colors(0.5), (1, 1, 0, 1), atol=0.05)
    assert_allclose(colors(1.0), (1, 1, 1, 1), atol=0.01)


def test_colormap_milagro() -> None:
    colors = vis.colormap_milagro(transition=0.5, width=0.001, huestart=0.6)
    below, above = np.array(colors(0.3))[:3], np.array(colors(0.52))[:3]
    assert np.ptp(below) < 0.01
    assert np.ptp(above) > 0.9
    assert_allclose(colors(1.0), (1, 0, 0, 1), atol=0.01)


@pytest.mark.parametrize("kwargs", [{"transition": 0}, {"transition": 1.5}, {"width": 0}])
def test_colormaps_refuse(kwargs: dict) -> None:
    for function in (vis.colormap_hess, vis.colormap_milagro):
        with pytest.raises(InputError, match="expected 0 < transition < 1"):
            function(**kwargs)
    with pytest.raises(InputError, match="huestart is 2"):
        vis.colormap_milagro(huestart=2)


def test_heatmap() -> None:
    data = np.array([[1.0, -0.25], [0.5, 1.0]])
    image, bar = vis.plot_heatmap(data, ["a", "b"], ["c", "d"], cbarlabel="correlation", vmin=-1, vmax=1)
    assert bar.ax.get_ylabel() == "correlation"
    texts = vis.annotate_heatmap(image, valfmt="{x:.1f}", threshold=0.7)
    assert [text.get_text().replace("−", "-") for text in texts] == ["1.0", "-0.2", "0.5", "1.0"]
    assert [text.get_color() for text in texts] == ["white", "black", "black", "white"]
    with pytest.raises(InputError, match="the labels say"):
        vis.plot_heatmap(data, ["a"], ["b"])


def test_contour_line_goes_through_the_points() -> None:
    angle = np.linspace(0, 2 * np.pi, 21)[:-1]
    ax = plt.gca()
    vis.plot_contour_line(ax, 3 * np.cos(angle), np.sin(angle), color="red")
    line = ax.lines[0].get_xydata()
    assert_allclose((line[:, 0] / 3) ** 2 + line[:, 1] ** 2, 1, atol=0.02)
    assert_allclose(line[0], line[-1], atol=1e-9)
    assert ax.lines[0].get_color() == ax.lines[1].get_color() == "red"
    with pytest.raises(InputError, match="at least 3 points"):
        vis.plot_contour_line(ax, [1, 2], [1, 2])


def test_distribution_finds_mean_and_width() -> None:
    axes, results = vis.plot_distribution(cube(), func="norm", ncols=2, kwargs_hist={"bins": 30}, kwargs_axes={"xlim": (-9, 9)})
    assert axes.shape == (2, 2)
    for result, axis_min in zip(results, ENERGY.edges_min, strict=True):
        assert_allclose(np.abs(result["param"]), [1, 2], atol=0.25)
        assert result["axis_edges"][0] == axis_min
    assert axes[0, 0].get_xlim() == (-9, 9)
    assert axes[0, 0].get_title() == "Energy 1.00 TeV - 3.00 TeV"
    image = cube().slice_by_idx({"energy": 0})
    mask = image > 100
    mask.data[:10] = True
    ax = plt.figure().gca()
    _, results = vis.plot_distribution(image, mask=mask, ax=ax, kwargs_hist={"density": False})
    assert sum(patch.get_height() for patch in ax.patches) == 600
    assert results == [{"axis_edges": None}]
    with pytest.raises(GeometryError, match="at most one axis"):
        vis.plot_distribution(RegionNDMap.create(None, axes=[ENERGY]))
    with pytest.raises(InputError, match="func is 'gauss'"):
        vis.plot_distribution(cube(), func="gauss")


def test_rgb() -> None:
    ax = vis.plot_map_rgb(WcsNDMap(GEOM, data=np.abs(cube().data)))
    assert ax.images[0].get_array().shape == (20, 60, 3)
    assert ax.coords[0].get_axislabel() == "Galactic Longitude"
    with pytest.raises(GeometryError, match="expected one axis with 3"):
        vis.plot_map_rgb(cube().slice_by_idx({"energy": slice(0, 2)}))


def test_panels_cover_the_map() -> None:
    figure = plt.figure(figsize=(5, 8))
    plotter = vis.MapPanelPlotter(figure, xlim=[5, 355] * u.deg, ylim=[-1, 1] * u.deg, npanels=2)
    axes = plotter.plot(cube().slice_by_idx({"energy": 0}), vmin=0)
    bounds = np.array([ax.get_xlim() for ax in axes])
    assert_allclose(bounds[:, 1] - bounds[:, 0], 26)
    assert_allclose(bounds[1, 0] - bounds[0, 1], -1)
    with pytest.raises(InputError, match="from 1 to 2"):
        plotter.plot_panel(cube().slice_by_idx({"energy": 0}), panel=3)
    with pytest.raises(InputError, match="npanels is 0"):
        vis.MapPanelPlotter(figure, xlim=[5, 355] * u.deg, ylim=[-1, 1] * u.deg, npanels=0)


def test_theta_squared() -> None:
    table = Table(
        {
            name: np.arange(1.0, 4.0)
            for name in ("counts", "counts_off", "alpha", "excess", "excess_errn", "excess_errp", "sqrt_ts")
        }
    )
    table["theta2_min"], table["theta2_max"] = [0, 0.1, 0.2] * u.deg**2, [0.1, 0.2, 0.3] * u.deg**2
    vis.plot_theta_squared_table(table)
    upper, lower = plt.gcf().axes
    assert [text.get_text() for text in upper.get_legend().get_texts()] == ["Counts", "Counts Off", "Excess"]
    assert lower.get_xlabel() == "Theta squared [deg2]"
    table.remove_column("alpha")
    with pytest.raises(InputError, match="lacks the columns alpha"):
        vis.plot_theta_squared_table(table)


def test_predicted_counts_of_models() -> None:
    labels = LabelMapAxis(["gc", "other"], name="models")
    npred = WcsNDMap(GEOM.to_cube([labels]), data=np.ones((2, *GEOM.data_shape)))
    dataset = SimpleNamespace(npred_signal=lambda model_names, stack: npred)
    ax = vis.plot_npred_signal(dataset)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["Models gc", "Models other"]
    assert_allclose(ax.lines[0].get_ydata(), 1200)


def test_off_regions() -> None:
    datasets = [
        SimpleNamespace(name=str(i), counts_off=RegionNDMap.create(f"icrs;circle({i}, 0, 0.5)", axes=[ENERGY])) for i in (1, 2)
    ]
    datasets.append(SimpleNamespace(name="none", counts_off=None))
    ax = vis.plot_spectrum_datasets_off_regions(datasets, edgecolor=["red", "blue"])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["1", "2"]
    assert len(ax.collections) == 2


def test_violins() -> None:
    rng = np.random.default_rng(0)
    samples = [
        rng.normal(5, 1, 400) * u.Unit("cm-2 s-1 TeV-1"),
        rng.normal(0, 1, 400) * u.Unit("cm-2 s-1 TeV-1"),
        [] * u.Unit("cm-2 s-1 TeV-1"),
    ]
    ax = vis.plot_samples_violin_vs_energy(ENERGY.edges, samples, energy_power=2, violin_clip=(0.01, 0.99))
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert len(ax.collections) >= 2
    median = ax.lines[0].get_ydata().astype(float)
    assert_allclose(median, np.median(samples[0].value) * 3, rtol=0.02)
    weighted = vis.plot_samples_violin_vs_energy(
        ENERGY.edges[:2], [[1.0, 2.0, 3.0]], weights_per_band=[[0.0, 0.0, 1.0]], ax=plt.figure().gca()
    )
    assert_allclose(weighted.lines[0].get_ydata().astype(float), 3, atol=0.05)
    with pytest.raises(InputError, match="3 bands, 1 samples"):
        vis.plot_samples_violin_vs_energy(ENERGY.edges, [[1.0]])
