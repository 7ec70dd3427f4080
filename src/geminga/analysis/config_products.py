"""Configuration of what is estimated from datasets."""

from __future__ import annotations

from typing import Any

from astropy.coordinates import Angle

from geminga.analysis.base import ConfigAngle, ConfigBase
from geminga.analysis.config_data import EnergyAxisConfig, EnergyRangeConfig, TimeRangeConfig

__all__ = ["ExcessMapConfig", "FitConfig", "FluxPointsConfig", "LightCurveConfig"]


class FitConfig(ConfigBase):
    """Which energies are fitted."""

    fit_range: EnergyRangeConfig = EnergyRangeConfig()


class FluxPointsConfig(ConfigBase):
    """Energies, source, and options of `FluxPointsEstimator`."""

    energy: EnergyAxisConfig = EnergyAxisConfig()
    source: str = "source"
    parameters: dict[str, Any] = {"selection_optional": "all"}


class ExcessMapConfig(ConfigBase):
    """Radius, energies, and options of `ExcessMapEstimator`."""

    correlation_radius: ConfigAngle = Angle("0.1 deg")
    parameters: dict[str, Any] = {}
    energy_edges: EnergyAxisConfig = EnergyAxisConfig()


class LightCurveConfig(ConfigBase):
    """Intervals, energies, source, and options of `LightCurveEstimator`."""

    time_intervals: TimeRangeConfig = TimeRangeConfig()
    energy_edges: EnergyAxisConfig = EnergyAxisConfig()
    source: str = "source"
    parameters: dict[str, Any] = {"selection_optional": "all"}
