"""The stamp of a map: it changes with every change of the content, also in place, and with nothing else."""

from __future__ import annotations

import copy
import pickle
import time

import astropy.units as u
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geminga.errors import DataError, GeometryError, InputError
from geminga.maps import Map, MapAxis, RegionNDMap, WcsGeom, WcsNDMap
from geminga.maps.map.content import Content, checksum

AXIS = MapAxis.from_energy_edges([1, 3, 10] * u.TeV)
GEOM = WcsGeom.create(npix=(7, 5), binsz=1, axes=[AXIS])


@pytest.fixture
def cube() -> WcsNDMap:
    return WcsNDMap(GEOM, data=np.arange(70, dtype="float32").reshape(GEOM.data_shape), unit="cm2")


DTYPES = st.sampled_from(["float64", "float32", "int16", "uint8", "bool"])


@given(DTYPES, st.integers(1, 40), st.data())
def test_checksum_notices_any_single_change(dtype: str, size: int, data: st.DataObject) -> None:
    array = np.zeros(size, dtype=dtype)
    before = checksum(array)
    index = data.draw(st.integers(0, size - 1))
    array[index] = 1
    assert checksum(array) != before
    array[index] = 0
    assert checksum(array) == before


@pytest.mark.parametrize("dtype", ["float64", "float32", "uint8"])
def test_checksum_notices_every_swap_of_zero_and_one(dtype: str) -> None:
    array = np.zeros(300, dtype=dtype)
    sums = set()
    for index in range(300):
        array[index] = 1
        sums.add(checksum(array))
        array[index] = 0
    assert len(sums) == 300


def test_checksum_notices_swapped_blocks_and_the_last_element() -> None:
    array = np.zeros((3, 8192))
    array[0] = 1
    other = array[[1, 0, 2]]
    assert checksum(array) != checksum(other)
    before = checksum(array)
    array[-1, -1] = 5e-324
    assert checksum(array) != before


def test_checksum_does_not_depend_on_memory_order() -> None:
    array = np.random.default_rng(0).random((6, 5))
    assert checksum(array) == checksum(np.asfortranarray(array))


def test_stamp_is_fast() -> None:
    content = Content(np.random.default_rng(0).random((10, 240, 320)).astype("float32"))
    held = content.expose()
    assert content.stamp
    times = []
    for _ in range(5):
        start = time.perf_counter()
        assert content.stamp
        times.append(time.perf_counter() - start)
    assert held.nbytes > 3e6
    # About 0.4 ms; ten times that leaves room for a busy machine.
    assert min(times) < 4e-3


def test_stamp_does_not_change_when_only_looked_at(cube: WcsNDMap) -> None:
    first = cube.stamp
    assert cube.data.sum() == cube.frozen_data.sum()
    view = cube.data[0]
    assert view[0, 0] == 0
    assert [cube.stamp for _ in range(3)] == [first] * 3
    del view
    assert cube.stamp == first


def test_stamp_notices_changes_through_references_kept_for_long(cube: WcsNDMap) -> None:
    array, part, flat = cube.data, cube.data[1, 2], cube.data.reshape(-1)
    seen = {cube.stamp}
    for change in (
        lambda: array.__setitem__((0, 0, 0), 5),
        lambda: part.__setitem__(3, -1),
        lambda: flat.__setitem__(69, np.nan),
        lambda: np.add(array, 1, out=array),
        lambda: array.sort(axis=0),
    ):
        change()
        seen.add(cube.stamp)
        assert cube.stamp in seen
    assert len(seen) == 6


def test_stamp_notices_changes_by_views_whose_parents_are_gone(cube: WcsNDMap) -> None:
    first = cube.stamp
    view = cube.data[0].T[2:4]
    for _ in range(3):
        assert cube.stamp == first
    view[0, 0] = 77
    assert cube.stamp != first


def test_exposure_ends_with_the_last_reference(cube: WcsNDMap) -> None:
    first = cube.stamp
    view = cube.data[:1]
    assert cube.stamp == first
    assert cube._content._exposed
    del view
    assert cube.stamp == first
    assert not cube._content._exposed
    # A frozen view is no reason to look again.
    frozen = cube.frozen_data[0]
    assert cube.stamp == first
    assert not cube._content._exposed
    assert frozen.shape == (5, 7)


