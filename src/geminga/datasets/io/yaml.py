"""The YAML file of a collection: name, type and file of each dataset; models stand in a file of their own."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from geminga.datasets.registry import DATASET_REGISTRY
from geminga.errors import FormatError, NameLookupError
from geminga.modeling.models import Models
from geminga.modeling.models.yaml import naming, to_files, write_templates
from geminga.utils.check import add_checksum, split_checksum, verify_checksum
from geminga.utils.files import file_path, make_path, read_text, write_files
from geminga.utils.yaml import from_yaml, to_yaml

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
        Warn in the log if the text was changed since it was written.

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
    text = read_text(path)
    entries = _entries(from_yaml(text, name=f"File {path}"), path)
    body, found = split_checksum(text)
    if checksum and found is not None and not verify_checksum(body, found):
        log.warning("File %s was changed since it was written: its checksum does not fit.", path)
    datasets = cls()
    for number, entry in enumerate(entries):
        with naming(f"File {path}, dataset {number}"):
            data = _checked(entry, path)
            datasets.append(DATASET_REGISTRY.get_cls(data["type"]).from_dict(data, lazy=lazy, cache=cache))
    if filename_models is not None:
        datasets.models = Models.read(make_path(filename_models), checksum=checksum)
    return datasets


def _entries(content: dict[str, Any], path: Path) -> list[Any]:
    entries = content.get("datasets")
    if entries is None and "datasets" in content:
        return []
    if not isinstance(entries, list):
        msg = f"File {path}: 'datasets' is {entries!r}; expected a list of datasets with {', '.join(_ENTRY)}."
        raise FormatError(msg)
    return entries


def _checked(entry: Any, path: Path) -> dict[str, Any]:
    """Entry with the path of its file: in the folder of the YAML file if it is there."""
    missing = [key for key in _ENTRY if not isinstance(entry, dict) or key not in entry]
    if missing:
        msg = f"it has no {', '.join(missing)}; expected {', '.join(_ENTRY)}."
        raise FormatError(msg)
    unknown = [str(key) for key in entry if key not in _ENTRY]
    if unknown:
        log.warning("File %s: dataset %r has the unknown keys %s, which are left out.", path, entry["name"], ", ".join(unknown))
    here = path.parent / str(entry["filename"])
    return dict(entry) | {"filename": str(here if here.exists() else make_path(str(entry["filename"])))}


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
        Add a checksum of the text.

    Raises
    ------
    FileExistsRefusal
        If a file exists and `overwrite` is false; nothing is written then.
    NameLookupError
        If two datasets would go to the same file.
    """
    path = file_path(filename)
    files: dict[str | Path, bytes] = {}
    entries = []
    for dataset in self:
        entry = dataset.to_dict()
        own = dataset.to_files(path.parent / entry["filename"])
        if own.keys() & files.keys():
            msg = f"Datasets: dataset {dataset.name!r} would be written to {entry['filename']}, like another; rename it."
            raise NameLookupError(msg)
        files |= own
        entries.append(entry)
    text = to_yaml({"datasets": entries})
    files[path] = (add_checksum(text) if checksum else text).encode()
    models = self.models
    if filename_models is not None:
        files |= to_files(models, filename_models, write_covariance=write_covariance, checksum=checksum)
    write_files(files, overwrite=overwrite)
    if filename_models is not None:
        write_templates(models)
