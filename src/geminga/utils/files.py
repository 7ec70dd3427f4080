"""The one writer and the one reader of files.

Writing: everything is complete on disk before it takes the place of the target (see `geminga.utils.replacement`); a crash leaves
the old file or the new one, whole. Files that refer to each other are written by `geminga.utils.filesets`.
Reading: gzip is decompressed in one piece to its CRC, and a file shorter than its headers promise is refused
(see `geminga.utils.whole`).
"""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import struct
import warnings
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from astropy.io import fits
from astropy.utils.exceptions import AstropyUserWarning

from geminga.errors import CorruptFileError, FileError, FormatError, GemingaError, InputError
from geminga.utils import whole
from geminga.utils.locks import locked
from geminga.utils.replacement import Replacement, refuse_existing, replacing, sync_folders
from geminga.utils.sums import add_quick_sums, quick_sums

__all__ = [
    "file_path",
    "fits_bytes",
    "make_path",
    "read_bytes",
    "read_fits",
    "read_text",
    "reading",
    "write_files",
    "write_fits",
]

#: Largest size of a decompressed file in bytes, or this many times what is compressed: a few kB can be made to fill any memory.
MAX_DECOMPRESSED, MAX_RATIO = 2**29, 50

#: What parsers raise when content is not what they expect.
_FOREIGN = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    RecursionError,
    MemoryError,
    EOFError,
    UnboundLocalError,  # in astropy, of columns in a format it does not know
    struct.error,
    fits.VerifyError,
)


def make_path(path: str | Path | None) -> Path | None:
    """Path with environment variables expanded, ``None`` passed through.

    Raises
    ------
    FileError
        If the path names an environment variable that is not set.
    InputError
        If it is not a path.
    """
    if path is None:
        return None
    try:
        text = os.path.expandvars(os.fspath(path))
    except TypeError as error:
        msg = f"{path!r} of type {type(path).__name__} is not a path; give a string or a pathlib.Path."
        raise InputError(msg) from error
    if text.startswith("$"):
        name = text[1:].split("/")[0]
        msg = f"Path {str(path)!r} uses the environment variable {name}, which is not set; set it or give a full path."
        raise FileError(msg)
    try:
        os.fsencode(text)
    except UnicodeEncodeError as error:
        msg = f"{path!r} cannot be the name of a file where the system's encoding is {error.encoding}; use letters of ASCII."
        raise InputError(msg) from error
    if "\0" in text:
        msg = f"{path!r} is not the name of a file."
        raise InputError(msg)
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


@contextlib.contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """Context of a reader: every error about the content of a file names the file, and is one of ours.

    Raises
    ------
    GemingaError
        As raised inside, with the name of the file in front.
    FormatError
        For any other error that content can cause.
    """
    name = str(make_path(path))
    try:
        yield
    except GemingaError as error:
        if name not in str(error):
            error.args = (f"File {name}: {error}",)
        raise
    except _FOREIGN as error:
        text = " ".join(str(error).split())[:300]
        msg = f"File {name} is not what its format requires: {text or type(error).__name__} ({type(error).__name__})."
        raise FormatError(msg) from error


# Writing


def write_files(contents: Mapping[str | Path, bytes], overwrite: bool = False) -> None:
    """Write several files so that all are replaced or none.

    Every target is checked and every temporary file is complete on disk before the first rename; after an error in between,
    those already renamed are put back.

    Raises
    ------
    FileExistsRefusal
        If one exists and `overwrite` is false.
    FileError
        If a folder is missing or the disk is full.
    """
    targets = [(Path(os.path.realpath(str(make_path(path)))), data) for path, data in contents.items()]
    for path, _ in targets:
        refuse_existing(path, overwrite)
    folders = {path.parent for path, _ in targets}
    with replacing([path for path, _ in targets], "Existing files are unchanged.") as prepare:
        made = [prepare(path, data) for path, data in targets]
        with locked(folders, shared=False):
            _commit(made, overwrite)
            sync_folders(folders)


def _commit(made: Sequence[Replacement], overwrite: bool) -> None:
    """All or none."""
    if len(made) == 1:  # done or not done
        made[0].commit(overwrite, keep=False)
        return
    try:
        for item in made:
            item.commit(overwrite)
    except BaseException:
        for item in made:
            if item.is_committed:
                item.undo()
        raise


def fits_bytes(hdulist: fits.HDUList, path: Path) -> bytes:
    """Content of a FITS file with its manifest and checksums, compressed if the name ends with ``.gz``."""
    is_compressed = path.suffix == ".gz"
    whole.add_manifest(hdulist)
    add_quick_sums([] if is_compressed else hdulist)
    buffer = io.BytesIO()
    hdulist.writeto(buffer, checksum=True)
    if is_compressed:
        return gzip.compress(buffer.getbuffer(), compresslevel=6, mtime=0)
    for place, text in list(quick_sums(buffer.getvalue(), hdulist)):
        buffer.seek(place)
        buffer.write(text)
    return buffer.getvalue()


