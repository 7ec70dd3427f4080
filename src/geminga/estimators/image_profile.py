"""Profiles of images along an axis of the sky or a radius."""

from __future__ import annotations

from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import Table
from numpy.typing import NDArray
from scipy.ndimage import convolve1d

from geminga.errors import GeometryError, InputError, NameLookupError
from geminga.estimators import plot as figures
from geminga.estimators.base import Estimator

__all__ = ["ImageProfile", "ImageProfileEstimator"]

Array = NDArray[np.float64]

AXES = ("lon", "lat", "radial")
METHODS = ("sum", "mean")


class ImageProfile:
    """Profile of an image.

    Parameters
    ----------
    table : Table
        ``x_min``, ``x_max``, ``x_ref`` (deg), ``profile``, and perhaps ``profile_err``.

    Examples
    --------
    >>> from geminga.estimators import ImageProfileEstimator
    >>> from geminga.maps import Map
    >>> image = Map.create(npix=(4, 3), binsz=1)
    >>> image.data += 1
    >>> profile = ImageProfileEstimator(axis="lat").run(image)
    >>> print(profile.profile, profile.x_ref)
    [4. 4. 4.] [-1.  0.  1.] deg
    """

    def __init__(self, table: Table) -> None:
        self.table = table

    @property
    def x_ref(self) -> u.Quantity:
        """Centres of the bins."""
        return self.table["x_ref"].quantity

    @property
    def x_min(self) -> u.Quantity:
        """First edges of the bins."""
        return self.table["x_min"].quantity

    @property
    def x_max(self) -> u.Quantity:
        """Last edges of the bins."""
        return self.table["x_max"].quantity

    @property
    def profile(self) -> u.Quantity:
        """Profile."""
        return u.Quantity(self.table["profile"])

    @property
    def profile_err(self) -> u.Quantity | None:
        """Errors of the profile, ``None`` if they are not known."""
        return u.Quantity(self.table["profile_err"]) if "profile_err" in self.table.colnames else None

    def smooth(self, kernel: str = "box", radius: Any = "0.1 deg", **kwargs: Any) -> ImageProfile:
        """Smoothed profile; the errors are those of the weighted means.

        Parameters
        ----------
        kernel : {"box", "gauss"}
            Shape.
        radius : Quantity, str or float
            Half width of the box, or standard deviation of the Gaussian; a number counts bins.
        **kwargs
            Options of `scipy.ndimage.convolve1d`, such as ``mode``.

        Returns
        -------
        profile : ImageProfile
            New profile.

        Raises
        ------
        NameLookupError
            If the kernel is not known.
        InputError
            If the radius is not positive.
        """
        bins = radius if isinstance(radius, (int, float)) else self._in_bins(u.Quantity(radius))
        if not bins > 0:
            msg = f"ImageProfile.smooth: radius is {radius!r}; expected a positive angle or number of bins."
            raise InputError(msg)
        if kernel not in _KERNELS:
            msg = f"ImageProfile.smooth: kernel {kernel!r} is not known; expected one of {', '.join(_KERNELS)}."
            raise NameLookupError(msg)
        weights = _KERNELS[kernel](float(bins))
        table = self.table.copy()
        options = {"mode": "reflect"} | kwargs
        table["profile"] = convolve1d(self.profile.value, weights, **options) * self.profile.unit
        if self.profile_err is not None:
            table["profile_err"] = np.sqrt(convolve1d(self.profile_err.value**2, weights**2, **options)) * self.profile.unit
        return type(self)(table)

    def _in_bins(self, angle: u.Quantity) -> float:
        width = np.abs((self.x_max - self.x_min).to_value("deg")).mean()
        return float(angle.to_value("deg") / width)

    def normalize(self, mode: str = "peak") -> ImageProfile:
        """Profile divided by its largest value (``"peak"``) or its sum (``"integral"``), with the unit dropped.

        Raises
        ------
        NameLookupError
            If the mode is not known.
        """
        norms: dict[str, Any] = {"peak": np.nanmax, "integral": np.nansum}
        if mode not in norms:
            msg = f"ImageProfile.normalize: mode {mode!r} is not known; expected 'peak' or 'integral'."
            raise NameLookupError(msg)
        norm = norms[mode](self.profile.value)
        table = self.table.copy()
        for name in ("profile", "profile_err"):
            if name in table.colnames:
                table[name] = u.Quantity(table[name]) / norm
        return type(self)(table)

    plot = figures.plot_profile
    plot_err = figures.plot_profile_err
    peek = figures.peek_profile


