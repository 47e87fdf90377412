"""The gradient by the window is what small moves of its cells do to the forecast."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from skts import DLinearRegressor, GRURegressor, LSTMRegressor, NetRegressor, NLinearRegressor, SlidingWindower
from skts.datasets import make_panel
from skts.nn import Forecaster
from skts.strategies import EnsembleRegressor, WindowedRegressor
from tests.regressors._networks import LaplaceHead, LeakyMemory

USUAL = {"max_epochs": 2, "random_state": 0, "device": "cpu"}
REGRESSORS = [
    LSTMRegressor(6, **USUAL, quantiles=(0.1, 0.9), dropout=0.5, bidirectional=True, lookahead=2, series_embedding=2),
    GRURegressor(6, **USUAL, rolling="stateful"),
    GRURegressor(6, **USUAL, instance_norm="mean", patch_len=3),
    GRURegressor(6, **USUAL, instance_norm="series"),
    NLinearRegressor(**USUAL),
    NetRegressor(LeakyMemory, head=LaplaceHead(), **USUAL),
    EnsembleRegressor(DLinearRegressor(**USUAL), 2, random_state=0),
]


@pytest.fixture(scope="module")
def panel():
    X, y = make_panel(n_series=2, n_rows=120, random_state=0)
    return X.assign(power=100 * y), 100 * y


def cut(X, **options):
    return SlidingWindower(9, 4, known=["wind"], **options).fit_transform(X)


@pytest.mark.parametrize("regressor", REGRESSORS, ids=lambda regressor: type(regressor).__name__)
def test_it_is_the_slope_of_the_forecast(panel, regressor):
    X, y = panel
    X = X / X.std()
    windows = cut(X, stride=20)
    regressor.fit(cut(X), y)
    gradient = regressor.input_gradient(windows)
    assert gradient.shape == (len(windows), 4, 1, 9, X.shape[1])
    step, column = 0.02, X.columns.get_loc("power")  # observed, so that the horizon does not read it
    for lag in (1, 3, 9):
        sides = []
        for sign in (-1, 1):
            moved = windows.panel.copy()
            moved[windows.origins - lag, column] += sign * step
            sides.append(regressor.predict(replace(windows, panel=moved)))
        slope = (sides[1] - sides[0]) / (2 * step)
        assert np.allclose(gradient[:, :, 0, -lag, column], slope, rtol=0.03, atol=3e-3 * np.abs(gradient).max())


def test_two_targets_have_their_own(panel):
    X, y = panel
    windows, X = cut(X / X.std()), X / X.std()
    Y = np.c_[y, -3 * y]
    both = DLinearRegressor(kernel_size=3, **USUAL).fit(windows, Y).input_gradient(windows)
    assert both.shape == (len(windows), 4, 2, 9, X.shape[1])
    assert not np.allclose(both[:, :, 0], both[:, :, 1])


def test_it_leaves_no_trace_and_many_threads_may_ask(panel):
    X, y = panel
    windows = cut(X / X.std())
    regressor = LSTMRegressor(6, **USUAL).fit(windows, y)
    before = [parameter.grad.clone() for parameter in regressor.net_.module_.parameters()]
    forecasts, gradient = regressor.predict(windows), regressor.input_gradient(windows)
    with ThreadPoolExecutor(4) as pool:
        gradients = pool.map(regressor.input_gradient, [windows] * 6)
        again = list(pool.map(regressor.predict, [windows] * 6))
        assert all(np.array_equal(gradient, other) for other in gradients)
    assert all(np.array_equal(forecasts, other) for other in again)
    assert all(map(torch.equal, before, [parameter.grad for parameter in regressor.net_.module_.parameters()]))


class Constant(Forecaster):
    """One number, whatever the window."""

    def __init__(self, horizon):
        super().__init__()
        self.shape = (horizon, 1)
        self.level = nn.Parameter(torch.zeros(()))

    def forward(self, past, known=None, series=None, state=None):
        return self.level.expand(len(past), *self.shape), None


def test_a_forecast_that_reads_nothing_has_no_slope(panel):
    X, y = panel
    windows = cut(X / X.std())
    assert not NetRegressor(Constant, **USUAL).fit(windows, y).input_gradient(windows).any()


def test_whole_series_are_refused_and_trees_have_none(panel):
    X, y = panel
    whole = SlidingWindower(None, 4, history=9).fit_transform(X / X.std())
    with pytest.raises(ValueError, match="needs windows, and was given whole series"):
        GRURegressor(4, **USUAL).fit(whole, y).input_gradient(whole)
    assert not hasattr(EnsembleRegressor(WindowedRegressor(None)), "input_gradient")
