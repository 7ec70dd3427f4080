"""Errors and Ctrl-C at any moment: parameters, models and data are bitwise as before."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from geminga import estimators
from geminga.datasets import Datasets
from geminga.estimators import (
    ASmoothMapEstimator,
    EnergyDependentMorphologyEstimator,
    ExcessMapEstimator,
    FluxPointsEstimator,
    FluxProfileEstimator,
    ImageProfileEstimator,
    JointFluxPointsEstimator,
    LightCurveEstimator,
    ParameterEstimator,
    ParameterSensitivityEstimator,
    SensitivityEstimator,
    TSMapEstimator,
    get_combined_flux_maps,
)
from geminga.makers import DatasetsMaker, FoVBackgroundMaker, MapDatasetMaker, SafeMaskMaker
from geminga.modeling import Fit
from geminga.utils.regions import make_concentric_annulus_sky_regions
from tests.trust.cases.datasets import field
from tests.trust.content import content, differences
from tests.unit.datasets import builders
from tests.unit.makers.builders import empty, observation

EDGES = [1, 3, 10] * u.TeV


class _StopError(Exception):
    """Stands for any error."""


class Interrupt:
    """Counts calls of functions of the package, and raises at one of them."""

    def __init__(self, last: int = -1, error: type[BaseException] = KeyboardInterrupt) -> None:
        self.last, self.error, self.count = last, error, 0

    def __enter__(self) -> Interrupt:
        sys.setprofile(self._step)
        return self

    def __exit__(self, *args: object) -> None:
        sys.setprofile(None)

    def _step(self, frame: Any, event: str, arg: object) -> None:
        if event == "call" and "geminga" in frame.f_code.co_filename:
            self.count += 1
            if self.count == self.last:
                sys.setprofile(None)
                raise self.error


def fitted() -> Datasets:
    """A dataset with a source and a background model, and the result of a fit."""
    own = Datasets([field()])
    own.models["source"].spatial_model.freeze()
    Fit().run(own)
    return own


def extended() -> Datasets:
    """The same with a position of the source free."""
    own = fitted()
    own.models["source"].spatial_model.lon_0.frozen = False
    return own


def on_off() -> Datasets:
    """An on/off spectrum."""
    return Datasets([builders.onoff_spectrum()])


def _rings() -> Any:
    return make_concentric_annulus_sky_regions(SkyCoord(83.6, 22.0, unit="deg"), 0.6 * u.deg, nbin=3)


def _sensitivity(own: Datasets) -> Any:
    return ParameterSensitivityEstimator(own.models.parameters["amplitude"], null_value=0).run(own)


#: Every estimator; those of flux points, of a parameter and of maps with all their options.
ESTIMATORS: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "flux points": (fitted, lambda own: FluxPointsEstimator(EDGES, source="source", selection_optional="all").run(own)),
    "flux points refitted": (fitted, lambda own: FluxPointsEstimator(EDGES, source="source", reoptimize=True).run(own)),
    "joint flux points": (fitted, lambda own: JointFluxPointsEstimator(EDGES, source="source").run(own)),
    "light curve": (fitted, lambda own: LightCurveEstimator(energy_edges=EDGES, source="source").run(own)),
    "light curve of stacks": (
        fitted,
        lambda own: LightCurveEstimator(energy_edges=EDGES, source="source", stack_over_time_interval=True).run(own),
    ),
    "flux profile": (fitted, lambda own: FluxProfileEstimator(_rings(), energy_edges=EDGES).run(own)),
    "sensitivity": (on_off, lambda own: SensitivityEstimator().run(own[0])),
    "parameter": (fitted, lambda own: ParameterEstimator(selection_optional="all").run(own, "norm")),
    "parameter sensitivity": (fitted, _sensitivity),
    "morphology": (extended, lambda own: EnergyDependentMorphologyEstimator(EDGES, source="source").run(own)),
    "excess map": (fitted, lambda own: ExcessMapEstimator("0.3 deg", selection_optional="all").run(own[0])),
    "TS map": (fitted, lambda own: TSMapEstimator(kernel_width="0.75 deg", selection_optional="all").run(own[0])),
    "small TS map": (fitted, lambda own: TSMapEstimator(kernel_width="0.75 deg", downsampling_factor=2).run(own[0])),
    "smoothed image": (fitted, lambda own: ASmoothMapEstimator(scales=[0.3, 0.6] * u.deg).run(own[0])),
    "image profile": (fitted, lambda own: ImageProfileEstimator().run(own[0].counts.sum_over_axes(keepdims=False))),
    "combined maps": (fitted, lambda own: get_combined_flux_maps(ExcessMapEstimator("0.3 deg"), own)),
}


def _reduce(datasets: Any) -> Any:
    makers = [MapDatasetMaker(), SafeMaskMaker(methods=["offset-max"], offset_max="1.5 deg"), FoVBackgroundMaker()]
    return DatasetsMaker(makers).run(*datasets)


ACTIONS: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "fit": (fitted, lambda own: Fit().run(own)),
    "fit with minuit": (fitted, lambda own: Fit(backend="minuit").run(own)),
    "covariance": (fitted, lambda own: Fit().covariance(own)),
    "errors": (fitted, lambda own: Fit().confidence(own, parameter=own.models.parameters.free_parameters[0])),
    "profile": (fitted, lambda own: Fit().stat_profile(own, parameter=own.models.parameters.free_parameters[0])),
    **ESTIMATORS,
    "reduction": (lambda: (empty("sum"), [observation(1), observation(2)]), _reduce),
}
MOMENTS = [pytest.param(6), pytest.param(100, marks=pytest.mark.slow)]


def state(own: Any) -> dict[str, Any]:
    """Everything that may not change."""
    return content(own if isinstance(own, Datasets) else list(own[:1]))


def test_every_estimator_is_stopped():
    used = {name for _, act in ESTIMATORS.values() for name in act.__code__.co_names} | set(_sensitivity.__code__.co_names)
    assert {name for name in dir(estimators) if name.endswith("Estimator") and name != "Estimator"} <= used


# Python ignores, and tells of, what is raised while a generator is put away.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # steps of a search that overflow are taken back
@pytest.mark.parametrize("number", MOMENTS)
@pytest.mark.parametrize("name", list(ACTIONS))
def test_state_is_as_before(name, number):
    make, act = ACTIONS[name]
    own = make()
    with Interrupt() as calls:
        act(own)
    rng = np.random.default_rng(1)
    own = make()
    before = state(own)
    stopped = 0
    for moment in rng.integers(1, calls.count, number):
        error = KeyboardInterrupt if moment % 2 else _StopError
        caught = None
        try:
            with Interrupt(int(moment), error):
                act(own)
        except BaseException as raised:
            caught = raised
        if caught is None:  # it was over before
            own = make()
            continue
        # A reduction wraps what happens to an observation.
        assert isinstance(caught, error) or isinstance(caught.__cause__, error)
        stopped += 1
        found = differences(before, state(own))
        assert not found, (int(moment), error.__name__, found[:3])
    assert stopped >= number / 2
