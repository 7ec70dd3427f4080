"""
Figures to publish
==================

The spectrum with its error band and limits, a light curve, a map of significance with contours and sources, and the
distribution of the residuals: one call each, in colours that everybody can tell apart.
"""

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np

from geminga.cli.simulate import simulate_field
from geminga.data import GTI
from geminga.datasets import Datasets
from geminga.estimators import ExcessMapEstimator, FluxPointsEstimator, LightCurveEstimator
from geminga.modeling import Fit
from geminga.visualization import plot_light_curve, plot_residual_distribution, plot_sed, plot_significance_map

dataset = simulate_field(seed=42)
Fit().run([dataset])

# %%
# Spectra. The band is the covariance of the fit; a point below two standard deviations is an upper limit.

edges = np.geomspace(0.1, 25, 9) * u.TeV
points = FluxPointsEstimator(edges, source="star", selection_optional=["ul"]).run(dataset)
plot_sed({"flux points": points}, dataset.models["star"])
plt.show()

# %%
# A light curve of ten intervals; the line is the mean, with the probability that the flux is constant.

runs = []
for number in range(10):
    run = simulate_field(seed=number, name=f"run-{number}")
    run.gti = GTI.create(number * u.day, number * u.day + 1 * u.hour)
    run.models = [dataset.models["star"], dataset.models["nebula"]]
    runs.append(run)
curve = LightCurveEstimator(energy_edges=[0.3, 25] * u.TeV, source="nebula", selection_optional=["ul"]).run(Datasets(runs))
plot_light_curve(curve)
plt.show()

# %%
# Significance of everything that is not background, with the sources of the fit. What the sources do not explain is left over
# if they are part of the prediction.

sources = dataset.models.select(tag="sky-model")
only_background = dataset.copy(name="only-background")
only_background.models = [dataset.models["demo-bkg"].copy(name="bkg", dataset_name="only-background")]
estimator = ExcessMapEstimator("0.15 deg", energy_edges=[0.1, 25] * u.TeV)
plot_significance_map(estimator.run(only_background), sources)
plt.show()

# %%

residuals = estimator.run(dataset)
plot_significance_map(residuals, sources)
plt.show()

# %%
# The width is a little below one: the norm of the background was fitted to the same counts.

plot_residual_distribution(residuals)
plt.show()
