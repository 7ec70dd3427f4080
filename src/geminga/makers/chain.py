"""Several makers in a row, over many observations, in this process or in others."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from geminga.datasets import Datasets
from geminga.errors import InputError, ReductionError
from geminga.makers.base import Maker
from geminga.makers.map import MapDatasetMaker, pointing_of
from geminga.modeling.models import DatasetModels
from geminga.utils.parallel import HasJobs, run_tasks
from geminga.utils.pbar import progress_bar
from geminga.utils.units import as_quantity

__all__ = ["DatasetsMaker", "ReductionFailure"]

log = logging.getLogger(__name__)

#: Observations which one task stacks before it hands back a dataset, at most.
_CHUNK = 8


@dataclass(frozen=True)
class ReductionFailure:
    """An observation that could not be reduced.

    Attributes
    ----------
    obs_id : int or str
        Identifier.
    error : str
        Type and message of the error.
    traceback : str
        Where it came from, also if that was in another process.
    """

    obs_id: Any
    error: str
    traceback: str
    cause: BaseException | None = field(default=None, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        """Texts only: not every exception can be pickled."""
        return self.__dict__ | {"cause": None}


class _Job(NamedTuple):
    """An observation, the dataset to start from (None for the common one), and the name of the result."""

    observation: Any
    base: Any
    name: str


class _Task(NamedTuple):
    """What one call of `_reduce` does: some jobs, and perhaps their stack."""

    maker: DatasetsMaker
    dataset: Any
    jobs: list[_Job]
    stack: bool


class DatasetsMaker(HasJobs, Maker):
    """Run several makers over many observations.

    Parameters
    ----------
    makers : list of Maker
        Makers, in the order in which they run.
    stack_datasets : bool
        Add all observations up, else give one dataset for each, named after the observation.
    n_jobs : int, optional
        Number of local processes; one runs in this process.
    cutout_mode : {"trim", "partial", "strict"}
        How to cut the dataset to the field of view of an observation where that reaches beyond it.
    cutout_width : Quantity, optional
        Width of this cut-out; by default twice the ``offset_max`` of the safe mask maker, if that cuts on the offset. The whole
        dataset is used if there is neither.
    parallel_backend : str, optional
        Kept for scripts that give it: ``"multiprocessing"``. For anything else give an `executor`.
    executor : concurrent.futures.Executor, optional
        Where to run instead, such as ``dask.distributed.Client().get_executor()``.
    on_error : {"raise", "skip"}
        What to do with an observation that cannot be reduced: raise `ReductionError`, or leave it out with a warning. What was
        left out in the last run is in ``failures``.

    Raises
    ------
    InputError
        If an option is unknown.

    Examples
    --------
    >>> from geminga.makers import DatasetsMaker, MapDatasetMaker, SafeMaskMaker
    >>> maker = DatasetsMaker([MapDatasetMaker(), SafeMaskMaker(methods=["offset-max"], offset_max="2 deg")])
    >>> print(maker.cutout_width)
    4.0 deg
    """

    tag: ClassVar[str] = "DatasetsMaker"
    shown: ClassVar[tuple[str, ...]] = (
        "makers",
        "stack_datasets",
        "n_jobs",
        "cutout_mode",
        "cutout_width",
        "parallel_backend",
    )

    def __init__(
        self,
        makers: Any,
        stack_datasets: bool = True,
        n_jobs: int | None = None,
        cutout_mode: str = "trim",
        cutout_width: Any = None,
        parallel_backend: Any = None,
        *,
        executor: Any = None,
        on_error: str = "raise",
    ) -> None:
        self.log = log
        self.makers = list(makers)
        wrong = [type(maker).__name__ for maker in self.makers if not hasattr(maker, "run")]
        if wrong or not self.makers:
            msg = f"DatasetsMaker: makers are {wrong or self.makers}; expected objects with a method run."
            raise InputError(msg)
        if on_error not in {"raise", "skip"}:
            msg = f"DatasetsMaker: on_error is {on_error!r}; expected 'raise' or 'skip'."
            raise InputError(msg)
        self.stack_datasets, self.cutout_mode, self.on_error, self.executor = stack_datasets, cutout_mode, on_error, executor
        self.cutout_width = None if cutout_width is None else as_quantity(cutout_width, "deg", "cutout_width")
        if self.cutout_width is None and self.offset_max is not None:
            self.cutout_width = 2 * self.offset_max
        self.n_jobs, self.parallel_backend = n_jobs, parallel_backend
        self.failures: list[ReductionFailure] = []

    def __getstate__(self) -> dict[str, Any]:
        """Options only: an executor cannot go to another process."""
        return self.__dict__ | {"executor": None, "failures": [], "log": None}

    # ---- options -------------------------------------------------------------------------------

    @property
    def safe_mask_maker(self) -> Any:
        """The maker of safe masks among the makers; None if there is none."""
        return next((maker for maker in self.makers if getattr(maker, "tag", "") == "SafeMaskMaker"), None)

    @property
    def offset_max(self) -> Any:
        """Offset at which the safe mask maker cuts; None if it does not."""
        maker = self.safe_mask_maker
        return maker.offset_max if maker is not None and "offset-max" in maker.methods else None

    # ---- one observation -----------------------------------------------------------------------

    def make_dataset(self, dataset: Any, observation: Any, *, name: str | None = None) -> Any:
        """Run all makers over one observation.

        Parameters
        ----------
        dataset : MapDataset
            Dataset with the geometries; it is not changed.
        observation : Observation
            Observation.
        name : str, optional
            Name of the result, by default the identifier of the observation.

        Returns
        -------
        dataset : MapDataset
            Dataset named after the observation, with the models of `dataset`; None if the field of view does not overlap with
            the geometry.
        """
        name = str(observation.obs_id) if name is None else name
        models = dataset.models
        if self.cutout_width is not None and not dataset._geom.is_region:
            from astropy.nddata import NoOverlapError

            try:
                own = self._cutout(dataset, pointing_of(observation), name)
            except NoOverlapError:
                log.warning("Observation %s does not overlap with the geometry; it is left out.", observation.obs_id)
                return None
        else:
            own = dataset.copy(name=name)
        if models:
            own.models = DatasetModels(models).reassign(dataset.name, name)
        for maker in self.makers:
            own = maker.run(own, observation)
        return own

    def _cutout(self, dataset: Any, pointing: Any, name: str) -> Any:
        """Part of the dataset round a pointing, without content where the first maker makes all of it."""
        options = {"position": pointing, "width": self.cutout_width, "mode": self.cutout_mode}
        if getattr(type(self.makers[0]), "run", None) is not MapDatasetMaker.run:
            return dataset.cutout(**options, name=name)
        geoms = {part: geom.cutout(**options) for part, geom in dataset.geoms.items()}
        return type(dataset).from_geoms(**geoms, name=name)

    def callback(self, dataset: Any) -> None:
        """Do nothing; kept for classes that override it: it is called with each dataset that was made."""

    def error_callback(self, dataset: Any) -> None:
        """Log a failure (`ReductionFailure`)."""
        log.warning("Observation %s could not be reduced, and is left out: %s", dataset.obs_id, dataset.error)

    # ---- all -----------------------------------------------------------------------------------

    def run(self, dataset: Any, observations: Any, datasets: Any = None) -> Datasets:
        """Run all makers over all observations.

        Parameters
        ----------
        dataset : MapDataset
            Dataset with the geometries. If datasets are stacked, the sum is added to it, once all observations are done; if one
            fails it is left as it was.
        observations : Observations or list of Observation
            Observations.
        datasets : Datasets, optional
            A dataset to start from for each observation, instead of cut-outs of `dataset`.

        Returns
        -------
        datasets : Datasets
            `dataset`, or one dataset for each observation.

        Raises
        ------
        ReductionError
            If an observation cannot be reduced (and ``on_error="raise"``), or none can.
        InputError
            If there are not as many datasets as observations.
        """
        observations = list(observations)
        bases = [None] * len(observations) if datasets is None else list(datasets)
        if len(bases) != len(observations):
            msg = f"DatasetsMaker.run: there are {len(bases)} datasets for {len(observations)} observations; give one for each."
            raise InputError(msg)
        self.failures = []
        made: list[Any] = []
        stacked = dataset.copy(name=dataset.name) if self.stack_datasets else None
        if stacked is not None and dataset.models:
            stacked.models = dataset.models
        jobs = [_Job(*job) for job in zip(observations, bases, _names(observations), strict=True)]
        for results in self._results(dataset, jobs):
            for result in results:
                if isinstance(result, ReductionFailure):
                    self._failed(result)
                elif result is not None:
                    self.callback(result)
                    _add(stacked, result) if stacked is not None else made.append(result)
        if self.failures and len(self.failures) == len(observations):
            msg = (
                f"None of the {len(observations)} observations could be reduced; the first error was:\n{_text(self.failures[0])}"
            )
            raise ReductionError(msg)
        if stacked is None:
            return Datasets(made)
        for name in [*dataset.part_names, "gti", "meta_table", "meta", "models"]:
            setattr(dataset, name, getattr(stacked, name))
        return Datasets([dataset])

    def _failed(self, failure: ReductionFailure) -> None:
        if self.on_error == "raise":
            raise ReductionError(_text(failure)) from failure.cause
        self.failures.append(failure)
        self.error_callback(failure)

    def _results(self, dataset: Any, jobs: list[_Job]) -> Iterator[list[Any]]:
        is_parallel = self.executor is not None or self.n_jobs > 1
        size = max(1, min(_CHUNK, len(jobs) // (4 * self.n_jobs))) if is_parallel and self.stack_datasets else 1
        tasks = [
            _Task(self, dataset, jobs[i : i + size], stack=self.stack_datasets and is_parallel and size > 1)
            for i in range(0, len(jobs), size)
        ]
        results: Iterable[list[Any]] = run_tasks(_reduce, tasks, executor=self.executor, n_jobs=self.n_jobs)
        yield from progress_bar(_with_length(results, len(tasks)), desc="Data reduction")


class _with_length:  # noqa: N801  (an iterable that knows how long it is, for the progress bar)
    def __init__(self, items: Iterable[Any], length: int) -> None:
        self._items, self._length = items, length

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)

    def __len__(self) -> int:
        return self._length


def _text(failure: ReductionFailure) -> str:
    return f"Observation {failure.obs_id} could not be reduced: {failure.error}\n\n{failure.traceback}"


def _reduce(task: _Task) -> list[Any]:
    """Datasets (None for no overlap) or failures of some observations; datasets are one, their stack, if that is asked for."""
    results: list[Any] = []
    stacked = None
    for observation, base, name in task.jobs:
        try:
            # What a copy reads from files goes when the copy does; the observations of the user hold all that they read.
            made = task.maker.make_dataset(task.dataset if base is None else base, observation.copy(), name=name)
        except Exception as error:  # whatever it is, the message must name the observation
            text = f"{type(error).__name__}: {error}"
            results.append(ReductionFailure(observation.obs_id, text, traceback.format_exc(), error))
            continue
        if not task.stack or made is None:
            results.append(made)
            continue
        if stacked is None:
            stacked = type(task.dataset).from_geoms(**task.dataset.geoms, name=task.dataset.name)
        _add(stacked, made)
    return results if stacked is None else [*results, stacked]


def _add(stacked: Any, dataset: Any) -> None:
    """Stack a dataset.

    Raises
    ------
    InputError
        If makers changed the kind of dataset, as those of off counts do.
    """
    if type(stacked) is not type(dataset):
        msg = (
            f"DatasetsMaker: the makers give a {dataset.tag}, which cannot be added to a {stacked.tag}; use stack_datasets=False "
            "and stack_reduce() of the result."
        )
        raise InputError(msg)
    stacked.stack(dataset)


def _names(observations: list[Any]) -> list[str]:
    """Different names: an observation that occurs twice gets a number."""
    seen: dict[str, int] = {}
    names = []
    for observation in observations:
        name = str(observation.obs_id)
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return names
