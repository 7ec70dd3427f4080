from __future__ import annotations

import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from numpy.testing import assert_allclose

from geminga.data import DataStore, get_irfs_features
from geminga.errors import DataError, InputError, NameLookupError
from tests.helpers import requires_data


@requires_data("hess-dl3-dr1")
class TestHess:
    @pytest.fixture
    def observations(self):
        return DataStore.from_dir("$GAMMAPY_DATA/hess-dl3-dr1").get_observations([23523, 23526])

    def test_numbers_of_gammapy(self, observations):
        table = get_irfs_features(observations, "1 TeV", fixed_offset="0.5 deg")
        assert_allclose(table["edisp-bias"], [0.07080238, 0.04818281], rtol=1e-5)
        assert_allclose(table["edisp-res"], [0.36260492, 0.34930581], rtol=1e-5)
        assert_allclose(table["psf-radius"], [0.12262555, 0.10932155], rtol=1e-3)
        assert table["psf-radius"].unit == "deg"
        assert table["obs_id"].tolist() == [23523, 23526]
        assert table.meta["fixed_offset"] == "0.5 deg"

    def test_position(self, observations):
        source = SkyCoord(83.63333, 22.01444, unit="deg")
        at_source = get_irfs_features(observations, 1 * u.TeV, position=source, names="edisp-res")
        at_half = get_irfs_features(observations, 1 * u.TeV, fixed_offset=0.5 * u.deg, names=["edisp-res"])
        assert at_source.colnames == ["edisp-res", "obs_id"]
        assert_allclose(at_source["edisp-res"], at_half["edisp-res"], rtol=1e-3)

    def test_scaled(self, observations):
        table = get_irfs_features(observations, 1 * u.TeV, apply_standard_scaler=True)
        assert_allclose(table["edisp-bias"], [1, -1])

    def test_refusals(self, observations):
        with pytest.raises(NameLookupError, match="\\['foo'\\] are not known"):
            get_irfs_features(observations, 1 * u.TeV, names="foo")
        with pytest.raises(InputError, match="give one of them"):
            get_irfs_features(observations, 1 * u.TeV, SkyCoord(0, 0, unit="deg"), 1 * u.deg)
        bare = observations[0].copy()
        del bare._parts["psf"]
        with pytest.raises(DataError, match="observation 23523 has no psf"):
            get_irfs_features([bare], 1 * u.TeV)
