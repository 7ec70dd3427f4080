"""The one writer and the one reader of files.

Writing: everything goes to a temporary file in the target's folder, is flushed to disk,
and is renamed over the target; a crash leaves the old file or the new one, whole.
Reading: gzip is decompressed in one piece to its CRC, and a file shorter than its
headers promise is refused.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import shutil
import tempfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from astropy.io import fits

from geminga.errors import CorruptFileError, FileError, FileExistsRefusal

__all__ = ["file_path", "fits_bytes", "make_path", "read_fits", "read_text", "write_files", "write_fits"]


def make_path(path: str | Path | None) -> Path | None:
    """Path with environment variables expanded, ``None`` passed through.

    Raises
    ------
    FileError
        If the path names an environment variable that is not set.
    """
    if path is None:
        return None
    text = os.path.expandvars(str(path))
    if text.startswith("$"):
        name = text[1:].split("/")[0]
        msg = f"Path {str(path)!r} uses the environment variable {name}, which is not set; set it or give a full path."
        raise FileError(msg)
    return Path(text)


def file_path(path: str | Path | None) -> Path:
    """Path of a file that must be named; see `make_path`.

    Raises
    ------
    FileError
        If it is ``None``.
    """
    found = make_path(path)
    if found is None:
        msg = "No file name is given (None); expected a path such as 'name.fits'."
        raise FileError(msg)
    return found


def _refuse_existing(path: Path, overwrite: bool) -> None:
    if path.is_dir():
        msg = f"{path} is a folder; expected the name of a file. Existing files are unchanged."
        raise FileError(msg)
    if path.exists() and not overwrite:
        msg = f"File {path} exists; give overwrite=True to replace it."
        raise FileExistsRefusal(msg)


def write_files(contents: Mapping[str | Path, bytes], overwrite: bool = False) -> None:
    """Write several files so that all are replaced or none.

    Every target is checked and every temporary file is complete on disk before the first rename.

    Raises
    ------
    FileExistsRefusal
        If one exists and `overwrite` is false.
    FileError
        If a folder is missing or the disk is full.
    """
    targets = [(Path(os.path.realpath(str(make_path(path)))), data) for path, data in contents.items()]
    for path, _ in targets:
        _refuse_existing(path, overwrite)
    temporary: list[tuple[str, Path]] = []
    try:
        for path, data in targets:
            temporary.append((_temporary(path, data), path))
        _replace_all(temporary)
    except OSError as error:
        msg = f"Could not write {', '.join(str(p) for p, _ in targets)}: {error}. Existing files are unchanged."
        raise FileError(msg) from error
    finally:
        for name, _ in temporary:
            _remove(name)


def _temporary(path: Path, data: bytes) -> str:
    """Write to a temporary file in the folder of `path`, with the rights the file will have, down to the disk."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
        os.chmod(name, mode)  # noqa: PTH101
    except BaseException:
        _remove(name)
        raise
    return name


def _replace_all(temporary: list[tuple[str, Path]]) -> None:
    """Rename each temporary file to its target; if one fails, or is interrupted, put the old files back."""
    if len(temporary) == 1:  # done or not done
        os.replace(*temporary[0])  # noqa: PTH105
        return
    backups: list[tuple[Path, str | None]] = []
    try:
        for name, path in temporary:
            backup = f"{name}.old" if path.exists() else None
            backups.append((path, backup))
            if backup is not None:
                _keep(path, backup)
            os.replace(name, path)  # noqa: PTH105
    except BaseException:
        written = {path for name, path in temporary if not Path(name).exists()}
        for path, backup in backups:
            if path not in written:
                continue
            if backup is None:
                _remove(path)
            else:
                os.replace(backup, path)  # noqa: PTH105
        raise
    finally:
        for _, backup in backups:
            if backup is not None:
                _remove(backup)


def _keep(path: Path, backup: str) -> None:
    """A second name for a file; a copy where the file system knows no links."""
    try:
        os.link(path, backup)
    except OSError:
        shutil.copy2(path, backup)


def _remove(path: str | Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)  # noqa: PTH108


def _umask() -> int:
    value = os.umask(0)
    os.umask(value)
    return value


