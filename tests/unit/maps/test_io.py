"""Maps in files: what is written comes back, and what others wrote is read."""

from __future__ import annotations

from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.time import Time
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from geminga.errors import (
    CorruptFileError,
    FileError,
    FileExistsRefusal,
    FormatError,
    GeometryError,
    NameLookupError,
    UnsupportedError,
)
from geminga.maps import LabelMapAxis, Map, MapAxis, Maps, RegionNDMap, TimeMapAxis, WcsGeom, WcsNDMap
from geminga.maps.io import gadf
from geminga.maps.io.tables import meta_from_text, meta_to_text
from geminga.utils.files import read_fits
from tests.helpers import data_path, requires_data

ENERGY = MapAxis.from_energy_edges([1, 3, 10] * u.TeV)
TRUE = MapAxis.from_energy_bounds("0.1 TeV", "10 TeV", nbin=4, name="energy_true")
RAD = MapAxis.from_edges([0, 0.1, 0.3, 0.7], unit="deg", name="rad")
NODES = MapAxis.from_nodes([1, 4, 9], interp="sqrt", name="norm")
TIME = TimeMapAxis([0, 2, 5] * u.h, [1, 3, 7] * u.h, reference_time=Time("2020-03-19", scale="tt"))
LABELS = LabelMapAxis(["c", "a", "b"], name="dataset")
CIRCLE = "icrs;circle(83.63, 22.01, 0.5)"

axes_lists = st.lists(st.sampled_from([ENERGY, TRUE, RAD, NODES, TIME, LABELS]), max_size=4, unique_by=lambda axis: axis.name)
dtypes = st.sampled_from(["float32", "float64", "int16", "int32", "int64", "uint8", "bool"])
units = st.sampled_from(["", "m2 s", "cm-2 s-1 TeV-1", "sr-1", "deg-2"])
metas = st.dictionaries(
    st.text("abcDEF_1", min_size=1, max_size=8),
    st.one_of(
        st.integers(-9, 9),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text("xyzäß ", max_size=100),
        st.booleans(),
        st.none(),
    ),
    max_size=3,
)
quick = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)


def values(shape: tuple[int, ...], dtype: str, seed: int = 0) -> np.ndarray:
    return (
        np.random.default_rng(seed).uniform(0, 100, shape) * (np.random.default_rng(seed + 1).uniform(size=shape) > 0.5)
    ).astype(dtype)


def assert_same(one: Map, other: Map) -> None:
    assert type(one) is type(other)
    assert one.geom == other.geom
    assert one.geom.axes.names == other.geom.axes.names
    assert one.unit == other.unit
    assert one.frozen_data.dtype == other.frozen_data.dtype
    assert other.frozen_data.dtype.isnative
    assert_array_equal(one.frozen_data, other.frozen_data)
    assert one.meta == other.meta


# Round trips


@quick
@given(
    axes=axes_lists, dtype=dtypes, unit=units, meta=metas, hdu=st.sampled_from([None, "counts", "SKYMAP"]), sparse=st.booleans()
)
def test_wcs_round_trip(tmp_path: Path, axes: list, dtype: str, unit: str, meta: dict, hdu: str | None, sparse: bool) -> None:
    geom = WcsGeom.create(npix=(4, 3), binsz=(0.5, 0.25), skydir=(83.63, 22.01), proj="TAN", frame="galactic", axes=axes)
    if sparse and dtype == "uint8":
        dtype = "int16"
    one = WcsNDMap(geom, data=values(geom.data_shape, dtype), unit=unit, meta=meta)
    path = tmp_path / "map.fits"
    one.write(path, overwrite=True, hdu=hdu, sparse=sparse)
    assert_same(one, Map.read(path, hdu=hdu, checksum=True))
    assert_same(one, Map.read(path))


