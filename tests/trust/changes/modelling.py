"""Changes of parameters and models."""

from __future__ import annotations

import astropy.units as u
import numpy as np

from geminga.modeling.models import GaussianPrior, LinearTemporalModel, PowerLawNormSpectralModel, TemplateNPredModel
from tests.trust.changes import COUNTS, POINTS, WITH_BACKGROUND, change
from tests.trust.changes.fresh import predicted
from tests.trust.changes.sources import SHAPES, SPECTRA, models, one_of, some, source

# Parameters

CHANGED = {"amplitude", "norm", "index", "sigma", "lon_0", "r_0", "e", "phi", "tilt", "norm_1", "lambda_", "alpha"}


@change()
def parameter_value(dataset, rng):
    free = [p for p in dataset.models.parameters if p.name in CHANGED]
    if free:
        own = rng.choice(free)
        scale = 1e-3 * rng.normal() if own.name == "lon_0" else rng.uniform(-0.2, 0.2)
        own.value = own.value * (1 + scale)


@change()
def parameter_values(dataset, rng):
    """All at once, as an estimator does."""
    own = dataset.models.parameters.free_unique_parameters
    own.value = np.array(own.value) * np.where([p.name in {"amplitude", "norm", "index"} for p in own], 1.05, 1)


@change()
def parameter_frozen(dataset, rng):
    own = list(dataset.models.parameters)[rng.integers(len(dataset.models.parameters))]
    own.frozen = not own.frozen


@change()
def model_frozen(dataset, rng):
    own = some(dataset, rng)
    own.freeze() if rng.integers(2) else own.unfreeze()


@change()
def parameter_unit(dataset, rng):
    for own in dataset.models.parameters:
        if own.name == "amplitude":
            own.quantity = own.quantity.to("cm-2 s-1 GeV-1" if "TeV" in str(own.unit) else "cm-2 s-1 TeV-1")


@change()
def unit_alone(dataset, rng):
    for own in dataset.models.parameters:
        if own.name == "sigma":
            own.unit = "arcmin" if own.unit == u.deg else "deg"


@change()
def limits(dataset, rng):
    for own in dataset.models.parameters:
        if own.name == "index":
            own.min, own.max = (np.nan, np.nan) if rng.integers(2) else (-20, 20)


@change()
def prior(dataset, rng):
    for own in dataset.models.parameters:
        if own.name == "index":
            own.prior = None if rng.integers(2) else GaussianPrior(mu=rng.uniform(2, 3), sigma=0.1)


@change()
def covariance(dataset, rng):
    n = len(dataset.models.parameters)
    dataset.models.covariance = np.eye(n) * rng.uniform(0.01, 0.02)


@change()
def linked(dataset, rng):
    one, two = (dataset.models[name].spectral_model for name in ("one", "two"))
    if "amplitude" in one.default_parameters.names and "amplitude" in two.default_parameters.names:
        two.amplitude = one.amplitude


@change()
def unlinked(dataset, rng):
    two = dataset.models["two"].spectral_model
    if "amplitude" in two.default_parameters.names:
        two.amplitude = two.amplitude.copy()


@change()
def places_linked(dataset, rng):
    one, two = (dataset.models[name].spatial_model for name in ("one", "two"))
    if one is not None and two is not None and hasattr(one, "lat_0") and hasattr(two, "lat_0") and one.frame == two.frame:
        two.lat_0 = one.lat_0


# Models


@change()
def spectrum_replaced(dataset, rng):
    some(dataset, rng).spectral_model = one_of(SPECTRA, rng)


@change()
def part_of_compound_replaced(dataset, rng):
    own = some(dataset, rng).spectral_model
    if hasattr(own, "model2"):
        own.model2 = PowerLawNormSpectralModel(norm=rng.uniform(0.5, 2), tilt=rng.uniform(-0.5, 0.5))


@change()
def table_in_place(dataset, rng):
    own = some(dataset, rng).spectral_model
    own = getattr(own, "model1", own)
    if hasattr(own, "values"):
        own.values[1] *= 1.3


@change()
def shape_replaced(dataset, rng):
    some(dataset, rng).spatial_model = one_of(SHAPES, rng)


@change()
def template_in_place(dataset, rng):
    own = some(dataset, rng).spatial_model
    if hasattr(own, "map"):
        own.map.data[2:5, 3:6] *= 1.5


@change()
def template_kept(dataset, rng):
    """The array behind a template is written to between predictions."""
    own = some(dataset, rng).spatial_model
    if hasattr(own, "map"):
        kept = own.map.data[0]
        predicted(dataset)
        kept += 0.5


@change()
def frame_changed(dataset, rng):
    own = some(dataset, rng).spatial_model
    if hasattr(own, "lon_0"):
        place = own.position.transform_to("galactic" if own.frame == "icrs" else "icrs")
        own.frame = place.frame.name
        own.lon_0.quantity, own.lat_0.quantity = place.data.lon, place.data.lat


@change()
def time_model(dataset, rng):
    course = LinearTemporalModel(alpha=rng.uniform(0.5, 2), beta=0.1 / u.d, t_ref=51544 * u.d)
    some(dataset, rng).temporal_model = None if rng.integers(2) else course


@change(*COUNTS)
def responses_switched(dataset, rng):
    own = some(dataset, rng).apply_irf
    own["psf"] = not own["psf"]


@change(*COUNTS)
def responses_assigned(dataset, rng):
    some(dataset, rng).apply_irf = {"psf": True, "edisp": bool(rng.integers(2)), "exposure": True}


@change()
def datasets_names(dataset, rng):
    """A model is moved to another dataset, which takes effect when models are assigned, and back."""
    own, kept = some(dataset, rng), list(dataset.models)
    own.datasets_names = ["another"]
    dataset.models = kept
    predicted(dataset)
    own.datasets_names = None
    dataset.models = kept


@change()
def models_replaced(dataset, rng):
    dataset.models = models(dataset, rng)


@change()
def models_reversed(dataset, rng):
    dataset.models = list(dataset.models)[::-1]


@change()
def one_model_replaced(dataset, rng):
    dataset.models = [m for m in dataset.models if m.name != "two"] + [source("two", rng)]


@change("MapDataset")
def template_of_counts(dataset, rng):
    if "glow" not in dataset.models.names:
        own = TemplateNPredModel(dataset.background * 0.1, name="glow", datasets_names=[dataset.name])
        dataset.models = [*dataset.models, own]


@change("MapDataset")
def template_of_counts_in_place(dataset, rng):
    if "glow" in dataset.models.names:
        dataset.models["glow"].map.data[rng.integers(4)] *= 2


@change(*WITH_BACKGROUND)
def statistic(dataset, rng):
    dataset.stat_type = str(rng.choice(["cash", "cstat"]))


@change(*POINTS)
def statistic_of_points(dataset, rng):
    dataset.stat_type = str(rng.choice(["chi2", "distrib", "profile"]))
