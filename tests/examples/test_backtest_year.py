"""The examples run."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

FOLDER = Path(__file__).parents[2] / "examples"


@pytest.fixture
def example():
    spec = importlib.util.spec_from_file_location("backtest_year", FOLDER / "backtest_year.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_year_of_weekly_origins_in_one_call(example, tmp_path, capsys):
    result = example.main(["--quick", "--picture", str(tmp_path / "by_lead.png")])
    assert result.groupby("fold").size().tolist() == [4 * 168] * 52
    begins = result.groupby("fold")["time"].min()
    assert set(np.diff(begins)) == {pd.Timedelta(days=7)}
    assert result["time"].max() == pd.Timestamp("2015-12-31 23:00", tz="UTC")
    assert result.groupby("lead").size().tolist() == [52 * 7 * 4] * 24
    assert (result["q0.1"] <= result["q0.9"]).all()
    assert capsys.readouterr().out.startswith("34,944 forecasts, 52 folds\n")
    assert (tmp_path / "by_lead.png").stat().st_size > 0