@quick
@given(
    axes=axes_lists,
    dtype=dtypes,
    unit=units,
    meta=metas,
    region=st.sampled_from([None, CIRCLE, f"{CIRCLE};circle(85, 22, 0.3)", "galactic;box(1, 2, 1, 2, 30)", "icrs;point(1, 2)"]),
)
def test_region_round_trip(tmp_path: Path, axes: list, dtype: str, unit: str, meta: dict, region: str | None) -> None:
    if dtype == "bool":
        unit = ""
    one = RegionNDMap.create(region, axes=axes, dtype=dtype, unit=unit, meta=meta)
    one.data = values(one.data.shape, dtype)
    path = tmp_path / "map.fits.gz"
    one.write(path, overwrite=True)
    back = RegionNDMap.read(path)
    assert_same(one, back)
    assert_same(one, Map.read(path, map_type="region"))
    if axes or region:
        assert_same(one, Map.read(path))


@pytest.mark.parametrize("format_", ["fgst-ccube", "fgst-template", "fgst-bexpcube"])
@pytest.mark.parametrize("axis", [ENERGY, TRUE, MapAxis.from_nodes([1, 4, 16], interp="log", name="energy_true", unit="GeV")])
def test_fgst_round_trip(tmp_path: Path, format_: str, axis: MapAxis) -> None:
    geom = WcsGeom.create(npix=(4, 3), binsz=0.5, axes=[axis])
    one = WcsNDMap(geom, data=values(geom.data_shape, "float32"), unit="cm2 s")
    path = tmp_path / "map.fits"
    one.write(path, format=format_)
    assert fits.getheader(path, 1)["EXTNAME"] == {"fgst-ccube": "EBOUNDS"}.get(format_, "ENERGIES")
    table = fits.getdata(path, 1)
    assert table.columns.names == ["CHANNEL", "ENERGY", "E_MIN", "E_MAX"]
    if format_ != "fgst-ccube":  # Other programs take MeV for granted.
        assert_allclose(table["ENERGY"], axis.center.to_value("MeV"))
    for back in (Map.read(path), Map.read(path, format=format_)):
        (known,) = back.geom.axes
        kind = ("energy", "edges") if format_ == "fgst-ccube" else ("energy_true", "center")
        assert (known.name, known.node_type, known.interp) == (*kind, "log")
        assert_allclose(known.center.to_value("TeV"), axis.center.to_value("TeV"))
        assert_same(one, back._like(back.data, one.geom))


@pytest.mark.parametrize("format_", ["ogip", "ogip-sherpa"])
@pytest.mark.parametrize("numbers", [[3.0, 4.0], [3.5, 0.25]])
def test_ogip_round_trip(tmp_path: Path, format_: str, numbers: list[float]) -> None:
    one = RegionNDMap.create(CIRCLE, axes=[ENERGY], data=np.array(numbers))
    path = tmp_path / "pha.fits"
    one.write(path, format=format_)
    back = RegionNDMap.read(path, format=format_)
    assert back.geom == one.geom
    assert_array_equal(back.data, one.data)
    assert fits.getdata(path, "EBOUNDS")["E_MIN"][0] == (1e9 if format_ == "ogip-sherpa" else 1)


@pytest.mark.parametrize("format_", ["ogip-arf", "ogip-arf-sherpa"])
def test_arf_round_trip(tmp_path: Path, format_: str) -> None:
    one = RegionNDMap.create(None, axes=[TRUE], data=np.arange(4.0), unit="m2")
    path = tmp_path / "arf.fits"
    one.write(path, format=format_)
    back = RegionNDMap.read(path, format=format_)
    assert back.unit == ("cm2" if format_ == "ogip-arf-sherpa" else "m2")
    assert_allclose(back.to_unit("m2").data, one.data)
    assert back.geom.axes == one.geom.axes


