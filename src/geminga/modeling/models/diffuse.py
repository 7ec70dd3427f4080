"""Diffuse emission as sky models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from astropy import units as u

from geminga.errors import FormatError
from geminga.modeling.models.sky import SkyModel
from geminga.modeling.registry import SPATIAL_MODEL_REGISTRY, SPECTRAL_MODEL_REGISTRY
from geminga.utils.files import read_text

__all__ = ["create_fermi_isotropic_diffuse_model"]


def create_fermi_isotropic_diffuse_model(filename: str | Path, datasets_names: Any = None, **kwargs: Any) -> SkyModel:
    """Sky model from a file of the isotropic diffuse emission as seen by Fermi-LAT.

    Parameters
    ----------
    filename : str or Path
        Text file with columns of energy in MeV and flux in MeV-1 s-1 cm-2 sr-1.
    datasets_names : str or list of str, optional
        Datasets it belongs to, all if not given.
    **kwargs
        Passed to `TemplateSpectralModel`.

    Returns
    -------
    model : `SkyModel`
        The tabulated spectrum times `PowerLawNormSpectralModel`, on the whole sky; neither PSF nor energy dispersion apply, as
        the table already has them in it.

    Raises
    ------
    FileError
        If the file cannot be read.
    FormatError
        If it does not hold two columns of positive numbers.
    """
    text = read_text(filename)
    try:
        columns = np.loadtxt(text.splitlines(), ndmin=2)
        energy, values = columns[:, 0], columns[:, 1]
    except (ValueError, IndexError) as error:
        msg = f"File {filename} is not a table of energy in MeV and flux: {error}."
        raise FormatError(msg) from error
    if len(energy) < 2 or not (np.diff(energy) > 0).all() or not (values > 0).all():
        msg = f"File {filename} holds {len(energy)} rows; expected at least two, energies rising and fluxes above 0."
        raise FormatError(msg)
    table = SPECTRAL_MODEL_REGISTRY.get_cls("template")(
        energy=u.Quantity(energy, "MeV"),
        values=u.Quantity(values, "MeV-1 s-1 cm-2"),
        interp_kwargs=kwargs.pop("interp_kwargs", {"fill_value": None}),
        **kwargs,
    )
    return SkyModel(
        spectral_model=table * SPECTRAL_MODEL_REGISTRY.get_cls("pl-norm")(),
        spatial_model=SPATIAL_MODEL_REGISTRY.get_cls("const")(),
        name="fermi-diffuse-iso",
        apply_irf={"psf": False, "exposure": True, "edisp": False},
        datasets_names=datasets_names,
    )
