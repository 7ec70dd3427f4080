"""Data that hold nothing: every estimator ends with NaN and a reason, or with numbers that are true."""

from __future__ import annotations

from typing import Any

import astropy.units as u
import numpy as np
import pytest

from geminga.errors import InputError
from geminga.estimators import FluxPointsEstimator, LightCurveEstimator
from geminga.maps import Map
from tests.trust.test_interrupts import EDGES, ESTIMATORS


def _emptied(dataset: Any, *names: str) -> None:
    for name in names:
        own = getattr(dataset, name).copy()
        own.data = np.zeros_like(own.data)
        setattr(dataset, name, own)


def masked(dataset: Any) -> None:
    """No bin is inside the mask."""
    dataset.mask_safe = Map.from_geom(dataset._geom, data=np.zeros(dataset._geom.data_shape, bool))


def dark(dataset: Any) -> None:
    """No exposure."""
    _emptied(dataset, "exposure")


def quiet(dataset: Any) -> None:
    """No counts, on or off."""
    _emptied(dataset, "counts", *(["counts_off"] if dataset.stat_type == "wstat" else []))


def clean(dataset: Any) -> None:
    """No background, expected or measured."""
    _emptied(dataset, "counts_off" if dataset.stat_type == "wstat" else "background")


CORNERS = {corner.__name__: corner for corner in (masked, dark, quiet, clean)}
#: A fit of one parameter to nothing at all is refused before it begins.
REFUSED = {("masked", "parameter"), ("masked", "parameter sensitivity")}
#: What a fit cannot tell: a background without counts, or one that is not there.
UNKNOWN = {("quiet", "flux points refitted"), ("clean", "flux points refitted")}
POINTS = {"flux points", "flux points refitted", "joint flux points", "light curve", "light curve of stacks", "flux profile"}
MAPS = {"excess map", "TS map", "small TS map"}


def estimate(name: str, corner: str) -> Any:
    make, act = ESTIMATORS[name]
    datasets = make()
    for dataset in datasets:
        CORNERS[corner](dataset)
    return act(datasets)


@pytest.mark.parametrize("corner", list(CORNERS))
@pytest.mark.parametrize("name", list(ESTIMATORS))
def test_an_estimator_ends(name, corner):
    if (corner, name) in REFUSED:
        with pytest.raises(InputError, match="no bin inside its mask"):
            estimate(name, corner)
        return
    found = estimate(name, corner)
    if name not in POINTS | MAPS:
        return
    norm = found.norm.data
    has_values = corner in {"quiet", "clean"} and (corner, name) not in UNKNOWN
    assert np.isfinite(norm).all() if has_values else np.isnan(norm).all()
    if has_values:
        assert np.isfinite(found.norm_ul.data if "norm_ul" in found.available_quantities else norm).all()
    if name in POINTS and not has_values:
        reasons = {"masked": "all bins are masked", "dark": "no exposure", "quiet": "no counts", "clean": "no effect"}
        assert len(found.meta["failures"]) == norm.size
        assert all(reasons[corner] in line for line in found.meta["failures"])
        assert not found.success.data.any()


def test_all_options_on_nothing():
    """Errors, limits, profiles and sensitivities without counts, of on/off spectra as well."""
    make, _ = ESTIMATORS["flux points"]
    datasets = make()
    quiet(datasets[0])
    points = FluxPointsEstimator(EDGES, source="source", selection_optional="all").run(datasets)
    for name in ("norm_ul", "norm_errp", "norm_errn", "stat_scan", "norm_sensitivity"):
        assert np.isfinite(points[name].data).all(), name
    assert (points.norm_errn.data >= 0).all()


def test_intervals_and_bands_outside_of_the_data():
    make, _ = ESTIMATORS["light curve"]
    datasets = make()
    start = datasets[0].gti.time_start[0]
    intervals = [start + [-2, -1] * u.h, start + [-0.5, 24] * u.h]
    edges = [*EDGES, 1000 * u.TeV]
    curve = LightCurveEstimator(time_intervals=intervals, energy_edges=edges, source="source").run(datasets)
    norm = curve.norm.data[:, :, 0, 0]
    np.testing.assert_array_equal(np.isfinite(norm), [[False] * 3, [True, True, False]])
    reasons = curve.meta["failures"]
    assert len(reasons) == 4
    assert sum("no dataset lies in this interval" in line for line in reasons) == 3
    assert "no energy bin" in reasons[-1]
