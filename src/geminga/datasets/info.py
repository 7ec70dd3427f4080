"""What a dataset tells about itself: a dictionary of numbers and the printed summary."""

from __future__ import annotations

from typing import Any

import astropy.units as u
import numpy as np

from geminga.datasets.prediction import has_signal, has_systematics
from geminga.numerics.acceptance import total_ratio
from geminga.stats import CashCountsStatistic, WStatCountsStatistic

__all__ = ["info_dict", "info_dict_onoff", "summary"]


def info_dict(self: Any, in_safe_data_range: bool = True) -> dict[str, Any]:
    """Key numbers of the dataset.

    Parameters
    ----------
    in_safe_data_range : bool
        Sum over the bins of ``mask_safe`` only.

    Returns
    -------
    info : dict
        ``name``; sums ``counts``, ``excess``, ``background``, ``npred``, ``npred_background``, ``npred_signal`` with
        ``sqrt_ts``; ``exposure_min`` and ``exposure_max``; ``livetime``, ``ontime`` and the rates; ``n_bins``,
        ``n_fit_bins``, ``stat_type``, ``stat_sum``. Not defined numbers are NaN.
    """
    keep = self.mask_safe.frozen_data if in_safe_data_range and self.mask_safe is not None else None
    info: dict[str, Any] = {"name": self.name}
    info |= _sums(self, keep)
    info |= _exposure(self, in_safe_data_range)
    info |= _times(self)
    for rate, number in (("counts_rate", "counts"), ("background_rate", "background"), ("excess_rate", "excess")):
        info[rate] = _rate(info[number], info["livetime"])
    info |= _fit(self)
    return info


def total(data: Any, keep: Any) -> Any:
    """Sum of an array over a mask, in its own precision.

    Masked bins count as zero and stay in place, so that the order of the (pairwise) sum does not depend on the mask.
    """
    return np.sum(data if keep is None else np.where(keep, data, np.zeros((), data.dtype)))


def _sums(dataset: Any, keep: Any) -> dict[str, Any]:
    counts, background = dataset.counts, dataset.background
    info: dict[str, Any] = {"counts": 0 if counts is None else int(total(counts.frozen_data, keep))}
    n_background = np.nan if background is None else total(background.frozen_data, keep)
    info["excess"] = float(info["counts"] - n_background)
    info["sqrt_ts"] = dataset.info_sqrt_ts(info["counts"], n_background, keep)
    info["background"] = float(n_background)
    can_predict = background is not None or dataset.models is not None
    info["npred"] = float(total(dataset.npred().frozen_data, keep)) if can_predict and counts is not None else np.nan
    npred_background = dataset.predicted_background()
    if npred_background is not None and has_systematics(dataset):
        npred_background = dataset.npred_background()
    info["npred_background"] = np.nan if npred_background is None else float(total(npred_background.frozen_data, keep))
    info["npred_signal"] = float(total(dataset.npred_signal().frozen_data, keep)) if has_signal(dataset) else np.nan
    return info


def cash_sqrt_ts(dataset: Any, counts: int, background: float, keep: Any) -> float:
    """Significance of the summed counts above the summed background."""
    if not np.isfinite(background):
        return np.nan
    return float(CashCountsStatistic(counts, background).sqrt_ts)


def _exposure(dataset: Any, in_safe_data_range: bool) -> dict[str, Any]:
    """Extremes over the pixels which are safe at any energy, or over all that saw anything."""
    exposure = dataset.exposure
    if exposure is None:
        missing = u.Quantity(np.nan, "m2 s")
        return {"exposure_min": missing, "exposure_max": missing}
    data, mask = exposure.frozen_data, dataset.mask_safe
    if in_safe_data_range and mask is not None:
        image = mask.frozen_data.any(axis=tuple(range(mask.frozen_data.ndim - 2)))
        seen = data[..., image]
    else:
        seen = data
    # Where nothing was seen the minimum would say nothing.
    seen = seen[seen > 0] if (seen > 0).any() else data
    return {
        "exposure_min": u.Quantity(float(np.min(seen)), exposure.unit),
        "exposure_max": u.Quantity(float(np.max(seen)), exposure.unit),
    }


def _times(dataset: Any) -> dict[str, Any]:
    meta = {} if dataset.exposure is None else dataset.exposure.meta or {}
    return {
        "livetime": u.Quantity(meta.get("livetime", np.nan * u.s)).to("s"),
        "ontime": u.Quantity(np.nan, "s") if dataset.gti is None else u.Quantity(dataset.gti.time_sum).to("s"),
    }


def _rate(number: float, livetime: u.Quantity) -> u.Quantity:
    return u.Quantity(number / livetime.value if livetime.value > 0 else np.nan, "s-1")


def _fit(dataset: Any) -> dict[str, Any]:
    shape = () if dataset.counts is None else dataset.counts.frozen_data.shape
    n_bins = int(np.prod(shape)) if shape else 0
    mask = dataset.mask
    can_fit = dataset.counts is not None and dataset.has_statistic
    return {
        "n_bins": n_bins,
        "n_fit_bins": n_bins if mask is None else int(np.count_nonzero(mask.frozen_data)),
        "stat_type": dataset.stat_type,
        "stat_sum": float(dataset.stat_sum()) if can_fit else np.nan,
    }


