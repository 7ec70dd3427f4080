"""`Sampler`: the posterior of the free parameters by samples.

Backends call the likelihood with many points at once.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import InputError, NameLookupError
from geminga.modeling.fit.likelihood import Likelihood
from geminga.modeling.fit.objective import all_or_nothing, models_of
from geminga.modeling.models.collection import Models
from geminga.modeling.sampler import emcee, ultranest
from geminga.modeling.sampler.checks import check_priors
from geminga.modeling.sampler.result import SamplerResult

__all__ = ["Sampler"]

Array = NDArray[np.float64]

BACKENDS = {"ultranest": ultranest, "emcee": emcee}


class Sampler:
    """Sample the posterior of the free parameters of datasets.

    Every free parameter needs a prior; its bounds, if it has any, cut it.

    Parameters
    ----------
    backend : {"ultranest", "emcee"}
        Nested sampling, which also gives the evidence, or an ensemble of walkers. Both are in the extra ``sampling``.
    sampler_opts : dict, optional
        For ultranest: ``live_points`` (400), ``frac_remain`` (0.5), ``log_dir`` (None), ``resume`` ("subfolder"),
        ``step_sampler`` (False), ``nsteps`` (10). For emcee: ``nwalkers`` (four for each parameter, at least 16),
        ``nsteps`` (2000), ``burn`` (500), ``thin`` (5). For both ``random_state`` (an integer).
    run_opts : dict, optional
        Further arguments of the backend's run: ``ReactiveNestedSampler.run`` or ``EnsembleSampler.run_mcmc``.

    Raises
    ------
    NameLookupError
        If there is no such backend.
    InputError
        If an option is not known.

    Examples
    --------
    >>> from geminga.modeling import Sampler
    >>> Sampler(sampler_opts={"live_points": 300}).sampler_opts["live_points"]
    300
    """

    def __init__(
        self, backend: str = "ultranest", sampler_opts: dict[str, Any] | None = None, run_opts: dict[str, Any] | None = None
    ) -> None:
        if backend not in BACKENDS:
            msg = f"Sampler backend {backend!r} is not known; choose one of {', '.join(BACKENDS)}."
            raise NameLookupError(msg)
        known = BACKENDS[backend].OPTIONS
        wrong = sorted(set(sampler_opts or {}) - set(known))
        if wrong:
            msg = f"Sampler option {', '.join(wrong)} is not known to the {backend} backend; known: {', '.join(known)}."
            raise InputError(msg)
        self.backend = backend
        self.sampler_opts = {**known, **(sampler_opts or {})}
        self.run_opts = dict(run_opts or {})

    def __repr__(self) -> str:
        return f"Sampler(backend={self.backend!r})"

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"

    def run(self, datasets: Any) -> SamplerResult:
        """Sample.

        The parameters are set to the mean of the samples, with errors and covariance; an exception leaves them as they were.

        Parameters
        ----------
        datasets : Datasets, list of Dataset or Dataset
            Datasets with models.

        Returns
        -------
        result : SamplerResult
            Samples, evidence, and the models.

        Raises
        ------
        ParameterError
            If a free parameter has no prior, or one from which the backend cannot start.
        InputError
            If the walkers of emcee find no start.
        MissingDependencyError
            If the backend is not installed.
        """
        likelihood = Likelihood(datasets)
        check_priors(likelihood.parameters, likelihood.names)
        models = models_of(datasets)
        with all_or_nothing(likelihood.parameters, models):
            result = BACKENDS[self.backend].sample(likelihood, self.sampler_opts, self.run_opts)
            _update(models, likelihood.parameters, np.asarray(result.samples))
        result.models = models
        return result

    def sampler_ultranest(self, parameters: Any, like: Any) -> SamplerResult:
        """Nested sampling by ultranest of any likelihood.

        Parameters
        ----------
        parameters : list of Parameter
            Parameters, each with a prior.
        like : callable
            Logarithm of the likelihood at points of shape (n, n_parameters), shape (n,).

        Returns
        -------
        result : SamplerResult
            Samples and evidence; the parameters are not changed.
        """
        names = [p.name for p in parameters]
        check_priors(parameters, names)
        options = self.sampler_opts if self.backend == "ultranest" else ultranest.OPTIONS
        return ultranest.sample_function(list(parameters), names, like, options, self.run_opts)


def _update(models: Models, parameters: Sequence[Any], samples: Array) -> None:
    """Give models the values, errors and covariance of the samples."""
    covariance = np.atleast_2d(np.cov(samples, rowvar=False))
    place = {id(p): i for i, p in enumerate(parameters)}
    full = np.zeros((len(models.parameters),) * 2)
    first: dict[int, int] = {}
    for row, p in enumerate(models.parameters):
        if id(p) in place:
            first.setdefault(id(p), row)
    rows = np.array(list(first.values()), dtype=np.intp)
    own = np.array([place[key] for key in first], dtype=np.intp)
    full[np.ix_(rows, rows)] = covariance[np.ix_(own, own)]
    models.covariance = full
    for i, p in enumerate(parameters):
        p.value, p.error = float(np.clip(samples[:, i].mean(), *_bounds(p))), float(np.sqrt(covariance[i, i]))


def _bounds(parameter: Any) -> tuple[float, float]:
    low, high = parameter.min, parameter.max
    return -np.inf if np.isnan(low) else low, np.inf if np.isnan(high) else high
