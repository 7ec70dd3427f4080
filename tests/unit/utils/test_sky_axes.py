"""Axes of the sky: the same ticks as astropy's own."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from geminga.maps import WcsGeom
from geminga.utils.plot import sky_projection

GEOMS = {
    "frame on a tick": WcsGeom.create(skydir=(0, 0), frame="galactic", binsz=0.02, width=(8, 6), proj="CAR"),
    "tangential": WcsGeom.create(skydir=(83.63, 22.01), frame="icrs", binsz=0.05, width=5, proj="TAN"),
    "near the pole": WcsGeom.create(skydir=(20, 87), frame="icrs", binsz=0.1, width=12, proj="TAN"),
    "all sky": WcsGeom.create(skydir=(0, 0), frame="galactic", binsz=1, width=(360, 180), proj="AIT"),
}


def drawn(projection, geom):
    """Axes with an image, and its picture."""
    figure = plt.figure()
    ax = figure.add_subplot(projection=projection)
    ax.imshow(np.arange(geom.data_shape[0] * geom.data_shape[1]).reshape(geom.data_shape))
    ax.coords.grid(color="white")
    figure.canvas.draw()
    picture = np.asarray(figure.canvas.buffer_rgba()).astype(float)
    plt.close(figure)
    return ax, picture


@pytest.mark.parametrize("name", GEOMS)
def test_picture_is_that_of_astropy(name):
    geom = GEOMS[name]
    ax, ours = drawn(sky_projection(geom.wcs), geom)
    _, theirs = drawn(geom.wcs, geom)
    assert type(ax).__name__ == "SkyAxes"
    # Antialiasing of a tick may change its shade by a step or two: no line moves.
    assert (np.abs(ours - theirs).max(axis=-1) > 40).mean() < 1e-4


def test_setting_of_astropy_is_left_alone():
    from astropy.visualization.wcsaxes import conf

    before = conf.frame_boundary_samples
    drawn(sky_projection(GEOMS["tangential"].wcs), GEOMS["tangential"])
    assert conf.frame_boundary_samples == before


def test_plots_of_maps_use_it():
    from geminga.maps import Map

    ax = Map.from_geom(GEOMS["tangential"]).plot()
    assert type(ax).__name__ == "SkyAxes"
    plt.close("all")
