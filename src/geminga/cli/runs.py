"""The runs of the demo: events simulated with the parametric response (``demo_irfs.yaml``), and their reduction."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u

from geminga.cli.simulate import effective_area, field_profile, make_axes, power_with_floor, read_response, true_models

if TYPE_CHECKING:
    from geminga.data import Observation
    from geminga.datasets import MapDataset

__all__ = ["make_observations", "make_response_tables", "reduce_runs", "simulate_runs"]


def make_response_tables() -> dict[str, Any]:
    """Response tables (effective area, energy dispersion, PSF, background) of the parametric response.

    Examples
    --------
    >>> from geminga.cli.runs import make_response_tables
    >>> sorted(make_response_tables())
    ['aeff', 'bkg', 'edisp', 'psf']
    """
    from geminga.irf import Background2D, EffectiveAreaTable2D, EnergyDependentMultiGaussPSF, EnergyDispersion2D
    from geminga.maps import MapAxis

    response = read_response()
    runs, area, background = (dict(response[key]) for key in ("runs", "effective_area", "background"))
    energy, true, _ = make_axes(response["observation"])
    energy = energy.upsample(4)
    far = u.Quantity(runs["offset_max"]).to_value("deg")
    offset = MapAxis.from_bounds(0, far, nbin=runs["offset_bins"], unit="deg", name="offset")
    migra = MapAxis.from_bounds(*runs["migra"][:2], nbin=runs["migra"][2], name="migra")

    profile = field_profile(offset.center, area.pop("field_of_view"))
    rate = u.Quantity(background["norm"]) * energy.center.to_value("TeV") ** -background["index"]
    one = np.ones((true.nbin, offset.nbin))
    width = power_with_floor(true.center, **response["psf"]).to_value("deg")
    gauss = {"sigma_1": width[:, np.newaxis] * one, "scale": one, "ampl_2": 0 * one, "ampl_3": 0 * one}
    resolution = power_with_floor(true.center, **response["energy_dispersion"]).to_value("")
    return {
        "aeff": EffectiveAreaTable2D([true, offset], data=effective_area(true.center, **area)[:, np.newaxis] * profile),
        "edisp": EnergyDispersion2D.from_gauss(true, migra, offset, bias=0, sigma=resolution),
        "psf": EnergyDependentMultiGaussPSF([true, offset], data=gauss | {"sigma_2": one, "sigma_3": one}),
        "bkg": Background2D(
            [energy, offset], data=rate[:, np.newaxis] * field_profile(offset.center, background["field_of_view"])
        ),
    }


def make_observations() -> list[Observation]:
    """Runs around the centre of the field, without events."""
    from astropy.coordinates import SkyCoord
    from astropy.time import Time

    from geminga.data import FixedPointingInfo, Observation

    response = read_response()
    runs, field = response["runs"], response["observation"]
    centre = SkyCoord(field["longitude"], field["latitude"], frame="galactic").icrs
    start, duration, tables = Time(runs["start"], scale="tt"), u.Quantity(runs["duration"]), make_response_tables()
    return [
        Observation.create(
            FixedPointingInfo(centre.directional_offset_by(u.Quantity(angle), u.Quantity(runs["offset"]))),
            obs_id=number,
            tstart=(number - 1) * duration,
            livetime=duration,
            reference_time=start,
            irfs=tables,
            location=runs["location"],
        )
        for number, angle in enumerate(runs["position_angles"], start=1)
    ]


def simulate_runs(folder: Path, seed: int = 42) -> list[Path]:
    """Simulate the events of `true_models` in the runs, and write a DL3 file for each.

    Parameters
    ----------
    folder : Path
        Folder; it is made.
    seed : int
        Seed of the events.
    """
    from geminga.data import ObservationsEventsSampler

    response = read_response()
    energy, true, _ = make_axes(response["observation"])
    options = {
        "energy_axis": energy.upsample(2),
        "energy_axis_true": true,
        "spatial_width": response["runs"]["simulated_width"],
        "spatial_bin_size": response["observation"]["pixel"],
        "frame": "galactic",  # as the field, which must be covered to its corners
    }
    models = [model for model in true_models("demo") if hasattr(model, "apply_irf")]
    sampler = ObservationsEventsSampler({"random_state": seed}, options, outdir=folder)
    return sampler.run(make_observations(), models=models)


def reduce_runs(paths: Sequence[Path], name: str = "demo") -> MapDataset:
    """Read DL3 files and reduce them to one dataset, 4 deg wide."""
    from astropy.coordinates import SkyCoord

    from geminga.data import DataStore
    from geminga.datasets import MapDataset
    from geminga.makers import DatasetsMaker, MapDatasetMaker, SafeMaskMaker
    from geminga.maps import WcsGeom

    response = read_response()
    field = response["observation"]
    energy, true, rad = make_axes(field)
    geom = WcsGeom.create(
        skydir=SkyCoord(field["longitude"], field["latitude"], frame="galactic"),
        width=u.Quantity(field["width"]),
        binsz=u.Quantity(field["pixel"]),
        frame="galactic",
        axes=[energy],
    )
    empty = MapDataset.create(geom, energy_axis_true=true, rad_axis=rad, name=name)
    makers = [MapDatasetMaker(), SafeMaskMaker(methods=["offset-max"], offset_max=response["runs"]["offset_max"])]
    dataset: MapDataset = DatasetsMaker(makers).run(empty, DataStore.from_events_files(paths).get_observations())[0]
    return dataset
