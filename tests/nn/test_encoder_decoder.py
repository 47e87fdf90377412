from itertools import pairwise

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


# --- any cell, depth and direction, by hand -------------------------------------------------------------


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
            h, c, said = states[state], cells[state], []
            for x in rows.flip(1).unbind(1) if suffix else rows.unbind(1):
                h, c = step(x, h, c, *parameters)
                said.append(h)
            directions.append(torch.stack(said[::-1] if suffix else said, dim=1))
            state += 1
        rows = torch.cat(directions, dim=2)
    return rows


@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_encoder_and_decoder_equal_the_textbook(past, future, cell, bidirectional, num_layers):
    net = EncoderDecoder(
        4, 2, 3, 5, cell=cell, hidden_size=6, num_layers=num_layers, bidirectional=bidirectional
    ).requires_grad_(False)
    zeros = torch.zeros(num_layers, 3, 6)
    said = run_by_hand(net.encoder, past, zeros, zeros)[:, -1]
    states = torch.stack(net.bridge(said).split(6, dim=1))  # all hidden states, then all cells
    n_states = num_layers * (1 + bidirectional)
    told = run_by_hand(net.decoder, future, states[:n_states].tanh(), states[-n_states:])
    torch.testing.assert_close(net(past, future), net.head(told))


def test_a_gru_forecasts_from_its_last_state_alone(past):
    net = EncoderDecoder(4, 0, 2, 5, cell="gru", hidden_size=6)
    zeros = torch.zeros(1, 3, 6)
    said = run_by_hand(net.encoder, past, zeros, zeros)[:, -1]
    torch.testing.assert_close(net(past), net.head(said).reshape(3, 5, 2))


# --- context, patches, series ---------------------------------------------------------------------------


@pytest.mark.parametrize("levels", [None, (0.1, 0.5, 0.9)])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_rows_behind_the_horizon_are_read_backwards_only(past, future, bidirectional, levels):
    net = EncoderDecoder(4, 2, 1, 3, hidden_size=6, bidirectional=bidirectional, levels=levels)
    changed = future.clone()
    changed[:, 3:] += 10  # two rows of context
    forecast = net(past, future)
    assert forecast.shape == ((3, 3, 1) if levels is None else (3, 3, 1, 3))
    moved = (net(past, changed) - forecast).abs().amax(dim=0)
    assert (moved > 0).all() if bidirectional else (moved == 0).all()


def test_patches_are_the_steps_of_the_encoder(past, future):
    net = EncoderDecoder(4, 2, 1, 5, hidden_size=6, patch_len=3)  # 7 rows, 3 steps
    zeros = torch.zeros(1, 3, 6)
    said = run_by_hand(net.encoder, net.patches(past), zeros, zeros)
    assert said.shape == (3, 3, 6)
    torch.testing.assert_close(net(past, future), net.decode(said[:, -1], future))


def put_beside(rows, vectors):
    return torch.cat([rows, vectors[:, None].expand(-1, rows.shape[1], -1)], dim=2)


@pytest.mark.parametrize("patch_len", [1, 3])
def test_the_vector_of_a_series_stands_beside_every_row_that_is_read(past, future, patch_len):
    options = {"hidden_size": 6, "n_series": 5, "series_embedding": 2, "patch_len": patch_len}
    net, series, zeros = EncoderDecoder(4, 2, 1, 5, **options), torch.tensor([4, 0, 4]), torch.zeros(1, 3, 6)
    vectors = net.embedding.table.weight[series]
    steps = past if patch_len == 1 else net.patches(past)
    said = run_by_hand(net.encoder, put_beside(steps, vectors), zeros, zeros)[:, -1]
    h, c = net.bridge(said).chunk(2, dim=1)
    told = run_by_hand(net.decoder, put_beside(future, vectors), h.tanh()[None], c[None])
    torch.testing.assert_close(net(past, future, series), net.head(told))


def test_without_known_columns_the_vector_of_a_series_reaches_the_head_too(past):
    net = EncoderDecoder(4, 0, 1, 5, hidden_size=6, n_series=5, series_embedding=2)
    series, zeros = torch.tensor([4, 0, 4]), torch.zeros(1, 3, 6)
    vectors = net.embedding.table.weight[series]
    said = run_by_hand(net.encoder, put_beside(past, vectors), zeros, zeros)[:, -1]
    torch.testing.assert_close(net(past, None, series)[..., 0], net.head(torch.cat([said, vectors], dim=1)))


# --- several origins in one pass ------------------------------------------------------------------------

VARIANTS = [
    {},
    {"cell": "gru", "num_layers": 2},
    {"bidirectional": True},
    {"levels": (0.1, 0.5, 0.9), "bidirectional": True, "cell": "gru"},
    {"n_series": 3, "series_embedding": 2},
]


def make_passes(n_origins, n_known, context=2, dtype=torch.float32):
    """Two series, 6 rows of window, 3 of horizon; past, future, series and origins."""
    generator = torch.Generator().manual_seed(0)
    past = torch.randn(2, 6 + n_origins - 1, 4, generator=generator, dtype=dtype)
    future = torch.randn(2, 3 + context + n_origins - 1, n_known, generator=generator, dtype=dtype)
    return past, future if n_known else None, torch.tensor([2, 0]), torch.ones(2, n_origins, dtype=torch.bool)


