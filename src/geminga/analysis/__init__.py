"""Analyses run from a configuration file: from a store of observations to spectra, light curves and maps.

`AnalysisConfig` is what a YAML file says, checked; `Analysis` does it step by step, with the makers and estimators one could
also call oneself.
"""

from geminga.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        ".analysis": ["Analysis"],
        ".config": ["AnalysisConfig", "FitConfig", "GeneralConfig"],
        ".config_data": [
            "BackgroundConfig",
            "DatasetsConfig",
            "GeomConfig",
            "LogConfig",
            "ObservationsConfig",
            "SafeMaskConfig",
        ],
        ".config_products": ["ExcessMapConfig", "FluxPointsConfig", "LightCurveConfig"],
    },
)
