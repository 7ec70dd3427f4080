"""Energy dispersion for each place of a field: as a density in migra, or as kernels for fixed bins of energy."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from geminga.errors import InputError, UnsupportedError
from geminga.irf import plot
from geminga.irf.edisp.kernel import EDispKernel
from geminga.irf.edisp.migra import kernel_from_migra, normalized
from geminga.irf.io import fermi
from geminga.irf.map import IRFMap, own_map, same_everywhere
from geminga.irf.place import values_at
from geminga.irf.sample import draw_along
from geminga.maps import Map, MapAxis, MapCoord
from geminga.utils.random import get_random_state

__all__ = ["EDispKernelMap", "EDispMap"]

Array = NDArray[np.float64]


class EDispMap(IRFMap):
    """Density in ``migra``, the ratio of reconstructed to true energy, for each place of a field.

    Parameters
    ----------
    edisp_map : Map
        Density with axes ``migra`` and ``energy_true``.
    exposure_map : Map, optional
        Exposure with a squashed ``migra`` axis.
    """

    tag: ClassVar[str] = "edisp_map"
    required_axes: ClassVar[list[str]] = ["migra", "energy_true"]
    hdu_name: ClassVar[str] = "EDISP"

    def __init__(self, edisp_map: Any, exposure_map: Any = None) -> None:
        super().__init__(edisp_map, exposure_map)

    def _steps(self, axis: Any) -> Array:
        return np.diff(axis.edges.value)

    edisp_map = own_map()

    @classmethod
    def from_diagonal_response(cls, energy_axis_true: Any, migra_axis: Any = None) -> Any:
        """No dispersion: all of the probability at migra 1.

        Parameters
        ----------
        energy_axis_true : MapAxis
            True energies.
        migra_axis : MapAxis, optional
            Axis, whose bin (or two bins, if it has an edge there) at 1 gets the probability; by default three bins so narrow
            that there is no dispersion.

        Raises
        ------
        InputError
            If 1 is not inside the axis.
        """
        axis = MapAxis.from_bounds(1 - 1e-5, 1 + 1e-5, nbin=3, name="migra") if migra_axis is None else migra_axis
        density = np.zeros((energy_axis_true.nbin, axis.nbin))
        edges = axis.edges.value
        if not edges[0] < 1 < edges[-1]:
            msg = f"EDispMap.from_diagonal_response: migra_axis goes from {edges[0]} to {edges[-1]}; it must contain 1."
            raise InputError(msg)
        # On an edge both neighbours share it, so that the mean is one.
        nearest = int(np.argmin(np.abs(edges - 1)))
        index = int(np.searchsorted(edges, 1.0, side="right")) - 1
        touching = [nearest - 1, nearest] if np.isclose(edges[nearest], 1.0, rtol=0, atol=1e-9) else [index]
        density[:, touching] = 1.0 / (edges[touching[-1] + 1] - edges[touching[0]])
        return cls(*same_everywhere(density, [axis, energy_axis_true]))

    def normalize(self) -> None:
        """Make the integral over ``migra`` one, in place; zero stays zero."""
        self.edisp_map.normalize("migra")

    def _values_at(self, position: Any) -> Array:
        values = np.clip(values_at(self.edisp_map, position), 0, None)
        return normalized(values, self.edisp_map.geom.axes["migra"].edges.value)

    def kernel_matrix_at(self, position: Any = None, energy_axis: Any = None, n_average: int = 1) -> Array:
        """Matrix at a position, shape (n_true, n_reco), for the bins of true energy if no axis is given."""
        axes = self.edisp_map.geom.axes
        true = axes["energy_true"]
        reco = true if energy_axis is None else energy_axis
        edges = reco.edges.to_value(true.unit)
        return kernel_from_migra(axes["migra"].edges.value, self._values_at(position), true.edges.value, edges, 1e-8, n_average)

    def get_edisp_kernel(self, energy_axis: Any, position: Any = None, *, n_average: int = 1) -> EDispKernel:
        """Kernel at a position, for an axis of reconstructed energy.

        Parameters
        ----------
        energy_axis : MapAxis
            Reconstructed energy.
        position : SkyCoord, optional
            Place; the centre of the map if not given.
        n_average : int
            Number of energies in each bin of true energy over which the kernel is averaged, weighted by E^-2; 1 takes the
            centre of the bin, which is coarse where bins are wider than the resolution.
        """
        axes = [self.edisp_map.geom.axes["energy_true"], energy_axis]
        return EDispKernel(axes=axes, data=self.kernel_matrix_at(position, energy_axis, n_average))

    def sample_coord(self, map_coord: Any, random_state: Any = 0, chunk_size: int = 10000) -> Any:
        """Draw reconstructed energies for given positions and true energies.

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
            The same positions, reconstructed energies; NaN where the response is zero at all nodes of the map around.
        """
        axis, rng = self.edisp_map.geom.axes["migra"], get_random_state(random_state)
        migra = draw_along(self.edisp_map, map_coord, axis, np.diag(axis.bin_width.value), axis.edges.value, rng)
        energy = map_coord["energy_true"] * migra
        return MapCoord.create({"lon": map_coord.lon, "lat": map_coord.lat, "energy": energy}, frame=map_coord.frame)

    def to_edisp_kernel_map(self, energy_axis: Any, threshold: float = 1e-8, *, n_average: int = 1) -> EDispKernelMap:
        """Kernels for an axis of reconstructed energy, on the same pixels.

        Parameters
        ----------
        energy_axis : MapAxis
            Reconstructed energy.
        threshold : float
            Smaller probabilities are zero.
        n_average : int
            Energies in each bin of true energy, see `get_edisp_kernel`.
        """
        geom = self.edisp_map.geom
        migra, true = geom.axes["migra"], geom.axes["energy_true"]
        density = np.nan_to_num(self.edisp_map.frozen_data.astype(float))
        kernel = kernel_from_migra(
            migra.edges.value, density, true.edges.value, energy_axis.edges.to_value(true.unit), threshold, n_average
        )
        cube = geom.to_image().to_cube([energy_axis, true])
        kernel_map = Map.from_geom(cube, data=kernel, unit="", dtype=float)
        exposure = None
        if self.exposure_map is not None:
            exposure_geom = cube.squash("energy")
            data = self.exposure_map.frozen_data.reshape(exposure_geom.data_shape).copy()
            exposure = Map.from_geom(exposure_geom, data=data, unit=self.exposure_map.unit, meta=self.exposure_map.meta)
        return EDispKernelMap(kernel_map, exposure)

    peek = plot.peek_edisp_map


class EDispKernelMap(IRFMap):
    """Probability for each bin of reconstructed energy, for each place of a field.

    Parameters
    ----------
    edisp_kernel_map : Map
        Probability with axes ``energy`` and ``energy_true``.
    exposure_map : Map, optional
        Exposure with a squashed ``energy`` axis.
    """

    tag: ClassVar[str] = "edisp_kernel_map"
    required_axes: ClassVar[list[str]] = ["energy", "energy_true"]
    hdu_name: ClassVar[str] = "EDISP"
    other_readers = MappingProxyType({"gtdrm": fermi.read_gtdrm})

    def __init__(self, edisp_kernel_map: Any, exposure_map: Any = None) -> None:
        super().__init__(edisp_kernel_map, exposure_map)

    def _steps(self, axis: Any) -> Array:
        return np.ones(axis.nbin)

    edisp_map = own_map()

    @classmethod
    def from_edisp_kernel(cls, edisp: Any, geom: Any = None) -> Any:
        """The same kernel everywhere."""
        axes = [edisp.axes["energy"], edisp.axes["energy_true"]]
        return cls(*same_everywhere(np.asarray(edisp.pdf_matrix, dtype=float), axes, geom))

    @classmethod
    def from_diagonal_response(cls, energy_axis: Any, energy_axis_true: Any, geom: Any = None) -> Any:
        """No dispersion, everywhere."""
        return cls.from_edisp_kernel(EDispKernel.from_diagonal_response(energy_axis_true, energy_axis), geom)

    @classmethod
    def from_gauss(
        cls, energy_axis: Any, energy_axis_true: Any, sigma: Any, bias: Any, pdf_threshold: float = 1e-6, geom: Any = None
    ) -> Any:
        """Gaussian in migra, everywhere (see `EDispKernel.from_gauss`)."""
        kernel = EDispKernel.from_gauss(energy_axis_true, energy_axis, sigma, bias, pdf_threshold)
        return cls.from_edisp_kernel(kernel, geom)

    def sample_coord(self, map_coord: Any, random_state: Any = 0, chunk_size: int = 10000) -> Any:
        """Draw reconstructed energies for given positions and true energies.

        Where in its bin an energy lies is not known to a kernel; they are uniform in its logarithm.

        Parameters
        ----------
        map_coord : MapCoord
            Positions and true energies.
        random_state : int, RandomState or Generator
            Seed.
        chunk_size : int
            No effect, all coordinates are handled together; kept for likeness with `EDispMap.sample_coord`.

        Returns
        -------
        coords : MapCoord
            The same positions, reconstructed energies; NaN for events which the kernel loses.
        """
        axis, true = self.edisp_map.geom.axes["energy"], self.edisp_map.geom.axes["energy_true"]
        rng = get_random_state(random_state)
        # A kernel holds for a whole bin of true energy, so that the bin counts, not the distance from its centre.
        place = true.coord_to_idx(map_coord["energy_true"], clip=True)
        coords = MapCoord.create({"lon": map_coord.lon, "lat": map_coord.lat, "energy_true": true.center[place]}, map_coord.frame)
        edges = np.log(axis.edges.to_value(true.unit))
        energy = np.exp(draw_along(self.edisp_map, coords, axis, np.eye(axis.nbin), edges, rng, is_complete=False))
        energy = np.where(true.coord_to_idx(map_coord["energy_true"]) < 0, np.nan, energy) * true.unit
        return MapCoord.create({"lon": map_coord.lon, "lat": map_coord.lat, "energy": energy}, frame=map_coord.frame)

    def kernel_matrix_at(self, position: Any = None, energy_axis: Any = None) -> Array:
        """Matrix of the pixel nearest to a position, shape (n_true, n_reco)."""
        return values_at(self.edisp_map, position, nearest=True)

    def get_edisp_kernel(self, position: Any = None, energy_axis: Any = None) -> EDispKernel:
        """Kernel at a position.

        Parameters
        ----------
        position : SkyCoord, optional
            Place; the centre of the map if not given.
        energy_axis : MapAxis, optional
            Must be the map's own axis, if given.

        Raises
        ------
        UnsupportedError
            If another axis is asked for: kernels cannot be rebinned to it.
        """
        own = self.edisp_map.geom.axes["energy"]
        if energy_axis is not None and not own.is_allclose(energy_axis):
            msg = f"EDispKernelMap has fixed bins {own.edges}; it gives no kernel for other bins. Use an EDispMap."
            raise UnsupportedError(msg)
        axes = [self.edisp_map.geom.axes["energy_true"], own]
        return EDispKernel(axes=axes, data=self.kernel_matrix_at(position))

    def to_image(self, weights: Any = None) -> Any:
        """Join all reconstructed energies into one bin.

        Parameters
        ----------
        weights : Map, optional
            Weight of each reconstructed energy, such as a safe mask.
        """
        axis = self.edisp_map.geom.axes["energy"].squash()
        return self.resample_energy_axis(axis, weights=weights)

    def resample_energy_axis(self, energy_axis: Any, weights: Any = None) -> Any:
        """Join reconstructed energies into the bins of another axis.

        Parameters
        ----------
        energy_axis : MapAxis
            New axis; its edges are moved to those of the present one.
        weights : Map, optional
            Weight of each reconstructed energy, such as a safe mask.
        """
        if weights is not None:
            data = np.asarray(weights.frozen_data)[None] if weights.frozen_data.ndim == 3 else weights.frozen_data
            own = self.edisp_map.copy(data=self.edisp_map.frozen_data * data)
        else:
            own = self.edisp_map
        new = own.resample_axis(axis=energy_axis.copy(name="energy"))
        exposure = self.exposure_map
        if exposure is not None:
            geom = new.geom.squash("energy")
            exposure = Map.from_geom(
                geom, data=exposure.frozen_data.reshape(geom.data_shape).copy(), unit=exposure.unit, meta=exposure.meta
            )
        return type(self)(new, exposure)

    peek = plot.peek_edisp_map
