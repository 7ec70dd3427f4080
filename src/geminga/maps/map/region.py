"""Maps on a region, which counts as one pixel: spectra, and responses that are the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from geminga.errors import UnsupportedError
from geminga.maps.geom.region import RegionGeom
from geminga.maps.map import fill, get, iterate, plot
from geminga.maps.map.base import Map
from geminga.maps.map.content import zeros
from geminga.utils.files import read_fits, reading, write_fits

if TYPE_CHECKING:
    from astropy.io import fits
    from astropy.table import Table

__all__ = ["RegionNDMap"]


def _crop(self: Any, *args: Any, **kwargs: Any) -> NoReturn:
    """Not offered: a region has no borders; raises `UnsupportedError`."""
    msg = "Cropping of `RegionNDMap` not supported; slice its axes with .slice_by_idx."
    raise UnsupportedError(msg)


def _interp_by_coord(self: Any, coords: Any, **kwargs: Any) -> NDArray[np.float64]:
    """Interpolate along the axes. The position on the sky may be left out and does not matter.

    Parameters
    ----------
    coords : tuple, dict or MapCoord
        Points, on all axes beside the sky.
    **kwargs
        ``method``, ``fill_value`` and ``values_scale``, as for `Map.interp_by_coord`.
    """
    axes = self.geom.axes
    if isinstance(coords, (tuple, list)):
        coords = dict(zip(axes.names, coords[-len(axes.names) :] if len(axes) else [], strict=True))
    return np.asarray(self.interp_by_pix((np.zeros(1), np.zeros(1), *axes.coord_to_pix(coords)), **kwargs))


def _interp_by_pix(self: Any, pix: Any, **kwargs: Any) -> NDArray[np.float64]:
    """Interpolate at pixel coordinates; those of the sky do not matter. See `interp_by_coord`."""
    return get.interp_scaled_by_pix(self, (np.zeros(1), np.zeros(1), *pix[2:]), **kwargs)


def _get_by_idx(self: Any, idxs: Any) -> NDArray[Any]:
    """Numbers at indices ``(lon, lat, axes[0], ...)``; those of the sky are 0."""
    return get.get_by_idx(self, idxs)


def _set_by_idx(self: Any, idx: Any, value: Any) -> None:
    """Set bins at indices ``(lon, lat, axes[0], ...)``; see `Map.set_by_idx`."""
    fill.set_by_idx(self, idx, value)


class RegionNDMap(Map, kind="region"):
    """Numbers of a region times axes.

    Parameters
    ----------
    geom : RegionGeom
        Geometry.
    data : array, optional
        Data, shape ``(axes[-1], ..., axes[0], 1, 1)``, or any other with as many numbers; by default zeros.
    dtype : str or dtype
        Type of the zeros; `data` keep their own.
    meta : dict, optional
        Anything to be kept with the map.
    unit : str or Unit
        Unit.
    """

    def __init__(
        self, geom: RegionGeom, data: Any = None, dtype: Any = "float32", meta: dict[str, Any] | None = None, unit: Any = ""
    ) -> None:
        if data is None:
            data = zeros(geom.data_shape, dtype)
        super().__init__(geom, data, meta, unit)

    def _fitting(self, value: Any) -> NDArray[Any]:
        array = np.asarray(value)
        shape = tuple(int(n) for n in self._geom.data_shape)
        # As many numbers in another shape are those of the axes without the sky; broadcasting would repeat them.
        if not hasattr(value, "unit") and array.shape != shape and array.size == int(np.prod(shape)):
            return array.reshape(shape)
        return super()._fitting(value)

    @classmethod
    def create(  # type: ignore[override]
        cls,
        region: Any,
        axes: Any = None,
        dtype: Any = "float32",
        meta: dict[str, Any] | None = None,
        unit: Any = "",
        wcs: Any = None,
        binsz_wcs: Any = "0.1 deg",
        data: Any = None,
    ) -> Any:
        """Make a map.

        Parameters
        ----------
        region : SkyRegion, str or None
            Region.
        axes : list of MapAxis, optional
            Axes.
        dtype : str or dtype
            Type of the zeros.
        meta : dict, optional
            Anything to be kept with the map.
        unit : str or Unit
            Unit.
        wcs, binsz_wcs
            See `RegionGeom`.
        data : array, optional
            Data; by default zeros.
        """
        geom = RegionGeom.create(region=region, axes=axes, wcs=wcs, binsz_wcs=binsz_wcs)
        return cls(geom, data=data, dtype=dtype, meta=meta, unit=unit)

    @classmethod
    def read(  # type: ignore[override]
        cls,
        filename: str | Path,
        format: str = "gadf",
        ogip_column: str | None = None,
        hdu: Any = None,
        checksum: bool = False,
    ) -> Any:
        """Read a map from a FITS file.

        Parameters
        ----------
        filename : str or Path
            File, plain or gzip; environment variables are expanded.
        format : {"gadf", "ogip", "ogip-sherpa", "ogip-arf", "ogip-arf-sherpa"}
            Format.
        ogip_column : {"COUNTS", "QUALITY", "BACKSCAL"}, optional
            Column of the data of an ogip file; ``COUNTS`` by default.
        hdu : str, optional
            Name of the HDU.
        checksum : bool
            Verify checksums.
        """
        with reading(filename):
            return cls.from_hdulist(read_fits(filename, checksum=checksum), format=format, ogip_column=ogip_column, hdu=hdu)

    @classmethod
    def from_hdulist(  # type: ignore[override]
        cls, hdulist: fits.HDUList, format: str = "gadf", ogip_column: str | None = None, hdu: Any = None, **kwargs: Any
    ) -> Any:
        """Read a map from an HDU list; see `read`. ``hdu_bands`` and ``hdu_region`` may name the HDUs of axes and region."""
        from geminga.maps.io import region

        return region.region_map_from_hdulist(cls, hdulist, format=format, ogip_column=ogip_column, hdu=hdu, **kwargs)

    @classmethod
    def from_table(cls, table: Table, format: str = "", colname: str | None = None) -> Any:
        """Read a map without region from a table.

        Parameters
        ----------
        table : Table
            Table.
        format : {"gadf", "gadf-sed", "ogip", "ogip-sherpa", "ogip-arf", "ogip-arf-sherpa", "lightcurve"}
            Format, which says how the axes are found.
        colname : str, optional
            Column of the data; by default that of the format.
        """
        from geminga.maps.io import region

        return region.region_map_from_table(cls, table, format=format, colname=colname)

    def to_table(self, format: str = "gadf") -> Table:
        """Write the map to a table.

        Parameters
        ----------
        format : {"gadf", "ogip", "ogip-sherpa", "ogip-arf", "ogip-arf-sherpa"}
            Format.
        """
        from geminga.maps.io import region

        return region.region_map_to_table(self, format=format)

    def to_hdulist(
        self, format: str = "gadf", hdu: str = "SKYMAP", hdu_bands: str | None = None, hdu_region: str | None = None
    ) -> fits.HDUList:
        """Write the map to an HDU list: an empty primary HDU, the data, the axes, the region.

        Parameters
        ----------
        format : {"gadf", "ogip", "ogip-sherpa", "ogip-arf", "ogip-arf-sherpa"}
            Format.
        hdu : str
            Name of the HDU of the data, for gadf.
        hdu_bands, hdu_region : str, optional
            Names of the HDUs of axes and region; by default ``<hdu>_BANDS`` and ``<hdu>_REGION``.
        """
        from geminga.maps.io import region

        return region.region_map_to_hdulist(self, format=format, hdu=hdu, hdu_bands=hdu_bands, hdu_region=hdu_region)

    def write(  # type: ignore[override]
        self, filename: str | Path, overwrite: bool = False, format: str = "gadf", hdu: str = "SKYMAP", checksum: bool = False
    ) -> None:
        """Write the map to a FITS file, whole or not at all.

        Parameters
        ----------
        filename : str or Path
            File; ``.gz`` names are compressed.
        overwrite : bool
            Replace an existing file.
        format, hdu
            See `to_hdulist`.
        checksum : bool
            No effect: checksums are always written.
        """
        write_fits(self.to_hdulist(format=format, hdu=hdu), filename, overwrite=overwrite, checksum=checksum)

    def cutout(self, *args: Any, **kwargs: Any) -> RegionNDMap:
        """The map itself: a region has no parts."""
        return self

    def to_region_nd_map(self, *args: Any, **kwargs: Any) -> RegionNDMap:
        """The map itself."""
        return self

    def get_spectrum(self, *args: Any, **kwargs: Any) -> RegionNDMap:
        """The map itself."""
        return self

    crop = _crop
    get_by_idx = _get_by_idx  # type: ignore[assignment]
    set_by_idx = _set_by_idx  # type: ignore[assignment]
    interp_by_coord = _interp_by_coord  # type: ignore[assignment]
    interp_by_pix = _interp_by_pix  # type: ignore[assignment]
    iter_by_axis_data = iterate.iter_by_axis_data
    plot_hist = plot.plot_hist
    plot_interactive = plot.plot_interactive_region  # type: ignore[assignment]
    plot_mask = plot.plot_mask_spectrum
    plot_region = plot.plot_region
    plot = plot.plot_spectrum
