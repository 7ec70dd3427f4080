"""Constants, attributes of instances and operators of public classes equal those of gammapy 2.1.

``tests/data/api_attributes.json`` holds them for the packages which are complete; ``test_public_api.py`` has the signatures.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table
from astropy.time import Time

from geminga.data import GTI, DataStore, EventList, HDUIndexTable, Observation, ObservationFilter, ObservationTable, PointingInfo
from geminga.irf import IRF, IRFMap
from geminga.makers import (
    AdaptiveRingBackgroundMaker,
    DatasetsMaker,
    FoVBackgroundMaker,
    MapDatasetMaker,
    PhaseBackgroundMaker,
    ReflectedRegionsBackgroundMaker,
    ReflectedRegionsFinder,
    RingBackgroundMaker,
    SafeMaskMaker,
    SpectrumDatasetMaker,
    WobbleRegionsFinder,
)
from geminga.makers.utils import ThetaSquaredTable
from geminga.maps import Map, MapAxis

DATA = Path(__file__).parents[1] / "data"
ATTRIBUTES: dict[str, Any] = json.loads((DATA / "api_attributes.json").read_text())
CONTRACT: dict[str, Any] = json.loads((DATA / "api_contract.json").read_text())

# Names of gammapy that are not offered yet.
PENDING = {("data", "ObservationsEventsSampler")}

AXIS = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2)


def events() -> EventList:
    table = Table({"RA": [1.0] * u.deg, "DEC": [2.0] * u.deg, "ENERGY": [3.0] * u.TeV, "TIME": [4.0] * u.s, "EVENT_ID": [1]})
    return EventList(table)


def pointings() -> PointingInfo:
    return PointingInfo(Table({"TIME": [0.0] * u.s, "RA_PNT": [1.0] * u.deg, "DEC_PNT": [2.0] * u.deg}))


INSTANCES: dict[str, Callable[[], Any]] = {
    "DataStore": lambda: DataStore(HDUIndexTable(), ObservationTable()),
    "EventList": events,
    "GTI": lambda: GTI.create(0 * u.h, 1 * u.h, Time("2020-01-01")),
    "Observation": lambda: Observation(obs_id=1),
    "ObservationFilter": ObservationFilter,
    "PointingInfo": pointings,
    "IRF": lambda: IRF([AXIS]),
    "IRFMap": lambda: IRFMap(Map.create(axes=[AXIS])),
    "AdaptiveRingBackgroundMaker": lambda: AdaptiveRingBackgroundMaker("0.2 deg", "1 deg", "0.1 deg"),
    "DatasetsMaker": lambda: DatasetsMaker([MapDatasetMaker()]),
    "FoVBackgroundMaker": FoVBackgroundMaker,
    "MapDatasetMaker": MapDatasetMaker,
    "PhaseBackgroundMaker": lambda: PhaseBackgroundMaker((0, 0.1), (0.2, 0.3)),
    "ReflectedRegionsBackgroundMaker": ReflectedRegionsBackgroundMaker,
    "ReflectedRegionsFinder": ReflectedRegionsFinder,
    "RegionsFinder": lambda: WobbleRegionsFinder(3),
    "RingBackgroundMaker": lambda: RingBackgroundMaker("0.2 deg", "0.1 deg"),
    "SafeMaskMaker": SafeMaskMaker,
    "SpectrumDatasetMaker": SpectrumDatasetMaker,
    "WobbleRegionsFinder": lambda: WobbleRegionsFinder(3),
    "ThetaSquaredTable": lambda: ThetaSquaredTable([], MapAxis.from_edges([0, 1], unit="deg2"), SkyCoord(0, 0, unit="deg")),
}


def cases(kind: str) -> list[Any]:
    return [
        pytest.param(package, name, entry[kind], id=f"{package}.{name}")
        for package, classes in ATTRIBUTES.items()
        for name, entry in classes.items()
        if kind in entry and (package, name) not in PENDING
    ]


def load(package: str, name: str) -> Any:
    return getattr(importlib.import_module(f"geminga.{package}"), name)


def plain(value: Any) -> Any:
    """Value as JSON holds it."""
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, u.UnitBase):
        return u.Unit(value).to_string()
    return dict(value) if hasattr(value, "keys") else value


@pytest.mark.parametrize("package", sorted(ATTRIBUTES))
def test_every_name_is_offered(package: str) -> None:
    wanted = {name for kind in ("classes", "functions", "data") for name in CONTRACT[package].get(kind, ())}
    missing = wanted - set(importlib.import_module(f"geminga.{package}").__all__)
    assert {(package, name) for name in missing} <= PENDING


@pytest.mark.parametrize(("package", "name", "expected"), cases("constants"))
def test_constants(package: str, name: str, expected: dict[str, Any]) -> None:
    cls = load(package, name)
    found = {key: getattr(cls, key) for key in expected}
    if "default_unit" in expected:
        assert found.pop("default_unit") == u.Unit(expected.pop("default_unit"))
    assert {key: plain(value) for key, value in found.items()} == expected


@pytest.mark.parametrize(("package", "name", "expected"), cases("values"))
def test_members_of_enums(package: str, name: str, expected: dict[str, Any]) -> None:
    assert {key: member.value for key, member in load(package, name).__members__.items()} == expected


@pytest.mark.parametrize(("package", "name", "expected"), cases("operators"))
def test_operators(package: str, name: str, expected: list[str]) -> None:
    cls = load(package, name)
    assert [key for key in expected if getattr(cls, key, None) is getattr(object, key, None)] == []


@pytest.mark.parametrize(("package", "name", "expected"), cases("attributes"))
def test_attributes_of_instances(package: str, name: str, expected: list[str]) -> None:
    instance = INSTANCES[name]()
    assert isinstance(instance, load(package, name))
    assert [key for key in expected if not hasattr(instance, key)] == []


def test_names_without_a_list() -> None:
    """Names that scripts import from modules whose lists do not have them."""
    from geminga.data.utils import get_irfs_features
    from geminga.irf.io import COMMON_IRF_HEADERS, IRF_DL3_HDU_SPECIFICATION

    assert get_irfs_features is load("data", "get_irfs_features")
    for tag, entry in IRF_DL3_HDU_SPECIFICATION.items():
        assert set(entry) == {"extname", "column_name", "mandatory_keywords"}
        assert entry["mandatory_keywords"].items() > COMMON_IRF_HEADERS.items()
        assert entry["mandatory_keywords"]["HDUCLAS4"] == tag.upper()
    assert IRF_DL3_HDU_SPECIFICATION["psf_king"]["column_name"] == {"gamma": "GAMMA", "sigma": "SIGMA"}
