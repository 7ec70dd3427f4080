"""Simulate a million events of two sources and background, with PSF and energy dispersion of CTAO."""

from __future__ import annotations

import astropy.units as u
from astropy.coordinates import SkyCoord
from taskkit import Package, clock, main

GOAL = 10.0
ROUNDS = 2
IRFS = "$GAMMAPY_DATA/cta-1dc/caldb/data/cta/1dc/bcf/South_z20_50h/irf_file.fits"
POINTING = SkyCoord(83.63, 22.41, unit="deg")


def make_dataset(package: Package):
    """Dataset of one hour, 300 x 300 pixels and 30 energies, with strong sources."""
    data, maps, models = package.data, package.maps, package.models
    pointing = data.FixedPointingInfo(fixed_icrs=POINTING)
    irfs = package.irf.load_irf_dict_from_file(IRFS)
    observation = data.Observation.create(pointing=pointing, livetime=1 * u.h, irfs=irfs, obs_id=1)
    energy = maps.MapAxis.from_energy_bounds("0.1 TeV", "100 TeV", nbin=10, per_decade=True)
    true = maps.MapAxis.from_energy_bounds("0.03 TeV", "300 TeV", nbin=20, per_decade=True, name="energy_true")
    migra = maps.MapAxis.from_bounds(0.2, 2, nbin=150, node_type="edges", name="migra")
    geom = maps.WcsGeom.create(skydir=POINTING, width=6, binsz=0.02, axes=[energy])
    empty = package.datasets.MapDataset.create(geom, energy_axis_true=true, migra_axis=migra, name="field")
    maker = package.makers.MapDatasetMaker(selection=["exposure", "background", "psf", "edisp"])
    dataset = maker.run(empty, observation)
    spectrum = models.PowerLawSpectralModel(amplitude="4e-9 cm-2 s-1 TeV-1")
    nebula = models.GaussianSpatialModel(lon_0="83.63 deg", lat_0="22.01 deg", sigma="0.2 deg", frame="icrs")
    star = models.PointSpatialModel(lon_0="83.63 deg", lat_0="22.71 deg", frame="icrs")
    decay = models.ExpDecayTemporalModel(t0="0.5 h", t_ref=observation.gti.time_start[0].mjd * u.d)
    dataset.models = [
        models.SkyModel(spectrum, nebula, name="nebula"),
        models.SkyModel(spectrum.copy(), star, decay, name="star"),
        models.FoVBackgroundModel(dataset_name="field"),
    ]
    return dataset, observation


def run(package: Package) -> dict:
    dataset, observation = make_dataset(package)
    sampler = package.datasets.MapDatasetEventSampler(random_state=0)
    seconds, events = clock(lambda: sampler.run(dataset, observation))
    table = events.table
    result = {name: int((table["MC_ID"] == number).sum()) for number, name in enumerate(("background", "nebula", "star"))}
    counts = package.maps.Map.from_geom(dataset.background.geom)
    counts.fill_events(events)
    result["low"] = int(counts.data[:5].sum())
    return {"time": seconds, "result": result}


def agree(ours: dict, peer: dict) -> list[str]:
    """Numbers are random: within five sigma, and half a percent for the steps of the tables."""
    return [
        f"{key}: {ours[key]}, peer {peer[key]}"
        for key in peer
        if abs(ours[key] - peer[key]) > 5 * (2 * peer[key]) ** 0.5 + 0.005 * peer[key]
    ]


if __name__ == "__main__":
    main(run)
