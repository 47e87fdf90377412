"""What attention compares: how well each token of the horizon matches every token, and which of their columns do."""

import math
from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor

from skts.nn._transformer import Attention, Block, Transformer


def attention_scores(
    network: Transformer,
    past: Tensor,
    known: Tensor | None = None,
    series: Tensor | None = None,
    static: Tensor | None = None,
) -> Tensor:
    """Give what each block makes of each pair of a token of the horizon and any token, before the softmax.

    Parameters
    ----------
    network : Transformer
    past : Tensor of shape (B, W, F)
    known : Tensor of shape (B, H + A, K), default=None
    series : Tensor of int of shape (B,), default=None
    static : Tensor of shape (B, D), default=None
        As :meth:`Transformer.forward` reads them.

    Returns
    -------
    scores : Tensor of shape (B, num_layers, num_heads, M, P)
        The bilinear forms q' Wq' Wk k / sqrt(size of a head) of the M tokens of the horizon, by head, with each of the
        P tokens: the patches of the window in the order of time, then what is ahead.
    """
    tokens, scores = network.embed(past, known, series, static), []
    for block in cast(Iterable[Block], network.blocks):
        read = block.norm(tokens)
        scores.append(bilinear(block.attention, network.ahead(read), read))
        tokens = block(tokens)
    return torch.stack(scores, dim=1)


def attention_parts(
    network: Transformer,
    past: Tensor,
    known: Tensor | None = None,
    series: Tensor | None = None,
    static: Tensor | None = None,
) -> Tensor:
    """Take the scores of the first block apart by what both tokens are made of.

    A token is the sum of what its columns, its place and its series add, and the norm before the first block is linear
    in them but for the deviation that it divides the whole token by. So the scores are sums over pairs of parts.

    Parameters
    ----------
    network : Transformer
    past : Tensor of shape (B, W, F)
    known : Tensor of shape (B, H + A, K), default=None
    series : Tensor of int of shape (B,), default=None
    static : Tensor of shape (B, D), default=None

    Returns
    -------
    parts : Tensor of shape (B, num_heads, K + 2, F + 2, M, S)
        Of a token of the horizon its K known columns, its place and its series, with those of each of the S patches:
        its F columns, its place (and the bias of the map) and its series (with what describes it). Over both they add
        up to the scores of the first block; without an embedding or a description the series add nothing.
    """
    block = cast(Block, network.blocks[0])
    own = network.embed_series(series, static) if network.embedding is not None else None  # (B, U)
    of_window, of_horizon = window_parts(network, past, own), horizon_parts(network, known, own, len(past))
    queries, keys = through_norm(block, of_horizon), through_norm(block, of_window)  # (B, C, M or S, U)
    n_query_parts, n_key_parts = queries.shape[1], keys.shape[1]
    scores = bilinear(block.attention, queries.flatten(1, 2), keys.flatten(1, 2))  # (B, N, Cq * M, Ck * S)
    apart = scores.unflatten(3, (n_key_parts, -1)).unflatten(2, (n_query_parts, -1))  # (B, N, Cq, M, Ck, S)
    return apart.transpose(3, 4)


def bilinear(attention: Attention, queries: Tensor, tokens: Tensor) -> Tensor:
    """Compare queries (B, Q, U) with tokens (B, P, U) by head: (B, N, Q, P)."""
    q, k = attention.by_head(attention.query(queries)), attention.by_head(attention.key(tokens))
    return q @ k.transpose(2, 3) / math.sqrt(q.shape[3])


def through_norm(block: Block, parts: Tensor) -> Tensor:
    """Let parts (B, C, P, U) of tokens through the norm of a block; they add up to what it makes of the tokens."""
    variance = parts.sum(dim=1, keepdim=True).var(dim=3, correction=0, keepdim=True)  # (B, 1, P, 1)
    centred = parts - parts.mean(dim=3, keepdim=True)
    return centred / (variance + block.norm.eps).sqrt() * block.norm.weight


def window_parts(network: Transformer, past: Tensor, own: Tensor | None) -> Tensor:
    """Give what the columns, the place and the series add to the token of each patch: (B, F + 2, S, U)."""
    patches, n_features = network.patches, past.shape[2]
    joined = patches.join(past).unflatten(2, (-1, n_features))  # (B, S, length, F)
    weights = patches.linear.weight.unflatten(1, (-1, n_features))  # (U, length, F)
    columns = torch.einsum("bslf,ulf->bfsu", joined, weights)
    place = network.places[: network.n_patches] + patches.linear.bias  # (S, U)
    return _with_place_and_series(columns, place, own)


def horizon_parts(network: Transformer, known: Tensor | None, own: Tensor | None, n_windows: int) -> Tensor:
    """Give what the columns, the place and the series add to each token of the horizon: (B, K + 2, M, U)."""
    first, stop = network.n_patches, network.n_patches + network.n_ahead
    place = network.places[first:stop]
    if network.known is None or known is None:
        columns = place.new_zeros(n_windows, 0, *place.shape)
    else:
        n_known = known.shape[2]
        joined = network.known.join(known)[:, : network.horizon].unflatten(2, (-1, n_known))  # (B, H, rows around, K)
        weights = network.known.linear.weight.unflatten(1, (-1, n_known))  # (U, rows around, K)
        columns = torch.einsum("bhrk,urk->bkhu", joined, weights)
    return _with_place_and_series(columns, place, own)


def _with_place_and_series(columns: Tensor, place: Tensor, own: Tensor | None) -> Tensor:
    """Put place (P, U) and series (B, U) behind the columns (B, C, P, U)."""
    places = place.expand(len(columns), -1, -1)
    series = torch.zeros_like(places) if own is None else own[:, None].expand_as(places)
    return torch.cat([columns, places[:, None], series[:, None]], dim=1)
