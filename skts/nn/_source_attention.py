"""Attention over sources: groups of columns, each with an encoder of its own, are weighed anew at every row."""

from collections.abc import Iterable, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from skts.nn._encoder_decoder import Cell, EncoderDecoder
from skts.nn._forecaster import Forecaster, State
from skts.nn.heads import Head

_LOWEST = -1e9  # score of what is not there: its weight is nought, not merely small


class SourceAttention(Forecaster):
    """Sources are encoded apart, weighed at every row of window and horizon, and their weighted sum is forecast from.

    Shapes: B windows, L rows of any length, F features, K known features, S sources, N layers, D numbers of the common
    space, R columns of no source, E numbers of embedding, H rows of horizon, A rows of lookahead, T targets; `...` are
    the dimensions that the head adds.

    Parameters
    ----------
    n_features, n_known, n_targets : int
        F, K and T.
    horizon : int
        H.
    n_static : int, default=0
        Static columns; put beside every row as the embedding is, or mapped and added to it.
    n_series : int, default=1
        How many series the embedding tells apart.
    head : Head, default=None
        Makes the last layer; a point by default.
    sources : sequence of sequence of int
        The columns of each source, by position among the F; no column in two of them.
    known : sequence of int, default=()
        The K columns that are known over the horizon, by position among the F.
    shared : bool, default=True
        Whether one projection and one query score all sources; else each has its own.
    source_dropout : float, default=0.0
        Share of sources that are dropped from whole windows and from whole horizons in training.
    cell : {"lstm", "gru"}, default="lstm"
        The kind of recurrence that reads the weighted sums.
    hidden_size : int, default=64
        D, and the units of the recurrence.
    num_layers : int, default=2
        N, layers of the encoder of each source.
    dropout : float, default=0.0
        Share of values dropped before the head.
    bidirectional : bool, default=False
        Whether the horizon is read backwards too.
    lookahead : int, default=0
        A: known rows after the horizon that are read.
    series_embedding : int, default=0
        E; put beside every row that an encoder of a source, or the recurrence, reads.

    Notes
    -----
    At a row, z_s is what the encoder of source s makes of its columns, the columns of no source, the embedding, and
    over the horizon a vector learned for the lead. Its score is ``e_s = q' tanh(W z_s + b)``, the softmax of the scores
    over the sources gives their weights, and z is the sum of z_s by weight. That is done for each layer of the
    encoders; the layers are then weighed in the same way, by a projection and a query of their own. What is called the
    weight of a source is the sum over the layers of weight of the layer times weight of the source in it: over the
    sources it sums to 1. Every z_s is normed, so that no source makes itself heard by being loud.

    The columns of no source go to the recurrence directly, too, beside z. A source of which all columns are missing
    (NaN) at a row has weight 0 there; where all sources are missing z is 0.

    What is made of a row depends on that row alone, and the recurrence is that of :class:`EncoderDecoder`: causal.

    References
    ----------
    One projection and query, shared so that weights can be compared, are the semantic attention of Wang et al. (2019),
    https://arxiv.org/abs/1903.07293; over kinds of knowledge as well as layers it is part of Chen et al. (2024),
    https://arxiv.org/abs/2402.12411.
    """

    causal = True

    def __init__(
        self,
        n_features: int,
        n_known: int,
        n_targets: int,
        horizon: int,
        n_series: int = 1,
        head: Head | None = None,
        n_static: int = 0,
        *,
        sources: Sequence[Sequence[int]],
        known: Sequence[int] = (),
        shared: bool = True,
        source_dropout: float = 0.0,
        cell: Cell = "lstm",
        hidden_size: int = 64,
        num_layers: int = 2,
        dropout: float = 0.0,
        bidirectional: bool = False,
        lookahead: int = 0,
        series_embedding: int = 0,
    ):
        super().__init__()
        _check_columns(sources, known, n_features, n_known)
        self.lookahead = lookahead
        self.reads_series = series_embedding > 0
        self.reads_static = n_static > 0
        self.reads_missing = tuple(tuple(columns) for columns in sources)
        place = {column: i for i, column in enumerate(known)}
        ahead = [[place[column] for column in columns if column in place] for columns in sources]
        taken = {column for columns in sources for column in columns}
        rest = [column for column in range(n_features) if column not in taken]
        rest_ahead = [place[column] for column in rest if column in place]
        self.weigh_sources = SourceScores(len(sources), hidden_size, shared)
        self.weigh_layers = SourceScores(num_layers, hidden_size, shared=True)
        sizes = hidden_size, num_layers, series_embedding or n_static
        self.past = SourceEncoders(sources, rest, *sizes)
        self.known = SourceEncoders(ahead, rest_ahead, *sizes, n_leads=horizon + lookahead) if any(ahead) else None
        self.source_dropout = SourceDropout(source_dropout)
        self.register_buffer("rest", torch.tensor(rest, dtype=torch.int64), persistent=False)
        self.register_buffer("rest_ahead", torch.tensor(rest_ahead, dtype=torch.int64), persistent=False)
        self.forecaster = EncoderDecoder(
            hidden_size + len(rest),
            hidden_size * any(ahead) + len(rest_ahead) if n_known else 0,
            n_targets,
            horizon,
            n_series=n_series,
            head=head,
            n_static=n_static,
            cell=cell,
            hidden_size=hidden_size,
            dropout=dropout,
            bidirectional=bidirectional,
            lookahead=lookahead,
            series_embedding=series_embedding,
        )

    rest: Tensor
    rest_ahead: Tensor

    def encode(
        self, past: Tensor, series: Tensor | None = None, state: State | None = None, static: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """Encode rows (B, L, F), going on from a state: hidden states (B, L, D), and the state after the last row."""
        mixed, _ = self._mix(self.past, past, series, static)
        rows = torch.cat([mixed, past.index_select(2, self.rest)], dim=2)  # (B, L, D + R)
        return self.forecaster.encode(rows, series, state, static)

    def decode(
        self,
        encoded: Tensor,
        known: Tensor | None = None,
        series: Tensor | None = None,
        static: Tensor | None = None,
    ) -> Tensor:
        """Forecast from encoded origins (B, D) and what is known from there on (B, H + A, K): (B, H, T, ...)."""
        if known is None:
            return self.forecaster.decode(encoded, None, series, static)
        rows = known.index_select(2, self.rest_ahead)
        if self.known is not None:
            mixed, _ = self._mix(self.known, known, series, static)
            rows = torch.cat([mixed, rows], dim=2)
        return self.forecaster.decode(encoded, rows, series, static)

    def weights_of_window(self, past: Tensor, series: Tensor | None = None, static: Tensor | None = None) -> Tensor:
        """Give the weights (B, L, S) of the sources at rows (B, L, F) of windows; 0 for all where none is there."""
        return self._mix(self.past, past, series, static)[1]

    def weights_ahead(self, known: Tensor, series: Tensor | None = None, static: Tensor | None = None) -> Tensor:
        """Give the weights (B, H + A, S) of the sources over the horizon (B, H + A, K); 0 where nothing is known."""
        if self.known is None:
            return known.new_zeros(*known.shape[:2], len(self.reads_missing))
        return self._mix(self.known, known, series, static)[1]

    def _mix(
        self, encoders: "SourceEncoders", rows: Tensor, series: Tensor | None, static: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Sum what the sources say at rows (B, L, C) up by weight: (B, L, D), and the weights (B, L, S)."""
        embedding = self.forecaster.embedding
        own = None if embedding is None else embedding(series, static)  # (B, E)
        is_there = self.source_dropout(encoders.find(rows))  # (B, L, S)
        encoded = encoders(rows, own)  # (B, L, N, S, D)
        of_sources = weights_of(self.weigh_sources(encoded), is_there[:, :, None])  # (B, L, N, S)
        by_layer = (of_sources[..., None] * encoded).sum(dim=3)  # (B, L, N, D)
        of_layers = torch.softmax(self.weigh_layers(by_layer), dim=2)  # (B, L, N)
        mixed = (of_layers[..., None] * by_layer).sum(dim=2)
        return mixed, (of_layers[..., None] * of_sources).sum(dim=2)


class SourceEncoders(nn.Module):
    """An encoder for each source, from its columns into one space, row by row.

    Parameters
    ----------
    sources : sequence of sequence of int
        The columns of each; without any a source is never there.
    context : sequence of int
        Columns that each of them reads as well.
    size : int
        D, of the common space.
    num_layers : int
        N.
    embedding : int
        E, numbers of the series that each of them reads.
    n_leads : int, default=0
        Rows of the horizon, for each of which each source learns a vector.
    """

    def __init__(
        self,
        sources: Sequence[Sequence[int]],
        context: Sequence[int],
        size: int,
        num_layers: int,
        embedding: int,
        n_leads: int = 0,
    ):
        super().__init__()
        self.shape = (num_layers, size)
        self.first, self.further = nn.ModuleList(), nn.ModuleList()
        for i, own in enumerate(sources):
            n_read = (len(own) + len(context) + embedding) * bool(own)
            self.first.append(nn.Linear(n_read, size) if n_read else nn.Identity())
            self.further.append(nn.ModuleList(nn.Linear(size, size) for _ in range((num_layers - 1) * bool(own))))
            for name, columns in (("own", own), ("read", [*own, *context])):
                self.register_buffer(f"{name}_{i}", torch.tensor(columns, dtype=torch.int64), persistent=False)
        self.norm = nn.LayerNorm(size, elementwise_affine=False)
        self.leads = nn.Parameter(torch.zeros(len(sources), n_leads, size)) if n_leads else None

    def find(self, rows: Tensor) -> Tensor:
        """Tell which sources are there at rows (B, L, C): (B, L, S)."""
        own = (self.get_buffer(f"own_{i}") for i in range(len(self.first)))
        never = rows.new_zeros(rows.shape[:2], dtype=torch.bool)  # as "any of none" is, which ONNX leaves open
        there = [(~torch.isnan(rows.index_select(2, one))).any(dim=2) if len(one) else never for one in own]
        return torch.stack(there, dim=2)

    def forward(self, rows: Tensor, own: Tensor | None) -> Tensor:
        """Encode rows (B, L, C) of series with an embedding (B, E), layer by layer: (B, L, N, S, D)."""
        rows = rows.masked_fill(torch.isnan(rows), 0.0)
        encoded = [self._encode(i, rows, own) for i in range(len(self.first))]
        return torch.stack(encoded, dim=3)

    def _encode(self, i: int, rows: Tensor, own: Tensor | None) -> Tensor:
        """Encode one source: (B, L, N, D)."""
        if not len(self.get_buffer(f"own_{i}")):
            return rows.new_zeros(*rows.shape[:2], *self.shape)
        read = rows.index_select(2, self.get_buffer(f"read_{i}"))
        if own is not None:
            read = torch.cat([read, own[:, None].expand(-1, rows.shape[1], -1)], dim=2)
        hidden = self.first[i](read)
        if self.leads is not None:
            hidden = hidden + self.leads[i]
        layers = [torch.tanh(hidden)]
        for layer in cast(Iterable[nn.Module], self.further[i]):
            layers.append(layers[-1] + torch.tanh(layer(layers[-1])))
        return self.norm(torch.stack(layers, dim=2))


class SourceScores(nn.Module):
    """Score vectors of several sources by ``q' tanh(W z + b)``.

    Parameters
    ----------
    n_sources : int
        S.
    size : int
        D.
    shared : bool
        Whether W, b and q are the same for all.
    """

    def __init__(self, n_sources: int, size: int, shared: bool):
        super().__init__()
        n_own = 1 if shared else n_sources
        bound = size**-0.5
        self.projection = nn.Parameter(torch.empty(n_own, size, size).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(n_own, size))
        self.query = nn.Parameter(torch.empty(n_own, size).uniform_(-bound, bound))

    def forward(self, vectors: Tensor) -> Tensor:
        """Score vectors (..., S, D): (..., S)."""
        if len(self.projection) == 1:
            projected = vectors @ self.projection[0]
        else:
            projected = torch.einsum("...sd,sde->...se", vectors, self.projection)
        return (torch.tanh(projected + self.bias) * self.query).sum(dim=-1)


class SourceDropout(nn.Module):
    """Let whole sources be missing in training, but never all of those that are there.

    Parameters
    ----------
    p : float
        Share of sources dropped.
    """

    def __init__(self, p: float):
        super().__init__()
        self.p = p

    def forward(self, is_there: Tensor) -> Tensor:
        """Drop sources from rows (B, L, S) of bool, each from all rows of a window or from none."""
        if not self.training or not self.p:
            return is_there
        draws = torch.rand(is_there.shape[0], 1, is_there.shape[2], device=is_there.device)
        kept = is_there & (draws >= self.p)
        return torch.where(kept.any(dim=2, keepdim=True), kept, is_there)


def weights_of(scores: Tensor, is_there: Tensor) -> Tensor:
    """Turn scores into weights along the last dimension: exactly 0 for what is not there, which may be all."""
    weights = torch.softmax(scores.masked_fill(~is_there, _LOWEST), dim=-1)
    return weights * is_there


def _check_columns(sources: Sequence[Sequence[int]], known: Sequence[int], n_features: int, n_known: int) -> None:
    """Refuse columns that are not there, or in two sources."""
    columns = [column for one in sources for column in one]
    if not columns or not all(len(one) for one in sources):
        raise ValueError(f"sources={sources!r}: at least one source, and at least one column in each, are expected.")
    if len(set(columns)) < len(columns) or not set(columns) | set(known) <= set(range(n_features)):
        raise ValueError(
            f"sources={sources!r}, known={known!r}: positions from 0 to {n_features - 1} are expected, none of them in "
            "two sources."
        )
    if len(known) != n_known:
        raise ValueError(
            f"known={known!r}: the windows have {n_known} known columns. Give the positions of all of them, those of "
            "SlidingWindower.known_."
        )
