"""What becomes of a search when the process of a candidate dies."""

import os

import numpy as np
import pytest
from joblib.externals.loky.process_executor import TerminatedWorkerError
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.model_selection import GridSearchCV


class Mortal(RegressorMixin, BaseEstimator):
    """Forecasts 0, or takes its process with it."""

    def __init__(self, dies=False):
        self.dies = dies

    def fit(self, X, y):
        if self.dies:
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
