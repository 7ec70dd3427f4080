import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from regions import CircleSkyRegion, RectangleSkyRegion

from geminga.datasets import Datasets, MapDataset
from geminga.errors import GeometryError, InputError
from geminga.estimators import FluxPointsEstimator, FluxProfileEstimator
from geminga.flux import FluxPoints
from geminga.maps import Map
from geminga.modeling.models import GaussianSpatialModel, PowerLawSpectralModel, SkyModel
from geminga.utils.regions import make_concentric_annulus_sky_regions, make_orthogonal_rectangle_sky_regions
from tests.helpers import requires_data
from tests.unit.estimators.test_ts import CENTER, make

EDGES = [1, 10] * u.TeV


def field(seed=0, name="d"):
    dataset = make(name)
    dataset.counts.data = np.random.default_rng(seed).poisson(np.maximum(dataset.npred().data, 0.05)).astype(float)
    return dataset


def boxes(dataset, number=4):
    width = dataset.counts.geom.width.to_value("deg").min() / 8 * u.deg
    offsets = (np.arange(number) - (number - 1) / 2) * width
    return [RectangleSkyRegion(CENTER.spherical_offsets_by(x, 0 * u.deg), width, width) for x in offsets]


def test_regions_are_the_flux_points_of_their_spectra():
    dataset = field()
    dataset.models = []
    regions = boxes(dataset)
    options = {"energy_edges": EDGES, "selection_optional": ["ul", "errn-errp"]}
    profile = FluxProfileEstimator(regions, **options).run(dataset)
    assert profile.geom.axes.names == ["energy", "projected-distance"]
    for i, region in enumerate(regions):
        one = dataset.to_spectrum_dataset(region)
        one.models = [SkyModel(PowerLawSpectralModel(), name="s")]
        points = FluxPointsEstimator(**options).run(one)
        for name in ("norm", "norm_err", "norm_ul", "norm_errn", "ts", "counts", "npred"):
            own = profile[name]
            data = np.moveaxis(own.data, own.geom.axes.index_data("projected-distance"), 0)[i]
            np.testing.assert_allclose(np.ravel(data), np.ravel(points[name].data), rtol=1e-4, atol=1e-4, err_msg=name)


def test_models_are_background():
    dataset = field()
    plain = FluxProfileEstimator(boxes(dataset), energy_edges=EDGES).run(dataset)
    model = SkyModel(PowerLawSpectralModel(amplitude="1e-11 cm-2 s-1 TeV-1"), name="extra")
    model.spatial_model = GaussianSpatialModel(lon_0=CENTER.ra, lat_0=CENTER.dec, sigma="0.3 deg")
    dataset.models = [model]
    less = FluxProfileEstimator(boxes(dataset), energy_edges=EDGES).run(dataset)
    assert (less.norm.data < plain.norm.data).all()
    assert dataset.models[0] is model


def test_several_datasets_are_joint():
    one, other = field(1, "a"), field(2, "b")
    both = Datasets([one, other])
    regions = boxes(one)
    profile = FluxProfileEstimator(regions, energy_edges=EDGES).run(both)
    assert profile.counts.geom.axes["dataset"].nbin == 2
    sums = [d.to_spectrum_dataset(regions[1]).counts.data.sum() for d in both]
    own = profile.counts
    data = np.moveaxis(own.data, own.geom.axes.index_data("projected-distance"), 0)[1]
    np.testing.assert_allclose(np.ravel(data), sums)


def test_a_region_outside_is_a_row_of_nan_with_its_reason():
    dataset = field()
    far = CircleSkyRegion(CENTER.directional_offset_by(0 * u.deg, 30 * u.deg), 0.1 * u.deg)
    profile = FluxProfileEstimator([*boxes(dataset), far], energy_edges=EDGES).run(dataset)
    assert np.isnan(profile.norm.data.ravel()).tolist() == [False] * 4 + [True]
    assert "region 4" in profile.meta["failures"][0]
    with pytest.raises(GeometryError, match="no region can be used"):
        FluxProfileEstimator([far], energy_edges=EDGES).run(dataset)


