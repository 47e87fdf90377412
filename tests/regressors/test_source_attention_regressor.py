import pickle
from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skts import HistoryPrepender, NetRegressor, SlidingWindower, SourceAttentionRegressor
from skts.inspection import source_weights
from skts.nn import SourceAttention
from tests._sources import HORIZON, make_table, seasons

pytestmark = pytest.mark.filterwarnings("ignore:.*rest on blank or missing")
TAUGHT = {
    "hidden_size": 12,
    "lr": 0.015,
    "max_epochs": 8,
    "lr_schedule": "one_cycle",
    "random_state": 0,
    "device": "cpu",
}
TWO = {"one": "^one_", "two": "^two_"}


def cut(X, window=4, **options):
    return SlidingWindower(window, HORIZON, **{"known": list(X.columns)} | options).fit_transform(X)


def teach(X, y, sources=TWO, **options):
    windows = cut(X, stride=options.pop("stride", 1))
    return SourceAttentionRegressor(sources, **TAUGHT | options).fit(windows, y), windows


# --- whom it learns to trust ----------------------------------------------------------------------------------


def test_of_a_true_source_and_noise_the_true_one_is_trusted():
    X, y = make_table({"one": 0.1})
    X["two_wind"] = np.random.default_rng(1).standard_normal(len(X))
    weights = source_weights(*teach(X, y))
    assert weights["one"].mean() > 0.9


def test_weights_follow_the_source_that_is_better_in_a_season():
    season = seasons(1200)
    is_summer = season["season_sin"] > 0
    errors = {"one": np.where(is_summer, 0.1, 1.5), "two": np.where(is_summer, 1.5, 0.1)}
    X, y = make_table(errors, columns=season)
    weights = source_weights(*teach(X, y))
    summer = X.loc[weights.index.droplevel("lead"), "season_sin"].to_numpy() > 0
    assert weights.loc[summer, "one"].mean() > 0.8
    assert weights.loc[~summer, "one"].mean() < 0.2


def test_weights_follow_the_source_that_is_better_at_a_lead():
    is_early = np.arange(1600) % HORIZON < HORIZON // 2  # windows begin at every fourth row
    X, y = make_table({"one": np.where(is_early, 0.1, 1.5), "two": np.where(is_early, 1.5, 0.1)}, n_rows=1600)
    regressor, windows = teach(X, y, stride=HORIZON, batch_size=16, max_epochs=16)
    by_lead = source_weights(regressor, windows).groupby("lead").mean()
    assert (by_lead.loc[[1, 2], "one"] > 0.8).all()
    assert (by_lead.loc[[3, 4], "one"] < 0.2).all()


# --- a provider fails -----------------------------------------------------------------------------------------


def fail(X, source):
    """The table without what a provider says."""
    return X.assign(**{name: np.nan for name in X.columns if name.startswith(source)})


@pytest.fixture(scope="module")
def failing():
    """Two good providers that err apart, and networks that were trained with dropout of sources, and without."""
    X, y = make_table({"one": 0.2, "two": 0.4}, n_rows=2000)
    train, test = slice(0, 1400), slice(1400, None)
    regressors = [
        SourceAttentionRegressor(TWO, **TAUGHT | {"source_dropout": p, "random_state": 1}).fit(cut(X[train]), y[train])
        for p in (0.0, 0.3)
    ]
    return X[test], y[test], regressors


def errors_of(failing, change):
    X, y, regressors = failing
    windower = SlidingWindower(4, HORIZON, known=list(X.columns)).fit(X)
    windows = windower.transform(change(X))
    truth = y.to_numpy()[4:]
    return [mean_squared_error(truth, one.predict(windows)) for one in regressors], windows


@pytest.mark.parametrize("source", ["one", "two"])
def test_forecasts_go_on_when_a_provider_fails_and_a_missing_source_weighs_nothing(failing, source):
    errors, windows = errors_of(failing, lambda X: fail(X, source))
    assert np.isfinite(errors).all()
    for regressor in failing[2]:
        for part in ("horizon", "window"):
            weights = source_weights(regressor, windows, part=part)
            assert (weights[source] == 0).all()
            np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)


def test_a_network_that_knows_failures_errs_less_when_one_comes(failing):
    (without, dropped), _ = errors_of(failing, lambda X: fail(X, "one"))
    assert dropped < 0.8 * without


def test_where_all_providers_fail_forecasts_are_numbers_and_nobody_is_trusted(failing):
    errors, windows = errors_of(failing, lambda X: fail(fail(X, "one"), "two"))
    assert np.isfinite(errors).all()
    assert source_weights(failing[2][0], windows).isna().all(axis=None)


# --- what an estimator promises ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small():
    X, y = make_table({"one": 0.2, "two": 0.4}, n_rows=120, columns={"hour": np.arange(120) % 24 / 24})
    return X.mask(np.random.default_rng(0).random(X.shape) < 0.2), y


