import astropy.units as u
import numpy as np
import pytest

from geminga.datasets import SpectrumDataset, SpectrumDatasetOnOff
from geminga.errors import InputError
from geminga.estimators import ESTIMATOR_REGISTRY, SensitivityEstimator
from geminga.irf import EDispKernelMap
from geminga.maps import Map, MapAxis, RegionGeom, RegionNDMap
from geminga.modeling.models import PowerLawSpectralModel, SkyModel
from tests.unit.estimators.test_ts import make

REGION = "icrs;circle(0, 0, 0.1)"
ENERGY = MapAxis.from_energy_edges([1, np.sqrt(10), 10], unit="TeV")
TRUE = MapAxis.from_energy_bounds("0.5 TeV", "20 TeV", nbin=10, name="energy_true")


def spectrum(background=(100, 1), true=TRUE, exposure=1e10):
    geom = RegionGeom.create(REGION, axes=[ENERGY])
    own = RegionNDMap.create(REGION, axes=[true], unit="m2 s")
    own.data += exposure
    level = Map.from_geom(geom, data=np.reshape(background, (2, 1, 1)).astype(float))
    edisp = EDispKernelMap.from_diagonal_response(ENERGY, true, geom=geom.to_image())
    return SpectrumDataset(exposure=own, background=level, edisp=edisp, name="sensitivity")


def on_off(**kwargs):
    return SpectrumDatasetOnOff.from_spectrum_dataset(dataset=spectrum(**kwargs), acceptance=1, acceptance_off=5)


def test_reference_values():
    table = SensitivityEstimator().run(on_off())
    np.testing.assert_allclose(table["excess"], [60.54295333486279, 11.266704415740625], rtol=1e-6)
    np.testing.assert_allclose(table["e2dnde"], [1.3847532093750766e-12, 8.397342928292652e-13], rtol=1e-6)
    assert list(table["criterion"]) == ["significance", "significance"]
    assert table.colnames == ["e_ref", "e_min", "e_max", "e2dnde", "excess", "background", "criterion"]


def test_flux_gives_the_excess():
    # A source with the flux found has the excess found, in each bin by itself.
    dataset = on_off()
    table = SensitivityEstimator().run(dataset)
    for i, row in enumerate(table):
        amplitude = row["e2dnde"] * u.Unit("erg cm-2 s-1") / u.Quantity(1, "TeV2")
        dataset.models = [SkyModel(PowerLawSpectralModel(amplitude=amplitude.to("cm-2 s-1 TeV-1")), name="s")]
        assert dataset.npred_signal().data[i, 0, 0] == pytest.approx(row["excess"], rel=1e-9)


def test_criteria():
    table = SensitivityEstimator().run(on_off(background=(0, 1e5)))
    assert list(table["criterion"]) == ["gamma", "bkg"]
    np.testing.assert_allclose(table["excess"], [10, 5000])
    low = SensitivityEstimator(gamma_min=0).run(on_off(background=(0, 1e5)))
    assert low["excess"][0] == pytest.approx(25 / (2 * np.log(6)), rel=1e-6)  # n_off = 0: Li & Ma in closed form


def test_known_background():
    table = SensitivityEstimator(gamma_min=0).run(spectrum())
    np.testing.assert_allclose(table["excess"], [54.012755, 8.327276], rtol=1e-5)


def test_bins_that_cannot_be_used_say_why():
    dataset = on_off()
    dataset.exposure.data[:] = 0
    table = SensitivityEstimator().run(dataset)
    assert list(table["criterion"]) == ["no exposure"] * 2
    assert np.isnan(table["e2dnde"]).all()
    dataset = on_off()
    dataset.mask_safe = Map.from_geom(dataset.counts_off.geom, data=np.array([False, True]).reshape(2, 1, 1))
    table = SensitivityEstimator().run(dataset)
    assert list(table["criterion"]) == ["masked", "significance"]
    assert np.isnan(table["e2dnde"]).tolist() == [True, False]


def test_refusals():
    with pytest.raises(InputError, match="is no spectrum"):
        SensitivityEstimator().run(make())
    bare = spectrum()
    bare.counts, bare.background = bare.background, None
    with pytest.raises(InputError, match="no background"):
        SensitivityEstimator().run(bare)
    empty = SpectrumDatasetOnOff(counts=Map.from_geom(spectrum().background.geom), exposure=spectrum().exposure)
    with pytest.raises(InputError, match="no off counts"):
        SensitivityEstimator().run(empty)
    assert ESTIMATOR_REGISTRY.get_cls("SensitivityEstimator") is SensitivityEstimator
