"""Maps by name, all on the same pixels of the sky."""

from __future__ import annotations

import html
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geminga.errors import GeometryError, InputError
from geminga.maps.map.arithmetic import same_geometry
from geminga.maps.map.base import Map
from geminga.utils.files import read_fits, reading, write_fits

if TYPE_CHECKING:
    from astropy.io import fits

__all__ = ["Maps"]


class Maps(MutableMapping):
    """Maps by name, all on the same pixels of the sky; further axes may differ.

    Parameters
    ----------
    **kwargs
        Maps by name.

    Raises
    ------
    GeometryError
        If their images differ.

    Examples
    --------
    >>> from geminga.maps import Map, Maps
    >>> counts = Map.create(npix=2, binsz=1)
    >>> maps = Maps(counts=counts, double=counts * 2)
    >>> list(maps)
    ['counts', 'double']
    """

    def __init__(self, **kwargs: Any) -> None:
        self._geom: Any = None
        self._data: dict[str, Any] = {}
        for key, value in kwargs.items():
            self[key] = value

    @property
    def geom(self) -> Any:
        """Geometry of the first map, None if there are none."""
        return self._geom

    def __setitem__(self, key: str, value: Any) -> None:
        if value is not None and not isinstance(value, Map):
            msg = f"Maps: {key!r} is a {type(value).__name__}, expected a Map."
            raise InputError(msg)
        if value is not None:
            others = [m for name, m in self._data.items() if name != key and m is not None]
            if others and not same_geometry(value.geom.to_image(), others[0].geom.to_image()):
                msg = f"Maps: {key!r} has other pixels than the other maps: {value.geom} and {others[0].geom}."
                raise GeometryError(msg)
            if not others or self._geom is None:
                self._geom = value.geom
        self._data[key] = value

    def __getitem__(self, key: str) -> Any:
        return self._data[key]

    def __delitem__(self, key: str) -> None:
        del self._data[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    @classmethod
    def from_geom(cls, geom: Any, names: list[str], kwargs_list: list[dict[str, Any]] | None = None) -> Maps:
        """Make maps of zeros.

        Parameters
        ----------
        geom : Geom
            Geometry.
        names : list of str
            Names of the maps.
        kwargs_list : list of dict, optional
            Arguments of `Map.from_geom` for each.
        """
        kwargs_list = [{}] * len(names) if kwargs_list is None else kwargs_list
        return cls(**{name: Map.from_geom(geom, **kwargs) for name, kwargs in zip(names, kwargs_list, strict=True)})

    def to_hdulist(self, hdu_bands: str = "BANDS") -> fits.HDUList:
        """Write the maps to an HDU list: an empty primary HDU, an HDU for each map and one for the axes of all.

        Parameters
        ----------
        hdu_bands : str
            Name of the HDU of the axes.
        """
        from astropy.io import fits

        hdulist = fits.HDUList([fits.PrimaryHDU()])
        for name, one in self.items():
            for hdu in one.to_hdulist(hdu=name, hdu_bands=hdu_bands):
                if isinstance(hdu, fits.PrimaryHDU) or (hdu.name == hdu_bands.upper() and hdu_bands.upper() in hdulist):
                    continue
                hdulist.append(hdu)
        return hdulist

    @classmethod
    def from_hdulist(cls, hdulist: fits.HDUList, hdu_bands: str = "BANDS") -> Maps:
        """Read maps from an HDU list; the names are those of the HDUs in lower case.

        Parameters
        ----------
        hdulist : HDUList
            HDU list.
        hdu_bands : str
            Name of the HDU of the axes, which is not a map.
        """
        maps = {}
        for hdu in hdulist:
            name = hdu.name
            is_axes = name in {hdu_bands.upper(), "GTI"} or name.endswith(("_BANDS", "_REGION"))
            if is_axes or (hdu.is_image and hdu.header.get("NAXIS", 0) < 2):
                continue
            bands = hdu_bands if hdu_bands.upper() in hdulist else None
            maps[name.lower()] = Map.from_hdulist(hdulist, hdu=name, hdu_bands=bands if hdu.is_image else None)
        return cls(**maps)

    @classmethod
    def read(cls, filename: str | Path, checksum: bool = False) -> Maps:
        """Read maps from a FITS file.

        Parameters
        ----------
        filename : str or Path
            File.
        checksum : bool
            Verify checksums.
        """
        with reading(filename):
            return cls.from_hdulist(read_fits(filename, checksum=checksum))

    def write(self, filename: str | Path, overwrite: bool = False, checksum: bool = False) -> None:
        """Write the maps to a FITS file, whole or not at all.

        Parameters
        ----------
        filename : str or Path
            File.
        overwrite : bool
            Replace an existing file.
        checksum : bool
            No effect: checksums are always written.
        """
        write_fits(self.to_hdulist(), filename, overwrite=overwrite, checksum=checksum)

    def __str__(self) -> str:
        lines = [f"{type(self).__name__}\n{'-' * len(type(self).__name__)}\n\n{self._geom}"]
        for name, one in self.items():
            lines.append(f"{name} \n\t unit\t : {one.unit.to_string() or repr('')} \n\t dtype\t : {one.frozen_data.dtype}\n")
        return "\n".join(lines) + "\n"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self)})"

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"
