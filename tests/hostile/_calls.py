"""Single calls that somebody will make one day: a function each, and what it says, None where it works."""

import numpy as np
from sklearn.linear_model import Ridge

from skts import HistoryPrepender, LSTMRegressor, SlidingWindower
from skts import metrics as m
from skts.datasets import make_panel
from skts.features import CalendarFeatures, NeighbourFeatures, SolarFeatures, WindFeatures
from skts.inspection import check_leakage
from skts.model_selection import (
    LeaveSeriesOut,
    PanelTimeSeriesSplit,
    PurgedPanelKFold,
    backtest,
    score_table,
)
from skts.strategies import PerSeriesRegressor, RecursiveRegressor, WindowedRegressor
from tests.hostile._subjects import pipeline
from tests.hostile._tables import frame, hours, panel

LEVELS = {"quantiles": [0.1, 0.5]}


def cut_a_million_rows():
    X = np.zeros((1_000_000, 2), dtype=np.float32)
    windower = SlidingWindower(168, 24)
    windows, blocks = windower.fit_transform(X), windower.transform(X)
    assert windows.shape == (999_809, 168, 2)
    assert len(blocks.to_rows(np.zeros((len(blocks), 24)))) == 999_832
    held = sum(values.nbytes for values in vars(windows).values() if isinstance(values, np.ndarray))
    assert held < 10 * X.nbytes


def many_series(n_series=10_000):
    return panel(range(n_series), hours(50))


def forecast_ten_thousand_series():
    X, y = many_series()
    rows, new = np.flatnonzero(np.arange(len(X)) % 50 < 45), np.flatnonzero(np.arange(len(X)) % 50 >= 45)
    y_pred = pipeline(WindowedRegressor(Ridge())).fit(X.iloc[rows], y.iloc[rows]).predict(X.iloc[new])
    assert len(y_pred) == 50_000
    assert np.isfinite(y_pred).all()


def split_ten_thousand_series():
    X, y = many_series()
    assert sum(len(test) for _, test in LeaveSeriesOut(5).split(X)) == len(X)
    assert all(len(test) == 80_000 for _, test in PanelTimeSeriesSplit(3, test_size=8).split(X))
    assert m.mean_absolute_scaled_error(y, y + 1, y_train=y) > 0


def fit(pipe=None, X=None, y=None):
    whole, target = panel()
    pipe = pipeline(WindowedRegressor(Ridge())) if pipe is None else pipe
    return pipe.fit(whole if X is None else X, target if y is None else y)


def forecast(change=lambda X: X, start="2024-01-02"):
    """Fit a panel, and forecast the day after it, changed."""
    X = change(panel(times=hours(6, start))[0])
    y_pred = fit().predict(X)
    assert len(y_pred) == len(X)
    assert np.isfinite(y_pred).all()


def backtested(**params):
    return backtest(Ridge(), *panel(), cv=PanelTimeSeriesSplit(2, test_size=2), **params)


def scored(**params):
    return score_table(backtested(), **params)


def splits(splitter):
    return list(splitter.split(*panel()))


