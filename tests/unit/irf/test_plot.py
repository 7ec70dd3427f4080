from __future__ import annotations

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
