import numpy as np
import pytest
import torch
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skts import GRURegressor, HistoryPrepender, LSTMRegressor, SlidingWindower
from skts.datasets import make_panel
from skts.exceptions import MissingHistoryWarning, UnseenSeriesWarning

RECURRENT = [LSTMRegressor, GRURegressor]
OPTIONS = [
    {"bidirectional": True},
    {"lookahead": 3, "bidirectional": True},
    {"patch_len": 5},
    {"instance_norm": "last"},
    {"instance_norm": "mean", "quantiles": (0.1, 0.9)},
    {"instance_norm": "median", "input_dropout": 0.1},
    {"input_dropout": 0.2, "subsample": 0.5},
    {"series_embedding": 2},
    {"origins_per_pass": 7},
    {"origins_per_pass": 3, "lookahead": 2, "bidirectional": True, "series_embedding": 2},
    {"lookahead": 2, "bidirectional": True, "instance_norm": "mean", "series_embedding": 2},
]


def make_regressor(regressor=GRURegressor, **kwargs):
    return regressor(**{"hidden_size": 4, "max_epochs": 1, "random_state": 0, "device": "cpu"} | kwargs)


def make_pipe(regressor=GRURegressor, known=("wind",), **kwargs):
    steps = [
        ("scale", StandardScaler()),
        ("history", HistoryPrepender(12)),
        ("windows", SlidingWindower(12, 4, known=list(known))),
        ("net", make_regressor(regressor, **kwargs)),
    ]
    return Pipeline(steps).set_output(transform="pandas")


