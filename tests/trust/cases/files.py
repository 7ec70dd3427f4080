"""FITS files that are not whole, or not what they say."""

from __future__ import annotations

import gzip
import tempfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.table import Table

from geminga.data import GTI, DataStore, EventList, Observation
from geminga.datasets import MapDataset, SpectrumDatasetOnOff
from geminga.irf import EDispKernel, EffectiveAreaTable2D, PSFMap
from geminga.maps import Map
from geminga.utils import files
from tests.trust import kinds
from tests.trust.cases import Scene, case, cases
from tests.unit.datasets import builders


def written(scene: Scene, name: str = "dataset.fits") -> Any:
    """A dataset on disk, and its bytes."""
    path = scene.path(name)
    kinds.map_dataset(0).write(path)
    return path, path.read_bytes()


def damaged(change: Any, name: str = "dataset.fits", read: Any = MapDataset.read) -> Any:
    """Case that reads a file whose bytes were changed."""

    def function(scene: Scene) -> Any:
        path, data = written(scene, name)
        path.write_bytes(change(data))
        return read(path)

    return function


def flipped(data: bytes, place: float) -> bytes:
    """One bit changed."""
    own = bytearray(data)
    own[int(place * len(own))] ^= 4
    return bytes(own)


def flipped_where_it_matters(data: bytes, place: float) -> bytes:
    """One bit of a gzip file changed, the first that changes what is inside: many a distance among zeros may be any other."""
    start, content = int(place * len(data)), gzip.decompress(data)
    for number in range(start, len(data)):
        own = flipped(data, (number + 0.5) / len(data))
        try:
            is_same = zlib.decompressobj(wbits=31).decompress(own) == content
        except zlib.error:
            is_same = False
        if not is_same:
            return own
    raise AssertionError


def start_of(data: bytes, name: bytes) -> int:
    """First byte of an HDU."""
    place = data.index(b"EXTNAME = '" + name)
    return data.rindex(b"XTENSION", 0, place)


