from __future__ import annotations

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose

from geminga.irf import EDispKernel, EDispKernelMap, EDispMap, PSFKernel, PSFMap, RecoPSFMap
from geminga.maps import MapAxis, WcsGeom

TRUE = MapAxis.from_energy_bounds("0.1 TeV", "100 TeV", nbin=12, name="energy_true")
RECO = MapAxis.from_energy_bounds("0.1 TeV", "100 TeV", nbin=10, name="energy")


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def test_matrix_shows_the_kernel():
    kernel = EDispKernel.from_gauss(TRUE, RECO, sigma=0.2, bias=0)
    ax = kernel.plot_matrix(add_cbar=True)
    mesh = ax.collections[0]
    assert_allclose(np.ravel(mesh.get_array()), kernel.pdf_matrix.T.ravel())
    assert len(ax.figure.axes) == 2
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")


def test_bias():
    kernel = EDispKernel.from_gauss(TRUE, RECO, sigma=0.2, bias=0)
    line = kernel.plot_bias().lines[0]
    assert_allclose(line.get_ydata(), kernel.get_bias(TRUE.center))
    kernel.peek()
    assert len(plt.gcf().axes) >= 2


@pytest.mark.parametrize("cls", [PSFMap, RecoPSFMap])
def test_psf(cls):
    psf = cls.from_gauss(TRUE if cls is PSFMap else RECO, sigma="0.1 deg")
    ax = psf.plot_psf_vs_rad()
    assert len(ax.lines) == 3
    plt.figure()
    ax = psf.plot_containment_radius_vs_energy(fraction=(0.5, 0.68))
    assert_allclose(ax.lines[1].get_ydata(), 0.15075)


def test_peeks():
    geom = WcsGeom.create(npix=(3, 3), binsz=1)
    PSFMap.from_gauss(TRUE, geom=geom).peek()
    assert len(plt.gcf().axes) >= 3
    EDispKernelMap.from_gauss(RECO, TRUE, sigma=0.2, bias=0).peek()
    EDispMap.from_diagonal_response(TRUE).peek()
    kernel = PSFKernel.from_gauss(WcsGeom.create(binsz=0.05, width=2, axes=[TRUE]), sigma="0.1 deg")
    kernel.peek()
    plt.figure()
    image = kernel.plot_kernel(energy=TRUE.center[0], add_cbar=True).images[0].get_array()
    assert image.shape == kernel.data.shape[1:]


OFFSET = MapAxis.from_bounds(0, 3, nbin=6, unit="deg", name="offset")


def tables():
    from geminga.irf import Background2D, EffectiveAreaTable2D, EnergyDependentMultiGaussPSF, EnergyDispersion2D

    migra = MapAxis.from_bounds(0.2, 5, nbin=50, name="migra")
    rate = 10.0 ** -np.arange(10)[:, None] * np.exp(-OFFSET.center.value)
    values = {"sigma_1": 0.1, "sigma_2": 0.2, "sigma_3": 0.3, "scale": 1.0, "ampl_2": 0.1, "ampl_3": 0.0}
    psf = EnergyDependentMultiGaussPSF([TRUE, OFFSET], data=values)
    return [
        EffectiveAreaTable2D([TRUE, OFFSET], data=np.ones((12, 6)) * (4 - OFFSET.center.value)),
        EnergyDispersion2D.from_gauss(TRUE, migra, OFFSET, bias=0, sigma=0.2),
        psf,
        psf.to_psf3d(),
        Background2D([RECO, OFFSET], data=rate),
        Background2D([RECO, OFFSET], data=rate).to_3d(),
    ]


@pytest.mark.parametrize("index", range(6))
def test_peek_of_tables_draws_data(index):
    table = tables()[index]
    table.peek()
    axes = plt.gcf().axes
    drawn = [ax for ax in axes if ax.collections or ax.lines]
    assert len(drawn) >= 3
    plt.gcf().canvas.draw()


