"""Threads of a parallel search."""

import joblib
import pytest
import torch
from sklearn.model_selection import GridSearchCV

from skts import LSTMRegressor, SlidingWindower
from skts.datasets import make_panel


class CountsThreads(torch.nn.MSELoss):
    """Tells the search how many threads torch had while it trained."""

    def forward(self, forecasts, targets):
        return super().forward(forecasts, targets) * 0 + torch.get_num_threads()


def threads(regressor, X, y):
    return regressor.history_["train_loss"][0]


@pytest.mark.slow
def test_workers_of_a_search_share_the_cores_and_leave_the_user_with_his_threads():
    X, y = make_panel(n_series=1, n_rows=40, random_state=0)
    windows = SlidingWindower(4).fit_transform(X)
    X, y = windows[:], windows.targets(y)[:, 0]
    regressor = LSTMRegressor(2, max_epochs=1, device="cpu", net_params={"criterion": CountsThreads})
    before = torch.get_num_threads()
    search = GridSearchCV(regressor, {"lr": [0.01, 0.02]}, cv=2, n_jobs=2, scoring=threads, refit=False).fit(X, y)
    assert (search.cv_results_["mean_test_score"] == max(1, joblib.cpu_count() // 2)).all()
    assert torch.get_num_threads() == before
