"""Integrals of smooth spectra against quadrature in many digits, from formulas written down afresh."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from astropy import units as u
from numpy.testing import assert_allclose

from geminga.modeling import models as m

A = "1e-12 cm-2 s-1 TeV-1"
MEV = mp.mpf(10) ** 6


def dr3(e):
    b, d = mp.mpf("0.7"), mp.mpf("0.4")
    return e ** (-mp.mpf("1.5") + d / b) * mp.e ** (d / b**2 * (1 - e**b))


def broken(e):
    return (e / 2) ** -(mp.mpf("1.5") if e < 2 else mp.mpf("2.5"))


#: Break of `broken`, at which the exact integral is cut.
BREAK = mp.log(2)

CASES = {
    "const": (m.ConstantSpectralModel(const=A), lambda e: mp.mpf(1)),
    "pl-2": (
        m.PowerLaw2SpectralModel(amplitude="1e-12 cm-2 s-1", index=2.7, emin="0.5 TeV", emax="50 TeV"),
        lambda e: mp.mpf("1.7") * e ** -mp.mpf("2.7") / (mp.mpf("0.5") ** -mp.mpf("1.7") - mp.mpf(50) ** -mp.mpf("1.7")),
    ),
    "bpl": (m.BrokenPowerLawSpectralModel(index1=1.5, index2=2.5, ebreak="2 TeV"), broken),
    "pl times lp-norm": (
        m.PowerLawSpectralModel(index=2) * m.LogParabolaNormSpectralModel(norm=1, reference="1 TeV", alpha=0.3, beta=0.1),
        lambda e: e ** (-mp.mpf("2.3") - mp.mpf("0.1") * mp.log(e)),
    ),
    "pl times ecpl-norm": (
        m.PowerLawSpectralModel(index=1.7) * m.ExpCutoffPowerLawNormSpectralModel(norm=1, lambda_="0.1 TeV-1"),
        lambda e: e ** -mp.mpf("1.7") * mp.e ** (-e / 10),
    ),
    "pl times pl-norm": (
        m.PowerLawSpectralModel(index=2) * m.PowerLawNormSpectralModel(norm=1, tilt=0.3),
        lambda e: e ** -mp.mpf("2.3"),
    ),
    "sum": (m.PowerLawSpectralModel(index=2) + m.PowerLawSpectralModel(index=3), lambda e: e**-2 + e**-3),
    "pl": (m.PowerLawSpectralModel(index=2.3), lambda e: e ** -mp.mpf("2.3")),
    "pl near 1": (m.PowerLawSpectralModel(index=1 + 1e-9), lambda e: e ** -mp.mpf(1 + 1e-9)),
    "pl at 2": (m.PowerLawSpectralModel(index=2), lambda e: e**-2),
    "sbpl": (
        m.SmoothBrokenPowerLawSpectralModel(index1=1.5, index2=2.5, ebreak="2 TeV", beta=0.5),
        lambda e: e ** -mp.mpf("1.5") * (1 + (e / 2) ** 2) ** -mp.mpf("0.5"),
    ),
    "sbpl of equal indices": (m.SmoothBrokenPowerLawSpectralModel(index1=2, index2=2, ebreak="2 TeV"), lambda e: e**-2),
    "sbpl hardening": (
        m.SmoothBrokenPowerLawSpectralModel(index1=2.5, index2=1.5, ebreak="2 TeV", beta=0.5),
        lambda e: e ** -mp.mpf("2.5") * (1 + (e / 2) ** 2) ** mp.mpf("0.5"),
    ),
    "ecpl": (
        m.ExpCutoffPowerLawSpectralModel(index=1.7, lambda_="0.1 TeV-1"),
        lambda e: e ** -mp.mpf("1.7") * mp.e ** (-e / 10),
    ),
    "ecpl alpha": (
        m.ExpCutoffPowerLawSpectralModel(index=1.7, lambda_="0.1 TeV-1", alpha=0.7),
        lambda e: e ** -mp.mpf("1.7") * mp.e ** (-((e / 10) ** mp.mpf("0.7"))),
    ),
    "ecpl-3fgl": (
        m.ExpCutoffPowerLaw3FGLSpectralModel(index=1.7, ecut="5 TeV"),
        lambda e: e ** -mp.mpf("1.7") * mp.e ** ((1 - e) / 5),
    ),
    "secpl-3fgl": (
        m.SuperExpCutoffPowerLaw3FGLSpectralModel(ecut="5 TeV", index_1=1.5, index_2=0.7),
        lambda e: e ** -mp.mpf("1.5") * mp.e ** ((mp.mpf(1) / 5) ** mp.mpf("0.7") - (e / 5) ** mp.mpf("0.7")),
    ),
    "secpl-4fgl": (
        m.SuperExpCutoffPowerLaw4FGLSpectralModel(expfactor=1e-5, index_1=1.5, index_2=0.7),
        lambda e: e ** -mp.mpf("1.5") * mp.e ** (mp.mpf("1e-5") * (MEV ** mp.mpf("0.7") - (e * MEV) ** mp.mpf("0.7"))),
    ),
    "secpl-4fgl-dr3": (m.SuperExpCutoffPowerLaw4FGLDR3SpectralModel(expfactor=0.4, index_1=1.5, index_2=0.7), dr3),
    "lp": (
        m.LogParabolaSpectralModel(reference="1 TeV", alpha=2.2, beta=0.15),
        lambda e: e ** (-mp.mpf("2.2") - mp.mpf("0.15") * mp.log(e)),
    ),
    "lp2": (
        m.LogParabola2SpectralModel(reference="1 TeV", alpha=2.2, beta=0.15, escale="3 TeV"),
        lambda e: e ** (-mp.mpf("2.2") - mp.mpf("0.15") * mp.log(e / 3)),
    ),
    "gauss": (
        m.GaussianSpectralModel(amplitude="1e-12 cm-2 s-1", mean="3 TeV", sigma="2 TeV"),
        lambda e: mp.e ** (-((e - 3) ** 2) / 8) / (2 * mp.sqrt(2 * mp.pi)),
    ),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("low", "high"), [(1, 10), (0.01, 30), (5, 5.2)])
def test_integrals_in_many_digits(name, low, high):
    model, formula = CASES[name]
    with mp.workdps(25):
        points = [mp.log(mp.mpf(low)) + k * (mp.log(mp.mpf(high)) - mp.log(mp.mpf(low))) / 8 for k in range(9)]
        points = sorted([*points, *([BREAK] if points[0] < BREAK < points[-1] else [])])
        for power, function in ((0, model.integral), (1, model.energy_flux)):
            expected = mp.quad(lambda x, p=power: formula(mp.e**x) * mp.e ** (x * (1 + p)), points)
            found = function(low * u.TeV, high * u.TeV).to_value(u.TeV**power / (u.cm**2 * u.s))
            assert_allclose(found, 1e-12 * float(expected), rtol=1e-8)


def test_a_cutoff_of_the_wrong_sign_stays_a_number():
    model = m.ExpCutoffPowerLawSpectralModel(lambda_="-1000 TeV-1")
    assert np.isfinite(model([1, 10, 1000] * u.TeV).value).all()
    assert np.isfinite(model.integral(1 * u.TeV, 10 * u.TeV).value)
    value, gradient = model.dnde_evaluator(np.array([1.0, 1000.0]))([p.value for p in model.parameters])
    assert np.isfinite(value).all()
    assert np.isfinite(gradient).all()
