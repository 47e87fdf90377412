"""What all metrics hold to: which rows they score, and what they refuse."""

from functools import partial

import numpy as np
import pandas as pd
import pytest

from skts import metrics

Q = [0.1, 0.5, 0.9]
POINT = {
    "mase": partial(metrics.mean_absolute_scaled_error, y_train=[1.0, 2.0, 4.0]),
    "rmsse": partial(metrics.root_mean_squared_scaled_error, y_train=[1.0, 2.0, 4.0]),
    "nmae": partial(metrics.capacity_normalized_mae, capacity=7.0),
    "nrmse": partial(metrics.capacity_normalized_rmse, capacity=7.0),
    "skill": lambda y, p, **kwargs: metrics.skill_score(y, p, np.zeros(len(p)), **kwargs),
    "score": lambda y, p, **kwargs: metrics.interval_score(y, p, p + 1, alpha=0.2, **kwargs),
    "coverage": lambda y, p, **kwargs: metrics.interval_coverage(y, p - 0.5, p + 0.5, **kwargs),
}
QUANTILE = {
    "quantile": partial(metrics.mean_quantile_loss, quantiles=Q),
    "crps": partial(metrics.crps_from_quantiles, quantiles=Q),
}
of_points = pytest.mark.parametrize("metric", POINT.values(), ids=POINT)
of_quantiles = pytest.mark.parametrize("metric", QUANTILE.values(), ids=QUANTILE)
of_all = pytest.mark.parametrize("metric", [*POINT.values(), *QUANTILE.values()], ids=[*POINT, *QUANTILE])


def make_rows(metric, n_rows=30):
    rng = np.random.default_rng(0)
    return rng.normal(3, 1, n_rows), rng.normal(3, 1, (n_rows, 3) if metric in QUANTILE.values() else n_rows)


@of_all
def test_a_row_without_a_target_changes_nothing(metric):
    y, p = make_rows(metric)
    w = np.random.default_rng(1).uniform(0.5, 2, len(y))
    there = np.random.default_rng(2).random(len(y)) > 0.3
    holed = np.where(there, y, np.nan)
    assert metric(holed, p) == metric(y[there], p[there]) != metric(y, p)
    assert metric(holed, p, sample_weight=w) == metric(y[there], p[there], sample_weight=w[there]) != metric(holed, p)


@of_all
def test_a_weight_counts_a_row_so_often(metric):
    y, p = make_rows(metric)
    times = np.random.default_rng(1).integers(0, 4, len(y))
    repeated = metric(np.repeat(y, times), np.repeat(p, times, axis=0))
    np.testing.assert_allclose(metric(y, p, sample_weight=times), repeated, rtol=1e-12)
    np.testing.assert_allclose(metric(y, p, sample_weight=np.full(len(y), 5)), metric(y, p), rtol=1e-12)


@of_all
def test_lists_columns_float32_and_pandas_say_the_same(metric):
    y, p = (np.round(some, 1).astype(np.float32) for some in make_rows(metric))
    expected = metric(y.astype(float), p.astype(float))
    assert type(expected) is float
    index = pd.date_range("2024", periods=len(y), freq="h")
    table = pd.Series(p, index) if p.ndim == 1 else pd.DataFrame(p, index)
    for target in (y.tolist(), y[:, None], pd.Series(y, index), pd.DataFrame(y, index)):
        np.testing.assert_allclose(metric(np.asarray(target), p), expected, rtol=1e-6)
        assert metric(target, table) == metric(np.asarray(target), p)


@of_all
def test_a_forecast_without_a_number_is_refused_also_where_there_is_no_target(metric):
    y, p = make_rows(metric)
    y[4] = np.nan
    p.reshape(30, -1)[4, -1] = np.nan
    with pytest.raises(ValueError, match=r"is NaN or infinite in row 4 \(1 of 30 rows\).*only y_true may hold NaN"):
        metric(y, p)


