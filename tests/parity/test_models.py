"""Model files beside gammapy: it reads ours and finds the same values and predicted counts; we read its own.

Set ``GAMMAPY_PYTHON`` to a Python that has gammapy 2.1.
"""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.time import Time
from numpy.testing import assert_allclose

from geminga.datasets import MapDataset, SpectrumDataset
from geminga.maps import Map, MapAxis, RegionNDMap, WcsGeom
from geminga.modeling.models import (
    FoVBackgroundModel,
    GaussianPrior,
    Models,
    PowerLawSpectralModel,
    SkyModel,
    TemplateNPredModel,
    UniformPrior,
)
from tests.parity.test_datasets import PYTHON, run
from tests.unit.datasets import builders
from tests.unit.forward.test_norm import norm_model
from tests.unit.modeling.models.spatial.builders import make_models as make_spatial
from tests.unit.modeling.models.spectral.builders import make_models as make_spectral
from tests.unit.modeling.models.temporal.builders import make_models as make_temporal

pytestmark = [
    pytest.mark.skipif(not PYTHON, reason="needs $GAMMAPY_PYTHON, an interpreter with gammapy"),
    pytest.mark.filterwarnings("ignore::astropy.units.UnitsWarning"),
]

# gammapy has no reader for these, or reads them otherwise.
NOT_READ = {"scale", "meyer", "log-gauss", "const-flux", "templateND-norm", "template-steps", "piecewise-log"}
ENERGY = np.array([0.15, 0.9, 3.0, 22.0])

VALUES = """
import sys, json
import numpy as np
from astropy import units as u
from astropy.time import Time
from gammapy.maps import WcsGeom, MapAxis
from gammapy.modeling.models import Models

models = Models.read(sys.argv[1])
energy = np.array([0.15, 0.9, 3.0, 22.0]) * u.TeV
axis = MapAxis.from_energy_bounds("0.5 TeV", "20 TeV", nbin=4, name="energy_true")
image = WcsGeom.create(npix=(9, 7), binsz=0.1)
times = Time([55555.3, 55556.7], format="mjd", scale="utc")
out = {}
for model in models:
    spectral = model.spectral_model
    own = {"dnde": spectral(energy).value.tolist(), "flux": float(spectral.integral(0.3 * u.TeV, 12 * u.TeV).value)}
    spatial = model.spatial_model
    if spatial is not None:
        geom = image.to_cube([axis]) if spatial.is_energy_dependent else image
        own["density"] = np.ravel(spatial.evaluate_geom(geom).to_value("sr-1")).tolist() if spatial.tag[1] != "point" else []
        own["pixels"] = np.ravel(spatial.integrate_geom(geom).quantity.to_value("")).tolist()
    if model.temporal_model is not None:
        own["time"] = np.ravel(model.temporal_model(times).value).tolist()
    own["parameters"] = [(p.name, p.value, str(p.unit), p.error, p.min, p.max, p.frozen) for p in model.parameters]
    out[model.name] = own
print(json.dumps(out))
"""


def with_files(models, folder):
    for name, model in models.items():
        if hasattr(model, "write") and model.filename is None:
            model.filename = str(folder / f"{name}.fits")
    return models


def written(models, folder):
    for model in models:
        for j, par in enumerate(model.parameters):
            par.error = 0.01 * (j + 1)
    models.write(folder / "models.yaml")
    return run(VALUES, folder / "models.yaml")


def check_parameters(model, theirs):
    for par, entry in zip(model.parameters, theirs["parameters"], strict=True):
        assert entry[0] == par.name
        assert u.Unit(entry[2]) == par.unit
        assert_allclose([entry[1], *entry[3:6]], [par.value, par.error, par.min, par.max], rtol=1e-12)
        assert entry[6] == par.frozen


def test_spectral_models(tmp_path):
    own = with_files({k: v for k, v in make_spectral().items() if k not in NOT_READ}, tmp_path)
    own = {k: PowerLawSpectralModel() * v if v.is_norm_spectral_model else v for k, v in own.items()}
    models = Models([SkyModel(model, name=name) for name, model in own.items()])
    theirs = written(models, tmp_path)
    for name, model in own.items():
        assert_allclose(np.ravel(theirs[name]["dnde"]), model(ENERGY * u.TeV).value, rtol=2e-6, err_msg=name)
        # gammapy integrates by a trapezoid in log-log.
        assert_allclose(theirs[name]["flux"], model.integral(0.3 * u.TeV, 12 * u.TeV).value, rtol=1e-3, err_msg=name)
        check_parameters(models[name], theirs[name])


