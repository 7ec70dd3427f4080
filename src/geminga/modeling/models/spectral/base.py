"""What every spectral model does, derived from its formula.

A model of one's own gives parameters and a static ``evaluate`` with Quantities; it is then differentiated and integrated
numerically. A built-in model adds `SpectralModel._dnde_formula` (and `SpectralModel._integral_formula` where there is a closed
form): functions of canonical floats with exact gradients, from `geminga.numerics.spectra`. A subclass that overrides ``evaluate``
is never evaluated with the formula of its parent.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from astropy import units as u
from numpy.typing import ArrayLike, NDArray

from geminga.errors import DataError, InputError
from geminga.modeling.models.base import ModelBase
from geminga.modeling.models.coordinates import as_energy, positive_energies
from geminga.modeling.models.derivative import (
    Evaluator,
    Result,
    canonical_unit,
    current_values,
    differentiate,
    evaluate_many,
    in_canonical,
    quantities,
    scaled,
)
from geminga.modeling.models.spectral import errors, inversion
from geminga.modeling.models.spectral import plot as figures
from geminga.modeling.registry import SPECTRAL_MODEL_REGISTRY
from geminga.numerics.quadrature import LogPanels, log_panels

__all__ = ["SpectralModel"]

Array = NDArray[np.float64]
Formula = Callable[..., Result]

TEV = u.TeV


class SpectralModel(ModelBase):
    """Base class of spectral models.

    A model of one's own derives from it::

        class MySpectralModel(SpectralModel):
            tag = ["MySpectralModel", "my-spectrum"]
            amplitude = Parameter("amplitude", "1e-12 cm-2 s-1 TeV-1")
            index = Parameter("index", 2)

            @staticmethod
            def evaluate(energy, amplitude, index):
                return amplitude * (energy / (1 * u.TeV)).to("") ** -index

        SPECTRAL_MODEL_REGISTRY.append(MySpectralModel)
    """

    _type = "spectral"
    # A Quantity on the left of an operator leaves it to the model.
    __array_ufunc__ = None

    evaluate: Callable[..., Any]
    #: Whether the formula takes a column of values for each parameter, so that many spectra are one call.
    _takes_columns: ClassVar[bool] = False

    evaluate_error = errors.evaluate_error
    integral_error = errors.integral_error
    energy_flux_error = errors.energy_flux_error
    spectral_index_error = errors.spectral_index_error
    inverse = inversion.inverse
    inverse_all = inversion.inverse_all
    plot = figures.plot
    plot_error = figures.plot_error

    def __call__(self, energy: Any) -> u.Quantity:
        """Evaluate the model at `energy`, in the unit of its amplitude.

        Raises
        ------
        UnitError
            If `energy` is not an energy.
        """
        energy = as_energy(energy)
        return self.evaluate(energy, **self._arguments(energy.unit))

    def _arguments(self, energy_unit: u.UnitBase) -> dict[str, u.Quantity]:
        """Parameters for `evaluate`, those with the dimension of energy in the unit of the energies."""
        arguments = {}
        for par in self.parameters:
            quantity = par.quantity
            if par.unit != energy_unit and par.unit.is_equivalent(energy_unit):
                quantity = quantity.to(energy_unit)
            arguments[par.name] = quantity
        return arguments

    @property
    def is_norm_spectral_model(self) -> bool:
        """Whether the model is a dimensionless factor to be multiplied with another one."""
        return "Norm" in type(self).__name__

    # Formula and its gradient -----------------------------------------------------------------------------------------

    def _dnde_formula(self, x: Array) -> Formula | None:
        """Function of canonical parameter values giving dnde and gradient at ``x = ln(E / TeV)``; None if there is no such."""
        return None

    def _integral_formula(self, low: Array, high: Array, power: int) -> Formula | None:
        """Closed form of the integral of ``E^power dnde`` over bins in TeV; None if there is none."""
        return None

    def _break_energies(self, values: Array) -> Sequence[float]:
        """Energies in TeV where the spectrum has a kink, for parameter values in their own units."""
        return ()

    def _has_own(self, name: str) -> bool:
        """Whether the method `name` was defined together with, or below, the `evaluate` in force."""
        for cls in type(self).__mro__:
            if name in vars(cls):
                return cls is not SpectralModel
            if "evaluate" in vars(cls):
                return False
        return False

    @property
    def _dnde_unit(self) -> u.UnitBase:
        """Canonical unit of the values."""
        return canonical_unit(self(1.0 * TEV).unit)

    def dnde_evaluator(self, energy: ArrayLike) -> Evaluator:
        """Prepare the evaluation at fixed energies.

        Parameters
        ----------
        energy : array
            Energies in TeV, shape (n,).

        Returns
        -------
        evaluator : callable
            Takes parameter values in their own units; returns the value in cm-2 s-1 TeV-1 (dimensionless for norm models),
            shape (n,), and its derivatives with respect to these values, shape (n_par, n).
        """
        energy = np.asarray(energy, dtype=float)
        formula = self._dnde_formula(np.log(energy)) if self._has_own("_dnde_formula") else None
        if formula is not None:
            return scaled(formula, self.parameters, self._takes_columns)
        return self._numerical(lambda **kwargs: self.evaluate(energy * TEV, **kwargs), energy.shape, self._dnde_unit)

    def _numerical(self, function: Callable[..., Any], shape: tuple[int, ...], unit: u.UnitBase) -> Evaluator:
        """Differentiate a function of parameter quantities."""
        parameters = self.parameters
        name = type(self).__name__

        def values_at(values: Array) -> Array:
            found = in_canonical(function(**quantities(parameters, values)), unit, name)
            if found.size != 1 and found.shape != shape:
                msg = (
                    f"{name}.evaluate returned an array of shape {found.shape} for energies of shape {shape}; expected the same."
                )
                raise DataError(msg)
            return np.broadcast_to(found, shape)

        return lambda values: differentiate(values_at, values, parameters)

    def flux_evaluator(self, energy_edges: ArrayLike) -> Evaluator:
        """Prepare the integral over energy bins.

        Parameters
        ----------
        energy_edges : array
            Edges in TeV, shape (n + 1,).

        Returns
        -------
        evaluator : callable
            As `dnde_evaluator`; cm-2 s-1, shapes (n,) and (n_par, n).
        """
        edges = np.asarray(energy_edges, dtype=float)
        return self._integral_evaluator(edges[:-1], edges[1:])

    def _integral_evaluator(self, low: Array, high: Array, power: int = 0) -> Evaluator:
        """Evaluator of the integral of ``E^power dnde`` from `low` to `high` (TeV, 1-D)."""
        if self._has_own("_dnde_formula") and self._has_own("_integral_formula"):
            formula = self._integral_formula(low, high, power)
            if formula is not None:
                return scaled(formula, self.parameters, self._takes_columns)
        method = ("evaluate_integral", "evaluate_energy_flux")[power]
        if not self._has_own("_dnde_formula") and self._has_own(method):
            unit = canonical_unit(self._dnde_unit * TEV ** (power + 1))
            own = getattr(self, method)
            return self._numerical(lambda **kwargs: own(low * TEV, high * TEV, **kwargs), low.shape, unit)
        return self._quadrature(low, high, power)

    def _quadrature(self, low: Array, high: Array, power: int) -> Evaluator:
        return _Quadrature(self, low, high, power)

    # Integrals for users ----------------------------------------------------------------------------------------------

    def _integrate(self, energy_min: Any, energy_max: Any, power: int) -> tuple[Evaluator, u.UnitBase, tuple[int, ...]]:
        """Evaluator, unit and shape of an integral between energies of any shapes."""
        low, high = np.broadcast_arrays(positive_energies(energy_min, "energy_min"), positive_energies(energy_max, "energy_max"))
        unit = canonical_unit(self._dnde_unit * TEV ** (power + 1))
        return self._integral_evaluator(low.ravel(), high.ravel(), power), unit, low.shape

    def _integral(self, energy_min: Any, energy_max: Any, power: int, options: dict[str, Any]) -> u.Quantity:
        unknown = set(options) - {"ndecade"}
        if unknown:
            msg = f"{type(self).__name__}: unknown option {', '.join(sorted(unknown))} of an integral; known: ndecade."
            raise InputError(msg)
        evaluator, unit, shape = self._integrate(energy_min, energy_max, power)
        value, _ = evaluator(current_values(self.parameters))
        return u.Quantity(value.reshape(shape), unit)

    def integral(self, energy_min: Any, energy_max: Any, **kwargs: Any) -> u.Quantity:
        """Integral of the spectrum between energies.

        Closed form where there is one, else Gauss-Legendre quadrature in ln E (relative error 1e-8 for smooth spectra).

        Parameters
        ----------
        energy_min, energy_max : Quantity
            Bounds, broadcast together.
        **kwargs
            ``ndecade`` is accepted for compatibility; the quadrature does not need it.

        Returns
        -------
        flux : Quantity
            In cm-2 s-1 (TeV for norm models).

        Raises
        ------
        UnitError, InputError
            If a bound is not a positive energy.
        """
        return self._integral(energy_min, energy_max, 0, kwargs)

    def energy_flux(self, energy_min: Any, energy_max: Any, **kwargs: Any) -> u.Quantity:
        """Integral of energy times the spectrum between energies.

        Parameters
        ----------
        energy_min, energy_max : Quantity
            Bounds, broadcast together.
        **kwargs
            See `integral`.

        Returns
        -------
        energy_flux : Quantity
            In TeV cm-2 s-1.
        """
        return self._integral(energy_min, energy_max, 1, kwargs)

    def spectral_index(self, energy: Any, epsilon: float = 1e-5) -> Any:
        """Local spectral index ``-d ln dnde / d ln E``.

        Parameters
        ----------
        energy : Quantity
            Energies.
        epsilon : float
            Half width of the difference in ln E.
        """
        energy = as_energy(energy)
        up, down = self(energy * np.exp(epsilon)), self(energy * np.exp(-epsilon))
        return -np.log((up / down).to_value("")) / (2 * epsilon)

    @property
    def pivot_energy(self) -> u.Quantity:
        """Energy where the relative error of the flux is smallest; NaN without errors."""
        return errors.pivot_energy(self)

    @property
    def e_peak(self) -> u.Quantity:
        """Energy where ``E^2 dnde`` is largest; NaN if it has no maximum."""
        return inversion.e_peak(self)

    def reference_fluxes(self, energy_axis: Any) -> dict[str, u.Quantity]:
        """Fluxes of each bin of an energy axis.

        Parameters
        ----------
        energy_axis : `~geminga.maps.MapAxis`
            Energy axis.

        Returns
        -------
        fluxes : dict
            "e_ref", "e_min", "e_max" and "ref_dnde", "ref_flux", "ref_eflux", "ref_e2dnde".
        """
        energy, low, high = energy_axis.center, energy_axis.edges_min, energy_axis.edges_max
        dnde = self(energy)
        return {
            "e_ref": energy,
            "e_min": low,
            "e_max": high,
            "ref_dnde": dnde,
            "ref_flux": self.integral(low, high),
            "ref_eflux": self.energy_flux(low, high),
            "ref_e2dnde": dnde * energy**2,
        }

    # Arithmetic -------------------------------------------------------------------------------------------------------

    def _combine(self, other: Any, function: Callable[[Any, Any], Any], swap: bool = False) -> Any:
        first, second = (other, self) if swap else (self, other)
        return SPECTRAL_MODEL_REGISTRY.get_cls("CompoundSpectralModel").combine(first, second, function)

    def __add__(self, other: Any) -> Any:
        return self._combine(other, operator.add)

    def __radd__(self, other: Any) -> Any:
        return self._combine(other, operator.add, swap=True)

    def __sub__(self, other: Any) -> Any:
        return self._combine(other, operator.sub)

    def __rsub__(self, other: Any) -> Any:
        return self._combine(other, operator.sub, swap=True)

    def __mul__(self, other: Any) -> Any:
        return self._combine(other, operator.mul)

    def __rmul__(self, other: Any) -> Any:
        return self._combine(other, operator.mul, swap=True)

    def __truediv__(self, other: Any) -> Any:
        return self._combine(other, operator.truediv)


class _Quadrature:
    """Integral of ``dnde_evaluator`` over nodes which follow the breaks, if these move."""

    def __init__(self, model: SpectralModel, low: Array, high: Array, power: int) -> None:
        self.model = model

        @lru_cache(maxsize=4)
        def prepare(breaks: tuple[float, ...]) -> tuple[LogPanels, Evaluator]:
            rule = log_panels(low, high, breaks, energy_power=power)
            return rule, model.dnde_evaluator(np.exp(rule.log_energy))

        self.prepare = prepare

    def _breaks(self, values: Array) -> tuple[float, ...]:
        return tuple(self.model._break_energies(values))

    def __call__(self, values: ArrayLike) -> Result:
        rule, dnde = self.prepare(self._breaks(np.asarray(values, dtype=float)))
        value, gradient = dnde(values)
        return rule.integrate(value), rule.integrate(gradient)

    def many(self, values: Array) -> Result:
        """See `evaluate_many`: at once if the breaks are the same everywhere."""
        breaks = {self._breaks(row) for row in values} if type(self.model)._break_energies is not _NO_BREAKS else {()}
        if len(breaks) > 1:
            results = [self(row) for row in values]
            return np.stack([value for value, _ in results]), np.stack([gradient for _, gradient in results])
        rule, dnde = self.prepare(breaks.pop())
        value, gradient = evaluate_many(dnde, values)
        return rule.integrate(value), rule.integrate(gradient)


_NO_BREAKS = SpectralModel._break_energies
