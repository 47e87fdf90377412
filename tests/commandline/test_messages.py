"""What is wrong is said in one line, by the command's own options, and ends with 2."""

import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest

from skts.commandline import main
from skts.commandline._messages import warnings_as_lines
from skts.datasets import make_panel

SMALL = ["--window", "24", "--horizon", "6", "--test", "50", "--splits", "2", "--quick", "--jobs", "1"]
WHO = ["--time", "time", "--series", "station", "--target", "power"]
PYTHON = [
    "set_index",
    "to_panel",
    "tz=",
    "X.",
    "SlidingWindower",
    "HistoryPrepender",
    "DataFrame",
    "Traceback",
    ".py",
    "window=",
    "device=",
]


@pytest.fixture
def table():
    X, _ = make_panel(n_series=2, n_rows=400, random_state=0)
    return X.assign(note="ok").reset_index()


def refusal(capsys, path, *options):
    """Run the command, see that it is refused in one line, and give the line."""
    assert main(["demo", str(path), *options]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("skts: ")
    assert not [word for word in PYTHON if word in lines[0].replace(str(path), "")]
    return lines[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--known", "sun*"], "--known 'sun*' matches no column of numbers; those are power, wind."),
        (["--known", "note"], "--known 'note' matches no column of numbers"),
        (["--known", "p*"], "--known p* takes in the target 'power', which is not known ahead: leave it out there"),
        (["--target", "mw"], "--target 'mw' is no column of the file; those are"),
        (["--target", "note"], "--target 'note' does not hold numbers everywhere: at station_0, 2024-01-01 00:00:00"),
        (["--time", "when"], "--time 'when' is no column of the file"),
        (["--time", "wind"], "--time 'wind' holds numbers (the first is"),
        (["--time", "note"], "--time 'note' holds no time such as 2024-01-31 13:00 but 'ok' in line 2."),
        (["--series", "note"], "Series ok has the time 2024-01-01 00:00:00 more than once, first again in line 402"),
        (["--series", "note"], "name a further column that tells series apart with --series (station?)"),
        (["--test", "400"], "--test 400 leaves nothing to learn from: the table has 400 times. Give a smaller one."),
        (["--window", "700"], "give a --window of at most 170, fewer --splits or a smaller --test."),
        (["--horizon", "300"], "give a shorter --horizon, fewer --splits or a smaller --test."),
        (["--splits", "200"], "the longest stretch before the first of 200 --splits has 0"),
        (["--device", "gpu"], "--device gpu is not there: give auto"),
    ],
)
def test_an_option_that_does_not_suit_the_file_is_named(table, tmp_path, capsys, options, message):
    path = tmp_path / "power.csv"
    table.to_csv(path, index=False)
    assert message in refusal(capsys, path, *WHO, *SMALL, *options)


def test_the_longest_window_that_is_offered_is_taken(table, tmp_path, capsys):
    path = tmp_path / "power.csv"
    table.to_csv(path, index=False)
    line = refusal(capsys, path, *WHO, *SMALL, "--window", "700")
    offered = line.split("at most ")[1].split(",")[0]
    assert main(["demo", str(path), *WHO, *SMALL, "--window", offered, "--output", str(tmp_path)]) == 0


def test_several_series_without_their_option_are_told_of_it(table, tmp_path, capsys):
    path = tmp_path / "power.csv"
    table.to_csv(path, index=False)
    line = refusal(capsys, path, "--time", "time", "--target", "power", *SMALL)
    assert "name the column that tells series apart with --series (station, note?)" in line


