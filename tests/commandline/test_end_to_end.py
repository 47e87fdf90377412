"""The commands as they are typed, each in a process of its own."""

import subprocess
import sys

import pandas as pd
import pytest

from tests.commandline._cases import JOB, WHO, make_table, write


@pytest.mark.slow
def test_from_a_table_to_a_model_in_service(tmp_path):
    table = make_table()
    hour = table.groupby("station").cumcount()
    write(table[hour < 180], tmp_path / "old.csv")
    write(table[hour < 200], tmp_path / "now.csv")
    write(table[hour >= 180].drop(columns="power"), tmp_path / "weather.csv")

    def skts(*arguments):
        command = [sys.executable, "-m", "skts", *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True).stdout

    ahead = ["--model", "m.skts", "--ahead", "--known-ahead", "weather.csv"]
    assert "2 series" in skts("inspect", "old.csv", *WHO)
    skts("fit", "old.csv", *JOB, "--model", "m.skts", "--save-config", "job.yaml")
    assert "LSTM" in skts("inspect", "m.skts")
    skts("predict", *ahead, "--output", "first.csv")
    skts("update", "now.csv", "--model", "m.skts")
    skts("predict", *ahead, "--output", "second.csv")
    first, second = (pd.read_csv(tmp_path / name, parse_dates=["time"]) for name in ("first.csv", "second.csv"))
    assert second["time"].min() - first["time"].min() == pd.Timedelta(hours=20)
    assert "no leak" in skts("check", "old.csv", "--config", "job.yaml", "--origins", "1")
    assert "the best naive" in skts("backtest", "now.csv", "--config", "job.yaml", "--splits", "2")
    pytest.importorskip("skts.export")
    pytest.importorskip("onnx")
    skts("export", "--model", "m.skts", "--output", "m.onnx")
    assert (tmp_path / "m.onnx").stat().st_size > 1000
