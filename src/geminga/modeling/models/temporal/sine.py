"""Sine in time."""

from __future__ import annotations

from typing import Any

from astropy import units as u

from geminga.modeling.models.temporal.shape import ShapeTemporalModel, since
from geminga.modeling.parameter import Parameter
from geminga.numerics import light_curves

__all__ = ["SineTemporalModel"]


class SineTemporalModel(ShapeTemporalModel):
    r"""Sine around one.

    .. math:: f(t) = 1 + a \sin(\omega (t - t_{ref}))

    Parameters
    ----------
    amp : float
        Amplitude, default 1.
    omega : Quantity
        Angular frequency, default 1 rad/d.
    t_ref : Quantity
        Reference time as MJD, default 51544 d.
    scale : str
        Time scale of the reference, default "utc".

    Examples
    --------
    >>> import numpy as np
    >>> from astropy import units as u
    >>> from astropy.time import Time
    >>> from geminga.modeling.models import SineTemporalModel
    >>> model = SineTemporalModel(amp=0.5, omega=2 * np.pi / 10 * u.Unit("rad d-1"), t_ref="55555 d")
    >>> print(model.integral(Time(55555, format="mjd"), Time(55559, format="mjd")).round(6))
    1.359892
    """

    tag = ["SineTemporalModel", "sinus"]
    amp = Parameter("amp", 1.0, frozen=False)
    omega = Parameter("omega", 1.0, unit="rad / d", frozen=False)
    t_ref = Parameter("t_ref", 51544.0, unit="d", frozen=False)

    _shape = staticmethod(light_curves.sine)
    _shape_integral = staticmethod(light_curves.sine_integral)

    @staticmethod
    def evaluate(time: Any, amp: Any, omega: Any, t_ref: Any) -> Any:
        """Evaluate at times (MJD, d)."""
        own = u.Quantity(amp).to_value(""), u.Quantity(omega, "rad / d").value
        return u.Quantity(light_curves.sine(since(time, t_ref), *own))
