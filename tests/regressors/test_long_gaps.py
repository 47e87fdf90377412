"""Forecasts after a gap longer than a window: what lies before it is missing, whatever stands there in memory."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from skts import LSTMRegressor, SlidingWindower
from skts.datasets import make_panel
from skts.exceptions import MissingHistoryWarning
from skts.strategies import WindowedRegressor

WINDOW, HORIZON, GAP = 6, 2, 40
REGRESSORS = [
    LSTMRegressor(4, max_epochs=1, random_state=0, device="cpu"),
    LSTMRegressor(4, max_epochs=1, random_state=0, device="cpu", bidirectional=True, lookahead=3),
    WindowedRegressor(Ridge()),
]


@pytest.fixture
def broken():
    """A table of two series, each of which is broken off for a long time."""
    X, y = make_panel(n_series=2, n_rows=120, random_state=0)
    hour = np.tile(np.arange(120), 2)
    return X[(hour < 30) | (hour >= 30 + GAP)], X, y


@pytest.mark.filterwarnings("ignore", category=MissingHistoryWarning)
@pytest.mark.parametrize("regressor", REGRESSORS, ids=repr)
def test_a_row_after_a_long_gap_is_forecast_from_what_lies_after_the_gap_alone(broken, regressor):
    X_broken, X, y = broken
    windower = SlidingWindower(WINDOW, HORIZON, known=["wind"])
    regressor.fit(windower.fit_transform(X), y)
    windows = windower.transform(X_broken)
    assert len(windows.spans) == 4
    y_pred = pd.Series(regressor.predict(windows), X_broken.groupby("station").tail(-WINDOW).index)
    blank = X.copy()
    blank.loc[~X.index.isin(X_broken.index)] = np.nan  # every missing row written out
    expected = pd.Series(regressor.predict(windower.transform(blank)), X.groupby("station").tail(-WINDOW).index)
    np.testing.assert_allclose(y_pred, expected[y_pred.index], rtol=1e-6)
    changed = X_broken.copy()
    early = changed.groupby("station").cumcount() < 30
    changed.loc[early] += 100.0
    later = regressor.predict(windower.transform(changed))
    after = X_broken.groupby("station").cumcount()[X_broken.groupby("station").cumcount() >= WINDOW] >= 30
    np.testing.assert_array_equal(later[after], y_pred[after])
