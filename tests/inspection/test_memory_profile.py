"""Each lag's share in a forecast is known where the forecast is a known function of the window."""

import copy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.signal import lfilter
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor
from torch import nn

from skts import (
    DLinearRegressor,
    GRURegressor,
    HistoryPrepender,
    LSTMRegressor,
    NetRegressor,
    SlidingWindower,
)
from skts.inspection import memory_profile
from skts.inspection.memory._measure import draw_donors
from skts.inspection.memory._sample import Sample
from skts.model_selection import PanelTimeSeriesSplit
from skts.nn import Forecaster, LinearForecaster
from skts.strategies import EnsembleRegressor, PerSeriesRegressor, RecursiveRegressor, WindowedRegressor
from tests._callbacks import Recorder
from tests._panels import HOURS

pytestmark = pytest.mark.filterwarnings("ignore::skts.exceptions.MissingHistoryWarning")  # panels with holes
WINDOW = 20
W_V, W_OUT = np.array([1.0, -0.5, 0.3]), np.array([1.0, 0.4, 0.2])
BASIS = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
W_H = BASIS @ np.diag([0.8, 0.3, 0.1]) @ BASIS.T
CLOSED_FORM = np.array([abs(W_V @ np.linalg.matrix_power(W_H, k - 1) @ W_OUT) for k in range(1, WINDOW + 1)])


class Recurrence(Forecaster):
    """A linear recurrence of given weights: h_i = h_(i-1) W_h + x_i W_v, and the forecast is h_n . w."""

    def __init__(self, n_features):
        super().__init__()
        self.idle = nn.Parameter(torch.zeros(()))  # an optimizer wants something to train
        for name, value in {"v": W_V, "h": W_H, "out": W_OUT}.items():
            self.register_buffer(name, torch.tensor(value, dtype=torch.float32))

    def forward(self, past, known=None, series=None, state=None):
        hidden = past.new_zeros(len(past), 3)
        for row in past[:, :, 0].unbind(dim=1):
            hidden = hidden @ self.h + row[:, None] * self.v
        return (hidden @ self.out)[:, None, None] + 0 * self.idle, None


class Weighed(Forecaster):
    """Forecast two leads as given sums of the window's cells, which no training changes."""

    def __init__(self, weights):
        super().__init__()
        self.idle = nn.Parameter(torch.zeros(()))
        self.register_buffer("weights", torch.tensor(np.array(weights), dtype=torch.float32))  # (H, W, F)

    def forward(self, past, known=None, series=None, state=None):
        return torch.einsum("bwf,hwf->bh", past, self.weights)[..., None] + 0 * self.idle, None


def noise(n_rows, n_features=1, seed=0):
    return np.random.default_rng(seed).normal(size=(n_rows, n_features))


def fit_network(network, windows, y, **params):
    return NetRegressor(network, network_params=params or None, max_epochs=1, random_state=0, device="cpu").fit(
        windows, y
    )


def make_panel(names="ab", n_rows=200, seed=0):
    """A panel whose power follows its own past and the wind, with a hole in the times and one in the power."""
    tables = []
    for i, name in enumerate(names):
        wind, shock = noise(n_rows, 2, seed + i).T
        wind = lfilter([1], [1, -0.8], wind)
        power = lfilter([1], [1, -0.6], 0.5 * shock) + wind + 10 * i
        index = pd.MultiIndex.from_product([[name], HOURS[:n_rows]], names=["series", "time"])
        tables.append(pd.DataFrame({"power": power, "wind": wind}, index=index))
    X = pd.concat(tables)
    X.iloc[150:153, 0] = np.nan
    X = X.drop(index=X.index[30:33])
    return X, X["power"]


def make_pipe(regressor, window=12, horizon=3):
    return Pipeline(
        [
            ("scale", StandardScaler()),
            ("history", HistoryPrepender(window)),
            ("windows", SlidingWindower(window, horizon, known=["wind"])),
            ("regressor", regressor),
        ]
    ).set_output(transform="pandas")


def split(X, y, hour=120):
    is_new = X.index.get_level_values("time") >= HOURS[hour]
    return X[~is_new], y[~is_new], X[is_new], y[is_new]


@pytest.fixture(scope="module")
def recurrence():
    X = noise(3000)
    windows = SlidingWindower(WINDOW, stride=3).fit_transform(X)
    y = noise(3000, seed=1)[:, 0]
    return memory_profile(fit_network(Recurrence, windows, y), windows, y, method="both", random_state=0)


