"""Fluxes from tables and to tables, in every SED type and layout."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from geminga.errors import FormatError, UnitError
from geminga.flux.covariance import other_axis
from geminga.flux.derived import scan_norms
from geminga.flux.io import lightcurve, profile  # noqa: F401  (register their layouts)
from geminga.flux.io.energy import quantity
from geminga.flux.io.registry import TableFormat, format_of_geom, format_of_table, get_format
from geminga.flux.io.scan import place_scan
from geminga.flux.quantities import FORMATS, OTHERS, SED_TYPES, SUFFIXES, SedType, find_sed_type, guess_sed_type
from geminga.flux.reference import RECORDED, as_sky_model, assume_default, model_through
from geminga.flux.select import quantity_maps
from geminga.maps import MapAxis, RegionGeom, RegionNDMap
from geminga.utils.units import as_quantity

__all__ = ["from_table", "to_table"]

log = logging.getLogger(__name__)

# The axis that quantities may have beside those of the fluxes.
_FURTHER_AXIS = {"stat_scan": "norm", "dnde_scan_values": "norm"}
_TRUTHS = ("is_ul", "success")
# Names of older files; they hold -ln L, half of the fit statistic.
_LOG_LIKELIHOODS = {"loglike": "stat", "loglike_null": "stat_null", "dloglike_scan": "stat_scan"}


def from_table(
    cls: Any,
    /,
    table: Any,
    sed_type: str | None = None,
    format: str | None = None,
    reference_model: Any = None,
    gti: Any = None,
) -> Any:
    """Make flux points from a table.

    Parameters
    ----------
    table : Table
        Table; ``SED_TYPE``, ``UL_CONF`` and the time reference are taken from its meta data.
    sed_type : {"dnde", "e2dnde", "flux", "eflux", "likelihood"}, optional
        Kind of the fluxes; by default that of the meta data, else that of which there is a column.
    format : {"gadf-sed", "lightcurve", "profile"}, optional
        Layout; found by the columns if not given.
    reference_model : SkyModel or SpectralModel, optional
        Reference; by default what the table records (``ref_dnde``), else a power law of index 2, which is noted in the log.
    gti : GTI, optional
        Good time intervals.

    Returns
    -------
    points : FluxPoints

    Raises
    ------
    FormatError
        If columns are missing or do not fit together, or the layout is not known.
    NameLookupError
        If the SED type is not known.
    UnitError
        If a column has a unit of another kind, or none.

    Examples
    --------
    >>> from astropy.table import QTable
    >>> import astropy.units as u
    >>> from geminga.flux import FluxPoints
    >>> table = QTable({"e_ref": [1, 10] * u.TeV, "dnde": [1e-11, 1e-13] * u.Unit("cm-2 s-1 TeV-1")})
    >>> points = FluxPoints.from_table(table, reference_model=None)
    >>> points.norm.data.ravel().round(3).tolist()
    [10.0, 10.0]
    """
    kind = _find_kind(table, sed_type)
    layout = format_of_table(table.colnames) if format is None else get_format(format)
    if layout.read_axes is None:
        msg = f"Flux table format {layout.name!r} can only be written; read 'lightcurve' instead."
        raise FormatError(msg)
    if format is not None and layout.marker not in table.colnames and layout.marker != "e_ref":
        msg = f"Flux table has no column {layout.marker!r}, which the format {layout.name!r} needs; it has {table.colnames}."
        raise FormatError(msg)
    if kind.prefix not in table.colnames:
        msg = f"Flux table has no column {kind.prefix!r}, which the SED type {kind.name!r} needs; it has {table.colnames}."
        raise FormatError(msg)
    geom = RegionGeom.create(None, axes=layout.read_axes(table))
    if kind.needs_edges and geom.axes["energy"].node_type != "edges":
        msg = f"Flux table has no columns 'e_min' and 'e_max' of bins that follow each other, which SED type {kind.name!r} needs."
        raise FormatError(msg)
    maps = _read_maps(table, geom, kind)
    recorded = maps.pop("ref_dnde", None)
    model, references = _reference(cls, maps, recorded, reference_model, kind)
    data = maps if recorded is None else maps | references
    if "stat_scan" in data:
        own = recorded if recorded is not None or reference_model is None else model
        place_scan(cls.__name__, table, data, own, data.get("ref_dnde", model))
    meta = dict(table.meta) | {"sed_type_init": kind.name}
    if "UL_CONF" in meta:
        meta["n_sigma_ul"] = np.round(-ndtri((1 - float(meta["UL_CONF"])) / 2), 1)
    if "N_SIGMA" in meta:
        meta["n_sigma"] = meta["N_SIGMA"]
    if "REGULAR" in meta:
        meta["regularization"] = float(meta["REGULAR"])
    return cls.from_maps(data, sed_type=kind.name, reference_model=model, gti=gti, meta=meta)


def _find_kind(table: Any, name: str | None) -> SedType:
    """Kind of the fluxes: as asked for, as the meta data say, or as there is a column."""
    if name is None:
        name = table.meta.get("SED_TYPE")
    if name is not None:
        return find_sed_type(name)
    kind = guess_sed_type(table.colnames)
    if kind is None:
        known = "dnde, e2dnde, flux, eflux, norm"
        msg = f"Flux table has neither the keyword SED_TYPE nor one of the columns {known}; it has {', '.join(table.colnames)}."
        raise FormatError(msg)
    return kind


def _cells(table: Any, name: str, shape: tuple[int, ...]) -> u.Quantity:
    """Column in the shape of the axes, perhaps with one further."""
    values = quantity(table, name)
    if len(shape) == 2 and shape[1] == 1 and values.ndim == 1:
        values = values[:, np.newaxis]
    if values.shape[: len(shape)] != shape or values.ndim > len(shape) + 1:
        msg = f"Column {name!r} has the shape {values.shape}; expected {shape} from the axes, perhaps with one further axis."
        raise FormatError(msg)
    return values


def _read_maps(table: Any, geom: Any, kind: SedType) -> dict[str, Any]:
    """Maps of all columns that are known."""
    fluxes = [kind.prefix + suffix for suffix in SUFFIXES]
    shape = tuple(int(n) for n in geom.data_shape[:-2])
    maps = {}
    for column in table.colnames:
        name = _LOG_LIKELIHOODS.get(column, column)
        if name not in fluxes and name not in OTHERS and name not in RECORDED:
            continue
        values = _cells(table, column, shape)
        if name in fluxes and values.unit == u.dimensionless_unscaled and kind.prefix != "norm":
            msg = f"Column {name!r} has no unit; expected one such as {kind.unit.to_string()!r}."
            raise UnitError(msg)
        if column in _LOG_LIKELIHOODS:
            values = 2 * values
        target = geom if values.ndim == len(shape) else _further(geom, name, values.shape[-1])
        data: NDArray[Any] = values.value[..., np.newaxis, np.newaxis]
        if name in _TRUTHS:
            data = np.nan_to_num(data) != 0
        maps[name] = RegionNDMap.from_geom(target, data=data, unit=values.unit)
    return maps


def _further(geom: Any, name: str, size: int) -> Any:
    """Geometry with one more axis, fastest in the data."""
    if _FURTHER_AXIS.get(name) == "norm":
        axis = MapAxis.from_nodes(np.arange(float(size)), name="norm", interp="lin")
    elif name == "correlation" and size == geom.axes["energy"].nbin:
        axis = other_axis(geom.axes["energy"])
    else:
        axis = MapAxis.from_edges(np.arange(size + 1) - 0.5, name="dataset")
    return RegionGeom.create(geom.region, axes=[axis, *geom.axes])


def _reference(cls: Any, maps: dict[str, Any], recorded: Any, given: Any, kind: SedType) -> tuple[Any, dict[str, Any]]:
    """Reference model, and the reference values of the table where these are in force."""
    others = {name: maps.pop(name) for name in RECORDED if name in maps}
    if given is not None:
        return as_sky_model(given), {}
    if recorded is not None:
        values = as_quantity(recorded.quantity, "cm-2 s-1 TeV-1", "ref_dnde")
        n_energy = recorded.geom.axes["energy"].nbin
        rows = values.reshape(-1, n_energy)
        known = np.isfinite(rows.value).all(axis=1)
        model = model_through(recorded.geom.axes["energy"].center, rows[int(np.argmax(known))])
        if model is not None:
            return model, {"ref_dnde": recorded, **others}
    if kind.prefix == "norm":
        msg = (
            "Flux table holds norms, but no reference: the column 'ref_dnde' is missing or has no positive value; add it, or "
            "give reference_model."
        )
        raise FormatError(msg)
    return assume_default(cls.__name__), {}


def to_table(self: Any, sed_type: str | None = None, format: str | None = None, formatted: bool = False) -> Any:
    """Table of the points.

    Parameters
    ----------
    sed_type : {"dnde", "e2dnde", "flux", "eflux", "likelihood"}, optional
        Kind of flux; that they were made from if not given.
    format : {"gadf-sed", "lightcurve", "binned-time-series", "profile"}, optional
        Layout; the one that fits the axes if not given.
    formatted : bool
        Show three digits.

    Returns
    -------
    table : Table
        Fluxes in the units of `geminga.flux.quantities`; ``is_ul`` is always there.

    Raises
    ------
    GeometryError
        If the layout does not fit the axes.
    InputError
        If energies have no bins, which the kind needs.
    FormatError, NameLookupError
        If layout or kind are not known.

    Examples
    --------
    >>> from geminga.flux import FluxPoints
    >>> from geminga.maps import MapAxis, RegionNDMap
    >>> from geminga.modeling.models import PowerLawSpectralModel
    >>> axis = MapAxis.from_energy_edges([1, 10, 100], unit="TeV")
    >>> points = FluxPoints({"norm": RegionNDMap.create(None, axes=[axis])}, PowerLawSpectralModel())
    >>> points.to_table(sed_type="flux").colnames
    ['e_ref', 'e_min', 'e_max', 'flux', 'is_ul']
    """
    from astropy.table import Table

    kind = find_sed_type(sed_type or self.sed_type_init or "likelihood")
    layout = format_of_geom(self.geom) if format is None else get_format(format)
    layout.require(self.geom)
    table = Table(layout.columns(self.geom))
    for name, values in _reference_columns(self, kind).items():
        table[name] = _cell_values(values, layout)
    for name, map_ in quantity_maps(self, kind.name).items():
        unit = kind.unit if name.startswith(kind.prefix) and name not in OTHERS else map_.unit
        values = map_.frozen_data if map_.is_mask else map_.quantity.to(unit)
        table[name] = _cell_values(values, layout)
    if self.has_stat_profiles:
        scan = self.stat_scan
        norms = np.broadcast_to(scan_norms(self), scan.geom.data_shape)
        table["norm_scan"] = _cell_values(np.array(norms), layout)
    if formatted:
        for name in table.colnames:
            if name in FORMATS and table[name].dtype.kind == "f":
                table[name].format = FORMATS[name]
    table.meta = _meta(self, kind) | layout.meta(self.geom)
    return table


def _cell_values(values: Any, layout: TableFormat) -> Any:
    """Values of a map without its pixel; in the layout with one energy without that, too."""
    values = values[..., 0, 0]
    return values[:, 0] if layout.squeeze and values.ndim > 1 else values


def _reference_columns(self: Any, kind: SedType) -> dict[str, Any]:
    """Reference values, for norms and wherever scans are relative to them."""
    if kind.prefix != "norm" and not self.has_stat_profiles:
        return {}
    names = ("dnde", "flux", "eflux") if self.is_convertible_to_flux_sed_type else ("dnde",)
    references = {name: self._reference(SED_TYPES[name]).to(SED_TYPES[name].unit) for name in names}
    return {f"ref_{n}": np.broadcast_to(v, self.geom.data_shape, subok=True).copy() for n, v in references.items()}


def _meta(self: Any, kind: SedType) -> dict[str, Any]:
    meta: dict[str, Any] = {"SED_TYPE": kind.name}
    if self.n_sigma_ul:
        meta["UL_CONF"] = round(float(1 - 2 * ndtr(-float(self.n_sigma_ul))), 7)
    if self.n_sigma != 1:
        meta["N_SIGMA"] = float(self.n_sigma)
    if self.meta.get("regularization"):
        meta["REGULAR"] = float(self.meta["regularization"])
    return meta
