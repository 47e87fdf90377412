"""Attention between patches of the window and rows of the horizon."""

import math

import pytest
import torch

from skts.nn import QuantileHead, Transformer

WINDOW, HORIZON, N_FEATURES, N_KNOWN = 7, 5, 4, 2


def make(n_known=N_KNOWN, n_targets=1, window=WINDOW, **options):
    torch.manual_seed(0)
    small = {"hidden_size": 8, "num_heads": 2, "patch_len": 3, "around": 1}
    return Transformer(N_FEATURES, n_known, n_targets, HORIZON, window, **small | options).eval()


@pytest.fixture
def past():
    return torch.randn(3, WINDOW, N_FEATURES, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def known():
    return torch.randn(3, HORIZON, N_KNOWN, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("n_targets", [1, 2])
@pytest.mark.parametrize("ffn_expansion", [0, 3])
def test_shapes(past, known, n_targets, ffn_expansion):
    options = {"n_targets": n_targets, "ffn_expansion": ffn_expansion}
    assert make(**options)(past, known)[0].shape == (3, HORIZON, n_targets)
    assert make(0, **options)(past)[0].shape == (3, HORIZON, n_targets)
    assert make(head=QuantileHead((0.1, 0.9)), **options)(past, known)[0].shape == (3, HORIZON, n_targets, 3)


def test_one_block_is_the_textbook_formula(past, known):
    """softmax(Q K' / sqrt(d)) V by head, then the feed-forward network, each added to what was there."""
    net = make(num_layers=1, ffn_expansion=2)
    block, attention = net.blocks[0], net.blocks[0].attention
    tokens = torch.cat([net.patches(past), net.known(known)], dim=1) + net.places  # (3, 3 + 5, 8)
    read = torch.nn.functional.layer_norm(tokens, (8,), block.norm.weight)
    heads = []
    for own in (slice(0, 4), slice(4, 8)):  # each head has its half of the rows of Q, K and V
        queries = read[:, 3:] @ attention.query.weight[own].T
        keys = read @ attention.key.weight[own].T
        values = read @ attention.value.weight[own].T + attention.value.bias[own]
        heads.append(torch.softmax(queries @ keys.transpose(1, 2) / math.sqrt(4), dim=2) @ values)
    ahead = tokens[:, 3:] + attention.output(torch.cat(heads, dim=2))
    ahead = ahead + block.feed_forward(ahead)
    torch.testing.assert_close(net(past, known)[0], net.output(net.norm(ahead)))


@pytest.mark.parametrize("n_targets", [1, 2])
def test_without_known_columns_the_rows_of_a_patch_are_forecast_by_one_token(past, n_targets):
    net = make(0, n_targets, num_layers=1)
    assert net.places.shape[0] == 3 + 2  # 7 rows of window and 5 of horizon by three
    forecast = net(past)[0]
    with torch.no_grad():
        net.places[-1] += torch.randn(8)
    differs = (net(past)[0] != forecast).any(dim=(0, 2))
    assert differs.tolist() == [True] * 5  # the first token attends to the second one
    with torch.no_grad():
        net.blocks[0].attention.output.weight.zero_()
        forecast = net(past)[0]
        net.places[-1] += torch.randn(8)
    assert (net(past)[0] != forecast).any(dim=(0, 2)).tolist() == [False] * 3 + [True] * 2


def test_the_first_blocks_update_every_token(past, known):
    two, one = make(num_layers=2), make(num_layers=1)
    one.load_state_dict({name: value for name, value in two.state_dict().items() if "blocks.1" not in name})
    with torch.no_grad():
        for layer in (two.blocks[1].attention.output, two.blocks[1].feed_forward[-1]):
            layer.weight.zero_()
            layer.bias.zero_()
    torch.testing.assert_close(two(past, known)[0], one(past, known)[0])


def test_every_row_of_the_horizon_reads_all_that_is_known_and_the_whole_window(past, known):
    net = make(lookahead=2)
    known = torch.cat([known, known[:, :2]], dim=1).requires_grad_()
    past.requires_grad_()
    for lead in range(HORIZON):
        of_past, of_known = torch.autograd.grad(net(past, known)[0][:, lead].sum(), (past, known))
        assert (of_past != 0).all()
        assert (of_known != 0).all()


@pytest.mark.parametrize("around", [0, 1, 2])
def test_without_attention_and_feed_forward_a_row_is_forecast_from_the_known_columns_around(past, known, around):
    net = make(num_layers=1, ffn_expansion=0, around=around)
    with torch.no_grad():
        net.blocks[0].attention.output.weight.zero_()
    changed = known.clone()
    changed[:, 2] += 1
    differs = (net(past, known)[0] != net(past, changed)[0]).any(dim=0)[:, 0]
    assert differs.tolist() == [abs(row - 2) <= around for row in range(HORIZON)]


def test_series_are_told_apart_and_an_unknown_one_is_their_mean(past, known):
    net = make(n_series=3, series_embedding=2)
    assert net.reads_series
    same = past[:1].expand(3, -1, -1), known[:1].expand(3, -1, -1)
    own = net(*same, torch.tensor([0, 1, -1]))[0]
    assert not torch.allclose(own[0], own[1])
    with torch.no_grad():
        net.embedding.table.weight[:] = net.embedding.table.weight.mean(dim=0)
    torch.testing.assert_close(net(*same, torch.tensor([0, 1, 2]))[0], own[2].expand(3, -1, -1))


@pytest.mark.parametrize("options", [{"n_static": 2}, {"n_static": 2, "n_series": 3, "series_embedding": 3}])
def test_what_describes_a_series_moves_every_token_alike(past, known, options):
    net, static = make(**options), torch.randn(len(past), 2)
    assert net.reads_static
    assert net.reads_series == ("series_embedding" in options)
    series = torch.full((len(past),), -1)
    moved = net.embed(past, known, series, 2 * static) - net.embed(past, known, series, static)
    own = net.embed_series(series, 2 * static) - net.embed_series(series, static)
    torch.testing.assert_close(moved, own[:, None].expand_as(moved))
    assert (own.abs().sum(dim=1) > 0).all()
    assert not torch.equal(net(past, known, series, static=static)[0], net(past, known, series, static=2 * static)[0])


def test_dropout_acts_in_training_only(past, known):
    for option in ("dropout", "input_dropout"):
        net = make(**{option: 0.5})
        torch.testing.assert_close(net(past, known)[0], net(past, known)[0], rtol=0, atol=0)
        net.train()
        assert not torch.equal(net(past, known)[0], net(past, known)[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": None}, r"given whole series: give SlidingWindower\(window=...\)"),
        ({"hidden_size": 10, "num_heads": 4}, "hidden_size=10 is no multiple of num_heads=4.*: give hidden_size=12"),
        ({"n_known": 0, "lookahead": 1}, r"lookahead=1 reads known columns .* SlidingWindower\(known=...\)"),
    ],
)
def test_sizes_that_do_not_go_together_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        make(**options)


def test_a_linear_skip_adds_a_linear_map_of_the_window(past, known):
    net = make(n_targets=2, linear_skip=True, head=QuantileHead((0.1, 0.9)))
    without = net(past, known)[0]
    with torch.no_grad():
        net.skip.linear.weight.normal_()
    share = (past.flatten(1) @ net.skip.linear.weight.T).unflatten(1, (HORIZON, 2))
    torch.testing.assert_close(net(past, known)[0], without + share[..., None])
