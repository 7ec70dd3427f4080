"""
The Crab nebula seen by five instruments
========================================

Fit one spectrum to the counts of Fermi-LAT, MAGIC, VERITAS, FACT and H.E.S.S. together, as Nigro et al. (2019, A&A 625, A10) did.

This example needs the folder ``joint-crab`` of the data that ``$GAMMAPY_DATA`` points to; without it, reading says so and stops.
"""

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np

from geminga.datasets import Datasets, SpectrumDatasetOnOff
from geminga.maps import MapAxis
from geminga.modeling import Fit
from geminga.modeling.models import LogParabolaSpectralModel, SkyModel
from geminga.utils.scripts import make_path

# %%
# Each spectrum is a PHA file that names its background, effective area and energy dispersion. The masks of the files hold the
# energies that each collaboration trusts:

FOLDER = make_path("$GAMMAPY_DATA/joint-crab/spectra")
INSTRUMENTS = {"fermi": "Fermi-LAT", "magic": "MAGIC", "veritas": "VERITAS", "fact": "FACT", "hess": "H.E.S.S."}


def read(instrument):
    files = sorted((FOLDER / instrument).glob("pha_*.fits"))
    return Datasets([SpectrumDatasetOnOff.read(file, name=f"{instrument}-{file.stem}") for file in files])


data = {instrument: read(instrument) for instrument in INSTRUMENTS}
print("             on  background  excess")
for instrument, datasets in data.items():
    info = [dataset.info_dict() for dataset in datasets]
    counts, background = (sum(row[key] for row in info) for key in ("counts", "background"))
    print(f"{instrument:10} {counts:5}  {background:10.1f}  {counts - background:6.1f}")

# %%
# One instrument after the other, then all of them. A log-parabola fits them all:


def fit(datasets, name):
    model = SkyModel(spectral_model=LogParabolaSpectralModel(reference="1 TeV", amplitude="3.5e-11 cm-2 s-1 TeV-1"), name=name)
    datasets.models = [model]
    result = Fit().run(datasets)
    spectrum = model.spectral_model
    values = "  ".join(f"{p.name} {p.value:.4g} +- {p.error:.2g}" for p in spectrum.parameters.free_parameters)
    print(f"{name:10} {values}  statistic {result.total_stat:.2f}")
    return spectrum


spectra = {instrument: fit(datasets, instrument) for instrument, datasets in data.items()}
joint = Datasets([dataset for datasets in data.values() for dataset in datasets])
crab = fit(joint, "joint")

# %%
# Points, in wide bins: the excess over what the joint spectrum predicts, times that spectrum. Spectra of one instrument are
# stacked first:

UNIT = u.Unit("erg cm-2 s-1")  # of plots of E^2 dN/dE
axis = MapAxis.from_energy_bounds("0.01 TeV", "100 TeV", nbin=4, per_decade=True, name="energy")


def points(datasets):
    stacked = datasets.stack_reduce(name="stacked")
    stacked = stacked.resample_energy_axis(axis, name="stacked")
    stacked.models = joint.models
    energy = stacked.counts.geom.axes["energy"]
    signal, excess, error = (m.data.ravel() for m in (stacked.npred_signal(), stacked.excess, stacked.excess_error))
    good = stacked.mask_safe.data.ravel() & (excess > 2 * error) & (signal > 0)
    e2dnde = (crab(energy.center) * energy.center**2).to(UNIT)
    with np.errstate(divide="ignore", invalid="ignore"):
        return energy.center[good], (e2dnde * excess / signal)[good], (e2dnde * error / signal)[good]


# %%
# Each instrument with its own fit in its own range, and the joint spectrum with its error band:

fig, ax = plt.subplots(figsize=(9, 6))
for color, (instrument, label) in enumerate(INSTRUMENTS.items()):
    low, high = data[instrument].energy_ranges
    bounds = u.Quantity([low.min(), min(high.max(), 30 * u.TeV)]).to("TeV")
    spectra[instrument].plot(bounds, ax=ax, sed_type="e2dnde", color=f"C{color}", lw=1)
    spectra[instrument].plot_error(bounds, ax=ax, sed_type="e2dnde", facecolor=f"C{color}", alpha=0.15)
    energy, value, error = points(data[instrument])
    style = {"fmt": "o", "ms": 4, "lw": 1, "color": f"C{color}", "label": label}
    ax.errorbar(energy.to_value("TeV"), value.to_value(UNIT), yerr=error.to_value(UNIT), **style)
bounds = [0.03, 30] * u.TeV
crab.plot(bounds, ax=ax, sed_type="e2dnde", color="black", lw=2, label="all together")
crab.plot_error(bounds, ax=ax, sed_type="e2dnde", facecolor="black", alpha=0.3)
ax.set(ylim=(5e-13, 5e-10), ylabel="$E^2$ dN/dE [erg cm$^{-2}$ s$^{-1}$]", title="Crab nebula")
ax.legend()
plt.show()

# %%
# The joint fit is what Nigro et al. published (they write the curvature with the decadic logarithm):

published = {"amplitude": 3.8491280706e-11, "alpha": 2.5053735278, "beta": 0.2362106123 / np.log(10)}
for name, value in published.items():
    parameter = crab.parameters[name]
    print(f"{name:10} {parameter.value:.4g}, published {value:.4g}: {(parameter.value - value) / parameter.error:+.2f} sigma")

# %%
# How well the stacked H.E.S.S. spectrum agrees with a model that all five made:

stacked = data["hess"].stack_reduce(name="hess")
stacked.models = joint.models
stacked.plot_fit(kwargs_residuals={"method": "diff/sqrt(model)"})
plt.show()
