"""The page of a report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from types import ModuleType
from typing import Any

from geminga.analysis.report import content, interactive, plot
from geminga.analysis.report.content import Table
from geminga.analysis.report.plot import Picture
from geminga.errors import GemingaError, MissingDependencyError, OrderError
from geminga.estimators import ExcessMapEstimator

__all__ = ["render"]

#: Datasets of which figures are drawn, at most.
_MOST = 6


@dataclass
class _Page:
    """What the template shows."""

    title: str
    data: Table
    models: Table | None = None
    statistics: Table | None = None
    diagnosis: list[str] = field(default_factory=list)
    provenance: Table | None = None
    config: str = ""
    data_pictures: list[Picture] = field(default_factory=list)
    fit_pictures: list[Picture] = field(default_factory=list)
    product_pictures: list[Picture] = field(default_factory=list)
    figures: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, what: str, make: Callable[[], Any], into: list[Any]) -> None:
        """Add what `make` gives, or a note why it cannot be made."""
        try:
            made = make()
        except GemingaError as error:
            if isinstance(error, MissingDependencyError):
                raise
            self.notes.append(f"{what} is not shown: {error}")
            return
        into.extend(made if isinstance(made, list) else [] if made is None else [made])


def _jinja() -> ModuleType:
    try:
        import jinja2
    except ImportError as error:
        msg = "A report needs the package jinja2; install it with: pip install 'geminga[report]'."
        raise MissingDependencyError(msg) from error
    return jinja2


def _is_map(dataset: Any) -> bool:
    return dataset.counts is not None and not dataset.counts.geom.is_region


def _add_dataset(page: _Page, dataset: Any, radius: Any) -> None:
    """Figures of a dataset: spectrum with residuals, or maps of what the models leave."""
    if not _is_map(dataset):
        if dataset.models:
            page.add(f"Spectrum of {dataset.name}", lambda: plot.spectrum_picture(dataset), page.fit_pictures)
        return
    sources = content.sources(dataset.models)

    def pictures() -> list[Picture]:
        return plot.map_pictures(ExcessMapEstimator(radius).run(dataset), sources, dataset.name)

    def slices() -> tuple[str, str]:
        edges = dataset.counts.geom.axes["energy"].edges
        residual = ExcessMapEstimator(radius, energy_edges=edges).run(dataset).sqrt_ts
        return f"Maps of {dataset.name}", interactive.maps_figure(dataset.counts, residual)

    page.add(f"Significance of {dataset.name}", pictures, page.fit_pictures)
    page.add(f"Maps of {dataset.name}", slices, page.figures)


def _add_spectrum(page: _Page, spectrum: Any) -> None:
    points, model = spectrum.data, spectrum.models[0]
    what = f"Spectrum of {model.name}"
    page.add(what, lambda: (what, interactive.sed_figure(points, model)), page.figures)
    page.add(what, lambda: plot.sed_picture(points, model), page.product_pictures)


def _add_light_curve(page: _Page, curve: Any, name: str) -> None:
    what = f"Light curve of {name}"
    page.add(what, lambda: (what, interactive.light_curve_figure(curve)), page.figures)
    page.add(what, lambda: plot.light_curve_picture(curve, name), page.product_pictures)


def render(analysis: Any, spectra: Sequence[Any], title: str, notes: Sequence[str] = ()) -> str:
    """HTML page of an analysis.

    Parameters
    ----------
    analysis : Analysis
        With datasets; models, fit and light curve are shown as far as they are there.
    spectra : sequence of FluxPointsDataset
        Spectra, each with its model.
    title : str
        Title.
    notes : sequence of str
        Sentences on what is missing.

    Raises
    ------
    OrderError
        If there are no datasets.
    MissingDependencyError
        If jinja2 or plotly is not installed.
    """
    jinja = _jinja()
    if not analysis.datasets:
        msg = "A report needs datasets; call get_datasets() or read_datasets() first."
        raise OrderError(msg)
    datasets, models = analysis.datasets, analysis.datasets.models
    page = _Page(title, content.data_table(datasets), notes=list(notes))
    if models:
        page.models, page.statistics = content.models_table(models), content.statistics_table(datasets)
        page.diagnosis = content.diagnosis(models, analysis.fit_result)
        page.add("Correlations", lambda: plot.correlation_picture(models), page.fit_pictures)
    for spectrum in spectra:
        _add_spectrum(page, spectrum)
    if analysis.light_curve is not None:
        _add_light_curve(page, analysis.light_curve, analysis.config.light_curve.source)
    for dataset in list(datasets)[:_MOST]:
        _add_dataset(page, dataset, analysis.config.excess_map.correlation_radius)
    if len(datasets) > _MOST:
        page.notes.append(f"Figures are of the first {_MOST} of {len(datasets)} datasets.")
    page.provenance, page.config = content.provenance(analysis), analysis.config.to_yaml()
    text = files("geminga.analysis.report").joinpath("report.html.j2").read_text(encoding="utf-8")
    environment = jinja.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja.StrictUndefined)
    script = jinja.utils.markupsafe.Markup(interactive.library()) if page.figures else ""
    rendered: str = environment.from_string(text).render(page=page, script=script)
    return rendered
