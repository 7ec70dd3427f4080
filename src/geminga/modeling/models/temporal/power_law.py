"""Power law in time, as of afterglows."""

from __future__ import annotations

from typing import Any

from astropy import units as u

from geminga.modeling.models.temporal.shape import ShapeTemporalModel, days, since
from geminga.modeling.parameter import Parameter
from geminga.numerics import light_curves

__all__ = ["PowerLawTemporalModel"]


class PowerLawTemporalModel(ShapeTemporalModel):
    r"""Power law in time.

    .. math:: f(t) = \left(\frac{t - t_{ref}}{t_0}\right)^\alpha

    Before the reference time it is not defined (NaN).

    Parameters
    ----------
    alpha : float
        Exponent, default 1; negative for a decay.
    t_ref : Quantity
        Reference time as MJD, default 51544 d, frozen.
    t0 : Quantity
        Unit of time, default 1 d, frozen.
    scale : str
        Time scale of the reference, default "utc".

    Examples
    --------
    >>> from astropy.time import Time
    >>> from geminga.modeling.models import PowerLawTemporalModel
    >>> model = PowerLawTemporalModel(alpha=-0.5, t_ref="55554 d")
    >>> print(model.integral(Time(55555, format="mjd"), Time(55557.5, format="mjd")).round(6))
    0.696663
    """

    tag = ["PowerLawTemporalModel", "powerlaw"]
    alpha = Parameter("alpha", 1.0, frozen=False)
    t_ref = Parameter("t_ref", 51544.0, unit="d", frozen=True)
    t0 = Parameter("t0", "1 d", frozen=True)

    _shape = staticmethod(light_curves.power_law)
    _shape_integral = staticmethod(light_curves.power_law_integral)

    @staticmethod
    def evaluate(time: Any, alpha: Any, t_ref: Any, t0: Any = 1 * u.d) -> Any:
        """Evaluate at times (MJD, d)."""
        return u.Quantity(light_curves.power_law(since(time, t_ref), u.Quantity(alpha).to_value(""), days(t0)))
