import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingRegressor, StackingRegressor
from sklearn.linear_model import LassoCV, Ridge, SGDRegressor
from sklearn.model_selection import GridSearchCV, KFold, ShuffleSplit, TimeSeriesSplit
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler, TargetEncoder

from skts import DLinearRegressor, GRURegressor, LSTMRegressor, NLinearRegressor, SlidingWindower
from skts.datasets import make_panel
from skts.exceptions import LeakError
from skts.features import CalendarFeatures, NeighbourFeatures
from skts.inspection import check_leakage
from skts.inspection.leakage._perturb import KINDS, perturb
from skts.inspection.leakage._procedure import change_of
from skts.inspection.leakage._splits import count_not_later
from skts.model_selection import LeaveSeriesOut, PanelTimeSeriesSplit, PurgedPanelKFold
from skts.strategies import EnsembleRegressor, PerSeriesRegressor, RecursiveRegressor, WindowedRegressor
from tests._callbacks import Recorder
from tests.inspection.leakage import _planted_leaks as planted
from tests.inspection.leakage._planted_leaks import windowed

pytestmark = pytest.mark.filterwarnings("ignore::skts.exceptions.KnownTargetWarning")  # the target is what is known

X, y = make_panel(n_series=2, n_rows=120, random_state=0)
MIXED, Y_MIXED = make_panel(n_series=3, n_rows=90, missing=0.1, interleave=True, random_state=1)
ALONE = X.loc["station_0"]
HOLED = X.assign(power=X["power"].mask(np.arange(len(X)) % 12 < 3))


def check(estimator, X=X, y=y, n_origins=4, **kwargs):
    return check_leakage(estimator, X, y, n_origins=n_origins, random_state=0, **kwargs)


def lstm(**kwargs):
    return LSTMRegressor(hidden_size=4, **{"max_epochs": 1, "device": "cpu", **kwargs})


def suspects(report):
    return set(zip(report.leaks["perturbed"], report.leaks["changed"], strict=True))


FORECASTS, TRAINING, SPLIT = "forecasts", "training rows", ("rows of the split", "validation rows")
BEFORE_THE_SPLIT = {
    "a scaler fitted on all rows": (planted.scaler_on_all_rows, X),
    "a centred rolling mean": (planted.centred_mean, X),
    "a target-encoded feature": (planted.target_encoding, X),
    "a back-filled gap": (planted.back_filled, HOLED),
}
INSIDE = {
    "a window shifted by one": windowed(windower=planted.ShiftedWindower),
    "statistics over the test rows of all stations": windowed(FunctionTransformer(planted.scale_table)),
    "a history that holds the future": windowed(prepender=planted.FutureHistory),
    "a centred rolling mean in the pipeline": windowed(FunctionTransformer(planted.smooth_table)),
    "the target named as known": windowed(known=["wind", "power"]),
}
STACKED = StackingRegressor([("ridge", Ridge())], cv=KFold(3, shuffle=True))
SHUFFLED = {
    "a shuffled search": GridSearchCV(Ridge(), {"alpha": [1, 9]}, cv=KFold(3, shuffle=True)),
    "a search over folds of rows": GridSearchCV(Ridge(), {"alpha": [1, 9]}, cv=3),
    "a search in a pipeline": make_pipeline(
        StandardScaler(), GridSearchCV(Ridge(), {"alpha": [1, 9]}, cv=ShuffleSplit(2))
    ),
    "a search that cuts row numbers of stations": GridSearchCV(Ridge(), {"alpha": [1, 9]}, cv=TimeSeriesSplit(3)),
    "early stopping of a network": MLPRegressor(hidden_layer_sizes=2, early_stopping=True, max_iter=3),
    "early stopping of gradient boosting": HistGradientBoostingRegressor(early_stopping=True, max_iter=3),
    "early stopping of a linear model": SGDRegressor(early_stopping=True),
    "early stopping on windows": windowed(
        last=WindowedRegressor(HistGradientBoostingRegressor(early_stopping=True, max_iter=3))
    ),
    "early stopping by hand": planted.StopsEarly(shuffle=True),
    "folds of a lasso": LassoCV(cv=3),
    "folds of a stacking": STACKED,
}


@pytest.mark.parametrize(("prepare", "X"), BEFORE_THE_SPLIT.values(), ids=BEFORE_THE_SPLIT)
def test_a_leak_before_the_split_is_found(prepare, X):
    report = check(Ridge(), X, prepare=prepare)
    assert not report.ok
    assert ("target", FORECASTS) in suspects(report)
    assert report.leaks["n_changed"].gt(0).all()