def test_curves_show_the_tables():
    aeff, edisp, psf, _, bkg, cube = tables()
    line = aeff.plot_energy_dependence(ax=plt.figure().gca(), offset=[1, 2] * u.deg).lines[1]
    assert_allclose(line.get_ydata(), aeff.evaluate(energy_true=TRUE.center, offset=2 * u.deg).value)
    line = aeff.plot_offset_dependence(ax=plt.figure().gca(), energy=1 * u.TeV).lines[0]
    assert line.get_ydata()[0] == 1
    line = edisp.plot_migration(ax=plt.figure().gca(), offset=1 * u.deg, energy_true=2 * u.TeV).lines[0]
    assert_allclose(line.get_ydata().max(), 1 / (0.2 * np.sqrt(2 * np.pi)), rtol=0.03)
    line = psf.plot_containment_radius_vs_energy(ax=plt.figure().gca(), fraction=0.5, offset=1 * u.deg).lines[0]
    assert_allclose(line.get_ydata(), psf.containment_radius(0.5, energy_true=TRUE.center, offset=1 * u.deg).value)
    line = psf.plot_psf_vs_rad(ax=plt.figure().gca(), energy_true=1 * u.TeV).lines[0]
    assert_allclose(
        line.get_ydata()[3], psf.evaluate(rad=line.get_xdata()[3] * u.deg, energy_true=1 * u.TeV, offset=0 * u.deg).value
    )
    line = bkg.plot_energy_dependence(ax=plt.figure().gca(), offset=1 * u.deg).lines[0]
    assert_allclose(line.get_ydata(), bkg.evaluate(energy=RECO.center, offset=1 * u.deg).value)
    line = bkg.plot_spectrum(ax=plt.figure().gca()).lines[0]
    radius = np.deg2rad((np.arange(3000) + 0.5) * 1e-3)
    rings = 2 * np.pi * radius * np.deg2rad(1e-3)
    assert_allclose(
        line.get_ydata()[0], (bkg.evaluate(energy=RECO.center[0], offset=radius * u.rad).value * rings).sum(), rtol=1e-3
    )
    cube.plot_at_energy([1, 10] * u.TeV, ncols=1, add_cbar=False)
    assert len(plt.gcf().axes) == 2
    bkg.plot_at_energy([1, 2, 10, 20] * u.TeV)
    assert [ax.get_title() for ax in plt.gcf().axes[:4]] == ["1 TeV", "2 TeV", "10 TeV", "20 TeV"]


def test_rad_max():
    from geminga.irf import RadMax2D

    rad_max = RadMax2D([RECO, OFFSET], data=np.linspace(0.3, 0.1, 10)[:, None] * np.ones(6))
    ax = rad_max.plot_rad_max_vs_energy()
    assert len(ax.lines) == 6
    assert_allclose(ax.lines[0].get_ydata(), rad_max.data[:, 0])


def test_colours_may_be_chosen():
    from matplotlib.colors import LogNorm

    aeff, edisp, _, _, bkg, _ = tables()
    for plot in (aeff.plot, edisp.plot_bias, bkg.plot, EDispKernel.from_gauss(TRUE, RECO, sigma=0.2, bias=0).plot_matrix):
        limited = plot(ax=plt.figure().gca(), add_cbar=False, vmin=0.1, vmax=0.5).collections[0]
        assert limited.get_clim() == (0.1, 0.5)
        norm = LogNorm(0.2, 2)
        assert plot(ax=plt.figure().gca(), add_cbar=False, norm=norm).collections[0].norm is norm
    # The area starts at zero, the rate at the smallest one.
    assert aeff.plot(ax=plt.figure().gca()).collections[0].get_clim() == (0, aeff.data.max())
    assert bkg.plot(ax=plt.figure().gca()).collections[0].get_clim() == (bkg.data.min(), bkg.data.max())


def test_place_of_the_bar():
    kernel = EDispKernel.from_gauss(TRUE, RECO, sigma=0.2, bias=0)
    ax = kernel.plot_matrix(ax=plt.figure().gca(), add_cbar=True, axes_loc={"position": "left"}, kwargs_colorbar={"label": "P"})
    bar = ax.figure.axes[1]
    ax.figure.canvas.draw()
    assert bar.get_position().x1 <= ax.get_position().x0
    assert bar.get_ylabel() == "P"
