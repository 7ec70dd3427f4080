"""The report on the installation."""

from __future__ import annotations

import os
from importlib.metadata import version
from pathlib import Path

import pytest

from geminga.utils.check import check_tutorials_setup


def report(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    check_tutorials_setup(*arguments)
    return capsys.readouterr().out


def test_sections_and_versions(capsys: pytest.CaptureFixture[str]) -> None:
    text = report(capsys)
    titles = [line for line in text.splitlines() if line and line[0] not in " \t"]
    assert titles == ["System:", "Geminga package:", "Other packages:", "Geminga environment variables:"]
    assert f"numpy                  : {version('numpy')}" in text


def test_data_folder_as_it_is_set(capsys, monkeypatch) -> None:
    monkeypatch.setenv("GAMMAPY_DATA", "/some/folder")
    assert "GAMMAPY_DATA           : /some/folder" in report(capsys)


def test_data_folder_not_set(capsys, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GAMMAPY_DATA", raising=False)
    assert "not set" in report(capsys, str(tmp_path / "missing"))
    assert "GAMMAPY_DATA" not in os.environ


def test_data_folder_that_exists_is_taken(capsys, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GAMMAPY_DATA", "")
    monkeypatch.delenv("GAMMAPY_DATA")
    assert str(tmp_path) in report(capsys, str(tmp_path))
