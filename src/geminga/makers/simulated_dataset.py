"""Datasets to simulate observations with: axes and pixels that suit their responses."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u

from geminga.datasets import MapDataset, create_map_dataset_geoms
from geminga.makers.map import MapDatasetMaker, needed, pointing_of
from geminga.maps import MapAxis, WcsGeom
from geminga.modeling.models import FoVBackgroundModel, Models
from geminga.utils.units import as_quantity

__all__ = ["create_empty_map_dataset_from_irfs", "create_map_dataset_from_observation"]

#: Pixels where there is no PSF that tells their size.
_PIXEL = 0.05 * u.deg
#: Which fraction of the energies have a better resolution than the bins and pixels are made for.
_BEST = 0.1
_WIDTH_MAX, _BIN_SIZE_MIN = 12.0 * u.deg, 0.01 * u.deg


def create_empty_map_dataset_from_irfs(
    observation: Any,
    dataset_name: str | None = None,
    energy_axis_true: Any = None,
    energy_axis: Any = None,
    energy_bin_per_decade_max: int = 30,
    spatial_width: Any = None,
    spatial_width_max: Any = _WIDTH_MAX,
    spatial_bin_size: Any = None,
    spatial_bin_size_min: Any = _BIN_SIZE_MIN,
    position: Any = None,
    frame: str = "icrs",
) -> Any:
    """Empty dataset whose axes and pixels suit the responses of an observation.

    Parameters
    ----------
    observation : Observation
        Observation with an effective area at least.
    dataset_name : str, optional
        Name, by default ``obs_`` and the identifier of the observation.
    energy_axis_true, energy_axis : MapAxis, optional
        Axes; by default over the energies of the PSF (else of the effective area) and of the background (else the same), with
        two bins in the energy resolution.
    energy_bin_per_decade_max : int
        Largest number of bins in a decade of a default axis.
    spatial_width : Quantity, optional
        Width, by default twice the largest offset of the effective area.
    spatial_width_max : Quantity
        Largest default width.
    spatial_bin_size : Quantity, optional
        Pixel size, by default the 68 % radius of the PSF on the axis.
    spatial_bin_size_min : Quantity
        Smallest default pixel size.
    position : SkyCoord, optional
        Centre, by default the pointing.
    frame : {"icrs", "galactic"}
        Sky frame.

    Returns
    -------
    dataset : MapDataset
        Empty dataset; PSF and energy dispersion are left out where the observation has none.
    """
    aeff, axes = needed(observation, "aeff"), _energy_axes(observation, energy_axis_true, energy_axis, energy_bin_per_decade_max)
    if spatial_width is None:
        largest = aeff.axes["offset"].edges if aeff.axes["offset"].node_type == "edges" else aeff.axes["offset"].center
        spatial_width = min(2 * largest[-1].to("deg"), as_quantity(spatial_width_max, "deg", "spatial_width_max"))
    if spatial_bin_size is None:
        spatial_bin_size = max(_psf_size(observation), as_quantity(spatial_bin_size_min, "deg", "spatial_bin_size_min"))
    geom = WcsGeom.create(
        skydir=pointing_of(observation) if position is None else position,
        width=as_quantity(spatial_width, "deg", "spatial_width"),
        binsz=as_quantity(spatial_bin_size, "deg", "spatial_bin_size"),
        frame=frame,
        axes=[axes[1]],
    )
    migra = None if observation.edisp is None else observation.edisp.axes["migra"]
    geoms = create_map_dataset_geoms(geom, energy_axis_true=axes[0], migra_axis=migra)
    for name in ("psf", "edisp"):
        if getattr(observation, name) is None:
            geoms.pop(f"geom_{name}")
    return MapDataset.from_geoms(**geoms, name=_name(observation) if dataset_name is None else dataset_name)


def _name(observation: Any) -> str:
    return f"obs_{observation.obs_id}"


def _best(values: Any) -> float:
    """Value which a tenth of the positive ones are below; NaN if there is none."""
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values) & (values > 0)]
    return float(np.quantile(values, _BEST)) if len(values) else float("nan")


def _energy_axes(observation: Any, true: Any, reco: Any, most: int) -> tuple[Any, Any]:
    psf, bkg, edisp = observation.psf, observation.bkg, observation.edisp
    resolution = float("nan") if edisp is None else _resolution(edisp)
    number = int(most) if not resolution > 0 else int(np.clip(np.rint(2 / resolution), 1, most))

    def over(axis: Any, name: str) -> Any:
        edges = axis.edges
        return MapAxis.from_energy_bounds(edges[0], edges[-1], nbin=number, per_decade=True, name=name)

    own = (observation.aeff if psf is None else psf).axes["energy_true"]
    true = over(own, "energy_true") if true is None else true
    return true, over(own if bkg is None else bkg.axes["energy"], "energy") if reco is None else reco


def _resolution(edisp: Any) -> float:
    """Standard deviation of the migration on the axis, in the energies where it is best."""
    migra = edisp.axes["migra"]
    weight = np.nan_to_num(np.asarray(edisp.data)[:, :, 0]) * migra.bin_width.to_value("")
    center, total = migra.center.to_value(""), weight.sum(axis=1)
    weight = np.divide(weight, total[:, None], out=np.zeros_like(weight), where=total[:, None] > 0)
    return _best(np.sqrt(np.clip(weight @ center**2 - (weight @ center) ** 2, 0, None)))


def _psf_size(observation: Any) -> u.Quantity:
    """Radius of 68 % containment on the axis, in the energies where it is best."""
    psf = observation.psf
    if psf is None:
        return _PIXEL
    offset = u.Quantity(max(float(psf.axes["offset"].center[0].to_value("deg")), 0.0), "deg")
    size = _best(psf.containment_radius(0.68, energy_true=psf.axes["energy_true"].center, offset=offset).to_value("deg"))
    return size * u.deg if size > 0 else _PIXEL


def create_map_dataset_from_observation(
    observation: Any,
    models: Any = None,
    dataset_name: str | None = None,
    energy_axis_true: Any = None,
    energy_axis: Any = None,
    energy_bin_per_decade_max: int = 30,
    spatial_width: Any = None,
    spatial_width_max: Any = _WIDTH_MAX,
    spatial_bin_size: Any = None,
    spatial_bin_size_min: Any = _BIN_SIZE_MIN,
    position: Any = None,
    frame: str = "icrs",
) -> Any:
    """Dataset with exposure, background, PSF and energy dispersion of an observation, and models, for simulations.

    Parameters
    ----------
    observation : Observation
        Observation; its events, if it has any, are not used.
    models : Models or list of models, optional
        Models. A background model is added if there is none among them.
    dataset_name, energy_axis_true, energy_axis, energy_bin_per_decade_max, spatial_width, spatial_width_max, \
