"""What all tables of point spread functions share."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u

from geminga.irf.base import IRF
from geminga.irf.psf import plot
from geminga.utils.array import array_stats_str

__all__ = ["PSF"]


class PSF(IRF):
    """Base of point spread functions: density against radius for each true energy and offset."""

    def containment(self, rad: Any, **kwargs: Any) -> u.Quantity:
        """Fraction within a radius."""
        raise NotImplementedError

    def containment_radius(self, fraction: Any, factor: int = 20, **kwargs: Any) -> u.Quantity:
        """Radius within which a fraction lies."""
        raise NotImplementedError

    def profiles(self, energy: Any, rad: Any, offset: Any) -> Any:
        """Density at energies, radii and offsets, as floats."""
        raise NotImplementedError

    def info(self, fraction: Any = (0.68, 0.95), energy_true: Any = [[1], [10]] * u.TeV, offset: Any = 0 * u.deg) -> str:
        """Summary of axes and containment radii.

        Parameters
        ----------
        fraction : sequence of float
            Fractions.
        energy_true, offset : Quantity
            Energies and offsets.
        """
        true = self.axes["energy_true"]
        lines = ["\nSummary PSF info", "----------------"]
        for label, values in (
            ("Theta", self.axes["offset"].center.to("deg")),
            ("Energy hi", true.edges[1:]),
            ("Energy lo", true.edges[:-1]),
        ):
            lines.append(array_stats_str(values, label).rstrip("\n"))
        for energy in np.ravel(u.Quantity(energy_true)):
            for place in np.ravel(u.Quantity(offset)):
                for value in np.ravel(fraction):
                    radius = self.containment_radius(fraction=float(value), energy_true=energy, offset=place)
                    lines.append(
                        f"{100 * value:.2f} containment radius at offset = {place} and energy_true = {energy:4.1f}: "
                        f"{u.Quantity(radius):5.3f}"
                    )
        return "\n".join(lines) + "\n"

    peek = plot.peek_psf
    plot_containment_radius = plot.plot_containment_radius
    plot_containment_radius_vs_energy = plot.plot_containment_radius_vs_energy
    plot_psf_vs_rad = plot.plot_psf_vs_rad
