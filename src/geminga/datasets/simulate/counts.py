"""Simulated counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from geminga.errors import InputError

__all__ = ["asimov", "fake", "random_source", "to_asimov"]


def random_source(random_state: Any = "random-seed") -> Any:
    """Return a source of random numbers.

    Parameters
    ----------
    random_state : int, "random-seed", numpy.random.Generator or numpy.random.RandomState
        A seed gives the same numbers every time, ``"random-seed"`` new ones.

    Raises
    ------
    InputError
        If it is none of these.
    """
    if isinstance(random_state, (np.random.Generator, np.random.RandomState)):
        return random_state
    if isinstance(random_state, str) and random_state == "random-seed":
        return np.random.default_rng()
    if isinstance(random_state, (int, np.integer)) and 0 <= random_state < 2**32:
        return np.random.RandomState(random_state)
    msg = f"random_state {random_state!r} is not an integer (0 to 2**32 - 1), 'random-seed', or numpy's Generator or RandomState."
    raise InputError(msg)


def fake(self: Any, random_state: Any = "random-seed") -> None:
    """Replace the counts by Poisson numbers drawn from the prediction.

    Parameters
    ----------
    random_state : int, "random-seed", numpy.random.Generator or numpy.random.RandomState
        Source of random numbers; a seed makes the result repeatable.
    """
    npred = self.npred()
    drawn = random_source(random_state).poisson(np.nan_to_num(npred.frozen_data, nan=0.0))
    self.counts = npred.copy(data=drawn.astype(np.float32))


def asimov(dataset: Any) -> None:
    """Replace the counts of a dataset by its prediction."""
    npred = dataset.npred()
    dataset.counts = npred.copy(data=np.nan_to_num(npred.frozen_data, nan=0.0))


def to_asimov(self: Any, name: str | None = None) -> Any:
    """Copy with its models whose counts are exactly those predicted (Asimov data).

    Parameters
    ----------
    name : str, optional
        Name of the copy; random if not given.

    Returns
    -------
    dataset : MapDataset
        Of the same type; its models are those of this dataset, not copies.
    """
    new = self.copy(name=name)
    new.counts = self.expected_counts()
    new._models = self.models
    return new
