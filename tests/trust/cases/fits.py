"""Fits that cannot start, cannot end, or meet models of users that fail."""

from __future__ import annotations

from typing import Any

import astropy.units as u
import numpy as np
import pytest

from geminga.datasets import Datasets
from geminga.modeling import Fit, Parameter
from geminga.modeling.models import PointSpatialModel, PowerLawSpectralModel, SkyModel, SpectralModel, TemplateSpectralModel
from tests.trust.cases import Scene, case, cases
from tests.trust.cases.datasets import field
from tests.unit.datasets import builders


def fitted(change: Any, **kwargs: Any) -> Any:
    """Case that fits after a change of the dataset; the models must not change if it is refused."""

    def function(scene: Scene) -> Any:
        own = field()
        own = change(own) or own
        values = None if not own.models else own.models.parameters.value.copy()
        try:
            result = Fit(**kwargs).run([own])
        finally:
            if values is not None:
                after = own.models.parameters.value
        if not result.success:
            assert (after == values).all()
            assert len(result.message) > 40
            return f"the result says: {result.message}"
        return None

    return function


def _no_models(own: Any) -> None:
    own.models = None


def _frozen(own: Any) -> None:
    own.models.freeze()


def _outside(own: Any) -> None:
    own.models["source"].spectral_model.index.min = 5


def _empty_mask(own: Any) -> None:
    own.mask_fit = own.counts < 0


def _far(own: Any) -> None:
    own.models["source"].spatial_model.lon_0.value = 200


def _without_effect(own: Any) -> None:
    own.models["source"].spectral_model.amplitude.value = 0
    own.models["source"].spectral_model.amplitude.frozen = True


class Raising(SpectralModel):
    """Model of a user that fails when it is told to."""

    tag = ["RaisingSpectralModel"]
    amplitude = Parameter("amplitude", "1e-12 cm-2 s-1 TeV-1")
    fails = False

    @staticmethod
    def evaluate(energy: Any, amplitude: Any) -> Any:
        if Raising.fails:
            msg = "the user's own words"
            raise RuntimeError(msg)
        return amplitude * (energy / energy)


class NotANumber(Raising):
    tag = ["NotANumberSpectralModel"]

    @staticmethod
    def evaluate(energy: Any, amplitude: Any) -> Any:
        return amplitude * (energy / energy) * np.nan


class WrongUnit(Raising):
    tag = ["WrongUnitSpectralModel"]

    @staticmethod
    def evaluate(energy: Any, amplitude: Any) -> Any:
        return amplitude * energy


class WrongShape(Raising):
    tag = ["WrongShapeSpectralModel"]

    @staticmethod
    def evaluate(energy: Any, amplitude: Any) -> Any:
        return amplitude * np.ones(3)


def _user_model(cls: Any) -> Any:
    def change(own: Any) -> None:
        own.models = [SkyModel(cls(), PointSpatialModel(lon_0="83.6 deg", lat_0="22 deg", frame="icrs"), name="own")]

    return change


cases(
    {
        "fit without models": fitted(_no_models),
        "fit with everything frozen": fitted(_frozen),
        "fit of a value outside its bounds": fitted(_outside),
        "fit without any bin": fitted(_empty_mask),
        "fit of a source outside of the map": fitted(_far),
        "fit of parameters without effect": fitted(_without_effect),
        "unknown optimiser": lambda scene: Fit(backend="newtn"),
        "fit of a number": lambda scene: Fit().run(5),
        "fit of no dataset": lambda scene: Fit().run([]),
        "user's model that returns NaN": fitted(_user_model(NotANumber)),
        "user's model that returns another unit": fitted(_user_model(WrongUnit)),
        "user's model that returns another shape": fitted(_user_model(WrongShape)),
        "errors of a parameter that is not there": lambda scene: Fit().confidence([field()], parameter="indx"),
        "errors of a frozen parameter": lambda scene: Fit().confidence([field()], parameter="reference"),
        "profile of a parameter that is not there": lambda scene: Fit().stat_profile([field()], parameter="indx"),
        "contour of a parameter with itself": lambda scene: Fit().stat_contour([field()], x="index", y="index"),
        "contour of minus one sigma": lambda scene: Fit().stat_contour([field()], x="index", y="amplitude", sigma=-1),
    }
)


@case("user's model that raises")
def raising(scene: Scene) -> Any:
    own = field()
    _user_model(Raising)(own)
    before = own.models.parameters.value.copy()
    Raising.fails = True
    try:
        with pytest.raises(RuntimeError, match="the user's own words"):
            Fit().run([own])
    finally:
        Raising.fails = False
    assert (own.models.parameters.value == before).all()
    return "its error comes through as it is; models and data are unchanged"


@case("fit interrupted with Ctrl-C")
def interrupted(scene: Scene) -> Any:
    class Interrupting(PowerLawSpectralModel):
        tag = ["InterruptingSpectralModel"]
        calls = 0

        @staticmethod
        def evaluate(energy: Any, index: Any, amplitude: Any, reference: Any) -> Any:
            Interrupting.calls += 1
            if Interrupting.calls > 5:
                raise KeyboardInterrupt
            return amplitude * (energy / reference) ** (-index)

    own = field()
    own.models["source"].spectral_model = Interrupting()
    own.models["source"].spectral_model.amplitude.quantity = 1e-12 * u.Unit("cm-2 s-1 TeV-1")
    before = own.models.parameters.value.copy()
    try:
        Fit().run(Datasets([own]))
    except KeyboardInterrupt:
        assert (own.models.parameters.value == before).all()
        return "models and data are as before"
    return None


@case("fit of a spectrum with a free position")
def idle_parameters(scene: Scene) -> None:
    own = builders.onoff_spectrum()
    own.models = [SkyModel.create("pl", "gauss", name="source")]
    assert Fit().run([own]).success


@case("fit of a spectrum of a model without parameters")
def no_parameters(scene: Scene) -> Any:
    own = builders.onoff_spectrum()
    own.models = [SkyModel(TemplateSpectralModel([1, 10] * u.TeV, [1e-12, 1e-14] * u.Unit("cm-2 s-1 TeV-1")), name="source")]
    return Fit().run([own])


cases(
    {
        "fit with a negative tolerance": fitted(lambda own: None, optimize_opts={"tol": -1}),
        "fit with an unknown option": fitted(lambda own: None, optimize_opts={"tolerance": 1}),
        "errors at NaN sigma": lambda scene: Fit().confidence([field()], parameter="index", sigma=np.nan),
        "contour of no points": lambda scene: Fit().stat_contour([field()], "index", "amplitude", numpoints=0),
    }
)
