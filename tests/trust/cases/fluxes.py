"""Flux points, flux maps and the estimators that make them."""

from __future__ import annotations

from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import Table
from astropy.time import Time

from geminga.datasets import Datasets
from geminga.estimators import (
    ASmoothMapEstimator,
    ExcessMapEstimator,
    FluxPoints,
    FluxPointsEstimator,
    FluxProfileEstimator,
    LightCurveEstimator,
    SensitivityEstimator,
    TSMapEstimator,
)
from geminga.estimators.utils import find_peaks
from geminga.maps import Map
from geminga.modeling.models import SkyModel
from tests.trust import kinds
from tests.trust.cases import Scene, cases
from tests.trust.cases.datasets import field

FLUX = u.Unit("cm-2 s-1 TeV-1")


def spoilt(name: str, value: float) -> Any:
    """Case that validates flux points with a bad value."""

    def function(scene: Scene) -> None:
        own = kinds.flux_points(0)
        own._data[name].data[0, 0, 0] = value
        own.validate()

    return function


def table(**changes: Any) -> Any:
    """Case that makes flux points of a table."""

    def function(scene: Scene) -> Any:
        columns = {"e_ref": [1.0, 3.0] * u.TeV, "dnde": [1e-12, 1e-13] * FLUX, "dnde_err": [1e-13, 1e-14] * FLUX} | changes
        own = Table({name: column for name, column in columns.items() if column is not None})
        return FluxPoints.from_table(own, sed_type="dnde")

    return function


EDGES = [1, 3, 10] * u.TeV
cases(
    {
        "flux points with an infinite norm": spoilt("norm", np.inf),
        "flux points with a negative error": spoilt("norm_err", -1.0),
        "upper limit below the flux": spoilt("norm_ul", -5.0),
        "table of fluxes without energies": table(e_ref=None),
        "table of fluxes without fluxes": table(dnde=None),
        "table of fluxes in TeV": table(dnde=[1, 2] * u.TeV),
        "table of fluxes with energies in m": table(e_ref=[1, 2] * u.m),
        "table of fluxes with energies that fall": table(e_ref=[3, 1] * u.TeV),
        "table of fluxes with a negative energy": table(e_ref=[-1, 3] * u.TeV),
        "unknown kind of flux": lambda scene: FluxPoints.from_table(
            Table({"e_ref": [1, 3] * u.TeV, "dnde": [1e-12, 1e-13] * FLUX}), sed_type="dnde2"
        ),
        "unknown quantity of flux points": lambda scene: kinds.flux_points(0)["dnde_lower"],
        "unknown format of a table of fluxes": lambda scene: kinds.flux_points(0).to_table(format="sed"),
        "flux maps of no maps": lambda scene: FluxPoints({}, SkyModel.create("pl")),
        "estimator with one energy edge": lambda scene: FluxPointsEstimator([1] * u.TeV, source="source").run([field()]),
        "estimator with energy edges that fall": lambda scene: FluxPointsEstimator([3, 1] * u.TeV, source="source").run(
            [field()]
        ),
        "estimator with energy edges in m": lambda scene: FluxPointsEstimator([1, 3] * u.m, source="source").run([field()]),
        "estimator of an unknown source": lambda scene: FluxPointsEstimator(EDGES, source="sorce").run([field()]),
        "estimator of no dataset": lambda scene: FluxPointsEstimator(EDGES, source="source").run([]),
        "estimator with an unknown option": lambda scene: FluxPointsEstimator(
            EDGES, source="source", selection_optional=["scam"]
        ),
        "estimator with minus one sigma": lambda scene: FluxPointsEstimator(EDGES, source="source", n_sigma=-1),
        "estimator of energies outside of the data": lambda scene: FluxPointsEstimator([100, 200] * u.TeV, source="source").run(
            [field()]
        ),
        "light curve without time intervals": lambda scene: LightCurveEstimator(EDGES, source="source").run([_no_gti()]),
        "excess map with a radius in TeV": lambda scene: ExcessMapEstimator("1 TeV"),
        "excess map with a negative radius": lambda scene: ExcessMapEstimator("-1 deg"),
        "excess map of an unknown option": lambda scene: ExcessMapEstimator("0.3 deg", selection_optional=["everything"]),
        "TS map without PSF and exposure": lambda scene: TSMapEstimator().run(_bare()),
    }
)


def _no_gti() -> Any:
    own = field()
    own.gti = None
    return own


def _bare() -> Any:
    own = field()
    own.exposure = own.psf = None
    return own


def estimated(make: Any) -> Any:
    """Case that makes an estimator and runs it."""
    return lambda scene: make().run(Datasets([field()]))


def intervals(*mjd: tuple[float, float]) -> Any:
    """Case of a light curve in some time intervals."""
    times = [Time(pair, format="mjd") for pair in mjd]
    return estimated(lambda: LightCurveEstimator(energy_edges=[1, 10] * u.TeV, source="source", time_intervals=times))


cases(
    {
        "light curve in intervals that overlap": intervals((51544, 51544.002), (51544.001, 51544.003)),
        "light curve in an interval that stops before it starts": intervals((51544.1, 51544.002)),
        "light curve in an interval without data": intervals((60000, 60001)),
        "estimator with a NaN among its energy edges": estimated(
            lambda: FluxPointsEstimator([1, np.nan] * u.TeV, source="source")
        ),
        "estimator with text for the number of processes": estimated(lambda: FluxPointsEstimator(EDGES, n_jobs="two")),
        "profile of no regions": estimated(lambda: FluxProfileEstimator(regions=[], energy_edges=EDGES)),
        "smoothing on no scales": lambda scene: ASmoothMapEstimator(scales=[] * u.deg).run(field()),
        "smoothing of a list of datasets": estimated(lambda: ASmoothMapEstimator(scales=[0.3] * u.deg)),
        "TS map of a number": lambda scene: TSMapEstimator(kernel_width="0.5 deg").run(5),
        "sensitivity with a negative number of counts": lambda scene: SensitivityEstimator(gamma_min=-5),
        "sensitivity with a negative share of the background": lambda scene: SensitivityEstimator(bkg_syst_fraction=-0.1),
        "peaks above NaN": lambda scene: find_peaks(Map.create(npix=9), threshold=np.nan),
        "peaks at a negative distance": lambda scene: find_peaks(Map.create(npix=9), threshold=1, min_distance=-1),
    }
)
