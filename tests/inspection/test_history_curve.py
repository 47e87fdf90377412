import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skts import DLinearRegressor, HistoryPrepender, SlidingWindower
from skts.datasets import make_panel
from skts.exceptions import ShortSeriesError
from skts.inspection import history_curve
from skts.inspection._history_curve import _find_sufficient, paired_difference, rows_since_gap
from skts.model_selection import PanelTimeSeriesSplit
from skts.panel import PanelIndex
from skts.strategies import PerSeriesRegressor, WindowedRegressor
from tests._callbacks import Recorder


class Witness(RegressorMixin, BaseEstimator):
    """Forecasts 0, and remembers what every clone of it was given."""

    seen = []

    def fit(self, windows, y):
        self.fitted_ = True
        Witness.seen.append(("fit", windows, np.asarray(y, dtype=float)))
        return self

    def predict(self, windows):
        Witness.seen.append(("predict", windows, None))
        return windows.to_rows(np.zeros((len(windows), windows.horizon)))


@pytest.fixture
def seen(monkeypatch):
    monkeypatch.setattr(Witness, "seen", [])
    return Witness.seen


def make_pipe(regressor=None, horizon=3, **windower):
    return make_pipeline(
        HistoryPrepender(1), SlidingWindower(1, horizon, **windower), regressor or WindowedRegressor(Ridge())
    )


def echo(lag, n_rows=400, seed=0):
    """A value that repeats most of the one `lag` rows before, and forgets the rest."""
    y = np.random.default_rng(seed).normal(size=n_rows)
    for t in range(lag, n_rows):
        y[t] += 0.9 * y[t - lag]
    return y.reshape(-1, 1), y


@pytest.mark.parametrize("lag", [3, 6])
def test_the_shortest_sufficient_history_reaches_as_far_back_as_the_target_depends_on(lag):
    X, y = echo(lag)
    result = history_curve(make_pipe(horizon=1), X, y, lengths=[1, 12, lag, lag - 1])
    assert result.lengths.tolist() == [1, lag - 1, lag, 12]
    assert result.shortest == lag
    assert result.table.loc[lag - 1, "low"] > 0  # told from the best


@pytest.mark.filterwarnings("ignore::skts.exceptions.MissingHistoryWarning")  # values are missing
def test_errors_are_those_of_fitting_and_forecasting_by_hand():
    X, y = make_panel(n_series=2, n_rows=120, missing=0.1, random_state=0)
    cv = PanelTimeSeriesSplit(2, test_size=20)
    result = history_curve(make_pipe(), X, y, lengths=[2, 8], cv=cv, same_targets=False)
    for i, length in enumerate([2, 8]):
        for j, (train, test) in enumerate(cv.split(X)):
            pipe = make_pipe().set_params(historyprepender__length=length, slidingwindower__window=length)
            train = np.sort(train)
            y_pred, there = pipe.fit(X.iloc[train], y.iloc[train]).predict(X.iloc[test]), y.iloc[test].notna()
            expected = mean_absolute_error(y.iloc[test][there], y_pred[there])
            assert result.errors[i, j] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("holes", [[], [30, 31, 77], [40, 50, 61]])
def test_all_lengths_learn_the_same_rows_and_forecast_the_same_rows_from_the_same_origins(seen, holes):
    X, y = make_panel(n_series=2, n_rows=100, random_state=0)
    X, y = X.drop(X.index[holes]), y.drop(y.index[holes])
    history_curve(make_pipe(Witness()), X, y, lengths=[2, 5, 9], cv=PanelTimeSeriesSplit(2, test_size=12))
    learned, origins = [[], []], [[], []]
    for i, (kind, windows, targets) in enumerate(seen):
        fold = i // 2 % 2
        if kind == "fit":
            rows = windows.rows[windows.horizon_positions()]
            learned[fold].append(set(rows[~np.isnan(targets[rows])]))
        else:
            origins[fold].append(set(windows.ticks[windows.origins]))
    for fold in range(2):
        assert len(learned[fold]) == len(origins[fold]) == 3
        assert learned[fold][0] == learned[fold][1] == learned[fold][2]
        assert origins[fold][0] == origins[fold][1] == origins[fold][2]


