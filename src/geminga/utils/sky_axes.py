"""Axes of images on the sky. Import it inside functions of ``plot.py`` modules only: it loads matplotlib."""

from __future__ import annotations

from typing import Any

from astropy.visualization.wcsaxes import WCSAxes, conf

__all__ = ["SkyAxes", "SkyProjection"]

#: Points on each side of the frame between which ticks are interpolated. Astropy's 1000 make a figure whose frame
#: lies on a tick (every map with round borders) three times slower; with 100 a tick moves by less than 1e-4 of the side.
FRAME_SAMPLES = 100


class SkyAxes(WCSAxes):  # type: ignore[misc]
    """`~astropy.visualization.wcsaxes.WCSAxes` which find their ticks faster."""

    def draw_wcsaxes(self, renderer: Any) -> None:
        """Draw ticks, labels and grid."""
        with conf.set_temp("frame_boundary_samples", FRAME_SAMPLES):
            super().draw_wcsaxes(renderer)


class SkyProjection:
    """What to give matplotlib as ``projection`` for `SkyAxes`.

    Parameters
    ----------
    wcs : `~astropy.wcs.WCS`
        Projection of the image.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from geminga.maps import WcsGeom
    >>> from geminga.utils.sky_axes import SkyProjection
    >>> type(plt.figure().add_subplot(projection=SkyProjection(WcsGeom.create(npix=5).wcs))).__name__
    'SkyAxes'
    """

    def __init__(self, wcs: Any) -> None:
        self.wcs = wcs

    def _as_mpl_axes(self) -> tuple[type, dict[str, Any]]:
        """Class of the axes and its arguments: matplotlib's protocol of projections."""
        return SkyAxes, {"wcs": self.wcs}
