"""Empty datasets from geometries."""

from __future__ import annotations

from typing import Any

import astropy.units as u

from geminga.data import GTI
from geminga.errors import GeometryError
from geminga.irf import EDispKernelMap, EDispMap, PSFMap, RecoPSFMap
from geminga.maps import Map, MapAxis

__all__ = ["MIGRA_AXIS_DEFAULT", "RAD_AXIS_DEFAULT", "create", "create_map_dataset_geoms", "from_geoms"]

BINSZ_IRF_DEFAULT = u.Quantity(0.2, "deg")
RAD_AXIS_DEFAULT = MapAxis.from_bounds(0, 0.66, nbin=66, node_type="edges", name="rad", unit="deg")
MIGRA_AXIS_DEFAULT = MapAxis.from_bounds(0.2, 5, nbin=48, node_type="edges", name="migra")


def create_map_dataset_geoms(
    geom: Any,
    energy_axis_true: Any = None,
    migra_axis: Any = None,
    rad_axis: Any = None,
    binsz_irf: Any = BINSZ_IRF_DEFAULT,
    reco_psf: bool = False,
) -> dict[str, Any]:
    """Geometries of all maps of a dataset.

    Parameters
    ----------
    geom : WcsGeom or RegionGeom
        Geometry of counts and background, with an axis ``energy``.
    energy_axis_true : MapAxis, optional
        True energies of the responses; those of `geom` if not given.
    migra_axis : MapAxis, optional
        Makes the energy dispersion a map in migration instead of one of kernels.
    rad_axis : MapAxis, optional
        Offsets at which the PSF is tabulated; 66 bins up to 0.66 deg if not given.
    binsz_irf : Quantity
        Pixel size of PSF and energy dispersion.
    reco_psf : bool
        Tabulate the PSF in reconstructed energy.

    Returns
    -------
    geoms : dict
        Keys ``geom``, ``geom_exposure``, ``geom_psf``, ``geom_edisp``.

    Raises
    ------
    GeometryError
        If `geom` has no axis ``energy`` or `energy_axis_true` has another name than ``energy_true``.
    """
    if "energy" not in geom.axes.names:
        msg = f"create_map_dataset_geoms: the geometry has axes {geom.axes.names}; expected an axis named 'energy'."
        raise GeometryError(msg)
    energy_axis = geom.axes["energy"]
    if energy_axis_true is None:
        energy_axis_true = energy_axis.copy(name="energy_true")
    elif energy_axis_true.name != "energy_true":
        msg = f"energy_axis_true is named {energy_axis_true.name!r}; expected 'energy_true' (MapAxis(..., name='energy_true'))."
        raise GeometryError(msg)
    image = geom.to_image()
    image_irf = image.to_binsz(binsz=binsz_irf)
    first = energy_axis if migra_axis is None else migra_axis
    return {
        "geom": geom,
        "geom_exposure": image.to_cube([energy_axis_true]),
        "geom_psf": image_irf.to_cube([rad_axis or RAD_AXIS_DEFAULT, energy_axis if reco_psf else energy_axis_true]),
        "geom_edisp": image_irf.to_cube([first, energy_axis_true]),
    }


def from_geoms(
    cls: Any,
    /,
    geom: Any,
    geom_exposure: Any = None,
    geom_psf: Any = None,
    geom_edisp: Any = None,
    reference_time: Any = "2000-01-01",
    name: str | None = None,
    **kwargs: Any,
) -> Any:
    """Dataset with empty maps on the given geometries; those not given are left out.

    Parameters
    ----------
    geom : Geom
        Geometry of counts, background and masks.
    geom_exposure, geom_psf, geom_edisp : Geom, optional
        Geometries with axes (``energy_true``), (``rad``, ``energy_true`` or ``energy``) and
        (``energy`` or ``migra``, ``energy_true``).
    reference_time : Time or str
        Reference of the empty GTI.
    name : str, optional
        Name; random if not given.
    **kwargs
        Further arguments of the class; they replace the empty maps.

    Returns
    -------
    dataset : MapDataset
        With ``mask_safe`` false everywhere.
    """
    return cls(**(empty_parts(cls, geom, geom_exposure, geom_psf, geom_edisp, reference_time) | {"name": name} | kwargs))


def _diagonal_edisp(geom: Any) -> Any:
    """Perfect energy dispersion without exposure: of no weight when stacked, and of use where only an exposure is filled in."""
    true, first = geom.axes["energy_true"], geom.axes[0]
    if first.name == "migra":
        edisp, diagonal = EDispMap.from_geom(geom), EDispMap.from_diagonal_response(true, first).edisp_map
    else:
        edisp, diagonal = EDispKernelMap.from_geom(geom), EDispKernelMap.from_diagonal_response(first, true).edisp_map
    edisp.edisp_map.data[...] = diagonal.frozen_data[..., :1, :1]
    return edisp


def empty_parts(cls: Any, geom: Any, geom_exposure: Any, geom_psf: Any, geom_edisp: Any, reference_time: Any) -> dict[str, Any]:
    """Maps of an empty dataset of class `cls`."""
    parts: dict[str, Any] = {part: Map.from_geom(geom, unit="") for part in cls.empty_maps}
    parts["mask_safe"] = Map.from_geom(geom, unit="", dtype=bool)
    if geom_exposure is not None:
        parts["exposure"] = Map.from_geom(geom_exposure, unit="m2 s")
    if geom_psf is not None:
        psf = PSFMap if "energy_true" in geom_psf.axes.names else RecoPSFMap
        parts["psf"] = psf.from_geom(geom_psf)
    if geom_edisp is not None:
        parts["edisp"] = _diagonal_edisp(geom_edisp)
    parts["gti"] = GTI.create([] * u.s, [] * u.s, reference_time=reference_time)
    return parts


def create(
    cls: Any,
    /,
    geom: Any,
    energy_axis_true: Any = None,
    migra_axis: Any = None,
    rad_axis: Any = None,
    binsz_irf: Any = BINSZ_IRF_DEFAULT,
    reference_time: Any = "2000-01-01",
    name: str | None = None,
    meta_table: Any = None,
    reco_psf: bool = False,
    **kwargs: Any,
) -> Any:
    """Empty dataset on a geometry.

    Parameters
    ----------
    geom : WcsGeom
        Geometry of counts and background, with an axis ``energy``.
    energy_axis_true, migra_axis, rad_axis, binsz_irf, reco_psf
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
    dataset : MapDataset
        With ``mask_safe`` false everywhere.

    Examples
    --------
    >>> from geminga.datasets import MapDataset
    >>> from geminga.maps import MapAxis, WcsGeom
    >>> axis = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=3)
    >>> geom = WcsGeom.create(skydir=(83.63, 22.01), width=2, binsz=0.1, axes=[axis])
    >>> MapDataset.create(geom, name="empty").counts.data.shape
    (3, 20, 20)
    """
    geoms = create_map_dataset_geoms(
        geom=geom,
        energy_axis_true=energy_axis_true,
        migra_axis=migra_axis,
        rad_axis=rad_axis,
        binsz_irf=binsz_irf,
        reco_psf=reco_psf,
    )
    return cls.from_geoms(reference_time=reference_time, name=name, meta_table=meta_table, **geoms, **kwargs)
