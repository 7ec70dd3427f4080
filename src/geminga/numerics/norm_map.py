"""Norm of a source at every pixel of a map, all pixels together.

At position p a source of norm F adds F s_i k(i - p) counts to the background b_i. Its likelihood is a function of F
through two things only: the total T(p) = sum s k, and S_p(F) of `numerics.stieltjes`. Both come from convolutions,
also when several energies and datasets are fitted jointly: their totals and moments add.

Bins whose ratio s/b is far above the rest (hardly any background) would spoil the moments of all others, so the few of
them that hold counts are summed one by one, as are layers with few counts. Where a source is so strong that the
moments do not suffice, the bins of its window are summed one by one as well.

Legend: i bin, p position, d layer (an energy of a dataset), F norm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import maximum_filter

from geminga.numerics.norm_fit import Atoms, NormProblem, best_norm
from geminga.numerics.poisson import TRUNCATION
from geminga.numerics.radial import gauss_legendre
from geminga.numerics.stieltjes import fraction

__all__ = ["Correlation", "Layer", "NormMap", "correlate", "sensitivity", "window_sums"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: Moments of a fraction; twelve are exact to 1e-5 for a source four times its background.
N_MOMENTS = 12
#: Ratios above this multiple of the usual one are summed one by one.
OUTLIER = 3.0
#: Largest difference between the fraction and its predecessor, in units of the statistic.
TOLERANCE = 1e-3
#: A layer with fewer pairs of a bin with counts and a position is summed directly.
SPARSE = 1_000_000
#: Totals and moments below this fraction of the largest are rounding of the Fourier transform: the source is not seen there.
NOISE = 1e-8
#: Numbers held at once in a direct sum.
CHUNK = 4_000_000


@dataclass(frozen=True)
class Layer:
    """One energy of one dataset on the image.

    Attributes
    ----------
    counts, background, signal : array
        Shape (ny, nx): observed counts, expected background, expected counts of a source of norm one if all of it fell
        into the pixel. Zero where masked.
    kernel : array
        Odd shape (ky, kx): share of the source's counts around its position.
    """

    counts: Array
    background: Array
    signal: Array
    kernel: Array


class _Convolver:
    """Correlations with kernels of one size: out(p) = sum_i a_i k(i - p)."""

    def __init__(self, shape: tuple[int, int], kernel: tuple[int, int], workers: int) -> None:
        self.shape, self.half = shape, (kernel[0] // 2, kernel[1] // 2)
        self.size = [fft.next_fast_len(n + k - 1, real=True) for n, k in zip(shape, kernel, strict=True)]
        self.workers = workers

    def forward(self, image: Array) -> NDArray[np.complex128]:
        return np.asarray(fft.rfft2(image, self.size, workers=self.workers))

    def back(self, spectrum: NDArray[np.complex128]) -> Array:
        out = fft.irfft2(spectrum, self.size, workers=self.workers)
        (hy, hx), (ny, nx) = self.half, self.shape
        return np.asarray(out[hy : hy + ny, hx : hx + nx])


class Correlation:
    """Sums over the window around each pixel of any number of images, with one kernel.

    Parameters
    ----------
    shape : tuple of int
        Of the images, (ny, nx).
    kernel : array
        Weights, odd shape.
    workers : int
        Threads of the Fourier transforms.
    """

    def __init__(self, shape: tuple[int, int], kernel: Array, workers: int = 1) -> None:
        self._convolver = _Convolver(shape, kernel.shape, workers)
        self._kernel = self._convolver.forward(kernel[::-1, ::-1])

    def __call__(self, image: Array) -> Array:
        """``out(p) = sum_i image(i) kernel(i - p)``, zero beyond the edges; same shape."""
        return self._convolver.back(self._convolver.forward(image) * self._kernel)


def correlate(image: Array, kernel: Array, workers: int = 1) -> Array:
    """Sum over the window around each pixel, ``out(p) = sum_i image(i) kernel(i - p)``, zero beyond the edges; same shape."""
    return Correlation(image.shape, kernel, workers)(image)


class NormMap:
    """Likelihood of a source's norm at every position.

    Parameters
    ----------
    layers : sequence of Layer
        All on the same image, with kernels of the same shape.
    where : bool array, optional
        Positions of interest, shape (ny, nx).
    workers : int
        Threads of the Fourier transforms.
    weighted : bool
        Take ``counts * kernel`` in place of the counts: sums of expected counts of the source itself.

    Notes
    -----
    All results are flat arrays over the positions `where`.
    """

    def __init__(
        self, layers: Sequence[Layer], where: NDArray[np.bool_] | None = None, workers: int = 1, weighted: bool = False
    ) -> None:
        self.layers = list(layers)
        self.weighted = weighted
        self.shape = self.layers[0].counts.shape
        self.place = np.arange(int(np.prod(self.shape))) if where is None else np.flatnonzero(where)
        self._convolver = _Convolver(self.shape, self.layers[0].kernel.shape, workers)
        self.ratios = [_ratio(layer) for layer in self.layers]
        self.scale = self._usual_ratio()
        self.total, moments = self._sums()
        self.coefficients = fraction(moments)
        self.atoms = self._outliers()

    def _usual_ratio(self) -> float:
        """Ratio below which nearly all counts lie, which makes moments of order one."""
        values = [(x[layer.counts > 0] * layer.kernel.max()) for x, layer in zip(self.ratios, self.layers, strict=True)]
        ratio = np.concatenate(values) if values else np.zeros(0)
        ratio = ratio[ratio > 0]
        return float(np.quantile(ratio, 0.98)) if len(ratio) else 1.0

    def _is_outlier(self, number: int) -> NDArray[np.bool_]:
        layer = self.layers[number]
        if np.count_nonzero(layer.counts) * layer.kernel.size < SPARSE:
            return self.ratios[number] > 0
        return np.asarray(self.ratios[number] * layer.kernel.max() > OUTLIER * self.scale)

    def _sums(self) -> tuple[Array, Array]:
        """Total T and moments at the positions."""
        total = np.zeros((self._convolver.size[0], self._convolver.size[1] // 2 + 1), complex)
        moments = np.zeros((N_MOMENTS, *total.shape), complex)
        forward = self._convolver.forward
        for number, layer in enumerate(self.layers):
            flipped = layer.kernel[::-1, ::-1]
            total += forward(layer.signal) * forward(flipped)
            x = np.where(self._is_outlier(number), 0.0, self.ratios[number] / self.scale)
            weight, power = layer.counts * x, flipped**2 if self.weighted else flipped.copy()
            for j in range(N_MOMENTS):
                moments[j] += forward(weight) * forward(power)
                weight, power = weight * x, power * flipped
        flat = np.array([self._convolver.back(m).ravel()[self.place] for m in moments])
        reach = self._convolver.back(total).ravel()[self.place]
        noise = NOISE * reach.max(initial=0.0)
        flat[:, flat[0] < NOISE * flat[0].max(initial=0.0)] = 0.0
        return np.where(reach > noise, reach, 0.0), np.maximum(flat, 0.0)

    def _outliers(self) -> Atoms:
        """The outlying bins with counts, at every position whose window holds them."""
        lookup = np.full(int(np.prod(self.shape)), -1, np.intp)
        lookup[self.place] = np.arange(len(self.place))
        parts = []
        for number, layer in enumerate(self.layers):
            bins = np.argwhere(self._is_outlier(number) & (layer.counts > 0))
            offsets, share = _offsets(layer.kernel)
            for start in range(0, len(bins), max(1, CHUNK // max(len(share), 1))):
                some = bins[start : start + max(1, CHUNK // max(len(share), 1))]
                target = some[:, None] - offsets[None]
                inside = ((target >= 0) & (target < self.shape)).all(axis=2)
                place = np.where(inside, target[..., 0] * self.shape[1] + target[..., 1], 0)
                place = np.where(inside, lookup[place], -1)
                row, column = np.nonzero(place >= 0)
                pixel = tuple(some[row].T)
                counts = layer.counts[pixel] * share[column] if self.weighted else layer.counts[pixel]
                parts.append((place[row, column], self.ratios[number][pixel] * share[column], counts))
        if not parts:
            return Atoms(np.zeros(0, np.intp), np.zeros(0), np.zeros(0))
        position, ratio, counts = (np.concatenate(p) for p in zip(*parts, strict=True))
        return Atoms(position, ratio, counts)

    def windows(self, chosen: Index) -> Atoms:
        """All bins with counts in the windows of some positions (indices into the positions): the slow twin of the moments."""
        y, x = np.divmod(self.place[chosen], self.shape[1])
        parts = []
        for layer, ratio in zip(self.layers, self.ratios, strict=True):
            offsets, share = _offsets(layer.kernel)
            ty, tx = y[:, None] + offsets[:, 0], x[:, None] + offsets[:, 1]
            inside = (ty >= 0) & (ty < self.shape[0]) & (tx >= 0) & (tx < self.shape[1])
            ty, tx = np.where(inside, ty, 0), np.where(inside, tx, 0)
            counts = np.where(inside, layer.counts[ty, tx], 0.0)
            row, column = np.nonzero(counts > 0)
            pixel = (ty[row, column], tx[row, column])
            own = counts[row, column] * share[column] if self.weighted else counts[row, column]
            parts.append((row, ratio[pixel] * share[column], own))
        position, value, counts = (np.concatenate(p) for p in zip(*parts, strict=True))
        return Atoms(position, value, counts)

    @cached_property
    def floor(self) -> Array:
        """Lowest norm, at which the expected counts of some bin become zero."""
        largest = np.zeros(self.shape)
        for layer, ratio in zip(self.layers, self.ratios, strict=True):
            np.maximum(largest, _windowed_maximum(ratio, layer.kernel), out=largest)
        largest = largest.ravel()[self.place]
        return np.asarray(-1.0 / np.maximum(largest, TRUNCATION))

    def likelihood(self) -> NormProblem:
        """The problem of each position as the moments give it."""
        return NormProblem(self.total, self.floor, self.coefficients, self.scale, self.atoms)

    def problem(self) -> tuple[NormProblem, Array, NDArray[np.int_]]:
        """The problem of each position, its best norm and the number of steps.

        Where the moments do not suffice at the best norm, the bins of the window take their place.
        """
        problem = self.likelihood()
        norm, number = best_norm(problem)
        known = np.nan_to_num(norm)
        doubt = 2 * np.abs(problem.logarithm(known) - problem.logarithm(known, -1))
        short = np.flatnonzero(doubt > TOLERANCE)
        if len(short):
            problem = problem.with_bins(short, self.windows(short))
            norm[short], more = best_norm(problem.take(short))
            number[short] += more
        return problem, norm, number


def _ratio(layer: Layer) -> Array:
    """Signal over background; a bin without background has the least background that the statistic knows."""
    return np.asarray(np.where(layer.signal > 0, layer.signal / np.maximum(layer.background, TRUNCATION), 0.0))


def _offsets(kernel: Array) -> tuple[Index, Array]:
    """Offsets (dy, dx) from the position where the kernel is not zero, largest first, and its values."""
    index = np.argwhere(kernel > 0)
    share = kernel[tuple(index.T)]
    order = np.argsort(-share, kind="stable")
    return index[order] - np.array(kernel.shape) // 2, share[order]


def _windowed_maximum(ratio: Array, kernel: Array) -> Array:
    """Largest ``ratio(i) kernel(i - p)`` around every position, from the kernel's peak outwards until nothing can change."""
    offsets, share = _offsets(kernel)
    reach = np.array(kernel.shape) // 2
    ny, nx = ratio.shape
    padded = np.pad(ratio, [(reach[0], reach[0]), (reach[1], reach[1])])
    bound = maximum_filter(ratio, size=kernel.shape, mode="constant")
    out = np.zeros_like(ratio)
    for number, ((dy, dx), k) in enumerate(zip(offsets, share, strict=True)):
        if number % 32 == 0 and (bound * k <= out).all():
            break
        y, x = reach[0] + dy, reach[1] + dx
        np.maximum(out, padded[y : y + ny, x : x + nx] * k, out=out)
    return out


