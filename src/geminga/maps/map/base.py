"""`Map`: numbers on a geometry, with a unit. The class is a table of contents; what it does is in the modules beside it."""

from __future__ import annotations

import copy as copy_module
import html
from typing import Any, ClassVar, NoReturn

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from geminga.errors import GeometryError, InputError
from geminga.maps.map import (
    arithmetic,
    combine,
    convert,
    factory,
    fill,
    get,
    integrate,
    iterate,
    plot,
    sample,
    to_region,
    transform,
)
from geminga.maps.map import reduce as reductions
from geminga.maps.map.content import Content
from geminga.utils.units import as_quantity, parse_unit

__all__ = ["Map"]


class Map:
    """Numbers on a geometry.

    Parameters
    ----------
    geom : Geom
        Geometry.
    data : array or Quantity
        Data, of the shape of the geometry or one that broadcasts to it, first axis slowest. A Quantity brings its unit.
    meta : dict, optional
        Anything to be kept with the map; quantities and strings are written to files.
    unit : str or Unit
        Unit of the data; a Quantity is converted to it.

    Raises
    ------
    GeometryError
        If their shape does not fit.
    UnitError
        If the unit of a Quantity does not convert.

    Notes
    -----
    Code that only reads uses `frozen_data`; `data` hands out the array itself, so that the map has to look for changes
    (see `stamp`).

    Examples
    --------
    >>> from geminga.maps import Map
    >>> image = Map.create(npix=(4, 3), binsz=1, unit="s-1")
    >>> image.data += 2
    >>> float(image.data.sum())
    24.0
    """

    tag = "map"
    kind: ClassVar[str] = ""
    # Arrays and quantities on the left of an operator leave it to the map.
    __array_priority__ = 20000

    _content: Content

    def __init_subclass__(cls, kind: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if kind:
            cls.kind = kind
            factory.MAP_CLASSES[kind] = cls

    def __init__(self, geom: Any, data: Any, meta: dict[str, Any] | None = None, unit: Any = "") -> None:
        self._geom = geom
        self._unit = parse_unit(unit, "Map unit")
        self.meta = meta
        if isinstance(data, u.Quantity):
            self.quantity = data if not unit else as_quantity(data, self._unit, f"{type(self).__name__} data")
        else:
            self.data = data

    # State

    geom = property(lambda self: self._geom, doc="Geometry.")
    unit = property(lambda self: self._unit, doc="Unit of the data.")

    @property
    def data(self) -> NDArray[Any]:
        """Array of the data, which may be changed in place; setting it checks the shape."""
        return self._content.expose()

    @data.setter
    def data(self, value: Any) -> None:
        self._content = Content(self._fitting(value))

    def _fitting(self, value: Any) -> NDArray[Any]:
        """Array of the shape of the geometry."""
        if isinstance(value, u.Quantity):
            msg = f"{type(self).__name__}: data are a Quantity in '{value.unit}'; set .quantity, or give its value and unit."
            raise InputError(msg)
        array = np.asarray(value)
        shape = tuple(int(n) for n in self._geom.data_shape)
        if array.shape == shape:
            return array
        try:
            return np.broadcast_to(array, shape).copy()
        except ValueError:
            self._refuse_shape(array, shape)

    def _refuse_shape(self, array: NDArray[Any], shape: tuple[int, ...]) -> NoReturn:
        msg = (
            f"{type(self).__name__}: input shape {array.shape} is not compatible with the shape {shape} "
            f"of the geometry with axes {self._geom.axes_names[::-1]}."
        )
        raise GeometryError(msg)

    @property
    def frozen_data(self) -> NDArray[Any]:
        """Read-only view of the data, for code that does not change them."""
        return self._content.frozen

    @property
    def stamp(self) -> int:
        """Number that is unique to this state of the content: it changes when data or unit do, also in place."""
        return self._content.stamp

    @property
    def settled_stamp(self) -> int | None:
        """The `stamp` if nobody outside holds the array of the data, else ``None``."""
        return self._content.settled_stamp

    @property
    def meta(self) -> dict[str, Any]:
        """What is known beside the data."""
        return self._meta

    @meta.setter
    def meta(self, value: dict[str, Any] | None) -> None:
        self._meta = {} if value is None else copy_module.deepcopy(dict(value))

    @property
    def quantity(self) -> u.Quantity:
        """Data with their unit, a copy."""
        return u.Quantity(self.frozen_data, self._unit, copy=True)

    @quantity.setter
    def quantity(self, value: Any) -> None:
        value = u.Quantity(value)
        self.data = value.value
        self._unit = value.unit

    @property
    def is_mask(self) -> bool:
        """Whether data are bool."""
        return self.frozen_data.dtype == bool

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.frozen_data, dtype=dtype)

    # Copies

    def copy(self, **kwargs: Any) -> Any:
        """Copy, with some of ``geom``, ``data``, ``unit``, ``meta`` (and ``dtype``) replaced."""
        unknown = set(kwargs) - {"geom", "data", "unit", "meta", "dtype"}
        if unknown:
            msg = f"Map.copy: unknown arguments {sorted(unknown)}, expected geom, data, unit, meta or dtype."
            raise InputError(msg)
        data = kwargs.get("data")
        data = self.frozen_data.copy() if data is None else data
        if "dtype" in kwargs:
            data = np.asarray(data).astype(kwargs["dtype"])
        new = self._like(data, kwargs.get("geom"), kwargs.get("unit"), kwargs.get("meta"))
        if not kwargs:
            del data
            new._content.take_state(self._content)
        return new

    def _like(self, data: Any, geom: Any = None, unit: Any = None, meta: Any = None) -> Any:
        """Map of the same class with other data, which are not copied; of the class for `geom` if that is of another kind."""
        geom = self._geom if geom is None else geom
        cls = type(self) if type(geom) is type(self._geom) else factory.map_class(geom)
        unit = self._unit if unit is None else unit
        return cls(geom=geom, data=data, unit=unit, meta=self._meta if meta is None else meta)

    # Making, reading, writing

    create = staticmethod(factory.create)
    from_geom = staticmethod(factory.from_geom)
    from_stack = classmethod(combine.from_stack)
    read = staticmethod(factory.read)
    from_hdulist = staticmethod(factory.from_hdulist)
    write = factory.write

    # Numbers at points, pixels and bins

    get_by_coord = get.get_by_coord
    get_by_pix = get.get_by_pix
    get_by_idx = get.get_by_idx
    get_image_by_coord = get.get_image_by_coord
    get_image_by_pix = get.get_image_by_pix
    get_image_by_idx = get.get_image_by_idx
    interp_by_coord = get.interp_by_coord
    interp_by_pix = get.interp_by_pix
    mask_nearest_position = get.mask_nearest_position
    fill_events = fill.fill_events
    fill_by_coord = fill.fill_by_coord
    fill_by_pix = fill.fill_by_pix
    fill_by_idx = fill.fill_by_idx
    set_by_coord = fill.set_by_coord
    set_by_pix = fill.set_by_pix
    set_by_idx = fill.set_by_idx
    sample_coord = sample.sample_coord

    # Maps from maps: pixels and bins

    slice_by_idx = transform.slice_by_idx
    crop = transform.crop
    pad = transform.pad
    downsample = transform.downsample
    upsample = transform.upsample
    resample_axis = transform.resample_axis
    rename_axes = transform.rename_axes
    reorder_axes = transform.reorder_axes
    to_cube = transform.to_cube
    to_unit = transform.to_unit
    split_by_axis = iterate.split_by_axis
    iter_by_axis = iterate.iter_by_axis
    iter_by_image = iterate.iter_by_image
    iter_by_image_data = iterate.iter_by_image_data
    iter_by_image_index = iterate.iter_by_image_index

    # Sums

    reduce = reductions.reduce
    reduce_over_axes = reductions.reduce_over_axes
    sum_over_axes = reductions.sum_over_axes
    cumsum = integrate.cumsum
    integral = integrate.integral
    normalize = integrate.normalize
    dot = combine.dot
    stack = combine.stack
    coadd = combine.coadd

    # Other geometries

    interp_to_geom = convert.interp_to_geom
    resample = convert.resample
    reproject_to_geom = convert.reproject_to_geom
    reproject_by_image = convert.reproject_by_image
    get_spectrum = to_region.get_spectrum

    # Plots

    plot_grid = plot.plot_grid
    plot_interactive = plot.plot_interactive

    # Operators

    is_allclose = arithmetic.is_allclose
    __add__ = arithmetic.binary(np.add)
    __sub__ = arithmetic.binary(np.subtract)
    __mul__ = arithmetic.binary(np.multiply)
    __truediv__ = arithmetic.binary(np.true_divide)
    __radd__ = arithmetic.binary(np.add, reflected=True)
    __rsub__ = arithmetic.binary(np.subtract, reflected=True)
    __rmul__ = arithmetic.binary(np.multiply, reflected=True)
    __rtruediv__ = arithmetic.binary(np.true_divide, reflected=True)
    __iadd__ = arithmetic.in_place(np.add)
    __isub__ = arithmetic.in_place(np.subtract)
    __imul__ = arithmetic.in_place(np.multiply)
    __itruediv__ = arithmetic.in_place(np.true_divide)
    __le__ = arithmetic.binary(np.less_equal)
    __lt__ = arithmetic.binary(np.less)
    __ge__ = arithmetic.binary(np.greater_equal)
    __gt__ = arithmetic.binary(np.greater)
    __eq__ = arithmetic.binary(np.equal)
    __ne__ = arithmetic.binary(np.not_equal)
    __and__ = arithmetic.binary(np.logical_and)
    __or__ = arithmetic.binary(np.logical_or)
    __xor__ = arithmetic.binary(np.logical_xor)
    __iand__ = arithmetic.in_place(np.logical_and)
    __ior__ = arithmetic.in_place(np.logical_or)
    __ixor__ = arithmetic.in_place(np.logical_xor)
    __invert__ = arithmetic.invert
    __hash__ = object.__hash__

    # Display

    def __str__(self) -> str:
        geom = self._geom
        return (
            f"{type(self).__name__}\n\n"
            f"\tgeom  : {type(geom).__name__} \n"
            f" \taxes  : {geom.axes_names}\n"
            f"\tshape : {tuple(int(n) for n in geom.data_shape[::-1])}\n"
            f"\tndim  : {geom.ndim}\n"
            f"\tunit  : {self._unit}\n"
            f"\tdtype : {self.frozen_data.dtype}\n"
        )

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"
