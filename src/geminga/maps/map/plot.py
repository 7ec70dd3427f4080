"""Pictures of maps: images, grids of them, spectra, masks."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from geminga.errors import GeometryError, InputError, MissingDependencyError, UnsupportedError
from geminga.maps.map.labels import axis_to_plot, bin_title, data_label, lines_along, plain
from geminga.utils.plot import current_axes, sky_projection

__all__ = [
    "add_colorbar",
    "plot_grid",
    "plot_hist",
    "plot_image",
    "plot_interactive",
    "plot_interactive_region",
    "plot_mask",
    "plot_mask_spectrum",
    "plot_region",
    "plot_spectrum",
]

# Even in lightness and told apart by all eyes.
_COLORMAP = "viridis"

_SKY_LABELS = {"galactic": ("Galactic Longitude", "Galactic Latitude")}


def add_colorbar(img: Any, ax: Any, axes_loc: dict[str, Any] | None = None, **kwargs: Any) -> Any:
    """Add a colour bar beside axes.

    Parameters
    ----------
    img : AxesImage or other mappable
        What the bar belongs to.
    ax : Axes
        Axes of the image.
    axes_loc : dict, optional
        Arguments of ``mpl_toolkits.axes_grid1.axes_divider.AxesDivider.append_axes``: ``position``, ``size``, ``pad``.
    **kwargs
        Arguments of ``Figure.colorbar``, such as ``label``.

    Returns
    -------
    colorbar : Colorbar
    """
    from matplotlib.axes import Axes
    from mpl_toolkits.axes_grid1 import make_axes_locatable

    location = {"position": "right", "size": "4%", "pad": 0.12, "axes_class": Axes} | (axes_loc or {})
    kwargs.setdefault("orientation", "horizontal" if location["position"] in {"top", "bottom"} else "vertical")
    cax = make_axes_locatable(ax).append_axes(**location)
    return ax.figure.colorbar(img, cax=cax, **kwargs)


def _sky_axes(self: Any, ax: Any, fig: Any = None) -> Any:
    """Axes in the projection of the map, with labels."""
    import matplotlib.pyplot as plt

    if fig is not None and ax is None:
        ax = fig.add_subplot(1, 1, 1, projection=sky_projection(self.geom.wcs))
    if ax is None:
        current = plt.gcf()
        is_sky = current.axes and hasattr(current.axes[-1], "wcs")
        ax = plt.gca() if is_sky else plt.subplot(projection=sky_projection(self.geom.wcs))
    if not hasattr(ax, "coords"):
        return ax
    lon, lat = _SKY_LABELS.get(self.geom.frame, ("Right Ascension", "Declination"))
    ax.coords[0].set_axislabel(lon)
    ax.coords[1].set_axislabel(lat)
    return ax


def _flat_image(self: Any, name: str) -> NDArray[Any]:
    if not self.geom.is_flat:
        msg = (
            f"{name}: the map has axes {self.geom.axes.names} with {self.geom.axes.shape} bins, use of {name} needs an image; "
            "use .plot_grid(), .plot_interactive(), .sum_over_axes() or .slice_by_idx()."
        )
        raise GeometryError(msg)
    return np.asarray(self.frozen_data.reshape(self.geom.to_image().data_shape), dtype=float)


def _norm(data: NDArray[Any], stretch: str, kwargs: dict[str, Any]) -> Any:
    """Normalisation of colours; takes ``vmin`` and ``vmax`` out of `kwargs`."""
    from astropy.visualization import simple_norm
    from matplotlib.colors import Normalize

    low, high = kwargs.pop("vmin", None), kwargs.pop("vmax", None)
    known = data[np.isfinite(data)]
    if not known.size:
        return Normalize(0.0 if low is None else low, 1.0 if high is None else high)
    try:
        return simple_norm(known, stretch, vmin=low, vmax=high)
    except ValueError as error:
        msg = f"Map.plot: stretch {stretch!r} is not known: {error}"
        raise InputError(msg) from error


def plot_image(
    self: Any,
    ax: Any = None,
    fig: Any = None,
    add_cbar: bool = False,
    stretch: str = "linear",
    axes_loc: dict[str, Any] | None = None,
    kwargs_colorbar: dict[str, Any] | None = None,
    **kwargs: Any,
) -> Any:
    """Plot an image on the sky.

    Parameters
    ----------
    ax : WCSAxes, optional
        Where to draw; by default axes in the projection of the map.
    fig : Figure, optional
        Figure for new axes.
    add_cbar : bool
        Add a colour bar.
    stretch : {"linear", "sqrt", "power", "log", "asinh"}
        How numbers are stretched to colours, see `astropy.visualization.simple_norm`.
    axes_loc : dict, optional
        Place of the colour bar, see `geminga.visualization.add_colorbar`.
    kwargs_colorbar : dict, optional
        Arguments of the colour bar.
    **kwargs
        Arguments of ``Axes.imshow``, such as ``cmap`` (default viridis), ``vmin``, ``vmax``, ``norm``.

    Returns
    -------
    ax : WCSAxes

    Raises
    ------
    GeometryError
        If an axis has more than one bin.
    """
    data = _flat_image(self, "plot")
    ax = _sky_axes(self, ax, fig)
    kwargs.setdefault("cmap", _COLORMAP)
    kwargs.setdefault("origin", "lower")
    kwargs.setdefault("interpolation", "nearest")
    if self.is_mask:
        kwargs.setdefault("vmin", 0)
        kwargs.setdefault("vmax", 1)
    if "norm" not in kwargs:
        kwargs["norm"] = _norm(data, stretch, kwargs)
    image = ax.imshow(data, **kwargs)
    if add_cbar:
        settings = {"label": self.unit.to_string("latex_inline") if str(self.unit) else ""} | (kwargs_colorbar or {})
        add_colorbar(image, ax=ax, axes_loc=axes_loc, **settings)
    return ax


def plot_mask(self: Any, ax: Any = None, **kwargs: Any) -> Any:
    """Shade the area in which a mask is true.

    Parameters
    ----------
    ax : WCSAxes, optional
        Where to draw.
    **kwargs
        Arguments of ``Axes.contourf``, such as ``colors``, ``alpha``.

    Returns
    -------
    ax : WCSAxes

    Raises
    ------
    InputError
        If the map is no mask.
    """
    if not self.is_mask:
        msg = f"plot_mask is only supported for boolean masks, the data are {self.frozen_data.dtype}."
        raise InputError(msg)
    data = _flat_image(self, "plot_mask")
    ax = _sky_axes(self, ax)
    kwargs.setdefault("alpha", 0.5)
    if "cmap" not in kwargs:
        kwargs.setdefault("colors", ["tab:blue"])
    if data.any():
        if hasattr(ax, "wcs"):
            kwargs.setdefault("transform", ax.get_transform(self.geom.wcs))
        ax.contourf(data, levels=[0.5, 1.5], **kwargs)
    return ax


def plot_grid(self: Any, figsize: tuple[float, float] | None = None, ncols: int = 3, **kwargs: Any) -> NDArray[Any]:
    """Plot all images beside each other, each with its bin as title.

    Parameters
    ----------
    figsize : tuple, optional
        Size of the figure in inches.
    ncols : int
        Number of images in a row.
    **kwargs
        Arguments of `plot`.

    Returns
    -------
    axes : array of WCSAxes
        One row of images in one dimension, several in two.

    Raises
    ------
    GeometryError
        If there are no axes, or no image.
    """
    import matplotlib.pyplot as plt

    if self.geom.is_image or self.geom.is_region:
        msg = f"{type(self).__name__}.plot_grid: needs images and an axis, the axes are {self.geom.axes_names}; use .plot()."
        raise GeometryError(msg)
    indices = list(self.iter_by_image_index())
    ncols = max(min(int(ncols), len(indices)), 1)
    nrows = -(-len(indices) // ncols)
    if figsize is None:
        nlat, nlon = self.geom.data_shape[-2:]
        figsize = (4.0 * ncols, max(4.0 * nlat / nlon, 1.0) * nrows + 0.6 * nrows)
    projection = sky_projection(self.geom.wcs)
    figure, axes = plt.subplots(nrows=nrows, ncols=ncols, figsize=figsize, subplot_kw={"projection": projection})
    flat = np.atleast_1d(axes).ravel()
    for number, (ax, idx, image) in enumerate(zip(flat, indices, self.iter_by_image(), strict=False)):
        image.plot(ax=ax, **dict(kwargs))
        ax.set_title("; ".join(bin_title(axis, i) for axis, i in zip(self.geom.axes, idx[::-1], strict=True)), fontsize="medium")
        # Labels at the left and below only.
        for coord, is_inner in zip(ax.coords, (number + ncols < len(indices), number % ncols > 0), strict=True):
            if is_inner:
                coord.set_axislabel(" ")
                coord.set_ticklabel_visible(False)
    for ax in flat[len(indices) :]:
        ax.set_visible(False)
    figure.subplots_adjust(hspace=0.25, wspace=0.35 if kwargs.get("add_cbar") else 0.1)
    return np.atleast_1d(axes)


def plot_interactive(self: Any, rc_params: dict[str, Any] | None = None, **kwargs: Any) -> None:
    """Plot one image at a time, chosen by sliders, in a notebook.

    Parameters
    ----------
    rc_params : dict, optional
        Settings of matplotlib.
    **kwargs
        Arguments of `plot`.

    Raises
    ------
    MissingDependencyError
        If ipywidgets is not installed.
    """
    try:
        from ipywidgets import RadioButtons, SelectionSlider, interact
    except ImportError as error:
        msg = "Map.plot_interactive needs the package ipywidgets; install it with 'pip install ipywidgets'."
        raise MissingDependencyError(msg) from error
    import matplotlib.pyplot as plt

    if self.geom.is_image:
        msg = "Map.plot_interactive: the map is an image, there is nothing to choose; use .plot()."
        raise GeometryError(msg)
    names = self.geom.axes.names
    sliders = {
        f"select_{axis.name}": SelectionSlider(
            options=[(bin_title(axis, i), i) for i in range(axis.nbin)], description=axis.name, continuous_update=False
        )
        for axis in self.geom.axes
    }
    stretch = kwargs.pop("stretch", "sqrt")

    def show(stretch: str, **selected: int) -> None:
        image = self.get_image_by_idx(tuple(selected[f"select_{name}"] for name in names))
        with plt.rc_context(rc=rc_params or {}):
            image.plot(fig=plt.figure(), stretch=stretch, **dict(kwargs))
            plt.show()

    buttons = RadioButtons(options=["linear", "sqrt", "log"], value=stretch, description="Stretch")
    interact(show, stretch=buttons, **sliders)


def plot_interactive_region(self: Any) -> NoReturn:
    """Not offered; raises `UnsupportedError`."""
    msg = "Interactive plotting is not supported for RegionNDMap; use .plot() or .plot_hist()."
    raise UnsupportedError(msg)


def plot_spectrum(self: Any, ax: Any = None, axis_name: str | None = None, **kwargs: Any) -> Any:
    """Plot the data along an axis, a line for each bin of the others.

    Parameters
    ----------
    ax : Axes, optional
        Where to draw.
    axis_name : str, optional
        Axis; may be left out if only one has more than one bin.
    **kwargs
        Arguments of ``Axes.errorbar``.

    Returns
    -------
    ax : Axes

    Raises
    ------
    InputError
        If the axis is not given and there are several.
    """
    axis = axis_to_plot(self, axis_name)
    ax = current_axes(ax)
    kwargs.setdefault("fmt", ".")
    errors = axis.as_plot_xerr
    xerr = tuple(plain(e) for e in errors) if isinstance(errors, tuple) else plain(errors)
    lines = lines_along(self, axis)
    for data, label in lines:
        settings = ({"label": label} if label else {}) | kwargs
        ax.errorbar(plain(axis.as_plot_center), data, xerr=xerr, **settings)
    axis.format_plot_xaxis(ax=ax)
    ax.set_ylabel(data_label(self))
    if getattr(axis, "interp", "lin") == "log" and not self.is_mask and all((data > 0).any() for data, _ in lines):
        ax.set_yscale("log", nonpositive="clip")
    if len(lines) > 1:
        ax.legend()
    return ax


def plot_hist(self: Any, ax: Any = None, **kwargs: Any) -> Any:
    """Plot the data of the only axis as steps.

    Parameters
    ----------
    ax : Axes, optional
        Where to draw.
    **kwargs
        Arguments of ``Axes.hist``, such as ``color``, ``label``.

    Returns
    -------
    ax : Axes
    """
    axis = axis_to_plot(self, None)
    ax = current_axes(ax)
    kwargs.setdefault("histtype", "step")
    kwargs.setdefault("lw", 1)
    data = np.asarray(self.frozen_data, dtype=float).reshape(-1)
    ax.hist(plain(axis.as_plot_center), bins=plain(axis.as_plot_edges), weights=data, **kwargs)
    axis.format_plot_xaxis(ax=ax)
    ax.set_ylabel(data_label(self, "Counts"))
    return ax


def plot_mask_spectrum(self: Any, ax: Any = None, **kwargs: Any) -> Any:
    """Shade the bins of the only axis in which a mask is true.

    Parameters
    ----------
    ax : Axes, optional
        Where to draw.
    **kwargs
        Arguments of ``Axes.fill_between``.

    Returns
    -------
    ax : Axes

    Raises
    ------
    InputError
        If the map is no mask.
    """
    if not self.is_mask:
        msg = f"plot_mask is only supported for boolean masks, the data are {self.frozen_data.dtype}."
        raise InputError(msg)
    axis = axis_to_plot(self, None)
    ax = current_axes(ax)
    kwargs.setdefault("color", "tab:blue")
    kwargs.setdefault("alpha", 0.3)
    mask = self.frozen_data.reshape(-1)
    height = np.append(mask, mask[-1]).astype(float)
    ax.fill_between(
        plain(axis.as_plot_edges), 0, height, step="post", transform=ax.get_xaxis_transform(), edgecolor="none", **kwargs
    )
    axis.format_plot_xaxis(ax=ax)
    return ax


def plot_region(self: Any, ax: Any = None, **kwargs: Any) -> Any:
    """Draw the outline of the region; see `RegionGeom.plot_region`."""
    return self.geom.plot_region(ax, **kwargs)
