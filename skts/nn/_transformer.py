"""Attention between patches of the window and the rows of the horizon."""

import math

import torch
from torch import Tensor, nn

from skts.nn._forecaster import Forecaster, State
from skts.nn._layers import ColumnDropout, LinearSkip, Patches, RowsAround, SeriesEmbedding
from skts.nn.heads import Head, PointHead


class Transformer(Forecaster):
    """Tokens of the window and of the horizon attend to each other, and those of the horizon forecast it.

    Shapes: B windows, W rows of window, H rows of horizon, A rows of lookahead, F features, K known features,
    D static columns, T targets, U numbers of a token, N attention heads, S patches, M tokens of the horizon, P tokens
    in all; `...` are the dimensions that the head adds.

    Parameters
    ----------
    n_features, n_known, n_targets : int
        F, K and T.
    horizon, window : int
        H and W. A window of None, for whole series, is refused.
    n_series : int, default=1
        How many series the embedding tells apart.
    head : Head, default=None
        Makes the last layer; a point by default.
    n_static : int, default=0
        D; mapped onto every token, or with `series_embedding` as part of that.
    hidden_size : int, default=64
        U, a multiple of `num_heads`.
    num_layers : int, default=2
        Blocks of attention and feed-forward network.
    num_heads : int, default=4
        N.
    ffn_expansion : int, default=4
        Width of the feed-forward network in multiples of U; 0 leaves it out.
    patch_len : int, default=8
        Rows of the window that make one token; where nothing is known ahead, rows of the horizon as well.
    around : int, default=2
        Rows on both sides of a row of the horizon whose known columns its token is made of, too.
    dropout : float, default=0.0
        Share of values dropped from what attention and feed-forward network add to a token.
    input_dropout : float, default=0.0
        Share of columns dropped from whole windows and from whole horizons.
    lookahead : int, default=0
        A: known rows after the horizon that are tokens too.
    linear_skip : bool, default=False
        Whether a linear map of the whole window, which starts at zero, is added to the forecast.
    series_embedding : int, default=0
        Numbers of the vector that is learned for each series and mapped onto every token.

    Notes
    -----
    With known columns each row of the horizon, and of the lookahead, is a token, M = H and P = S + H + A; without there
    is nothing to tell rows apart but their place, and `patch_len` of them share a token.

    Every token attends to every other: all of them are known at the origin. A token is a linear map of its columns
    plus a vector learned for its place. So what the first block compares is bilinear in the columns of two tokens (each
    divided by its deviation), and can be taken apart by them. Queries and keys have no bias for that reason.

    Vaswani et al. (2017), https://arxiv.org/abs/1706.03762; norms stand before the layers, after Xiong et al. (2020),
    https://arxiv.org/abs/2002.04745; patches as tokens after Nie et al. (2023), https://arxiv.org/abs/2211.14730,
    who have one for each column and series.
    """

    def __init__(
        self,
        n_features: int,
        n_known: int,
        n_targets: int,
        horizon: int,
        window: int | None,
        n_series: int = 1,
        head: Head | None = None,
        n_static: int = 0,
        *,
        hidden_size: int = 64,
        num_layers: int = 2,
        num_heads: int = 4,
        ffn_expansion: int = 4,
        patch_len: int = 8,
        around: int = 2,
        dropout: float = 0.0,
        input_dropout: float = 0.0,
        lookahead: int = 0,
        linear_skip: bool = False,
        series_embedding: int = 0,
    ):
        super().__init__()
        _check_sizes(window, hidden_size, num_heads, lookahead, n_known)
        assert window is not None
        self.lookahead = lookahead
        self.reads_series = series_embedding > 0
        self.reads_static = n_static > 0
        self.horizon = horizon
        self.head = PointHead() if head is None else head
        self.input_dropout = ColumnDropout(input_dropout)
        self.patches = Patches(n_features, patch_len, hidden_size)
        self.n_patches = -(-window // patch_len)
        self.rows_ahead = 1 if n_known else patch_len  # that a token of the horizon stands for
        self.n_ahead = -(-horizon // self.rows_ahead)
        self.known = RowsAround(n_known, around, hidden_size) if n_known else None
        self.places = nn.Parameter(torch.randn(self.n_patches + self.n_ahead + lookahead, hidden_size))
        self.embedding: SeriesEmbedding | None = None
        if series_embedding or n_static:
            self.embedding = SeriesEmbedding(n_series, series_embedding, n_static)
            self.to_token = nn.Linear(self.embedding.width, hidden_size, bias=False)
        self.blocks = nn.ModuleList(
            Block(hidden_size, num_heads, ffn_expansion, dropout, num_layers) for _ in range(num_layers)
        )
        self.norm = nn.LayerNorm(hidden_size)
        self.skip = LinearSkip(window, n_features, horizon, n_targets) if linear_skip else None
        self.n_targets = n_targets
        self.output = self.head.make_layer(hidden_size, self.rows_ahead * n_targets)

    def forward(
        self,
        past: Tensor,
        known: Tensor | None = None,
        series: Tensor | None = None,
        state: State | None = None,
        static: Tensor | None = None,
    ) -> tuple[Tensor, None]:
        """Forecast the horizon after each window; see :class:`Forecaster`."""
        tokens = self.embed(past, known, series, static)  # (B, P, U)
        for block in self.blocks[:-1]:
            tokens = block(tokens)
        ahead = self.blocks[-1](tokens, n_queries=tokens.shape[1] - self.n_patches)  # (B, M + A, U)
        forecast = self.output(self.norm(ahead[:, : self.n_ahead]))  # (B, M, rows_ahead * T, ...)
        by_row = forecast.unflatten(2, (self.rows_ahead, self.n_targets)).flatten(1, 2)[:, : self.horizon]
        if self.skip is None:
            return by_row, None  # (B, H, T, ...)
        share = self.skip(past)  # (B, H, T)
        return self.head.rescale(by_row, torch.ones_like(share), share), None

    def ahead(self, tokens: Tensor) -> Tensor:
        """Take the tokens (B, M, U) of the horizon out of all of them (B, P, U)."""
        return tokens[:, self.n_patches : self.n_patches + self.n_ahead]

    def embed(
        self, past: Tensor, known: Tensor | None = None, series: Tensor | None = None, static: Tensor | None = None
    ) -> Tensor:
        """Make tokens (B, P, U) of the window and of what is ahead of it."""
        tokens = self.places.expand(past.shape[0], -1, -1)
        if self.embedding is not None:
            tokens = tokens + self.embed_series(series, static)[:, None]
        read = self.patches(self.input_dropout(past))  # (B, S, U)
        if self.known is None:
            ahead = read.new_zeros(past.shape[0], self.places.shape[0] - self.n_patches, read.shape[2])
        else:
            ahead = self.known(self.input_dropout(known))  # (B, H + A, U)
        return tokens + torch.cat([read, ahead], dim=1)

    def embed_series(self, series: Tensor | None, static: Tensor | None = None) -> Tensor:
        """Make what is added to every token (B, U) of which series it is and what describes it."""
        assert self.embedding is not None
        return self.to_token(self.embedding(series, static))


class Block(nn.Module):
    """Attention across tokens, then a feed-forward network across the numbers of each.

    Parameters
    ----------
    size : int
        U.
    num_heads : int
    ffn_expansion : int
        0 leaves the feed-forward network out.
    dropout : float
    num_layers : int
        Of the whole network: layers that write onto tokens begin the smaller, the more of them there are.
    """

    def __init__(self, size: int, num_heads: int, ffn_expansion: int, dropout: float, num_layers: int):
        super().__init__()
        self.norm = nn.LayerNorm(size, bias=False)
        self.attention = Attention(size, num_heads)
        writers = [self.attention.output]
        self.feed_forward: nn.Sequential | None = None
        if ffn_expansion:
            wide = nn.Linear(size, ffn_expansion * size)
            writers.append(nn.Linear(ffn_expansion * size, size))
            self.feed_forward = nn.Sequential(nn.LayerNorm(size), wide, nn.GELU(), writers[-1])
        self.dropout = nn.Dropout(dropout)
        with torch.no_grad():
            for layer in writers:
                layer.weight /= math.sqrt(2 * num_layers)

    def forward(self, tokens: Tensor, n_queries: int | None = None) -> Tensor:
        """Update tokens (B, P, U), or the last `n_queries` of them alone: (B, n_queries, U)."""
        first = 0 if n_queries is None else tokens.shape[1] - n_queries
        read, updated = self.norm(tokens), tokens[:, first:]
        updated = updated + self.dropout(self.attention(read[:, first:], read))
        if self.feed_forward is None:
            return updated
        return updated + self.dropout(self.feed_forward(updated))


class Attention(nn.Module):
    """Multi-head attention, every query to every token.

    Parameters
    ----------
    size : int
        U, of queries and tokens.
    num_heads : int
        N.
    """

    def __init__(self, size: int, num_heads: int):
        super().__init__()
        self.num_heads = num_heads
        self.query = nn.Linear(size, size, bias=False)
        self.key = nn.Linear(size, size, bias=False)
        self.value = nn.Linear(size, size)
        self.output = nn.Linear(size, size)

    def forward(self, queries: Tensor, tokens: Tensor) -> Tensor:
        """Gather from tokens (B, P, U) for queries (B, Q, U): (B, Q, U)."""
        gathered = nn.functional.scaled_dot_product_attention(
            self.by_head(self.query(queries)), self.by_head(self.key(tokens)), self.by_head(self.value(tokens))
        )  # (B, N, Q, U / N)
        return self.output(gathered.transpose(1, 2).flatten(2))

    def by_head(self, numbers: Tensor) -> Tensor:
        """Split the numbers of each token by head: (B, P, U) to (B, N, P, U / N)."""
        return numbers.unflatten(2, (self.num_heads, -1)).transpose(1, 2)


def _check_sizes(window: int | None, hidden_size: int, num_heads: int, lookahead: int, n_known: int) -> None:
    """Refuse sizes that do not go together."""
    if window is None:
        raise ValueError(
            "Attention needs windows, and was given whole series: give SlidingWindower(window=...) a number of rows."
        )
    if hidden_size % num_heads:
        raise ValueError(
            f"hidden_size={hidden_size} is no multiple of num_heads={num_heads}, and each head takes an equal share: "
            f"give hidden_size={-(-hidden_size // num_heads) * num_heads}."
        )
    if lookahead and not n_known:
        raise ValueError(
            f"lookahead={lookahead} reads known columns over the horizon, and the windows have none: name them in "
            "SlidingWindower(known=...)."
        )
