"""Maps on the pixels of a WCS projection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geminga.errors import GeometryError
from geminga.maps.geom.wcs import WcsGeom
from geminga.maps.map import get, plot, to_region, transform
from geminga.maps.map import smooth as smoothing
from geminga.maps.map.base import Map
from geminga.maps.map.content import zeros

if TYPE_CHECKING:
    from astropy.io import fits

__all__ = ["WcsMap", "WcsNDMap"]


class WcsMap(Map):
    """Base of maps on WCS pixels; see `WcsNDMap`."""

    @classmethod
    def create(  # type: ignore[override]
        cls,
        map_type: str = "wcs",
        npix: Any = None,
        binsz: Any = 0.1,
        width: Any = None,
        proj: str = "CAR",
        frame: str = "icrs",
        refpix: Any = None,
        axes: Any = None,
        skydir: Any = None,
        dtype: Any = "float32",
        meta: dict[str, Any] | None = None,
        unit: Any = "",
    ) -> Any:
        """Make a map of zeros.

        Parameters
        ----------
        map_type : {"wcs", "wcs-sparse"}
            Kind of map; both are the same.
        npix, binsz, width, proj, frame, refpix, axes, skydir
            See ``WcsGeom.create``.
        dtype : str or dtype
            Type of the data.
        meta : dict, optional
            Anything to be kept with the map.
        unit : str or Unit
            Unit.
        """
        if map_type not in {"wcs", "wcs-sparse"}:
            msg = f"WcsMap.create: unrecognized map type {map_type!r}, expected 'wcs'."
            raise GeometryError(msg)
        geom = WcsGeom.create(
            npix=npix, binsz=binsz, width=width, proj=proj, frame=frame, refpix=refpix, axes=axes, skydir=skydir
        )
        return WcsNDMap(geom, dtype=dtype, meta=meta, unit=unit)

    @classmethod
    def from_hdulist(  # type: ignore[override]
        cls, hdu_list: fits.HDUList, hdu: Any = None, hdu_bands: str | None = None, format: str | None = None
    ) -> Any:
        """Read a map from an HDU list; see `Map.from_hdulist`."""
        from geminga.maps.io import gadf

        return gadf.wcs_map_from_hdulist(WcsNDMap, hdu_list, hdu=hdu, hdu_bands=hdu_bands, format=format)

    def to_hdulist(
        self, hdu: str | None = None, hdu_bands: str | None = None, sparse: bool = False, format: str = "gadf"
    ) -> fits.HDUList:
        """Write the map to an HDU list.

        Parameters
        ----------
        hdu : str, optional
            Name of the HDU; by default the primary HDU, for sparse maps ``SKYMAP``.
        hdu_bands : str, optional
            Name of the HDU of the axes; by default ``<hdu>_BANDS``, or what the format prescribes.
        sparse : bool
            Write a table of the pixels that are not zero.
        format : {"gadf", "fgst-ccube", "fgst-template", "fgst-bexpcube"}
            Format; the last three need one axis, ``energy`` or ``energy_true``.

        Raises
        ------
        NameLookupError
            If the format is unknown.
        """
        from geminga.maps.io import gadf

        return gadf.wcs_map_to_hdulist(self, hdu=hdu, hdu_bands=hdu_bands, sparse=sparse, format=format)

    def to_hdu(self, hdu: str = "SKYMAP", hdu_bands: str | None = None, sparse: bool = False) -> Any:
        """Write the data to an HDU, without the axes.

        Parameters
        ----------
        hdu : str
            Name; ``PRIMARY`` makes a primary HDU.
        hdu_bands : str, optional
            Name of the HDU of the axes, which is not made.
        sparse : bool
            Make a table of the pixels that are not zero.
        """
        from geminga.maps.io import gadf

        return gadf.wcs_map_to_hdu(self, hdu=hdu, hdu_bands=hdu_bands, sparse=sparse)


class WcsNDMap(WcsMap, kind="wcs"):
    """Numbers on WCS pixels times axes.

    Parameters
    ----------
    geom : WcsGeom
        Geometry.
    data : array, optional
        Data, shape ``(axes[-1], ..., axes[0], lat, lon)``; by default zeros.
    dtype : str or dtype
        Type of the zeros; `data` keep their own.
    meta : dict, optional
        Anything to be kept with the map.
    unit : str or Unit
        Unit.
    """

    def __init__(
        self, geom: WcsGeom, data: Any = None, dtype: Any = "float32", meta: dict[str, Any] | None = None, unit: Any = ""
    ) -> None:
        if data is None:
            data = zeros(geom.data_shape, dtype)
        super().__init__(geom, data, meta, unit)

    @classmethod
    def from_hdu(cls, hdu: Any, hdu_bands: Any = None, format: str | None = None) -> Any:
        """Read a map from an HDU and, if it has axes, the HDU of these."""
        from geminga.maps.io import gadf

        return gadf.wcs_map_from_hdu(cls, hdu, hdu_bands, format)

    interp_by_coord = get.interp_scaled_by_coord
    interp_by_pix = get.interp_scaled_by_pix
    cutout = transform.cutout
    cutout_and_mask_region = to_region.cutout_and_mask_region
    mask_contains_region = to_region.mask_contains_region
    to_region_nd_map = to_region.to_region_nd_map
    to_region_nd_map_histogram = to_region.to_region_nd_map_histogram
    smooth = smoothing.smooth
    convolve = smoothing.convolve
    binary_erode = smoothing.binary_erode
    binary_dilate = smoothing.binary_dilate
    plot_mask = plot.plot_mask
    plot = plot.plot_image