def test_tables_of_region_maps() -> None:
    one = RegionNDMap.create(None, axes=[ENERGY], data=np.array([3.0, 4.0]), unit="s")
    assert one.to_table()["DATA"].unit == "s"
    assert one.to_table("ogip")["COUNTS"].dtype == np.int32
    from astropy.table import QTable, Table

    sed = Table(
        QTable(
            {
                "e_ref": [2, 5] * u.TeV,
                "e_min": [1, 3] * u.TeV,
                "e_max": [3, 10] * u.TeV,
                "dnde": [4, 1] * u.Unit("cm-2 s-1 TeV-1"),
            }
        )
    )
    points = RegionNDMap.from_table(sed, format="gadf-sed", colname="dnde")
    assert points.geom.axes["energy"] == ENERGY
    assert points.unit == "cm-2 s-1 TeV-1"
    arf = RegionNDMap.create(None, axes=[TRUE], unit="m2").to_table("ogip-arf")
    assert RegionNDMap.from_table(arf, format="ogip-arf").unit == "m2"
    with pytest.raises(NameLookupError, match="colname must be given"):
        RegionNDMap.from_table(sed, format="gadf-sed")
    with pytest.raises(NameLookupError, match="no column 'flux'"):
        RegionNDMap.from_table(sed, format="gadf-sed", colname="flux")
    with pytest.raises(NameLookupError, match="one of tables, not of files"):
        points.to_hdulist(format="gadf-sed")
    with pytest.raises(GeometryError, match="needs the one axis 'energy_true'"):
        one.to_table("ogip-arf")


def test_maps_round_trip(tmp_path: Path) -> None:
    one = Map.create(npix=3, binsz=1, axes=[ENERGY], unit="s")
    maps = Maps(counts=one, mask=one > 0 * u.s)
    path = tmp_path / "maps.fits"
    maps.write(path)
    assert [hdu.name for hdu in read_fits(path)] == ["PRIMARY", "COUNTS", "BANDS", "MASK"]
    back = Maps.read(path)
    assert list(back) == ["counts", "mask"]
    for name in maps:
        assert_same(maps[name], back[name])
    spectrum = RegionNDMap.create(CIRCLE, axes=[ENERGY])
    Maps(on=spectrum, off=spectrum).write(path, overwrite=True)
    back = Maps.read(path)
    assert_same(back["off"], spectrum)


def test_meta_data_with_units(tmp_path: Path) -> None:
    meta = {"livetime": 5292.00010298 * u.s, "name": "23 Tauri", "runs": [1, 2], "nested": {"x": 2 * u.Unit("m2")}}
    one = Map.create(npix=2, binsz=1, meta=meta)
    one.write(tmp_path / "map.fits")
    back = Map.read(tmp_path / "map.fits").meta
    assert back == meta
    assert meta_from_text(meta_to_text({"a": np.arange(2), "b": np.float32(1), "c": 3 * u.one}), "X") == {
        "a": [0, 1],
        "b": 1,
        "c": 3,
    }
    assert fits.getheader(tmp_path / "map.fits")["META"].startswith('{"livetime": "5292.00010298 s"')
    region = RegionNDMap.create(None, axes=[ENERGY], meta={"livetime": 3 * u.h})
    region.write(tmp_path / "region.fits")
    assert RegionNDMap.read(tmp_path / "region.fits").meta == {"livetime": 3 * u.h}


# Layout


