"""Simulated light curves with a given power spectrum."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from astropy import units as u

from geminga.errors import InputError
from geminga.utils.random import get_random_state

__all__ = ["TimmerKonig_lightcurve_simulator"]


def TimmerKonig_lightcurve_simulator(  # noqa: N802
    power_spectrum: Callable[..., Any],
    npoints: int,
    spacing: u.Quantity,
    nchunks: int = 10,
    random_state: Any = "random-seed",
    power_spectrum_params: Mapping[str, Any] | None = None,
    mean: Any = 0.0,
    std: Any = 1.0,
    poisson: bool = False,
) -> tuple[Any, u.Quantity]:
    """Simulate a light curve of a stationary process.

    Fourier amplitudes are normally distributed with a variance that follows the power spectrum. A series `nchunks` times longer
    is made and a part of it returned, so that there is power on longer time scales than the series.

    Parameters
    ----------
    power_spectrum : callable
        Function of frequency, a float array in the inverse of the unit of `spacing`.
    npoints : int
        Number of points.
    spacing : Quantity
        Time between them.
    nchunks : int
        How much longer the series is from which they are taken.
    random_state : {int, 'random-seed', 'global-rng', `~numpy.random.RandomState`}
        Seed.
    power_spectrum_params : dict, optional
        Further arguments of `power_spectrum`.
    mean, std : float or Quantity
        Mean and standard deviation of the points returned.
    poisson : bool
        Draw counts with the light curve as expectation; what is below zero counts as zero.

    Returns
    -------
    flux : array or Quantity
        In the unit of `mean`, shape (npoints,).
    time : Quantity
        From 0 in steps of `spacing`.

    Raises
    ------
    InputError
        If numbers are not positive integers, `spacing` is no positive duration, or the power is negative or not finite.

    References
    ----------
    J. Timmer & M. Koenig (1995), A&A 300, 707.

    Examples
    --------
    >>> import astropy.units as u
    >>> from geminga.stats import TimmerKonig_lightcurve_simulator
    >>> flux, time = TimmerKonig_lightcurve_simulator(lambda f: f**-2.0, 100, 1 * u.h, random_state=0, mean=3, std=0.5)
    >>> round(float(flux.mean()), 6), round(float(flux.std()), 6), time[1]
    (3.0, 0.5, <Quantity 1. h>)
    """
    for name, value in (("npoints", npoints), ("nchunks", nchunks)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            msg = f"TimmerKonig_lightcurve_simulator: {name} is {value!r}; expected a positive integer."
            raise InputError(msg)
    if not isinstance(spacing, u.Quantity) or not spacing.unit.is_equivalent("s") or not spacing.value > 0:
        msg = f"TimmerKonig_lightcurve_simulator: spacing is {spacing!r}; expected a positive duration, such as 1 * u.h."
        raise InputError(msg)
    random = get_random_state(random_state)
    n = npoints * nchunks
    frequency = np.fft.rfftfreq(n, d=float(spacing.value))[1:]
    power = np.asarray(power_spectrum(frequency, **dict(power_spectrum_params or {})), dtype=float)
    if power.shape != frequency.shape or not (np.isfinite(power).all() and (power >= 0).all()):
        msg = (
            "TimmerKonig_lightcurve_simulator: power_spectrum must give a finite power of at least zero for each frequency; "
            f"it gave {power}."
        )
        raise InputError(msg)
    amplitude = np.sqrt(0.5 * power) * (random.normal(size=len(power)) + 1j * random.normal(size=len(power)))
    if n % 2 == 0:  # the amplitude of the highest frequency is real
        amplitude[-1] = np.sqrt(2) * amplitude[-1].real
    series = np.fft.irfft(np.concatenate([[0.0], amplitude]), n)
    start = int(random.uniform() * (n - npoints + 1))
    part = series[start : start + npoints]
    time = u.Quantity(np.arange(npoints) * spacing.value, spacing.unit)
    return _scaled(part, mean, std, poisson, random), time


def _scaled(part: Any, mean: Any, std: Any, poisson: bool, random: Any) -> Any:
    """Series with a mean and a standard deviation."""
    unit = getattr(mean, "unit", getattr(std, "unit", None))
    middle, spread = ((u.Quantity(v).to_value(unit) if unit is not None else float(v)) for v in (mean, std))
    size = part.std()
    values = middle + spread * (part - part.mean()) / (size if size > 0 else 1.0)
    if poisson:
        values = random.poisson(np.clip(values, 0, None)).astype(float)
    return values if unit is None else u.Quantity(values, unit)
