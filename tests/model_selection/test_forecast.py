"""A forecast says when it was made and how far ahead it is, and is what `predict` gives."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from skts import DLinearRegressor, HistoryPrepender, SlidingWindower, forecast, future_rows
from skts.exceptions import MissingHistoryWarning
from skts.model_selection import backtest
from skts.strategies import WindowedRegressor
from tests._panels import CLOCK_CHANGE, HOURS, make_table

ROWS = [(name, hour) for name in "ab" for hour in range(40)]


def make_pipe(last=None, known=(), **prepender):
    last = WindowedRegressor(Ridge()) if last is None else last
    return make_pipeline(HistoryPrepender(6, **prepender), SlidingWindower(6, horizon=4, known=list(known)), last)


def target(X):
    return np.sin(X["seen"])


def split(calendar=HOURS, cut=30):
    X = make_table(ROWS, calendar)
    is_new = np.array([hour >= cut for _, hour in ROWS])
    return X[~is_new], X[is_new]


def test_a_forecast_is_what_predict_gives_row_by_row_in_the_order_of_the_table():
    X, new = split(CLOCK_CHANGE)
    pipe = make_pipe(known=["known"]).fit(X, target(X))
    new = new.sort_index(level="time", sort_remaining=False).drop(index=new.index[[3, 4]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingHistoryWarning)
        table, expected = forecast(pipe, new), pipe.predict(new)
    assert table.index.equals(new.index)
    np.testing.assert_array_equal(table["forecast"], expected)
    hours = CLOCK_CHANGE.get_indexer(new.index.get_level_values("time"))
    np.testing.assert_array_equal(table["lead"], (hours - 30) % 4 + 1)
    np.testing.assert_array_equal(CLOCK_CHANGE.get_indexer(table["origin"]), hours - table["lead"] + 1)
    assert table["origin"].dtype == new.index.levels[-1].dtype


def test_origins_and_leads_are_those_of_a_backtest():
    X = make_table(ROWS)
    train, test = (np.flatnonzero([(hour < 30) == is_first for _, hour in ROWS]) for is_first in (True, False))
    pipe = make_pipe(known=["known"])
    expected = backtest(pipe, X, target(X), cv=[(train, test)])
    found = forecast(pipe.fit(X.iloc[train], target(X.iloc[train])), X.iloc[test]).reset_index()
    pd.testing.assert_frame_equal(found[["time", "origin", "lead"]], expected[["time", "origin", "lead"]])
    np.testing.assert_allclose(found["forecast"], expected["y_pred"])


def test_without_a_table_the_rows_after_the_training_rows_are_forecast():
    X, _ = split()
    pipe = make_pipe().fit(X, target(X))
    pd.testing.assert_frame_equal(forecast(pipe), forecast(pipe, future_rows(X, 4)))
    assert forecast(pipe)["origin"].eq(HOURS[30]).all()
    with pytest.raises(ValueError, match="'known' must be known ahead"):
        forecast(make_pipe(known=["known"]).fit(X, target(X)))


def test_quantiles_stand_beside_the_forecast_in_increasing_order():
    X, new = split()
    network = DLinearRegressor(quantiles=(0.1, 0.5, 0.9), max_epochs=1, random_state=0)
    pipe = make_pipe(network).fit(X, target(X))
    table = forecast(pipe, new, quantiles=[0.9, 0.1])
    assert table.columns.tolist() == ["origin", "lead", "forecast", "q0.1", "q0.9"]
    np.testing.assert_array_equal(table[["q0.1", "q0.9"]], pipe.predict(new, quantiles=[0.1, 0.9]))
    with pytest.raises(TypeError, match=r"forecast\(quantiles=...\): Ridge.predict takes no quantiles"):
        forecast(Ridge().fit(X, target(X)), new, quantiles=[0.5])
    with pytest.raises(ValueError, match=r"forecast\(quantiles=\[2\]\): levels strictly between"):
        forecast(pipe, new, quantiles=[2])


def test_blocks_between_training_rows_start_anew_after_every_gap():
    X = make_table(ROWS)
    is_new = np.array([hour in (10, 11, 12, 13, 14, 25, 26) for _, hour in ROWS])
    pipe = make_pipe(remember="all").fit(X[~is_new], target(X[~is_new]))
    table = forecast(pipe, X[is_new])
    assert table["lead"].tolist() == [1, 2, 3, 4, 1, 1, 2] * 2
    assert HOURS.get_indexer(table["origin"]).tolist() == [10, 10, 10, 10, 14, 25, 25] * 2


def test_runs_and_arrays_have_their_origin_too():
    X, new = split()
    made = HOURS[np.repeat([30, 34, 30, 34], [4, 6, 4, 6])]
    runs = new.assign(run=made).set_index("run", append=True).swaplevel()
    table = forecast(Ridge().fit(X, target(X)), runs)
    assert table.index.equals(runs.index)
    assert HOURS.get_indexer(table["origin"]).tolist() == [30] * 4 + [34] * 6 + [30] * 4 + [34] * 6
    assert table["lead"].tolist() == [1, 2, 3, 4, 1, 2, 3, 4, 5, 6] * 2
    array = X.to_numpy()[:30]
    table = forecast(make_pipe().fit(array, array[:, 0]), array[:6])
    assert table["origin"].tolist() == [0, 0, 0, 0, 4, 4]
    assert table["lead"].tolist() == [1, 2, 3, 4, 1, 2]


def test_several_targets_and_what_is_not_fitted_are_refused():
    X, new = split()
    with pytest.raises(ValueError, match="gave 2 targets for each row"):
        forecast(Ridge().fit(X, X), new)
    with pytest.raises(NotFittedError):
        forecast(Ridge(), new)
