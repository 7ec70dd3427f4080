"""Configuration of what is read and how it is reduced."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Literal

import astropy.units as u
from astropy.coordinates import Angle
from pydantic import Field, field_validator, model_validator

from geminga.analysis.base import ConfigAngle, ConfigBase, ConfigEnergy, ConfigPath, ConfigTime

__all__ = [
    "BackgroundConfig",
    "DatasetsConfig",
    "EnergyAxisConfig",
    "EnergyRangeConfig",
    "GeomConfig",
    "LogConfig",
    "ObservationsConfig",
    "SafeMaskConfig",
    "SkyCoordConfig",
    "SpatialCircleConfig",
    "TimeRangeConfig",
]

Frame = Literal["icrs", "galactic"]
Response = Literal["events", "gti", "aeff", "bkg", "edisp", "psf", "rad_max"]
MapName = Literal["counts", "exposure", "background", "psf", "edisp"]
SafeMaskMethod = Literal["aeff-default", "aeff-max", "edisp-bias", "offset-max", "bkg-peak"]


class SkyCoordConfig(ConfigBase):
    """Position on the sky."""

    frame: Frame | None = None
    lon: ConfigAngle | None = None
    lat: ConfigAngle | None = None


class SpatialCircleConfig(SkyCoordConfig):
    """Circle on the sky."""

    radius: ConfigAngle | None = None


class EnergyRangeConfig(ConfigBase):
    """Range of energies."""

    min: ConfigEnergy | None = None
    max: ConfigEnergy | None = None


class EnergyAxisConfig(EnergyRangeConfig):
    """Bins of equal width in the logarithm of the energy."""

    nbins: int | None = Field(default=None, ge=1)


class TimeRangeConfig(ConfigBase):
    """Interval of time, or several, with as many starts as stops."""

    start: ConfigTime | None = None
    stop: ConfigTime | None = None


class LogConfig(ConfigBase):
    """Options of `logging.basicConfig`."""

    level: str = "info"
    filename: ConfigPath | None = None
    filemode: str | None = None
    format: str | None = None
    datefmt: str | None = None

    @field_validator("level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.upper() not in logging.getLevelNamesMapping():
            names = ", ".join(name.lower() for name in logging.getLevelNamesMapping())
            msg = f"expected one of {names}"
            raise ValueError(msg)
        return value


class ObservationsConfig(ConfigBase):
    """Which observations are read: of the identifiers, or all, those in the cone, and of them the times in the range."""

    datastore: ConfigPath = Path("$GAMMAPY_DATA/hess-dl3-dr1")
    obs_ids: list[int] = []
    obs_file: ConfigPath | None = None
    obs_cone: SpatialCircleConfig = SpatialCircleConfig()
    obs_time: TimeRangeConfig = TimeRangeConfig()
    required_irf: list[Response] = ["aeff", "edisp", "psf", "bkg"]


class WidthConfig(ConfigBase):
    """Size of a map."""

    width: ConfigAngle = Angle("5 deg")
    height: ConfigAngle = Angle("5 deg")


class WcsConfig(ConfigBase):
    """Pixels of maps."""

    skydir: SkyCoordConfig = SkyCoordConfig()
    binsize: ConfigAngle = Angle("0.02 deg")
    width: WidthConfig = WidthConfig()
    binsize_irf: ConfigAngle = Angle("0.2 deg")

    @model_validator(mode="before")
    @classmethod
    def _old_name(cls, data: Any) -> Any:
        """Read ``width`` by the name it has in files of old versions of gammapy, ``fov``."""
        if isinstance(data, dict) and "fov" in data and "width" not in data:
            return {"width" if key == "fov" else key: value for key, value in data.items()}
        return data


class SelectionConfig(ConfigBase):
    """How much of the field of view is used."""

    offset_max: ConfigAngle = Angle("2.5 deg")


class EnergyAxesConfig(ConfigBase):
    """Axes of reconstructed and of true energy."""

    energy: EnergyAxisConfig = EnergyAxisConfig(min=1 * u.TeV, max=10 * u.TeV, nbins=5)
    energy_true: EnergyAxisConfig = EnergyAxisConfig(min=0.5 * u.TeV, max=20 * u.TeV, nbins=16)


class GeomConfig(ConfigBase):
    """Geometry of datasets."""

    wcs: WcsConfig = WcsConfig()
    selection: SelectionConfig = SelectionConfig()
    axes: EnergyAxesConfig = EnergyAxesConfig()


class BackgroundConfig(ConfigBase):
    """Maker of the background, and its options."""

    method: Literal["reflected", "fov_background", "ring"] | None = None
    exclusion: ConfigPath | None = None
    parameters: dict[str, Any] = {}


class SafeMaskConfig(ConfigBase):
    """Criteria of the safe mask, and options of `SafeMaskMaker`."""

    methods: list[SafeMaskMethod] = ["aeff-default"]
    parameters: dict[str, Any] = {}


class DatasetsConfig(ConfigBase):
    """How observations become datasets."""

    type: Literal["1d", "3d"] = "1d"
    stack: bool = True
    geom: GeomConfig = GeomConfig()
    map_selection: list[MapName] = ["counts", "exposure", "background", "psf", "edisp"]
    background: BackgroundConfig = BackgroundConfig()
    safe_mask: SafeMaskConfig = SafeMaskConfig()
    on_region: SpatialCircleConfig = SpatialCircleConfig()
    containment_correction: bool = True
