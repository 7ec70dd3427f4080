"""Small datasets with known numbers."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from regions import CircleSkyRegion

from geminga.data import GTI
from geminga.datasets import MapDataset, MapDatasetOnOff, SpectrumDataset, SpectrumDatasetOnOff
from geminga.irf import EDispKernelMap, PSFMap
from geminga.maps import Map, MapAxis, RegionGeom, WcsGeom

CENTER = SkyCoord(83.6, 22.0, unit="deg", frame="icrs")


def energy_axis(nbin: int = 4) -> MapAxis:
    return MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=nbin, name="energy")


def energy_axis_true(nbin: int = 5) -> MapAxis:
    return MapAxis.from_energy_bounds("0.5 TeV", "20 TeV", nbin=nbin, name="energy_true")


def geom(npix: tuple[int, int] = (8, 6), nbin: int = 4) -> WcsGeom:
    return WcsGeom.create(skydir=CENTER, npix=npix, binsz=0.25, axes=[energy_axis(nbin)])


def map_dataset(seed: int = 0, name: str | None = None, safe: float = 0.7, npix=(8, 6), livetime: float = 100.0) -> MapDataset:
    """Dataset with random counts, background, masks and exposure, and responses on coarser pixels."""
    rng = np.random.default_rng(seed)
    own = geom(npix)
    dataset = MapDataset.create(
        own,
        energy_axis_true=energy_axis_true(),
        binsz_irf=0.5,
        rad_axis=MapAxis.from_bounds(0, 1, nbin=20, name="rad", unit="deg"),
        name=name,
    )
    shape = own.data_shape
    dataset.counts = Map.from_geom(own, data=rng.poisson(3, shape).astype("float32"))
    dataset.background = Map.from_geom(own, data=rng.uniform(0.5, 2, shape))
    exposure = dataset.exposure.geom
    data = rng.uniform(1, 2, exposure.data_shape) * 1e10
    dataset.exposure = Map.from_geom(exposure, data=data, unit="m2 s", meta={"livetime": livetime * u.s})
    dataset.mask_safe = Map.from_geom(own, data=rng.uniform(size=shape) < safe)
    psf = PSFMap.from_gauss(energy_axis_true(), rad_axis=dataset.psf.psf_map.geom.axes["rad"], sigma=(0.1 + 0.05 * seed) * u.deg)
    irf = dataset.psf.psf_map.geom
    values = np.broadcast_to(psf.psf_map.data[..., :1, :1], irf.data_shape).copy()
    weights = rng.uniform(1, 2, dataset.psf.exposure_map.data.shape)
    dataset.psf = PSFMap(
        Map.from_geom(irf, data=values, unit=psf.psf_map.unit),
        Map.from_geom(dataset.psf.exposure_map.geom, data=weights * 1e10, unit="m2 s"),
    )
    kernel = EDispKernelMap.from_gauss(energy_axis(), energy_axis_true(), sigma=0.1 + 0.05 * seed, bias=0)
    irf = dataset.edisp.edisp_map.geom
    values = np.broadcast_to(kernel.edisp_map.data[..., :1, :1], irf.data_shape).copy()
    weights = rng.uniform(1, 2, dataset.edisp.exposure_map.data.shape)
    dataset.edisp = EDispKernelMap(
        Map.from_geom(irf, data=values),
        Map.from_geom(dataset.edisp.exposure_map.geom, data=weights * 1e10, unit="m2 s"),
    )
    start = 1000.0 * seed
    dataset.gti = GTI.create(start * u.s, (start + livetime) * u.s)
    return dataset


def spectrum_dataset(name: str = "spectrum", nbin: int = 3) -> SpectrumDataset:
    """Spectrum with 10 counts and 4 background counts in each bin and 1e10 m2 s exposure."""
    own = RegionGeom.create(CircleSkyRegion(CENTER, 0.3 * u.deg), axes=[energy_axis(nbin)])
    true = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=nbin, name="energy_true")
    dataset = SpectrumDataset.create(own, energy_axis_true=true, name=name)
    dataset.counts = Map.from_geom(own, data=np.full(own.data_shape, 10.0))
    dataset.background = Map.from_geom(own, data=np.full(own.data_shape, 4.0))
    exposure = dataset.exposure.geom
    data = np.full(exposure.data_shape, 1e10)
    dataset.exposure = Map.from_geom(exposure, data=data, unit="m2 s", meta={"livetime": 50 * u.s})
    dataset.edisp = EDispKernelMap.from_diagonal_response(energy_axis(nbin), true)
    dataset.mask_safe = Map.from_geom(own, data=np.ones(own.data_shape, dtype=bool))
    return dataset


def onoff_spectrum(seed: int = 0, name: str = "onoff", nbin: int = 6) -> SpectrumDatasetOnOff:
    """Spectrum with random counts, off counts, acceptances and safe mask on the responses of `spectrum_dataset`."""
    rng = np.random.default_rng(seed)
    known = spectrum_dataset(nbin=nbin)
    own = known.counts.geom
    shape = own.data_shape
    alpha = rng.choice([0.05, 0.1, 0.25], shape)
    exposure = known.exposure.copy(data=known.exposure.data * rng.uniform(0.5, 2, (nbin, 1, 1)))
    return SpectrumDatasetOnOff(
        counts=Map.from_geom(own, data=rng.poisson(5, shape).astype(float)),
        counts_off=Map.from_geom(own, data=rng.poisson(1 / alpha).astype(float)),
        acceptance=Map.from_geom(own, data=np.ones(shape)),
        acceptance_off=Map.from_geom(own, data=1 / alpha),
        exposure=exposure,
        edisp=known.edisp,
        mask_safe=Map.from_geom(own, data=rng.uniform(size=shape) < 0.8),
        gti=GTI.create(100.0 * seed * u.s, (100.0 * seed + 50) * u.s),
        name=name,
    )


def onoff_map(seed: int = 0, name: str = "onoff") -> MapDatasetOnOff:
    """Map with random off counts and acceptances on `map_dataset`."""
    known = map_dataset(seed)
    own = known.counts.geom
    rng = np.random.default_rng(seed + 1)
    return MapDatasetOnOff.from_map_dataset(
        known,
        acceptance=Map.from_geom(own, data=rng.uniform(1, 2, own.data_shape)),
        acceptance_off=Map.from_geom(own, data=rng.uniform(4, 20, own.data_shape)),
        counts_off=Map.from_geom(own, data=rng.poisson(2, own.data_shape).astype(float)),
        name=name,
    )