@pytest.mark.parametrize("pipe", INSIDE.values(), ids=INSIDE)
def test_a_leak_in_the_pipeline_is_found(pipe):
    assert ("target", FORECASTS) in suspects(check(pipe))


@pytest.mark.parametrize("estimator", SHUFFLED.values(), ids=SHUFFLED)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_shuffled_split_inside_is_found(estimator):
    table = X if "windower" in str(estimator) else X[["wind"]]
    assert suspects(check(estimator, table, watch_splits=True)) == {SPLIT}


def test_splits_inside_are_watched_on_request_alone(monkeypatch):
    def refuse(*_):
        raise AssertionError("scikit-learn was patched")

    monkeypatch.setattr("skts.inspection.leakage._splits.patch.object", refuse)
    search = GridSearchCV(Ridge(), {"alpha": [1, 9]}, cv=3)
    assert check(search, X[["wind"]]).ok
    with pytest.raises(AssertionError, match="was patched"):
        check(search, X[["wind"]], watch_splits=True)


TRAILING = FunctionTransformer(planted.smooth_table, kw_args={"center": False})
CLEAN = {
    "ridge on lags": (Ridge(), X, planted.lags),
    "a trailing rolling mean": (Ridge(), X, lambda X, y: planted.centred_mean(X, y, center=False)),
    "an encoding of the past": (Ridge(), X, planted.past_target_encoding),
    "a forward-filled gap": (Ridge(), HOLED, lambda X, y: planted.back_filled(X, y, fill="ffill")),
    "a scaler in the pipeline": (make_pipeline(StandardScaler(), Ridge()), X, planted.lags),
    "a search in time": (GridSearchCV(Ridge(), {"alpha": [1, 9]}, cv=PanelTimeSeriesSplit(3)), X, planted.lags),
    "a trailing mean in the pipeline": (windowed(TRAILING), X, None),
    "rows without a target dropped": (Ridge(), X, planted.lags_beside_targets),
    "an encoder that cross-fits": (make_pipeline(TargetEncoder(), Ridge()), X.assign(power=1, site=1), None),
}


@pytest.mark.parametrize(("estimator", "X", "prepare"), CLEAN.values(), ids=CLEAN)
def test_an_honest_table_passes(estimator, X, prepare):
    report = check(estimator, X, prepare=prepare, watch_splits=True)
    assert report.ok, report
    assert report.n_forecasts > 0
    assert not report.refused


NETWORKS = {
    "with known columns": windowed(StandardScaler(), last=lstm()),
    "without known columns": windowed(last=lstm(), known=None),
    "with quantiles": windowed(last=lstm(quantiles=(0.1, 0.9))),
    "with early stopping": windowed(last=lstm(early_stopping=True)),
    "with neighbours": windowed(NeighbourFeatures("wind"), last=lstm(), known=lambda X: list(X.columns[1:])),
    "with the calendar": windowed(CalendarFeatures(["hour"]), last=lstm(), known=["wind", "hour_sin", "hour_cos"]),
    "gated, stateful": windowed(last=GRURegressor(hidden_size=4, max_epochs=1, rolling="stateful", device="cpu")),
    "several origins a pass": windowed(last=EnsembleRegressor(lstm(origins_per_pass=3, series_embedding=2), 2)),
    "linear in trend and remainder": windowed(last=DLinearRegressor(max_epochs=1, device="cpu")),
    "linear from the last value": windowed(last=NLinearRegressor(max_epochs=1, device="cpu")),
    "in a search in time": GridSearchCV(
        windowed(last=lstm()), {"slidingwindower__window": [3, 6]}, cv=PanelTimeSeriesSplit(2)
    ).set_params(estimator__slidingwindower__history=6),
    "for each series": PerSeriesRegressor(windowed(last=lstm())),
    "fed back": RecursiveRegressor(windowed(last=lstm()), target="power"),
}