@pytest.mark.parametrize("way", ["forward", "backward"])
def test_a_linear_recurrence_forgets_as_its_matrix_does(recurrence, way):
    measure = recurrence[way].change if way == "forward" else recurrence[way].gradient
    found = measure.by_lag["mean"].to_numpy()
    assert np.corrcoef(found, CLOSED_FORM)[0, 1] > 0.99
    assert np.allclose(found / found.sum(), CLOSED_FORM / CLOSED_FORM.sum(), rtol=0.15, atol=1e-6)
    decay = np.exp(np.polyfit(np.arange(8, WINDOW + 1), np.log(found[7:]), 1)[0])  # the largest eigenvalue is left
    assert decay == pytest.approx(np.abs(np.linalg.eigvals(W_H)).max(), rel=0.05)
    expected = 1 + np.argmax(np.cumsum(CLOSED_FORM) >= 0.95 * CLOSED_FORM.sum())
    assert recurrence[way].effective_memory == recurrence.effective_memory == expected


def test_the_gradient_is_in_units_of_the_target_per_deviation_of_a_column():
    X, y = noise(500, 2) * [3.0, 0.2] + [5.0, 0.0], 7.0 * noise(500, seed=1)[:, 0]
    weights = np.zeros((2, 4, 2))
    weights[0, 3, 0], weights[1, 1, 1] = 0.5, -4.0  # lead 1 reads lag 1 of x0, lead 2 lag 3 of x1
    windows = SlidingWindower(4, horizon=2).fit_transform(X)
    regressor = fit_network(Weighed, windows, y, weights=weights)
    gradient = memory_profile(regressor, windows, y, method="gradient", random_state=0).backward.gradient
    by_lead = np.zeros((4, 2))
    by_lead[0, 0], by_lead[2, 1] = y.std() * np.array([0.5, 4.0]) * X.std(axis=0)
    assert np.allclose(gradient.by_lead, by_lead, rtol=0.02, atol=1e-5)
    assert np.allclose(gradient.by_feature, by_lead / 2, rtol=0.02, atol=1e-5)  # a mean over the leads
    assert np.allclose(gradient.by_feature.sum(axis=1), gradient.by_lag["mean"])


def test_occlusion_tells_lags_features_and_leads_apart():
    X, y = noise(2000, 2), noise(2000, seed=1)[:, 0]
    weights = np.zeros((2, 4, 2))
    weights[0, 3, 0], weights[1, 1, 1] = 0.5, 2.0
    windows = SlidingWindower(4, horizon=2).fit_transform(X)
    regressor = fit_network(Weighed, windows, y, weights=weights)
    change = memory_profile(regressor, windows, y, n_windows=1500, random_state=0).forward.change
    by_lead = np.zeros((4, 2))
    by_lead[0, 0], by_lead[2, 1] = 0.5 * 2 / np.sqrt(np.pi), 2 * 2 / np.sqrt(np.pi)  # of two normals apart
    assert np.allclose(change.by_lead, by_lead, rtol=0.1, atol=1e-6)
    assert np.allclose(change.by_feature, by_lead / 2, rtol=0.1, atol=1e-6)


def test_the_error_rises_by_what_hiding_costs():
    X = noise(2000)
    y = np.r_[np.zeros(2), X[:-2, 0]] + 0.5 * noise(2000, seed=1)[:, 0]
    windows = SlidingWindower(4).fit_transform(X)
    regressor = WindowedRegressor(Ridge()).fit(windows, y)
    rise = memory_profile(regressor, windows, y, n_windows=1500, random_state=0).forward.rise.by_lag["mean"]
    assert rise[2] == pytest.approx(np.sqrt(2 / np.pi) * (1.5 - 0.5), rel=0.1)  # variances 2 + 0.25 against 0.25
    assert rise.drop(2).abs().max() < 0.02


@pytest.mark.parametrize(
    "regressor",
    [WindowedRegressor(Ridge()), DLinearRegressor(kernel_size=3, max_epochs=6, lr=0.01, random_state=0, device="cpu")],
)
def test_the_memory_of_an_autoregression_ends_with_its_order(regressor):
    x = lfilter([1], [1, -0.5, 0.2, -0.4], noise(4000)[:, 0])
    X = ((x - x.mean()) / x.std())[:, None]
    windows = SlidingWindower(10).fit_transform(X)
    profile = memory_profile(regressor.fit(windows, X[:, 0]), windows, X[:, 0], random_state=0)
    for measure in (profile.forward.change, profile.forward.rise):
        mean = measure.by_lag["mean"]
        assert mean[4:].max() < 0.15 * mean[:3].min()
    assert mean[1] == mean.max()


