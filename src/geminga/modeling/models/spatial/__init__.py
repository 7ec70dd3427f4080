"""Spatial models: where on the sky."""

from geminga.utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        ".base": ["SpatialModel"],
        ".constant": ["ConstantFluxSpatialModel", "ConstantSpatialModel"],
        ".disk": ["DiskSpatialModel"],
        ".gaussian": ["GaussianSpatialModel", "GeneralizedGaussianSpatialModel"],
        ".piecewise": ["PiecewiseNormSpatialModel"],
        ".point": ["PointSpatialModel"],
        ".shell": ["Shell2SpatialModel", "ShellSpatialModel"],
        ".template": ["TemplateSpatialModel"],
        ".template_nd": ["TemplateNDSpatialModel"],
    },
)
