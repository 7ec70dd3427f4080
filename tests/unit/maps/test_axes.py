"""Axes: laws of pixels and coordinates, groups of bins, files; numbers of one's own where a law says nothing."""

from __future__ import annotations

import pickle
from typing import Any

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
import pytest
from astropy.time import Time
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from geminga.data import GTI
from geminga.errors import GeometryError, InputError, NameLookupError, UnitError, UnsupportedError
from geminga.maps import LabelMapAxis, MapAxes, MapAxis, TimeMapAxis
from geminga.maps.axes.grouping import bins_between

START = Time("2020-03-19")
LOG = MapAxis.from_energy_bounds("0.1 TeV", "10 TeV", nbin=4)
LIN = MapAxis.from_bounds(0, 5, nbin=10, unit="deg", name="rad")
SQRT = MapAxis.from_edges([1, 4, 9, 25], interp="sqrt", name="x")
NODES = MapAxis.from_nodes([1, 2, 4, 8], unit="TeV", name="energy_true", interp="log")
FALLING = MapAxis.from_edges([5, 3, 2, 1], name="x")
TIMES = TimeMapAxis([0, 1, 4] * u.h, [0.5, 3, 5] * u.h, reference_time=START)
LABELS = LabelMapAxis(["a", "b", "c"], name="dataset")
NUMBERS = [LOG, LIN, SQRT, NODES, FALLING]
ALL = [*NUMBERS, TIMES, LABELS]

number_axes = pytest.mark.parametrize("axis", NUMBERS, ids=lambda a: f"{a.interp}-{a.node_type}")
all_axes = pytest.mark.parametrize("axis", ALL, ids=lambda a: f"{type(a).__name__}-{a.name}")


@number_axes
@given(pix=st.lists(st.floats(-0.5, 2.4), min_size=1, max_size=5))
def test_coordinates_and_pixels_are_inverse(axis: MapAxis, pix: list[float]) -> None:
    assert_allclose(axis.coord_to_pix(axis.pix_to_coord(pix)), pix, atol=1e-9)
    inside = [p for p in pix if abs((p + 0.5) % 1) > 1e-6]
    assert_array_equal(axis.coord_to_idx(axis.pix_to_coord(inside)), axis.pix_to_idx(inside))


@number_axes
def test_bins_are_half_open_and_centres_are_whole_pixels(axis: MapAxis) -> None:
    assert_allclose(axis.coord_to_pix(axis.center), np.arange(axis.nbin), atol=1e-12)
    assert_allclose(axis.coord_to_pix(axis.edges), np.arange(axis.nbin + 1) - 0.5, atol=1e-12)
    assert axis.coord_to_idx(axis.center).tolist() == list(range(axis.nbin))
    # The edge named first belongs to a bin, whichever way the axis runs.
    assert axis.coord_to_idx(axis.edges[:-1]).tolist() == list(range(axis.nbin))
    beyond = u.Quantity([axis.edges[-1], 2 * axis.edges[-1] - axis.edges[-2]])
    assert axis.coord_to_idx(beyond).tolist() == [-1, -1]
    assert axis.coord_to_idx(beyond, clip=True).tolist() == [axis.nbin - 1, axis.nbin - 1]
    assert axis.coord_to_idx(np.nan * axis.unit, clip=True) == -1
    assert axis.pix_to_idx([-0.6, axis.nbin - 0.4, np.nan]).tolist() == [-1, -1, -1]
    assert axis.pix_to_idx([-0.6, axis.nbin - 0.4], clip=True).tolist() == [0, axis.nbin - 1]


@pytest.mark.parametrize("nbin", [1, 3, 4, 10, 11, 50])
@pytest.mark.parametrize("bounds", [(0.1, 10), (0.01, 100), (1e-3, 1e3)])
def test_round_edges_are_round(bounds: tuple[float, float], nbin: int) -> None:
    """1 TeV belongs to the bin that begins there: no rounding puts the edge a hair above."""
    axis = MapAxis.from_energy_bounds(*bounds, nbin=nbin, unit="TeV", per_decade=True)
    for energy in (0.1, 1.0):
        assert energy in axis.edges.value
        assert axis.edges_min[axis.coord_to_idx(energy * u.TeV)].value == energy
    linear = MapAxis.from_bounds(0, 1, nbin=10).edges.value
    assert linear.tolist() == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]


