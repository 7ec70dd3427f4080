"""Point spread functions in reconstructed energy, as made where true energies are not known."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, ClassVar

from astropy import units as u

from geminga.errors import UnsupportedError
from geminga.irf.psf.map import PSFMap

__all__ = ["RecoPSFMap"]


class RecoPSFMap(PSFMap):
    """PSF in reconstructed energy for each place of a field (see `PSFMap`)."""

    tag: ClassVar[str] = "psf_map_reco"
    required_axes: ClassVar[list[str]] = ["rad", "energy"]
    other_readers = MappingProxyType({})
    other_writers = MappingProxyType({})

    @classmethod
    def from_gauss(cls, energy_axis: Any, rad_axis: Any = None, sigma: Any = 0.1 * u.deg, geom: Any = None) -> Any:
        """Gaussian PSF, the same everywhere (see `PSFMap.from_gauss`)."""
        return super().from_gauss(energy_axis, rad_axis, sigma, geom)

    def containment(self, rad: Any, energy: Any, position: Any = None) -> u.Quantity:
        """Fraction of the PSF inside a radius (see `PSFMap.containment`)."""
        return super().containment(rad, energy, position)

    def containment_radius(self, fraction: Any, energy: Any, position: Any = None) -> u.Quantity:
        """Radius inside which a fraction of the PSF lies (see `PSFMap.containment_radius`)."""
        return super().containment_radius(fraction, energy, position)

    def containment_radius_map(self, energy: Any, fraction: float = 0.68) -> Any:
        """Map of the containment radius at an energy (see `PSFMap.containment_radius_map`)."""
        return super().containment_radius_map(energy, fraction)

    def plot_psf_vs_rad(  # type: ignore[override]
        self, ax: Any = None, energy: Any = [0.1, 1, 10] * u.TeV, **kwargs: Any
    ) -> Any:
        """Plot density against offset (see `PSFMap.plot_psf_vs_rad`)."""
        return super().plot_psf_vs_rad(ax=ax, energy_true=energy, **kwargs)

    def stack(self, other: Any, weights: Any = None, nan_to_num: bool = True) -> None:
        """Not offered: the exposure of a PSF in reconstructed energy depends on the spectrum.

        Raises
        ------
        UnsupportedError
            Always.
        """
        msg = "RecoPSFMap cannot be stacked, because its exposure depends on the spectrum; fit the datasets jointly."
        raise UnsupportedError(msg)
