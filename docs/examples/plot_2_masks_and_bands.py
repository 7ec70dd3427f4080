"""
Masks, cut-outs and energy bands
================================

Restrict a fit to a part of the data, and take datasets apart.
"""

import astropy.units as u
import matplotlib.pyplot as plt
from astropy.coordinates import SkyCoord
from regions import CircleSkyRegion

from geminga.cli.simulate import simulate_field
from geminga.modeling import Fit

dataset = simulate_field(seed=1)
geom = dataset.counts.geom

# %%
# A mask for the fit: inside a circle, between 300 GeV and 8 TeV. Only bins that lie inside the range are kept.

region = CircleSkyRegion(SkyCoord("195.6d", "4.65d", frame="galactic"), 1 * u.deg)
dataset.mask_fit = geom.region_mask([region]) & geom.energy_mask(0.3 * u.TeV, 8 * u.TeV)
dataset.mask_fit.plot_grid(vmin=0, vmax=1)
plt.show()

# %%
# The fit sees the masked bins only:

for parameter in dataset.models["nebula"].parameters:
    parameter.frozen = True
result = Fit().run([dataset])
print(result.parameters.free_parameters.to_table())

# %%
# Cut out a part of the sky, or some energies; all maps are cut alike:

cutout = dataset.cutout(position=region.center, width=1.5 * u.deg, name="cutout")
cutout.counts.sum_over_axes().plot()
plt.show()

bands = dataset.slice_by_energy(energy_min=1 * u.TeV, energy_max=10 * u.TeV, name="high-energy")
print(bands)

# %%
# Counts are kept when pixels or energies are joined:

coarse = dataset.downsample(factor=5)
image = dataset.to_image()
print(dataset.counts.data.sum(), coarse.counts.data.sum(), image.counts.data.sum())
