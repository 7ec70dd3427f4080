"""Header and coordinates in the field of view of simulated events, as the data format (GADF 0.2) asks for."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import AltAz
from astropy.time import Time
from astropy.utils import iers

from geminga.data import EventList
from geminga.utils.coordinates import sky_to_fov
from geminga.utils.metadata import CreatorMetaData
from geminga.utils.time import time_ref_to_dict

__all__ = ["event_det_coords", "event_list_meta", "model_identifiers", "model_keywords"]

_FORMAT = {
    "HDUCLAS1": "EVENTS",
    "EXTNAME": "EVENTS",
    "HDUDOC": "https://github.com/open-gamma-ray-astro/gamma-astro-data-formats",
    "HDUVERS": "0.2",
    "HDUCLASS": "GADF",
}


def model_identifiers(dataset: Any) -> dict[int, Any]:
    """Models of a dataset by the identifier of their events: 0 is the background, sources count from 1."""
    sources = [model for model in dataset.models or () if model is not dataset.background_model and not model.is_systematic]
    background = {} if dataset.background is None else {0: dataset.background_model}
    return dict(enumerate(sources, start=1)) | background


def model_keywords(dataset: Any, identifiers: Any) -> dict[str, Any]:
    """Keywords ``MIDnnnnn`` and ``MMNnnnnn`` (identifier and name of a model) for some identifiers."""
    models = model_identifiers(dataset)
    keywords: dict[str, Any] = {}
    for number in identifiers:
        name = f"{dataset.name}-bkg" if models[number] is None else models[number].name
        keywords |= {f"MID{number:05d}": number, f"MMN{number:05d}": name}
    return keywords


def event_list_meta(dataset: Any, observation: Any, keep_mc_id: bool = True) -> dict[str, Any]:
    """Keywords of the event list of an observation.

    Parameters
    ----------
    dataset : MapDataset
        Dataset the events were drawn from.
    observation : Observation
        Observation.
    keep_mc_id : bool
        Also give the number of models.

    Returns
    -------
    meta : dict
        Keywords of GADF; times in s since the reference time of the good time, angles in deg.
    """
    creation = CreatorMetaData()
    meta = _FORMAT | {"OBS_ID": observation.obs_id} | _times(observation) | _pointing(observation) | _selection(dataset)
    meta |= _target(dataset) | {"CONV_DEP": 0, "CONV_RA": 0, "CONV_DEC": 0}
    if keep_mc_id:
        meta["NMCIDS"] = len(model_identifiers(dataset))
    info = observation.meta.obs_info
    irf = observation.aeff.meta if observation.aeff is not None else {}
    return meta | {
        "CREATOR": creation.creator,
        "ORIGIN": creation.creator.split()[0],
        "CREATED": creation.date.iso,
        "EUNIT": "TeV",
        "EVTVER": "",
        "EV_CLASS": "",
        "OBSERVER": "",
        "TELESCOP": getattr(info, "telescope", None) or str(irf.get("TELESCOP", "")),
        "INSTRUME": getattr(info, "instrument", None) or str(irf.get("INSTRUME", "")),
        "N_TELS": "",
        "TELLIST": "",
    }


def _times(observation: Any) -> dict[str, Any]:
    gti = observation.gti
    ontime = float(observation.observation_time_duration.to_value("s"))
    live = 1 - float(observation.observation_dead_time_fraction)
    start, stop = float(gti.met_start.to_value("s").min()), float(gti.met_stop.to_value("s").max())
    first, last = (gti.time_ref + value * u.s for value in (start, stop))
    return {
        "TSTART": start,
        "TSTOP": stop,
        "ONTIME": ontime,
        "LIVETIME": ontime * live,
        "DEADC": live,
        "TELAPSE": stop - start,
        **time_ref_to_dict(gti.time_ref, gti.time_ref.scale),
        "TIMEUNIT": "s",
        "TIMEREF": "LOCAL",
        "DATE-OBS": first.isot[:10],
        "TIME-OBS": first.isot[11:],
        "DATE-END": last.isot[:10],
        "TIME-END": last.isot[11:],
    }


def _pointing(observation: Any) -> dict[str, Any]:
    middle, location = observation.tmid, observation.observatory_earth_location
    sky = observation.get_pointing_icrs(middle)
    meta = {
        "OBS_MODE": observation.pointing.mode.name,
        "RA_PNT": float(sky.ra.deg),
        "DEC_PNT": float(sky.dec.deg),
        "EQUINOX": "J2000",
        "RADECSYS": "ICRS",
    }
    if location is None:
        return meta
    # Far dates are fine: an unknown rotation of the Earth of less than a second is of no matter here.
    settings = {"auto_download": False, "auto_max_age": None, "iers_degraded_accuracy": "ignore"}
    with ExitStack() as stack:
        for name, value in settings.items():
            stack.enter_context(iers.conf.set_temp(name, value))
        here = sky.transform_to(AltAz(obstime=Time(middle), location=location))
    return meta | {
        "ALT_PNT": float(here.alt.deg),
        "AZ_PNT": float(here.az.deg),
        "GEOLON": float(location.lon.deg),
        "GEOLAT": float(location.lat.deg),
        "ALTITUDE": float(location.height.to_value("m")),
    }


def _selection(dataset: Any) -> dict[str, Any]:
    """Data selection keywords: good time, energies, and a circle which holds the field."""
    geom = dataset._geom
    center, edges = geom.center_skydir.icrs, geom.axes["energy"].edges.to_value("TeV")
    width = float(np.max(geom.width.to_value("deg")))
    return {
        "DSTYP1": "TIME",
        "DSUNI1": "s",
        "DSVAL1": "TABLE",
        "DSREF1": ":GTI",
        "DSTYP2": "ENERGY",
        "DSUNI2": "TeV",
        "DSVAL2": f"{edges[0]}:{edges[-1]}",
        "DSTYP3": "POS(RA,DEC)",
        "DSVAL3": f"CIRCLE({center.ra.deg},{center.dec.deg},{width})",
        "DSUNI3": "deg",
        "NDSKEYS": "3",
    }


def _target(dataset: Any) -> dict[str, Any]:
    """Name and position of the first source."""
    sources = [model for number, model in model_identifiers(dataset).items() if number]
    if not sources:
        return {"OBJECT": dataset.name}
    position = getattr(sources[0], "position", None)
    meta: dict[str, Any] = {"OBJECT": sources[0].name}
    if position is not None:
        meta |= {"RA_OBJ": float(position.icrs.ra.deg), "DEC_OBJ": float(position.icrs.dec.deg)}
    return meta


def event_det_coords(observation: Any, events: Any) -> EventList:
    """Add columns of the position in the field of view.

    Parameters
    ----------
    observation : Observation
        Gives the pointing (at the time of each event, if it drifts).
    events : EventList
        Events.

    Returns
    -------
    events : EventList
        With the longitude ``DETX``, which grows against right ascension, and the latitude ``DETY``, which grows with
        declination; deg. So the format defines the field of view, and so are tables of backgrounds with the same names.
    """
    fixed = observation.pointing.fixed_icrs
    pointing = observation.get_pointing_icrs(events.time) if fixed is None else fixed
    ra, dec = (u.Quantity(events.numbers(name), "deg", copy=False) for name in ("RA", "DEC"))
    lon, lat = sky_to_fov(ra, dec, pointing.ra, pointing.dec)
    table = events.table.copy(copy_data=False)
    table["DETX"], table["DETY"] = u.Quantity(lon, "deg"), u.Quantity(lat, "deg")
    return EventList(table)