def test_array_given_by_the_user_is_watched() -> None:
    own = np.zeros(GEOM.data_shape)
    cube = WcsNDMap(GEOM, data=own)
    first = cube.stamp
    own[0, 0, 0] = 1
    assert cube.stamp != first
    assert cube.data[0, 0, 0] == 1


@pytest.mark.parametrize("kind", ["slice of a larger array", "reshaped", "shared buffer"])
def test_view_given_by_the_user_is_watched(kind: str) -> None:
    if kind == "slice of a larger array":
        owner = np.zeros((4, *GEOM.data_shape))
        given_array = owner[2]
    elif kind == "reshaped":
        owner = np.zeros(70)
        given_array = owner.reshape(GEOM.data_shape)
    else:
        buffer = bytearray(70 * 8)
        owner = np.frombuffer(buffer)
        given_array = np.frombuffer(buffer).reshape(GEOM.data_shape)
    cube = WcsNDMap(GEOM, data=given_array)
    del given_array
    first = cube.stamp
    assert cube.stamp == first
    owner[...] = 3
    assert cube.stamp != first


def test_view_of_an_array_nobody_else_has_is_not_watched() -> None:
    cube = WcsNDMap(GEOM, data=np.zeros(70).reshape(GEOM.data_shape))
    first = cube.stamp
    assert not cube._content._exposed
    part = cube.data[0]
    part[0, 0] = 1
    assert cube.stamp != first


def test_changed_and_changed_back_is_the_new_state(cube: WcsNDMap) -> None:
    array = cube.data
    first = cube.stamp
    array[0, 0, 0] = 9
    second = cube.stamp
    array[0, 0, 0] = 0
    assert len({first, second, cube.stamp}) == 3


@pytest.mark.parametrize(
    "change",
    [
        lambda m: setattr(m, "data", m.data + 1),
        lambda m: setattr(m, "data", m.data),
        lambda m: setattr(m, "quantity", np.ones(GEOM.data_shape) * u.m),
        lambda m: m.__iadd__(1 * u.cm**2),
        lambda m: m.__isub__(1 * u.cm**2),
        lambda m: m.__imul__(2),
        lambda m: m.__itruediv__(2),
        lambda m: m.fill_by_idx((0, 0, 0)),
        lambda m: m.set_by_idx((0, 0, 0), 99),
        lambda m: m.stack(m.copy()),
        lambda m: m.coadd(m.copy()),
        lambda m: m.normalize("energy"),
        lambda m: m.data.__iadd__(1),
        lambda m: m.data.fill(4),
    ],
)
def test_every_way_to_change_a_map_gives_a_new_stamp(cube: WcsNDMap, change: object) -> None:
    first = cube.stamp
    change(cube)  # type: ignore[operator]
    second = cube.stamp
    assert second != first
    assert cube.stamp == second


def test_augmented_assignment_to_data(cube: WcsNDMap) -> None:
    first = cube.stamp
    cube.data += 1
    second = cube.stamp
    cube.data[0] *= 2
    assert len({first, second, cube.stamp}) == 3


def test_stamps_are_unique_among_maps(cube: WcsNDMap) -> None:
    others = [cube.copy(), copy.copy(cube).copy(), copy.deepcopy(cube), pickle.loads(pickle.dumps(cube)), cube * 1]
    stamps = [cube.stamp, *[one.stamp for one in others]]
    assert len(set(stamps)) == len(stamps)
    for one in others:
        assert one.is_allclose(cube)
        assert one.unit == cube.unit


def test_copies_do_not_share_data(cube: WcsNDMap) -> None:
    for other in (
        cube.copy(),
        copy.deepcopy(cube),
        cube.to_unit("cm2"),
        cube.cutout(cube.geom.center_skydir, 9),
    ):
        stamp = cube.stamp
        other.data[...] = -5
        assert cube.frozen_data.min() == 0
        assert cube.stamp == stamp


