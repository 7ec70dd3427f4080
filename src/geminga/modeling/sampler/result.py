"""What a sampler found."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["SamplerResult"]

Array = NDArray[np.float64]


class SamplerResult:
    """Samples of a posterior.

    Parameters
    ----------
    nfev : int
        Number of likelihood evaluations.
    success : bool
        Whether the sampling converged.
    models : Models, optional
        Models with the parameters at the mean of the samples, their errors and covariance.
    samples : array, optional
        Samples of equal weight, shape (n_samples, n_parameters).
    sampler_results : dict, optional
        All that the backend tells: ``paramnames``, and for nested sampling ``logz``, ``logzerr`` and the posterior's moments.

    Examples
    --------
    >>> from geminga.modeling import SamplerResult
    >>> SamplerResult(nfev=12).nfev
    12
    """

    def __init__(
        self,
        nfev: int = 0,
        success: bool = False,
        models: Any = None,
        samples: Any = None,
        sampler_results: Mapping[str, Any] | None = None,
    ) -> None:
        self.nfev, self.success, self.models = nfev, success, models
        self.samples, self.sampler_results = samples, sampler_results

    @classmethod
    def from_ultranest(cls, ultranest_result: Mapping[str, Any]) -> Self:
        """From the dictionary which ultranest's ``ReactiveNestedSampler.run`` gives."""
        return cls(
            nfev=int(ultranest_result["ncall"]),
            success=bool(ultranest_result["insertion_order_MWW_test"]["converged"]),
            samples=np.asarray(ultranest_result["samples"], dtype=float),
            sampler_results=ultranest_result,
        )

    def _told(self, name: str) -> Any:
        return None if self.sampler_results is None else self.sampler_results.get(name)

    @property
    def parameter_names(self) -> list[str]:
        """``model.parameter`` of each column of the samples."""
        return list(self._told("paramnames") or [])

    @property
    def message(self) -> str:
        """How it ended."""
        told = self._told("message")
        if told is not None:
            return str(told)
        return "Sampling terminated successfully." if self.success else "The sampling did not converge."

    @property
    def log_evidence(self) -> float | None:
        """Natural logarithm of the evidence, the likelihood averaged over the prior; None if the backend does not give it."""
        value = self._told("logz")
        return None if value is None else float(value)

    @property
    def log_evidence_error(self) -> float | None:
        """Standard error of `log_evidence`."""
        value = self._told("logzerr")
        return None if value is None else float(value)

    def to_table(self) -> Any:
        """Table with the columns name, mean, error, median, and the limits low and high of the central 68.27 per cent."""
        from astropy.table import Table

        samples = np.atleast_2d(self.samples)
        low, median, high = np.quantile(samples, [0.158655, 0.5, 0.841345], axis=0)
        columns = [self.parameter_names, samples.mean(axis=0), samples.std(axis=0, ddof=1), median, low, high]
        return Table(columns, names=["name", "mean", "error", "median", "low", "high"])

    def __str__(self) -> str:
        rows = {
            "success": self.success,
            "message": self.message,
            "nfev": self.nfev,
            "samples": None if self.samples is None else self.samples.shape,
        }
        if self.log_evidence is not None:
            rows["log evidence"] = f"{self.log_evidence:.2f} +/- {self.log_evidence_error or float('nan'):.2f}"
        return "SamplerResult\n\n" + "\n".join(f"\t{key:12} : {value}" for key, value in rows.items()) + "\n"

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"
