import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skts import DLinearRegressor, HistoryPrepender, SlidingWindower
from skts.datasets import make_panel
from skts.inspection import LearningCurveDisplay
from skts.model_selection import PanelTimeSeriesSplit
from skts.strategies import EnsembleRegressor, PerSeriesRegressor, RecursiveRegressor

mpl.use("Agg")
X, Y = make_panel(n_series=4, n_rows=80, random_state=0)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def net(**params):
    return DLinearRegressor(**{"max_epochs": 3, "random_state": 0} | params)


def pipe(regressor):
    steps = HistoryPrepender(8), SlidingWindower(8, horizon=4, known="wind"), regressor
    return make_pipeline(*steps).set_output(transform="pandas")


def make_losses(**networks):
    """Make a table of losses: of each network its epochs as (train, valid), and the epoch that it kept."""
    rows = {
        ("one", name, epoch): (train, valid, epoch == kept)
        for name, (kept, *epochs) in networks.items()
        for epoch, (train, valid) in enumerate(epochs, start=1)
    }
    index = pd.MultiIndex.from_tuples(rows, names=["estimator", "network", "epoch"])
    return pd.DataFrame(rows.values(), index=index, columns=["train_loss", "valid_loss", "kept"])


def points(line):
    return list(zip(*(np.asarray(data, dtype=float).tolist() for data in line.get_data()), strict=True))


def test_the_losses_are_those_of_the_history():
    fitted = pipe(net(max_epochs=30, lr=0.05, early_stopping=True, n_iter_no_change=3)).fit(X, Y)
    display = LearningCurveDisplay.from_estimator(fitted)
    history = fitted[-1].history_
    for line, key in zip(display.lines_, ("train_loss", "valid_loss"), strict=True):
        assert points(line) == list(zip(history["epoch"], history[key], strict=True))
    assert display.member_lines_ == []
    best = int(np.argmin(history["valid_loss"]))
    assert best < len(history["epoch"]) - 1, "it should have stopped early"
    assert points(display.kept_[0]) == [(best + 1, history["valid_loss"][best])]
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == ["train", "validation", f"kept: epoch {best + 1}"]
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("epoch", "loss (of the standardised target)")


def test_without_early_stopping_nothing_is_marked():
    display = LearningCurveDisplay.from_estimator(pipe(net()).fit(X, Y))
    assert (len(display.lines_), display.kept_) == (1, [])
    assert not display.losses["kept"].any()


@pytest.mark.parametrize(
    ("estimator", "n_networks"),
    [
        (pipe(EnsembleRegressor(net(), 2, random_state=0)), 2),
        (PerSeriesRegressor(pipe(net())), 4),
        (PerSeriesRegressor(pipe(EnsembleRegressor(net(), 2, random_state=0))), 8),
        (GridSearchCV(pipe(net()), {"dlinearregressor__lr": [0.01]}, cv=PanelTimeSeriesSplit(2)), 1),
        (RecursiveRegressor(pipe(net()), target="power"), 1),  # whose own history_ is a number of rows
        (TransformedTargetRegressor(pipe(net()), check_inverse=False), 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_networks_are_found_wherever_they_are(estimator, n_networks):
    display = LearningCurveDisplay.from_estimator(FrozenEstimator(estimator.fit(X, Y)))
    assert display.losses.index.unique("network").tolist() == list(range(n_networks))
    assert len(display.losses) == 3 * n_networks
    assert len(display.member_lines_) == (n_networks if n_networks > 1 else 0)


def test_a_network_that_stopped_counts_on_with_what_it_kept():
    losses = make_losses(
        a=(1, (0.8, 0.5), (0.6, 0.7)),
        b=(3, (0.4, 0.9), (0.2, 0.8), (0.1, 0.3), (0.1, 0.4)),
        c=(None, (0.6, 0.4), (0.4, 0.2), (0.2, 0.2)),
    )
    display = LearningCurveDisplay(losses=losses).plot()
    train, valid = (points(line) for line in display.lines_)
    assert [epoch for epoch, _ in train] == [1, 2, 3, 4]
    np.testing.assert_allclose([loss for _, loss in train], [1.8 / 3, 1.2 / 3, 1.1 / 3, 1.1 / 3])
    np.testing.assert_allclose([loss for _, loss in valid], [1.8 / 3, 1.7 / 3, 1.0 / 3, 1.1 / 3])
    assert points(display.kept_[0]) == [(1, 0.5), (3, 0.3)]
    assert sorted(len(line.get_xdata()) for line in display.member_lines_) == [2, 2, 3, 3, 4, 4]
    assert display.lines_[0].get_label() == "train, mean of 3"


@pytest.mark.parametrize(("last", "scale"), [(0.11, "linear"), (0.09, "log")])
def test_losses_over_more_than_ten_times_are_logarithmic(last, scale):
    losses = make_losses(a=(None, (1.0, np.nan), (last, np.nan)))
    assert LearningCurveDisplay(losses=losses).plot().ax_.get_yscale() == scale


def test_epochs_are_whole_numbers():
    ax = LearningCurveDisplay.from_estimator(pipe(net()).fit(X, Y)).ax_
    ax.figure.draw_without_rendering()
    assert all(tick == round(tick) for tick in ax.get_xticks())


def test_several_estimators_are_told_apart_by_colour():
    figure, ax = plt.subplots()
    fitted = {"slow": pipe(net(lr=1e-4)).fit(X, Y), "fast": pipe(net(lr=1e-2, early_stopping=True)).fit(X, Y)}
    display = LearningCurveDisplay.from_estimator(fitted, ax=ax)
    assert (display.ax_, display.figure_) == (ax, figure)
    assert display.losses.index.unique("estimator").tolist() == ["slow", "fast"]
    slow, *fast = display.lines_
    assert [(line.get_linestyle(), line.get_color()) for line in fast] == [
        *(("--", fast[0].get_color()), ("-", fast[0].get_color()))
    ]
    assert slow.get_color() != fast[0].get_color()
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["slow", "fast", "train", "validation", "kept epoch"]


@pytest.mark.parametrize("estimator", [pipe(net()), Ridge(), {}, {"a": Ridge()}], ids=str)
def test_what_has_no_fitted_network_is_refused(estimator):
    with pytest.raises(ValueError, match="expected"):
        LearningCurveDisplay.from_estimator(estimator)
