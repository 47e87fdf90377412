"""Chronos-2 under the row contract: no weights but random ones, and the package itself as the oracle."""

import copy
import gc
import pickle
import sys
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from skts import FoundationRegressor, HistoryPrepender, SlidingWindower
from skts.datasets import make_panel
from skts.exceptions import MissingHistoryWarning
from skts.inspection import check_leakage
from skts.regressors._foundation_regressor import cut_batches
from skts.strategies import CombinationRegressor, ConformalRegressor, PerSeriesRegressor, WindowedRegressor
from tests._runs import forecast_runs, of_runs
from tests.regressors._tiny_chronos import AHEAD, LEVELS, READ, write_tiny_chronos

WINDOW, HORIZON, N_TRAIN = 24, 6, 80


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return write_tiny_chronos(tmp_path_factory.mktemp("chronos"))


@pytest.fixture(scope="session")
def reference(folder):
    """The pipeline of the package itself."""
    return pytest.importorskip("chronos").Chronos2Pipeline.from_pretrained(folder)


@pytest.fixture(scope="module")
def panel():
    """Two series with a known, an observed and the target's own column: X and y to train on, and those that follow."""
    X, y = make_panel(n_series=2, n_rows=100, interleave=True, random_state=0)
    X = X.assign(seen=np.random.default_rng(0).standard_normal(len(X)).cumsum())
    times = X.index.get_level_values("time")
    is_new = times >= times.unique()[N_TRAIN]
    return X[~is_new], y[~is_new], X[is_new], y[is_new]


def make_pipe(regressor, *steps, window=WINDOW, horizon=HORIZON, known=("wind",), history=WINDOW):
    windower = SlidingWindower(window, horizon, known=list(known), history=history)
    return make_pipeline(*steps, HistoryPrepender(history), windower, regressor).set_output(transform="pandas")


def by_hand(X, new, known=("wind",)):
    """What the package is given for the blocks of `new`, as its own documentation has it, and the rows of each."""
    inputs, rows = [], []
    both = pd.concat([X, new])
    for name in new.index.get_level_values(0).unique():
        table, times = both.xs(name), new.xs(name).index
        for begin in range(0, len(times), HORIZON):
            ahead = times[begin : begin + HORIZON]
            past, future = table[table.index < ahead[0]].iloc[-WINDOW:], table.loc[ahead]
            covariates = {column: past[column].to_numpy() for column in X.columns if column != "power"}
            told = {column: np.full(HORIZON, np.nan) for column in known}
            for column in known:
                told[column][: len(ahead)] = future[column]
            inputs.append(
                {"target": past["power"].to_numpy(), "past_covariates": covariates, "future_covariates": told}
            )
            rows.append([(name, time) for time in ahead])
    return inputs, rows


def to_rows(answers, rows, index):
    """Put the answers for the blocks, (1, Q, H) each, in the order of an index: (n_rows, Q)."""
    found = {}
    for answer, block in zip(answers, rows, strict=True):
        found |= dict(zip(block, np.sort(answer[0].numpy(), axis=0).T, strict=False))
    return np.array([found[row] for row in index])


@pytest.mark.parametrize(
    "scaler", [None, StandardScaler(), FunctionTransformer(lambda X: 1e3 * X - 7)], ids=["plain", "scaled", "by hand"]
)
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_answers_are_those_of_the_package(panel, folder, reference, missing, scaler):
    X, y, X_new, _ = panel
    holes = np.random.default_rng(1).random(X_new.shape) < missing
    X_new = X_new.mask(holes)
    pipe = make_pipe(FoundationRegressor(folder, device="cpu"), *([] if scaler is None else [scaler])).fit(X, y)
    inputs, rows = by_hand(X, X_new)
    expected = to_rows(reference.predict(inputs, prediction_length=HORIZON), rows, X_new.index)
    with pytest.warns(MissingHistoryWarning) if missing else nullcontext():
        answers = pipe.predict(X_new, quantiles=LEVELS)
    assert np.ptp(expected, axis=0).min() > 0.1
    np.testing.assert_allclose(answers, expected, rtol=1e-3, atol=1e-3)


