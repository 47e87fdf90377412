import ast
import inspect
import re

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skts import (
    DLinearRegressor,
    GRURegressor,
    HistoryPrepender,
    LSTMRegressor,
    NLinearRegressor,
    SlidingWindower,
)
from skts.datasets import make_panel
from skts.exceptions import MissingHistoryWarning, NonFiniteLossError, UnseenSeriesWarning
from skts.regressors._inputs import read_inputs
from skts.regressors._targets import read_targets

RECURRENT = [LSTMRegressor, GRURegressor]
ALL = [*RECURRENT, DLinearRegressor, NLinearRegressor]
OPTIONS = [
    {"bidirectional": True},
    {"lookahead": 3, "bidirectional": True},
    {"patch_len": 5},
    {"instance_norm": "last"},
    {"instance_norm": "mean", "quantiles": (0.1, 0.9)},
    {"instance_norm": "median", "linear_skip": True},
    {"input_dropout": 0.2, "subsample": 0.5},
    {"series_embedding": 2},
    {"origins_per_pass": 7},
    {"origins_per_pass": 3, "lookahead": 2, "bidirectional": True, "instance_norm": "mean", "series_embedding": 2},
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


def flat_weights(regressor):
    return torch.cat([parameter.detach().ravel() for parameter in regressor.net_.module_.parameters()])


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
def test_the_weather_after_a_block_is_read_as_far_as_the_context_reaches(panel, context, n_moved):
    X_train, X_test, y_train, _ = split(*panel, 12)
    pipe = make_pipe(bidirectional=True, lookahead=context).fit(X_train, y_train)
    row = np.tile(np.arange(12), 2)
    windy = X_test.assign(wind=X_test["wind"] + 5 * (row == 6))  # the third row of the second block
    moved = pipe.predict(windy) != pipe.predict(X_test)
    assert moved.reshape(2, 3, 4).sum(axis=(0, 2)).tolist() == [2 * n_moved, 8, 8]


def test_context_in_one_direction_changes_nothing(panel):
    X_train, X_test, y_train, _ = split(*panel, 12)
    forecasts = [make_pipe(lookahead=context).fit(X_train, y_train).predict(X_test) for context in (0, 3)]
    np.testing.assert_allclose(*forecasts, rtol=1e-6)


@pytest.mark.parametrize(
    "option",
    [
        {"num_layers": 2},
        {"dropout": 0.5},
        {"input_dropout": 0.5},
        {"bidirectional": True},
        {"patch_len": 3},
        {"linear_skip": True},
        {"instance_norm": "last"},
        {"series_embedding": 2},
        {"origins_per_pass": 3},
        {"subsample": 0.5},
        {"batches": "by_series"},
        {"bootstrap_rows": 9},
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
    regressor = make_regressor(instance_norm=kind, n_members=2).fit(windower.fit_transform(-2 * X), y)
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


# --- several origins in one pass --------------------------------------------------------------------------


def losses_of_origins(regressor, windows, y, n_origins):
    """Give every pass, the panel and the targets that it was made from, and the loss of each of its origins."""
    inputs = read_inputs(regressor, windows, reset=False)
    tensors = read_targets(regressor, inputs, y, None).tensors(regressor._y_mean, regressor._y_scale)
    dataset = inputs.dataset(regressor._reading(inputs), regressor._series, **tensors)
    panel, targets = dataset.panel.requires_grad_(), dataset.targets.requires_grad_()
    dataset.ahead = panel[:, dataset.known]
    forked = dataset.fork(n_origins)
    given, (cut, weights) = forked.gather(torch.arange(len(forked)))
    said = regressor.net_.module_(**given)
    losses = (regressor.net_.criterion_(said, cut) * weights).sum(dim=(1, 2)).unflatten(0, (-1, n_origins))
    return forked, panel, targets, losses


def rows_that_count(loss, table):
    gradient = torch.autograd.grad(loss, table, retain_graph=True, allow_unused=True)[0]
    return [(column != 0).nonzero()[:, 0].tolist() for column in gradient.T]


@pytest.mark.parametrize("options", [{}, {"instance_norm": "mean"}, {"series_embedding": 2}, {"instance_norm": "last"}])
@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_the_loss_of_an_origin_reads_no_observed_row_after_it(options, missing):
    X, y = make_panel(n_series=2, n_rows=24, missing=missing, random_state=0)
    windows = SlidingWindower(6, 3, known=["wind"]).fit_transform(X)
    regressor = make_regressor(bidirectional=True, lookahead=2, origins_per_pass=4, **options).fit(windows, y)
    regressor.net_.module_.eval()
    forked, panel, targets, losses = losses_of_origins(regressor, windows, y, 4)
    for b, k in forked.taught.nonzero().tolist():
        start = int(forked.starts[b])
        origin, end = start + 6 + k, int(forked.stops[b])
        if losses[b, k] == 0:  # no target of its own is there
            continue
        power, wind = rows_that_count(losses[b, k], panel)
        assert {*power} <= {*range(start, origin)}
        assert {*wind} <= {*range(start, min(origin + 5, end))}
        assert {*rows_that_count(losses[b, k], targets)[0]} <= {*range(origin, origin + 3)}
        if not missing:
            assert len(power) == 6 + k
            assert wind[-1] == min(origin + 5, end) - 1
    assert (losses[~forked.taught] == 0).all()
    assert forked.taught.sum() == len(windows)


@pytest.mark.parametrize("options", [{}, {"series_embedding": 2}, {"num_layers": 2}, {"bidirectional": True}])
@pytest.mark.parametrize("regressor", RECURRENT)
def test_a_pass_teaches_what_windows_that_begin_with_it_teach(panel, windows, regressor, options):
    fitted = make_regressor(regressor, origins_per_pass=4, **options).fit(windows, panel[1])
    forked, _, _, losses = losses_of_origins(fitted, windows, panel[1], 4)
    for k in range(4):  # windows of 12 + k rows: nothing is carried in from before the pass
        longer = SlidingWindower(12 + k, 4, known=["wind"]).fit_transform(panel[0])
        plain, _, _, own = losses_of_origins(fitted, longer, panel[1], 1)
        loss_from = dict(zip(plain.starts.tolist(), own[:, 0].tolist(), strict=True))
        taught = forked.taught[:, k]
        expected = [loss_from[start] for start in forked.starts[taught].tolist()]
        np.testing.assert_allclose(losses[taught, k].detach(), expected, rtol=1e-5)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_what_validates_never_trains_though_passes_are_long(panel, bidirectional):
    X, y = panel
    late = (X.groupby("station").cumcount() >= 75).to_numpy()
    options = {"early_stopping": True, "validation_fraction": 15 / 78, "max_epochs": 2, "normalize_y": False}
    regressor = make_regressor(origins_per_pass=20, bidirectional=bidirectional, **options)
    windower = SlidingWindower(12, 4, known=["wind"])
    honest = clone(regressor).fit(windower.fit_transform(X), y)
    lying = X.copy()
    lying.loc[late] = 50.0
    lies = clone(regressor).fit(windower.fit_transform(lying), y.mask(late, 50.0))
    assert lies.history_["train_loss"] == honest.history_["train_loss"]
    assert lies.history_["valid_loss"] != honest.history_["valid_loss"]


def test_a_step_teaches_some_batch_size_windows_whatever_the_passes(panel, windows):
    steps = []
    for n_origins in (1, 4, 15):
        regressor = make_regressor(origins_per_pass=n_origins, batch_size=5).fit(windows, panel[1])
        steps.append(int(regressor.net_.optimizer_.state_dict()["state"][0]["step"]))
    assert steps == [150 // 5, 2 * 19, 2 * 5]  # 75 windows of each station in 75, 19 and 5 passes, 5 windows a step


@pytest.mark.parametrize(
    ("stride", "options", "n_origins"),
    [
        (1, {}, 4),
        (2, {}, 1),
        (24, {}, 1),
        (1, {"patch_len": 3}, 1),
        (1, {"linear_skip": True}, 1),
        (1, {"instance_norm": "last"}, 1),
    ],
)
def test_neighbouring_windows_share_passes_unless_told_otherwise(panel, stride, options, n_origins):
    X, y = panel
    windows = SlidingWindower(12, 4, stride=stride, known=["wind"]).fit_transform(X)
    unasked, asked, other = (
        make_regressor(origins_per_pass=k, **options).fit(windows, y) for k in ("auto", n_origins, 1)
    )
    assert torch.equal(flat_weights(unasked), flat_weights(asked))
    assert torch.equal(flat_weights(unasked), flat_weights(other)) == (n_origins == 1)


def test_it_learns_from_every_origin_of_a_pass():
    X, y = make_panel(n_series=2, n_rows=500, noise=0.05, random_state=0)
    X_train, X_test, y_train, y_test = split(X, y, 100)
    pipe = make_pipe(LSTMRegressor, hidden_size=12, max_epochs=30, lr=0.02, origins_per_pass=6, batch_size=16)
    assert pipe.fit(X_train, y_train).score(X_test, y_test) > 0.8


def test_arrays_have_no_neighbours_to_share_a_pass_with(windows, panel):
    X, y = np.asarray(windows), windows.targets(panel[1])[:, 0]
    one, many = (make_regressor(origins_per_pass=n_origins).fit(X, y) for n_origins in (1, 9))
    assert torch.equal(flat_weights(one), flat_weights(many))


# --- refusals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("regressor", RECURRENT)
@pytest.mark.parametrize("asked", [{"bidirectional": True}, {"lookahead": 3}])
def test_what_reads_known_columns_is_refused_without_any(panel, regressor, asked):
    (name, value), (X, y) = next(iter(asked.items())), panel
    message = rf"{regressor.__name__}\({name}={value}\) reads known columns.*SlidingWindower\(known=...\)"
    for windows in (SlidingWindower(12, 4).fit_transform(X), np.zeros((len(y), 3, 1))):
        with pytest.raises(ValueError, match=message):
            make_regressor(regressor, **asked).fit(windows, y)


@pytest.mark.parametrize(("option", "value"), [("patch_len", 3), ("linear_skip", True)])
def test_what_reads_a_window_as_a_whole_shares_no_pass(windows, panel, option, value):
    message = rf"GRURegressor\({option}={value}, origins_per_pass=2\).*one origin alone. Leave one of the two out"
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


# --- the parameters of all regressors ---------------------------------------------------------------------


def real_defaults(regressor):
    parameters = inspect.signature(regressor).parameters
    return {name: parameter.default for name, parameter in parameters.items()}


def documented(regressor):
    """Map each parameter of the docstring to its type, its default and what it says, in one line."""
    section = inspect.getdoc(regressor).split("Parameters\n----------\n")[1].split("\n\nAttributes\n")[0]
    entries = re.findall(r"^(\w+) : (.+), default=(.+)\n((?:    .*\n?)+)", section, flags=re.MULTILINE)
    assert len(entries) == len(re.findall(r"^\S", section, flags=re.MULTILINE))
    return {name: (kind, ast.literal_eval(default), " ".join(text.split())) for name, kind, default, text in entries}


@pytest.mark.parametrize("regressor", ALL)
def test_every_parameter_is_documented_with_its_default(regressor):
    defaults = real_defaults(regressor)
    assert {name: default for name, (_, default, _) in documented(regressor).items()} == defaults
    assert sorted(defaults) == sorted(regressor._parameter_constraints)
    assert regressor().get_params() == defaults


def test_a_parameter_that_several_have_is_described_alike():
    known_to_all = set.intersection(*(set(real_defaults(regressor)) for regressor in ALL))
    told = {}
    for regressor in ALL:
        for name, (kind, _, text) in documented(regressor).items():
            aside = r" \([^()]*`(\w+)`[^()]*\)"  # a remark on a parameter that not all have
            text = re.sub(aside, lambda found: found[0] if found[1] in known_to_all else "", text)
            told.setdefault(name, set()).add((kind, text))
    assert {name: texts for name, texts in told.items() if len(texts) > 1} == {}


@pytest.mark.parametrize("regressor", ALL)
def test_parameters_are_those_of_any_estimator(regressor):
    changed = {"max_epochs": 7, "quantiles": (0.1, 0.9), "random_state": 3}
    estimator = regressor(**changed)
    assert clone(estimator).get_params() == regressor().get_params() | changed
    assert regressor().set_params(**changed).get_params() == estimator.get_params()
    assert repr(estimator) == f"{regressor.__name__}(max_epochs=7, quantiles=(0.1, 0.9), random_state=3)"
    with pytest.raises(TypeError, match="unexpected keyword argument 'hiden_size'"):
        regressor(hiden_size=3)
    with pytest.raises(ValueError, match="Invalid parameter 'hiden_size' for estimator"):
        estimator.set_params(hiden_size=3)


def test_only_the_size_of_a_network_goes_without_a_name():
    assert LSTMRegressor(32).hidden_size == GRURegressor(32).hidden_size == 32
    for regressor in RECURRENT:
        with pytest.raises(TypeError, match="positional"):
            regressor(32, 2)


def test_only_the_kernel_of_a_linear_regressor_goes_without_a_name():
    assert DLinearRegressor(9).kernel_size == 9
    for regressor, given in ((DLinearRegressor, (9, 0.1)), (NLinearRegressor, (0.1,))):
        with pytest.raises(TypeError, match="positional"):
            regressor(*given)


@pytest.mark.parametrize("regressor", ALL)
def test_two_estimators_are_equal_only_if_they_are_one(regressor):
    one = regressor()
    assert one == one
    assert one != regressor()
    assert len({one, regressor()}) == 2


def test_windows_without_a_name_take_the_mean_of_all_series(panel):
    X, y = panel
    windows = SlidingWindower(12, 1).fit_transform(X)
    regressor = make_regressor(series_embedding=2).fit(windows, y)
    nameless = regressor.predict(np.asarray(windows))
    with torch.no_grad():
        table = regressor.net_.module_.embedding.table.weight
        table[:] = table.mean(dim=0)
    np.testing.assert_allclose(regressor.predict(windows)[:, 0], nameless, rtol=1e-5)


def test_a_fit_that_failed_is_not_fitted(panel):
    X, y = panel
    windows = SlidingWindower(12, 1).fit_transform(X)
    regressor = make_regressor(normalize_y=False)
    with pytest.raises(NonFiniteLossError):
        regressor.fit(windows, np.full(len(y), 1e30))
    with pytest.raises(NotFittedError):
        regressor.predict(windows)
