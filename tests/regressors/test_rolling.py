"""Forecasts that go on from the state of the one before."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch

from skts import GRURegressor, HistoryPrepender, LSTMRegressor, NetRegressor, SlidingWindower
from skts.datasets import make_panel
from skts.exceptions import MissingHistoryWarning
from skts.nn import EncoderDecoder
from skts.strategies import EnsembleRegressor

OPTIONS = [
    {},
    {"num_layers": 2},
    {"lookahead": 3, "bidirectional": True},
    {"series_embedding": 2},
    {"origins_per_pass": 5, "lookahead": 2, "bidirectional": True, "series_embedding": 2},
    {"quantiles": (0.1, 0.5, 0.9)},
]


def make_regressor(cls=LSTMRegressor, **kwargs):
    return cls(**{"hidden_size": 5, "max_epochs": 2, "random_state": 0, "device": "cpu"} | kwargs)


@pytest.fixture(scope="module")
def panel():
    """Two stations that interleave, one with a gap."""
    X, y = make_panel(n_series=2, n_rows=90, random_state=0)
    keep = np.arange(180) != 40
    order = np.argsort(X.index.get_level_values("time")[keep], kind="stable")
    return X[keep].iloc[order], y[keep].iloc[order]


@pytest.fixture(params=["forecasting", "training"])
def windows(request, panel):
    windower = SlidingWindower(12, 4, known=["wind"])
    return (
        windower.fit_transform(panel[0]) if request.param == "training" else windower.fit(panel[0]).transform(panel[0])
    )


@pytest.fixture(autouse=True)
def _short_chunks(monkeypatch):
    monkeypatch.setattr("skts.supervised._inputs._CHUNK_ROWS", 7)
    monkeypatch.setattr("skts.training._window_net._DECODED_AT_ONCE", {"cpu": 3, "other": 3})


def forecast_alone(regressor, windows):
    """Forecast from each origin by a pass of its own, which reads its whole span up to there."""
    module, forecasts = regressor.net_.module_.eval(), []
    learned = regressor._learned
    names = learned.series_names.get_indexer(windows.series_names)
    for origin, number, (begin, end) in zip(windows.origins, windows.series, windows.own_spans, strict=True):
        rows = pd.DataFrame(windows.panel[begin:end]).ffill().fillna(0).to_numpy(copy=True)
        ahead = begin + np.arange(origin - begin, origin - begin + windows.horizon + regressor.lookahead)
        future = rows[np.minimum(ahead, end - 1) - begin][:, windows.known]
        past, future = (torch.from_numpy(values)[None] for values in (rows[: origin - begin], future))
        with torch.no_grad():
            forecasts.append(module(past, future, torch.tensor([names[number]]))[0][0, :, 0])
    values = torch.stack(forecasts).double().numpy()  # (n_windows, horizon), or (n_windows, horizon, Q)
    values = values if values.ndim == 2 else values[:, :, values.shape[2] // 2]
    values = values * learned.y_scale + learned.y_mean
    return values if windows.is_training else windows.to_rows(values)


@pytest.mark.filterwarnings("ignore::skts.exceptions.MissingHistoryWarning")
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("cls", [LSTMRegressor, GRURegressor])
def test_a_forecast_rests_on_all_rows_of_its_series_before_the_origin(panel, windows, cls, options):
    training = SlidingWindower(12, 4, known=["wind"]).fit_transform(panel[0])
    regressor = make_regressor(cls, rolling="stateful", **options).fit(training, panel[1])
    y_pred = regressor.predict(windows)
    np.testing.assert_allclose(y_pred, forecast_alone(regressor, windows), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(regressor)).predict(windows), y_pred)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_where_the_window_holds_the_whole_past_both_are_the_same(panel, options):
    X, y = panel
    X, y = X.loc[["station_1"]], y.loc[["station_1"]]
    X_first = X[:16]  # 12 rows of history and one block
    windower = SlidingWindower(12, 4, known=["wind"])
    regressor = make_regressor(**options).fit(windower.fit_transform(X), y)
    by_windows = regressor.predict(windower.transform(X_first))
    stateful = regressor.predict(windower.transform(X_first), rolling="stateful")
    np.testing.assert_allclose(stateful, by_windows, rtol=1e-5)
    longer = windower.transform(X[:20])
    moved = np.abs(regressor.predict(longer, rolling="stateful") / regressor.predict(longer) - 1)
    assert (moved[4:] > 1e-6).all()


def test_training_does_not_change(panel):
    X, y = panel
    windows = SlidingWindower(12, 4, known=["wind"]).fit_transform(X)
    regressors = [make_regressor(rolling=rolling, early_stopping=True) for rolling in ("windows", "stateful")]
    first, second = (regressor.fit(windows, y).history_ for regressor in regressors)
    assert first == second


def test_every_new_row_is_forecast_and_the_future_of_what_is_observed_does_not_count(panel):
    X, y = panel
    windower = SlidingWindower(12, 4, known=["wind"])
    new = (X.groupby("station").cumcount() >= 70).to_numpy()
    history = HistoryPrepender(12).fit(X[~new])
    regressor = make_regressor(rolling="stateful", lookahead=2, bidirectional=True)
    regressor.fit(windower.fit_transform(X[~new]), y[~new])

    def predict(X):
        return regressor.predict(windower.transform(history.transform(X)))

    y_pred = predict(X[new])
    assert y_pred.shape == (new.sum(),)
    block = X[new].groupby("station").cumcount().to_numpy() // 4
    spoiled = predict(X[new].assign(power=X["power"][new] + 100 * (block >= 2)))
    np.testing.assert_array_equal(spoiled[block <= 2], y_pred[block <= 2])
    assert (spoiled[block > 2] != y_pred[block > 2]).all()


def test_holes_are_filled_along_the_series():
    X, y = make_panel(n_series=2, n_rows=60, missing=0.2, random_state=0)
    windower = SlidingWindower(12, 4, known=["wind"])
    regressor = make_regressor(rolling="stateful").fit(windower.fit_transform(X), y)
    windows = windower.transform(X)
    with pytest.warns(MissingHistoryWarning):
        y_pred = regressor.predict(windows)
    np.testing.assert_allclose(y_pred, forecast_alone(regressor, windows), rtol=1e-4)


@pytest.mark.filterwarnings("ignore::skts.exceptions.MissingHistoryWarning")
def test_how_the_rows_are_cut_into_chunks_does_not_count(panel, windows, monkeypatch):
    training = SlidingWindower(12, 4, known=["wind"]).fit_transform(panel[0])
    regressor = make_regressor(rolling="stateful").fit(training, panel[1])
    y_pred = regressor.predict(windows)
    for length in (1, 256):
        monkeypatch.setattr("skts.supervised._inputs._CHUNK_ROWS", length)
        np.testing.assert_allclose(regressor.predict(windows), y_pred, rtol=1e-5, atol=1e-6)


def test_predict_may_ask_for_the_other_way(panel):
    X, y = panel
    windows = SlidingWindower(12, 4, known=["wind"]).fit_transform(X)
    stateful, plain = (make_regressor(rolling=rolling).fit(windows, y) for rolling in ("stateful", "windows"))
    np.testing.assert_array_equal(plain.predict(windows, rolling="stateful"), stateful.predict(windows))
    np.testing.assert_array_equal(stateful.predict(windows, rolling="windows"), plain.predict(windows))
    with pytest.raises(ValueError, match=r"LSTMRegressor.predict\(rolling='other'\): 'windows' or 'stateful'"):
        plain.predict(windows, rolling="other")


def test_an_ensemble_passes_it_on(panel):
    X, y = panel
    windows = SlidingWindower(12, 4, known=["wind"]).fit_transform(X)
    stateful, plain = (
        EnsembleRegressor(make_regressor(rolling=rolling), 2, random_state=0).fit(windows, y)
        for rolling in ("stateful", "windows")
    )
    np.testing.assert_array_equal(plain.predict(windows, rolling="stateful"), stateful.predict(windows))
    assert not np.array_equal(plain.predict(windows), stateful.predict(windows))


def test_whole_series_are_read_as_ever(panel):
    X, y = panel
    windows = SlidingWindower(None, 4, history=12, known=["wind"]).fit_transform(X)
    regressor = make_regressor().fit(windows, y)
    np.testing.assert_array_equal(regressor.predict(windows, rolling="stateful"), regressor.predict(windows))


def test_arrays_have_no_series_to_go_on_in(panel):
    X, y = panel
    windows = SlidingWindower(12, 4).fit_transform(X)
    X, y = np.asarray(windows), windows.targets(y)
    regressor = make_regressor().fit(X, y)
    np.testing.assert_array_equal(regressor.predict(X, rolling="stateful"), regressor.predict(X))


@pytest.mark.parametrize(("parameter", "value"), [("patch_len", 3), ("instance_norm", "last"), ("linear_skip", True)])
def test_what_reads_a_window_as_a_whole_is_refused(panel, parameter, value):
    X, y = panel
    windows = SlidingWindower(12, 4, known=["wind"]).fit_transform(X)
    options = {"max_epochs": 1, "device": "cpu"}
    if parameter == "linear_skip":
        regressor = NetRegressor(EncoderDecoder, network_params={parameter: value}, **options)
    else:
        regressor = LSTMRegressor(4, **{parameter: value}, **options)
    refusal = rf"{parameter}={value!r}, rolling='stateful'\).*Leave one of the two out"
    with pytest.raises(ValueError, match=refusal):
        regressor.set_params(rolling="stateful").fit(windows, y)
    assert not hasattr(regressor, "net_")
    regressor.set_params(rolling="windows").fit(windows, y)
    with pytest.raises(ValueError, match=refusal):
        regressor.predict(windows, rolling="stateful")


def test_another_way_is_refused(panel):
    with pytest.raises(ValueError, match="The 'rolling' parameter of LSTMRegressor"):
        make_regressor(rolling="other").fit(SlidingWindower(12, 4).fit_transform(panel[0]), panel[1])
