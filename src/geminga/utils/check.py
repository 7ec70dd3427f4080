"""Checks: of an installation, and of the checksum of YAML text."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import sys
from pathlib import Path

__all__ = ["add_checksum", "check_tutorials_setup", "split_checksum", "verify_checksum", "yaml_checksum"]

_PACKAGES = [
    "numpy",
    "scipy",
    "astropy",
    "regions",
    "click",
    "PyYAML",
    "pydantic",
    "tqdm",
    "iminuit",
    "matplotlib",
    "astropy-healpix",
    "dask",
    "ultranest",
    "emcee",
    "corner",
    "naima",
    "pandas",
    "IPython",
    "jupyterlab",
]


def yaml_checksum(yaml_content: str) -> str:
    """Checksum of YAML text.

    Examples
    --------
    >>> from geminga.utils.check import yaml_checksum
    >>> yaml_checksum("a: 1")
    '270f9e65a80226eccd82c99cdd0dd2fb'
    """
    return hashlib.md5(yaml_content.encode("utf-8"), usedforsecurity=False).hexdigest()


def split_checksum(yaml_str: str) -> tuple[str, str | None]:
    """Text without its last line ``checksum: ...``, and the checksum there (None if there is none)."""
    head, separator, tail = f"\n{yaml_str}".rpartition("\nchecksum:")
    if not separator:
        return yaml_str, None
    return f"{head}\n"[1:], tail.strip().strip("'\"")


def verify_checksum(yaml_content: str, checksum: str) -> bool:
    """Whether YAML text has this checksum."""
    return yaml_checksum(yaml_content) == checksum


def add_checksum(yaml_str: str, sort_keys: bool = False, indent: int = 4, width: int = 50) -> str:
    """YAML text with its checksum as the last key.

    Parameters
    ----------
    yaml_str : str
        YAML.
    sort_keys : bool
        Sort keys; the text is then written anew.
    indent, width : int
        Indentation and line width if it is written anew.
    """
    text, _ = split_checksum(yaml_str)
    if sort_keys:
        import yaml

        text = yaml.safe_dump(yaml.safe_load(text), sort_keys=True, indent=indent, width=width)
    if not text.endswith("\n"):
        text += "\n"
    return f"{text}checksum: '{yaml_checksum(text)}'\n"


def check_tutorials_setup(download_datasets_path: str = "./gammapy-data") -> None:
    """Print what a report of a problem should contain: system, versions, environment variables.

    Parameters
    ----------
    download_datasets_path : str
        Folder with the data; set as ``GAMMAPY_DATA`` if that is not set and the folder exists.

    Examples
    --------
    >>> from geminga.utils.check import check_tutorials_setup
    >>> check_tutorials_setup()  # doctest: +SKIP
    """
    if "GAMMAPY_DATA" not in os.environ and Path(download_datasets_path).is_dir():
        os.environ["GAMMAPY_DATA"] = str(Path(download_datasets_path).resolve())
    from geminga import __version__

    sections = {
        "System": {
            "python_executable": sys.executable,
            "python_version": platform.python_version(),
            "machine": platform.machine(),
            "system": platform.system(),
        },
        "Geminga package": {"version": __version__, "path": str(Path(__file__).resolve().parent.parent)},
        "Other packages": {package: _version(package) for package in _PACKAGES},
        "Geminga environment variables": {"GAMMAPY_DATA": os.environ.get("GAMMAPY_DATA", "not set")},
    }
    lines: list[str] = []
    for title, entries in sections.items():
        lines += ["", f"{title}:", ""]
        lines += [f"\t{key:22} : {value}".rstrip() for key, value in entries.items()]
        lines.append("")
    print("\n".join(lines))


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
