"""What a user can get wrong with a dataset: one typed error which names object, value and remedy."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from geminga.cli.simulate import simulate_field
from geminga.datasets import MapDataset
from geminga.errors import CorruptFileError, DataError, FileError, FileExistsRefusal, GeometryError, InputError
from geminga.irf import EDispKernelMap, PSFMap
from geminga.maps import Map, MapAxis, WcsGeom
from geminga.modeling import Fit


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("refusals")
    dataset = simulate_field(seed=1)
    dataset.write(path / "whole.fits")
    dataset.write(path / "whole.fits.gz")
    return path, dataset.models.copy()


@pytest.fixture
def dataset(folder):
    path, models = folder
    own = MapDataset.read(path / "whole.fits", name="demo")
    own.models = models.copy()
    return own


@pytest.mark.parametrize("suffix", [".fits", ".fits.gz"])
def test_truncated_anywhere(folder, suffix):
    path, _ = folder
    whole = (path / f"whole{suffix}").read_bytes()
    for number in range(1, 20):
        cut = path / f"cut{suffix}"
        cut.write_bytes(whole[: len(whole) * number // 20])
        with pytest.raises(CorruptFileError, match="cut"):
            MapDataset.read(cut)


def test_changed_bytes(folder):
    path, _ = folder
    whole = (path / "whole.fits").read_bytes()
    reference = MapDataset.read(path / "whole.fits")
    rng = np.random.default_rng(3)
    for position in rng.integers(0, len(whole), 25):
        broken = bytearray(whole)
        broken[position] ^= 0x11
        (path / "flipped.fits").write_bytes(bytes(broken))
        try:
            read = MapDataset.read(path / "flipped.fits")
        except (FileError, InputError):
            continue
        for name in ("counts", "exposure", "background"):
            assert np.array_equal(getattr(read, name).data, getattr(reference, name).data)


@pytest.mark.parametrize("name", ["EXPOSURE", "COUNTS_BANDS", "PSF_EXPOSURE", "GTI"])
def test_lost_hdu(folder, name):
    path, _ = folder
    with fits.open(path / "whole.fits") as hdulist:
        fits.HDUList([hdu for hdu in hdulist if hdu.name != name]).writeto(path / "lost.fits", overwrite=True)
    with pytest.raises(CorruptFileError, match=f"lacks the HDUs {name}"):
        MapDataset.read(path / "lost.fits")


def test_other_files(folder, dataset):
    path, _ = folder
    with pytest.raises(FileError, match="does not exist"):
        MapDataset.read(path / "none.fits")
    (path / "text.fits").write_text("hello")
    with pytest.raises(CorruptFileError, match="is not a FITS file"):
        MapDataset.read(path / "text.fits")
    before = (path / "whole.fits").read_bytes()
    with pytest.raises(FileExistsRefusal, match="overwrite=True"):
        dataset.write(path / "whole.fits")
    assert (path / "whole.fits").read_bytes() == before
    with pytest.raises(FileError, match="Could not write"):
        dataset.write(path / "no" / "folder.fits")


@pytest.mark.parametrize(
    ("part", "value", "kind"),
    [
        ("counts", np.nan, "COUNTS is NaN"),
        ("counts", -3, "COUNTS is negative"),
        ("background", np.nan, "BACKGROUND is NaN"),
        ("background", -5, "BACKGROUND is negative"),
        ("exposure", np.nan, "EXPOSURE is NaN"),
        ("exposure", -1, "EXPOSURE is negative"),
        ("exposure", np.inf, "EXPOSURE is infinite"),
    ],
)
def test_bad_values(dataset, part, value, kind):
    getattr(dataset, part).data[2, 10, 11] = value
    with pytest.raises(DataError, match=rf"'demo' cannot be used: {kind} in 1 bins, .* bin 2, pixel \(11, 10\)"):
        Fit().run([dataset])


def test_bad_values_outside_the_mask_do_not_matter(dataset):
    dataset.mask_fit = dataset.counts.geom.energy_mask("0.2 TeV", None)
    before = dataset.stat_sum()
    outside = ~dataset.mask_fit.data
    dataset.background.data[outside] = np.nan
    dataset.counts.data[outside] = -1
    dataset.validate()
    np.testing.assert_allclose(dataset.stat_sum(), before, rtol=1e-14)


def test_bad_responses(dataset):
    dataset.psf.psf_map.data[0, 3] = np.nan
    with pytest.raises(DataError, match="PSF is NaN"):
        Fit().run([dataset])


def test_negative_dispersion(dataset):
    dataset.edisp.edisp_map.data[0, 0] = -1
    with pytest.raises(DataError, match="EDISP is negative"):
        Fit().run([dataset])


def test_responses_of_other_energies(dataset):
    energy_true = MapAxis.from_energy_bounds("1 TeV", "2 TeV", nbin=2, name="energy_true")
    psf, edisp = dataset.psf, EDispKernelMap.from_diagonal_response(dataset.counts.geom.axes["energy"], energy_true)
    dataset.psf = PSFMap.from_gauss(energy_true)
    with pytest.raises(GeometryError, match="The PSF goes from 1 to 2 TeV"):
        Fit().run([dataset])
    dataset.psf, dataset.edisp = psf, edisp
    with pytest.raises(DataError, match="EDISP has 2 bins of true energy, 1 TeV to 2 TeV, EXPOSURE has"):
        Fit().run([dataset])


def test_masks(dataset):
    axis = dataset.counts.geom.axes["energy"]
    with pytest.raises(GeometryError, match="make the mask from dataset.counts.geom"):
        dataset.mask_fit = Map.from_geom(WcsGeom.create(npix=(5, 5), axes=[axis]), data=True, dtype=bool)
    with pytest.raises(DataError, match="expected bool"):
        dataset.mask_fit = Map.from_geom(dataset.counts.geom, data=1.0)
    dataset.mask_fit = Map.from_geom(dataset.counts.geom, data=False, dtype=bool)
    with pytest.raises(InputError, match="'demo' has no bin inside its mask"):
        Fit().run([dataset])


def test_start_at_a_negative_background_recovers(dataset):
    best = Fit().run([dataset]).total_stat
    dataset.models["demo-bkg"].spectral_model.norm.value = -1
    result = Fit().run([dataset])
    assert not result.success or abs(result.total_stat - best) < 1e-3


def test_changes_in_place_are_seen(dataset):
    """Nothing goes stale: the statistic follows each change, and comes back with it."""
    before = dataset.stat_sum()
    counts, background, psf = dataset.counts.data, dataset.background.data, dataset.psf.psf_map.data[:, :5]
    for array in (counts, background, psf):
        old = array.copy()
        np.multiply(array, 0.5, out=array)
        assert dataset.stat_sum() != before
        array[...] = old
        assert dataset.stat_sum() == before
    dataset.models["star"].spectral_model.index.value += 0.1
    assert dataset.stat_sum() != before