def test_spatial_models(tmp_path):
    skipped = NOT_READ | {"piecewise-norm"}  # a factor, see the backgrounds below
    own = with_files({k: v for k, v in make_spatial().items() if k not in skipped}, tmp_path)
    models = Models([SkyModel.create("pl", model, name=name) for name, model in own.items()])
    theirs = written(models, tmp_path)
    image = WcsGeom.create(npix=(9, 7), binsz=0.1)
    cube = image.to_cube([MapAxis.from_energy_bounds("0.5 TeV", "20 TeV", nbin=4, name="energy_true")])
    for name, model in own.items():
        geom = cube if model.is_energy_dependent else image
        if name != "point":
            density = np.broadcast_to(model.evaluate_geom(geom).value, geom.data_shape).ravel()
            found = np.broadcast_to(theirs[name]["density"], density.shape)
            # It leaves the soft edge of a disk out of the norm, and interpolates images on a log scale.
            rtol = {"disk": 5e-3, "disk-e": 5e-3, "template": 2e-2}.get(name, 2e-4)
            assert_allclose(found, density, rtol=rtol, atol=1e-6 * density.max(), err_msg=name)
        pixels = np.ravel(model.integrate_geom(geom).data)
        # Its pixels are averages over few sub-pixels, for shells the value at the centre.
        rough = 0.2 if name.startswith("shell") else 1e-2
        assert_allclose(theirs[name]["pixels"], pixels, rtol=1e-2, atol=rough * pixels.max(), err_msg=name)
        check_parameters(models[name], theirs[name])


def test_temporal_models(tmp_path):
    own = with_files({k: v for k, v in make_temporal().items() if k not in NOT_READ}, tmp_path)
    models = Models([SkyModel.create("pl", temporal_model=model, name=name) for name, model in own.items()])
    theirs = written(models, tmp_path)
    times = Time([55555.3, 55556.7], format="mjd", scale="utc")
    for name, model in own.items():
        assert_allclose(theirs[name]["time"], np.ravel(model(times).value), rtol=1e-6, err_msg=name)
        check_parameters(models[name], theirs[name])


COUNTS = """
import sys, json
from gammapy.datasets import MapDataset, SpectrumDataset
from gammapy.modeling.models import Models

dataset = {kind}.read(sys.argv[1])
out = {{}}
for model in Models.read(sys.argv[2]):
    dataset.models = [model]
    out[model.name] = [float(dataset.npred_signal().data.sum()), float(dataset.npred_background().data.sum())]
print(json.dumps(out))
"""


def our_counts(dataset, models):
    out = {}
    for model in models:
        dataset.models = [model]
        out[model.name] = [float(dataset.npred_signal().data.sum()), float(dataset.npred_background().data.sum())]
    return out


def compare_counts(dataset, models, folder, rtol):
    models.write(folder / "models.yaml", overwrite=True)
    dataset.write(folder / "dataset.fits")
    kind = "MapDataset" if isinstance(dataset, MapDataset) and not isinstance(dataset, SpectrumDataset) else "SpectrumDataset"
    theirs = run(COUNTS.format(kind=kind), folder / "dataset.fits", folder / "models.yaml")
    for name, counts in our_counts(dataset, models).items():
        assert_allclose(theirs[name], counts, rtol=rtol, err_msg=name)


def test_counts_of_spectra_and_light_curves(tmp_path):
    dataset = builders.spectrum_dataset("spectrum", nbin=6)
    start, stop = Time([55555.2, 55557.2], format="mjd", scale="utc"), Time([55556.4, 55559.1], format="mjd", scale="utc")
    from geminga.data import GTI

    reference = Time(55555, format="mjd", scale="utc")
    dataset.gti = GTI.create((start - reference).to("s"), (stop - reference).to("s"), reference)
    spectral = with_files(
        {k: v for k, v in make_spectral().items() if k not in NOT_READ and not v.is_norm_spectral_model}, tmp_path
    )
    # gammapy averages these wrongly, or not at all.
    skipped = NOT_READ | {"sinus", "gengauss", "template", "template-energy", "template-phase"}
    temporal = with_files({k: v for k, v in make_temporal().items() if k not in skipped}, tmp_path)
    models = Models([SkyModel(model, name=f"spectral {name}") for name, model in spectral.items()])
    models.extend(SkyModel.create("pl", temporal_model=model, name=f"temporal {name}") for name, model in temporal.items())
    compare_counts(dataset, models, tmp_path, rtol=1e-3)


