"""Response functions as files, and what integrals along an axis must obey."""

from __future__ import annotations

from typing import ClassVar

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from geminga.errors import FileExistsRefusal, FormatError, NameLookupError
from geminga.irf import IRF
from geminga.maps import MapAxis

ENERGY = MapAxis.from_energy_bounds("0.1 TeV", "100 TeV", nbin=4, name="energy_true")
OFFSET = MapAxis.from_edges([0, 1, 2, 5], unit="deg", name="offset")
RAD = MapAxis.from_edges([0, 0.1, 0.3, 0.4, 1], unit="deg", name="rad")
CENTERS = MapAxis.from_nodes([0.5, 1, 2.5], unit="deg", name="offset")


class Table3D(IRF):
    """PSF table of a test."""

    tag = "psf_of_a_test"
    required_axes: ClassVar[list[str]] = ["energy_true", "offset", "rad"]


def psf(seed: int = 0, offset: MapAxis = OFFSET) -> Table3D:
    axes = [ENERGY, offset, RAD]
    data = np.random.default_rng(seed).uniform(0, 5, [axis.nbin for axis in axes])
    return Table3D(axes, data=data, unit="sr-1", meta={"TELESCOP": "NONE"})


class TestFiles:
    @pytest.mark.parametrize("offset", [OFFSET, CENTERS], ids=["edges", "centres"])
    @pytest.mark.parametrize("pointlike", [False, True])
    def test_write_then_read(self, tmp_path, offset, pointlike):
        one = psf(offset=offset)
        one = Table3D(one.axes, one.data, one.unit, is_pointlike=pointlike, meta=one.meta)
        one.write(tmp_path / "irf.fits")
        again = Table3D.read(tmp_path / "irf.fits")
        assert_allclose(again.data, one.data, rtol=1e-14)
        assert again.unit == one.unit
        assert again.is_pointlike is pointlike
        assert again.meta["TELESCOP"] == "NONE"
        for new, old in zip(again.axes, one.axes, strict=True):
            assert (new.name, new.unit, new.node_type) == (old.name, old.unit, old.node_type)
            assert_allclose(new.center.value, old.center.value, rtol=1e-12)
        assert again == one

    @given(arrays(float, (4, 3, 4), elements=st.floats(-1e6, 1e6)))
    @settings(max_examples=20, derandomize=True)
    def test_any_data_keep_their_order(self, data):
        one = Table3D([ENERGY, OFFSET, RAD], data=data)
        assert_allclose(Table3D.from_table(one.to_table()).data, data, rtol=0, atol=0)
        assert_allclose(Table3D.from_hdulist(one.to_hdulist()).data, data, rtol=0, atol=0)

    def test_cell_has_the_axes_reversed(self):
        hdu = psf().to_table_hdu()
        assert hdu.name == "PSF_OF_A_TEST"
        assert hdu.data["DATA"].shape == (1, 4, 3, 4)
        assert hdu.data["DATA"][0, 3, 1, 2] == psf().data[2, 1, 3]
        assert hdu.columns.names == ["ENERG_LO", "ENERG_HI", "THETA_LO", "THETA_HI", "RAD_LO", "RAD_HI", "DATA"]
        assert hdu.header["HDUCLAS3"] == "FULL-ENCLOSURE"

    def test_refusals(self, tmp_path):
        hdulist = psf().to_hdulist()
        with pytest.raises(NameLookupError, match="there is no HDU 'AEFF'; the file has PRIMARY, PSF_OF_A_TEST"):
            Table3D.from_hdulist(hdulist, hdu="AEFF")
        with pytest.raises(NameLookupError, match="there is no HDU None; the file has PRIMARY"):
            Table3D.from_hdulist(fits.HDUList([fits.PrimaryHDU()]))
        with pytest.raises(FormatError, match="'fits' is not known; expected 'gadf-dl3'"):
            Table3D.from_hdulist(hdulist, format="fits")
        table = psf().to_table()
        table.remove_column("THETA_HI")
        with pytest.raises(FormatError, match=r"lacks the columns \['THETA_HI'\] of axis 'offset'"):
            Table3D.from_table(table)
        table = psf().to_table()
        table.remove_column("DATA")
        with pytest.raises(FormatError, match="has no column with data"):
            Table3D.from_table(table)
        table = psf().to_table()
        table["DATA"] = table["DATA"][:, :3]
        with pytest.raises(FormatError, match=r"'DATA' has 36 values, the axes .* ask for \(4, 3, 4\)"):
            Table3D.from_table(table)
        psf().write(tmp_path / "irf.fits")
        with pytest.raises(FileExistsRefusal):
            psf().write(tmp_path / "irf.fits")


class TestIntegral:
    @given(st.integers(0, 1000), st.lists(st.floats(0, 3), min_size=2, max_size=6))
    @settings(max_examples=25, derandomize=True)
    def test_never_falls_and_ends_at_its_last_value(self, seed, radii):
        one = psf(seed)
        where = {"energy_true": 3 * u.TeV, "offset": 1.5 * u.deg}
        rad = np.sort([*radii, 1.0, 50.0]) * u.deg
        contained = one.integral("rad", rad=rad, **where).to_value("")
        assert (np.diff(contained) >= -1e-12 * contained[-1]).all()
        assert_allclose(contained[rad.value >= 1], one.cumsum("rad").evaluate(rad=1 * u.deg, **where).to_value(""))

    @given(st.integers(0, 1000))
    @settings(max_examples=15, derandomize=True)
    def test_normalised_is_one_everywhere(self, seed):
        one = psf(seed)
        one.normalize("rad")
        assert_allclose(one.cumsum("rad").data[..., -1], 1)
        before = one.data.copy()
        one.normalize("rad")
        assert_allclose(one.data, before)

    def test_nothing_stays_nothing(self):
        one = psf()
        one.data = np.where(np.arange(4)[:, None, None] == 1, 0.0, one.data)
        one.normalize("rad")
        assert (one.data[1] == 0).all()
        assert_allclose(one.cumsum("rad").data[[0, 2, 3], :, -1], 1)

    def test_energy_is_integrated_in_energy(self):
        flat = IRF([ENERGY], data=np.ones(4), unit="TeV-1")
        assert float(flat.integral("energy_true", energy_true=100 * u.TeV).to_value("")) == pytest.approx(99.9)


class TestParts:
    @given(st.integers(0, 3), st.integers(1, 4))
    @settings(max_examples=10, derandomize=True)
    def test_slices_join_to_the_whole(self, cut, length):
        one = psf()
        part = one.slice_by_idx({"energy_true": slice(cut, cut + length)})
        assert_allclose(part.data, one.data[cut : cut + length])
        assert_allclose(part.axes["energy_true"].edges.value, ENERGY.edges.value[cut : cut + length + 1][: len(part.data) + 1])

    def test_unit_keeps_the_quantity(self):
        other = psf().to_unit("deg-2")
        assert_allclose(other.quantity.to_value("sr-1"), psf().data)
        assert other == psf()


def test_a_copy_is_independent() -> None:
    from tests.unit.makers.builders import irfs

    for irf in irfs().values():
        before = np.array(irf.data)
        other = irf.copy()
        assert type(other) is type(irf)
        assert other.axes == irf.axes
        other.data[:] = 0
        other.meta["MINE"] = 1
        other.interp_kwargs["bounds_error"] = True
        assert (np.asarray(irf.data) == before).all()
        assert "MINE" not in irf.meta
        assert irf.interp_kwargs.get("bounds_error") is not True
