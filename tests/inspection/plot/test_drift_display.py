import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from skts.inspection import DriftDisplay, DriftReference, drift_report
from tests.inspection.drift._worlds import make_forecasts, make_world, split

plt.switch_backend("agg")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def make_report(n_series, **kwargs):
    """A report in which the wind of the last station stands still, and one column of the first lacks its values."""
    train, new = split(make_world(0, 70, n_series), 14)
    station, time = new.index.get_level_values(0), new.index.get_level_values(1)
    new.loc[(station == f"s{n_series - 1}") & (time >= "2023-03-05"), "wind"] = 2.0
    new.loc[(station == "s0") & (time >= "2023-03-01 09:00"), "temperature"] = np.nan
    return drift_report(None, new, reference=DriftReference().fit(train), **kwargs)


def texts(ax):
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("n_series", [1, 4, 50])
def test_every_series_and_column_has_a_cell_and_alarms_are_named(n_series):
    report = make_report(n_series)
    display = DriftDisplay(report=report).plot()
    assert display.strengths_.columns.tolist() == ["rows", "wind", "temperature"]
    assert display.strengths_.index.tolist() == list(dict.fromkeys(report["series"]))
    alarmed = {(row.series, row.column or "rows") for row in report[report["alarm"]].itertuples()}
    lanes, columns = np.nonzero(display.strengths_.to_numpy() > 1)
    assert set(zip(display.strengths_.index[lanes], display.strengths_.columns[columns], strict=True)) == alarmed
    assert {("s0", "temperature"), (f"s{n_series - 1}", "wind")} <= alarmed
    assert display.checks_.loc["s0", "temperature"] == "missing"
    assert len(texts(display.ax_)) == len(alarmed)
    assert set(texts(display.ax_)) == ({"•"} if n_series == 50 else {"stuck", "missing"})
    names = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert {"s0", f"s{n_series - 1}"} <= set(names)


def test_shades_say_how_far_from_the_middle_of_its_band_a_value_is():
    rows = {"series": list("abcde"), "column": "wind", "check": "level", "value": [0.5, -0.9, 1.5, -9, np.nan]}
    rows |= {"low": -1.0, "high": 1.0, "p_value": np.nan, "alarm": [False, False, True, True, False]}
    since = pd.to_datetime([None, None, "2024-01-01 06:00", "2024-02-01", None], format="ISO8601")
    display = DriftDisplay(report=pd.DataFrame(rows).assign(since=since, note="")).plot()
    np.testing.assert_allclose(display.strengths_["wind"], [0.5, 0.9, 1.5, 9, np.nan])
    colors = [to_hex(color) for color in np.reshape(display.mesh_.get_array(), (-1, 3))]
    legend = {
        text.get_text(): to_hex(patch.get_facecolor())
        for text, patch in zip(
            display.ax_.get_legend().get_texts(), display.ax_.get_legend().get_patches(), strict=True
        )
    }
    words = {color: text for text, color in legend.items()}
    assert [words[color] for color in colors] == [
        "within its band",
        "near its end",
        "alarm",
        "far beyond",
        "not judged",
    ]
    (side,) = display.ax_.child_axes
    assert [text.get_text() for text in side.get_yticklabels()] == ["01 Jan 2024 06:00", "01 Feb 2024"]


def test_errors_have_cells_and_a_line_for_all_together():
    promised, start = make_forecasts(0, 100), pd.Timestamp("2023-02-26")
    forecasts = make_forecasts(1, 14, start=start, factor=3.0)
    report = make_report(4, backtest=promised, forecasts=forecasts)
    display = DriftDisplay(report=report).plot(plt.figure().gca())
    assert display.strengths_.columns.tolist()[-3:] == ["error", "pinball", "coverage"]
    assert display.strengths_.index.tolist() == ["s0", "s1", "s2", "s3", "all"]
    assert display.strengths_.loc["all", "error"] > 1
    assert display.strengths_.loc["all", ["rows", "wind"]].isna().all()


def test_from_estimator_draws_what_the_report_says():
    train, new = split(make_world(0, 70), 14)
    reference = DriftReference().fit(train)
    display = DriftDisplay.from_estimator(None, new.drop(columns="wind"), reference=reference)
    assert (display.strengths_["wind"] > 1).all()
    assert (display.checks_["wind"] == "column").all()
    pd.testing.assert_frame_equal(display.report, drift_report(None, new.drop(columns="wind"), reference=reference))
