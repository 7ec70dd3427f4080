"""What a measurement can be expected to give: errors from the Fisher matrix of the Asimov data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.modeling.fit.constraints import penalties_of
from geminga.modeling.fit.diagnosis import covariance_of
from geminga.modeling.fit.end import End
from geminga.modeling.fit.objective import Objective, as_list

__all__ = ["ForecastResult", "forecast"]


@dataclass(frozen=True)
class ForecastResult:
    """Expected errors of the free parameters.

    Attributes
    ----------
    names : list of str
        ``model.parameter`` of each free parameter.
    values, errors, significance : array
        Values, expected standard errors (NaN where the data tell nothing), and values over errors.
    covariance : array or None
        Expected covariance, in the order of `names`; None if the parameters cannot all be measured.
    message : str
        Why not, if so.
    """

    names: list[str]
    values: NDArray[np.float64]
    errors: NDArray[np.float64]
    covariance: NDArray[np.float64] | None
    message: str

    @property
    def significance(self) -> NDArray[np.float64]:
        """Values in units of their expected errors."""
        return np.abs(self.values) / self.errors

    def to_table(self) -> Any:
        """Table with the columns name, value, error and significance."""
        from astropy.table import Table

        return Table([self.names, self.values, self.errors, self.significance], names=["name", "value", "error", "significance"])


def forecast(self: Any, datasets: Any) -> ForecastResult:
    """Expected errors of the free parameters at their present values, without a minimisation.

    The counts of the datasets are replaced by those predicted (Asimov data); the inverse of the second derivatives of the
    statistic there, the Fisher matrix, is the expected covariance. Datasets and models are not changed.

    Parameters
    ----------
    datasets : Datasets, list of Dataset or Dataset
        Datasets with models; counts are not needed, off counts of an off measurement are taken as its expectation.

    Returns
    -------
    result : ForecastResult
        Expected errors and significances.

    Raises
    ------
    FitError
        If there are no models, or nothing is free.

    References
    ----------
    G. Cowan et al. (2011), Eur. Phys. J. C 71, 1554.
    """
    asimov = [dataset.to_asimov(name=dataset.name) for dataset in as_list(datasets)]
    objective = Objective(asimov, penalties=penalties_of(datasets))
    x = objective.x0
    end = End.at(objective, x)
    covariance, problem = covariance_of(end.curvature, end.dead)
    if covariance is None:
        return ForecastResult(objective.names(), x, np.full(len(x), np.nan), None, f"Forecast failed: {problem}.")
    errors = np.sqrt(covariance.variances())
    missing = [name for name, error in zip(objective.names(), errors, strict=True) if np.isnan(error)]
    message = f"The data tell nothing about {', '.join(missing)}." if missing else "Forecast terminated successfully."
    return ForecastResult(objective.names(), x, errors, covariance.block(np.arange(len(x))), message)
