"""Model files: YAML for the models, a table of text beside it for their covariance, FITS files for templates."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from geminga.errors import CorruptFileError, FormatError, GemingaError, InputError, NameLookupError
from geminga.modeling.models.base import relink
from geminga.modeling.models.create import Model
from geminga.modeling.parameter import Parameter
from geminga.utils import yaml as text_format
from geminga.utils.check import yaml_checksum
from geminga.utils.faults import reported
from geminga.utils.files import make_path, read_text, reading, write_files
from geminga.utils.filesets import FileSet, write_sets
from geminga.utils.locks import locked
from geminga.utils.paths import inside

__all__ = [
    "from_dict",
    "from_yaml",
    "models_from_dict",
    "naming",
    "parse",
    "read",
    "read_covariance",
    "take_covariance",
    "to_dict",
    "to_file_set",
    "to_yaml",
    "write",
    "write_covariance",
    "write_templates",
]

log = logging.getLogger(__name__)

_DIGEST = "covariance_checksum"
_KEYS = frozenset({"components", "covariance", _DIGEST, "metadata", "checksum"})
# What the outcome of a fit adds to the file of its models.
_OUTCOME = frozenset({"optimize_result", "covariance_result"})
_TABLE = {"format": "ascii.fixed_width", "delimiter": "|"}


@contextlib.contextmanager
def naming(what: str) -> Iterator[None]:
    """Put the name of a thing before the message of any error about it."""
    try:
        yield
    except GemingaError as error:
        message = str(error)
        if what not in message:
            error.args = (f"{what}: {message}",)
        raise
    except (KeyError, TypeError, AttributeError) as error:
        msg = f"{what} cannot be read: {type(error).__name__} {error}."
        raise FormatError(msg) from error


def parse(text: str, checksum: bool = False) -> dict[str, Any]:
    """Dictionary of a model file."""
    return text_format.from_yaml(text, checksum=checksum, name="Model file")


def _found_beside(data: dict[str, Any], folder: Path, allow_outside: bool) -> dict[str, Any]:
    """The same description with file names completed by the folder where the files are there."""
    completed = dict(data)
    for key, value in data.items():
        if isinstance(value, dict):
            completed[key] = _found_beside(value, folder, allow_outside)
        elif key == "filename" and isinstance(value, str):
            path = inside(value, folder, allow_outside)
            completed[key] = str(path) if path == folder / value and path.is_file() else value
    return completed


def models_from_dict(data: Mapping[str, Any], path: Any = "", allow_outside: bool = True) -> list[Any]:
    """Models of a dictionary, with links between parameters restored."""
    components = data.get("components") if isinstance(data, Mapping) else None
    if not isinstance(components, list):
        msg = f"Model file: 'components' is {components!r}; expected a list of models."
        raise FormatError(msg)
    unknown = sorted(set(map(str, data)) - _KEYS - _OUTCOME)
    if unknown:
        msg = f"Model file: unknown key {', '.join(map(repr, unknown))}; known keys: {', '.join(sorted(_KEYS))}."
        raise NameLookupError(msg)
    folder = Path(str(make_path(path) or ""))
    models = []
    for number, component in enumerate(components):
        name = component.get("name") if isinstance(component, dict) else None
        with naming(f"Component {number}" + (f" ({name!r})" if name is not None else "")):
            if not isinstance(component, dict):
                msg = f"got {component!r}; expected a mapping with the key 'type'."
                raise FormatError(msg)
            models.append(Model.from_dict(_found_beside(component, folder, allow_outside)))
    _restore_links(models)
    return models


def _restore_links(models: list[Any]) -> None:
    """Let parameters of equal label be one object."""
    first: dict[str, Parameter] = {}
    for model in models:
        substitutes: dict[Parameter, Parameter] = {}
        for parameter in model.parameters:
            label = parameter._link_label
            if label is not None and first.setdefault(label, parameter) is not parameter:
                substitutes[parameter] = first[label]
        if substitutes:
            relink(model, substitutes)


def take_covariance(models: Any, data: Mapping[str, Any], path: Any, strict: bool = False, allow_outside: bool = False) -> None:
    """Read the covariance that a model file names; if that fails, keep the errors, with a warning in the log.

    One that was changed since, by hand or by `write_covariance`, is used, with a warning, or an error if `strict`.

    Raises
    ------
    CorruptFileError
        If the model file knows the checksum of its covariance, and another one is there which is not whole.
    """
    filename = data.get("covariance")
    if filename is None:
        return
    changed = None
    try:
        file = inside(str(filename), Path(str(make_path(path) or "")), allow_outside)
        text, digest = read_text(file), data.get(_DIGEST)
        if digest is not None and yaml_checksum(text) != digest:
            changed = f"Covariance file {file} is truncated or changed: it does not have the checksum {digest} of its models. "
            changed += f"Fetch it again, or remove the line {_DIGEST!r} if you edited it."
            if strict or not text.endswith("\n"):
                raise CorruptFileError(changed)
        models.read_covariance(file.parent, file.name)
    except (GemingaError, OSError, ValueError) as error:
        if changed is not None:
            raise CorruptFileError(changed) from error
        log.warning("Covariance file %s cannot be used, only the errors of the parameters are kept: %s", filename, error)
    else:
        if changed is not None:
            log.warning(changed)


def from_dict(cls: Any, /, data: Mapping[str, Any], path: Any = "") -> Any:
    """Make models from a dictionary as `to_dict` gives it.

    Parameters
    ----------
    data : dict
        With the key "components".
    path : str or Path
        Folder that file names are relative to.

    Raises
    ------
    FormatError, NameLookupError, ParameterError, UnitError
        Naming the component, what came and what is known.
    """
    new = cls(models_from_dict(data, path))
    take_covariance(new, data, path)
    return new


def from_yaml(cls: Any, /, yaml_str: str, path: Any = "", checksum: bool = False) -> Any:
    """Make models from YAML text.

    Parameters
    ----------
    yaml_str : str
        YAML.
    path : str or Path
        Folder that file names are relative to.
    checksum : bool
        Verify the checksum, if there is one.

    Raises
    ------
    CorruptFileError, FormatError, NameLookupError, ParameterError, UnitError
        Naming the component, what came and what is known.
    """
    return cls.from_dict(parse(yaml_str, checksum=checksum), path=path)


def read(cls: Any, /, filename: Any, checksum: bool = False, allow_outside: bool = False) -> Any:
    """Read models from a YAML file, with their covariance.

    Parameters
    ----------
    filename : str or Path
        File.
    checksum : bool
        Refuse a file that was changed since it was written; without it, that is reported in the log.
    allow_outside : bool
        Allow names of templates that lead out of the folder of the file (see `geminga.utils.paths.inside`).

    Raises
    ------
    FileError, CorruptFileError, FormatError, NameLookupError, ParameterError, UnitError
        Naming the file and the component.
    """
    path = make_path(filename)
    if path is None:
        msg = "Models.read: no file name was given."
        raise InputError(msg)
    # The lock makes sure that models and covariance come from the same writer.
    with locked([path.parent], shared=True), reading(path):
        data = text_format.from_yaml(read_text(path), checksum=checksum, name=f"File {path}")
        new = cls(models_from_dict(data, path.parent, allow_outside=allow_outside))
        take_covariance(new, data, path.parent, strict=checksum, allow_outside=allow_outside)
        return reported(new, f"File {path}")


def to_dict(models: Any, full_output: bool = False, overwrite_templates: bool = False) -> dict[str, Any]:
    """Plain dictionary, as it stands in model files.

    Parameters
    ----------
    full_output : bool
        Also give what is as by default.
    overwrite_templates : bool
        Write the maps of templates to their files, also where those exist.

    Returns
    -------
    data : dict
        With the key "components".
    """
    models.update_link_label()
    if overwrite_templates:
        write_templates(models, overwrite=True)
    return {"components": [model.to_dict(full_output=full_output) for model in models]}


def to_yaml(models: Any, full_output: bool = False, overwrite_templates: bool = False) -> str:
    """YAML text; arguments as of `to_dict`."""
    return text_format.to_yaml(models.to_dict(full_output=full_output, overwrite_templates=overwrite_templates))


def write_templates(models: Any, overwrite: bool = False) -> None:
    """Write the maps of templates to their files; existing ones are kept, with a warning, unless `overwrite`."""
    for model in models:
        for part in (model, *model._members()):
            if not (hasattr(part, "write") and hasattr(part, "filename")):
                continue
            if part.filename is None:
                log.warning("%s of model '%s' has no filename, so that it cannot be read back.", type(part).__name__, model.name)
            elif Path(str(make_path(part.filename))).exists() and not overwrite:
                log.warning("Template file %s exists and is kept; give overwrite_templates=True to replace it.", part.filename)
            else:
                part.write(overwrite=True, **getattr(part, "_write_options", {}))


def write(
    models: Any,
    path: Any,
    overwrite: bool = False,
    full_output: bool = False,
    overwrite_templates: bool = False,
    write_covariance: bool = True,
    checksum: bool = False,
    *,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Write to a YAML file, with the covariance beside it.

    All is made and checked before the first file is touched.

    Parameters
    ----------
    path : str or Path
        YAML file; the covariance goes to the same name with "_covariance.dat" in place of the suffix.
    overwrite : bool
        Replace these files.
    full_output : bool
        Also write what is as by default.
    overwrite_templates : bool
        Replace the files of templates; without it existing ones are kept.
    write_covariance : bool
        Write the covariance.
    checksum : bool
        No effect: a checksum is always written.
    extra : dict, optional
        Further entries of the file, such as the outcome of a fit.

    Raises
    ------
    FileExistsRefusal
        If a file exists and `overwrite` is false.
    FileError
        If a file cannot be written.
    """
    own = to_file_set(models, path, full_output=full_output, write_covariance=write_covariance, extra=extra)
    own.refuse_existing(overwrite)
    write_templates(models, overwrite=overwrite_templates)
    write_sets([own], overwrite=overwrite)


