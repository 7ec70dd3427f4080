"""YAML, read with the safe loader only.

Beyond the plain loader: ``1e-12`` is a number, and a key that stands twice in a mapping is refused. Files we write are sealed:
their first line, a comment, says that the last one is a checksum. A sealed file without it was cut off; one whose checksum does
not fit was edited or damaged.
"""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from geminga.errors import CorruptFileError, FormatError
from geminga.utils.check import add_checksum, split_checksum, verify_checksum
from geminga.utils.files import read_text, write_files

__all__ = ["creation_metadata", "from_yaml", "read_yaml", "sealed", "to_yaml", "write_yaml"]

log = logging.getLogger(__name__)

_SEAL = "# Geminga: whole only if the last line is the checksum\n"
_DIGITS = 32
_MERGE = "tag:yaml.org,2002:merge"
#: Number of values a file may have once its aliases are followed, and of those that mappings take over from others.
_MOST, _MOST_MERGED = 10_000_000, 1_000_000


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe loader with numbers like ``1e-12`` and without duplicate keys."""

    _n_merged = 0

    def flatten_mapping(self, node: Any) -> None:
        # Merges ("<<") of merges of merges grow without bound long before there is anything to count.
        for key, value in list(node.value):
            if key.tag == _MERGE:
                for part in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    self._merge_one(part, node.start_mark)
        super().flatten_mapping(node)

    def _merge_one(self, part: Any, mark: Any) -> None:
        if isinstance(part, yaml.MappingNode):
            self.flatten_mapping(part)
        self._n_merged += len(part.value)
        if self._n_merged > _MOST_MERGED:
            msg = f"its merges ('<<') take over more than {_MOST_MERGED} values"
            raise yaml.constructor.ConstructorError(None, None, msg, mark)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = key_node.value if isinstance(key_node.value, str) else None
            if key is not None and key in seen:
                mark = key_node.start_mark
                msg = f"key {key!r} stands twice, the second time in line {mark.line + 1}"
                raise yaml.constructor.ConstructorError(None, None, msg, mark)
            seen.add(key)
        result: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return result


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)


class _Dumper(yaml.SafeDumper):
    """Safe dumper that also takes numpy numbers and paths."""


_Dumper.add_multi_representer(np.floating, lambda dumper, value: dumper.represent_float(float(value)))
_Dumper.add_multi_representer(np.integer, lambda dumper, value: dumper.represent_int(int(value)))  # type: ignore[type-abstract]
_Dumper.add_multi_representer(np.bool_, lambda dumper, value: dumper.represent_bool(bool(value)))
_Dumper.add_multi_representer(np.str_, lambda dumper, value: dumper.represent_str(str(value)))
_Dumper.add_multi_representer(Path, lambda dumper, value: dumper.represent_str(str(value)))


def creation_metadata() -> dict[str, Any]:
    """Who wrote a file, and when."""
    from geminga import __version__

    now = datetime.now(tz=UTC).replace(tzinfo=None)
    return {"creator": f"Geminga {__version__}", "date": now.isoformat(), "origin": None}


def from_yaml(text: str, sort_keys: bool = False, checksum: bool = False, name: str = "YAML text") -> dict[str, Any]:
    """Read a mapping from YAML text; the key "checksum" is left out of the result.

    Parameters
    ----------
    text : str
        YAML.
    sort_keys : bool
        Sort the keys of the outermost mapping.
    checksum : bool
        Refuse text whose checksum is wrong; without it that is reported in the log.
    name : str
        What the text is, for messages.

    Raises
    ------
    CorruptFileError
        If it is not YAML, was cut off, or the checksum is wrong.
    FormatError
        If it is not a mapping.
    """
    body = _unsealed(text, name, checksum)
    try:
        data = yaml.load(body, Loader=_Loader)
        if "*" in body:
            _count(data)
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        msg = f"{name} is not valid YAML: {' '.join(str(error).split())}"
        raise CorruptFileError(msg) from error
    if data is None:
        msg = f"{name} is empty, or truncated: it holds nothing but comments; fetch it again."
        raise CorruptFileError(msg)
    if not isinstance(data, dict):
        msg = f"{name} holds {type(data).__name__}; expected a mapping of keys to values."
        raise FormatError(msg)
    data.pop("checksum", None)
    return dict(sorted(data.items())) if sort_keys else data


def sealed(text: str) -> str:
    """Text with a first line which promises that the last is a checksum, and that checksum."""
    return _SEAL + add_checksum(text)


def _unsealed(text: str, name: str, strict: bool) -> str:
    """Text without its seal, which is verified: cut off is an error, changed is reported in the log, or an error if `strict`."""
    is_sealed = text.startswith(_SEAL)
    text = text.removeprefix(_SEAL)
    body, found = split_checksum(text)
    if is_sealed and (found is None or len(found) < _DIGITS):
        msg = f"{name} is truncated: it ends before its checksum. Fetch it again, or remove its first line if you edited it."
        raise CorruptFileError(msg)
    if found is not None and not verify_checksum(body, found):
        msg = f"{name} fails its checksum {found}; it was changed after it was written."
        if strict:
            raise CorruptFileError(msg)
        log.warning("%s Remove the line 'checksum' and the first line if you edited it.", msg)
    return text


def _count(data: Any, known: dict[int, int] | None = None, above: frozenset[int] = frozenset()) -> int:
    """Number of values with aliases followed.

    Raises
    ------
    ValueError
        If it is too large, or something contains itself.
    """
    if not isinstance(data, (dict, list)):
        return 1
    known = {} if known is None else known
    if id(data) in above:
        msg = "an alias refers to something that contains it"
        raise ValueError(msg)
    if id(data) not in known:
        items = [*data.keys(), *data.values()] if isinstance(data, dict) else data
        known[id(data)] = 1 + sum(_count(item, known, above | {id(data)}) for item in items)
    if known[id(data)] > _MOST:
        msg = f"its aliases unfold to more than {_MOST} values"
        raise ValueError(msg)
    return known[id(data)]


def to_yaml(dictionary: dict[str, Any], sort_keys: bool = False, metadata: bool = True) -> str:
    """YAML text of a dictionary.

    Parameters
    ----------
    dictionary : dict
        Plain values, lists and dictionaries; numpy numbers are allowed.
    sort_keys : bool
        Sort keys.
    metadata : bool
        Add who wrote it, and when, under the key "metadata" unless that is there.
    """
    if metadata and "metadata" not in dictionary:
        dictionary = {**dictionary, "metadata": creation_metadata()}
    return yaml.dump(dictionary, Dumper=_Dumper, sort_keys=sort_keys, indent=4, width=80, default_flow_style=False)


def read_yaml(filename: str | Path, logger: Any = None, checksum: bool = False) -> dict[str, Any]:
    """Read a mapping from a YAML file.

    Parameters
    ----------
    filename : str or Path
        File.
    logger : Logger, optional
        Told about the file.
    checksum : bool
        Verify the checksum, if there is one.

    Raises
    ------
    FileError, CorruptFileError, FormatError
        Naming the file.
    """
    if logger is not None:
        logger.info("Reading %s", filename)
    return from_yaml(read_text(filename), checksum=checksum, name=f"File {filename}")


def write_yaml(
    text: str,
    filename: str | Path,
    logger: Any = None,
    sort_keys: bool = False,
    checksum: bool = False,
    overwrite: bool = False,
) -> None:
    """Write YAML text to a file.

    Parameters
    ----------
    text : str
        YAML.
    filename : str or Path
        File.
    logger : Logger, optional
        Told about the file.
    sort_keys : bool
        Sort keys.
    checksum : bool
        Add a checksum.
    overwrite : bool
        Replace a file.

    Raises
    ------
    FileExistsRefusal
        If it exists and `overwrite` is false.
    FileError
        If it cannot be written.
    """
    if sort_keys:
        text = to_yaml(from_yaml(text), sort_keys=True, metadata=False)
    if checksum:
        text = add_checksum(text)
    if logger is not None:
        logger.info("Writing %s", filename)
    write_files({filename: text.encode("utf-8")}, overwrite=overwrite)
