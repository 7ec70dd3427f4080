"""YAML and tables of text."""

from __future__ import annotations

from typing import Any

from geminga.datasets import Datasets
from geminga.flux import FluxPoints
from geminga.modeling.models import Models
from geminga.utils.yaml import read_yaml
from tests.trust import kinds
from tests.trust.cases import Scene, case, cases

MODEL = """components:
-   name: source
    type: SkyModel
    spectral:
        type: PowerLawSpectralModel
        parameters:
        -   {name: index, value: 2.0}
        -   {name: amplitude, value: 1.0e-12, unit: TeV-1 s-1 cm-2}
        -   {name: reference, value: 1.0, unit: TeV, frozen: true}
    spatial:
        type: PointSpatialModel
        frame: icrs
        parameters:
        -   {name: lon_0, value: 83.6, unit: deg}
        -   {name: lat_0, value: 22.0, unit: deg}
"""


def model_text(*changes: tuple[str, str]) -> Any:
    """Case that reads a model file with some text replaced."""

    def function(scene: Scene) -> Any:
        text = MODEL
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        return Models.read(scene.path("models.yaml", text))

    return function


def yaml_text(text: str | bytes) -> Any:
    """Case that reads some YAML."""
    return lambda scene: read_yaml(scene.path("some.yaml", text))


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefghi", "bcdefghij", strict=True)
)

cases(
    {
        "empty YAML file": yaml_text(""),
        "YAML file of comments only": yaml_text("# nothing\n"),
        "YAML file with a list": yaml_text("- 1\n- 2\n"),
        "YAML file that is not UTF-8": yaml_text(b"a: \xff\xfe\n"),
        "YAML file with a tab": yaml_text("a:\n\tb: 1\n"),
        "YAML file with brackets left open": yaml_text("a: [1, 2\n"),
        "YAML file with a key that stands twice": yaml_text("a: 1\nb: 2\na: 3\n"),
        "YAML file that makes Python objects": yaml_text("a: !!python/object/apply:os.system ['true']\n"),
        "YAML file whose aliases unfold to 10 billion values": yaml_text(BOMB),
        "YAML file with an alias to itself": yaml_text("a: &a [*a]\n"),
        "YAML file nested 5000 deep": yaml_text("[" * 5000 + "]" * 5000),
        "YAML file with an unknown alias": yaml_text("a: *b\n"),
        "model file without components": model_text(("components:", "componets:")),
        "model file with an unknown key": model_text(("components:", "color: red\ncomponents:")),
        "model file with null for components": lambda scene: Models.read(scene.path("m.yaml", "components: null\n")),
        "model file with a number for a component": lambda scene: Models.read(scene.path("m.yaml", "components: [1]\n")),
        "unknown kind of model": model_text(("type: SkyModel", "type: SkyModell")),
        "unknown spectral model": model_text(("PowerLawSpectralModel", "PowerLowSpectralModel")),
        "unknown spatial model": model_text(("PointSpatialModel", "PunctSpatialModel")),
        "model without type": model_text(("    type: SkyModel\n", "")),
        "unknown parameter": model_text(("name: index", "name: indx")),
        "parameter that stands twice": model_text(
            ("name: amplitude, value: 1.0e-12, unit: TeV-1 s-1 cm-2", "name: index, value: 3")
        ),
        "parameter left out": model_text(("        -   {name: index, value: 2.0}\n", "")),
        "parameter with an unknown key": model_text(("value: 2.0}", "value: 2.0, colour: red}")),
        "parameter with text for a value": model_text(("value: 2.0}", "value: two}")),
        "parameter with NaN for a value": model_text(("value: 2.0}", "value: .nan}")),
        "parameter with an infinite value": model_text(("value: 2.0}", "value: .inf}")),
        "parameter with a list for a value": model_text(("value: 2.0}", "value: [2.0]}")),
        "parameter without name": model_text(("name: index, ", "")),
        "parameter with an unknown unit": model_text(("unit: TeV-1 s-1 cm-2", "unit: TeW-1")),
        "parameter with a unit of the wrong dimension": model_text(("unit: TeV-1 s-1 cm-2", "unit: deg")),
        "parameter with a lower bound above the upper one": model_text(("value: 2.0}", "value: 2.0, min: 5, max: 1}")),
        "parameter with a value outside its bounds": model_text(("value: 2.0}", "value: 2.0, min: 3, max: 5}")),
        "parameter with text for frozen": model_text(("value: 2.0}", "value: 2.0, frozen: perhaps}")),
        "unknown coordinate frame": model_text(("frame: icrs", "frame: icsr")),
        "list of parameters that is a mapping": model_text(
            ("        parameters:\n        -   {name: lon_0", "        parameters:\n            {name: lon_0")
        ),
        "two models of the same name": lambda scene: Models.read(
            scene.path("m.yaml", MODEL + MODEL.removeprefix("components:\n"))
        ),
        "covariance file that does not exist": model_text(("components:", "covariance: absent.dat\ncomponents:")),
        "covariance file that lies elsewhere": model_text(("components:", "covariance: /etc/passwd\ncomponents:")),
        "list of datasets with an unknown type": lambda scene: Datasets.read(
            scene.path("d.yaml", "datasets:\n- {name: a, type: MapDatset, filename: a.fits}\n")
        ),
        "list of datasets with a missing file": lambda scene: Datasets.read(
            scene.path("d.yaml", "datasets:\n- {name: a, type: MapDataset, filename: a.fits}\n")
        ),
        "list of datasets with a file that lies elsewhere": lambda scene: Datasets.read(
            scene.path("d.yaml", "datasets:\n- {name: a, type: MapDataset, filename: ../../../../etc/passwd}\n")
        ),
        "list of datasets without file name": lambda scene: Datasets.read(
            scene.path("d.yaml", "datasets:\n- {name: a, type: MapDataset}\n")
        ),
        "list of datasets that is a mapping": lambda scene: Datasets.read(scene.path("d.yaml", "datasets: {a: 1}\n")),
        "model file read as a list of datasets": lambda scene: Datasets.read(scene.path("d.yaml", MODEL)),
    }
)

