"""A small store of simulated runs on disk, and configurations for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table, vstack

from geminga.analysis import AnalysisConfig
from geminga.data import DataStore, EventList
from geminga.utils.files import write_fits
from tests.unit.makers.builders import TARGET, observation

MODELS_1D = """
components:
- name: crab
  type: SkyModel
  spectral:
    type: PowerLawSpectralModel
    parameters:
    - {name: index, value: 2.4}
    - {name: amplitude, value: 3.0e-11, unit: cm-2 s-1 TeV-1}
    - {name: reference, value: 1.0, unit: TeV, frozen: true}
"""
MODELS_3D = (
    MODELS_1D
    + """
  spatial:
    type: PointSpatialModel
    frame: icrs
    parameters:
    - {name: lon_0, value: 83.63, unit: deg, frozen: true}
    - {name: lat_0, value: 22.01, unit: deg, frozen: true}
"""
)
POSITION = "frame: icrs, lon: 83.63 deg, lat: 22.01 deg"
AXES = "energy: {min: 0.5 TeV, max: 30 TeV, nbins: 6}, energy_true: {min: 0.1 TeV, max: 100 TeV, nbins: 12}"


def with_source(one: Any, number: int = 300) -> Any:
    """The observation with events of a source besides."""
    rng = np.random.default_rng(99)
    table = Table(one.events.table, copy=True)
    extra = Table(table[:number], copy=True)
    extra["RA"] = rng.normal(TARGET.ra.deg, 0.05, number) * u.deg
    extra["DEC"] = rng.normal(TARGET.dec.deg, 0.05, number) * u.deg
    joined = vstack([table, extra], metadata_conflicts="silent")
    joined.meta = dict(table.meta)
    one.events = EventList(joined)
    return one


def write_store(folder: Path, number: int = 3) -> Path:
    """Write runs, pointing in turn 0.5 deg north and south of the target, and index files."""
    paths = []
    for index in range(number):
        pointing = SkyCoord(83.63, 22.01 + 0.5 * (-1) ** index, unit="deg")
        one = with_source(observation(index + 1, pointing=pointing, number=1500, seed=index))
        paths.append(folder / f"run{index + 1}.fits")
        one.write(paths[-1])
    store = DataStore.from_events_files(paths)
    for table, name in ((store.hdu_table, "hdu-index.fits.gz"), (store.obs_table, "obs-index.fits.gz")):
        write_fits(fits.HDUList([fits.PrimaryHDU(), fits.table_to_hdu(Table(table))]), folder / name)
    return folder


def config_text(folder: Path, kind: str = "1d", **changes: str) -> str:
    """YAML text of a configuration of a spectrum (``1d``) or of maps (``3d``)."""
    given = {"stack": "true", "background": "{method: reflected}" if kind == "1d" else "{method: fov_background}"} | changes
    return f"""
general: {{log: {{level: warning}}}}
observations: {{datastore: {folder}}}
datasets:
  type: {kind}
  stack: {given["stack"]}
  geom:
    wcs: {{skydir: {{{POSITION}}}, width: {{width: 3 deg, height: 2 deg}}, binsize: 0.1 deg}}
    axes: {{{AXES}}}
  on_region: {{{POSITION}, radius: 0.2 deg}}
  background: {given["background"]}
  safe_mask: {{methods: [aeff-default]}}
fit: {{fit_range: {{min: 0.7 TeV, max: 20 TeV}}}}
flux_points: {{source: crab, energy: {{min: 1 TeV, max: 10 TeV, nbins: 2}}}}
light_curve: {{source: crab, energy_edges: {{min: 1 TeV, max: 10 TeV, nbins: 1}}, parameters: {{selection_optional: [ul]}}}}
"""


def make_config(folder: Path, kind: str = "1d", **changes: str) -> AnalysisConfig:
    return AnalysisConfig.from_yaml(config_text(folder, kind, **changes))
