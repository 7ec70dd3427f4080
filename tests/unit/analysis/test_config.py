"""Configurations: defaults of gammapy, round trips, and errors that name the key."""

from __future__ import annotations

import logging
import pickle

import pytest
import yaml

from geminga.analysis import AnalysisConfig
from geminga.errors import ConfigError, CorruptFileError, FileExistsRefusal, FormatError, InputError, NameLookupError
from tests.helpers import data_path, requires_data

# All keys and defaults of gammapy 2.1.
DEFAULTS = """
general:
  log: {level: info, filename: null, filemode: null, format: null, datefmt: null}
  outdir: .
  n_jobs: 1
  datasets_file: null
  models_file: null
observations:
  datastore: $GAMMAPY_DATA/hess-dl3-dr1
  obs_ids: []
  obs_file: null
  obs_cone: {frame: null, lon: null, lat: null, radius: null}
  obs_time: {start: null, stop: null}
  required_irf: [aeff, edisp, psf, bkg]
datasets:
  type: 1d
  stack: true
  geom:
    wcs:
      skydir: {frame: null, lon: null, lat: null}
      binsize: 0.02 deg
      width: {width: 5.0 deg, height: 5.0 deg}
      binsize_irf: 0.2 deg
    selection: {offset_max: 2.5 deg}
    axes:
      energy: {min: 1.0 TeV, max: 10.0 TeV, nbins: 5}
      energy_true: {min: 0.5 TeV, max: 20.0 TeV, nbins: 16}
  map_selection: [counts, exposure, background, psf, edisp]
  background: {method: null, exclusion: null, parameters: {}}
  safe_mask: {methods: [aeff-default], parameters: {}}
  on_region: {frame: null, lon: null, lat: null, radius: null}
  containment_correction: true
fit: {fit_range: {min: null, max: null}}
flux_points: {energy: {min: null, max: null, nbins: null}, source: source, parameters: {selection_optional: all}}
excess_map: {correlation_radius: 0.1 deg, parameters: {}, energy_edges: {min: null, max: null, nbins: null}}
light_curve:
  time_intervals: {start: null, stop: null}
  energy_edges: {min: null, max: null, nbins: null}
  source: source
  parameters: {selection_optional: all}
"""


def shown(config: AnalysisConfig) -> dict:
    data = yaml.safe_load(config.to_yaml())
    assert data.pop("metadata")["creator"].startswith("Geminga")
    return data


def test_defaults_are_those_of_gammapy(monkeypatch) -> None:
    monkeypatch.delenv("GAMMAPY_DATA", raising=False)
    assert shown(AnalysisConfig()) == yaml.safe_load(DEFAULTS)
    assert shown(AnalysisConfig.from_yaml(DEFAULTS)) == yaml.safe_load(DEFAULTS)


def test_configurations_share_nothing() -> None:
    one, other = AnalysisConfig(), AnalysisConfig()
    one.datasets.geom.wcs.skydir.lon = "3 deg"
    one.flux_points.parameters["n_sigma"] = 2
    one.observations.obs_ids.append(3)
    assert other == AnalysisConfig()
    assert other.datasets.geom.wcs.skydir.lon is None


@pytest.mark.parametrize("template", ["1d", "3d", "basic"])
def test_round_trip(template: str, tmp_path) -> None:
    config = AnalysisConfig.from_template(template)
    config.light_curve.time_intervals = {"start": ["2020-01-01", "2020-01-02"], "stop": ["2020-01-02", "2020-01-03"]}
    config.observations.obs_time.start = "2004-12-04T22:00:00"
    config.write(tmp_path / "config.yaml")
    again = AnalysisConfig.read(tmp_path / "config.yaml")
    assert shown(again) == shown(config)
    assert again.light_curve.time_intervals.start.shape == (2,)
    with pytest.raises(FileExistsRefusal, match=r"config.yaml"):
        config.write(tmp_path / "config.yaml")


def test_unknown_template() -> None:
    with pytest.raises(NameLookupError, match="no template '2d'; known ones: 1d, 3d, basic"):
        AnalysisConfig.from_template("2d")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("genral: {outdir: x}", "genral is unknown .*'outdir': 'x'.* Did you mean 'general'"),
        (
            "datasets: {backgrund: 3}",
            "datasets.backgrund is unknown .*3.* Did you mean 'background'.* Known keys there: type, stack",
        ),
        ("datasets: {type: 4d}", "datasets.type is '4d'; expected '1d' or '3d'"),
        ("datasets: {background: {method: reflectd}}", "datasets.background.method is 'reflectd'; .*Did you mean 'reflected'"),
        ("datasets: {safe_mask: {methods: [a, b]}}", "methods.0 is 'a'; expected 'aeff-default'.*methods.1 is 'b'"),
        ("datasets: {geom: {wcs: {binsize: 1 TeV}}}", "datasets.geom.wcs.binsize is '1 TeV'; expected an angle with its unit"),
        ("datasets: {geom: {axes: {energy: {nbins: 0}}}}", "energy.nbins is 0; .*greater than or equal to 1"),
        ("datasets: {geom: {axes: {energy: {nbins: many}}}}", "energy.nbins is 'many'; .*valid integer"),
        ("fit: {fit_range: {min: 1 s}}", "fit.fit_range.min is '1 s'; expected an energy with its unit, such as '1 TeV'"),
        ("fit: {fit_range: {min: 3}}", "fit.fit_range.min is 3; expected an energy with its unit"),
        ("observations: {obs_time: {start: soon}}", "observations.obs_time.start is 'soon'; expected a time"),
        ("observations: {obs_ids: 3}", "observations.obs_ids is 3; .*valid list"),
        ("observations: {datastore: 3}", "observations.datastore is 3; expected a path"),
        ("observations: {required_irf: [area]}", "required_irf.0 is 'area'; expected 'events', 'gti'"),
        ("general: {n_jobs: 0}", "general.n_jobs is 0; .*greater"),
        ("general: {log: {level: loud}}", "general.log.level is 'loud'; expected one of critical, "),
        ("datasets: 3", "datasets is 3; .*dictionary"),
        ("{fit: {a: 1}, general: {b: 2}}", "general.b is unknown.* fit.a is unknown"),
    ],
)
def test_errors_name_key_value_and_what_is_allowed(text: str, message: str, tmp_path) -> None:
    with pytest.raises(ConfigError, match=message):
        AnalysisConfig.from_yaml(text)
    with pytest.raises(ValueError, match=message):
        AnalysisConfig().update(text)
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(ConfigError, match=f"File .*mine.yaml: .*{message}"):
        AnalysisConfig.read(tmp_path / "mine.yaml")


