"""What every dataset offers to fits and estimators: a name, a mask, models and a fit statistic."""

from __future__ import annotations

import copy as copying
import importlib
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from geminga.errors import InputError
from geminga.modeling.models import DatasetModels
from geminga.utils import names
from geminga.utils.faults import Checked

__all__ = ["Dataset", "ModelledDataset", "make_name"]


def make_name(name: str | int | None = None) -> str:
    """Return `name` as a string, or a random one of eight letters and digits.

    Raises
    ------
    InputError
        If it is empty or neither a string nor an integer.

    Examples
    --------
    >>> from geminga.datasets.base import make_name
    >>> make_name("crab"), len(make_name())
    ('crab', 8)
    """
    is_number = isinstance(name, int) and not isinstance(name, bool)
    return names.make_name(str(name) if is_number else name, what="Dataset name")  # type: ignore[arg-type]


class Dataset(Checked, ABC):
    """Base class of all datasets.

    A subclass has a `tag`, the maps or tables it is made of, `mask_safe` and `mask_fit`, and gives ``stat_array``,
    ``stat_sum`` and ``likelihood``.
    """

    tag: ClassVar[str] = ""
    stat_types: ClassVar[tuple[str, ...]] = ()
    _name: str
    _stat_type: str
    mask_safe: Any
    mask_fit: Any
    models: Any

    @property
    def name(self) -> str:
        """Name of the dataset, unique within a `Datasets`."""
        return self._name

    @property
    def stat_type(self) -> str:
        """Name of the fit statistic.

        Raises
        ------
        InputError
            On setting a name which this kind of dataset does not offer.
        """
        return self._stat_type

    @stat_type.setter
    def stat_type(self, value: str) -> None:
        if value not in self.stat_types:
            msg = f"{self.tag} {self._name!r}: stat_type {value!r} is not offered; choose one of {', '.join(self.stat_types)}."
            raise InputError(msg)
        self._stat_type = value

    @property
    def mask(self) -> Any:
        """Bins used by the fit statistic: `mask_safe` and `mask_fit`, ``None`` if neither is set."""
        if self.mask_safe is not None and self.mask_fit is not None:
            return self.mask_safe & self.mask_fit
        return self.mask_fit if self.mask_fit is not None else self.mask_safe

    @abstractmethod
    def stat_array(self) -> Any:
        """Fit statistic of each bin, without the mask."""

    @abstractmethod
    def stat_sum(self) -> float:
        """Fit statistic summed over the bins of `mask`."""

    @abstractmethod
    def likelihood(self) -> Any:
        """Term of the likelihood for `geminga.modeling.Fit`."""

    def copy(self, name: str | None = None) -> Any:
        """Copy of the dataset, with all its data but without its models.

        Parameters
        ----------
        name : str, optional
            Name of the copy; random if not given, as names are unique within a `Datasets`.

        Returns
        -------
        dataset : Dataset
            Of the same type.
        """
        new = copying.copy(self)
        new.__dict__ = {key: None if key == "_models" else copying.deepcopy(value) for key, value in self.__dict__.items()}
        new._name = make_name(name)
        return new

    def to_dict(self) -> dict[str, str]:
        """Name, type and file name, as they stand in a datasets YAML file."""
        return {"name": self.name, "type": self.tag, "filename": f"{self.name.replace(' ', '_')}.fits"}

    def __add__(self, other: Any) -> Any:
        """`Datasets` with this dataset and `other`."""
        # The collection imports this module, so it is found by name.
        collection = importlib.import_module("geminga.datasets").Datasets
        return collection([self]) + other

    def _repr_html_(self) -> str:
        import html

        return f"<pre>{html.escape(str(self))}</pre>"


class ModelledDataset(Dataset):
    """Dataset which keeps those of the models it is given that belong to it."""

    _models: Any = None

    @property
    def models(self) -> Any:
        """Models of this dataset (`DatasetModels`), ``None`` if none were set.

        Raises
        ------
        InputError
            On setting models which this kind of dataset cannot have, such as two models of its background.
        """
        return self._models

    @models.setter
    def models(self, models: Any) -> None:
        self._models = None if models is None else self._own_models(DatasetModels(models).select(datasets_names=self.name))

    def _own_models(self, models: Any) -> Any:
        """Models to keep of those assigned to this dataset."""
        return models

    @property
    def has_statistic(self) -> bool:
        """Whether the fit statistic is defined: it needs models."""
        return bool(self._models)
