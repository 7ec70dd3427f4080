"""A small simulated field with a parametric response (``demo_irfs.yaml``), for the demo and the documentation."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from astropy import units as u
from numpy.typing import NDArray

if TYPE_CHECKING:
    from geminga.datasets import MapDataset
    from geminga.modeling.models import Models

__all__ = [
    "effective_area",
    "empty_field",
    "field_profile",
    "make_axes",
    "power_with_floor",
    "read_response",
    "simulate_field",
    "true_models",
]


def read_response() -> dict[str, dict[str, Any]]:
    """Read the parameters of the response and of the observation."""
    text = files("geminga.cli").joinpath("demo_irfs.yaml").read_text(encoding="utf-8")
    response: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return response


def effective_area(energy: u.Quantity, g1: str, g2: float, g3: str) -> u.Quantity:
    """Effective area on axis, g1 (E / MeV)^-g2 exp(-g3 / E).

    Parameters
    ----------
    energy : Quantity
        True energy.
    g1 : str
        Area, cm2.
    g2 : float
        Slope.
    g3 : str
        Energy of the threshold.

    References
    ----------
    Abramowski et al. (2010), MNRAS 402, 1342, Appendix B.
    """
    threshold = (u.Quantity(g3) / energy).to_value("")
    return u.Quantity(g1) * energy.to_value("MeV") ** -g2 * np.exp(-threshold)


def power_with_floor(energy: u.Quantity, width: Any, slope: float, floor: Any) -> u.Quantity:
    """Width that falls with energy to a floor, sqrt((width (E / TeV)^-slope)^2 + floor^2)."""
    falling = u.Quantity(width) * energy.to_value("TeV") ** -slope
    return np.sqrt(falling**2 + u.Quantity(floor) ** 2)


def field_profile(offset: u.Quantity, field_of_view: str) -> NDArray[np.float64]:
    """exp(-offset^2 / (2 width^2)) at offsets, with an axis in front for the energy."""
    ratio = (offset / u.Quantity(field_of_view)).to_value("")
    return np.exp(-(np.asarray(ratio) ** 2) / 2)[np.newaxis]


def _counts_of_power_law(edges: u.Quantity, norm: str, index: float) -> u.Quantity:
    """Integral of norm (E / TeV)^-index over each bin, s-1 sr-1."""
    power = edges.to_value("TeV") ** (1 - index)
    return u.Quantity(norm) * u.TeV * np.diff(power) / (1 - index)


def make_axes(observation: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Axes of measured energy, true energy, and offset of the PSF."""
    from geminga.maps import MapAxis

    energy, energy_true = (
        MapAxis.from_energy_bounds(u.Quantity(low), u.Quantity(high), nbin=number, name=name)
        for name in ("energy", "energy_true")
        for low, high, number in [observation[name]]
    )
    rad = MapAxis.from_bounds(
        0, u.Quantity(observation["rad_max"]).to_value("deg"), nbin=observation["rad_bins"], unit="deg", name="rad"
    )
    return energy, energy_true, rad


def empty_field(name: str = "demo") -> MapDataset:
    """Dataset with exposure, background, PSF and energy dispersion of the parametric response, and no counts.

    Returns
    -------
    MapDataset
        4 deg wide, 100 x 100 pixels, 12 energy bins from 0.1 to 25 TeV.
    """
    from astropy.coordinates import SkyCoord

    from geminga.data import GTI
    from geminga.datasets import MapDataset
    from geminga.irf import EDispKernelMap, PSFMap
    from geminga.maps import Map, WcsGeom

    response = read_response()
    observation, area, background = (dict(response[key]) for key in ("observation", "effective_area", "background"))
    energy, energy_true, rad = make_axes(observation)
    centre = SkyCoord(observation["longitude"], observation["latitude"], frame="galactic")
    geom = WcsGeom.create(
        skydir=centre,
        width=u.Quantity(observation["width"]),
        binsz=u.Quantity(observation["pixel"]),
        frame="galactic",
        axes=[energy],
    )
    livetime = u.Quantity(observation["livetime"])
    dataset = MapDataset.create(geom, energy_axis_true=energy_true, rad_axis=rad, gti=GTI.create(0 * u.s, livetime), name=name)

    profile = field_profile(geom.to_image().separation(centre), area.pop("field_of_view"))
    spectrum = (effective_area(energy_true.center, **area) * livetime).to_value("m2 s")[:, np.newaxis, np.newaxis]
    geom_true = geom.to_image().to_cube([energy_true])
    exposure = Map.from_geom(geom_true, unit="m2 s", data=spectrum * profile, meta={"livetime": livetime})
    dataset.exposure = exposure

    profile = field_profile(geom.to_image().separation(centre), background.pop("field_of_view"))
    rate = _counts_of_power_law(energy.edges, **background)[:, np.newaxis, np.newaxis]
    counts = (rate * livetime * geom.to_image().solid_angle()).to_value("") * profile
    dataset.background = Map.from_geom(geom, data=counts)

    dataset.psf = PSFMap.from_gauss(energy_true, rad_axis=rad, sigma=power_with_floor(energy_true.center, **response["psf"]))
    resolution = power_with_floor(energy_true.center, **response["energy_dispersion"]).to_value("")
    dataset.edisp = EDispKernelMap.from_gauss(energy, energy_true, sigma=resolution, bias=0)
    dataset.mask_safe = Map.from_geom(geom, data=np.ones(geom.data_shape, dtype=bool))
    return dataset


def true_models(dataset_name: str) -> Models:
    """A point source, a Gaussian source with a cut-off, and the background."""
    from geminga.modeling.models import (
        ExpCutoffPowerLawSpectralModel,
        FoVBackgroundModel,
        GaussianSpatialModel,
        Models,
        PointSpatialModel,
        PowerLawSpectralModel,
        SkyModel,
    )

    star = SkyModel(
        spectral_model=PowerLawSpectralModel(index=2.2, amplitude="8e-13 cm-2 s-1 TeV-1"),
        spatial_model=PointSpatialModel(lon_0="195.6 deg", lat_0="4.65 deg", frame="galactic"),
        name="star",
    )
    nebula = SkyModel(
        spectral_model=ExpCutoffPowerLawSpectralModel(index=2.0, amplitude="3e-12 cm-2 s-1 TeV-1", lambda_="0.1 TeV-1"),
        spatial_model=GaussianSpatialModel(lon_0="194.7 deg", lat_0="3.95 deg", sigma="0.3 deg", frame="galactic"),
        name="nebula",
    )
    return Models([star, nebula, FoVBackgroundModel(dataset_name=dataset_name)])


def simulate_field(seed: int = 42, name: str = "demo") -> MapDataset:
    """Simulate the counts of `true_models` in `empty_field`.

    Parameters
    ----------
    seed : int
        Seed of the counts.
    name : str
        Name of the dataset.

    Examples
    --------
    >>> from geminga.cli.simulate import simulate_field
    >>> simulate_field(seed=1).counts.data.shape
    (12, 100, 100)
    """
    dataset = empty_field(name)
    dataset.models = true_models(name)
    dataset.fake(random_state=seed)
    return dataset
