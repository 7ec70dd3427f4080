"""A response function for each place of a field: a map, and the exposure that weighs it when stacked."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from numpy.typing import NDArray

from geminga.errors import FormatError, GeometryError, InputError, NameLookupError
from geminga.irf.defaults import all_sky_image
from geminga.maps import Map, RegionNDMap
from geminga.utils.faults import Checked, are_good, bad_values, reported, where
from geminga.utils.files import read_fits, reading, write_fits

__all__ = ["IRFMap", "own_map"]

#: Excess of a probability above one which coarse bins may give.
_TOLERANCE = 0.05


def own_map() -> Any:
    """Property of a class of `IRFMap` by which users know its map."""
    return property(lambda self: self._irf_map, lambda self, value: setattr(self, "_irf_map", value), doc="The map.")


class IRFMap(Checked):
    """Response function map with its exposure.

    Parameters
    ----------
    irf_map : Map
        Response; its first axis is the one that is integrated over.
    exposure_map : Map or None
        Exposure on the same geometry with the first axis squashed.

    Raises
    ------
    GeometryError
        If the axes are not the required ones.
    """

    tag: ClassVar[str] = ""
    required_axes: ClassVar[list[str]] = []
    #: Unit of the map, if there is no other.
    default_unit: ClassVar[str] = ""
    #: Name of the HDU.
    hdu_name: ClassVar[str] = "IRF"
    #: Formats besides gadf: functions from HDUs to map and exposure, and back to a list of HDUs.
    other_readers: ClassVar[Mapping[str, Callable[[fits.HDUList], tuple[Any, Any]]]] = {}
    other_writers: ClassVar[Mapping[str, Callable[[Any, Any], list[Any]]]] = {}

    def __init__(self, irf_map: Any, exposure_map: Any = None) -> None:
        if not isinstance(irf_map, Map):
            msg = f"{type(self).__name__} got {type(irf_map).__name__}; expected a Map with axes {self.required_axes}."
            raise InputError(msg)
        names = irf_map.geom.axes.names
        if self.required_axes and names != self.required_axes:
            msg = f"{type(self).__name__} needs axes {self.required_axes}, the map has {names}."
            raise GeometryError(msg)
        self._irf_map, self.exposure_map = irf_map, exposure_map

    @classmethod
    def from_geom(cls, geom: Any) -> Any:
        """Zeros on a geometry with the required axes, without exposure.

        Parameters
        ----------
        geom : Geom
            Geometry of the response.
        """
        exposure = Map.from_geom(geom.squash(cls.required_axes[0]), unit="m2 s")
        return cls(Map.from_geom(geom, unit=cls.default_unit), exposure)

    def _faults(self) -> Iterator[str]:
        own, other = self._irf_map, self.exposure_map
        if not are_good(own.frozen_data, 0.0):
            # A thousandth of the largest value below zero is rounding.
            floor = -1e-3 * max(float(np.nanmax(own.frozen_data, initial=0.0)), 0.0)
            yield from bad_values(self.hdu_name, own.frozen_data, own.geom.axes[::-1], floor=floor)
        if other is not None:
            yield from bad_values(f"{self.hdu_name}_EXPOSURE", other.frozen_data, other.geom.axes[::-1])
        yield from self._too_large()

    def _too_large(self) -> Iterator[str]:
        """Faults of the probability of any outcome."""
        first, *others = self._irf_map.geom.axes
        data = self._irf_map.frozen_data  # the first axis comes last before the pixels
        total = self._steps(first).astype(data.dtype) @ data.reshape(*data.shape[:-2], -1)
        total = total.reshape(*data.shape[:-3], *data.shape[-2:])
        places = np.argwhere(total > 1 + _TOLERANCE)
        if len(places):
            text = where(total, others[::-1], places)
            yield f"the integral of {self.hdu_name} over {first.name} is above 1 in {len(places)} bins, {text}"

    def _steps(self, axis: Any) -> NDArray[np.float64]:
        """Weights of the bins of the first axis in the probability of any outcome; zeros if that has no meaning."""
        return np.zeros(axis.nbin)

    # ---- state -------------------------------------------------------------------------------

    @property
    def has_single_spatial_bin(self) -> bool:
        """Is there one response for the whole field."""
        geom = self._irf_map.geom
        return bool(geom.is_region or np.prod(geom.to_image().data_shape) == 1)

    @property
    def mask_safe_image(self) -> Any:
        """Where there is exposure at any energy: a map of bool without other axes."""
        image = self._irf_map.geom.to_image()
        if self.exposure_map is None:
            return Map.from_geom(image, data=np.ones(image.data_shape, bool), dtype=bool)
        data = np.any(self.exposure_map.frozen_data > 0, axis=tuple(range(len(self.exposure_map.geom.axes))))
        return Map.from_geom(image, data=data, dtype=bool)

    def _like(self, irf_map: Any, exposure_map: Any) -> Any:
        return type(self)(irf_map, exposure_map)

    def copy(self) -> Any:
        """Independent copy."""
        return self._both("copy")

    def __str__(self) -> str:
        return str(self._irf_map)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"

    # ---- transformation ----------------------------------------------------------------------

    def _both(self, name: str, *args: Any, **kwargs: Any) -> Any:
        exposure = self.exposure_map
        return self._like(
            getattr(self._irf_map, name)(*args, **kwargs),
            None if exposure is None else getattr(exposure, name)(*args, **kwargs),
        )

    def cutout(self, position: Any, width: Any, mode: str = "trim", min_npix: int = 3) -> Any:
        """Cut out, keeping at least `min_npix` pixels on each side; region maps stay as they are."""
        if self._irf_map.geom.is_region:
            return self.copy()
        return self._both("cutout", position, width, mode, min_npix=min_npix)

    def downsample(self, factor: int, axis_name: str | None = None, weights: Any = None) -> Any:
        """Average over blocks of pixels, or of bins of an axis.

        Parameters
        ----------
        factor : int
            Number of pixels or bins to join.
        axis_name : str, optional
            Axis; the sky if not given.
        weights : Map, optional
            Weights of the pixels.
        """
        irf_map = self._irf_map.downsample(factor=factor, axis_name=axis_name, preserve_counts=True, weights=weights)
        if axis_name is None:
            ones = Map.from_geom(self._irf_map.geom.to_image(), data=1.0, dtype=float)
            count = ones.downsample(factor=factor, preserve_counts=True).frozen_data
            irf_map.data = irf_map.frozen_data / count
        exposure = self.exposure_map
        if exposure is not None and axis_name in {None, "energy_true"}:
            exposure = exposure.downsample(factor=factor, axis_name=axis_name, preserve_counts=False)
        return self._like(irf_map, exposure)

    def slice_by_idx(self, slices: dict[str, Any]) -> Any:
        """Part of the axes; the exposure follows on those it has in full."""
        irf_map = self._irf_map.slice_by_idx(slices).copy()
        exposure = self.exposure_map
        if exposure is not None:
            shared = {name: value for name, value in slices.items() if name == "energy_true"}
            exposure = exposure.slice_by_idx(shared).copy() if shared else exposure
        return self._like(irf_map, exposure)

    def stack(self, other: Any, weights: Any = None, nan_to_num: bool = True) -> None:
        """Add another in place, as the mean weighted by exposure (times `weights` of the other).

        Parameters
        ----------
        other : IRFMap
            Response on the same or an aligned geometry.
        weights : Map, optional
            Which pixels (or energies) of the other count.
        nan_to_num : bool
            Take NaN for zero.

        Raises
        ------
        InputError
            If one of them has no exposure.
        """
        self.stack_all([(other, weights)], nan_to_num)

    def stack_all(self, others: Sequence[tuple[Any, Any]], nan_to_num: bool = True) -> None:
        """Add several others in place, each with its weights; see `stack`."""
        own, exposure = self._irf_map, self.exposure_map
        if exposure is None or any(other.exposure_map is None for other, _ in others):
            msg = f"Stacking {type(self).__name__} needs an exposure map on both; give them exposure_map."
            raise InputError(msg)
        total = np.nan_to_num(exposure.frozen_data.astype(float))
        data = np.nan_to_num(own.frozen_data.astype(float)) * total
        for other, weights in others:
            scaled, weight = self._weighted(other, weights, nan_to_num)
            data += scaled
            total += weight
        mean = np.divide(data, total, out=np.zeros_like(data), where=np.broadcast_to(total > 0, data.shape))
        # New maps: the old ones may be those of another response too.
        self._irf_map = own.copy(data=mean.astype(own.frozen_data.dtype, copy=False))
        self.exposure_map = exposure.copy(data=total.astype(exposure.frozen_data.dtype, copy=False))

    def _weighted(self, other: Any, weights: Any, nan_to_num: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Response times exposure, and exposure, of another, on the pixels of this one."""
        own, add = self._irf_map, other._irf_map
        factor = other.exposure_map.unit.to(self.exposure_map.unit)
        exposure = other.exposure_map.frozen_data.astype(float) * factor
        data = add.frozen_data * exposure
        if own.geom is add.geom or own.geom == add.geom:
            if nan_to_num:
                data, exposure = np.nan_to_num(data), np.nan_to_num(exposure)
            if weights is not None:
                data, exposure = data * weights.frozen_data, exposure * _on_exposure(weights).frozen_data
            return data, exposure
        part = Map.from_geom(own.geom, data=0.0, unit=own.unit, dtype=float)
        part.stack(add.copy(data=data), weights=weights, nan_to_num=nan_to_num)
        weight = Map.from_geom(self.exposure_map.geom, data=0.0, dtype=float)
        scaled = Map.from_geom(other.exposure_map.geom, data=exposure)
        weight.stack(scaled, weights=_on_exposure(weights), nan_to_num=nan_to_num)
        return part.frozen_data, weight.frozen_data

    def to_region_nd_map(self, region: Any) -> Any:
        """Response at the centre of a region.

        Parameters
        ----------
        region : SkyRegion or SkyCoord
            Region; the whole field if None.
        """
        if self._irf_map.geom.is_region:
            return self.copy()
        if isinstance(region, SkyCoord):
            from regions import PointSkyRegion

            region = PointSkyRegion(region)
        exposure = self.exposure_map
        return self._like(_at_center(self._irf_map, region), None if exposure is None else _at_center(exposure, region))

    # ---- files -------------------------------------------------------------------------------

    @classmethod
    def from_hdulist(
        cls,
        hdulist: fits.HDUList,
        hdu: str | None = None,
        hdu_bands: str | None = None,
        exposure_hdu: str | None = None,
        exposure_hdu_bands: str | None = None,
        format: str = "gadf",
    ) -> Any:
        """Read from HDUs.

        Parameters
        ----------
        hdulist : HDUList
            FITS file.
        hdu, exposure_hdu : str, optional
            Names of the HDUs; default by the kind of response, and the same with ``_EXPOSURE``.
        format : str
            ``gadf``, ``gtpsf`` for a PSF or ``gtdrm`` for an energy dispersion of the Fermi tools.

        Raises
        ------
        NameLookupError
            If the HDU is missing.
        FormatError
            If the format is not one of this kind of response.
        """
        if format in cls.other_readers:
            return cls(*cls.other_readers[format](hdulist))
        cls._check_format(format, cls.other_readers)
        hdu = hdu or cls.hdu_name
        if hdu not in hdulist:
            msg = f"{cls.__name__}: there is no HDU {hdu!r}; the file has {', '.join(h.name for h in hdulist)}."
            raise NameLookupError(msg)
        irf_map = Map.from_hdulist(hdulist, hdu=hdu, hdu_bands=hdu_bands, format=format)
        irf_map = _theta_to_rad(irf_map)
        name = exposure_hdu or f"{hdu}_EXPOSURE"
        exposure = None
        if name in hdulist:
            exposure = Map.from_hdulist(hdulist, hdu=name, hdu_bands=exposure_hdu_bands, format=format)
        elif exposure_hdu is not None:
            msg = f"{cls.__name__}: there is no HDU {exposure_hdu!r}; the file has {', '.join(h.name for h in hdulist)}."
            raise NameLookupError(msg)
        return cls(irf_map, None if exposure is None else _theta_to_rad(exposure))

    @classmethod
    def read(cls, filename: str | Path, format: str = "gadf", hdu: str | None = None, checksum: bool = False) -> Any:
        """Read from a FITS file.

        Raises
        ------
        FileError, CorruptFileError, NameLookupError
            If the file or the HDU cannot be read.
        """
        with reading(filename):
            own = cls.from_hdulist(read_fits(filename, checksum=checksum), hdu=hdu, format=format)
            return reported(own, f"File {filename}")

    @classmethod
    def _check_format(cls, format: str, others: Mapping[str, Any]) -> None:
        if format != "gadf":
            msg = f"{cls.__name__}: format {format!r} is not known; expected one of {', '.join(['gadf', *others])}."
            raise FormatError(msg)

    def to_hdulist(self, format: str = "gadf") -> fits.HDUList:
        """HDUs of the response and its exposure.

        Parameters
        ----------
        format : str
            ``gadf``, or ``gtpsf`` for a PSF at one place.

        Raises
        ------
        FormatError
            If the format is not one of this kind of response.
        """
        if format in self.other_writers:
            return fits.HDUList([fits.PrimaryHDU(), *self.other_writers[format](self._irf_map, self.exposure_map)])
        self._check_format(format, self.other_writers)
        hdulist = self._irf_map.to_hdulist(hdu=self.hdu_name, format=format)
        if self.exposure_map is not None:
            hdulist.extend(self.exposure_map.to_hdulist(hdu=f"{self.hdu_name}_EXPOSURE", format=format)[1:])
        return hdulist

    def write(self, filename: str | Path, overwrite: bool = False, format: str = "gadf", checksum: bool = False) -> None:
        """Write to a FITS file, whole or not at all; checksums are always written."""
        write_fits(self.to_hdulist(format=format), filename, overwrite=overwrite)


