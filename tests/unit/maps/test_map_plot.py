"""Pictures of maps: what they show, and what they say."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
import pytest
from astropy.time import Time
from numpy.testing import assert_allclose

from geminga.errors import GeometryError, InputError, MissingDependencyError, UnsupportedError
from geminga.maps import LabelMapAxis, Map, MapAxis, RegionNDMap, TimeMapAxis, WcsGeom, WcsNDMap
from geminga.maps.map.labels import bin_title

ENERGY = MapAxis.from_energy_bounds("0.1 TeV", "10 TeV", nbin=10)
GEOM = WcsGeom.create(npix=(8, 6), binsz=0.5, frame="galactic", axes=[ENERGY])
TITLES = [
    "Energy 100 GeV - 158 GeV",
    "Energy 158 GeV - 251 GeV",
    "Energy 251 GeV - 398 GeV",
    "Energy 398 GeV - 631 GeV",
    "Energy 631 GeV - 1.00 TeV",
    "Energy 1.00 TeV - 1.58 TeV",
    "Energy 1.58 TeV - 2.51 TeV",
    "Energy 2.51 TeV - 3.98 TeV",
    "Energy 3.98 TeV - 6.31 TeV",
    "Energy 6.31 TeV - 10.0 TeV",
]


@pytest.fixture(autouse=True)
def figures() -> Iterator[None]:
    plt.close("all")
    yield
    plt.gcf().canvas.draw()
    plt.close("all")


def cube() -> WcsNDMap:
    return WcsNDMap(GEOM, data=np.arange(480.0).reshape(GEOM.data_shape), unit="cm-2 s-1")


def spectrum() -> RegionNDMap:
    return RegionNDMap.create("icrs;circle(0, 0, 1)", axes=[ENERGY], data=np.arange(1.0, 11.0), unit="s")


def test_grid_has_a_titled_panel_for_each_bin() -> None:
    axes = cube().plot_grid()
    assert axes.shape == (4, 3)
    assert [ax.get_title() for ax in axes.ravel()[:10]] == TITLES
    assert [ax.get_visible() for ax in axes.ravel()[10:]] == [False, False]
    assert_allclose(axes[0, 1].images[0].get_array(), cube().data[1])
    assert cube().slice_by_idx({"energy": slice(0, 3)}).plot_grid().shape == (3,)
    assert cube().slice_by_idx({"energy": slice(0, 1)}).plot_grid(ncols=2).shape == (1,)


def test_grid_takes_keywords_of_plot() -> None:
    axes = (cube() > 100 * u.Unit("cm-2 s-1")).plot_grid(ncols=4, vmin=0, vmax=2, add_cbar=True, figsize=(5, 4))
    image = axes[0, 0].images[0]
    assert (image.norm.vmin, image.norm.vmax) == (0, 2)
    assert len(axes[0, 0].figure.axes) == 12 + 10
    assert tuple(axes[0, 0].figure.get_size_inches()) == (5, 4)


def test_titles_of_all_kinds_of_axes() -> None:
    assert bin_title(MapAxis.from_energy_edges([1, 3] * u.TeV, name="energy_true"), 0) == "True Energy 1.00 TeV - 3.00 TeV"
    assert bin_title(MapAxis.from_energy_edges([0.5, 20] * u.MeV), 0) == "Energy 500 keV - 20.0 MeV"
    assert bin_title(MapAxis.from_nodes([999.96], unit="GeV", name="energy"), 0) == "Energy 1.00 TeV"
    assert bin_title(MapAxis.from_edges([0, 0.25], unit="deg", name="rad"), 0) == "Offset 0 deg - 0.25 deg"
    assert bin_title(LabelMapAxis(["a", "b"], name="dataset"), 1) == "Dataset b"
    time = TimeMapAxis([0] * u.h, [1] * u.h, reference_time=Time("2020-03-19", scale="tt"))
    assert bin_title(time, 0) == "Time 2020-03-19 00:00:00.000 - 2020-03-19 01:00:00.000"


def test_grid_of_two_axes() -> None:
    axis = MapAxis.from_edges([0, 1, 2], unit="deg", name="rad")
    one = Map.create(npix=3, binsz=1, axes=[MapAxis.from_energy_edges([1, 3, 10] * u.TeV), axis])
    titles = [ax.get_title() for ax in one.plot_grid(ncols=2).ravel()]
    assert titles[1] == "Energy 3.00 TeV - 10.0 TeV; Offset 0 deg - 1.00 deg"
    assert titles[2] == "Energy 1.00 TeV - 3.00 TeV; Offset 1.00 deg - 2.00 deg"


def test_image_with_colour_bar() -> None:
    image = cube().sum_over_axes()
    ax = image.plot(add_cbar=True, stretch="sqrt", kwargs_colorbar={"label": "mine"})
    assert ax.images[0].get_cmap().name == "viridis"
    assert ax.coords[0].get_axislabel() == "Galactic Longitude"
    assert ax.figure.axes[1].get_ylabel() == "mine"
    assert_allclose(ax.images[0].get_array(), image.data[0])
    assert image.plot(ax=ax, cmap="magma", vmin=1, vmax=5) is ax
    assert (ax.images[1].get_cmap().name, ax.images[1].norm.vmax) == ("magma", 5)
    figure = plt.figure()
    assert image.plot(fig=figure, axes_loc={"position": "top"}, add_cbar=True).figure is figure
    ax = Map.create(npix=3, binsz=1, frame="icrs").plot(ax=plt.figure().add_subplot(projection=GEOM.wcs))
    assert ax.coords[1].get_axislabel() == "Declination"


def test_images_without_numbers() -> None:
    image = cube().sum_over_axes()
    nothing = image.copy(data=np.full(image.data.shape, np.nan))
    ax = nothing.plot(add_cbar=True)
    assert ax is not None
    assert ax.images[0].get_array().mask.all()


def test_mask() -> None:
    mask = (cube() > 200 * u.Unit("cm-2 s-1")).slice_by_idx({"energy": 4})
    ax = mask.plot()
    assert (ax.images[0].norm.vmin, ax.images[0].norm.vmax) == (0, 1)
    assert mask.plot_mask(ax=ax, colors=["red"]) is ax
    assert len(ax.collections) > 0


def test_spectrum() -> None:
    ax = spectrum().plot()
    assert ax.get_xscale() == "log"
    assert ax.get_yscale() == "log"
    assert_allclose(ax.lines[0].get_ydata(), np.arange(1, 11))
    assert_allclose(ax.lines[0].get_xdata(), ENERGY.center.value)
    assert "s" in ax.get_ylabel()
    ax = (spectrum() > 5 * u.s).plot_mask(ax=ax, color="green", label="mask")
    assert ax.collections[-1].get_label() == "mask"
    zero = RegionNDMap.create(None, axes=[ENERGY])
    assert zero.plot(ax=plt.figure().gca()).get_yscale() == "linear"


def test_histogram() -> None:
    ax = spectrum().plot_hist(color="red")
    path = ax.patches[0].get_path().vertices
    assert path[:, 1].max() == 10
    assert_allclose((path[:, 0].min(), path[:, 0].max()), (0.1, 10))


def test_lines_for_other_axes() -> None:
    labels = LabelMapAxis(["a", "b"], name="dataset")
    one = RegionNDMap.create(None, axes=[ENERGY, labels], data=np.arange(20.0))
    ax = one.plot(axis_name="energy")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["Dataset a", "Dataset b"]
    assert_allclose([line.get_ydata() for line in ax.lines], np.arange(20).reshape(2, 10))
    ax = one.slice_by_idx({"energy": slice(0, 1)}).plot(ax=plt.figure().gca())
    assert [text.get_text() for text in ax.get_xticklabels()] == ["a", "b"]
    time = TimeMapAxis([0, 2] * u.h, [1, 3] * u.h, reference_time=Time("2020-03-19", scale="tt"))
    assert RegionNDMap.create(None, axes=[time]).plot(ax=plt.figure().gca()).get_xlabel() == "Time [iso]"


def test_region() -> None:
    assert len(spectrum().plot_region(edgecolor="red").collections) == 1


def test_interactive_needs_ipywidgets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    with pytest.raises(MissingDependencyError, match="pip install ipywidgets"):
        cube().plot_interactive()
    with pytest.raises(UnsupportedError, match="not supported"):
        spectrum().plot_interactive()


def test_refusals() -> None:
    with pytest.raises(GeometryError, match=r"use \.plot_grid"):
        cube().plot()
    with pytest.raises(GeometryError, match=r"use \.plot"):
        cube().slice_by_idx({"energy": 0}).plot_grid()
    with pytest.raises(GeometryError, match=r"use \.plot"):
        spectrum().plot_grid()
    with pytest.raises(InputError, match="boolean masks"):
        cube().sum_over_axes().plot_mask()
    with pytest.raises(InputError, match="boolean masks"):
        spectrum().plot_mask()
    with pytest.raises(InputError, match="stretch 'wild'"):
        cube().sum_over_axes().plot(stretch="wild")
    two = RegionNDMap.create(None, axes=[ENERGY, MapAxis.from_edges([0, 1, 2], name="rad")])
    with pytest.raises(InputError, match="axis_name must be given"):
        two.plot()
