"""The tutorial on datasets, second part: spectra, on/off spectra and collections."""

from __future__ import annotations

import pytest
from numpy.testing import assert_allclose

from geminga.datasets import Datasets, SpectrumDatasetOnOff
from geminga.utils.scripts import make_path
from tests.helpers import requires_data

pytestmark = requires_data("joint-crab/spectra/hess/pha_obs23523.fits")

# Counts, background and W statistic within the masks of the files; counts are those of Nigro et al. 2019, A&A 625 A10.
JOINT_CRAB = {
    "fermi": (578, 1.17, 3821.9398501026226),
    "magic": (784, 129.85714285714286, 1521.8536978866853),
    "veritas": (289, 13.714285714285714, 1069.6595013929232),
    "fact": (691, 272.7777777777775, 428.552597527905),
    "hess": (459, 27.5, 1603.8864141999556),
}


def read(instrument):
    files = sorted(make_path(f"$GAMMAPY_DATA/joint-crab/spectra/{instrument}").glob("pha_*.fits"))
    return Datasets([SpectrumDatasetOnOff.read(file) for file in files])


@pytest.mark.parametrize("instrument", JOINT_CRAB)
def test_published_counts(instrument):
    counts, background, stat = JOINT_CRAB[instrument]
    datasets = read(instrument)
    info = [dataset.info_dict() for dataset in datasets]
    assert sum(row["counts"] for row in info) == counts
    assert_allclose(sum(row["background"] for row in info), background, rtol=1e-12)
    assert_allclose(datasets.stat_sum(), stat, rtol=1e-12)