def test_counts_of_shapes_and_backgrounds(tmp_path):
    dataset = builders.map_dataset(0, name="field", safe=1.0)
    dataset.exposure.data = np.full(dataset.exposure.data.shape, 1e10)
    spatial = with_files({k: v for k, v in make_spatial().items() if k not in {*NOT_READ, "const", "point"}}, tmp_path)
    models = Models()
    for name, model in spatial.items():
        if "template" in name or name.startswith("piecewise"):
            continue
        model.position = builders.CENTER
        models.append(SkyModel.create("pl", model, name=name))
    # Its pixels are averages over few sub-pixels, which matters for edges.
    compare_counts(dataset, models, tmp_path, rtol=8e-2)
    counts = Map.from_geom(dataset.counts.geom, data=np.full(dataset.counts.geom.data_shape, 2.0))
    npred = TemplateNPredModel(counts, filename=tmp_path / "npred.fits", name="npred")
    background = FoVBackgroundModel("field", spatial_model=norm_model(), name="field-bkg")
    (tmp_path / "dataset.fits").unlink()
    compare_counts(dataset, Models([npred, background]), tmp_path, rtol=2e-5)


PRIORS = """
import sys, json
from gammapy.modeling.models import Models
out = [[type(p.prior).__name__, float(p.prior_stat_sum())] for p in Models.read(sys.argv[1]).parameters if p.prior is not None]
print(json.dumps(out))
"""


def test_priors_and_links(tmp_path):
    model = SkyModel.create("pl", name="source")
    model.spectral_model.index.prior = GaussianPrior(mu=2.2, sigma=0.1)
    model.spectral_model.amplitude.prior = UniformPrior(min=1e-13, max=1e-11)
    other = SkyModel.create("pl", name="other")
    other.spectral_model.index = model.spectral_model.index
    models = Models([model, other])
    models.write(tmp_path / "models.yaml")
    theirs = run(PRIORS, tmp_path / "models.yaml")
    assert [entry[0] for entry in theirs] == ["GaussianPrior", "UniformPrior", "GaussianPrior"]
    assert_allclose(theirs[0][1], model.spectral_model.index.prior_stat_sum(), rtol=1e-10)


WRITE = """
import sys, json
import numpy as np
from astropy import units as u
from gammapy.modeling.models import *
folder = sys.argv[1]
models = Models()
for cls in SPECTRAL_MODEL_REGISTRY:
    try:
        model = cls()
        model = PowerLawSpectralModel() * model if model.is_norm_spectral_model else model
        models.append(SkyModel(model, name=cls.tag[1]))
    except TypeError:
        pass
for cls in SPATIAL_MODEL_REGISTRY:
    try:
        models.append(SkyModel(PowerLawSpectralModel(), cls(), name="spatial " + cls.tag[1]))
    except TypeError:
        pass
for cls in TEMPORAL_MODEL_REGISTRY:
    try:
        models.append(SkyModel(PowerLawSpectralModel(), temporal_model=cls(), name="temporal " + cls.tag[1]))
    except TypeError:
        pass
models.append(SkyModel(PowerLawSpectralModel() * PowerLawNormSpectralModel() + ConstantSpectralModel(), name="compound"))
models.append(FoVBackgroundModel("dataset", name="dataset-bkg"))
models.write(folder + "/models.yaml", full_output=sys.argv[2] == "1")
energy = [0.3, 2] * u.TeV
print(json.dumps({m.name: np.ravel(m.spectral_model(energy).value).tolist() for m in models}))
"""


@pytest.mark.parametrize("full_output", [0, 1])
def test_we_read_their_files(tmp_path, full_output):
    theirs = run(WRITE, tmp_path, full_output)
    models = Models.read(tmp_path / "models.yaml")
    assert list(theirs) == models.names
    for name, values in theirs.items():
        assert_allclose(models[name].spectral_model([0.3, 2] * u.TeV).value, values, rtol=1e-10, err_msg=name)


def test_one_pixel_maps():
    """A region map as in the templates above has one pixel here as well as there."""
    assert RegionNDMap.create(region=None, axes=[MapAxis.from_energy_bounds("1 TeV", "2 TeV", nbin=2)]).data.size == 2
