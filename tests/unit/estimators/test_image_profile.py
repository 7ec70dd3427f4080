import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
import pytest
from astropy.coordinates import Angle, SkyCoord
from hypothesis import given
from hypothesis import strategies as st

from geminga.errors import GeometryError, InputError, NameLookupError
from geminga.estimators import ImageProfile, ImageProfileEstimator
from geminga.maps import Map, MapAxis, WcsGeom

GEOM = WcsGeom.create(npix=(40, 30), binsz=0.05, frame="galactic")
DATA = np.random.default_rng(0).poisson(3, (30, 40)).astype(float)
IMAGE = Map.from_geom(GEOM, data=DATA, unit="cm-2 s-1")
ERROR = Map.from_geom(GEOM, data=np.sqrt(DATA), unit="cm-2 s-1")
CENTER = SkyCoord(0, 0, unit="deg", frame="galactic")


def test_rows_and_columns():
    lon, lat = (ImageProfileEstimator(axis=axis).run(IMAGE, ERROR) for axis in ("lon", "lat"))
    np.testing.assert_allclose(lon.profile.value, DATA.sum(axis=0))
    np.testing.assert_allclose(lat.profile.value, DATA.sum(axis=1))
    np.testing.assert_allclose(lat.profile_err.value, np.sqrt(DATA.sum(axis=1)))
    np.testing.assert_allclose(lat.x_ref[:2].to_value("deg"), [-0.725, -0.675])
    np.testing.assert_allclose([lon.x_min[0].value, lon.x_max[-1].value], [1, -1], atol=1e-9)
    assert lon.profile.unit == "cm-2 s-1"


def test_numbers_of_gammapy():
    edges = Angle([-0.5, 0, 0.5] * u.deg)
    mean = ImageProfileEstimator(x_edges=edges, axis="lat", method="mean").run(IMAGE, ERROR)
    np.testing.assert_allclose(mean.profile.value, [2.8875, 3.0375])
    np.testing.assert_allclose(mean.profile_err.value, [0.08496322733983215, 0.08714212528966687])
    ring = ImageProfileEstimator(x_edges=Angle([0, 0.3, 0.6] * u.deg), axis="radial", center=CENTER).run(IMAGE, ERROR)
    np.testing.assert_allclose(ring.profile.value, [329, 1022])
    np.testing.assert_allclose(ring.profile_err.value, [18.138357147217054, 31.96873472629156])
    rows = ImageProfileEstimator(axis="lat").run(IMAGE, ERROR)
    np.testing.assert_allclose(rows.smooth("box", "0.1 deg").profile_err.value[:2], [5.37063776, 5.38226254], rtol=1e-8)
    np.testing.assert_allclose(rows.normalize("integral").profile.value[0], 0.03469163, rtol=1e-6)
    np.testing.assert_allclose(rows.normalize().profile_err.value[:2], [0.08017837, 0.08451543], rtol=1e-6)


@given(method=st.sampled_from(["sum", "mean"]), axis=st.sampled_from(["lon", "lat", "radial"]), n=st.integers(1, 7))
def test_every_pixel_counts_once(method, axis, n):
    edges = Angle(np.linspace(0 if axis == "radial" else -2, 2, n + 1) * u.deg)
    one = ImageProfileEstimator(x_edges=edges, method=method, axis=axis, center=CENTER).run(IMAGE)
    number = ImageProfileEstimator(x_edges=edges, axis=axis, center=CENTER).run(Map.from_geom(GEOM, data=np.ones_like(DATA)))
    total = one.profile.value if method == "sum" else np.nan_to_num(one.profile.value) * number.profile.value
    assert total.sum() == pytest.approx(DATA.sum())
    assert number.profile.value.sum() == DATA.size


def test_radial_bins_reach_the_corners():
    assert ImageProfileEstimator(axis="radial", center=CENTER).run(IMAGE).profile.value.sum() == pytest.approx(DATA.sum())


def test_across_longitude_zero():
    geom = WcsGeom.create(skydir=(0.3, 0), npix=(20, 5), binsz=0.1)
    image = Map.from_geom(geom, data=np.tile(np.arange(20.0), (5, 1)))
    profile = ImageProfileEstimator(axis="lon").run(image)
    np.testing.assert_allclose(profile.profile.value, 5 * np.arange(20))
    assert (np.diff(profile.x_ref.value) < 0).all()


def test_mask_and_nan():
    mask = Map.from_geom(GEOM, data=np.arange(1200).reshape(30, 40) % 3 > 0)
    masked = ImageProfileEstimator(axis="lat").run(IMAGE, mask=mask)
    np.testing.assert_allclose(masked.profile.value, np.where(mask.data, DATA, 0).sum(axis=1))
    assert masked.profile_err is None
    holes = Map.from_geom(GEOM, data=np.where(mask.data, DATA, np.nan))
    np.testing.assert_allclose(ImageProfileEstimator(axis="lat").run(holes).profile.value, masked.profile.value)
    none = ImageProfileEstimator(x_edges=[50, 60] * u.deg, axis="lat", method="mean").run(IMAGE)
    assert np.isnan(none.profile.value).all()


@pytest.mark.parametrize("kernel", ["box", "gauss"])
def test_smoothing_keeps_sums_and_symmetry(kernel):
    table = ImageProfileEstimator(axis="lat").run(IMAGE).table
    table["profile"] = np.eye(30)[15]
    smooth = ImageProfile(table).smooth(kernel, 2).profile.value
    assert smooth.sum() == pytest.approx(1)
    np.testing.assert_allclose(smooth[10:15], smooth[20:15:-1])  # not shifted
    table["profile"] = np.full(30, 3.0)
    np.testing.assert_allclose(ImageProfile(table).smooth(kernel, "0.2 deg").profile.value, 3)


def test_figures():
    profile = ImageProfileEstimator(axis="lon").run(IMAGE, ERROR)
    ax = profile.peek()
    assert ax.get_xlim() == pytest.approx((1, -1))
    assert "longitude" in ax.get_xlabel()
    assert len(ax.collections) == 1
    plt.close("all")


def test_refusals():
    with pytest.raises(InputError, match="center"):
        ImageProfileEstimator(axis="radial")
    with pytest.raises(NameLookupError, match="'foo'"):
        ImageProfileEstimator(axis="foo")
    with pytest.raises(NameLookupError, match="'foo'"):
        ImageProfileEstimator(method="foo")
    profile = ImageProfileEstimator().run(IMAGE)
    with pytest.raises(NameLookupError, match="kernel"):
        profile.smooth("disk")
    with pytest.raises(InputError, match="radius"):
        profile.smooth("box", 0)
    with pytest.raises(NameLookupError, match="mode"):
        profile.normalize("area")
    cube = Map.create(npix=4, axes=[MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2)])
    with pytest.raises(GeometryError, match="one image"):
        ImageProfileEstimator().run(cube)
    with pytest.raises(GeometryError, match="not on the geometry"):
        ImageProfileEstimator().run(IMAGE, Map.create(npix=4))
