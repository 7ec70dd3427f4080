"""The PSF as a small image for each energy, to convolve maps with."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from astropy import units as u

from geminga.errors import InputError
from geminga.irf import plot
from geminga.maps import Map, WcsNDMap
from geminga.numerics.interpolation import interpolate_linear
from geminga.utils.units import as_quantity

__all__ = ["PSFKernel"]


class PSFKernel:
    """PSF kernel.

    Parameters
    ----------
    psf_kernel_map : Map
        Map with an odd number of pixels.
    normalize : bool
        Make the sum of each image one.

    Examples
    --------
    >>> from geminga.irf import PSFKernel
    >>> from geminga.maps import MapAxis, WcsGeom
    >>> axis = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2, name="energy_true")
    >>> kernel = PSFKernel.from_gauss(WcsGeom.create(binsz=0.02, width=2, axes=[axis]), sigma="0.1 deg")
    >>> round(float(kernel.data[0].sum()), 6)
    1.0
    """

    def __init__(self, psf_kernel_map: Any, normalize: bool = True) -> None:
        self._psf_kernel_map = psf_kernel_map
        if normalize:
            self.normalize()

    @property
    def psf_kernel_map(self) -> Any:
        """The map."""
        return self._psf_kernel_map

    @property
    def data(self) -> Any:
        """Data of the map."""
        return self._psf_kernel_map.data

    def normalize(self) -> None:
        """Divide each image by its sum, in place; an image of zeros stays."""
        data = self._psf_kernel_map.frozen_data
        total = data.sum(axis=(-2, -1), keepdims=True)
        self._psf_kernel_map.data = np.divide(data, total, out=np.zeros_like(data), where=total > 0)

    @classmethod
    def read(cls, *args: Any, **kwargs: Any) -> PSFKernel:
        """Read from a file (arguments of `Map.read`)."""
        return cls(WcsNDMap.read(*args, **kwargs))

    def write(self, *args: Any, **kwargs: Any) -> None:
        """Write to a file (arguments of `Map.write`)."""
        self._psf_kernel_map.write(*args, **kwargs)

    @classmethod
    def from_spatial_model(cls, model: Any, geom: Any, max_radius: Any = None, factor: int = 4) -> PSFKernel:
        """Kernel of the shape of a spatial model (anything with ``position``, ``evaluation_radius`` and ``integrate_geom``).

        Parameters
        ----------
        model : SpatialModel
            Model; it is moved to the centre of the kernel.
        geom : WcsGeom
            Geometry of the map to convolve.
        max_radius : Quantity, optional
            Half side; by default that of the model's evaluation radius.
        factor : int
            Oversampling.
        """
        radius = model.evaluation_radius if max_radius is None else as_quantity(max_radius, "deg", "max_radius")
        kernel_geom = geom.to_odd_npix(max_radius=radius)
        model = model.copy()
        model.position = kernel_geom.center_skydir
        kernel = model.integrate_geom(kernel_geom, oversampling_factor=factor)
        return cls(Map.from_geom(kernel_geom, data=np.broadcast_to(kernel.data, kernel_geom.data_shape).astype(float)))

    @classmethod
    def from_gauss(cls, geom: Any, sigma: Any, max_radius: Any = None, factor: int = 4) -> PSFKernel:
        """Gaussian kernel, averaged over `factor` x `factor` points a pixel.

        Parameters
        ----------
        geom : WcsGeom
            Geometry of the map to convolve.
        sigma : Quantity or str
            Width.
        max_radius : Quantity, optional
            Half side; five sigma if not given.
        factor : int
            Oversampling.
        """
        sigma = as_quantity(sigma, "deg", "sigma")
        if not sigma.value > 0:
            msg = f"PSFKernel.from_gauss: sigma is {sigma}; expected a positive width."
            raise InputError(msg)
        radius = 5 * sigma if max_radius is None else as_quantity(max_radius, "deg", "max_radius")
        kernel_geom = geom.to_odd_npix(max_radius=radius)
        shape = kernel_geom.data_shape
        n = int(np.prod(shape[:-2]))

        def profile(separation: Any) -> Any:
            return np.exp(-0.5 * (separation / sigma.value) ** 2)

        data = kernel_images(kernel_geom, [profile] * n, [factor] * n)
        return cls(Map.from_geom(kernel_geom, data=data.reshape(shape)))

    def slice_by_idx(self, slices: dict[str, Any]) -> PSFKernel:
        """Part of the axes."""
        return type(self)(self._psf_kernel_map.slice_by_idx(slices), normalize=False)

    def to_image(self, spectral_model: Any = None, exposure: Any = None, keepdims: bool = True) -> PSFKernel:
        """Average over energy, weighted by exposure times spectrum.

        Parameters
        ----------
        spectral_model : SpectralModel or callable, optional
            ``integral(energy_min, energy_max)``, or dnde as a function of energy; default E^-2.
        exposure : Map or Quantity, optional
            Exposure at each energy; flat if not given.
        keepdims : bool
            Keep the energy axis with one bin.
        """
        own = self._psf_kernel_map
        axis = own.geom.axes["energy_true"]
        weight = spectral_weights(spectral_model, axis)
        if exposure is not None:
            data = u.Quantity(getattr(exposure, "quantity", exposure))
            weight = weight * np.asarray(data.value, dtype=float).reshape(axis.nbin, -1)[:, 0]
        weight = weight / weight.sum()
        data = np.einsum("e,eyx->yx", weight, own.frozen_data)
        geom = own.geom.squash("energy_true") if keepdims else own.geom.to_image()
        return type(self)(Map.from_geom(geom, data=data.reshape(geom.data_shape)))

    def peek(self, figsize: tuple[float, float] = (15, 5)) -> None:
        """Plot the kernel, its profile and what it encloses."""
        plot.peek_kernel(self, figsize)

    plot_kernel = plot.plot_kernel

    def __str__(self) -> str:
        return str(self._psf_kernel_map)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def spectral_weights(spectral_model: Any, axis: Any) -> Any:
    """Relative flux of each bin of an energy axis; E^-2 if there is no spectrum."""
    edges = axis.edges
    if spectral_model is None:
        low, high = axis.edges_min.value, axis.edges_max.value
        return 1 / low - 1 / high
    if hasattr(spectral_model, "integral"):
        return np.asarray(spectral_model.integral(edges[:-1], edges[1:]).value, dtype=float)
    return np.asarray(u.Quantity(spectral_model(axis.center)).value * axis.bin_width.value, dtype=float)


def tabulated_profile(rad: Any, values: Any, edge: float) -> Callable[[Any], Any]:
    """Profile through values at radii (deg), continued linearly to the centre and to `edge`, zero beyond."""

    def profile(separation: Any) -> Any:
        found = np.clip(interpolate_linear(separation, rad, values), 0, None)
        return np.where(separation <= edge, found, 0.0)

    return profile


def kernel_images(
    geom: Any, profiles: Sequence[Callable[[Any], Any]], factors: Sequence[int], half_widths: Sequence[int] | None = None
) -> Any:
    """Average of radial profiles over the pixels of a geometry around its centre, shape (n, ny, nx).

    Parameters
    ----------
    profiles : sequence of callable
        Density as a function of the separation in deg.
    factors : sequence of int
        Points along a pixel side for each profile.
    half_widths : sequence of int, optional
        Pixels beside the central one for each profile, outside which the image is zero.
    """
    image = geom.to_image()
    out = []
    separations: dict[int, Any] = {}
    ny, nx = image.data_shape
    for index, (factor, profile) in enumerate(zip(factors, profiles, strict=True)):
        if factor not in separations:
            fine = image.upsample(factor) if factor > 1 else image
            separations[factor] = fine.separation(image.center_skydir).to_value("deg")
        values = profile(separations[factor])
        one = values.reshape(ny, factor, nx, factor).mean(axis=(1, 3))
        if half_widths is not None:
            far = [np.abs(np.arange(n) - n // 2) > half_widths[index] for n in (ny, nx)]
            one[far[0][:, None] | far[1]] = 0.0
        out.append(one)
    return np.array(out)
