"""What a fit found, in numbers and in plain words."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.modeling.covariance import Covariance
from geminga.modeling.fit.budget import ErrorBudget, error_budget

__all__ = ["CovarianceResult", "FitResult", "OptimizeResult"]

Array = NDArray[np.float64]


class _FitStepResult:
    """One step of a fit: which backend, how it ended."""

    def __init__(self, backend: str, method: str, success: bool, message: str) -> None:
        self._backend, self._method, self._success, self._message = backend, method, bool(success), message

    @property
    def backend(self) -> str:
        """Name of the backend."""
        return self._backend

    @property
    def method(self) -> str:
        """Name of the method."""
        return self._method

    @property
    def success(self) -> bool:
        """Did it succeed."""
        return self._success

    @property
    def message(self) -> str:
        """How it ended, naming the parameters concerned."""
        return self._message

    def _rows(self) -> list[tuple[str, str]]:
        return [
            ("backend", self.backend),
            ("method", self.method),
            ("success", str(self.success)),
            ("message", self.message),
        ]

    def __str__(self) -> str:
        name = type(self).__name__
        rows = "\n".join(f"\t{key:10} : {value}" for key, value in self._rows())
        return f"{name}\n\n{rows}\n"

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Dictionary of plain numbers and strings, for YAML."""
        out = {"backend": self.backend, "method": self.method, "success": self.success, "message": self.message}
        return {type(self).__name__: out}


class OptimizeResult(_FitStepResult):
    """Result of the optimisation.

    Parameters
    ----------
    models : Models
        The fitted models.
    nfev : int
        Number of evaluations of the statistic.
    total_stat : float
        Statistic at the minimum.
    trace : Table or None
        Value of every free parameter at each step.
    minuit : Minuit, optional
        The iminuit object, for the ``minuit`` backend.
    """

    def __init__(self, models: Any, nfev: int, total_stat: float, trace: Any, minuit: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._models, self._nfev, self._total_stat, self._trace, self._minuit = models, nfev, total_stat, trace, minuit

    @property
    def models(self) -> Any:
        """Fitted models."""
        return self._models

    @property
    def parameters(self) -> Any:
        """Parameters of the fitted models."""
        return self._models.parameters

    @property
    def nfev(self) -> int:
        """Number of evaluations."""
        return self._nfev

    @property
    def total_stat(self) -> float:
        """Statistic at the minimum."""
        return self._total_stat

    @property
    def trace(self) -> Any:
        """Table of the steps, empty unless ``store_trace`` was set."""
        return self._trace

    @property
    def minuit(self) -> Any:
        """The iminuit object, or None."""
        return self._minuit

    def _rows(self) -> list[tuple[str, str]]:
        return [*super()._rows(), ("nfev", str(self.nfev)), ("total stat", f"{self.total_stat:.2f}")]

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Dictionary of plain numbers and strings, for YAML."""
        out = super().to_dict()
        out["OptimizeResult"] |= {"nfev": int(self.nfev), "total_stat": float(self.total_stat)}
        return out


class CovarianceResult(_FitStepResult):
    """Result of the covariance estimation.

    Parameters
    ----------
    matrix : array, Covariance or None
        Covariance of all parameters of the models, shape (n, n); None if it failed.
    """

    def __init__(self, matrix: Array | Covariance | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._matrix = matrix

    @property
    def matrix(self) -> Array | None:
        """Covariance matrix."""
        return self._matrix.data if isinstance(self._matrix, Covariance) else self._matrix


class FitResult:
    """Optimisation and covariance of a fit.

    Parameters
    ----------
    optimize_result : OptimizeResult, optional
        Result of the optimisation.
    covariance_result : CovarianceResult, optional
        Result of the covariance estimation.
    """

    def __init__(self, optimize_result: OptimizeResult | None = None, covariance_result: CovarianceResult | None = None) -> None:
        self._optimize_result, self._covariance_result = optimize_result, covariance_result

    @property
    def optimize_result(self) -> OptimizeResult | None:
        """Result of the optimisation."""
        return self._optimize_result

    @property
    def covariance_result(self) -> CovarianceResult | None:
        """Result of the covariance estimation."""
        return self._covariance_result

    def _from_optimize(self, name: str) -> Any:
        return getattr(self._optimize_result, name) if self._optimize_result is not None else None

    @property
    def models(self) -> Any:
        """Fitted models."""
        return self._from_optimize("models")

    @property
    def parameters(self) -> Any:
        """Parameters of the fitted models."""
        return self._from_optimize("parameters")

    @property
    def total_stat(self) -> Any:
        """Statistic at the minimum."""
        return self._from_optimize("total_stat")

    @property
    def trace(self) -> Any:
        """Table of the steps."""
        return self._from_optimize("trace")

    @property
    def nfev(self) -> Any:
        """Number of evaluations."""
        return self._from_optimize("nfev")

    @property
    def backend(self) -> Any:
        """Backend of the optimisation."""
        return self._from_optimize("backend")

    @property
    def method(self) -> Any:
        """Method of the optimisation."""
        return self._from_optimize("method")

    @property
    def message(self) -> Any:
        """How the optimisation ended."""
        return self._from_optimize("message")

    @property
    def minuit(self) -> Any:
        """The iminuit object, or None."""
        return self._from_optimize("minuit")

    @property
    def success(self) -> bool:
        """Did every step succeed."""
        steps = [s for s in (self._optimize_result, self._covariance_result) if s is not None]
        return bool(steps) and all(s.success for s in steps)

    def error_budget(self, nuisance: Iterable[Any] | None = None) -> ErrorBudget:
        """Statistical and systematic error of each parameter, from the covariance: nothing is fitted again.

        Parameters
        ----------
        nuisance : list of Parameter or str, optional
            What counts as systematic: free parameters, or their unique names such as ``"cta-bkg.spectral.norm"``. All free
            parameters of `~geminga.modeling.models.SystematicsModel` if not given.

        Raises
        ------
        FitError
            If the fit has no covariance.
        NameLookupError
            If a nuisance parameter is not among the free ones.
        """
        matrix = None if self._covariance_result is None else self._covariance_result._matrix
        if matrix is not None and not isinstance(matrix, Covariance):
            matrix = Covariance(self.parameters, matrix)
        return error_budget(self.models, matrix, nuisance)

    def __str__(self) -> str:
        return "\n".join(str(s) for s in (self._optimize_result, self._covariance_result) if s is not None)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"

    def write(
        self,
        path: str | Path,
        overwrite: bool = False,
        full_output: bool = True,
        overwrite_templates: bool = False,
        write_covariance: bool = True,
        checksum: bool = False,
    ) -> None:
        """Write the fitted models and the outcome of the fit to a YAML file.

        Parameters
        ----------
        path : str or Path
            File.
        overwrite, full_output, overwrite_templates, write_covariance, checksum : bool
            As in `Models.write`.

        Raises
        ------
        FileExistsRefusal
            If a file exists and `overwrite` is false.
        """
        extra: dict[str, Mapping[str, Any]] = {}
        for step in (self._optimize_result, self._covariance_result):
            if step is not None:
                extra |= step.to_dict()
        self.models.write(
            path,
            overwrite=overwrite,
            full_output=full_output,
            overwrite_templates=overwrite_templates,
            write_covariance=write_covariance,
            checksum=checksum,
            extra=extra,
        )
