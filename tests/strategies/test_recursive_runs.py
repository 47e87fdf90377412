"""Forecasts that feed on themselves, run by run."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from skts import HistoryPrepender, SlidingWindower
from skts.exceptions import PanelIndexError
from skts.strategies import RecursiveRegressor, WindowedRegressor
from tests._runs import forecast_runs, of_runs

WINDOW = 12


def make_recursive():
    windower = SlidingWindower(WINDOW, 24, known=["wind"])
    pipe = make_pipeline(HistoryPrepender(WINDOW), windower, WindowedRegressor(Ridge()))
    return RecursiveRegressor(pipe, target="power")


@pytest.mark.filterwarnings("ignore::skts.exceptions.MissingHistoryWarning")  # before what is missing is filled
@pytest.mark.parametrize(("every", "first"), [(12, 1), (24, 1), (6, 1), (12, 5)])
def test_a_run_reads_the_word_of_the_latest_run_before_it(every, first):
    """One run after the other is forecast by hand, each with the forecasts of those before it as its past."""
    X, y = forecast_runs(9, every=every, first=first)
    train, new = of_runs(X, 0, 6), X[of_runs(X, 6)].copy()
    recursive = make_recursive().fit(X[train], y[train])
    new["power"] = np.nan
    pipe = recursive.estimator_
    filled, expected = new.copy(), pd.Series(np.nan, index=new.index)
    farm, run, time = (new.index.get_level_values(level) for level in range(3))
    for one in run.unique():
        forecast = pd.Series(pipe.predict(filled), index=new.index)[run == one]
        expected[run == one] = forecast
        said = forecast.droplevel("run")
        for number, (name, when) in enumerate(zip(farm, time, strict=True)):
            if (name, when) in said.index:
                filled.iloc[number, filled.columns.get_loc("power")] = said[name, when]
    assert_allclose(recursive.predict(new), expected, rtol=1e-4)


def test_the_truth_is_read_where_one_run_has_it():
    X, y = forecast_runs(8)
    train, new = of_runs(X, 0, 6), X[of_runs(X, 6)].copy()
    recursive = make_recursive().fit(X[train], y[train])
    second = new.index.get_level_values("run") == new.index.get_level_values("run").unique()[1]
    holed = new.copy()
    holed.loc[second, "power"] = np.nan
    assert_allclose(recursive.predict(holed), recursive.predict(new), rtol=1e-6)


def test_a_table_with_runs_is_refused_where_training_had_none():
    X, _ = forecast_runs(8)
    flat = X.groupby(level=["farm", "time"]).last()
    recursive = make_recursive().fit(flat, flat["power"])
    new = X[of_runs(X, 7)].assign(power=np.nan)
    with pytest.raises(PanelIndexError, match="takes a table without runs"):
        recursive.predict(new)
