"""What the shapes with a centre share: evaluation, density and regions from a formula of `geminga.numerics.sky_shapes`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from astropy import units as u

from geminga.numerics.sky_shapes import Shape, density

__all__ = ["ellipse_region", "evaluate_shape", "plain", "round_shape"]


def plain(value: Any) -> float:
    """Float of a dimensionless number or quantity."""
    return float(u.Quantity(value).to_value(""))


def degrees(value: Any) -> float:
    """Float in deg."""
    return float(u.Quantity(value).to_value("deg"))


def round_shape(shape: Callable[..., Shape]) -> Callable[..., Shape]:
    """The round form of a shape that may be elliptical."""
    return lambda s, *sizes: shape(s, None, *sizes)


def evaluate_shape(
    shape: Callable[..., Shape], lon: Any, lat: Any, lon_0: Any, lat_0: Any, *sizes: float, phi: Any = None
) -> u.Quantity:
    """Evaluate a shape for quantities, in sr-1."""
    value, _ = density(
        shape,
        u.Quantity(lon).to_value("deg"),
        u.Quantity(lat).to_value("deg"),
        degrees(lon_0),
        degrees(lat_0),
        *sizes,
        phi=None if phi is None else degrees(phi),
        with_gradient=False,
    )
    return u.Quantity(value, "sr-1")


def ellipse_region(model: Any, radius: u.Quantity, size_factor: float = 1.0, **kwargs: Any) -> Any:
    """Ellipse around the model's position; the major axis has the position angle phi."""
    from regions import EllipseSkyRegion

    major = radius * size_factor
    minor = major * np.sqrt(1 - plain(model.e.quantity) ** 2)
    kwargs.setdefault("angle", model.phi.quantity)
    return EllipseSkyRegion(center=model.position, height=2 * major, width=2 * minor, **kwargs)
