"""An analysis, step by step."""

from __future__ import annotations

import html
import logging
from pathlib import Path
from typing import Any

from geminga.analysis import products
from geminga.analysis.config import AnalysisConfig
from geminga.analysis.observations import open_store, select_observations
from geminga.analysis.reduction import make_datasets, stacked
from geminga.analysis.report.make import report
from geminga.errors import ConfigError, InputError, OrderError
from geminga.utils.files import make_path

__all__ = ["Analysis"]

log = logging.getLogger(__name__)


class Analysis:
    """Go from observations to spectra, light curves and maps, as a configuration says.

    Parameters
    ----------
    config : AnalysisConfig or dict
        Configuration.

    Attributes
    ----------
    datastore : DataStore
        Store of observations.
    observations : Observations
        Observations, after `get_observations`.
    datasets : Datasets
        Datasets, after `get_datasets` or `read_datasets`.
    fit, fit_result : Fit, FitResult
        Fit, and its result after `run_fit`.
    flux_points : FluxPointsDataset
        After `get_flux_points`.
    light_curve : FluxPoints
        After `get_light_curve`.
    excess_map : FluxMaps
        After `get_excess_map`.

    Raises
    ------
    ConfigError
        If a key of the configuration is unknown or a value wrong.
    InputError
        If `config` is neither a configuration nor a dictionary.

    Examples
    --------
    >>> from geminga.analysis import Analysis, AnalysisConfig
    >>> analysis = Analysis(AnalysisConfig.from_template("1d"))
    >>> analysis.config.flux_points.source
    'crab'
    >>> analysis.get_datasets()
    Traceback (most recent call last):
    ...
    geminga.errors.OrderError: Analysis: no observations have been selected; call get_observations() first.
    """

    def __init__(self, config: Any) -> None:
        from geminga.modeling import Fit

        self.config = config
        self.config.set_logging()
        self.datastore: Any = None
        self.observations: Any = None
        self.datasets: Any = None
        self.fit = Fit()
        self.fit_result: Any = None
        self.flux_points: Any = None
        self.light_curve: Any = None
        self.excess_map: Any = None

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"

    # ---- configuration and models --------------------------------------------------------------

    @property
    def config(self) -> AnalysisConfig:
        """Configuration; a dictionary is checked and becomes one."""
        return self._config

    @config.setter
    def config(self, value: Any) -> None:
        if isinstance(value, dict):
            value = AnalysisConfig(**value)
        if not isinstance(value, AnalysisConfig):
            msg = f"Analysis: config is {value!r}; expected an AnalysisConfig or a dictionary."
            raise InputError(msg)
        self._config = value

    def update_config(self, config: Any) -> None:
        """Change the configuration, see `AnalysisConfig.update`.

        Parameters
        ----------
        config : str, dict or AnalysisConfig
            What changes.
        """
        self.config = self.config.update(config)

    @property
    def models(self) -> Any:
        """Models of the datasets (DatasetModels)."""
        return self._made_datasets("models").models

    @models.setter
    def models(self, models: Any) -> None:
        self.set_models(models, extend=False)

    def set_models(self, models: Any, extend: bool = True) -> None:
        """Set models; maps with a background get a background model if there is none for them.

        Parameters
        ----------
        models : str, Models or list of model
            Models, or YAML text of them.
        extend : bool
            Keep the models that are there.

        Raises
        ------
        OrderError
            If there are no datasets.
        InputError
            If `models` are no models.
        """
        from geminga.modeling.models import DatasetModels, Models

        datasets = self._made_datasets("set_models")
        if isinstance(models, str):
            models = Models.from_yaml(models)
        elif not isinstance(models, (DatasetModels, list, tuple)):
            msg = f"Analysis.set_models got {models!r}; expected Models, a list of models, or YAML text."
            raise InputError(msg)
        before = list(datasets.models or []) if extend else []
        datasets.models = products.with_backgrounds(Models([*before, *models]), datasets)
        log.info("Models: %s", ", ".join(datasets.models.names))

    def read_models(self, path: Any, extend: bool = True) -> None:
        """Set the models of a file, see `set_models`.

        Parameters
        ----------
        path : str or Path
            YAML file.
        extend : bool
            Keep the models that are there.
        """
        from geminga.modeling.models import Models

        self.set_models(Models.read(path), extend=extend)

    def write_models(self, overwrite: bool = True, write_covariance: bool = True) -> None:
        """Write the models to the file ``general.models_file``.

        Parameters
        ----------
        overwrite : bool
            Replace it.
        write_covariance : bool
            Write their covariance too.
        """
        path = self._file("models_file")
        self.models.write(path, overwrite=overwrite, write_covariance=write_covariance)
        log.info("Models written to %s.", path)

    # ---- data ----------------------------------------------------------------------------------

    def get_observations(self) -> None:
        """Select observations as in ``observations``.

        Raises
        ------
        FileError, FormatError
            If the store cannot be read.
        NameLookupError
            If an observation is not there.
        InputError
            If no observation fits.
        """
        self.datastore = open_store(self.config.observations.datastore)
        self.observations = select_observations(self.datastore, self.config.observations)

    def get_datasets(self) -> None:
        """Reduce the observations as in ``datasets``.

        Raises
        ------
        OrderError
            If there are no observations.
        ConfigError
            If a value that is needed is missing, or an option unknown.
        ReductionError
            If an observation cannot be reduced.
        """
        if not self.observations:
            msg = "Analysis: no observations have been selected; call get_observations() first."
            raise OrderError(msg)
        self.datasets = make_datasets(self.config.datasets, self.observations, self.config.general.n_jobs)

    def read_datasets(self) -> None:
        """Read the datasets of ``general.datasets_file``, and the models of ``general.models_file`` if it is given.

        Raises
        ------
        ConfigError
            If no file is given.
        FileError, FormatError
            If a file cannot be read.
        """
        from geminga.datasets import Datasets

        path = self._file("datasets_file")
        self.datasets = Datasets.read(path)
        if self.config.general.models_file is not None:
            self.read_models(self._file("models_file"))

    def write_datasets(self, overwrite: bool = True, write_covariance: bool = True) -> None:
        """Write the datasets to ``general.datasets_file``, and the models if ``general.models_file`` is given.

        Parameters
        ----------
        overwrite : bool
            Replace files.
        write_covariance : bool
            Write the covariance of the models too.
        """
        path = self._file("datasets_file")
        models = None
        if self.config.general.models_file is not None and self._made_datasets("write_datasets").models is not None:
            models = self._file("models_file")
        self._made_datasets("write_datasets").write(
            path, filename_models=models, overwrite=overwrite, write_covariance=write_covariance
        )
        log.info("Datasets written to %s.", path)

    # ---- products ------------------------------------------------------------------------------

    def run_fit(self) -> None:
        """Fit the models in the range of ``fit.fit_range``.

        Raises
        ------
        OrderError
            If there are no datasets or no models.
        FitError
            If nothing is free.
        """
        datasets = self._modelled_datasets("run_fit")
        products.set_fit_range(self.config.fit.fit_range, datasets)
        self.fit_result = self.fit.run(datasets=datasets)
        log.info("%s", self.fit_result)

    def get_flux_points(self) -> None:
        """Estimate flux points as in ``flux_points``; by default in the bins of the datasets."""
        datasets = self._modelled_datasets("get_flux_points")
        self.flux_points = products.flux_points(
            self.config.flux_points, datasets, self.models, self.fit, self.config.general.n_jobs
        )

    def get_light_curve(self) -> None:
        """Estimate a light curve as in ``light_curve``; by default one point for each dataset, over all energies."""
        datasets = self._modelled_datasets("get_light_curve")
        self.light_curve = products.light_curve(self.config.light_curve, datasets, self.fit, self.config.general.n_jobs)

    def get_excess_map(self) -> None:
        """Make maps of excess and significance as in ``excess_map``, of the sum of the datasets if there are several.

        Raises
        ------
        InputError
            If the datasets are spectra.
        """
        datasets = self._made_datasets("get_excess_map")
        is_spectrum = datasets[0].counts.geom.is_region
        whole = datasets if len(datasets) == 1 or is_spectrum else stacked(self.config.datasets, datasets)
        self.excess_map = products.excess_map(self.config.excess_map, whole[0])

    report = report

    # ---- what steps need -----------------------------------------------------------------------

    def _made_datasets(self, step: str) -> Any:
        if not self.datasets:
            msg = f"Analysis.{step}: there are no datasets; call get_datasets() or read_datasets() first."
            raise OrderError(msg)
        return self.datasets

    def _modelled_datasets(self, step: str) -> Any:
        datasets = self._made_datasets(step)
        if not datasets.models:
            msg = f"Analysis.{step}: the datasets have no models; call set_models() or read_models() first."
            raise OrderError(msg)
        return datasets

    def _file(self, name: str) -> Path:
        path = make_path(getattr(self.config.general, name))
        if path is None:
            raise ConfigError([(("general", name), "is not given (None), and is needed")], "AnalysisConfig")
        return path
