"""An observation in one file (or events and response functions in one each)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.io import fits

from geminga.data.io.headers import hdu_kind
from geminga.data.io.location import HDULocation
from geminga.data.io.recent import recent_tables
from geminga.errors import FormatError
from geminga.irf import IRF_REGISTRY
from geminga.utils.files import file_path, read_fits, reading, write_fits
from geminga.utils.metadata import CreatorMetaData

if TYPE_CHECKING:
    from geminga.data.observation import Observation

__all__ = ["locations_in_file", "rad_max_of_header", "read", "write"]


def locations_in_file(filename: str | Path) -> dict[str, HDULocation]:
    """Where events, good time and response functions are in a file, by type; the first of a type counts."""
    path = file_path(filename)
    found: dict[str, HDULocation] = {}
    for hdu in recent_tables(path):
        kind = hdu_kind(hdu.header)
        if hdu.is_table and kind is not None and kind[0] not in found:
            found[kind[0]] = HDULocation(kind[1], str(path.parent), "", path.name, hdu.name)
    return found


def read(
    cls: type[Observation], event_file: str | Path, irf_file: str | Path | None = None, checksum: bool = False
) -> Observation:
    """Read from a FITS file; what it holds is read when first used.

    Parameters
    ----------
    event_file : str or Path
        File of events and good time, and perhaps of response functions.
    irf_file : str or Path, optional
        File of response functions, if it is another.
    checksum : bool
        Verify the checksums of the files.

    Raises
    ------
    FileError, CorruptFileError
        If a file cannot be read.
    FormatError
        If there are no events or no good time.
    """
    if checksum:
        for path in (event_file,) if irf_file is None else (event_file, irf_file):
            read_fits(path, checksum=True)
    with reading(event_file):
        parts = locations_in_file(event_file)
    missing = [name.upper() for name in ("events", "gti") if name not in parts]
    if missing:
        msg = f"File {event_file} has no HDU of {' and '.join(missing)}; expected events and good time intervals."
        raise FormatError(msg)
    if irf_file is not None:
        parts = {name: parts[name] for name in ("events", "gti")} | {
            name: location for name, location in locations_in_file(irf_file).items() if name not in {"events", "gti"}
        }
    obs_id = recent_tables(event_file)[str(parts["events"].hdu_name)].header.get("OBS_ID")
    irfs: dict[str, Any] = {name: location for name, location in parts.items() if name in cls._IRFS}
    return cls(obs_id=obs_id, events=parts["events"], gti=parts["gti"], **irfs)


def rad_max_of_header(observation: Observation) -> Any:
    """Radius of keyword ``RAD_MAX`` of point-like response functions, as a table with one bin; None if there is none."""
    for name in ("aeff", "edisp"):
        irf = observation._load(name)
        if irf is not None and irf.is_pointlike and "RAD_MAX" in irf.meta:
            return IRF_REGISTRY.get_cls("rad_max_2d").from_irf(irf)
    return None


def write(
    self: Observation,
    path: str | Path,
    overwrite: bool = False,
    format: str = "gadf",
    include_irfs: bool = True,
    checksum: bool = False,
) -> None:
    """Write events, good time and response functions to one FITS file.

    Parameters
    ----------
    path : str or Path
        File.
    overwrite : bool
        Replace an existing file.
    format : {"gadf"}
        Format.
    include_irfs : bool
        Write response functions too.
    checksum : bool
        Write checksums.

    Raises
    ------
    FormatError
        For another format.
    FileExistsRefusal
        If the file exists and `overwrite` is false.
    """
    if format != "gadf":
        msg = f"Observation format {format!r} is not known; expected 'gadf'."
        raise FormatError(msg)
    primary = fits.PrimaryHDU()
    primary.header.update(CreatorMetaData().to_header())
    hdulist = fits.HDUList([primary])
    if "events" in self.available_hdus:
        events_hdu = self.events.to_table_hdu()
        events_hdu.header.update(_keywords(self, events_hdu.header))
        hdulist.append(events_hdu)
    hdulist.append(self.gti.to_table_hdu())
    if include_irfs:
        hdulist.extend(self._load(name).to_table_hdu() for name in self.available_irfs)
    write_fits(hdulist, path, overwrite=overwrite, checksum=checksum)


def _keywords(self: Observation, header: Any) -> dict[str, Any]:
    """Keywords of the events that follow from the observation: when, how long, and where it points."""
    gti, meta = self.gti, self.meta
    ontime = float(self.observation_time_duration.to_value("s"))
    found: dict[str, Any] = {} if meta.target is None else meta.target.to_header()
    found |= {"OBS_ID": self.obs_id, "ONTIME": ontime, "DEADC": 1 - self.observation_dead_time_fraction}
    found["LIVETIME"] = ontime * found["DEADC"]
    if len(gti):
        shift = float((gti.time_ref - self.events.time_ref).sec)
        found["TSTART"] = float(np.min(gti.met_start.value)) + shift
        found["TSTOP"] = float(np.max(gti.met_stop.value)) + shift
    location = self.observatory_earth_location
    if location is not None:
        found |= {"GEOLON": location.lon.deg, "GEOLAT": location.lat.deg, "ALTITUDE": float(location.height.to_value("m"))}
    pointing = dict(self.pointing.to_fits_header())
    # A kind of pointing, such as WOBBLE, says more than POINTING.
    if (str(header.get("OBS_MODE", "")).strip().upper() == "DRIFT") == (pointing["OBS_MODE"] == "DRIFT") and "OBS_MODE" in header:
        del pointing["OBS_MODE"]
    return {key: value for key, value in (found | pointing).items() if value is not None}
