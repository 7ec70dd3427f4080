"""Files that are there already, disks that are full, names that cannot be."""

from __future__ import annotations

import resource
import signal
from typing import Any

from geminga.datasets import Datasets
from geminga.modeling.models import Models
from tests.trust import kinds
from tests.trust.cases import Scene, case, cases


def again(make: Any, name: str, **kwargs: Any) -> Any:
    """Case that writes to a file that is there."""

    def function(scene: Scene) -> Any:
        path = scene.path(name)
        make(0).write(path, **kwargs)
        for own in scene.folder.iterdir():
            scene.keep(own)
        make(1).write(path, **kwargs)

    return function


cases(
    {
        "map written to a file that exists": again(kinds.cube, "own.fits"),
        "response written to a file that exists": again(kinds.psf, "own.fits"),
        "time intervals written to a file that exists": again(kinds.gti, "own.fits"),
        "dataset written to a file that exists": again(kinds.map_dataset, "own.fits.gz"),
        "spectrum written to files that exist": again(kinds.onoff, "pha.fits", format="ogip"),
        "models written to a file that exists": again(kinds.models, "own.yaml"),
        "datasets written to files that exist": again(kinds.datasets, "own.yaml"),
        "flux points written to a file that exists": again(kinds.flux_points, "own.ecsv"),
        "flux maps written to files that exist": again(kinds.flux_maps, "own.fits"),
        "map written to a folder that does not exist": lambda scene: kinds.cube(0).write(scene.path("absent/own.fits")),
        "models written to a folder that does not exist": lambda scene: kinds.models(0).write(scene.path("absent/own.yaml")),
        "map written to the name of a folder": lambda scene: kinds.cube(0).write(scene.folder, overwrite=True),
        "map written in an unknown format": lambda scene: kinds.cube(0).write(scene.path("a.fits"), format="gadfly"),
        "spectrum written in an unknown format": lambda scene: kinds.onoff(0).write(scene.path("a.fits"), format="xspec"),
        "name of 5000 letters": lambda scene: kinds.cube(0).write(scene.path("a" * 5000 + ".fits")),
    }
)


@case("part of a set of files that exists")
def part(scene: Scene) -> Any:
    scene.keep(scene.path("models_covariance.dat", "precious"))
    kinds.models(0).write(scene.path("models.yaml"))


@case("two datasets that would go to the same file")
def same_file(scene: Scene) -> Any:
    own = Datasets([kinds.map_dataset(0).copy(name="a b"), kinds.map_dataset(1).copy(name="a_b")])
    own.write(scene.path("datasets.yaml"))


@case("dataset whose name is a path")
def path_as_name(scene: Scene) -> Any:
    Datasets([kinds.map_dataset(0).copy(name="../outside")]).write(scene.path("datasets.yaml"))


def full(make: Any, name: str) -> Any:
    """Case that replaces a file while the disk is full."""

    def function(scene: Scene) -> Any:
        path = scene.path(name)
        make(0).write(path)
        for own in scene.folder.iterdir():
            scene.keep(own)
        limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (500, limits[1]))
        try:
            make(1).write(path, overwrite=True)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, handler)

    return function


cases(
    {
        "full disk while a map is replaced": full(kinds.cube, "own.fits"),
        "full disk while a compressed dataset is replaced": full(kinds.map_dataset, "own.fits.gz"),
        "full disk while models and covariance are replaced": full(kinds.models, "own.yaml"),
        "full disk while a list of datasets is replaced": full(kinds.datasets, "own.yaml"),
    }
)


@case("models with a template that has no file name")
def no_file_name(scene: Scene) -> Any:
    from geminga.maps import Map
    from geminga.modeling.models import SkyModel, TemplateSpatialModel

    own = Map.create(npix=3, unit="sr-1")
    own.data += 1
    model = SkyModel.create("pl", TemplateSpatialModel(own), name="a")
    Models([model]).write(scene.path("models.yaml"))
