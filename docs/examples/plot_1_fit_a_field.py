"""
Fit a field with two sources
============================

Simulate a field with a point source, an extended source and background, fit all of it at once, and compare with the truth.
"""

import matplotlib.pyplot as plt

from geminga.cli.simulate import simulate_field
from geminga.modeling import Fit

# %%
# A small simulated field of 4 deg by 4 deg, with a parametric response of the order of CTAO and one hour of exposure:

dataset = simulate_field(seed=42)
print(dataset)

# %%
# The counts, summed over energy and smoothed:

dataset.counts.sum_over_axes().smooth("0.05 deg").plot(add_cbar=True)
plt.show()

# %%
# The models on the dataset are those that made the counts. Move their parameters away, so that the fit has work to do:

truth = dataset.models.copy()
for model in dataset.models:
    for parameter in model.parameters.free_parameters:
        if parameter.name in {"amplitude", "sigma"}:
            parameter.value *= 0.8
        elif parameter.name in {"lon_0", "lat_0"}:
            parameter.value += 0.02

result = Fit().run([dataset])
print(result)
print(result.parameters.free_parameters.to_table())

# %%
# Pulls, (fit - truth) / error, are of order one:

for model in dataset.models:
    for parameter in model.parameters.free_parameters:
        true = truth[model.name].parameters[parameter.name].value
        print(f"{model.name:8} {parameter.name:10} {(parameter.value - true) / parameter.error:6.2f}")

# %%
# The residuals show nothing that was left out:

dataset.plot_residuals_spatial(method="diff/sqrt(model)", vmin=-1, vmax=1)
plt.show()

# %%
# Spectra with their errors, from the covariance of the fit:

energy_bounds = dataset.counts.geom.axes["energy"].edges[[0, -1]]
fig, ax = plt.subplots()
for index, name in enumerate(["star", "nebula"]):
    spectral = dataset.models[name].spectral_model
    spectral.plot(energy_bounds, ax=ax, sed_type="e2dnde", color=f"C{index}", label=name)
    spectral.plot_error(energy_bounds, ax=ax, sed_type="e2dnde", facecolor=f"C{index}", alpha=0.3)
ax.legend()
plt.show()