def test_errors_when_an_attribute_is_set() -> None:
    config = AnalysisConfig()
    with pytest.raises(ConfigError, match="DatasetsConfig: typ is unknown .*Did you mean 'type'"):
        config.datasets.typ = "3d"
    with pytest.raises(ConfigError, match="type is '4d'"):
        config.datasets.type = "4d"
    with pytest.raises(ConfigError, match="skydir.frame is 'fk5'; expected 'icrs' or 'galactic'"):
        config.datasets.geom.wcs.skydir = {"frame": "fk5"}
    assert config == AnalysisConfig()


def test_error_survives_pickle() -> None:
    with pytest.raises(ConfigError) as info:
        AnalysisConfig.from_yaml("fit: {a: 1}")
    again = pickle.loads(pickle.dumps(info.value))
    assert str(again) == str(info.value)
    assert again.problems == info.value.problems == (((("fit", "a")), info.value.problems[0][1]),)


@pytest.mark.parametrize(("text", "error"), [("a: [", CorruptFileError), ("- a", FormatError), ("a: 1\na: 2", CorruptFileError)])
def test_what_is_no_mapping(text: str, error: type) -> None:
    with pytest.raises(error, match="Configuration"):
        AnalysisConfig.from_yaml(text)


def test_update() -> None:
    config = AnalysisConfig.from_template("1d")
    changed = config.update("datasets: {stack: true}\nmetadata: {creator: me}")
    assert changed.datasets.stack
    assert not config.datasets.stack
    assert changed.flux_points.source == "crab"
    assert config.update({"general": {"n_jobs": 2}}).general.n_jobs == 2
    merged = AnalysisConfig.from_template("3d").update(AnalysisConfig(general={"outdir": "here"}))
    assert (merged.datasets.type, merged.general.outdir) == ("3d", "here")
    with pytest.raises(InputError, match=r"update got 5; expected YAML text"):
        config.update(5)


def test_old_name_of_the_width() -> None:
    config = AnalysisConfig.from_yaml("datasets: {geom: {wcs: {fov: {width: 8 deg, height: 6 deg}}}}")
    width = config.datasets.geom.wcs.width
    assert (width.width.deg, width.height.deg) == (8, 6)
    assert "fov" not in config.to_yaml()
    with pytest.raises(ConfigError, match=r"wcs.fov is unknown"):
        AnalysisConfig.from_yaml("datasets: {geom: {wcs: {fov: {width: 8 deg}, width: {width: 8 deg}}}}")


@requires_data("cta-1dc-gc/config_stack.yaml")
@requires_data("estimators/crab_hess_fp/config.yaml")
def test_files_of_gammapy() -> None:
    assert AnalysisConfig.read(data_path("cta-1dc-gc/config_stack.yaml")).datasets.geom.wcs.width.height.deg == 6
    assert AnalysisConfig.read(data_path("estimators/crab_hess_fp/config.yaml")).datasets.type == "1d"


def test_print() -> None:
    text = str(AnalysisConfig())
    assert text.startswith("AnalysisConfig\n\n    general:\n        log:\n            level: info\n")
    assert AnalysisConfig()._repr_html_().startswith("<pre>AnalysisConfig")


def test_environment_variables_in_paths(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("GAMMAPY_DATA", str(tmp_path))
    assert AnalysisConfig().observations.datastore == tmp_path / "hess-dl3-dr1"


def test_set_logging(tmp_path) -> None:
    config = AnalysisConfig(general={"log": {"level": "WARNING", "filename": tmp_path / "log.txt", "filemode": "w"}})
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers[:] = []
    try:
        config.set_logging()
        logging.getLogger("geminga").info("not written")
        logging.getLogger("geminga").warning("written")
        assert root.level == logging.WARNING
        assert (tmp_path / "log.txt").read_text() == "WARNING:geminga:written\n"
    finally:
        for handler in root.handlers:
            handler.close()
        root.handlers[:] = before
        root.setLevel(level)
