"""An observation without files: a few events, responses of a few bins."""

from __future__ import annotations

from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import Table

from geminga.data import EventList, FixedPointingInfo, Observation
from geminga.datasets import MapDataset
from geminga.irf import Background3D, EffectiveAreaTable2D, EnergyDependentMultiGaussPSF, EnergyDispersion2D
from geminga.maps import MapAxis, WcsGeom
from geminga.utils.time import time_ref_from_dict

POINTING = SkyCoord(83.63, 22.51, unit="deg")
TARGET = SkyCoord(83.63, 22.01, unit="deg")
ENERGY = MapAxis.from_energy_bounds("0.3 TeV", "30 TeV", nbin=4)
TRUE = MapAxis.from_energy_bounds("0.1 TeV", "100 TeV", nbin=6, name="energy_true")


def irfs() -> dict[str, Any]:
    true = MapAxis.from_energy_bounds("0.05 TeV", "200 TeV", nbin=12, name="energy_true")
    offset = MapAxis.from_edges([0, 1, 2, 3], unit="deg", name="offset")
    reco = MapAxis.from_energy_bounds("0.1 TeV", "100 TeV", nbin=9)
    lon, lat = (MapAxis.from_bounds(-3, 3, nbin=12, unit="deg", name=name) for name in ("fov_lon", "fov_lat"))
    migra = MapAxis.from_bounds(0.2, 3, nbin=140, name="migra")
    energy = true.center.value[:, None]
    values = {"sigma_1": 0.08, "sigma_2": 0.2, "sigma_3": 1.0, "scale": 1.0, "ampl_2": 0.1, "ampl_3": 0.0}
    rate = 1e-4 * reco.center.value[:, None, None] ** -2.7 * np.exp(-0.1 * (lon.center.value[:, None] ** 2 + lat.center.value**2))
    area = 2e5 * energy / (energy + 1) * np.array([1, 0.8, 0.4])
    return {
        "aeff": EffectiveAreaTable2D([true, offset], data=area, meta={"LO_THRES": 0.5, "HI_THRES": 50.0}),
        "edisp": EnergyDispersion2D.from_gauss(true, migra, offset, bias=0.5 * np.exp(-4 * energy[:, 0]), sigma=0.15),
        "psf": EnergyDependentMultiGaussPSF([true, offset], data=values),
        "bkg": Background3D([reco, lon, lat], data=rate),
    }


def observation(obs_id: Any = 1, pointing: SkyCoord = POINTING, number: int = 3000, seed: int = 0, **changes: Any) -> Observation:
    one = Observation.create(
        pointing=FixedPointingInfo(pointing),
        obs_id=obs_id,
        livetime=1000 * u.s,
        irfs=irfs() | changes,
        deadtime_fraction=0.1,
        location="hess",
    )
    rng = np.random.default_rng(seed)
    reference = {"MJDREFI": 51544, "MJDREFF": 0.5, "TIMESYS": "tt"}
    start = float((one.tstart - time_ref_from_dict(reference)).sec)
    table = Table(
        {
            "EVENT_ID": np.arange(number),
            "TIME": (start + np.sort(rng.uniform(0, 1000, number))) * u.s,
            "RA": rng.normal(pointing.ra.deg, 1.0, number) * u.deg,
            "DEC": rng.normal(pointing.dec.deg, 1.0, number) * u.deg,
            "ENERGY": 0.3 * rng.uniform(size=number) ** (-1 / 1.7) * u.TeV,
        }
    )
    table.meta = reference | {"OBS_ID": obs_id}
    table.meta |= {"RA_PNT": pointing.ra.deg, "DEC_PNT": pointing.dec.deg}
    one.events = EventList(table)
    return one


def empty(name: str = "empty", npix: int = 40, skydir: SkyCoord = TARGET, **kwargs: Any) -> MapDataset:
    geom = WcsGeom.create(skydir=skydir, npix=(npix, npix), binsz=0.1, axes=[ENERGY])
    return MapDataset.create(geom, energy_axis_true=TRUE, name=name, **kwargs)