@pytest.mark.parametrize(
    "network", [NetRegressor(LinearForecaster, max_epochs=3), GRURegressor(12, max_epochs=5, lr=0.03)]
)
def test_the_one_lag_that_a_network_learned_is_found(network):
    X = noise(2500)
    y = np.r_[np.zeros(4), X[:-4, 0]]
    windows = SlidingWindower(8).fit_transform(X)
    network.set_params(random_state=0, device="cpu").fit(windows, y)
    profile = memory_profile(network, windows, y, method="both", n_windows=200, random_state=0)
    for measure in (profile.forward.change, profile.forward.rise, profile.backward.gradient):
        assert measure.by_lag["mean"].idxmax() == 4


def test_intervals_hold_the_truth_and_widen_with_fewer_windows():
    X, y = noise(6000), noise(6000, seed=1)[:, 0]
    windows = SlidingWindower(12).fit_transform(X)
    weights = np.linspace(0.1, 1.2, 12)
    regressor = fit_network(Weighed, windows, y, weights=weights[None, ::-1, None])
    truth = y.std() * weights * 2 / np.sqrt(np.pi)
    n_inside, widths = 0, {}
    for n_windows in (50, 800):
        for seed in range(10):
            found = memory_profile(regressor, windows, y, n_windows=n_windows, random_state=seed).forward.change.by_lag
            n_inside += ((found["low"] <= truth) & (truth <= found["high"])).sum()
            widths[n_windows] = widths.get(n_windows, 0) + (found["high"] - found["low"]).mean()
    assert 0.91 <= n_inside / 240 <= 0.99
    assert widths[50] / widths[800] == pytest.approx(4, rel=0.25)


def test_windows_under_one_weather_count_as_one():
    one = noise(2000)
    index = pd.MultiIndex.from_product([range(8), pd.RangeIndex(2000)], names=["series", "time"])
    table = pd.DataFrame(np.tile(one, (8, 1)), index=index)
    y = np.zeros(len(table))
    profiles = []
    for X in (table.loc[[0]], table):
        windows = SlidingWindower(4, stride=25).fit_transform(X)
        regressor = WindowedRegressor(Ridge()).fit(windows, X[0].to_numpy())
        profile = memory_profile(regressor, windows, y[: len(X)] + X[0], n_windows=10**6, random_state=0)
        profiles.append(profile.forward.change.by_lag)
    alone, many = ((found["high"] - found["low"]).mean() for found in profiles)
    assert many > 0.6 * alone  # were the stations independent, it would be 0.35


@pytest.mark.parametrize(
    "regressor",
    [
        LSTMRegressor(
            8,
            bidirectional=True,
            lookahead=2,
            series_embedding=2,
            instance_norm="mean",
            max_epochs=1,
            quantiles=(0.1, 0.9),
        ),
        GRURegressor(8, rolling="stateful", max_epochs=1),
        EnsembleRegressor(LSTMRegressor(4, max_epochs=1, device="cpu"), n_members=2),
        WindowedRegressor(DecisionTreeRegressor(max_depth=4), leads="rows", around=2, lags=[1, 2, 5]),
    ],
    ids=lambda regressor: type(regressor).__name__,
)
def test_the_regressor_forecasts_from_the_sample_as_from_the_table(regressor):
    X, y, X_new, y_new = split(*make_panel())
    if "device" in regressor.get_params():
        regressor.set_params(device="cpu")
    pipe = make_pipe(
        regressor.set_params(
            **{"estimator__random_state" if "estimator" in regressor.get_params() else "random_state": 0}
        )
    ).fit(X, y)
    sample = Sample.draw(pipe, X_new, y_new, 10**6, np.random.RandomState(0))
    found, targets = sample.forecast(sample.windows), sample.targets
    expected = pd.Series(pipe.predict(X_new, **({"rolling": "windows"} if "rolling" in regressor.get_params() else {})))
    expected = expected[~y_new.isna().to_numpy()]
    assert len(expected) == (~np.isnan(targets)).sum() == 2 * 80 - 3
    assert np.allclose(np.sort(found[~np.isnan(targets)]), np.sort(expected), atol=1e-5)
    assert np.allclose(np.sort(targets[~np.isnan(targets)]), np.sort(y_new.dropna()))
    error = np.abs(expected.to_numpy() - y_new.dropna().to_numpy()).mean()
    assert np.nanmean(np.abs(found - targets)) == pytest.approx(error)


