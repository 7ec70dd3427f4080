"""Response functions as tables, kernels and maps."""

from __future__ import annotations

from typing import Any

import astropy.units as u
import numpy as np

from geminga.irf import EDispKernel, EDispMap, EffectiveAreaTable2D, PSFKernel, PSFMap
from geminga.maps import MapAxis
from tests.trust import kinds
from tests.trust.cases import Scene, case, cases

TRUE, ENERGY, OFFSET = kinds.ENERGY_TRUE, kinds.ENERGY, kinds.OFFSET


def area(data: Any, unit: str = "m2", axes: Any = None) -> Any:
    return EffectiveAreaTable2D(axes or [TRUE, OFFSET], data=data, unit=unit)


def spoilt(make: Any, value: float, place: Any = (1, 1)) -> Any:
    """Case that validates a table with one bad value."""

    def function(scene: Scene) -> None:
        own = make(0)
        own.data = np.array(own.data, dtype=float)
        own.data[place] = value
        own.validate()

    return function


def spoilt_map(make: Any, name: str, value: float, factor: float = 1) -> Any:
    """Case that validates a map of responses with bad values."""

    def function(scene: Scene) -> None:
        own = make(0)
        inner = getattr(own, name)
        inner.data = inner.data * factor
        if value is not None:
            inner.data[0, 0, 0, 0] = value
        own.validate()

    return function


TABLES = {"effective area": "aeff", "energy dispersion": "edisp", "point spread function": "psf", "background": "bkg"}
VALUES = {"NaN": np.nan, "infinity": np.inf, "a negative value": -1e9}

for _what, _name in TABLES.items():
    cases({f"{_what} with {word}": spoilt(kinds.irf(_name), value) for word, value in VALUES.items()})

cases(
    {
        "effective area of another shape than its axes": lambda scene: area(np.ones((2, 2))),
        "effective area in seconds": lambda scene: area(1.0, "s"),
        "effective area without offset axis": lambda scene: area(1.0, axes=[TRUE]),
        "effective area with axes in the wrong order": lambda scene: area(1.0, axes=[OFFSET, TRUE]),
        "effective area set from a quantity in TeV": lambda scene: setattr(area(1.0), "quantity", np.ones((4, 2)) * u.TeV),
        "effective area at an energy in m": lambda scene: area(1.0).evaluate(energy_true=1 * u.m, offset=0 * u.deg),
        "effective area at an offset without unit": lambda scene: area(1.0).evaluate(energy_true=1 * u.TeV, offset=0.5),
        "effective area evaluated with an unknown axis": lambda scene: area(1.0).evaluate(energy=1 * u.TeV, offset=0 * u.deg),
        "PSF map with NaN": spoilt_map(kinds.psf, "psf_map", np.nan),
        "PSF map with a negative value": spoilt_map(kinds.psf, "psf_map", -1e9),
        "PSF map whose integral is 2": spoilt_map(kinds.psf, "psf_map", None, 2.0),
        "energy dispersion map with NaN": spoilt_map(kinds.edisp_kernel_map, "edisp_map", np.nan),
        "energy dispersion map whose rows sum up to 3": spoilt_map(kinds.edisp_kernel_map, "edisp_map", None, 3.0),
        "energy dispersion in migra with an integral of 3": spoilt_map(kinds.edisp_map, "edisp_map", None, 3.0),
        "exposure of a PSF map with NaN": spoilt_map(kinds.psf, "exposure_map", np.nan),
        "PSF map made of a map with other axes": lambda scene: PSFMap(kinds.cube(0)),
        "PSF map made of an array": lambda scene: PSFMap(np.ones((3, 3))),
        "Gaussian PSF of negative width": lambda scene: PSFMap.from_gauss(TRUE, sigma=-0.1 * u.deg),
        "Gaussian PSF with NaN for its width": lambda scene: PSFMap.from_gauss(TRUE, sigma=np.nan * u.deg),
        "Gaussian PSF with a width in TeV": lambda scene: PSFMap.from_gauss(TRUE, sigma=1 * u.TeV),
        "Gaussian PSF with two widths for four energies": lambda scene: PSFMap.from_gauss(TRUE, sigma=[0.1, 0.2] * u.deg),
        "containment radius of 150 percent": lambda scene: kinds.psf(0).containment_radius(fraction=1.5, energy_true=1 * u.TeV),
        "PSF kernel on pixels of TeV": lambda scene: PSFKernel.from_gauss(
            kinds.cube(0).geom.to_image().to_cube([TRUE]), sigma=1 * u.TeV
        ),
        "Gaussian energy dispersion of negative width": lambda scene: EDispKernel.from_gauss(TRUE, ENERGY, sigma=-0.1, bias=0),
        "energy dispersion kernel of other axes": lambda scene: EDispKernel([ENERGY, OFFSET], data=1.0),
        "migra axis that does not contain 1": lambda scene: EDispMap.from_diagonal_response(
            TRUE, MapAxis.from_bounds(2, 3, nbin=2, name="migra")
        ),
        "PSF in reconstructed energy stacked": lambda scene: kinds.reco_psf(0).stack(kinds.reco_psf(1)),
        "response maps stacked without exposure": lambda scene: PSFMap.from_gauss(TRUE).stack(PSFMap(kinds.psf(0).psf_map)),
    }
)


@case("energy dispersion that loses events at the ends of the axis")
def losses(scene: Scene) -> Any:
    own = EDispKernel.from_gauss(TRUE, MapAxis.from_energy_bounds("2 TeV", "5 TeV", nbin=3), sigma=0.2, bias=0)
    assert (own.pdf_matrix.sum(axis=1) <= 1 + 1e-9).all()
    return "rows below 1 are what a cut in energy leaves; predictions lose those events too"


@case("PSF map that is zero at some places")
def zeros(scene: Scene) -> Any:
    own, whole = kinds.psf(0), kinds.psf(0)
    own.psf_map.data[..., 0, 0] = 0
    own.validate()
    centers = own.psf_map.geom.to_image().get_coord().skycoord
    corner, inner = centers[0, 0], centers[1, 1]
    between = corner.directional_offset_by(corner.position_angle(inner), 0.5 * corner.separation(inner))
    where = {"rad": 0.5 * u.deg, "energy_true": 2 * u.TeV}
    np.testing.assert_allclose(own.containment(position=corner, **where), 0, atol=1e-9)
    np.testing.assert_allclose(own.containment(position=between, **where), whole.containment(position=between, **where))
    return "places without response get none, and do not enter interpolation"
