"""Spectral models of every kind, at values where everything matters."""

from __future__ import annotations

import operator

import numpy as np
from astropy import units as u

from geminga.maps import MapAxis, RegionNDMap
from geminga.modeling import models as m

AMPLITUDE = 1e-12 * u.Unit("cm-2 s-1 TeV-1")


def grid_map(unit="cm-2 s-1 TeV-1"):
    """Power laws with a cut-off, against index and energy of the cut-off."""
    energy = MapAxis.from_energy_bounds("0.01 TeV", "200 TeV", nbin=20, name="energy_true")
    index = MapAxis.from_nodes([1.5, 2.0, 2.5, 3.0], name="slope")
    cutoff = MapAxis.from_nodes([1, 10, 100] * u.TeV, name="cutoff", interp="log")
    own = RegionNDMap.create(region=None, axes=[energy, index, cutoff], unit=unit)
    e, p, c = energy.center.value, index.center.value[:, None], cutoff.center.value[:, None, None]
    own.data = (1e-12 if unit else 1.0) * e**-p * np.exp(-e / c)
    return own


def ebl_table():
    energy, z = np.geomspace(0.01, 100, 25), np.linspace(0.01, 0.5, 12)
    return energy * u.TeV, z, np.exp(-z[:, None] * energy**0.8)


def make_models():
    """Models by name."""
    nodes = np.geomspace(0.1, 100, 6) * u.TeV
    pl = m.PowerLawSpectralModel(index=2.3, amplitude=3 * AMPLITUDE)
    cutoff = {"reference": "2 TeV", "lambda_": "0.13 TeV-1"}
    parabola = {"reference": "2 TeV", "alpha": 2.2, "beta": 0.15}
    return {
        "const": m.ConstantSpectralModel(),
        "pl": pl,
        "pl-norm": m.PowerLawNormSpectralModel(tilt=0.3, norm=1.4),
        "pl-2": m.PowerLaw2SpectralModel(amplitude="1e-11 cm-2 s-1", index=2.3, emin="1 TeV", emax="10 TeV"),
        "bpl": m.BrokenPowerLawSpectralModel(index1=1.5, index2=2.5, ebreak="2 TeV"),
        "sbpl": m.SmoothBrokenPowerLawSpectralModel(index1=1.5, index2=2.5, ebreak="2 TeV", beta=0.5),
        "ecpl": m.ExpCutoffPowerLawSpectralModel(index=1.7, alpha=0.7, **cutoff),
        "ecpl-1": m.ExpCutoffPowerLawSpectralModel(index=1.7, **cutoff),
        "ecpl-norm": m.ExpCutoffPowerLawNormSpectralModel(index=0.2, norm=1.2, alpha=1.3, **cutoff),
        "ecpl-3fgl": m.ExpCutoffPowerLaw3FGLSpectralModel(index=1.7, ecut="5 TeV"),
        "secpl-3fgl": m.SuperExpCutoffPowerLaw3FGLSpectralModel(ecut="5 TeV", index_1=1.5, index_2=0.7),
        "secpl-4fgl": m.SuperExpCutoffPowerLaw4FGLSpectralModel(reference="1 GeV", expfactor=1e-5, index_1=1.5, index_2=0.7),
        "secpl-4fgl-dr3": m.SuperExpCutoffPowerLaw4FGLDR3SpectralModel(expfactor=0.4, index_1=1.5, index_2=0.7),
        "lp": m.LogParabolaSpectralModel(**parabola),
        "lp2": m.LogParabola2SpectralModel(escale="1.5 TeV", **parabola),
        "lp-norm": m.LogParabolaNormSpectralModel(norm=1.1, reference="2 TeV", alpha=0.2, beta=0.1),
        "gauss": m.GaussianSpectralModel(mean="3 TeV", sigma="2 TeV"),
        "template": m.TemplateSpectralModel(nodes, [5, 2, 1, 0.3, 0.02, 1e-3] * AMPLITUDE),
        "templateND": m.TemplateNDSpectralModel(grid_map()),
        "templateND-norm": m.TemplateNDSpectralModel(grid_map(""), interp_kwargs={"values_scale": "lin"}),
        "piecewise-norm": m.PiecewiseNormSpectralModel(nodes, norms=[1, 2, 0.5, 1.5, 1, 0.7]),
        "ebl-norm": m.EBLAbsorptionNormSpectralModel(*ebl_table(), redshift=0.117, alpha_norm=1.2),
        "scale": m.ScaleSpectralModel(pl.copy(), norm=1.7),
        "log-gauss": m.LogGaussianSpectralModel(L="2e-12 cm-2 s-1", Ep="1.3 TeV", w=0.6),
        "meyer": m.MeyerCrabSpectralModel(),
        "compound": m.CompoundSpectralModel(pl.copy(), m.PowerLawNormSpectralModel(tilt=0.2), operator.mul),
        "sum": pl.copy() + m.LogParabolaSpectralModel(**parabola),
        "absorbed": pl.copy() * m.EBLAbsorptionNormSpectralModel(*ebl_table(), redshift=0.2, alpha_norm=1),
    }


MODELS = make_models()
