"""Lists of models: `DatasetModels` to look at, `Models` to change.

The class bodies hold the list itself; selecting, tables of parameters, files and plots are functions of the
modules `select`, `tables`, `yaml` and `plot`.
"""

from __future__ import annotations

import contextlib
import copy as copying
import html
from collections.abc import Iterable, Iterator, MutableSequence, Sequence
from typing import Any, Self, overload

import numpy as np

from geminga.errors import InputError, NameLookupError
from geminga.modeling.covariance import CovarianceMixin, translated
from geminga.modeling.models import plot, tables, template, yaml
from geminga.modeling.models import select as choose
from geminga.modeling.models.base import ModelBase, relink
from geminga.modeling.parameter import Parameter
from geminga.modeling.parameters import Parameters
from geminga.utils.faults import Checked

__all__ = ["DatasetModels", "Models"]


def _is_listed(model: Any) -> bool:
    return isinstance(model, ModelBase) and model._is_listed


def _as_list(models: Any) -> list[Any]:
    """List of models from None, one model, or any iterable of models."""
    if models is None:
        return []
    if _is_listed(models):
        return [models]
    if isinstance(models, (str, ModelBase)) or not isinstance(models, Iterable):
        msg = f"Models got {models!r}; expected models such as SkyModel, or a list of them."
        raise InputError(msg)
    return list(models)


def _checked(models: Iterable[Any]) -> list[Any]:
    """Refuse what is not a model with a name, and names that stand twice."""
    checked = list(models)
    seen: set[str] = set()
    for model in checked:
        if not _is_listed(model):
            msg = f"Models got {model!r} of type {type(model).__name__}; expected SkyModel, FoVBackgroundModel or such."
            raise InputError(msg)
        if model.name in seen:
            msg = f"Model names must be unique. Models named '{model.name}' are duplicated; copy one with another name."
            raise NameLookupError(msg)
        seen.add(model.name)
    return checked


