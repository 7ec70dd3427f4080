"""All responses of a file."""

from __future__ import annotations

import logging
from typing import Any

from geminga.irf.io.gadf import irf_kind
from geminga.irf.registry import IRF_REGISTRY
from geminga.utils.faults import reported
from geminga.utils.files import read_fits, reading

__all__ = ["irfs_from_hdulist", "load_irf_dict_from_file"]

log = logging.getLogger(__name__)


def load_irf_dict_from_file(filename: Any) -> dict[str, Any]:
    """Read all responses of a file (GADF, or CALDB as made for CTA).

    Parameters
    ----------
    filename : str or Path
        FITS file.

    Returns
    -------
    irfs : dict
        Keys among ``aeff``, ``edisp``, ``psf``, ``bkg``, ``rad_max``. Of several responses of a type the first is taken; a
        table for ``rad_max`` is also made from a radius in the header of a point-like response.

    Raises
    ------
    FileError, CorruptFileError, FormatError
        If the file or a response cannot be read.

    Examples
    --------
    >>> from geminga.irf import load_irf_dict_from_file
    >>> path = "$GAMMAPY_DATA/cta-1dc/caldb/data/cta/1dc/bcf/South_z20_50h/irf_file.fits"
    >>> load_irf_dict_from_file(path)["psf"].tag  # doctest: +SKIP
    'psf_3gauss'
    """
    with reading(filename):
        return irfs_from_hdulist(read_fits(filename), str(filename))


def irfs_from_hdulist(hdulist: Any, name: str = "file") -> dict[str, Any]:
    """Responses in HDUs, see `load_irf_dict_from_file`."""
    irfs: dict[str, Any] = {}
    for index, hdu in enumerate(hdulist):
        kind = irf_kind(hdu.header)
        if kind is None:
            continue
        if kind[0] in irfs:
            log.warning("%s has more than one response of type %s; the first is taken, not HDU %s.", name, kind[0], hdu.name)
            continue
        irfs[kind[0]] = reported(IRF_REGISTRY.get_cls(kind[1]).from_hdulist(hdulist, hdu=index), f"{name}, HDU {hdu.name}")
    for source in ("aeff", "edisp"):
        irf = irfs.get(source)
        if "rad_max" not in irfs and irf is not None and irf.is_pointlike and "RAD_MAX" in irf.meta:
            irfs["rad_max"] = IRF_REGISTRY.get_cls("rad_max_2d").from_irf(irf)
    return irfs
