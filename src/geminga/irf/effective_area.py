"""Effective area."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from astropy import units as u

from geminga.errors import NameLookupError
from geminga.irf import plot
from geminga.irf.base import IRF
from geminga.maps import MapAxis

__all__ = ["EffectiveAreaTable2D"]

# g1 (cm2), g2, g3 (MeV) of g1 (E/MeV)^-g2 exp(-g3/E): Abramowski et al. 2010, MNRAS 402, 1342, appendix B.
_PARAMETRIZATIONS = MappingProxyType(
    {"HESS": (6.85e9, 0.0891, 5e5), "HESS2": (2.05e9, 0.0891, 1e5), "CTAO": (1.71e11, 0.0891, 1e5)}
)


class EffectiveAreaTable2D(IRF):
    """Effective area against true energy and offset from the pointing.

    Parameters
    ----------
    axes : list of MapAxis
        ``energy_true`` and ``offset``.
    data : array or Quantity
        Area, shape (energy_true, offset), m2 unless `unit` says otherwise.

    Examples
    --------
    >>> from geminga.irf import EffectiveAreaTable2D
    >>> aeff = EffectiveAreaTable2D.from_parametrization(instrument="HESS")
    >>> print(aeff.evaluate(energy_true="1 TeV", offset="0.5 deg").to("m2").round(-2))
    121300.0 m2
    """

    tag: ClassVar[str] = "aeff_2d"
    required_axes: ClassVar[list[str]] = ["energy_true", "offset"]
    default_unit: ClassVar[u.UnitBase] = u.m**2
    has_fixed_unit: ClassVar[bool] = True
    plotted_name: ClassVar[str] = "Effective area"

    @classmethod
    def from_parametrization(cls, energy_axis_true: Any = None, instrument: str = "HESS") -> Any:
        """Area by a formula (Abramowski et al. 2010, MNRAS 402, 1342, appendix B), the same at all offsets up to 5 deg.

        Parameters
        ----------
        energy_axis_true : MapAxis, optional
            True energies; 2 GeV to 200 TeV in 100 bins if not given.
        instrument : {"HESS", "HESS2", "CTAO"}
            Instrument.

        Raises
        ------
        NameLookupError
            If the instrument is none of these.
        """
        if instrument not in _PARAMETRIZATIONS:
            known = ", ".join(_PARAMETRIZATIONS)
            msg = f"EffectiveAreaTable2D: there is no parametrization for {instrument!r}; known instruments: {known}."
            raise NameLookupError(msg)
        if energy_axis_true is None:
            energy_axis_true = MapAxis.from_energy_bounds("2 GeV", "200 TeV", nbin=20, per_decade=True, name="energy_true")
            energy_axis_true = energy_axis_true.copy(unit="TeV")
        g1, g2, g3 = _PARAMETRIZATIONS[instrument]
        energy = energy_axis_true.center.to_value("MeV")
        data = g1 * energy**-g2 * np.exp(-g3 / energy)
        offset = MapAxis.from_edges([0.0, 5.0], unit="deg", name="offset")
        return cls(axes=[energy_axis_true, offset], data=data[:, np.newaxis], unit="cm2", meta={"TELESCOP": instrument})

    peek = plot.peek_aeff
    plot_energy_dependence = plot.plot_energy_dependence
    plot_offset_dependence = plot.plot_offset_dependence
    # The name of the module is taken from here on.
    plot = plot.plot_table
