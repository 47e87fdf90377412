import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from skts import DLinearRegressor, GRURegressor, HistoryPrepender, LSTMRegressor, NetRegressor, SlidingWindower
from skts.datasets import make_panel
from skts.nn import EncoderDecoder
from tests._panels import HOURS, make_frame

OPTIONS = {"hidden_size": 8, "max_epochs": 3, "batch_size": 1, "random_state": 0, "device": "cpu"}


@pytest.fixture(scope="module")
def panel():
    X, y = make_panel(n_series=3, n_rows=200, random_state=0)
    keep = np.ones(len(X), bool)
    keep[[30, 31, 250]] = False  # gaps
    keep[:12] = False  # and a series that starts later
    order = np.random.default_rng(0).permutation(len(X))
    order = np.argsort(X.index.get_level_values("time")[order], kind="stable")  # interleaved
    return X[keep], y[keep]


def split(X, y, n_test=25):
    time = X.index.get_level_values("time")
    new = time >= np.sort(time.unique())[-n_test]
    return X[~new], X[new], y[~new], y[new]


@pytest.mark.filterwarnings("ignore::skts.exceptions.SuspectUnitsWarning")
@pytest.mark.parametrize("cls", [LSTMRegressor, GRURegressor])
def test_every_new_row_is_forecast_and_the_future_of_what_is_observed_does_not_count(panel, cls):
    X, y = panel
    X_train, X_test, y_train, _ = split(X.assign(power=y), y)
    pipe = make_pipeline(
        HistoryPrepender(24), SlidingWindower(None, 6, history=24, known=["wind"]), cls(**OPTIONS)
    ).fit(X_train, y_train)
    y_pred = pipe.predict(X_test)
    assert y_pred.shape == (len(X_test),)
    assert np.isfinite(y_pred).all()
    time = X_test.index.get_level_values("time")
    block = (time - time.min()) // np.timedelta64(6, "h")
    changed = X_test.copy()
    changed.loc[block >= 2, "power"] += 100  # observed from the third origin on
    y_changed = pipe.predict(changed)
    np.testing.assert_array_equal(y_changed[block <= 2], y_pred[block <= 2])
    assert (y_changed[block > 2] != y_pred[block > 2]).all()


def test_more_history_than_a_chunk_is_not_read_into_the_network_by_accident(panel):
    """The pass of a forecast starts at its `history` rows, so that new tables of any length agree on their blocks."""
    X, y = panel
    X_train, X_test, y_train, _ = split(X, y)
    pipe = make_pipeline(
        HistoryPrepender(24), SlidingWindower(None, 5, history=24, known=["wind"]), LSTMRegressor(**OPTIONS)
    ).fit(X_train, y_train)
    time = X_test.index.get_level_values("time")
    first = time < np.sort(time.unique())[10]
    np.testing.assert_allclose(pipe.predict(X_test[first]), pipe.predict(X_test)[first], rtol=1e-6)


@pytest.mark.slow
def test_it_learns_what_windows_learn(panel):
    X, y = panel
    X_train, X_test, y_train, y_test = split(X, y)
    options = OPTIONS | {"max_epochs": 30, "hidden_size": 16, "lr": 0.01}
    pipe = make_pipeline(
        HistoryPrepender(24), SlidingWindower(None, 6, history=24, known=["wind"]), LSTMRegressor(**options)
    )
    assert pipe.fit(X_train, y_train).score(X_test, y_test) > 0.8


def test_early_stopping_validates_on_the_end_of_each_series(panel):
    X, y = panel
    windows = SlidingWindower(None, 6, history=24, known=["wind"]).fit_transform(X)
    regressor = LSTMRegressor(**OPTIONS | {"early_stopping": True}).fit(windows, y)
    assert len(regressor.history_["valid_loss"]) == 3


def test_windows_of_whole_series_have_no_array_and_say_so():
    windows = SlidingWindower(None, 2, history=4).fit_transform(make_frame(range(20), HOURS))
    assert (len(windows), windows.window) == (18, None)
    assert "all rows before" in repr(windows)
    with pytest.raises(TypeError, match="whole series"):
        np.asarray(windows)


def test_history_must_be_given():
    with pytest.raises(ValueError, match="needs history"):
        SlidingWindower(None, 2).fit(make_frame(range(20), HOURS))


@pytest.mark.parametrize(
    "regressor",
    [
        DLinearRegressor(device="cpu"),
        LSTMRegressor(**OPTIONS, patch_len=2),
        LSTMRegressor(**OPTIONS, instance_norm="last"),
        LSTMRegressor(**OPTIONS, origins_per_pass=3),
        LSTMRegressor(**OPTIONS, net_params={"iterator_train__by_series": True}),
        NetRegressor(EncoderDecoder, network_params={"linear_skip": True}, device="cpu"),
        LSTMRegressor(**OPTIONS, subsample=0.5),
    ],
)
def test_what_only_windows_can_do_is_refused(regressor):
    X = make_frame(range(20), HOURS)
    windows = SlidingWindower(None, 2, history=4).fit_transform(X)
    with pytest.raises(ValueError, match="whole series"):
        regressor.fit(windows, X["seen"])


def test_a_network_of_windows_takes_no_whole_series_and_the_other_way_round():
    X = make_frame(range(30), HOURS)
    whole = SlidingWindower(None, 2, history=4).fit(X)
    windows = SlidingWindower(4, 2).fit(X)
    regressor = LSTMRegressor(**OPTIONS).fit(windows.fit_transform(X), X["seen"])
    with pytest.raises(ValueError, match="rows of window"):
        regressor.predict(whole.transform(X))