def to_file_set(
    models: Any, path: Any, full_output: bool = False, write_covariance: bool = True, extra: Mapping[str, Any] | None = None
) -> FileSet:
    """The YAML file of models and that of their covariance, for `geminga.utils.filesets.write_sets`; arguments as of `write`."""
    target = make_path(path)
    if target is None:
        msg = "Models.write: no file name was given."
        raise InputError(msg)
    data = models.to_dict(full_output=full_output) | dict(extra or {})
    parts: dict[str, bytes] = {}
    if write_covariance and len(models.parameters):
        text = _covariance_text(models, **_TABLE)
        parts[f"{target.stem}_covariance.dat"] = text.encode()
        data |= {"covariance": None, _DIGEST: yaml_checksum(text)}

    def content(names: Mapping[str, str]) -> bytes:
        named = dict(zip(["covariance"], names.values(), strict=False))
        return text_format.sealed(text_format.to_yaml(data | named)).encode()

    return FileSet(target, parts, content)


def _covariance_text(models: Any, **kwargs: Any) -> str:
    from astropy.table import Table

    matrix = models.covariance.data
    table = Table({"Parameters": np.array(models.parameters_unique_names, dtype=str)})
    for number in range(len(matrix)):
        table[str(number)] = matrix[:, number]
    stream = io.StringIO()
    table.write(stream, **kwargs)
    return stream.getvalue()


