"""
Fit, profile and posterior
==========================

What a measurement says about two parameters: by errors of a fit, by contours of the likelihood, by samples of the posterior.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Ellipse

from geminga.datasets import Datasets, SpectrumDataset
from geminga.irf import EDispKernelMap
from geminga.maps import MapAxis, RegionGeom, RegionNDMap
from geminga.modeling import Fit, Sampler
from geminga.modeling.models import ExpCutoffPowerLawSpectralModel, SkyModel, UniformPrior

# %%
# A source of few counts whose spectrum has a cutoff: index and cutoff are correlated, and the posterior is not like a Gaussian.

energy = MapAxis.from_energy_bounds("1 TeV", "50 TeV", nbin=12)
energy_true = MapAxis.from_energy_bounds("0.7 TeV", "70 TeV", nbin=24, name="energy_true")
region = "icrs;circle(83.63, 22.01, 0.1)"
geom = RegionGeom.create(region, axes=[energy])
dataset = SpectrumDataset(
    counts=RegionNDMap.from_geom(geom),
    exposure=RegionNDMap.create(region, axes=[energy_true], unit="cm2 s", data=1.5e13),
    background=RegionNDMap.from_geom(geom, data=np.geomspace(5, 0.02, 12).reshape(12, 1, 1)),
    edisp=EDispKernelMap.from_gauss(energy, energy_true, sigma=0.15, bias=0, geom=geom),
    name="spectrum",
)
spectrum = ExpCutoffPowerLawSpectralModel(index=1.8, amplitude="2e-12 cm-2 s-1 TeV-1", reference="3 TeV", lambda_="0.1 TeV-1")
dataset.models = [SkyModel(spectrum, name="source")]
dataset.fake(random_state=3)
datasets = Datasets([dataset])

# %%
# The fit, and the asymmetric errors that follow the likelihood:

fit = Fit()
result = fit.run(datasets)
print(result)
for parameter in result.parameters.free_parameters:
    interval = fit.confidence(datasets, parameter)
    print(
        f"{parameter.name:10} {parameter.value:.3g} +/- {parameter.error:.2g}  (-{interval['errn']:.2g} +{interval['errp']:.2g})"
    )

# %%
# Contours on which the statistic has risen by 1 and 4:

contours = [fit.stat_contour(datasets, spectrum.index, spectrum.lambda_, numpoints=40, sigma=sigma) for sigma in (1, 2)]
best = [spectrum.index.value, spectrum.lambda_.value]
covariance = result.models.covariance.get_subcovariance([spectrum.index, spectrum.lambda_]).data

# %%
# Samples of the posterior, with flat priors. The likelihood is asked for many points at once:

spectrum.index.prior = UniformPrior(min=-1, max=4)
spectrum.amplitude.prior = UniformPrior(min=1e-14, max=2e-11)
spectrum.lambda_.prior = UniformPrior(min=0, max=1)
posterior = Sampler(sampler_opts={"live_points": 400, "random_state": 1}).run(datasets)
print(posterior)
print(posterior.to_table())

# %%
# All in one figure. The ellipse is what the covariance says, contours follow the likelihood; the samples also weigh how much room
# there is, for the amplitude too, and reach further to hard spectra with a strong cutoff.

names = posterior.parameter_names
samples = posterior.samples[:, [names.index("source.index"), names.index("source.lambda_")]]
eigen, vectors = np.linalg.eigh(covariance)
angle = np.rad2deg(np.arctan2(vectors[1, 1], vectors[0, 1]))
fig, ax = plt.subplots(figsize=(7, 5))
ax.plot(*samples.T, ".", markersize=2, alpha=0.3, color="tab:gray", label="Samples of the posterior")
for contour, style in zip(contours, ["-", "--"], strict=True):
    label = "Rise of the statistic by 1" if style == "-" else "... by 4"
    ax.plot(contour["source.spectral.index"], contour["source.spectral.lambda_"], style, color="tab:blue", label=label)
ellipse = Ellipse(
    best,
    *2 * np.sqrt(eigen[::-1]),
    angle=angle,
    fill=False,
    color="tab:orange",
    lw=2,
    ls=":",
    zorder=3,
    label="Covariance of the fit",
)
ax.add_patch(ellipse)
ax.plot(*best, "+", markersize=12, color="tab:orange", label="Best fit")
ax.set(xlabel="Index", ylabel="lambda (1 / TeV)")
ax.legend()
plt.show()