def test_layout_of_files() -> None:
    geom = WcsGeom.create(npix=(4, 3), binsz=0.5, axes=[ENERGY, RAD])
    one = WcsNDMap(geom, unit="s")
    hdulist = one.to_hdulist()
    assert [hdu.name for hdu in hdulist] == ["PRIMARY", "PRIMARY_BANDS"]
    header = hdulist[0].header
    assert (header["WCSSHAPE"], header["BANDSHDU"], header["BUNIT"], header["AXCOLS1"]) == (
        "(4,3,2,3)",
        "PRIMARY_BANDS",
        "s",
        "E_MIN,E_MAX",
    )
    bands = hdulist[1].data
    assert_array_equal(bands["CHANNEL"], np.arange(6))
    assert_array_equal(bands["E_MIN"], [1, 3] * 3)
    assert [hdu.name for hdu in one.to_hdulist(hdu="counts", hdu_bands="axes")] == ["PRIMARY", "COUNTS", "AXES"]
    assert [hdu.name for hdu in one.to_hdulist(sparse=True)] == ["PRIMARY", "SKYMAP", "SKYMAP_BANDS"]
    assert one.to_hdulist(sparse=True)[1].columns["PIX"].format == "J"
    assert one.to_hdulist(sparse=True)[1].columns["CHANNEL"].format == "J"
    region = RegionNDMap.create(CIRCLE, axes=[ENERGY, RAD]).to_hdulist(hdu="psf")
    assert [hdu.name for hdu in region] == ["PRIMARY", "PSF", "PSF_BANDS", "PSF_REGION"]
    assert region[1].data["DATA"].shape == (3, 2, 1, 1)
    assert RegionNDMap.create(None).to_hdulist()[1].data["DATA"].shape == (1, 1, 1)


def test_many_channels_in_sparse_maps(tmp_path: Path) -> None:
    axis = MapAxis.from_edges(np.arange(40001), name="time", unit="s")
    one = Map.create(npix=1, binsz=1, axes=[axis])
    one.data[39999] = 7
    one.write(tmp_path / "map.fits", sparse=True)
    assert Map.read(tmp_path / "map.fits").data[39999, 0, 0] == 7


def test_order_of_rows_does_not_matter() -> None:
    geom = WcsGeom.create(npix=2, binsz=1, axes=[ENERGY, RAD, NODES])
    hdulist = WcsNDMap(geom, data=values(geom.data_shape, "float64")).to_hdulist()
    table = hdulist[1].data
    shuffled = fits.BinTableHDU(
        table[np.random.default_rng(0).permutation(len(table))], header=hdulist[1].header, name="PRIMARY_BANDS"
    )
    assert Map.from_hdulist(fits.HDUList([hdulist[0], shuffled])).geom.axes == geom.axes


def test_flat_rows_of_old_region_files() -> None:
    one = RegionNDMap.create(None, axes=[ENERGY, RAD], data=np.arange(6.0))
    hdulist = one.to_hdulist()
    flat = fits.BinTableHDU.from_columns([fits.Column("DATA", "D", array=np.arange(6.0))], name="SKYMAP")
    old = RegionNDMap.from_hdulist(fits.HDUList([hdulist[0], flat, hdulist[2]]))
    assert_array_equal(old.data, one.data)


@pytest.mark.parametrize("name", ["MASK_SAFE", "is_ul", "success"])
def test_names_of_masks(name: str) -> None:
    hdulist = fits.HDUList([fits.PrimaryHDU(), *Map.create(npix=2, binsz=1, dtype="int64").to_hdulist(hdu=name)[1:]])
    assert Map.from_hdulist(hdulist).is_mask


def test_geometry_is_shared_among_maps_of_a_file() -> None:
    one = Map.create(npix=3, binsz=1, axes=[ENERGY])
    hdulist = Maps(a=one, b=one).to_hdulist()
    first, second = Map.from_hdulist(hdulist, hdu="A"), Map.from_hdulist(hdulist, hdu="B")
    assert first.geom is second.geom
    other = Map.from_hdulist(Map.create(npix=3, binsz=1, axes=[TRUE]).to_hdulist())
    assert other.geom.axes.names == ["energy_true"]
    assert first.geom.solid_angle() is second.geom.solid_angle()


def test_unit_of_templates_without_one() -> None:
    axis = MapAxis.from_nodes([1, 10], interp="log", name="energy_true", unit="MeV")
    hdulist = Map.create(npix=2, binsz=1, axes=[axis]).to_hdulist(format="fgst-template")
    del hdulist[0].header["BUNIT"]
    assert Map.from_hdulist(hdulist).unit == "cm-2 s-1 MeV-1 sr-1"
    hdulist.append(fits.BinTableHDU.from_columns([fits.Column("START", "D", array=[0.0])], name="GTI"))
    assert Map.from_hdulist(hdulist).unit == "cm2 s"


