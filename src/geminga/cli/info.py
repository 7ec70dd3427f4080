"""``geminga info FILE``: what a file is, and a summary of what is in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import click

from geminga.cli.options import debug_option
from geminga.errors import FormatError

__all__ = ["FITS_KINDS", "YAML_KINDS", "describe", "info"]


class Kind(NamedTuple):
    """A kind of file: its name, how its content is recognised, and how it is summarised."""

    name: str
    matches: Callable[[Any], bool]
    summary: Callable[[Path], str]


def _names(hdulist: Any) -> set[str]:
    return {hdu.name for hdu in hdulist}


def _is_map_dataset(hdulist: Any) -> bool:
    return {"COUNTS", "COUNTS_BANDS"} <= _names(hdulist) or {"EXPOSURE", "EXPOSURE_BANDS"} <= _names(hdulist)


def _has_image(hdulist: Any) -> bool:
    """Whether there is an image of the sky, or a table that stands for one."""
    sky = ("RA", "GLON", "DEC", "GLAT")
    images = [hdu for hdu in hdulist if hdu.is_image and hdu.header.get("NAXIS", 0) >= 2]
    tables = [hdu for hdu in hdulist if not hdu.is_image and "WCSSHAPE" in hdu.header]
    return any(str(hdu.header.get("CTYPE1", "")).startswith(sky) for hdu in images + tables)


def _has(*names: str) -> Callable[[Any], bool]:
    """Whether all these HDUs are there."""
    return lambda hdulist: set(names) <= _names(hdulist)


def _summarise_dataset(path: Path) -> str:
    from geminga.datasets import MapDataset

    return str(MapDataset.read(path))


def _summarise_map(path: Path) -> str:
    from geminga.maps import Map

    return str(Map.read(path))


def _summarise_gti(path: Path) -> str:
    from geminga.data import GTI

    return str(GTI.read(path))


def _summarise_edisp(hdu: str) -> Callable[[Path], str]:
    def summarise(path: Path) -> str:
        from geminga.irf import EDispKernel

        return str(EDispKernel.read(path, hdu1=hdu))

    return summarise


def _summarise_fermi_psf(path: Path) -> str:
    from geminga.irf import PSFMap

    return str(PSFMap.read(path, format="gtpsf"))


def _summarise_region_map(path: Path) -> str:
    from geminga.maps import RegionNDMap

    return str(RegionNDMap.read(path, format="ogip-arf"))


def _summarise_models(path: Path) -> str:
    from geminga.modeling.models import Models

    return str(Models.read(path))


def _summarise_datasets(path: Path) -> str:
    from geminga.datasets import Datasets

    return str(Datasets.read(path))


def _list_hdus(path: Path) -> str:
    from geminga.utils.files import read_fits

    lines = []
    for index, hdu in enumerate(read_fits(path)):
        what = f"{len(hdu.data)} rows: {', '.join(hdu.columns.names)}" if hasattr(hdu, "columns") else str(hdu.shape)
        lines.append(f"  {index:3d}  {hdu.name or '-':24}{what}")
    return "\n".join(lines)


# The first that matches is taken.
FITS_KINDS = [
    Kind("MapDataset", _is_map_dataset, _summarise_dataset),
    Kind("EDispKernel (RMF)", _has("MATRIX", "EBOUNDS"), _summarise_edisp("MATRIX")),
    Kind("EDispKernel (DRM)", _has("DRM", "EBOUNDS"), _summarise_edisp("DRM")),
    Kind("Effective area (ARF)", _has("SPECRESP"), _summarise_region_map),
    Kind("PSFMap (gtpsf)", _has("PSF", "THETA"), _summarise_fermi_psf),
    Kind("GTI", lambda hdulist: "GTI" in _names(hdulist) and len(hdulist) == 2, _summarise_gti),
    Kind("Map", _has_image, _summarise_map),
    Kind("FITS file", lambda hdulist: True, _list_hdus),
]
YAML_KINDS = [
    Kind("Models", lambda content: isinstance(content.get("components"), list) and "model" not in content, _summarise_models),
    Kind("Datasets", lambda content: isinstance(content.get("datasets"), list), _summarise_datasets),
]


def describe(path: str | Path) -> str:
    """Kind and summary of a FITS or YAML file.

    Raises
    ------
    FormatError
        If a YAML file holds neither models nor datasets.
    FileError
        If the file cannot be read.
    """
    from geminga.utils.files import file_path, read_fits
    from geminga.utils.yaml import read_yaml

    target = file_path(path)
    if target.suffix.lower() in {".yaml", ".yml"}:
        content, kinds = read_yaml(target), YAML_KINDS
    else:
        content, kinds = read_fits(target), FITS_KINDS
    kind = next((kind for kind in kinds if kind.matches(content)), None)
    if kind is None:
        msg = f"File {target} is YAML with the keys {sorted(map(str, content))}; expected a list 'components' or 'datasets'."
        raise FormatError(msg)
    return f"{target}: {kind.name}\n\n{kind.summary(target)}"


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@debug_option
def info(file: Path) -> None:
    """Tell what FILE is (FITS or YAML) and print a summary of it."""
    click.echo(describe(file))
