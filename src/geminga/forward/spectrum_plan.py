"""From a dataset on a region and its models to a likelihood term or a prediction.

The functions here have the same names and arguments as those for images (`geminga.forward.image`). Where a model's image
may change during a fit, or is more than a factor on the flux, the spectrum is treated as an image of one pixel.
"""

from __future__ import annotations

import dataclasses
import weakref
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import DataError, InputError
from geminga.forward import image
from geminga.forward.data import DataPlan
from geminga.forward.irf_maps import irf_factory
from geminga.forward.memo import Memo
from geminga.forward.spectrum import Signal, SpectrumTerm
from geminga.forward.statistics import statistic_kind
from geminga.forward.systematics import NONE, Nuisance, Systematics
from geminga.modeling.models.derivative import current_values
from geminga.modeling.models.flux import flux_evaluator, temporal_average
from geminga.numerics.likelihood import Statistic

__all__ = ["SpectrumPlan", "background", "check", "freeze", "make_term", "model_key", "signal"]

Array = NDArray[np.float64]

TEV = u.TeV


@dataclass(frozen=True)
class SpectrumPlan:
    """Everything of a spectrum that models do not touch; bins outside the mask are neutral."""

    origin: weakref.ref[Any]  # the dataset, which remembers this plan and would never be freed if held here
    whole: bool
    name: str
    used: NDArray[np.bool_]  # (n_e,)
    statistic: Statistic
    background: Array | None  # (n_e,)
    exposure: Array | None  # (n_T,), cm2 s
    edges_true: Array | None  # TeV
    memo: Memo = dataclasses.field(default_factory=lambda: Memo(8))

    @property
    def dataset(self) -> Any:
        """The dataset this is made from."""
        return self.origin()

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the counts."""
        return (*self.used.shape, 1, 1)

    @property
    def true_edges(self) -> Array:
        """Edges of true energy, TeV."""
        assert self.edges_true is not None
        return self.edges_true

    def image(self) -> DataPlan:
        """The same dataset as an image of one pixel, with all its bins."""
        plan: DataPlan = self.memo.get("image", lambda: image.freeze(self.dataset, self.whole))
        return plan

    @property
    def is_uniform(self) -> bool:
        """Whether the energy dispersion is the same everywhere."""
        own = getattr(self.dataset.edisp, "edisp_map", None)
        if own is None or own.geom.is_region or own.frozen_data[0, 0].size == 1:
            return True
        return bool((own.frozen_data == own.frozen_data[..., :1, :1]).all())

    def response(self, use_edisp: bool) -> Array:
        """Energy dispersion in the region, if it is uniform, shape (n_T, n_e)."""
        own = getattr(self.dataset.edisp, "edisp_map", None) if use_edisp else None
        if own is not None and own.geom.axes.names == ["energy", "energy_true"]:
            return np.asarray(own.frozen_data[:, :, 0, 0], dtype=float)

        def make() -> Array:
            factory = irf_factory(self.dataset, self.dataset._geom, self.true_edges)
            return factory[False, use_edisp]("icrs").at(0.0, 0.0).response

        return self.memo.get(("response", use_edisp), make)

    @property
    def energy_center(self) -> Array:
        """Centres of the bins of reconstructed energy, TeV."""
        return np.asarray(self.dataset._geom.axes["energy"].center.to_value(TEV), dtype=float)


@lru_cache(maxsize=32)
def _to_cm2_s(unit: u.UnitBase) -> float:
    return float(unit.to("cm2 s"))


def freeze(dataset: Any, whole: bool = False) -> SpectrumPlan:
    """Read a spectrum into arrays; `whole` ignores the mask."""
    kind = statistic_kind(dataset)
    axis = dataset._geom.axes["energy"]
    mask = None if whole else dataset.mask
    used = np.ones(axis.nbin, bool) if mask is None else np.array(mask.frozen_data, dtype=bool).reshape(-1)
    own = dataset.background if kind.has_background else None
    background = None if own is None else np.where(used, np.asarray(own.frozen_data, dtype=float).reshape(-1), 0.0)
    exposure, edges = dataset.exposure, None
    values = None
    if exposure is not None:
        edges = np.asarray(exposure.geom.axes["energy_true"].edges.to_value(TEV), dtype=float)
        values = np.nan_to_num(np.asarray(exposure.frozen_data, dtype=float).reshape(-1) * _to_cm2_s(exposure.unit))
    return SpectrumPlan(
        origin=weakref.ref(dataset),
        whole=whole,
        name=dataset.name,
        used=used,
        statistic=kind.statistic([own.T for own in kind.read(dataset)], used),
        background=background,
        exposure=values,
        edges_true=edges,
    )


# ---- models ------------------------------------------------------------------------------------


def _is_sky(model: Any) -> bool:
    return hasattr(model, "apply_irf")


def _depends_on_image(plan: SpectrumPlan, model: Any) -> bool:
    """Whether the response to a source depends on its image, or on the place of the region."""
    has_psf = model.spatial_model is not None and plan.dataset.psf is not None and model.apply_irf.get("psf", True)
    return has_psf or not plan.is_uniform


def _is_linear(plan: SpectrumPlan, model: Any, systematics: Systematics) -> bool:
    """Whether the counts of a model are a fixed matrix times its flux (or factor)."""
    if not _is_sky(model):
        return not hasattr(model, "map") and model.spatial_model is None
    if model.temporal_model is not None and (plan.dataset.gti is None or not model.temporal_model.frozen):
        return False
    if model.spatial_model is None or not _depends_on_image(plan, model):
        return True
    return model.spatial_model.frozen and all(p.frozen for p in systematics.psf_scales(model))


def model_key(model: Any) -> tuple[Hashable, ...]:
    """Values which the fixed matrices depend on: those of frozen spatial and temporal parameters."""
    parts = (model.spatial_model, getattr(model, "temporal_model", None))
    return tuple(p.value for part in parts if part is not None for p in part.parameters if p.frozen)


def _formula_key(model: Any) -> Hashable:
    """What the flux of a spectral model depends on beside values and energies: class and units, if it holds nothing else."""
    own = model.__dict__
    if own.keys() <= {*model.default_parameters.names, "_blocks"}:
        return type(model), tuple(own[name].unit for name in model.default_parameters.names)
    return id(model)


class _Places:
    """Unique parameters and their places."""

    def __init__(self) -> None:
        self.parameters: dict[int, Any] = {}

    def __call__(self, own: Iterable[Any]) -> NDArray[np.intp]:
        """Places of some parameters as a row; new ones are added."""
        row = []
        for p in own:
            self.parameters.setdefault(id(p), p)
            row.append(id(p))
        order = {key: i for i, key in enumerate(self.parameters)}
        return np.array([[order[key] for key in row]], dtype=np.intp).reshape(1, -1)


def _source(plan: SpectrumPlan, model: Any, gti: Any, places: _Places, systematics: Systematics) -> Signal:
    if plan.exposure is None:
        msg = f"Dataset {plan.name!r} has no exposure, so model {model.name!r} cannot be folded; set dataset.exposure."
        raise DataError(msg)
    scales = systematics.energy_scales(model)
    flux, factor, key = _flux(plan, model, gti, len(scales))
    matrix = _matrix(plan, model, systematics) * (factor * plan.used)
    own = [*model.spectral_model.parameters, *scales]
    nuisance = systematics.area(plan.true_edges) if model.apply_irf.get("exposure", True) else NONE
    seen = nuisance.on(flux, len(own))
    return Signal(
        model.name, seen, places([*own, *nuisance.parameters]), matrix[None], (key, plan.true_edges.tobytes(), nuisance.key)
    )


def _flux(plan: SpectrumPlan, model: Any, gti: Any, n_scales: int) -> tuple[Any, float, Hashable]:
    """Flux as a function of spectral parameters and scales, a constant factor on it, and what it depends on beside these."""
    temporal, spectral = model.temporal_model, model.spectral_model
    if temporal is None or not temporal.is_energy_dependent:
        own = flux_evaluator(spectral, None, gti, plan.true_edges, n_scales)
        return own, float(temporal_average(temporal, gti)), (_formula_key(spectral), n_scales)
    together, times = flux_evaluator(spectral, temporal, gti, plan.true_edges), current_values(temporal.parameters)

    def flux(values: Array) -> tuple[Array, Array]:
        value, gradient = together(np.concatenate([values, times]))
        return value, gradient[: len(values)]

    return flux, 1.0, id(model)


def _matrix(plan: SpectrumPlan, model: Any, systematics: Systematics) -> Array:
    """Exposure times part inside the region times energy dispersion, shape (n_T, n_e)."""
    apply = model.apply_irf
    if _depends_on_image(plan, model):
        term = image.make_term(plan.image(), [model, *systematics.models], plan.dataset.gti, plan.name)
        source = term.sources[0]
        own = source.own(image.values_of(term))
        return np.asarray(source.component.matrix(own[source.component.n_spectral :]))
    response = plan.response(bool(apply.get("edisp", True)))
    exposure = plan.exposure if apply.get("exposure", True) else None
    return response if exposure is None else exposure[:, None] * response


def _factor(plan: SpectrumPlan, model: Any, places: _Places, nuisance: Nuisance) -> Signal:
    """Background times its model and its systematic errors."""
    if plan.background is None:
        msg = f"Model {model.name!r} needs a background map, but dataset {plan.name!r} has none; set dataset.background."
        raise InputError(msg)
    spectral = model.spectral_model
    own, energy = spectral.parameters, plan.energy_center
    factor = nuisance.on(spectral.dnde_evaluator(energy), len(own))
    key = (_formula_key(spectral), energy.tobytes(), nuisance.key)
    return Signal(model.name, factor, places([*own, *nuisance.parameters]), plan.background[None], key)


def _bare_factor(plan: SpectrumPlan, places: _Places, nuisance: Nuisance) -> Signal:
    """Background without a model times its systematic errors."""
    assert plan.background is not None
    assert nuisance.factor is not None
    index, key = places(nuisance.parameters), ("background", nuisance.key)
    return Signal("background", nuisance.factor, index, plan.background[None], key, is_background=True)


# ---- what a dataset asks for -------------------------------------------------------------------


def make_term(plan: SpectrumPlan, models: list[Any], gti: Any, name: str) -> Any:
    """Likelihood term of a spectrum with its models.

    Raises
    ------
    InputError, DataError
        If a model cannot be evaluated on this dataset.
    """
    systematics = Systematics(models)
    others = [model for model in models if not model.is_systematic]
    has_ratio = hasattr(plan.statistic, "with_ratio")
    nuisance = systematics.background(plan.energy_center, name, has_ratio or plan.background is not None)
    if not all(_is_linear(plan, model, systematics) for model in others) or (has_ratio and nuisance.parameters):
        return image.make_term(plan.image(), models, gti, name)
    places = _Places()
    signals = [_source(plan, model, gti, places, systematics) for model in others if _is_sky(model)]
    factors = [_factor(plan, model, places, nuisance) for model in others if not _is_sky(model)]
    offset = np.zeros((1, len(plan.used)))
    if plan.background is not None and not factors:
        if nuisance.parameters:
            factors = [_bare_factor(plan, places, nuisance)]
        else:
            offset = plan.background[None]
    places(systematics.parameters)  # all count, by their priors, also where they have no effect
    return SpectrumTerm(tuple(places.parameters.values()), plan.statistic, (*signals, *factors), offset, plan.used[None])


def check(plan: SpectrumPlan, term: Any, name: str) -> None:
    """Refuse a fit without any bin.

    Raises
    ------
    InputError
        Naming the dataset.
    """
    if not plan.used.any():
        msg = f"Dataset {name!r} has no bin inside its mask, so there is nothing to fit; change mask_safe or mask_fit."
        raise InputError(msg)


def signal(plan: SpectrumPlan, term: Any) -> Array:
    """Predicted counts of the sky models and templates of a term, shape of the counts."""
    if not hasattr(term, "signals"):
        return image.signal(plan.image(), term)
    return np.asarray(term.folded(image.values_of(term)).reshape(plan.shape))


def background(plan: SpectrumPlan, term: Any) -> Array:
    """Background times its model, of a term without other models, shape of the counts; zero where there is none."""
    if not hasattr(term, "signals"):
        return image.background(plan.image(), term)
    return np.asarray(term.dense(image.values_of(term)).reshape(plan.shape))
