"""Background of each pixel from a ring round it that grows until it is large enough."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from astropy import units as u
from astropy.convolution import Tophat2DKernel
from astropy.coordinates import Angle

from geminga.errors import InputError
from geminga.makers.background.angles import angle_option
from geminga.makers.background.measured import need_parts
from geminga.makers.background.ring import RingMaker, allowed, background_of, convolved, maps_off, ring_kernel

__all__ = ["AdaptiveRingBackgroundMaker"]


class AdaptiveRingBackgroundMaker(RingMaker):
    """Measure the background of each pixel in a ring round it, which grows where exclusions leave too little of it.

    Parameters
    ----------
    r_in : Angle or str
        Inner radius (of the first ring).
    r_out_max : Angle or str
        Outer radius of the last ring.
    width : Angle or str
        Width (of the first ring).
    stepsize : Angle or str
        Step by which it grows.
    threshold_alpha : float
        Ratio of the acceptance in a circle of radius `theta` to that of the ring, at which it is large enough.
    theta : Angle or str
        Radius of that circle.
    method : {"fixed_width", "fixed_r_in"}
        Move the ring outwards, or widen it.
    exclusion_mask : Map, optional
        Map of bool, false where there are sources; beyond its edges nothing is excluded.

    Raises
    ------
    InputError
        If the method is unknown, an angle is not positive, or no ring fits below `r_out_max`.

    Notes
    -----
    Where no ring is large enough the safe mask is false. The off acceptance is the background summed over the ring that was
    chosen; the acceptance is the background of the pixel. (gammapy 2.1 takes the circle to be of ``theta`` times, not over,
    the size of a pixel, so that its first ring is always large enough.)

    Examples
    --------
    >>> from geminga.makers import AdaptiveRingBackgroundMaker
    >>> AdaptiveRingBackgroundMaker(r_in="0.4 deg", r_out_max="1.5 deg", width="0.3 deg").method
    'fixed_width'
    """

    tag: ClassVar[str] = "AdaptiveRingBackgroundMaker"
    shown: ClassVar[tuple[str, ...]] = ("r_in", "r_out_max", "width", "stepsize", "threshold_alpha", "theta", "method")

    def __init__(
        self,
        r_in: Any,
        r_out_max: Any,
        width: Any,
        stepsize: Any = "0.02 deg",
        threshold_alpha: float = 0.1,
        theta: Any = "0.22 deg",
        method: str = "fixed_width",
        exclusion_mask: Any = None,
    ) -> None:
        if method not in {"fixed_width", "fixed_r_in"}:
            msg = f"Not a valid adaptive ring method: {method!r}; expected 'fixed_width' or 'fixed_r_in'."
            raise InputError(msg)
        options = {"r_in": r_in, "r_out_max": r_out_max, "width": width, "stepsize": stepsize, "theta": theta}
        angles = {key: angle_option(value, key, "AdaptiveRingBackgroundMaker") for key, value in options.items()}
        self.r_in, self.r_out_max, self.width = angles["r_in"], angles["r_out_max"], angles["width"]
        self.stepsize, self.theta = angles["stepsize"], angles["theta"]
        if not self.r_in + self.width < self.r_out_max:
            msg = f"AdaptiveRingBackgroundMaker: r_in {r_in} and width {width} leave no ring below r_out_max {r_out_max}."
            raise InputError(msg)
        self.threshold_alpha, self.method, self.exclusion_mask = threshold_alpha, method, exclusion_mask

    def _rings(self) -> list[tuple[Angle, Angle]]:
        """Inner radius and width of all rings, the smallest first."""
        moving = self.r_in if self.method == "fixed_width" else self.width
        fixed = self.width if self.method == "fixed_width" else self.r_in
        values = u.Quantity(np.arange(moving.deg, (self.r_out_max - fixed).deg - 1e-9, self.stepsize.deg), "deg")
        return [(Angle(v), fixed) if self.method == "fixed_width" else (fixed, Angle(v)) for v in values]

    def kernels(self, image: Any) -> list[Any]:
        """All rings in pixels, the smallest first.

        Parameters
        ----------
        image : Map
            Image whose pixels count.

        Returns
        -------
        kernels : list of Ring2DKernel
            1 in the ring, else 0.
        """
        return [ring_kernel(image, r_in, width) for r_in, width in self._rings()]

    def _acceptance(self, dataset: Any) -> Any:
        """Acceptance in a circle of radius theta round each pixel."""
        scale = float(np.mean(dataset.counts.geom.pixel_scales.to_value("deg")))
        circle = Tophat2DKernel(max(self.theta.deg / scale, 0.5))
        circle.normalize("peak")
        return convolved(dataset.counts.geom, background_of(dataset), np.asarray(circle.array), is_count=False)

    def make_cubes(self, dataset: Any) -> dict[str, Any]:
        """Sums in all rings.

        Parameters
        ----------
        dataset : MapDataset
            Dataset with counts and background.

        Returns
        -------
        cubes : dict
            ``counts_off``, ``acceptance_off`` and ``acceptance`` (in the circle), arrays of shape (lat, lon, ring), with the
            energy bins before if there are several.
        """
        need_parts(dataset, "AdaptiveRingBackgroundMaker")
        counts, background, free = dataset.counts.frozen_data, background_of(dataset), allowed(dataset, self.exclusion_mask)
        geom, kernels = dataset.counts.geom, [np.asarray(kernel.array) for kernel in self.kernels(dataset.counts)]
        cubes = {
            "counts_off": [convolved(geom, counts * free, kernel, is_count=True) for kernel in kernels],
            "acceptance_off": [convolved(geom, background * free, kernel, is_count=False) for kernel in kernels],
            "acceptance": [self._acceptance(dataset)] * len(kernels),
        }
        stacked = {name: np.stack(images, axis=-1) for name, images in cubes.items()}
        return {name: cube[0] if cube.shape[0] == 1 else cube for name, cube in stacked.items()}

    def make_maps_off(self, dataset: Any) -> dict[str, Any]:
        """Sums in the smallest ring of each pixel that is large enough, 0 where none is.

        Parameters
        ----------
        dataset : MapDataset
            Dataset with counts and background.

        Returns
        -------
        maps : dict
            ``counts_off`` and ``acceptance_off``.

        Raises
        ------
        DataError
            If the dataset has no counts or no background.
        """
        need_parts(dataset, "AdaptiveRingBackgroundMaker")
        geom, free = dataset.counts.geom, allowed(dataset, self.exclusion_mask)
        counts, background = dataset.counts.frozen_data * free, background_of(dataset) * free
        limit = self._acceptance(dataset) / self.threshold_alpha
        counts_off, acceptance_off = np.zeros(geom.data_shape), np.zeros(geom.data_shape)
        missing = np.ones(geom.data_shape, dtype=bool)
        for kernel in self.kernels(dataset.counts):
            weights = np.asarray(kernel.array)
            found = convolved(geom, background, weights, is_count=False)
            enough = missing & (found >= limit) & (found > 0)
            if enough.any():
                acceptance_off[enough] = found[enough]
                counts_off[enough] = convolved(geom, counts, weights, is_count=True)[enough]
                missing &= ~enough
            if not missing.any():
                break
        return maps_off(geom, counts_off, acceptance_off)
