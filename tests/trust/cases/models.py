"""Models, parameters and priors."""

from __future__ import annotations

from typing import Any

import astropy.units as u
import numpy as np

from geminga.maps import Map
from geminga.modeling.models import (
    EBLAbsorptionNormSpectralModel,
    GaussianPrior,
    GaussianSpatialModel,
    LinearTemporalModel,
    Model,
    Models,
    PiecewiseNormSpectralModel,
    PointSpatialModel,
    PowerLawNormSpectralModel,
    PowerLawSpectralModel,
    SkyModel,
    TemplateSpatialModel,
    TemplateSpectralModel,
    UniformPrior,
)
from tests.trust.cases import Scene, case, cases

FLUX = u.Unit("cm-2 s-1 TeV-1")


def sky(name: str = "a", spatial: str | None = "point") -> SkyModel:
    return SkyModel.create("pl", spatial, name=name)


def template(value: float, **kwargs: Any) -> TemplateSpatialModel:
    own = Map.create(npix=3, unit="sr-1")
    own.data += 1
    own.data[1, 1] = value
    return TemplateSpatialModel(own, **kwargs)


def assigned(name: str, value: Any) -> Any:
    """Case that assigns an attribute of a parameter."""
    return lambda scene: setattr(PowerLawSpectralModel().index, name, value)