CALLS = {
    # ---- size
    "one series of 1,000,000 rows, cut": (cut_a_million_rows, None),
    "10,000 series of 50 rows, forecast": (forecast_ten_thousand_series, None),
    "10,000 series of 50 rows, split and scored": (split_ten_thousand_series, None),
    # ---- new rows
    "new rows right behind the training table": (forecast, None),
    "one new row": (lambda: forecast(lambda X: X.iloc[:1]), None),
    "new rows ten years later": (lambda: forecast(start="2034-01-02"), None),
    "new rows before the training table": (lambda: forecast(start="2020-01-01"), None),
    "the training table itself": (lambda: forecast(start="2024-01-01"), None),
    "new rows between the steps of training": (lambda: forecast(start="2024-01-02 00:30"), None),
    "a series that training had not": (lambda: forecast(lambda X: X.rename(index={"a": "new"}, level=0)), None),
    "columns in another order": (
        lambda: forecast(lambda X: X[["x1", "x0"]]),
        "Feature names must be in the same order as they were in fit",
    ),
    "a column less": (lambda: forecast(lambda X: X[["x0"]]), "Feature names seen at fit time, yet now missing:...x1"),
    "no new rows": (lambda: forecast(lambda X: X.iloc[:0]), "while a minimum of 1 is required by HistoryPrepender"),
    "new rows with a time zone, training without": (
        lambda: forecast(lambda X: X.tz_localize("UTC", level="time")),
        "The table of fit had 1 series level and date-times without a time zone in its index, and this one has",
    ),
    "new rows without series": (
        lambda: forecast(lambda X: X.droplevel(0).iloc[:6]),
        "The table of fit had 1 series level ..., and this one has 0 series levels",
    ),
    "new rows as an array, training as a table": (
        lambda: forecast(lambda X: X.set_axis(["x0", "x1"], axis=1).reset_index(drop=True)),
        "and this one has no series and no times",
    ),
    "new rows by the day, training by the hour": (
        lambda: forecast(lambda X: X.set_axis(panel(times=hours(6, freq="D"))[0].index)),
        None,
    ),
    "predict before fit": (lambda: pipeline(LSTMRegressor()).predict(panel()[0]), "is not fitted yet"),
    "another table for PerSeriesRegressor": (
        lambda: fit(PerSeriesRegressor(Ridge())).predict(panel("c")[0]),
        "PerSeriesRegressor has no estimator for 1 of 1 series, which were not in the training table: ['c']",
    ),
    # ---- parameters
    "HistoryPrepender(0)": (lambda: fit(HistoryPrepender(0)), "The 'length' parameter of HistoryPrepender must be"),
    "HistoryPrepender('4')": (lambda: fit(HistoryPrepender("4")), "The 'length' parameter of HistoryPrepender must be"),
    "SlidingWindower(0)": (lambda: fit(SlidingWindower(0)), "The 'window' parameter of SlidingWindower must be"),
    "SlidingWindower(2.5)": (lambda: fit(SlidingWindower(2.5)), "The 'window' parameter of SlidingWindower must be"),
    "horizon=0": (lambda: fit(SlidingWindower(2, 0)), "The 'horizon' parameter of SlidingWindower must be"),
    "a window longer than the table": (
        lambda: SlidingWindower(100).fit_transform(panel()[0]),
        "needs 101 consecutive rows for one training window, and series 'a' has 24, series 'b' has 24",
    ),
    "known='x2'": (lambda: fit(SlidingWindower(2, known="x2")), "no column 'x2' among ['x0', 'x1']."),
    "known=[5]": (lambda: fit(SlidingWindower(2, known=[5])), "the table has n_features=2. Give positions from 0 to 1"),
    "static='x2'": (lambda: fit(SlidingWindower(2, static="x2")), "no column 'x2' among ['x0', 'x1']."),
    "a static column that varies": (
        lambda: fit(SlidingWindower(2, static=["x1"])),
        "column 'x1' of series 'a' is ..., and ... in row 1 (2024-01-01 01:00:00). One value per series is expected",
    ),
    "a static column that is known": (
        lambda: fit(SlidingWindower(2, known=["x1"], static=["x1"])),
        "['x1'] is named by known=... too",
    ),
    "a history shorter than the window": (
        lambda: fit(SlidingWindower(4, history=2)),
        "the first forecast needs 4 rows before it. Give history=4 or more",
    ),
    "no HistoryPrepender": (
        lambda: fit(PerSeriesRegressor(pipeline(WindowedRegressor(Ridge()))[1:])).predict(panel()[0]),
        "got 20 for 24 rows: put HistoryPrepender before SlidingWindower",
    ),
    "lags beyond the window": (lambda: fit(pipeline(WindowedRegressor(Ridge(), lags=[9]))), "lags=...9"),
    "a target that is no column": (
        lambda: fit(RecursiveRegressor(pipeline(WindowedRegressor(Ridge())), target="power")),
        "RecursiveRegressor(target='power'): no column 'power' among ['x0', 'x1']",
    ),
    "CalendarFeatures(['day'])": (lambda: fit(CalendarFeatures(["day"])), "no cycle 'day' among ['hour', 'weekday'"),
    "CalendarFeatures(country='XX')": (lambda: fit(CalendarFeatures(country="XX")), "knows no such country"),
    "WindFeatures of other columns": (lambda: fit(WindFeatures("u", "v")), "WindFeatures(u='u'): no column 'u' among"),
    "SolarFeatures at latitude 91": (
        lambda: fit(SolarFeatures(91.0, 0.0)),
        "The 'latitude' parameter of SolarFeatures",
    ),
    "SolarFeatures without a latitude of b": (
        lambda: fit(SolarFeatures({"a": 50.0}, 0.0)),
        "SolarFeatures has no latitude of series 'b'",
    ),
    "more neighbours than series": (lambda: fit(NeighbourFeatures(n_neighbours=2)), "Give 1 or fewer, or None for all"),
    "a level that is not there": (
        lambda: fit(PerSeriesRegressor(Ridge(), by="farm")),
        "PerSeriesRegressor(by='farm'): no index level 'farm' among",
    ),
    "PanelTimeSeriesSplit(1)": (lambda: PanelTimeSeriesSplit(1), "k-fold cross-validation requires at least one"),
    "PanelTimeSeriesSplit(test_size=0)": (lambda: PanelTimeSeriesSplit(test_size=0), "test_size == 0, must be >= 1"),
    "more test times than times": (
        lambda: splits(PanelTimeSeriesSplit(3, test_size=9)),
        "Too many splits=3 for number",
    ),
    "PurgedPanelKFold(window=0)": (lambda: PurgedPanelKFold(window=0, horizon=1), "window == 0, must be >= 1"),
    "a purge of everything": (
        lambda: splits(PurgedPanelKFold(2, window=20, horizon=9)),
        "leaves at most ... consecutive rows to train on in split 0, and a training window takes 29",
    ),
    "LeaveSeriesOut(1)": (lambda: LeaveSeriesOut(1), "k-fold cross-validation requires at least one"),
    "LeaveSeriesOut(5) of two series": (lambda: splits(LeaveSeriesOut(5)), "X has 2 series, and at least one for each"),
    "backtest(refit=-1)": (lambda: backtested(refit=-1), "The 'refit' parameter of backtest must be"),
    "backtest of quantiles nobody forecasts": (lambda: backtested(quantiles=[0.1]), "Ridge.predict takes no quantiles"),
    "backtest of an estimator that fails": (
        lambda: backtest(LSTMRegressor(lr=-1), *panel(), cv=PanelTimeSeriesSplit(2, test_size=2)),
        "backtest: no fold gave a forecast...fold 0: InvalidParameterError: The 'lr' parameter of LSTMRegressor",
    ),
    "check_leakage(n_origins=0)": (
        lambda: check_leakage(Ridge(), *panel(), n_origins=0),
        "The 'n_origins' parameter of check_leakage must be",
    ),
    "score_table by what is not there": (
        lambda: scored(by="station_name"),
        "score_table(by='station_name'): expected is",
    ),
    "score_table with an unknown metric": (lambda: scored(metrics=["mse"]), "'mse' is unknown. Expected are 'bias'"),
    "score_table of no rows": (lambda: score_table(backtested().iloc[:0]), "y_true is missing (NaN) in all 0 rows"),
    "score_table of another table": (lambda: score_table(panel()[0]), "score_table: result has no column 'time'"),
    "score_table of a forecast of inf": (
        lambda: score_table(backtested().assign(y_pred=np.inf)),
        "score_table: the forecast of row 0 is inf",
    ),
    # ---- metrics
    "a forecast of NaN": (
        lambda: m.interval_coverage([1.0, 2.0], [0.0, np.nan], [3.0, 3.0]),
        "y_lower is NaN or infinite in row 1",
    ),
    "a forecast for other rows": (
        lambda: m.capacity_normalized_mae(frame(hours())[1], frame(hours(start="2025-01-01"))[1], capacity=1.0),
        "y_pred and y_true have different rows: row 0 is 2025-01-01",
    ),
    "a capacity of 0": (
        lambda: m.capacity_normalized_mae([1.0], [1.0], capacity=0),
        "capacity is 0: a finite number above 0",
    ),
    "a series without a capacity": (
        lambda: m.capacity_normalized_mae(panel()[1], panel()[1], capacity={"a": 1.0}),
        "capacity has no series 'b', which y_true has",
    ),
    "levels in per cent": (
        lambda: m.mean_quantile_loss([1.0], [[0.0, 2.0]], quantiles=[10, 90]),
        "quantiles[0] is 10: levels strictly between 0 and 1 are expected. Divide per cents by 100",
    ),
    "levels that decrease": (
        lambda: m.crps_from_quantiles([1.0], [[0.0, 2.0]], quantiles=[0.9, 0.1]),
        "quantiles[1] is 0.1 and comes after 0.9: increasing levels are expected",
    ),
    "a level too many": (
        lambda: m.mean_quantile_loss([1.0], [[0.0, 1.0, 2.0]], **LEVELS),
        "y_pred has shape (1, 3), and shape (1, 2) is expected: one column for each quantile",
    ),
    "skill over a perfect forecast": (
        lambda: m.skill_score([1.0], [2.0], [1.0]),
        "there is no skill over a perfect forecast",
    ),
    "a seasonality longer than the training": (
        lambda: m.mean_absolute_scaled_error([1.0], [2.0], y_train=[1.0, 2.0], seasonality=24),
        "has no two values 24 rows apart",
    ),
    "ignore_missing of a metric": (
        lambda: m.ignore_missing(m.skill_score),
        "Of a metric f(y_true, y_pred), make_scorer(f)",
    ),
    "ignore_missing of an unknown name": (lambda: m.ignore_missing("mae"), "'mae' is not a valid scoring value"),
    # ---- make_panel
    "make_panel(n_rows=1)": (lambda: make_panel(1, 1), None),
    "make_panel(missing=1)": (lambda: make_panel(missing=1.0), None),
    "make_panel(n_rows=0)": (lambda: make_panel(n_rows=0), None),
    "make_panel(n_series=-1)": (lambda: make_panel(-1), "The 'n_series' parameter of make_panel must be"),
    "make_panel(missing=2)": (lambda: make_panel(missing=2.0), "The 'missing' parameter of make_panel must be"),
    "make_panel(noise=-1)": (lambda: make_panel(noise=-1.0), "The 'noise' parameter of make_panel must be"),
    "make_panel(freq='fortnight')": (lambda: make_panel(freq="fortnight"), "Invalid frequency: fortnight"),
}

# Bugs outside of the rooms that these tests were written with: what stands above is not yet so.
LEFT_CALLS: list[str] = []
