"""Making index tables of event files, and copying observations of a store."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.table import Table, vstack

from geminga.data.hdu_index import HDUIndexTable, relative_folder
from geminga.data.io.index import index_hdu
from geminga.data.io.observation import locations_in_file
from geminga.data.io.recent import recent_tables
from geminga.data.obs_table import ObservationTable
from geminga.errors import FileError, FileExistsRefusal, FormatError, InputError
from geminga.utils.files import file_path, make_path, reading, write_files, write_fits

__all__ = ["copy_files", "tables_of_files"]

log = logging.getLogger(__name__)

# Columns of the table of observations: keyword, unit, and what stands for it if it is missing.
_COLUMNS: tuple[tuple[str, str, Any], ...] = (
    ("OBS_ID", "", 0),
    ("TSTART", "s", np.nan),
    ("TSTOP", "s", np.nan),
    ("ONTIME", "s", np.nan),
    ("LIVETIME", "s", np.nan),
    ("DEADC", "", np.nan),
    ("TELESCOP", "", ""),
    ("RA_PNT", "deg", np.nan),
    ("DEC_PNT", "deg", np.nan),
    ("ALT_PNT", "deg", np.nan),
    ("AZ_PNT", "deg", np.nan),
    ("DATE-OBS", "", ""),
    ("TIME-OBS", "", ""),
    ("DATE-END", "", ""),
    ("TIME-END", "", ""),
    ("N_TELS", "", 0),
    ("OBJECT", "", ""),
    ("CALDB", "", ""),
    ("IRF", "", ""),
)
_TIME_KEYS = ("MJDREFI", "MJDREFF", "TIMEUNIT", "TIMESYS", "TIMEREF")
_INDEX_KEYS = {"HDUCLASS": "GADF", "HDUVERS": "0.2", "HDUCLAS1": "INDEX"}


def tables_of_files(events_paths: Sequence[Any], irfs_paths: Any = None) -> tuple[HDUIndexTable, ObservationTable]:
    """Index tables of event files."""
    paths = [file_path(path) for path in events_paths]
    if not paths:
        msg = "DataStore.from_events_files got no file; give at least one."
        raise InputError(msg)
    irfs = [irfs_paths] * len(paths) if irfs_paths is None or isinstance(irfs_paths, (str, Path)) else list(irfs_paths)
    if len(irfs) != len(paths):
        msg = f"DataStore.from_events_files got {len(paths)} files of events and {len(irfs)} of response functions."
        raise InputError(msg)
    records, rows, references = [], [], []
    for path, irf_path in zip(paths, irfs, strict=True):
        with reading(path):
            events = recent_tables(path)["EVENTS"]
        header = events.header
        source = make_path(irf_path) or _caldb_file(header) or path
        record = {key: header.get(key, header.get(key.replace("-", "_"), default)) for key, _, default in _COLUMNS}
        records.append(record | {"EVENTS_FILENAME": str(path), "IRF_FILENAME": str(source), "EVENT_COUNT": len(events)})
        references.append({key: header[key] for key in _TIME_KEYS if key in header})
        rows += _hdu_rows(record["OBS_ID"], path, source)
    return _hdu_table(rows), _obs_table(records, references)


def _hdu_rows(obs_id: Any, path: Path, irf_path: Path) -> list[tuple[Any, ...]]:
    own = locations_in_file(path)
    found = own if irf_path == path else {name: own[name] for name in ("events", "gti") if name in own}
    if irf_path != path:
        found |= {name: place for name, place in locations_in_file(irf_path).items() if name not in {"events", "gti", "pointing"}}
    return [
        (obs_id, name, place.hdu_class, os.path.abspath(place.path().parent), place.file_name, place.hdu_name)  # noqa: PTH100
        for name, place in found.items()
    ]


def _caldb_file(header: Any) -> Path | None:
    """File of response functions in the calibration database, if the header names one."""
    caldb, irf = (str(header.get(key, "")).strip() for key in ("CALDB", "IRF"))
    if not (caldb and irf and "TELESCOP" in header):
        return None
    if "CALDB" not in os.environ:
        msg = (
            f"Observation {header.get('OBS_ID')} names the response functions {irf!r} of CALDB {caldb!r}, "
            "but the environment variable CALDB is not set; set it, or give irfs_paths."
        )
        raise FileError(msg)
    folder = Path(os.environ["CALDB"]) / "data" / str(header["TELESCOP"]).strip().lower() / caldb / "bcf" / irf
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    if len(files) != 1:
        msg = f"Folder {folder} holds {len(files)} files, expected one of response functions; give irfs_paths."
        raise FileError(msg)
    return files[0]


def _hdu_table(rows: list[tuple[Any, ...]]) -> HDUIndexTable:
    names = ("OBS_ID", "HDU_TYPE", "HDU_CLASS", "FILE_DIR", "FILE_NAME", "HDU_NAME")
    # The user named these files: they may be anywhere.
    return HDUIndexTable(rows=rows, names=names, meta=_INDEX_KEYS | {"HDUCLAS2": "HDU"})


def _obs_table(records: list[dict[str, Any]], references: list[dict[str, Any]]) -> ObservationTable:
    units = {key: unit for key, unit, _ in _COLUMNS if unit}
    table = ObservationTable(rows=records)
    table = table[[*[key for key, _, _ in _COLUMNS], "EVENTS_FILENAME", "EVENT_COUNT", "IRF_FILENAME"]]
    for name, unit in units.items():
        table[name].unit = unit
    galactic = table.pointing_radec.galactic
    table["GLON_PNT"], table["GLAT_PNT"] = galactic.l.deg, galactic.b.deg
    for name in ("GLON_PNT", "GLAT_PNT"):
        table[name].unit = "deg"
    keys = ("MJDREFI", "MJDREFF", "TIMESYS")
    if any({key: one.get(key) for key in keys} != {key: references[0].get(key) for key in keys} for one in references):
        log.warning(
            "Event files have different reference times: TSTART and TSTOP of the table of observations are not comparable."
        )
    table.meta.update(references[0] | _INDEX_KEYS | {"HDUCLAS2": "OBS"})
    return table


def copy_files(
    hdu_table: HDUIndexTable, obs_table: Any, outdir: Path, overwrite: bool, verbose: bool, names: tuple[str, str]
) -> None:
    """Copy the files of index tables below a folder, and write the tables there; all are checked before the first is written."""
    outdir.mkdir(parents=True, exist_ok=True)
    base = Path(os.path.abspath(hdu_table.base_dir))  # noqa: PTH100
    sources: dict[Path, Path] = {}
    folders = []
    for row in range(len(hdu_table)):
        place = hdu_table.location_info(row)
        folder = relative_folder(place, base)
        folders.append(folder)
        sources[outdir / folder / str(place.file_name)] = place.path()
    indices = [outdir / name for name in names]
    taken = [path for path in (*sources, *indices) if path.exists()]
    if taken and not overwrite:
        msg = f"File {taken[0]} exists ({len(taken)} in all); give overwrite=True to replace files."
        raise FileExistsRefusal(msg)
    missing = [str(path) for path in sources.values() if not path.is_file()]
    if missing:
        msg = f"Copying observations: file {missing[0]} is missing ({len(missing)} in all)."
        raise FileError(msg)
    for target, source in sources.items():
        if verbose:
            log.info("Copying %s to %s", source, target)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_files({target: source.read_bytes()}, overwrite=overwrite)
    copied = HDUIndexTable(hdu_table, copy=True)
    copied["FILE_DIR"] = folders
    _write_index(copied, indices[0], "HDU_INDEX", overwrite)
    if obs_table is not None:
        _write_index(obs_table, indices[1], "OBS_INDEX", overwrite)


def _write_index(table: Table, path: Path, name: str, overwrite: bool) -> None:
    write_fits(fits.HDUList([fits.PrimaryHDU(), index_hdu(table, name)]), path, overwrite=overwrite)


def joined(tables: Sequence[Any]) -> Any:
    """Tables one below the other."""
    return vstack(list(tables), metadata_conflicts="silent")


def check_outdir(outdir: Path) -> None:
    """Refuse an output folder that is a file.

    Raises
    ------
    FormatError
        If it is not a folder.
    """
    if outdir.exists() and not outdir.is_dir():
        msg = f"Not a directory: outdir={outdir}."
        raise FormatError(msg)
