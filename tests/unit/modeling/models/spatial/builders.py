"""Spatial models of every kind, around (0, 0)."""

from __future__ import annotations

import numpy as np
from astropy import units as u

from geminga.maps import MapAxis, MapCoord, WcsNDMap
from geminga.modeling import models as m

PLACE = {"lon_0": "0.2 deg", "lat_0": "-0.1 deg"}


def image(npix=60, binsz=0.05, sigma=0.3, unit="sr-1", axes=None, frame="icrs"):
    """Gaussian map; with an axis "width" the Gaussian has these widths."""
    own = WcsNDMap.create(npix=npix, binsz=binsz, unit=unit, axes=axes, frame=frame, dtype=float)
    coords = own.geom.get_coord()
    lon = (coords["lon"].to_value("deg") + 180) % 360 - 180
    lat = coords["lat"].to_value("deg")
    width = sigma
    names = [axis.name for axis in axes or []]
    if "width" in names:
        width = coords["width"].to_value("deg")
    if "energy_true" in names:
        width = width * coords["energy_true"].to_value("TeV") ** -0.3
    own.data = np.broadcast_to(np.exp(-(lon**2 + lat**2) / (2 * width**2)) / (2 * np.pi * np.deg2rad(width) ** 2), own.data.shape)
    return own


def width_axis():
    return MapAxis.from_nodes([0.2, 0.3, 0.45], name="width", unit="deg")


def energy_axis(nbin=4):
    return MapAxis.from_energy_bounds("0.5 TeV", "20 TeV", nbin=nbin, name="energy_true")


def nodes():
    lon, lat = np.array([-1, -1, 1, 1, 0, 0.3]), np.array([-1, 1, -1, 1, 0, -0.6])
    return MapCoord.create({"lon": lon * u.deg, "lat": lat * u.deg}, frame="icrs")


def make_models():
    """Models by name."""
    norms = [1, 2, 3, 4, 2, 1.5]
    return {
        "const": m.ConstantSpatialModel(),
        "const-flux": m.ConstantFluxSpatialModel(),
        "point": m.PointSpatialModel(**PLACE),
        "gauss": m.GaussianSpatialModel(sigma="0.3 deg", **PLACE),
        "gauss-e": m.GaussianSpatialModel(sigma="0.3 deg", e=0.6, phi="25 deg", **PLACE),
        "gauss-general": m.GeneralizedGaussianSpatialModel(r_0="0.2 deg", eta=0.6, **PLACE),
        "gauss-general-e": m.GeneralizedGaussianSpatialModel(r_0="0.2 deg", eta=0.6, e=0.5, phi="40 deg", **PLACE),
        "disk": m.DiskSpatialModel(r_0="0.5 deg", edge_width=0.2, **PLACE),
        "disk-e": m.DiskSpatialModel(r_0="0.5 deg", edge_width=0.2, e=0.6, phi="25 deg", **PLACE),
        "shell": m.ShellSpatialModel(radius="0.4 deg", width="0.2 deg", **PLACE),
        "shell2": m.Shell2SpatialModel(r_0="0.6 deg", eta=0.3, **PLACE),
        "template": m.TemplateSpatialModel(image()),
        "template-cube": m.TemplateSpatialModel(image(axes=[energy_axis()])),
        "templateND": m.TemplateNDSpatialModel(image(axes=[width_axis()])),
        "templateND-cube": m.TemplateNDSpatialModel(image(axes=[energy_axis(), width_axis()])),
        "piecewise-norm": m.PiecewiseNormSpatialModel(nodes(), norms=norms),
        "piecewise-log": m.PiecewiseNormSpatialModel(nodes(), norms=norms, interp="log"),
    }


MODELS = make_models()
#: Shapes which integrate to one over the sky.
NORMALISED = ["gauss", "gauss-e", "gauss-general", "gauss-general-e", "disk", "disk-e", "shell", "shell2"]