def test_partly_masked_region_is_nan_too():
    dataset = field()
    regions = boxes(dataset)
    mask = np.ones(dataset.counts.data.shape, bool)
    inside = dataset.counts.geom.to_image().region_mask([regions[0]]).data
    y, x = np.argwhere(inside)[0]
    mask[:, y, x] = False
    dataset.mask_safe = Map.from_geom(dataset.counts.geom, data=mask)
    profile = FluxProfileEstimator(regions, energy_edges=EDGES).run(dataset)
    assert np.isnan(profile.norm.data.ravel())[0]
    assert np.isfinite(profile.norm.data.ravel()[1:]).all()
    assert "part of the region" in profile.meta["failures"][0]


def test_distance_axis():
    rings = make_concentric_annulus_sky_regions(SkyCoord(0, 0, unit="deg"), 0.6 * u.deg, nbin=4)
    axis = FluxProfileEstimator(rings, energy_edges=EDGES).projected_distance_axis
    np.testing.assert_allclose(axis.center.to_value("deg"), [0.1, 0.3, 0.5], atol=1e-4)
    separate = [rings[0], rings[2]]
    np.testing.assert_allclose(FluxProfileEstimator(separate).projected_distance_axis.center.value, [0.1, 0.5], atol=1e-4)
    row = FluxProfileEstimator(boxes(make())).projected_distance_axis.center.value
    np.testing.assert_allclose(np.diff(row), row[1] - row[0], rtol=1e-4)
    with pytest.raises(InputError, match="empty"):
        FluxProfileEstimator([])


def test_table_round_trip(tmp_path):
    profile = FluxProfileEstimator(boxes(field()), energy_edges=EDGES, selection_optional=["ul"]).run(field())
    profile.write(tmp_path / "profile.fits", format="profile", sed_type="flux")
    again = FluxPoints.read(tmp_path / "profile.fits", format="profile", reference_model=PowerLawSpectralModel())
    np.testing.assert_allclose(again.flux.quantity, profile.flux.quantity, rtol=1e-9)


@requires_data("cta-1dc-gc/cta-1dc-gc.fits.gz")
def test_numbers_of_gammapy():
    dataset = MapDataset.read("$GAMMAPY_DATA/cta-1dc-gc/cta-1dc-gc.fits.gz", name="gc")
    start, stop = (SkyCoord(lon, 0, unit="deg", frame="galactic") for lon in (0.5, -0.5))
    regions = make_orthogonal_rectangle_sky_regions(start, stop, dataset.counts.geom.wcs, 0.3 * u.deg, nbin=5)
    profile = FluxProfileEstimator(regions, energy_edges=[1, 3, 10] * u.TeV, selection_optional=["ul"]).run(dataset)
    norm, error, limit, root = (profile[name].data[:, :, 0, 0] for name in ("norm", "norm_err", "norm_ul", "sqrt_ts"))
    # Energies first, as in the table of gammapy 2.1.
    known = [[0.53988, 0.40629, 2.22297, 0.61976, 0.33979], [0.18613, 0.59477, 1.72617, 0.13310, 0.40639]]
    known_ul = [[0.83748, 0.67895, 2.74656, 0.93555, 0.60242], [0.37951, 0.88219, 2.17531, 0.31107, 0.65516]]
    known_root = [[6.44707, 5.08080, 18.52372, 6.99414, 4.21338], [3.36722, 8.45002, 18.23679, 2.47069, 6.40699]]
    np.testing.assert_allclose((norm.T - known) / error.T, 0, atol=0.02)
    np.testing.assert_allclose(limit.T, known_ul, rtol=0.01)
    np.testing.assert_allclose(root.T, known_root, atol=0.01)
