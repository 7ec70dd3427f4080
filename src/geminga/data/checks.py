"""What is wrong with events, an observation or a store: records, one after the other, so that all problems are seen at once.

A record is a dictionary with ``level`` (``"error"`` or ``"warning"``), ``obs_id``, ``hdu`` and ``msg``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geminga.errors import GemingaError, NameLookupError

if TYPE_CHECKING:
    from geminga.data.events import EventList
    from geminga.data.observation import Observation
    from geminga.data.store import DataStore

__all__ = ["check_events", "check_observation", "check_store"]

Record = dict[str, Any]

_KEYWORDS = [
    "OBS_ID",
    "TSTART",
    "TSTOP",
    "ONTIME",
    "LIVETIME",
    "DEADC",
    "RA_PNT",
    "DEC_PNT",
    "TELESCOP",
    "INSTRUME",
    "MJDREFI",
    "MJDREFF",
    "TIMEUNIT",
    "TIMESYS",
    "TIMEREF",
    "GEOLON",
    "GEOLAT",
    "ALTITUDE",
]


def _selected(checks: Any, known: Mapping[str, Any]) -> list[str]:
    names = list(known) if isinstance(checks, str) and checks == "all" else [checks] if isinstance(checks, str) else list(checks)
    unknown = [name for name in names if name not in known]
    if unknown:
        msg = f"Unknown checks: {unknown}; expected 'all' or some of {', '.join(known)}."
        raise NameLookupError(msg)
    return names


def _record(level: str, obs_id: Any, hdu: str, msg: str) -> Record:
    return {"level": level, "obs_id": obs_id, "hdu": hdu, "msg": msg}


def _run(subject: Any, checks: Any, known: Mapping[str, Callable[[Any], Iterator[Record]]]) -> Iterator[Record]:
    names = _selected(checks, known)
    return (record for name in names for record in known[name](subject))


# ---- events ------------------------------------------------------------------------------------


def check_events(self: EventList, checks: Any = "all") -> Iterator[Record]:
    """Look for problems.

    Parameters
    ----------
    checks : str or list of str
        ``"all"``, or some of ``meta``, ``columns``, ``times``, ``coordinates``, ``energy``.

    Yields
    ------
    record : dict
        ``level``, ``obs_id``, ``hdu`` and ``msg``.
    """
    return _run(self, checks, EVENT_CHECKS)


def _events_record(events: EventList, level: str, msg: str) -> Record:
    return _record(level, events._rows.header.get("OBS_ID"), "EVENTS", msg)


def _events_meta(events: EventList) -> Iterator[Record]:
    header = events._rows.header
    missing = [key for key in _KEYWORDS if key not in header and not (key == "ALTITUDE" and "GEOALT" in header)]
    if missing:
        yield _events_record(events, "warning", f"Missing keywords: {', '.join(missing)}")
    dead = header.get("DEADC")
    if isinstance(dead, (int, float)) and not 0 < dead <= 1 + 1e-6:
        yield _events_record(events, "error", f"DEADC is {dead}, expected a number above 0, at most 1")
    elif {"DEADC", "ONTIME", "LIVETIME"} <= set(header) and abs(header["LIVETIME"] - header["ONTIME"] * dead) > 1:
        yield _events_record(
            events, "warning", f"LIVETIME {header['LIVETIME']} differs from ONTIME {header['ONTIME']} x DEADC {dead}"
        )


def _events_columns(events: EventList) -> Iterator[Record]:
    if "EVENT_ID" not in events._rows.names:
        yield _events_record(events, "warning", "Missing column: EVENT_ID")
    for name in ("TIME", "ENERGY", "RA", "DEC"):
        try:
            events._rows.unit(name)
        except GemingaError as error:
            yield _events_record(events, "error", str(error))


def _events_times(events: EventList) -> Iterator[Record]:
    times, header = events.numbers("TIME"), events._rows.header
    if not np.isfinite(times).all():
        yield _events_record(events, "error", f"{int((~np.isfinite(times)).sum())} times are not finite")
    if {"TSTART", "TSTOP"} <= set(header):
        outside = int(((times < header["TSTART"]) | (times > header["TSTOP"])).sum())
        if outside:
            yield _events_record(events, "warning", f"{outside} events are outside of TSTART to TSTOP")


def _events_coordinates(events: EventList) -> Iterator[Record]:
    if len(events) == 0:
        yield _events_record(events, "error", "There are no events")
    for name, limit in (("RA", (-180, 360)), ("DEC", (-90, 90))):
        values = events.numbers(name)
        bad = int((~((values >= limit[0]) & (values <= limit[1]))).sum())
        if bad:
            yield _events_record(events, "error", f"{bad} values of {name} are not between {limit[0]} and {limit[1]} deg")


def _events_energy(events: EventList) -> Iterator[Record]:
    bad = int((~(events.numbers("ENERGY") > 0)).sum())
    if bad:
        yield _events_record(events, "error", f"{bad} energies are not positive")


EVENT_CHECKS: dict[str, Callable[[Any], Iterator[Record]]] = {
    "meta": _events_meta,
    "columns": _events_columns,
    "times": _events_times,
    "coordinates": _events_coordinates,
    "energy": _events_energy,
}


# ---- observation -------------------------------------------------------------------------------


def check_observation(self: Observation, checks: Any = "all") -> Iterator[Record]:
    """Look for problems; files that cannot be read are among them.

    Parameters
    ----------
    checks : str or list of str
        ``"all"``, or some of ``events``, ``gti``, ``aeff``, ``edisp``, ``psf``, ``bkg``, ``pointing``, ``deadtime``.

    Yields
    ------
    record : dict
        ``level``, ``obs_id``, ``hdu`` and ``msg``.
    """
    return _run(self, checks, OBSERVATION_CHECKS)


def _tried(observation: Observation, hdu: str, action: Callable[[], Any]) -> tuple[Any, list[Record]]:
    """Result, and a record instead if it fails."""
    try:
        return action(), []
    except (GemingaError, OSError, ValueError, KeyError) as error:
        return None, [_record("error", observation.obs_id, hdu, str(error))]


def _observation_events(observation: Observation) -> Iterator[Record]:
    if "events" not in observation.available_hdus:
        yield _record("warning", observation.obs_id, "EVENTS", "There are no events")
        return
    events, failed = _tried(observation, "EVENTS", lambda: observation.events)
    yield from failed
    if events is not None:
        yield from check_events(events)


def _observation_gti(observation: Observation) -> Iterator[Record]:
    gti, failed = _tried(observation, "GTI", lambda: observation._load("gti"))
    yield from failed
    if failed:
        return
    if gti is None or len(gti) == 0:
        yield _record("error", observation.obs_id, "GTI", "There is no good time interval")
        return
    for fault in gti._faults():
        yield _record("warning", observation.obs_id, "GTI", fault)


def _observation_irf(name: str) -> Callable[[Any], Iterator[Record]]:
    def check(observation: Observation) -> Iterator[Record]:
        if name not in observation.available_irfs:
            yield _record("warning", observation.obs_id, name.upper(), f"There is no {name}")
            return
        irf, failed = _tried(observation, name.upper(), lambda: observation._load(name))
        yield from failed
        data = getattr(irf, "data", None)
        for fault in irf._faults() if hasattr(irf, "_faults") else ():
            yield _record("error", observation.obs_id, name.upper(), fault)
        if isinstance(data, np.ndarray) and data.dtype.kind == "f" and data.size and not (np.nan_to_num(data) > 0).any():
            yield _record("error", observation.obs_id, name.upper(), "No value is positive")

    return check


def _observation_pointing(observation: Observation) -> Iterator[Record]:
    yield from _tried(observation, "EVENTS", lambda: observation.pointing)[1]


def _observation_deadtime(observation: Observation) -> Iterator[Record]:
    yield from _tried(observation, "EVENTS", lambda: observation.observation_dead_time_fraction)[1]


OBSERVATION_CHECKS: dict[str, Callable[[Any], Iterator[Record]]] = {
    "events": _observation_events,
    "gti": _observation_gti,
    **{name: _observation_irf(name) for name in ("aeff", "edisp", "psf", "bkg")},
    "pointing": _observation_pointing,
    "deadtime": _observation_deadtime,
}


# ---- store -------------------------------------------------------------------------------------


def check_store(self: DataStore, checks: Any = "all") -> Iterator[Record]:
    """Look for problems.

    Parameters
    ----------
    checks : str or list of str
        ``"all"``, or some of ``obs_table``, ``files`` and ``observations``.

    Yields
    ------
    record : dict
        ``level``, ``obs_id``, ``hdu`` and ``msg``.
    """
    return _run(self, checks, STORE_CHECKS)


def _store_obs_table(store: DataStore) -> Iterator[Record]:
    if store.obs_table is None:
        yield _record("warning", None, "OBS_INDEX", "There is no table of observations")
        return
    named, listed = ({str(one).strip() for one in table["OBS_ID"].tolist()} for table in (store.obs_table, store.hdu_table))
    for obs_id in sorted(named - listed):
        yield _record("error", obs_id, "OBS_INDEX", "Observation is not in the index of HDUs")
    for obs_id in sorted(listed - named):
        yield _record("warning", obs_id, "HDU_INDEX", "Observation is not in the table of observations")


def _store_files(store: DataStore) -> Iterator[Record]:
    seen: set[Path] = set()
    for obs_id, parts in store.hdu_table.locations_by_observation().items():
        for place in parts.values():
            try:
                path = place.path()
            except GemingaError as error:
                yield _record("error", obs_id, place.hdu_name, str(error))
                continue
            if path not in seen and not path.is_file():
                yield _record("error", obs_id, place.hdu_name, f"File {path} does not exist")
            seen.add(path)


def _store_observations(store: DataStore) -> Iterator[Record]:
    for observation in store.get_observations(store.hdu_table.obs_id_unique, required_irf="all-optional", require_events=False):
        yield from check_observation(observation)


STORE_CHECKS: dict[str, Callable[[Any], Iterator[Record]]] = {
    "obs_table": _store_obs_table,
    "files": _store_files,
    "observations": _store_observations,
}
