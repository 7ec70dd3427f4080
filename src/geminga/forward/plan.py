"""From the arrays of a dataset and its models to a likelihood term."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geminga.errors import DataError, InputError
from geminga.forward.data import DataPlan, image_data
from geminga.forward.dense import DenseTerm
from geminga.forward.field import Field, make_field
from geminga.forward.grid import GridComponent
from geminga.forward.irf import FixedIrf, IrfSource
from geminga.forward.norm import NormComponent
from geminga.forward.radial import RadialComponent
from geminga.forward.ratio import RatioTerm
from geminga.forward.region import RegionComponent
from geminga.forward.shape import ShapeComponent
from geminga.forward.subpixels import SubpixelComponent, part_vectors
from geminga.forward.systematics import NONE, Nuisance, Systematics
from geminga.forward.term import PoissonTerm, Source, Template
from geminga.modeling.models.derivative import Evaluator
from geminga.modeling.models.flux import flux_evaluator
from geminga.numerics.radial import subdivision
from geminga.numerics.sphere import frame_rotation

__all__ = ["make_term"]

log = logging.getLogger(__name__)

Array = NDArray[np.float64]


def make_term(plan: DataPlan, models: Any, gti: Any, name: str) -> PoissonTerm | DenseTerm:
    """Likelihood term of a dataset with its models.

    Raises
    ------
    InputError
        If a model cannot be evaluated on this dataset.
    """
    parameters: list[Any] = []
    place: dict[int, int] = {}

    def index(own: Any) -> NDArray[np.intp]:
        for p in own:
            if id(p) not in place:
                place[id(p)] = len(parameters)
                parameters.append(p)
        return np.array([place[id(p)] for p in own], dtype=np.intp)

    sources: list[Source] = []
    templates: list[Template] = []
    background_model = None
    systematics = Systematics(models or [])
    index(systematics.parameters)  # all count, by their priors, also where they have no effect
    for model in models or []:
        if hasattr(model, "apply_irf"):
            sources.append(_source(plan, model, gti, index, systematics))
        elif hasattr(model, "map"):
            templates += _add_template(plan, _npred_image(plan, model), model, index, sources)
        elif not model.is_systematic:
            background_model = model
    has_ratio = hasattr(plan.statistic, "with_ratio")
    nuisance = systematics.background(plan.energy_center, name, has_ratio or plan.background is not None)
    if plan.background is not None:
        if background_model is None:
            templates.insert(0, _bare_background(plan, nuisance, index))
        else:
            templates[:0] = _add_template(plan, plan.background[2], background_model, index, sources, nuisance)
    elif background_model is not None:
        msg = f"Model {background_model.name!r} needs a background map, but dataset {name!r} has none; set dataset.background."
        raise InputError(msg)
    if plan.statistic is not None and nuisance.factor is not None and has_ratio:
        where = index(nuisance.parameters)
        own = (plan.field, tuple(parameters), plan.statistic, sources, templates)
        return RatioTerm(*own, factor=nuisance.factor, index=where)
    if plan.statistic is not None:
        return DenseTerm(plan.field, tuple(parameters), plan.statistic, sources, templates)
    return PoissonTerm(plan.field, tuple(parameters), sources, templates, plan.stat_constant)


def _bare_background(plan: DataPlan, nuisance: Nuisance, index: Callable[[Any], NDArray[np.intp]]) -> Template:
    assert plan.background is not None
    bins, total, image = plan.background
    return Template("background", bins, total, nuisance.factor, index(nuisance.parameters), image)


def _add_template(
    plan: DataPlan,
    image: Array,
    model: Any,
    index: Callable[[Any], NDArray[np.intp]],
    sources: list[Source],
    nuisance: Nuisance = NONE,
) -> list[Template]:
    """An image of counts times a factor: a template if the factor depends on energy alone, else another source."""
    spectral = model.spectral_model
    factor = nuisance.on(spectral.dnde_evaluator(plan.energy_center), len(spectral.parameters))
    own = index([*spectral.parameters, *nuisance.parameters])
    if model.spatial_model is None:
        bins = image[plan.field.bin_energy, plan.field.bin_pixel]
        total = np.einsum("ep,ep->e", image, plan.field.mask[plan.field.group])
        return [Template(model.name, bins, total, factor, own, image)]
    spatial = model.spatial_model
    place = np.concatenate([own, index(list(spatial.parameters))])
    component = NormComponent(plan.field, image, factor, _norm_of(plan, spatial), len(own), len(spatial.parameters))
    sources.append(Source(model.name, component, place, np.ones(len(place))))
    return []


def _norm_of(plan: DataPlan, spatial: Any) -> Callable[[Array], tuple[Array, Array]]:
    """Factor of a spatial model in each pixel (by energy where it depends on it), shapes (n_e or 1, n_p) and gradient."""
    coords = plan.geom.to_image().get_coord(frame=str(spatial.frame))
    both = np.broadcast_arrays(coords.lon.to_value("deg"), coords.lat.to_value("deg"))
    lon, lat = (np.ravel(own)[plan.field.pixel] for own in both)
    density = spatial.density_evaluator(lon, lat, plan.energy_center if spatial.is_energy_dependent else None)

    def norm(values: Array) -> tuple[Array, Array]:
        value, gradient = density(values)
        return np.atleast_2d(value), gradient.reshape(len(gradient), -1, len(lon))

    return norm


def _npred_image(plan: DataPlan, model: Any) -> Array:
    own = model.map
    if own.geom == plan.geom:
        data = own.frozen_data
    else:
        stacked = type(own).from_geom(plan.geom, unit=own.unit, dtype=float) if hasattr(type(own), "from_geom") else own
        stacked.stack(own)
        data = stacked.frozen_data
    return image_data(np.nan_to_num(np.asarray(data, dtype=float)))[:, plan.field.pixel]


def _flux(model: Any, edges: Array, gti: Any, scales: list[Any]) -> tuple[Evaluator, list[Any], Array, Array]:
    """Flux in each true-energy bin, averaged over the good time intervals, and its parameters.

    Those in time are large numbers of which small changes matter (a date, a frequency), so that the component counts them
    from their present value in natural steps: with the parameters come offset and scale of the component's numbers.
    """
    spectral, temporal = model.spectral_model, model.temporal_model
    evaluator = flux_evaluator(spectral, temporal, gti, edges, len(scales))
    own = [*spectral.parameters, *scales]
    n = len(own)
    if temporal is None or gti is None:
        if temporal is not None:
            log.warning("Model '%s': the dataset has no GTI to average the temporal model over; it is left out.", model.name)
        return evaluator, own, np.zeros(n), np.ones(n)
    own += list(temporal.parameters)
    offset, scale = np.zeros(len(own)), np.ones(len(own))
    offset[n:] = [p.value for p in temporal.parameters]
    scale[n:] = 1 / temporal._natural_steps(float(gti.time_sum.to_value("d")))

    def flux(values: ArrayLike) -> tuple[Array, Array]:
        value, gradient = evaluator(np.asarray(values) / scale + offset)
        return value, gradient / scale[:, None]

    return flux, own, offset, scale


def _source(plan: DataPlan, model: Any, gti: Any, index: Callable[[Any], NDArray[np.intp]], systematics: Systematics) -> Source:
    if plan.exposure is None or plan.edges_true is None:
        msg = f"Dataset {plan.name!r} has no exposure, so model {model.name!r} cannot be folded; set dataset.exposure."
        raise DataError(msg)
    apply = model.apply_irf
    flux, spectral, time_offset, flux_scale = _flux(model, plan.edges_true, gti, systematics.energy_scales(model))
    if apply.get("exposure", True):
        nuisance = systematics.area(plan.edges_true)
        flux = nuisance.on(flux, len(spectral))
        spectral = [*spectral, *nuisance.parameters]
    spatial = model.spatial_model
    frame = "icrs" if spatial is None else str(spatial.frame)
    irf = plan.irf[bool(apply.get("psf", True)), bool(apply.get("edisp", True))](frame)
    psf_scales = systematics.psf_scales(model) if getattr(irf, "psf_corners", None) is not None else []
    own = [] if spatial is None else [*spatial.parameters, *psf_scales]
    scale, offset = np.ones(len(spectral) + len(own)), np.zeros(len(spectral) + len(own))
    scale[: len(flux_scale)], offset[: len(flux_scale)] = flux_scale, time_offset
    for i, p in enumerate(own):
        if p.name in {"lon_0", "lat_0"}:
            scale[len(spectral) + i] = p.unit.to("deg")
    place = index([*spectral, *own])
    exposure = plan.exposure
    if not apply.get("exposure", True):
        n_true = len(plan.edges_true) - 1
        exposure = (np.ones((n_true, 1)), plan.field.solid_angle[:, None].copy())
    active = np.array([not p.frozen for p in own], dtype=bool)
    common = {"flux": flux, "n_spectral": len(spectral), "n_spatial": len(own), "n_psf": len(psf_scales)}
    if plan.is_region:
        component: Any = _region_component(plan, model, irf, exposure, active, scale[len(spectral) :], common)
    elif spatial is None:
        msg = (
            f"Model {model.name!r} has no spatial model, so it cannot be folded on the map dataset {plan.name!r}; "
            "give it one (for example PointSpatialModel), or use a SpectrumDataset."
        )
        raise InputError(msg)
    else:
        component = _map_component(plan.field, plan, spatial, irf, exposure, active, scale[len(spectral) :], common)
    return Source(model.name, component, place, scale, offset)


def _map_component(
    field: Field,
    plan: DataPlan,
    spatial: Any,
    irf: IrfSource,
    exposure: tuple[Array, Array],
    active: NDArray[np.bool_],
    scale: Array,
    common: dict[str, Any],
) -> Any:
    rotation = frame_rotation(str(spatial.frame), plan.frame)
    symmetry = spatial.symmetry(None)
    has_psf = getattr(irf, "psf_corners", None) is not None
    is_point = symmetry == "point"
    if (is_point and has_psf) or (symmetry == "round" and (has_psf or _is_smooth(spatial))):
        component = RadialComponent(
            field=field, spatial=spatial, is_point=is_point, rotation=rotation, irf=irf, exposure=exposure, **common
        )
        return _subdivided(component, plan)
    scale = scale[: len(spatial.parameters)]
    parts: dict[str, Any] = {
        "field": field,
        "density": _density(spatial, plan, scale, field),
        "support": lambda v: spatial.support_radius(v / scale),
        "feature": lambda v: spatial.feature_size(v / scale),
        "center": _center(spatial, plan, rotation),
        "rotation": rotation,
        "irf": irf,
        "exposure": exposure,
        "active": active,
    }
    if has_psf and active.any() and symmetry != "flat" and not common["n_psf"]:
        return ShapeComponent(**parts, **{key: value for key, value in common.items() if key != "n_psf"})
    return GridComponent(**parts, is_flat=symmetry == "flat", **common)


def _subdivided(component: RadialComponent, plan: DataPlan) -> RadialComponent | SubpixelComponent:
    """The component itself, or on parts of the pixels where the PSF is narrower than they are."""
    field = component.field
    if field is not plan.field or not hasattr(component.irf, "scales"):
        return component
    number = subdivision(component.irf.scales[0], field.side)
    if number == 1:
        return component
    image = plan.geom.to_image()
    return SubpixelComponent(component, number, lambda pixels: part_vectors(image, field.pixel[pixels], number))


def _is_smooth(spatial: Any) -> bool:
    """Does the transform fall off by itself (a Gaussian), so that no PSF is needed to make the profile smooth."""
    values = np.array([p.value for p in spatial.parameters])
    size = float(spatial.feature_size(values))
    m, _ = spatial.radial_transform(np.array([60.0 / size]), values)
    return bool(abs(m[0]) < 1e-9)


def _center(spatial: Any, plan: DataPlan, rotation: Array) -> tuple[float, float] | None:
    names = [p.name for p in spatial.parameters]
    if names[:2] == ["lon_0", "lat_0"]:
        return None
    if hasattr(spatial, "map"):
        sky = spatial.map.geom.center_skydir.transform_to(str(spatial.frame)).spherical
        return float(sky.lon.deg), float(sky.lat.deg)
    v = rotation.T @ plan.field.vectors.mean(axis=0)
    return float(np.rad2deg(np.arctan2(v[1], v[0]))), float(np.rad2deg(np.arctan2(v[2], np.hypot(v[0], v[1]))))


def _density(spatial: Any, plan: DataPlan, scale: Array, field: Field) -> Callable[[Array, Array, Array], tuple[Array, Array]]:
    """Density of a model at positions, by true energy where it depends on it; values with positions in deg."""
    if spatial.symmetry(None) == "point":
        return _pixel_point(field, frame_rotation(str(spatial.frame), plan.frame))
    if not spatial.is_energy_dependent:

        def density(lon: Array, lat: Array, values: Array) -> tuple[Array, Array]:
            value, gradient = spatial.density(lon, lat, values / scale)
            return value[None], gradient[:, None] / scale[:, None, None]

        return density

    energy = plan.energy_true.to_value("TeV")

    def cube(lon: Array, lat: Array, values: Array) -> tuple[Array, Array]:
        value, gradient = spatial.density(lon, lat, values / scale, energy)
        return value, gradient / scale[:, None, None]

    return cube


def _pixel_point(field: Field, rotation: Array) -> Callable[[Array, Array, Array], tuple[Array, Array]]:
    """A point without PSF: all of it in the nearest pixels, with weights falling linearly with the distance."""

    def density(lon: Array, lat: Array, values: Array) -> tuple[Array, Array]:
        def weight(x0: float, y0: float) -> Array:
            dlon = (lon - x0 + 180) % 360 - 180
            dx = np.clip(1 - np.abs(dlon * np.cos(np.deg2rad(y0))) / field.side, 0, None)
            dy = np.clip(1 - np.abs(lat - y0) / field.side, 0, None)
            w = dx * dy
            return np.asarray(w / max(w.sum(), 1e-300) / field.side**2 / np.deg2rad(1.0) ** 2)

        h = 1e-4 * field.side
        value = weight(values[0], values[1])
        gradient = [
            (weight(values[0] + h, values[1]) - weight(values[0] - h, values[1])) / (2 * h),
            (weight(values[0], values[1] + h) - weight(values[0], values[1] - h)) / (2 * h),
        ]
        return value[None], np.array(gradient)[:, None]

    return density


def _region_component(
    plan: DataPlan,
    model: Any,
    irf: IrfSource,
    exposure: tuple[Array, Array],
    active: NDArray[np.bool_],
    scale: Array,
    common: dict[str, Any],
) -> RegionComponent:
    spatial = model.spatial_model
    x = (exposure[0] @ exposure[1].T)[:, 0] if len(plan.field.pixel) else np.zeros(exposure[0].shape[0])
    fraction = None
    if spatial is not None and getattr(irf, "psf_corners", None) is not None:
        coords, weights = plan.geom.get_wcs_coord_and_weights()
        sky = coords.skycoord.transform_to(plan.frame).cartesian
        vectors = np.stack([np.ravel(sky.x.value), np.ravel(sky.y.value), np.ravel(sky.z.value)], axis=1)
        area = float(plan.geom.solid_angle().to_value("sr")) / max(float(np.sum(weights)), 1e-300)
        field = make_field(None, None, vectors, np.full(len(vectors), area), (1, len(vectors)))
        order = np.ravel(weights)[field.pixel]
        n_true = exposure[0].shape[0]
        unit = (np.ones((n_true, 1)), field.solid_angle[:, None].copy())
        inner = _map_component(field, plan, spatial, irf, unit, active, scale, common)

        def fraction(values: Array) -> Array:
            return np.asarray(inner.images(values) @ order)

    source: IrfSource = irf
    if spatial is None:
        center = plan.field.vectors[0] if len(plan.field.vectors) else np.array([1.0, 0.0, 0.0])
        v = frame_rotation(plan.frame, "icrs") @ center
        source = FixedIrf(irf.at(float(np.rad2deg(np.arctan2(v[1], v[0]))), float(np.rad2deg(np.arcsin(np.clip(v[2], -1, 1))))))
    own = {key: value for key, value in common.items() if key != "n_psf"}  # the fraction inside knows of these
    return RegionComponent(field=plan.field, fraction=fraction, irf=source, exposure=x, active=active, **own)
