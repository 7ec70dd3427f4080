"""Exposure seen from the reconstructed energy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geminga.errors import InputError
from geminga.maps import Map
from geminga.modeling.models import PowerLawSpectralModel
from geminga.numerics.folding import diagonal_response

__all__ = ["estimate_exposure_reco_energy", "folded_signal"]

Array = NDArray[np.float64]


def _response(dataset: Any, edges_true: Array) -> Array:
    """Energy dispersion at the centre, shape (n_T, n_e)."""
    axis = dataset._geom.axes["energy"]
    edisp = dataset.edisp
    if edisp is None:
        return diagonal_response(edges_true, np.asarray(axis.edges.to_value("TeV"), dtype=float))
    kernel = edisp.get_edisp_kernel(energy_axis=axis) if hasattr(edisp, "get_edisp_kernel") else edisp
    return np.asarray(kernel.pdf_matrix, dtype=float)


def folded_signal(dataset: Any, spectral_model: Any) -> tuple[Array, Array]:
    """Expected counts per pixel if all of a source's flux came from it, and the same without exposure.

    Returns
    -------
    signal : array
        Shape of the counts; sum over true energies of flux, exposure (cm2 s) and dispersion.
    flux : array
        Shape (n_e,), cm-2 s-1; sum over true energies of flux and dispersion.

    Raises
    ------
    InputError
        If the dataset has no exposure.
    """
    if dataset.exposure is None:
        msg = f"Dataset {dataset.name!r} has no exposure, so counts cannot be turned into fluxes; set dataset.exposure."
        raise InputError(msg)
    exposure = dataset.exposure
    axis = exposure.geom.axes["energy_true"]
    image = dataset._geom.to_image()
    if not dataset._geom.is_region and exposure.geom.to_image() != image:
        exposure = exposure.interp_to_geom(image.to_cube([axis]))
    edges = np.asarray(axis.edges.to_value("TeV"), dtype=float)
    flux, _ = spectral_model.flux_evaluator(edges)(np.array([p.value for p in spectral_model.parameters], dtype=float))
    weight = flux[:, None] * _response(dataset, edges)
    # A band sees some of the true energies: the others need not be read.
    seen = np.flatnonzero(weight.any(axis=1))
    if not len(seen):
        return np.zeros(dataset._geom.data_shape), weight.sum(axis=0)
    data = np.asarray(exposure.frozen_data[seen[0] : seen[-1] + 1], dtype=float)
    if not np.isfinite(data).all():
        data = np.nan_to_num(data)
    factor = weight[seen[0] : seen[-1] + 1] * float(exposure.unit.to("cm2 s"))
    return np.einsum("Te,T...->e...", factor, data), weight.sum(axis=0)


def estimate_exposure_reco_energy(dataset: Any, spectral_model: Any = None, normalize: bool = True) -> Any:
    """Exposure in bins of reconstructed energy, weighted with a spectrum.

    Parameters
    ----------
    dataset : MapDataset or SpectrumDataset
        Dataset with exposure.
    spectral_model : SpectralModel, optional
        Weight; a power law of index 2 if not given.
    normalize : bool
        Divide by the flux in each bin, so that the result is an exposure. Otherwise it is multiplied by it: counts.

    Returns
    -------
    exposure : Map
        On the geometry of the counts; cm2 s, or no unit.

    Raises
    ------
    InputError
        If the dataset has no exposure.
    """
    model = PowerLawSpectralModel() if spectral_model is None else spectral_model
    signal, flux = folded_signal(dataset, model)
    if not normalize:
        return Map.from_geom(dataset._geom, data=signal)
    shape = (-1,) + (1,) * (signal.ndim - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        data = np.where(flux.reshape(shape) > 0, signal / flux.reshape(shape), 0.0)
    return Map.from_geom(dataset._geom, data=data, unit="cm2 s")
