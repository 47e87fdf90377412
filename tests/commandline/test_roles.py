"""What the columns of a table are: named, found by a pattern, or the rest."""

import pandas as pd
import pytest

from skts.commandline import main
from skts.commandline._arguments import parse_arguments
from skts.commandline._table import load_table
from tests.commandline._cases import WHO, make_table, write


@pytest.fixture
def path(tmp_path):
    table = make_table()
    is_first = table["station"] == "station_0"
    table = table.assign(peak=is_first * 2.0 + 3.0, lat=is_first * 1.0 + 48.0, lon=9.0, day=1.0, temp=5.0, note="ok")
    return write(table, tmp_path / "t.csv")


def load(path, *options):
    return load_table(parse_arguments(["fit", path, *WHO, "--model", "m.skts", *options]))


def test_capacity_is_static_places_leave_the_table_and_the_rest_is_observed(path):
    options = ["--known", "wind", "day", "--capacity", "peak", "--active", "day", "--bounds", "0", "none"]
    options += ["--latitude", "lat", "--longitude", "9.5", "--origin", "06:00", "--quantiles", ".9", ".1"]
    table = load(path, *options)
    job = table.job
    assert (job.known, job.static, job.observed) == (("wind", "day"), ("peak",), ("power", "lon", "temp"))
    assert (job.capacity, job.bounds, job.active, job.time_of_origin) == ("peak", (0.0, None), "day", "06:00")
    assert (job.latitude, job.longitude) == ({"station_0": 49.0, "station_1": 48.0}, 9.5)
    assert job.quantiles == (0.1, 0.9)
    assert "lat" not in table.X
    assert table.left_out == {"not numeric": ["note"], "places of the series": ["lat"]}


def test_observed_columns_that_are_named_leave_the_others_out(path):
    table = load(path, "--known", "wind", "--observed", "temp")
    assert table.X.columns.tolist() == ["power", "wind", "temp"]
    assert table.left_out["not named"] == ["peak", "lat", "lon", "day"]


@pytest.mark.parametrize(
    ("options", "window"),
    [
        ([], 168),
        (["--known", "wind"], 24),
        (["--known", "wind", "--horizon", "96"], 96),
        (["--known", "wind", "--horizon", "6"], 24),
        (["--known", "wind", "--window", "50"], 50),
    ],
)
def test_a_day_is_read_where_columns_are_known_ahead_and_a_week_elsewhere(path, options, window):
    assert load(path, *options).job.window == window


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--capacity", "peek"], "--capacity 'peek' is no column of the file"),
        (["--active", "day"], "--active 'day' must be known ahead: name it with --known, too."),
        (["--static", "zone"], "--static 'zone' matches no column of numbers"),
        (["--known", "peak", "--static", "peak"], "'peak' cannot be static and known."),
        (["--latitude", "wind", "--longitude", "lon"], "--latitude 'wind' must have one value in each series, and has"),
        (["--model", "none/m.skts"], "none/m.skts cannot be written, as there is no folder none: make it first."),
    ],
)
def test_what_does_not_suit_is_named(path, capsys, options, message):
    assert main(["fit", path, *WHO, "--model", "m.skts", *options]) == 2
    assert message in capsys.readouterr().err


def test_columns_left_out_in_training_are_left_out_later(path, tmp_path, capsys):
    model, new = tmp_path / "m.skts", tmp_path / "new.csv"
    quick = ["--known", "wind", "--observed", "temp", "--window", "24", "--horizon", "6", "--quick"]
    assert main(["fit", path, *WHO, *quick, "--model", str(model)]) == 0
    table = pd.read_csv(path)
    write(table.assign(time=pd.to_datetime(table["time"]) + pd.Timedelta(days=10)).head(6), new)
    assert main(["predict", str(new), "--model", str(model), "--output", str(tmp_path / "f.csv")]) == 0
    assert len(pd.read_csv(tmp_path / "f.csv")) == 6
