import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter

from skts import SlidingWindower
from skts.inspection import effective_sample_size
from tests._panels import make_table

N_SERIES, N_ROWS = 12, 8760
NOISE = np.random.default_rng(0).normal(size=(N_SERIES * N_ROWS, 1))
TIMES = pd.date_range("2024-01-01", periods=N_ROWS, freq="h")
INDEX = pd.MultiIndex.from_product([range(N_SERIES), TIMES], names=["series", "time"])


def autoregression(phi):
    """Give a panel of series in each of which a row is phi times the row before it, and noise."""
    return pd.DataFrame(lfilter([1], [1, -phi], NOISE, axis=0), index=INDEX)


def cut(X, window=8, horizon=1, **kwargs):
    return SlidingWindower(window, horizon, **kwargs).fit_transform(X)


@pytest.mark.parametrize("horizon", [1, 6, 24])
def test_independent_rows_are_worth_the_horizons_that_share_none(horizon):
    apart = cut(autoregression(0), 8, horizon, stride=8 + horizon)
    assert effective_sample_size(apart) == pytest.approx(len(apart), rel=0.1)
    overlapping = cut(autoregression(0), 8, horizon)
    assert effective_sample_size(overlapping) == pytest.approx(len(overlapping) / horizon, rel=0.12)


@pytest.mark.parametrize("horizon", [1, 6, 24])
def test_independent_rows_are_hardly_underrated_on_average(horizon):
    rng = np.random.default_rng(0)
    windows = [cut(rng.normal(size=(2000, 1)), 8, horizon) for _ in range(150)]
    truth = 1 + 2 * np.sum(1 - np.arange(1, horizon) / horizon)
    ratios = [effective_sample_size(some) * truth / len(some) for some in windows]
    assert np.mean(ratios) == pytest.approx(1, abs=0.04)


@pytest.mark.parametrize("phi", [0.5, 0.9, 0.97])
@pytest.mark.parametrize("horizon", [1, 6, 24])
def test_an_autoregression_is_worth_its_closed_form(phi, horizon):
    windows = cut(autoregression(phi), 8, horizon)
    lags = np.abs(np.subtract.outer(np.arange(horizon), np.arange(horizon)))
    expected = len(windows) * (phi**lags).mean() * (1 - phi) / (1 + phi)
    assert effective_sample_size(windows) == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize("phi", [0.0, 0.9, 0.99])
def test_windows_between_those_of_a_day_teach_next_to_nothing(phi):
    every, daily = (cut(autoregression(phi), 168, 24, stride=stride) for stride in (1, 24))
    assert len(every) > 23 * len(daily)
    assert effective_sample_size(every) == pytest.approx(effective_sample_size(daily), rel=0.02)


def test_dropping_similar_windows_loses_hardly_anything():
    windows, unlike = (cut(autoregression(0.97), max_similarity=bound) for bound in (None, 0.5))
    assert len(unlike) < 0.6 * len(windows)
    assert effective_sample_size(unlike) > 0.95 * effective_sample_size(windows)


def test_alternating_windows_are_worth_no_more_than_they_are():
    X = np.resize([0.0, 1.0], (100, 1)) + 0.01 * NOISE[:100]
    assert effective_sample_size(cut(X)) == len(cut(X))


@pytest.mark.parametrize("value", [0, 0.1, 1 / 3, 1e6])
@pytest.mark.parametrize("horizon", [1, 7])
def test_what_never_changes_is_one_window(value, horizon):
    windows = cut(np.zeros((500, 1)), horizon=horizon)
    assert effective_sample_size(windows) == 1
    assert effective_sample_size(windows, np.full(500, value)) == 1


def test_a_cycle_that_the_horizon_averages_out_is_one_window():
    day = np.sin(2 * np.pi * np.arange(24 * 60) / 24)
    assert effective_sample_size(cut(day[:, None], 48, 24)) == 1


def test_the_first_observed_column_stands_in_for_the_target():
    X = np.hstack([autoregression(phi)[:2000] for phi in (0.9, 0, 0.5)])
    for known, column in ((None, 0), ([0], 1), ([0, 1], 2), ([0, 1, 2], 0)):
        windows = cut(X.astype(np.float32), known=known)
        assert effective_sample_size(windows) == effective_sample_size(windows, X[:, column].astype(np.float32))


def test_rows_and_series_are_told_apart():
    X = make_table([(s, h) for h in range(60) for s in "ba"])
    X["seen"] = np.where(X.index.get_level_values(0) == "a", NOISE[:120, 0], 1.0)
    windows = cut(X)
    counts = effective_sample_size(windows, X["seen"], by_series=True)
    alone = effective_sample_size(cut(X.xs("a")[["seen"]].astype(np.float32)))
    pd.testing.assert_series_equal(
        counts[["a", "b"]], pd.Series({"a": alone, "b": 1.0}, name="n_eff"), check_names=False
    )
    assert effective_sample_size(windows) == pytest.approx(alone + 1)


def test_several_targets_are_averaged():
    both = np.hstack([autoregression(0.9)[:5000], NOISE[:5000]])
    windows = cut(both)
    one, other = (effective_sample_size(windows, column) for column in both.T)
    assert effective_sample_size(windows, both) == pytest.approx((one + other) / 2)


def test_windows_without_a_target_are_not_counted():
    y = NOISE[:1000, 0].copy()
    windows = cut(NOISE[:1000], 8, 4, stride=12)
    y[500:] = np.nan
    assert effective_sample_size(windows, y) == np.isfinite(windows.targets(y)).any(axis=1).sum()
    assert effective_sample_size(windows, y * np.nan) == 0


def test_a_series_without_windows_is_worth_nothing():
    X = make_table([*(("a", h) for h in range(40)), ("b", 0), ("b", 1)])
    with pytest.warns(UserWarning, match="1 of 2 series give no window"):
        counts = effective_sample_size(cut(X), by_series=True)
    assert counts["b"] == 0 < counts["a"]


def test_whole_series_and_forecasting_windows_are_counted():
    assert effective_sample_size(cut(NOISE[:500], None, history=4)) == pytest.approx(499, rel=0.1)
    blocks = SlidingWindower(8, 4).fit(NOISE[:503]).transform(NOISE[:503])
    assert effective_sample_size(blocks) == pytest.approx(123, rel=0.1)


def test_a_target_of_another_length_is_refused():
    with pytest.raises(ValueError, match=r"y has 99 values and the table .* had 100 rows"):
        effective_sample_size(cut(NOISE[:100]), np.zeros(99))


def test_the_level_of_a_target_does_not_count():
    windows, y = cut(NOISE[:1000]), NOISE[:1000, 0]
    assert effective_sample_size(windows, y + 1e8) == pytest.approx(effective_sample_size(windows, y), rel=1e-3)
