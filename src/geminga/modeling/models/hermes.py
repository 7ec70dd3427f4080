"""Diffuse emission computed by HERMES (Dundovic et al. 2021, A&A 653, A18): HEALPix maps of some energies, as a WCS map."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from astropy import units as u
from astropy.io import fits
from numpy.typing import NDArray
from scipy.sparse import csr_array

from geminga.errors import FormatError, MissingDependencyError
from geminga.maps import Map, MapAxis, WcsGeom, WcsNDMap
from geminga.utils.files import read_fits

__all__ = ["read_hermes_cube"]

Array = NDArray[np.float64]

#: Places along each side of a pixel at which the maps are interpolated.
PARTS = 4

_FRAMES = {"G": "galactic", "GAL": "galactic", "C": "icrs", "CEL": "icrs"}


class _Grid(NamedTuple):
    """What all maps of a file have in common."""

    nside: int
    order: str
    frame: str


def read_hermes_cube(filename: str | Path) -> WcsNDMap:
    """Read a cube of maps made by HERMES.

    The HEALPix maps are interpolated, and averaged over pixels of about their own size in plate carrée projection, on the part of
    the sky that they cover; what they leave out is NaN, which `TemplateSpatialModel` takes for zero. Needs the extra ``hpx``.

    Parameters
    ----------
    filename : str or Path
        FITS file with a map for each energy, whose header gives ``NSIDE``, ``ORDERING``, ``COORDSYS`` and ``ENERGY`` in J.

    Returns
    -------
    map : `~geminga.maps.WcsNDMap`
        Intensity with an axis ``energy_true`` of nodes in GeV.

    Raises
    ------
    FileError, CorruptFileError
        If the file cannot be read.
    FormatError
        If it holds no such maps, or maps that do not fit together.
    MissingDependencyError
        If astropy-healpix is not installed.
    """
    healpix = _import()
    hdus = [hdu for hdu in read_fits(filename)[1:] if hdu.header.get("PIXTYPE") == "HEALPIX"]
    grid, energy, unit = _check(hdus, filename)
    values = np.array([np.asarray(hdu.data.field(0), dtype=float).ravel() for hdu in hdus])
    bad = np.array([hdu.header.get("BAD_DATA", np.nan) for hdu in hdus])[:, None]
    values[~np.isfinite(values) | np.isclose(values, bad, rtol=1e-6, atol=0)] = np.nan
    order = np.argsort(energy)
    axis = MapAxis.from_nodes(energy[order] * u.GeV, name="energy_true", interp="log")
    geom = _geometry(healpix, grid, np.isfinite(values).any(axis=0), axis)
    own = Map.from_geom(geom, data=_averaged(healpix, grid, values[order], geom.to_image()), unit=unit)
    assert isinstance(own, WcsNDMap)
    return own


def _check(hdus: list[Any], filename: object) -> tuple[_Grid, Array, u.Unit]:
    """Grid, energies in GeV and unit of all maps.

    Raises
    ------
    FormatError
        Naming file and HDU.
    """
    if len(hdus) < 2:
        msg = f"File {filename} holds {len(hdus)} HEALPix maps; expected at least two, one for each energy, as HERMES writes."
        raise FormatError(msg)
    found, energies = [], []
    for hdu in hdus:
        header = hdu.header
        try:
            grid = _Grid(int(header["NSIDE"]), str(header["ORDERING"]).lower(), _FRAMES[str(header["COORDSYS"]).upper()])
            found.append((grid, str(header["TUNIT1"])))
            energies.append(u.Quantity(float(header["ENERGY"]), "J").to_value("GeV"))
        except (KeyError, ValueError, fits.VerifyError) as error:
            msg = f"File {filename}: maps need NSIDE, ORDERING, COORDSYS (G or C), TUNIT1, ENERGY; {error} is missing or wrong."
            raise FormatError(msg) from error
        n_pixel = hdu.data.field(0).size
        if n_pixel != 12 * grid.nside**2 or grid.order not in {"ring", "nested"}:
            msg = (
                f"File {filename}: the map at {energies[-1]:.4g} GeV has {n_pixel} pixels in the order {grid.order!r}; "
                f"expected all {12 * grid.nside**2} of NSIDE {grid.nside}, in the order RING or NESTED."
            )
            raise FormatError(msg)
    energy = np.array(energies)
    if len(set(found)) > 1 or len(np.unique(energy)) < len(energy) or not (energy > 0).all():
        msg = f"File {filename}: its maps differ in grid or unit, or share an energy; expected one grid and different energies."
        raise FormatError(msg)
    try:
        unit = u.Unit(found[0][1])
    except ValueError as error:
        msg = f"File {filename}: TUNIT1 is {found[0][1]!r}, which is no unit."
        raise FormatError(msg) from error
    return found[0][0], energy, unit


def _geometry(healpix: Any, grid: _Grid, covered: NDArray[np.bool_], axis: MapAxis) -> WcsGeom:
    """Pixels of about the size of those of the maps, over what they cover."""
    if not covered.any():
        covered = ~covered
    lon, lat = healpix.healpix_to_lonlat(np.flatnonzero(covered), grid.nside, order=grid.order)
    size = 180 / np.ceil(180 / np.rad2deg(np.sqrt(np.pi / 3) / grid.nside))
    lon, lat = lon.to_value("deg"), lat.to_value("deg")
    mean = np.exp(1j * np.deg2rad(lon)).mean()
    center = np.rad2deg(np.angle(mean)) if abs(mean) > 0.01 else 0.0  # all around: as people look at the sky
    center = size * np.round(center / size)
    half = min(np.ceil(np.abs((lon - center + 180) % 360 - 180).max() / size + 0.5) * size, 180.0)
    south, north = (np.clip(np.round(edge / size) * size, -90, 90) for edge in (lat.min() - size / 2, lat.max() + size / 2))
    npix = round(2 * half / size), max(round((north - south) / size), 1)
    # With the reference on the equator, rows of pixels are parallels.
    refpix = (npix[0] + 1) / 2, 0.5 - south / size
    return WcsGeom.create(
        npix=npix, binsz=size, skydir=(center % 360, 0), refpix=refpix, frame=grid.frame, proj="CAR", axes=[axis]
    )


def _averaged(healpix: Any, grid: _Grid, values: Array, geom: WcsGeom) -> Array:
    """Values in pixels: the mean of those interpolated at places all over the pixel; NaN where most of it has no value."""
    n_lat, n_lon = geom.data_shape[-2:]
    part = (np.arange(PARTS) + 0.5) / PARTS - 0.5
    y, x = np.meshgrid(np.arange(n_lat), np.arange(n_lon), indexing="ij")
    weights = csr_array((x.size, values.shape[1]))
    for dy in part:
        for dx in part:
            lon, lat = geom.pix_to_coord((x.ravel() + dx, y.ravel() + dy))[:2]
            inside = np.flatnonzero(np.isfinite(lon.value) & np.isfinite(lat.value))
            index, weight = healpix.bilinear_interpolation_weights(lon[inside], lat[inside], grid.nside, order=grid.order)
            rows = np.broadcast_to(inside, index.shape)
            weights += csr_array((weight.ravel() / PARTS**2, (rows.ravel(), index.ravel())), shape=weights.shape)
    known = weights @ np.isfinite(values).astype(float).T
    with np.errstate(invalid="ignore", divide="ignore"):
        out = np.where(known > 0.5, weights @ np.nan_to_num(values).T / known, np.nan)
    return np.asarray(out.T.reshape(-1, n_lat, n_lon))


def _import() -> Any:
    try:
        return importlib.import_module("astropy_healpix")
    except ImportError as error:
        msg = "The package astropy-healpix is not installed; install it with: pip install 'geminga[hpx]'."
        raise MissingDependencyError(msg) from error
