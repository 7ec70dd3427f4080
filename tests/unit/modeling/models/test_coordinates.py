"""Energies and angles at the door of models."""

from __future__ import annotations

from typing import Any

import pytest
from astropy import units as u
from astropy.coordinates import Longitude
from numpy.testing import assert_array_equal

from geminga.errors import InputError, UnitError
from geminga.modeling.models.coordinates import as_angle, as_energy, positive_energies


def test_units_are_kept() -> None:
    assert as_energy("300 GeV").unit == u.GeV
    assert as_angle(3 * u.arcmin, "lon").unit == u.arcmin
    assert as_angle("3 arcmin", "lon") == 3 * u.arcmin
    assert_array_equal(positive_energies([300, 1000] * u.GeV, "energy"), [0.3, 1])


def test_differences_of_longitudes_do_not_wrap() -> None:
    difference = as_angle(Longitude(10 * u.deg), "lon") - 20 * u.deg
    assert difference.to_value("deg") == pytest.approx(-10)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: as_energy(3), UnitError, "energy: 3 has unit ''; expected an energy such as '1 TeV'"),
        (lambda: as_energy("far", "energy_min"), UnitError, "energy_min: cannot read 'far' as an energy"),
        (lambda: as_angle(1 * u.TeV, "lon"), UnitError, "lon: .* has unit 'TeV'; expected an angle such as '1 deg'"),
        (lambda: as_angle(None, "lat"), UnitError, "lat: cannot read None as an angle"),
        (lambda: positive_energies(0 * u.TeV, "energy_min"), InputError, "energy_min: .* is not positive everywhere"),
    ],
)
def test_refusals(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