TEMPLATE = (
    ("type: PointSpatialModel", "type: TemplateSpatialModel\n        filename: {}"),
    ("        frame: icrs\n", ""),
    (
        "        -   {name: lon_0, value: 83.6, unit: deg}\n        -   {name: lat_0, value: 22.0, unit: deg}",
        "        -   {name: norm, value: 1.0}",
    ),
)


def template_text(filename: str) -> Any:
    """Case that reads a model whose map lies in a file of this name."""
    return model_text(*[(old, new.replace("{}", filename)) for old, new in TEMPLATE])


cases(
    {
        "template map that does not exist": template_text("absent.fits"),
        "template map whose name leads out of the folder": template_text("../../../../../../etc/hostname"),
        "template map below a variable that leads out of its folder": template_text("$HOME/../etc/hostname"),
    }
)


def _written(scene: Scene) -> Any:
    kinds.models(0).write(scene.path("models.yaml"))
    return scene.path("models.yaml"), scene.path("models_covariance.dat")


@case("model file cut off")
def cut_models(scene: Scene) -> Any:
    path, _ = _written(scene)
    path.write_bytes(path.read_bytes()[:-60])
    return Models.read(path)


@case("covariance file cut off")
def cut_covariance(scene: Scene) -> Any:
    path, other = _written(scene)
    other.write_bytes(other.read_bytes()[:-60])
    return Models.read(path)


@case("covariance file that is lost")
def lost_covariance(scene: Scene) -> Any:
    path, other = _written(scene)
    other.unlink()
    return Models.read(path)


@case("covariance file of another fit")
def other_covariance(scene: Scene) -> Any:
    path, other = _written(scene)
    kinds.models(3).write(scene.path("other.yaml"))
    scene.path("other_covariance.dat").replace(other)
    return Models.read(path)


@case("model file edited by hand")
def edited(scene: Scene) -> Any:
    path, _ = _written(scene)
    path.write_text(path.read_text().replace("name: point", "name: dot"))
    return Models.read(path)


@case("model file edited by hand, read with checksum=True")
def edited_strict(scene: Scene) -> Any:
    path, _ = _written(scene)
    path.write_text(path.read_text().replace("name: point", "name: dot"))
    return Models.read(path, checksum=True)


def ecsv(change: Any) -> Any:
    """Case that reads flux points as text after a change."""

    def function(scene: Scene) -> Any:
        path = scene.path("points.ecsv")
        kinds.flux_points(0).write(path)
        path.write_text(change(path.read_text()))
        return FluxPoints.read(path)

    return function


cases(
    {
        "table of text cut off within a row": ecsv(lambda text: text[:-9]),
        "table of text cut off between rows": ecsv(lambda text: text[: text.rstrip("\n").rindex("\n") + 1]),
        "table of text cut off in its header": ecsv(lambda text: text[:900]),
        "table of text with a number replaced by a word": ecsv(lambda text: text[: text.rstrip().rindex(" ")] + " many\n"),
        "table of text with a row twice": ecsv(lambda text: text + text.rstrip("\n").rsplit("\n", 1)[1] + "\n"),
        "table of text without a column of fluxes": ecsv(lambda text: text.replace("norm", "morn")),
        "empty table of text": ecsv(lambda text: ""),
    }
)
