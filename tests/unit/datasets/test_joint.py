"""Datasets of different kinds in one fit."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.table import Table
from regions import CircleSkyRegion

from geminga.datasets import Datasets, FluxPointsDataset, SpectrumDatasetOnOff
from geminga.estimators import FluxPoints, FluxPointsEstimator
from geminga.irf import PSFMap
from geminga.maps import Map, MapAxis
from geminga.modeling import Fit
from geminga.modeling.models import PointSpatialModel, PowerLawSpectralModel, SkyModel
from tests.unit.datasets.test_unusual_fits import CENTER, TRUE, dataset

INDEX, AMPLITUDE = 2.2, 4e-11


def spectrum() -> PowerLawSpectralModel:
    return PowerLawSpectralModel(index=INDEX, amplitude=AMPLITUDE * u.Unit("TeV-1 s-1 cm-2"))


def flux_points() -> FluxPoints:
    """Points on the model, with errors of five per cent."""
    energy = np.geomspace(0.3, 30, 8) * u.TeV
    dnde = spectrum()(energy)
    table = Table({"e_ref": energy, "dnde": dnde, "dnde_err": 0.05 * dnde}, meta={"SED_TYPE": "dnde"})
    return FluxPoints.from_table(table)


@pytest.fixture(scope="module")
def members():
    """A map, a spectrum, an on/off spectrum and flux points of one source, without noise, and the shared spectrum."""
    shared = spectrum()
    rad = MapAxis.from_bounds(0, 0.66, 66, unit="deg", name="rad")
    own = dataset(PSFMap.from_gauss(TRUE, rad_axis=rad, sigma=0.09 * u.deg))
    place = PointSpatialModel(lon_0=CENTER.ra, lat_0=CENTER.dec)
    place.freeze()
    region = CircleSkyRegion(CENTER, 0.3 * u.deg)
    plain = own.to_spectrum_dataset(region, name="spectrum")
    off = own.to_spectrum_dataset(region, name="off")
    shape = off.background.geom
    onoff = SpectrumDatasetOnOff.from_spectrum_dataset(
        off,
        acceptance=Map.from_geom(shape, data=1.0),
        acceptance_off=Map.from_geom(shape, data=5.0),
        counts_off=Map.from_geom(shape, data=5 * off.background.data),
        name="on-off",
    )
    points = FluxPointsDataset(data=flux_points(), name="points")
    own.models = [SkyModel(shared, place, name="on the map")]
    for member in (plain, onoff, points):
        member.models = [SkyModel(shared, name=f"in {member.name}")]
    own.counts, plain.counts = own.npred(), plain.npred()
    onoff.counts = onoff.npred_signal() + Map.from_geom(shape, data=off.background.data)
    return Datasets([own, plain, onoff, points]), shared


def fitted(datasets, shared):
    shared.index.value, shared.amplitude.value = 2.4, 3e-11
    result = Fit().run(datasets)
    assert result.success
    found = np.array([shared.index.value, shared.amplitude.value / AMPLITUDE])
    covariance = datasets.models.covariance.get_subcovariance(shared.parameters.free_parameters).data
    return found, covariance / np.outer([1, AMPLITUDE], [1, AMPLITUDE]), result.total_stat


def test_fit_of_all_kinds(members):
    datasets, shared = members
    found, covariance, stat = fitted(datasets, shared)
    np.testing.assert_allclose(found, [INDEX, 1], atol=1e-3 * np.sqrt(np.diag(covariance)).min())
    assert stat == pytest.approx(sum(own.stat_sum() for own in datasets), rel=1e-12)


def test_information_adds_up(members):
    datasets, shared = members
    _, together, _ = fitted(datasets, shared)
    alone = [fitted(Datasets([own]), shared)[1] for own in datasets]
    np.testing.assert_allclose(np.linalg.inv(together), sum(map(np.linalg.inv, alone)), rtol=2e-3)
    assert all(np.all(np.diag(together) < np.diag(one)) for one in alone)


def test_order_does_not_matter(members):
    datasets, shared = members
    first = fitted(datasets, shared)
    second = fitted(Datasets(list(datasets)[::-1]), shared)
    np.testing.assert_allclose(second[0], first[0], rtol=1e-7)
    np.testing.assert_allclose(second[1], first[1], rtol=1e-6)


def test_stacking_is_for_one_kind(members):
    from geminga.errors import InputError

    with pytest.raises(InputError, match="FluxPointsDataset"):
        members[0].stack_reduce()


def test_estimators_take_members_of_one_source(members):
    datasets, shared = members
    shared.index.value, shared.amplitude.value = INDEX, AMPLITUDE
    one = SkyModel(shared, name="one")
    own = Datasets([datasets["spectrum"].copy(name="a"), datasets["on-off"].copy(name="b")])
    own.models = [one]
    estimator = FluxPointsEstimator(energy_edges=[1, 4, 20] * u.TeV, source="one", selection_optional="all")
    points = estimator.run(own)
    np.testing.assert_allclose(points.norm.data.ravel(), 1, atol=2e-3)