def write_fits(hdulist: fits.HDUList, path: str | Path, overwrite: bool = False, checksum: bool = True) -> None:
    """Write an HDU list whole or not at all, with a manifest of its HDUs and checksums; ``.gz`` names are compressed.

    Parameters
    ----------
    hdulist : HDUList
        What to write.
    path : str or Path
        File.
    overwrite : bool
        Replace an existing file.
    checksum : bool
        No effect: checksums are always written.

    Raises
    ------
    FileExistsRefusal, FileError
        See `write_files`.
    """
    target = file_path(path)
    refuse_existing(target, overwrite)
    write_files({target: fits_bytes(hdulist, target)}, overwrite=overwrite)


# Reading


def read_bytes(path: str | Path) -> bytes:
    """Content of a file, decompressed if gzip.

    Raises
    ------
    FileError
        If it cannot be opened.
    CorruptFileError
        If the gzip stream is truncated, its CRC is wrong, or it is larger than any file of this kind.
    """
    target = file_path(path)
    try:
        raw = target.read_bytes()
    except FileNotFoundError as error:
        msg = f"File {target} does not exist."
        raise _FileMissingError(msg) from error
    except OSError as error:
        msg = f"File {target} cannot be read: {error}."
        raise FileError(msg) from error
    return _decompressed(raw, target) if raw[:2] == b"\x1f\x8b" else raw


def _decompressed(raw: bytes, path: Path) -> bytes:
    parts: list[bytes] = []
    size, most = 0, max(MAX_DECOMPRESSED, MAX_RATIO * len(raw))
    try:
        while raw[:2] == b"\x1f\x8b":
            stream = zlib.decompressobj(wbits=31)
            parts.append(stream.decompress(raw, most - size + 1))
            size += len(parts[-1])
            if size > most:
                msg = f"File {path} is larger than {most} bytes when decompressed; if that is right, gunzip it first."
                raise CorruptFileError(msg)
            if not stream.eof:
                where = whole.place_of_end(b"".join(parts))
                msg = f"File {path} is a truncated or corrupt gzip file: it ends {where} after {size} bytes; fetch it again."
                raise CorruptFileError(msg)
            raw = stream.unused_data
    except zlib.error as error:
        msg = f"File {path} is a truncated or corrupt gzip file ({error}); fetch it again."
        raise CorruptFileError(msg) from error
    if raw.strip(b"\0"):
        msg = f"File {path} is a corrupt gzip file: {len(raw)} bytes follow its end; fetch it again."
        raise CorruptFileError(msg)
    return parts[0] if len(parts) == 1 else b"".join(parts)


class _FileMissingError(FileError, FileNotFoundError):
    """The file does not exist (still a `FileNotFoundError` for those who catch it)."""


def read_text(path: str | Path) -> str:
    """Text of a UTF-8 file; raises `FileError` or `CorruptFileError`."""
    try:
        return read_bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        msg = f"File {path} is not UTF-8 text: {error}."
        raise CorruptFileError(msg) from error


def read_fits(path: str | Path, checksum: bool = False) -> fits.HDUList:
    """Read a FITS file into memory, checking that it is whole.

    Checksums of uncompressed files are always verified: a mismatch is an error in files written by Geminga, in others it is
    reported in the log (their headers may have been edited).

    Parameters
    ----------
    path : str or Path
        File, plain or gzip.
    checksum : bool
        Verify ``CHECKSUM`` and ``DATASUM`` also in gzip files; a mismatch is an error in any file.

    Raises
    ------
    FileError, CorruptFileError
        Naming the file and the HDU.
    """
    data = read_bytes(path)
    target = make_path(path)
    if data[:9] != b"SIMPLE  =":
        msg = f"File {target} is not a FITS file (it does not start with 'SIMPLE  =')."
        raise CorruptFileError(msg)
    is_compressed = target is not None and target.suffix == ".gz"
    try:
        with warnings.catch_warnings():
            # What astropy warns of is checked here, with more to say.
            warnings.simplefilter("ignore", AstropyUserWarning)
            hdulist = fits.open(io.BytesIO(data), memmap=False, lazy_load_hdus=True, ignore_missing_simple=False)
            hdus = list(whole.walk(hdulist))
            whole.check_extent(hdus, data, f"File {target}")
            if checksum or not is_compressed:
                whole.check_sums(hdus, data, f"File {target}", strict=checksum)
    except GemingaError:
        raise
    except (OSError, *_FOREIGN) as error:
        where = whole.place_of_end(data)
        msg = f"File {target} is not a readable FITS file, it is truncated or corrupt {where}: {' '.join(str(error).split())}"
        raise CorruptFileError(msg) from error
    return hdulist
