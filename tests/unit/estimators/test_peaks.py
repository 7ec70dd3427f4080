import numpy as np
import pytest

from geminga.errors import GeometryError, InputError
from geminga.estimators.peaks import find_peaks
from geminga.maps import Map, MapAxis


def image():
    out = Map.create(skydir=(10, 20), npix=(30, 20), binsz=0.1)
    out.data[5, 8], out.data[15, 22], out.data[15, 24] = 9, 7, 6
    out.data[0, 0] = np.nan
    return out


def test_highest_first_and_where():
    table = find_peaks(image(), threshold=5)
    assert table["x"].tolist() == [8, 22, 24]
    assert table["y"].tolist() == [5, 15, 15]
    sky = image().geom.pix_to_coord((8, 5))
    assert table["ra"].quantity[0].to_value("deg") == pytest.approx(sky[0].to_value("deg"))


@pytest.mark.parametrize("distance", [3, "0.3 deg"])
def test_distance(distance):
    assert find_peaks(image(), 5, min_distance=distance)["x"].tolist() == [8, 22]


def test_plateau_is_one_peak():
    own = image()
    own.data[5, 9] = 9
    assert find_peaks(own, 8)["x"].tolist() == [8]


def test_nothing_found():
    table = find_peaks(image(), threshold=100)
    assert len(table) == 0
    assert table.colnames == ["value", "x", "y", "ra", "dec"]


def test_refusals():
    cube = Map.create(npix=5, binsz=1, axes=[MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2)])
    with pytest.raises(GeometryError, match="expected one image"):
        find_peaks(cube, 1)
    with pytest.raises(InputError, match="min_distance"):
        find_peaks(image(), 1, min_distance=-2)
