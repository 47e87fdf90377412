import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from skts import DLinearRegressor, GRURegressor, LSTMRegressor, NLinearRegressor, SlidingWindower
from skts.datasets import make_panel
from skts.exceptions import UnscaledColumnsWarning
from skts.supervised._target_column import affine_column

SCALERS = [
    StandardScaler(),
    MinMaxScaler(),
    RobustScaler(),
    MaxAbsScaler(),
    FunctionTransformer(np.negative),
    FunctionTransformer(lambda X: 1e4 * X - 300),
    FunctionTransformer(None),
]


def make_regressor(**kwargs):
    return LSTMRegressor(**{"hidden_size": 3, "max_epochs": 1, "random_state": 0, "device": "cpu"} | kwargs)


def make_power(missing=0.0):
    """A panel whose first column follows the power at 0.999 and whose last is the power itself."""
    X, y = make_panel(n_series=2, n_rows=80, missing=missing, random_state=0)
    noise = np.random.default_rng(0).standard_normal(len(y))
    nearly = y.fillna(0.5) + 0.02 * y.std() * noise
    return pd.DataFrame({"nearly": nearly, "wind": X["wind"], "power": y}), y


def found_columns(regressor):
    module = regressor.net_.module_
    return module.columns.tolist(), module.slope.numpy(), module.offset.numpy()


@pytest.mark.filterwarnings("ignore::skts.exceptions.UnscaledColumnsWarning")
@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("scaler", SCALERS)
def test_the_target_is_found_whatever_scale_a_step_before_gave_it(scaler, missing):
    X, y = make_power(missing)
    pipe = make_pipeline(scaler, SlidingWindower(6, 2, known=["wind"]), make_regressor(instance_norm="last"))
    pipe.set_output(transform="pandas").fit(X, y)
    columns, slope, offset = found_columns(pipe[-1])
    assert columns == [2]
    windows, regressor = pipe[:-1].fit_transform(X), pipe[-1]
    there = ~np.isnan(windows.panel[:, 2])
    standardised = (windows.to_panel(y)[there] - regressor._learned.y_mean) / regressor._learned.y_scale
    np.testing.assert_allclose(slope * windows.panel[there, 2] + offset, standardised, rtol=1e-3, atol=1e-3)


def test_each_target_has_its_own_column_in_the_order_of_y():
    X, y = make_power()
    both = pd.DataFrame({"wind": 5 - 3 * X["wind"], "power": y})
    windows = SlidingWindower(6, 2).fit_transform(X)
    regressor = make_regressor(instance_norm="mean").fit(windows, both)
    columns, slope, offset = found_columns(regressor)
    assert columns == [1, 2]
    mean, scale = regressor._learned.y_mean, regressor._learned.y_scale
    np.testing.assert_allclose(slope * scale, [-3, 1], rtol=1e-4)
    np.testing.assert_allclose(offset * scale + mean, [5, 0], atol=1e-4)


def test_a_target_that_is_missing_where_its_column_is_not_is_found_all_the_same():
    X, y = make_power()
    windows = SlidingWindower(6, 2).fit_transform(X)
    holes = np.random.default_rng(0).random(len(y)) < 0.5
    assert found_columns(make_regressor(instance_norm="last").fit(windows, y.mask(holes)))[0] == [2]


@pytest.mark.parametrize("missing_columns", [["power"], ["power", "nearly"]])
@pytest.mark.parametrize("regressor", [make_regressor(instance_norm="mean"), NLinearRegressor(device="cpu")])
def test_without_the_target_in_the_table_the_way_out_is_named(regressor, missing_columns):
    X, y = make_power()
    windows = SlidingWindower(6, 2).fit_transform(X.drop(columns=missing_columns))
    message = (
        rf"{type(regressor).__name__}: no column of X is target 0 itself.*instance_norm needs.*X.assign\(power=y\).*"
        "alike for all series"
    )
    with pytest.raises(ValueError, match=message):
        regressor.fit(windows, y)
    assert not hasattr(regressor, "net_")


def test_a_scale_for_each_series_is_refused():
    X, y = make_power()
    own_scale = X.assign(power=y / y.groupby("station").transform("max") * [1.0] * len(y))
    own_scale.loc["station_1", "power"] = (2 * own_scale.loc["station_1", "power"]).to_numpy()
    with pytest.raises(ValueError, match="scale it alike for all series"):
        make_regressor(instance_norm="last").fit(SlidingWindower(6, 2).fit_transform(own_scale), y)


@pytest.mark.parametrize("regressor", [LSTMRegressor, GRURegressor])
def test_arrays_do_not_tell_which_column_is_the_target(regressor):
    X = np.random.default_rng(0).standard_normal((20, 5, 2))
    with pytest.raises(ValueError, match=rf"{regressor.__name__}: arrays of windows do not tell.*give Windows"):
        regressor(instance_norm="last", max_epochs=1, device="cpu").fit(X, X[:, -1, 0])


