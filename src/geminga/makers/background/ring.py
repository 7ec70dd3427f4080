"""Background of each pixel from a ring round it."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from astropy.convolution import Ring2DKernel
from astropy.coordinates import Angle
from numpy.typing import NDArray

from geminga.makers.background.angles import angle_option
from geminga.makers.background.exclusion import check_mask, is_free
from geminga.makers.background.measured import need_parts, with_off_counts
from geminga.makers.base import Maker
from geminga.maps import Map
from geminga.maps.coord import degrees

__all__ = ["RingBackgroundMaker"]

Floats = NDArray[np.float64]


def ring_kernel(image: Any, r_in: Angle, width: Angle) -> Any:
    """Ring in pixels of an image, 1 inside."""
    scale = float(np.mean(image.geom.pixel_scales.to_value("deg")))
    kernel = Ring2DKernel(r_in.deg / scale, width.deg / scale)
    kernel.normalize("peak")
    return kernel


def allowed(dataset: Any, exclusion_mask: Any) -> Floats:
    """1 where off events may come from, else 0, on the geometry of the counts.

    Raises
    ------
    DataError
        If the mask is not one of bool.
    """
    geom = dataset.counts.geom
    if exclusion_mask is None:
        return np.ones(geom.data_shape)
    check_mask(exclusion_mask)
    if exclusion_mask.geom == geom or exclusion_mask.geom == geom.to_image():
        found = exclusion_mask.frozen_data != 0
    else:
        coords = geom.to_image().get_coord(frame="icrs")
        found = is_free(exclusion_mask, degrees(coords.lon), degrees(coords.lat))
    return np.broadcast_to(np.asarray(found, dtype=float), geom.data_shape)


def convolved(geom: Any, values: Floats, kernel: Floats, is_count: bool) -> Floats:
    """Sums of values in the kernel round each pixel; sums of whole numbers are whole."""
    sums = np.asarray(Map.from_geom(geom, data=values, dtype=float).convolve(kernel).frozen_data, dtype=float)
    # Noise of the Fourier transform is far below a half.
    return np.rint(sums) if is_count else np.maximum(sums, 0)


def background_of(dataset: Any) -> Floats:
    """Predicted background, 0 where it is not a number."""
    return np.nan_to_num(dataset.npred_background().frozen_data.astype(float))


class RingMaker(Maker):
    """Base of makers whose off counts and off acceptance of a pixel are sums in a ring round it."""

    exclusion_mask: Any

    @abstractmethod
    def make_maps_off(self, dataset: Any) -> dict[str, Any]:
        """Maps ``counts_off`` and ``acceptance_off``."""

    def run(self, dataset: Any, observation: Any = None) -> Any:
        """Make an on/off dataset.

        Parameters
        ----------
        dataset : MapDataset
            Dataset with counts and background; it is not changed.
        observation : Observation, optional
            Not needed.

        Returns
        -------
        dataset : MapDatasetOnOff
            With sums in the ring of each pixel. The acceptance is the background, and the safe mask is false where there is no
            off acceptance.

        Raises
        ------
        DataError
            If the dataset has no counts or no background.
        """
        off = self.make_maps_off(dataset)
        new = with_off_counts(dataset, off["counts_off"], dataset.npred_background(), off["acceptance_off"])
        safe = off["acceptance_off"].frozen_data > 0
        safe = safe if dataset.mask_safe is None else safe & dataset.mask_safe.frozen_data
        new.mask_safe = Map.from_geom(dataset.counts.geom, data=safe, dtype=bool)
        return new


def maps_off(geom: Any, counts_off: Floats, acceptance_off: Floats) -> dict[str, Any]:
    """Sums in rings as maps, by name."""
    return {"counts_off": Map.from_geom(geom, data=counts_off), "acceptance_off": Map.from_geom(geom, data=acceptance_off)}


class RingBackgroundMaker(RingMaker):
    """Measure the background of each pixel in a ring round it.

    Parameters
    ----------
    r_in : Angle or str
        Inner radius.
    width : Angle or str
        Width of the ring.
    exclusion_mask : Map, optional
        Map of bool, false where there are sources; beyond its edges nothing is excluded.

    Raises
    ------
    InputError
        If an angle is not positive.

    Notes
    -----
    The acceptance is the background of the dataset, the off acceptance its sum in the ring outside of exclusions. Where this is 0
    the safe mask is false.

    Examples
    --------
    >>> from geminga.makers import RingBackgroundMaker
    >>> print(RingBackgroundMaker(r_in="0.5 deg", width="0.3 deg"))
    RingBackgroundMaker
    -------------------
    <BLANKLINE>
      r_in  : 0.5 deg
      width : 0.3 deg
    <BLANKLINE>
    """

    tag: ClassVar[str] = "RingBackgroundMaker"
    shown: ClassVar[tuple[str, ...]] = ("r_in", "width")

    def __init__(self, r_in: Any, width: Any, exclusion_mask: Any = None) -> None:
        self.r_in = angle_option(r_in, "r_in", "RingBackgroundMaker")
        self.width = angle_option(width, "width", "RingBackgroundMaker")
        self.exclusion_mask = exclusion_mask

    def kernel(self, image: Any) -> Any:
        """Ring in pixels.

        Parameters
        ----------
        image : Map
            Image whose pixels count.

        Returns
        -------
        kernel : Ring2DKernel
            1 in the ring, else 0.
        """
        return ring_kernel(image, self.r_in, self.width)

    def make_maps_off(self, dataset: Any) -> dict[str, Any]:
        """Sums in the ring.

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
        need_parts(dataset, "RingBackgroundMaker")
        geom, free = dataset.counts.geom, allowed(dataset, self.exclusion_mask)
        kernel = np.asarray(self.kernel(dataset.counts).array)
        counts_off = convolved(geom, dataset.counts.frozen_data * free, kernel, is_count=True)
        acceptance_off = convolved(geom, background_of(dataset) * free, kernel, is_count=False)
        # Rounding of the transform must not look like an acceptance.
        acceptance_off[acceptance_off < 1e-10 * max(float(acceptance_off.max()), 1e-300)] = 0
        counts_off[acceptance_off == 0] = 0
        return maps_off(geom, counts_off, acceptance_off)
