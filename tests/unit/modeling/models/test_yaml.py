"""Models and their covariance in two files: written together, changed one by one."""

from __future__ import annotations

import numpy as np
import pytest

from geminga.errors import CorruptFileError
from geminga.modeling.models import Models
from tests.trust.kinds import models


@pytest.fixture
def path(tmp_path):
    models(0).write(tmp_path / "models.yaml")
    return tmp_path / "models.yaml"


def test_covariance_written_anew(path, caplog):
    """The public method replaces the covariance alone; the models are still read, with a warning."""
    own = Models.read(path)
    own.covariance = own.covariance.data * 2
    assert not caplog.records
    own.write_covariance(path.with_name("models_covariance.dat"), overwrite=True)
    np.testing.assert_allclose(Models.read(path).covariance.data, own.covariance.data)
    assert "models_covariance.dat is truncated or changed" in caplog.text
    with pytest.raises(CorruptFileError, match="remove the line 'covariance_checksum' if you edited it"):
        Models.read(path, checksum=True)


def test_covariance_cut_off(path):
    file = path.with_name("models_covariance.dat")
    text = file.read_text()
    for size in range(0, len(text), 97):
        file.write_text(text[:size])
        with pytest.raises(CorruptFileError, match=r"models_covariance\.dat"):
            Models.read(path)


def test_covariance_is_missing(path, caplog):
    path.with_name("models_covariance.dat").unlink()
    assert Models.read(path).names == models(0).names
    assert "only the errors of the parameters are kept" in caplog.text


def test_edited_by_hand(path, caplog):
    path.write_text(path.read_text().replace("value: 2.1\n", "value: 2.5\n", 1))
    assert 2.5 in Models.read(path).parameters.value
    assert "was changed after it was written" in caplog.text
    with pytest.raises(CorruptFileError, match="fails its checksum"):
        Models.read(path, checksum=True)
