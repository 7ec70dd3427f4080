"""Reading a file loads no package that has nothing to do with it."""

import subprocess
import sys

from tests.trust import kinds

from geminga.datasets import MapDataset

CODE = """
import sys
from geminga.datasets import MapDataset
MapDataset.read(sys.argv[1])
print([name for name in ("h5py", "pandas", "pyarrow", "bs4", "matplotlib") if name in sys.modules])
"""


def test_reading_loads_nothing_else(tmp_path):
    path = tmp_path / "dataset.fits"
    dataset = kinds.map_dataset(0)
    assert isinstance(dataset, MapDataset)
    assert dataset.gti is not None
    dataset.write(path)
    out = subprocess.run([sys.executable, "-c", CODE, str(path)], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