def test_each_length_may_learn_all_that_it_can(seen):
    X, y = echo(2, n_rows=60)
    cv = [(np.arange(50), np.arange(50, 60))]
    history_curve(make_pipe(Witness()), X, y, lengths=[2, 9], cv=cv, same_targets=False)
    assert [len(windows) for kind, windows, _ in seen if kind == "fit"] == [50 - 2 - 2, 50 - 9 - 2]
    assert not any(np.isnan(targets).any() for kind, _, targets in seen if kind == "fit")


def test_after_a_gap_in_cv_the_history_is_that_of_the_table():
    X, y = echo(4)
    apart = history_curve(make_pipe(horizon=1), X, y, lengths=[4], cv=PanelTimeSeriesSplit(2, test_size=20, gap=10))
    near = history_curve(make_pipe(horizon=1), X, y, lengths=[4], cv=PanelTimeSeriesSplit(2, test_size=20))
    np.testing.assert_allclose(apart.errors, near.errors, rtol=0.05)


def test_targets_of_the_first_rows_of_a_stretch_are_those_that_follow_a_gap():
    times = pd.DatetimeIndex(["2024-01-01 00:00", "2024-01-01 01:00", "2024-01-01 02:00", "2024-01-01 05:00"])
    index = pd.MultiIndex.from_tuples([(s, t) for t in times for s in "ab"], names=["series", "time"])
    since, stretch = rows_since_gap(PanelIndex.read(pd.DataFrame({"x": 1.0}, index=index)))
    assert since.tolist() == [0, 0, 1, 1, 2, 2, 0, 0]
    assert stretch.tolist() == [3, 3, 3, 3, 3, 3, 1, 1]


