"""Systematic errors: factors on the flux seen and on the background, from the models of a dataset which are about these."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geminga.errors import InputError, UnsupportedError
from geminga.forward.memo import Memo
from geminga.forward.steps import second_of
from geminga.modeling.models.derivative import Evaluator, Result, evaluate_many
from geminga.numerics.factors import PowerFactor

__all__ = ["NONE", "Nuisance", "Product", "Systematics", "systematics_key"]

Array = NDArray[np.float64]


class Nuisance(NamedTuple):
    """A factor which depends on nuisance parameters, and these; both empty if there are none."""

    parameters: list[Any]
    factor: PowerFactor | None
    key: Hashable

    def on(self, evaluator: Evaluator, n: int) -> Evaluator:
        """A function of `n` parameters times the factor, as a function of these and of the nuisance parameters."""
        return evaluator if self.factor is None else Product(evaluator, n, self.factor)


#: No systematic errors.
NONE = Nuisance([], None, ())


class Product:
    """Product of two functions with gradients, of `n` parameters and of the others."""

    def __init__(self, first: Evaluator, n: int, second: Evaluator) -> None:
        self.factors, self.n = (first, second), n
        self._memos = Memo(3), Memo(3)  # most steps of a difference leave one of the two alone

    def _parts(self, values: Array) -> tuple[Result, Result]:
        """Both at many points, with one row where all points are the same."""
        return self._part(0, _once(values[:, : self.n])), self._part(1, _once(values[:, self.n :]))

    def _part(self, i: int, own: Array) -> Result:
        return self._memos[i].get((own.tobytes(), len(own)), lambda: evaluate_many(self.factors[i], own))

    def __call__(self, values: ArrayLike) -> Result:
        """Value and gradient."""
        (f, df), (g, dg) = self._parts(np.asarray(values, dtype=float)[None])
        return f[0] * g[0], np.concatenate([df[0] * g[0], dg[0] * f[0]])

    def many(self, values: Array) -> Result:
        """See `evaluate_many`."""
        (f, df), (g, dg) = self._parts(values)
        gradient = np.empty((len(values), values.shape[1], f.shape[-1]))
        np.multiply(df, g[:, None], out=gradient[:, : self.n])
        np.multiply(dg, f[:, None], out=gradient[:, self.n :])
        return np.broadcast_to(f * g, (len(values), f.shape[-1])), gradient

    def second(self, values: Array, at: Result, weight: Array, columns: NDArray[np.intp] | None) -> Array:
        """See `second_of`: the product rule."""
        first, second = self._parts(values)
        (f, df), (g, dg) = first, second
        n, columns = self.n, np.arange(values.shape[1]) if columns is None else columns
        out = np.empty((len(values), values.shape[1], values.shape[1]))
        own, others = _once(values[:, :n]), _once(values[:, n:])
        out[:, :n, :n] = second_of(self.factors[0], own, first, weight * g, columns[columns < n])
        out[:, n:, n:] = second_of(self.factors[1], others, second, weight * f, columns[columns >= n] - n)
        out[:, :n, n:] = np.matmul(df * weight[:, None], dg.swapaxes(1, 2))
        out[:, n:, :n] = out[:, :n, n:].swapaxes(1, 2)
        return out


def _once(values: Array) -> Array:
    """One row, if all are the same."""
    return values[:1] if len(values) > 1 and (values[1:] == values[0]).all() else values


class Systematics:
    """What the systematic models of a dataset do together; without any, nothing.

    Parameters
    ----------
    models : iterable
        Models of the dataset, of which those with the trait ``is_systematic`` count.
    """

    def __init__(self, models: Iterable[Any]) -> None:
        self.models = [model for model in models if model.is_systematic]
        self.parameters = [p for model in self.models for p in model.active]  # all that act or may act
        self._active = {id(p) for p in self.parameters}

    def area(self, energy_edges: Array) -> Nuisance:
        """Factor on the effective area in bins of true energy, at their logarithmic centres."""
        x = 0.5 * np.log(energy_edges[1:] * energy_edges[:-1])
        return self._nuisance(lambda model: model._area_rows(x))

    def background(self, energy: Array, name: str, is_there: bool) -> Nuisance:
        """Factor on the background of a dataset at reconstructed energies.

        Raises
        ------
        InputError
            If there is no background that it could act on.
        """
        x = np.log(energy)
        nuisance = self._nuisance(lambda model: model._background_rows(x))
        if nuisance.parameters and not is_there:
            names = ", ".join(p.name for p in nuisance.parameters)
            msg = (
                f"Dataset {name!r} has no background map that {names} of its systematic errors could act on; "
                "restrict the model's datasets_names, or leave these out."
            )
            raise InputError(msg)
        return nuisance

    def energy_scales(self, source: Any) -> list[Any]:
        """Parameters whose product is the energy at which a photon is seen over its own.

        Raises
        ------
        UnsupportedError
            If image or course in time of a source depend on energy: these are known at fixed energies only.
        """
        apply = source.apply_irf
        if not (apply.get("exposure", True) or apply.get("edisp", True)):
            return []
        scales = [p for p in self.parameters if p.name == "energy_scale"]
        if scales and any(
            part is not None and part.is_energy_dependent for part in (source.spatial_model, source.temporal_model)
        ):
            msg = (
                f"Model {source.name!r} has an image or a course in time that depends on energy, for which a systematic error of "
                "the energy scale is not supported; leave energy_scale out, or restrict the datasets_names of its model."
            )
            raise UnsupportedError(msg)
        return scales

    def psf_scales(self, source: Any) -> list[Any]:
        """Parameters whose product multiplies the width of the PSF that a source is seen through."""
        if source.spatial_model is None or source.spatial_model.symmetry(None) == "flat":
            return []
        return [p for p in self.parameters if p.name == "psf_scale"]

    def _nuisance(self, rows_of: Callable[[Any], list[Any]]) -> Nuisance:
        rows = [row for model in self.models for row in rows_of(model) if id(row[0]) in self._active]
        if not rows:
            return NONE
        parameters, is_norm, values = zip(*rows, strict=True)
        factor = PowerFactor(np.array(is_norm), np.array(values))
        return Nuisance(list(parameters), factor, (is_norm, factor.rows.tobytes()))


def systematics_key(model: Any) -> Hashable:
    """What a plan depends on of a systematic model: which of its parameters act, and the widths that matrices are made for."""
    return tuple((id(p), p.frozen, p.value if p.name == "psf_scale" and p.frozen else None) for p in model.active)
