"""Networks that compute in bfloat16."""

import pickle

import numpy as np
import pytest
import torch

from skts import (
    DLinearRegressor,
    GRURegressor,
    LSTMRegressor,
    NetRegressor,
    NLinearRegressor,
    SlidingWindower,
    SourceAttentionRegressor,
    TransformerRegressor,
)
from skts.datasets import make_panel
from skts.nn import EncoderDecoder, SourceAttention

CPU = {"max_epochs": 2, "random_state": 0, "device": "cpu"}
BF16 = pytest.mark.bf16  # no mark: GRU and linear layers run in bfloat16 on any processor
REGRESSORS = [
    pytest.param(LSTMRegressor(8, **CPU), marks=BF16, id="lstm"),
    pytest.param(
        LSTMRegressor(
            8, **CPU, quantiles=(0.1, 0.9), bidirectional=True, lookahead=2, series_embedding=2, num_layers=2
        ),
        marks=BF16,
        id="two layers",
    ),
    pytest.param(LSTMRegressor(8, **CPU, instance_norm="mean", patch_len=3, input_dropout=0.1), marks=BF16, id="norm"),
    pytest.param(LSTMRegressor(8, **CPU, origins_per_pass=4, rolling="stateful"), marks=BF16, id="stateful"),
    pytest.param(GRURegressor(8, **CPU, lr_schedule="cosine", dropout=0.1, early_stopping=True), id="gru"),
    pytest.param(GRURegressor(8, **CPU, bidirectional=True, lookahead=2, rolling="stateful"), id="stateful gru"),
    pytest.param(DLinearRegressor(**CPU), id="dlinear"),
    pytest.param(NLinearRegressor(**CPU), id="nlinear"),
    pytest.param(
        SourceAttentionRegressor({"one": [0], "other": [1]}, hidden_size=8, **CPU, source_dropout=0.2, lookahead=2),
        marks=BF16,
        id="sources",
    ),
    pytest.param(
        NetRegressor(
            SourceAttention,
            network_params={"sources": [[0], [1]], "known": [0], "cell": "gru", "hidden_size": 8, "lookahead": 2},
            **CPU,
        ),
        id="sources gru",
    ),
    pytest.param(TransformerRegressor(8, **CPU, quantiles=(0.1, 0.9), lookahead=2, patch_len=3), id="transformer"),
    pytest.param(
        NetRegressor(EncoderDecoder, network_params={"cell": "gru", "hidden_size": 8, "linear_skip": True}, **CPU),
        id="linear skip",
    ),
]


@pytest.fixture(scope="module")
def panel():
    X, y = make_panel(n_series=2, n_rows=150, random_state=0)
    return SlidingWindower(12, 4, known=["wind"]).fit_transform(X), y


@pytest.mark.parametrize("regressor", REGRESSORS)
def test_forecasts_are_near_those_of_float32(panel, regressor):
    windows, y = panel
    single, half = (
        regressor.set_params(precision=name).fit(windows, y).predict(windows) for name in ("float32", "bf16")
    )
    assert half.dtype == single.dtype
    assert np.abs(half - single).max() < 0.03 * y.std()
    assert not np.array_equal(half, single)


@pytest.mark.parametrize("regressor", REGRESSORS)
def test_everything_but_the_computation_is_float32(panel, regressor):
    windows, y = panel
    regressor.set_params(precision="bf16").fit(windows, y)
    net = regressor.net_
    kept = [*net.module_.state_dict().values(), *(v for s in net.optimizer_.state.values() for v in s.values())]
    assert {values.dtype for values in kept if values.is_floating_point()} == {torch.float32}
    again = pickle.loads(pickle.dumps(regressor))
    np.testing.assert_array_equal(again.predict(windows), regressor.predict(windows))


@pytest.mark.parametrize(("precision", "dtype"), [("float32", torch.float32), ("bf16", torch.bfloat16)])
@pytest.mark.parametrize("rolling", ["windows", "stateful"])
def test_training_validation_and_forecasts_compute_in_the_precision(panel, precision, dtype, rolling):
    windows, y = panel
    seen, forecast = set(), set()

    def record(layer, given, output):
        if isinstance(layer, torch.nn.Linear):
            seen.add((layer.training, torch.is_inference_mode_enabled(), output.dtype))

    class Loss(torch.nn.MSELoss):
        def forward(self, forecasts, targets):
            forecast.add((forecasts.dtype, targets.dtype))
            return super().forward(forecasts, targets)

    regressor = GRURegressor(8, **CPU, precision=precision, rolling=rolling, early_stopping=True)
    regressor.set_params(net_params={"criterion": Loss})
    handle = torch.nn.modules.module.register_module_forward_hook(record)
    try:
        regressor.fit(windows, y).predict(windows)
    finally:
        handle.remove()
    assert seen == {(True, False, dtype), (False, True, dtype)}
    assert forecast == {(torch.float32, torch.float32)}


def test_a_device_that_cannot_says_so(panel):
    regressor = LSTMRegressor(8, device="meta", precision="bf16")
    with pytest.raises(ValueError, match=r"precision='bf16'.*bfloat16 on this meta: give precision='float32'"):
        regressor.fit(*panel)
    assert not hasattr(regressor, "net_")


def test_where_it_cannot_change_the_net_stays_as_it_was(panel, monkeypatch):
    regressor = GRURegressor(8, **CPU, warm_start=True).fit(*panel)
    y_pred = regressor.predict(panel[0])

    def refuse(precision, network, device):
        raise ValueError("no bfloat16 here")

    monkeypatch.setattr("skts.regressors._base.check_precision", refuse)
    with pytest.raises(ValueError, match="no bfloat16 here"):
        regressor.set_params(precision="bf16").fit(*panel)
    np.testing.assert_array_equal(regressor.predict(panel[0]), y_pred)


def test_it_may_change_between_two_fits(panel):
    regressor = GRURegressor(8, **CPU, warm_start=True).fit(*panel)
    regressor.set_params(precision="bf16").fit(*panel)
    assert regressor.net_.precision == "bf16"
    assert regressor.n_iter_ == 4


def test_the_trial_of_the_device_draws_no_random_number(panel):
    before = torch.get_rng_state()
    GRURegressor(8, **CPU, precision="bf16").fit(*panel)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("bad", ["bfloat16", None, 16])
def test_another_precision_is_refused(panel, bad):
    with pytest.raises(ValueError, match="The 'precision' parameter of DLinearRegressor"):
        DLinearRegressor(precision=bad).fit(*panel)
