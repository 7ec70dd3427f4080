"""Tables of light curves and phase curves: numbers, files, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.table import Table
from astropy.time import Time
from numpy.testing import assert_allclose

from geminga.errors import DataError, FileError, FileExistsRefusal, FormatError, InputError, NameLookupError, UnsupportedError
from geminga.modeling.models import LightCurveTemplateTemporalModel, Model, TemplatePhaseCurveTemporalModel
from tests.helpers import data_path, requires_data
from tests.unit.modeling.models.temporal.builders import light_curve_map, light_curve_table, make_models, mjd, phase_table

LIGHT_CURVE, PHASE = "tests/models/light_curve/lightcrv_PKSB1222+216.fits", "tests/phasecurve_LSI_DC.fits"


@requires_data(LIGHT_CURVE)
def test_light_curve_file():
    model = LightCurveTemplateTemporalModel.read(data_path(LIGHT_CURVE))
    assert_allclose(model.t_ref.value, 59000.49919925926, atol=1e-9)
    assert_allclose(model(Time([59000.5, 59001, 59010], format="mjd")), [0.01552, 0.02082, 0.02354], rtol=3e-4)
    assert "End time: 61862.499" in str(model)
    assert_allclose(model(mjd([59000.0, 61863.0])), 0)


@requires_data(PHASE)
def test_phase_curve_file():
    model = TemplatePhaseCurveTemporalModel.read(data_path(PHASE), t_ref=43366.275 * u.d, f0=1 / (26.7 * u.d))
    assert_allclose(model.table["NORM"][[0, 6]], [0.29411764705882354, 5.882352941176471])
    assert_allclose(model.integral(mjd(43366.275), mjd(43370.0)), 0.29411764705882354, rtol=1e-6)


def test_phase_reference_numbers():
    model = TemplatePhaseCurveTemporalModel(phase_table(), t_ref=55555 * u.d, phi_ref=0.1, f0=2 / u.d)
    assert_allclose(model(mjd(55555.15)), 2.6666666666, rtol=1e-7)
    assert_allclose(model.integral(mjd(55555.0), mjd(55555.2)), 1.4166666666678787, rtol=1e-9)


def test_phase_keeps_its_digits_and_its_drift():
    """Many fast turns: the average of each half hour is that of the exact phases, which the frequency at the start misses."""
    model = TemplatePhaseCurveTemporalModel(phase_table(), t_ref=55555 * u.d, f0=3e-3 / u.s, f1=1e-7 / u.s**2)
    start = mjd(55555.0)
    n = 400_000
    for minutes in (10, 30, 60):
        time = start + (np.arange(n) + 0.5) / n * minutes * u.min
        assert_allclose(model.integral(start, start + minutes * u.min), model(time).mean(), rtol=2e-5)
    pulsar = TemplatePhaseCurveTemporalModel(phase_table(), t_ref=55555 * u.d)
    assert_allclose(pulsar(start + 1e5 / 29.946923 * u.s + 1 * u.ms), pulsar(start + 1 * u.ms), rtol=1e-4)
    assert_allclose(
        pulsar.integral(start, start + 0.01 * u.s), pulsar(start + np.linspace(0, 0.01, 20001) * u.s).mean(), rtol=1e-4
    )


def test_phasogram():
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots()
    assert make_models()["template-phase"].plot_phasogram(ax=ax) is ax
    assert ax.get_xlabel() == "Phase"
    plt.close(figure)


def test_values_of_an_energy_axis_of_either_name():
    one, other = (
        LightCurveTemplateTemporalModel(light_curve_map(name), t_ref=mjd(55555.0)) for name in ("energy", "energy_true")
    )
    assert_allclose(one(mjd(55556.0), energy=[1, 3, 30] * u.TeV), other(mjd(55556.0), energy=[1, 3, 30] * u.TeV))
    # As power laws between the centres and beyond them.
    centers = one.map.geom.axes["energy"].center
    middle = np.sqrt(centers[0] * centers[1])
    ends = one(mjd(55557.0), energy=centers[:2])
    assert_allclose(one(mjd(55557.0), energy=[middle.value] * u.TeV)[0], np.sqrt(ends[0] * ends[1]))


def test_zero_outside():
    nodes, edges = (LightCurveTemplateTemporalModel(light_curve_map(nodes=own), t_ref=mjd(55555.0)) for own in (True, False))
    for model in (nodes, edges):
        assert_allclose(model(mjd([55554.99, 55560.01])), 0)
        assert (model(mjd([55555.01, 55559.99])) > 0).all()


@pytest.mark.parametrize("suffix", ["fits", "fits.gz"])
def test_files(tmp_path, suffix):
    curve = make_models()["template"]
    curve.write(tmp_path / f"curve.{suffix}")
    assert_allclose(LightCurveTemplateTemporalModel.read(tmp_path / f"curve.{suffix}")(mjd(55556.0)), curve(mjd(55556.0)))
    curve.write(tmp_path / f"map.{suffix}", format="map")
    again = Model.from_dict(curve.to_dict())
    assert again.filename.endswith(f"map.{suffix}")
    assert again.to_dict()["temporal"]["format"] == "map"
    table = curve.to_table()
    assert table["NORM"].tolist() == light_curve_table()["NORM"].tolist()
    with pytest.raises(FileExistsRefusal, match="overwrite=True"):
        curve.write(tmp_path / f"curve.{suffix}")


@pytest.mark.parametrize("suffix", ["fits", "ecsv"])
def test_phase_files(tmp_path, suffix):
    model = make_models()["template-phase"]
    model.write(tmp_path / f"phase.{suffix}")
    again = TemplatePhaseCurveTemporalModel.read(tmp_path / f"phase.{suffix}")
    assert_allclose(again.table["NORM"], model.table["NORM"])
    assert model.filename == str(tmp_path / f"phase.{suffix}")


def test_refusals(tmp_path):
    with pytest.raises(InputError, match=r"expected a map with the axis 'time'"):
        LightCurveTemplateTemporalModel(light_curve_map().slice_by_idx({"time": 0}))
    with pytest.raises(DataError, match="expected finite values which are not negative"):
        LightCurveTemplateTemporalModel(-1 * light_curve_map())
    with pytest.raises(InputError, match="method 'cubic' is unknown; expected one of linear, nearest"):
        LightCurveTemplateTemporalModel(light_curve_map(), method="cubic")
    with pytest.raises(FormatError, match="column NORM is missing"):
        LightCurveTemplateTemporalModel.from_table(light_curve_table()["TIME",])
    table = light_curve_table()
    table.meta = {}
    with pytest.raises(FormatError, match="keyword MJDREFI is missing"):
        LightCurveTemplateTemporalModel.from_table(table)
    energy = make_models()["template-energy"]
    with pytest.raises(UnsupportedError, match="give format='map'"):
        energy.write(tmp_path / "x.fits")
    with pytest.raises(UnsupportedError, match="has no table of TIME and NORM"):
        energy.to_table()
    with pytest.raises(FileError, match="has no filename"):
        energy.write(format="map")
    with pytest.raises(NameLookupError, match="format 'tables' is unknown; known: table, map"):
        energy.write(tmp_path / "x.fits", format="tables")
    with pytest.raises(FormatError, match="no 'filename'"):
        Model.from_dict(energy.to_dict())
    make_models()["template"].write(tmp_path / "table.fits")
    with pytest.raises(FormatError, match=r"has no HDU SKYMAP_BANDS; .*give format='table'"):
        LightCurveTemplateTemporalModel.read(tmp_path / "table.fits", format="map")
    with pytest.raises(DataError, match="expected phases which increase from 0 to 1"):
        TemplatePhaseCurveTemporalModel(Table({"PHASE": [0, 0.7, 0.5], "NORM": [1, 1, 1.0]}))
    with pytest.raises(DataError, match=r"the mean over a period is 0\.0"):
        TemplatePhaseCurveTemporalModel(Table({"PHASE": [0, 1], "NORM": [0, 0.0]}))
    with pytest.raises(FormatError, match="column PHASE is missing"):
        TemplatePhaseCurveTemporalModel(light_curve_table())
