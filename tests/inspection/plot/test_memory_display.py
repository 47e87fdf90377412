"""What is drawn is what was measured."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from skts import DLinearRegressor, SlidingWindower
from skts.datasets import make_panel
from skts.inspection import MemoryDisplay, memory_profile
from skts.inspection._plot._memory_display import in_growing_groups, name_few, shares_of
from skts.strategies import WindowedRegressor

pytest.importorskip("matplotlib").use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")
N_LAGS = 30


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def cut(n_series=1, n_features=2):
    X, y = make_panel(n_series=n_series, n_rows=200 if n_series < 10 else 60, random_state=0)
    rng = np.random.default_rng(0)
    X = X.assign(**{f"a_rather_long_name_{i}": rng.normal(size=len(X)) for i in range(n_features - X.shape[1])})
    return SlidingWindower(N_LAGS, horizon=3).fit_transform(X), y


@pytest.fixture(scope="module")
def both():
    windows, y = cut()
    regressor = DLinearRegressor(kernel_size=3, max_epochs=2, random_state=0, device="cpu").fit(windows, y)
    return memory_profile(regressor, windows, y, method="both", n_windows=60, random_state=0)


def test_lines_bands_and_marks_are_the_profile(both):
    display = MemoryDisplay(**both).plot(unit="h", step=0.25)
    assert display.figure_ is display.axes_[0].figure
    measures = [both.forward.change.by_lag, both.backward.gradient.by_lag]
    for by_lag, line, band, total in zip(measures, display.lines_, display.bands_, display.sums_, strict=True):
        share = 100 * by_lag["mean"] / by_lag["mean"].sum()
        assert np.allclose(line.get_xdata(), 0.25 * both.lags)
        assert np.allclose(line.get_ydata(), share)
        assert np.allclose(total.get_ydata(), share.cumsum())
        heights = band.get_paths()[0].vertices[:, 1]
        assert heights.max() == pytest.approx(100 * by_lag["high"].max() / by_lag["mean"].sum())
    ends = [0.25 * way.effective_memory for way in (both.forward, both.backward)]
    assert [mark.get_xdata()[0] for mark in display.marks_] == ends
    words = [text.get_text() for text in display.axes_[1].texts]
    assert words == [
        f"{name}: 95 % within {end:g} h" for name, end in zip(("occlusion", "gradient"), ends, strict=True)
    ]
    assert display.axes_[1].get_xlabel() == "lag (h)"
    assert display.axes_[0].get_ylabel() == "share (%)"


def test_rows_are_counted_where_no_unit_is_given_and_blocks_stand_in_their_middle():
    windows, y = cut()
    regressor = WindowedRegressor(Ridge()).fit(windows, y)
    display = MemoryDisplay.from_estimator(regressor, windows, y, n_windows=60, block=4, random_state=0)
    assert display.axes_[1].get_xlabel() == "lag (rows)"
    assert display.lines_[0].get_xdata()[:2].tolist() == [2.5, 6.5]
    assert display.sums_[0].get_xdata()[:2].tolist() == [4, 8]
    assert [text.get_text() for text in display.axes_[1].texts] == [f"95 % within {display.effective_memory} rows"]


def test_given_axes_are_drawn_into(both):
    figure, ax = plt.subplots()
    assert MemoryDisplay(**both).plot(ax).figure_ is figure
    figure, axes = plt.subplots(2)
    assert list(MemoryDisplay(**both).plot(axes).axes_) == list(axes)
    assert len(plt.get_fignums()) == 2


@pytest.mark.parametrize(("n_features", "n_lines"), [(2, 2), (6, 6), (9, 7)])
def test_six_features_are_named_and_all_others_added_up(n_features, n_lines):
    windows, y = cut(n_features=n_features)
    regressor = WindowedRegressor(Ridge()).fit(windows, y)
    display = MemoryDisplay.from_estimator(regressor, windows, y, n_windows=40, random_state=0, by_feature=True)
    labels = [text.get_text() for text in display.axes_[0].get_legend().get_texts()]
    assert len(display.lines_) == len(labels) == n_lines
    assert ("3 others" in labels) == (n_features == 9)
    assert all(len(label) <= 16 for label in labels)
    table = display.forward.change.by_feature
    drawn = [line.get_ydata()[0] for line in display.lines_]  # the first group is the first lag
    assert sum(drawn) == pytest.approx(100 * table.iloc[0].sum() / table.sum().sum())


@pytest.mark.parametrize("n_series", [1, 4, 50])
def test_any_number_of_stations_works(n_series):
    windows, y = cut(n_series)
    regressor = WindowedRegressor(Ridge()).fit(windows, y)
    assert MemoryDisplay.from_estimator(regressor, windows, y, n_windows=60, random_state=0).lines_


def test_shares_add_up_and_nothing_stays_nothing(both):
    by_lag = both.forward.change.by_lag
    assert shares_of(by_lag)["mean"].sum() == pytest.approx(100)
    assert not shares_of(0 * by_lag).any(axis=None)
    MemoryDisplay(**both | {"forward": None}).plot(by_feature=True).figure_.draw_without_rendering()


def test_the_strongest_columns_are_named():
    table = name_few(pd.DataFrame([[1.0, 4.0, 2.0, 3.0]], columns=list("abcd")), 2)
    assert table.iloc[0].to_dict() == {"b": 4, "d": 3, "2 others": 3}


def test_groups_are_means_of_all_lags_once():
    values = np.arange(1.0, 169.0)
    values[100] = np.nan
    places, means = in_growing_groups(np.arange(1, 169), values)
    assert len(places) <= 20
    assert (np.diff(places) > 0).all()
    assert means[0] == places[0] == 1
    assert np.nanmax(np.abs(means - places)) < 1  # the mean of the lags, but for the missing one
