"""A fitted pipeline is brought up to date in place, as far as each part can learn without a fit."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor, VotingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skts import DLinearRegressor, HistoryPrepender, LSTMRegressor, SlidingWindower, update
from skts.datasets import make_panel
from skts.exceptions import NonFiniteLossError, PanelIndexError, ShortSeriesError
from skts.model_selection import PanelTimeSeriesSplit
from skts.strategies import (
    ColumnRegressor,
    CombinationRegressor,
    ConformalRegressor,
    EnsembleRegressor,
    PerSeriesRegressor,
    RecalibratedRegressor,
    RecursiveRegressor,
    WindowedRegressor,
)
from tests._runs import forecast_runs, of_runs
from tests.strategies._pipes import make_pipe

pytestmark = pytest.mark.filterwarnings("ignore::skts.exceptions.MissingHistoryWarning")  # rows between left out
HORIZON = 3
ONLINE = [("boa", ("lead",)), ("ml_poly", ("lead", "series")), ("boa", ())]


@pytest.fixture(scope="module")
def rows():
    """Rows to fit on, new rows, a whole number of blocks, and rows to forecast then."""
    X, y = make_panel(n_series=2, n_rows=300, random_state=0)
    X["published"] = y + 0.1 * np.random.RandomState(1).normal(size=len(X))
    time = X.index.get_level_values("time")
    borders = np.sort(time.unique())[[200, 260]]
    parts = [time < borders[0], (time >= borders[0]) & (time < borders[1]), time >= borders[1]]
    return [(X[part], y[part]) for part in parts]


def network(**params):
    return DLinearRegressor(**{"max_epochs": 2, "lr": 0.01, "random_state": 0} | params)


def experts():
    return [("ridge", make_pipe()), ("published", ColumnRegressor("published"))]


def after(whole, new):
    """What was answered for the last rows of a table, series by series, of which `new` came first."""
    return np.concatenate([part[new // 2 :] for part in np.split(whole, 2)])


def joined(*tables):
    return pd.concat(tables).sort_index(level=0, kind="stable")


def weights_of(pipe):
    return [each.detach().clone() for each in pipe[-1].net_.module_.parameters()]


# --- equal to one fit, or to a replay ----------------------------------------------------------------


def test_history_is_that_of_one_fit_on_all_rows(rows):
    (X, y), (X_new, y_new), (X_later, _) = rows
    scaler, pipe = StandardScaler().fit(X), make_pipe().fit(X, y)
    whole = clone(pipe).set_params(scale=FrozenEstimator(scaler), regressor=FrozenEstimator(pipe[-1]))
    whole.set_output(transform="pandas").fit(joined(X, X_new), np.zeros(len(X) + len(X_new)))
    expected = whole.predict(X_later)
    assert update(pipe, X_new) is pipe
    assert_array_equal(pipe.predict(X_later), expected)
    assert_array_equal(pipe[0].mean_, scaler.mean_)
    again = make_pipe().fit(X, y)
    assert_array_equal(update(again, X_new, y_new).predict(X_later), expected)


@pytest.mark.parametrize(("method", "by"), ONLINE)
def test_online_weights_are_those_of_a_replay(rows, method, by):
    (X, y), (X_new, y_new), (X_later, _) = rows
    fitted = CombinationRegressor(experts(), method=method, by=by, target="power").fit(X, y)
    both = joined(X_new, X_later)
    weights, forecasts = after(fitted.weigh(both), len(X_new)), after(fitted.predict(both), len(X_new))
    assert not np.allclose(fitted.weigh(X_later), weights)
    update(fitted, X_new, y_new)
    assert_allclose(fitted.weigh(X_later), weights)
    assert_allclose(fitted.predict(X_later), forecasts)


@pytest.mark.parametrize("by", [("lead", "series"), ()])
def test_the_rolling_bias_is_that_of_a_replay(rows, by):
    (X, y), (X_new, y_new), (X_later, _) = rows
    fitted = RecalibratedRegressor(make_pipe(), target="power", by=by).fit(X, y)
    expected = after(fitted.predict(joined(X_new, X_later)), len(X_new))
    assert_allclose(update(fitted, X_new, y_new).predict(X_later), expected)


@pytest.mark.parametrize("adaptive", ["aci", "pid"])
def test_adaptive_corrections_are_those_of_a_replay(rows, adaptive):
    (X, y), (X_new, y_new), (X_later, _) = rows
    fitted = ConformalRegressor(
        make_pipe(), method="residual", adaptive=adaptive, target="power", rate=0.1, min_rows=20
    ).fit(X, y)
    expected = after(fitted.predict(joined(X_new, X_later), quantiles=[0.1, 0.8]), len(X_new))
    assert not np.allclose(fitted.predict(X_later, quantiles=[0.1, 0.8]), expected)
    assert_allclose(update(fitted, X_new, y_new).predict(X_later, quantiles=[0.1, 0.8]), expected)


def test_a_replay_goes_on_over_several_updates_and_without_times(rows):
    (X, y), (X_new, y_new), (X_later, _) = ((X.loc["station_0"], y.loc["station_0"]) for X, y in rows)
    for as_table in (lambda X: X, np.asarray):
        pipe = make_pipe(known=1).set_output(transform="default")
        some = [("ridge", pipe), ("published", ColumnRegressor(2))]
        fitted = CombinationRegressor(some, method="boa", target=0).fit(as_table(X), y)
        expected = fitted.weigh(as_table(pd.concat([X_new, X_later])))[len(X_new) :]
        for few in (slice(0, 24), slice(24, None)):
            update(fitted, as_table(X_new[few]), y_new[few])
        assert_allclose(fitted.weigh(as_table(X_later)), expected)


def test_tables_with_runs():
    X, y = forecast_runs(11, farms=["a"], every=12, horizon=24)
    X["published"] = X["power"] + 1.0
    known, new, later = of_runs(X, 0, 6), of_runs(X, 6, 9), of_runs(X, 9)
    some = [("net", make_pipe(network(), horizon=24)), ("published", ColumnRegressor("published"))]
    fitted = CombinationRegressor(some, method="boa", target="power", calibration=0.4).fit(X[known], y[known])
    expected = fitted.predict(X[new | later])[later[new | later]]
    assert_allclose(update(fitted, X[new], y[new]).predict(X[later]), expected)
    assert_allclose(fitted.predict(X[new | later])[later[new | later]], expected)  # what was learned is no news
    again = CombinationRegressor(some, method="boa", calibration=0.4).fit(X[known], y[known])
    update(again, X[new], y[new], epochs=1)
    assert not np.allclose(again.estimators_[0].predict(X[later]), fitted.estimators_[0].predict(X[later]))
    with pytest.raises(ValueError, match=r"48 of 144 rows .* row 0, run 2024-01-09 00:00:00 of series 'a'\."):
        update(again, X[of_runs(X, 8)])


# --- what was held out -------------------------------------------------------------------------------


def test_new_scores_are_of_forecasts_that_were_made_before_anything_learned(rows):
    (X, y), (X_new, y_new), (X_later, _) = rows
    pipe = make_pipe(network(quantiles=[0.1, 0.9]))
    fitted = ConformalRegressor(pipe, by=("lead",), min_rows=10).fit(X, y)
    n_before, forecasts = fitted.n_calibration_, fitted.estimator_.predict(X_new, quantiles=[0.1, 0.9])
    kept = fitted._held_out
    scores = [kept.y[:, None] - kept.forecasts, y_new.to_numpy()[:, None] - forecasts]
    leads = np.concatenate([kept.places.leads, np.tile(np.arange(60) % 3 + 1, 2)])
    update(fitted, X_new, y_new, epochs=1)
    assert fitted.n_calibration_ == n_before + len(X_new)
    scores = np.concatenate([scores[0][:, [0, -1]], scores[1]])
    own = np.sort(scores[leads == 1, 0])
    low = own[int(np.floor((len(own) + 1) * 0.1)) - 1]
    found, plain = (each.predict(X_later, quantiles=[0.1])[0, 0] for each in (fitted, fitted.estimator_))
    assert found == pytest.approx(plain + low)


def test_stacked_weights_are_solved_again_with_the_new_rows(rows):
    (X, y), (X_new, y_new), (X_later, _) = rows
    fitted = CombinationRegressor(experts(), method="stacked", by=()).fit(X, y)
    forecasts = np.column_stack([each.predict(X_new) for each in fitted.estimators_])
    errors = np.concatenate(
        [fitted._held_out.forecasts - fitted._held_out.y[:, None], forecasts - y_new.to_numpy()[:, None]]
    )
    gap = errors[:, 1] - errors[:, 0]
    weight = np.clip(-(errors[:, 0] @ gap) / (gap @ gap), 0, 1)
    update(fitted, X_new, y_new.where(np.arange(len(y_new)) >= 0))
    assert fitted.weigh(X_later)[0, 1] == pytest.approx(weight)


def test_rows_without_truth_teach_nothing_and_history_alone_needs_none(rows):
    (X, y), (X_new, y_new), (X_later, _) = rows
    fitted = CombinationRegressor(experts(), method="boa", by=()).fit(X, y)
    before = fitted.weigh(X_later)
    for target in (None, y_new.where(y_new > np.inf)):
        some = pickle.loads(pickle.dumps(fitted))
        assert_array_equal(update(some, X_new, target).weigh(X_later), before)
        assert some.estimators_[0][1].tail_.index.equals(update(make_pipe().fit(X, y), X_new)[1].tail_.index)


def test_a_new_series_has_weights_of_its_own_from_then_on(rows):
    (X, y), (X_new, y_new), (X_later, _) = rows
    renamed = X_new.rename({"station_1": "new"}, level=0), y_new.rename({"station_1": "new"}, level=0)
    some = [("published", ColumnRegressor("published")), ("seen", ColumnRegressor("wind"))]
    fitted = CombinationRegressor(some, method="boa", by=("series",), horizon=HORIZON).fit(X, y)
    later = X_later.rename({"station_1": "new"}, level=0)
    assert_allclose(fitted.weigh(later)[-1], 0.5)
    assert update(fitted, *renamed).weigh(later)[-1, 0] > 0.6


# --- epochs ------------------------------------------------------------------------------------------


def test_epochs_are_those_of_a_slow_partial_fit_on_the_windows_of_new_rows(rows):
    (X, y), (X_new, y_new), _ = rows
    pipe = make_pipe(network()).fit(X, y)
    table = pipe[:2].transform(X_new)
    by_hand = pickle.loads(pickle.dumps(pipe[-1]))
    for group in by_hand.net_.optimizer_.param_groups:
        group["lr"] *= 0.1
    windows = SlidingWindower(6, HORIZON, known="wind").fit_transform(table)
    target = np.append(np.full(len(table) - len(X_new), np.nan), y_new)
    by_hand.partial_fit(windows, target)
    update(pipe, X_new, y_new, epochs=1)
    for one, other in zip(weights_of(pipe), by_hand.net_.module_.parameters(), strict=True):
        assert_array_equal(one, other.detach())
    assert pipe[-1].n_iter_ == 3


def test_the_first_new_row_teaches_and_rows_before_do_not(rows):
    (X, y), (X_new, y_new), _ = rows
    first = X_new.groupby(level=0).cumcount().to_numpy() == 0
    pipe = make_pipe(network()).fit(X, y)
    before = weights_of(pipe)
    update(pipe, X_new, y_new.where(first), epochs=1)
    assert any(not np.array_equal(one, other) for one, other in zip(before, weights_of(pipe), strict=True))
    with pytest.raises(ValueError, match="nothing to learn from"):
        update(make_pipe(network()).fit(X, y), X_new, y_new.where(first & ~first), epochs=1)


def test_rows_that_are_given_again_are_trained_on_and_count_for_nothing_else(rows):
    (X, y), (X_new, y_new), (X_later, _) = rows
    is_late = X.index.get_level_values("time") >= "2024-01-05"
    again, y_again = joined(X[is_late], X_new), joined(y[is_late], y_new)
    fitted = [ConformalRegressor(make_pipe(network()), method="residual").fit(X, y) for _ in range(2)]
    update(fitted[0], X_new, y_new, epochs=1)
    update(fitted[1], again, y_again, epochs=1)
    one, other = fitted
    assert one.n_calibration_ == other.n_calibration_
    assert_array_equal(one._held_out.forecasts, other._held_out.forecasts)
    assert_array_equal(one._held_out.y, other._held_out.y)
    assert one.estimator_[:2].transform(X_later).equals(other.estimator_[:2].transform(X_later))
    by_hand = make_pipe(network()).fit(X, y)
    slow = by_hand[-1]
    for group in slow.net_.optimizer_.param_groups:
        group["lr"] *= 0.1
    slow.partial_fit(SlidingWindower(6, HORIZON, known="wind").fit_transform(by_hand[0].transform(again)), y_again)
    for found, wanted in zip(weights_of(other.estimator_), slow.net_.module_.parameters(), strict=True):
        np.testing.assert_allclose(found, wanted.detach(), rtol=1e-6)
    with pytest.raises(ValueError, match="given again, too"):
        update(one, X[is_late], y[is_late], epochs=1)


@pytest.mark.parametrize("around", ["boa", "bias"])
def test_weights_and_bias_read_new_rows_alone(rows, around):
    (X, y), (X_new, y_new), _ = rows
    named = [("network", make_pipe(network())), ("published", ColumnRegressor("published"))]
    make = {
        "boa": lambda: CombinationRegressor(named, method="boa", target="power"),
        "bias": lambda: RecalibratedRegressor(make_pipe(network()), target="power"),
    }[around]
    fitted = [make().fit(X, y) for _ in range(2)]
    update(fitted[0], X_new, y_new, epochs=1)
    update(fitted[1], joined(X, X_new), joined(y, y_new), epochs=1)
    assert_array_equal(*(each._errors if around == "bias" else each._held_out.forecasts for each in fitted))


@pytest.mark.parametrize("params", [{}, {"lr_schedule": "one_cycle", "early_stopping": True}, {"batch_size": "auto"}])
def test_parameters_and_rates_stay_and_later_ones_do_not_count(rows, params):
    (X, y), (X_new, y_new), (X_later, _) = rows
    pipes = [make_pipe(network(**params)).fit(X, y) for _ in range(2)]
    net = pipes[0][-1].net_
    given, rates = pipes[0].get_params(), [group["lr"] for group in net.optimizer_.param_groups]
    pipes[1].set_params(regressor__lr=1e9, regressor__weight_decay=9.0, regressor__quantiles=[0.5])
    for pipe in pipes:
        update(pipe, X_new, y_new, epochs=2)
    assert_array_equal(pipes[1].predict(X_later), pipes[0].predict(X_later))
    regressor = pipes[0][-1]
    assert pipes[0].get_params() == given
    assert [group["lr"] for group in regressor.net_.optimizer_.param_groups] == rates
    assert (regressor.net_.lr_schedule, regressor.net_.lr) == (net.lr_schedule, net.lr)
    windows = pipes[0][:-1].fit_transform(X, y)
    regressor.set_params(warm_start=True, max_epochs=1)
    assert regressor.fit(windows, y).n_iter_ == len(regressor.history_["epoch"])


def test_no_window_reads_blank_history(rows):
    (X, y), _, (X_later, y_later) = rows  # the rows between are missing
    pipe = make_pipe(network(), length=24).fit(X, y)
    by_hand = pickle.loads(pickle.dumps(pipe[-1]))
    for group in by_hand.net_.optimizer_.param_groups:
        group["lr"] *= 0.1
    by_hand.partial_fit(SlidingWindower(6, HORIZON, known="wind").fit_transform(pipe[0].transform(X_later)), y_later)
    update(pipe, X_later, y_later, epochs=1)
    for one, other in zip(weights_of(pipe), by_hand.net_.module_.parameters(), strict=True):
        assert_array_equal(one, other.detach())


# --- all that may stand around -----------------------------------------------------------------------


AROUND = {
    "search": lambda pipe: GridSearchCV(pipe, {"windows__stride": [1]}, cv=PanelTimeSeriesSplit(2, test_size=12)),
    "series": PerSeriesRegressor,
    "recursive": lambda pipe: RecursiveRegressor(pipe, target="power"),
    "conformal": lambda pipe: ConformalRegressor(pipe, method="residual"),
    "bias": lambda pipe: RecalibratedRegressor(pipe, target="power"),
    "combination": lambda pipe: CombinationRegressor([("net", pipe)]),
    "transformed": lambda pipe: TransformedTargetRegressor(pipe, transformer=StandardScaler()),
    "scaled": lambda pipe: Pipeline([("scale", StandardScaler()), ("each", PerSeriesRegressor(pipe))]).set_output(
        transform="pandas"
    ),
    "nested": lambda pipe: Pipeline([("before", pipe[:2]), ("none", "passthrough"), ("cut", pipe[2:])]).set_output(
        transform="pandas"
    ),
}


@pytest.mark.parametrize("name", AROUND)
def test_networks_and_history_are_found_in_whatever_stands_around(rows, name):
    (X, y), (X_new, y_new), (X_later, _) = rows
    ensemble = EnsembleRegressor(network(), n_members=2, random_state=0)
    before = AROUND[name](make_pipe(ensemble)).fit(X, y)
    still, trained = (pickle.loads(pickle.dumps(before)) for _ in range(2))
    update(still, X_new, y_new)
    update(trained, X_new, y_new, epochs=1)
    forecasts = [each.predict(X_later) for each in (before, still, trained)]
    assert not np.allclose(forecasts[0][:HORIZON], forecasts[1][:HORIZON])
    assert not np.array_equal(forecasts[1], forecasts[2])
    assert_allclose(forecasts[1], forecasts[2], atol=0.1)


def test_a_transformed_target_is_trained_on_in_its_units(rows):
    (X, y), (X_new, y_new), (X_later, _) = rows
    around = TransformedTargetRegressor(make_pipe(network()), func=lambda y: 1000 * y, inverse_func=lambda y: y / 1000)
    around.fit(X, y)
    plain = pickle.loads(pickle.dumps(around.regressor_))
    update(around, X_new, y_new, epochs=1)
    expected = update(plain, X_new, 1000 * y_new, epochs=1).predict(X_later) / 1000
    assert_allclose(around.predict(X_later), expected)


def test_what_is_frozen_or_not_known_remembers_and_learns_nothing_else(rows):
    (X, y), (X_new, y_new), (X_later, _) = rows
    pipe = make_pipe(network()).fit(X, y)
    expected = update(pickle.loads(pickle.dumps(pipe)), X_new).predict(X_later)
    voting = VotingRegressor([("one", clone(pipe)), ("two", clone(pipe))]).fit(X, y)
    assert_allclose(update(voting, X_new, y_new).predict(X_later), expected, atol=1e-6)
    frozen = ConformalRegressor(FrozenEstimator(pipe), method="residual", calibration=1.0).fit(X, y)
    assert_array_equal(update(frozen, X_new, y_new).predict(X_later), expected)
    with pytest.raises(ValueError, match="no network that could be trained"):
        update(FrozenEstimator(pipe), X_later, rows[2][1], epochs=1)


def test_trees_on_windows_stay(rows):
    (X, y), (X_new, y_new), (X_later, _) = rows
    pipe = make_pipe(WindowedRegressor(HistGradientBoostingRegressor(max_iter=2))).fit(X, y)
    trees = pipe[-1]
    assert np.isfinite(update(pipe, X_new, y_new).predict(X_later)).all()
    assert pipe[-1] is trees


# --- what is refused ---------------------------------------------------------------------------------


def test_what_is_refused_leaves_the_pipe_as_it_was(rows):
    (X, y), (X_new, y_new), (X_later, _) = rows
    fitted = ConformalRegressor(make_pipe(network()), method="residual").fit(X, y)
    before = fitted.predict(X_later, quantiles=[0.1])
    state = [each.copy() for each in (vars(fitted), vars(fitted.estimator_[1]), vars(fitted.estimator_[-1]))]
    place = r"240 of 360 rows .* ConformalRegressor has seen .* row 0, 2024-01-04 .* of series 'station_0'"
    late = joined(X, X_new)
    late = late[late.index.get_level_values("time") >= "2024-01-04 08:00"]
    with pytest.raises(ValueError, match=place):
        update(fitted, late)
    with pytest.raises(ValueError, match="feature names"):
        update(fitted, X_new.rename(columns={"wind": "other"}), y_new)
    with pytest.raises(ValueError, match="give y_new"):
        update(fitted, X_new, epochs=1)
    with pytest.raises(PanelIndexError, match="different rows"):
        update(fitted, X_new, y_new[::-1])
    with pytest.raises(ShortSeriesError, match="one training window"):
        update(fitted, X_new.groupby(level=0).head(2), y_new.groupby(level=0).head(2), epochs=1)
    with pytest.raises(ValueError, match="nothing to learn from"):
        update(fitted, X_new, y_new.where(y_new > np.inf), epochs=1)
    with pytest.raises(ValueError, match="The 'epochs' parameter"):
        update(fitted, X_new, y_new, epochs=-1)
    for part, then in zip((fitted, fitted.estimator_[1], fitted.estimator_[-1]), state, strict=True):
        assert all(vars(part)[name] is value for name, value in then.items())
        assert vars(part).keys() == then.keys()
    assert_array_equal(fitted.predict(X_later, quantiles=[0.1]), before)
    with pytest.raises(NotFittedError):
        update(make_pipe(), X_new)
    with pytest.raises(ValueError, match="Give epochs=0"):
        update(make_pipe().fit(X, y), X_new, y_new, epochs=1)
    each = PerSeriesRegressor(make_pipe()).fit(X, y)
    with pytest.raises(ValueError, match="no estimator for 1 of 2 series"):
        update(each, X_new.rename({"station_1": "new"}, level=0))


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
def test_a_training_that_fails_leaves_everything_as_it_was(rows):
    (X, y), (X_new, y_new), (X_later, _) = rows
    pipe = make_pipeline(HistoryPrepender(6), SlidingWindower(6, HORIZON, known="wind"), LSTMRegressor(max_epochs=1))
    pipe.fit(X, y)
    before = pipe.predict(X_later)
    with pytest.raises(NonFiniteLossError):
        update(pipe, X_new, y_new.mask(y_new == y_new.iloc[0], 1e300), epochs=1)
    assert_array_equal(pipe.predict(X_later), before)
    assert pipe[-1].n_iter_ == 1
