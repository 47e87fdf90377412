"""Networks and window models on tables with runs."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skts import HistoryPrepender, SlidingWindower
from skts.datasets import make_panel
from skts.exceptions import PanelIndexError
from skts.regressors import DLinearRegressor, GRURegressor, LSTMRegressor, TransformerRegressor
from skts.strategies import PerSeriesRegressor, WindowedRegressor
from tests._runs import HOUR, START, forecast_runs, of_runs

QUICK = {"max_epochs": 2, "random_state": 0}


def forecaster(regressor, window=24, horizon=24, *, known=("wind",), stride=1):
    windower = SlidingWindower(window, horizon, known=list(known), stride=stride)
    steps = StandardScaler(), HistoryPrepender(window), windower, regressor
    return make_pipeline(*steps).set_output(transform="pandas")


REGRESSORS = [
    LSTMRegressor(8, **QUICK),
    GRURegressor(8, quantiles=[0.1, 0.5, 0.9], **QUICK),
    DLinearRegressor(**QUICK),
    TransformerRegressor(8, num_heads=2, num_layers=1, **QUICK),
    WindowedRegressor(Ridge(), around=1),
]


@pytest.mark.parametrize("regressor", REGRESSORS, ids=lambda regressor: type(regressor).__name__)
def test_one_run_a_day_is_the_table_without_runs(regressor):
    X, y = make_panel(n_series=2, n_rows=24 * 14, random_state=0)
    station, time = (X.index.get_level_values(level) for level in range(2))
    with_runs = pd.MultiIndex.from_arrays([station, time.floor("D"), time], names=["station", "run", "time"])
    train = time < START + pd.Timedelta(10, "D")
    forecasts = []
    for index, stride in ((X.index, 24), (with_runs, 1)):
        pipe = forecaster(regressor, 48, stride=stride)
        pipe.fit(X[train].set_axis(index[train]), y[train].set_axis(index[train]))
        forecasts.append(pipe.predict(X[~train].set_axis(index[~train])))
    assert len(forecasts[0]) == 2 * 4 * 24
    assert_array_equal(*forecasts)


@pytest.mark.parametrize("regressor", [REGRESSORS[0], REGRESSORS[-1]], ids=["a network", "a window model"])
def test_what_was_measured_after_the_run_is_not_read(regressor):
    X, y = forecast_runs(12, first=10)  # made at 00 and 12, the first row is ten hours later
    train = of_runs(X, 0, 8)
    pipe = forecaster(regressor).fit(X[train], y[train])
    new = X[of_runs(X, 8)]
    before = pipe.predict(new)
    time, run = (new.index.get_level_values(level) for level in ("time", "run"))
    one = START + pd.Timedelta(10, "D")

    def with_power(since, until):
        changed = new.copy()
        changed.loc[(time > since) & (time <= until), "power"] += 50.0
        return pipe.predict(changed)

    of_one = run == one
    assert_array_equal(with_power(one, one + 40 * HOUR)[of_one], before[of_one])
    assert not np.isclose(with_power(one - HOUR, one)[of_one], before[of_one]).any()


def test_forecasts_come_in_the_order_of_the_rows():
    X, y = forecast_runs(10)
    train = of_runs(X, 0, 8)
    pipe = forecaster(LSTMRegressor(4, early_stopping=True, validation_fraction=0.3, **QUICK)).fit(X[train], y[train])
    new = X[of_runs(X, 8)]
    shuffled = np.random.RandomState(0).permutation(len(new))
    assert_array_equal(pipe.predict(new.iloc[shuffled]), pipe.predict(new)[shuffled])


def test_each_series_alone_gives_what_all_give_it():
    X, y = forecast_runs(9)
    train, new = of_runs(X, 0, 7), of_runs(X, 7)
    pipe = forecaster(WindowedRegressor(Ridge()))
    local = PerSeriesRegressor(pipe).fit(X[train], y[train])
    own = X.index.get_level_values("farm") == "b"
    alone = pipe.fit(X[train & own], y[train & own]).predict(X[new & own])
    assert_allclose(local.predict(X[new])[own[new]], alone)


def test_a_pass_that_serves_several_origins_serves_one_run():
    X, y = forecast_runs(8)
    forecasts = [
        forecaster(LSTMRegressor(4, origins_per_pass=origins, **QUICK)).fit(X, y)[-1].n_iter_ for origins in (1, 4)
    ]
    assert forecasts == [2, 2]


def test_targets_that_contradict_each_other_are_named():
    X, y = forecast_runs(6)
    y = y.copy()
    y.iloc[-30] += 1.0
    with pytest.raises(ValueError, match=r"y is [\d.]+ in row \d+ and [\d.]+ in row \d+, which are of one series and"):
        forecaster(LSTMRegressor(4, **QUICK)).fit(X, y)


def test_a_missing_target_contradicts_nothing():
    X, y = forecast_runs(6)
    y = y.where(np.arange(len(y)) % 3 > 0)
    train = of_runs(X, 0, 5)
    forecasts = forecaster(LSTMRegressor(4, **QUICK)).fit(X[train], y[train]).predict(X[~train])
    assert np.isfinite(forecasts).all()


def test_runs_are_not_read_on_from_row_to_row():
    X, y = forecast_runs(6)
    train = of_runs(X, 0, 5)
    pipe = forecaster(LSTMRegressor(4, **QUICK)).fit(X[train], y[train])
    with pytest.raises(PanelIndexError, match="give rolling='windows'"):
        pipe.predict(X[~train], rolling="stateful")


def test_known_rows_after_a_run_are_its_last_one():
    """A lookahead reads no rows of the next run."""
    X, y = forecast_runs(9, every=24)
    train, new = of_runs(X, 0, 7), of_runs(X, 7)
    pipe = forecaster(LSTMRegressor(4, lookahead=6, bidirectional=True, **QUICK)).fit(X[train], y[train])
    first = X.index.get_level_values("run")[new] == START + pd.Timedelta(7, "D")
    both, alone = pipe.predict(X[new]), pipe.predict(X[new][first])
    assert_allclose(both[first], alone, rtol=1e-5)
