"""The kinds of models and priors by tag.

Each registry is a list of classes that loads on first use. A class of one's own joins with
``SPECTRAL_MODEL_REGISTRY.append(MyModel)``; a built-in one is a line in `_HOMES`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any, SupportsIndex, overload

from geminga.utils.registry import Registry

__all__ = [
    "COMPONENT_REGISTRIES",
    "MODEL_REGISTRY",
    "PRIOR_REGISTRY",
    "SPATIAL_MODEL_REGISTRY",
    "SPECTRAL_MODEL_REGISTRY",
    "TEMPORAL_MODEL_REGISTRY",
    "ModelRegistry",
]

_HERE = "geminga.modeling.models"
# Kind: package: class and short tag, so that one class can be found without loading all.
_HOMES: dict[str, dict[str, dict[str, str]]] = {
    "model": {
        f"{_HERE}.sky": {"SkyModel": "sky-model"},
        f"{_HERE}.background": {"FoVBackgroundModel": "fov-bkg"},
        f"{_HERE}.npred": {"TemplateNPredModel": ""},
        f"{_HERE}.systematics": {"SystematicsModel": "systematics"},
    },
    "spectral": {
        f"{_HERE}.spectral": {
            "ConstantSpectralModel": "const",
            "CompoundSpectralModel": "compound",
            "PowerLawSpectralModel": "pl",
            "PowerLaw2SpectralModel": "pl-2",
            "BrokenPowerLawSpectralModel": "bpl",
            "SmoothBrokenPowerLawSpectralModel": "sbpl",
            "PiecewiseNormSpectralModel": "piecewise-norm",
            "ExpCutoffPowerLawSpectralModel": "ecpl",
            "ExpCutoffPowerLaw3FGLSpectralModel": "ecpl-3fgl",
            "SuperExpCutoffPowerLaw3FGLSpectralModel": "secpl-3fgl",
            "SuperExpCutoffPowerLaw4FGLDR3SpectralModel": "secpl-4fgl-dr3",
            "SuperExpCutoffPowerLaw4FGLSpectralModel": "secpl-4fgl",
            "LogParabolaSpectralModel": "lp",
            "LogParabola2SpectralModel": "lp2",
            "TemplateSpectralModel": "template",
            "TemplateNDSpectralModel": "templateND",
            "GaussianSpectralModel": "gauss",
            "EBLAbsorptionNormSpectralModel": "ebl-norm",
            "NaimaSpectralModel": "naima",
            "ScaleSpectralModel": "scale",
            "PowerLawNormSpectralModel": "pl-norm",
            "LogParabolaNormSpectralModel": "lp-norm",
            "ExpCutoffPowerLawNormSpectralModel": "ecpl-norm",
            "MeyerCrabSpectralModel": "meyer-crab",
            "LogGaussianSpectralModel": "log-gauss",
        },
    },
    "spatial": {
        f"{_HERE}.spatial": {
            "ConstantSpatialModel": "const",
            "TemplateSpatialModel": "template",
            "TemplateNDSpatialModel": "templateND",
            "DiskSpatialModel": "disk",
            "GaussianSpatialModel": "gauss",
            "GeneralizedGaussianSpatialModel": "gauss-general",
            "PiecewiseNormSpatialModel": "piecewise-norm",
            "PointSpatialModel": "point",
            "ShellSpatialModel": "shell",
            "Shell2SpatialModel": "shell2",
            "ConstantFluxSpatialModel": "const-flux",
        },
    },
    "temporal": {
        f"{_HERE}.temporal": {
            "ConstantTemporalModel": "const",
            "LinearTemporalModel": "linear",
            "LightCurveTemplateTemporalModel": "template",
            "ExpDecayTemporalModel": "exp-decay",
            "GaussianTemporalModel": "gauss",
            "GeneralizedGaussianTemporalModel": "gengauss",
            "PowerLawTemporalModel": "powerlaw",
            "SineTemporalModel": "sinus",
            "TemplatePhaseCurveTemporalModel": "template-phase",
        },
    },
    "prior": {
        "geminga.modeling.priors": {
            "UniformPrior": "",
            "GaussianPrior": "",
            "LogUniformPrior": "",
            "GeneralizedGaussianPrior": "",
            "LogNormalPrior": "",
        },
        "geminga.modeling.sampled_prior": {"SamplesKDEPrior": ""},
    },
}


class ModelRegistry(Registry):
    """List of model classes of one kind whose built-in members load on first use.

    Parameters
    ----------
    kind : {"model", "spectral", "spatial", "temporal", "prior"}
        Which built-in classes it holds.
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self._pending = True

    def _load(self) -> None:
        if not self._pending:
            return
        self._pending = False
        own = list(list.__iter__(self))
        try:
            built_in = [
                getattr(importlib.import_module(module), name) for module, names in _HOMES[self.kind].items() for name in names
            ]
        except BaseException:
            self._pending = True
            raise
        self[:] = [*built_in, *own]

    def get_cls(self, tag: str) -> Any:
        """Return the class with this tag.

        Raises
        ------
        NameLookupError
            If no class has it; the message lists the known tags.
        """
        if self._pending:
            for module, names in _HOMES[self.kind].items():
                for name, short in names.items():
                    if tag in (name, short) and tag:
                        return getattr(importlib.import_module(module), name)
        self._load()
        return super().get_cls(tag)

    def __iter__(self) -> Iterator[type]:
        self._load()
        return super().__iter__()

    def __len__(self) -> int:
        self._load()
        return super().__len__()

    def __contains__(self, item: object) -> bool:
        self._load()
        return super().__contains__(item)

    def __repr__(self) -> str:
        self._load()
        return super().__repr__()

    @overload
    def __getitem__(self, index: SupportsIndex) -> type: ...

    @overload
    def __getitem__(self, index: slice) -> list[type]: ...

    def __getitem__(self, index: Any) -> Any:
        self._load()
        return super().__getitem__(index)

    def index(self, *args: Any) -> int:
        """Position of a class."""
        self._load()
        return super().index(*args)

    def remove(self, value: type) -> None:
        """Take a class out."""
        self._load()
        super().remove(value)


MODEL_REGISTRY = ModelRegistry("model")
SPECTRAL_MODEL_REGISTRY = ModelRegistry("spectral")
SPATIAL_MODEL_REGISTRY = ModelRegistry("spatial")
TEMPORAL_MODEL_REGISTRY = ModelRegistry("temporal")
PRIOR_REGISTRY = ModelRegistry("prior")

#: Registries of what a `SkyModel` is made of, by kind.
COMPONENT_REGISTRIES = {
    "spectral": SPECTRAL_MODEL_REGISTRY,
    "spatial": SPATIAL_MODEL_REGISTRY,
    "temporal": TEMPORAL_MODEL_REGISTRY,
}
