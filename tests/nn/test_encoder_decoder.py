import pytest
import torch

from skts.nn import EncoderDecoder


@pytest.fixture
def past():
    return torch.randn(3, 7, 4, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def future():
    return torch.randn(3, 5, 2, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("num_layers", [1, 2])
def test_shapes(past, future, num_layers):
    assert EncoderDecoder(4, 2, 3, 5, hidden_size=6, num_layers=num_layers)(past, future).shape == (3, 5, 3)
    assert EncoderDecoder(4, 0, 3, 5, hidden_size=6, num_layers=num_layers)(past).shape == (3, 5, 3)


def run_cell(lstm, rows, h, c):
    """The textbook equations of an LSTM, one row at a time."""
    states = []
    for x in rows:
        gates = x @ lstm.weight_ih_l0.T + lstm.bias_ih_l0 + h @ lstm.weight_hh_l0.T + lstm.bias_hh_l0
        i, f, g, o = gates.chunk(4, dim=-1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        states.append(h)
    return torch.stack(states), h, c


def test_the_decoder_starts_from_what_the_encoder_said_last(past, future):
    net = EncoderDecoder(4, 2, 1, 5, hidden_size=6)
    zero = torch.zeros(3, 6)
    _, said, _ = run_cell(net.encoder, past.transpose(0, 1), zero, zero)
    h, c = net.bridge(said).chunk(2, dim=1)
    h = h.tanh()
    told, _, _ = run_cell(net.decoder, future.transpose(0, 1), h, c)
    torch.testing.assert_close(net(past, future), net.head(told).transpose(0, 1))


def test_without_known_columns_the_last_state_forecasts_the_horizon(past):
    net = EncoderDecoder(4, 0, 2, 5, hidden_size=6)
    zero = torch.zeros(3, 6)
    _, h, _ = run_cell(net.encoder, past.transpose(0, 1), zero, zero)
    torch.testing.assert_close(net(past), net.head(h).reshape(3, 5, 2))


def test_a_forecast_reads_nothing_known_after_it(past, future):
    net = EncoderDecoder(4, 2, 1, 5, hidden_size=6)
    changed = future.clone()
    changed[:, 3:] += 10
    torch.testing.assert_close(net(past, changed)[:, :3], net(past, future)[:, :3], rtol=0, atol=0)
    assert not torch.allclose(net(past, changed)[:, 3:], net(past, future)[:, 3:])


def test_dropout_acts_in_training_only(past):
    net = EncoderDecoder(4, 0, 1, 5, hidden_size=6, dropout=0.5)
    assert not torch.equal(net(past), net(past))
    net.eval()
    assert torch.equal(net(past), net(past))


def test_forget_gates_start_open():
    torch.manual_seed(0)
    net = EncoderDecoder(4, 2, 1, 5, hidden_size=50, num_layers=2)
    for lstm in (net.encoder, net.decoder):
        for layer in range(2):
            bias = getattr(lstm, f"bias_ih_l{layer}").detach()
            assert bias[50:100].mean() > 0.9
            assert abs(bias[:50].mean()) < 0.1
