"""A small store of two observations, made anew for each test, with response functions of a few bins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import Table

from geminga.irf import PSF3D, Background3D, EffectiveAreaTable2D, EnergyDispersion2D
from geminga.maps import MapAxis

MJD = {"MJDREFI": 51910, "MJDREFF": 0.000742870370370241, "TIMESYS": "TT", "TIMEUNIT": "s"}


def events_hdu(obs_id: Any = 1, number: int = 200, seed: int = 0, **header: Any) -> fits.BinTableHDU:
    """Events round (83.63, 22.01) deg in 1000 s."""
    random = np.random.default_rng(seed)
    table = Table(
        {
            "EVENT_ID": np.arange(number),
            "TIME": np.sort(random.uniform(5000, 6000, number)) * u.s,
            "RA": random.normal(83.63, 0.5, number).astype("float32") * u.deg,
            "DEC": random.normal(22.01, 0.5, number).astype("float32") * u.deg,
            "ENERGY": (0.5 * random.uniform(size=number) ** (-1 / 1.6)).astype("float32") * u.TeV,
            "PHASE": random.uniform(size=number),
        }
    )
    hdu = fits.BinTableHDU(table, name="EVENTS")
    keywords = MJD | {
        "HDUCLASS": "GADF",
        "HDUCLAS1": "EVENTS",
        "OBS_ID": obs_id,
        "TSTART": 5000.0,
        "TSTOP": 6000.0,
        "ONTIME": 1000.0,
        "LIVETIME": 900.0,
        "DEADC": 0.9,
        "RA_PNT": 83.63,
        "DEC_PNT": 22.51,
        "OBJECT": "Crab",
        "RA_OBJ": 83.63,
        "DEC_OBJ": 22.01,
        "OBS_MODE": "WOBBLE",
        "TELESCOP": "HESS",
        "INSTRUME": "H.E.S.S.",
        "GEOLON": 16.5,
        "GEOLAT": -23.27,
        "ALTITUDE": 1835.0,
    }
    for key, value in (keywords | header).items():
        if value is None:
            hdu.header.pop(key, None)
        else:
            hdu.header[key] = value
    return hdu


def gti_hdu(*pairs: tuple[float, float]) -> fits.BinTableHDU:
    start, stop = np.array(pairs or [(5000.0, 6000.0)], dtype=float).reshape(-1, 2).T
    hdu = fits.BinTableHDU(Table({"START": start * u.s, "STOP": stop * u.s}), name="GTI")
    hdu.header.update(MJD)
    return hdu


def irfs() -> dict[str, Any]:
    true = MapAxis.from_energy_bounds("0.1 TeV", "100 TeV", nbin=4, name="energy_true")
    offset = MapAxis.from_edges([0, 1, 2], unit="deg", name="offset")
    reco = MapAxis.from_energy_bounds("0.1 TeV", "100 TeV", nbin=3)
    lon = MapAxis.from_edges([-2, -1, 0, 1, 2], unit="deg", name="fov_lon")
    rad = MapAxis.from_edges([0, 0.1, 0.2, 0.4], unit="deg", name="rad")
    migra = MapAxis.from_edges([0.5, 0.8, 1.2, 1.5], name="migra")
    return {
        "aeff": EffectiveAreaTable2D([true, offset], data=np.full((4, 2), 1e5), unit="m2"),
        "edisp": EnergyDispersion2D([true, migra, offset], data=np.ones((4, 3, 2))),
        "psf": PSF3D([true, offset, rad], data=np.full((4, 2, 3), 1e4), unit="sr-1"),
        "bkg": Background3D([reco, lon, lon.copy(name="fov_lat")], data=np.full((3, 4, 4), 1e-6), unit="s-1 MeV-1 sr-1"),
    }


def write_file(path: Path, *hdus: Any, with_irfs: bool = True) -> Path:
    parts = [one.to_table_hdu() for one in irfs().values()] if with_irfs else []
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.HDUList([fits.PrimaryHDU(), *hdus, *parts]).writeto(path)
    return path


HDU_NAMES = {
    "events": ("events", "EVENTS"),
    "gti": ("gti", "GTI"),
    "aeff": ("aeff_2d", "EFFECTIVE AREA"),
    "edisp": ("edisp_2d", "ENERGY DISPERSION"),
    "psf": ("psf_table", "PSF_2D_TABLE"),
    "bkg": ("bkg_3d", "BACKGROUND"),
}


def hdu_rows(obs_id: Any, name: str, folder: str = "data", kinds: Any = tuple(HDU_NAMES)) -> list[tuple[Any, ...]]:
    return [(obs_id, kind, HDU_NAMES[kind][0], folder, name, HDU_NAMES[kind][1]) for kind in kinds]


def write_index(folder: Path, rows: list[tuple[Any, ...]], obs: Any = None) -> None:
    names = ("OBS_ID", "HDU_TYPE", "HDU_CLASS", "FILE_DIR", "FILE_NAME", "HDU_NAME")
    folder.mkdir(parents=True, exist_ok=True)
    fits.BinTableHDU(Table(rows=rows, names=names), name="HDU_INDEX").writeto(folder / "hdu-index.fits.gz")
    if obs is not None:
        hdu = fits.BinTableHDU(obs, name="OBS_INDEX")
        hdu.header.update(MJD)
        hdu.writeto(folder / "obs-index.fits.gz")


def obs_index(*ids: Any) -> Table:
    n = len(ids)
    return Table(
        {
            "OBS_ID": list(ids),
            "RA_PNT": np.full(n, 83.63) * u.deg,
            "DEC_PNT": (22.51 + np.arange(n)) * u.deg,
            "TSTART": (5000.0 + 10000 * np.arange(n)) * u.s,
            "TSTOP": (6000.0 + 10000 * np.arange(n)) * u.s,
            "N_TELS": np.arange(n) + 3,
            "OBJECT": ["Crab", "Off"][:n] if n <= 2 else ["Crab"] * n,
        }
    )


@pytest.fixture
def store_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    for obs_id in (1, 2):
        write_file(folder / "data" / f"run{obs_id}.fits", events_hdu(obs_id, seed=obs_id), gti_hdu())
    write_index(folder, hdu_rows(1, "run1.fits") + hdu_rows(2, "run2.fits"), obs_index(1, 2))
    return folder
