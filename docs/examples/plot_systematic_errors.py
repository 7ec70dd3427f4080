"""
Statistical and systematic errors
=================================

Five instruments saw the Crab nebula, each with its own calibration of energy. Nigro et al. (2019, A&A 625, A10) gave each an
uncertain energy scale in the joint fit; here the same is done, and the errors are split into their parts.

This example needs the folder ``joint-crab`` of the data that ``$GAMMAPY_DATA`` points to; without it, reading says so and stops.
"""

import matplotlib.pyplot as plt
import numpy as np

from geminga.datasets import Datasets, SpectrumDatasetOnOff
from geminga.modeling import Fit
from geminga.modeling.models import GaussianPrior, LogParabolaSpectralModel, SkyModel, SystematicsModel
from geminga.utils.scripts import make_path

# %%
# The spectra, and how well the energy scale of each instrument is taken to be known. These widths of the priors are chosen here,
# of the size that such errors usually have; they are not taken from the paper. Runs of one instrument share its error:

FOLDER = make_path("$GAMMAPY_DATA/joint-crab/spectra")
SCALES = {"fermi": 0.05, "magic": 0.15, "veritas": 0.15, "fact": 0.15, "hess": 0.15}
LABELS = {"fermi": "Fermi-LAT", "magic": "MAGIC", "veritas": "VERITAS", "fact": "FACT", "hess": "H.E.S.S."}

datasets, errors = Datasets(), []
for instrument, sigma in SCALES.items():
    files = sorted((FOLDER / instrument).glob("pha_*.fits"))
    runs = [SpectrumDatasetOnOff.read(file, name=f"{instrument}-{file.stem}") for file in files]
    datasets.extend(runs)
    names = [run.name for run in runs]
    errors.append(SystematicsModel(names, name=instrument, energy_scale=GaussianPrior(mu=1, sigma=sigma)))

crab = SkyModel(spectral_model=LogParabolaSpectralModel(reference="1 TeV", amplitude="3.8e-11 cm-2 s-1 TeV-1"), name="crab")

# %%
# First without systematic errors, then with them:

datasets.models = [crab]
Fit().run(datasets)
plain = {p.name: (p.value, p.error) for p in crab.spectral_model.parameters.free_parameters}
plain_covariance = crab.spectral_model.covariance.data[np.ix_([0, 2], [0, 2])]

datasets.models = [crab, *errors]
result = Fit().run(datasets)
print(f"{result.total_stat:.2f} after {result.nfev} evaluations")

# %%
# The errors and their parts, from the covariance of this one fit: the statistical error is that of a fit with the energy scales
# held at their best values, and the columns ``syst_...`` say what each instrument adds.

budget = result.error_budget()
table = budget.to_table()
table.pprint(max_width=-1)

# %%
# What the data say about the energy scales: how far they were pulled, in widths of their priors, how much narrower than these
# they have become, and by how much the spectrum changes if one rises by its error:

budget.to_impacts_table().pprint(max_width=-1)

# %%
# With these widths it is what was published: the amplitude, and the scales by which the instruments disagree.

published = {"amplitude": (3.8800906132e-11, 0.3536017240e-11), "alpha": (2.5107708282, 0.0376323833)}
published_scales = [1.0044, 0.9973, 0.9444, 0.8971, 1.0993]
for name, (value, error) in published.items():
    p = crab.spectral_model.parameters[name]
    print(f"{name:9} {p.value:.4g} +- {p.error:.2g}, published {value:.4g} +- {error:.2g}")

# %%
# Left, one sigma of amplitude and index, without and with systematic errors; right, the energy scales with their priors in grey:


def ellipse(centre, covariance):
    """Points at one standard deviation."""
    angle = np.linspace(0, 2 * np.pi, 200)
    return np.array(centre)[:, None] + np.linalg.cholesky(covariance) @ np.array([np.cos(angle), np.sin(angle)])


fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5), gridspec_kw={"width_ratios": [1.1, 1]})
scale = np.array([1e11, 1])
spectrum = crab.spectral_model
full_covariance = spectrum.covariance.data[np.ix_([0, 2], [0, 2])]
fits = {
    "without systematic errors": ([plain["amplitude"][0], plain["alpha"][0]], plain_covariance, "C0"),
    "with systematic errors": ([spectrum.amplitude.value, spectrum.alpha.value], full_covariance, "C1"),
}
for label, (centre, covariance, color) in fits.items():
    x, y = ellipse(centre * scale, covariance * np.outer(scale, scale))
    left.fill(x, y, color=color, alpha=0.25)
    left.plot(x, y, color=color, label=label)
    left.plot(*(centre * scale), "+", color=color)
(x, dx), (y, dy) = published["amplitude"], published["alpha"]
left.errorbar(x * 1e11, y, xerr=dx * 1e11, yerr=dy, fmt="o", color="black", capsize=3, label="Nigro et al. with systematics")
left.set(
    xlabel="amplitude [1e-11 cm$^{-2}$ s$^{-1}$ TeV$^{-1}$]", ylabel="alpha", title="Crab nebula at 1 TeV", ylim=(2.465, 2.585)
)
left.legend(loc="upper right", fontsize=9)

rows = np.arange(len(errors))[::-1]
for row, model in zip(rows, errors, strict=True):
    own = model.energy_scale
    right.barh(row, 2 * own.prior.sigma.value, left=1 - own.prior.sigma.value, height=0.6, color="0.85")
    right.errorbar(own.value, row, xerr=own.error, fmt="o", color="C1", capsize=3)
right.plot(published_scales, rows - 0.22, "kx", label="published")
right.axvline(1, color="0.5", lw=0.8)
right.set(yticks=rows, yticklabels=LABELS.values(), xlabel="energy scale", title="What the joint fit says of the energy scales")
right.legend(loc="lower left", fontsize=9)
fig.tight_layout()
plt.show()
