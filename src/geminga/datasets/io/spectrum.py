"""Files of on/off spectra: OGIP or gadf, found out on reading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from geminga.datasets.io import gadf
from geminga.datasets.io.ogip import OGIPDatasetReader
from geminga.datasets.io.ogip_writer import OGIPDatasetWriter
from geminga.errors import FormatError
from geminga.utils.files import file_path, make_path, reading
from geminga.utils.fits_tables import FitsTables, read_tables
from geminga.utils.locks import locked

__all__ = ["FORMATS", "from_dict", "read", "to_dict", "write"]

FORMATS = ("gadf", "ogip", "ogip-sherpa")


def _is_ogip(tables: FitsTables) -> bool:
    """Whether there is a spectrum table, which gadf has not."""
    return "SPECTRUM" in tables or any(str(t.header.get("HDUCLAS1", "")).strip() == "SPECTRUM" for t in tables)


def read(
    cls: Any, /, filename: str | Path, format: str | None = None, checksum: bool = False, name: str | None = None, **kwargs: Any
) -> Any:
    """Read a dataset from FITS files.

    Parameters
    ----------
    filename : str or Path
        File; the PHA file for OGIP, which names the others.
    format : {None, "gadf", "ogip", "ogip-sherpa"}
        Format; found out if not given.
    checksum : bool
        Verify the checksums of the files.
    name : str, optional
        Name; that in the file if not given.
    **kwargs
        Arguments of `MapDataset.read` (``lazy``, ``cache``; without effect for OGIP), of `OGIPDatasetReader` (``group``).

    Returns
    -------
    dataset : SpectrumDatasetOnOff
        Without models.

    Raises
    ------
    FileError, CorruptFileError, FormatError
        If a file is missing, broken, or does not fit the others; or the format is unknown.
    """
    if format is not None and format not in FORMATS:
        msg = f"Format {format!r} of an on/off spectrum is not known; choose one of {', '.join(FORMATS)}."
        raise FormatError(msg)
    path = file_path(filename)
    # The lock makes sure that the spectrum and its responses come from the same writer.
    with locked([path.parent], shared=True), reading(path):
        tables = None
        if format is None:
            tables = read_tables(path, checksum=checksum)
            format = "ogip" if _is_ogip(tables) else "gadf"
        if format == "gadf":
            return gadf.read(cls, path, name=name, checksum=checksum, **kwargs)
        kwargs = {key: value for key, value in kwargs.items() if key not in {"lazy", "cache"}}
        return OGIPDatasetReader(path, checksum=checksum, name=name, **kwargs).read_from(tables)


def from_dict(cls: Any, /, data: dict[str, Any], **kwargs: Any) -> Any:
    """Read the dataset of an entry in a datasets YAML file.

    Parameters
    ----------
    data : dict
        ``name`` and ``filename``.
    **kwargs
        Arguments of `read`; ``lazy`` and ``cache`` matter for gadf only.
    """
    return cls.read(make_path(data["filename"]), name=str(data["name"]), **kwargs)


def to_dict(self: Any) -> dict[str, str]:
    """Name, type and file name, as they stand in a datasets YAML file."""
    return {"name": self.name, "type": self.tag, "filename": f"pha_obs{self.name.replace(' ', '_')}.fits"}


def write(self: Any, filename: str | Path, overwrite: bool = False, format: str = "gadf", checksum: bool = False) -> None:
    """Write the dataset to FITS files, all of them or none.

    Parameters
    ----------
    filename : str or Path
        File; ``.gz`` names are compressed. With OGIP the PHA file, the others are named after it.
    overwrite : bool
        Replace existing files.
    format : {"gadf", "ogip", "ogip-sherpa"}
        One file with everything (``gadf``), or PHA, BKG, ARF and RMF files, see `OGIPDatasetWriter`.
    checksum : bool
        No effect: checksums are always written.

    Raises
    ------
    FileExistsRefusal
        If a file exists and `overwrite` is false; nothing is written then.
    FormatError
        If the format is unknown.
    """
    if format not in FORMATS:
        msg = f"{self.tag} {self.name!r}: format {format!r} is not known; choose one of {', '.join(FORMATS)}."
        raise FormatError(msg)
    if format == "gadf":
        gadf.write(self, filename, overwrite=overwrite)
    else:
        OGIPDatasetWriter(filename, format=format, overwrite=overwrite).write(self)
