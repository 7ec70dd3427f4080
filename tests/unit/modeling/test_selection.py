from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest

from geminga.datasets import SpectrumDataset
from geminga.errors import FitError, InputError
from geminga.irf import EDispKernelMap
from geminga.maps import MapAxis, RegionGeom, RegionNDMap
from geminga.modeling import Fit, select_nested_models
from geminga.modeling.models import LogParabolaSpectralModel, PowerLawSpectralModel, SkyModel
from geminga.modeling.selection import NestedModelSelection
from tests.unit.datasets.builders import spectrum_dataset


@pytest.fixture(name="curved")
def _curved():
    """A spectrum whose counts are those of a curved one, with its model."""
    dataset = spectrum_dataset(nbin=8)
    spectrum = LogParabolaSpectralModel(amplitude="5e-12 cm-2 s-1 TeV-1", reference="3 TeV", alpha=2.2, beta=0.5)
    dataset.models = [SkyModel(spectrum, name="source")]
    dataset.counts = dataset.npred()
    return dataset, spectrum


def test_the_statistic_is_the_difference_of_two_fits(curved):
    dataset, spectrum = curved
    result = select_nested_models([dataset], [spectrum.beta], [0.0], n_sigma=1)
    spectrum.beta.value, spectrum.beta.frozen = 0.0, True
    null = Fit().run([dataset]).total_stat
    assert result["ts"] == pytest.approx(null - result["fit_results"].total_stat, abs=1e-5)
    assert result["fit_results_null"].total_stat == pytest.approx(null, abs=1e-5)


def test_the_preferred_hypothesis_stays(curved):
    dataset, spectrum = curved
    ts = select_nested_models([dataset], [spectrum.beta], [0.0], n_sigma=1)["ts"]
    assert not spectrum.beta.frozen
    assert spectrum.beta.value == pytest.approx(0.5, abs=1e-3)
    assert spectrum.beta.error > 0
    np.testing.assert_allclose(np.sqrt(np.diag(spectrum.covariance.data)), [p.error for p in spectrum.parameters])
    select_nested_models([dataset], [spectrum.beta], [0.0], n_sigma=np.sqrt(ts) * 1.01)
    assert spectrum.beta.frozen
    assert spectrum.beta.value == spectrum.beta.error == 0
    assert spectrum.alpha.error > 0


def test_nothing_left_to_fit(curved):
    dataset, spectrum = curved
    spectrum.alpha.frozen = spectrum.beta.frozen = True
    result = select_nested_models([dataset], [spectrum.amplitude], [0 * u.Unit("cm-2 s-1 GeV-1")])
    assert result["fit_results_null"] is None
    assert result["ts"] > 100
    assert spectrum.amplitude.quantity.to_value("cm-2 s-1 TeV-1") == pytest.approx(5e-12, rel=1e-3)


def test_a_failed_fit_changes_nothing(curved):
    dataset, spectrum = curved
    dataset.exposure.data[:] = 0
    with pytest.raises(FitError, match="with the parameters free did not converge"):
        select_nested_models([dataset], [spectrum.beta], [0.0])
    assert spectrum.beta.value == 0.5
    assert not spectrum.beta.frozen


def test_as_many_values_as_parameters(curved):
    dataset, spectrum = curved
    with pytest.raises(InputError, match="2 parameters and 1 null values"):
        select_nested_models([dataset], [spectrum.beta, spectrum.alpha], [0.0])


# ts_known_bkg, ts_asimov and ts of gammapy 2.1 for these counts.
PEER = (102.35976282201798, 24.624526832514036, 136.67298197838355)


def counts_over_a_background():
    energy = MapAxis.from_energy_bounds("1 TeV", "30 TeV", nbin=8)
    true = MapAxis.from_energy_bounds("0.7 TeV", "40 TeV", nbin=16, name="energy_true")
    region = "icrs;circle(0, 0, 0.1)"
    geom = RegionGeom.create(region, axes=[energy])
    dataset = SpectrumDataset(
        counts=RegionNDMap.from_geom(geom, data=np.array([30, 25, 14, 9, 8, 3, 2, 2.0]).reshape(8, 1, 1)),
        exposure=RegionNDMap.create(region, axes=[true], unit="cm2 s", data=1e13),
        background=RegionNDMap.from_geom(geom, data=np.full((8, 1, 1), 4.0)),
        edisp=EDispKernelMap.from_diagonal_response(energy, true, geom=None),
        name="d",
    )
    spectrum = PowerLawSpectralModel(index=2.3, amplitude="3e-12 cm-2 s-1 TeV-1")
    dataset.models = [SkyModel(spectrum, name="s")]
    return dataset, spectrum


def test_numbers_of_gammapy():
    dataset, spectrum = counts_over_a_background()
    test = NestedModelSelection([spectrum.amplitude], [0])
    before = [(p.value, p.error, p.frozen) for p in spectrum.parameters]
    found = test.ts_known_bkg([dataset]), test.ts_asimov([dataset])
    np.testing.assert_allclose(found, PEER[:2], rtol=1e-3)
    spectrum.index.frozen = False
    np.testing.assert_allclose(test.ts([dataset]), PEER[2], rtol=1e-3)
    assert [(p.value, p.error, p.frozen) for p in spectrum.parameters] == before
    assert test.ts_threshold == pytest.approx(4)


def test_the_covariance_is_as_it_was_afterwards(curved):
    dataset, spectrum = curved
    before = spectrum.covariance = Fit().run([dataset]).models.covariance.get_subcovariance(spectrum.parameters)
    correlation = before.correlation.copy()
    NestedModelSelection([spectrum.beta], [0.0]).ts([dataset])
    np.testing.assert_allclose(spectrum.covariance.correlation, correlation)
    np.testing.assert_allclose(dataset.models["source"].covariance.correlation, correlation)


def test_the_selection_need_not_be_applied(curved):
    dataset, spectrum = curved
    test = NestedModelSelection([spectrum.beta], [0.0], n_sigma=100)
    result = test.run([dataset], apply_selection=False)
    assert result["ts"] < test.ts_threshold
    assert not spectrum.beta.frozen
    assert spectrum.beta.value == pytest.approx(0.5, abs=1e-3)


def test_what_the_null_hypothesis_makes_meaningless_is_left_out():
    """The index of a source without amplitude has no effect; the fit of the rest goes on without it."""
    dataset, spectrum = counts_over_a_background()
    faint = PowerLawSpectralModel(index=2.0, amplitude="1e-14 cm-2 s-1 TeV-1", reference="3 TeV")
    dataset.models = [SkyModel(spectrum, name="s"), SkyModel(faint, name="t")]
    spectrum.index.frozen = faint.index.frozen = False
    dataset.counts.data[...] = dataset.npred().data
    faint.amplitude.value = 3e-14
    result = select_nested_models([dataset], [faint.amplitude], [0.0], n_free_parameters=2)
    assert result["ts"] < 1e-3
    assert faint.amplitude.value == 0
    assert not faint.index.frozen
    assert spectrum.amplitude.value == pytest.approx(3e-12, rel=0.02)