def test_what_makes_a_fold_hard_cancels_in_the_difference():
    hard = np.array([0.0, 100.0, 5.0])
    errors = np.array([hard + 1, hard + np.array([0.1, 0.0, -0.1]), hard])
    difference, standard_error, half = paired_difference(errors, 2)
    np.testing.assert_allclose(difference, [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(standard_error, [0, 0.1 / 3**0.5, 0], atol=1e-12)
    np.testing.assert_allclose(half, 4.302652729911275 * standard_error)  # Student's, of two degrees of freedom


@pytest.mark.parametrize(
    ("difference", "standard_error", "first"),
    [([3, 1, 0, 2], [1, 1, 0, 1], 1), ([3, 2, 0, 0], [1, 1, 0, 1], 2), ([3, 1, 0, 0], [np.nan] * 4, 2)],
)
def test_the_first_within_one_standard_error_is_sufficient(difference, standard_error, first):
    assert _find_sufficient(np.array(difference), np.array(standard_error), best=2) == first


def test_the_table_and_the_bunch_say_the_same():
    X, y = echo(3)
    result = history_curve(make_pipe(), X, y, lengths=[2, 4, 6], cv=PanelTimeSeriesSplit(3, test_size=50))
    assert result.errors.shape == result.fit_seconds.shape == result.predict_seconds.shape == (3, 3)
    np.testing.assert_allclose(result.table["error"], result.errors.mean(axis=1))
    assert result.best == result.table["error"].idxmin()
    assert (result.table.loc[result.best, ["difference", "standard_error", "low", "high"]] == 0).all()
    assert (result.fit_seconds > 0).all()
    assert (result.predict_seconds > 0).all()


def test_other_scores_become_errors_by_their_sign():
    X, y = echo(3)
    options = {"lengths": [3], "cv": PanelTimeSeriesSplit(2, test_size=50)}
    squared = history_curve(make_pipe(), X, y, scoring="neg_mean_squared_error", **options)
    rooted = history_curve(make_pipe(), X, y, scoring="neg_root_mean_squared_error", **options)
    np.testing.assert_allclose(rooted.errors**2, squared.errors)


def test_the_window_is_found_wherever_set_params_reaches():
    X, y = make_panel(n_series=2, n_rows=120, random_state=0)
    options = {"lengths": [2, 4], "cv": PanelTimeSeriesSplit(2, test_size=20)}
    pipe = make_pipeline(StandardScaler().set_output(transform="pandas"), *make_pipe())
    search = GridSearchCV(
        pipe, {"windowedregressor__estimator__alpha": [1.0]}, cv=PanelTimeSeriesSplit(2), scoring="r2"
    )
    plain = history_curve(pipe, X, y, same_targets=False, **options)
    np.testing.assert_allclose(history_curve(search, X, y, same_targets=False, **options).errors, plain.errors)
    apart = [X.loc[[name]] for name in X.index.levels[0]]
    own = [history_curve(pipe, part, y[part.index], **options).errors for part in apart]
    each = history_curve(PerSeriesRegressor(pipe), X, y, **options).errors
    np.testing.assert_allclose(each, np.mean(own, axis=0), rtol=1e-5)
    assert pipe.get_params()["slidingwindower__window"] == 1  # as it was


def test_networks_learn_from_what_is_left_of_the_targets():
    X, y = make_panel(n_series=2, n_rows=150, random_state=0)
    pipe = make_pipe(DLinearRegressor(kernel_size=3, max_epochs=2, random_state=0, device="cpu"), known="wind")
    result = history_curve(pipe, X, y, lengths=[2, 6], cv=PanelTimeSeriesSplit(2, test_size=20), n_jobs=1)
    assert np.isfinite(result.errors).all()


def test_lengths_that_do_not_fit_the_series_are_refused_with_what_there_is():
    X, y = echo(3, n_rows=100)
    with pytest.raises(ShortSeriesError, match=r"needs 93 consecutive rows .* fold 0 trains on at most 50"):
        history_curve(make_pipe(), X, y, lengths=[4, 90], cv=PanelTimeSeriesSplit(2, test_size=25))


@pytest.mark.parametrize("lengths", [[], [0, 3], [2.5], [[3]]])
def test_lengths_are_whole_numbers_of_rows(lengths):
    with pytest.raises(ValueError, match="whole numbers of rows are expected"):
        history_curve(make_pipe(), *echo(3), lengths=lengths)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (Ridge(), "Ridge has no SlidingWindower"),
        (FrozenEstimator(make_pipe()), "FrozenEstimator has no SlidingWindower .* not fitted or frozen"),
        (make_pipeline(SlidingWindower(2), Ridge()), "has no HistoryPrepender"),
        (make_pipeline(HistoryPrepender(2), SlidingWindower(None, history=2), Ridge()), "no window to vary"),
    ],
)
def test_what_has_no_window_to_vary_is_refused(estimator, message):
    with pytest.raises(ValueError, match=message):
        history_curve(estimator, *echo(3), lengths=[2])


def test_folds_of_rows_are_refused():
    with pytest.raises(ValueError, match="'cv' parameter"):
        history_curve(make_pipe(), *echo(3), lengths=[2], cv=3)


def test_callbacks_of_the_estimator_are_told_of_every_training():
    X, y = echo(3, n_rows=200)
    recorder = Recorder()
    options = {"lengths": [2, 4], "cv": PanelTimeSeriesSplit(2, test_size=25)}
    result = history_curve(make_pipe().set_callbacks(recorder), X, y, **options)
    assert recorder.n_subtasks["history_curve", "trainings"] == 4
    assert sorted(event[3] for event in recorder.events if event[:3] == ("end", "Pipeline", "fit")) == [0, 1, 2, 3]
    assert recorder.events.count("teardown") == 1
    np.testing.assert_array_equal(result.errors, history_curve(make_pipe(), X, y, **options).errors)


def test_a_progress_bar_counts_the_trainings(capsys):
    X, y = echo(3, n_rows=200)
    options = {"lengths": [2], "cv": PanelTimeSeriesSplit(2, test_size=25)}
    history_curve(make_pipe(), X, y, **options)
    assert capsys.readouterr().out == ""
    history_curve(make_pipe(), X, y, verbose=1, **options)
    assert "history_curve - trainings" in capsys.readouterr().out
