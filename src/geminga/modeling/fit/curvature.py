"""Second derivatives of a fit, and the covariance made from them: dense, or in blocks for fits of very many parameters.

`Dense` and `geminga.numerics.arrow.Arrow` answer the same questions, so a fit need not know which it holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["Curvature", "Dense", "Inverse"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]
Couplings = list[tuple[Index, Index, Array]]

#: Smallest eigenvalue of a scaled curvature, relative to the largest, that counts as positive.
FLAT = 1e-13


class Inverse(Protocol):
    """Inverse of a positive curvature."""

    def diagonal(self) -> Array:
        """Diagonal, shape (n,)."""

    def block(self, i: Index) -> Array:
        """Part which belongs to some parameters."""

    def dense(self) -> Array:
        """The whole matrix."""

    def couplings(self) -> Couplings:
        """Entries off the diagonal which may be large: (rows, columns, values), each pair once."""


class Curvature(Protocol):
    """Second derivatives by the free parameters."""

    def diagonal(self) -> Array:
        """Diagonal, shape (n,)."""

    def scaled(self, scale: Array) -> Self:
        """Rows and columns times `scale`."""

    def without(self, fixed: Flags) -> Self:
        """Rows and columns of some parameters replaced by those of the unit matrix."""

    def inverse(self) -> Inverse | None:
        """Inverse, None unless positive definite."""

    def dense(self) -> Array:
        """The whole matrix."""


@dataclass(frozen=True)
class DenseInverse:
    """A matrix as it is."""

    data: Array

    def diagonal(self) -> Array:
        """Diagonal."""
        return np.diag(self.data)

    def block(self, i: Index) -> Array:
        """Part which belongs to some parameters."""
        return self.data[np.ix_(i, i)]

    def dense(self) -> Array:
        """The matrix."""
        return self.data

    def couplings(self) -> Couplings:
        """All entries below the diagonal."""
        rows, columns = np.tril_indices(len(self.data), -1)
        return [(rows, columns, self.data[rows, columns])]


@dataclass(frozen=True)
class Dense:
    """A matrix as it is."""

    data: Array

    def diagonal(self) -> Array:
        """Diagonal."""
        return np.diag(self.data)

    def scaled(self, scale: Array) -> Dense:
        """Rows and columns times `scale`."""
        return Dense(self.data * np.outer(scale, scale))

    def without(self, fixed: Flags) -> Dense:
        """Rows and columns of some parameters replaced by those of the unit matrix."""
        if not fixed.any():
            return self
        data = self.data.copy()
        data[fixed], data[:, fixed] = 0.0, 0.0
        data[fixed, fixed] = 1.0
        return Dense(data)

    def inverse(self) -> DenseInverse | None:
        """Inverse by eigenvalues, None unless all are well above zero."""
        if not np.isfinite(self.data).all():
            return None
        eigen, vector = np.linalg.eigh(self.data)
        if eigen[0] <= FLAT * eigen[-1]:
            return None
        half = vector / np.sqrt(eigen)
        return DenseInverse(half @ half.T)  # symmetric to the last digit

    def dense(self) -> Array:
        """The matrix."""
        return self.data