SMALL = {"hidden_size": 4, "max_epochs": 1, "random_state": 0, "device": "cpu"}


@pytest.mark.parametrize("known", [["one_wind", "two_wind", "hour"], ["two_wind"], ["hour"], None])
@pytest.mark.parametrize("options", [{}, {"shared": False, "source_dropout": 0.5, "num_layers": 1}])
def test_any_columns_may_be_known(small, known, options):
    X, y = small
    windower = SlidingWindower(6, HORIZON, known=known)
    regressor = SourceAttentionRegressor(TWO, **SMALL | options).fit(windower.fit_transform(X), y)
    y_pred = regressor.predict(windower.transform(X))
    assert y_pred.shape == (114,)
    assert np.isfinite(y_pred).all()
    assert {name: columns.tolist() for name, columns in regressor.sources_.items()} == {"one": [0], "two": [1]}


def test_a_pickled_and_a_copied_one_forecast_alike(small):
    X, y = small
    windows = cut(X)
    options = {"bidirectional": True, "lookahead": 2, "quantiles": (0.1, 0.9)}
    regressor = SourceAttentionRegressor(TWO, **SMALL | options).fit(windows, y)
    for again in (pickle.loads(pickle.dumps(regressor)), deepcopy(regressor)):
        np.testing.assert_array_equal(again.predict(windows), regressor.predict(windows))
        assert list(again.sources_) == ["one", "two"]


def test_one_reading_of_the_series_forecasts_as_windows_that_hold_all_of_it(small):
    X, y = small
    windower = SlidingWindower(100, HORIZON, known=list(X.columns))
    X = X.assign(two_wind=X["two_wind"].mask(np.arange(len(X)) % 7 < 3))
    regressor = SourceAttentionRegressor(TWO, **SMALL | {"series_embedding": 2}).fit(windower.fit_transform(X), y)
    windows = windower.transform(X[:104])  # one origin, after the whole series
    read_once = regressor.predict(windows, rolling="stateful")
    np.testing.assert_allclose(read_once, regressor.predict(windows), rtol=1e-4)


def test_one_pass_teaches_what_windows_apart_teach(small):
    X, y = small
    losses = [
        SourceAttentionRegressor(TWO, **SMALL, lr=1e-9, origins_per_pass=n).fit(cut(X, window=1), y).history_
        for n in (1, 4)
    ]
    # the windows of a pass have read more rows before them, but what is missing is known to both
    np.testing.assert_allclose(losses[0]["train_loss"], losses[1]["train_loss"], rtol=0.05)


def test_the_gradient_by_a_source_that_is_missing_is_nought(small):
    X, y = small
    windows = cut(X.assign(two_wind=np.nan))
    gradient = SourceAttentionRegressor(TWO, **SMALL).fit(windows, y).input_gradient(windows)
    assert np.isfinite(gradient).all()
    assert (gradient[..., 1] == 0).all()
    assert (gradient[..., 0] != 0).any()


def test_it_is_the_network_of_a_net_regressor(small):
    X, y = small
    windows = cut(X)
    params = {"sources": [[0], [1]], "known": [0, 1, 2], "hidden_size": 4}
    network = NetRegressor(SourceAttention, params, **{k: v for k, v in SMALL.items() if k != "hidden_size"})
    same = SourceAttentionRegressor(TWO, **SMALL)
    np.testing.assert_array_equal(network.fit(windows, y).predict(windows), same.fit(windows, y).predict(windows))


def test_names_are_those_of_the_table_that_enters_the_windower(small):
    X, y = small
    steps = StandardScaler(), HistoryPrepender(6), SlidingWindower(6, HORIZON, known=[0, 1, 2])
    pipe = make_pipeline(*steps, SourceAttentionRegressor(TWO, **SMALL))
    with pytest.raises(ValueError, match=r"these have none. Give positions.*set_output\(transform=\"pandas\"\)"):
        pipe.fit(X, y)
    assert not hasattr(pipe[-1], "sources_")
    pipe.set_output(transform="pandas").fit(X, y)
    assert list(pipe[-1].sources_) == ["one", "two"]


def test_arrays_take_positions_and_tables_of_rows_take_names():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((40, 3)), rng.standard_normal(40)
    regressor = SourceAttentionRegressor({"one": [0], "other": [1, 2]}, **SMALL).fit(X, y)
    assert regressor.predict(X).shape == (40,)
    table = pd.DataFrame(X, columns=["a_0", "b_0", "b_1"])
    named = clone(regressor).set_params(sources={"one": "^a", "other": "^b"}).fit(table, y)
    np.testing.assert_array_equal(named.predict(table), regressor.predict(X))
    assert clone(regressor).fit(X[:, None], y).predict(X[:, None]).shape == (40,)
    with pytest.raises(ValueError, match="Give positions"):
        clone(named).fit(X, y)