def test_slices_of_a_map_are_views(cube: WcsNDMap) -> None:
    """As those of arrays are; the map notices what is written into them, also later."""
    kept = cube.slice_by_idx({"energy": slice(1, 2)})
    stamps = [cube.stamp]
    for number, image in enumerate(cube.iter_by_image()):
        image.data[...] = number
    stamps.append(cube.stamp)
    for image, _ in cube.iter_by_image_data():
        image[0, 0] = -5
    stamps.append(cube.stamp)
    cube.get_image_by_idx((0,)).data[1, 1] = 7
    stamps.append(cube.stamp)
    next(iter(cube.iter_by_axis("energy", keepdims=True))).data[0, 2, 2] = 8
    stamps.append(cube.stamp)
    kept.data[0, 3, 3] = 9
    stamps.append(cube.stamp)
    assert len(set(stamps)) == len(stamps)
    assert (cube.frozen_data[:, 0, 0] == -5).all()
    assert cube.frozen_data[0, [0, 1, 2], [1, 1, 2]].tolist() == [0, 7, 8]
    assert cube.frozen_data[1, [0, 3], [1, 3]].tolist() == [1, 9]
    assert cube.stamp == stamps[-1]


def test_frozen_data_cannot_be_written(cube: WcsNDMap) -> None:
    with pytest.raises(ValueError, match="read-only"):
        cube.frozen_data[0, 0, 0] = 1
    with pytest.raises(ValueError, match="WRITEABLE"):
        cube.frozen_data.flags.writeable = True


def test_read_only_data_are_copied() -> None:
    cube = WcsNDMap(GEOM, data=np.broadcast_to(1.0, GEOM.data_shape))
    cube.data[0, 0, 0] = 2
    assert cube.frozen_data.sum() == 71
    other = WcsNDMap(GEOM, data=cube.frozen_data)
    other.data[...] = 0
    assert cube.frozen_data.sum() == 71


def test_region_maps_have_stamps() -> None:
    spectrum = RegionNDMap.create(None, axes=[AXIS], data=np.array([1.0, 2.0]))
    first = spectrum.stamp
    assert spectrum.data.shape == (2, 1, 1)
    assert spectrum.stamp == first
    spectrum.data[0] = 3
    assert spectrum.stamp != first


@pytest.mark.parametrize("value", [3.0, np.ones((5, 7)), np.ones((2, 1, 1))])
def test_data_broadcast(cube: WcsNDMap, value: object) -> None:
    cube.data = value
    assert cube.data.shape == GEOM.data_shape
    cube.data[0, 0, 0] = 5
    assert np.sum(cube.data == 5) == 1


def test_wrong_data_are_refused(cube: WcsNDMap) -> None:
    stamp = cube.stamp
    with pytest.raises(GeometryError, match=r"input shape \(3, 3\) is not compatible with the shape \(2, 5, 7\)"):
        cube.data = np.ones((3, 3))
    with pytest.raises(InputError, match=r"set \.quantity"):
        cube.data = np.ones(GEOM.data_shape) * u.m
    with pytest.raises(DataError, match="expected numbers or bool"):
        cube.data = np.full(GEOM.data_shape, None)
    assert cube.stamp == stamp
    with pytest.raises(InputError, match="unknown arguments"):
        cube.copy(data_=1)
    with pytest.raises(GeometryError, match="not compatible"):
        RegionNDMap.create(None, axes=[AXIS], data=np.ones(3))


def test_meta_is_not_shared(cube: WcsNDMap) -> None:
    cube.meta = {"list": [1]}
    other = cube.copy()
    other.meta["list"].append(2)
    assert cube.meta == {"list": [1]}
    assert (cube * 2).meta == {"list": [1]}


def test_array_protocol(cube: WcsNDMap) -> None:
    array = np.asarray(cube)
    array[0, 0, 0] = 9
    assert cube.frozen_data[0, 0, 0] == 0
    assert np.sqrt(cube).shape == GEOM.data_shape


def test_print(cube: WcsNDMap) -> None:
    expected = (
        "WcsNDMap\n\n\tgeom  : WcsGeom \n \taxes  : ['lon', 'lat', 'energy']\n\tshape : (7, 5, 2)\n\tndim  : 3\n\tunit  : cm2\n"
        "\tdtype : float32\n"
    )
    assert str(cube) == expected
    assert "<pre>" in cube._repr_html_()
    assert Map.from_geom(GEOM, unit="s").unit == "s"
