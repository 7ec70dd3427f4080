"""Pictures of events and observations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u
from astropy.coordinates import Angle, SkyCoord

from geminga.errors import DataError
from geminga.maps import Map
from geminga.numerics.sphere import separation
from geminga.utils.plot import current_axes, sky_projection, with_norm

if TYPE_CHECKING:
    from geminga.data.events import EventList
    from geminga.data.observation import Observation

__all__ = [
    "peek_events",
    "peek_observation",
    "plot_energy",
    "plot_energy_offset",
    "plot_image",
    "plot_offset2_distribution",
    "plot_time",
]


def _some_events(self: EventList) -> EventList:
    if len(self) == 0:
        msg = "EventList: there are no events to plot."
        raise DataError(msg)
    return self


def _center(self: EventList, center: SkyCoord | None) -> SkyCoord:
    """Pointing, or the median position where there is none."""
    if center is not None:
        return center.icrs
    header = self._rows.header
    return self.pointing_radec if "RA_PNT" in header and "DEC_PNT" in header else self.galactic_median.icrs


def _distance(self: EventList, center: SkyCoord) -> Any:
    """Distances from a centre, deg."""
    lon, lat = np.deg2rad([self.numbers("RA"), self.numbers("DEC")])
    return np.rad2deg(separation(center.ra.rad, center.dec.rad, lon, lat))


def _energy_edges(self: EventList, n: int = 50) -> Any:
    energy = self.energy.value
    low, high = energy[energy > 0].min(), energy.max()
    return np.geomspace(low * 0.999, high * 1.001, n + 1)


def plot_energy(self: EventList, ax: Any = None, **kwargs: Any) -> Any:
    """Plot a histogram of the energies.

    Parameters
    ----------
    ax : Axes, optional
        Where to plot.
    **kwargs
        Options of `matplotlib.axes.Axes.hist`.

    Returns
    -------
    ax : Axes
    """
    ax = current_axes(ax)
    _some_events(self)
    options = {"bins": _energy_edges(self), "histtype": "step", "color": "k"} | kwargs
    ax.hist(self.energy.value, **options)
    ax.set(xscale="log", yscale="log", xlabel=f"Energy [{self.energy.unit}]", ylabel="Counts")
    return ax


def plot_time(self: EventList, ax: Any = None, **kwargs: Any) -> Any:
    """Plot the number of events against time.

    Parameters
    ----------
    ax : Axes, optional
        Where to plot.
    **kwargs
        Options of `matplotlib.axes.Axes.errorbar`.

    Returns
    -------
    ax : Axes
    """
    ax = current_axes(ax)
    seconds = _some_events(self).numbers("TIME")
    start = seconds.min()
    counts, edges = np.histogram(seconds - start, bins=20)
    options = {"fmt": "none", "color": "k"} | kwargs
    x, half = 0.5 * (edges[1:] + edges[:-1]), 0.5 * np.diff(edges)
    ax.errorbar(x, counts / (2 * half), xerr=half, yerr=np.sqrt(counts) / (2 * half), **options)
    ax.set(xlabel=f"Time [s] after {(self.time_ref + start * u.s).utc.iso[:19]} UTC", ylabel="Event rate [1 / s]")
    ax.set_ylim(bottom=0)
    return ax


def plot_offset2_distribution(
    self: EventList, ax: Any = None, center: SkyCoord | None = None, max_percentile: float = 98, **kwargs: Any
) -> Any:
    """Plot a histogram of squared distances: flat where events are spread evenly.

    Parameters
    ----------
    ax : Axes, optional
        Where to plot.
    center : SkyCoord, optional
        Position from which distances count; the pointing by default.
    max_percentile : float
        How much of the distances to show, in percent.
    **kwargs
        Options of `matplotlib.axes.Axes.hist`.

    Returns
    -------
    ax : Axes
    """
    ax = current_axes(ax)
    squares = _distance(_some_events(self), _center(self, center)) ** 2
    edges = np.linspace(0, np.percentile(squares, max_percentile), 31)
    ax.hist(squares, **({"bins": edges, "histtype": "step", "color": "k"} | kwargs))
    ax.set(xlabel="Offset$^2$ [deg$^2$]", ylabel="Counts")
    return ax


def plot_energy_offset(self: EventList, ax: Any = None, center: SkyCoord | None = None, **kwargs: Any) -> Any:
    """Plot the number of events in bins of energy and distance.

    Parameters
    ----------
    ax : Axes, optional
        Where to plot.
    center : SkyCoord, optional
        Position from which distances count; the pointing by default.
    **kwargs
        Options of `matplotlib.axes.Axes.pcolormesh`.

    Returns
    -------
    ax : Axes
    """
    from matplotlib.colors import LogNorm

    ax = current_axes(ax)
    distance = _distance(_some_events(self), _center(self, center))
    edges = _energy_edges(self), np.linspace(0, np.percentile(distance, 99.5), 31)
    counts = np.histogram2d(self.energy.value, distance, bins=edges)[0]
    mesh = ax.pcolormesh(*edges, np.ma.masked_equal(counts, 0).T, **({"cmap": "viridis"} | with_norm(kwargs, LogNorm)))
    ax.figure.colorbar(mesh, ax=ax, label="Counts")
    ax.set(xscale="log", xlabel=f"Energy [{self.energy.unit}]", ylabel="Offset [deg]")
    return ax


def _image(self: EventList, allsky: bool) -> Map:
    if allsky:
        image = Map.create(npix=(360, 180), binsz=1, proj="AIT", frame="galactic")
    else:
        center = _center(self, None)
        width = 2 * float(np.percentile(_distance(self, center), 99.5))
        image = Map.create(skydir=center, width=max(width, 0.2), binsz=max(width, 0.2) / 100, frame="icrs")
    image.fill_events(self)
    return image


def plot_image(self: EventList, ax: Any = None, allsky: bool = False) -> Any:
    """Plot the number of events in pixels of the sky, smoothed.

    Parameters
    ----------
    ax : Axes, optional
        Where to plot.
    allsky : bool
        Show the whole sky.

    Returns
    -------
    ax : Axes
    """
    image = _image(_some_events(self), allsky)
    smooth = image.smooth(width=1 * u.deg if allsky else Angle(2 * image.geom.pixel_scales[0]))
    return smooth.plot(ax=ax, stretch="sqrt", cmap="viridis", vmin=0)


def peek_events(self: EventList, allsky: bool = False) -> None:
    """Plot positions, energies, times and distances of the events.

    Parameters
    ----------
    allsky : bool
        Show positions on the whole sky.
    """
    import matplotlib.pyplot as plt

    _some_events(self)
    figure = plt.figure(figsize=(15, 9), layout="constrained")
    sky = figure.add_subplot(2, 3, (1, 1), projection=sky_projection(_image(self, allsky).geom.wcs))
    plot_image(self, ax=sky, allsky=allsky)
    sky.set_title("Smoothed counts")
    panels = [figure.add_subplot(2, 3, i) for i in range(2, 6)]
    for function, ax in zip((plot_energy, plot_time, plot_offset2_distribution, plot_energy_offset), panels, strict=True):
        function(self, ax=ax)
    text = figure.add_subplot(2, 3, 6)
    text.axis("off")
    text.text(0, 1, str(self), va="top", family="monospace", fontsize="small")


def peek_observation(self: Observation, figsize: tuple[float, float] = (15, 10)) -> None:
    """Plot the response functions of an observation.

    Parameters
    ----------
    figsize : tuple
        Size of the figure, inches.

    Raises
    ------
    DataError
        If there is none.
    """
    import matplotlib.pyplot as plt

    pictures = [(name, method) for name, method in _PICTURES.items() if name in self.available_irfs]
    if not pictures:
        msg = f"Observation {self.obs_id} has no response functions to plot."
        raise DataError(msg)
    columns = min(len(pictures), 2)
    rows = -(-len(pictures) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=figsize, squeeze=False)
    figure.subplots_adjust(wspace=0.5, hspace=0.3)
    for ax in axes.ravel()[len(pictures) :]:
        ax.axis("off")
    for ax, (name, (title, method)) in zip(axes.ravel(), pictures, strict=False):
        irf = getattr(self, name)
        # A background on two coordinates is shown as its mean over position angles.
        irf = irf.to_2d() if name == "bkg" and hasattr(irf, "to_2d") else irf
        getattr(irf, method)(ax=ax)
        ax.set_title(title)
    figure.suptitle(f"Observation {self.obs_id}")


# Title, and the method that draws.
_PICTURES: dict[str, tuple[str, str]] = {
    "aeff": ("Effective area", "plot"),
    "bkg": ("Background rate", "plot"),
    "edisp": ("Energy dispersion", "plot_bias"),
    "psf": ("Containment radius", "plot_containment_radius_vs_energy"),
    "rad_max": ("Radius of counts", "plot_rad_max_vs_energy"),
}
