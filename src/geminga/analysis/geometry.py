"""Empty datasets on the geometry of a configuration."""

from __future__ import annotations

from typing import Any

from astropy.coordinates import SkyCoord

from geminga.analysis.config_data import DatasetsConfig, EnergyAxisConfig, SkyCoordConfig
from geminga.analysis.observations import require
from geminga.datasets import MapDataset, SpectrumDataset
from geminga.maps import MapAxis, RegionGeom, WcsGeom

__all__ = ["STACKED", "energy_axis", "energy_edges", "reference_dataset"]

#: Name of the dataset that observations are added to.
STACKED = "stacked"


def energy_axis(config: EnergyAxisConfig, where: tuple[str, ...], name: str = "energy") -> MapAxis:
    """Axis of energy.

    Parameters
    ----------
    config : EnergyAxisConfig
        Bounds and number of bins.
    where : tuple of str
        Keys that lead to it, for messages.
    name : str
        Name of the axis.

    Raises
    ------
    ConfigError
        If one of them is missing.
    InputError
        If the bounds are not in order.
    """
    require(config, ("min", "max", "nbins"), where)
    return MapAxis.from_energy_bounds(config.min, config.max, nbin=config.nbins, name=name)


def energy_edges(config: EnergyAxisConfig, where: tuple[str, ...]) -> Any:
    """Edges of bins of energy; None if nothing is configured.

    Raises
    ------
    ConfigError
        If it is configured in part.
    """
    if all(value is None for value in config.model_dump().values()):
        return None
    return energy_axis(config, where).edges


def _position(config: SkyCoordConfig, where: tuple[str, ...]) -> SkyCoord:
    require(config, ("frame", "lon", "lat"), where)
    return SkyCoord(config.lon, config.lat, frame=config.frame)


def _wcs_geom(config: DatasetsConfig, axis: MapAxis) -> WcsGeom:
    wcs = config.geom.wcs
    center = _position(wcs.skydir, ("datasets", "geom", "wcs", "skydir"))
    return WcsGeom.create(
        skydir=center,
        binsz=wcs.binsize,
        width=(wcs.width.width, wcs.width.height),
        frame=center.frame.name,
        proj="TAN" if center.frame.name == "icrs" else "CAR",
        axes=[axis],
    )


def _region_geom(config: DatasetsConfig, axis: MapAxis) -> RegionGeom:
    from regions import CircleSkyRegion

    where = ("datasets", "on_region")
    center = _position(config.on_region, where)
    require(config.on_region, ("radius",), where)
    return RegionGeom.create(region=CircleSkyRegion(center, config.on_region.radius), axes=[axis])


def reference_dataset(config: DatasetsConfig) -> Any:
    """Empty dataset.

    Parameters
    ----------
    config : DatasetsConfig
        Configuration.

    Raises
    ------
    ConfigError
        If a value is missing.
    """
    axes = config.geom.axes
    axis = energy_axis(axes.energy, ("datasets", "geom", "axes", "energy"))
    true = energy_axis(axes.energy_true, ("datasets", "geom", "axes", "energy_true"), name="energy_true")
    if config.type == "1d":
        return SpectrumDataset.create(geom=_region_geom(config, axis), energy_axis_true=true, name=STACKED)
    return MapDataset.create(
        geom=_wcs_geom(config, axis), energy_axis_true=true, binsz_irf=config.geom.wcs.binsize_irf, name=STACKED
    )
