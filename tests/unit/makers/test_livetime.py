"""Time spent on each place of the sky."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.errors import GeometryError
from geminga.makers.utils import make_effective_livetime_map, make_observation_time_map
from geminga.maps import WcsGeom
from tests.unit.makers.builders import POINTING, TARGET, TRUE, irfs, observation

IMAGE = WcsGeom.create(skydir=TARGET, npix=(30, 30), binsz=0.3)
OTHER = POINTING.directional_offset_by(90 * u.deg, 2 * u.deg)


def pair():
    return [observation(1), observation(2, OTHER)]


def test_time_in_the_field_of_view():
    time = make_observation_time_map(pair(), IMAGE, offset_max="1.5 deg")
    seen = [IMAGE.separation(place).deg < 1.5 for place in (POINTING, OTHER)]
    assert_allclose(time.quantity.to_value("s"), 900.0 * (seen[0].astype(int) + seen[1]))
    # The whole table by default.
    assert_allclose(make_observation_time_map(pair()[:1], IMAGE).data > 0, IMAGE.separation(POINTING).deg < 3)
    with pytest.raises(GeometryError, match="expected an image"):
        make_observation_time_map(pair(), IMAGE.to_cube([TRUE]))


def test_effective_livetime():
    livetime = make_effective_livetime_map(pair(), IMAGE.to_cube([TRUE]))
    area = irfs()["aeff"]
    expected = 0
    for place in (POINTING, OTHER):
        value = area.evaluate(energy_true=TRUE.center[:, None, None], offset=IMAGE.separation(place))
        expected = expected + 900 * np.clip(
            value / area.evaluate(energy_true=TRUE.center, offset=0 * u.deg)[:, None, None], 0, None
        )
    assert_allclose(livetime.quantity.to_value("s"), expected, rtol=1e-5)
    near = make_effective_livetime_map(pair()[:1], IMAGE.to_cube([TRUE]), offset_max=1 * u.deg)
    assert ((near.data[0] > 0) == (IMAGE.separation(POINTING).deg < 1)).all()
