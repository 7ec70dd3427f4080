"""Counts of one region in bins of energy."""

from __future__ import annotations

from typing import Any, NoReturn

from geminga.datasets import create, onoff, plot
from geminga.datasets.io import spectrum as files
from geminga.datasets.map.dataset import MapDataset
from geminga.datasets.map.onoff import MapDatasetOnOff
from geminga.errors import UnsupportedError

__all__ = ["SpectrumDataset", "SpectrumDatasetOnOff"]


def _create(
    cls: Any,
    /,
    geom: Any,
    energy_axis_true: Any = None,
    migra_axis: Any = None,
    reference_time: Any = "2000-01-01",
    name: str | None = None,
    meta_table: Any = None,
    **kwargs: Any,
) -> Any:
    """Empty dataset on a region.

    Parameters
    ----------
    geom : RegionGeom
        Region with an axis ``energy``.
    energy_axis_true, migra_axis
        See `create_map_dataset_geoms`.
    reference_time : Time or str
        Reference of the empty GTI.
    name : str, optional
        Name; random if not given.
    meta_table : Table, optional
        Table of the observations.
    **kwargs
        Further arguments of the class; they replace the empty maps.

    Returns
    -------
    dataset : SpectrumDataset
        With ``mask_safe`` false everywhere, without PSF.
    """
    geoms = create.create_map_dataset_geoms(geom=geom, energy_axis_true=energy_axis_true, migra_axis=migra_axis)
    geoms.pop("geom_psf")
    return cls.from_geoms(reference_time=reference_time, name=name, meta_table=meta_table, **geoms, **kwargs)


def _refuse(name: str, reason: str) -> Any:
    def refuse(self: Any, *args: Any, **kwargs: Any) -> NoReturn:
        msg = f"{self.tag} {self.name!r}: {name} is not offered for a spectrum: {reason}."
        raise UnsupportedError(msg)

    refuse.__name__ = name
    refuse.__doc__ = f"Not offered: {reason}."
    return refuse


class SpectrumDataset(MapDataset):
    """Counts of one region with background, exposure, energy dispersion, masks and models.

    As `MapDataset`, on a `RegionGeom`. Without PSF, a source is taken to lie wholly inside the region.
    """

    tag = "SpectrumDataset"

    create = classmethod(_create)  # type: ignore[assignment]

    cutout = _refuse("cutout", "it has one spatial bin")
    to_spectrum_dataset = _refuse("to_spectrum_dataset", "it is one already")
    plot_residuals_spatial = _refuse("plot_residuals_spatial", "it has one spatial bin; use plot_residuals_spectral")

    peek = plot.peek_spectrum
    plot_counts = plot.plot_counts
    plot_excess = plot.plot_excess
    plot_fit = plot.plot_fit
    plot_masks = plot.plot_masks
    plot_ratio = plot.plot_ratio


def _from_spectrum_dataset(cls: Any, /, *args: Any, **kwargs: Any) -> Any:
    """Dataset with off measurement from one with a known background; see `from_map_dataset`."""
    return cls.from_map_dataset(*args, **kwargs)


def _to_spectrum_dataset(self: Any, name: str | None = None) -> Any:
    """Dataset with the background, alpha times the off counts, as if it were known exactly; see `to_map_dataset`."""
    return onoff.to_map_dataset(self, name=name, cls=SpectrumDataset)


class SpectrumDatasetOnOff(MapDatasetOnOff):
    """Counts of one region with those of an off region, acceptances, exposure, energy dispersion, masks and models.

    As `MapDatasetOnOff`, on a `RegionGeom`. Without PSF, a source is taken to lie wholly inside the region.
    """

    tag = "SpectrumDatasetOnOff"

    create = classmethod(_create)  # type: ignore[assignment]
    from_spectrum_dataset = classmethod(_from_spectrum_dataset)
    to_spectrum_dataset = _to_spectrum_dataset  # type: ignore[assignment]

    from_dict = classmethod(files.from_dict)  # type: ignore[assignment]
    read = classmethod(files.read)  # type: ignore[assignment]
    to_dict = files.to_dict
    write = files.write  # type: ignore[assignment]

    cutout = _refuse("cutout", "it has one spatial bin")
    plot_residuals_spatial = _refuse("plot_residuals_spatial", "it has one spatial bin; use plot_residuals_spectral")

    peek = plot.peek_spectrum
    plot_counts = plot.plot_counts
    plot_excess = plot.plot_excess
    plot_fit = plot.plot_fit
    plot_masks = plot.plot_masks
    plot_ratio = plot.plot_ratio