def test_three_dimensional_projections() -> None:
    geom = WcsGeom.create(npix=(4, 3), binsz=1, axes=[ENERGY])
    hdulist = WcsNDMap(geom).to_hdulist(format="fgst-ccube")
    header = hdulist[0].header
    for key in ("WCSSHAPE", "BANDSHDU", "WCSAXES", "META"):
        del header[key]
    header.update({"CTYPE3": "Energy", "CRPIX3": 1, "CRVAL3": 100.0, "CDELT3": 50.0, "CUNIT3": "MeV"})
    assert Map.from_hdulist(hdulist).geom == geom


# Refusals


def test_existing_files_are_kept(tmp_path: Path) -> None:
    one = Map.create(npix=2, binsz=1)
    path = tmp_path / "map.fits"
    one.write(path)
    content = path.read_bytes()
    with pytest.raises(FileExistsRefusal, match="overwrite=True"):
        (one + 1).write(path)
    assert path.read_bytes() == content
    (one + 1).write(path, overwrite=True)
    assert Map.read(path).data.sum() == 4


def test_checksums(tmp_path: Path) -> None:
    path = tmp_path / "map.fits"
    Map.create(npix=2, binsz=1).write(path)
    assert "DATASUM" in fits.getheader(path)
    content = bytearray(path.read_bytes())
    content[fits.getheader(path).tostring().__len__()] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(CorruptFileError, match="DATASUM"):
        Map.read(path, checksum=True)


def test_missing_things_are_named(tmp_path: Path) -> None:
    path = tmp_path / "map.fits"
    Map.create(npix=2, binsz=1, axes=[ENERGY]).write(path)
    with pytest.raises(
        NameLookupError, match=rf"File {path}: HDU 'counts' is not in the file; it has \['PRIMARY', 'PRIMARY_BANDS'\]"
    ):
        Map.read(path, hdu="counts")
    with pytest.raises(NameLookupError, match="'NO_BANDS' is not in the file"):
        Map.read(path, hdu_bands="NO_BANDS")
    with pytest.raises(NameLookupError, match="format 'fits3' is not known; expected one of fgst-bexpcube"):
        Map.read(path, format="fits3")
    with pytest.raises(NameLookupError, match="format 'xyz' is not known"):
        Map.create(npix=2, binsz=1).write(path, overwrite=True, format="xyz")
    with pytest.raises(NameLookupError, match="format 'xyz' is not known"):
        RegionNDMap.create(None).to_hdulist(format="xyz")
    with pytest.raises(FileError, match="does not exist"):
        Map.read(tmp_path / "nothing.fits")
    with pytest.raises(NameLookupError, match="Unrecognized map type: 'cube'"):
        Map.read(path, map_type="cube")


def test_inconsistent_files_are_refused() -> None:
    hdulist = Map.create(npix=(4, 3), binsz=1, axes=[ENERGY]).to_hdulist()
    hdulist[0].header["WCSSHAPE"] = "(4,4,2)"
    with pytest.raises(
        FormatError, match=r"HDU PRIMARY: the image has shape \(2, 3, 4\), the axes and the projection say \(2, 4, 4\)"
    ):
        Map.from_hdulist(hdulist)
    hdulist[0].header["WCSSHAPE"] = "__import__('os').getcwd()"
    with pytest.raises(FormatError, match="WCSSHAPE"):
        Map.from_hdulist(hdulist)
    hdulist[0].header["WCSSHAPE"] = "(4,3,2)"
    hdulist[0].header["META"] = "{broken"
    with pytest.raises(FormatError, match="META is not JSON"):
        Map.from_hdulist(hdulist)
    hdulist[0].header["META"] = "[1]"
    with pytest.raises(FormatError, match="expected a JSON object"):
        Map.from_hdulist(hdulist)
    sparse = (Map.create(npix=(4, 3), binsz=1) + 1).to_hdulist(sparse=True)
    sparse[1].data["PIX"][0] = 99
    with pytest.raises(FormatError, match="beyond the map"):
        Map.from_hdulist(sparse)
    del sparse[1].header["WCSSHAPE"]
    with pytest.raises(FormatError, match="does not say how many pixels"):
        Map.from_hdulist(sparse)
    region = RegionNDMap.create(None, axes=[ENERGY]).to_hdulist()
    region[1].data = region[1].data[:1]
    with pytest.raises(FormatError, match="holds 1 numbers"):
        RegionNDMap.from_hdulist(region)
    region[1].columns["DATA"].name = "OTHER"
    with pytest.raises(FormatError, match="expected a table with the column DATA"):
        RegionNDMap.from_hdulist(region)


