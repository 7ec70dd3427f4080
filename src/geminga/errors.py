"""Every exception Geminga raises on purpose.

Each one also derives from the builtin that users catch today, so existing
``except ValueError`` blocks keep working::

    GemingaError
    ├── InputError (ValueError)          a value that cannot be right
    │   ├── UnitError (UnitConversionError too)   wrong dimension or unknown unit
    │   ├── GeometryError                maps or axes that do not fit together
    │   ├── DataError                    NaN, negative or inconsistent data
    │   ├── ParameterError               parameter out of bounds, bad link, bad prior
    │   └── ConfigError                  a configuration with unknown keys or wrong values
    ├── NameLookupError (KeyError, ValueError)    unknown or duplicate name, axis, tag, HDU
    ├── FileError (OSError)              a file that cannot be read or written
    │   ├── CorruptFileError             truncated, failed checksum, not FITS or YAML
    │   ├── FormatError (ValueError)     readable, but not what the format requires
    │   └── FileExistsRefusal (FileExistsError)   ``overwrite=True`` was not given
    ├── FitError (RuntimeError)          a fit that cannot start
    ├── ReductionError (RuntimeError)    an observation that cannot be reduced
    ├── OrderError (RuntimeError)        a step before the one it needs
    ├── MissingDependencyError (ImportError)      an optional extra is not installed
    └── UnsupportedError (NotImplementedError)    a combination that is not offered

A message names the object, the value that came, what was expected, and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from astropy.units import UnitConversionError

__all__ = [
    "ConfigError",
    "CorruptFileError",
    "DataError",
    "FileError",
    "FileExistsRefusal",
    "FitError",
    "FormatError",
    "GemingaError",
    "GeometryError",
    "InputError",
    "MissingDependencyError",
    "NameLookupError",
    "OrderError",
    "ParameterError",
    "ReductionError",
    "UnitError",
    "UnsupportedError",
]


class GemingaError(Exception):
    """Base of every exception raised on purpose by Geminga."""


class InputError(GemingaError, ValueError):
    """A value given by the user cannot be right."""


class UnitError(InputError, UnitConversionError):  # type: ignore[misc]
    """A unit is unknown or has the wrong physical dimension."""


class GeometryError(InputError):
    """Maps, axes or regions do not fit together."""


class DataError(InputError):
    """Data are NaN, negative where they must not be, or inconsistent."""


class ParameterError(InputError):
    """A model parameter is out of bounds, or its link or prior is wrong."""


class ConfigError(InputError):
    """A configuration has unknown keys or wrong values.

    Parameters
    ----------
    problems : sequence
        For each, the keys that lead to it, and what is wrong.
    what : str
        The configuration.

    Attributes
    ----------
    problems : tuple
        For each, a tuple of keys and a text.
    """

    def __init__(self, problems: Sequence[tuple[tuple[Any, ...], str]], what: str = "Configuration") -> None:
        self.problems = tuple(problems)
        texts = [
            f"{'.'.join(map(str, keys))} {text if text.endswith(('.', '?')) else text + '.'}" for keys, text in self.problems
        ]
        super().__init__(f"{what}: {' '.join(texts)}")

    def __reduce__(self) -> tuple[Any, ...]:
        return _config_error, (self.problems, str(self))


def _config_error(problems: tuple[Any, ...], text: str) -> ConfigError:
    """Error with a given message, for pickle."""
    error = ConfigError(problems)
    error.args = (text,)
    return error


class NameLookupError(GemingaError, KeyError, ValueError):
    """A name, axis, tag or HDU is unknown, or stands twice."""

    def __str__(self) -> str:
        return Exception.__str__(self)


class FileError(GemingaError, OSError):
    """A file cannot be read or written."""


class CorruptFileError(FileError):
    """A file is truncated, fails its checksum, or is not of its kind."""


class FormatError(FileError, ValueError):
    """A file is readable but is not what its format requires."""


class FileExistsRefusal(FileError, FileExistsError):
    """A file exists and ``overwrite=True`` was not given."""


class FitError(GemingaError, RuntimeError):
    """A fit cannot start, for example because nothing is free."""


class ReductionError(GemingaError, RuntimeError):
    """An observation cannot be reduced; the message names it and holds the traceback of the cause."""


class OrderError(GemingaError, RuntimeError):
    """A step of an analysis was asked for before the one it needs."""


class MissingDependencyError(GemingaError, ImportError):
    """An optional dependency is not installed; the message names the extra."""


class UnsupportedError(GemingaError, NotImplementedError):
    """A combination of inputs that is not offered."""