class DatasetModels(Checked, CovarianceMixin, Sequence[Any]):
    """List of models with unique names, found by position or by name.

    Parameters
    ----------
    models : model, list of models or `DatasetModels`, optional
        The models.
    covariance_data : array, optional
        Covariance of all parameters.
    penalties : list, optional
        Penalties on several parameters at once, which fits add to the statistic.

    Raises
    ------
    InputError
        If one is not a `SkyModel` or background model.
    NameLookupError
        If a name stands twice.

    Examples
    --------
    >>> from geminga.modeling.models import Models, SkyModel
    >>> models = Models([SkyModel.create("pl", "point", name="a"), SkyModel.create("ecpl", name="b")])
    >>> models["b"].spectral_model.tag[1]
    'ecpl'
    """

    def __init__(self, models: Any = None, covariance_data: Any = None, penalties: Any = None) -> None:
        self._models = _checked(_as_list(models))
        self._blocks = models._blocks if isinstance(models, DatasetModels) else ()
        inherited = models.penalties if isinstance(models, DatasetModels) else ()
        self._penalties: list[Any] = list(inherited if penalties is None else _listed(penalties))
        if covariance_data is not None:
            self.covariance = covariance_data

    def _like(self, models: Iterable[Any]) -> Self:
        """List of the same class that keeps what is known of the covariance."""
        new = type(self)(list(models))
        new._blocks = self._blocks
        held = set(new.parameters)
        new._penalties = [p for p in self._penalties if all(par in held for par in getattr(p, "parameters", ()))]
        return new

    def _members(self) -> list[Any]:
        return self._models

    _remedy = "Correct the parameters."

    def _faults(self) -> Iterator[str]:
        for name, p in zip(self.parameters_unique_names, self.parameters, strict=True):
            if p.min > p.max:
                yield f"{name} has the lower bound {p.min:g} above the upper bound {p.max:g}"
            elif not p.frozen and not (p.value >= p.min or np.isnan(p.min)) & (p.value <= p.max or np.isnan(p.max)):
                yield f"{name} = {p.value:g} lies outside its bounds, {p.min:g} to {p.max:g}"
            if p.error < 0:
                yield f"{name} has the negative error {p.error:g}"

    @property
    def penalties(self) -> list[Any]:
        """Penalties on several parameters at once."""
        return self._penalties

    @property
    def names(self) -> list[str]:
        """Name of each model."""
        return [model.name for model in self._models]

    @property
    def parameters(self) -> Parameters:
        """Parameters of all models; linked ones stand several times."""
        return Parameters.from_stack(model.parameters for model in self._models)

    @property
    def parameters_unique_names(self) -> list[str]:
        """Names such as "crab.spectral.index"."""
        return [f"{model.name}.{name}" for model in self._models for name in model.parameters_unique_names]

    @property
    def frozen(self) -> bool:
        """Whether all parameters are frozen."""
        return all(model.frozen for model in self._models)

    def freeze(self, model_type: str | None = None) -> None:
        """Freeze the parameters of all models.

        Parameters
        ----------
        model_type : {"spectral", "spatial", "temporal"}, optional
            Which component, all if None.
        """
        for model in self._models:
            model.freeze(model_type)

    def unfreeze(self, model_type: str | None = None) -> None:
        """Free those parameters which are free by default; arguments as of `freeze`."""
        for model in self._models:
            model.unfreeze(model_type)

    @property
    def background_models(self) -> dict[str, str]:
        """Name of the background model of each dataset that has one."""
        found = (model for model in self._models if "fov-bkg" in model.tag)
        return {model.datasets_names[0]: model.name for model in found}

    def index(self, key: Any, *args: Any) -> int:
        """Position of a model, given by name, by object or by position.

        Raises
        ------
        NameLookupError
            If there is none; the message lists the names.
        """
        if isinstance(key, str):
            if key in (names := self.names):
                return names.index(key)
            msg = f"No model {key!r}; known names: {', '.join(names) or 'none'}."
            raise NameLookupError(msg)
        if _is_listed(key):
            for position, model in enumerate(self._models):
                if model is key:
                    return position
            msg = f"Model {key.name!r} is not among these; they are: {', '.join(self.names) or 'none'}."
            raise NameLookupError(msg)
        if isinstance(key, (int, np.integer)) and not isinstance(key, (bool, np.bool_)):
            return range(len(self._models))[key]
        msg = f"Models: got index {key!r}; expected a name, a position or a model."
        raise InputError(msg)

    @overload
    def __getitem__(self, key: str | int | ModelBase) -> Any: ...

    @overload
    def __getitem__(self, key: slice | Sequence[Any]) -> Self: ...

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return self._like(self._models[key])
        if isinstance(key, (list, np.ndarray)):
            array = np.asarray(key)
            if array.dtype == bool:
                return self._like(model for model, keep in zip(self._models, array, strict=True) if keep)
            return self._like(self._models[self.index(one)] for one in key)
        return self._models[self.index(key)]

    def __len__(self) -> int:
        return len(self._models)

    def __contains__(self, item: object) -> bool:
        if isinstance(item, str):
            return item in self.names
        return any(model is item for model in self._models)

    def __add__(self, other: Any) -> Self:
        if not (_is_listed(other) or isinstance(other, Sequence)) or isinstance(other, str):
            return NotImplemented
        new = type(self)([*self._models, *_as_list(other)])
        new._blocks = self._blocks + getattr(other, "_blocks", ()) if isinstance(other, DatasetModels) else self._blocks
        new._penalties = [*self._penalties, *(other.penalties if isinstance(other, DatasetModels) else ())]
        return new

    def __eq__(self, other: object) -> bool:
        """Whether both hold the same model objects in the same order."""
        if not isinstance(other, DatasetModels):
            return NotImplemented
        return len(self) == len(other) and all(a is b for a, b in zip(self._models, other._models, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def copy(self, copy_data: bool = False) -> Self:
        """Copy of all models under their names; links among them, covariance and penalties are kept.

        Parameters
        ----------
        copy_data : bool
            Also copy the maps of templates, else they are shared.
        """
        substitutes: dict[Parameter, Parameter] = {}
        copies = []
        for model in self._models:
            new = model.copy(name=model.name, copy_data=copy_data)
            pairs = list(zip(new.parameters, model.parameters, strict=True))
            relink(new, {mine: substitutes[theirs] for mine, theirs in pairs if theirs in substitutes})
            for mine, theirs in pairs:
                substitutes.setdefault(theirs, mine)
            copies.append(new)
        result = type(self)(copies)
        result._blocks = translated(self._blocks, substitutes)
        memo: dict[int, Any] = {id(old): new for old, new in substitutes.items()}
        result._penalties = copying.deepcopy(self._penalties, memo)
        return result

    def reassign(self, dataset_name: Any, new_dataset_name: Any) -> Self:
        """Copies of the models which belong to other datasets; links among them are kept.

        Parameters
        ----------
        dataset_name, new_dataset_name : str or list of str
            Names to replace, and what to put in their place.
        """
        new = self.copy()
        for model in new:
            model.datasets_names = model.reassign(dataset_name, new_dataset_name).datasets_names
        return new

    @contextlib.contextmanager
    def restore_status(self, restore_values: bool = True) -> Iterator[None]:
        """Context in which parameters may be changed and frozen at will; all is put back at its end.

        Parameters
        ----------
        restore_values : bool
            Also put back values, errors and covariance.
        """
        blocks = [(member, member._blocks) for member in self._walk()] if restore_values else []
        with self.parameters.restore_status(restore_values):
            try:
                yield
            finally:
                for member, before in blocks:
                    member._blocks = before

    def _walk(self) -> Iterator[CovarianceMixin]:
        """This list and everything it is made of."""
        stack: list[CovarianceMixin] = [self]
        while stack:
            member = stack.pop()
            yield member
            stack.extend(member._members())

    def update_link_label(self) -> None:
        """Give linked parameters a label, and take it from the others."""
        self.parameters.update_link_label()

    def __str__(self) -> str:
        self.update_link_label()
        text = f"{type(self).__name__}\n\n"
        for number, model in enumerate(self._models):
            text += f"Component {number}: {str(model).rstrip()}\n\n"
        return text

    def __repr__(self) -> str:
        return f"{type(self).__name__}([{', '.join(map(repr, self._models))}])"

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"

    from_dict = classmethod(yaml.from_dict)
    from_yaml = classmethod(yaml.from_yaml)
    read = classmethod(yaml.read)
    to_file_set = yaml.to_file_set
    to_dict = yaml.to_dict
    to_yaml = yaml.to_yaml
    write = yaml.write
    read_covariance = yaml.read_covariance
    write_covariance = yaml.write_covariance

    set_parameters_bounds = tables.set_parameters_bounds
    to_parameters_table = tables.to_parameters_table
    update_parameters_from_table = tables.update_parameters_from_table

    select = choose.select
    selection_mask = choose.selection_mask
    select_mask = choose.select_mask
    select_region = choose.select_region
    select_from_geom = choose.select_from_geom
    to_regions = choose.to_regions
    positions = property(choose.positions)
    wcs_geom = property(choose.wcs_geom)

    to_template_sky_model = template.to_template_sky_model
    to_template_spectral_model = template.to_template_spectral_model

    plot_regions = plot.plot_regions
    plot_positions = plot.plot_positions


class Models(DatasetModels, MutableSequence[Any]):
    """List of models that can be changed; arguments as of `DatasetModels`."""

    def __setitem__(self, key: Any, value: Any) -> None:
        models = list(self._models)
        models[key if isinstance(key, slice) else self.index(key)] = value
        self._models = _checked(models)

    def __delitem__(self, key: Any) -> None:
        models = list(self._models)
        del models[key if isinstance(key, slice) else self.index(key)]
        self._models = models

    def insert(self, idx: Any, model: Any) -> None:
        """Insert a model before a position.

        Raises
        ------
        InputError
            If it is not a model.
        NameLookupError
            If its name is there already.
        """
        models = list(self._models)
        models.insert(self.index(idx) if isinstance(idx, str) or _is_listed(idx) else idx, model)
        self._models = _checked(models)

    def set_penalties(self, penalties: Any) -> None:
        """Set the penalties on several parameters at once, one or a list, None for none."""
        self._penalties = list(_listed(penalties))

    def set_prior(self, parameters: Any, priors: Any) -> None:
        """Set the priors of parameters.

        Parameters
        ----------
        parameters : `Parameters`
            Parameters.
        priors : list of Prior
            One for each.

        Raises
        ------
        InputError
            If there are not as many of both.
        """
        parameters, priors = list(parameters), list(priors)
        if len(parameters) != len(priors):
            msg = f"Models.set_prior got {len(parameters)} parameters and {len(priors)} priors; expected as many."
            raise InputError(msg)
        for parameter, prior in zip(parameters, priors, strict=True):
            parameter.prior = prior


def _listed(penalties: Any) -> list[Any]:
    if penalties is None:
        return []
    return list(penalties) if isinstance(penalties, (list, tuple)) else [penalties]
