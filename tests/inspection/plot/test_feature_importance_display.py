import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from skts.datasets import make_panel
from skts.inspection import FeatureImportanceDisplay, feature_importance

plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def agg():
    plt.switch_backend("Agg")
    yield
    plt.close("all")


def make_table(n_groups):
    importance = np.linspace(30, -1, n_groups)
    columns = {"importance": importance, "low": importance - 2, "high": importance + 3}
    names = pd.Index([f"a provider of the weather of wind {i}" for i in range(n_groups)], name="group")
    return pd.DataFrame(columns, index=names)


@pytest.mark.parametrize("n_groups", [1, 4, 50])
def test_the_picture_shows_the_table_from_the_top(n_groups):
    table = make_table(n_groups)
    display = FeatureImportanceDisplay(table=table).plot(unit="kW")
    np.testing.assert_allclose([bar.get_width() for bar in display.bars_], table["importance"])
    (bars,) = display.intervals_[2]
    ends = np.array([segment[:, 0] for segment in bars.get_segments()])
    np.testing.assert_allclose(ends, table[["low", "high"]])
    assert display.ax_.get_xlabel() == "rise of the error (kW)"
    assert display.ax_.get_yticklabels()[0].get_text() == "a provider …r of wind 0"
    low, high = display.ax_.get_ylim()
    assert low > high  # the first on top


def test_it_measures_and_draws_into_the_axes_given():
    X, y = make_panel(n_series=4, n_rows=100, random_state=0)
    model = Ridge().fit(X, y)
    _, ax = plt.subplots()
    display = FeatureImportanceDisplay.from_estimator(model, X, y, ax=ax, n_repeats=2, random_state=0)
    assert display.ax_ is ax
    expected = feature_importance(model, X, y, n_repeats=2, random_state=0)
    pd.testing.assert_frame_equal(display.table, expected.table)
