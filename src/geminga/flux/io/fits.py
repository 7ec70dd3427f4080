"""FITS files of flux maps: an HDU for each quantity, and the reference model in a YAML file beside."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from astropy.io import fits

from geminga.errors import FormatError
from geminga.flux.io.gti import gti_from_hdulist
from geminga.flux.quantities import OTHERS, SUFFIXES, find_sed_type, guess_sed_type
from geminga.flux.reference import RECORDED, assume_default
from geminga.flux.select import quantity_maps
from geminga.maps import Map
from geminga.modeling.models import Models
from geminga.utils.faults import reported
from geminga.utils.files import file_path, fits_bytes, read_fits, reading
from geminga.utils.filesets import FileSet, write_sets
from geminga.utils.locks import locked
from geminga.utils.yaml import sealed

__all__ = ["from_hdulist", "read", "to_hdulist", "write"]

log = logging.getLogger(__name__)

# Settings that are numbers, in the primary header.
_SETTINGS = ("n_sigma", "n_sigma_ul", "sqrt_ts_threshold_ul", "n_sigma_sensitivity", "regularization")


def to_hdulist(self: Any, sed_type: str | None = None, hdu_bands: str | None = None) -> fits.HDUList:
    """HDU list of all quantities.

    Parameters
    ----------
    sed_type : {"dnde", "e2dnde", "flux", "eflux", "likelihood"}, optional
        Kind of flux; norms (``likelihood``) if not given.
    hdu_bands : str, optional
        Name of the HDU of the axes, for all quantities on the geometry of the norm; by default each has one of its own.

    Returns
    -------
    hdulist : HDUList
        The reference model is not in it; see `write`.
    """
    kind = find_sed_type(sed_type or "likelihood")
    primary = fits.PrimaryHDU()
    primary.header["SED_TYPE"] = kind.name
    settings = {name: self.meta[name] for name in _SETTINGS if self.meta.get(name) is not None}
    if settings:
        primary.header["META"] = json.dumps({name: float(value) for name, value in settings.items()})
    hdulist = fits.HDUList([primary])
    maps = quantity_maps(self, kind.name) | {name: self._data[name] for name in RECORDED if name in self._data}
    for name, value in maps.items():
        bands = hdu_bands if value.geom.axes.names == self.geom.axes.names else None
        for hdu in value.to_hdulist(hdu=name.upper(), hdu_bands=bands):
            is_known = bands is not None and hdu.name == bands.upper() and bands.upper() in hdulist
            if not isinstance(hdu, fits.PrimaryHDU) and not is_known:
                hdulist.append(hdu)
    if self.gti is not None:
        hdulist.append(self.gti.to_table_hdu())
    return hdulist


def from_hdulist(
    cls: Any, /, hdulist: fits.HDUList, hdu_bands: str | None = None, sed_type: str | None = None, checksum: bool = False
) -> Any:
    """Make fluxes from an HDU list.

    Parameters
    ----------
    hdulist : HDUList
        With an HDU for each quantity; the primary header may name the kind of flux (``SED_TYPE``) and the file of the
        reference model (``MODEL``, or ``MODELREL`` relative to the file).
    hdu_bands : str, optional
        Name of the HDU of the axes; by default what each map says.
    sed_type : str, optional
        Kind of flux; by default what the header says, or that of which there is a value.
    checksum : bool
        Verify the checksum of the model file.

    Raises
    ------
    FormatError
        If there is no map of a flux, or norms come without reference model.
    """
    return _assemble(cls, hdulist, hdu_bands, sed_type, Path(), checksum)


def _assemble(cls: Any, hdulist: fits.HDUList, hdu_bands: str | None, name: str | None, folder: Path, checksum: bool) -> Any:
    header = hdulist[0].header
    names = [hdu.name.lower() for hdu in hdulist]
    name = name or header.get("SED_TYPE")
    kind = guess_sed_type(names) if name is None else find_sed_type(name)
    if kind is None or kind.prefix not in names:
        wanted = "dnde, e2dnde, flux, eflux or norm" if kind is None else kind.prefix
        msg = f"Flux maps: there is no HDU {wanted.upper()}; the HDUs are {', '.join(hdu.name or 'PRIMARY' for hdu in hdulist)}."
        raise FormatError(msg)
    wanted_names = [kind.prefix + suffix for suffix in SUFFIXES] + list(OTHERS) + list(RECORDED)
    maps = {}
    for hdu in hdulist:
        if hdu.name.lower() in wanted_names:
            bands = hdu_bands if hdu_bands is not None and hdu_bands.upper() in hdulist else None
            maps[hdu.name.lower()] = Map.from_hdulist(hdulist, hdu=hdu.name, hdu_bands=bands)
    model = _read_model(header, folder, checksum)
    if model is None:
        if kind.prefix == "norm":
            msg = "Flux maps: norms have no meaning without their reference model; the header has no MODEL, or its file is gone."
            raise FormatError(msg)
        model = assume_default(cls.__name__)
    meta = {key: value for key, value in _settings(header).items() if key in _SETTINGS}
    return cls.from_maps(maps, sed_type=kind.name, reference_model=model, gti=gti_from_hdulist(hdulist), meta=meta)


def _settings(header: fits.Header) -> dict[str, Any]:
    try:
        content = json.loads(header.get("META") or "{}")
    except ValueError:
        content = {}
    return content if isinstance(content, dict) else {}


def _read_model(header: fits.Header, folder: Path, checksum: bool) -> Any:
    """Reference model of the file that a header names, looked for beside the maps and where it was written."""
    named = [str(header[key]).strip() for key in ("MODELREL", "MODEL") if header.get(key)]
    for name in dict.fromkeys([*named, *[Path(one).name for one in named]]):
        for path in (folder / name, Path(name)):
            if path.is_file():
                return Models.read(path, checksum=checksum)[0]
    if named:
        log.warning("File %s of the reference model is not found.", named[-1])
    return None


def read(cls: Any, /, filename: str | Path, checksum: bool = False) -> Any:
    """Read fluxes from a FITS file, and their reference model from the file that it names.

    Parameters
    ----------
    filename : str or Path
        File.
    checksum : bool
        Verify checksums.

    Raises
    ------
    FileError, CorruptFileError
        If the file cannot be read.
    FormatError
        If there is no map of a flux, or norms come without reference model.
    """
    path = file_path(filename)
    # The lock makes sure that fluxes and model come from the same writer.
    with locked([path.parent], shared=True), reading(path):
        own = _assemble(cls, read_fits(path, checksum=checksum), None, None, path.parent, checksum)
        return reported(own, f"File {path}")


def write(
    self: Any,
    filename: str | Path,
    filename_model: str | Path | None = None,
    overwrite: bool = False,
    sed_type: str | None = None,
    checksum: bool = False,
) -> None:
    """Write fluxes to a FITS file, and their reference model to a YAML file beside it.

    Parameters
    ----------
    filename : str or Path
        FITS file.
    filename_model : str or Path, optional
        File of the model; the name of the FITS file with ``_model.yaml`` in place of its suffixes if not given.
    overwrite : bool
        Replace existing files.
    sed_type : str, optional
        Kind of flux; norms (``likelihood``) if not given.
    checksum : bool
        No effect: checksums are always written.

    Raises
    ------
    FileExistsRefusal
        If one of the files exists and `overwrite` is false; nothing is written then.
    """
    path = file_path(filename)
    stem = path.name[: len(path.name) - len("".join(path.suffixes[-2:] if path.suffix == ".gz" else path.suffixes[-1:]))]
    model_path = path.with_name(f"{stem}_model.yaml") if filename_model is None else file_path(filename_model)
    hdulist = self.to_hdulist(sed_type=sed_type)
    name = os.path.relpath(model_path, path.parent)

    def content(names: Mapping[str, str]) -> bytes:
        # Readers elsewhere look where the file was written; ours first looks beside the maps, which may have been moved.
        place = Path(os.path.normpath(path.parent / names[name]))
        hdulist[0].header["MODEL"] = str(place)
        hdulist[0].header["MODELREL"] = _relative(place, path.parent)
        return fits_bytes(hdulist, path)

    model = sealed(Models([self.reference_model]).to_yaml()).encode("utf-8")
    write_sets([FileSet(path, {name: model}, content)], overwrite=overwrite)


def _relative(path: Path, folder: Path) -> str:
    """Name relative to a folder if it is below it, else as it is."""
    try:
        return path.resolve().relative_to(folder.resolve()).as_posix()
    except ValueError:
        return str(path)
