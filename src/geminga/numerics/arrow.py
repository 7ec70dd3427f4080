"""Symmetric matrices of many small blocks and a border: the curvature of many datasets that share a few parameters.

    A = [ C    B^T ]      C  shared parameters, (m, m)
        [ B    D   ]      D  block diagonal: the private parameters of each dataset; B  (n_private, m)

Solving, factorising and the variances cost as much as there are blocks, not as their square or cube: D^-1 is block by
block, the rest a system of the few shared parameters (the Schur complement S = C - B^T D^-1 B),

    A^-1 = [ 0    0   ]  +  V S^-1 V^T    with  V = [ 1        ]
           [ 0   D^-1 ]                             [ -D^-1 B  ]

Blocks of one size k are kept together, so that all operations are a few batched products.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

__all__ = ["Arrow", "ArrowInverse", "ArrowLayout", "arrow_layout"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True)
class ArrowLayout:
    """Which entry of the matrix stands where in one flat array: corner, then border and blocks of each group.

    Attributes
    ----------
    shared : array
        Shared parameters, shape (m,).
    groups : tuple of array
        Private parameters of the blocks of each size, shapes (n_block, k).
    """

    n: int
    shared: Index
    groups: tuple[Index, ...]
    group: Index  # of each parameter; -1 for shared ones
    block: Index  # its block in the group
    place: Index  # its place in the block, or among the shared ones
    start: Index  # where each group starts in the flat array; the last is the end
    rows: Index  # of each entry of the flat array
    columns: Index

    @property
    def size(self) -> int:
        """Length of the flat array, without the place for entries that are kept elsewhere."""
        return int(self.start[-1])

    def target(self, i: Index, j: Index) -> Index:
        """Places of entries (i, j); those above the border, which repeat it, go to the place after the last."""
        m = len(self.shared)
        out = np.full(i.shape, self.size, dtype=np.intp)
        corner = (self.group[i] < 0) & (self.group[j] < 0)
        out[corner] = self.place[i[corner]] * m + self.place[j[corner]]
        for number, members in enumerate(self.groups):
            k = members.shape[1]
            own = self.group[i] == number
            row = self.start[number] + (self.block[i] * k + self.place[i]) * m
            border = own & (self.group[j] < 0)
            out[border] = row[border] + self.place[j[border]]
            inside = own & (self.group[j] == number)
            base = self.start[number] + members.size * m
            out[inside] = base + ((self.block[i] * k + self.place[i]) * k + self.place[j])[inside]
        return out


def arrow_layout(n: int, blocks: Sequence[Index]) -> ArrowLayout:
    """Layout for `n` parameters, of which those in `blocks` (disjoint) are private.

    Examples
    --------
    >>> import numpy as np
    >>> from geminga.numerics.arrow import arrow_layout
    >>> arrow_layout(3, [np.array([0]), np.array([2])]).shared.tolist()
    [1]
    """
    group, block, place = np.full(n, -1), np.zeros(n, dtype=np.intp), np.zeros(n, dtype=np.intp)
    sizes: dict[int, list[Index]] = {}
    for own in blocks:
        if len(own):
            sizes.setdefault(len(own), []).append(own)
    groups = tuple(np.array(sizes[k], dtype=np.intp) for k in sorted(sizes))
    for number, members in enumerate(groups):
        group[members] = number
        block[members] = np.arange(len(members))[:, None]
        place[members] = np.arange(members.shape[1])
    shared = np.flatnonzero(group < 0)
    place[shared] = np.arange(len(shared))
    m = len(shared)
    rows, columns, start = [np.repeat(shared, m)], [np.tile(shared, m)], [m * m]
    for members in groups:
        k = members.shape[1]
        rows += [np.repeat(members.ravel(), m), np.repeat(members.ravel(), k)]
        columns += [np.tile(shared, members.size), np.repeat(members, k, axis=0).ravel()]
        start.append(start[-1] + members.size * (m + k))
    return ArrowLayout(n, shared, groups, group, block, place, np.array(start), np.concatenate(rows), np.concatenate(columns))


@dataclass(frozen=True)
class Arrow:
    """A matrix of a layout; `data` is its flat array."""

    layout: ArrowLayout
    data: Array

    def parts(self) -> tuple[Array, list[tuple[Index, Array, Array]]]:
        """Corner (m, m); for each group its parameters, border (n, k, m) and blocks (n, k, k)."""
        layout, m = self.layout, len(self.layout.shared)
        out = []
        for number, members in enumerate(layout.groups):
            n, k = members.shape
            part = self.data[layout.start[number] : layout.start[number + 1]]
            out.append((members, part[: n * k * m].reshape(n, k, m), part[n * k * m :].reshape(n, k, k)))
        return self.data[: m * m].reshape(m, m), out

    def diagonal(self) -> Array:
        """Diagonal, shape (n,)."""
        out = np.zeros(self.layout.n)
        corner, groups = self.parts()
        out[self.layout.shared] = np.diag(corner)
        for members, _, blocks in groups:
            out[members] = np.diagonal(blocks, axis1=1, axis2=2)
        return out

    def scaled(self, scale: Array) -> Arrow:
        """Rows and columns times `scale`."""
        return replace(self, data=self.data * (scale[self.layout.rows] * scale[self.layout.columns]))

    def shifted(self, shift: float | Array) -> Arrow:
        """`shift` added to the diagonal."""
        on_diagonal = self.layout.rows == self.layout.columns
        return replace(self, data=self.data + on_diagonal * np.broadcast_to(shift, self.layout.n)[self.layout.rows])

    def without(self, fixed: NDArray[np.bool_]) -> Arrow:
        """Rows and columns of some parameters replaced by those of the unit matrix."""
        if not fixed.any():
            return self
        rows, columns = self.layout.rows, self.layout.columns
        data = np.where(fixed[rows] | fixed[columns], (rows == columns).astype(float), self.data)
        return replace(self, data=data)

    def times(self, x: Array) -> Array:
        """Product with a vector."""
        corner, groups = self.parts()
        shared = self.layout.shared
        out = np.zeros(self.layout.n)
        total = corner @ x[shared]
        for members, border, blocks in groups:
            own = x[members]
            out[members] = (blocks @ own[:, :, None])[:, :, 0] + border @ x[shared]
            total = total + np.einsum("nk,nkm->m", own, border)
        out[shared] = total
        return out

    def inverse(self) -> ArrowInverse | None:
        """Inverse in factors, None unless the matrix is positive definite."""
        corner, groups = self.parts()
        schur, kept = corner, []
        try:
            for members, border, blocks in groups:
                np.linalg.cholesky(blocks)
                inverse = np.linalg.inv(blocks)
                slope = inverse @ border
                schur = schur - np.einsum("nkm,nkl->ml", border, slope)
                kept.append((members, np.asarray(inverse, dtype=float), slope))
            np.linalg.cholesky(schur)
            return ArrowInverse(self.layout, np.asarray(np.linalg.inv(schur), dtype=float), kept)
        except np.linalg.LinAlgError:
            return None

    def dense(self) -> Array:
        """The whole matrix."""
        out = np.zeros((self.layout.n, self.layout.n))
        out[self.layout.columns, self.layout.rows] = self.data
        out[self.layout.rows, self.layout.columns] = self.data
        return out


@dataclass(frozen=True)
class ArrowInverse:
    """Inverse of an `Arrow`: blocks, and a product of rank m over all parameters."""

    layout: ArrowLayout
    core: Array  # S^-1
    groups: list[tuple[Index, Array, Array]]  # parameters (n, k), D^-1 (n, k, k), D^-1 B (n, k, m)

    def solve(self, b: Array) -> Array:
        """Product of the inverse with a vector."""
        rest = b[self.layout.shared]
        halves = []
        for members, inverse, slope in self.groups:
            halves.append((inverse @ b[members][:, :, None])[:, :, 0])
            rest = rest - np.einsum("nkm,nk->m", slope, b[members])
        x = np.zeros(self.layout.n)
        x[self.layout.shared] = self.core @ rest
        for (members, _, slope), half in zip(self.groups, halves, strict=True):
            x[members] = half - slope @ x[self.layout.shared]
        return x

    def _wide(self) -> Array:
        """V of the module's text, shape (n, m)."""
        out = np.zeros((self.layout.n, len(self.layout.shared)))
        out[self.layout.shared] = np.eye(len(self.layout.shared))
        for members, _, slope in self.groups:
            out[members] = -slope
        return out

    def diagonal(self) -> Array:
        """Diagonal of the inverse."""
        wide = self._wide()
        out = np.einsum("im,ml,il->i", wide, self.core, wide, optimize=True)
        for members, inverse, _ in self.groups:
            out[members] += np.diagonal(inverse, axis1=1, axis2=2)
        return np.asarray(out)

    def block(self, i: Index) -> Array:
        """Part of the inverse which belongs to some parameters, shape (len(i), len(i))."""
        layout = self.layout
        wide, out = np.zeros((len(i), len(layout.shared))), np.zeros((len(i), len(i)))
        for row, p in enumerate(i):
            group, block, place = layout.group[p], layout.block[p], layout.place[p]
            if group < 0:
                wide[row, place] = 1
                continue
            _, inverse, slope = self.groups[group]
            wide[row] = -slope[block, place]
            same = np.flatnonzero((layout.group[i] == group) & (layout.block[i] == block))
            out[row, same] = inverse[block, place, layout.place[i[same]]]
        return np.asarray(out + wide @ self.core @ wide.T)

    def dense(self) -> Array:
        """The whole inverse."""
        wide = self._wide()
        out = wide @ self.core @ wide.T
        for members, inverse, _ in self.groups:
            out[members[:, :, None], members[:, None, :]] += inverse
        return np.asarray(out)

    def couplings(self) -> list[tuple[Index, Index, Array]]:
        """Inverse between parameters that meet in a block or in the corner: (rows, columns, values), each pair once."""
        out = []
        m = len(self.layout.shared)
        low = np.tril_indices(m, -1)
        out.append((self.layout.shared[low[0]], self.layout.shared[low[1]], self.core[low]))
        for members, inverse, slope in self.groups:
            n, k = members.shape
            across = -slope @ self.core
            rows = np.broadcast_to(members[:, :, None], (n, k, m))
            out.append((rows.ravel(), np.broadcast_to(self.layout.shared, (n, k, m)).ravel(), across.ravel()))
            own = inverse - across @ slope.swapaxes(1, 2)
            a, b = np.tril_indices(k, -1)
            out.append((members[:, a].ravel(), members[:, b].ravel(), own[:, a, b].ravel()))
        return out
