import numpy as np
import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, OneCycleLR

from skts.nn import EncoderDecoder, Forecaster, QuantileHead
from skts.training._loop import (
    LearningRate,
    RunningLoss,
    carry,
    clip_gradient,
    forecast_last_origins,
    forecast_origins,
)

CPU = torch.device("cpu")


# --- several origins in one pass ----------------------------------------------------------------------------

VARIANTS = [
    {},
    {"cell": "gru", "num_layers": 2},
    {"bidirectional": True, "lookahead": 2},
    {"head": QuantileHead([0.1, 0.9]), "bidirectional": True, "lookahead": 2, "cell": "gru"},
    {"n_series": 3, "series_embedding": 2},
    {"n_static": 2},
    {"n_series": 3, "series_embedding": 2, "n_static": 2, "cell": "gru"},
]


def make_passes(n_origins, net, n_known, n=2, dtype=torch.float32):
    """Passes over 6 rows of window and 3 of horizon: rows, what is known, series, and what describes them."""
    generator = torch.Generator().manual_seed(0)
    past = torch.randn(n, 6 + n_origins - 1, 4, generator=generator, dtype=dtype)
    known = torch.randn(n, 3 + net.lookahead + n_origins - 1, n_known, generator=generator, dtype=dtype)
    static = torch.randn(n, 2, generator=generator, dtype=dtype) if net.reads_static else None
    series = torch.tensor([2, 0, -1])[:n]
    return {"past": past, "known": known if n_known else None, "series": series, "static": static}


CASES = [(n_known, variant) for n_known in (0, 2) for variant in VARIANTS if n_known or "lookahead" not in variant]


@pytest.mark.parametrize(("n_known", "variant"), CASES, ids=str)
def test_each_origin_is_forecast_as_by_a_pass_that_ends_there(n_known, variant):
    net = EncoderDecoder(4, n_known, 2, 3, hidden_size=5, **variant).double()
    rows = make_passes(4, net, n_known, dtype=torch.float64)
    forecasts, state = forecast_last_origins(net, n_origins=4, **rows)
    for k, forecast in enumerate(forecasts.unflatten(0, (2, 4)).unbind(1)):
        ahead = rows["known"][:, k : k + 3 + net.lookahead] if n_known else None
        alone, last = net(rows["past"][:, : 6 + k], ahead, rows["series"], static=rows["static"])
        torch.testing.assert_close(forecast, alone)
    torch.testing.assert_close(state, last)


@pytest.mark.parametrize(("n_known", "variant"), CASES, ids=str)
def test_several_origins_go_on_from_a_state(n_known, variant):
    net = EncoderDecoder(4, n_known, 2, 3, hidden_size=5, **variant).double()
    rows = make_passes(4, net, n_known, dtype=torch.float64)
    whole = forecast_last_origins(net, n_origins=4, **rows)
    _, state = net.encode(rows["past"][:, :4], rows["series"], static=rows["static"])
    later = rows | {"past": rows["past"][:, 4:], "state": state}
    torch.testing.assert_close(forecast_last_origins(net, n_origins=4, **later), whole)


def rows_read(forecast, rows):
    """The rows of one pass (1, L, F) that move a forecast."""
    gradient = torch.autograd.grad(forecast.abs().sum(), rows, retain_graph=True)[0]
    return (gradient[0] != 0).any(dim=1).nonzero()[:, 0].tolist()


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_a_forecast_reads_its_own_past_and_what_is_known_of_its_own_horizon(variant):
    net = EncoderDecoder(4, 2, 1, 3, hidden_size=5, **variant)
    rows = make_passes(4, net, 2, n=1)
    past, known = rows["past"].requires_grad_(), rows["known"].requires_grad_()
    for k, forecast in enumerate(forecast_last_origins(net, n_origins=4, **rows)[0]):
        assert rows_read(forecast, past) == [*range(6 + k)]
        assert rows_read(forecast, known) == [*range(k, k + 3 + net.lookahead)]


@pytest.mark.parametrize("at_once", [1, 2, 100])
@pytest.mark.parametrize(("n_known", "variant"), CASES, ids=str)
def test_origins_may_be_forecast_alone(n_known, variant, at_once):
    net = EncoderDecoder(4, n_known, 1, 3, hidden_size=5, **variant)
    rows = make_passes(4, net, n_known)
    asked = torch.tensor([[True, False, False, True], [False, True, False, False]])
    every, state = forecast_last_origins(net, n_origins=4, **rows)
    chosen = forecast_origins(net, origins=asked, at_once=at_once, **rows)
    torch.testing.assert_close(chosen, (every[asked.flatten()], state))


def test_a_pass_without_an_origin_gives_no_forecast_and_its_state():
    net = EncoderDecoder(4, 2, 1, 3, hidden_size=5)
    rows = make_passes(4, net, 2)
    forecast, state = forecast_origins(net, origins=torch.zeros(2, 4, dtype=torch.bool), at_once=3, **rows)
    assert forecast.shape == (0, 3, 1)
    torch.testing.assert_close(state, net.encode(rows["past"])[1])


class Sums(Forecaster):
    """Of one's own: encodes the sum of all rows so far."""

    causal = True

    def encode(self, past, series=None, state=None):
        encoded = past.cumsum(dim=1) + (0 if state is None else state[0][0][:, None])
        return encoded, (encoded[None, :, -1],)

    def decode(self, encoded, known=None, series=None):
        return encoded[:, None, :] + known.cumsum(dim=1)


def test_a_network_of_ones_own_serves_many_origins():
    past, known = torch.ones(2, 5, 1), torch.ones(2, 4, 1)
    forecast, _ = forecast_last_origins(Sums(), past, 3, known)
    assert forecast[:, :, 0].tolist() == [[4, 5], [5, 6], [6, 7]] * 2


