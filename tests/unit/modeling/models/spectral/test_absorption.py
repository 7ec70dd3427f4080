"""Absorption by the extragalactic background light: tables, numbers, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from numpy.testing import assert_allclose

from geminga.errors import DataError, FileError, FormatError, InputError, NameLookupError
from geminga.modeling.models import EBL_DATA_BUILTIN, EBLAbsorptionNormSpectralModel, Model, PowerLawSpectralModel
from tests.helpers import requires_data
from tests.unit.modeling.models.spectral.builders import ebl_table

ENERGY = [0.1, 1, 10] * u.TeV
NUMBERS = {
    "dominguez": [0.9520558993249147, 0.10094823610866394, 0.00014989456000198708],
    "franceschini": [0.9635133962052739, 0.1134837563565877, 5.4251937987932984e-05],
    "finke": [0.944583505145096, 0.093060767164938, 0.00026683930033247097],
    "franceschini17": [0.9649783192297973, 0.12170354997866482, 0.0003550862775607758],
    "saldana-lopez21": [0.9479803822539625, 0.11869760764550483, 4.511898641545403e-05],
}


@requires_data("ebl/ebl_dominguez11.fits.gz")
@pytest.mark.parametrize("name", NUMBERS)
def test_built_in_tables(name):
    model = EBLAbsorptionNormSpectralModel.read_builtin(name, redshift=0.2)
    assert_allclose(model(ENERGY), NUMBERS[name], rtol=1e-4)
    half = EBLAbsorptionNormSpectralModel.read_builtin(name, redshift=0.2, alpha_norm=0.5)
    assert_allclose(half(ENERGY), np.sqrt(model(ENERGY)), rtol=1e-12)
    again = Model.from_dict(model.to_dict())
    assert again.filename == EBL_DATA_BUILTIN[name]
    assert_allclose(again(ENERGY), model(ENERGY))


@requires_data("ebl/ebl_dominguez11.fits.gz")
def test_file_that_moved():
    """A table of the same file name among the built-in ones takes its place."""
    data = EBLAbsorptionNormSpectralModel.read_builtin("dominguez", redshift=0.2).to_dict()
    data["spectral"]["filename"] = "/elsewhere/ebl_dominguez11.fits.gz"
    assert_allclose(Model.from_dict(data)(ENERGY), NUMBERS["dominguez"], rtol=1e-4)
    data["spectral"]["filename"] = "/elsewhere/other.fits"
    with pytest.raises(FileError, match="File /elsewhere/other.fits does not exist"):
        Model.from_dict(data)


def test_interpolation_and_ends():
    """The depth is linear in redshift and ln E; beyond the table it goes on, but there is never more light than without."""
    energy, z = [0.1, 1, 10] * u.TeV, [0.1, 0.2]
    depth = np.array([[0.1, 1, 3], [0.2, 2, 6]])
    model = EBLAbsorptionNormSpectralModel(energy, z, np.exp(-depth), redshift=0.15, alpha_norm=1)
    assert_allclose(model([0.1, 10**-0.5, 10] * u.TeV), np.exp([-0.15, -0.825, -4.5]))
    model.redshift.value = 0.3
    assert_allclose(model(1 * u.TeV), np.exp(-3))
    model.redshift.value = 0.01
    assert_allclose(model(1e-3 * u.TeV), 1)
    value, gradient = model.dnde_evaluator(np.array([1e-3]))([0.01, 1])
    assert value[0] == 1
    assert gradient.tolist() == [[0], [0]]


def test_transmission_interpolated_linearly():
    model = EBLAbsorptionNormSpectralModel(
        [1, 10] * u.TeV, [0, 0.2], [[1, 1], [0.5, 0]], 0.1, 1, interp_kwargs={"values_scale": "lin"}
    )
    assert_allclose(model([1, 10] * u.TeV), [0.75, 0.5])


def test_table_is_shared_by_copies():
    """A large table is not copied with each source, also within products."""
    model = PowerLawSpectralModel() * EBLAbsorptionNormSpectralModel(*ebl_table(), redshift=0.1, alpha_norm=1)
    new = model.copy()
    assert new.model2._table is model.model2._table
    assert new.model2.redshift is not model.model2.redshift
    apart = model.model2.copy(copy_data=True)
    assert apart.data is not model.model2.data


def test_refusals(tmp_path):
    energy, z, data = ebl_table()
    with pytest.raises(NameLookupError, match="EBL table 'domingez' is unknown; known: franceschini"):
        EBLAbsorptionNormSpectralModel.read_builtin("domingez")
    with pytest.raises(DataError, match=r"data has shape \(25, 12\); expected finite values of shape \(12, 25\)"):
        EBLAbsorptionNormSpectralModel(energy, z, data.T, 0.1, 1)
    with pytest.raises(DataError, match=r"(?s)redshift of the table is .*; expected increasing"):
        EBLAbsorptionNormSpectralModel(energy, z[::-1], data, 0.1, 1)
    with pytest.raises(InputError, match="values_scale 'sqrt'; expected values_scale='log' or 'lin'"):
        EBLAbsorptionNormSpectralModel(energy, z, data, 0.1, 1, interp_kwargs={"values_scale": "sqrt"})
    with pytest.raises(FormatError, match="'energy' is None"):
        Model.from_dict({"spectral": {"type": "ebl-norm", "parameters": []}})
