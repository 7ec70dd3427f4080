"""Smoothing, convolution and binary morphology of the images of a map."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import GeometryError, InputError, UnsupportedError
from geminga.utils.units import as_quantity

__all__ = ["binary_dilate", "binary_erode", "convolve", "fft_convolve", "smooth"]


def _width_in_pixels(self: Any, width: Any) -> float:
    """Width in pixels; a bare number is in pixels."""
    if isinstance(width, (u.Quantity, str)):
        return float((as_quantity(width, u.deg, "smoothing width") / self.geom.pixel_scales.mean()).to_value(""))
    return float(width)


def _disk(radius: float) -> NDArray[np.float64]:
    """Pixels whose centre is within a radius, normalised."""
    half = int(np.floor(radius))
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    inside = (x**2 + y**2 <= radius**2).astype(float)
    return np.asarray(inside / inside.sum())


def smooth(self: Any, width: Any, kernel: str = "gauss", **kwargs: Any) -> Any:
    """Smooth each image with a normalised kernel.

    Parameters
    ----------
    width : Quantity, str or float
        Standard deviation of the Gaussian, radius of the disk, or full width of the box; a bare number is in pixels.
    kernel : {"gauss", "disk", "box"}
        Kernel.
    **kwargs
        Arguments of `scipy.ndimage.gaussian_filter`, `convolve` or `uniform_filter`, such as ``mode`` for the borders
        ("reflect" by default).

    Returns
    -------
    map : WcsNDMap
        Smoothed map; a mask becomes the fraction of true pixels.

    Raises
    ------
    InputError
        If the kernel is unknown or the width is not positive.
    """
    from scipy import ndimage

    pixels = _width_in_pixels(self, width)
    if not pixels > 0:
        msg = f"Map.smooth: width is {width}, expected a number above zero."
        raise InputError(msg)
    data = self.frozen_data
    data = data if data.dtype.kind == "f" else data.astype(float)
    images = (1,) * (data.ndim - 2)
    if kernel == "gauss":
        out = ndimage.gaussian_filter(data, sigma=(*(0,) * (data.ndim - 2), pixels, pixels), **kwargs)
    elif kernel == "disk":
        disk = _disk(pixels)
        out = ndimage.convolve(data, disk.reshape(images + disk.shape), **kwargs)
    elif kernel == "box":
        size = max(int(np.rint(pixels)), 1)
        out = ndimage.uniform_filter(data, size=(*images, size, size), **kwargs)
    else:
        msg = f"Map.smooth: kernel is {kernel!r}, expected 'gauss', 'disk' or 'box'."
        raise InputError(msg)
    return self._like(out)


def _kernel_array(kernel: Any) -> tuple[NDArray[np.float64], Any]:
    """Array and axes of a kernel: a PSF kernel, a map, or an array."""
    kernel = getattr(kernel, "psf_kernel_map", kernel)
    if hasattr(kernel, "frozen_data"):
        return np.asarray(kernel.frozen_data, dtype=float), kernel.geom.axes
    try:
        return np.asarray(kernel, dtype=float), None
    except (TypeError, ValueError) as error:
        msg = f"Map.convolve: the kernel is a {type(kernel).__name__}; expected a PSFKernel, a map or an array."
        raise InputError(msg) from error


def convolve(self: Any, kernel: Any, method: str = "fft", mode: str = "same") -> Any:
    """Convolve each image with a kernel.

    Parameters
    ----------
    kernel : PSFKernel, WcsNDMap or array
        Kernel, with an odd number of pixels. One image for all, or one for each bin; an image convolved with a kernel that has
        axes becomes a map with these axes.
    method : {"fft", "direct"}
        By Fourier transform in double precision, or by sums.
    mode : {"same", "full"}
        Size of the result: that of the map, or extended by the kernel.

    Returns
    -------
    map : WcsNDMap
        Not negative where neither map nor kernel are.

    Raises
    ------
    GeometryError
        If the axes of the kernel do not fit.
    UnsupportedError
        For ``mode="valid"``.
    """
    if mode not in {"same", "full"} or method not in {"fft", "direct", "auto"}:
        msg = (
            f"Map.convolve: mode {mode!r} with method {method!r} is not offered, expected 'same' or 'full' and 'fft' or 'direct'."
        )
        raise UnsupportedError(msg)
    weights, axes = _kernel_array(kernel)
    data, geom = self.frozen_data, self.geom
    if weights.ndim > 2 and geom.is_image:
        if axes is None:
            msg = f"Map.convolve: an image and an array of shape {weights.shape}; give a kernel with axes as a map."
            raise GeometryError(msg)
        geom = geom.to_cube(list(axes))
        data = data.reshape((1,) * len(axes) + data.shape)
    weights = weights.reshape((1,) * (data.ndim - weights.ndim) + weights.shape)
    leading = zip(weights.shape[:-2], geom.data_shape[:-2], strict=False)
    if weights.ndim != data.ndim or any(k not in {1, n} for k, n in leading):
        msg = f"Map.convolve: kernel of shape {weights.shape} and map of shape {data.shape}: axes {geom.axes.names} must agree."
        raise GeometryError(msg)
    out = fft_convolve(data, weights) if method != "direct" else _direct_convolve(data, weights)
    if mode == "full":
        ny, nx = weights.shape[-2:]
        if nx % 2 == 0 or ny % 2 == 0:
            msg = f"Map.convolve: mode 'full' needs a kernel with an odd number of pixels, got {ny} x {nx}."
            raise GeometryError(msg)
        geom = geom.pad(((nx - 1) // 2, (ny - 1) // 2), axis_name=None)
    else:
        ny, nx = ((n - 1) // 2 for n in weights.shape[-2:])
        out = out[..., ny : ny + data.shape[-2], nx : nx + data.shape[-1]]
    dtype = self.frozen_data.dtype if self.frozen_data.dtype.kind == "f" else float
    return self._like(np.ascontiguousarray(out, dtype=dtype), geom)


def fft_convolve(data: NDArray[Any], kernel: NDArray[Any]) -> NDArray[np.float64]:
    """Full convolution of the last two axes, in double precision; not negative where neither factor is."""
    from scipy import fft

    size = [a + b - 1 for a, b in zip(data.shape[-2:], kernel.shape[-2:], strict=True)]
    fast = [fft.next_fast_len(n, real=True) for n in size]
    product = fft.rfft2(np.asarray(data, dtype=float), s=fast) * fft.rfft2(np.asarray(kernel, dtype=float), s=fast)
    out = np.asarray(fft.irfft2(product, s=fast))[..., : size[0], : size[1]]
    if (data >= 0).all() and (kernel >= 0).all():
        out = np.maximum(out, 0.0)
    return out


def _direct_convolve(data: NDArray[Any], kernel: NDArray[Any]) -> NDArray[np.float64]:
    """Full convolution of the last two axes by sums."""
    from scipy.signal import convolve2d

    shape = np.broadcast_shapes(data.shape[:-2], kernel.shape[:-2])
    images = np.broadcast_to(data, shape + data.shape[-2:]).astype(float)
    kernels = np.broadcast_to(kernel, shape + kernel.shape[-2:])
    rows = [convolve2d(images[i], kernels[i], mode="full") for i in np.ndindex(shape)]
    return np.array(rows).reshape(*shape, *rows[0].shape)


def _morphology(self: Any, width: Any, kernel: str, use_fft: bool, erode: bool) -> Any:
    if not self.is_mask:
        msg = f"Binary operations only supported for boolean masks, the data are {self.frozen_data.dtype}."
        raise InputError(msg)
    structure = self.geom.binary_structure(width=width, kernel=kernel)
    mask = self.frozen_data
    if use_fft:
        full = fft_convolve(mask.astype(float), structure)
        ny, nx = ((n - 1) // 2 for n in structure.shape[-2:])
        covered = full[..., ny : ny + mask.shape[-2], nx : nx + mask.shape[-1]]
        return self._like(covered > (structure.sum() - 0.5 if erode else 0.5))
    from scipy import ndimage

    function = ndimage.binary_erosion if erode else ndimage.binary_dilation
    return self._like(function(mask, structure=structure != 0))


def binary_erode(self: Any, width: Any, kernel: str = "disk", use_fft: bool = True) -> Any:
    """Mask that is true where all pixels within a distance are; beyond the border nothing is true.

    Parameters
    ----------
    width : Quantity, str or float
        Radius of the disk, half width of the box (deg if a bare number).
    kernel : {"disk", "box"}
        Shape.
    use_fft : bool
        Use Fourier transforms, faster for large widths; the result is the same.

    Raises
    ------
    InputError
        If the map is no mask.
    """
    return _morphology(self, width, kernel, use_fft, erode=True)


def binary_dilate(self: Any, width: Any, kernel: str = "disk", use_fft: bool = True) -> Any:
    """Mask that is true where any pixel within a distance is; see `binary_erode`."""
    return _morphology(self, width, kernel, use_fft, erode=False)