# Blank lines part the groups; a line is key of info_dict, label, format.
_LINES: tuple[tuple[str, str, str] | None, ...] = (
    ("name", "Name", "{}"),
    None,
    ("counts", "Total counts", "{:.0f}"),
    ("background", "Total background counts", "{:.2f}"),
    ("excess", "Total excess counts", "{:.2f}"),
    None,
    ("npred", "Predicted counts", "{:.2f}"),
    ("npred_background", "Predicted background counts", "{:.2f}"),
    ("npred_signal", "Predicted excess counts", "{:.2f}"),
    None,
    ("exposure_min", "Exposure min", "{:.2e}"),
    ("exposure_max", "Exposure max", "{:.2e}"),
    None,
    ("n_bins", "Number of total bins", "{:.0f}"),
    ("n_fit_bins", "Number of fit bins", "{:.0f}"),
    None,
    ("stat_type", "Fit statistic type", "{}"),
    ("stat_sum", "Fit statistic value (-2 log(L))", "{:.2f}"),
    None,
)


def line(label: str, text: Any) -> str:
    """One line of a summary."""
    return f"  {label:32}: {text}"


def summary(self: Any) -> str:
    """Summary of the dataset: its numbers and the components of its models."""
    info = self.info_dict()
    title = type(self).__name__
    lines = [title, "-" * len(title), ""]
    lines += ["" if row is None else line(row[1], row[2].format(info[row[0]])) for row in _LINES]
    lines += model_lines(self.models)
    lines += [line(label, text) for label, text in self.summary_extra(info)]
    return "\n".join(one.rstrip() for one in lines).rstrip("\n") + "\n\n"


def no_extra(self: Any, info: dict[str, Any]) -> list[tuple[str, str]]:
    """Further lines of the summary, label and text: none."""
    return []


def wstat_sqrt_ts(dataset: Any, counts: int, background: float, keep: Any) -> float:
    """Significance of the summed counts above the summed off counts, Li & Ma (1983)."""
    sums = _off_sums(dataset, keep)
    if not np.isfinite(background) or not np.isfinite(sums["alpha"]):
        return np.nan
    return float(WStatCountsStatistic(counts, sums["counts_off"], sums["alpha"]).sqrt_ts)


def _off_sums(dataset: Any, keep: Any) -> dict[str, Any]:
    """Off counts, acceptances and alpha of all bins together."""
    parts = {name: getattr(dataset, name) for name in ("counts_off", "acceptance", "acceptance_off", "background")}
    sums = {n: np.nan if value is None else float(total(value.frozen_data, keep)) for n, value in parts.items()}
    n_off, acceptance, background = sums["counts_off"], sums["acceptance"], sums.pop("background")
    sums["alpha"] = total_ratio(acceptance, sums["acceptance_off"], n_off, background)
    if np.isfinite(n_off):
        sums["counts_off"] = int(n_off) if n_off == int(n_off) else n_off
    if background > 0:
        sums["acceptance_off"] = acceptance * n_off / background
    return sums


def info_dict_onoff(self: Any, in_safe_data_range: bool = True) -> dict[str, Any]:
    """Key numbers of the dataset.

    Parameters
    ----------
    in_safe_data_range : bool
        Sum over the bins of ``mask_safe`` only.

    Returns
    -------
    info : dict
        As for a `MapDataset`, with ``counts_off``, ``acceptance``, ``acceptance_off`` and ``alpha`` of all bins taken as one:
        ``background = alpha counts_off`` and ``alpha = acceptance / acceptance_off``. The summary prints the plain sum of the
        off acceptance instead, as gammapy does; the two differ where alpha depends on energy.
    """
    keep = self.mask_safe.frozen_data if in_safe_data_range and self.mask_safe is not None else None
    return info_dict(self, in_safe_data_range) | _off_sums(self, keep)


def off_lines(self: Any, info: dict[str, Any]) -> list[tuple[str, str]]:
    """Lines of the summary on the off measurement."""
    keep = None if self.mask_safe is None else self.mask_safe.frozen_data
    off = np.nan if self.acceptance_off is None else total(self.acceptance_off.frozen_data, keep)
    numbers = {"Total counts_off": info["counts_off"], "Acceptance": info["acceptance"], "Acceptance off": off}
    return [(label, f"{number:.0f}") for label, number in numbers.items()]


def model_lines(models: Any) -> list[str]:
    """Numbers of models and parameters and a block for each model."""
    numbers = (0, 0, 0)
    if models:
        numbers = (len(models), len(models.parameters), len(models.parameters.free_parameters))
    labels = ("Number of models", "Number of parameters", "Number of free parameters")
    lines = [line(label, number) for label, number in zip(labels, numbers, strict=True)] + [""]
    for number, model in enumerate(models or ()):
        title, *body = str(model).strip().splitlines()
        lines.append(f"  Component {number}: {title}")
        lines += [f"  {text}" for text in body]
        lines.append("")
    return lines
