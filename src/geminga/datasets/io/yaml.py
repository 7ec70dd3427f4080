"""The YAML file of a collection: name, type and file of each dataset; models stand in a file of their own."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any

import yaml

from geminga.datasets.registry import DATASET_REGISTRY
from geminga.errors import CorruptFileError, FileExistsRefusal, FormatError
from geminga.modeling.models import Models
from geminga.utils.files import make_path, read_text, write_files
from geminga.utils.metadata import CreatorMetaData

__all__ = ["read", "write"]

log = logging.getLogger(__name__)


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
    FileError, FormatError
        If a file is missing or not what the format requires.
    """
    path = make_path(filename)
    assert path is not None
    text = read_text(path)
    content = _load(text, path)
    if checksum and "checksum" in content and content["checksum"] != _checksum(text):
        log.warning("File %s was changed since it was written: its checksum does not fit.", path)
    datasets = cls()
    for number, entry in enumerate(content["datasets"] or []):
        data = _entry(entry, number, path)
        datasets.append(DATASET_REGISTRY.get_cls(data["type"]).from_dict(data, lazy=lazy, cache=cache))
    if filename_models is not None:
        datasets.models = Models.read(make_path(filename_models), checksum=checksum)
    return datasets


def _load(text: str, path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        msg = f"File {path} is not YAML: {error}"
        raise CorruptFileError(msg) from error
    if not isinstance(content, dict) or "datasets" not in content:
        msg = f"File {path} has no key 'datasets'; expected a list of datasets below it."
        raise FormatError(msg)
    return dict(content)


def _entry(entry: Any, number: int, path: Path) -> dict[str, Any]:
    missing = [key for key in ("name", "type", "filename") if not isinstance(entry, dict) or key not in entry]
    if missing:
        msg = f"File {path}: dataset {number} has no {', '.join(missing)}; expected name, type and filename."
        raise FormatError(msg)
    here = path.parent / str(entry["filename"])
    return dict(entry) | {"filename": str(here if here.exists() else make_path(str(entry["filename"])))}


def _checksum(text: str) -> str:
    """MD5 of the text without its checksum."""
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith("checksum:")]
    return hashlib.md5("".join(lines).encode(), usedforsecurity=False).hexdigest()


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
    """
    path = make_path(filename)
    assert path is not None
    files: dict[Path, bytes] = {}
    entries = []
    for dataset in self:
        entry = dataset.to_dict()
        files |= dataset.to_files(path.parent / entry["filename"])
        entries.append(entry)
    files[path] = _text(entries, checksum).encode()
    models_path = make_path(filename_models)
    if models_path is not None and models_path.exists() and not overwrite:
        msg = f"File {models_path} exists; give overwrite=True to replace it. Nothing was written."
        raise FileExistsRefusal(msg)
    write_files({str(file): data for file, data in files.items()}, overwrite=overwrite)
    if models_path is not None:
        self.models.write(models_path, overwrite=overwrite, write_covariance=write_covariance, checksum=checksum)


def _text(entries: list[dict[str, str]], checksum: bool) -> str:
    creation = CreatorMetaData()
    content = {
        "datasets": entries,
        "metadata": {"creator": creation.creator, "date": creation.date.iso, "origin": creation.origin},
    }
    text = yaml.safe_dump(content, sort_keys=False, indent=4, width=80, default_flow_style=False)
    return text + (f"checksum: {_checksum(text)}\n" if checksum else "")