@pytest.mark.parametrize("n_known", [0, 2])
@pytest.mark.parametrize("variant", VARIANTS)
def test_each_origin_is_forecast_as_by_a_pass_that_ends_there(variant, n_known):
    net = EncoderDecoder(4, n_known, 2, 3, hidden_size=5, **variant).double()
    past, future, series, origins = make_passes(4, n_known, dtype=torch.float64)
    forecasts = net(past, future, series, origins).unflatten(0, (2, 4))
    for k in range(4):
        ahead = future[:, k : k + 5] if n_known else None
        torch.testing.assert_close(forecasts[:, k], net(past[:, : 6 + k], ahead, series))


def rows_read(forecast, rows):
    """The rows of one pass (1, L, F) that move a forecast."""
    gradient = torch.autograd.grad(forecast.abs().sum(), rows, retain_graph=True)[0]
    return (gradient[0] != 0).any(dim=1).nonzero()[:, 0].tolist()


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_forecast_reads_its_own_past_and_what_is_known_of_its_own_horizon(variant):
    net = EncoderDecoder(4, 2, 1, 3, hidden_size=5, **variant)
    past, future, series, origins = (values[:1] for values in make_passes(4, 2))
    past.requires_grad_(), future.requires_grad_()
    reach = 5 if "bidirectional" in variant else 3
    for k, forecast in enumerate(net(past, future, series, origins)):
        assert rows_read(forecast, past) == [*range(6 + k)]
        assert rows_read(forecast, future) == [*range(k, k + reach)]


def test_origins_that_are_not_asked_for_change_nothing():
    net, (past, future, _, origins) = EncoderDecoder(4, 2, 1, 3, hidden_size=5), make_passes(4, 2)
    all_of_them = net(past, future, origins=origins)
    assert torch.equal(net(past, future, origins=origins & False), all_of_them)


@pytest.mark.parametrize("variant", VARIANTS)
def test_origins_may_be_forecast_alone(variant):
    net = EncoderDecoder(4, 2, 1, 3, hidden_size=5, **variant)
    past, future, series, origins = make_passes(4, 2)
    asked = torch.tensor([[True, False, False, True], [False, True, False, False]])
    forecasts = net(past, future, series, origins)[asked.flatten()]
    torch.testing.assert_close(net.at_origins(past, asked, future, series), forecasts)


def test_reading_goes_on_from_a_state(past):
    for cell in ("lstm", "gru"):
        net = EncoderDecoder(4, 0, 1, 5, cell=cell, hidden_size=6)
        whole, state, parts = net.encode(past)[0], None, []
        for begin, end in pairwise([0, 2, 3, 7]):
            said, state = net.encode(past[:, begin:end], state=state)
            parts.append(said)
        torch.testing.assert_close(torch.cat(parts, dim=1), whole)


# --- a linear map beside, and columns left out ------------------------------------------------------------


@pytest.mark.parametrize("levels", [None, (0.1, 0.5, 0.9)])
@pytest.mark.parametrize("n_known", [0, 2])
def test_a_linear_map_of_the_window_is_added_and_starts_at_nothing(past, future, n_known, levels):
    torch.manual_seed(0)
    net = EncoderDecoder(4, n_known, 2, 5, hidden_size=6, skip_window=7, levels=levels).requires_grad_(False)
    inputs = (past, future if n_known else None)
    before = net(*inputs)
    skip, net.skip = net.skip, None
    assert torch.equal(net(*inputs), before)
    net.skip = skip
    torch.nn.init.normal_(skip.weight)
    torch.nn.init.normal_(skip.bias)
    share = (past.flatten(1) @ skip.weight.T + skip.bias).reshape(3, 5, 2)
    torch.testing.assert_close(net(*inputs) - before, (share if levels is None else share[..., None]).expand_as(before))


def columns_read(rows, forecast):
    """Which columns of each sequence (B, L, F) move its forecast, and that each does so at every row or at none."""
    moves = torch.autograd.grad(forecast.abs().sum(), rows, retain_graph=True)[0] != 0
    assert (moves.any(dim=1) == moves.all(dim=1)).all()
    return moves.any(dim=1)


def test_columns_are_dropped_from_whole_windows_and_whole_horizons_in_training():
    torch.manual_seed(0)
    net = EncoderDecoder(4, 2, 1, 5, hidden_size=6, input_dropout=0.3)
    past, future = torch.randn(500, 7, 4, requires_grad=True), torch.randn(500, 5, 2, requires_grad=True)
    told = net.decode(net.encode(past)[0][:, -1], future)[:, -1]  # the last row reads all of them
    for rows in (past, future):
        read = columns_read(rows, told)
        assert abs(read.float().mean(dim=0) - 0.7).max() < 0.1
        assert len(read.unique(dim=0)) > 3  # each window by itself
    net.eval()
    told = net(past, future)[:, -1]
    assert columns_read(past, told).all()
    assert columns_read(future, told).all()
