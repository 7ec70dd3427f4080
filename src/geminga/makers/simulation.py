"""Events of whole observations, simulated from their response tables.

Which one do I want? Events of one observation: `ObservationEventSampler`. Files of many: `ObservationsEventsSampler`. These
need the makers, so they are here; their public names are in `geminga.datasets` and `geminga.data`, as in gammapy.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from astropy import units as u

from geminga.datasets.simulate.events import MapDatasetEventSampler
from geminga.errors import FileExistsRefusal, InputError
from geminga.makers.simulated_dataset import create_map_dataset_from_observation
from geminga.utils.files import make_path
from geminga.utils.parallel import HasJobs, run_tasks
from geminga.utils.pbar import progress_bar
from geminga.utils.random import get_random_state

__all__ = [
    "ObservationEventSampler",
    "ObservationsEventsSampler",
]


class ObservationEventSampler(MapDatasetEventSampler):
    """Draw the events of an observation from its responses and from models.

    Parameters
    ----------
    random_state, oversample_energy_factor, t_delta, keep_mc_id, n_event_bunch
        See `MapDatasetEventSampler`.
    dataset_kwargs : dict, optional
        Options of `create_map_dataset_from_observation`.

    Examples
    --------
    >>> from geminga.datasets import ObservationEventSampler
    >>> sampler = ObservationEventSampler(random_state=42, dataset_kwargs={"spatial_width": "4 deg"})
    >>> sampler.dataset_kwargs
    {'spatial_width': '4 deg'}
    """

    def __init__(
        self,
        random_state: Any = "random-seed",
        oversample_energy_factor: int = 10,
        t_delta: Any = 0.5 * u.s,
        keep_mc_id: bool = True,
        n_event_bunch: int = 10000,
        dataset_kwargs: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(random_state, oversample_energy_factor, t_delta, keep_mc_id, n_event_bunch)
        self.dataset_kwargs = dict(dataset_kwargs or {})

    def run(self, observation: Any, models: Any = None, dataset_name: str | None = None) -> Any:  # type: ignore[override]
        """Draw events.

        Parameters
        ----------
        observation : Observation
            Observation with responses, pointing and good time; it is not changed.
        models : Models or list of models, optional
            Models of sources, and perhaps of the background.
        dataset_name : str, optional
            Name of the dataset they are drawn from, by default ``obs_`` and the identifier.

        Returns
        -------
        observation : Observation
            Copy of the observation with the events.
        """
        options = {"dataset_name": dataset_name} | self.dataset_kwargs
        dataset = create_map_dataset_from_observation(observation, models, **options)
        new = observation.copy()
        new.events = super().run(dataset, observation)
        return new


class _Task(NamedTuple):
    """One observation, and the source of its random numbers."""

    sampler: ObservationsEventsSampler
    observation: Any
    models: Any
    random_state: Any


class ObservationsEventsSampler(HasJobs):
    """Draw the events of many observations, and write a file for each.

    Parameters
    ----------
    sampler_kwargs : dict, optional
        Options of `ObservationEventSampler` but ``dataset_kwargs``, such as ``random_state``. From a seed, each observation
        gets random numbers of its own, which depend on its place in the list, not on `n_jobs`.
    dataset_kwargs : dict, optional
        Options of `create_map_dataset_from_observation`.
    outdir : path
        Folder; it is made.
    overwrite : bool
        Replace files.
    n_jobs : int, optional
        Number of local processes; one runs in this process.
    parallel_backend : str, optional
        Kept for scripts that give it: ``"multiprocessing"``.

    Examples
    --------
    >>> from geminga.data import ObservationsEventsSampler
    >>> ObservationsEventsSampler(sampler_kwargs={"random_state": 1}, outdir="simulated", n_jobs=2).n_jobs
    2
    """

    def __init__(
        self,
        sampler_kwargs: dict[str, Any] | None = None,
        dataset_kwargs: dict[str, Any] | None = None,
        outdir: Any = "./simulated_data/",
        overwrite: bool = True,
        n_jobs: int | None = None,
        parallel_backend: Any = None,
    ) -> None:
        self.sampler_kwargs = dict(sampler_kwargs or {})
        self.dataset_kwargs = dict(dataset_kwargs or {})
        self.outdir = Path(make_path(outdir) or ".")
        self.overwrite = overwrite
        self.n_jobs, self.parallel_backend = n_jobs, parallel_backend

    def _path(self, observation: Any) -> Path:
        return self.outdir / f"obs_{observation.obs_id}.fits"

    def _simulate(self, observation: Any, models: Any, random_state: Any) -> Path:
        options = self.sampler_kwargs | {"random_state": random_state, "dataset_kwargs": self.dataset_kwargs}
        path = self._path(observation)
        path.parent.mkdir(parents=True, exist_ok=True)
        ObservationEventSampler(**options).run(observation, models=models).write(path, overwrite=self.overwrite)
        return path

    def simulate_observation(self, observation: Any, models: Any = None) -> Path:
        """Draw the events of one observation and write ``obs_<identifier>.fits``.

        Parameters
        ----------
        observation : Observation
            Observation.
        models : Models or list of models, optional
            Models.

        Returns
        -------
        path : Path
            File.
        """
        return self._simulate(observation, models, self.sampler_kwargs.get("random_state", "random-seed"))

    def run(self, observations: Any, models: Any = None) -> list[Path]:
        """Draw the events of observations and write their files.

        Parameters
        ----------
        observations : Observations or list of Observation
            Observations, with different identifiers.
        models : Models or list of models, optional
            Models; those with ``datasets_names`` go to the observations they name as ``obs_<identifier>``.

        Returns
        -------
        paths : list of Path
            Files, in the order of the observations.

        Raises
        ------
        InputError
            If two observations have the same identifier.
        FileExistsRefusal
            If a file exists and `overwrite` is false; then none is written.
        """
        observations = list(observations)
        paths = [self._path(observation) for observation in observations]
        if len(set(paths)) < len(paths):
            msg = (
                f"ObservationsEventsSampler: identifiers {[o.obs_id for o in observations]} occur twice; files are named by them."
            )
            raise InputError(msg)
        there = [str(path) for path in paths if path.exists()]
        if there and not self.overwrite:
            msg = f"ObservationsEventsSampler: {', '.join(there)} exist; set overwrite=True, or another outdir."
            raise FileExistsRefusal(msg)
        states = _own_states(self.sampler_kwargs.get("random_state", "random-seed"), len(observations))
        tasks = [_Task(self, own, models, state) for own, state in zip(observations, states, strict=True)]
        results = run_tasks(_simulate_task, tasks, n_jobs=self.n_jobs)
        return list(progress_bar(results, desc="Simulation"))


def _simulate_task(task: _Task) -> Path:
    return task.sampler._simulate(task.observation, task.models, task.random_state)


def _own_states(random_state: Any, number: int) -> list[np.random.Generator]:
    """Independent sources of random numbers, one for each observation."""
    source = get_random_state(random_state)
    draw = getattr(source, "integers", None) or source.randint
    seed = draw(0, 2**31 - 1, size=4).tolist()
    return [np.random.default_rng(own) for own in np.random.SeedSequence(seed).spawn(number)]