# --- the state of whole series ------------------------------------------------------------------------------


def test_a_state_is_carried_to_those_that_go_on_and_others_begin_at_0():
    state = (torch.arange(1.0, 9).reshape(2, 4, 1), torch.arange(11.0, 19).reshape(2, 4, 1))
    kept = [part.clone() for part in state]
    fewer = carry(state, torch.tensor([True, False, True]))
    assert [part[..., 0].tolist() for part in fewer] == [[[1, 0, 3], [5, 0, 7]], [[11, 0, 13], [15, 0, 17]]]
    more = carry(state, torch.tensor([False, True, False, False, False]))
    assert more[0][..., 0].tolist() == [[0, 2, 0, 0, 0], [0, 6, 0, 0, 0]]
    assert all(map(torch.equal, state, kept))
    assert carry(None, torch.tensor([False])) is None


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4), (1, 3, 4, 5)])
def test_a_state_may_have_any_dimensions_beside_the_batch(shape):
    state = (torch.randn(shape), torch.randn(1, 3, 2))
    carried = carry(state, torch.tensor([True, False, True]))
    for new, old in zip(carried, state, strict=True):
        assert torch.equal(new[:, [0, 2]], old[:, [0, 2]])
        assert not new[:, 1].any()


def test_a_series_begins_at_0_whatever_became_of_the_one_before():
    state = (torch.tensor([[[torch.nan], [torch.inf]]]),)
    assert carry(state, torch.tensor([False, False]))[0].tolist() == [[[0.0], [0.0]]]


# --- losses, gradients, rates -------------------------------------------------------------------------------


def test_the_loss_is_the_mean_over_all_targets():
    loss = RunningLoss(CPU)
    assert loss.mean() == 0.0
    loss.add(torch.tensor(2.0, requires_grad=True), 3)
    loss.add(torch.tensor(5.0), torch.tensor(1))
    loss.add(torch.tensor(7.0), torch.tensor(0))
    assert loss.mean() == (3 * 2 + 5) / 4
    address = loss.total.data_ptr()
    loss.clear()
    loss.add(torch.tensor(4.0), 2)
    assert (loss.mean(), loss.total.data_ptr()) == (4.0, address)  # which a recorded step writes to


def test_losses_of_many_batches_add_up_exactly():
    loss = RunningLoss(CPU)
    for _ in range(1000):
        loss.add(torch.tensor(0.1), 10**6)
    assert loss.mean() == pytest.approx(float(np.float32(0.1)), rel=1e-12)


def make_parameters(scale):
    torch.manual_seed(0)
    parameters = [torch.nn.Parameter(torch.zeros(shape)) for shape in ((4, 3), (4,), (1, 2))]
    for parameter in parameters[:2]:  # the last one has no gradient
        parameter.grad = scale * torch.randn_like(parameter)
    return parameters


@pytest.mark.parametrize("scale", [1e-3, 1.0, 100.0, torch.inf])
def test_gradients_are_clipped_as_torch_does(scale):
    ours, usual = make_parameters(scale), make_parameters(scale)
    clip_gradient(iter(ours), 1.0)
    torch.nn.utils.clip_grad_norm_(usual, 1.0)
    for own, other in zip(ours[:2], usual[:2], strict=True):
        torch.testing.assert_close(own.grad, other.grad, rtol=1e-6, atol=0, equal_nan=True)
    assert ours[2].grad is None


def test_without_gradients_nothing_happens():
    parameter = torch.nn.Parameter(torch.ones(2))
    clip_gradient([parameter], 1.0)
    assert parameter.grad is None
    assert parameter.tolist() == [1.0, 1.0]


def make_optimizer(*rates):
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": rate} for rate in rates]
    return torch.optim.AdamW(groups)


def rates_of(optimizer):
    return [float(group["lr"]) for group in optimizer.param_groups]


@pytest.mark.parametrize("schedule", ["constant", "cosine", "one_cycle"])
def test_rates_move_as_torch_says_and_are_put_back(schedule):
    optimizer, usual = make_optimizer(0.01, 0.1), make_optimizer(0.01, 0.1)
    scheduler = {
        "constant": lambda: None,
        "cosine": lambda: CosineAnnealingLR(usual, 7),
        "one_cycle": lambda: OneCycleLR(usual, [0.01, 0.1], 7),
    }[schedule]()
    rates = LearningRate(optimizer, schedule, 7)
    for step in range(7):
        np.testing.assert_allclose(rates_of(optimizer), rates_of(usual), rtol=1e-9)
        usual.step()
        if scheduler is not None and step < 6:
            scheduler.step()
        if step < 6:
            rates.step()
    rates.restore()
    assert rates_of(optimizer) == [0.01, 0.1]


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_rates_lie_in_the_same_tensors_inside_the_block_alone(schedule):
    optimizer = make_optimizer(0.01, 0.1)
    rates = LearningRate(optimizer, schedule, 4)
    addresses = set()
    for _ in range(2):
        with rates.on_device(CPU):
            addresses.add(tuple(group["lr"].data_ptr() for group in optimizer.param_groups))
            rates.step()
        assert all(isinstance(group["lr"], float) for group in optimizer.param_groups)
    assert len(addresses) == 1
    expected = [0.01, 0.1] if schedule == "constant" else [0.005, 0.05]
    np.testing.assert_allclose(rates_of(optimizer), expected, rtol=1e-9)


def test_a_rate_that_somebody_lowered_is_left_so_where_nothing_moves_it():
    optimizer = make_optimizer(0.01)
    rates = LearningRate(optimizer, "constant", 4)
    optimizer.param_groups[0]["lr"] = 0.005
    with rates.on_device(CPU):
        rates.step()
    rates.restore()
    assert rates_of(optimizer) == [0.005]
