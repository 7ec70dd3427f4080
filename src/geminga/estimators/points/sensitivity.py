"""The faintest flux that a dataset would show, in each of its energy bins."""

from __future__ import annotations

from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import Column, Table
from numpy.typing import NDArray

from geminga.errors import InputError
from geminga.estimators.base import Estimator, check_sigma
from geminga.estimators.exposure import folded_signal
from geminga.maps import Map
from geminga.modeling.models import PowerLawSpectralModel
from geminga.stats import CashCountsStatistic, WStatCountsStatistic

__all__ = ["SensitivityEstimator"]

Array = NDArray[np.float64]

#: Columns of counts, and what they hold.
COUNTS = {"excess": "Number of excess counts in the bin", "background": "Number of background counts in the bin"}
#: Columns of energies, and what they hold.
ENERGIES = {"e_ref": "Energy center", "e_min": "Energy edge low", "e_max": "Energy edge high"}


class SensitivityEstimator(Estimator):
    """Differential sensitivity: the flux which is just significant in each energy bin.

    The source must have the significance `n_sigma` above the expected background, at least `gamma_min` counts, and at least
    the fraction `bkg_syst_fraction` of the background.

    Parameters
    ----------
    spectral_model : SpectralModel, optional
        Spectrum of the source; a power law of index 2 if not given. Its amplitude does not matter.
    n_sigma : float
        Significance (Li & Ma 1983, ApJ 272, 317, for a background measured in an off region, else Cash).
    gamma_min : float
        Least number of excess counts.
    bkg_syst_fraction : float
        Least ratio of excess and background.

    Examples
    --------
    >>> from geminga.estimators import SensitivityEstimator
    >>> SensitivityEstimator(n_sigma=3).config_parameters["gamma_min"]
    10
    """

    tag = "SensitivityEstimator"

    def __init__(
        self, spectral_model: Any = None, n_sigma: float = 5.0, gamma_min: float = 10, bkg_syst_fraction: float = 0.05
    ) -> None:
        self.spectral_model = (
            PowerLawSpectralModel(index=2, amplitude="1 cm-2 s-1 TeV-1") if spectral_model is None else spectral_model
        )
        self.n_sigma = check_sigma("n_sigma", n_sigma)
        if not (gamma_min >= 0 and bkg_syst_fraction >= 0):
            msg = (
                f"SensitivityEstimator got gamma_min={gamma_min} and bkg_syst_fraction={bkg_syst_fraction}; "
                "expected numbers that are not negative."
            )
            raise InputError(msg)
        self.gamma_min, self.bkg_syst_fraction = gamma_min, bkg_syst_fraction

    def estimate_min_excess(self, dataset: Any) -> Any:
        """Least excess counts that satisfy the criteria (Map on the geometry of the counts).

        Parameters
        ----------
        dataset : SpectrumDatasetOnOff or SpectrumDataset
            Its background is the expected one, ``alpha * counts_off`` or ``npred_background``; its counts do not matter.
        """
        needed = self._needed(dataset)
        return Map.from_geom(dataset._geom, data=np.max(list(needed.values()), axis=0))

    def estimate_min_e2dnde(self, excess: Any, dataset: Any) -> u.Quantity:
        """Flux times energy squared at the centre of each bin, which gives so many excess counts.

        Parameters
        ----------
        excess : Map
            Excess counts.
        dataset : SpectrumDatasetOnOff or SpectrumDataset
            With exposure.

        Returns
        -------
        e2dnde : Quantity
            Shape of the counts, erg cm-2 s-1; NaN where there is no exposure.
        """
        signal, _ = folded_signal(dataset, self.spectral_model)
        energy = dataset._geom.axes["energy"].center
        reference = (self.spectral_model(energy) * energy**2).to("erg cm-2 s-1")
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(signal > 0, np.asarray(excess.frozen_data, dtype=float) / signal, np.nan)
        return ratio * reference[:, None, None]

    def run(self, dataset: Any) -> Table:
        """Estimate the sensitivity.

        Parameters
        ----------
        dataset : SpectrumDatasetOnOff or SpectrumDataset
            With exposure and expected background.

        Returns
        -------
        table : Table
            ``e_ref``, ``e_min``, ``e_max``, ``e2dnde`` (erg cm-2 s-1), ``excess``, ``background``, and ``criterion``: which of
            ``significance``, ``gamma`` and ``bkg`` limits the sensitivity; ``masked`` or ``no exposure`` where there is none
            (NaN).

        Raises
        ------
        InputError
            If the dataset has no region, no exposure or no background.
        """
        needed = self._needed(dataset)
        excess = self.estimate_min_excess(dataset)
        e2dnde = self.estimate_min_e2dnde(excess, dataset)[:, 0, 0]
        values = excess.frozen_data[:, 0, 0].astype(float)
        limits = {name: data[:, 0, 0] for name, data in needed.items()}
        criterion = np.select([limits[name] >= values for name in limits], list(limits), "significance").astype("U12")
        criterion[~np.isfinite(e2dnde.value)] = "no exposure"
        inside = np.ones(len(values), bool) if dataset.mask is None else np.asarray(dataset.mask.frozen_data)[:, 0, 0]
        criterion[~inside] = "masked"
        usable = inside & np.isfinite(e2dnde.value)
        background = _background(dataset)[:, 0, 0]
        return _table(
            dataset, np.where(usable, e2dnde, np.nan * e2dnde.unit), np.where(usable, values, np.nan), background, criterion
        )

    def _needed(self, dataset: Any) -> dict[str, Array]:
        """Least excess counts by each criterion, the last named first where two agree."""
        background = _background(dataset)
        if dataset.stat_type == "wstat":
            alpha = np.asarray(dataset.alpha.frozen_data, dtype=float)
            off = np.asarray(dataset.counts_off.frozen_data, dtype=float)
            statistic: Any = WStatCountsStatistic(background, off, np.nan_to_num(alpha))
        else:
            statistic = CashCountsStatistic(background, background)
        significance = statistic.n_sig_matching_significance(self.n_sigma)
        return {
            "significance": np.nan_to_num(np.asarray(significance, dtype=float)),
            "gamma": np.full(background.shape, float(self.gamma_min)),
            "bkg": self.bkg_syst_fraction * background,
        }


