"""Test statistic and flux of a source at every pixel.

The likelihood of all positions is solved together, see `geminga.numerics.norm_map`.
"""

from __future__ import annotations

import copy as copying
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from geminga.errors import GeometryError, InputError, UnsupportedError
from geminga.estimators.base import Estimator, angle, as_list, band_axis, check_data, check_sigma, energy_groups
from geminga.estimators.exposure import folded_signal
from geminga.estimators.points.norms import NormOptions, estimate_limits, norm_parameter
from geminga.flux import FluxMaps
from geminga.maps import Map, WcsGeom
from geminga.modeling.models import PointSpatialModel, PowerLawSpectralModel, SkyModel
from geminga.numerics.norm_map import Layer, NormMap, sensitivity, window_sums
from geminga.utils.parallel import run_tasks
from geminga.utils.pbar import progress_bar
from geminga.utils.threads import single_thread

__all__ = ["TSMapEstimator"]

Array = NDArray[np.float64]

#: Part of a source's counts inside the default kernel.
CONTAINED = 0.99


class TSMapEstimator(Estimator):
    """Flux and significance of a source put at every pixel in turn.

    At each position the norm of the kernel model is fitted on top of the dataset's models by the Poisson
    likelihood, exactly and for all positions together.

    Parameters
    ----------
    kernel_model : SkyModel, optional
        Source; its position does not matter. A point with a power law of index 2 if not given.
    kernel_width : Quantity or str, optional
        Side of the square window around each position that is fitted. By default it holds 99 % of the source's counts.
        What lies outside of the window is not lost: the norm refers to the whole source.
    downsampling_factor : int, optional
        Rebin the datasets first, and interpolate the results back.
    n_sigma, n_sigma_ul, n_sigma_sensitivity : float
        Standard deviations of errors, upper limits and sensitivity.
    threshold, rtol, max_niter
        Accepted for compatibility; every position is solved exactly.
    selection_optional : list of str or "all", optional
        ``"errn-errp"``, ``"ul"``, ``"sensitivity"``.
    energy_edges : Quantity, optional
        Edges of the energy bands, rounded to those of the dataset; one band if not given.
    sum_over_energy_groups : bool
        Add the energies of a band to one image before the fit; otherwise they are fitted jointly, which uses more of the data.
    n_jobs : int, optional
        Threads of the Fourier transforms.
    norm : Parameter or dict, optional
        Bounds of the norm, for example ``{"min": 0}``.
    executor : concurrent.futures.Executor, optional
        Where to fit the bands, each a task, such as ``dask.distributed.Client().get_executor()``.

    Examples
    --------
    >>> from geminga.estimators import TSMapEstimator
    >>> TSMapEstimator(kernel_width="0.3 deg", selection_optional="all").selection_optional
    ['errn-errp', 'ul', 'sensitivity']
    """

    tag = "TSMapEstimator"
    _selection_all: ClassVar[tuple[str, ...]] = ("errn-errp", "ul", "sensitivity")

    n_jobs: int | None = None
    parallel_backend: str | None = None

    def __init__(
        self,
        kernel_model: Any = None,
        kernel_width: Any = None,
        downsampling_factor: int | None = None,
        n_sigma: float = 1,
        n_sigma_ul: float = 2,
        n_sigma_sensitivity: float = 5,
        threshold: float | None = None,
        rtol: float = 0.01,
        selection_optional: Any = None,
        energy_edges: Any = None,
        sum_over_energy_groups: bool = True,
        n_jobs: int | None = None,
        parallel_backend: str | None = None,
        norm: Any = None,
        max_niter: int = 100,
        executor: Any = None,
    ) -> None:
        if kernel_model is None:
            kernel_model = SkyModel(PowerLawSpectralModel(), PointSpatialModel(), name="ts-kernel")
        if not hasattr(kernel_model, "spatial_model") or kernel_model.spatial_model is None:
            msg = f"TSMapEstimator: kernel_model is {kernel_model!r}; expected a SkyModel with a spatial model."
            raise InputError(msg)
        self.kernel_model = kernel_model
        self.kernel_width = None if kernel_width is None else angle("kernel_width", kernel_width)
        self.downsampling_factor = downsampling_factor
        self.n_sigma = check_sigma("n_sigma", n_sigma)
        self.n_sigma_ul = check_sigma("n_sigma_ul", n_sigma_ul)
        self.n_sigma_sensitivity = check_sigma("n_sigma_sensitivity", n_sigma_sensitivity)
        self.threshold, self.rtol, self.max_niter = threshold, rtol, max_niter
        self.norm, self.executor = norm_parameter(norm), executor
        self.selection_optional = selection_optional
        self.energy_edges = energy_edges
        self.sum_over_energy_groups = sum_over_energy_groups
        self.n_jobs, self.parallel_backend = n_jobs, parallel_backend

    @property
    def selection_all(self) -> list[str]:
        """Names of all maps that can be asked for."""
        names = ["ts", "norm", "niter", "norm_err", "npred", "npred_excess", "stat", "stat_null", "sqrt_ts"]
        if "errn-errp" in self.selection_optional:
            names += ["norm_errp", "norm_errn"]
        if "ul" in self.selection_optional:
            names += ["norm_ul"]
        if "sensitivity" in self.selection_optional:
            names += ["norm_sensitivity"]
        return names

    # ---- parts that can be looked at -----------------------------------------------------------

    def estimate_kernel(self, dataset: Any) -> Any:
        """Share of the source's counts in the pixels around its position.

        Parameters
        ----------
        dataset : MapDataset
            Its responses at the centre are used.

        Returns
        -------
        kernel : Map
            Odd number of pixels, one image per energy. The sum is the part of the counts inside the window.
        """
        geom = dataset._geom.to_image()
        side = self._kernel_side(dataset)
        own = WcsGeom.create(skydir=geom.center_skydir, binsz=geom.pixel_scales, npix=(side, side), proj="TAN", frame=geom.frame)
        spatial = self.kernel_model.spatial_model.copy()
        spatial.position = geom.center_skydir
        model = SkyModel(self.kernel_model.spectral_model, spatial, name="ts-kernel", apply_irf=self.kernel_model.apply_irf)
        exposure = Map.from_geom(own.to_cube([dataset.exposure.geom.axes["energy_true"]]), unit=dataset.exposure.unit)
        # True energies have their share in a band by their exposure; where on the image matters little, a grid of places will do.
        every = tuple(slice(None, None, max(size // 64, 1)) for size in dataset.exposure.frozen_data.shape[1:])
        exposure.data += np.nanmean(dataset.exposure.frozen_data[:, *every], axis=(1, 2), keepdims=True)
        cut = type(dataset)(
            counts=Map.from_geom(own.to_cube([dataset._geom.axes["energy"]])),
            exposure=exposure,
            psf=dataset.psf,
            edisp=dataset.edisp,
            models=[model],
            name="ts-kernel",
        )
        counts = cut.npred_signal()
        whole = folded_signal(cut, model.spectral_model)[0].max(axis=(1, 2), keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(whole > 0, counts.frozen_data / whole, 0.0)
        # A pixel on the sphere is not exactly one of a plane: never more than the whole source.
        share = np.maximum(share, 0.0)
        share /= np.maximum(share.sum(axis=(1, 2), keepdims=True), 1.0)
        return Map.from_geom(counts.geom, data=self._trimmed(share, counts) if self.kernel_width is None else share)

    def _kernel_side(self, dataset: Any) -> int:
        scale = float(dataset._geom.pixel_scales.to_value("deg").max())
        if self.kernel_width is not None:
            half = int(np.ceil((self.kernel_width.to_value("deg") / scale - 1) / 2 - 1e-6))
            return 2 * max(half, 1) + 1
        spatial = self.kernel_model.spatial_model
        reach = spatial.support_radius(np.array([p.value for p in spatial.parameters])) or 0.0
        if dataset.psf is not None:
            energy = dataset._geom.axes["energy"].center
            radius = dataset.psf.containment_radius(0.995, energy_true=energy)
            reach += float(np.nan_to_num(radius.to_value("deg")).max())
        limit = min(dataset._geom.to_image().data_shape) // 2 - 1
        return 2 * max(min(int(np.ceil(reach / scale)), limit), 2) + 1

    def _trimmed(self, share: Array, counts: Any) -> Array:
        """Zero outside the smallest window that holds `CONTAINED` of the counts of all energies."""
        total = counts.frozen_data.sum(axis=0)
        half = total.shape[0] // 2
        distance = np.maximum(*np.abs(np.mgrid[-half : half + 1, -half : half + 1]))
        enclosed = np.cumsum(np.bincount(distance.ravel(), total.ravel()))
        reach = int(np.searchsorted(enclosed, CONTAINED * enclosed[-1]))
        return np.asarray(np.where(distance <= max(reach, 1), share, 0.0))

    @staticmethod
    def estimate_mask_default(dataset: Any) -> Any:
        """Pixels which the dataset's mask selects at any energy (Map of one image)."""
        image = dataset._geom.to_image()
        mask = dataset.mask
        data = np.ones(image.data_shape, bool) if mask is None else np.asarray(mask.frozen_data).any(axis=0)
        return Map.from_geom(image, data=data)

    def estimate_pad_width(self, dataset: Any, kernel: Any = None) -> tuple[int, int]:
        """Half the size of the kernel in pixels, (x, y): nothing is padded, the images end at their edges."""
        kernel = self.estimate_kernel(dataset) if kernel is None else kernel
        ny, nx = kernel.geom.data_shape[-2:]
        return nx // 2, ny // 2

    def estimate_fit_input_maps(self, dataset: Any) -> dict[str, Any]:
        """Counts, background, ``exposure`` (expected counts of a norm of one) and mask, zero where masked (dict of Map)."""
        geom = dataset._geom
        inside = np.ones(geom.data_shape, bool) if dataset.mask is None else np.asarray(dataset.mask.frozen_data)
        signal, _ = folded_signal(dataset, self.kernel_model.spectral_model)
        parts = {
            "counts": dataset.counts.frozen_data.astype(float),
            "background": dataset.npred().frozen_data,
            "exposure": np.maximum(signal, 0.0),
        }
        if not inside.all():
            parts = {name: np.where(inside, data, 0.0) for name, data in parts.items()}
        maps = {name: Map.from_geom(geom, data=data) for name, data in parts.items()}
        maps["mask"] = Map.from_geom(geom, data=inside)
        return maps

    def estimate_flux_default(self, dataset: Any, kernel: Any = None, exposure: Any = None) -> Any:
        """Flux of the source at every pixel in the limit of a faint one (Map, cm-2 s-1).

        The step of Newton's method from no source (Stewart 2009, A&A 495, 989): sum of (n / b - 1) s k over the sum of
        n (s k / b)^2.

        Parameters
        ----------
        dataset : MapDataset
            Dataset, its energies added.
        kernel : Map, optional
            Kernel of `estimate_kernel`.
        exposure : Map, optional
            ``exposure`` of `estimate_fit_input_maps`.
        """
        maps = self.estimate_fit_input_maps(dataset)
        share = (self.estimate_kernel(dataset) if kernel is None else kernel).frozen_data
        signal = (maps["exposure"] if exposure is None else exposure).frozen_data
        layer = _summed(maps["counts"].frozen_data, maps["background"].frozen_data, signal, share)
        own = NormMap([layer])
        slope, bend = own.likelihood().value(np.zeros(len(own.total)))
        with np.errstate(divide="ignore", invalid="ignore"):
            norm = np.where(bend < 0, (own.total - slope) / bend, np.nan).reshape(own.shape)
        axis = dataset._geom.axes["energy"]
        flux = self.kernel_model.spectral_model.integral(axis.edges[0], axis.edges[-1]).to("cm-2 s-1")
        return Map.from_geom(dataset._geom.to_image(), data=norm * flux.value, unit=flux.unit)

    # ---- the fit -------------------------------------------------------------------------------

    def estimate_flux_map(self, datasets: Any) -> dict[str, Any]:
        """Maps of one band: all energies of the datasets (dict of images)."""
        layers = [layer for dataset in datasets for layer in self._layers(dataset)]
        own = NormMap(layers, workers=self.n_jobs or 1)
        problem, norm, number = own.problem()
        options = NormOptions.of(self)
        norm = np.clip(norm, options.low, options.high)
        _, slope = problem.value(np.nan_to_num(norm))
        with np.errstate(divide="ignore", invalid="ignore"):
            error = np.where(np.isfinite(norm) & (slope < 0), 1 / np.sqrt(-slope), np.nan)
        ts = -problem.statistic(norm)
        null, background = window_sums(layers)
        out = {
            "norm": norm,
            "norm_err": error * self.n_sigma,
            "ts": ts,
            "sqrt_ts": np.sign(norm) * np.sqrt(np.maximum(ts, 0.0)),
            "niter": number.astype(float),
            "npred_excess": norm * problem.total,
            "npred": norm * problem.total + background,
            "stat_null": np.where(np.isfinite(norm), null, np.nan),
            "stat": null - ts,
        }
        out |= estimate_limits(problem, norm, options)
        if "sensitivity" in self.selection_optional:
            out["norm_sensitivity"] = sensitivity(layers, self.n_sigma_sensitivity)
        return {name: values.reshape(own.shape) for name, values in out.items()}

    def _layers(self, dataset: Any) -> list[Layer]:
        """The energies of a dataset, summed or not, as arrays."""
        kernel = self.estimate_kernel(dataset).frozen_data
        maps = self.estimate_fit_input_maps(dataset)
        n, b, s = (maps[name].frozen_data for name in ("counts", "background", "exposure"))
        if self.sum_over_energy_groups:
            return [_summed(n, b, s, kernel)]
        return [Layer(*parts) for parts in zip(n, b, s, kernel, strict=True)]

    def run(self, datasets: Any) -> FluxMaps:
        """Make the maps.

        Parameters
        ----------
        datasets : MapDataset, list of MapDataset or Datasets
            With statistic ``cash``, all on the same image; fitted jointly.

        Returns
        -------
        maps : FluxMaps
            ``norm``, ``norm_err``, ``ts``, ``sqrt_ts``, ``stat``, ``stat_null``, ``npred``, ``npred_excess``, ``niter`` and
            what `selection_optional` asks for, with one bin for each energy band. NaN where there is no exposure or no
            pixel inside the mask.

        Raises
        ------
        UnsupportedError
            For datasets with another statistic.
        GeometryError
            If the images of the datasets differ.
        DataError
            For data inside the mask that are not numbers.
        """
        items = as_list(datasets)
        _check(items)
        check_data(items)
        geom = items[0]._geom
        small = [d.downsample(self.downsampling_factor) if self.downsampling_factor else d for d in items]
        for before, after in zip(items, small, strict=True):
            if after is not before:
                after.models = before.models
        axis = geom.axes["energy"]
        groups = energy_groups(axis, self.energy_edges)
        alone = copying.copy(self)
        alone.executor = None  # it stays in this process
        tasks = ([_slice(d, group) for d in small] for group in groups)
        results = run_tasks(partial(alone._band, geom=geom), tasks, executor=self.executor)
        bands = list(progress_bar(results, desc="TS map", total=len(groups)))
        cube = geom.to_image().to_cube([band_axis(axis, groups)])
        data = {name: Map.from_geom(cube, data=np.stack([band[name] for band in bands])) for name in bands[0]}
        meta = {"n_sigma": self.n_sigma, "n_sigma_ul": self.n_sigma_ul, "n_sigma_sensitivity": self.n_sigma_sensitivity}
        return FluxMaps(data, reference_model=self.kernel_model, meta=meta, gti=items[0].gti)

    def _band(self, datasets: list[Any], geom: Any) -> dict[str, Array]:
        """Images of one band on the image of `geom`."""
        inside = np.any([self.estimate_mask_default(d).frozen_data for d in datasets], axis=0)
        with single_thread():
            out = {name: np.where(inside, image, np.nan) for name, image in self.estimate_flux_map(datasets).items()}
        if self.downsampling_factor is None:
            return out
        return {name: _enlarged(image, datasets[0]._geom.to_image(), geom.to_image()) for name, image in out.items()}


def _enlarged(image: Array, own: Any, geom: Any) -> Array:
    """Image on smaller pixels; NaN where it is not known."""
    known = np.isfinite(image)
    values, weight = (
        Map.from_geom(own, data=data).interp_to_geom(geom, fill_value=None).frozen_data
        for data in (np.where(known, image, 0.0), known.astype(float))
    )
    # Beside pixels that are not known, a mean of the others.
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(weight > 0.5, values / weight, np.nan))


def _summed(counts: Array, background: Array, signal: Array, kernel: Array) -> Layer:
    """Energies added to one layer; the kernel is the mean, weighted with the expected counts."""
    weight = signal.reshape(len(signal), -1).mean(axis=1)
    total = weight.sum()
    mean = np.tensordot(weight / total if total > 0 else np.full(len(signal), 1 / len(signal)), kernel, axes=1)
    return Layer(counts.sum(axis=0), background.sum(axis=0), signal.sum(axis=0), mean)


def _slice(dataset: Any, group: slice) -> Any:
    """Some energies of a dataset, with its models."""
    if (group.start, group.stop) == (0, dataset._geom.axes["energy"].nbin):
        return dataset
    out = dataset.slice_by_idx({"energy": group}, name=dataset.name)
    out.models = dataset.models
    return out


def _check(datasets: list[Any]) -> None:
    for dataset in datasets:
        if dataset.stat_type != "cash":
            msg = (
                f"TSMapEstimator needs the statistic 'cash', but dataset {dataset.name!r} has {dataset.stat_type!r}; "
                "use ExcessMapEstimator for on/off data."
            )
            raise UnsupportedError(msg)
        if dataset.exposure is None:
            msg = f"Dataset {dataset.name!r} has no exposure, so counts cannot be turned into fluxes; set dataset.exposure."
            raise InputError(msg)
        if dataset._geom.to_image() != datasets[0]._geom.to_image():
            first = datasets[0].name
            msg = f"TSMapEstimator: the image of dataset {dataset.name!r} is not that of {first!r}; reproject one of them."
            raise GeometryError(msg)