def test_series_that_read_each_other_are_a_group_of_the_package(panel, folder, reference):
    X, y, X_new, _ = panel
    pipe = make_pipe(FoundationRegressor(folder, cross_series=True, batch_size=1, device="cpu")).fit(X, y)
    inputs, rows = by_hand(X, X_new)
    n_blocks, answers = len(inputs) // 2, [None] * len(inputs)
    for block in range(n_blocks):
        both = [block, block + n_blocks]
        together = reference.predict([inputs[i] for i in both], prediction_length=HORIZON, cross_learning=True)
        answers[block], answers[block + n_blocks] = together
    expected = to_rows(answers, rows, X_new.index)
    np.testing.assert_allclose(pipe.predict(X_new, quantiles=LEVELS), expected, rtol=1e-3, atol=1e-3)
    alone = clone(pipe).set_params(foundationregressor__cross_series=False).fit(X, y).predict(X_new)
    assert np.abs(alone - pipe.predict(X_new)).max() > 1e-2


def test_every_row_has_its_forecast_in_whatever_order_rows_come(panel, folder):
    X, y, X_new, _ = panel
    pipe = make_pipe(FoundationRegressor(folder, device="cpu")).fit(X, y)
    y_pred = pipe.predict(X_new)
    assert y_pred.shape == (len(X_new),)
    by_name = X_new.sort_index()
    order = X_new.index.get_indexer(by_name.index)
    np.testing.assert_allclose(pipe.predict(by_name), y_pred[order], rtol=1e-4)


def test_training_windows_are_answered_by_window(panel, folder):
    X, y, _, _ = panel
    windows = SlidingWindower(WINDOW, HORIZON, known=["wind"]).fit_transform(X)
    regressor = FoundationRegressor(folder, device="cpu").fit(windows, y)
    assert regressor.predict(windows, quantiles=[0.1, 0.9]).shape == (len(windows), HORIZON, 2)
    assert np.isfinite(regressor.score(windows, y))


@pytest.mark.parametrize("cross_series", [False, True])
def test_nothing_is_read_from_the_origin_on_but_what_is_known(panel, folder, cross_series):
    X, y = pd.concat([panel[0], panel[2]]), pd.concat([panel[1], panel[3]])
    pipe = make_pipe(FoundationRegressor(folder, cross_series=cross_series, device="cpu"))
    assert check_leakage(pipe, X, y, n_origins=6, random_state=0).ok


@pytest.mark.filterwarnings("ignore::skts.exceptions.KnownTargetWarning")
def test_the_future_of_the_target_is_not_told_even_where_it_is_given_as_known(panel, folder):
    X, y, X_new, _ = panel
    known = ("wind", "power")
    told, untold = (
        make_pipe(FoundationRegressor(folder, device="cpu"), known=names).fit(X, y) for names in (known, ("wind",))
    )
    np.testing.assert_allclose(told.predict(X_new), untold.predict(X_new), rtol=1e-4)


def test_known_columns_are_read_over_the_horizon(panel, folder):
    X, y, X_new, _ = panel
    pipe = make_pipe(FoundationRegressor(folder, device="cpu")).fit(X, y)
    changed = X_new.copy()
    changed.iloc[:2, X_new.columns.get_loc("wind")] += 1  # the first hour of each series
    assert (np.abs(pipe.predict(changed) - pipe.predict(X_new))[: 2 * HORIZON] > 1e-3).mean() > 0.5


def test_quantiles_increase_and_lie_between_those_of_the_model(panel, folder):
    X, y, X_new, _ = panel
    pipe = make_pipe(FoundationRegressor(folder, device="cpu")).fit(X, y)
    assert pipe[-1].levels_ == tuple(LEVELS)
    answers = pipe.predict(X_new, quantiles=LEVELS)
    assert (np.diff(answers) >= 0).all()
    np.testing.assert_array_equal(pipe.predict(X_new), answers[:, LEVELS.index(0.5)])
    np.testing.assert_allclose(pipe.predict(X_new, quantiles=[0.15])[:, 0], answers[:, 2:4].mean(axis=1))
    with pytest.raises(ValueError, match=r"predict\(quantiles=\[0.001, 0.5\]\).*levels from 0.01 to 0.99.*no"):
        pipe.predict(X_new, quantiles=[0.001, 0.5])