def write_fits(hdulist: fits.HDUList, path: str | Path, overwrite: bool = False, checksum: bool = True) -> None:
    """Write an HDU list whole or not at all; ``.gz`` names are compressed.

    Raises
    ------
    FileExistsRefusal, FileError
        See `write_files`.
    """
    target = file_path(path)
    _refuse_existing(target, overwrite)
    write_files({target: fits_bytes(hdulist, target, checksum)}, overwrite=overwrite)


def fits_bytes(hdulist: fits.HDUList, path: Path, checksum: bool = True) -> bytes:
    """Content of a FITS file, compressed if the name ends in ``.gz``."""
    buffer = io.BytesIO()
    hdulist.writeto(buffer, checksum=checksum)
    data = buffer.getvalue()
    return gzip.compress(data, compresslevel=6, mtime=0) if path.suffix == ".gz" else data


def read_bytes(path: str | Path) -> bytes:
    """Content of a file, decompressed if gzip.

    Raises
    ------
    FileError
        If it cannot be opened.
    CorruptFileError
        If the gzip stream is truncated or its CRC is wrong.
    """
    target = file_path(path)
    try:
        raw = target.read_bytes()
    except FileNotFoundError as error:
        msg = f"File {target} does not exist."
        raise _not_found(msg) from error
    except OSError as error:
        msg = f"File {target} cannot be read: {error}."
        raise FileError(msg) from error
    if raw[:2] != b"\x1f\x8b":
        return raw
    try:
        return gzip.decompress(raw)
    except (EOFError, OSError, zlib.error) as error:
        msg = f"File {target} is a truncated or corrupt gzip file ({error}); fetch it again."
        raise CorruptFileError(msg) from error


class _FileMissingError(FileError, FileNotFoundError):
    """The file does not exist (still a `FileNotFoundError` for those who catch it)."""


def _not_found(message: str) -> FileError:
    return _FileMissingError(message)


def read_text(path: str | Path) -> str:
    """Text of a UTF-8 file; raises `FileError` or `CorruptFileError`."""
    try:
        return read_bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        msg = f"File {path} is not UTF-8 text: {error}."
        raise CorruptFileError(msg) from error


def read_fits(path: str | Path, checksum: bool = False) -> fits.HDUList:
    """Read a FITS file into memory, checking that it is whole.

    Parameters
    ----------
    path : str or Path
        File, plain or gzip.
    checksum : bool
        Also verify ``CHECKSUM`` and ``DATASUM`` where present; a mismatch is an error.

    Raises
    ------
    FileError, CorruptFileError
        Naming the file and the HDU.
    """
    data = read_bytes(path)
    if data[:9] != b"SIMPLE  =":
        msg = f"File {make_path(path)} is not a FITS file (it does not start with 'SIMPLE  =')."
        raise CorruptFileError(msg)
    try:
        hdulist = fits.open(io.BytesIO(data), memmap=False, lazy_load_hdus=False, ignore_missing_simple=False)
    except Exception as error:  # astropy raises many kinds for broken headers
        msg = f"File {make_path(path)} is not a readable FITS file: {error}"
        raise CorruptFileError(msg) from error
    _check_extent(hdulist, data, path)
    if checksum:
        _check_sums(hdulist, path)
    return hdulist


def _check_extent(hdulist: fits.HDUList, data: bytes, path: str | Path) -> None:
    """Refuse a file that ends before its last HDU or carries trailing bytes of a broken one."""
    end = 0
    for index, hdu in enumerate(hdulist):
        info: Any = hdu.fileinfo()
        end = info["datLoc"] + info["datSpan"]
        if end > len(data):
            msg = (
                f"File {make_path(path)} is truncated in HDU {index} ({hdu.name or 'PRIMARY'}): "
                f"{len(data)} bytes, at least {end} expected; fetch it again."
            )
            raise CorruptFileError(msg)
    if len(data) - end >= 80 and data[end : end + 8] in (b"XTENSION", b"SIMPLE  "):
        msg = f"File {make_path(path)} is corrupt after HDU {len(hdulist) - 1}: a further HDU cannot be read."
        raise CorruptFileError(msg)


def _check_sums(hdulist: fits.HDUList, path: str | Path) -> None:
    for index, hdu in enumerate(hdulist):
        if "DATASUM" in hdu.header and hdu.verify_datasum() == 0:
            msg = f"File {make_path(path)}: HDU {index} ({hdu.name}) fails its DATASUM; fetch the file again."
            raise CorruptFileError(msg)