@settings(deadline=None, max_examples=50)
@given(
    st.integers(0, 3),
    st.sampled_from([-1e3, -1.0, 1e-3, 1.0, 50.0]),
    st.sampled_from([-1e3, 0.0, 20.0]),
    st.integers(0, 99),
)
def test_a_line_through_a_column_is_found(column, slope, offset, seed):
    rng = np.random.default_rng(seed)
    table = rng.standard_normal((200, 4))
    table[rng.random(table.shape) < 0.2] = np.nan
    values = slope * table[:, column] + offset
    found, found_slope, found_offset = affine_column(table.astype(np.float32), values)
    assert found == column
    np.testing.assert_allclose(found_slope, slope, rtol=1e-4)
    np.testing.assert_allclose(found_offset, offset, rtol=1e-4, atol=1e-3 * abs(slope))
    others = np.delete(table, column, axis=1).astype(np.float32)
    assert affine_column(others, values)[0] is None


def test_a_column_that_hardly_ever_is_there_is_not_taken_for_the_target():
    """Through two points there always is a line."""
    table = np.random.default_rng(0).standard_normal((100, 2)).astype(np.float32)
    table[2:, 0] = np.nan
    assert affine_column(table, 3.0 * table[:, 1] - 1.0)[0] == 1


def test_a_constant_target_takes_a_constant_column():
    table = np.array([[1.0, 4.0], [2.0, 4.0], [3.0, 4.0]], dtype=np.float32)
    assert affine_column(table, np.full(3, 7.0)) == (1, 1.0, 3.0)
    assert affine_column(table[:, :1], np.full(3, 7.0)) == (None, 0.0, 0.0)
    assert affine_column(table[:, 1:], table[:, 0].astype(float)) == (None, 0.0, 0.0)


def test_a_small_swing_on_a_high_level_is_found_in_spite_of_float32():
    values = np.random.default_rng(0).standard_normal(500)
    table = np.column_stack([np.random.default_rng(1).standard_normal(500), 1e6 + values]).astype(np.float32)
    assert affine_column(table, values)[0] == 1


# --- its unit ---------------------------------------------------------------------------------------------

LEVELLED = {kind: make_regressor(instance_norm=kind, max_epochs=3) for kind in ("last", "mean", "median")}
LEVELLED["nlinear"] = NLinearRegressor(max_epochs=3, random_state=0, device="cpu")
REGRESSORS = LEVELLED | {"dlinear": DLinearRegressor(max_epochs=1, device="cpu"), "lstm": make_regressor()}


@pytest.mark.parametrize(("factor", "shift"), [(1e-3, 0.0), (1e3, 0.0), (-1.0, 0.0), (1.0, 5.0), (50.0, -300.0)])
@pytest.mark.parametrize("regressor", LEVELLED.values(), ids=list(LEVELLED))
def test_the_unit_of_the_targets_column_does_not_count(regressor, factor, shift):
    X, y = make_power()
    X = X[["wind", "power"]] / [X["wind"].std(), 1.0]
    windower = SlidingWindower(6, 2, known=["wind"])
    expected = regressor.fit(windower.fit_transform(X), y).predict(windower.transform(X))
    moved = windower.fit_transform(X.assign(power=factor * y + shift))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UnscaledColumnsWarning)  # nor is it warned of
        regressor.fit(moved, y)
    y_pred = regressor.predict(windower.transform(X.assign(power=factor * y + shift)))
    np.testing.assert_allclose(y_pred, expected, rtol=1e-3, atol=1e-3 * y.std())


@pytest.mark.parametrize("regressor", REGRESSORS.values(), ids=list(REGRESSORS))
def test_other_columns_far_from_scaled_are_named(regressor):
    X, y = make_power()
    X = X[["wind", "power"]] / X[["wind", "power"]].std()
    windower = SlidingWindower(6, 2, known=["wind"])
    with warnings.catch_warnings():
        warnings.simplefilter("error", UnscaledColumnsWarning)
        regressor.fit(windower.fit_transform(X), y)
    message = rf"{type(regressor).__name__} was given columns.*far from 1: 0 \(997\)\. .*StandardScaler"
    with pytest.warns(UnscaledColumnsWarning, match=message) as caught:
        regressor.fit(windower.fit_transform(X * [1e3, 1.0]), y)
    assert [warning.filename for warning in caught] == [__file__]


def test_an_unscaled_target_column_is_named_where_it_is_a_column_like_others():
    X, y = make_power()
    windows = SlidingWindower(6, 2, known=["wind"]).fit_transform(X.assign(power=1e3 * y / y.std()))
    with pytest.warns(UnscaledColumnsWarning, match=r"far from 1: 2 \(997\)"):
        DLinearRegressor(max_epochs=1, device="cpu").fit(windows, y)