@pytest.mark.filterwarnings("ignore::skts.exceptions.MissingHistoryWarning")
@pytest.mark.filterwarnings("ignore::skts.exceptions.UnseenSeriesWarning")
@pytest.mark.parametrize("slope", [1000.0, -2.0])
def test_forecasts_have_the_unit_of_the_target(panel, folder, slope):
    X, y, X_new, _ = panel
    X_new = X_new.rename({"station_1": "unseen"})  # whose first windows are blank
    pipe = make_pipe(FoundationRegressor(folder, device="cpu"))
    before = pipe.fit(X, y).predict(X_new, quantiles=[0.1, 0.9])
    after = pipe.fit(X.assign(power=slope * X["power"]), y).predict(
        X_new.assign(power=slope * X_new["power"]), quantiles=[0.1, 0.9]
    )
    np.testing.assert_allclose(after, before, rtol=1e-3, atol=1e-3)
    blank = X_new.index.get_level_values(0) == "unseen"
    larger = pipe.fit(X, 1000 * y + 5).predict(X_new, quantiles=[0.1, 0.9])
    np.testing.assert_allclose(larger[blank], 1000 * before[blank] + 5, rtol=1e-3, atol=1.0)


def test_whole_series_are_read_up_to_the_origin_as_far_as_the_model_reads(panel, folder):
    X, y, X_new, _ = panel
    whole = make_pipe(FoundationRegressor(folder, device="cpu"), window=None, history=N_TRAIN).fit(X, y)
    as_far = make_pipe(FoundationRegressor(folder, device="cpu"), window=READ, history=N_TRAIN).fit(X, y)
    longer = make_pipe(FoundationRegressor(folder, device="cpu"), window=READ + 10, history=N_TRAIN).fit(X, y)
    expected = as_far.predict(X_new)
    np.testing.assert_allclose(whole.predict(X_new), expected, rtol=1e-4)
    np.testing.assert_allclose(longer.predict(X_new), expected, rtol=1e-4)


@pytest.mark.parametrize("cross_series", [False, True])
def test_the_size_of_batches_changes_nothing(panel, folder, cross_series):
    X, y, X_new, _ = panel
    few, many = (
        make_pipe(FoundationRegressor(folder, cross_series=cross_series, batch_size=size, device="cpu")).fit(X, y)
        for size in (1, 1000)
    )
    np.testing.assert_allclose(few.predict(X_new), many.predict(X_new), rtol=1e-3, atol=1e-5)


@given(st.lists(st.integers(0, 8), max_size=30), st.integers(1, 10))
def test_batches_hold_whole_groups(groups, at_once):
    groups = np.array(groups, dtype=np.int64)
    batches = list(cut_batches(groups, at_once))
    assert sorted(np.concatenate([*batches, []]).tolist()) == list(range(len(groups)))
    held = [set(groups[batch]) for batch in batches]
    assert sum(map(len, held)) == len(set(groups))
    assert all(len(batch) <= at_once or len(each) == 1 for batch, each in zip(batches, held, strict=True))


def test_runs_are_forecast_row_by_row(folder):
    X, y = forecast_runs(6)
    train, new = of_runs(X, 0, 4), of_runs(X, 4)
    pipe = make_pipe(FoundationRegressor(folder, device="cpu"), horizon=24).fit(X[train], y[train])
    y_pred = pipe.predict(X[new])
    assert y_pred.shape == (new.sum(),)
    assert np.isfinite(y_pred).all()
    assert check_leakage(pipe, X, y, n_origins=4, random_state=0).ok
    with pytest.raises(ValueError, match=r"cross_series=True\) was given a table with runs"):
        clone(pipe).set_params(foundationregressor__cross_series=True).fit(X[train], y[train])


def test_several_targets_are_those_of_their_columns(panel, folder):
    X, y, X_new, _ = panel
    both = pd.DataFrame({"seen": X["seen"], "power": y})
    one = make_pipe(FoundationRegressor(folder, device="cpu")).fit(X, y).predict(X_new, quantiles=[0.2, 0.7])
    answers = make_pipe(FoundationRegressor(folder, device="cpu")).fit(X, both).predict(X_new, quantiles=[0.2, 0.7])
    assert answers.shape == (len(X_new), 2, 2)
    np.testing.assert_allclose(answers[:, 1], one, rtol=1e-4)