cases(
    {
        "FITS file cut off in its first header": damaged(lambda data: data[:1000]),
        "FITS file cut off in a later header": damaged(lambda data: data[: start_of(data, b"EXPOSURE") + 700]),
        "FITS file cut off in the data": damaged(lambda data: data[: len(data) // 2]),
        "FITS file cut off between two HDUs": damaged(lambda data: data[: start_of(data, b"EXPOSURE")]),
        "FITS file cut off in the padding after its last HDU": damaged(lambda data: data[:-10]),
        "FITS file of which one HDU was removed": damaged(
            lambda data: data[: start_of(data, b"EXPOSURE")] + data[start_of(data, b"EXPOSURE_BANDS") :]
        ),
        "gzip file cut off near its end": damaged(lambda data: data[:-20], "dataset.fits.gz"),
        "gzip file cut off within its first kB": damaged(lambda data: data[:700], "dataset.fits.gz"),
        "gzip file without its checksum": damaged(lambda data: data[:-8], "dataset.fits.gz"),
        "gzip file with one bit changed": damaged(lambda data: flipped_where_it_matters(data, 0.6), "dataset.fits.gz"),
        "gzip file followed by something else": damaged(lambda data: data + b"something", "dataset.fits.gz"),
        "gzip file with a FITS file cut off inside": damaged(
            lambda data: gzip.compress(gzip.decompress(data)[:9000]), "dataset.fits.gz"
        ),
        "FITS file with one bit changed in the data": damaged(lambda data: flipped(data, 0.7)),
        "FITS file with one bit changed in a header": damaged(lambda data: flipped(data, 0.0005)),
        "FITS file with a page of zeros within": damaged(lambda data: data[:20000] + bytes(4096) + data[24096:]),
        "FITS file with another file appended": damaged(lambda data: data + b"x" * 2880),
        "FITS file whose end was overwritten with text": damaged(lambda data: data[:-2880] + b"a" * 2880),
        "empty file named .fits": damaged(lambda data: b""),
        "text named .fits": damaged(lambda data: b"Hello\n" * 100),
        "a picture named .fits": damaged(lambda data: b"\x89PNG\r\n\x1a\n" + bytes(5000)),
        "YAML named .fits": damaged(lambda data: b"components: []\n"),
        "FITS file with CR LF line ends made by a transfer as text": damaged(
            lambda data: data.replace(b"\n", b"\r\n") + b"\r\n" * 9
        ),
        "folder instead of a FITS file": lambda scene: MapDataset.read(scene.folder),
        "file that does not exist": lambda scene: MapDataset.read(scene.path("absent.fits")),
        "environment variable that is not set": lambda scene: MapDataset.read("$NO_SUCH_VARIABLE_HERE/a.fits"),
        "None as file name": lambda scene: Map.read(None),
        "number as file name": lambda scene: Map.read(12),
        "file name with a zero byte": lambda scene: Map.read("a\0b.fits"),
        "map read as a dataset of events": lambda scene: EventList.read(written(scene)[0]),
        "dataset read as good time intervals of another name": lambda scene: GTI.read(written(scene)[0], hdu="GTI2"),
        "dataset read as an effective area": lambda scene: EffectiveAreaTable2D.read(written(scene)[0]),
        "dataset read as an observation": lambda scene: Observation.read(written(scene)[0]),
        "dataset read as an energy dispersion matrix": lambda scene: EDispKernel.read(written(scene)[0]),
        "dataset read as an on/off spectrum in OGIP": lambda scene: SpectrumDatasetOnOff.read(written(scene)[0], format="ogip"),
        "map asked for by the name of an HDU that is not there": lambda scene: Map.read(written(scene)[0], hdu="COUNT"),
        "map read in an unknown format": lambda scene: Map.read(written(scene)[0], format="fitz"),
        "response map read in an unknown format": lambda scene: PSFMap.read(written(scene)[0], format="gtpfs"),
        "folder without index tables as a store": lambda scene: DataStore.from_dir(scene.folder),
    }
)


def header_with(**keys: Any) -> bytes:
    """FITS file of one image header with keywords replaced, without its data."""
    header = fits.Header({"SIMPLE": True, "BITPIX": -32, "NAXIS": 2, "NAXIS1": 10, "NAXIS2": 10})
    text = header.tostring(padding=False)
    for key, value in keys.items():
        card = f"{key:8}= {value!s:>20}".ljust(80)
        place = text.index(f"{key:8}=")
        text = text[:place] + card + text[place + 80 :]
    return text.ljust(2880).encode()


def from_header(**keys: Any) -> Any:
    """Case that reads such a file."""
    return lambda scene: Map.read(scene.path("map.fits", header_with(**keys) + bytes(2880)))


cases(
    {
        "image header that promises a petabyte": from_header(NAXIS1=10**8, NAXIS2=10**7),
        "image header with negative size": from_header(NAXIS1=-10),
        "image header with 999 axes": from_header(NAXIS=999),
        "image header with an unknown type of numbers": from_header(BITPIX=7),
        "image header with text for a size": from_header(NAXIS1="'ten'"),
        "image header with NaN for a size": from_header(NAXIS1="NaN"),
    }
)


@case("gzip file of 2 MB that decompresses to 2 GB")
def bomb(scene: Scene) -> Any:
    member = gzip.compress(header_with(NAXIS1=4000, NAXIS2=4000) + bytes(2**26), compresslevel=6)
    path = scene.path("map.fits.gz", member * 32)
    return Map.read(path)


@case("someone else's FITS file whose checksum does not fit")
def foreign(scene: Scene) -> Any:
    path = scene.path("map.fits")
    kinds.cube(0).to_hdulist().writeto(path, checksum=True)
    path.write_bytes(flipped(path.read_bytes(), 0.3))
    return Map.read(path)


@case("our FITS file after another program changed its data without new checksums")
def rewritten(scene: Scene) -> Any:
    path, _ = written(scene)
    with fits.open(path) as hdus:
        hdus["COUNTS"].data = hdus["COUNTS"].data * 2
        hdus.writeto(path, overwrite=True)
    return MapDataset.read(path)


@case("our FITS file after another program removed an HDU and wrote checksums")
def removed(scene: Scene) -> Any:
    path, _ = written(scene)
    with fits.open(path) as hdus:
        del hdus["MASK_SAFE"]
        hdus.writeto(path, overwrite=True, checksum=True)
    return MapDataset.read(path)


@case("file that changed after a dataset was opened lazily")
def lazy(scene: Scene) -> Any:
    path, _ = written(scene)
    dataset = MapDataset.read(path, lazy=True)
    kinds.map_dataset(1).write(path, overwrite=True)
    return dataset.counts


@case("file that vanished after a dataset was opened lazily")
def vanished(scene: Scene) -> Any:
    path, _ = written(scene)
    dataset = MapDataset.read(path, lazy=True)
    path.unlink()
    return dataset.counts


@case("decompressed size above the cap")
def cap(scene: Scene) -> Any:
    limit = files.MAX_DECOMPRESSED
    files.MAX_DECOMPRESSED = 100_000
    try:
        return Map.read(scene.path("map.fits.gz", gzip.compress(bytes(2_000_000))))
    finally:
        files.MAX_DECOMPRESSED = limit


def table_case(change: Any) -> Any:
    """Case that reads an effective area whose table was changed."""

    def function(scene: Scene) -> Any:
        own = kinds.irf("aeff")(0).to_table()
        path = scene.path("aeff.fits")
        hdu = fits.BinTableHDU(change(own), name="EFFECTIVE AREA")
        hdu.header.update({"HDUCLAS1": "RESPONSE", "HDUCLAS2": "EFF_AREA", "HDUCLAS4": "AEFF_2D"})
        fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path)
        return EffectiveAreaTable2D.read(path)

    return function


def without(table: Table, name: str) -> Table:
    table.remove_column(name)
    return table


def with_value(table: Table, name: str, value: Any) -> Table:
    table[name][0][..., 0] = value
    return table


def with_unit(table: Table, name: str, unit: str) -> Table:
    table[name].unit = unit
    return table


def reversed_edges(table: Table, name: str) -> Table:
    table[name] = table[name][:, ::-1].copy()
    return table


cases(
    {
        "response table without the column of its values": table_case(lambda t: without(t, "EFFAREA")),
        "response table without lower edges": table_case(lambda t: without(t, "ENERG_LO")),
        "response table with NaN among its values": table_case(lambda t: with_value(t, "EFFAREA", np.nan)),
        "response table with negative values": table_case(lambda t: with_value(t, "EFFAREA", -5.0)),
        "response table with NaN among its edges": table_case(lambda t: with_value(t, "ENERG_LO", np.nan)),
        "response table with edges that fall": table_case(lambda t: reversed_edges(t, "ENERG_LO")),
        "response table in s instead of m2": table_case(lambda t: with_unit(t, "EFFAREA", "s")),
        "response table with edges in m": table_case(lambda t: with_unit(t, "ENERG_LO", "m")),
        "response table without rows": table_case(lambda t: t[:0]),
    }
)


def spoilt_header(key: str, value: Any) -> Any:
    """Case that reads a map of others with a changed keyword."""

    def function(scene: Scene) -> Any:
        path = scene.path("map.fits")
        kinds.cube(0).write(path)
        with fits.open(path, memmap=False) as hdus:
            for hdu in hdus:
                for name in ("CHECKSUM", "DATASUM", "NHDUS"):
                    hdu.header.remove(name, ignore_missing=True)
            hdus[0].header[key] = value
            hdus.writeto(path, overwrite=True, output_verify="ignore")
        return Map.read(path)

    return function


def spectrum_files(change: Any) -> Any:
    """Case that reads a spectrum in OGIP after a change of its folder."""

    def function(scene: Scene) -> Any:
        kinds.onoff(0).write(scene.path("own.fits"), format="ogip")
        change(scene.folder)
        return SpectrumDatasetOnOff.read(scene.path("own.fits"))

    return function


def _column(name: str, value: float) -> Any:
    def change(folder: Path) -> None:
        with fits.open(folder / "own.fits", memmap=False) as hdus:
            hdus["SPECTRUM"].data[name][:] = value
            hdus.writeto(folder / "own.fits", overwrite=True, checksum=True)

    return change


def _exposure(folder: Path) -> None:
    with fits.open(folder / "own.fits", memmap=False) as hdus:
        hdus["SPECTRUM"].header["EXPOSURE"] = 0.0
        hdus.writeto(folder / "own.fits", overwrite=True, checksum=True)


def _other_rmf(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as place:
        builders.onoff_spectrum(nbin=3).write(Path(place) / "own.fits", format="ogip")
        (folder / "own_rmf.fits").write_bytes((Path(place) / "own_rmf.fits").read_bytes())


cases(
    {
        "map with text for its reference pixel": spoilt_header("CRPIX1", "abc"),
        "map with pixels of 1e300 deg": spoilt_header("CDELT1", 1e300),
        "map with pixels of no size in a file": spoilt_header("CDELT1", 0.0),
        "map around a latitude of 400 deg in a file": spoilt_header("CRVAL2", 400.0),
        "map in an unknown unit in a file": spoilt_header("BUNIT", "bananas"),
        "map in an unknown projection in a file": spoilt_header("CTYPE1", "RA---XYZ"),
        "map with text for its zero": spoilt_header("BZERO", "x"),
        "spectrum in OGIP with negative counts": spectrum_files(_column("COUNTS", -5)),
        "spectrum in OGIP without exposure": spectrum_files(_exposure),
        "spectrum in OGIP without its ARF": spectrum_files(lambda folder: (folder / "own_arf.fits").unlink()),
        "spectrum in OGIP with the RMF of another": spectrum_files(_other_rmf),
    }
)
