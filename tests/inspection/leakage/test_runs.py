"""Leaks that only runs have."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from skts import HistoryPrepender, SlidingWindower
from skts.inspection import check_leakage
from skts.regressors import LSTMRegressor
from skts.strategies import WindowedRegressor
from tests._runs import forecast_runs

pytestmark = pytest.mark.filterwarnings("ignore::skts.exceptions.KnownTargetWarning")  # the target is what is known

X, y = forecast_runs(10)
COMMON = {"n_origins": 6, "random_state": 0}


def forecaster(regressor=None, known=("wind",)):
    regressor = WindowedRegressor(Ridge()) if regressor is None else regressor
    return make_pipeline(HistoryPrepender(12), SlidingWindower(12, 24, known=list(known)), regressor)


@pytest.mark.parametrize("regressor", [None, LSTMRegressor(4, max_epochs=1, random_state=0)], ids=["ridge", "network"])
def test_windows_of_runs_leak_nothing(regressor):
    report = check_leakage(forecaster(regressor), X, y, **COMMON)
    assert report.ok
    assert report.n_origins == 6


def test_a_table_whose_first_rows_come_long_after_the_run_leaks_nothing():
    later, target = forecast_runs(10, first=10)
    assert check_leakage(forecaster(), later, target, **COMMON).ok


def newest_for_every_hour(X, y):
    """The run with the shortest lead serves all."""
    wind = X["wind"].groupby(level=["farm", "time"]).transform("last")
    return X.assign(wind=wind)


def one_run_too_early(X, y):
    """Each run has what the next one says: of a run that was not there yet."""
    later = X["wind"].groupby(level=["farm", "time"]).shift(-1)
    return X.assign(wind=later.fillna(X["wind"]))


def back_filled(X, y):
    """A late run is filled from the next one."""
    late = X.index.get_level_values("run").unique()[5::6]
    wind = X["wind"].mask(X.index.get_level_values("run").isin(late))
    filled = wind.groupby(level=["farm", "time"]).bfill()
    return X.assign(wind=filled.fillna(wind.groupby(level="farm").ffill()).fillna(0.0))


def forward_filled(X, y):
    """A late run is filled from those before it, as it should be."""
    late = X.index.get_level_values("run").unique()[5::6]
    wind = X["wind"].mask(X.index.get_level_values("run").isin(late))
    return X.assign(wind=wind.groupby(level=["farm", "time"]).ffill().fillna(0.0))


@pytest.mark.parametrize("prepare", [newest_for_every_hour, one_run_too_early, back_filled])
def test_a_run_from_the_future_is_caught(prepare):
    report = check_leakage(forecaster(), X, y, prepare=prepare, n_origins=10, random_state=0)
    assert not report.ok
    assert (report.leaks["perturbed"] == "known columns").any()
    assert report.leaks["columns"].str.contains("wind").any()


def test_a_late_run_filled_from_earlier_ones_leaks_nothing():
    assert check_leakage(forecaster(), X, y, prepare=forward_filled, n_origins=10, random_state=0).ok


def test_the_power_after_the_run_is_caught():
    """A column of the power at the row itself, taken for known, is the truth."""
    leaky = X.assign(now=X["power"])
    report = check_leakage(forecaster(known=("wind", "now")), leaky, y, known=["wind"], **COMMON)
    assert not report.ok
    assert np.isin(report.leaks["perturbed"], ["target", "observed columns"]).any()
