"""What response functions of observations have in common: numbers by which observations can be grouped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from astropy import units as u
from astropy.table import Table

from geminga.errors import DataError, InputError, NameLookupError
from geminga.utils.cluster import standard_scaler
from geminga.utils.units import as_quantity

__all__ = ["get_irfs_features"]


def _bias(observation: Any, energy: u.Quantity, offset: u.Quantity, fraction: float) -> u.Quantity:
    return u.Quantity(observation.edisp.to_edisp_kernel(offset=offset).get_bias(energy))


def _resolution(observation: Any, energy: u.Quantity, offset: u.Quantity, fraction: float) -> u.Quantity:
    return u.Quantity(observation.edisp.to_edisp_kernel(offset=offset).get_resolution(energy))


def _radius(observation: Any, energy: u.Quantity, offset: u.Quantity, fraction: float) -> u.Quantity:
    return u.Quantity(observation.psf.containment_radius(fraction, energy_true=energy, offset=offset)).to("deg")


# Features by name: the response they are of, and how they are made.
_FEATURES: dict[str, tuple[str, Callable[..., u.Quantity]]] = {
    "edisp-bias": ("edisp", _bias),
    "edisp-res": ("edisp", _resolution),
    "psf-radius": ("psf", _radius),
}


def get_irfs_features(
    observations: Any,
    energy_true: Any,
    position: Any = None,
    fixed_offset: Any = None,
    names: Any = None,
    containment_fraction: float = 0.68,
    apply_standard_scaler: bool = False,
) -> Table:
    """Numbers that describe the response functions of observations.

    Parameters
    ----------
    observations : Observations
        Observations.
    energy_true : Quantity
        True energy.
    position : SkyCoord, optional
        Position of the source; its offset from each pointing counts.
    fixed_offset : Quantity, optional
        Offset for all, instead of a position; 0 if neither is given.
    names : str or list of str, optional
        Of ``edisp-bias``, ``edisp-res`` and ``psf-radius``; all by default.
    containment_fraction : float
        Fraction of the PSF in its radius.
    apply_standard_scaler : bool
        Bring numbers to mean 0 and standard deviation 1.

    Returns
    -------
    features : Table
        A column for each name, and ``obs_id``; how they were made is in its meta data.

    Raises
    ------
    NameLookupError
        If a name is not known.
    InputError
        If both position and offset are given.
    DataError
        If an observation lacks a response.

    Examples
    --------
    >>> from geminga.data import DataStore, get_irfs_features
    >>> store = DataStore.from_dir("$GAMMAPY_DATA/hess-dl3-dr1")  # doctest: +SKIP
    >>> get_irfs_features(store.get_observations([23523, 23526]), "1 TeV", fixed_offset="0.5 deg")  # doctest: +SKIP
    """
    wanted = list(_FEATURES) if names is None else [names] if isinstance(names, str) else list(names)
    unknown = [name for name in wanted if name not in _FEATURES]
    if unknown:
        msg = f"get_irfs_features: {unknown} are not known; expected some of {', '.join(_FEATURES)}."
        raise NameLookupError(msg)
    if position is not None and fixed_offset is not None:
        msg = "get_irfs_features got a position and a fixed_offset; give one of them."
        raise InputError(msg)
    energy = as_quantity(energy_true, "TeV", "energy_true")
    places = [(observation, _offset(observation, position, fixed_offset)) for observation in observations]
    table = Table()
    for name in wanted:
        table[name] = u.Quantity([_feature(one, name, energy, offset, containment_fraction) for one, offset in places])
    table["obs_id"] = [observation.obs_id for observation, _ in places]
    if apply_standard_scaler:
        table = standard_scaler(table)
    table.meta = {
        "energy_true": energy,
        "containment_fraction": containment_fraction,
        "apply_standard_scaler": apply_standard_scaler,
    }
    where = {"position": position, "fixed_offset": fixed_offset}
    table.meta |= {key: value for key, value in where.items() if value is not None}
    return table


def _feature(observation: Any, name: str, energy: u.Quantity, offset: u.Quantity, fraction: float) -> u.Quantity:
    """One number of one observation.

    Raises
    ------
    DataError
        If the observation lacks the response.
    """
    irf, make = _FEATURES[name]
    if getattr(observation, irf) is None:
        msg = f"get_irfs_features: observation {observation.obs_id} has no {irf}, which {name!r} needs."
        raise DataError(msg)
    return u.Quantity(np.squeeze(make(observation, energy, offset, fraction)))


def _offset(observation: Any, position: Any, fixed_offset: Any) -> u.Quantity:
    if position is not None:
        return u.Quantity(
            position.icrs.separation(observation.pointing.get_icrs(observation.tmid, observation.observatory_earth_location))
        )
    return as_quantity(0 if fixed_offset is None else fixed_offset, "deg", "fixed_offset")
