"""What becomes of a search when the process of a candidate dies."""

import os

import numpy as np
import pytest
from joblib.externals.loky.process_executor import TerminatedWorkerError
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import GridSearchCV

from skts.model_selection import PanelTimeSeriesSplit, backtest


class Mortal(RegressorMixin, BaseEstimator):
    """Forecasts 0, or takes its process with it."""

    def __init__(self, dies=False, longest=100):
        self.dies = dies
        self.longest = longest

    def fit(self, X, y):
        if self.dies or len(X) > self.longest:
            os._exit(1)
        self.is_fitted_ = True
        return self

    def predict(self, X):
        return np.zeros(len(X))


def search(dies):
    X, y = np.zeros((8, 1)), np.arange(8.0)
    return GridSearchCV(Mortal(), {"dies": dies}, cv=2, n_jobs=2, error_score=0.0).fit(X, y)


@pytest.mark.filterwarnings("ignore")
def test_a_killed_worker_ends_the_search_and_the_next_one_works():
    with pytest.raises(TerminatedWorkerError, match="unexpectedly terminated"):
        search([False, True])
    assert search([False]).best_params_ == {"dies": False}


@pytest.mark.filterwarnings("ignore:A worker stopped")
def test_a_killed_worker_loses_its_fold_of_a_backtest_alone():
    X, y = np.zeros((12, 1)), np.arange(12.0)
    with pytest.warns(FitFailedWarning) as told:
        result = backtest(Mortal(longest=6), X, y, cv=PanelTimeSeriesSplit(4, test_size=2), n_jobs=2)
    assert result["fold"].unique().tolist() == [0, 1]
    assert [str(each.message)[:50] for each in told] == [
        f"backtest left out fold {fold}: TerminatedWorkerError: its"[:50] for fold in (2, 3)
    ]
    with pytest.raises(TerminatedWorkerError):
        backtest(Mortal(longest=6), X, y, cv=PanelTimeSeriesSplit(4, test_size=2), n_jobs=2, on_error="raise")
