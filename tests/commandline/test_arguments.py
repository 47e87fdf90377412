"""The command line: commands, a job file, and what is said of both where they are wrong."""

import pytest

from skts.commandline import main
from skts.commandline._arguments import parse_arguments
from tests.commandline._cases import WHO


def refusal(capsys, *arguments):
    """Run the command, see that it ends with 2 and one line, and give the line."""
    try:
        status = main(list(arguments))
    except SystemExit as end:
        status = end.code
    lines = capsys.readouterr().err.splitlines()
    assert (status, len(lines)) == (2, 1)
    assert lines[0].startswith("skts")
    return lines[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fit", "x.csv"], "skts fit: give --model and --time and --target (skts fit --help says what there is)"),
        (["demo", "x.csv"], "a table needs --time and --target"),
        (["demo", "--window", "0"], "argument --window: must be at least 1, and is 0"),
        (["demo", "--splits", "1"], "argument --splits: must be at least 2, and is 1"),
        (["demo", "--jobs", "0"], "must be a number of processes, or -1 for all cores, and is 0"),
        (["demo", "--seed", "-1"], "must lie between 0 and 4294967295"),
        (["demo", "--origin", "25:00"], "must be an hour of the day such as 00:00, and is '25:00'"),
        (["demo", "--quantiles", "90"], "must lie between 0 and 1, and is 90.0"),
        (["demo", "--latitude", "48.5"], "--latitude and --longitude go together"),
        (["demo", "--winow", "3"], "unrecognized arguments: --winow; did you mean --window?"),
        (
            ["power.csv", "--time", "time"],
            "a table comes after one, as in skts demo power.csv",
        ),
        (["forecast"], "invalid choice: 'forecast'"),
        (["inspect", "none.csv"], "none.csv: No such file or directory"),
        (["predict", "x.csv", "--model", "none.skts", "--output", "f.csv"], "none.skts: No such file or directory"),
        (["demo", "--config", "none.yaml"], "none.yaml: No such file or directory"),
    ],
)
def test_arguments_that_make_no_sense_end_in_one_line(capsys, arguments, message):
    assert message in refusal(capsys, *arguments)


def test_what_goes_together_in_a_prediction(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("skts.commandline._arguments._remembered", lambda model: {})
    wanted = ["predict", "--model", "m.skts", "--output", "f.csv"]
    assert "give a TABLE with the rows to forecast, or --ahead" in refusal(capsys, *wanted)
    assert "--known-ahead is read with --ahead alone" in refusal(capsys, *wanted, "x.csv", "--known-ahead", "k.csv")
    assert "leave --ahead and --origin out" in refusal(capsys, *wanted, "x.csv", "--from", "2024-01-01", "--ahead")


def test_help_lists_the_commands_with_a_line_each(capsys):
    assert main([]) == 0
    said = capsys.readouterr().out
    for command in ("demo", "inspect", "fit", "predict", "update", "backtest", "check", "export"):
        assert f"\n    {command} " in said
        with pytest.raises(SystemExit) as end:
            main([command, "--help"])
        assert end.value.code == 0
        assert f"usage: skts {command}" in capsys.readouterr().out
    assert "exit codes: 0 done; 1 check found a leak; 2" in said


def parse(path, text, *arguments):
    path.write_text(text)
    return parse_arguments(["demo", "x.csv", "--config", str(path), *arguments])


def test_the_line_counts_more_than_the_file(tmp_path):
    text = "time: when\nseries: [park, unit]\ntarget: mw\nknown: 'nwp_*'\nwindow: 96\nquick: true\nbounds: [0, null]\n"
    options = parse(tmp_path / "job.yaml", text, "--window", "48", "--no-quick")
    assert (options.time, options.series, options.target, options.known) == ("when", ["park", "unit"], "mw", ["nwp_*"])
    assert (options.window, options.quick, options.bounds) == (48, False, [0.0, None])


@pytest.mark.parametrize(("written", "hour"), [("'00:00'", "00:00"), ("00:00", "00:00"), ("06:30", "06:30")])
def test_an_hour_is_one_however_yaml_reads_it(tmp_path, written, hour):
    text = f"time: when\ntarget: mw\norigin: {written}\n"
    assert parse(tmp_path / "job.yaml", text).origin == hour


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("winow: 3", "no option is called 'winow'; did you mean window?"),
        ("zzz: 3", "no option is called 'zzz'; those that a job has are time, "),
        ("series: no", "series is False, and a name or a number (names such as no and on in quotes) is expected."),
        ("quick: 3", "quick is 3, and true or false is expected."),
        ("time: [a, b]", "time is a list, and one value is expected."),
        ("- time", "holds a list, and options are expected, each in a line such as 'time: when'."),
        ("a: [", "is no YAML that can be read"),
        ("window: 0", "argument --window: must be at least 1, and is 0"),
        ("a: !!python/object/apply:os.system [echo]", "is no YAML that can be read"),
    ],
)
def test_a_job_file_that_is_wrong_is_named(tmp_path, capsys, text, message):
    path = tmp_path / "job.yaml"
    path.write_text(text)
    assert message in refusal(capsys, "demo", "x.csv", *WHO, "--config", str(path))


def test_times_that_are_not_named_are_guessed_at(tmp_path, capsys):
    path = tmp_path / "x.csv"
    path.write_text("park,when,mw\na,2024-01-01 00:00,1.0\na,2024-01-01 01:00,2.0\n")
    assert "--time is needed, the column with the times; the columns are park, when, mw (--time when?)." in refusal(
        capsys, "inspect", str(path)
    )


def test_the_traceback_is_shown_where_it_is_asked_for():
    with pytest.raises(FileNotFoundError):
        main(["inspect", "none.csv", "--traceback"])
