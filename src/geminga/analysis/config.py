"""The whole configuration, and its file."""

from __future__ import annotations

import logging
import textwrap
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

from pydantic import Field

from geminga.analysis.base import ConfigBase, ConfigPath, near_miss
from geminga.analysis.config_data import DatasetsConfig, LogConfig, ObservationsConfig
from geminga.analysis.config_products import ExcessMapConfig, FitConfig, FluxPointsConfig, LightCurveConfig
from geminga.errors import ConfigError, InputError, NameLookupError
from geminga.utils.files import read_text
from geminga.utils.scripts import recursive_merge_dicts
from geminga.utils.yaml import from_yaml, write_yaml

__all__ = ["AnalysisConfig", "GeneralConfig"]

log = logging.getLogger(__name__)

_TEMPLATES = ("1d", "3d", "basic")


def _changed(values: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """Those values, in dictionaries of dictionaries, which are not the default."""
    changed = {}
    for key, value in values.items():
        default = defaults.get(key)
        if value != default:
            changed[key] = _changed(value, default) if isinstance(value, dict) and isinstance(default, dict) else value
    return changed


class GeneralConfig(ConfigBase):
    """Log, folder of results, number of processes, and files of datasets and models."""

    log: LogConfig = LogConfig()
    outdir: str = "."
    n_jobs: int = Field(default=1, ge=1)
    datasets_file: ConfigPath | None = None
    models_file: ConfigPath | None = None


class AnalysisConfig(ConfigBase):
    """Configuration of an analysis, as gammapy writes and reads it.

    Parameters
    ----------
    general, observations, datasets, fit, flux_points, excess_map, light_curve : dict or part of the configuration
        What is not given has its default.

    Raises
    ------
    ConfigError
        If a key is unknown or a value is wrong; the message names the key, the value, and what is expected.

    Examples
    --------
    >>> from geminga.analysis import AnalysisConfig
    >>> config = AnalysisConfig.from_yaml("datasets: {type: 3d, geom: {wcs: {binsize: 0.05 deg}}}")
    >>> config.datasets.type, config.datasets.geom.wcs.binsize
    ('3d', <Angle 0.05 deg>)
    >>> config.update("datasets: {typ: 1d}")
    Traceback (most recent call last):
    ...
    geminga.errors.ConfigError: AnalysisConfig: datasets.typ is unknown (its value: '1d'). Did you mean 'type'? ...
    """

    general: GeneralConfig = GeneralConfig()
    observations: ObservationsConfig = Field(default_factory=ObservationsConfig)
    datasets: DatasetsConfig = DatasetsConfig()
    fit: FitConfig = FitConfig()
    flux_points: FluxPointsConfig = FluxPointsConfig()
    excess_map: ExcessMapConfig = ExcessMapConfig()
    light_curve: LightCurveConfig = LightCurveConfig()

    def __str__(self) -> str:
        return f"{type(self).__name__}\n\n{textwrap.indent(self.to_yaml(), '    ')}"

    @classmethod
    def from_yaml(cls, config_str: str) -> Self:
        """Read YAML text.

        Parameters
        ----------
        config_str : str
            YAML; a block ``metadata`` is left out.

        Raises
        ------
        CorruptFileError, FormatError
            If it is not YAML, or not a mapping.
        ConfigError
            If a key is unknown or a value is wrong.
        """
        data = from_yaml(config_str, name="Configuration")
        data.pop("metadata", None)
        return cls(**data)

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a YAML file.

        Parameters
        ----------
        path : str or Path
            File.

        Raises
        ------
        FileError
            If it cannot be read; otherwise as `from_yaml`, with the file named.
        """
        text = read_text(path)
        try:
            return cls.from_yaml(text)
        except ConfigError as error:
            raise ConfigError(error.problems, f"File {path}") from None

    @classmethod
    def from_template(cls, template: str) -> Self:
        """Make an example: the spectrum (``"1d"``) or the map (``"3d"``) of the Crab nebula, or only defaults (``"basic"``).

        Parameters
        ----------
        template : {"1d", "3d", "basic"}
            Which one.

        Raises
        ------
        NameLookupError
            If there is no such template.

        Examples
        --------
        >>> from geminga.analysis import AnalysisConfig
        >>> AnalysisConfig.from_template("1d").datasets.background.method
        'reflected'
        """
        if template not in _TEMPLATES:
            msg = (
                f"AnalysisConfig: no template {template!r}; known ones: {', '.join(_TEMPLATES)}.{near_miss(template, _TEMPLATES)}"
            )
            raise NameLookupError(msg)
        if template == "basic":
            return cls()
        return cls.from_yaml(files("geminga.analysis").joinpath("templates", f"{template}.yaml").read_text(encoding="utf-8"))

    def write(self, path: str | Path, overwrite: bool = False) -> None:
        """Write a YAML file.

        Parameters
        ----------
        path : str or Path
            File.
        overwrite : bool
            Replace it.

        Raises
        ------
        FileExistsRefusal
            If it exists and `overwrite` is false.
        """
        write_yaml(self.to_yaml(), path, overwrite=overwrite)

    def update(self, config: Any = None) -> Self:
        """Copy with changes; this one stays as it is.

        Parameters
        ----------
        config : str, dict or AnalysisConfig
            YAML text, or a dictionary, of what changes; or a configuration, of which counts what is not the default.

        Raises
        ------
        InputError
            If it is nothing of that.
        ConfigError
            If a key is unknown or a value is wrong.
        """
        if isinstance(config, str):
            changes = from_yaml(config, name="Configuration")
            changes.pop("metadata", None)
        elif isinstance(config, AnalysisConfig):
            changes = _changed(config.model_dump(mode="json"), type(config)().model_dump(mode="json"))
        elif isinstance(config, dict):
            changes = config
        else:
            msg = f"AnalysisConfig.update got {config!r}; expected YAML text, a dictionary or an AnalysisConfig."
            raise InputError(msg)
        return type(self)(**recursive_merge_dicts(self.model_dump(), changes))

    def set_logging(self) -> None:
        """Set up the log as in ``general.log``."""
        options = {key: value for key, value in self.general.log.model_dump().items() if value is not None}
        options["level"] = options["level"].upper()
        logging.basicConfig(**options)
        log.info("Logging is set up: %s", options)
