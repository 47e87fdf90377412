from itertools import pairwise

import pytest
import torch

from skts.nn import EncoderDecoder, QuantileHead

LEVELS = (0.1, 0.5, 0.9)


@pytest.fixture
def past():
    return torch.randn(3, 7, 4, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def known():
    return torch.randn(3, 5, 2, generator=torch.Generator().manual_seed(1))


def forecast(net, *inputs):
    return net(*inputs)[0]


def head_of(levels):
    return None if levels is None else QuantileHead(levels)


@pytest.mark.parametrize("num_layers", [1, 2])
def test_shapes(past, known, num_layers):
    options = {"hidden_size": 6, "num_layers": num_layers}
    assert forecast(EncoderDecoder(4, 2, 3, 5, **options), past, known).shape == (3, 5, 3)
    assert forecast(EncoderDecoder(4, 0, 3, 5, **options), past).shape == (3, 5, 3)


@pytest.mark.parametrize(("option", "named"), [("bidirectional", "bidirectional=True"), ("lookahead", "lookahead=1")])
def test_what_reads_known_columns_is_refused_where_there_are_none(option, named):
    with pytest.raises(ValueError, match=rf"{named} reads known columns .* SlidingWindower\(known=...\)"):
        EncoderDecoder(4, 0, 1, 5, **{option: 1 if option == "lookahead" else True})


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


def test_the_decoder_starts_from_the_last_state_of_the_encoder(past, known):
    net = EncoderDecoder(4, 2, 1, 5, hidden_size=6)
    zero = torch.zeros(3, 6)
    _, encoded, _ = run_cell(net.encoder, past.transpose(0, 1), zero, zero)
    h, c = net.bridge(encoded).chunk(2, dim=1)
    decoded, _, _ = run_cell(net.decoder, known.transpose(0, 1), h.tanh(), c)
    torch.testing.assert_close(forecast(net, past, known), net.output(decoded).transpose(0, 1))


def test_without_known_columns_the_last_state_forecasts_the_horizon(past):
    net = EncoderDecoder(4, 0, 2, 5, hidden_size=6)
    zero = torch.zeros(3, 6)
    _, h, _ = run_cell(net.encoder, past.transpose(0, 1), zero, zero)
    torch.testing.assert_close(forecast(net, past), net.output(h).reshape(3, 5, 2))


def test_a_forecast_reads_nothing_known_after_it(past, known):
    net = EncoderDecoder(4, 2, 1, 5, hidden_size=6)
    changed = known.clone()
    changed[:, 3:] += 10
    before, after = forecast(net, past, known), forecast(net, past, changed)
    torch.testing.assert_close(after[:, :3], before[:, :3], rtol=0, atol=0)
    assert not torch.allclose(after[:, 3:], before[:, 3:])


def test_dropout_acts_in_training_only(past):
    net = EncoderDecoder(4, 0, 1, 5, hidden_size=6, dropout=0.5)
    assert not torch.equal(forecast(net, past), forecast(net, past))
    net.eval()
    assert torch.equal(forecast(net, past), forecast(net, past))


def test_forget_gates_start_open():
    torch.manual_seed(0)
    net = EncoderDecoder(4, 2, 1, 5, hidden_size=50, num_layers=2)
    for lstm in (net.encoder, net.decoder):
        for layer in range(2):
            bias = getattr(lstm, f"bias_ih_l{layer}").detach()
            assert bias[50:100].mean() > 0.9
            assert abs(bias[:50].mean()) < 0.1


# --- any cell, depth and direction, by hand -----------------------------------------------------------------


def step_lstm(x, h, c, w_x, w_h, b_x, b_h):
    i, f, g, o = (x @ w_x.T + b_x + h @ w_h.T + b_h).chunk(4, dim=-1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def step_gru(x, h, c, w_x, w_h, b_x, b_h):
    (x_r, x_z, x_n), (h_r, h_z, h_n) = (x @ w_x.T + b_x).chunk(3, dim=-1), (h @ w_h.T + b_h).chunk(3, dim=-1)
    r, z = (x_r + h_r).sigmoid(), (x_z + h_z).sigmoid()
    return (1 - z) * (x_n + r * h_n).tanh() + z * h, c


def run_by_hand(recurrence, rows, states, cells):
    """Read (B, L, F) layer by layer and direction by direction, each row by the textbook; a state for each of them."""
    step = step_lstm if isinstance(recurrence, torch.nn.LSTM) else step_gru
    state = 0
    for layer in range(recurrence.num_layers):
        directions = []
        for suffix in ["", "_reverse"][: 1 + recurrence.bidirectional]:
            names = (f"{name}_l{layer}{suffix}" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
            parameters = [getattr(recurrence, name) for name in names]
            h, c, outputs = states[state], cells[state], []
            for x in rows.flip(1).unbind(1) if suffix else rows.unbind(1):
                h, c = step(x, h, c, *parameters)
                outputs.append(h)
            directions.append(torch.stack(outputs[::-1] if suffix else outputs, dim=1))
            state += 1
        rows = torch.cat(directions, dim=2)
    return rows


@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_encoder_and_decoder_equal_the_textbook(past, known, cell, bidirectional, num_layers):
    net = EncoderDecoder(
        4, 2, 3, 5, cell=cell, hidden_size=6, num_layers=num_layers, bidirectional=bidirectional
    ).requires_grad_(False)
    zeros = torch.zeros(num_layers, 3, 6)
    encoded = run_by_hand(net.encoder, past, zeros, zeros)[:, -1]
    states = torch.stack(net.bridge(encoded).split(6, dim=1))  # all hidden states, then all cells
    n_states = num_layers * (1 + bidirectional)
    decoded = run_by_hand(net.decoder, known, states[:n_states].tanh(), states[-n_states:])
    torch.testing.assert_close(forecast(net, past, known), net.output(decoded))


def test_a_gru_forecasts_from_its_last_state_alone(past):
    net = EncoderDecoder(4, 0, 2, 5, cell="gru", hidden_size=6)
    zeros = torch.zeros(1, 3, 6)
    encoded = run_by_hand(net.encoder, past, zeros, zeros)[:, -1]
    torch.testing.assert_close(forecast(net, past), net.output(encoded).reshape(3, 5, 2))


# --- lookahead, patches, series -----------------------------------------------------------------------------


@pytest.mark.parametrize("levels", [None, LEVELS])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_rows_after_the_horizon_are_read_backwards_only(past, known, bidirectional, levels):
    net = EncoderDecoder(4, 2, 1, 3, head=head_of(levels), hidden_size=6, bidirectional=bidirectional, lookahead=2)
    assert net.lookahead == 2
    changed = known.clone()
    changed[:, 3:] += 10
    before = forecast(net, past, known)
    assert before.shape == ((3, 3, 1) if levels is None else (3, 3, 1, 3))
    moved = (forecast(net, past, changed) - before).abs().amax(dim=0)
    assert (moved > 0).all() if bidirectional else (moved == 0).all()


def test_patches_are_the_steps_of_the_encoder(past, known):
    net = EncoderDecoder(4, 2, 1, 5, hidden_size=6, patch_len=3)  # 7 rows, 3 steps
    zeros = torch.zeros(1, 3, 6)
    encoded = run_by_hand(net.encoder, net.patches(past), zeros, zeros)
    assert encoded.shape == (3, 3, 6)
    torch.testing.assert_close(forecast(net, past, known), net.decode(encoded[:, -1], known))


def put_beside(rows, vectors):
    return torch.cat([rows, vectors[:, None].expand(-1, rows.shape[1], -1)], dim=2)


@pytest.mark.parametrize("patch_len", [1, 3])
def test_the_vector_of_a_series_stands_beside_every_row_that_is_read(past, known, patch_len):
    net = EncoderDecoder(4, 2, 1, 5, n_series=5, hidden_size=6, series_embedding=2, patch_len=patch_len)
    series, zeros = torch.tensor([4, 0, 4]), torch.zeros(1, 3, 6)
    vectors = net.embedding.table.weight[series]
    steps = past if patch_len == 1 else net.patches(past)
    encoded = run_by_hand(net.encoder, put_beside(steps, vectors), zeros, zeros)[:, -1]
    h, c = net.bridge(encoded).chunk(2, dim=1)
    decoded = run_by_hand(net.decoder, put_beside(known, vectors), h.tanh()[None], c[None])
    torch.testing.assert_close(forecast(net, past, known, series), net.output(decoded))


def test_without_known_columns_the_vector_of_a_series_reaches_the_head_too(past):
    net = EncoderDecoder(4, 0, 1, 5, n_series=5, hidden_size=6, series_embedding=2)
    series, zeros = torch.tensor([4, 0, 4]), torch.zeros(1, 3, 6)
    vectors = net.embedding.table.weight[series]
    encoded = run_by_hand(net.encoder, put_beside(past, vectors), zeros, zeros)[:, -1]
    expected = net.output(torch.cat([encoded, vectors], dim=1))
    torch.testing.assert_close(forecast(net, past, None, series)[..., 0], expected)


# --- the state ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("num_layers", [1, 2, 3])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_encoding_goes_on_from_a_state(past, cell, num_layers):
    net = EncoderDecoder(4, 0, 1, 5, cell=cell, hidden_size=6, num_layers=num_layers)
    whole, last = net.encode(past)
    state, parts = None, []
    for begin, end in pairwise([0, 2, 3, 7]):
        encoded, state = net.encode(past[:, begin:end], state=state)
        parts.append(encoded)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole)
    assert len(state) == len(last) == (2 if cell == "lstm" else 1)
    for part, expected in zip(state, last, strict=True):
        assert part.shape == (num_layers, 3, 6)  # the batch is the second dimension
        torch.testing.assert_close(part, expected)


@pytest.mark.parametrize("num_layers", [1, 2, 3])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_forecast_goes_on_from_a_state(past, known, cell, num_layers):
    net = EncoderDecoder(4, 2, 1, 5, n_series=3, cell=cell, hidden_size=6, num_layers=num_layers, series_embedding=2)
    series = torch.tensor([2, -1, 0])
    whole, last = net(past, known, series)
    _, state = net(past[:, :4], known, series)
    rest, after = net(past[:, 4:], known, series, state)
    torch.testing.assert_close(rest, whole)
    torch.testing.assert_close(after, last)


# --- a linear map beside, and columns left out --------------------------------------------------------------


@pytest.mark.parametrize("levels", [None, LEVELS])
@pytest.mark.parametrize("n_known", [0, 2])
def test_a_linear_map_of_the_window_is_added_and_starts_at_nothing(past, known, n_known, levels):
    torch.manual_seed(0)
    net = EncoderDecoder(
        4, n_known, 2, 5, window=7, head=head_of(levels), hidden_size=6, linear_skip=True
    ).requires_grad_(False)
    inputs = (past, known if n_known else None)
    before = forecast(net, *inputs)
    skip, net.skip = net.skip, None
    assert torch.equal(forecast(net, *inputs), before)
    net.skip = skip
    torch.nn.init.normal_(skip.linear.weight)
    torch.nn.init.normal_(skip.linear.bias)
    share = (past.flatten(1) @ skip.linear.weight.T + skip.linear.bias).reshape(3, 5, 2)
    expected = (share if levels is None else share[..., None]).expand_as(before)
    torch.testing.assert_close(forecast(net, *inputs) - before, expected)


def columns_read(rows, forecast):
    """Which columns of each sequence (B, L, F) move its forecast, and that each does so at every row or at none."""
    moves = torch.autograd.grad(forecast.abs().sum(), rows, retain_graph=True)[0] != 0
    assert (moves.any(dim=1) == moves.all(dim=1)).all()
    return moves.any(dim=1)


def test_columns_are_dropped_from_whole_windows_and_whole_horizons_in_training():
    torch.manual_seed(0)
    net = EncoderDecoder(4, 2, 1, 5, hidden_size=6, input_dropout=0.3)
    past, known = torch.randn(500, 7, 4, requires_grad=True), torch.randn(500, 5, 2, requires_grad=True)
    last = forecast(net, past, known)[:, -1]  # the last row reads all of them
    for rows in (past, known):
        read = columns_read(rows, last)
        assert abs(read.float().mean(dim=0) - 0.7).max() < 0.1
        assert len(read.unique(dim=0)) > 3  # each window by itself
    net.eval()
    last = forecast(net, past, known)[:, -1]
    assert columns_read(past, last).all()
    assert columns_read(known, last).all()
