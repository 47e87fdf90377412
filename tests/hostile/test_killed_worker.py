"""What becomes of a search when the process of a candidate dies."""

import os
import signal

import numpy as np
import pytest
from joblib.externals.loky.process_executor import TerminatedWorkerError
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import GridSearchCV

from skts.model_selection import PanelTimeSeriesSplit, backtest
from skts.strategies import FitInProcess

pytestmark = pytest.mark.slow  # processes start

X, y = np.zeros((8, 1)), np.arange(8.0)


class Mortal(RegressorMixin, BaseEstimator):
    """Forecasts 0, or takes its process with it, or fails."""

    def __init__(self, dies=False, fails=False, longest=100):
        self.dies = dies
        self.fails = fails
        self.longest = longest

    def fit(self, X, y):
        if self.dies or len(X) > self.longest:
            os.kill(os.getpid(), signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        if self.fails:
            raise ValueError("no luck")
        self.is_fitted_ = True
        return self

    def predict(self, X):
        return np.zeros(len(X))


def search(estimator, grid, n_jobs, **kwargs):
    return GridSearchCV(estimator, grid, n_jobs=n_jobs, **{"cv": 2, **kwargs}).fit(X, y)


@pytest.mark.filterwarnings("ignore")
def test_a_killed_worker_ends_the_search_and_the_next_one_works():
    with pytest.raises(TerminatedWorkerError, match="unexpectedly terminated"):
        search(Mortal(), {"dies": [False, True]}, n_jobs=2)
    assert search(Mortal(), {"dies": [False]}, n_jobs=2).best_params_ == {"dies": False}


@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
def test_a_killed_fit_in_a_process_of_its_own_loses_its_candidate_alone():
    halves = [(np.arange(4), np.arange(4, 8))]
    with pytest.warns(FitFailedWarning, match="KilledFitError: The process that was fitting Mortal ended with exit"):
        done = search(FitInProcess(Mortal()), {"estimator__dies": [False, True]}, 2, cv=halves, refit=False)
    assert np.isnan(done.cv_results_["mean_test_score"]).tolist() == [False, True]


def test_an_error_of_a_fit_in_a_process_of_its_own_is_told():
    with pytest.raises(ValueError, match="no luck"):
        FitInProcess(Mortal(fails=True)).fit(X, y)


def test_a_killed_worker_loses_its_fold_of_a_backtest_alone():
    options = {"cv": PanelTimeSeriesSplit(3, test_size=2), "n_jobs": 2}
    with pytest.warns(FitFailedWarning, match="left out fold 2: TerminatedWorkerError: its process was killed"):
        assert backtest(Mortal(longest=4), X, y, **options)["fold"].unique().tolist() == [0, 1]
    with pytest.raises(TerminatedWorkerError):
        backtest(Mortal(longest=4), X, y, **options, on_error="raise")