def test_windows_without_a_history_are_left_out():
    X, y, *_ = split(*make_panel())
    pipe = make_pipe(WindowedRegressor(Ridge())).fit(X, y)
    sample = Sample.draw(pipe, X, y, 10**6, np.random.RandomState(0))  # the first four blocks of a series have none
    assert len(sample.targets) == 2 * (40 - 4) - 2  # a block is missing, and one window begins with it
    assert not np.isnan(sample.windows[:][:, 0]).all(axis=1).any()


@pytest.mark.parametrize("method", ["occlusion", "both"])
def test_nothing_changes_and_one_state_gives_one_answer(method):
    X, y, X_new, y_new = split(*make_panel())
    pipe = make_pipe(LSTMRegressor(8, max_epochs=1, random_state=0, device="cpu")).fit(X, y)
    net = pipe[-1].net_.module_
    weights, table = copy.deepcopy(net.state_dict()), X_new.copy()
    gradients = [parameter.grad.clone() for parameter in net.parameters()]
    first, again = (memory_profile(pipe, X_new, y_new, method=method, n_windows=30, random_state=3) for _ in range(2))
    other = memory_profile(pipe, X_new, y_new, method=method, n_windows=30, random_state=4)
    pd.testing.assert_frame_equal(first.forward.change.by_lag, again.forward.change.by_lag)
    assert not first.forward.change.by_lag.equals(other.forward.change.by_lag)
    pd.testing.assert_frame_equal(table, X_new)
    assert all(torch.equal(value, net.state_dict()[name]) for name, value in weights.items())
    assert all(map(torch.equal, gradients, [parameter.grad for parameter in net.parameters()]))
    assert all(parameter.requires_grad for parameter in net.parameters())
    assert np.isfinite(first.forward.rise.by_lag).all(axis=None)


def test_every_way_to_hold_the_pipeline_gives_the_same():
    X, y, X_new, y_new = split(*make_panel())
    grid = GridSearchCV(
        make_pipe(WindowedRegressor(Ridge())), {"regressor__estimator__alpha": [1.0]}, cv=PanelTimeSeriesSplit(2)
    )
    pipe = grid.fit(X, y).best_estimator_
    windows, n_history = pipe[:-1].transform(X_new), 2 * 12
    y_all = np.full(windows.n_rows, np.nan)
    y_all[np.setdiff1d(np.arange(windows.n_rows), windows.history_rows)] = y_new
    assert len(y_all) == len(y_new) + n_history
    expected = memory_profile(pipe, X_new, y_new, random_state=0)
    assert expected.feature_names.tolist() == ["power", "wind"]
    for estimator, table, target in [
        (grid, X_new, y_new),
        (FrozenEstimator(pipe), X_new, y_new),
        (Pipeline([("scale", pipe[0]), ("rest", Pipeline(pipe.steps[1:]))]), X_new, y_new),
        (pipe[-1], windows, y_all),
        (FrozenEstimator(pipe[-1]), windows, y_all),
    ]:
        found = memory_profile(estimator, table, target, random_state=0)
        assert np.allclose(found.forward.rise.by_lag, expected.forward.rise.by_lag)


def test_the_gradient_of_an_ensemble_is_that_of_its_mean():
    X, y, X_new, y_new = split(*make_panel())
    pipe = make_pipe(EnsembleRegressor(DLinearRegressor(max_epochs=1, device="cpu"), n_members=3, random_state=0)).fit(
        X, y
    )
    ensemble, windows = pipe[-1], pipe[:-1].transform(X_new)
    windows = replace(windows, origins=windows.origins[5:6], history_rows=None)
    panel = windows.panel.copy()
    panel[windows.origins - 2, 0] += 0.5
    change = ensemble.predict(replace(windows, panel=panel)) - ensemble.predict(windows)  # of a linear map
    gradient = ensemble.input_gradient(windows)
    assert gradient.shape == (1, 3, 1, 12, 2)
    assert np.allclose(change, 0.5 * gradient[:, :, 0, -2, 0], atol=1e-4)
    assert np.abs(change).min() > 1e-3
    memory = memory_profile(pipe, X_new, y_new, method="gradient").effective_memory
    assert 1 <= memory <= 12


def test_blocks_hide_neighbours_together():
    X, y = noise(3000), noise(3000, seed=1)[:, 0]
    windows = SlidingWindower(10).fit_transform(X)
    regressor = fit_network(Weighed, windows, y, weights=np.ones((1, 10, 1)))
    profile = memory_profile(regressor, windows, y, method="both", n_windows=2000, block=4, random_state=0)
    assert profile.lags.tolist() == [1, 5, 9]
    expected = np.sqrt([4, 4, 2]) * 2 / np.sqrt(np.pi)  # independent rows add up as their variances do
    assert np.allclose(profile.forward.change.by_lag["mean"], expected, rtol=0.1)
    assert np.allclose(profile.backward.gradient.by_lag["mean"], [4, 4, 2], rtol=0.1)
    assert profile.effective_memory == 10


