"""A planted dependence is where the map says that it is."""

import numpy as np
import pytest
import torch
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skts import DLinearRegressor, HistoryPrepender, NetRegressor, SlidingWindower, TransformerRegressor
from skts.datasets import make_panel
from skts.inspection import _attention_map, attention_map
from skts.model_selection import PanelTimeSeriesSplit
from skts.nn import Transformer, attention_parts, attention_scores
from skts.strategies import EnsembleRegressor, WindowedRegressor

pytestmark = pytest.mark.filterwarnings("ignore::skts.exceptions.MissingHistoryWarning")
SMALL = {"hidden_size": 8, "num_heads": 2, "patch_len": 4, "max_epochs": 1, "random_state": 0, "device": "cpu"}
TAUGHT = SMALL | {"hidden_size": 32, "num_layers": 1, "lr": 0.01, "lr_schedule": "one_cycle", "max_epochs": 10}
WINDOW, HORIZON = 10, 4


def noise(n_rows, n_columns):
    return np.random.default_rng(0).standard_normal((n_rows, n_columns))


def recall(n=1500, n_keys=8, horizon=4):
    """Windows of rows that each have a key and a value; the horizon asks for the values by their keys, in any order.

    The columns are cosine and sine of the key, which are known, the value, and noise.
    """
    rng = np.random.default_rng(0)
    keys = np.array([np.r_[rng.permutation(n_keys), rng.permutation(n_keys)[:horizon]] for _ in range(n)])
    values, idle = rng.standard_normal((2, *keys.shape))
    places = np.argsort(keys[:, :n_keys], axis=1)  # where in the window each key is
    y = np.zeros(keys.shape)
    y[:, n_keys:] = np.take_along_axis(values, np.take_along_axis(places, keys[:, n_keys:], axis=1), axis=1)
    angles = 2 * np.pi * keys / n_keys
    X = np.stack([np.cos(angles), np.sin(angles), values, idle], axis=2).reshape(-1, 4)
    windower = SlidingWindower(n_keys, horizon, known=[0, 1], stride=n_keys + horizon)
    return windower.fit_transform(X), y.ravel()


@pytest.fixture(scope="module")
def panel():
    X, y = make_panel(n_series=2, n_rows=120, random_state=0)
    return X.assign(power=50 + 10 * y), y


def cut(X):
    return SlidingWindower(WINDOW, HORIZON, known=["wind"]).fit_transform(X)


def read_by_predict(regressor, network, windows):
    """What a network is given when the regressor forecasts: past, known and series of all windows."""
    seen = []

    def note(module, args, kwargs):
        seen.append([*args, *kwargs.values()])

    hook = network.register_forward_pre_hook(note, with_kwargs=True)
    regressor.predict(windows)
    hook.remove()
    return [torch.cat(parts) for parts in zip(*seen, strict=True) if parts[0] is not None]


@pytest.mark.parametrize("num_layers", [1, 2])
def test_the_most_attentive_head_points_to_the_lag_that_the_target_repeats(num_layers):
    X, delay = noise(1500, 2), 6
    windows, y = SlidingWindower(8, HORIZON).fit_transform(X), np.roll(X[:, 0], delay)
    regressor = TransformerRegressor(**TAUGHT | {"patch_len": 1, "num_layers": num_layers}).fit(windows, y)
    by_lag = attention_map(regressor, windows, n_windows=200, random_state=0).by_lag
    for lead in range(1, HORIZON + 1):
        strongest = by_lag.xs(lead, level="lead").stack().idxmax()
        assert strongest[-1] == delay - lead + 1


def test_a_dependence_points_to_its_patch_also_where_patches_do_not_divide_the_window():
    X, delay = noise(1500, 2), 10
    windows, y = SlidingWindower(11, HORIZON, known=[1]).fit_transform(X), np.roll(X[:, 0], delay)
    found = attention_map(TransformerRegressor(**TAUGHT).fit(windows, y), windows, n_windows=200, random_state=0)
    assert found.lags.tolist() == [[9, 11], [5, 8], [1, 4]]
    for lead in range(1, HORIZON + 1):
        strongest = found.attention[0, :, lead - 1, :3].max(axis=0).argmax()
        nearest, farthest = found.lags[strongest]
        assert nearest <= delay - lead + 1 <= farthest


