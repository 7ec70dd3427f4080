"""An ensemble of walkers by emcee (Foreman-Mackey et al. 2013, PASP 125, 306)."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import InputError, MissingDependencyError, ParameterError
from geminga.modeling.fit.likelihood import Likelihood
from geminga.modeling.sampler.checks import has_quantiles
from geminga.modeling.sampler.result import SamplerResult

__all__ = ["OPTIONS", "sample"]

Array = NDArray[np.float64]

OPTIONS: dict[str, Any] = {"nwalkers": None, "nsteps": 2000, "burn": 500, "thin": 5, "random_state": None}


def sample(likelihood: Likelihood, options: Mapping[str, Any], run_opts: Mapping[str, Any]) -> SamplerResult:
    """Samples of the posterior of datasets."""
    module = _import()
    n = len(likelihood.parameters)
    n_walkers = options["nwalkers"] or max(16, 4 * n)
    if not options["nsteps"] > options["burn"] >= 0:
        msg = f"Sampler: emcee got nsteps={options['nsteps']} and burn={options['burn']}; expected more steps than burnt ones."
        raise InputError(msg)
    rng = np.random.default_rng(options["random_state"])
    start = _start(likelihood, n_walkers, rng)
    sampler = module.EnsembleSampler(n_walkers, n, likelihood.log_posterior, vectorize=True)
    state = module.State(start, random_state=np.random.RandomState(rng.integers(2**31)).get_state())
    sampler.run_mcmc(state, options["nsteps"], **{"skip_initial_state_check": True, **run_opts})
    samples = sampler.get_chain(discard=options["burn"], thin=options["thin"], flat=True)
    time = sampler.get_autocorr_time(tol=0)
    acceptance = float(np.mean(sampler.acceptance_fraction))
    # Foreman-Mackey et al. advise chains of tens of autocorrelation times.
    longest = float(np.max(time))
    success = bool(np.isfinite(longest) and options["nsteps"] > 30 * longest and options["burn"] > longest)
    message = "Sampling terminated successfully."
    if not success:
        message = (
            f"The autocorrelation time of {likelihood.names[int(np.argmax(time))]} is {longest:.0f} steps; take 30 times "
            f"as many ({options['nsteps']} were taken) and burn at least as many ({options['burn']})."
        )
    results = {
        "paramnames": likelihood.names,
        "samples": samples,
        "autocorrelation_time": time,
        "acceptance_fraction": acceptance,
        "sampler": sampler,
        "message": message,
    }
    return SamplerResult(nfev=likelihood.nfev, success=success, samples=samples, sampler_results=results)


def _start(likelihood: Likelihood, number: int, rng: np.random.Generator) -> Array:
    """Walkers around the present values within their errors, or drawn from the prior where there is no error."""
    _check_start(likelihood)
    points = np.stack([_drawn(p, number, rng, 1.0) for p in likelihood.parameters], axis=1)
    for trial in range(50):
        lost = ~np.isfinite(likelihood.log_posterior(points))
        if not lost.any():
            return points
        again = [_drawn(p, int(lost.sum()), rng, 0.9**trial) for p in likelihood.parameters]
        points[lost] = np.stack(again, axis=1)
    msg = (
        f"Sampler: no start with a finite posterior was found for {', '.join(likelihood.names)}; fit first, or narrow the priors."
    )
    raise InputError(msg)


def _has_error(parameter: Any) -> bool:
    return bool(np.isfinite(parameter.error) and parameter.error > 0)


def _drawn(parameter: Any, number: int, rng: np.random.Generator, width: float) -> Array:
    if _has_error(parameter):
        return np.asarray(parameter.value + width * parameter.error * rng.normal(size=number))
    return np.asarray(parameter.prior.inverse_cdf(rng.uniform(0.001, 0.999, number)), dtype=float)


def _check_start(likelihood: Likelihood) -> None:
    """Refuse parameters of which nothing says how far the walkers may be apart.

    Raises
    ------
    ParameterError
        Naming them.
    """
    pairs = zip(likelihood.parameters, likelihood.names, strict=True)
    lost = [name for p, name in pairs if not _has_error(p) and not has_quantiles(p)]
    if lost:
        msg = (
            f"The walkers of emcee start within the errors of the parameters, or are drawn from their priors; {', '.join(lost)} "
            f"{'has' if len(lost) == 1 else 'have'} no error (there was no fit, or its covariance failed) and a prior without "
            "inverse_cdf. Fit first, set parameter.error, or take a UniformPrior(min=..., max=...)."
        )
        raise ParameterError(msg)


def _import() -> Any:
    try:
        return importlib.import_module("emcee")
    except ImportError as error:
        msg = "The package emcee is not installed; install it with: pip install 'geminga[sampling]'."
        raise MissingDependencyError(msg) from error