def test_centres_follow_the_scale() -> None:
    assert_allclose(MapAxis.from_edges([1, 9, 81], interp="log").center, [3, 27])
    assert_allclose(MapAxis.from_edges([1, 9, 81]).center, [5, 45])
    assert_allclose(MapAxis.from_edges([1, 9, 81], interp="sqrt").center, [4, 36])
    assert_allclose(NODES.edges.value, np.sqrt(2) ** np.array([-1, 1, 3, 5, 7]))
    assert_allclose(NODES.bounds.value, [1, 8])
    assert_allclose(LOG.bounds.value, [0.1, 10])


def test_energy_axes_take_the_unit_of_the_upper_bound() -> None:
    axis = MapAxis.from_energy_bounds("100 GeV", "3 TeV", nbin=3, per_decade=True, name="energy_true")
    assert axis.unit == "TeV"
    assert axis.nbin == 5
    assert MapAxis.from_energy_bounds(1, 10, nbin=11, unit="GeV").unit == "GeV"
    assert MapAxis.from_energy_edges([1, 3] * u.TeV, unit="GeV").edges[1].value == 3000
    loose = MapAxis.from_energy_bounds("1 TeV", "30 TeV", nbin=5, per_decade=True, strict_bounds=False)
    assert_allclose(loose.edges[[0, -1]].value, [1, 10 ** (7 / 5)])
    assert MapAxis.from_energy_bounds("1 TeV", "4 TeV", nbin=3, node_type="center").center[1] == 2 * u.TeV


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: MapAxis.from_energy_bounds("0 TeV", "1 TeV", nbin=2), InputError, "expected 0 < energy_min < energy_max"),
        (lambda: MapAxis.from_energy_bounds("2 TeV", "1 TeV", nbin=2), InputError, "expected 0 < energy_min"),
        (lambda: MapAxis.from_energy_bounds("1 TeV", "2 TeV", nbin=1.5), InputError, "nbin is 1.5"),
        (lambda: MapAxis.from_energy_bounds("1 TeV", "2 deg", nbin=2), UnitError, "energy_max has unit 'deg'"),
        (lambda: MapAxis.from_energy_edges([1, 2] * u.TeV, name="e"), NameLookupError, "'energy' or 'energy_true'"),
        (lambda: MapAxis.from_edges([1, 1, 2]), InputError, "strict order"),
        (lambda: MapAxis.from_edges([1, np.nan]), InputError, "finite numbers"),
        (lambda: MapAxis.from_edges([1]), InputError, "at least 2"),
        (lambda: MapAxis.from_edges([1, 2], interp="cubic"), InputError, "interp is 'cubic'"),
        (lambda: MapAxis.from_edges([1, 2], node_type="center"), InputError, "from_nodes"),
        (lambda: MapAxis.from_nodes([1, 2], node_type="edges"), InputError, "from_edges"),
        (lambda: MapAxis.from_nodes([]), InputError, "no nodes"),
        (lambda: MapAxis.from_bounds(0, 1, nbin=2, interp="log"), InputError, "needs one above zero"),
        (lambda: MapAxis.from_bounds(1, 0, nbin=2), InputError, "upper one must be larger"),
        (lambda: MapAxis.from_stack([]), InputError, "no axes"),
        (lambda: LIN.concatenate(LIN), GeometryError, "they must meet"),
        (lambda: LIN.concatenate(LOG), GeometryError, "must be equal"),
        (lambda: LOG.downsample(3), GeometryError, "not divisible by 3"),
        (lambda: LOG.upsample(0), InputError, "at least 1"),
        (lambda: LOG.pad(-1), InputError, "at least 0"),
        (lambda: LOG.slice(7), GeometryError, "4 bins"),
        (lambda: LOG.slice(slice(0, 4, 2)), GeometryError, "skips bins"),
        (lambda: LOG.slice(slice(3, 3)), GeometryError, "none"),
        (lambda: LOG.group_table([20, 30] * u.TeV), GeometryError, "no whole bin"),
        (lambda: LOG.coord_to_pix(1 * u.deg), UnitError, "'deg'"),
        (lambda: LOG.assert_name("energy_true"), NameLookupError, "rename"),
        (lambda: LIN.nbin_per_decade, InputError, "logarithmic"),
    ],
)
def test_refusals_of_map_axes(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


@number_axes
def test_axes_from_axes(axis: MapAxis) -> None:
    assert axis.upsample(1) == axis
    assert axis.upsample(3).downsample(3) == axis
    assert axis.pad(2).slice(slice(2, -2)) == axis
    assert axis.pad((0, 1)).nbin == axis.nbin + 1
    assert axis.squash().nbin == 1
    assert_allclose(axis.squash().edges[[0, -1]].value, axis.edges[[0, -1]].value)
    assert axis.to_node_type("edges").to_node_type("center").nbin == axis.nbin
    assert axis.copy(name="new").rename(axis.name) == axis
    assert pickle.loads(pickle.dumps(axis)) == axis
    assert axis.is_aligned(axis)
    assert str(axis).startswith("MapAxis")
    assert "<pre>" in axis._repr_html_()
    assert hash(axis) is not None
    assert axis != axis.copy(name="other")
    assert axis != 3


def test_concatenate_and_stack() -> None:
    halves = [LIN.slice(slice(0, 4)), LIN.slice(slice(4, 10))]
    assert halves[0].concatenate(halves[1]) == LIN
    assert MapAxis.from_stack(halves) == LIN
    nodes = [NODES.slice(slice(0, 2)), NODES.slice(slice(2, 4))]
    assert MapAxis.from_stack(nodes) == NODES
    assert LOG.downsample(3, strict=False).nbin == 2
    assert LOG.nbin_per_decade == 2


@given(st.lists(st.floats(0.05, 20), min_size=2, max_size=6))
def test_groups_cover_the_axis_once(edges: list[float]) -> None:
    axis = LOG.upsample(5)
    try:
        table = axis.group_table(np.sort(edges) * u.TeV)
    except GeometryError:
        assert len(np.unique(axis.round(edges * u.TeV, clip=True))) == 1
        return
    assert table["idx_min"][0] == 0
    assert table["idx_max"][-1] == axis.nbin - 1
    assert_array_equal(table["idx_min"][1:], table["idx_max"][:-1] + 1)
    kinds = list(table["bin_type"])
    assert set(kinds[1:-1]) <= {"normal"}
    assert_allclose(table["energy_min"].quantity.value, axis.edges_min[table["idx_min"]].value)


@pytest.mark.parametrize("axis", [LOG, LIN], ids=["log", "lin"])
def test_bins_between(axis: MapAxis) -> None:
    assert bins_between(axis) == slice(0, axis.nbin)
    inner = axis.slice(bins_between(axis, axis.edges[1], axis.edges[3]))
    assert_allclose(inner.edges.value, axis.edges[1:4].value)
    # To the nearest edge in pixels, and not beyond the axis.
    near = axis.pix_to_coord(0.9)
    assert bins_between(axis, near, 2 * axis.edges[-1]) == slice(1, axis.nbin)
    with pytest.raises(InputError, match=f"a map: {axis.name}_min .* is not below {axis.name}_max"):
        bins_between(axis, axis.edges[2], axis.edges[1], owner="a map")
    with pytest.raises(GeometryError, match="no whole bin"):
        bins_between(axis, 2 * axis.edges[-1], 3 * axis.edges[-1])


def test_group_table_takes_an_axis() -> None:
    wanted = MapAxis.from_energy_edges([0.3, 3, 10] * u.TeV)
    table = LOG.group_table(wanted)
    assert list(zip(table["bin_type"], table["idx_min"], table["idx_max"], strict=True)) == [
        ("underflow", 0, 0),
        ("normal", 1, 2),
        ("normal", 3, 3),
    ]


def test_round() -> None:
    assert_allclose(LOG.round([0.2, 0.5, 200] * u.TeV, clip=True).value, [0.31622776601683794, 0.31622776601683794, 10])
    assert_allclose(LOG.round(200 * u.TeV).value, [10**2.5])


def test_periodic_axis() -> None:
    phase = MapAxis.from_bounds(0, 1, nbin=4, name="phase", boundary_type="periodic")
    assert phase.coord_to_idx([0.3, 1.3, -0.7, 1.0]).tolist() == [1, 1, 1, 0]
    assert_allclose(phase.coord_to_pix([0.3, 1.3]), [0.7, 0.7])
    assert_allclose(LIN.wrap_coord([1, 7, -1] * u.deg).value, [1, 2, 4])
    assert LIN.coord_to_idx(7 * u.deg) == -1


def test_coordinates_of_bare_numbers_are_in_the_unit_of_the_axis() -> None:
    assert LOG.coord_to_idx(2.0) == LOG.coord_to_idx(2 * u.TeV) == LOG.coord_to_idx("2000 GeV")
    assert [tuple(pair) for pair in SQRT.iter_by_edges] == [(1, 4), (4, 9), (9, 25)]


# Times


def test_instants_belong_to_intervals() -> None:
    instants = START + [0, 0.2, 0.5, 0.7, 2, 4.5, 9] * u.h
    assert TIMES.coord_to_idx(instants).tolist() == [-1, 0, 0, -1, 1, 2, -1]
    pix = TIMES.coord_to_pix(instants)
    assert_allclose(pix, [np.nan, -0.1, 0.5, np.nan, 1, 2, np.nan])
    inside = np.isfinite(pix)
    back = TIMES.pix_to_coord(pix[inside])
    assert_allclose((back - START).to_value("h"), [0.2, 0.5, 2, 4.5], atol=1e-9)
    assert not TIMES.is_contiguous
    with pytest.raises(GeometryError, match="gaps"):
        _ = TIMES.edges
    filled = TIMES.to_contiguous()
    assert filled.is_contiguous
    assert filled.nbin == 5
    assert_allclose(filled.edges.value, [0, 0.5, 1, 3, 4, 5])
    assert TIMES.squash().time_delta[0].to_value("h") == pytest.approx(5)


def test_time_axes_from_other_things() -> None:
    equal = TimeMapAxis.from_time_bounds(START, START + 1 * u.d, nbin=4, unit="h")
    assert_allclose(equal.edges.value, [0, 6, 12, 18, 24])
    assert TimeMapAxis.from_time_edges(TIMES.time_min, TIMES.time_max) == TIMES
    gti = TIMES.to_gti()
    assert isinstance(gti, GTI)
    assert TimeMapAxis.from_gti(gti) == TIMES
    assert TimeMapAxis.from_gti_bounds(gti, 1.01 * u.h).nbin == 5
    table = TIMES.to_table()
    assert table.colnames == ["START", "STOP"]
    assert TimeMapAxis.from_time_edges(table["START"], table["STOP"]) == TIMES
    for one, two in TIMES.iter_by_time_edges:
        assert one < two


@pytest.mark.parametrize(
    "wanted",
    [
        Time(["2020-03-19T00:00", "2020-03-19T03:30", "2020-03-19T06:30"]),
        [Time("2020-03-19T00:00"), Time("2020-03-19T03:30"), Time("2020-03-19T06:30")],
        [Time(["2020-03-19T00:00", "2020-03-19T03:30"]), Time(["2020-03-19T03:30", "2020-03-19T06:30"])],
        TimeMapAxis([0, 3.5] * u.h, [3.5, 6.5] * u.h, reference_time=START),
    ],
    ids=["edges", "list", "pairs", "axis"],
)
def test_groups_of_intervals(wanted: Any) -> None:
    table = TIMES.group_table(wanted)
    assert list(zip(table["idx_min"], table["idx_max"], table["bin_type"], strict=True)) == [(0, 1, "normal"), (2, 2, "normal")]
    assert_allclose((table["time_max"] - START).to_value("h"), [3, 5])


def test_no_interval_lies_in_a_short_group() -> None:
    assert len(TIMES.group_table([Time(["2020-03-19T00:10", "2020-03-19T00:20"])])) == 0


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: TimeMapAxis([0, 1] * u.h, [2, 3] * u.h, START), InputError, "must not overlap"),
        (lambda: TimeMapAxis([1, 0] * u.h, [2, 0.5] * u.h, START), InputError, "order|overlap"),
        (lambda: TimeMapAxis([0] * u.h, [0] * u.h, START), InputError, "TimeMapAxis"),
        (lambda: TimeMapAxis([0] * u.deg, [1] * u.deg, START), UnitError, "edges_min"),
        (lambda: TimeMapAxis([0] * u.h, [1] * u.h, "2020-01-01"), InputError, "reference_time"),
        (lambda: TimeMapAxis([0] * u.h, [1] * u.h, START, interp="log"), InputError, "'lin'"),
        (lambda: TIMES.upsample(2), UnsupportedError, "upsample"),
        (lambda: TIMES.downsample(2), UnsupportedError, "downsample"),
        (lambda: TIMES.pad(2), UnsupportedError, "pad"),
        (lambda: TimeMapAxis.from_time_bounds(START, START, 1), InputError, "must be later"),
        (lambda: TimeMapAxis.from_time_bounds("yesterday", START, 1), InputError, "time_min"),
        (lambda: TIMES.assert_name("t"), NameLookupError, "rename"),
        (lambda: setattr(TIMES, "time_format", "epoch of mine"), InputError, "time_format"),
        (lambda: LabelMapAxis(["a", "a"]), InputError, "more than once"),
        (lambda: LABELS.coord_to_idx("z"), NameLookupError, "not a valid label"),
        (lambda: LABELS.concatenate(LABELS), (InputError, GeometryError), "label"),
        (lambda: LABELS.assert_name("t"), NameLookupError, "rename"),
    ],
)
def test_refusals_of_other_axes(make: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        make()


# Labels


def test_labels() -> None:
    assert LABELS.coord_to_idx(["c", "a"]).tolist() == [2, 0]
    assert LABELS.pix_to_coord([0, 2]).tolist() == ["a", "c"]
    assert LABELS.slice(slice(1, 3)).center.tolist() == ["b", "c"]
    assert LABELS.squash().nbin == 1
    longer = LABELS.concatenate(LabelMapAxis(["d"], name="dataset"))
    assert longer.center.tolist() == ["a", "b", "c", "d"]
    assert LabelMapAxis.from_stack([LABELS, LabelMapAxis(["d"], name="dataset")]) == longer
    assert longer != LABELS


# Several axes


def test_axes_by_name_and_number() -> None:
    axes = MapAxes([LOG, LIN])
    assert axes.names == ["energy", "rad"]
    assert axes.shape == (4, 10)
    assert axes["rad"] is axes[1] is axes[LIN]
    assert axes.index("rad") == 1
    assert axes.index_data("rad") == 0
    assert "rad" in axes
    assert "x" not in axes
    assert MapAxes([LOG]) + MapAxes([LIN]) == axes
    assert axes.reverse.names == ["rad", "energy"]
    assert axes[:1].names == ["energy"]
    assert axes.primary_axis is LIN
    assert not axes.is_flat
    assert not axes.is_unidimensional
    assert axes.squash("rad").squash("energy").is_flat
    assert axes.bin_volume().shape == (4, 10)
    assert_allclose(axes.bin_volume().value, LOG.bin_width.value[:, None] * LIN.bin_width.value)


def test_bare_arrays_become_axes() -> None:
    axes = MapAxes.from_default([LOG, [1, 2, 3] * u.m, np.array([0, 1])])
    assert axes.names == ["energy", "axis1", "axis2"]
    assert axes["axis1"].unit == "m"
    assert len(MapAxes.from_default(None)) == 0


def test_changes_of_one_axis() -> None:
    axes = MapAxes([LOG, LIN])
    assert axes.upsample(2, "rad").downsample(2, "rad") == axes
    assert axes.pad("rad", 1).shape == (4, 12)
    assert axes.drop("rad") == MapAxes([LOG])
    assert axes.replace(LIN.squash()).shape == (4, 1)
    assert axes.rename_axes("rad", "offset").names == ["energy", "offset"]
    assert axes.slice_by_idx({"energy": 1}).names == ["rad"]
    joined = axes.resample(MapAxis.from_edges([0, 1.1, 4], unit="deg", name="rad"))
    assert_allclose(joined["rad"].edges.value, [0, 1, 4])
    pix = axes.coord_to_pix({"energy": 1 * u.TeV, "rad": 2 * u.deg})
    assert_allclose(np.ravel(pix), [1.5, 3.5])
    assert_allclose(axes.pix_to_coord(pix)[1].value, 2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MapAxes([LOG, LOG]), "twice"),
        (lambda: MapAxes([LOG])["bla"], "'bla' is not in the list"),
        (lambda: MapAxes([LOG]).assert_names(["energy_true"]), "Incorrect axis order or names"),
        (lambda: MapAxes([LOG]).coord_to_pix({"rad": 1}), "no 'energy'"),
        (lambda: MapAxes([LOG]).slice_by_idx({"rad": 1}), "'rad' is not in"),
        (lambda: MapAxes([]).primary_axis, "no axes"),
    ],
)
def test_refusals_of_axes(make: Any, message: str) -> None:
    with pytest.raises(NameLookupError, match=message):
        make()