def write_covariance(models: Any, filename: Any, **kwargs: Any) -> None:
    """Write the covariance as a table of text.

    Parameters
    ----------
    filename : str or Path
        File.
    **kwargs
        ``overwrite``; and format options of `astropy.table.Table.write`.

    Raises
    ------
    FileExistsRefusal
        If the file exists and ``overwrite`` is not given.
    """
    overwrite = kwargs.pop("overwrite", False)
    write_files({filename: _covariance_text(models, **(_TABLE | kwargs)).encode()}, overwrite=overwrite)


def read_covariance(models: Any, path: Any, filename: Any = "_covariance.dat", **kwargs: Any) -> None:
    """Read the covariance from a table of text; rows are matched by name.

    Parameters
    ----------
    path : str or Path
        Folder.
    filename : str
        File in that folder.
    **kwargs
        Format options of `astropy.table.Table.read`.

    Raises
    ------
    FileError, FormatError
        If the file cannot be read, or holds no square table with all parameters.
    """
    from astropy.table import Table

    file = Path(str(make_path(path) or "")) / filename
    try:
        table = Table.read(read_text(file).splitlines(), **(_TABLE | {"guess": False} | kwargs))
        names = [str(name) for name in table["Parameters"]]
        matrix = np.array([table[name] for name in table.colnames if name != "Parameters"], dtype=float).T
    except (ValueError, KeyError, TypeError) as error:
        msg = f"Covariance file {file} is not a table with the column 'Parameters' and numbers: {error}."
        raise FormatError(msg) from error
    rows = {name: row for row, name in enumerate(names)}
    missing = [name for name in models.parameters_unique_names if name not in rows]
    if matrix.shape != (len(names),) * 2 or len(rows) != len(names) or missing:
        what = f"lacks {', '.join(missing)}" if missing else f"has shape {matrix.shape} for {len(names)} names"
        msg = f"Covariance file {file} {what}; expected a square table with the parameters of the models."
        raise FormatError(msg)
    order = [rows[name] for name in models.parameters_unique_names]
    models.covariance = matrix[np.ix_(order, order)]