def test_what_formats_cannot_hold(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="complex"):
        Map.create(npix=2, binsz=1, dtype="complex").to_hdulist()
    with pytest.raises(GeometryError, match="needs one axis named energy or energy_true"):
        Map.create(npix=2, binsz=1, axes=[RAD]).write(tmp_path / "map.fits", format="fgst-ccube")
    assert gadf.is_named_mask("mask_fit")


# Files of others


@requires_data("fermi-3fhl-gc")
def test_fermi_files() -> None:
    folder = data_path("fermi-3fhl-gc")
    counts = Map.read(folder / "fermi-3fhl-gc-counts-cube.fits.gz")
    assert (counts.geom.axes.names, counts.data.shape, counts.data.sum()) == (["energy"], (11, 200, 400), 32684)
    exposure = Map.read(folder / "fermi-3fhl-gc-exposure-cube.fits.gz")
    axis = exposure.geom.axes["energy_true"]
    assert (exposure.unit, axis.node_type, axis.interp) == (u.Unit("cm2 s"), "center", "log")
    template = Map.read(folder / "gll_iem_v06_gc.fits.gz")
    assert template.geom.axes.names == ["energy_true"]
    assert template.unit == "cm-2 s-1 MeV-1 sr-1"
    psf = Map.read(folder / "fermi-3fhl-gc.fits.gz", hdu="PSF")
    assert (type(psf), psf.data.shape, psf.unit) == (RegionNDMap, (11, 130, 1, 1), u.Unit("sr-1"))
    assert Map.read(folder / "fermi-3fhl-gc.fits.gz", hdu="MASK_SAFE").is_mask


@requires_data("joint-crab/spectra/hess/pha_obs23523.fits")
def test_ogip_files() -> None:
    folder = data_path("joint-crab/spectra/hess")
    counts = RegionNDMap.read(folder / "pha_obs23523.fits", format="ogip")
    assert counts.data.sum() == 189
    assert counts.geom.axes["energy"].unit == "keV"
    quality = RegionNDMap.read(folder / "pha_obs23523.fits", format="ogip", ogip_column="QUALITY")
    assert (quality.is_mask, quality.data.sum()) == (True, 41)
    assert (RegionNDMap.read(folder / "pha_obs23523.fits", format="ogip", ogip_column="BACKSCAL").data == 1).all()
    assert RegionNDMap.read(folder / "arf_obs23523.fits", format="ogip-arf").unit == "cm2"
    with pytest.raises(FormatError, match="no column 'RATE'"):
        RegionNDMap.read(folder / "pha_obs23523.fits", format="ogip", ogip_column="RATE")


def test_quality_and_scale_as_keywords() -> None:
    hdulist = RegionNDMap.create(None, axes=[ENERGY], data=np.array([1.0, 2.0])).to_hdulist(format="ogip")
    hdulist[1].header["BACKSCAL"] = 0.25
    assert_array_equal(RegionNDMap.from_hdulist(hdulist, format="ogip", ogip_column="BACKSCAL").data.ravel(), [0.25, 0.25])
    assert RegionNDMap.from_hdulist(hdulist, format="ogip", ogip_column="QUALITY").data.all()
