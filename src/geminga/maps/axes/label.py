"""An axis of names, such as datasets or parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import GeometryError, InputError, NameLookupError, UnsupportedError
from geminga.maps.axes import bands, plot
from geminga.maps.axes.grouping import bin_range
from geminga.maps.axes.map import frozen, pix_to_idx

if TYPE_CHECKING:
    from astropy.io import fits
    from astropy.table import Table

__all__ = ["LabelMapAxis"]


def _unsupported(verb: str) -> Any:
    def method(self: LabelMapAxis, *args: Any, **kwargs: Any) -> NoReturn:
        """Not offered: names have no order and no width; raises `UnsupportedError`."""
        msg = f"LabelMapAxis {self.name!r}: {verb} is not supported, labels cannot be divided or joined."
        raise UnsupportedError(msg)

    return method


class LabelMapAxis:
    """An axis of labels, each once.

    Parameters
    ----------
    labels : sequence of str
        Labels.
    name : str
        Name of the axis.

    Raises
    ------
    InputError
        If a label comes twice or there are none.

    Examples
    --------
    >>> from geminga.maps import LabelMapAxis
    >>> LabelMapAxis(["a", "b"], name="dataset").coord_to_idx("b")
    1
    """

    node_type = "label"
    is_continuous = False
    is_energy_axis = False

    def __init__(self, labels: Sequence[str], name: str = "") -> None:
        self._labels: NDArray[np.str_] = frozen(np.array(labels, dtype=str).reshape(-1))
        self._name = str(name)
        values, counts = np.unique(self._labels, return_counts=True)
        if not len(values):
            msg = f"LabelMapAxis {name!r}: no labels were given, expected at least one."
            raise InputError(msg)
        if (counts > 1).any():
            msg = (
                f"LabelMapAxis {name!r}: labels {[str(v) for v in values[counts > 1]]} come more than once, each must be unique."
            )
            raise InputError(msg)

    name = property(lambda self: self._name, doc="Name of the axis.")
    unit = property(lambda self: u.dimensionless_unscaled, doc="Unit of the axis: none.")
    nbin = property(lambda self: len(self._labels), doc="Number of labels.")
    center = property(lambda self: self._labels, doc="Labels.")
    edges_min = property(lambda self: self._labels, doc="Labels.")
    edges_max = property(lambda self: self._labels, doc="Labels.")
    bin_width = property(lambda self: np.ones(self.nbin), doc="Ones, shape (nbin,).")

    @property
    def edges(self) -> NoReturn:
        """Labels have no edges; raises `GeometryError`."""
        msg = f"LabelMapAxis {self._name!r}: labels have no edges; use .center for the labels."
        raise GeometryError(msg)

    def coord_to_idx(self, coord: Any, **kwargs: Any) -> Any:
        """Index of each label; an int for one label.

        Raises
        ------
        NameLookupError
            If a label is not on the axis.
        """
        coord = np.asarray(coord).astype(str)
        order = np.argsort(self._labels)
        place = np.minimum(np.searchsorted(self._labels, coord, sorter=order), self.nbin - 1)
        idx = order[place]
        wrong = self._labels[idx] != coord
        if np.any(wrong):
            names = sorted({str(label) for label in np.atleast_1d(coord)[np.atleast_1d(wrong)]})
            msg = f"LabelMapAxis {self._name!r}: not a valid label: {names}; expected {self._labels.tolist()}."
            raise NameLookupError(msg)
        return idx if coord.ndim else int(idx)

    def coord_to_pix(self, coord: Any) -> NDArray[np.float64]:
        """Index of each label as a float."""
        return np.asarray(self.coord_to_idx(coord), dtype=float)

    def pix_to_coord(self, pix: Any) -> NDArray[np.str_]:
        """Label of each pixel coordinate, which is rounded.

        Raises
        ------
        GeometryError
            If one is outside the axis.
        """
        idx = self.pix_to_idx(pix)
        if np.any(idx < 0):
            msg = f"LabelMapAxis {self._name!r}: pixel coordinates {pix} are outside the {self.nbin} labels."
            raise GeometryError(msg)
        return np.asarray(self._labels[idx])

    def pix_to_idx(self, pix: Any, clip: bool = False) -> NDArray[np.intp]:
        """Index of pixel coordinates, -1 outside (or the nearest one if `clip`)."""
        return pix_to_idx(pix, self.nbin, clip)

    # Other axes

    def copy(self, **kwargs: Any) -> LabelMapAxis:
        """Copy with some arguments replaced."""
        return type(self)(**{"labels": self._labels, "name": self._name, **kwargs})

    def rename(self, new_name: str) -> LabelMapAxis:
        """Same axis under another name."""
        return self.copy(name=new_name)

    def slice(self, idx: Any) -> LabelMapAxis:
        """Part of the axis: an index, a slice, or a list of indices."""
        return self.copy(labels=self._labels[bin_range(idx, self.nbin, self._name)])

    def squash(self) -> LabelMapAxis:
        """One label, made of the first and the last one."""
        return self.copy(labels=[f"{self._labels[0]}...{self._labels[-1]}"])

    def concatenate(self, axis: LabelMapAxis) -> LabelMapAxis:
        """Join two axes of the same name."""
        if not isinstance(axis, LabelMapAxis) or axis.name != self._name:
            msg = f"LabelMapAxis {self._name!r}: cannot be joined with {type(axis).__name__} {axis.name!r}; names must be equal."
            raise GeometryError(msg)
        return self.copy(labels=np.concatenate([self._labels, axis.center]))

    @classmethod
    def from_stack(cls, axes: Sequence[LabelMapAxis]) -> LabelMapAxis:
        """Join several axes of the same name."""
        if not axes:
            msg = "LabelMapAxis.from_stack: no axes were given, expected at least one."
            raise InputError(msg)
        out = axes[0]
        for axis in axes[1:]:
            out = out.concatenate(axis)
        return out

    upsample = _unsupported("upsample")
    downsample = _unsupported("downsample")
    resample = _unsupported("resample")
    pad = _unsupported("pad")
    group_table = _unsupported("group_table")

    # Files

    def bands_values(self) -> tuple[Any, ...]:
        """Column of a BANDS table."""
        return (self._labels,)

    def to_header(self, format: str = "gadf", idx: int = 0) -> fits.Header:
        """Keyword ``AXCOLS<idx>``."""
        from astropy.io import fits

        if format not in bands.FORMATS:
            msg = f"LabelMapAxis.to_header: format {format!r} is not known; expected one of {', '.join(bands.FORMATS)}."
            raise NameLookupError(msg)
        return fits.Header([(f"AXCOLS{idx}", self._name.upper())])

    @classmethod
    def from_table(cls, table: Table, format: str = "gadf", idx: int = 0) -> LabelMapAxis:
        """Read the axis from a table whose ``AXCOLS<idx>`` names a column of strings."""
        if format != "gadf":
            msg = f"LabelMapAxis.from_table: format {format!r} is not known; expected 'gadf'."
            raise NameLookupError(msg)
        axis = bands.axis_from_bands(cls, table, idx=idx)
        if not isinstance(axis, LabelMapAxis):
            msg = f"LabelMapAxis.from_table: axis {idx} of the table, {axis.name!r}, holds numbers, not labels."
            raise GeometryError(msg)
        return axis

    # Comparison and display

    def is_allclose(self, other: Any, **kwargs: Any) -> bool:
        """Whether the name (whatever its case) and the labels are equal."""
        if not isinstance(other, LabelMapAxis):
            return False
        return self._name.upper() == other.name.upper() and np.array_equal(self._labels, other.center)

    is_aligned = is_allclose

    def assert_name(self, required_name: str) -> None:
        """Raise `NameLookupError` unless the axis has this name."""
        if self._name != required_name:
            msg = f"Axis is named {self._name!r}, expected {required_name!r}; rename it with .rename({required_name!r})."
            raise NameLookupError(msg)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LabelMapAxis):
            return NotImplemented
        return self.is_allclose(other)

    __hash__ = object.__hash__

    as_plot_labels = property(lambda self: self._labels.tolist(), doc="Labels for plots.")
    as_plot_edges = property(plot.label_edges)
    as_plot_center = property(lambda self: np.arange(self.nbin), doc="Positions of the labels in plots.")
    as_plot_xerr = property(lambda self: np.full(self.nbin, 0.5), doc="Half widths for plots.")
    as_plot_scale = "linear"
    format_plot_xaxis = plot.format_label_xaxis

    def __str__(self) -> str:
        title = type(self).__name__
        return (
            f"{title}\n{'-' * len(title)}\n\n"
            f"  name       : {self._name:<10s}\n"
            f"  nbins      : {self.nbin:<10d}\n"
            f"  node type  : {self.node_type:<10s}\n"
            f"  labels     : {self._labels.tolist()}\n"
        )

    __repr__ = __str__
    _repr_html_ = plot.repr_html