def test_a_pickle_and_a_copy_hold_the_name_of_the_weights(panel, folder):
    X, y, X_new, _ = panel
    pipe = make_pipe(FoundationRegressor(folder, device="cpu")).fit(X, y)
    regressor, windows = pipe[-1], pipe[:-1].transform(X_new)
    expected = regressor.predict(windows)
    state = pickle.dumps(regressor)
    assert len(state) < 4000  # 10,000 weights are 40,000 bytes
    for other in (pickle.loads(state), copy.deepcopy(regressor)):
        assert "_pipeline" not in vars(other)
        np.testing.assert_array_equal(other.predict(windows), expected)
        assert other._pipeline is regressor._pipeline
    assert clone(regressor).get_params() == regressor.get_params()
    assert clone(pipe).fit(X, y)[-1]._pipeline is regressor._pipeline


def test_weights_go_with_the_last_of_their_users(panel, folder, tmp_path):
    X, y, _, _ = panel
    regressor = make_pipe(FoundationRegressor(write_tiny_chronos(tmp_path), device="cpu")).fit(X, y)[-1]
    weights = weakref.ref(regressor._pipeline)
    assert weights() is not None
    del regressor
    gc.collect()
    assert weights() is None


def test_weights_that_were_written_anew_are_read_anew(panel, tmp_path):
    X, y, X_new, _ = panel
    pipe = make_pipe(FoundationRegressor(write_tiny_chronos(tmp_path), device="cpu")).fit(X, y)
    before, same = pipe.predict(X_new), clone(pipe)
    write_tiny_chronos(tmp_path, seed=1)
    assert np.abs(same.fit(X, y).predict(X_new) - before).max() > 1e-2
    np.testing.assert_array_equal(pipe.predict(X_new), before)


def test_a_parameter_that_changes_after_fit_changes_nothing(panel, folder):
    X, y, X_new, _ = panel
    pipe = make_pipe(FoundationRegressor(folder, device="cpu")).fit(X, y)
    before = pipe.predict(X_new)
    pipe[-1].set_params(model="elsewhere", cross_series=True)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(pipe)).predict(X_new), before)


def test_fit_and_predict_leave_the_generators_of_torch_alone(panel, tmp_path):
    X, y, X_new, _ = panel
    folder = write_tiny_chronos(tmp_path)
    before = torch.get_rng_state()
    make_pipe(FoundationRegressor(folder, device="cpu")).fit(X, y).predict(X_new)
    assert torch.equal(before, torch.get_rng_state())


def test_threads_share_one_model(panel, tmp_path, monkeypatch):
    X, y, X_new, _ = panel
    pipe = make_pipe(FoundationRegressor(write_tiny_chronos(tmp_path), device="cpu")).fit(X, y)
    expected = pipe.predict(X_new)
    again = pickle.loads(pickle.dumps(pipe))
    del pipe
    gc.collect()
    kind, loaded = pytest.importorskip("chronos").Chronos2Pipeline, []
    original = kind.from_pretrained

    def load(name):
        loaded.append(name)
        time.sleep(0.1)
        return original(name)

    monkeypatch.setattr(kind, "from_pretrained", load)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(again.predict, [X_new] * 8))
    np.testing.assert_allclose(answers, [expected] * 8, rtol=1e-3, atol=1e-5)
    assert len(loaded) == 1


def test_it_stands_in_the_strategies(panel, folder):
    X, y, X_new, _ = panel
    expert = make_pipe(FoundationRegressor(folder, device="cpu"))
    ridge = make_pipe(WindowedRegressor(Ridge(), quantiles=None))
    alone = expert.fit(X, y).predict(X_new)
    mean = CombinationRegressor([("chronos", expert), ("ridge", ridge)]).fit(X, y).predict(X_new)
    np.testing.assert_allclose(mean, (alone + ridge.fit(X, y).predict(X_new)) / 2, rtol=1e-4)
    each = PerSeriesRegressor(expert).fit(X, y)
    np.testing.assert_allclose(each.predict(X_new), alone, rtol=1e-4, atol=1e-4)
    assert len({id(one[-1]._load()) for one in each.estimators_.values()}) == 1
    calibrated = ConformalRegressor(expert, quantiles=[0.1, 0.9], calibration=0.4).fit(X, y)
    low, high = calibrated.predict(X_new, quantiles=[0.1, 0.9]).T
    assert len(low) == len(X_new)
    assert (low <= high).all()