def test_parts_name_the_columns_that_are_compared():
    windows, y = recall()
    regressor = TransformerRegressor(**TAUGHT | {"patch_len": 1, "max_epochs": 15}).fit(windows, y)
    found = attention_map(regressor, windows, random_state=0)
    error = regressor.predict(windows) - windows.targets(y)
    assert np.mean(error**2) < 0.01  # of 1: it has been learned
    assert found.by_lag.to_numpy().max() < 0.3  # which the mean of the attention does not tell
    assert found.parts.query_names.tolist() == ["x0", "x1", "place", "series"]
    assert found.parts.key_names.tolist() == ["x0", "x1", "x2", "x3", "place", "series"]
    sizes = found.parts.sizes.max(axis=0)
    by_key = sizes[:2, :2].copy()
    sizes[:2, :2] = 0
    assert by_key.diagonal().min() > 5 * sizes.max()


@pytest.mark.parametrize(
    "regressor",
    [
        TransformerRegressor(**SMALL, lookahead=2, series_embedding=3, quantiles=(0.1, 0.9)),
        TransformerRegressor(**SMALL, num_layers=3, instance_norm="mean", precision="bf16"),
        TransformerRegressor(**SMALL, instance_norm="series"),
        NetRegressor(
            Transformer,
            {"hidden_size": 8, "patch_len": 4, "num_heads": 1},
            max_epochs=1,
            random_state=0,
            instance_norm="last",
            device="cpu",
        ),
    ],
    ids=["lookahead", "norm", "series", "own"],
)
def test_numbers_are_means_over_what_predict_reads(panel, regressor, monkeypatch):
    X, y = panel
    windows = cut(X)
    module = regressor.fit(windows, y).net_.module_
    network = module if isinstance(module, Transformer) else module.network
    inputs = read_by_predict(regressor, network, windows)
    with torch.no_grad():
        scores, parts = attention_scores(network, *inputs), attention_parts(network, *inputs)
    monkeypatch.setattr(_attention_map, "_AT_ONCE", 5000)  # numbers: a few windows each
    found = attention_map(regressor, windows, n_windows=10**6)
    assert found.n_windows == len(windows)
    assert found.leads.tolist() == [[lead, lead] for lead in range(1, HORIZON + regressor.lookahead_ + 1)]
    np.testing.assert_allclose(found.scores, scores.mean(dim=0), atol=1e-4)
    np.testing.assert_allclose(found.attention, torch.softmax(scores, dim=4).mean(dim=0), atol=1e-5)
    np.testing.assert_allclose(found.parts.scores, parts.mean(dim=0), atol=1e-4)
    spread = parts - parts.mean(dim=5, keepdim=True)
    np.testing.assert_allclose(found.parts.sizes, (spread**2).mean(dim=5).sqrt().mean(dim=4).mean(dim=0), atol=1e-4)
    np.testing.assert_allclose(found.parts.scores.sum(axis=(1, 2)), found.scores[0][:, :, : len(found.lags)], atol=1e-4)


def test_attention_adds_up_to_one_and_is_shared_by_the_rows_of_a_patch(panel):
    X, y = panel
    found = attention_map(TransformerRegressor(**SMALL).fit(cut(X), y), cut(X), random_state=0)
    np.testing.assert_allclose(found.attention.sum(axis=3), 1, atol=1e-5)
    assert found.lags.tolist() == [[9, 10], [5, 8], [1, 4]]
    for layer, head, lead in [(0, 0, 1), (1, 1, 4)]:
        first, second, last = found.attention[layer, head, lead - 1, :3]
        shares = [last / 4] * 4 + [second / 4] * 4 + [first / 2] * 2
        np.testing.assert_allclose(found.by_lag.loc[layer, head, lead], shares)


