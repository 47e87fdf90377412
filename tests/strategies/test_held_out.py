"""What is held out of the training rows."""

import numpy as np
import pytest

from skts.datasets import make_panel
from skts.strategies import ColumnRegressor, ConformalRegressor
from skts.strategies._held_out import choose_splits
from tests._runs import forecast_runs


@pytest.mark.parametrize("interleave", [False, True])
def test_the_latest_times_of_all_series_are_held_out(interleave):
    X, y = make_panel(n_series=2, n_rows=50, interleave=interleave, random_state=0)
    ((train, test, counts),) = choose_splits("", 0.2, X, y)
    time = X.index.get_level_values("time")
    assert (len(train), len(test)) == (80, 20)
    assert time[train].max() < time[test].min()
    assert counts.all()


def test_of_runs_only_times_count_that_no_training_run_has():
    X, y = forecast_runs(10, every=12, horizon=24)
    ((train, test, counts),) = choose_splits("", 0.2, X, y)
    run, time = (X.index.get_level_values(name) for name in ("run", "time"))
    assert run[train].max() < run[test].min()
    assert len(train) + len(test) == len(X)
    assert (counts == (time[test] > time[train].max())).all()
    assert not counts.all()
    conformal = ConformalRegressor(ColumnRegressor("power"), method="residual").fit(X, y)
    assert conformal.n_calibration_ == counts.sum()
    later = y.where(np.isin(np.arange(len(y)), train), y + 5.0)
    assert (conformal.fit(X, later).predict(X, quantiles=[0.5])[:, 0] == X["power"] + 5).all()
