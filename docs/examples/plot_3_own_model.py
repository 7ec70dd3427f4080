"""
A spectral model of your own
============================

A model needs its parameters and one formula. Its derivatives are found numerically, at the model, so that a fit is still fast.
"""

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np

from geminga.cli.simulate import simulate_field
from geminga.modeling import Fit, Parameter
from geminga.modeling.models import SpectralModel


class BumpSpectralModel(SpectralModel):
    """Power law with a Gaussian bump in log energy."""

    tag = "bump"
    index = Parameter("index", 2.0)
    amplitude = Parameter("amplitude", "1e-12 cm-2 s-1 TeV-1")
    bump = Parameter("bump", 0.0)
    position = Parameter("position", "1 TeV", frozen=True)

    @staticmethod
    def evaluate(energy, index, amplitude, bump, position):
        """Differential flux."""
        x = np.log((energy / position).to_value(""))
        return amplitude * np.exp(-index * np.log((energy / (1 * u.TeV)).to_value(""))) * (1 + bump * np.exp(-(x**2)))


# %%
# Put it on the point source of a simulated field, and fit. The simulated spectrum has no bump:

dataset = simulate_field(seed=3)
model = BumpSpectralModel()
dataset.models["star"].spectral_model = model
result = Fit().run([dataset])
print(result)
print(model.parameters.to_table())

# %%
# Its error is propagated from the covariance like that of any other model:

ax = model.plot([0.1, 20] * u.TeV, sed_type="e2dnde")
model.plot_error([0.1, 20] * u.TeV, ax=ax, sed_type="e2dnde")
plt.show()
