"""Flares: a Gaussian, and one with two time scales and another exponent."""

from __future__ import annotations

from typing import Any

from astropy import units as u

from geminga.modeling.models.temporal.shape import ShapeTemporalModel, days, since
from geminga.modeling.parameter import Parameter
from geminga.numerics import light_curves

__all__ = ["GaussianTemporalModel", "GeneralizedGaussianTemporalModel"]


class GaussianTemporalModel(ShapeTemporalModel):
    r"""Gaussian flare.

    .. math:: f(t) = \exp\left(-\frac{(t - t_{ref})^2}{2 \sigma^2}\right)

    Parameters
    ----------
    t_ref : Quantity
        Time of the peak as MJD, default 51544 d.
    sigma : Quantity
        Width, default 1 d.
    scale : str
        Time scale of the reference, default "utc".

    Examples
    --------
    >>> from astropy.time import Time
    >>> from geminga.modeling.models import GaussianTemporalModel
    >>> model = GaussianTemporalModel(t_ref="55556 d", sigma="1 d")
    >>> print(model.integral(Time(55555, format="mjd"), Time(55557.5, format="mjd")).round(6))
    0.776591
    """

    tag = ["GaussianTemporalModel", "gauss"]
    t_ref = Parameter("t_ref", 51544.0, unit="d", frozen=False)
    sigma = Parameter("sigma", "1 d", frozen=False)

    _shape = staticmethod(light_curves.gauss)
    _shape_integral = staticmethod(light_curves.gauss_integral)

    @staticmethod
    def evaluate(time: Any, t_ref: Any, sigma: Any) -> Any:
        """Evaluate at times (MJD, d)."""
        return u.Quantity(light_curves.gauss(since(time, t_ref), days(sigma)))

    def integral(self, t_min: Any, t_max: Any, **kwargs: Any) -> u.Quantity:  # type: ignore[override]
        """Average over intervals in closed form; see `TemporalModel.integral`."""
        return super().integral(t_min, t_max, **kwargs)


class GeneralizedGaussianTemporalModel(ShapeTemporalModel):
    r"""Flare with different rise and decay.

    .. math:: f(t) = \exp\left(-\frac{1}{2} \left(\frac{|t - t_{ref}|}{\tau}\right)^{1 / \eta}\right)

    with :math:`\tau` the rise time before and the decay time after the peak.

    Parameters
    ----------
    t_ref : Quantity
        Time of the peak as MJD, default 51544 d.
    t_rise, t_decay : Quantity
        Time scales, default 1 d.
    eta : float
        Shape, default 0.5 (Gaussian); 1 is a double exponential.
    scale : str
        Time scale of the reference, default "utc".

    Examples
    --------
    >>> from astropy.time import Time
    >>> from geminga.modeling.models import GeneralizedGaussianTemporalModel
    >>> model = GeneralizedGaussianTemporalModel(t_ref="55556 d", t_rise="1 d", t_decay="2 d")
    >>> print(model.integral(Time(55555, format="mjd"), Time(55557.5, format="mjd")).round(6))
    0.890445
    """

    tag = ["GeneralizedGaussianTemporalModel", "gengauss"]
    t_ref = Parameter("t_ref", 51544.0, unit="d", frozen=False)
    t_rise = Parameter("t_rise", "1 d", frozen=False)
    t_decay = Parameter("t_decay", "1 d", frozen=False)
    eta = Parameter("eta", 0.5, frozen=False)

    _shape = staticmethod(light_curves.gauss_general)
    _shape_integral = staticmethod(light_curves.gauss_general_integral)

    @staticmethod
    def evaluate(time: Any, t_ref: Any, t_rise: Any, t_decay: Any, eta: Any) -> Any:
        """Evaluate at times (MJD, d)."""
        own = days(t_rise), days(t_decay), u.Quantity(eta).to_value("")
        return u.Quantity(light_curves.gauss_general(since(time, t_ref), *own))
