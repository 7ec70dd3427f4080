"""Response files of the Fermi tools: ``gtpsf`` and ``gtdrm``."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u
from astropy.io import fits
from astropy.table import Table

from geminga.errors import FormatError, NameLookupError
from geminga.maps import MapAxis, RegionNDMap

__all__ = ["gtpsf_hdus", "read_gtdrm", "read_gtpsf"]

#: Columns of a ``gtpsf`` file carry no unit.
_UNITS = {"Energy": "MeV", "Exposure": "cm2 s", "Psf": "sr-1", "Theta": "deg", "ENERG_LO": "MeV", "ENERG_HI": "MeV"}


def _hdu(hdulist: fits.HDUList, name: str) -> Any:
    if name not in hdulist:
        msg = f"There is no HDU {name!r}; the file has {', '.join(h.name for h in hdulist)}."
        raise NameLookupError(msg)
    return hdulist[name]


def _column(hdu: Any, name: str) -> u.Quantity:
    names = {column.name.upper(): column for column in hdu.columns}
    if name.upper() not in names:
        msg = f"HDU {hdu.name!r} lacks the column {name}; it has {', '.join(names)}."
        raise FormatError(msg)
    column = names[name.upper()]
    return u.Quantity(np.asarray(hdu.data[column.name], dtype=float), column.unit or _UNITS[name])


def read_gtpsf(hdulist: fits.HDUList) -> tuple[Any, Any]:
    """PSF and exposure of a ``gtpsf`` file, as maps without a region with nodes in ``rad`` and ``energy_true``.

    Raises
    ------
    NameLookupError, FormatError
        If an HDU or a column is missing.
    """
    psf, theta = _hdu(hdulist, "PSF"), _hdu(hdulist, "THETA")
    rad = MapAxis.from_nodes(_column(theta, "Theta"), name="rad", interp="lin")
    energy = MapAxis.from_nodes(_column(psf, "Energy"), name="energy_true", interp="log")
    values, exposure = _column(psf, "Psf"), _column(psf, "Exposure")
    psf_map = RegionNDMap.create(region=None, axes=[rad, energy], unit=values.unit, data=values.value[:, :, None, None])
    exposure_map = RegionNDMap.create(
        region=None, axes=[rad.squash(), energy], unit=exposure.unit, data=exposure.value[:, None, None, None]
    )
    return psf_map, exposure_map


def gtpsf_hdus(psf_map: Any, exposure_map: Any) -> list[Any]:
    """HDUs ``PSF`` and ``THETA`` of a PSF at one place.

    Raises
    ------
    FormatError
        If there is more than one place, or no exposure.
    """
    if not psf_map.geom.is_region or exposure_map is None:
        msg = "Format 'gtpsf' holds the PSF and exposure at one place; use .to_region_nd_map(position) on a PSF with exposure."
        raise FormatError(msg)
    axes = psf_map.geom.axes
    n_energy, n_rad = axes["energy_true"].nbin, axes["rad"].nbin
    table = {
        "Energy": axes["energy_true"].center.to("MeV"),
        "Exposure": exposure_map.quantity.reshape(n_energy).to("cm2 s"),
        "Psf": psf_map.quantity.reshape(n_energy, n_rad).to("sr-1"),
    }
    theta = {"Theta": axes["rad"].center.to("deg")}
    return [fits.BinTableHDU(Table(table), name="PSF"), fits.BinTableHDU(Table(theta), name="THETA")]


def read_gtdrm(hdulist: fits.HDUList) -> tuple[Any, None]:
    """Energy dispersion of a ``gtdrm`` file, as a map without a region, and no exposure.

    The reconstructed energies are the central DETCHANS bins of true energy; EBOUNDS of these files is not reliable.

    Raises
    ------
    NameLookupError, FormatError
        If the HDU or a column is missing, or there are fewer true energies than channels.
    """
    hdu = _hdu(hdulist, "DRM")
    low, high = _column(hdu, "ENERG_LO"), _column(hdu, "ENERG_HI")
    edges = np.append(low.value, high.to_value(low.unit)[-1])
    data = np.asarray([np.atleast_1d(row) for row in hdu.data["MATRIX"]], dtype=float)
    n_channel = int(hdu.header.get("DETCHANS", data.shape[1]))
    extra = len(low) - n_channel
    if extra < 0 or extra % 2 or data.shape[1] != n_channel:
        msg = (
            f"HDU {hdu.name!r} has {len(low)} true energies, {data.shape[1]} columns and DETCHANS {n_channel}; "
            "expected as many columns as channels, and an even number of true energies more than that."
        )
        raise FormatError(msg)
    true = MapAxis.from_energy_edges(edges * low.unit, name="energy_true")
    reco = MapAxis.from_energy_edges(edges[extra // 2 : len(edges) - extra // 2] * low.unit, name="energy")
    return RegionNDMap.create(region=None, axes=[reco, true], data=data[:, :, None, None]), None
