"""Radius within which events of a point-like analysis are counted."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from astropy import units as u

from geminga.errors import FormatError, InputError
from geminga.irf import plot
from geminga.irf.base import IRF

__all__ = ["RadMax2D"]


class RadMax2D(IRF):
    """Radius for each reconstructed energy and offset, within which the other responses of a point-like analysis hold.

    Parameters
    ----------
    axes : list of MapAxis
        ``energy`` and ``offset``.
    data : array or Quantity
        Radius, shape (energy, offset), deg unless `unit` says otherwise.

    Examples
    --------
    >>> from geminga.irf import RadMax2D
    >>> from geminga.maps import MapAxis
    >>> energy = MapAxis.from_energy_bounds("0.1 TeV", "10 TeV", nbin=2)
    >>> offset = MapAxis.from_edges([0, 2], unit="deg", name="offset")
    >>> rad_max = RadMax2D([energy, offset], data=[[0.2], [0.1]])
    >>> print(rad_max.evaluate(energy="1 TeV", offset="0.5 deg").round(3), rad_max.is_fixed_rad_max)
    0.15 deg False
    """

    tag: ClassVar[str] = "rad_max_2d"
    required_axes: ClassVar[list[str]] = ["energy", "offset"]
    default_unit: ClassVar[u.UnitBase] = u.deg
    has_fixed_unit: ClassVar[bool] = True

    @classmethod
    def from_irf(cls, irf: Any) -> RadMax2D:
        """Radius given in the header of a point-like response, as a table with one bin.

        Parameters
        ----------
        irf : EffectiveAreaTable2D or EnergyDispersion2D
            Response with ``RAD_MAX`` (deg) in its meta data.

        Raises
        ------
        InputError
            If the response is not point-like.
        FormatError
            If it has no radius, or one that is not a positive number.
        """
        if not irf.is_pointlike:
            msg = f"RadMax2D.from_irf: the {type(irf).__name__} is not point-like, so it has no RAD_MAX."
            raise InputError(msg)
        value = irf.meta.get("RAD_MAX")
        try:
            radius = float(value)
        except (TypeError, ValueError):
            radius = np.nan
        if not radius > 0:
            msg = f"RadMax2D.from_irf: the {type(irf).__name__} has RAD_MAX={value!r} in its meta data; expected a radius in deg."
            raise FormatError(msg)
        energy = irf.axes["energy_true"].copy(name="energy").squash()
        return cls(axes=[energy, irf.axes["offset"].squash()], data=np.array([[radius]]), unit="deg", is_pointlike=True)

    @property
    def is_fixed_rad_max(self) -> bool:
        """Whether there is one radius for all energies and offsets."""
        return all(axis.nbin == 1 for axis in self.axes)

    plot_rad_max_vs_energy = plot.plot_rad_max_vs_energy