@pytest.mark.parametrize("estimator", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.filterwarnings("ignore::skts.exceptions.MissingHistoryWarning")
def test_networks_on_a_mixed_table_with_holes_pass(estimator):
    report = check(estimator, MIXED, Y_MIXED, n_origins=4, watch_splits=True)
    assert report.ok, report
    assert report.n_origins == 4
    assert not report.refused


@pytest.mark.parametrize("reads", [-1, 0, 1])
def test_a_row_of_its_own_may_read_itself_and_before_but_nothing_later(reads):
    report = check(Ridge(), X[["wind"]], prepare=lambda X, y: X.groupby("station").shift(-reads).fillna(0.0))
    assert report.ok == (reads <= 0)


@pytest.mark.parametrize(("reads", "declares"), [(0, 0), (2, 2), (2, 3), (2, 0), (3, 2)])
def test_known_columns_may_be_read_as_far_after_the_horizon_as_is_declared(reads, declares):
    report = check(windowed(last=planted.ReadsAfterHorizon(reads, declares)), n_origins=8)
    assert report.ok == (reads <= declares)
    assert report.ok or suspects(report) == {("known columns", FORECASTS)}


@pytest.mark.parametrize("lag", [0, 1])
def test_the_target_may_be_read_up_to_the_row_before(lag):
    report = check(Ridge(), prepare=lambda X, y: X.groupby("station").shift(lag).fillna(0.0), known=["wind"])
    assert report.ok == (lag == 1)
    assert report.roles == {"target": ["power"], "observed columns": [], "known columns": ["wind"]}


def test_a_network_sees_its_context_behind_the_horizon():
    network = lstm(lookahead=2, bidirectional=True)
    assert check(windowed(last=network)).ok
    assert not check(windowed(FunctionTransformer(planted.smooth_table), last=network)).ok


@pytest.mark.parametrize("hour", [95, 102, 117])
def test_one_gap_is_found_among_many_origins(hour):
    some = X.assign(power=X["power"].mask(np.arange(len(X)) == hour))
    report = check(Ridge(), some, prepare=planted.back_filled)
    assert set(report.leaks["origin"]) == {X.index.get_level_values("time")[hour + 1]}


def test_origins_are_those_of_the_windower():
    report = check(windowed(windower=planted.ShiftedWindower), n_origins=100)
    seen = report.leaks.query("perturbed == 'target'")
    times = X.index.get_level_values("time").unique()[80::4]
    assert set(seen["origin"]) == set(times) == set(report.leaks["origin"])
    assert set(seen["lead"]) == {1, 2, 3, 4}
    assert set(seen["series"]) == {"station_0", "station_1"}


def ragged(start, gap):
    """Two stations that start at different hours, one with a gap of rows."""
    hour = np.arange(len(X)) % 120
    station = X.index.get_level_values("station")
    keep = np.where(station == "station_0", hour >= start, ~((hour >= 90) & (hour < 90 + gap)))
    return X[keep], y[keep]


@pytest.mark.parametrize(("start", "gap"), [(1, 5), (6, 13)])
@pytest.mark.parametrize("windower", [SlidingWindower, planted.ShiftedWindower])
def test_series_of_their_own_grids_and_gaps_are_judged_by_their_origins(start, gap, windower):
    some, target = ragged(start, gap)
    assert check(windowed(windower=windower), some, target, n_origins=9).ok == (windower is SlidingWindower)


TABLES = {
    "an array": (ALONE.to_numpy(), ALONE["power"].to_numpy(), [1]),
    "a list": (ALONE.to_numpy().tolist(), ALONE["power"].tolist(), [1]),
    "a plain index": (ALONE.reset_index(drop=True), ALONE["power"].reset_index(drop=True), ["wind"]),
    "periods": (ALONE.to_period("h"), ALONE["power"].to_period("h"), ["wind"]),
    "two targets": (X, pd.concat([y, X["wind"] * 2], axis=1), ["wind"]),
}


@pytest.mark.parametrize(("X", "y", "known"), TABLES.values(), ids=TABLES)
def test_tables_of_every_kind_are_taken(X, y, known):
    report = check(windowed(known=known), X, y)
    assert report.ok, report
    assert report.roles == {"target": [str(1 - known[0]) if known == [1] else "power"], "observed columns": [],
                            "known columns": [str(known[0])]}  # fmt: skip
    assert not check(windowed(known=known), X, y, known=[]).ok


def test_without_a_prepender_the_rows_after_the_history_are_judged():
    pipe = make_pipeline(SlidingWindower(5, 4, known="wind"), WindowedRegressor(Ridge()))
    report = check(pipe, n_origins=100)
    assert report.ok, report
    assert report.n_forecasts == 2 * (40 - 5)


def test_other_series_are_no_matter_unless_each_is_to_stand_alone():
    neighbours = windowed(NeighbourFeatures("wind"), known=lambda X: list(X.columns[1:]))
    assert check(neighbours).ok
    report = check(neighbours, per_series=True)
    assert suspects(report) == {("other series", FORECASTS)}
    assert set(report.leaks["columns"]) == {"wind"}
    assert check(PerSeriesRegressor(windowed()), per_series=True).ok


def test_a_target_ahead_needs_a_gap():
    assert ("target", TRAINING) in suspects(check(Ridge(), X[["wind"]], prepare=planted.target_ahead))
    cv = PanelTimeSeriesSplit(2, gap=2)
    assert check(Ridge(), X[["wind"]], prepare=planted.target_ahead, cv=cv).ok


@pytest.mark.parametrize("cv", [KFold(3, shuffle=True, random_state=0), KFold(3), LeaveSeriesOut()])
def test_a_split_that_trains_on_the_future_is_a_leak_too(cv):
    report = check(Ridge(), X[["wind"]], cv=cv)
    assert suspects(report) == {SPLIT}
    assert report.leaks["columns"].tolist() == [f"{type(cv).__name__} given as cv"]
    assert report.n_forecasts > 0


def test_purged_folds_are_no_leak():
    purged = PurgedPanelKFold(3, window=2, horizon=1)
    search = GridSearchCV(Ridge(), {"alpha": [1]}, cv=purged)
    assert check(search, ALONE[["wind"]], ALONE["power"], watch_splits=True).ok
    assert check(Ridge(), X[["wind"]], cv=purged).ok


def test_the_report_names_the_suspects_and_strict_raises_it():
    with pytest.raises(LeakError, match=r"target \(power\) from the origin on changed 14 of 200 forecasts") as caught:
        check(Ridge(), prepare=planted.centred_mean, strict=True)
    report = pickle.loads(pickle.dumps(caught.value)).report
    assert str(report) == repr(report) == str(caught.value)
    assert str(report).startswith("LeakReport: 1 suspect in 76 forecasts from 4 origins\n")
    assert check(Ridge(), X[["wind"]], strict=True).ok


def test_what_only_changes_things_together_is_found():
    report = check(planted.NeedsBoth())
    assert suspects(report) == {("target and known columns", FORECASTS)}
    assert set(report.leaks["columns"]) == {"together"}


def test_an_observed_column_that_is_a_forecast_is_to_be_named():
    report = check(windowed(), known=[])
    assert suspects(report) == {("observed columns", FORECASTS)}
    assert "known=[...]" in str(report)


def test_values_that_are_refused_are_listed():
    assert check(Ridge(), X[["wind"]]).refused == {"missing": "Input X contains NaN."}
    assert check(HistGradientBoostingRegressor(max_iter=3), X[["wind"]]).refused == {}


DRAWING = {
    "a network": MLPRegressor(hidden_layer_sizes=2, max_iter=2),
    "a splitter": STACKED,
}


@pytest.mark.parametrize("estimator", DRAWING.values(), ids=DRAWING)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_chance_is_no_leak_and_the_same_seed_finds_the_same(estimator):
    one, other = (check(estimator, prepare=planted.centred_mean) for _ in range(2))
    pd.testing.assert_frame_equal(one.leaks, other.leaks)
    assert suspects(one) == {("target", FORECASTS), ("target", TRAINING)}


@pytest.mark.parametrize(("prepare", "n_fits"), [(None, 1), (planted.lags, 1), (planted.scaler_on_all_rows, 2 + 3 + 3)])
def test_training_is_repeated_only_where_its_rows_changed_and_not_for_every_origin(monkeypatch, prepare, n_fits):
    fits, fit = [], Ridge.fit
    monkeypatch.setattr(Ridge, "fit", lambda self, X, y: (fits.append(1), fit(self, X, y))[1])
    report = check(Ridge(), X if prepare else X[["wind"]], prepare=prepare, n_origins=8)
    assert len(fits) == n_fits
    assert report.n_origins == 8


def test_nothing_is_left_changed():
    table, target, split = X.copy(), y.copy(), KFold.split
    estimator = GridSearchCV(Ridge(), {"alpha": [1, 9]}, cv=KFold(3, shuffle=True))
    check(estimator, table[["wind"]], target, prepare=lambda X, y: X.assign(wind=X.pop("wind")), watch_splits=True)
    pd.testing.assert_frame_equal(table, X)
    pd.testing.assert_series_equal(target, y)
    assert KFold.split is split
    assert estimator.cv.random_state is None
    assert not hasattr(estimator, "best_estimator_")


HOUR, LATER = X.index.get_level_values("time")[5], pd.Timestamp("2025-01-01")
ERRORS = {
    "Two forecasts of Jittery": {"estimator": planted.Jittery("predict")},
    "Two fits of Jittery": {"estimator": planted.Jittery("fit"), "prepare": planted.centred_mean},
    "prepare gave the row .*2025.*, which X does not have": {"prepare": lambda X, y: X.rename({HOUR: LATER})},
    "prepare gave 2 rows for 240": {"prepare": lambda X, y: X.to_numpy()[:2]},
    "prepare gave a y of 3 rows for an X of 240": {"prepare": lambda X, y: (X, y[:3])},
    r"known=\['wnd'\]\): no column 'wnd'.* Did you mean 'wind'": {"known": ["wnd"]},
    r"Give known=\[": {
        "estimator": planted.unnamed(),
        "X": X.loc["station_0"].assign(more=1.0),
        "y": ALONE["power"],
    },
    "predict gave 3 forecasts for 80 rows": {"estimator": planted.Few()},
    "The 'n_origins' parameter": {"n_origins": 0},
    "The 'cv' parameter": {"cv": 3},
}


@pytest.mark.parametrize(("message", "arguments"), ERRORS.items(), ids=ERRORS)
def test_what_cannot_be_judged_is_refused_with_the_way_out(message, arguments):
    with pytest.raises(ValueError, match=message):
        check(**{"estimator": Ridge(), **arguments})


MIXED_TYPES = pd.DataFrame(
    {
        "float": np.arange(6.0, dtype=np.float32),
        "nullable": pd.array([1.5, None, 3.5, 4.5, 5.5, 6.5], dtype="Float64"),
        "int": np.arange(6),
        "flag": [True, False] * 3,
        "site": pd.Categorical(list("abcabc")),
        "constant": 2.0,
    }
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("table", [MIXED_TYPES, MIXED_TYPES["float"], np.arange(12.0).reshape(6, 2), np.arange(6)])
def test_new_values_take_the_place_of_the_chosen_cells_alone(table, kind):
    cells = np.zeros(np.shape(table) if np.ndim(table) == 2 else (6, 1), dtype=bool)
    cells[3:] = True
    before = table.copy()
    changed = perturb(table, cells, kind, np.random.RandomState(0))
    old, first, new = (pd.DataFrame(some) for some in (before, table, changed))
    pd.testing.assert_frame_equal(old, first)
    pd.testing.assert_frame_equal(new.dtypes.to_frame(), old.dtypes.to_frame())
    pd.testing.assert_frame_equal(new[:3], old[:3])
    floats = [i for i, dtype in enumerate(old.dtypes) if pd.api.types.is_float_dtype(dtype)]
    was, now = (some.iloc[3:, floats].to_numpy(dtype=float, na_value=np.nan) for some in (old, new))
    if kind == "missing":
        assert np.isnan(now).all()
    else:
        assert (now != was).all()
        assert ((np.abs(now - was).max(axis=0) > 100) == (kind == "wild")).all()


def test_change_is_measured_in_standard_deviations():
    before = np.array([[0.0, 5.0], [2.0, np.nan], [0.0, 5.0], [2.0, 5.0]])
    after = np.array([[0.5, 5.0], [2.0, np.nan], [0.0, np.nan], [2.0, 10.0]])
    np.testing.assert_array_equal(change_of(before, after), [0.5, 0, np.inf, 1])  # a constant counts in its own size
    np.testing.assert_array_equal(change_of(pd.Series(list("ab")), pd.Series(list("ac"))), [0, np.inf])


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from("tvn")), max_size=12))
def test_validation_rows_no_later_than_a_training_row_are_counted(rows):
    ticks = np.array([tick for tick, _ in rows], dtype=np.int64)
    train, valid = (np.array([i for i, (_, role) in enumerate(rows) if role == which], dtype=int) for which in "tv")
    not_later = [v for v in ticks[valid] if any(v <= t for t in ticks[train])]
    assert count_not_later(ticks, train, valid) == len(not_later)


def test_callbacks_of_the_estimator_are_told_of_the_first_fit_and_of_every_trial():
    recorder = Recorder()
    leaky = windowed().set_callbacks(recorder)
    given = {"prepare": planted.scaler_on_all_rows, "n_origins": 3, "per_series": True}
    report = check(leaky, **given)
    assert recorder.n_subtasks["check_leakage", "trials"] == 7
    assert recorder.events.count(("end", "Pipeline", "fit", 0)) == 1
    assert recorder.ended("trial") == [1, 2, 3, 4, 5]  # three origins and two series
    assert recorder.events.count("teardown") == 1
    assert not report.ok  # so that it was fitted again, which is not told
    assert report.leaks.equals(check(leaky.set_callbacks(), **given).leaks)


def test_a_progress_bar_is_shown_on_request(capsys):
    check(Ridge(), n_origins=1)
    assert capsys.readouterr().out == ""
    check(Ridge(), n_origins=1, verbose=1)
    assert "check_leakage - trials" in capsys.readouterr().out
