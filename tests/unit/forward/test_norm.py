"""Backgrounds with a spatial model: predictions, gradient and curvature by all norms, and a fit; energy-dependent sources."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from numpy.testing import assert_allclose

from geminga.maps import Map, MapCoord
from geminga.modeling import Fit
from geminga.modeling.models import (
    FoVBackgroundModel,
    PiecewiseNormSpatialModel,
    PowerLawNormSpectralModel,
    SkyModel,
    TemplateNDSpatialModel,
    TemplateNPredModel,
    TemplateSpatialModel,
)
from tests.unit.datasets.builders import CENTER, energy_axis_true, map_dataset
from tests.unit.modeling.models.spatial.builders import image, width_axis
from tests.unit.modeling.models.spatial.test_laws import Shrinking


def norm_model(interp="lin", frame="icrs"):
    lon, lat = np.array([-1.5, -1.5, 1.5, 1.5, 0]), np.array([-1.5, 1.5, -1.5, 1.5, 0.1])
    sky = CENTER.transform_to(frame).spherical
    coords = MapCoord.create({"lon": (lon + sky.lon.deg) * u.deg, "lat": (lat + sky.lat.deg) * u.deg}, frame=frame)
    return PiecewiseNormSpatialModel(coords, norms=[1, 1.2, 0.8, 1.1, 1.4], interp=interp, frame=frame)


def background(dataset, **kwargs):
    spectral = PowerLawNormSpectralModel(tilt=0.2, norm=1.1)
    spectral.tilt.frozen = False
    return FoVBackgroundModel(dataset.name, spectral_model=spectral, spatial_model=norm_model(**kwargs))


def check_derivatives(dataset, rtol=1e-5):
    """Gradient against differences of the statistic, curvature against differences of the gradient."""
    term = dataset.likelihood()
    values = np.array([par.value for par in term.parameters], dtype=float)
    free = np.array([not par.frozen for par in term.parameters])
    size = {"amplitude": lambda x: x, "lon_0": lambda x: 1, "lat_0": lambda x: 1}
    natural = np.array([1e-3 * size.get(par.name, lambda x: max(abs(x), 0.1))(par.value) for par in term.parameters])[free]
    gradient = term.evaluate(values, free, 1)[1] * natural
    curvature = term.evaluate(values, free, 3)[2] * np.outer(natural, natural)
    for j, place in enumerate(np.flatnonzero(free)):
        step = np.zeros(len(values))
        step[place] = natural[j]
        ends = [term.evaluate(values + factor * step, free, 0)[0] for factor in (-2, -1, 1, 2)]
        difference = (8 * (ends[2] - ends[1]) - (ends[3] - ends[0])) / 12
        assert_allclose(gradient[j], difference, rtol=rtol, atol=rtol * np.abs(gradient).max())
        up, down = (term.evaluate(values + sign * step, free, 1)[1] for sign in (1, -1))
        assert_allclose(curvature[j], (up - down) * natural / 2, rtol=1e-3, atol=2e-3 * np.abs(curvature).max())


@pytest.mark.parametrize("interp", ["lin", "log"])
@pytest.mark.parametrize("frame", ["icrs", "galactic"])
def test_background_with_norms_on_the_sky(interp, frame):
    dataset = map_dataset(0, name="field")
    model = background(dataset, interp=interp, frame=frame)
    dataset.models = [model]
    factor = model.evaluate_geom(dataset.background.geom)
    assert_allclose(dataset.npred_background().data, dataset.background.data * factor.value, rtol=1e-10)
    assert_allclose(dataset.npred().data, dataset.npred_background().data)
    check_derivatives(dataset)


def test_changed_norm_of_a_frozen_model_is_noticed():
    dataset = map_dataset(0, name="field")
    model = background(dataset)
    model.freeze(None)
    dataset.models = [model, SkyModel.create("pl", "point", name="source")]
    dataset.models["source"].spatial_model.position = CENTER
    before = dataset.stat_sum(), dataset.npred_background().data.sum()
    model.spatial_model.norm_4.value = 2.0
    assert abs(dataset.stat_sum() - before[0]) > 1
    assert dataset.npred_background().data.sum() > 1.05 * before[1]


def test_fit_of_norms():
    dataset = map_dataset(0, name="field")
    dataset.mask_safe = None
    dataset.background = Map.from_geom(dataset.background.geom, data=100 * dataset.background.data)
    truth = background(dataset)
    dataset.models = [truth]
    dataset.counts = dataset.npred()
    start = truth.copy(name="field-bkg")
    for par in start.spatial_model.parameters:
        par.value = 1.0
    start.spectral_model.norm.frozen = True
    dataset.models = [start]
    result = Fit().run([dataset])
    assert result.success, result.message
    assert_allclose(start.spatial_model.parameters.value, truth.spatial_model.parameters.value, rtol=1e-3)


def test_template_of_counts_with_norms():
    dataset = map_dataset(0, name="field")
    template = TemplateNPredModel(
        Map.from_geom(dataset.counts.geom, data=np.full(dataset.counts.geom.data_shape, 2.0)),
        spectral_model=PowerLawNormSpectralModel(norm=1.5),
        spatial_model=norm_model(),
        name="template",
    )
    dataset.models = [template]
    norm = template.spatial_model.evaluate_geom(dataset.counts.geom)
    assert_allclose(dataset.npred_signal().data, 3.0 * np.broadcast_to(norm.value, dataset.counts.geom.data_shape), rtol=1e-6)
    check_derivatives(dataset)


def source(spatial, amplitude=3e-9):
    model = SkyModel.create("pl", spatial, name="source")
    model.spectral_model.amplitude.value = amplitude
    return model


def moved(own):
    """The same map around the centre of the dataset."""
    geom = type(own.geom).create(
        skydir=CENTER, npix=own.data.shape[-2:][::-1], binsz=0.05, axes=list(own.geom.axes), frame="icrs"
    )
    return Map.from_geom(geom, data=own.data, unit=own.unit)


def test_map_on_a_grid_of_parameters():
    dataset = map_dataset(0, name="field")
    spatial = TemplateNDSpatialModel(moved(image(axes=[width_axis()])))
    dataset.models = [source(spatial)]
    one = dataset.npred_signal().data.sum()
    spatial.width.value = 0.3
    gaussian = TemplateSpatialModel(moved(image(sigma=0.3)), normalize=False)
    expected = dataset.npred_signal().data
    dataset.models = [source(gaussian)]
    assert_allclose(expected, dataset.npred_signal().data, rtol=1e-2, atol=1e-3 * expected.max())
    assert one != expected.sum()
    spatial.width.value = 0.27
    dataset.models = [source(spatial)]
    check_derivatives(dataset)


def test_map_which_depends_on_energy_and_parameters():
    dataset = map_dataset(0, name="field")
    spatial = TemplateNDSpatialModel(moved(image(axes=[energy_axis_true(), width_axis()])))
    spatial.width.value = 0.27
    dataset.models = [source(spatial)]
    check_derivatives(dataset)


def test_source_of_ones_own_which_shrinks_with_energy():
    """Its position and size are fitted like any other."""
    dataset = map_dataset(0, name="field")
    spatial = Shrinking()
    spatial.position = CENTER
    dataset.models = [source(spatial)]
    check_derivatives(dataset, rtol=3e-4)


def test_diffuse_cube_with_its_spectrum():
    """A cube in flux units times a norm: counts are exposure times the cube at the centres of the bins."""
    dataset = map_dataset(0, name="field")
    axis = energy_axis_true()
    cube = moved(image(axes=[axis], npix=120))
    cube = Map.from_geom(
        cube.geom, data=np.full(cube.data.shape, 1e-3) * axis.center.value[:, None, None] ** -2.5, unit="cm-2 s-1 MeV-1 sr-1"
    )
    model = SkyModel.create("pl-norm", TemplateSpatialModel(cube, normalize=False), name="diffuse")
    model.apply_irf["psf"] = False
    dataset.models = [model]
    exposure = dataset.exposure.interp_to_geom(dataset.counts.geom.to_image().to_cube([axis])).quantity
    flux = u.Quantity(1e-3 * axis.center.value**-2.5, "cm-2 s-1 MeV-1 sr-1") * axis.bin_width
    true = (exposure * flux[:, None, None] * dataset.counts.geom.to_image().solid_angle()).to_value("")
    kernel = dataset.edisp.get_edisp_kernel(position=dataset.counts.geom.center_skydir).pdf_matrix
    assert_allclose(dataset.npred_signal().data, np.einsum("Te,Tyx->eyx", kernel, true), rtol=1e-4)
