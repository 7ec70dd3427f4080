"""What every dataset offers to fits and estimators: a name, a mask, models and a fit statistic."""

from __future__ import annotations

import copy as copying
import importlib
import secrets
import string
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from geminga.errors import InputError

__all__ = ["Dataset", "make_name"]

_LETTERS = string.ascii_letters + string.digits


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
    if name is None:
        return "".join(secrets.choice(_LETTERS) for _ in range(8))
    if isinstance(name, bool) or not isinstance(name, (str, int)) or str(name) == "":
        msg = f"Dataset name {name!r} is a {type(name).__name__}; expected a non-empty string, or None for a random name."
        raise InputError(msg)
    return str(name)


class Dataset(ABC):
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
