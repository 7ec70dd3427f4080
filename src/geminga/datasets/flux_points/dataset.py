"""`FluxPointsDataset`: flux points with a mask, models and a likelihood."""

from __future__ import annotations

import logging
from typing import Any, ClassVar

import astropy.units as u
import numpy as np
from numpy.typing import NDArray

from geminga.datasets.base import Dataset, ModelledDataset, make_name
from geminga.datasets.flux_points import plot
from geminga.datasets.info import line, model_lines
from geminga.datasets.io import flux_points as files
from geminga.datasets.residuals import METHODS
from geminga.errors import DataError, GeometryError, InputError, UnsupportedError
from geminga.flux import FluxPoints
from geminga.forward.flux_points import make_flux_term, point_plan
from geminga.forward.point_statistics import STATISTICS
from geminga.modeling.models import DatasetModels

__all__ = ["FluxPointsDataset"]

log = logging.getLogger(__name__)

Mask = NDArray[np.bool_]

_OPTIONS = {"interp_scale", "extrapolate"}


class FluxPointsDataset(ModelledDataset):
    """Flux points with models, to be fitted alone or together with other datasets.

    Parameters
    ----------
    models : Models, list of models or model, optional
        Models; those restricted to other datasets, and those which predict counts only, are left out.
    data : FluxPoints
        Flux points.
    mask_fit, mask_safe : array or Map of bool, optional
        Points to be fitted, and points fit for use, of the shape of the data.
    name : str, optional
        Name; random if not given.
    meta_table : Table, optional
        Meta data.
    stat_type : {"chi2", "distrib", "profile"}
        Fit statistic: of measured points with their errors; with lower and upper errors and upper limits; from the profiles of
        the fit statistic of each point.
    stat_kwargs : dict, optional
        Options of the fit statistic: ``extrapolate`` for ``profile``. ``interp_scale`` is accepted and has no effect.

    Raises
    ------
    InputError
        If `data` are no flux points, or the statistic is unknown or needs profiles which they do not have.
    GeometryError
        If a mask has another shape.

    Notes
    -----
    A point is predicted by the models' differential flux at its reference energy. Courses in time are averaged over the time
    interval of the point, or over the good time intervals if there is no time axis.

    Examples
    --------
    >>> import astropy.units as u
    >>> from astropy.table import QTable
    >>> from geminga.datasets import FluxPointsDataset
    >>> from geminga.estimators import FluxPoints
    >>> from geminga.modeling import Fit
    >>> from geminga.modeling.models import PowerLawSpectralModel, SkyModel
    >>> unit = u.Unit("cm-2 s-1 TeV-1")
    >>> table = QTable({"e_ref": [1, 3, 10] * u.TeV, "dnde": [1e-12, 1.1e-13, 1e-14] * unit})
    >>> table["dnde_err"] = 0.1 * table["dnde"]
    >>> model = SkyModel(PowerLawSpectralModel(), name="source")
    >>> dataset = FluxPointsDataset(data=FluxPoints.from_table(table), models=model, name="points")
    >>> result = Fit().run(dataset)
    >>> round(model.spectral_model.index.value, 3)
    2.0
    """

    tag = "FluxPointsDataset"
    stat_types: ClassVar[tuple[str, ...]] = tuple(STATISTICS)

    def __init__(
        self,
        models: Any = None,
        data: Any = None,
        mask_fit: Any = None,
        mask_safe: Any = None,
        name: str | None = None,
        meta_table: Any = None,
        stat_type: str = "chi2",
        stat_kwargs: dict[str, Any] | None = None,
    ) -> None:
        self._name = make_name(name)
        if not isinstance(data, FluxPoints):
            msg = f"{self.tag} {self._name!r}: data are {data!r}; expected FluxPoints, such as FluxPoints.read(filename)."
            raise InputError(msg)
        self._data = data
        self.meta_table = meta_table
        self.stat_kwargs = dict(stat_kwargs or {})
        self.stat_type = stat_type
        self.mask_safe = mask_safe
        self.mask_fit = mask_fit
        self.models = models

    # Data and masks

    @property
    def data(self) -> Any:
        """Flux points (`FluxPoints`)."""
        return self._data

    @property
    def gti(self) -> Any:
        """Good time intervals of the flux points."""
        return self._data.gti

    @property
    def _geom(self) -> Any:
        return self._data.geom

    def data_shape(self) -> tuple[int, ...]:
        """Shape of the flux points: number of energies, after those of further axes."""
        return tuple(int(n) for n in self._geom.data_shape[:-2])

    def _as_mask(self, value: Any, what: str) -> Mask | None:
        """Mask as an array of the shape of the data."""
        if value is None:
            return None
        mask = np.asarray(getattr(value, "frozen_data", value))
        shape = tuple(int(n) for n in self._geom.data_shape)
        if mask.dtype != bool:
            msg = f"{self.tag} {self.name!r}: {what} holds {mask.dtype}; expected bool."
            raise DataError(msg)
        if mask.shape not in {shape, shape[:-2]}:
            msg = f"{self.tag} {self.name!r}: {what} has the shape {mask.shape}; expected {shape}, or {shape[:-2]}."
            raise GeometryError(msg)
        return mask.reshape(shape).copy()

    @property
    def mask_valid(self) -> Mask:
        """Points of which the fit statistic can make something, array of bool of the shape of the data."""
        return STATISTICS[self.stat_type].valid(self._data)

    @property
    def mask_safe(self) -> Any:
        """Points fit for use among those of `mask_valid`, array of bool of the shape of the data."""
        return self.mask_valid if self._mask_safe is None else self._mask_safe & self.mask_valid

    @mask_safe.setter
    def mask_safe(self, value: Any) -> None:
        self._mask_safe = self._as_mask(value, "mask_safe")

    @property
    def mask_fit(self) -> Any:
        """Points to be fitted, array of bool of the shape of the data, or ``None``."""
        return self._mask_fit

    @mask_fit.setter
    def mask_fit(self, value: Any) -> None:
        self._mask_fit = self._as_mask(value, "mask_fit")

    # Statistic and models

    @property
    def available_stat_type(self) -> list[str]:
        """Names of the fit statistics."""
        return list(self.stat_types)

    @property
    def stat_type(self) -> str:
        """Name of the fit statistic.

        Raises
        ------
        InputError
            On setting a name that is unknown, or ``profile`` for flux points without profiles.
        """
        return self._stat_type

    @stat_type.setter
    def stat_type(self, value: str) -> None:
        unknown = set(self.stat_kwargs) - _OPTIONS
        if unknown:
            names = ", ".join(sorted(unknown))
            msg = f"{self.tag} {self._name!r}: stat_kwargs {names} not known; known: extrapolate, interp_scale."
            raise InputError(msg)
        if value in STATISTICS:
            STATISTICS[value].valid(self._data)  # refuses data which it can make nothing of
        Dataset.stat_type.fset(self, value)  # type: ignore[attr-defined]

    def _own_models(self, models: Any) -> Any:
        """Models of fluxes: templates and background models predict counts."""
        return DatasetModels([model for model in models if hasattr(model, "apply_irf")])

    def _require_models(self) -> None:
        if not self._models:
            msg = f"{self.tag} {self.name!r} has no models; set dataset.models first."
            raise DataError(msg)

    def _term(self, keep: Mask, with_statistic: bool = True) -> Any:
        """Likelihood term of some of the points."""
        self._require_models()
        plan = point_plan(self._data, keep)
        if plan.times is None and any(model.temporal_model is not None for model in self._models):
            log.warning(
                "%s %r has neither a time axis nor good time intervals: temporal models are not applied.", self.tag, self.name
            )
        terms = STATISTICS[self.stat_type].terms(self._data, keep, self.stat_kwargs) if with_statistic else _no_terms
        return make_flux_term(plan, list(self._models), terms)

    def likelihood(self) -> Any:
        """Term of the likelihood for `geminga.modeling.Fit`.

        Raises
        ------
        DataError
            If there are no models, or no point is left to fit.
        """
        mask = self.mask
        if not mask.any():
            msg = (
                f"{self.tag} {self.name!r}: none of the {mask.size} points can be fitted with stat_type {self.stat_type!r}; "
                f"{int(self.mask_valid.sum())} are valid for it. Upper limits enter with 'distrib' or 'profile'; see mask_valid, "
                "mask_safe and mask_fit."
            )
            raise DataError(msg)
        return self._term(mask)

    def flux_pred(self) -> u.Quantity:
        """Differential flux of the models at each point.

        Returns
        -------
        flux : Quantity
            Of the shape of the data, cm-2 s-1 TeV-1.

        Raises
        ------
        DataError
            If there are no models.
        """
        everywhere = np.ones(self._geom.data_shape, dtype=bool)
        term = self._term(everywhere, with_statistic=False)
        flux, _ = term.predict(_values(term))
        return u.Quantity(flux.reshape(self._geom.data_shape), "cm-2 s-1 TeV-1")

    def stat_array(self) -> Any:
        """Fit statistic of each point, of the shape of the data, NaN for points outside `mask_valid`."""
        valid = self.mask_valid
        term = self._term(valid)
        out = np.full(self._geom.data_shape, np.nan)
        flux, _ = term.predict(_values(term))
        out[valid] = term.terms(flux)[0]
        return out

    def stat_sum(self) -> float:
        """Fit statistic summed over the points of `mask`."""
        return float(self.stat_array()[self.mask].sum())

    def residuals(self, method: str = "diff") -> Any:
        """Flux points minus prediction.

        Parameters
        ----------
        method : {"diff", "diff/model"}
            As it is, or relative to the prediction.

        Returns
        -------
        residuals : Quantity
            Of the shape of the data; NaN where there is no value or it is an upper limit.

        Raises
        ------
        InputError
            If the method is unknown.
        """
        if method not in METHODS:
            msg = f"residuals: method {method!r} is unknown; choose one of {', '.join(METHODS)}."
            raise InputError(msg)
        data, model = self._data.dnde.quantity, self.flux_pred()
        with np.errstate(divide="ignore", invalid="ignore"):
            values = u.Quantity(METHODS[method](data, model))
        return np.where(self._data.is_ul.frozen_data, np.nan, values)

    # Parts and summaries

    def slice_by_energy(self, energy_min: Any, energy_max: Any, name: str | None = None) -> Any:
        """Keep the points between two energies, which are rounded to the nearest edges.

        Parameters
        ----------
        energy_min, energy_max : Quantity or str
            Energies.
        name : str, optional
            Name of the result; random if not given.

        Returns
        -------
        dataset : FluxPointsDataset
            Without models.
        """
        data = self._data.slice_by_energy(energy_min, energy_max)
        first = int(self._geom.axes["energy"].coord_to_idx(data.energy_ref[0])[0])
        where = [slice(None)] * len(self._geom.data_shape)
        where[self._geom.axes.index_data("energy")] = slice(first, first + data.energy_axis.nbin)
        masks = {
            n: None if m is None else m[tuple(where)]
            for n, m in {"mask_safe": self._mask_safe, "mask_fit": self._mask_fit}.items()
        }
        return type(self)(
            data=data, name=name, meta_table=self.meta_table, stat_type=self.stat_type, stat_kwargs=self.stat_kwargs, **masks
        )

    @property
    def energy_range_total(self) -> tuple[u.Quantity, u.Quantity]:
        """Lowest and highest energy of the points in the mask."""
        axis, mask = self._geom.axes["energy"], self.mask
        used = mask.any(axis=tuple(i for i in range(mask.ndim) if i != self._geom.axes.index_data("energy")))
        if not used.any():
            return u.Quantity(np.nan, axis.unit), u.Quantity(np.nan, axis.unit)
        return axis.edges_min[used][0], axis.edges_max[used][-1]

    def info_dict(self, in_safe_data_range: bool = True) -> dict[str, Any]:
        """Numbers of the dataset.

        Parameters
        ----------
        in_safe_data_range : bool
            No effect.
        """
        mask = self.mask
        return {
            "name": self.name,
            "n_bins": int(mask.size),
            "n_fit_bins": int(np.count_nonzero(mask)),
            "stat_type": self.stat_type,
            "stat_sum": self.stat_sum() if self.has_statistic else np.nan,
        }

    def to_masked(self, name: str | None = None, nan_to_num: bool = True) -> Any:
        """Not offered; raises `UnsupportedError`."""
        msg = f"{self.tag} {self.name!r}: flux points cannot be stacked; fit the datasets together, or join bins with "
        msg += "FluxPoints.resample_axis."
        raise UnsupportedError(msg)

    def __str__(self) -> str:
        info = self.info_dict()
        title = type(self).__name__
        lines = [title, "-" * len(title), "", line("Name", info["name"]), ""]
        lines += [line("Number of total flux points", info["n_bins"]), line("Number of fit bins", info["n_fit_bins"]), ""]
        lines += [line("Fit statistic type", info["stat_type"])]
        lines += [line("Fit statistic value (-2 log(L))", f"{info['stat_sum']:.2f}"), ""]
        lines += model_lines(self.models)
        return "\n".join(one.rstrip() for one in lines).rstrip("\n") + "\n\n"

    read = classmethod(files.read)
    from_dict = classmethod(files.from_dict)
    write = files.write
    to_files = files.to_files

    plot_fit = plot.plot_fit
    plot_residuals = plot.plot_residuals
    plot_spectrum = plot.plot_spectrum


def _values(term: Any) -> NDArray[np.float64]:
    return np.array([parameter.value for parameter in term.parameters], dtype=float)


def _no_terms(flux: NDArray[np.float64]) -> Any:
    return flux, flux, flux