class ImageProfileEstimator(Estimator):
    """Profile of an image along longitude, latitude, or the distance from a centre.

    Parameters
    ----------
    x_edges : Angle, optional
        Edges of the bins; those of the pixels if not given.
    method : {"sum", "mean"}
        What to do with the pixels of a bin.
    axis : {"lon", "lat", "radial"}
        Axis of the profile.
    center : SkyCoord, optional
        Centre, needed for ``"radial"``.

    Raises
    ------
    NameLookupError
        If method or axis are not known.
    InputError
        If a radial profile has no centre.

    Examples
    --------
    >>> from geminga.estimators import ImageProfileEstimator
    >>> ImageProfileEstimator(axis="lat", method="mean").parameters["method"]
    'mean'
    """

    tag = "ImageProfileEstimator"

    def __init__(self, x_edges: Any = None, method: str = "sum", axis: str = "lon", center: Any = None) -> None:
        if method not in METHODS:
            msg = f"ImageProfileEstimator: method {method!r} is not known; expected 'sum' or 'mean'."
            raise NameLookupError(msg)
        if axis not in AXES:
            msg = f"ImageProfileEstimator: axis {axis!r} is not known; expected 'lon', 'lat' or 'radial'."
            raise NameLookupError(msg)
        if axis == "radial" and center is None:
            msg = "ImageProfileEstimator: a radial profile needs its center; give a SkyCoord."
            raise InputError(msg)
        self._x_edges = None if x_edges is None else u.Quantity(x_edges).to("deg")
        self.parameters: dict[str, Any] = {"method": method, "axis": axis, "center": center}

    def run(self, image: Any, image_err: Any = None, mask: Any = None) -> ImageProfile:
        """Make the profile.

        Parameters
        ----------
        image : WcsNDMap
            One image (axes of one bin are allowed).
        image_err : WcsNDMap, optional
            Its errors; without them the profile has none.
        mask : WcsNDMap, optional
            Pixels to use, true inside.

        Returns
        -------
        profile : ImageProfile
            Pixels that are NaN are left out. A bin without any pixel has a sum of zero, and NaN as its mean.

        Raises
        ------
        GeometryError
            If it is not one image, or the others are on another geometry.
        """
        values = _image("image", image, image)
        error = None if image_err is None else _image("image_err", image_err, image)
        inside = np.isfinite(values) if mask is None else np.isfinite(values) & (_image("mask", mask, image) != 0)
        position, edges = self._positions(image.geom.to_image())
        ascending = edges if edges[-1] > edges[0] else edges[::-1]
        place = np.digitize(position[inside], ascending) - 1
        place = np.where(position[inside] == ascending[-1], -1, place)
        if edges is not ascending:
            place = len(edges) - 2 - place
        number = _sums(place, np.ones(int(inside.sum())), len(edges) - 1)
        total = _sums(place, values[inside], len(edges) - 1)
        variance = None if error is None else _sums(place, error[inside] ** 2, len(edges) - 1)
        if self.parameters["method"] == "mean":
            with np.errstate(divide="ignore", invalid="ignore"):
                total = total / number
                variance = None if variance is None else variance / number**2
        return ImageProfile(self._table(edges, total, variance, image.unit))

    def _positions(self, image: Any) -> tuple[Any, Any]:
        """Coordinate of each pixel on the axis of the profile, and the edges of the bins, deg."""
        coords = image.get_coord(sparse=False)
        axis = self.parameters["axis"]
        if axis == "radial":
            position = coords.skycoord.separation(self.parameters["center"]).to_value("deg")
            if self._x_edges is not None:
                return position, self._x_edges.value
            step = float(np.mean(image.pixel_scales.to_value("deg")))
            # To the middle of the nearest side and on to the corners: all pixels have a bin.
            return position, np.arange(int(np.ceil(position.max() / step)) + 1) * step
        number = image.data_shape[1] if axis == "lon" else image.data_shape[0]
        other = (image.data_shape[0] if axis == "lon" else image.data_shape[1]) / 2 - 0.5
        steps = np.arange(number + 1) - 0.5
        pixels = (steps, np.full(number + 1, other)) if axis == "lon" else (np.full(number + 1, other), steps)
        own = image.pix_to_coord(pixels)[0 if axis == "lon" else 1].to_value("deg")
        position = (coords.lon if axis == "lon" else coords.lat).to_value("deg")
        if axis == "lon":
            # The range may contain longitude zero: count from the centre of the image.
            center = float(coords.lon.to_value("deg")[image.data_shape[0] // 2, image.data_shape[1] // 2])
            center = (center + 180) % 360 - 180
            position, own = (_near(a, center) for a in (position, own))
            if self._x_edges is not None:
                return position, _near(self._x_edges.value, center)
        return position, own if self._x_edges is None else self._x_edges.value

    def _table(self, edges: Array, total: Array, variance: Array | None, unit: Any) -> Table:
        table = Table()
        table["x_min"], table["x_max"] = edges[:-1] * u.deg, edges[1:] * u.deg
        table["x_ref"] = 0.5 * (edges[:-1] + edges[1:]) * u.deg
        table["profile"] = total * unit
        if variance is not None:
            table["profile_err"] = np.sqrt(variance) * unit
        table.meta["PROFILE_TYPE"] = self.parameters["axis"]
        return table


def _near(longitude: Any, center: float) -> Array:
    """Longitudes within 180 deg of a centre."""
    return np.asarray((np.asarray(longitude, dtype=float) - center + 180) % 360 - 180 + center)


def _sums(place: NDArray[np.intp], values: Array, number: int) -> Array:
    """Sum of the values in each bin; those outside of all bins are left out."""
    keep = (place >= 0) & (place < number)
    return np.asarray(np.bincount(place[keep], values[keep], minlength=number), dtype=float)


def _image(name: str, value: Any, reference: Any) -> Array:
    geom = value.geom
    if geom.is_region or int(np.prod(geom.data_shape[:-2])) != 1:
        msg = f"ImageProfileEstimator: {name} has shape {geom.data_shape}; expected one image, see Map.sum_over_axes."
        raise GeometryError(msg)
    if geom.to_image() != reference.geom.to_image():
        msg = f"ImageProfileEstimator: {name} is not on the geometry of the image; reproject it."
        raise GeometryError(msg)
    return np.asarray(value.frozen_data, dtype=float).reshape(geom.data_shape[-2:])


def _box(bins: float) -> Array:
    """Symmetric box of half width `bins`, its outer bins by the part of them inside; normalised."""
    half = int(np.ceil(bins - 0.5))
    offset = np.abs(np.arange(-half, half + 1))
    weights = np.clip(bins + 0.5 - offset, 0.0, 1.0)
    return np.asarray(weights / weights.sum())


def _gauss(bins: float) -> Array:
    """Gaussian of standard deviation `bins`, normalised."""
    half = max(int(np.ceil(4 * bins)), 1)
    weights = np.exp(-0.5 * (np.arange(-half, half + 1) / bins) ** 2)
    return np.asarray(weights / weights.sum())


_KERNELS = {"box": _box, "gauss": _gauss}
