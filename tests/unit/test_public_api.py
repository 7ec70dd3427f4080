"""Public names, signatures and members equal those of gammapy 2.1, and importing them is light.

``tests/data/api_contract.json`` holds, for each class of gammapy 2.1, its signatures (``name=default`` in order), the names of
its other members with the operators, its tag, and the parameters of models with their defaults.
"""

from __future__ import annotations

import importlib
import inspect
import json
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import optional_packages

CONTRACT: dict[str, Any] = json.loads((Path(__file__).parents[1] / "data" / "api_contract.json").read_text())
PACKAGES = sorted(CONTRACT)


# Where a default differs on purpose.
DELIBERATE = {
    ("AnalysisConfig", "signature"),  # parts of a configuration print otherwise; tests/unit/analysis compares the defaults
    ("Fit", "signature"),  # our own optimiser is the default backend
    ("MapDatasetMetaData", "signature"),  # a fresh creation record for each
    ("FluxMetaData", "signature"),  # the same
    ("MapDatasetOnOff.pad", "signature"),  # gammapy's takes nothing and always fails
    ("TemplateSpatialModel", "parameters"),  # a number before there is a map, not NaN; the centre of the map once there is one
}


def public(package: str) -> list[str]:
    return list(getattr(importlib.import_module(f"geminga.{package}"), "__all__", []))


def load(package: str, name: str) -> Any:
    return getattr(importlib.import_module(f"geminga.{package}"), name)


def cases(kind: str) -> list[Any]:
    return [
        pytest.param(package, name, id=f"{package}.{name}")
        for package in PACKAGES
        for name in CONTRACT[package][kind]
        if name in public(package)
    ]


def show_default(value: Any) -> str:
    """Default as it stands in the contract: addresses and float noise removed."""
    return re.sub(r"\s+", " ", re.sub(r" at 0x[0-9a-f]+", "", repr(value)))


def show_signature(function: Any, skip_first: bool) -> list[str]:
    """Parameters as ``name=default``, without keyword-only ones: those are ours in addition."""
    shown: list[str] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            continue
        star = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        default = "" if parameter.default is inspect.Parameter.empty else f"={show_default(parameter.default)}"
        shown.append(f"{star}{parameter.name}{default}")
    return shown[1:] if skip_first else shown


def accepts(ours: str, expected: str) -> bool:
    """Same name and default; a default where gammapy demands a value is welcome."""
    return ours == expected or ("=" not in expected and ours.startswith(f"{expected}="))


def differences(where: str, function: Any, expected: list[str], skip_first: bool = False) -> list[str]:
    """What keeps a call that works in gammapy from working here; more than that may be accepted."""
    shown = show_signature(function, skip_first)
    if (where, "signature") in DELIBERATE:
        return []
    ours = [p for p in shown if p in expected or not p.startswith("*")]
    extra = ours[len(expected) :]
    is_more = all("=" in p for p in extra) and not any(p.startswith("*") for p in expected)
    if len(ours) >= len(expected) and all(map(accepts, ours, expected)) and (is_more or not extra):
        return []
    return [f"{where}({', '.join(shown)}), expected ({', '.join(expected)})"]


def show_parameter(parameter: Any) -> str:
    """Name, value, unit and settings of a parameter, those left out which are as usual."""
    is_bounded = not (math.isnan(parameter.min) and math.isnan(parameter.max))
    shown = [
        f"{parameter.name} = {parameter.value:.6g}",
        str(parameter.unit),
        "frozen" if parameter.frozen else "",
        f"[{parameter.min:g}, {parameter.max:g}]" if is_bounded else "",
        "" if parameter.interp == "lin" else f"interp={parameter.interp}",
    ]
    return " ".join(part for part in shown if part)


def parameter_differences(cls: Any, where: str, expected: list[str]) -> list[str]:
    """Parameters of a model which are others, in another order or with other defaults."""
    ours = [show_parameter(parameter) for parameter in cls.default_parameters]
    if (where, "parameters") in DELIBERATE:
        ours, expected = ([one.split()[0] for one in shown] for shown in (ours, expected))
    return [] if ours == expected else [f"{where} has the parameters {ours}, expected {expected}"]


def method_differences(cls: type, where: str, methods: dict[str, list[str]]) -> list[str]:
    found = []
    for name, expected in methods.items():
        raw = inspect.getattr_static(cls, name, None)
        if raw is None:
            found.append(f"{where}.{name} is missing")
            continue
        is_bound = isinstance(raw, classmethod | staticmethod)
        found += differences(f"{where}.{name}", getattr(cls, name), expected, skip_first=not is_bound)
    return found


# Names that this version offers; a name may be added, and none may go.
STAGE: dict[str, list[str]] = json.loads((Path(__file__).parents[1] / "data" / "public_names.json").read_text())


@pytest.mark.parametrize("package", sorted(STAGE))
def test_public_names_are_kept(package: str) -> None:
    assert set(STAGE[package]) - set(public(package)) == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_loads(package: str) -> None:
    module = importlib.import_module(f"geminga.{package}")
    assert dir(module) == sorted(module.__all__)
    for name in module.__all__:
        assert getattr(module, name) is not None


@pytest.mark.parametrize(("package", "name"), cases("classes"))
def test_class_follows_contract(package: str, name: str) -> None:
    cls, contract = load(package, name), CONTRACT[package]["classes"][name]
    found = differences(name, cls, contract["signature"])
    found += method_differences(cls, name, contract["methods"])
    found += [f"{name}.{member} is missing" for member in contract["members"] if not hasattr(cls, member)]
    if "parameters" in contract:
        found += parameter_differences(cls, name, contract["parameters"])
    if "tag" in contract and cls.tag != contract["tag"]:
        found.append(f"{name} has the tag {cls.tag}, expected {contract['tag']}")
    assert found == []


@pytest.mark.parametrize(("package", "name"), cases("functions"))
def test_function_follows_contract(package: str, name: str) -> None:
    assert differences(name, load(package, name), CONTRACT[package]["functions"][name]) == []


def run_with_all_names(before: str, after: str) -> subprocess.CompletedProcess[str]:
    """Load every public name in a new process."""
    code = (
        f"import importlib, sys\n{before}\n"
        f"for name in {['geminga', *(f'geminga.{package}' for package in PACKAGES)]!r}:\n"
        "    module = importlib.import_module(name)\n"
        "    [getattr(module, public) for public in module.__all__]\n"
        f"{after}\n"
    )
    return subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)


def test_import_does_not_load_matplotlib() -> None:
    done = run_with_all_names("", "sys.exit('matplotlib' in sys.modules)")
    assert done.returncode == 0, done.stderr or "matplotlib was imported"


def test_no_public_name_needs_an_extra() -> None:
    """What needs one says so when it is used; the tests of those parts have the messages."""
    hidden = optional_packages()
    assert {"emcee", "ultranest", "naima", "distributed", "plotly", "jinja2"} <= set(hidden)
    done = run_with_all_names(f"sys.modules |= dict.fromkeys({hidden!r})", "")
    assert done.returncode == 0, done.stderr


def test_every_package_has_a_page() -> None:
    index = (Path(__file__).parents[2] / "docs" / "api" / "index.rst").read_text()
    assert [package for package in PACKAGES if f"   generated/geminga.{package}\n" not in index] == []
