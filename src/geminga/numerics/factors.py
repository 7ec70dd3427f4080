"""Factors on a spectrum which depend on few numbers: norms and powers of energy, each within some of the bins.

    f(x) = prod_i f_i(x),    f_i = v_i where row_i = 1 (a norm),    f_i = exp(v_i row_i) (an exponent; row_i is ln(E / E_i))

Legend: v values of the parameters, x bin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["PowerFactor"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PowerFactor:
    """See the module's text.

    Parameters
    ----------
    is_norm : bool array
        Which parameters are norms; the others are exponents. Shape (n,).
    rows : array
        Shape (n, n_x): for a norm 1, for an exponent ln(E / E_i) in the bins where it acts, 0 elsewhere.

    Examples
    --------
    >>> import numpy as np
    >>> from geminga.numerics.factors import PowerFactor
    >>> factor = PowerFactor(np.array([True, False]), np.array([[1.0, 1.0], [0.0, np.log(10)]]))
    >>> factor([1.5, 2.0])[0].round(9).tolist()
    [1.5, 150.0]
    """

    is_norm: NDArray[np.bool_]
    rows: Array

    def __call__(self, values: ArrayLike) -> tuple[Array, Array]:
        """Factor and its gradient, shapes (..., n_x) and (..., n, n_x), for values of shape (..., n)."""
        values = np.asarray(values, dtype=float)
        power = np.exp(np.where(self.is_norm, 0.0, values) @ self.rows)
        norms = np.flatnonzero(self.is_norm)
        parts = [np.where(self.rows[i] > 0, values[..., i, None], 1.0) for i in norms]
        total = power
        for part in parts:
            total = total * part
        gradient = self.rows * total[..., None, :]
        for place, i in enumerate(norms):
            row = self.rows[i] * power
            for part in (*parts[:place], *parts[place + 1 :]):
                row = row * part
            gradient[..., i, :] = row
        return total, gradient

    def many(self, values: Array) -> tuple[Array, Array]:
        """The same for many points, shape (n_points, n)."""
        return self(values)
