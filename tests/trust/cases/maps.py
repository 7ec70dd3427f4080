"""Maps, axes and geometries."""

from __future__ import annotations

from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.time import Time
from regions import CircleSkyRegion

from geminga.maps import LabelMapAxis, Map, MapAxes, MapAxis, RegionGeom, TimeMapAxis, WcsGeom
from tests.trust import kinds
from tests.trust.cases import Scene, case, cases

CUBE = kinds.cube
ENERGY = kinds.ENERGY


def geom(**kwargs: Any) -> Any:
    return lambda scene: WcsGeom.create(**({"npix": (4, 3), "binsz": 1} | kwargs))


cases(
    {
        "axis with one edge": lambda scene: MapAxis.from_edges([1], unit="TeV", name="energy"),
        "axis with edges that fall and rise": lambda scene: MapAxis.from_edges([1, 3, 2], unit="TeV", name="energy"),
        "axis with equal edges": lambda scene: MapAxis.from_edges([1, 1, 2], unit="TeV", name="energy"),
        "axis with a NaN edge": lambda scene: MapAxis.from_edges([1, np.nan, 2], unit="TeV", name="energy"),
        "axis with an infinite edge": lambda scene: MapAxis.from_edges([1, 2, np.inf], unit="TeV", name="energy"),
        "logarithmic axis with negative edges": lambda scene: MapAxis.from_edges([-1, 1, 2], unit="TeV", interp="log"),
        "logarithmic axis from zero": lambda scene: MapAxis.from_energy_bounds("0 TeV", "10 TeV", nbin=3),
        "energy axis with upper limit below lower one": lambda scene: MapAxis.from_energy_bounds("10 TeV", "1 TeV", nbin=3),
        "energy axis in seconds": lambda scene: MapAxis.from_energy_bounds("1 s", "10 s", nbin=3),
        "axis with no bin": lambda scene: MapAxis.from_bounds(0, 1, nbin=0),
        "axis with minus three bins": lambda scene: MapAxis.from_bounds(0, 1, nbin=-3),
        "axis with unknown interpolation": lambda scene: MapAxis.from_edges([1, 2], interp="cubic"),
        "axis with an unknown unit": lambda scene: MapAxis.from_edges([1, 2], unit="TeW"),
        "two axes of the same name": lambda scene: MapAxes([ENERGY, ENERGY]),
        "time axis with overlapping bins": lambda scene: TimeMapAxis([0, 1] * u.d, [2, 3] * u.d, Time("2020-01-01")),
        "time axis that stops before it starts": lambda scene: TimeMapAxis([2] * u.d, [1] * u.d, Time("2020-01-01")),
        "label axis with a label twice": lambda scene: LabelMapAxis(["a", "a"], name="kind"),
        "axis asked for by an unknown name": lambda scene: CUBE(0).geom.axes["enrgy"],
        "axes to be resampled that do not share edges": lambda scene: CUBE(0).resample_axis(
            MapAxis.from_energy_bounds("1.1 TeV", "7 TeV", nbin=2)
        ),
        "map of no pixel": geom(npix=(0, 3)),
        "map of a negative number of pixels": geom(npix=(-4, 3)),
        "map with pixels of no size": geom(binsz=0),
        "map with pixels of negative size": geom(binsz=-1),
        "map with NaN for the size of pixels": geom(binsz=np.nan),
        "map in an unknown projection": geom(proj="XYZ"),
        "map in an unknown frame": geom(frame="earth"),
        "map around a position of three numbers": geom(skydir=(1, 2, 3)),
        "map around a latitude of 100 deg": geom(skydir=(0, 100)),
        "map of a million by a million pixels": lambda scene: Map.create(npix=(10**6, 10**6), binsz=1e-4),
        "map with a width in TeV": geom(width=3 * u.TeV, npix=None),
        "map with data of the wrong shape": lambda scene: Map.from_geom(CUBE(0).geom, data=np.zeros((2, 2))),
        "map with Python objects as data": lambda scene: Map.from_geom(
            WcsGeom.create(npix=1), data=np.array([[None]], dtype=object)
        ),
        "map with text as data": lambda scene: Map.from_geom(WcsGeom.create(npix=1), data=np.array([["a"]])),
        "map with an unknown unit": lambda scene: Map.create(npix=1, unit="cm-2 s-l"),
        "data assigned with a wrong unit": lambda scene: setattr(CUBE(0), "data", np.zeros((3, 5, 7)) * u.TeV),
        "sum of maps on different geometries": lambda scene: CUBE(0) + kinds.image(0),
        "sum of maps in different units": lambda scene: CUBE(0) + Map.from_geom(CUBE(0).geom, unit="TeV"),
        "conversion to a unit of another dimension": lambda scene: CUBE(0).to_unit("m"),
        "values at coordinates of a missing axis": lambda scene: CUBE(0).get_by_coord({"lon": 0 * u.deg, "lat": 0 * u.deg}),
        "values at an energy in seconds": lambda scene: CUBE(0).get_by_coord(
            {"lon": 83.6 * u.deg, "lat": 22 * u.deg, "energy": 1 * u.s}
        ),
        "interpolation by an unknown method": lambda scene: CUBE(0).interp_by_coord(
            {"skycoord": kinds.CENTER, "energy": 2 * u.TeV}, method="spline"
        ),
        "filling with weights of another shape": lambda scene: kinds.image(0).fill_by_coord(
            {"skycoord": SkyCoord([0, 1], [0, 1], unit="deg")}, weights=[1, 2, 3]
        ),
        "cut-out that does not overlap": lambda scene: CUBE(0).cutout(SkyCoord(200, -50, unit="deg"), "1 deg"),
        "cut-out of negative width": lambda scene: CUBE(0).cutout(kinds.CENTER, "-1 deg"),
        "cut-out in an unknown mode": lambda scene: CUBE(0).cutout(kinds.CENTER, "0.3 deg", mode="exact"),
        "downsampling by a factor that does not divide": lambda scene: CUBE(0).downsample(4),
        "downsampling by zero": lambda scene: CUBE(0).downsample(0),
        "upsampling by a half": lambda scene: CUBE(0).upsample(0.5),
        "padding by a negative width": lambda scene: CUBE(0).pad(-1),
        "padding in an unknown mode": lambda scene: CUBE(0).pad(1, mode="mirror-mirror"),
        "slice of an unknown axis": lambda scene: CUBE(0).slice_by_idx({"enrgy": slice(0, 1)}),
        "slice beyond the axis": lambda scene: CUBE(0).slice_by_idx({"energy": slice(10, 20)}),
        "smoothing with an unknown kernel": lambda scene: CUBE(0).smooth("0.1 deg", kernel="boxx"),
        "smoothing with a negative width": lambda scene: CUBE(0).smooth("-0.1 deg"),
        "smoothing with a width in TeV": lambda scene: CUBE(0).smooth("1 TeV"),
        "convolution with a kernel in other pixels": lambda scene: CUBE(0).convolve(kinds.psf_kernel(0).psf_kernel_map.geom),
        "stacking on another geometry": lambda scene: CUBE(0).stack(kinds.image(0)),
        "stacking with weights that are not a map of the same shape": lambda scene: CUBE(0).stack(
            CUBE(1), weights=kinds.image(0)
        ),
        "region that is no region": lambda scene: RegionGeom.create("icrs;circl(83, 22, 1)"),
        "region of negative radius": lambda scene: RegionGeom.create("icrs;circle(83, 22, -1)"),
        "number for a region": lambda scene: RegionGeom.create(5),
        "mask of a region that is no region": lambda scene: CUBE(0).geom.region_mask("circle"),
        "mask of energies which are swapped": lambda scene: CUBE(0).geom.energy_mask(5 * u.TeV, 2 * u.TeV),
        "reprojection to a geometry with other axes": lambda scene: CUBE(0).interp_to_geom(kinds.image(0).geom),
        "events drawn from a map with negative values": lambda scene: (CUBE(0) * -1).sample_coord(10),
        "events drawn from a map with NaN": lambda scene: (CUBE(0) * np.nan).sample_coord(10),
    }
)


@case("NaN in a weight that is zero")
def nan_weight(scene: Scene) -> Any:
    one, other = CUBE(0), CUBE(1)
    weights = Map.from_geom(one.geom, data=np.ones(one.data.shape, bool))
    weights.data[0, 0, 0] = False
    other.data[0, 0, 0] = np.nan
    before = one.data.copy()
    one.stack(other, weights=weights)
    assert one.data[0, 0, 0] == before[0, 0, 0]
    return "bins of weight zero have no influence, whatever they hold"


cases(
    {
        "axis that is text": lambda scene: WcsGeom.create(npix=3, axes=["energy"]),
        "sum over a region by the name of a function": lambda scene: Map.create(npix=9, binsz=0.1).to_region_nd_map(
            CircleSkyRegion(SkyCoord(0, 0, unit="deg"), 0.3 * u.deg), func="sum"
        ),
        "region string that breaks off": lambda scene: RegionGeom.create("icrs;circle(83,22)"),
        "filling with weights that are NaN": lambda scene: Map.create(npix=3).fill_by_coord(
            {"skycoord": SkyCoord(0, 0, unit="deg")}, weights=np.array([np.nan])
        ),
    }
)
