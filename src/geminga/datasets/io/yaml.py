"""The YAML file of a collection: name, type and file of each dataset; models stand in a file of their own."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geminga.datasets.registry import DATASET_REGISTRY
from geminga.errors import FormatError, InputError, NameLookupError
from geminga.modeling.models import Models
from geminga.modeling.models.yaml import naming, write_templates
from geminga.utils.files import file_path, read_text, reading
from geminga.utils.filesets import FileSet, write_sets
from geminga.utils.locks import locked
from geminga.utils.paths import inside
from geminga.utils.yaml import from_yaml, sealed, to_yaml

__all__ = ["read", "write"]

log = logging.getLogger(__name__)

_ENTRY = ("name", "type", "filename")


def read(
    cls: Any,
    /,
    filename: str | Path,
    filename_models: str | Path | None = None,
    lazy: bool = True,
    cache: bool = True,
    checksum: bool = True,
    allow_outside: bool = False,
) -> Any:
    """Read datasets, and their models, from YAML files.

    Parameters
    ----------
    filename : str or Path
        File with the list of datasets; files in it are taken relative to its folder if they are there.
    filename_models : str or Path, optional
        File with models.
    lazy, cache : bool
        See `MapDataset.read`.
    checksum : bool
        No effect: a YAML file that was changed since it was written is always reported in the log, never refused.
    allow_outside : bool
        Allow file names that lead out of the folder of the YAML file (see `geminga.utils.paths.inside`).

    Returns
    -------
    datasets : Datasets
        With models if a file is given.

    Raises
    ------
    FileError, CorruptFileError, FormatError
        If a file is missing, not YAML of plain values, or not what the format requires.
    NameLookupError
        If the type of a dataset is unknown, or two have the same name.

    Notes
    -----
    Unknown keys of a dataset are left out, with a warning in the log.
    """
    path = file_path(filename)
    datasets = cls()
    # The lock makes sure that list and files come from the same writer.
    with locked([path.parent], shared=True), reading(path):
        for number, entry in enumerate(_entries(from_yaml(read_text(path), name=f"File {path}"))):
            with naming(f"File {path}, dataset {number}"):
                data = _checked(entry, path.parent, allow_outside)
                datasets.append(DATASET_REGISTRY.get_cls(data["type"]).from_dict(data, lazy=lazy, cache=cache))
    if filename_models is not None:
        datasets.models = Models.read(filename_models, allow_outside=allow_outside)
    return datasets


def _entries(content: dict[str, Any]) -> list[Any]:
    entries = content.get("datasets")
    if entries is None and "datasets" in content:
        return []
    if not isinstance(entries, list):
        msg = f"'datasets' is {entries!r}; expected a list of datasets with {', '.join(_ENTRY)}."
        raise FormatError(msg)
    return entries


def _checked(entry: Any, folder: Path, allow_outside: bool) -> dict[str, Any]:
    """Entry with the path of its file: in the folder of the YAML file if it is there."""
    missing = [key for key in _ENTRY if not isinstance(entry, dict) or key not in entry]
    if missing:
        msg = f"it has no {', '.join(missing)}; expected {', '.join(_ENTRY)}."
        raise FormatError(msg)
    unknown = [str(key) for key in entry if key not in _ENTRY]
    if unknown:
        log.warning("Dataset %r has the unknown keys %s, which are left out.", entry["name"], ", ".join(unknown))
    return dict(entry) | {"filename": str(inside(str(entry["filename"]), folder, allow_outside))}


def write(
    self: Any,
    filename: str | Path,
    filename_models: str | Path | None = None,
    overwrite: bool = False,
    write_covariance: bool = True,
    checksum: bool = True,
) -> None:
    """Write the datasets next to a YAML file that lists them; all files are replaced or none.

    Parameters
    ----------
    filename : str or Path
        YAML file.
    filename_models : str or Path, optional
        File for the models; they are not written if it is not given.
    overwrite : bool
        Replace existing files.
    write_covariance : bool
        Also write the covariance of the models.
    checksum : bool
        No effect: checksums are always written.

    Raises
    ------
    FileExistsRefusal
        If a file exists and `overwrite` is false; nothing is written then.
    NameLookupError
        If two datasets would go to the same file.
    InputError
        If the name of a dataset cannot be the name of a file.
    FileError
        If a file cannot be written; all are then as they were.
    """
    path = file_path(filename)
    entries = [dataset.to_dict() for dataset in self]
    parts: dict[str, bytes] = {}
    for dataset, entry in zip(self, entries, strict=True):
        _check_name(dataset.name, entry["filename"], parts)
        parts |= {file.name: data for file, data in dataset.to_files(path.parent / entry["filename"]).items()}

    def content(names: Mapping[str, str]) -> bytes:
        listed = [entry | {"filename": names[entry["filename"]]} for entry in entries]
        return sealed(to_yaml({"datasets": listed})).encode()

    sets = [FileSet(path, parts, content)]
    if filename_models is not None:
        sets.append(self.models.to_file_set(filename_models, write_covariance=write_covariance))
    write_sets(sets, overwrite=overwrite)
    if filename_models is not None:
        write_templates(self.models)


def _check_name(name: str, filename: str, others: Mapping[str, bytes]) -> None:
    if filename != Path(filename).name or filename.startswith("."):
        msg = f"Dataset {name!r} cannot be written to {filename!r}; give it a name without '/' that does not begin with a dot."
        raise InputError(msg)
    if filename in others:
        msg = f"Datasets: dataset {name!r} would be written to {filename}, like another; rename it."
        raise NameLookupError(msg)
