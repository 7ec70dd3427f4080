"""Background of the whole field of view, with a norm from the counts outside of sources."""

from __future__ import annotations

import logging
from typing import Any, ClassVar

import numpy as np

from geminga.datasets.products import label
from geminga.datasets.replace import with_parts
from geminga.errors import DataError, FitError, InputError
from geminga.makers.background.measured import need_parts
from geminga.makers.base import Maker
from geminga.makers.masks import uniform_mask
from geminga.maps import Map
from geminga.modeling import Fit
from geminga.modeling.models import SPATIAL_MODEL_REGISTRY, SPECTRAL_MODEL_REGISTRY, FoVBackgroundModel, Models

__all__ = ["FoVBackgroundMaker"]

log = logging.getLogger(__name__)


class FoVBackgroundMaker(Maker):
    """Adjust the background of a dataset to its counts outside an exclusion region.

    Parameters
    ----------
    method : {"scale", "fit"}
        Scale by one number, the counts over the background; or fit the background model.
    exclusion_mask : Map, optional
        Map of bool, false where there are sources.
    spectral_model : SpectralModel or str
        Dimensionless spectrum of the background model, by tag or as a model; it is copied for each dataset.
    spatial_model : SpatialModel or str, optional
        Spatial factor of the background model.
    min_counts : int
        Counts outside the exclusion region that are needed at least.
    min_npred_background : float
        Background counts there that are needed at least.
    fit : Fit, optional
        Fit for the method ``"fit"``.

    Raises
    ------
    InputError
        If the method is unknown.

    Notes
    -----
    Where the norm cannot be determined (too few counts, a fit that fails), the safe mask is false everywhere, with a warning.

    Examples
    --------
    >>> from geminga.makers import FoVBackgroundMaker
    >>> FoVBackgroundMaker(method="fit").method
    'fit'
    """

    tag: ClassVar[str] = "FoVBackgroundMaker"
    available_methods: ClassVar[list[str]] = ["fit", "scale"]
    shown: ClassVar[tuple[str, ...]] = ("method", "min_counts", "min_npred_background", "fit")

    def __init__(
        self,
        method: str = "scale",
        exclusion_mask: Any = None,
        spectral_model: Any = "pl-norm",
        spatial_model: Any = None,
        min_counts: int = 0,
        min_npred_background: float = 0,
        fit: Any = None,
    ) -> None:
        self.method = method
        self.exclusion_mask = exclusion_mask
        self.min_counts, self.min_npred_background = min_counts, min_npred_background
        self.default_spectral_model = _model(spectral_model, SPECTRAL_MODEL_REGISTRY)
        self.default_spatial_model = _model(spatial_model, SPATIAL_MODEL_REGISTRY)
        self.fit = Fit() if fit is None else fit

    @property
    def method(self) -> str:
        """How the norm is determined."""
        return self._method

    @method.setter
    def method(self, value: str) -> None:
        if value not in self.available_methods:
            msg = f"Not a valid method for FoVBackgroundMaker: {value!r}; choose from {', '.join(self.available_methods)}."
            raise InputError(msg)
        self._method = value

    def make_default_fov_background_model(self, dataset: Any) -> Any:
        """Dataset with a new background model besides its models.

        Parameters
        ----------
        dataset : MapDataset
            Dataset; it is not changed.
        """
        model = FoVBackgroundModel(
            dataset_name=dataset.name,
            spectral_model=self.default_spectral_model.copy(),
            spatial_model=None if self.default_spatial_model is None else self.default_spatial_model.copy(),
        )
        new = with_parts(dataset)
        new.models = Models([*(dataset.models or ()), model])
        return new

    def make_exclusion_mask(self, dataset: Any) -> Any:
        """Exclusion mask on the geometry of a dataset, true where nothing is known.

        Parameters
        ----------
        dataset : MapDataset
            Dataset.
        """
        geom = dataset._geom
        if self.exclusion_mask is None:
            return uniform_mask(geom, True)
        mask = self.exclusion_mask
        if not mask.is_mask:
            msg = f"FoVBackgroundMaker: exclusion_mask has data of type {mask.frozen_data.dtype}; expected a map of bool."
            raise DataError(msg)
        if mask.geom == geom:
            return mask
        outside = mask.copy(data=~mask.frozen_data)
        image = geom.to_image() if outside.geom.is_image else geom
        excluded = outside.interp_to_geom(image).frozen_data
        return Map.from_geom(geom, data=np.broadcast_to(~excluded.astype(bool), geom.data_shape).copy(), dtype=bool)

    def _selected(self, dataset: Any) -> Any:
        """Bins, as an array of bool, that are safe and not excluded."""
        selected = self.make_exclusion_mask(dataset).frozen_data
        return selected if dataset.mask_safe is None else selected & dataset.mask_safe.frozen_data

    def _sums(self, dataset: Any) -> tuple[float, float, float]:
        """Counts, background and predicted counts of sources in the selected bins; zeros, with a warning, if they do not do."""
        where = self._selected(dataset)
        counts = float(dataset.counts.frozen_data[where].sum(dtype=float))
        background = float(dataset.predicted_background().frozen_data[where].sum(dtype=float))
        sources = [model for model in dataset.models or () if "fov-bkg" not in model.tag]
        signal = float(dataset.npred_signal().frozen_data[where].sum(dtype=float)) if sources else 0.0
        return counts, background, signal

    def _is_enough(self, dataset: Any, counts: float, background: float, signal: float) -> bool:
        reasons = {
            f"{counts:g} counts, at least {self.min_counts} are needed": counts <= self.min_counts,
            f"{background:g} background counts, more than {self.min_npred_background} are needed": not background
            > self.min_npred_background,
            f"{counts:g} counts are fewer than the {signal:g} predicted from sources": not counts > signal,
        }
        failed = [reason for reason, is_bad in reasons.items() if is_bad]
        if failed:
            log.warning("%s: the background cannot be adjusted outside of sources: %s.", label(dataset), "; ".join(failed))
        return not failed

    def make_background_scale(self, dataset: Any) -> Any:
        """Dataset whose background model has the norm (counts - sources) / background, with the error of the counts.

        Parameters
        ----------
        dataset : MapDataset
            Dataset with a background model.
        """
        counts, background, signal = self._sums(dataset)
        if not self._is_enough(dataset, counts, background, signal):
            return _masked(dataset)
        model = dataset.background_model
        norm = model.spectral_model.norm
        factor = norm.value * (counts - signal) / background
        error = abs(norm.value) * np.sqrt(counts) / background
        norm.value, norm.error = factor, error
        return dataset

    def make_background_fit(self, dataset: Any) -> Any:
        """Dataset whose background model is fitted to the counts, with the models of sources fixed.

        Parameters
        ----------
        dataset : MapDataset
            Dataset with a background model.
        """
        counts, background, signal = self._sums(dataset)
        if not self._is_enough(dataset, counts, background, signal):
            return _masked(dataset)
        geom = dataset._geom
        fitted = with_parts(dataset, mask_fit=Map.from_geom(geom, data=self._selected(dataset), dtype=bool))
        sources = Models([model for model in dataset.models if "fov-bkg" not in model.tag])
        with sources.restore_status(restore_values=False):
            sources.freeze()
            try:
                result = self.fit.run([fitted])
            except FitError as error:
                log.warning("%s: the fit of the background cannot start: %s", label(dataset), error)
                return _masked(dataset)
        if not result.success:
            log.warning("%s: the fit of the background failed: %s", label(dataset), result.message)
            return _masked(dataset)
        return dataset

    def run(self, dataset: Any, observation: Any = None) -> Any:
        """Adjust the background.

        Parameters
        ----------
        dataset : MapDataset
            Dataset with counts and background; it is not changed, but a background model among its models is.
        observation : Observation, optional
            Not needed.

        Returns
        -------
        dataset : MapDataset
            The same dataset (its maps are shared) with a background model.

        Raises
        ------
        DataError
            If the dataset has no counts or no background.
        """
        need_parts(dataset, self.tag)
        if dataset.background_model is None:
            dataset = self.make_default_fov_background_model(dataset)
        make = {"scale": self.make_background_scale, "fit": self.make_background_fit}
        return make[self.method](dataset)


def _model(model: Any, registry: Any) -> Any:
    return registry.get_cls(model)() if isinstance(model, str) else model


def _masked(dataset: Any) -> Any:
    return with_parts(dataset, mask_safe=uniform_mask(dataset._geom, False))
