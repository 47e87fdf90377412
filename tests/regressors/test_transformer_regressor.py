"""A transformer behind the windower."""

import numpy as np
import pytest

from skts import SlidingWindower, TransformerRegressor
from skts.datasets import make_panel
from skts.exceptions import MissingHistoryWarning
from tests._panels import HOURS

USUAL = {"hidden_size": 8, "num_heads": 2, "patch_len": 3, "max_epochs": 1, "random_state": 0, "device": "cpu"}


def make(**options):
    return TransformerRegressor(**USUAL | options)


@pytest.fixture(scope="module")
def panel():
    X, y = make_panel(n_series=2, n_rows=120, random_state=0)
    return X, y


def cut(X, **options):
    return SlidingWindower(10, 4, known=["wind"], **options).fit_transform(X)


def test_a_value_is_looked_up_where_it_is():
    """The target is the observed column 6 rows before; neighbouring rows say nothing of each other."""
    seen = np.random.default_rng(0).standard_normal((len(HOURS), 1))
    y = np.roll(seen[:, 0], 6)
    windows = SlidingWindower(8, 2).fit_transform(seen)
    regressor = make(hidden_size=16, patch_len=1, num_layers=1, lr=0.01, max_epochs=8, lr_schedule="one_cycle")
    error = regressor.fit(windows, y).predict(windows) - windows.targets(y)
    assert np.mean(error**2) < 0.1 * np.var(y)


def test_missing_inputs_and_targets_are_no_obstacle(panel):
    X, y = (part.copy() for part in panel)
    rng = np.random.default_rng(0)
    X.iloc[rng.choice(len(X), 20), 0] = np.nan
    y.iloc[rng.choice(len(y), 20)] = np.nan
    windows, regressor = cut(X), make()
    regressor.fit(windows, y)
    with pytest.warns(MissingHistoryWarning):
        assert np.isfinite(regressor.predict(windows)).all()


def test_quantiles_never_cross(panel):
    X, y = panel
    forecasts = make(quantiles=(0.1, 0.9)).fit(cut(X), y).predict(cut(X), quantiles=[0.1, 0.3, 0.5, 0.9])
    assert (np.diff(forecasts, axis=-1) >= 0).all()


def test_a_column_that_never_changes_within_a_series_tells_series_apart(panel):
    X, y = panel
    size = X.index.get_level_values("station").factorize()[0].astype(float)
    y = y * 0 + 3 * size
    windows = cut(X.assign(size=size))
    y_pred = make(max_epochs=10, lr=0.02).fit(windows, y).predict(windows)
    np.testing.assert_allclose(y_pred, windows.targets(y), atol=0.5)


def test_whole_series_are_refused(panel):
    X, y = panel
    windows = SlidingWindower(None, 4, known=["wind"], history=10).fit_transform(X)
    with pytest.raises(ValueError, match="Attention needs windows, and was given whole series"):
        make().fit(windows, y)


def test_a_window_is_read_as_a_whole(panel):
    X, y = panel
    regressor = make().fit(cut(X), y)
    with pytest.raises(ValueError, match="what reads a window as a whole serves one origin"):
        regressor.predict(cut(X), rolling="stateful")
