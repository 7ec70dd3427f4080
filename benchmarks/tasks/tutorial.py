"""A tour of datasets, figures included: create, read, print, models, predictions, masks, cut-outs, resampling, spectra.

Everything a user of a notebook would do with one dataset; imports are counted.
"""

from __future__ import annotations

import time
from typing import Any

from taskkit import Package, main, read_gc, relative_complaints

GOAL = 2.5


def empty_dataset(package: Package) -> Any:
    import astropy.units as u

    axis = package.maps.MapAxis.from_energy_bounds(1, 10, nbin=11, name="energy", unit="TeV")
    geom = package.maps.WcsGeom.create(skydir=(83.63, 22.01), axes=[axis], width=5 * u.deg, binsz=0.05 * u.deg, frame="icrs")
    str(package.datasets.MapDataset.create(geom=geom, name="my-dataset"))
    axis_true = package.maps.MapAxis.from_energy_bounds(0.1, 100, nbin=11, name="energy_true", unit="TeV", per_decade=True)
    rad_axis = package.maps.MapAxis.from_bounds(0, 5, nbin=50, unit="deg", name="rad")
    gti = package.data.GTI.create(0 * u.s, 1000 * u.s)
    dataset = package.datasets.MapDataset.create(
        geom=geom, energy_axis_true=axis_true, rad_axis=rad_axis, binsz_irf=0.1, gti=gti, name="dataset-empty"
    )
    str(dataset.geoms)
    return dataset


class Figures:
    """Draw figures and render them without a display."""

    def __init__(self) -> None:
        import matplotlib.pyplot as plt

        self.plt, self.count = plt, 0

    def render(self) -> None:
        self.plt.gcf().canvas.draw()
        self.plt.close("all")
        self.count += 1


def contents(package: Package, dataset: Any, figures: Figures) -> dict[str, float]:
    import astropy.units as u

    str(dataset)
    info = dataset.info_dict()
    dataset.peek()
    figures.render()
    dataset.counts.sum_over_axes().smooth("0.1 deg").plot(add_cbar=True)
    figures.render()
    str(dataset.psf)
    dataset.edisp.get_edisp_kernel().plot_matrix()
    figures.render()
    radius = dataset.psf.containment_radius(energy_true=1 * u.TeV, fraction=0.95)
    str(dataset.background)
    return {"info counts": float(info["counts"]), "radius": float(radius.to_value("deg").squeeze())}


def predictions(package: Package, dataset: Any, figures: Figures) -> dict[str, float]:
    from astropy.coordinates import SkyCoord

    model = package.models.SkyModel.create("pl", "point", name="gc")
    model.spatial_model.position = SkyCoord("0d", "0d", frame="galactic")
    dataset.models = [model, package.models.FoVBackgroundModel(dataset_name=dataset.name)]
    str(dataset)
    npred = dataset.npred()
    signal = dataset.npred_signal(model_names=["gc"])
    background = dataset.npred_background()
    for result in (npred, signal, background):
        result.sum_over_axes().plot(add_cbar=True)
        figures.render()
    return {
        "npred": float(npred.data.sum(dtype=float)),
        "npred background": float(background.data.sum(dtype=float)),
        "signal / 1000": float(signal.data.sum(dtype=float)) / 1000,
    }


def masks(dataset: Any, figures: Figures) -> dict[str, float]:
    import astropy.units as u
    from astropy.coordinates import SkyCoord
    from regions import CircleSkyRegion

    dataset.mask_safe.plot_grid()
    figures.render()
    geom = dataset.counts.geom
    region = CircleSkyRegion(SkyCoord("0d", "0d", frame="galactic"), 1.5 * u.deg)
    dataset.mask_fit = geom.region_mask([region]) & geom.energy_mask(0.3 * u.TeV, 8 * u.TeV)
    dataset.mask_fit.plot_grid(vmin=0, vmax=1, add_cbar=True)
    figures.render()
    for energy in dataset.energy_range:
        energy.plot(add_cbar=True)
        figures.render()
    _ = dataset.energy_range_safe, dataset.energy_range_fit
    return {"mask": float(dataset.mask_fit.data.sum())}


def resampling(package: Package, dataset: Any, figures: Figures) -> dict[str, float]:
    import astropy.units as u
    from astropy.coordinates import SkyCoord

    centre = SkyCoord("0d", "0d", frame="galactic")
    cutout = dataset.cutout(position=centre, width=2 * u.deg, name="cta-cutout")
    cutout.counts.sum_over_axes().plot()
    figures.render()
    sliced = dataset.slice_by_energy(energy_min=1 * u.TeV, energy_max=5 * u.TeV, name="slice-energy")
    sliced.counts.plot_grid()
    figures.render()
    sliced.mask_fit.plot_grid()
    figures.render()
    dataset.downsample(factor=8).counts.sum_over_axes().plot()
    figures.render()
    downsampled = dataset.downsample(factor=5, axis_name="energy", name="downsampled-energy")
    downsampled.counts.plot_grid()
    figures.render()
    str(downsampled), str(dataset)
    axis = package.maps.MapAxis.from_energy_edges([0.1, 0.3, 1, 3, 10] * u.TeV)
    dataset.resample_energy_axis(energy_axis=axis).counts.plot_grid(ncols=2)
    figures.render()
    image = dataset.to_image()
    image.counts.plot()
    figures.render()
    return {
        "cutout": float(cutout.counts.data.sum()),
        "sliced": float(sliced.counts.data.sum()),
        "downsampled": float(downsampled.counts.data.sum()),
        "image": float(image.background.data.sum(dtype=float)),
    }


def spectra(dataset: Any, figures: Figures) -> dict[str, float]:
    import astropy.units as u
    from astropy.coordinates import SkyCoord
    from regions import CircleSkyRegion

    region = CircleSkyRegion(SkyCoord("0d", "0d", frame="galactic"), 0.5 * u.deg)
    spectrum = dataset.to_spectrum_dataset(region, containment_correction=True, name="spectrum-dataset")
    spectrum.peek()
    figures.render()
    str(dataset.to_region_map_dataset(region, name="region-map-dataset"))
    return {"spectrum": float(spectrum.counts.data.sum())}


def run(package: Package) -> dict:
    start = time.perf_counter()
    figures = Figures()
    empty_dataset(package)
    dataset = read_gc(package, "dataset-cta")
    result = contents(package, dataset, figures)
    result |= predictions(package, dataset, figures)
    result |= masks(dataset, figures)
    result |= resampling(package, dataset, figures)
    result |= spectra(dataset, figures)
    result["figures"] = figures.count
    return {"time": time.perf_counter() - start, "result": result}


def agree(ours: dict, peer: dict) -> list[str]:
    # The containment radius lies on a grid of 0.0005 deg in the peer, hence 1 %.
    ours, peer = dict(ours), dict(peer)
    complaints = relative_complaints({"radius": ours.pop("radius")}, {"radius": peer.pop("radius")}, rtol=1e-2)
    complaints += relative_complaints({"signal": ours.pop("signal / 1000")}, {"signal": peer.pop("signal / 1000")}, rtol=3e-3)
    return complaints + relative_complaints(ours, peer, rtol=1e-5)


if __name__ == "__main__":
    main(run)
