"""Simulated light curves have the power spectrum they were made for."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.errors import InputError
from geminga.stats import TimmerKonig_lightcurve_simulator


def power_law(frequency, index):
    return frequency**-index


@pytest.mark.parametrize("index", [0.0, 1.0, 2.0])
def test_power_spectrum(index):
    options = {"power_spectrum_params": {"index": index}, "nchunks": 1}
    spectra = []
    for seed in range(300):
        flux, time = TimmerKonig_lightcurve_simulator(power_law, 128, 2 * u.h, random_state=seed, **options)
        spectra.append(np.abs(np.fft.rfft(flux))[1:-1] ** 2)
    frequency = np.fft.rfftfreq(128, d=2.0)[1:-1]
    slope = np.polyfit(np.log(frequency), np.log(np.mean(spectra, axis=0)), 1)[0]
    assert_allclose(slope, -index, atol=0.06)
    assert_allclose(np.diff(time.to_value("h")), 2)


def test_frequencies_are_in_the_unit_of_the_spacing():
    seen = []

    def spectrum(frequency):
        seen.append(frequency)
        return np.ones_like(frequency)

    TimmerKonig_lightcurve_simulator(spectrum, 20, 2 * u.min, nchunks=1, random_state=0)
    assert_allclose(seen[0], np.arange(1, 11) / 40)
    TimmerKonig_lightcurve_simulator(spectrum, 20, 2 * u.min, random_state=0)
    assert len(seen[1]) == 100


def test_longer_series_have_power_at_low_frequencies():
    slopes = []
    for nchunks in (1, 10):
        drift = []
        for seed in range(200):
            flux, _ = TimmerKonig_lightcurve_simulator(lambda f: f**-2.0, 50, 1 * u.h, nchunks, random_state=seed)
            drift.append(abs(flux[-1] - flux[0]))
        slopes.append(np.mean(drift))
    # A series that is periodic ends where it began.
    assert slopes[1] > 2 * slopes[0]


def test_mean_spread_and_unit():
    unit = u.Unit("cm-2 s-1")
    flux, _ = TimmerKonig_lightcurve_simulator(
        lambda f: f**-1.0, 101, 1 * u.h, mean=3 * unit, std=5e3 * u.Unit("m-2 s-1"), random_state=1
    )
    assert flux.unit == unit
    assert_allclose([flux.mean().value, flux.std().value], [3, 0.5])
    counts, _ = TimmerKonig_lightcurve_simulator(lambda f: f**-1.0, 2000, 1 * u.h, mean=30, std=1, poisson=True, random_state=1)
    assert (counts == np.round(counts)).all()
    assert_allclose([counts.mean(), counts.var()], [30, 31], rtol=0.06)
    low, _ = TimmerKonig_lightcurve_simulator(lambda f: f**-1.0, 50, 1 * u.h, mean=0, std=1, poisson=True, random_state=1)
    assert (low >= 0).all()


def test_same_seed_same_series():
    series = [TimmerKonig_lightcurve_simulator(lambda f: f**-1.0, 9, 1 * u.h, random_state=s)[0] for s in (5, 5, 6)]
    assert_allclose(series[0], series[1])
    assert not np.allclose(series[0], series[2])
    generator = TimmerKonig_lightcurve_simulator(lambda f: f**-1.0, 9, 1 * u.h, random_state=np.random.default_rng(1))[0]
    assert np.isfinite(generator).all()


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="npoints is 20.5; expected a positive integer"):
        TimmerKonig_lightcurve_simulator(lambda f: f, 20.5, 1 * u.h)
    with pytest.raises(InputError, match="nchunks is 0"):
        TimmerKonig_lightcurve_simulator(lambda f: f, 20, 1 * u.h, nchunks=0)
    with pytest.raises(InputError, match="spacing is 1; expected a positive duration"):
        TimmerKonig_lightcurve_simulator(lambda f: f, 20, 1)
    with pytest.raises(InputError, match="power_spectrum must give a finite power"):
        TimmerKonig_lightcurve_simulator(lambda f: -f, 20, 1 * u.h)