@pytest.mark.parametrize("n_blocks", [1, 2, 7])
def test_donors_are_windows_of_the_same_series_at_another_time(n_blocks):
    rng = np.random.RandomState(0)
    blocks = rng.permutation(np.arange(60) % n_blocks)
    series = rng.randint(3, size=60)
    donors, units = draw_donors(series, blocks, rng)
    assert (donors != np.arange(60)).all()
    assert (units[donors] == units).all()  # nothing of one unit is part of another
    assert n_blocks == 1 or (blocks[donors] != blocks).all()
    assert len(np.unique(units)) == max(n_blocks // 2, 1)
    for window in range(60):
        has_alike = (series[blocks == blocks[donors[window]]] == series[window]).any()
        assert not has_alike or series[donors[window]] == series[window]


def test_a_single_block_of_time_gives_no_interval():
    X = noise(60)
    windows = SlidingWindower(4).fit_transform(X)
    regressor = WindowedRegressor(Ridge()).fit(windows, X[:, 0])
    two = replace(windows, origins=windows.origins[:1].repeat(2))
    found = memory_profile(regressor, two, X[:, 0]).forward.change.by_lag
    assert found["low"].isna().all()
    assert found["mean"].notna().all()


def test_a_lead_without_a_row_does_not_count():
    X = noise(100)
    windows = SlidingWindower(4, horizon=2, stride=10).fit_transform(X)
    regressor = DLinearRegressor(kernel_size=3, max_epochs=1, random_state=0, device="cpu").fit(windows, X[:, 0])
    rows = windows.rows.copy()
    rows[windows.origins + 1] = -1  # as where the last block is short
    profile = memory_profile(regressor, replace(windows, rows=rows), X[:, 0], method="both", random_state=0)
    for measure in (profile.forward.change, profile.forward.rise, profile.backward.gradient):
        assert measure.by_lead[2].isna().all()
        assert np.allclose(measure.by_lead[1], measure.by_lag["mean"])


def test_what_cannot_be_profiled_is_refused_with_a_way_out():
    X, y, X_new, y_new = split(*make_panel())
    ridge = make_pipe(WindowedRegressor(Ridge())).fit(X, y)
    with pytest.raises(ValueError, match="method='occlusion' is for any regressor"):
        memory_profile(ridge, X_new, y_new, method="gradient")
    with pytest.raises(ValueError, match="give one of its `estimators_`"):
        memory_profile(PerSeriesRegressor(ridge).fit(X, y), X_new, y_new)
    with pytest.raises(ValueError, match="give one of its `estimator_`"):
        memory_profile(RecursiveRegressor(ridge, target="power").fit(X, y), X_new, y_new)
    with pytest.raises(ValueError, match="Ridge does not: give such a pipeline"):
        memory_profile(Ridge().fit(X.fillna(0), y.fillna(0)), X_new, y_new)
    with pytest.raises(ValueError, match="give it the table, or the regressor alone"):
        memory_profile(ridge, ridge[:-1].transform(X_new), y_new)
    with pytest.raises(ValueError, match="give a longer table"):
        memory_profile(ridge, X_new.groupby("series").head(2), y_new.groupby("series").head(2) * np.nan)
    whole = make_pipeline(HistoryPrepender(12), SlidingWindower(None, 3, history=12), GRURegressor(4, max_epochs=1))
    with pytest.raises(ValueError, match="window of as many rows"):
        memory_profile(whole.fit(X, y), X_new, y_new)


@pytest.mark.parametrize(("method", "n_steps"), [("occlusion", 4), ("gradient", 2), ("both", 6)])
def test_callbacks_of_the_estimator_are_told_of_every_lag_and_batch(method, n_steps, capsys):
    X = noise(200)
    windows, recorder = SlidingWindower(4).fit_transform(X), Recorder()
    regressor = DLinearRegressor(kernel_size=3, max_epochs=1, device="cpu", random_state=0).fit(windows, X[:, 0])
    options = {"method": method, "n_windows": 100, "random_state": 0}
    memory_profile(regressor, windows, X[:, 0], **options)
    assert capsys.readouterr().out == ""
    memory_profile(regressor.set_callbacks(recorder), windows, X[:, 0], verbose=1, **options)
    assert recorder.n_subtasks["memory_profile", "steps"] == n_steps
    assert recorder.ended("step") == list(range(n_steps))
    assert "memory_profile - steps" in capsys.readouterr().out