cases(
    {
        "parameter set to NaN": assigned("value", np.nan),
        "parameter set to infinity": assigned("value", np.inf),
        "parameter set to text": assigned("value", "two"),
        "parameter set to a list": assigned("value", [1, 2]),
        "parameter set to None": assigned("value", None),
        "parameter set to a quantity of another dimension": assigned("quantity", 3 * u.deg),
        "error of a parameter set to text": assigned("error", "small"),
        "unknown unit of a parameter": assigned("unit", "TeW"),
        "prior that is a number": assigned("prior", 5),
        "scan with text": assigned("scan_values", "many"),
        "unknown scale method": assigned("scale_method", "scale9"),
        "unknown interpolation of a parameter": assigned("interp", "cubic"),
        "unknown parameter of a list": lambda scene: PowerLawSpectralModel().parameters["indx"],
        "unknown argument of a model": lambda scene: PowerLawSpectralModel(indx=2),
        "amplitude in deg": lambda scene: PowerLawSpectralModel(amplitude="1 deg"),
        "amplitude that is text": lambda scene: PowerLawSpectralModel(amplitude="bright"),
        "amplitude of an array": lambda scene: PowerLawSpectralModel(amplitude=[1, 2] * FLUX),
        "spectrum at an energy in m": lambda scene: PowerLawSpectralModel()(1 * u.m),
        "spectrum at an energy without unit": lambda scene: PowerLawSpectralModel()(1.0),
        "integral with limits in seconds": lambda scene: PowerLawSpectralModel().integral(1 * u.s, 2 * u.s),
        "unknown tag of a model": lambda scene: Model.create("powr-law", "spectral"),
        "unknown kind of model": lambda scene: Model.create("pl", "spectrall"),
        "sky model without spectrum": lambda scene: SkyModel(None),
        "sky model with a shape for a spectrum": lambda scene: SkyModel(PointSpatialModel()),
        "sky model with a norm for a spectrum": lambda scene: SkyModel(PowerLawNormSpectralModel()),
        "sky model with an unknown response switched": lambda scene: SkyModel.create("pl", apply_irf={"pfs": False}),
        "sky model whose name is a number": lambda scene: sky(name=5),
        "unknown frame of a shape": lambda scene: PointSpatialModel(frame="earth"),
        "Gaussian with a width in TeV": lambda scene: GaussianSpatialModel(sigma="1 TeV"),
        "template with NaN": lambda scene: template(np.nan),
        "template with infinity": lambda scene: template(np.inf),
        "template with negative values, to be normalised": lambda scene: template(-1e9, normalize=True),
        "template that is zero, to be normalised": lambda scene: TemplateSpatialModel(Map.create(npix=3, unit="sr-1")),
        "template in TeV": lambda scene: TemplateSpatialModel(Map.create(npix=3, unit="TeV")),
        "spectral template with energies that fall": lambda scene: TemplateSpectralModel([2, 1] * u.TeV, [1, 2] * FLUX),
        "spectral template with NaN": lambda scene: TemplateSpectralModel([1, 2] * u.TeV, [1, np.nan] * FLUX),
        "spectral template with one value too few": lambda scene: TemplateSpectralModel([1, 2] * u.TeV, [1] * FLUX),
        "spectral template in deg": lambda scene: TemplateSpectralModel([1, 2] * u.TeV, [1, 2] * u.deg)(1 * u.deg),
        "spectral template with an unknown interpolation": lambda scene: TemplateSpectralModel(
            [1, 2] * u.TeV, [1, 2] * FLUX, interp_kwargs={"values_scale": "cubic"}
        ),
        "norms on nodes, one too few": lambda scene: PiecewiseNormSpectralModel([1, 2, 3] * u.TeV, norms=[1, 2]),
        "norms on nodes that fall": lambda scene: PiecewiseNormSpectralModel([3, 2, 1] * u.TeV),
        "product of two spectra": lambda scene: SkyModel(PowerLawSpectralModel() * PowerLawSpectralModel()),
        "product of a spectrum and text": lambda scene: PowerLawSpectralModel() * "two",
        "unknown table of absorption": lambda scene: EBLAbsorptionNormSpectralModel.read_builtin("dominguezz", redshift=0.1),
        "absorption at a negative redshift": lambda scene: EBLAbsorptionNormSpectralModel.read_builtin(
            "dominguez", redshift=-0.5
        )(1 * u.TeV),
        "time model with a reference in TeV": lambda scene: LinearTemporalModel(t_ref=5 * u.TeV),
        "prior of negative width": lambda scene: GaussianPrior(mu=0, sigma=-1),
        "prior of no width": lambda scene: GaussianPrior(mu=0, sigma=0),
        "uniform prior with limits which are swapped": lambda scene: UniformPrior(min=2, max=1),
        "two models of one name": lambda scene: Models([sky(), sky()]),
        "list of models with a number": lambda scene: Models([5]),
        "list of models with a spectrum": lambda scene: Models([PowerLawSpectralModel()]),
        "unknown model of a list": lambda scene: Models([sky()])["b"],
        "covariance of another shape": lambda scene: setattr(Models([sky()]), "covariance", np.eye(2)),
        "covariance with NaN": lambda scene: setattr(Models([sky()]), "covariance", np.full((5, 5), np.nan)),
        "covariance that is not symmetric": lambda scene: setattr(Models([sky()]), "covariance", np.arange(25.0).reshape(5, 5)),
        "as many priors as parameters, but one": lambda scene: Models([sky()]).set_prior(Models([sky()]).parameters, [None]),
        "shape at a latitude of 100 deg": lambda scene: Models(
            [SkyModel.create("pl", PointSpatialModel(lat_0="100 deg", frame="icrs"), name="a")]
        ).validate(),
        "Gaussian of negative width": lambda scene: Models(
            [SkyModel.create("pl", GaussianSpatialModel(sigma="-1 deg"), name="a")]
        ).validate(),
        "sum of a spectrum and a norm": lambda scene: (PowerLawSpectralModel() + PowerLawNormSpectralModel())(1 * u.TeV),
        "number assigned in place of a parameter": lambda scene: setattr(PowerLawSpectralModel(), "index", 3.0),
        "model whose value lies outside its bounds": lambda scene: _outside().validate(),
    }
)


def _outside() -> Models:
    own = Models([sky()])
    own["a"].spectral_model.index.min = 5
    return own


@case("model linked to a parameter of another dimension")
def linked(scene: Scene) -> Any:
    own = sky()
    own.spectral_model.index = own.spatial_model.lon_0


@case("integral with limits which are swapped")
def swapped(scene: Scene) -> Any:
    own = PowerLawSpectralModel()
    assert own.integral(10 * u.TeV, 1 * u.TeV) == -own.integral(1 * u.TeV, 10 * u.TeV)
    return "the integral changes its sign, as integrals do"


@case("longitude of 400 deg")
def longitude(scene: Scene) -> Any:
    own = PointSpatialModel(lon_0="400 deg", lat_0="0 deg", frame="icrs")
    assert abs(own.position.ra.deg - 40) < 1e-9
    return "angles wrap round: it is 40 deg"
