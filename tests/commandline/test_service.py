"""From a table to forecasts, an update, a check and a backtest."""

import shutil
import sys
import types
import warnings

import numpy as np
import pandas as pd
import pytest

from skts import forecast, future_rows, to_panel
from skts import update as go_on
from skts.commandline import main
from skts.exceptions import MissingHistoryWarning
from skts.persistence import load, read_manifest
from tests.commandline._cases import JOB, WHO, make_table, write


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Hours 0 to 199 in old.csv, which a model was fitted on, the others in new.csv, all in all.csv."""
    folder, table = tmp_path_factory.mktemp("service"), make_table()
    hour = table.groupby("station").cumcount()
    for name, rows in (("old", hour < 200), ("new", hour >= 200), ("all", hour >= 0)):
        write(table[rows], folder / f"{name}.csv")
    assert main(["fit", str(folder / "old.csv"), *JOB, "--model", str(folder / "m.skts")]) == 0
    return folder


@pytest.fixture
def files(folder, tmp_path):
    """A copy of the model, as it may be changed, and the tables."""
    for name in ("old.csv", "new.csv", "all.csv", "m.skts"):
        shutil.copy(folder / name, tmp_path / name)
    return tmp_path


def skts(command, files, *options, model=True):
    return main([command, *options, *(["--model", str(files / "m.skts")] if model else [])])


def read(path):
    return to_panel(pd.read_csv(path), series="station", time="time")


def forecasts_of(path):
    return pd.read_csv(path, parse_dates=["time", "origin"]).set_index(["station", "time"])


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "parquet"])
def test_rows_of_a_table_are_forecast_as_in_python(files, suffix):
    path = files / f"f.{suffix}"
    assert skts("predict", files, str(files / "new.csv"), "--output", str(path)) == 0
    table = pd.read_parquet(path) if suffix == "parquet" else pd.read_csv(path, parse_dates=["time", "origin"])
    expected = forecast(load(files / "m.skts"), read(files / "new.csv")).reset_index()
    assert table.columns.tolist() == ["station", "time", "origin", "lead", "forecast"]
    pd.testing.assert_frame_equal(table, expected, check_dtype=False)


def test_rows_from_a_time_on_read_those_before_as_history(files):
    start = read(files / "new.csv").index.get_level_values("time").min()
    one, other = files / "one.csv", files / "other.csv"
    assert skts("predict", files, str(files / "new.csv"), "--output", str(one)) == 0
    assert skts("predict", files, str(files / "all.csv"), "--from", str(start), "--output", str(other)) == 0
    assert one.read_text() == other.read_text()


@pytest.mark.parametrize("given", ["--known-ahead", "rows of the table"])
def test_what_comes_after_the_last_measured_row_is_forecast(files, given):
    """With the known columns in a table of their own, or in rows of the table that have no target yet."""
    path, new = files / "f.csv", read(files / "new.csv")
    options = ["--ahead", "--known-ahead", str(files / "new.csv")]
    if given != "--known-ahead":
        whole = pd.read_csv(files / "all.csv")
        is_new = whole["time"] >= str(new.index.get_level_values("time").min())
        write(whole.assign(power=whole["power"].mask(is_new)), files / "whole.csv")
        options = [str(files / "whole.csv"), "--ahead"]
    assert skts("predict", files, *options, "--output", str(path)) == 0
    pipe = load(files / "m.skts")
    expected = forecast(pipe, future_rows(pipe, known=new[["wind"]]))
    found = forecasts_of(path)
    np.testing.assert_allclose(found["forecast"], expected["forecast"])
    assert (found.index == expected.index).all()


def test_forecasts_past_the_end_begin_at_the_hour_of_the_origin(files, capsys):
    """Hour 200 is 08:00: four rows lie between it and 12:00, and nobody has their power."""
    path = files / "f.csv"
    options = ["--ahead", "--origin", "12:00", "--known-ahead", str(files / "new.csv")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingHistoryWarning)  # of the four rows
        assert skts("predict", files, *options, "--output", str(path)) == 0
    found = forecasts_of(path)
    assert set(found["origin"].dt.hour) == {12}
    assert found.groupby("station").size().tolist() == [6, 6]
    assert "4 rows lie between the last measured one and the origin 12:00" in capsys.readouterr().err


def test_rows_of_a_table_begin_at_the_hour_of_the_origin(files):
    assert skts("predict", files, str(files / "new.csv"), "--origin", "12:00", "--output", str(files / "f.csv")) == 0
    found = forecasts_of(files / "f.csv")
    assert found["origin"].min() == pd.Timestamp("2024-01-09 12:00")
    assert len(found) == 2 * 36


def test_scores_of_rows_with_a_truth_are_told_by_station(files, capsys):
    assert skts("predict", files, str(files / "new.csv"), "--output", str(files / "f.csv")) == 0
    y, found = read(files / "new.csv")["power"], forecasts_of(files / "f.csv")
    error = (y - found["forecast"]).abs()["station_1"].mean()
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("station_1")]
    assert float(line.split()[1]) == pytest.approx(error, rel=1e-3)


def test_an_update_takes_the_rows_that_are_new_and_says_so(files, capsys):
    pipe, new = load(files / "m.skts"), read(files / "new.csv")
    assert skts("update", files, str(files / "all.csv")) == 0
    assert "new       80 rows; the model has seen 400" in capsys.readouterr().out
    go_on(pipe, new, new["power"])
    later = future_rows(pipe, known=new[["wind"]].set_axis(future_rows(new, 40).index))
    assert (load(files / "m.skts").predict(later) == pipe.predict(later)).all()
    card = read_manifest(files / "m.skts")["card"]["command"]
    assert card["updates"][0]["rows"] == 80
    before = (files / "m.skts").read_bytes()
    assert skts("update", files, str(files / "all.csv")) == 0
    assert "Nothing to do" in capsys.readouterr().out
    assert (files / "m.skts").read_bytes() == before


def test_an_update_with_epochs_trains_on_all_rows(files):
    n_before = read_manifest(files / "m.skts")["networks"][0]["epochs"]
    output = files / "other.skts"
    before = (files / "m.skts").read_bytes()
    assert skts("update", files, str(files / "all.csv"), "--epochs", "1", "--output", str(output)) == 0
    assert read_manifest(output)["networks"][0]["epochs"] == n_before + 1
    assert (files / "m.skts").read_bytes() == before


def test_inspect_tells_a_table_and_a_model(files, capsys):
    write(pd.read_csv(files / "old.csv").assign(mw=lambda t: t["power"] / 1000, zone=1), files / "t.csv")
    assert main(["inspect", str(files / "t.csv"), *WHO, "--known", "mw", "wind"]) == 0
    said = capsys.readouterr().out
    for phrase in (
        "2 series",
        "1 h",
        "constant  zone",
        "mw is power of the same row",
        "Known ahead, and knows the target: mw",
    ):
        assert phrase in said
    assert main(["inspect", str(files / "m.skts")]) == 0
    said = capsys.readouterr().out
    for phrase in ("2024-01-01", "power, wind", "target     power", "2: station_0, station_1", "window 24"):
        assert phrase in said


def test_check_ends_with_1_where_a_known_column_is_the_target(files, capsys):
    few = ["--origins", "1"]
    assert main(["check", str(files / "old.csv"), *JOB, *few]) == 0
    write(pd.read_csv(files / "old.csv").assign(mw=lambda t: t["power"] / 1000), files / "t.csv")
    assert main(["check", str(files / "t.csv"), *JOB, "--known", "wind", "mw", *few]) == 1
    assert "'mw', which is power of the same row" in capsys.readouterr().err


def test_check_tries_the_way_a_model_was_made(files):
    assert skts("check", files, str(files / "old.csv"), "--origins", "1") == 0


def test_a_backtest_scores_all_by_station_and_lead_against_the_best_naive(files, capsys):
    output = files / "b.parquet"
    options = [*JOB, "--splits", "2", "--test", "48", "--origin", "00:00", "--output", str(output)]
    assert main(["backtest", str(files / "all.csv"), *options]) == 0
    said, result = capsys.readouterr().out, pd.read_parquet(output)
    errors = result[["yesterday", "last week", "persistence", "climatology"]].sub(result["y_true"], axis=0).abs().mean()
    assert f"against {errors.idxmin()}, the best naive" in said
    assert set(result["origin"].dt.hour) == {0, 6, 12, 18}
    assert len(result) == 2 * 48
    assert {"skts", "boosting", "Ridge"} <= set(result.columns)
    own = (result["skts"] - result["y_true"]).abs()
    (line,) = [line.split() for line in said.splitlines() if line.startswith("skts")]
    assert float(line[1]) == pytest.approx(own.mean(), rel=1e-3)
    assert float(line[3].rstrip("%")) == pytest.approx(100 * (1 - own.mean() / errors.min()), abs=0.1)
    assert "MAE by series" in said
    assert "lead 6" in said


def test_yesterday_is_the_value_of_24_rows_before_in_every_fold(files):
    output = files / "b.csv"
    options = [*JOB, "--splits", "2", "--test", "48", "--output", str(output)]
    assert main(["backtest", str(files / "all.csv"), *options]) == 0
    result = forecasts_of(output)
    before = read(files / "all.csv")["power"].groupby("station").shift(24)
    np.testing.assert_allclose(result["yesterday"], before[result.index], rtol=1e-6)


@pytest.mark.parametrize(("suffix", "function"), [(".onnx", "to_onnx"), (".pt2", "to_torch_export")])
def test_export_writes_the_steps_after_the_columns_by_the_name_of_the_file(
    files, monkeypatch, capsys, suffix, function
):
    written = []

    def write_network(pipe, path):
        written.append([name for name, _ in pipe.steps])
        path.write_bytes(b"network")
        return 1e-7

    stand_in = types.ModuleType("skts.export")
    stand_in.to_onnx = stand_in.to_torch_export = None
    setattr(stand_in, function, write_network)
    monkeypatch.setitem(sys.modules, "skts.export", stand_in)
    assert skts("export", files, "--output", str(files / f"x{suffix}")) == 0
    assert written == [["scale", "history", "windows", "lstm"]]
    assert "which CalendarFeatures makes: hour_sin, hour_cos" in capsys.readouterr().err


def test_a_job_file_holds_all_options_and_the_line_counts_more(files, capsys):
    job = files / "job.yaml"
    options = ["--model", str(files / "one.skts"), "--save-config", str(job)]
    assert main(["fit", str(files / "old.csv"), *JOB, *options]) == 0
    assert main(["fit", str(files / "old.csv"), "--config", str(job), "--model", str(files / "two.skts")]) == 0
    new = read(files / "new.csv")
    one, two = (load(files / name).predict(new) for name in ("one.skts", "two.skts"))
    assert (one == two).all()
    longer = ["--config", str(job), "--window", "30", "--model", str(files / "three.skts")]
    assert main(["fit", str(files / "old.csv"), *longer]) == 0
    assert load(files / "three.skts").get_params()["windows__window"] == 30


def test_what_cannot_be_written_leaves_what_was_there(files, monkeypatch, capsys):
    path = files / "f.csv"
    path.write_text("before")

    def fail(self, partial, **options):
        with open(partial, "w") as file:
            file.write("half")
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(pd.DataFrame, "to_csv", fail)
    assert skts("predict", files, str(files / "new.csv"), "--output", str(path)) == 2
    assert path.read_text() == "before"
    assert "No space left on device" in capsys.readouterr().err
    assert sorted(each.name for each in files.iterdir()) == ["all.csv", "f.csv", "m.skts", "new.csv", "old.csv"]


@pytest.mark.parametrize("command", ["predict", "update"])
def test_the_table_is_never_written_over(files, capsys, command):
    table = files / "new.csv"
    before = table.read_bytes()
    assert skts(command, files, str(table), "--output", str(table)) == 2
    assert table.read_bytes() == before
    assert "is what the command reads, and is not written over" in capsys.readouterr().err


def spoil(name):
    """Spoil the rows to forecast in one of the ways that happen."""
    return {
        "another order": lambda t: t[["time", "station", "wind", "power"]],
        "a missing column": lambda t: t.drop(columns="wind"),
        "an extra column": lambda t: t.assign(extra=1.0),
        "another step": lambda t: t.assign(
            time=pd.Timestamp("2024-01-09 08:00") + pd.Timedelta(minutes=30) * t.groupby("station").cumcount()
        ),
        "a time zone": lambda t: t.assign(time=pd.to_datetime(t["time"]).dt.tz_localize("UTC")),
        "unseen series": lambda t: t.assign(station=t["station"] + "_new"),
        "another unit": lambda t: t.assign(power=t["power"] * 1000),
        "a history too old": lambda t: t.assign(time=pd.to_datetime(t["time"]) + pd.Timedelta(days=30)),
    }[name]


SPOILT = [
    "another order",
    "a missing column",
    "an extra column",
    "another step",
    "a time zone",
    "unseen series",
    "another unit",
    "a history too old",
]


@pytest.mark.parametrize("name", SPOILT)
def test_bad_rows_are_answered_as_by_the_pipe_itself(files, capsys, name):
    path = files / "spoilt.csv"
    write(spoil(name)(pd.read_csv(files / "new.csv")), path)
    expected = set()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            load(files / "m.skts").predict(read(path))
        except ValueError as error:
            expected = {"skts: " + " ".join(str(error).split())}
    expected |= {"skts: warning: " + " ".join(str(each.message).split()) for each in caught}
    assert expected, f"{name} is taken without a word"
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        status = skts("predict", files, str(path), "--output", str(files / "f.csv"))
    assert expected == set(capsys.readouterr().err.splitlines())
    assert status == (0 if all(" warning: " in each for each in expected) else 2)
    assert (files / "f.csv").exists() == (status == 0)


def test_an_empty_table_is_named(files, capsys):
    write(pd.read_csv(files / "new.csv").iloc[:0], files / "none.csv")
    assert skts("predict", files, str(files / "none.csv"), "--output", str(files / "f.csv")) == 2
    assert "none.csv has no rows." in capsys.readouterr().err


def test_quantiles_of_a_point_forecaster_are_refused_in_one_line(files, capsys):
    options = ["--quantiles", "0.1", "0.9", "--output", str(files / "f.csv")]
    status = skts("predict", files, str(files / "new.csv"), *options)
    lines = capsys.readouterr().err.splitlines()
    assert (status, len(lines)) in ((2, 1), (0, 0))
    if status == 0:
        assert {"q0.1", "q0.9"} <= set(forecasts_of(files / "f.csv"))


def test_the_blank_history_is_told(files, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("default", MissingHistoryWarning)
        assert skts("predict", files, str(files / "old.csv"), "--output", str(files / "f.csv")) == 0
    assert "rest on blank or missing inputs" in capsys.readouterr().err