# Files


@all_axes
def test_bands_round_trip(axis: Any) -> None:
    axes = MapAxes([axis])
    hdu = axes.to_table_hdu(format="gadf")
    assert MapAxes.from_table_hdu(hdu, format="gadf") == axes


@pytest.mark.parametrize("format", ["gadf", "ogip", "ogip-arf", "gadf-dl3", "fgst-ccube", "fgst-template"])
def test_tables_of_energy_axes_round_trip(format: str) -> None:
    name = "energy_true" if format in {"ogip-arf", "gadf-dl3", "fgst-template"} else "energy"
    axis = NODES if format == "fgst-template" else LOG.copy(name=name)
    axes = MapAxes([axis])
    table = axes.to_table(format=format)
    table.meta.update(axes.to_header(format=format) if format == "gadf" else {})
    back = MapAxes.from_table(table, format=format)
    assert_allclose(back[0].edges.to_value("TeV"), axis.edges.to_value("TeV"), rtol=1e-6)
    assert (back[0].name, back[0].node_type) == (name, axis.node_type)
    assert back[0].interp == "log"


def test_unknown_formats() -> None:
    with pytest.raises(NameLookupError, match="'bla'"):
        MapAxes([LOG]).to_table(format="bla")
    with pytest.raises(NameLookupError, match="'bla'"):
        LOG.to_header(format="bla")


# Figures


@all_axes
def test_axes_label_figures(axis: Any) -> None:
    ax = plt.figure().add_subplot()
    axis.format_plot_xaxis(ax)
    assert len(axis.as_plot_labels) == axis.nbin
    assert len(np.atleast_1d(axis.as_plot_center)) == axis.nbin
    plt.close("all")


def test_energy_axis_is_logarithmic_and_named_in_figures() -> None:
    ax = plt.figure().add_subplot()
    LOG.format_plot_xaxis(ax)
    LIN.format_plot_yaxis(ax)
    assert ax.get_xlabel() == r"Energy [$\mathrm{TeV}$]"
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "linear")
    plt.close("all")
