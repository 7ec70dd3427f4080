"""What all estimators share: options, and a `run` which returns a product."""

from __future__ import annotations

import copy as copying
import html
import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

import astropy.units as u
import numpy as np

from geminga.errors import InputError

__all__ = ["Estimator", "angle", "as_list", "band_axis", "check_data", "check_sigma", "energy_bands", "energy_groups"]


#: Relative difference of energies that is rounding.
EDGE = 1e-6


class Estimator(ABC):
    """Base class of the estimators. An estimator holds options only; results are what `run` returns."""

    tag: ClassVar[str] = ""
    _selection_all: ClassVar[tuple[str, ...]] = ()
    _further_parameters: ClassVar[tuple[str, ...]] = ()  # options that are taken as keywords

    @abstractmethod
    def run(self, datasets: Any) -> Any:
        """Make the product from one or several datasets."""

    @property
    def config_parameters(self) -> dict[str, Any]:
        """Options by name."""
        kinds = [cls for cls in type(self).__mro__ if "__init__" in vars(cls) and issubclass(cls, Estimator)]
        names = [name for cls in kinds for name in list(inspect.signature(cls.__init__).parameters)[1:]]
        names += self._further_parameters
        return {name: getattr(self, name) for name in dict.fromkeys(names) if hasattr(self, name)}

    @property
    def selection_optional(self) -> list[str]:
        """Quantities to compute beside the usual ones."""
        return self._selection

    @selection_optional.setter
    def selection_optional(self, value: Any) -> None:
        known = list(self._selection_all)
        if value is None:
            self._selection: list[str] = []
        elif isinstance(value, str) and value == "all":
            self._selection = known
        else:
            chosen = [value] if isinstance(value, str) else list(value)
            wrong = [name for name in chosen if name not in known]
            if wrong:
                names = ", ".join(known)
                msg = f"{type(self).__name__}: selection_optional {wrong[0]!r} is not offered; choose among {names}, or 'all'."
                raise InputError(msg)
            self._selection = chosen

    def copy(self) -> Any:
        """Deep copy."""
        return copying.deepcopy(self)

    def __str__(self) -> str:
        lines = [type(self).__name__, "-" * len(type(self).__name__), ""]
        lines += [f"  {name:24}: {value}" for name, value in self.config_parameters.items()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def as_list(datasets: Any) -> list[Any]:
    """One or several datasets as a list.

    Raises
    ------
    InputError
        If there is none, or something is not a dataset with counts.
    """
    is_one = hasattr(datasets, "stat_type") or not isinstance(datasets, Iterable)
    items = [datasets] if is_one else list(datasets)
    if not items:
        msg = "There are no datasets; give at least one."
        raise InputError(msg)
    for dataset in items:
        if getattr(dataset, "counts", None) is None:
            msg = f"Dataset {getattr(dataset, 'name', dataset)!r} has no counts, so that no fluxes can be estimated from it."
            raise InputError(msg)
    return items


def check_data(datasets: Iterable[Any]) -> None:
    """Check the data of all datasets, so that one which cannot be used is refused before anything is computed.

    Raises
    ------
    InputError
        For something that is no dataset.
    DataError
        Listing the faults of the first such dataset.
    """
    for dataset in datasets:
        if not hasattr(dataset, "_check_values"):
            msg = f"{dataset!r} is no dataset of counts; give one dataset."
            raise InputError(msg)
        dataset._check_values()


def check_sigma(name: str, value: Any) -> float:
    """Return a positive number of standard deviations.

    Raises
    ------
    InputError
        If it is not.
    """
    number = float(value)
    if not number > 0 or not np.isfinite(number):
        msg = f"{name} is {value!r}; expected a positive number of standard deviations."
        raise InputError(msg)
    return number


def angle(name: str, value: Any) -> u.Quantity:
    """Return a positive angle in deg.

    Raises
    ------
    InputError
        If it has no unit of angle or is not positive.
    """
    try:
        out = u.Quantity(value).to("deg")
    except (u.UnitConversionError, TypeError) as error:
        msg = f"{name} is {value!r}; expected an angle with a unit, like '0.1 deg'."
        raise InputError(msg) from error
    if not out.value > 0:
        msg = f"{name} is {value!r}; expected a positive angle."
        raise InputError(msg)
    return out


def energy_groups(axis: Any, energy_edges: Any) -> list[slice]:
    """Slices of the energy bins which wanted edges, rounded to those of `axis`, select; one with all bins for ``None``.

    Raises
    ------
    InputError
        If no bin of the axis lies between the wanted edges.
    """
    if energy_edges is None:
        return [slice(0, axis.nbin)]
    table = axis.group_table(u.Quantity(energy_edges))
    groups = [slice(int(row["idx_min"]), int(row["idx_max"]) + 1) for row in table if str(row["bin_type"]).strip() == "normal"]
    if not groups:
        msg = f"energy_edges {energy_edges} select no bin of the energy axis from {axis.edges[0]} to {axis.edges[-1]}."
        raise InputError(msg)
    return groups


def energy_bands(axis: Any, energy_edges: Any) -> Any:
    """Axis of bands between wanted edges, rounded to the edges of `axis` inside its range and kept beyond it.

    A wanted edge next to an end of the range is moved there, so that bands beyond it hold no data.
    """
    wanted = u.Quantity(energy_edges).to(axis.unit)
    low, high = axis.edges[0] * (1 - EDGE), axis.edges[-1] * (1 + EDGE)
    if wanted[-1] <= axis.edges[0] * (1 + EDGE) or wanted[0] >= axis.edges[-1] * (1 - EDGE):
        return type(axis).from_energy_edges(wanted)
    inner = band_axis(axis, energy_groups(axis, wanted)).edges
    below, above = wanted[wanted < low], wanted[wanted > high]
    has_low, has_high = (bool((np.abs(wanted / end - 1) <= EDGE).any()) for end in (axis.edges[0], axis.edges[-1]))
    below = below if has_low else below[:-1]
    above = above if has_high else above[1:]
    return type(axis).from_energy_edges(u.Quantity([*below, *inner, *above]))


def band_axis(axis: Any, groups: list[slice]) -> Any:
    """Axis whose bins are the bands of `energy_groups`."""
    edges = [axis.edges[group.start] for group in groups] + [axis.edges[groups[-1].stop]]
    return type(axis).from_energy_edges(u.Quantity(edges))
