"""Objects come out of a packet as they went in; files do not stay."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_array_equal

from geminga.maps import Map, WcsGeom
from geminga.utils import transfer
from geminga.utils.transfer import memory_folder, pack, unpack


def test_large_arrays_go_through_a_file_which_is_removed(tmp_path):
    value = {"a": np.arange(300_000.0), "b": np.ones((200, 700), dtype="float32"), "c": [np.array([True, False]), "text"]}
    packed = pack(value, tmp_path)
    assert len(packed.data) < 2000
    assert len(list(tmp_path.iterdir())) == 1
    again = unpack(packed)
    assert not list(tmp_path.iterdir())
    for name in "ab":
        assert_array_equal(again[name], value[name])
        assert again[name].dtype == value[name].dtype
        again[name] += 1  # may be changed
    assert again["c"][1] == "text"
    assert value["b"][0, 0] == 1


def test_small_objects_need_no_file(tmp_path):
    packed = pack([np.arange(10), "text"], tmp_path)
    assert packed.path is None
    assert not list(tmp_path.iterdir())
    assert unpack(packed)[1] == "text"


def test_no_room_for_the_file(tmp_path, monkeypatch):
    def refuse(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(transfer, "_write", refuse)
    packed = pack(np.zeros(300_000), tmp_path)
    assert packed.path is None
    assert not list(tmp_path.iterdir())
    assert unpack(packed).shape == (300_000,)


def test_folder_in_memory(monkeypatch):
    assert memory_folder() in {None, "/dev/shm"}
    monkeypatch.setattr(transfer, "_ROOM", 1 << 62)
    assert memory_folder() is None


def test_coordinates_of_a_geometry_are_not_sent(tmp_path):
    geom = WcsGeom.create(npix=(400, 400), binsz=0.02)
    one = Map.from_geom(geom, data=np.arange(160_000.0).reshape(400, 400))
    assert geom.get_coord()["lon"].size == 160_000
    packed = pack(one, tmp_path)
    assert len(packed.data) < 50_000
    again = unpack(packed)
    assert again.geom == geom
    assert_array_equal(again.geom.get_coord()["lon"], geom.get_coord()["lon"])
    assert_array_equal(again.data, one.data)
