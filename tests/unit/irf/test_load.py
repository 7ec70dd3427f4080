"""Responses of real files, read and written back."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_allclose

from geminga.errors import FormatError, NameLookupError, UnitError
from geminga.irf import IRF_REGISTRY, Background3D, EffectiveAreaTable2D, EnergyDispersion2D, load_irf_dict_from_file
from geminga.irf.io.gadf import KINDS, irf_kind
from tests.helpers import data_path, requires_data

CTA_1DC = "cta-1dc/caldb/data/cta/1dc/bcf/South_z20_50h/irf_file.fits"
HESS = "hess-dl3-dr1/data/hess_dl3_dr1_obs_id_020137.fits.gz"
PROD5 = "cta-caldb/Prod5-South-20deg-AverageAz-14MSTs37SSTs.180000s-v0.1.fits.gz"
MAGIC = "magic/rad_max/data/20131004_05029747_DL3_CrabNebula-W0.40+035.fits"

CONTENTS = {
    CTA_1DC: {"aeff": "aeff_2d", "psf": "psf_3gauss", "edisp": "edisp_2d", "bkg": "bkg_3d"},
    HESS: {"aeff": "aeff_2d", "edisp": "edisp_2d", "psf": "psf_table", "bkg": "bkg_3d"},
    PROD5: {"aeff": "aeff_2d", "psf": "psf_3gauss", "edisp": "edisp_2d", "bkg": "bkg_3d"},
    MAGIC: {"rad_max": "rad_max_2d", "aeff": "aeff_2d", "edisp": "edisp_2d"},
}
FILES = [pytest.param(name, marks=requires_data(name), id=name.split("/")[0]) for name in CONTENTS]


@pytest.mark.parametrize("name", FILES)
class TestFiles:
    def test_all_are_found(self, name):
        irfs = load_irf_dict_from_file(data_path(name))
        assert {kind: irf.tag for kind, irf in irfs.items()} == CONTENTS[name]

    def test_write_then_read(self, name, tmp_path):
        for kind, irf in load_irf_dict_from_file(data_path(name)).items():
            path = tmp_path / f"{kind}.fits"
            irf.write(path)
            header = fits.getheader(path, 1)
            assert (header["HDUCLASS"], header["HDUCLAS1"]) == ("GADF", "RESPONSE")
            assert irf_kind(header) == (kind, irf.tag)
            again = load_irf_dict_from_file(path)[kind]
            assert type(again) is type(irf)
            assert (again.unit, again.is_pointlike, again.fov_alignment) == (irf.unit, irf.is_pointlike, irf.fov_alignment)
            assert again.is_allclose(irf, rtol_axes=1e-6, rtol=1e-7, atol=0)

    def test_class_finds_its_hdu(self, name):
        for irf in load_irf_dict_from_file(data_path(name)).values():
            assert type(irf).read(data_path(name)) == irf


@requires_data(CTA_1DC)
def test_legacy_keywords():
    with fits.open(data_path(CTA_1DC)) as hdulist:
        headers = {hdu.name: (hdu.header["HDUCLASS"], hdu.header["HDUCLAS4"], irf_kind(hdu.header)) for hdu in hdulist[1:5]}
    assert headers["POINT SPREAD FUNCTION"] == ("OGIP", "3GAUSS", ("psf", "psf_3gauss"))
    assert headers["BACKGROUND"] == ("OGIP", "3D", ("bkg", "bkg_3d"))


def test_kind_without_classes():
    # The tables of parametric PSFs that gammapy writes have no classes.
    assert irf_kind({"EXTNAME": "PSF_2D_GAUSS"}) == ("psf", "psf_3gauss")
    assert irf_kind({"EXTNAME": "EVENTS", "HDUCLAS1": "EVENTS"}) is None
    assert irf_kind({"HDUCLAS1": "RESPONSE", "HDUCLAS2": "RPSF", "HDUCLAS4": "PSF_OF_TOMORROW"}) is None


@pytest.mark.parametrize("tag", sorted(KINDS))
def test_registry_has_all_kinds(tag):
    assert IRF_REGISTRY.get_cls(tag).tag == tag


def aeff_table():
    return EffectiveAreaTable2D.from_parametrization().to_table()


class TestRefusals:
    def test_missing_columns(self):
        table = aeff_table()
        table.remove_column("EFFAREA")
        with pytest.raises(FormatError, match="EffectiveAreaTable2D: the table has no column EFFAREA with data"):
            EffectiveAreaTable2D.from_table(table)
        with pytest.raises(FormatError, match=r"lacks the columns \['MIGRA_LO', 'MIGRA_HI'\] of axis 'migra'"):
            EnergyDispersion2D.from_table(aeff_table())

    def test_wrong_unit(self):
        table = aeff_table()
        table["EFFAREA"].unit = "s"
        with pytest.raises(UnitError, match="the data are in 's', expected a unit convertible to 'm2'"):
            EffectiveAreaTable2D.from_table(table)
        table["EFFAREA"].unit = "furlong"
        with pytest.raises(UnitError, match="column EFFAREA: 'furlong' is not a unit"):
            EffectiveAreaTable2D.from_table(table)
        table = aeff_table()
        table["THETA_LO"].unit = table["THETA_HI"].unit = "TeV"
        with pytest.raises(UnitError, match=r"axis 'offset' \(columns THETA_LO and _HI\) has unit 'TeV', expected 'deg'"):
            EffectiveAreaTable2D.from_table(table)

    def test_nan_in_an_axis(self):
        table = aeff_table()
        table["ENERG_HI"][0, 3] = np.nan
        with pytest.raises(FormatError, match="column ENERG_HI of axis 'energy_true' holds NaN"):
            EffectiveAreaTable2D.from_table(table)

    def test_other_hdu(self):
        hdulist = EffectiveAreaTable2D.from_parametrization().to_hdulist()
        with pytest.raises(NameLookupError, match="there is no HDU 'AEFF'; the file has PRIMARY, EFFECTIVE AREA"):
            EffectiveAreaTable2D.from_hdulist(hdulist, hdu="AEFF")
        hdulist.append(fits.ImageHDU(np.zeros((2, 2)), name="IMAGE"))
        with pytest.raises(FormatError, match="HDU 'IMAGE' is no binary table with a row"):
            EffectiveAreaTable2D.from_hdulist(hdulist, hdu="IMAGE")

    def test_alignment(self):
        table = aeff_table()
        table.meta["FOVALIGN"] = "GALACTIC"
        with pytest.raises(FormatError, match="FOVALIGN is 'GALACTIC'; expected RADEC or ALTAZ"):
            EffectiveAreaTable2D.from_table(table)

    def test_evaluate(self):
        aeff = EffectiveAreaTable2D.from_parametrization()
        with pytest.raises(UnitError, match="offset=<Quantity 1. TeV> cannot be converted to deg"):
            aeff.evaluate(energy_true=1 * u.TeV, offset=1 * u.TeV)


def background(n_energy, n_lon, n_lat):
    from geminga.maps import MapAxis

    energy = MapAxis.from_energy_bounds("0.1 TeV", "10 TeV", nbin=n_energy)
    lon = MapAxis.from_bounds(-2, 2, nbin=n_lon, unit="deg", name="fov_lon")
    lat = MapAxis.from_bounds(-2, 2, nbin=n_lat, unit="deg", name="fov_lat")
    shape = (n_energy, n_lon, n_lat)
    return Background3D([energy, lon, lat], data=np.arange(1.0, np.prod(shape) + 1).reshape(shape))


class TestOrderOfBackgrounds:
    """Files have the energy first or last; where all axes are as long the header or the order of the columns tells."""

    @pytest.mark.parametrize("shape", [(3, 4, 4), (3, 4, 5), (4, 4, 4)])
    def test_energy_first(self, shape):
        bkg = background(*shape)
        assert_allclose(Background3D.from_table(bkg.to_table()).data, bkg.data)

    @pytest.mark.parametrize("shape", [(3, 4, 4), (4, 4, 4)])
    @pytest.mark.parametrize("with_reference", [True, False])
    def test_energy_last(self, shape, with_reference):
        bkg = background(*shape)
        table = bkg.to_table()
        table["BKG"] = bkg.data[np.newaxis]
        table.meta.pop("CREF7")
        names = ["DETX_LO", "DETX_HI", "DETY_LO", "DETY_HI", "ENERG_LO", "ENERG_HI", "BKG"]
        if with_reference:
            table.meta["CREF7"] = "(DETX_LO:DETX_HI,DETY_LO:DETY_HI,ENERG_LO:ENERG_HI)"
        else:
            table = table[names]
        assert_allclose(Background3D.from_table(table).data, bkg.data)