spatial_bin_size, spatial_bin_size_min, position, frame
        See `create_empty_map_dataset_from_irfs`.

    Returns
    -------
    dataset : MapDataset
        Dataset with zero counts; what the observation has no response for is left out.

    Raises
    ------
    DataError
        If the observation has no effective area.
    """
    empty = create_empty_map_dataset_from_irfs(
        observation,
        dataset_name=dataset_name,
        energy_axis_true=energy_axis_true,
        energy_axis=energy_axis,
        energy_bin_per_decade_max=energy_bin_per_decade_max,
        spatial_width=spatial_width,
        spatial_width_max=spatial_width_max,
        spatial_bin_size=spatial_bin_size,
        spatial_bin_size_min=spatial_bin_size_min,
        position=position,
        frame=frame,
    )
    made = {"psf": "psf", "edisp": "edisp", "bkg": "background"}
    selection = ["exposure", *(part for irf, part in made.items() if getattr(observation, irf) is not None)]
    dataset = MapDatasetMaker(selection=selection).run(empty, observation)
    dataset.counts = empty.counts
    models = Models([] if models is None else models)
    own = [model for model in models if getattr(model, "datasets_names", None) is None or dataset.name in model.datasets_names]
    if dataset.background is not None and not any("fov-bkg" in model.tag for model in own):
        models = Models([*models, FoVBackgroundModel(dataset_name=dataset.name)])
    dataset.models = models
    return dataset