def test_rows_that_share_a_token_are_alike():
    X = noise(100, 2)  # with nothing known
    windows = SlidingWindower(WINDOW, 6).fit_transform(X)
    found = attention_map(TransformerRegressor(**SMALL).fit(windows, X[:, 0]), windows)
    assert found.leads.tolist() == [[1, 4], [5, 6]]
    assert found.attention.shape == (2, 2, 6, 3 + 2)
    for values in (found.scores, found.attention, found.parts.scores):
        tokens = values[..., [0, 0, 0, 0, 4, 4], :]
        np.testing.assert_array_equal(values, tokens)
        assert (values[..., 0, :] != values[..., 4, :]).any()


def test_pipelines_and_searches_give_what_their_windows_give(panel):
    X, y = panel
    is_new = X.index.get_level_values("time") >= "2024-01-04"
    pipe = make_pipeline(
        HistoryPrepender(WINDOW), SlidingWindower(WINDOW, HORIZON, known=["wind"]), TransformerRegressor(**SMALL)
    )
    search = GridSearchCV(pipe, {"transformerregressor__hidden_size": [8]}, cv=PanelTimeSeriesSplit(2, test_size=8))
    pipe.fit(X[~is_new], y[~is_new])
    found = attention_map(pipe, X[is_new], random_state=0)
    n_columns = X.shape[1]
    assert found.parts.query_names.tolist() == ["wind", "place", "series"]
    assert found.parts.key_names.tolist() == [*X.columns, "place", "series"]
    assert found.parts.sizes.shape == (2, 3, n_columns + 2)
    windows = pipe[:-1].transform(X[is_new])
    assert found.n_windows == is_new.sum() // HORIZON
    for same in (
        attention_map(pipe[-1], windows, random_state=0),
        attention_map(FrozenEstimator(pipe), X[is_new], random_state=0),
        attention_map(search.fit(X[~is_new], y[~is_new]), X[is_new], random_state=0),
    ):
        np.testing.assert_allclose(same.scores, found.scores, atol=1e-5)


def test_some_windows_are_drawn_by_the_seed(panel):
    X, y = panel
    regressor = TransformerRegressor(**SMALL).fit(cut(X), y)
    first, again, other = (attention_map(regressor, cut(X), n_windows=3, random_state=seed) for seed in (0, 0, 1))
    assert first.n_windows == 3
    assert (first.scores == again.scores).all()
    assert (first.scores != other.scores).any()


def test_a_member_of_an_ensemble_can_be_asked_and_the_ensemble_not(panel):
    X, y = panel
    ensemble = EnsembleRegressor(TransformerRegressor(**SMALL), 2, random_state=0)
    pipe = make_pipeline(HistoryPrepender(WINDOW), SlidingWindower(WINDOW, HORIZON, known=["wind"]), ensemble)
    pipe.fit(X, y)
    with pytest.raises(ValueError, match=r"`make_pipeline\(pipe\[:-1\], pipe\[-1\].estimators_\[0\]\)`"):
        attention_map(pipe, X)
    found = attention_map(make_pipeline(pipe[:-1], pipe[-1].estimators_[0]), X, random_state=0)
    alone = attention_map(pipe[-1].estimators_[0], pipe[:-1].transform(X), random_state=0)
    np.testing.assert_allclose(found.scores, alone.scores, atol=1e-6)


def test_what_cannot_be_shown_is_refused_with_the_way_out(panel):
    X, y = panel
    windows = cut(X)
    with pytest.raises(ValueError, match="DLinearRegressor has none: give a TransformerRegressor"):
        attention_map(DLinearRegressor(kernel_size=3, max_epochs=1, device="cpu").fit(windows, y), windows)
    with pytest.raises(ValueError, match="WindowedRegressor has none"):
        attention_map(WindowedRegressor(Ridge()).fit(windows, y), windows)
    regressor = TransformerRegressor(**SMALL).fit(windows, y)
    with pytest.raises(ValueError, match="attention_map takes a pipeline"):
        attention_map(regressor, X)
    whole = SlidingWindower(None, HORIZON, known=["wind"], history=WINDOW).fit_transform(X)
    with pytest.raises(ValueError, match="gives whole series"):
        attention_map(regressor, whole)
    short = SlidingWindower(WINDOW, HORIZON, known=["wind"]).fit(X).transform(X[: WINDOW + HORIZON - 1])
    with pytest.raises(ValueError, match="all 4 rows of its horizon, and X gives none of 1"):
        attention_map(regressor, short)
