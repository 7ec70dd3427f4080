"""
Simulate observations
=====================

Simulate the events of a few runs with a source that fades, write them as DL3 files, reduce them, and fit spectrum and decay.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from astropy import units as u

from geminga.cli.runs import make_observations, reduce_runs
from geminga.data import DataStore, ObservationsEventsSampler
from geminga.modeling import Fit
from geminga.modeling.models import (
    ExpDecayTemporalModel,
    FoVBackgroundModel,
    Models,
    PointSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
)

# %%
# Four runs of 15 minutes around one place, with a parametric response of the order of CTAO. They have no events yet:

observations = make_observations()
print(observations[0])

# %%
# A point source that fades with a time constant of half an hour:

start = observations[0].tstart
source = SkyModel(
    spectral_model=PowerLawSpectralModel(index=2.2, amplitude="2e-11 cm-2 s-1 TeV-1"),
    spatial_model=PointSpatialModel(lon_0="195.3 deg", lat_0="4.4 deg", frame="galactic"),
    temporal_model=ExpDecayTemporalModel(t0="30 min", t_ref=start.utc.mjd * u.d),
    name="transient",
)

# %%
# Draw the events and write a file for each run. A seed makes it repeatable, and each run gets random numbers of its own:

folder = tempfile.TemporaryDirectory()
sampler = ObservationsEventsSampler(
    sampler_kwargs={"random_state": 42, "t_delta": 1 * u.s},
    dataset_kwargs={"spatial_width": "5 deg", "spatial_bin_size": "0.04 deg", "frame": "galactic"},
    outdir=Path(folder.name),
)
paths = sampler.run(observations, models=[source])
print([path.name for path in paths])

# %%
# The events know where they come from: ``MC_ID`` is 1 for those of the source. In one run after the other there are fewer:

runs = DataStore.from_events_files(paths).get_observations()
times = [np.asarray((run.events.time - start).to_value("min"))[run.events.table["MC_ID"] == 1] for run in runs]
print([len(own) for own in times])

fig, ax = plt.subplots()
bins = np.linspace(0, 60, 31)
ax.hist(times, bins=bins, stacked=True, label=[f"run {run.obs_id}" for run in runs])
t0 = 30.0
total = sum(map(len, times)) * (np.exp(-bins[:-1] / t0) - np.exp(-bins[1:] / t0)) / (1 - np.exp(-60 / t0))
ax.stairs(total, bins, color="black", label="truth")
ax.set_xlabel("Time [min]")
ax.set_ylabel("Events of the source")
ax.legend()
plt.show()

# %%
# Reduce the files to one dataset and fit it. The good time of the dataset holds all runs, so the average of the decay over
# them is taken, and the amplitude is that at the start:

dataset = reduce_runs(paths, name="runs")
dataset.models = Models([source.copy(name="transient"), FoVBackgroundModel(dataset_name="runs")])
dataset.models["transient"].temporal_model.t0.frozen = True
result = Fit().run([dataset])
print(result)

for parameter in dataset.models["transient"].parameters.free_parameters:
    true = source.parameters[parameter.name].value
    print(f"{parameter.name:10} {(parameter.value - true) / parameter.error:6.2f} sigma from the truth")

# %%
# Counts, summed over energy and smoothed:

dataset.counts.sum_over_axes().smooth("0.05 deg").plot(add_cbar=True)
plt.show()
folder.cleanup()