def _background(dataset: Any) -> Array:
    """Expected background counts, shape of the counts.

    Raises
    ------
    InputError
        If the dataset has no background, or is no spectrum.
    """
    name = getattr(dataset, "name", dataset)
    if not hasattr(dataset, "stat_type") or not dataset._geom.is_region:
        msg = f"SensitivityEstimator: {name!r} is no spectrum; give a SpectrumDatasetOnOff or a SpectrumDataset."
        raise InputError(msg)
    if dataset.stat_type == "wstat":
        off, alpha = dataset.counts_off, dataset.alpha
        if off is None:
            msg = f"SensitivityEstimator: dataset {name!r} has no off counts; set dataset.counts_off to the expected ones."
            raise InputError(msg)
        return np.asarray(np.nan_to_num(alpha.frozen_data.astype(float)) * off.frozen_data)
    if dataset.background is None:
        msg = f"SensitivityEstimator: dataset {name!r} has no background; set dataset.background to the expected one."
        raise InputError(msg)
    return np.asarray(dataset.npred_background().frozen_data, dtype=float)


def _table(dataset: Any, e2dnde: u.Quantity, excess: Array, background: Array, criterion: NDArray[np.str_]) -> Table:
    """One row for each energy bin."""
    axis = dataset._geom.axes["energy"]
    table = Table()
    for (name, text), values in zip(ENERGIES.items(), (axis.center, axis.edges_min, axis.edges_max), strict=True):
        table[name] = Column(values.value, unit=values.unit, description=text, format="5g")
    text = "Energy squared times differential flux"
    table["e2dnde"] = Column(e2dnde.value, unit=e2dnde.unit, description=text, format="5g")
    for (name, text), counts in zip(COUNTS.items(), (excess, background), strict=True):
        table[name] = Column(counts, description=text, format="5g")
    table["criterion"] = Column(criterion, description="Sensitivity-limiting criterion")
    return table
