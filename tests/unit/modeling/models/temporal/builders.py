"""One model of each temporal kind, at values where everything matters, around MJD 55555 to 55560."""

from __future__ import annotations

import numpy as np
from astropy import units as u
from astropy.table import Table
from astropy.time import Time

from geminga.maps import MapAxis, RegionNDMap
from geminga.modeling.models import (
    ConstantTemporalModel,
    ExpDecayTemporalModel,
    GaussianTemporalModel,
    GeneralizedGaussianTemporalModel,
    LightCurveTemplateTemporalModel,
    LinearTemporalModel,
    PowerLawTemporalModel,
    SineTemporalModel,
    TemplatePhaseCurveTemporalModel,
)


def mjd(value):
    return Time(value, format="mjd", scale="utc")


START, STOP = mjd([55555.125, 55557.2]), mjd([55556.45, 55559.1])


def light_curve_map(name="energy", nodes=True):
    """Light curve which hardens."""
    energy = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=3, name=name)
    time = [0, 1.5, 2, 5] * u.d
    axis = MapAxis.from_nodes(time, name="time") if nodes else MapAxis.from_edges([0, 1, 2, 4, 5] * u.d, name="time")
    data = np.array([[1, 2, 4, 1], [1, 3, 6, 2], [0.5, 3, 8, 4]], dtype=float).T
    return RegionNDMap.create(region=None, axes=[energy, axis], data=data)


def light_curve_table():
    table = Table({"TIME": [0.0, 1.5, 2.0, 5.0], "NORM": [1.0, 3.0, 0.5, 2.0]}, units={"TIME": "d"})
    table.meta = {"MJDREFI": 55555, "MJDREFF": 0.0, "TIMESYS": "utc"}
    return table


def phase_table():
    return Table({"PHASE": np.linspace(0, 1, 11), "NORM": [1, 1, 1, 2, 4, 2, 1, 1, 1, 1, 1.0]})


def make_models():
    """Models by name."""
    drift = {"f1": 1e-13 * u.s**-2, "f2": 1e-19 * u.s**-3}
    return {
        "const": ConstantTemporalModel(),
        "linear": LinearTemporalModel(alpha=1.2, beta="0.1 d-1", t_ref="55555 d"),
        "exp-decay": ExpDecayTemporalModel(t0="2 d", t_ref="55555 d"),
        "gauss": GaussianTemporalModel(t_ref="55556 d", sigma="1 d"),
        "gengauss": GeneralizedGaussianTemporalModel(t_ref="55556 d", t_rise="1 d", t_decay="2 d", eta=0.4),
        "powerlaw": PowerLawTemporalModel(alpha=-0.5, t_ref="55554 d"),
        "sinus": SineTemporalModel(amp=0.5, omega=2 * np.pi / 10 * u.Unit("rad d-1"), t_ref="55555 d"),
        "template": LightCurveTemplateTemporalModel.from_table(light_curve_table()),
        "template-energy": LightCurveTemplateTemporalModel(light_curve_map(), t_ref=mjd(55555)),
        "template-steps": LightCurveTemplateTemporalModel(light_curve_map(nodes=False), t_ref=mjd(55555), method="nearest"),
        "template-phase": TemplatePhaseCurveTemporalModel(phase_table(), t_ref=55555 * u.d, phi_ref=0.1, f0=2 / u.d, **drift),
    }


MODELS = make_models()