@of_all
def test_another_number_of_rows_is_refused(metric):
    y, p = make_rows(metric)
    with pytest.raises(ValueError, match=r"has shape \(29.*y_true has 30 rows: one forecast for each row"):
        metric(y, p[1:])


@of_all
def test_no_target_at_all_is_refused(metric):
    y, p = make_rows(metric)
    with pytest.raises(ValueError, match=r"y_true has no target in any of its 30 rows: there is nothing to score"):
        metric(np.full_like(y, np.nan), p)


@of_points
def test_a_table_in_another_order_is_refused(metric):
    y, p = (pd.Series(values, pd.date_range("2024", periods=30, freq="h")) for values in make_rows(metric))
    with pytest.raises(
        ValueError, match=r"row 0 is 2024-01-02 05:00:00 in .* and 2024-01-01 00:00:00 in y_true.*\.loc"
    ):
        metric(y, p[::-1])
    assert metric(y, p.reset_index(drop=True)) == metric(y, p)  # an index that says no time is not read


@pytest.mark.parametrize("name", sorted(set(POINT) - {"skill"}))
def test_several_targets_are_scored_one_at_a_time(name):
    y = np.ones((5, 2))
    with pytest.raises(ValueError, match=r"y_true has shape \(5, 2\), and shape \(5,\) is expected.*one target"):
        POINT[name](y, y)


@pytest.mark.parametrize("name", sorted(set(POINT) - {"skill"}))
def test_an_infinite_target_is_refused(name):
    with pytest.raises(ValueError, match="y_true is infinite in row 1"):
        POINT[name]([1.0, np.inf], np.ones(2))


@of_quantiles
def test_quantile_forecasts_need_a_column_for_each_level(metric):
    y, p = make_rows(metric)
    with pytest.raises(ValueError, match=r"y_pred has shape \(30, 2\), and shape \(30, 3\) is expected: one column"):
        metric(y, p[:, :2])
    with pytest.raises(ValueError, match=r"y_pred has shape \(30,\), and shape \(30, 3\) is expected: one column"):
        metric(y, p[:, 0])


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ([10, 90], r"quantiles\[0\] is 10: levels strictly between 0 and 1 are expected. Divide per cents by 100"),
        ([0.5, 1.0], r"quantiles\[1\] is 1: levels strictly between"),
        ([0.0, 0.5], r"quantiles\[0\] is 0: levels strictly between"),
        ([0.5, np.nan], r"quantiles\[1\] is nan: levels strictly between"),
        ([0.1, 0.9, 0.5], r"quantiles\[2\] is 0.5 and comes after 0.9: increasing levels are expected"),
        ([0.5, 0.5], r"quantiles\[1\] is 0.5 and comes after 0.5: increasing"),
        ([], r"quantiles=\[\]: a sequence of levels is expected"),
        (0.5, r"quantiles=0.5: a sequence of levels is expected"),
    ],
)
def test_levels_that_are_none_are_refused(levels, message):
    y_pred = np.ones((2, np.size(levels)))
    for metric in (metrics.mean_quantile_loss, metrics.crps_from_quantiles):
        with pytest.raises(ValueError, match=message):
            metric([1.0, 2.0], y_pred, quantiles=levels)
    with pytest.raises(ValueError, match=message):
        metrics.make_quantile_scorer(metrics.mean_quantile_loss, levels)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1, -2, 1], r"sample_weight is -2 in row 1: a finite number is expected, at least 0"),
        ([1, 1, np.nan], r"sample_weight is nan in row 2: a finite number"),
        ([1, np.inf, 1], r"sample_weight is inf in row 1: a finite number"),
        ([1, 1], r"sample_weight has shape \(2,\), and shape \(3,\) is expected"),
        ([0, 0, 1], r"sample_weight is 0 in every row that has a target"),
    ],
)
def test_weights_that_are_none_are_refused(weight, message):
    with pytest.raises(ValueError, match=message):
        metrics.capacity_normalized_mae([1.0, 2.0, np.nan], [1.0, 2.0, 3.0], capacity=1, sample_weight=weight)
