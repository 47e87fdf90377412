"""The room without the packages that only parts of it need."""

import subprocess
import sys

CODE = """
import sys
sys.modules["xarray"] = sys.modules["pvlib"] = sys.modules["h5netcdf"] = None
import pandas as pd
from skts.weather import at_stations, deaccumulate, join_runs, read_runs
times = pd.date_range("2024-01-01", periods=4, freq="h")
index = pd.MultiIndex.from_product([["a"], times[:1], times], names=["station", "run", "time"])
table = join_runs({"x": pd.DataFrame({"u": range(4)}, index=index)}, origins=times[:1], horizon=4, delay="0h")
assert table["x_u"].tolist() == [0, 1, 2, 3]
deaccumulate(table, "x_u")
for call in (lambda: at_stations(None, None), lambda: read_runs("x.nc")):
    try:
        call()
    except ImportError as error:
        assert "pip install xarray" in str(error)
    else:
        raise AssertionError
"""


def test_frames_are_joined_without_xarray_and_datasets_ask_for_it():
    subprocess.run([sys.executable, "-W", "error", "-c", CODE], check=True)
