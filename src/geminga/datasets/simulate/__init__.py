"""Simulated data: counts drawn from a prediction (`counts`), and event lists (`events`).

Who imports whom: `events` → `sources`, `background`, `header` → `places`, `times`, `errors`. Randomness is drawn from tables by
`geminga.numerics.sampling`. What needs the response tables of an observation is in `geminga.makers.simulation`, above the
datasets; its names are found here all the same, as in gammapy.
"""

from __future__ import annotations

from geminga.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        ".counts": ["asimov", "fake", "random_source", "to_asimov"],
        ".events": ["MapDatasetEventSampler"],
        ".header": ["event_det_coords", "event_list_meta"],
        "geminga.makers.simulated_dataset": ["create_map_dataset_from_observation"],
        "geminga.makers.simulation": ["ObservationEventSampler"],
    },
)
