"""Fit statistics of flux points as classes: the same numbers whatever statistic a dataset is set to."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

__all__ = ["Chi2AsymmetricErrorFitStatistic", "Chi2FitStatistic"]


class _DatasetStatistic:
    """Statistic of a dataset which knows it under the name `stat_type`."""

    stat_type: ClassVar[str]

    @classmethod
    def _set(cls, dataset: Any) -> Any:
        if dataset.stat_type == cls.stat_type:
            return dataset
        other = copy.copy(dataset)
        other.stat_type = cls.stat_type
        return other

    @classmethod
    def stat_array_dataset(cls, dataset: Any) -> Any:
        """Statistic of each point, of the shape of the data, NaN where it is not defined."""
        return cls._set(dataset).stat_array()

    @classmethod
    def stat_sum_dataset(cls, dataset: Any) -> float:
        """Statistic summed over the mask."""
        return float(cls._set(dataset).stat_sum())

    @classmethod
    def loglikelihood_dataset(cls, dataset: Any) -> float:
        """Log likelihood, up to a constant: minus half of the statistic."""
        return -0.5 * cls.stat_sum_dataset(dataset)


class Chi2FitStatistic(_DatasetStatistic):
    """Squared deviations of measured points in units of their symmetric errors."""

    stat_type = "chi2"


class Chi2AsymmetricErrorFitStatistic(_DatasetStatistic):
    """Squared deviations in units of the error on the side of the model; upper limits by the probability to measure less."""

    stat_type = "distrib"
