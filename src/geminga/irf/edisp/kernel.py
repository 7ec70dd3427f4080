"""Energy dispersion as a matrix from true to reconstructed energy."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from astropy import units as u
from astropy.io import fits
from astropy.table import Table
from numpy.typing import NDArray

from geminga.errors import FormatError, InputError, NameLookupError
from geminga.irf import plot
from geminga.irf.base import IRF
from geminga.irf.edisp.migra import gauss_density, kernel_from_migra, normalized
from geminga.irf.io import ogip
from geminga.maps import MapAxis
from geminga.numerics.folding import diagonal_response
from geminga.utils.files import read_fits, reading, write_fits
from geminga.utils.units import as_quantity

__all__ = ["EDispKernel"]

Array = NDArray[np.float64]

#: Ratios of energies at which the density of a Gaussian is taken.
_MIGRA = np.linspace(1.0 / 3, 3, 201)


class EDispKernel(IRF):
    """Probability for each bin of reconstructed energy, given a bin of true energy.

    Parameters
    ----------
    axes : list of MapAxis
        ``energy_true`` and ``energy``.
    data : array
        Matrix, shape (n_true, n_reco).

    Examples
    --------
    >>> from geminga.irf import EDispKernel
    >>> from geminga.maps import MapAxis
    >>> true = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=3, name="energy_true")
    >>> reco = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2, name="energy")
    >>> EDispKernel.from_diagonal_response(true, reco).pdf_matrix.round(2)
    array([[1.  , 0.  ],
           [0.41, 0.59],
           [0.  , 1.  ]])
    """

    tag: ClassVar[str] = "edisp_kernel"
    required_axes: ClassVar[list[str]] = ["energy_true", "energy"]
    default_interp_kwargs: ClassVar[dict[str, Any]] = {"bounds_error": False, "fill_value": 0, "method": "nearest"}

    @property
    def pdf_matrix(self) -> Any:
        """The matrix, shape (n_true, n_reco)."""
        return self.data

    def pdf_in_safe_range(self, lo_threshold: Any, hi_threshold: Any) -> Any:
        """Matrix with reconstructed energies outside a range set to zero."""
        data = np.array(self.pdf_matrix)
        energy = self.axes["energy"]
        if lo_threshold is not None:
            data[:, energy.edges_min < as_quantity(lo_threshold, energy.unit)] = 0
        if hi_threshold is not None:
            data[:, energy.edges_max > as_quantity(hi_threshold, energy.unit)] = 0
        return data

    def to_image(self, lo_threshold: Any = None, hi_threshold: Any = None) -> EDispKernel:
        """Kernel with one bin of reconstructed energy, of a safe range."""
        energy = self.axes["energy"]
        low = energy.edges[0] if lo_threshold is None else as_quantity(lo_threshold, energy.unit)
        high = energy.edges[-1] if hi_threshold is None else as_quantity(hi_threshold, energy.unit)
        data = self.pdf_in_safe_range(lo_threshold, hi_threshold).sum(axis=1, keepdims=True)
        axis = MapAxis.from_energy_edges(u.Quantity([low, high]), name="energy")
        return type(self)(axes=[self.axes["energy_true"], axis], data=data)

    @classmethod
    def from_gauss(
        cls, energy_axis_true: Any, energy_axis: Any, sigma: Any, bias: Any, pdf_threshold: float = 1e-6
    ) -> EDispKernel:
        """Gaussian in the ratio of reconstructed to true energy.

        Parameters
        ----------
        energy_axis_true, energy_axis : MapAxis
            Axes.
        sigma : float or array
            Relative resolution, one or for each true energy.
        bias : float or array
            Relative bias.
        pdf_threshold : float
            Densities below this are zero.

        Raises
        ------
        InputError
            If a resolution is not positive.
        """
        density = gauss_density(_MIGRA, sigma, bias, energy_axis_true.nbin, pdf_threshold, "EDispKernel.from_gauss")
        edges = energy_axis_true.edges.value, energy_axis.edges.to_value(energy_axis_true.unit)
        data = kernel_from_migra(_MIGRA, normalized(density, _MIGRA), *edges, threshold=1e-8)
        return cls(axes=[energy_axis_true, energy_axis], data=data)

    @classmethod
    def from_diagonal_response(cls, energy_axis_true: Any, energy_axis: Any = None) -> EDispKernel:
        """No dispersion: the overlap of the bins, in linear energy."""
        if energy_axis is None:
            energy_axis = energy_axis_true.copy(name="energy")
        unit = energy_axis_true.unit
        data = diagonal_response(energy_axis_true.edges.value, energy_axis.edges.to_value(unit))
        return cls(axes=[energy_axis_true, energy_axis], data=data)

    # ---- files -------------------------------------------------------------------------------

    @classmethod
    def from_hdulist(  # type: ignore[override]
        cls, hdulist: fits.HDUList, hdu1: str = "MATRIX", hdu2: str = "EBOUNDS"
    ) -> EDispKernel:
        """Read an OGIP RMF.

        Raises
        ------
        NameLookupError
            If an HDU is missing.
        """
        if hdu1 not in hdulist and "SPECRESP MATRIX" in hdulist:
            hdu1 = "SPECRESP MATRIX"
        for name in (hdu1, hdu2):
            if name not in hdulist:
                msg = f"EDispKernel: there is no HDU {name!r}; the file has {', '.join(h.name for h in hdulist)}."
                raise NameLookupError(msg)
        true, reco, data = ogip.read_rmf(hdulist[hdu1], hdulist[hdu2])
        return cls(axes=[true, reco], data=data)

    @classmethod
    def from_columns(cls, matrix: Any, ebounds: Any, header: Any, name: str = "MATRIX") -> EDispKernel:
        """Kernel of the tables of an OGIP RMF, columns by name in capitals: numbers and unit.

        Raises
        ------
        FormatError
            If a column is missing, or a group lies outside the channels.
        """
        true, reco, data = ogip.rmf_from_columns(matrix, ebounds, header, name)
        return cls(axes=[true, reco], data=data)

    @classmethod
    def read(  # type: ignore[override]
        cls, filename: str | Path, hdu1: str = "MATRIX", hdu2: str = "EBOUNDS", checksum: bool = False, format: str = "gadf"
    ) -> EDispKernel:
        """Read from a FITS file."""
        with reading(filename):
            return cls.from_hdulist(read_fits(filename, checksum=checksum), hdu1=hdu1, hdu2=hdu2)

    def to_hdulist(self, format: str = "ogip", creation: Any = None, **kwargs: Any) -> fits.HDUList:
        """HDUs of an OGIP RMF (``"ogip"``, or ``"ogip-sherpa"`` with energies in keV)."""
        if format not in {"ogip", "ogip-sherpa"}:
            msg = f"EDispKernel format {format!r} is not known; choose 'ogip' or 'ogip-sherpa'."
            raise FormatError(msg)
        unit = u.Unit("keV") if format == "ogip-sherpa" else self.axes["energy"].unit
        hdus = ogip.rmf_hdus(self.axes["energy_true"], self.axes["energy"], np.asarray(self.data, dtype=float), unit)
        return fits.HDUList([fits.PrimaryHDU(), *hdus])

    def to_table(self, format: str = "ogip") -> Table:
        """Table of the matrix: limits of true energy and its groups of channels."""
        return Table.read(self.to_hdulist(format=format)["MATRIX"], format="fits")

    def write(
        self, filename: str | Path, format: str = "ogip", checksum: bool = False, creation: Any = None, **kwargs: Any
    ) -> None:
        """Write to a FITS file (``overwrite`` as usual); checksums are always written."""
        write_fits(self.to_hdulist(format=format), filename, **kwargs)

    # ---- moments -----------------------------------------------------------------------------

    def _bin(self, energy_true: Any) -> tuple[Array, u.Quantity]:
        """Rows of the matrix for true energies, and the centres of their bins, for which the rows hold."""
        axis = self.axes["energy_true"]
        energy = np.atleast_1d(as_quantity(energy_true, axis.unit, "energy_true"))
        index = axis.coord_to_idx(energy, clip=True)
        return np.asarray(self.data[index], dtype=float), axis.center[index]

    def get_mean(self, energy_true: Any) -> u.Quantity:
        """Mean reconstructed energy of the bin of a true energy; NaN if nothing is reconstructed."""
        rows, _ = self._bin(energy_true)
        center = self.axes["energy"].center
        total = rows.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return u.Quantity((rows @ center.value) / total, center.unit)

    def get_bias(self, energy_true: Any) -> u.Quantity:
        """Relative bias, (<E_reco> - E_true) / E_true, with E_true the centre of the bin of a true energy."""
        _, energy = self._bin(energy_true)
        return ((self.get_mean(energy) - energy) / energy).to("")

    def get_resolution(self, energy_true: Any) -> u.Quantity:
        """Relative resolution: standard deviation of the reconstructed energy over the centre of the bin of a true energy."""
        rows, energy = self._bin(energy_true)
        center = self.axes["energy"].center
        mean = self.get_mean(energy)[:, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            variance = (rows * (center - mean).value ** 2).sum(axis=1) / rows.sum(axis=1)
        return (u.Quantity(np.sqrt(variance), center.unit) / energy).to("")

    def get_bias_energy(self, bias: float, energy_min: Any = None, energy_max: Any = None) -> u.Quantity:
        """Reconstructed energy at which the bias falls to a value, which is E_true (1 + bias).

        If the bias is smaller in the whole range, that of the lower end of the range.

        Parameters
        ----------
        bias : float
            Bias.
        energy_min, energy_max : Quantity, optional
            Range of true energy to look in; from the largest bias to the end if not given.

        Raises
        ------
        InputError
            If the bias is larger in the whole range, or nothing is reconstructed in it.
        """
        axis = self.axes["energy_true"]
        energy = axis.center
        values = self.get_bias(energy).value
        low = energy[np.nanargmax(values)] if energy_min is None else as_quantity(energy_min, axis.unit)
        high = energy[-1] if energy_max is None else as_quantity(energy_max, axis.unit)
        inside = np.flatnonzero((energy >= low) & (energy <= high) & np.isfinite(values))
        for i, j in pairwise(inside):
            a, b = values[i] - bias, values[j] - bias
            if a * b <= 0 and a != b:
                t = a / (a - b)
                if bias > 0 and min(values[i], values[j]) > 0:
                    # A falling bias is closer to a power law than to a line.
                    t = np.log(values[i] / bias) / np.log(values[i] / values[j])
                log_e = np.log(energy[i].value) * (1 - t) + np.log(energy[j].value) * t
                return u.Quantity([np.exp(log_e) * (1 + bias)], energy.unit)
        if len(inside) and (values[inside] <= bias).all():
            return u.Quantity([low.to_value(axis.unit) * (1 + bias)], axis.unit)
        msg = f"EDispKernel: the bias does not reach {bias} between {low} and {high}; choose another value or range."
        raise InputError(msg)

    peek = plot.peek_edisp_kernel
    plot_matrix = plot.plot_matrix
    plot_bias = plot.plot_bias