def split(X, y, n_test):
    new = (X.groupby("station").cumcount() >= len(X) // 2 - n_test).to_numpy()
    return X[~new], X[new], y[~new], y[new]


@pytest.fixture(scope="module")
def panel():
    return make_panel(n_series=2, n_rows=90, random_state=0)


@pytest.fixture(scope="module")
def windows(panel):
    return SlidingWindower(12, 4, known=["wind"]).fit_transform(panel[0])


# --- through a pipeline -----------------------------------------------------------------------------------


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("regressor", RECURRENT)
def test_every_row_is_forecast_and_no_observed_value_of_its_block_is_read(panel, regressor, options):
    X_train, X_test, y_train, _ = split(*panel, 10)
    pipe = make_pipe(regressor, **options).fit(X_train, y_train)
    y_pred = pipe.predict(X_test)
    assert y_pred.shape == (20,)
    assert np.isfinite(y_pred).all()
    row = np.tile(np.arange(10), 2)  # blocks of 4, 4 and 2 rows
    spoiled = pipe.predict(X_test.assign(power=X_test["power"] + 100 * (row >= 4)))
    np.testing.assert_array_equal(spoiled[row < 8], y_pred[row < 8])
    assert (spoiled[row >= 8] != y_pred[row >= 8]).all()


@pytest.mark.parametrize(("lookahead", "n_moved"), [(0, 0), (2, 0), (3, 4), (8, 4)])
def test_the_weather_after_a_block_is_read_as_far_as_the_lookahead_reaches(panel, lookahead, n_moved):
    X_train, X_test, y_train, _ = split(*panel, 12)
    pipe = make_pipe(bidirectional=True, lookahead=lookahead).fit(X_train, y_train)
    row = np.tile(np.arange(12), 2)
    windy = X_test.assign(wind=X_test["wind"] + 5 * (row == 6))  # the third row of the second block
    moved = pipe.predict(windy) != pipe.predict(X_test)
    assert moved.reshape(2, 3, 4).sum(axis=(0, 2)).tolist() == [2 * n_moved, 8, 8]


def test_lookahead_in_one_direction_changes_nothing(panel):
    X_train, X_test, y_train, _ = split(*panel, 12)
    forecasts = [make_pipe(lookahead=lookahead).fit(X_train, y_train).predict(X_test) for lookahead in (0, 3)]
    np.testing.assert_allclose(*forecasts, rtol=1e-6)


@pytest.mark.parametrize(
    "option",
    [
        {"num_layers": 2},
        {"dropout": 0.5},
        {"input_dropout": 0.5},
        {"bidirectional": True},
        {"patch_len": 3},
        {"instance_norm": "last"},
        {"series_embedding": 2},
        {"origins_per_pass": 3},
        {"subsample": 0.5},
        {"net_params": {"iterator_train__by_series": True}},
        {"weight_decay": 0.5},
        {"lr_schedule": "one_cycle"},
    ],
    ids=str,
)
def test_every_option_changes_what_is_learned(windows, panel, option):
    plain, other = (make_regressor(**options).fit(windows, panel[1]) for options in ({}, option))
    state, other_state = plain.net_.module_.state_dict(), other.net_.module_.state_dict()
    assert state.keys() != other_state.keys() or any(
        state[key].shape != other_state[key].shape or not torch.equal(state[key], other_state[key]) for key in state
    )
    assert not np.array_equal(plain.predict(windows), other.predict(windows))


# --- what the past of the target is taken off -------------------------------------------------------------


@pytest.mark.parametrize("kind", ["last", "mean", "median"])
def test_a_higher_past_is_forecast_as_much_higher(panel, kind):
    X, y = panel
    windower = SlidingWindower(12, 4, known=["wind"])
    regressor = make_regressor(instance_norm=kind).fit(windower.fit_transform(-2 * X), y)
    moved = regressor.predict(windower.transform(-2 * X.assign(power=X["power"] + 30)))
    np.testing.assert_allclose(moved, regressor.predict(windower.transform(-2 * X)) + 30, rtol=1e-4)


# --- series that are told apart ---------------------------------------------------------------------------


def test_a_series_is_known_again_by_its_name(panel, windows):
    X, y = panel
    regressor = make_regressor(series_embedding=3).fit(windows, y)
    both = regressor.predict(windows)
    windower = SlidingWindower(12, 4, known=["wind"]).fit(X)
    alone = regressor.predict(windower.fit_transform(X.loc[["station_1"]]))
    np.testing.assert_allclose(alone, both[windows.series == 1], rtol=1e-5)
    swapped = regressor.predict(windower.fit_transform(X.rename({"station_0": "station_1", "station_1": "station_0"})))
    assert not np.allclose(swapped, both)


def test_an_unseen_series_is_forecast_as_their_mean(panel, windows):
    X, y = panel
    regressor = make_regressor(series_embedding=3).fit(windows, y)
    unseen = SlidingWindower(12, 4, known=["wind"]).fit_transform(X.rename({"station_1": "elsewhere"}))
    y_pred, known = regressor.predict(unseen), regressor.predict(windows)
    np.testing.assert_array_equal(y_pred[unseen.series_names[unseen.series] == "station_0"], known[windows.series == 0])
    table = regressor.net_.module_.embedding.table.weight
    with torch.no_grad():
        table.copy_(table.mean(dim=0).expand(2, 3))
    mean = regressor.predict(windows)[windows.series == 1]
    np.testing.assert_allclose(y_pred[unseen.series_names[unseen.series] == "elsewhere"], mean, rtol=1e-5)


def test_an_unseen_series_passes_a_pipeline(panel):
    X_train, X_test, y_train, _ = split(*panel, 10)
    pipe = make_pipe(series_embedding=2).fit(X_train.loc[["station_0"]], y_train.loc[["station_0"]])
    with pytest.warns(UnseenSeriesWarning), pytest.warns(MissingHistoryWarning):
        assert np.isfinite(pipe.predict(X_test)).all()


def test_stations_that_differ_in_nothing_but_their_name_are_told_apart():
    X, _ = make_panel(n_series=2, n_rows=100, random_state=0)
    y = X["power"] * 0 + np.repeat([0.0, 1.0], 100)
    X = X.assign(power=0.0, wind=0.0)
    windows = SlidingWindower(4, 2).fit_transform(X)
    y_pred = make_regressor(series_embedding=2, max_epochs=30, lr=0.02).fit(windows, y).predict(windows)
    np.testing.assert_allclose(y_pred, windows.targets(y), atol=0.2)
    blind = make_regressor(max_epochs=30, lr=0.02).fit(windows, y).predict(windows)
    np.testing.assert_allclose(blind, 0.5, atol=0.2)


def test_windows_without_a_name_take_the_mean_of_all_series(panel):
    X, y = panel
    windows = SlidingWindower(12, 1).fit_transform(X)
    regressor = make_regressor(series_embedding=2).fit(windows, y)
    nameless = regressor.predict(np.asarray(windows))
    with torch.no_grad():
        table = regressor.net_.module_.embedding.table.weight
        table[:] = table.mean(dim=0)
    np.testing.assert_allclose(regressor.predict(windows)[:, 0], nameless, rtol=1e-5)


# --- refusals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("regressor", RECURRENT)
@pytest.mark.parametrize("asked", [{"bidirectional": True}, {"lookahead": 3}])
def test_what_reads_known_columns_is_refused_without_any(panel, regressor, asked):
    (name, value), (X, y) = next(iter(asked.items())), panel
    message = rf"{name}={value} reads known columns.*SlidingWindower\(known=...\)\.\n.*{regressor.__name__}"
    for windows in (SlidingWindower(12, 4).fit_transform(X), np.zeros((len(y), 3, 1))):
        with pytest.raises(ValueError, match=message):
            make_regressor(regressor, **asked).fit(windows, y)


@pytest.mark.parametrize(("option", "value"), [("patch_len", 3), ("instance_norm", "last")])
def test_what_reads_a_window_as_a_whole_shares_no_pass(windows, panel, option, value):
    message = rf"GRURegressor\({option}={value!r}, origins_per_pass=2\).*one origin alone.* Leave one of the two out"
    with pytest.raises(ValueError, match=message):
        make_regressor(**{option: value}, origins_per_pass=2).fit(windows, panel[1])


def test_another_window_is_refused(windows, panel):
    regressor = make_regressor().fit(windows, panel[1])
    other = SlidingWindower(13, 4, known=["wind"]).fit_transform(panel[0])
    for call in (regressor.predict, lambda X: regressor.partial_fit(X, panel[1])):
        with pytest.raises(ValueError, match="fitted with 12 rows of window and is now given 13"):
            call(other)


@pytest.mark.parametrize(
    "bad",
    [
        {"lookahead": -1},
        {"patch_len": 0},
        {"instance_norm": "first"},
        {"series_embedding": -1},
        {"origins_per_pass": 0},
        {"bidirectional": 2},
        {"lr_schedule": "linear"},
    ],
)
def test_bad_parameters_are_named(windows, panel, bad):
    with pytest.raises(ValueError, match=f"The '{next(iter(bad))}' parameter of GRURegressor"):
        make_regressor(**bad).fit(windows, panel[1])
