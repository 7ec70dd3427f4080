"""The parametric response of the demo."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from scipy.integrate import quad

from geminga.cli.simulate import effective_area, empty_field, power_with_floor, read_response, simulate_field, true_models


@pytest.fixture(scope="module")
def field():
    return empty_field()


def test_effective_area_is_the_published_formula() -> None:
    area = effective_area(1 * u.TeV, g1="1.71e11 cm2", g2=0.0891, g3="1e5 MeV")
    assert area.to_value("cm2") == pytest.approx(1.71e11 * (1e6) ** -0.0891 * np.exp(-0.1))


def test_width_falls_to_its_floor() -> None:
    width = power_with_floor([0.1, 1, 1e6] * u.TeV, "0.03 deg", 0.5, "0.015 deg").to_value("deg")
    assert width[1] == pytest.approx(np.hypot(0.03, 0.015))
    assert width[0] > width[1] > width[2] == pytest.approx(0.015, rel=1e-5)


def test_background_is_the_integral_of_the_rate(field) -> None:
    background = read_response()["background"]
    norm, index = u.Quantity(background["norm"]).value, background["index"]
    edges = field.background.geom.axes["energy"].edges.to_value("TeV")
    rate, _ = quad(lambda energy: norm * energy**-index, edges[3], edges[4])
    centre = field.background.data[3, 49:51, 49:51].sum()
    omega = field.background.geom.to_image().solid_angle().to_value("sr")[49:51, 49:51].sum()
    assert centre == pytest.approx(rate * 3600 * omega, rel=1e-3)


def test_exposure_is_area_times_livetime(field) -> None:
    area = {key: value for key, value in read_response()["effective_area"].items() if key != "field_of_view"}
    energy = field.exposure.geom.axes["energy_true"].center
    expected = (effective_area(energy, **area) * 3600 * u.s).to_value("m2 s")
    assert field.exposure.data[:, 49:51, 49:51].mean(axis=(1, 2)) == pytest.approx(expected, rel=1e-3)


def test_response_is_normalised(field) -> None:
    kernel = field.edisp.get_edisp_kernel()
    inside = slice(8, -6)  # true energies whose measured energy falls inside the axis
    assert kernel.pdf_matrix.sum(axis=1)[inside] == pytest.approx(1, abs=2e-3)
    radius = field.psf.containment_radius(fraction=0.68, energy_true=1 * u.TeV).to_value("deg")
    assert radius == pytest.approx(np.hypot(0.03, 0.015) * np.sqrt(-2 * np.log(0.32)), rel=0.03)


def test_counts_follow_the_seed() -> None:
    first, again, other = (simulate_field(seed=seed).counts.data for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_counts_scatter_about_the_prediction() -> None:
    dataset = simulate_field(seed=5)
    expected = dataset.npred().data.sum()
    assert abs(dataset.counts.data.sum() - expected) < 5 * np.sqrt(expected)


def test_true_models_belong_to_the_dataset() -> None:
    models = true_models("name")
    assert models.names == ["star", "nebula", "name-bkg"]
    assert list(models["name-bkg"].datasets_names) == ["name"]