def test_it_keeps_what_scikit_learn_asks_of_a_regressor(folder):
    reason = "of arrays one column, target=0, is the past of one target"
    check_estimator(
        FoundationRegressor(folder, target=0, device="cpu"),
        expected_failed_checks={"check_regressor_multioutput": reason},
        on_skip=None,
    )


def test_arrays_are_forecast_from_the_column_that_is_named(folder, reference):
    X = np.random.default_rng(0).standard_normal((5, WINDOW, 2)).astype(np.float32)
    y = np.random.default_rng(1).standard_normal((5, HORIZON, 1))
    regressor = FoundationRegressor(folder, target=1, device="cpu").fit(X, y)
    inputs = [{"target": x[:, 1], "past_covariates": {"other": x[:, 0]}} for x in X]
    expected = reference.predict_quantiles(inputs, prediction_length=HORIZON, quantile_levels=LEVELS)[0]
    expected = np.sort(np.stack([each[0].numpy() for each in expected]), axis=-1)
    np.testing.assert_allclose(regressor.predict(X, quantiles=LEVELS)[:, :, 0], expected, rtol=1e-3, atol=1e-4)


REFUSED = [
    ({}, 1, r"do not tell which column holds the past\. .*target=0"),
    ({"target": 0}, 2, "past of each of the 2 targets"),
    ({"target": 2}, 1, r"target=2\): X has n_features=2. Give a column from 0 to 1"),
    ({"target": 0, "cross_series": True}, 1, "arrays of windows, which have no times: give cross_series=False"),
    ({"target": 0, "device": "abacus"}, 1, "device='abacus' is no device"),
]


@pytest.mark.parametrize(("params", "n_targets", "message"), REFUSED)
def test_arrays_that_say_too_little_are_refused(folder, params, n_targets, message):
    with pytest.raises(ValueError, match=message):
        FoundationRegressor(folder, **params).fit(np.zeros((20, 4, 2)), np.zeros((20, n_targets)))


def test_windows_that_the_model_does_not_serve_are_refused(panel, folder):
    X, y, _, _ = panel
    regressor = FoundationRegressor(folder, device="cpu")
    with pytest.raises(ValueError, match=f"at most {AHEAD} rows at once, and the horizon is {AHEAD + 1}"):
        make_pipe(regressor, horizon=AHEAD + 1).fit(X, y)
    with pytest.raises(ValueError, match=r"no column of X is target 0 itself.*which the model needs: add the observed"):
        make_pipe(regressor).fit(X.drop(columns="power"), y)
    with pytest.raises(ValueError, match=r"target=0\) is for arrays.*leave target out"):
        make_pipe(clone(regressor).set_params(target=0)).fit(X, y)
    windows = SlidingWindower(4, 2, static=["size"]).fit_transform(X.assign(size=1.0))
    with pytest.raises(ValueError, match=r"no static columns, and the windows have 1: leave SlidingWindower\(static"):
        regressor.fit(windows, y)


def test_without_weights_it_is_said_what_to_download(panel, folder, tmp_path, monkeypatch):
    X, y, _, _ = panel
    chronos = pytest.importorskip("chronos")
    with pytest.raises(OSError, match=r"no such folder.*`hf download amazon/chronos-2 --local-dir chronos-2`.*"):
        make_pipe(FoundationRegressor(str(tmp_path / "nothing"))).fit(X, y)

    def fail(name):
        raise OSError("We couldn't connect to 'https://huggingface.co' to load the files")

    with monkeypatch.context() as patch:
        patch.setattr(chronos.Chronos2Pipeline, "from_pretrained", fail)
        with pytest.raises(OSError, match=r"model='amazon/chronos-2'.*FoundationRegressor\('chronos-2'\)"):
            make_pipe(FoundationRegressor()).fit(X, y)
    (tmp_path / "config.json").write_text('{"model_type": "t5", "architectures": ["T5ForConditionalGeneration"]}')
    with pytest.raises(ValueError, match="cannot be read as a Chronos-2 model"):
        make_pipe(FoundationRegressor(str(tmp_path))).fit(X, y)


def test_without_the_package_it_is_said_what_to_install(panel, monkeypatch):
    X, y, _, _ = panel
    monkeypatch.setitem(sys.modules, "chronos", None)
    with pytest.raises(ImportError, match=r"needs the package chronos,.*: pip install chronos-forecasting"):
        make_pipe(FoundationRegressor()).fit(X, y)
