"""Nested sampling by ultranest (Buchner 2021, JOSS 6, 3001)."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import InputError, MissingDependencyError
from geminga.modeling.fit.likelihood import Likelihood
from geminga.modeling.sampler.checks import check_quantiles
from geminga.modeling.sampler.result import SamplerResult

__all__ = ["OPTIONS", "sample", "sample_function"]

Array = NDArray[np.float64]

#: Logarithm of a likelihood of zero.
NOTHING = -1e100

#: Points at which a likelihood is tried.
DRAWS = 400

OPTIONS: dict[str, Any] = {
    "live_points": 400,
    "frac_remain": 0.5,
    "log_dir": None,
    "resume": "subfolder",
    "step_sampler": False,
    "nsteps": 10,
    "random_state": None,
}


def sample(likelihood: Likelihood, options: Mapping[str, Any], run_opts: Mapping[str, Any]) -> SamplerResult:
    """Samples and evidence of datasets."""
    return sample_function(likelihood.parameters, likelihood.names, likelihood, options, run_opts)


def sample_function(
    parameters: Sequence[Any],
    names: Sequence[str],
    function: Callable[[Array], Array],
    options: Mapping[str, Any],
    run_opts: Mapping[str, Any],
) -> SamplerResult:
    """Samples and evidence of any likelihood."""
    check_quantiles(parameters, names)
    module = _import("ultranest")
    inside, transform = _bounded(function, parameters), _transform(parameters)
    _check_draws(inside, transform, names)
    state = np.random.get_state()  # noqa: NPY002 (ultranest draws from the global generator)
    try:
        if options["random_state"] is not None:
            np.random.seed(options["random_state"])  # noqa: NPY002
        sampler = module.ReactiveNestedSampler(
            list(names), inside, transform, vectorized=True, log_dir=options["log_dir"], resume=options["resume"]
        )
        if options["step_sampler"]:
            steps = _import("ultranest.stepsampler")
            sampler.stepsampler = steps.SliceSampler(
                nsteps=options["nsteps"], generate_direction=steps.generate_mixture_random_direction
            )
        run = {
            "min_num_live_points": options["live_points"],
            "frac_remain": options["frac_remain"],
            "show_status": False,
            "viz_callback": False,
        }
        with _Quiet():
            return SamplerResult.from_ultranest(sampler.run(**{**run, **run_opts}))
    finally:
        np.random.set_state(state)  # noqa: NPY002


def _transform(parameters: Sequence[Any]) -> Callable[[Array], Array]:
    """Parameter values at points of the unit cube, evenly spread as the priors say."""

    def transform(cube: Array) -> Array:
        return np.stack([p.prior.inverse_cdf(cube[:, i]) for i, p in enumerate(parameters)], axis=1)

    return transform


def _bounded(function: Callable[[Array], Array], parameters: Sequence[Any]) -> Callable[[Array], Array]:
    """The likelihood, nothing outside of the bounds of the parameters."""

    def inside(points: Array) -> Array:
        value = np.array(function(points), dtype=float)
        for i, p in enumerate(parameters):
            value[(points[:, i] < p.min) | (points[:, i] > p.max)] = NOTHING
        return value

    return inside


def _check_draws(inside: Callable[[Array], Array], transform: Callable[[Array], Array], names: Sequence[str]) -> None:
    """Refuse a likelihood that is nowhere a number: ultranest would draw for ever.

    Raises
    ------
    InputError
        Naming the parameters.
    """
    points = transform(np.random.default_rng(0).uniform(size=(DRAWS, len(names))))
    if (inside(points) <= NOTHING).all():
        msg = (
            f"The likelihood is not finite at any of {DRAWS} points drawn from the priors of {', '.join(names)} (inside the "
            "bounds); narrow the priors to where the models predict counts."
        )
        raise InputError(msg)


class _Quiet:
    """Keep ultranest's progress messages out of the user's log, unless asked for."""

    def __enter__(self) -> None:
        self.logger = logging.getLogger("ultranest")
        self.level = self.logger.level
        self.logger.setLevel(max(self.level, logging.WARNING))

    def __exit__(self, *_: object) -> None:
        self.logger.setLevel(self.level)


def _import(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        msg = "The package ultranest is not installed; install it with: pip install 'geminga[sampling]'."
        raise MissingDependencyError(msg) from error
