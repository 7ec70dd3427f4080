"""Exponential decay."""

from __future__ import annotations

from typing import Any

from astropy import units as u

from geminga.modeling.models.temporal.shape import ShapeTemporalModel, days, since
from geminga.modeling.parameter import Parameter
from geminga.numerics import light_curves

__all__ = ["ExpDecayTemporalModel"]


class ExpDecayTemporalModel(ShapeTemporalModel):
    r"""Exponential decay.

    .. math:: f(t) = e^{-(t - t_{ref}) / t_0}

    It goes on before the reference time.

    Parameters
    ----------
    t0 : Quantity
        Decay time, default 1 d.
    t_ref : Quantity
        Reference time as MJD, default 51544 d, frozen.
    scale : str
        Time scale of the reference, default "utc".

    Examples
    --------
    >>> from astropy.time import Time
    >>> from geminga.modeling.models import ExpDecayTemporalModel
    >>> model = ExpDecayTemporalModel(t0="2 d", t_ref="55555 d")
    >>> print(model.integral(Time(55555, format="mjd"), Time(55557.5, format="mjd")).round(6))
    0.570796
    """

    tag = ["ExpDecayTemporalModel", "exp-decay"]
    t0 = Parameter("t0", "1 d")
    t_ref = Parameter("t_ref", 51544.0, unit="d", frozen=True)

    _shape = staticmethod(light_curves.exp_decay)
    _shape_integral = staticmethod(light_curves.exp_decay_integral)

    @staticmethod
    def evaluate(time: Any, t0: Any, t_ref: Any) -> Any:
        """Evaluate at times (MJD, d)."""
        return u.Quantity(light_curves.exp_decay(since(time, t_ref), days(t0)))
