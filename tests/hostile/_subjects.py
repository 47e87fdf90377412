"""Everything public that takes a table, each as a function that uses it and checks what it answers."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from skts import (
    DLinearRegressor,
    GRURegressor,
    HistoryPrepender,
    LSTMRegressor,
    NetRegressor,
    NLinearRegressor,
    SlidingWindower,
    SourceAttentionRegressor,
    TransformerRegressor,
)
from skts import metrics as m
from skts.features import CalendarFeatures, NeighbourFeatures, SolarFeatures, WindFeatures
from skts.inspection import (
    ErrorByLeadDisplay,
    ForecastDisplay,
    PanelDisplay,
    SplitDisplay,
    check_leakage,
    feature_importance,
    history_curve,
    memory_profile,
)
from skts.model_selection import (
    LeaveSeriesOut,
    PanelTimeSeriesSplit,
    PurgedPanelKFold,
    backtest,
    score_table,
)
from skts.nn import EncoderDecoder
from skts.strategies import EnsembleRegressor, PerSeriesRegressor, RecursiveRegressor, WindowedRegressor

WINDOW, HORIZON, N_NEW = 4, 2, 5
SMALL = {"max_epochs": 1, "random_state": 0, "device": "cpu"}


def take(values, rows, X):
    """Take rows; of what has another length than the table, or none, all."""
    if np.ndim(values) == 0 or len(values) != len(X):
        return values
    return values.iloc[rows] if hasattr(values, "iloc") else np.asarray(values)[rows]


def series_of(X):
    """Number the series of every row by the index alone, in a way that skts has no part in."""
    index = getattr(X, "index", None)
    if not isinstance(index, pd.MultiIndex) or index.nlevels < 2:
        return np.zeros(len(X), dtype=int)
    levels = [level for level in range(index.nlevels - 1) if index.names[level] != "run"]
    codes = pd.DataFrame({level: index.codes[level] for level in levels})
    return codes.groupby(list(codes), sort=False).ngroup().to_numpy()


def with_number_of_series(X):
    """Put the number of the series of every row beside the columns, in a way that changes none of them."""
    numbers = series_of(X).astype(float)
    if not isinstance(X, pd.DataFrame):
        return np.column_stack([np.asarray(X), numbers]), numbers
    is_count = X.columns.dtype.kind in "iu"
    name = ("series number",) * X.columns.nlevels if X.columns.nlevels > 1 else "series number"
    return pd.concat([X, pd.Series(numbers, index=X.index, name=X.shape[1] if is_count else name)], axis=1), numbers


def split(X):
    """Give the rows to train on and the last `N_NEW` of each series; of a short table all, twice."""
    series = pd.Series(series_of(X))
    from_end = series.groupby(series).cumcount(ascending=False).to_numpy()
    is_new = from_end < N_NEW
    if is_new.all():
        return np.arange(len(X)), np.arange(len(X))
    return np.flatnonzero(~is_new), np.flatnonzero(is_new)


def use_history(X, y, weight):
    rows, new = split(X)
    train, new = take(X, rows, X), take(X, new, X)
    history = HistoryPrepender(WINDOW)
    assert len(history.fit_transform(train, take(y, rows, X))) == len(train)
    out = history.transform(new)
    assert len(out) == len(new) + WINDOW * (series_of(new).max(initial=0) + 1)
    if isinstance(X, pd.DataFrame):
        pd.testing.assert_frame_equal(
            out.iloc[-len(new) :], new, check_dtype=False, check_index_type=False, check_freq=False
        )


def use_windows(X, y, weight):
    windower = SlidingWindower(WINDOW, HORIZON, known=[0])
    windows = windower.fit_transform(X, y)
    assert len(windows) > 0
    assert windows.targets(y).shape[:2] == (len(windows), HORIZON)
    blocks = windower.transform(X)
    rows = blocks.to_rows(np.stack([blocks.targets(np.arange(len(X), dtype=float))], axis=-1))
    assert (np.diff(rows[:, 0]) > 0).all(), "forecasts are in the order of the rows"
    table, numbers = with_number_of_series(X)
    described = SlidingWindower(WINDOW, HORIZON, known=[0], static=[table.shape[1] - 1]).fit(table, y).transform(table)
    assert described.panel.shape == blocks.panel.shape
    is_first = described.rows[described.spans[:, 0]] >= 0
    own = described.static[described.span_series, 0]
    np.testing.assert_array_equal(own[is_first], numbers[described.rows[described.spans[is_first, 0]]])


def adding(transformer):
    def use(X, y, weight):
        train, new = (take(X, rows, X) for rows in split(X))
        out = transformer.fit(train).transform(new)
        assert out.shape == (len(new), len(transformer.get_feature_names_out()))
        if isinstance(X, pd.DataFrame):
            pd.testing.assert_index_equal(out.index, new.index)

    return use


def regressing(make):
    """Fit and predict in a pipeline: as many finite forecasts as rows, and in their order."""

    def use(X, y, weight):
        train, new = split(X)
        X_new, pipe = take(X, new, X), make()
        last = getattr(pipe, "estimator", pipe).steps[-1][0]
        params = {} if weight is None else {f"{last}__sample_weight": take(weight, train, X)}
        pipe.fit(take(X, train, X), take(y, train, X), **params)
        y_pred = pipe.predict(X_new)
        assert len(y_pred) == len(new)
        assert np.isfinite(y_pred).all(), "a forecast is not finite"
        turned = np.argsort(-series_of(X_new), kind="stable")
        np.testing.assert_allclose(pipe.predict(take(X_new, turned, X_new)), y_pred[turned], rtol=1e-3, atol=1e-5)

    return use


def pipeline(regressor):
    pipe = make_pipeline(HistoryPrepender(WINDOW), SlidingWindower(WINDOW, HORIZON, known=[0]), regressor)
    return pipe.set_output(transform="pandas")


def splitting(splitter, in_time):
    def use(X, y, weight):
        has_index = isinstance(X, pd.DataFrame)
        times = pd.factorize(X.index.get_level_values(-1), sort=True)[0] if has_index else np.arange(len(X))
        n_splits = 0
        for train, test in splitter.split(X, y):
            n_splits += 1
            assert len(train)
            assert len(test)
            assert not np.isin(train, test).any()
            assert not in_time or times[train].max() < times[test].min()
        assert n_splits >= 2

    return use


def use_backtest(X, y, weight):
    cv = PanelTimeSeriesSplit(2, test_size=2 * HORIZON)
    result = backtest(pipeline(WindowedRegressor(Ridge())), X, y, cv=cv, on_error="raise")
    tests = [test for _, test in cv.split(X)]
    assert len(result) == sum(map(len, tests))
    assert np.isfinite(result["y_pred"]).all()
    told = np.asarray(y, dtype=float).ravel()
    np.testing.assert_array_equal(result["y_true"], np.concatenate([told[test] for test in tests]))
    assert np.isfinite(score_table(result)).all(axis=None)
    assert score_table(result, by=["series", "fold"] if result.columns[0] != "time" else "fold")["n"].sum() > 0


def use_check_leakage(X, y, weight):
    pipe = pipeline(WindowedRegressor(Ridge()))
    report = check_leakage(pipe, X, y, n_origins=1, cv=PanelTimeSeriesSplit(2, test_size=4), random_state=0)
    assert report.ok, str(report)


def use_history_curve(X, y, weight):
    folds = list(PanelTimeSeriesSplit(2, test_size=2 * HORIZON).split(X))
    result = history_curve(pipeline(WindowedRegressor(Ridge())), X, y, lengths=[2, 4], cv=folds[1:])
    assert np.isfinite(result.errors).all()
    assert result.shortest in (2, 4)


def fitted(X, y):
    """Fit a small pipeline, and give the rows for it to forecast."""
    train, _ = split(X)
    return pipeline(WindowedRegressor(Ridge())).fit(take(X, train, X), take(y, train, X))


def use_memory_profile(X, y, weight):
    profile = memory_profile(fitted(X, y), X, y, n_windows=10, random_state=0)
    assert np.isfinite(profile.forward.change.by_lag["mean"]).all()
    assert 0 <= profile.effective_memory <= WINDOW


def use_feature_importance(X, y, weight):
    result = feature_importance(fitted(X, y), X, y, block=8, same_hour=False, n_repeats=1, random_state=0)
    assert result.importances.shape == (np.shape(X)[1], 1)
    assert np.isfinite(result.importances).all()


def use_pictures_of_tables(X, y, weight):
    display = PanelDisplay.from_table(X, y, ax=Figure().subplots())
    assert display.counts.sum() <= display.expected.sum() + 1e-9
    assert round(display.counts.sum()) == len(X)
    display.figure_.canvas.draw()  # only now are times written
    cv = PanelTimeSeriesSplit(2, test_size=2)
    display = SplitDisplay.from_splitter(cv, X, y, ax=Figure().subplots())
    assert display.counts[..., 2].sum() == sum(len(test) for _, test in cv.split(X))


def use_pictures_of_forecasts(X, y, weight):
    pipe, new = fitted(X, y), split(X)[1]
    X_new, y_new = take(X, new, X), take(y, new, X)
    axes = Figure().subplots(len(np.unique(series_of(X_new))[:4]))
    display = ForecastDisplay.from_estimator(pipe, X_new, y_new, ax=axes)
    assert display.table["y_pred"].notna().all()
    display.figure_.canvas.draw()  # only now are times written
    display = ErrorByLeadDisplay.from_estimator(pipe, X_new, y_new, ax=Figure().subplots())
    assert np.isfinite(display.error).all()


def use_metrics(X, y, weight):
    train, new = split(X)
    y_true, y_train = take(y, new, X), take(y, train, X)
    weight = None if weight is None else take(weight, new, X)
    numbers = np.abs(pd.to_numeric(np.ravel(y), errors="coerce"))
    y_pred = np.arange(1.0, len(new) + 1) * np.max(numbers[np.isfinite(numbers)], initial=1)
    quantiles = np.stack([y_pred - 2, y_pred, y_pred + 2], axis=1)
    levels = {"quantiles": [0.1, 0.5, 0.9], "sample_weight": weight}
    scores = [
        m.mean_absolute_scaled_error(y_true, y_pred, y_train=y_train, sample_weight=weight),
        m.root_mean_squared_scaled_error(y_true, y_pred, y_train=y_train, sample_weight=weight),
        m.capacity_normalized_mae(y_true, y_pred, capacity=10.0, sample_weight=weight),
        m.capacity_normalized_rmse(y_true, y_pred, capacity=10.0, sample_weight=weight),
        m.mean_quantile_loss(y_true, quantiles, **levels),
        m.crps_from_quantiles(y_true, quantiles, **levels),
        m.interval_score(y_true, y_pred - 2, y_pred + 2, alpha=0.2, sample_weight=weight),
        m.interval_coverage(y_true, y_pred - 2, y_pred + 2, sample_weight=weight),
        m.skill_score(y_true, y_pred, 2 * y_pred, sample_weight=weight),
    ]
    assert np.isfinite(scores).all(), "a score is not finite"


def use_ignore_missing(X, y, weight):
    dummy = DummyRegressor(strategy="constant", constant=1.0).fit([[0.0]], [1.0])
    params = {} if weight is None else {"sample_weight": weight}
    assert np.isfinite(m.ignore_missing("neg_mean_absolute_error")(dummy, X, y, **params))


SUBJECTS = {
    "HistoryPrepender": use_history,
    "SlidingWindower": use_windows,
    "CalendarFeatures": adding(CalendarFeatures(country="FR")),
    "WindFeatures": adding(WindFeatures(0, 1)),
    "SolarFeatures": adding(SolarFeatures(50.0, 5.0)),
    "NeighbourFeatures": adding(NeighbourFeatures([0], n_neighbours=1)),
    "LSTMRegressor": regressing(lambda: pipeline(LSTMRegressor(hidden_size=2, **SMALL))),
    "GRURegressor": regressing(lambda: pipeline(GRURegressor(hidden_size=2, **SMALL))),
    "TransformerRegressor": regressing(lambda: pipeline(TransformerRegressor(hidden_size=4, **SMALL))),
    "SourceAttentionRegressor": regressing(
        lambda: pipeline(SourceAttentionRegressor({"first": [0]}, hidden_size=2, **SMALL))
    ),
    "DLinearRegressor": regressing(lambda: pipeline(DLinearRegressor(**SMALL))),
    "NLinearRegressor": regressing(lambda: pipeline(NLinearRegressor(**SMALL))),
    "NetRegressor": regressing(lambda: pipeline(NetRegressor(EncoderDecoder, {"hidden_size": 2}, **SMALL))),
    "EnsembleRegressor": regressing(
        lambda: pipeline(EnsembleRegressor(LSTMRegressor(hidden_size=2, **SMALL), 2, bootstrap_rows=3, random_state=0))
    ),
    "WindowedRegressor": regressing(lambda: pipeline(WindowedRegressor(Ridge()))),
    "PerSeriesRegressor": regressing(lambda: PerSeriesRegressor(pipeline(WindowedRegressor(Ridge())))),
    "RecursiveRegressor": regressing(lambda: RecursiveRegressor(pipeline(WindowedRegressor(Ridge())), target=1)),
    "PanelTimeSeriesSplit": splitting(PanelTimeSeriesSplit(2, test_size=4), in_time=True),
    "PurgedPanelKFold": splitting(PurgedPanelKFold(3, window=WINDOW, horizon=HORIZON), in_time=False),
    "LeaveSeriesOut": splitting(LeaveSeriesOut(), in_time=False),
    "backtest": use_backtest,
    "check_leakage": use_check_leakage,
    "memory_profile": use_memory_profile,
    "history_curve": use_history_curve,
    "feature_importance": use_feature_importance,
    "PanelDisplay and SplitDisplay": use_pictures_of_tables,
    "ForecastDisplay and ErrorByLeadDisplay": use_pictures_of_forecasts,
    "metrics": use_metrics,
    "ignore_missing": use_ignore_missing,
}
