import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.metrics import r2_score

from skts import SlidingWindower
from skts.datasets import make_panel
from skts.supervised import ScoreMixin


class Forecasts(ScoreMixin, BaseEstimator):
    """Forecasts what it was made with."""

    def __init__(self, y_pred):
        self.y_pred = y_pred

    def predict(self, X):
        return self.y_pred


rng = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(40,), (40, 2), (40, 3, 2)])
@pytest.mark.parametrize("weighted", [False, True])
def test_rows_without_a_target_are_left_out(shape, weighted):
    y, y_pred = rng.standard_normal((2, *shape))
    weight = rng.random(40) if weighted else None
    holes = rng.random(40) < 0.3
    missing = np.where(holes.reshape(-1, *[1] * (len(shape) - 1)), np.nan, y)
    there = None if weight is None else weight[~holes]
    expected = r2_score(
        y[~holes].reshape(sum(~holes), -1), y_pred[~holes].reshape(sum(~holes), -1), sample_weight=there
    )
    assert Forecasts(y_pred).score(None, missing, sample_weight=weight) == pytest.approx(expected)


def test_a_row_counts_only_with_all_of_its_targets():
    y, y_pred = rng.standard_normal((2, 40, 2))
    half = y.copy()
    half[:10, 1] = np.nan
    assert Forecasts(y_pred).score(None, half) == pytest.approx(r2_score(y[10:], y_pred[10:]))


def test_training_windows_score_against_rows_or_targets():
    X, y = make_panel(n_series=2, n_rows=40, missing=0.2, random_state=0)
    windows = SlidingWindower(5, 3).fit_transform(X)
    targets = windows.targets(y)
    forecasts = Forecasts(rng.standard_normal(targets.shape))
    there = ~np.isnan(targets)
    expected = pytest.approx(r2_score(targets[there], forecasts.y_pred[there]))
    assert forecasts.score(windows, y) == expected
    assert forecasts.score(windows, targets) == expected


def test_nothing_to_score_is_refused():
    with pytest.raises(ValueError, match=r"Forecasts.score: y is missing \(NaN\) in every row"):
        Forecasts(np.zeros(4)).score(None, np.full(4, np.nan))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        Forecasts(np.zeros(4)).score(None, np.zeros(5))
