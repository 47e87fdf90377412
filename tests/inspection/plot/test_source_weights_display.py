import numpy as np
import pandas as pd
import pytest

from skts import SlidingWindower, SourceAttentionRegressor
from skts.inspection import SourceWeightsDisplay, source_weights
from skts.inspection._plot._source_weights_display import mean_weights

plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def agg():
    plt.switch_backend("Agg")
    yield
    plt.close("all")


def make_weights(n_stations=2, n_sources=3, horizon=4, freq="7h", n_times=60):
    times = pd.date_range("2024-01-01", periods=n_times, freq=freq, tz="Europe/Berlin")
    stations = [f"station {i}" for i in range(n_stations)]
    index = pd.MultiIndex.from_product([stations, times, range(1, horizon + 1)], names=["station", "time", "lead"])
    weights = np.random.default_rng(0).dirichlet(np.ones(n_sources), size=len(index))
    return pd.DataFrame(weights, index=index, columns=[f"provider {i}" for i in range(n_sources)])


@pytest.mark.parametrize("by", ["lead", "month", "hour", "series"])
def test_means_are_those_of_the_rows_that_share_it(by):
    weights = make_weights(freq="11D")
    weights.iloc[3] = np.nan
    times = weights.index.get_level_values("time")
    keys = {"month": times.month, "hour": times.hour, "lead": weights.index.get_level_values("lead")}
    keys["series"] = weights.index.get_level_values("station")
    means = mean_weights(weights, by)
    for key in keys[by].unique():
        np.testing.assert_allclose(means.loc[key], weights[keys[by] == key].mean())
    np.testing.assert_allclose(means.sum(axis=1), 1)


def test_runs_name_no_series_and_series_may_have_several_names():
    weights = make_weights()
    with_run = pd.concat([weights], keys=["wind"], names=["kind"]).assign(run=0).set_index("run", append=True)
    with_run = with_run.reorder_levels(["kind", "station", "run", "time", "lead"])
    assert mean_weights(with_run, "series").index.names == ["kind", "station"]
    np.testing.assert_allclose(mean_weights(with_run, "series"), mean_weights(weights, "series"))


@pytest.mark.parametrize(("n_stations", "n_sources", "horizon"), [(1, 2, 1), (4, 3, 24), (50, 8, 72)])
@pytest.mark.parametrize("by", ["lead", "month", "hour", "series"])
def test_the_bars_of_all_sources_are_piled_up_to_one(n_stations, n_sources, horizon, by):
    weights = make_weights(n_stations, n_sources, horizon, n_times=6)
    display = SourceWeightsDisplay(weights=weights).plot(by=by)
    means = mean_weights(weights, by)
    pd.testing.assert_frame_equal(display.means_, means)
    assert list(display.bars_) == list(weights.columns)
    size, start = ("get_width", "get_x") if by == "series" else ("get_height", "get_y")
    below = np.zeros(len(means))
    for name, bars in display.bars_.items():
        np.testing.assert_allclose([getattr(bar, size)() for bar in bars], means[name])
        np.testing.assert_allclose([getattr(bar, start)() for bar in bars], below, atol=1e-12)
        below += means[name].to_numpy()
    np.testing.assert_allclose(below, 1)
    named = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert (named if by == "series" else named[::-1]) == list(weights.columns)
    assert len({bars[0].get_facecolor() for bars in display.bars_.values()}) == n_sources
    display.figure_.canvas.draw()


def test_axes_say_what_they_are():
    weights = make_weights(freq="31D", n_times=5)
    ax = SourceWeightsDisplay(weights=weights).plot(unit="h", step=0.25).ax_
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("lead (h)", "mean weight")
    assert ax.patches[0].get_x() + ax.patches[0].get_width() / 2 == pytest.approx(0.25)
    assert SourceWeightsDisplay(weights=weights).plot().ax_.get_xlabel() == "lead (rows)"
    ax = SourceWeightsDisplay(weights=weights).plot(by="month").ax_
    assert [text.get_text() for text in ax.get_xticklabels()] == ["Jan", "Feb", "Mar", "Apr", "May"]
    ax = SourceWeightsDisplay(weights=weights).plot(by="hour").ax_
    assert ax.get_xlabel() == "hour of day (Europe/Berlin)"
    ax = SourceWeightsDisplay(weights=weights).plot(by="series").ax_
    assert ax.get_xlabel() == "mean weight"
    low, high = ax.get_ylim()
    assert low > high  # the first on top
    of_window = SourceWeightsDisplay(weights=weights.droplevel("lead")).plot()
    assert of_window.ax_.get_xlabel() == "month"


def test_it_looks_and_draws_into_the_axes_given():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 2))
    windows = SlidingWindower(4, 2, known=[0, 1]).fit_transform(X)
    regressor = SourceAttentionRegressor({"one": [0], "two": [1]}, hidden_size=4, max_epochs=1, device="cpu")
    regressor.fit(windows, X[:, 0])
    _, ax = plt.subplots()
    display = SourceWeightsDisplay.from_estimator(regressor, windows, ax=ax)
    assert display.ax_ is ax
    pd.testing.assert_frame_equal(display.weights, source_weights(regressor, windows))


@pytest.mark.parametrize(
    ("by", "message"),
    [
        ("month", r"plot\(by='month'\): the weights have no date-times. Give one of \['lead'\]"),
        ("series", "no series"),
        ("day", r"plot\(by='day'\): that is not known. Give one of \['lead'\]"),
    ],
)
def test_what_is_not_there_is_refused(by, message):
    index = pd.MultiIndex.from_product([range(5), [1, 2]], names=["time", "lead"])
    weights = pd.DataFrame({"one": 0.5, "two": 0.5}, index=index)
    with pytest.raises(ValueError, match=message):
        SourceWeightsDisplay(weights=weights).plot(by=by)
    with pytest.raises(ValueError, match="as those of a window have none"):
        mean_weights(weights.droplevel("lead"), "lead")
