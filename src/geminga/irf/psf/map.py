"""Point spread functions for each place of a field."""

from __future__ import annotations

import logging
from functools import lru_cache
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import GeometryError, InputError
from geminga.irf import plot
from geminga.irf.defaults import rad_axis_default
from geminga.irf.io import fermi
from geminga.irf.map import IRFMap, own_map, same_everywhere
from geminga.irf.place import values_at
from geminga.irf.psf.kernel import PSFKernel, kernel_images, spectral_weights, tabulated_profile
from geminga.irf.sample import draw_along
from geminga.maps import Map, MapCoord
from geminga.numerics.radial import ring_masses
from geminga.numerics.sphere import offset_by
from geminga.utils.random import get_random_state
from geminga.utils.units import as_quantity, values_in

__all__ = ["PSFMap"]

log = logging.getLogger(__name__)

Array = NDArray[np.float64]

_DENSITY = u.Unit("sr-1")


class PSFMap(IRFMap):
    """PSF in true energy for each place of a field.

    Parameters
    ----------
    psf_map : Map
        Density in sr-1 with axes ``rad`` and ``energy_true``.
    exposure_map : Map, optional
        Exposure with a squashed ``rad`` axis.

    Examples
    --------
    >>> from geminga.irf import PSFMap
    >>> from geminga.maps import MapAxis
    >>> axis = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2, name="energy_true")
    >>> psf = PSFMap.from_gauss(axis, sigma="0.1 deg")
    >>> psf.containment_radius(fraction=0.393, energy_true="1 TeV").round(2)
    <Quantity [0.1] deg>
    """

    tag: ClassVar[str] = "psf_map"
    required_axes: ClassVar[list[str]] = ["rad", "energy_true"]
    default_unit: ClassVar[str] = "sr-1"
    hdu_name: ClassVar[str] = "PSF"
    other_readers = MappingProxyType({"gtpsf": fermi.read_gtpsf})
    other_writers = MappingProxyType({"gtpsf": fermi.gtpsf_hdus})

    def __init__(self, psf_map: Any, exposure_map: Any = None) -> None:
        super().__init__(psf_map, exposure_map)

    def _steps(self, axis: Any) -> Array:
        return np.asarray(np.pi * np.diff(axis.edges.to_value("rad") ** 2) * self.psf_map.unit.to(_DENSITY))

    @property
    def energy_name(self) -> str:
        """Name of the energy axis."""
        return self.required_axes[1]

    psf_map = own_map()

    # ---- making ------------------------------------------------------------------------------

    @classmethod
    def from_gauss(cls, energy_axis_true: Any, rad_axis: Any = None, sigma: Any = 0.1 * u.deg, geom: Any = None) -> Any:
        """Gaussian PSF, the same everywhere.

        The density is that of the Gaussian: what lies beyond the ``rad`` axis is missing from the integral over it.

        Parameters
        ----------
        energy_axis_true : MapAxis
            Energies.
        rad_axis : MapAxis, optional
            Offsets; 0 to 0.66 deg in 66 bins if not given.
        sigma : Quantity or str
            One width, or one for each energy.
        geom : Geom, optional
            Image geometry; two pixels for the whole sky if not given.

        Raises
        ------
        InputError
            If the number of widths is not that of the energies.
        """
        rad_axis = rad_axis_default() if rad_axis is None else rad_axis
        sigma = np.atleast_1d(values_in(sigma, "deg", "sigma"))
        if len(sigma) not in {1, energy_axis_true.nbin}:
            msg = (
                f"{cls.__name__}.from_gauss got {len(sigma)} widths for {energy_axis_true.nbin} energies; give one, or one each."
            )
            raise InputError(msg)
        if not (sigma > 0).all():
            msg = f"{cls.__name__}.from_gauss got sigma {sigma} deg; expected numbers above zero."
            raise InputError(msg)
        sigma = np.broadcast_to(sigma, energy_axis_true.nbin)[:, None]
        rad = rad_axis.center.to_value("deg")
        density = np.exp(-0.5 * (rad / sigma) ** 2) / (2 * np.pi * np.deg2rad(sigma) ** 2)
        return cls(*same_everywhere(density, [rad_axis, energy_axis_true], geom, unit="sr-1"))

    # ---- values ------------------------------------------------------------------------------

    def normalize(self) -> None:
        """Make the integral over the ``rad`` axis one, in place; zero stays zero."""
        self.psf_map.normalize("rad")

    def psf_values_at(self, position: Any = None) -> tuple[Array, Array]:
        """Radii and density at a position, interpolated between pixels and normalised over the ``rad`` axis.

        Parameters
        ----------
        position : SkyCoord or tuple of float, optional
            Place, or its longitude and latitude in deg in the frame of the map; the centre of the map if not given.

        Returns
        -------
        rad : array
            Shape (n_rad,), deg.
        values : array
            Shape (n_energy, n_rad), sr-1; zero where the map is.
        """
        axis = self.psf_map.geom.axes["rad"]
        values = np.clip(values_at(self.psf_map, position) * self.psf_map.unit.to(_DENSITY), 0, None)
        total = (values * _rings(axis)).sum(axis=1, keepdims=True)
        return _radii(axis).copy(), np.divide(values, total, out=np.zeros_like(values), where=total > 0)

    def _enclosed(self, position: Any) -> Array:
        """Fraction inside each edge of the ``rad`` axis, shape (n_energy, n_rad + 1)."""
        axis = self.psf_map.geom.axes["rad"]
        values = values_at(self.psf_map, position) * self.psf_map.unit.to(_DENSITY)
        sums = np.cumsum(values * _rings(axis), axis=1)
        return np.concatenate([np.zeros((len(sums), 1)), sums], axis=1)

    def _at_energy(self, values: Array, energy: Any) -> Array:
        """Rows of `values`, (n_energy, n), interpolated at energies (in ln E), shape (..., n)."""
        axis = self.psf_map.geom.axes[self.energy_name]
        energy = as_quantity(energy, axis.unit, self.energy_name)
        pix = np.clip(np.asarray(axis.coord_to_pix(energy), dtype=float), 0, axis.nbin - 1)
        low = np.minimum(pix.astype(int), max(axis.nbin - 2, 0))
        t = (pix - low)[..., None]
        return np.asarray(values[low] * (1 - t) + values[np.minimum(low + 1, axis.nbin - 1)] * t)

    def containment(self, rad: Any, energy_true: Any, position: Any = None) -> u.Quantity:
        """Fraction of the PSF inside a radius; beyond the ``rad`` axis that of the whole axis.

        Parameters
        ----------
        rad : Quantity
            Radius; broadcasts against the energy.
        energy_true : Quantity
            Energy.
        position : SkyCoord, optional
            Place; the centre of the map if not given.
        """
        axis = self.psf_map.geom.axes["rad"]
        rad_deg = np.atleast_1d(values_in(rad, "deg", "rad"))
        curves = self._at_energy(self._enclosed(position), np.atleast_1d(u.Quantity(energy_true)))
        edges = axis.edges.to_value("deg")
        place = np.clip(np.interp(rad_deg, edges, np.arange(len(edges))), 0, len(edges) - 1)
        shape = np.broadcast_shapes(place.shape, curves.shape[:-1])
        place = np.broadcast_to(place, shape)
        curves = np.broadcast_to(curves, (*shape, len(edges)))
        low = np.minimum(place.astype(int), len(edges) - 2)
        below = np.take_along_axis(curves, low[..., None], axis=-1)[..., 0]
        above = np.take_along_axis(curves, low[..., None] + 1, axis=-1)[..., 0]
        return u.Quantity(below + (above - below) * (place - low), "")

    def containment_radius(self, fraction: Any, energy_true: Any, position: Any = None) -> u.Quantity:
        """Radius inside which a fraction of the PSF lies, on a grid twenty times finer than the ``rad`` axis.

        Parameters
        ----------
        fraction : float or array
            Fraction; broadcasts against the energy.
        energy_true : Quantity
            Energy.
        position : SkyCoord, optional
            Place; the centre of the map if not given.
        """
        if not ((np.asarray(fraction) >= 0) & (np.asarray(fraction) <= 1)).all():
            msg = f"{type(self).__name__}.containment_radius: fraction is {fraction}; expected numbers from 0 to 1."
            raise InputError(msg)
        axis = self.psf_map.geom.axes["rad"]
        grid = axis.upsample(20).center
        energy = np.atleast_1d(u.Quantity(energy_true))
        shape = np.broadcast_shapes(np.shape(fraction), energy.shape)
        enclosed = self.containment(grid, energy[..., None], position).value
        enclosed = np.broadcast_to(enclosed, (*shape, len(grid)))
        nearest = np.argmin(np.abs(enclosed - np.broadcast_to(fraction, shape)[..., None]), axis=-1)
        return u.Quantity(grid[nearest])

    def containment_radius_map(self, energy_true: Any, fraction: float = 0.68) -> Any:
        """Map of the containment radius at an energy, deg."""
        image = self.psf_map.geom.to_image()
        axis = self.psf_map.geom.axes["rad"]
        values = self.psf_map.frozen_data.astype(float) * self.psf_map.unit.to(_DENSITY)
        sums = np.cumsum(values * _rings(axis)[:, None, None], axis=1)
        curves = self._at_energy(sums.reshape(len(sums), -1), energy_true).reshape(sums.shape[1], -1)
        edges = axis.edges.to_value("deg")
        grid = axis.upsample(20).center.to_value("deg")
        out = np.zeros(curves.shape[1])
        for j, curve in enumerate(curves.T):
            if curve[-1] > 0:
                enclosed = np.interp(grid, edges, np.concatenate([[0.0], curve]))
                out[j] = grid[np.argmin(np.abs(enclosed - fraction))]
        return Map.from_geom(image, data=out.reshape(image.data_shape), unit="deg", dtype=float)

    def get_psf_kernel(
        self, geom: Any, position: Any = None, max_radius: Any = None, containment: float = 0.999, precision_factor: int = 12
    ) -> PSFKernel:
        """Kernel to convolve a map with.

        Parameters
        ----------
        geom : WcsGeom
            Geometry of the map, with the energy axis of the PSF.
        position : SkyCoord, optional
            Place; the centre of the map if not given.
        max_radius : Quantity, optional
            Largest half side.
        containment : float
            Fraction which the kernel encloses.
        precision_factor : int
            Points of the average in the 68 % radius.

        Raises
        ------
        GeometryError
            If the geometry lacks the energy axis.
        """
        if self.energy_name not in geom.axes.names:
            msg = f"get_psf_kernel: the geometry has axes {geom.axes.names}, expected one named {self.energy_name!r}."
            raise GeometryError(msg)
        energy = geom.axes[self.energy_name].center
        position = self.psf_map.geom.center_skydir if position is None else position
        args = {self.energy_name: energy, "position": position}
        radius = self.containment_radius(containment, **args).to_value("deg")
        self._report_cut(containment, position)
        if max_radius is not None:
            radius = np.minimum(radius, values_in(max_radius, "deg", "max_radius"))
        image = geom.to_image()
        pixel = float(np.max(np.abs(image.pixel_scales.to_value("deg"))))
        r68 = np.maximum(self.containment_radius(0.68, **args).to_value("deg"), 1e-6)
        factors = np.clip(np.ceil(precision_factor / (2 * r68 / pixel)), 1, 4).astype(int)
        kernel_image = image.to_odd_npix(max_radius=float(radius.max()) * u.deg)
        rad, values = self.psf_values_at(position)
        edge = float(self.psf_map.geom.axes["rad"].edges[-1].to_value("deg"))
        profiles = [tabulated_profile(rad, row, edge) for row in self._at_energy(values, energy)]
        data = kernel_images(kernel_image, profiles, factors.tolist(), np.rint(radius / pixel).astype(int).tolist())
        kernel_geom = kernel_image.to_cube([geom.axes[self.energy_name]])
        return PSFKernel(Map.from_geom(kernel_geom, data=data, dtype=float))

    def _report_cut(self, containment: float, position: Any) -> None:
        """Say where the ``rad`` axis ends before the wanted containment is reached."""
        reached = self._enclosed(position)[:, -1]
        if ((reached > 0) & (reached < containment)).any():
            axis = self.psf_map.geom.axes["rad"]
            log.warning(
                "PSF kernel is cut at %s: that holds %.4f of the PSF, %s was asked.", axis.edges[-1], reached.min(), containment
            )

    def sample_coord(self, map_coord: Any, random_state: Any = 0, chunk_size: int = 10000) -> Any:
        """Draw positions around given ones according to the PSF.

        Parameters
        ----------
        map_coord : MapCoord
            Positions and true energies.
        random_state : int, RandomState or Generator
            Seed.
        chunk_size : int
            No effect, all coordinates are handled together; kept for scripts that give it.

        Returns
        -------
        coords : MapCoord
            Moved positions, the same energies; NaN where the PSF is zero at all nodes of the map around.
        """
        rng = get_random_state(random_state)
        axis = self.psf_map.geom.axes["rad"]
        rad, bounds = (tuple(nodes.to_value("deg").tolist()) for nodes in (axis.center, axis.edges))
        edges, measure = ring_masses(rad, bounds)
        # Uniform in area inside a ring.
        squared = draw_along(self.psf_map, map_coord, axis, measure, edges**2, rng)
        angle = rng.uniform(0, 2 * np.pi, size=squared.shape)
        lon, lat = offset_by(map_coord.phi, np.pi / 2 - map_coord.theta, angle, np.deg2rad(np.sqrt(squared)))
        energy = map_coord[self.energy_name]
        moved = {"lon": np.rad2deg(lon), "lat": np.rad2deg(lat), self.energy_name: energy}
        return MapCoord.create(moved, frame=map_coord.frame)

    def to_image(self, spectral_model: Any = None, keepdims: bool = True) -> Any:
        """PSF averaged over energy, weighted by exposure times spectrum.

        Parameters
        ----------
        spectral_model : SpectralModel, optional
            Spectrum; E^-2 if not given.
        keepdims : bool
            Keep the energy axis with one bin.
        """
        axis = self.psf_map.geom.axes[self.energy_name]
        spectral = spectral_weights(spectral_model, axis)
        weight = spectral[:, None, None, None]
        exposure = np.ones((axis.nbin, 1, 1, 1)) if self.exposure_map is None else self.exposure_map.frozen_data.astype(float)
        weight = weight * exposure
        total = weight.sum(axis=0)
        data = (weight * self.psf_map.frozen_data).sum(axis=0)
        data = np.divide(data, total, out=np.zeros_like(data), where=total > 0)
        geom = self.psf_map.geom.squash(self.energy_name)
        new = Map.from_geom(geom, data=data[None], unit=self.psf_map.unit, dtype=float)
        summed = None
        if self.exposure_map is not None:
            summed = Map.from_geom(
                self.exposure_map.geom.squash(self.energy_name),
                data=total[None] / spectral.sum(),
                unit=self.exposure_map.unit,
                dtype=float,
            )
        if not keepdims:
            return type(self)._without_check(new.slice_by_idx({self.energy_name: 0}), summed)
        return type(self)(new, summed)

    @classmethod
    def _without_check(cls, psf_map: Any, exposure_map: Any) -> Any:
        new = cls.__new__(cls)
        new._irf_map, new.exposure_map = psf_map, exposure_map
        return new

    peek = plot.peek_psf_map
    plot_containment_radius_vs_energy = plot.plot_containment_radius_vs_energy
    plot_psf_vs_rad = plot.plot_psf_vs_rad


@lru_cache(maxsize=32)
def _rings(axis: Any) -> Array:
    """Area of each bin of a ``rad`` axis, sr."""
    return np.asarray(2 * np.pi * axis.center.to_value("rad") * axis.bin_width.to_value("rad"))


@lru_cache(maxsize=32)
def _radii(axis: Any) -> Array:
    """Centres of the bins of a ``rad`` axis, deg."""
    return np.asarray(axis.center.to_value("deg"))
