"""Events, good time intervals, pointings, observations and stores."""

from __future__ import annotations

from typing import Any

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.table import Table
from astropy.time import Time

from geminga.data import GTI, DataStore, EventList, FixedPointingInfo, Observation, Observations
from tests.trust import kinds
from tests.trust.cases import Scene, case, cases
from tests.unit.data.conftest import events_hdu, gti_hdu


def event_file(change: Any) -> Any:
    """Case that reads events after a change of their HDU, and looks at them."""

    def function(scene: Scene) -> Any:
        hdu = events_hdu()
        hdu = change(hdu) or hdu
        path = scene.path("events.fits")
        fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path)
        events = EventList.read(path)
        records = [one for one in events.check() if one["level"] == "error"]
        return events.energy, events.radec, events.time, records

    return function


def value(name: str, number: float) -> Any:
    def change(hdu: Any) -> None:
        hdu.data[name][0] = number

    return change


def unit(name: str, text: str) -> Any:
    def change(hdu: Any) -> None:
        hdu.columns[name].unit = text

    return change


def keyword(name: str, text: Any) -> Any:
    def change(hdu: Any) -> None:
        if text is None:
            del hdu.header[name]
        else:
            hdu.header[name] = text

    return change


def dropped(name: str) -> Any:
    def change(hdu: Any) -> Any:
        table = Table(hdu.data)
        table.remove_column(name)
        return fits.BinTableHDU(
            table, header=fits.Header([c for c in hdu.header.cards if not c.keyword.startswith(("T", "N"))]), name="EVENTS"
        )

    return change


cases(
    {
        "events without energies": event_file(dropped("ENERGY")),
        "events without positions": event_file(dropped("RA")),
        "events without times": event_file(dropped("TIME")),
        "events with energies in m": event_file(unit("ENERGY", "m")),
        "events with an unknown unit": event_file(unit("ENERGY", "TeW")),
        "events without reference time": event_file(keyword("MJDREFI", None)),
        "events with text for the reference time": event_file(keyword("MJDREFI", "yesterday")),
        "events in an unknown time scale": event_file(keyword("TIMESYS", "lunar")),
        "selection of energies which are swapped": lambda scene: events().select_energy([5, 1] * u.TeV),
        "selection of energies in seconds": lambda scene: events().select_energy([1, 5] * u.s),
        "selection of an unknown column": lambda scene: events().select_parameter("COLOUR", (0, 0.5)),
        "selection of a region that is no region": lambda scene: events().select_region("circle"),
        "events made of a number": lambda scene: EventList(5),
        "time intervals with NaN": lambda scene: GTI.create([0, np.nan] * u.s, [1, 2] * u.s),
        "time interval that stops before it starts": lambda scene: GTI.create([5] * u.s, [1] * u.s),
        "time intervals with two starts and one stop": lambda scene: GTI.create([0, 5] * u.s, [1] * u.s),
        "time intervals in TeV": lambda scene: GTI.create([0] * u.TeV, [1] * u.TeV),
        "time intervals that overlap": lambda scene: GTI.create([0, 5] * u.s, [10, 20] * u.s).validate(),
        "time intervals of a table without STOP": lambda scene: GTI(Table({"START": [0.0]})),
        "time intervals with an unknown reference": lambda scene: GTI.create([0] * u.s, [1] * u.s, reference_time="yesterday"),
        "selection of a time that ends before it starts": lambda scene: GTI.create([0] * u.s, [9] * u.s).select_time(
            Time(["2020-01-02", "2020-01-01"])
        ),
        "observation with a dead time of 150 percent": lambda scene: Observation.create(
            FixedPointingInfo(kinds.CENTER), livetime=1 * u.h, deadtime_fraction=1.5
        ),
        "observation of negative duration": lambda scene: Observation.create(FixedPointingInfo(kinds.CENTER), livetime=-1 * u.h),
        "observation at an unknown place": lambda scene: Observation.create(
            FixedPointingInfo(kinds.CENTER), livetime=1 * u.h, location="atlantis"
        ),
        "list of observations with something else": lambda scene: Observations([1]),
    }
)


def events() -> EventList:
    return EventList(Table.read(events_hdu()))


@case("events with NaN and negative energies")
def bad_energies(scene: Scene) -> Any:
    hdu = events_hdu()
    hdu.data["ENERGY"][:2] = np.nan, -1
    own = EventList(Table.read(hdu))
    records = [one for one in own.check("energy") if one["level"] == "error"]
    assert "2 energies are not positive" in records[0]["msg"]
    kept = own.select_energy([1e-9, 1e9] * u.TeV)
    assert len(kept) == len(own) - 2
    return "check() reports them, and no selection or map takes them in"


@case("overlapping time intervals in a file")
def overlapping(scene: Scene) -> Any:
    path = scene.path("gti.fits")
    fits.HDUList([fits.PrimaryHDU(), gti_hdu((5000, 5600), (5400, 6000))]).writeto(path)
    return GTI.read(path)


def store(scene: Scene, **changes: Any) -> DataStore:
    """Store of one observation whose index was changed."""
    own = kinds.observation(0)
    own.write(scene.path("events.fits"))
    made = DataStore.from_events_files([scene.path("events.fits")])
    table = made.hdu_table.copy()
    for name, text in changes.items():
        table[name] = [text] * len(table)
    table.meta.clear()
    Table(table).write(scene.path("hdu-index.fits.gz"), overwrite=True)
    Table(made.obs_table).write(scene.path("obs-index.fits.gz"), overwrite=True)
    return DataStore.from_dir(scene.folder)


cases(
    {
        "index that names a missing file": lambda scene: store(scene, FILE_NAME="absent.fits").obs(1).events,
        "index that leads out of the store": lambda scene: (
            store(scene, FILE_DIR="../../..", FILE_NAME="etc/passwd").obs(1).events
        ),
        "index that names a missing HDU": lambda scene: store(scene, HDU_NAME="EVENTZ").obs(1).events,
        "unknown observation": lambda scene: store(scene).obs(99),
        "unknown observation among several": lambda scene: store(scene).get_observations([1, 99]),
        "unknown required response": lambda scene: store(scene).get_observations([1], required_irf="all"),
        "unknown word for required responses": lambda scene: store(scene).get_observations([1], required_irf="everything"),
        "selection of observations of an unknown kind": lambda scene: store(scene).obs_table.select_observations(
            {"type": "sky_square"}
        ),
        "store of no file": lambda scene: DataStore.from_events_files([]),
        "store of a file that is no FITS file": lambda scene: DataStore.from_events_files([scene.path("a.fits", "no")]),
    }
)


@case("events at a declination of 120 deg")
def high_declination(scene: Scene) -> Any:
    hdu = events_hdu()
    hdu.data["DEC"][:3] = 120
    return EventList(Table.read(hdu)).radec


@case("events at times that are NaN")
def lost_times(scene: Scene) -> Any:
    hdu = events_hdu()
    hdu.data["TIME"][:3] = np.nan
    own = EventList(Table.read(hdu))
    assert len(own.select_time(Time([30000, 80000], format="mjd"))) == len(own) - 3
    return "no selection of times takes them in"