def same_everywhere(values: NDArray[np.float64], axes: list[Any], geom: Any = None, unit: str = "") -> tuple[Any, Any]:
    """Response, shape (axis 1, axis 0), in each pixel of an image (by default two for the whole sky), and exposure of one."""
    cube = (all_sky_image() if geom is None else geom.to_image()).to_cube(axes)
    data = np.broadcast_to(values[:, :, None, None], cube.data_shape).copy()
    exposure = Map.from_geom(cube.squash(axes[0].name), data=1.0, unit="m2 s", dtype=float)
    return Map.from_geom(cube, data=data, unit=unit, dtype=float), exposure


def _theta_to_rad(own: Any) -> Any:
    """Old files call the offset axis of a PSF ``theta``."""
    return own.rename_axes(["theta"], ["rad"]) if "theta" in own.geom.axes.names else own


def _at_center(own: Any, region: Any) -> Any:
    """Map interpolated at the centre of a region, as a region map."""
    axes = own.geom.axes
    if region is None:
        from regions import RectangleSkyRegion

        width, height = np.ravel(own.geom.to_image().width)[:2]
        region = RectangleSkyRegion(own.geom.center_skydir, width=width, height=height)
    geom = RegionNDMap.create(region=region, axes=axes).geom
    coords = {"skycoord": geom.center_skydir}
    for axis in axes:
        shape = [1] * (len(axes) + 2)
        shape[axes.index_data(axis.name)] = -1
        coords[axis.name] = axis.center.reshape(shape)
    data = own.interp_by_coord(coords)
    return RegionNDMap(geom, data=np.asarray(data, dtype=float).reshape(geom.data_shape), unit=own.unit, meta=own.meta)


def _on_exposure(weights: Any) -> Any:
    """Weights for the exposure: in any bin of the axis that is squashed there."""
    if weights is None:
        return None
    for name in ("energy", "rad", "migra"):
        if name in weights.geom.axes.names:
            return weights.reduce(name, func=np.logical_or if weights.is_mask else np.maximum, keepdims=True)
    return weights
