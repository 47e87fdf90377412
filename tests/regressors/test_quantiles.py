import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skts import HistoryPrepender, LSTMRegressor, SlidingWindower
from skts.datasets import make_panel
from skts.metrics import make_quantile_scorer, mean_quantile_loss
from skts.nn import interpolate_levels, sort_levels

levels = st.lists(st.sampled_from([i / 20 for i in range(1, 20)]), min_size=2, max_size=6, unique=True).map(sorted)


@settings(deadline=None, max_examples=50)
@given(levels, st.data())
def test_interpolation_equals_numpy(trained, data):
    asked = data.draw(st.lists(st.floats(trained[0], trained[-1]), min_size=1, max_size=4))
    forecasts = np.sort(np.random.default_rng(0).standard_normal((5, 2, len(trained))))
    expected = [[np.interp(asked, trained, values) for values in row] for row in forecasts]
    np.testing.assert_allclose(interpolate_levels(forecasts, tuple(trained), asked), expected)


def test_the_median_is_always_trained():
    assert sort_levels([0.9, 0.1, 0.9]) == (0.1, 0.5, 0.9)
    assert sort_levels([0.5]) == (0.5,)


@pytest.mark.parametrize("bad", [(), (0.0, 0.5), (0.5, 1.0), (np.nan,)])
def test_levels_outside_of_0_and_1_are_refused(bad):
    with pytest.raises(ValueError, match=r"quantiles=.*each within 0 and 1"):
        LSTMRegressor(quantiles=bad).fit(np.zeros((5, 2)), np.arange(5.0))


@pytest.fixture(scope="module")
def fitted():
    X, y = make_panel(n_series=2, n_rows=700, noise=0.1, random_state=0)
    new = X.index.get_level_values("time") >= np.sort(X.index.get_level_values("time").unique())[-96]
    lstm = LSTMRegressor(16, quantiles=(0.1, 0.9, 0.3, 0.7), max_epochs=15, lr=0.01, random_state=0, device="cpu")
    steps = [("scale", StandardScaler()), ("history", HistoryPrepender(24))]
    windows = SlidingWindower(24, 6, known=["wind"], stride=2)
    pipe = Pipeline([*steps, ("windows", windows), ("lstm", lstm)]).set_output(transform="pandas")
    return pipe.fit(X[~new], y[~new]), X[new], y[new]


def test_a_pipeline_answers_quantiles_in_order(fitted):
    pipe, X, _ = fitted
    asked = [0.1, 0.2, 0.5, 0.85]
    answer = pipe.predict(X, quantiles=asked)
    assert answer.shape == (len(X), 4)
    assert (np.diff(answer, axis=1) >= 0).all()
    np.testing.assert_allclose(answer[:, 2], pipe.predict(X))
    np.testing.assert_allclose(answer[:, 1], pipe.predict(X, quantiles=[0.1, 0.3]).mean(axis=1))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(pipe)).predict(X, quantiles=asked), answer)


def test_they_cover_what_they_say(fitted):
    pipe, X, y = fitted
    below = pipe.predict(X, quantiles=[0.1, 0.5, 0.9]) > y.to_numpy()[:, None]
    np.testing.assert_allclose(below.mean(axis=0), [0.1, 0.5, 0.9], atol=0.15)
    assert pipe.score(X, y) > 0.5


def test_a_quantile_scorer_scores_a_pipeline(fitted):
    pipe, X, y = fitted
    asked = [0.1, 0.5, 0.9]
    expected = mean_quantile_loss(y, pipe.predict(X, quantiles=asked), quantiles=asked)
    assert make_quantile_scorer(mean_quantile_loss, asked)(pipe, X, y) == pytest.approx(-expected)


def test_a_level_that_was_not_reached_is_refused(fitted):
    pipe, X, _ = fitted
    with pytest.raises(ValueError, match=r"quantiles=\[0.95\] lie outside of the trained levels 0.1 to 0.9"):
        pipe.predict(X, quantiles=[0.5, 0.95])


def test_a_regressor_of_the_mean_has_none():
    regressor = LSTMRegressor(2, max_epochs=1, device="cpu").fit(np.zeros((5, 2)), np.arange(5.0))
    with pytest.raises(ValueError, match=r"fit with LSTMRegressor\(quantiles=\(0.1, 0.5, 0.9\)\) first"):
        regressor.predict(np.zeros((5, 2)), quantiles=[0.5])


def test_two_targets_and_arrays_have_them_too():
    X, y = np.random.default_rng(0).standard_normal((30, 4, 2)), np.zeros((30, 2))
    regressor = LSTMRegressor(2, quantiles=(0.2, 0.8), max_epochs=1, device="cpu").fit(X, y)
    assert regressor.predict(X).shape == (30, 2)
    assert regressor.predict(X, quantiles=[0.2, 0.5, 0.6]).shape == (30, 2, 3)
    table, _ = make_panel(n_series=2, n_rows=60, random_state=0)
    windows = SlidingWindower(6, 3).fit_transform(table)
    regressor.fit(windows, pd.DataFrame({"a": table["power"], "b": table["wind"]}))
    assert regressor.predict(windows, quantiles=[0.3]).shape == (len(windows), 3, 2, 1)
