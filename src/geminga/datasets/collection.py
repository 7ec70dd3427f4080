"""Several datasets, fitted together or stacked."""

from __future__ import annotations

import copy as copying
from collections.abc import Iterable, MutableSequence
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import Table, vstack

from geminga.data import GTI
from geminga.datasets import combine
from geminga.datasets.base import Dataset
from geminga.datasets.io import yaml
from geminga.errors import InputError, NameLookupError
from geminga.modeling.fit.likelihood import stat_sum_many
from geminga.modeling.models import DatasetModels

__all__ = ["Datasets"]


class Datasets(MutableSequence):
    """List of datasets with unique names.

    Parameters
    ----------
    datasets : Dataset, list of Dataset or Datasets, optional
        Datasets of the same or of different types.

    Raises
    ------
    InputError
        If something is not a dataset.
    NameLookupError
        If two datasets have the same name.

    Examples
    --------
    >>> from geminga.datasets import Datasets
    >>> Datasets().names
    []
    """

    def __init__(self, datasets: Any = None) -> None:
        if datasets is None:
            datasets = []
        elif isinstance(datasets, Dataset):
            datasets = [datasets]
        elif not isinstance(datasets, Iterable) or isinstance(datasets, (str, bytes)):
            msg = f"Datasets: cannot make a list of datasets from a {type(datasets).__name__}; give a dataset or a list of them."
            raise InputError(msg)
        self._datasets: list[Any] = []
        self._models: Any = None
        self._names: set[str] = set()
        for dataset in datasets:
            self.append(dataset)

    def _check(self, dataset: Any, besides: str | None = None) -> None:
        """Refuse what is not a dataset, or has the name of another than `besides`."""
        if not isinstance(dataset, Dataset):
            msg = f"Datasets: {dataset!r} is a {type(dataset).__name__}; expected a dataset."
            raise InputError(msg)
        if dataset.name in self._names and dataset.name != besides:
            msg = f"Datasets: there are two datasets named {dataset.name!r}; names must be unique, give one of them another name."
            raise NameLookupError(msg)

    def index(self, key: Any) -> int:  # type: ignore[override]
        """Position of a dataset.

        Parameters
        ----------
        key : int, str or Dataset
            Position, name or the dataset itself.

        Raises
        ------
        NameLookupError
            If there is no such dataset.
        """
        if isinstance(key, (int, np.integer)):
            return int(key)
        for position, dataset in enumerate(self._datasets):
            if dataset is key or dataset.name == key:
                return position
        what = key if isinstance(key, str) else getattr(key, "name", key)
        msg = f"Datasets: no dataset {what!r}; names are {', '.join(self.names) or 'none'}."
        raise NameLookupError(msg)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return type(self)(self._datasets[key])
        if isinstance(key, (list, tuple, np.ndarray)):
            return type(self)([self[one] for one in key])
        return self._datasets[self.index(key)]

    def __delitem__(self, key: Any) -> None:
        del self._datasets[key if isinstance(key, slice) else self.index(key)]
        self._names = set(self.names)

    def __setitem__(self, key: Any, dataset: Any) -> None:
        position = self.index(key)
        self._check(dataset, besides=self._datasets[position].name)
        self._datasets[position] = dataset
        self._names = set(self.names)

    def insert(self, idx: int, dataset: Any) -> None:
        """Insert a dataset before a position."""
        self._check(dataset)
        self._datasets.insert(idx, dataset)
        self._names.add(dataset.name)

    def remove(self, value: Any) -> None:
        """Remove a dataset, given as such or by its name."""
        del self[self.index(value)]

    def __len__(self) -> int:
        return len(self._datasets)

    def __contains__(self, key: Any) -> bool:
        return any(dataset is key or dataset.name == key for dataset in self._datasets)

    def __add__(self, other: Any) -> Datasets:
        return type(self)([*self, *(other if isinstance(other, Datasets) else type(self)(other))])

    def copy(self) -> Datasets:
        """Copy with all data and models; names stay."""
        return copying.deepcopy(self)

    @property
    def names(self) -> list[str]:
        """Names of the datasets."""
        return [dataset.name for dataset in self._datasets]

    @property
    def models(self) -> Any:
        """Models of all datasets, each once (`DatasetModels`); setting them gives each dataset those that belong to it."""
        found = {id(model): model for dataset in self._datasets for model in dataset.models or ()}
        # The list that was set also knows penalties and the covariance between models; it holds while its models do.
        if self._models is not None and found.keys() == {id(model) for model in self._models}:
            return self._models
        return DatasetModels(list(found.values()))

    @models.setter
    def models(self, models: Any) -> None:
        self._models = None if models is None else DatasetModels(models)
        combine.report_unassigned(self._datasets, self._models)
        for dataset, own in combine.models_by_dataset(self._datasets, self._models):
            dataset.models = own

    @property
    def parameters(self) -> Any:
        """Parameters of all models (`Parameters`)."""
        return self.models.parameters

    def stat_sum(self) -> float:
        """Sum of the fit statistics, with the priors and penalties of the models counted once."""
        models = self.models
        total = sum(dataset.stat_sum() for dataset in self._datasets)
        if len(models):
            total += models.parameters.prior_stat_sum()
        penalties = getattr(models, "penalties", None) or ()
        return float(total + sum(penalty.stat_sum() for penalty in penalties))

    stat_sum_many = stat_sum_many

    @property
    def contributes_to_stat(self) -> Any:
        """For each dataset, whether any of its bins enters the statistic (bool array)."""
        return np.array([combine.contributes(dataset) for dataset in self._datasets], dtype=bool)

    @property
    def is_all_same_type(self) -> bool:
        """Whether all datasets are of the same type."""
        return len({type(dataset) for dataset in self._datasets}) <= 1

    @property
    def is_all_same_shape(self) -> bool:
        """Whether the data of all datasets have the same shape."""
        return len({tuple(combine.data_shape(dataset)) for dataset in self._datasets}) <= 1

    @property
    def is_all_same_energy_shape(self) -> bool:
        """Whether all datasets have the same number of energy bins."""
        return len({combine.data_shape(dataset)[0] for dataset in self._datasets}) <= 1

    @property
    def is_all_same_geom(self) -> bool:
        """Whether the counts of all datasets are on the same geometry."""
        return combine.are_same_geom(self._datasets)

    @property
    def energy_axes_are_aligned(self) -> bool:
        """Whether the energy axes of all datasets have common bin edges where they overlap."""
        axes = [dataset._geom.axes["energy"] for dataset in self._datasets]
        return all(axes[0].is_aligned(axis) for axis in axes[1:])

    @property
    def energy_ranges(self) -> tuple[u.Quantity, u.Quantity]:
        """Lowest and highest energy of the mask of each dataset, in the energy unit of the first."""
        ranges = [dataset.energy_range_total for dataset in self._datasets]
        if not ranges:
            return [] * u.TeV, [] * u.TeV
        unit = ranges[0][0].unit
        return u.Quantity([low for low, _ in ranges], unit), u.Quantity([high for _, high in ranges], unit)

    @property
    def gti(self) -> Any:
        """Union of the good time intervals of all datasets, ``None`` if there are none."""
        filled = [d.gti for d in self._datasets if d.gti is not None and len(d.gti)]
        return GTI.from_stack(filled).union() if filled else None

    @property
    def meta_table(self) -> Any:
        """Meta tables of all datasets below each other, with columns ``NAME`` and ``TYPE``."""
        tables = []
        for dataset in self._datasets:
            table = Table({"NAME": [dataset.name], "TYPE": [dataset.tag]})
            for name in () if dataset.meta_table is None else dataset.meta_table.colnames:
                column = dataset.meta_table[name]
                table[name] = column if len(column) == 1 else np.asarray(column)[np.newaxis]
            tables.append(table)
        return vstack(tables, metadata_conflicts="silent").filled() if tables else Table()

    def info_table(self, cumulative: bool = False) -> Table:
        """Table of `info_dict`, one row for a dataset.

        Parameters
        ----------
        cumulative : bool
            Each row is of the stack of the datasets up to there.
        """
        if not self._datasets:
            return Table()
        rows = combine.cumulative_info(self._datasets) if cumulative else [d.info_dict() for d in self._datasets]
        names = list(dict.fromkeys(name for row in rows for name in row))
        table = Table()
        for name in names:
            cells = [row.get(name, np.nan) for row in rows]
            table[name] = u.Quantity(cells) if isinstance(cells[0], u.Quantity) else cells
        return table

    def slice_by_energy(self, energy_min: Any, energy_max: Any) -> Datasets:
        """Keep the energy bins between two energies; datasets without any are left out.

        Parameters
        ----------
        energy_min, energy_max : Quantity or str
            Energies, rounded to the nearest bin edge of each dataset.

        Returns
        -------
        datasets : Datasets
            Of the same names, without models.
        """
        return type(self)(combine.sliced_by_energy(self._datasets, energy_min, energy_max))

    def select_time(self, time_min: Any, time_max: Any, atol: Any = "1e-6 s") -> Datasets:
        """Datasets whose good time intervals lie wholly between two times.

        Parameters
        ----------
        time_min, time_max : Time
            Times.
        atol : Quantity
            Tolerance.
        """
        return type(self)([d for d in self._datasets if combine.lies_between(d.gti, time_min, time_max, atol)])

    def to_spectrum_datasets(self, region: Any) -> Datasets:
        """Spectra of a region, of the same names."""
        return type(self)([dataset.to_spectrum_dataset(on_region=region, name=dataset.name) for dataset in self._datasets])

    def stack_reduce(self, name: str | None = None, nan_to_num: bool = True) -> Any:
        """Stack all datasets into a new one.

        Datasets on the same geometry are stacked pairwise as a tree, which keeps rounding small; otherwise all are stacked on
        the geometry of the first.

        Parameters
        ----------
        name : str, optional
            Name of the stacked dataset; random if not given.
        nan_to_num : bool
            Replace NaN by zero.

        Raises
        ------
        InputError
            If the list is empty or the datasets are of different types.
        """
        return combine.stack_reduce(self._datasets, name=name, nan_to_num=nan_to_num)

    read = classmethod(yaml.read)
    write = yaml.write

    def __str__(self) -> str:
        text = ["Datasets", "--------", ""]
        for number, dataset in enumerate(self._datasets):
            models = "" if dataset.models is None else dataset.models.names
            rows = {"Type": dataset.tag, "Name": dataset.name, "Instrument": combine.instrument(dataset), "Models": models}
            text += [f"Dataset {number}:", "", *(f"  {key:11}: {value}".rstrip() for key, value in rows.items()), ""]
        return "\n".join(text) + "\n"

    def _repr_html_(self) -> str:
        import html

        return f"<pre>{html.escape(str(self))}</pre>"
