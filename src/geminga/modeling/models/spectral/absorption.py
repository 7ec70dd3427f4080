"""Absorption by the extragalactic background light."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import PurePath
from typing import Any, ClassVar, Self

import numpy as np
from astropy import units as u

from geminga.errors import DataError, FormatError, InputError, NameLookupError
from geminga.modeling.models.base import build_parameters
from geminga.modeling.models.coordinates import as_energy
from geminga.modeling.models.spectral.base import Array, Formula, SpectralModel
from geminga.modeling.models.spectral.template import read_column
from geminga.modeling.parameter import Parameter
from geminga.numerics.grid_table import along_last, multilinear
from geminga.utils.files import make_path, read_fits, reading

__all__ = ["EBL_DATA_BUILTIN", "EBLAbsorptionNormSpectralModel"]

EBL_DATA_BUILTIN = {
    "franceschini": "$GAMMAPY_DATA/ebl/ebl_franceschini.fits.gz",
    "dominguez": "$GAMMAPY_DATA/ebl/ebl_dominguez11.fits.gz",
    "finke": "$GAMMAPY_DATA/ebl/frd_abs.fits.gz",
    "franceschini17": "$GAMMAPY_DATA/ebl/ebl_franceschini_2017.fits.gz",
    "saldana-lopez21": "$GAMMAPY_DATA/ebl/ebl_saldana-lopez_2021.fits.gz",
}

# Tables are in single precision; a transmission of zero is taken as this.
_TINY = float(np.finfo(np.float32).tiny)


class EBLAbsorptionNormSpectralModel(SpectralModel):
    r"""Fraction of gamma rays that pass the extragalactic background light.

    .. math:: T(E) = e^{-\alpha\,\tau(E, z)}

    The optical depth :math:`\tau` is tabulated; it is interpolated linearly in redshift and ln E, and goes on beyond the table,
    but never below zero.

    Parameters
    ----------
    energy : Quantity
        Energies of the table, increasing, shape (n_energy,).
    param : array
        Redshifts of the table, increasing, shape (n_redshift,).
    data : array
        Transmission, 0 to 1, shape (n_redshift, n_energy).
    redshift : float
        Redshift of the source, frozen.
    alpha_norm : float
        Factor on the optical depth, frozen.
    interp_kwargs : dict, optional
        ``values_scale``: "log" (default, the optical depth is interpolated) or "lin" (the transmission is).

    Raises
    ------
    DataError
        If axes do not increase, or the shapes do not fit.

    References
    ----------
    The built-in tables: Franceschini et al. 2008, A&A 487, 837; Finke et al. 2010, ApJ 712, 238; Dominguez et al. 2011, MNRAS
    410, 2556; Franceschini & Rodighiero 2017, A&A 603, A34; Saldana-Lopez et al. 2021, MNRAS 507, 5144.

    Examples
    --------
    >>> from astropy import units as u
    >>> from geminga.modeling.models import EBLAbsorptionNormSpectralModel
    >>> table = [[1.0, 1.0], [0.9, 0.1]]
    >>> ebl = EBLAbsorptionNormSpectralModel([0.1, 10] * u.TeV, [0, 0.2], table, redshift=0.2, alpha_norm=1)
    >>> print(ebl(1 * u.TeV).round(3))
    0.3
    """

    tag = ["EBLAbsorptionNormSpectralModel", "ebl-norm"]
    _dict_keys = frozenset({"type", "parameters", "filename", "energy", "param", "values"})
    _shared: ClassVar[frozenset[str]] = frozenset({"energy", "param", "data", "_log_energy", "_table"})
    redshift = Parameter("redshift", 0.1, frozen=True)
    alpha_norm = Parameter("alpha_norm", 1.0, frozen=True)

    def __init__(
        self, energy: Any, param: Any, data: Any, redshift: Any, alpha_norm: Any, interp_kwargs: Mapping[str, Any] | None = None
    ) -> None:
        self.filename: str | None = None
        self.energy = np.atleast_1d(as_energy(energy, "EBLAbsorptionNormSpectralModel: energy"))
        self.param = u.Quantity(np.atleast_1d(param), "").astype(float)
        self.data = u.Quantity(np.clip(np.asarray(u.Quantity(data).to_value(""), dtype=float), 0.0, 1.0), "")
        self._scale = _values_scale(interp_kwargs)
        self._log_energy = np.log(np.asarray(u.Quantity(self.energy).to_value("TeV"), dtype=float))
        for name, nodes in (("energy", self._log_energy), ("redshift", self.param.value)):
            if nodes.ndim != 1 or not np.all(np.isfinite(nodes)) or not np.all(np.diff(nodes) > 0):
                msg = f"EBLAbsorptionNormSpectralModel: {name} of the table is {nodes}; expected increasing, finite values."
                raise DataError(msg)
        expected = (len(self.param), len(self._log_energy))
        if self.data.shape != expected or not np.all(np.isfinite(self.data.value)):
            msg = f"EBLAbsorptionNormSpectralModel: data has shape {self.data.shape}; expected finite values of shape {expected}."
            raise DataError(msg)
        self._table = -np.log(np.maximum(self.data.value, _TINY)) if self._scale == "log" else self.data.value
        super().__init__(redshift=redshift, alpha_norm=alpha_norm)
        if self.redshift.value < 0:
            msg = f"EBLAbsorptionNormSpectralModel: redshift is {self.redshift.value}; expected a number from zero on."
            raise InputError(msg)

    def _depth(self, table: Array, redshift: float) -> tuple[Array, Array]:
        """Optical depth at the energies of a table, and its derivative by redshift."""
        value, gradient = multilinear(table, [self.param.value], [redshift])
        slope = gradient[0]
        if self._scale == "lin":
            value = np.clip(value, _TINY, 1.0)
            value, slope = -np.log(value), -slope / value
        below = value < 0
        return np.where(below, 0.0, value), np.where(below, 0.0, slope)

    def evaluate(self, energy: Any, redshift: Any, alpha_norm: Any) -> u.Quantity:
        """Transmission at energies, for one redshift."""
        x = np.log(np.asarray(as_energy(energy).to_value("TeV"), dtype=float))
        table = along_last(self._table, self._log_energy, np.ravel(x))
        depth, _ = self._depth(table, float(u.Quantity(redshift).to_value("")))
        return u.Quantity(np.exp(-u.Quantity(alpha_norm).to_value("") * depth).reshape(x.shape), "")

    def _dnde_formula(self, x: Array) -> Formula:
        table = along_last(self._table, self._log_energy, x)

        # A redshift is seldom fitted: the last result is kept.
        @lru_cache(maxsize=1)
        def absorption(redshift: float, alpha_norm: float) -> tuple[Array, Array]:
            depth, slope = self._depth(table, redshift)
            value = np.exp(-alpha_norm * depth)
            return value, np.stack([-alpha_norm * slope * value, -depth * value])

        def formula(redshift: float, alpha_norm: float) -> tuple[Array, Array]:
            value, gradient = absorption(redshift, alpha_norm)
            return value.copy(), gradient.copy()

        return formula

    def _break_energies(self, values: Array) -> Sequence[float]:
        return tuple(np.exp(self._log_energy).tolist())

    # Files ------------------------------------------------------------------------------------------------------------

    @classmethod
    def read(cls, filename: Any, redshift: Any = 0.1, alpha_norm: Any = 1, interp_kwargs: Any = None) -> Self:
        """Read an XSPEC table model.

        Parameters
        ----------
        filename : path
            FITS file with the tables ENERGIES and SPECTRA.
        redshift, alpha_norm : float
            Parameters.
        interp_kwargs : dict, optional
            See the class.

        Raises
        ------
        FileError, FormatError
            If it cannot be read, or a table is missing.
        """
        with reading(filename):
            table = _table(read_fits(filename))
            new = cls(**table, redshift=redshift, alpha_norm=alpha_norm, interp_kwargs=interp_kwargs)
        new.filename = str(filename)
        return new

    @classmethod
    def read_builtin(
        cls, reference: str = "dominguez", redshift: Any = 0.1, alpha_norm: Any = 1, interp_kwargs: Any = None
    ) -> Self:
        """Read one of the tables in ``$GAMMAPY_DATA/ebl``.

        Parameters
        ----------
        reference : {"franceschini", "dominguez", "finke", "franceschini17", "saldana-lopez21"}
            Which table.
        redshift, alpha_norm : float
            Parameters.
        interp_kwargs : dict, optional
            See the class.

        Raises
        ------
        NameLookupError
            If the table is unknown.
        FileError
            If it cannot be read.
        """
        if reference not in EBL_DATA_BUILTIN:
            msg = f"EBL table {reference!r} is unknown; known: {', '.join(EBL_DATA_BUILTIN)}."
            raise NameLookupError(msg)
        return cls.read(EBL_DATA_BUILTIN[reference], redshift, alpha_norm, interp_kwargs=interp_kwargs)

    def to_dict(self, full_output: bool = False) -> dict[str, Any]:
        """Plain dictionary, as it stands in model files; with the name of the file of the table, or the table itself."""
        data = super().to_dict(full_output)
        if self.filename is not None:
            data["spectral"]["filename"] = self.filename
        else:
            columns = {"energy": self.energy, "param": self.param, "values": self.data}
            data["spectral"] |= {key: {"data": value.value.tolist(), "unit": str(value.unit)} for key, value in columns.items()}
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], **kwargs: Any) -> Self:
        """Make a model from a dictionary as `to_dict` gives it.

        If the file is not there, a built-in table of the same file name is taken.

        Raises
        ------
        FileError, FormatError
            If the table cannot be found or read.
        """
        entry = cls._entry(data, kwargs)
        parameters = build_parameters(entry.get("parameters") or [], cls.default_parameters, cls.__name__)
        values: dict[str, Any] = {par.name: par for par in parameters}
        if entry.get("filename"):
            return cls.read(_found(entry["filename"]), **values, **kwargs)
        energy, param, table = (read_column(entry, key, cls.__name__) for key in ("energy", "param", "values"))
        return cls(energy=energy, param=param, data=table, **values, **kwargs)

    @classmethod
    def from_parameters(cls, parameters: Iterable[Parameter], **kwargs: Any) -> Self:
        """Make a model which holds these parameters; energy, param and data are needed."""
        values: dict[str, Any] = {par.name: par for par in parameters}
        return cls(**kwargs, **values)


def _found(filename: Any) -> Any:
    path = make_path(filename)
    if path is not None and path.exists():
        return filename
    same = [name for name in EBL_DATA_BUILTIN.values() if PurePath(name).name == PurePath(str(filename)).name]
    return same[0] if same else filename


def _values_scale(interp_kwargs: Mapping[str, Any] | None) -> str:
    given = dict(interp_kwargs or {})
    scale = given.pop("values_scale", "log")
    unknown = set(given) - {"points_scale", "extrapolate", "method", "fill_value", "bounds_error"}
    if unknown or scale not in {"log", "lin"}:
        what = f"unknown {', '.join(sorted(unknown))}" if unknown else f"values_scale {scale!r}"
        msg = f"EBLAbsorptionNormSpectralModel: interp_kwargs has {what}; expected values_scale='log' or 'lin'."
        raise InputError(msg)
    return str(scale)


def _table(hdus: Any) -> dict[str, Any]:
    """Energies, redshifts and transmissions of an XSPEC table model."""
    missing = [name for name in ("ENERGIES", "SPECTRA") if name not in hdus]
    if missing:
        msg = f"HDU {', '.join(missing)} is missing; expected an XSPEC table model of absorption."
        raise FormatError(msg)
    energies, spectra = hdus["ENERGIES"].data, hdus["SPECTRA"].data
    low, high = (np.asarray(energies[name], dtype=float) for name in ("ENERG_LO", "ENERG_HI"))
    # Some tables hold a redshift twice; the first is taken.
    param, rows = np.unique(np.ravel(np.asarray(spectra["PARAMVAL"], dtype=float)), return_index=True)
    data = np.asarray(spectra["INTPSPEC"], dtype=float)[rows]
    return {"energy": u.Quantity(np.sqrt(low * high), "keV"), "param": param, "data": data}
