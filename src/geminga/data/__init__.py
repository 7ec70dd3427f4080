"""Observations: events, good time, response functions, and stores of them."""

from geminga.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        # Needs the makers, which are above; by name, so that nothing is imported here.
        "geminga.makers.simulation": ["ObservationsEventsSampler"],
        "geminga.utils.observers": ["observatory_locations"],
        ".events": ["EventList"],
        ".features": ["get_irfs_features"],
        ".filters": ["ObservationFilter"],
        ".gti": ["GTI"],
        ".hdu_index": ["HDUIndexTable"],
        ".metadata": ["EventListMetaData", "GTIMetaData", "ObservationMetaData"],
        ".obs_table": ["ObservationTable"],
        ".observation": ["Observation"],
        ".observations": ["Observations"],
        ".pointing": ["FixedPointingInfo", "PointingMode"],
        ".pointing_table": ["PointingInfo"],
        ".store": ["DataStore"],
    },
)
