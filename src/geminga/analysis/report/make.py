"""From an analysis to its report: what is missing is estimated first."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

from geminga.analysis.report.content import sources
from geminga.analysis.report.page import render
from geminga.errors import GemingaError, InputError
from geminga.utils.files import file_path, write_files

__all__ = ["completed", "report"]


#: Sources of which spectra are estimated, at most.
_MOST = 6


def completed(analysis: Any) -> tuple[Any, list[Any], list[str]]:
    """Copy of an analysis with a light curve, the spectra of its sources, and sentences on what could not be made."""
    full = copy.copy(analysis)
    full.config = analysis.config.model_copy(deep=True)
    names = [model.name for model in sources(full.datasets.models)]
    if not names:
        return full, [], ["There are no models of sources, so there is no spectrum and no light curve."]
    spectra, notes = _spectra(full, names)
    settings = full.config.light_curve
    settings.source = settings.source if settings.source in names else names[0]
    is_long = len(full.datasets) > 1 or settings.time_intervals.start is not None
    if full.light_curve is None and is_long:
        _try(full.get_light_curve, "The light curve", notes)
    return full, spectra, notes


def _spectra(full: Any, names: list[str]) -> tuple[list[Any], list[str]]:
    """Flux points of all sources, those which are there and new ones."""
    spectra: list[Any] = []
    notes: list[str] = []
    given = full.flux_points
    known = {} if given is None else {given.models[0].name: given}
    for name in names[:_MOST]:
        full.config.flux_points.source = name
        full.flux_points = known.get(name)
        if full.flux_points is None:
            _try(full.get_flux_points, f"The spectrum of {name!r}", notes)
        if full.flux_points is not None:
            spectra.append(full.flux_points)
    if len(names) > _MOST:
        notes.append(f"Spectra are those of the first {_MOST} of {len(names)} sources.")
    full.flux_points = given
    return spectra, notes


def _try(step: Callable[[], None], what: str, notes: list[str]) -> None:
    try:
        step()
    except GemingaError as error:
        notes.append(f"{what} could not be made: {error}")


def report(self: Any, filename: str | Path = "report.html", overwrite: bool = False, *, title: str = "Analysis") -> Path:
    """Write a report: one HTML page with all figures in it, which needs no network.

    It shows the data, the models, the fit with its statistic, correlations and residuals, the spectrum, the light curve (of
    several datasets) and slices of maps, and where all that comes from. Spectra and light curve which are not there yet are
    estimated; the analysis itself stays as it is.

    Parameters
    ----------
    filename : str or Path
        File.
    overwrite : bool
        Replace it.
    title : str
        Title of the page.

    Returns
    -------
    path : Path
        File written.

    Raises
    ------
    OrderError
        If there are no datasets.
    FileExistsRefusal
        If the file exists and `overwrite` is false; nothing is computed then.
    MissingDependencyError
        If jinja2 or plotly is not installed (extra ``report``).
    """
    path = file_path(filename)
    if path.is_dir():
        msg = f"Analysis.report: {path} is a folder; expected the name of a file such as 'report.html'."
        raise InputError(msg)
    if path.exists() and not overwrite:
        write_files({path: b""}, overwrite=False)  # refuses, before anything is computed
    full, spectra, notes = completed(self) if self.datasets else (self, [], [])
    write_files({path: render(full, spectra, title, notes).encode("utf-8")}, overwrite=overwrite)
    return path
