"""File names that stand in files: they may not lead just anywhere."""

from __future__ import annotations

import os
from pathlib import Path

from geminga.errors import FileError
from geminga.utils.files import file_path

__all__ = ["inside", "variable_folders"]


def inside(filename: str, folder: Path, allow_outside: bool = False) -> Path:
    """Path of a file that another file names: in the folder of that file, or where it says.

    Parameters
    ----------
    filename : str
        As it stands in the file, perhaps with environment variables.
    folder : Path
        Folder of the file that names it.
    allow_outside : bool
        Allow files which are neither below that folder, nor below the working folder, nor below a folder which an environment
        variable in the name gives.

    Raises
    ------
    FileError
        If the file lies elsewhere.
    """
    beside = folder / filename
    path = beside if beside.exists() else file_path(filename)
    roots = [folder, Path.cwd(), *variable_folders(filename)]
    if "GAMMAPY_DATA" in os.environ:
        roots.append(Path(os.environ["GAMMAPY_DATA"]))
    real = Path(os.path.realpath(path))
    if allow_outside or not real.exists() or any(real.is_relative_to(os.path.realpath(root)) for root in roots):
        return path
    # A link that leads out of a folder was made by its owner, not by the file.
    if ".." not in path.parts and any(path.absolute().is_relative_to(root.absolute()) for root in roots):
        return path
    msg = (
        f"File name {filename!r} leads to {real}, outside of {folder}, the working folder and $GAMMAPY_DATA; "
        "give allow_outside=True if you trust it."
    )
    raise FileError(msg)


def variable_folders(filename: str) -> list[Path]:
    """Folder of the environment variable that a path begins with, if any: whoever set it allows what lies there."""
    name = filename[1:].split("/", maxsplit=1)[0].strip("{}") if filename.startswith("$") else ""
    return [Path(os.path.abspath(os.environ[name]))] if os.environ.get(name) else []  # noqa: PTH100
