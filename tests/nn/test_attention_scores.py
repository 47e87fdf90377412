"""What attention compares."""

import pytest
import torch

from skts.nn import Transformer, attention_parts, attention_scores

WINDOW, HORIZON, N_FEATURES, N_KNOWN, N_HEADS = 7, 5, 4, 2, 2


def make(n_known=N_KNOWN, **options):
    torch.manual_seed(0)
    small = {"hidden_size": 8, "num_heads": N_HEADS, "patch_len": 3}
    return Transformer(N_FEATURES, n_known, 1, HORIZON, WINDOW, 3, **small | options).eval()


def inputs_of(network):
    torch.manual_seed(1)
    n_ahead = HORIZON + network.lookahead
    known = None if network.known is None else torch.randn(3, n_ahead, N_KNOWN)
    static = torch.randn(3, 2) if network.reads_static else None
    return torch.randn(3, WINDOW, N_FEATURES), known, torch.tensor([0, 2, -1]), static


@pytest.mark.parametrize(
    "options", [{}, {"lookahead": 2, "series_embedding": 2}, {"n_known": 0}, {"n_static": 2, "series_embedding": 2}]
)
def test_scores_are_what_torch_attends_by(monkeypatch, options):
    network, asked = make(**options), []
    original = torch.nn.functional.scaled_dot_product_attention

    def attend(queries, keys, values):
        asked.append(torch.softmax(queries @ keys.transpose(2, 3) / queries.shape[3] ** 0.5, dim=3))
        return original(queries, keys, values)

    inputs = inputs_of(network)
    *rows, static = inputs
    scores = attention_scores(network, *inputs)
    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", attend)
    network(*rows, static=static)
    n_horizon = HORIZON if inputs[1] is not None else 2  # patches of 3 rows
    n_patches, n_ahead = 3, n_horizon + network.lookahead
    assert scores.shape == (3, 2, N_HEADS, n_horizon, n_patches + n_ahead)
    for number, weights in enumerate(asked):  # the last block has queries ahead alone
        of_horizon = weights[:, :, weights.shape[2] - n_ahead :][:, :, :n_horizon]
        torch.testing.assert_close(torch.softmax(scores[:, number], dim=3), of_horizon)


@pytest.mark.parametrize(
    "options", [{}, {"lookahead": 2, "series_embedding": 2}, {"n_known": 0}, {"patch_len": 1}, {"n_static": 2}]
)
def test_parts_add_up_to_the_scores_of_the_first_block(options):
    network = make(**options)
    inputs = inputs_of(network)
    parts = attention_parts(network, *inputs)
    n_known = 0 if network.known is None else N_KNOWN
    assert parts.shape == (3, N_HEADS, n_known + 2, N_FEATURES + 2, network.n_ahead, network.n_patches)
    whole = attention_scores(network, *inputs)[:, 0, :, :, : network.n_patches]
    torch.testing.assert_close(parts.sum(dim=(2, 3)), whole)


def test_a_column_of_zeros_has_no_part():
    network = make()
    past, known, series, _ = inputs_of(network)
    past[..., 1], known[..., 0] = 0, 0
    parts = attention_parts(network, past, known, series)
    assert (parts[:, :, 0] == 0).all()
    assert (parts[:, :, :, 1] == 0).all()
    assert (parts[:, :, 1, 0] != 0).any()
