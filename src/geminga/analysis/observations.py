"""Observations which a configuration asks for."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from geminga.analysis.base import ConfigBase
from geminga.analysis.config_data import ObservationsConfig, SpatialCircleConfig, TimeRangeConfig
from geminga.data import DataStore, Observations
from geminga.errors import ConfigError, FormatError, InputError
from geminga.utils.files import file_path, read_text

__all__ = ["open_store", "select_observations", "time_intervals"]

log = logging.getLogger(__name__)

_NOT_RESPONSES = ("events", "gti")


def open_store(path: Path) -> DataStore:
    """Data store of a folder with index files, or of one file with both indices.

    Raises
    ------
    FileError, FormatError
        If it cannot be read.
    """
    where = file_path(path)
    return DataStore.from_file(where) if where.is_file() else DataStore.from_dir(where)


def _ids_of_file(path: Path) -> list[int]:
    """Identifiers in a text file, separated by blanks or lines."""
    words = read_text(path).split()
    try:
        return [int(word) for word in words]
    except ValueError as error:
        msg = f"File {path}: {error}; expected identifiers of observations, one in each line."
        raise FormatError(msg) from error


def _ids(config: ObservationsConfig) -> list[int] | None:
    if config.obs_ids and config.obs_file is not None:
        problem = f"is {config.obs_file}, and obs_ids is given too; give one of them"
        raise ConfigError([(("observations", "obs_file"), problem)], "AnalysisConfig")
    if config.obs_file is not None:
        return _ids_of_file(config.obs_file)
    return list(config.obs_ids) or None


def _cone(config: SpatialCircleConfig) -> dict[str, Any] | None:
    """Selection by the cone; None if there is none."""
    given = {key: value for key, value in config.model_dump().items() if value is not None}
    if not given:
        return None
    require(config, ("frame", "lon", "lat", "radius"), ("observations", "obs_cone"))
    return {"type": "sky_circle", "border": "0 deg", **given}


def require(config: ConfigBase, names: tuple[str, ...], where: tuple[str, ...]) -> None:
    """Check that values are given.

    Raises
    ------
    ConfigError
        Naming those that are not.
    """
    problems = [((*where, name), "is not given (None), and is needed") for name in names if getattr(config, name) is None]
    if problems:
        raise ConfigError(problems, "AnalysisConfig")


def time_intervals(config: TimeRangeConfig, where: tuple[str, ...]) -> list[Any] | None:
    """Intervals of time, as `Time` of length two; None if no time is given.

    Raises
    ------
    ConfigError
        If there are not as many starts as stops.
    """
    from astropy.time import Time

    if config.start is None and config.stop is None:
        return None
    require(config, ("start", "stop"), where)
    start, stop = (time.reshape(-1) for time in (config.start, config.stop) if time is not None)
    if len(start) != len(stop):
        raise ConfigError([(where, f"has {len(start)} starts and {len(stop)} stops; give as many of both")], "AnalysisConfig")
    return [Time([one, other]) for one, other in zip(start, stop, strict=True)]


def select_observations(store: DataStore, config: ObservationsConfig) -> Observations:
    """Observations by identifier, cone and time.

    Parameters
    ----------
    store : DataStore
        Store.
    config : ObservationsConfig
        Configuration.

    Raises
    ------
    NameLookupError
        If an identifier is not in the store.
    InputError
        If nothing fits.
    """
    found = store.get_observations(
        _ids(config),
        required_irf=[name for name in config.required_irf if name not in _NOT_RESPONSES],
        selection=_cone(config.obs_cone),
    )
    intervals = time_intervals(config.obs_time, ("observations", "obs_time"))
    if intervals is not None:
        found = found.select_time(intervals)
    if not len(found):
        msg = (
            f"No observation of {config.datastore} fits the configuration: obs_ids {config.obs_ids or 'all'}, "
            f"obs_cone {config.obs_cone}, obs_time {config.obs_time}, with {', '.join(config.required_irf)}."
        )
        raise InputError(msg)
    log.info("Number of selected observations: %d", len(found))
    return found