def spoilt(table, row, column, value):
    values = table[column].astype(object)
    values[row] = value
    return table.assign(**{column: values})


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda t: pd.concat([t, t.iloc[[5]]]),
            "Series station_0 has the time 2024-01-01 05:00:00 more than once, first",
        ),
        (lambda t: spoilt(t, 3, "power", "n/a?"), "at station_0, 2024-01-01 03:00:00 it is 'n/a?'."),
        (lambda t: spoilt(t, 3, "time", None), "--time 'time' is empty in line 5."),
        (lambda t: spoilt(t, 3, "station", None), "--series 'station' is empty in line 5."),
        (lambda t: spoilt(t, 3, "time", "soon"), "but 'soon' in line 5."),
        (
            lambda t: spoilt(t, 3, "time", "2024-01-01 03:07:00"),
            "(line 5) in a step of 0 days 01:07:00, which is no whole",
        ),
        (lambda t: spoilt(t, 3, "wind", np.inf), "Column 'wind' is infinite at station_0, 2024-01-01 03:00:00"),
        (lambda t: t.assign(power=np.nan), "--target 'power' is empty in all 352 rows before the first of 2 --splits"),
        (lambda t: t.iloc[:0], "has no rows."),
    ],
)
def test_a_table_that_cannot_be_used_is_named_by_its_place(table, tmp_path, capsys, spoil, message):
    path = tmp_path / "power.csv"
    spoil(table).to_csv(path, index=False)
    assert message in refusal(capsys, path, *WHO, *SMALL)


def test_fields_that_no_comma_separates_are_noticed(table, tmp_path, capsys):
    path = tmp_path / "power.csv"
    table.to_csv(path, index=False, sep=";")
    assert "Its fields seem to be separated by ';': save it with commas." in refusal(capsys, path, *WHO)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.csv", None, "none.csv: No such file or directory"),
        ("empty.csv", b"", "empty.csv is no CSV file that can be read (No columns to parse from file)."),
        ("bytes.csv", bytes(range(256)) * 10, "bytes.csv is no CSV file that can be read"),
        ("bytes.parquet", b"text", "bytes.parquet is no Parquet file that can be read"),
        ("packed.csv.gz", b"text", "skts: "),
        ("", None, "is a folder: name a CSV or Parquet file."),
    ],
)
def test_what_is_no_table_is_named(tmp_path, capsys, name, content, message):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    assert message in refusal(capsys, path, *WHO)


def test_an_output_that_cannot_be_made_is_named_before_the_search(table, tmp_path, capsys):
    path = tmp_path / "power.csv"
    table.to_csv(path, index=False)
    assert f"{path}: File exists" in refusal(capsys, path, *WHO, *SMALL, "--output", str(path))


def test_a_panel_saved_with_its_index_is_read(table, tmp_path, capsys):
    path = tmp_path / "power.parquet"
    table.set_index(["station", "time"]).to_parquet(path)
    assert main(["demo", str(path), *WHO, *SMALL, "--output", str(tmp_path)]) == 0


def test_an_empty_column_is_left_out_and_warns_of_nothing(table, tmp_path, capsys):
    path = tmp_path / "power.csv"
    table.assign(nothing=np.nan).to_csv(path, index=False)
    assert main(["demo", str(path), *WHO, *SMALL, "--output", str(tmp_path)]) == 0
    said = capsys.readouterr()
    assert "left out  nothing (empty)" in said.out
    assert said.err == ""


def test_a_warning_is_one_line_once(capsys):
    with warnings_as_lines():
        warnings.simplefilter("always")
        for _ in range(3):
            warnings.warn("two\n  lines", RuntimeWarning, stacklevel=1)
    assert capsys.readouterr().err == "skts: warning: two lines\n"


@pytest.mark.slow
def test_every_fit_is_told_as_a_line_though_nothing_is_a_terminal(table, tmp_path):
    path = tmp_path / "power.csv"
    table.to_csv(path, index=False)
    command = [sys.executable, "-m", "skts", "demo", str(path), *WHO, *SMALL, "--jobs", "2", "--output", str(tmp_path)]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    fits = sorted(line.rsplit(", ", 1)[0] for line in found.stdout.splitlines() if line.startswith("  fit "))
    assert fits == [
        f"  fit {2 * (window == 24) + split} of 4: window = {window}, split {split} of 2"
        for window in (6, 24)
        for split in (1, 2)
    ]
    assert found.stderr == ""