def window_sums(layers: Sequence[Layer]) -> tuple[Array, Array]:
    """Statistic without source and background inside the window of each position, flat."""
    null, background = np.zeros(layers[0].counts.shape), np.zeros(layers[0].counts.shape)
    for layer in layers:
        log = np.log(np.maximum(layer.background, TRUNCATION))
        own = 2 * (layer.background - np.where(layer.counts > 0, layer.counts * log, 0.0))
        window = (layer.kernel > 0).astype(float)
        null += correlate(own, window)
        background += correlate(layer.background, window)
    return null.ravel(), background.ravel()


def sensitivity(layers: Sequence[Layer], n_sigma: float) -> Array:
    """Norm whose expected counts give a significance of `n_sigma`.

    For counts b + F s the test statistic is TS(F) = 2 sum[(b + F s) ln(1 + F s/b) - F s], with the derivative
    2 sum s ln(1 + F s/b) (Asimov data, Cowan et al. 2011, EPJ C71, 1554).
    """
    own = NormMap([Layer(layer.signal, layer.background, layer.signal, layer.kernel) for layer in layers], weighted=True)
    problem = own.likelihood()
    seen = own.total > 0
    curvature = problem.value(np.zeros(len(seen)))[0]
    norm = np.where(seen, n_sigma / np.sqrt(np.maximum(curvature, 1e-300)), 0.0)
    nodes, weights = gauss_legendre(6)
    for _ in range(30):
        ts = 2 * norm * sum(w * problem.logarithm(t * norm) for t, w in zip(nodes, weights, strict=True))
        with np.errstate(divide="ignore", invalid="ignore"):
            step = (n_sigma**2 - ts) / (2 * problem.logarithm(norm))
        step = np.where(seen & np.isfinite(step), step, 0.0)
        norm = np.maximum(norm + step, 0.1 * norm)
        if (np.abs(step) <= 1e-5 * norm).all():
            break
    return np.where(seen, norm, np.nan)
