"""Random numbers: every function takes a seed or a generator, and the same one gives the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import InputError

__all__ = [
    "InverseCDFSampler",
    "draw",
    "get_random_state",
    "normalize",
    "pdf",
    "sample_powerlaw",
    "sample_sphere",
    "sample_sphere_distance",
    "sample_times",
]

FloatArray = NDArray[np.float64]


def get_random_state(init: Any) -> Any:
    """Random number generator.

    Parameters
    ----------
    init : int, "random-seed", "global-rng", RandomState or Generator
        A seed; a fresh seed; the global generator of numpy; or a generator, which is returned.

    Returns
    -------
    random_state : `~numpy.random.RandomState` or `~numpy.random.Generator`
        Generator.

    Raises
    ------
    InputError
        If `init` is anything else.

    Examples
    --------
    >>> from geminga.utils.random import get_random_state
    >>> int(get_random_state(42).randint(100))
    51
    """
    if isinstance(init, (int, np.integer)) and not isinstance(init, bool) and 0 <= init < 2**32:
        return np.random.RandomState(init)
    if isinstance(init, (np.random.RandomState, np.random.Generator)):
        return init
    if isinstance(init, str) and init == "random-seed":
        return np.random.RandomState(None)
    if isinstance(init, str) and init == "global-rng":
        return np.random.mtrand._rand
    expected = "an integer from 0 to 2**32 - 1, 'random-seed', 'global-rng', a RandomState or a Generator"
    msg = f"random_state got {init!r}; expected {expected}."
    raise InputError(msg)


def normalize(func: Callable[..., Any], x_min: float, x_max: float) -> Callable[..., Any]:
    """Function of integral one over [x_min, x_max] from a non-negative one."""
    from scipy.integrate import quad

    norm, _ = quad(func, x_min, x_max)

    def normalized(x: Any) -> Any:
        return func(x) / norm

    return normalized


def pdf(func: Callable[..., Any]) -> Callable[..., Any]:
    """Density in the radius, ``x func(x)``, of a surface density ``func``."""

    def density(x: Any) -> Any:
        return x * func(x)

    return density


def draw(
    low: float, high: float, size: Any, dist: Callable[..., Any], random_state: Any = "random-seed", *args: Any, **kwargs: Any
) -> FloatArray:
    """Sample a density between two limits.

    Parameters
    ----------
    low, high : float
        Limits.
    size : int or tuple
        Shape of the result.
    dist : callable
        Density, need not be normalised; called with an array, `args` and `kwargs`.
    random_state : int, "random-seed", "global-rng", RandomState or Generator
        Seed or generator.
    """
    rng = get_random_state(random_state)
    nodes = np.linspace(low, high, 1001)
    density = np.asarray(dist(nodes, *args, **kwargs), dtype=float) * np.ones_like(nodes)
    cumulative = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    if not np.isfinite(cumulative).all() or cumulative[-1] <= 0 or (density < 0).any():
        msg = f"draw: the density is negative, not finite, or zero everywhere between {low} and {high}."
        raise InputError(msg)
    # Within a bin the density is linear, so that the cumulative is a parabola; solve it.
    target = rng.uniform(size=size) * cumulative[-1]
    index = np.clip(np.searchsorted(cumulative, target, side="right") - 1, 0, len(nodes) - 2)
    rest, left, slope = target - cumulative[index], density[index], density[index + 1] - density[index]
    root = left + np.sqrt(left**2 + 2 * slope * rest)
    fraction = np.divide(2 * rest, root, out=np.zeros_like(rest), where=root > 0)
    return np.asarray(nodes[index] + fraction * (nodes[1] - nodes[0]))


def sample_sphere(size: Any, lon_range: Any = None, lat_range: Any = None, random_state: Any = "random-seed") -> tuple[Any, Any]:
    """Sample points on the sphere, uniform in solid angle.

    Parameters
    ----------
    size : int or tuple
        Shape of the result.
    lon_range, lat_range : pair of Quantity, optional
        Ranges; the whole sphere if not given.
    random_state : int, "random-seed", "global-rng", RandomState or Generator
        Seed or generator.

    Returns
    -------
    lon, lat : `~astropy.units.Quantity`
        In deg and rad.
    """
    rng = get_random_state(random_state)
    lon_range = u.Quantity([0.0, 360.0], "deg") if lon_range is None else u.Quantity(lon_range)
    lat_range = u.Quantity([-90.0, 90.0], "deg") if lat_range is None else u.Quantity(lat_range)
    lon = rng.uniform(size=size) * (lon_range[1] - lon_range[0]) + lon_range[0]
    low, high = np.sin(lat_range.to_value("rad"))
    lat = np.arcsin(low + (high - low) * rng.uniform(size=size))
    return lon.to("deg"), u.Quantity(lat, "rad")


def sample_sphere_distance(
    distance_min: Any = 0, distance_max: Any = 1, size: Any = None, random_state: Any = "random-seed"
) -> Any:
    """Sample distances, uniform in volume.

    Parameters
    ----------
    distance_min, distance_max : float or Quantity
        Range.
    size : int or tuple, optional
        Shape of the result.
    random_state : int, "random-seed", "global-rng", RandomState or Generator
        Seed or generator.
    """
    rng = get_random_state(random_state)
    low, high = u.Quantity(distance_min), u.Quantity(distance_max)
    unit = high.unit if high.unit != u.dimensionless_unscaled else low.unit
    near, far = low.to_value(unit), high.to_value(unit)
    distance = (near**3 + (far**3 - near**3) * rng.uniform(size=size)) ** (1 / 3)
    return distance if unit == u.dimensionless_unscaled else u.Quantity(distance, unit)


def sample_powerlaw(x_min: Any, x_max: Any, gamma: float, size: Any = None, random_state: Any = "random-seed") -> Any:
    """Sample a power law whose integral above x goes as ``x ** -gamma``, so the density as ``x ** -(gamma + 1)``.

    Parameters
    ----------
    x_min, x_max : float
        Range, positive.
    gamma : float
        Index of the integral distribution.
    size : int or tuple, optional
        Shape of the result.
    random_state : int, "random-seed", "global-rng", RandomState or Generator
        Seed or generator.
    """
    rng = get_random_state(random_state)
    fraction = rng.uniform(size=size)
    if gamma == 0:
        return x_min * (x_max / x_min) ** fraction
    low, high = x_min**-gamma, x_max**-gamma
    return (low + (high - low) * fraction) ** (-1 / gamma)


def sample_times(
    size: int, rate: Any, dead_time: Any = None, return_diff: bool = False, random_state: Any = "random-seed"
) -> Any:
    """Sample times of events at a constant rate.

    Parameters
    ----------
    size : int
        Number of events.
    rate : Quantity
        Rate, for example in s-1.
    dead_time : Quantity or TimeDelta, optional
        Time after each event without another one.
    return_diff : bool
        Give the differences between events instead.
    random_state : int, "random-seed", "global-rng", RandomState or Generator
        Seed or generator.

    Returns
    -------
    time : `~astropy.time.TimeDelta`
        Times since the start, or differences.
    """
    from astropy.time import TimeDelta

    rng = get_random_state(random_state)
    pause = 0.0 * u.s if dead_time is None else TimeDelta(dead_time).to("s")
    steps = rng.exponential(scale=(1 / u.Quantity(rate)).to_value("s"), size=size) + pause.to_value("s")
    return TimeDelta(steps if return_diff else np.cumsum(steps), format="sec")


class InverseCDFSampler:
    """Sample pixels of an array with probability proportional to their value, uniform within a pixel.

    Parameters
    ----------
    pdf : array
        Probability, not negative; need not be normalised.
    axis : int, optional
        Axis along which to sample; all of the array if not given.
    random_state : int, "random-seed", "global-rng", RandomState or Generator
        Seed or generator.

    Raises
    ------
    InputError
        If a value is negative or not finite.
    """

    def __init__(self, pdf: Any, axis: int | None = None, random_state: Any = 0) -> None:
        self.random_state = get_random_state(random_state)
        self.axis = axis
        self.pdf = np.asarray(pdf, dtype=float)
        self.pdf_shape = self.pdf.shape
        if not np.isfinite(self.pdf).all() or (self.pdf < 0).any():
            msg = "InverseCDFSampler: the probability has negative or non-finite values; expected numbers >= 0."
            raise InputError(msg)
        self.cdf = np.cumsum(self.pdf.ravel() if axis is None else np.moveaxis(self.pdf, axis, -1), axis=-1)

    def sample_axis(self) -> FloatArray:
        """One pixel coordinate along the axis for each position of the others.

        Returns
        -------
        index : array
            Pixel coordinate, of the shape of the array without the axis.
        """
        target = self.random_state.uniform(size=self.cdf.shape[:-1])[..., np.newaxis] * self.cdf[..., -1:]
        index = np.argmax(self.cdf > target, axis=-1)
        return np.asarray(index + self.random_state.uniform(low=-0.5, high=0.5, size=index.shape))

    def sample(self, size: int) -> FloatArray:
        """Pixel coordinates of samples of the whole array.

        Parameters
        ----------
        size : int
            Number of samples.

        Returns
        -------
        index : array
            Pixel coordinates, shape (dimensions of the array, size).
        """
        target = self.random_state.uniform(size=size) * self.cdf[-1]
        flat = np.searchsorted(self.cdf, target, side="right")
        index = np.array(np.unravel_index(np.minimum(flat, self.cdf.size - 1), self.pdf_shape), dtype=float)
        return np.asarray(index + self.random_state.uniform(low=-0.5, high=0.5, size=index.shape))
