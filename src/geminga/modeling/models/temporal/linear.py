"""A straight line in time."""

from __future__ import annotations

from typing import Any

from astropy import units as u

from geminga.modeling.models.temporal.shape import ShapeTemporalModel, since
from geminga.modeling.parameter import Parameter
from geminga.numerics import light_curves

__all__ = ["LinearTemporalModel"]


class LinearTemporalModel(ShapeTemporalModel):
    r"""Straight line.

    .. math:: f(t) = \alpha + \beta (t - t_{ref})

    Parameters
    ----------
    alpha : float
        Value at the reference time, default 1.
    beta : Quantity
        Slope, default 0 1/d.
    t_ref : Quantity
        Reference time as MJD, default 51544 d, frozen.
    scale : str
        Time scale of the reference, default "utc".

    Examples
    --------
    >>> from astropy.time import Time
    >>> from geminga.modeling.models import LinearTemporalModel
    >>> model = LinearTemporalModel(beta="0.1 d-1", t_ref="55555 d")
    >>> print(model.integral(Time(55555, format="mjd"), Time(55557.5, format="mjd")))
    1.125
    """

    tag = ["LinearTemporalModel", "linear"]
    alpha = Parameter("alpha", 1.0)
    beta = Parameter("beta", 0.0, unit="d-1")
    t_ref = Parameter("t_ref", 51544.0, unit="d", frozen=True)

    _shape = staticmethod(light_curves.linear)
    _shape_integral = staticmethod(light_curves.linear_integral)

    @staticmethod
    def evaluate(time: Any, alpha: Any, beta: Any, t_ref: Any) -> Any:
        """Evaluate at times (MJD, d)."""
        own = u.Quantity(alpha).to_value(""), u.Quantity(beta, "d-1").value
        return u.Quantity(light_curves.linear(since(time, t_ref), *own))
