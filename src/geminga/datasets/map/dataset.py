"""`MapDataset`: state, properties and a table of contents; the work is done in the modules it binds functions from."""

from __future__ import annotations

import copy as copying
from typing import Any, ClassVar

from geminga.datasets import checks, create, info, masks, plot, prediction, products, residuals, stack, transform
from geminga.datasets.base import ModelledDataset, make_name
from geminga.datasets.io import gadf
from geminga.datasets.metadata import MapDatasetMetaData
from geminga.datasets.products import MaskMap, Plain, RecoMap, Response, TrueMap, parts_of
from geminga.datasets.simulate import counts as counts_simulation
from geminga.errors import DataError, GeometryError, InputError
from geminga.forward import predict

__all__ = ["MapDataset"]


class MapDataset(ModelledDataset):
    """Binned counts with background, exposure, responses, masks and models.

    Parameters
    ----------
    models : Models, list of models or model, optional
        Those restricted to other datasets are left out.
    counts : Map, optional
        Counts, axis ``energy``.
    exposure : Map, optional
        Exposure in cm2 s or an equivalent unit, axis ``energy_true``.
    background : Map, optional
        Expected background counts, on the geometry of `counts`.
    psf : PSFMap, optional
        Point spread function.
    edisp : EDispKernelMap or EDispMap, optional
        Energy dispersion.
    mask_safe, mask_fit : Map, optional
        Boolean maps on the geometry of `counts`: bins fit for use, and bins to be fitted among them.
    gti : GTI, optional
        Good time intervals.
    meta_table : Table, optional
        Table of the observations.
    name : str, optional
        Name; random if not given.
    meta : MapDatasetMetaData, optional
        Meta data.
    stat_type : {"cash", "cash_weighted", "cstat"}
        Fit statistic.

    Raises
    ------
    GeometryError, DataError, InputError
        If a part is of the wrong type or on another geometry than the counts, or a mask is not boolean.

    Notes
    -----
    Nothing is cached: maps may be changed at any time, predictions follow.
    """

    tag = "MapDataset"
    stat_types: ClassVar[tuple[str, ...]] = ("cash", "cash_weighted", "cstat")
    spectrum_tag: ClassVar[str] = "SpectrumDataset"
    empty_maps: ClassVar[tuple[str, ...]] = ("counts", "background")
    checked_maps: ClassVar[tuple[str, ...]] = ("counts", "background", "exposure")

    counts = RecoMap("Binned counts (`Map`).")
    exposure = TrueMap("Exposure in true energy (`Map`).")
    background = RecoMap("Expected background counts, without the background model (`Map`).")
    psf = Response("psf_map", "Point spread function (`PSFMap`).")
    edisp = Response("edisp_map", "Energy dispersion (`EDispKernelMap` or `EDispMap`).")
    mask_safe = MaskMap("Bins fit for use (`Map` of bool).")
    mask_fit = MaskMap("Bins to be fitted (`Map` of bool).")

    def __init__(
        self,
        models: Any = None,
        counts: Any = None,
        exposure: Any = None,
        background: Any = None,
        psf: Any = None,
        edisp: Any = None,
        mask_safe: Any = None,
        mask_fit: Any = None,
        gti: Any = None,
        meta_table: Any = None,
        name: str | None = None,
        meta: Any = None,
        stat_type: str = "cash",
    ) -> None:
        given = {
            "counts": counts,
            "exposure": exposure,
            "background": background,
            "psf": psf,
            "edisp": edisp,
            "mask_safe": mask_safe,
            "mask_fit": mask_fit,
        }
        self._start(given, name=name, stat_type=stat_type, gti=gti, meta_table=meta_table, meta=meta, models=models)

    def _start(self, parts: dict[str, Any], name: str | None, stat_type: str, models: Any = None, **plain: Any) -> None:
        """Set the state; `parts` by name, counts first as the others are checked against them."""
        self._name = make_name(name)
        self._parts: dict[str, Any] = {}
        self._unread: set[str] = set()
        # Parts which another dataset has too; see `products.own_part`.
        self._shared: set[str] = set()
        self._source: Any = None
        problems = []
        for part, value in (parts | plain).items():
            try:
                setattr(self, part, value)
            except (GeometryError, DataError) as error:
                problems.append(error)
        if problems:
            raise type(problems[0])(" ".join(map(str, problems)))
        self.stat_type = stat_type
        self.models = models

    def _get_part(self, name: str) -> Any:
        """Value of a part; one that was not read yet comes from the file, with all others unless they shall not be kept."""
        if name not in self._unread:
            return self._parts.get(name)
        if not self._source.cache:
            return self._source.load({name}).get(name)
        self._parts |= self._source.load(self._unread)
        self._unread = set()
        return self._parts.get(name)

    def _set_part(self, name: str, value: Any) -> None:
        self._unread.discard(name)
        self._shared.discard(name)
        self._parts[name] = value

    def _read_later(self, source: Any) -> None:
        """Take all parts from `source`, a `gadf.DatasetFile`, when they are asked for."""
        self._source = source
        self._unread = set(source.names)

    gti = Plain("gti", "Good time intervals (`GTI`).")
    meta_table = Plain("meta_table", "Table of the observations.")

    @property
    def part_names(self) -> list[str]:
        """Names of all maps and responses this kind of dataset can have."""
        return list(parts_of(type(self)))

    @property
    def meta(self) -> Any:
        """Meta data (`MapDatasetMetaData`)."""
        if self._get_part("meta") is None:
            self._set_part("meta", MapDatasetMetaData())
        return self._get_part("meta")

    @meta.setter
    def meta(self, value: Any) -> None:
        self._set_part("meta", value)

    def _own_models(self, models: Any) -> Any:
        """Refuse more than one model of the background."""
        backgrounds = [model.name for model in models if "fov-bkg" in model.tag]
        if len(backgrounds) > 1:
            msg = f"{self.tag} {self.name!r}: {len(backgrounds)} background models {backgrounds}; a dataset takes one."
            raise InputError(msg)
        return models

    @property
    def background_model(self) -> Any:
        """Background model of this dataset, ``None`` if it has none."""
        return next((model for model in self._models or () if "fov-bkg" in model.tag), None)

    @property
    def _geom(self) -> Any:
        """Geometry of the first of counts, background and masks that there is."""
        for name in (*self.empty_maps, "mask_safe", "mask_fit"):
            value = self._get_part(name)
            if value is not None:
                return value.geom
        msg = f"{self.tag} {self.name!r} has neither counts, background nor masks, so its geometry is not known."
        raise DataError(msg)

    @property
    def geoms(self) -> dict[str, Any]:
        """Geometries of the maps: keys ``geom``, ``geom_exposure``, ``geom_psf``, ``geom_edisp``, of parts that exist."""
        geoms = {"geom": self._geom}
        named = {"exposure": self.exposure, "psf": self.psf, "edisp": self.edisp}
        return geoms | {f"geom_{n}": parts_of(type(self))[n].geom(value) for n, value in named.items() if value is not None}

    @property
    def data_shape(self) -> tuple[int, ...]:
        """Shape of the counts array (energy, lat, lon)."""
        return tuple(self._geom.data_shape)

    @property
    def mask_image(self) -> Any:
        """Image of the mask: true where it is at any energy."""
        return masks.image_of(self.mask)

    @property
    def mask_safe_image(self) -> Any:
        """Image of the safe mask: true where it is at any energy."""
        return masks.image_of(self.mask_safe)

    @property
    def mask_fit_image(self) -> Any:
        """Image of the fit mask: true where it is at any energy."""
        return masks.image_of(self.mask_fit)

    @property
    def energy_range(self) -> tuple[Any, Any]:
        """Maps of the lowest and highest energy in the mask, NaN where it is empty."""
        return masks.energy_range(self.mask, self._geom)

    @property
    def energy_range_safe(self) -> tuple[Any, Any]:
        """Maps of the lowest and highest energy in the safe mask, NaN where it is empty."""
        return masks.energy_range(self.mask_safe, self._geom)

    @property
    def energy_range_fit(self) -> tuple[Any, Any]:
        """Maps of the lowest and highest energy in the fit mask, NaN where it is empty."""
        return masks.energy_range(self.mask_fit, self._geom)

    energy_range_total = property(masks.energy_range_total)
    mask_safe_psf = property(masks.mask_safe_psf)
    mask_safe_edisp = property(masks.mask_safe_edisp)

    @property
    def excess(self) -> Any:
        """Counts minus background (`Map`)."""
        return self.counts - self.background

    excess_error = property(prediction.excess_error)

    @property
    def evaluators(self) -> dict[str, Any]:
        """Empty: predictions need no state. Kept for scripts that look at it."""
        return {}

    def reset_data_cache(self) -> None:
        """Do nothing: nothing is cached. Kept for scripts that call it."""

    def stat_array(self) -> Any:
        """Fit statistic of each bin, without the mask; shape of the counts."""
        return predict.stat_array(self)

    def stat_sum(self) -> float:
        """Fit statistic summed over the mask."""
        return float(predict.stat_sum(self))

    def likelihood(self) -> Any:
        """Term of the likelihood: ``parameters`` and ``evaluate(values, free, order)``."""
        return predict.likelihood(self)

    def copy(self, name: str | None = None) -> Any:
        """Copy of the dataset, with all its data but without its models.

        Parameters
        ----------
        name : str, optional
            Name of the copy; random if not given, as names are unique within a `Datasets`.
        """
        new = copying.copy(self)
        own = {part.name for part, _ in products.filled_parts(self)}
        new._parts = {name: value.copy() if name in own else copying.deepcopy(value) for name, value in self._parts.items()}
        new._unread, new._shared = set(self._unread), set()
        new._name, new._models = make_name(name), None
        return new

    def __getstate__(self) -> dict[str, Any]:
        """Everything in memory, also what was not read yet."""
        self._parts |= self._source.load(self._unread) if self._unread else {}
        self._unread = set()
        return self.__dict__

    npred = prediction.npred
    npred_background = prediction.npred_background
    npred_signal = prediction.npred_signal
    predicted_background = prediction.predicted_background

    info_sqrt_ts = info.cash_sqrt_ts
    info_dict = info.info_dict
    summary_extra = info.no_extra
    __str__ = info.summary
    validate = checks.validate
    _check_values = checks.check_values
    _faults = checks.faults

    # The name of the module is taken from here on, so this one comes last.
    from_geoms = classmethod(create.from_geoms)
    create = classmethod(create.create)

    cutout = transform.cutout
    downsample = transform.downsample
    pad = transform.pad
    resample_energy_axis = transform.resample_energy_axis
    slice_by_energy = transform.slice_by_energy
    slice_by_idx = transform.slice_by_idx
    to_image = transform.to_image
    to_masked = transform.to_masked
    to_region_map_dataset = transform.to_region_map_dataset
    to_spectrum_dataset = transform.to_spectrum_dataset
    check_stackable = stack.check_stackable
    stack = stack.stack

    fake = counts_simulation.fake
    to_asimov = counts_simulation.to_asimov
    expected_counts = prediction.npred
    residuals = residuals.residuals

    from_dict = classmethod(gadf.from_dict)
    from_hdulist = classmethod(gadf.from_hdulist)
    read = classmethod(gadf.read)
    to_files = gadf.to_files
    to_hdulist = gadf.to_hdulist
    write = gadf.write

    peek = plot.peek
    plot_residuals = plot.plot_residuals
    plot_residuals_spatial = plot.plot_residuals_spatial
    plot_residuals_spectral = plot.plot_residuals_spectral
