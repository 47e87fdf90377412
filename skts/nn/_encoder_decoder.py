"""A recurrent encoder of the window and a recurrent decoder of the horizon."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from skts.nn._forecaster import Forecaster, State
from skts.nn._layers import ColumnDropout, LinearSkip, Patches, SeriesEmbedding
from skts.nn.heads import Head, PointHead

Cell = Literal["lstm", "gru"]
_CELLS: dict[str, Callable[..., nn.RNNBase]] = {"lstm": nn.LSTM, "gru": nn.GRU}


class EncoderDecoder(Forecaster):
    """One recurrence reads the window; a second one, started from its last hidden state, reads what is known ahead.

    Shapes: B windows, W rows of window, H rows of horizon, F features, K known features, T targets, U hidden units,
    D static columns, E numbers that tell series apart, A rows of lookahead, N origins; `...` are the dimensions that
    the head adds.

    Parameters
    ----------
    n_features, n_known, n_targets : int
        F, K and T.
    horizon : int
        H.
    window : int, default=None
        W; only for `linear_skip`.
    n_series : int, default=1
        How many series the embedding tells apart.
    head : Head, default=None
        Makes the last layer; a point by default.
    n_static : int, default=0
        D; read beside every row that a recurrence reads, or with `series_embedding` as part of that.
    cell : {"lstm", "gru"}, default="lstm"
        The kind of both recurrences.
    hidden_size : int, default=64
        U.
    num_layers : int, default=1
        Recurrent layers, of encoder and decoder alike.
    dropout : float, default=0.0
        Share of values dropped between layers and before the head.
    input_dropout : float, default=0.0
        Share of columns dropped from whole windows and from whole horizons.
    bidirectional : bool, default=False
        Whether the decoder reads the horizon backwards too.
    lookahead : int, default=0
        A: known rows after the horizon that the decoder reads.
    patch_len : int, default=1
        Rows of the window that make one step of the encoder.
    linear_skip : bool, default=False
        Whether a linear map of the whole window, which starts at zero, is added to the forecast.
    series_embedding : int, default=0
        Numbers learned for each series, E of them; put beside every row that a recurrence reads.

    Notes
    -----
    The encoder is causal, so one pass serves several origins: its hidden state at row r forecasts from row r + 1 on.
    Without known columns there is nothing to read over the horizon, and the whole of it is forecast from that alone.
    After Sutskever, Vinyals and Le (2014), https://arxiv.org/abs/1409.3215; several origins in one pass are the
    forking sequences of Wen et al. (2017), https://arxiv.org/abs/1711.11053; the linear map beside the recurrence is
    the autoregressive part of LSTNet, Lai et al. (2018), https://arxiv.org/abs/1703.07015.
    """

    def __init__(
        self,
        n_features: int,
        n_known: int,
        n_targets: int,
        horizon: int,
        window: int | None = None,
        n_series: int = 1,
        head: Head | None = None,
        n_static: int = 0,
        *,
        cell: Cell = "lstm",
        hidden_size: int = 64,
        num_layers: int = 1,
        dropout: float = 0.0,
        input_dropout: float = 0.0,
        bidirectional: bool = False,
        lookahead: int = 0,
        patch_len: int = 1,
        linear_skip: bool = False,
        series_embedding: int = 0,
    ):
        super().__init__()
        if not n_known and (bidirectional or lookahead):
            raise ValueError(
                f"{'bidirectional=True' if bidirectional else f'lookahead={lookahead}'} reads known columns over the "
                "horizon, and the windows have none: name them in SlidingWindower(known=...)."
            )
        self.lookahead = lookahead
        self.reads_series = series_embedding > 0
        self.reads_static = n_static > 0
        self.whole_window = f"patch_len={patch_len}" if patch_len > 1 else "linear_skip=True" if linear_skip else ""
        self.causal = not self.whole_window
        self.shape = (horizon, n_targets)
        self.head = PointHead() if head is None else head
        self.embedding: SeriesEmbedding | None = None
        if series_embedding or n_static:
            self.embedding = SeriesEmbedding(n_series, series_embedding, n_static)
        n_own = 0 if self.embedding is None else self.embedding.width
        self.patches = Patches(n_features, patch_len, hidden_size) if patch_len > 1 else None
        n_read = (hidden_size if patch_len > 1 else n_features) + n_own
        self.encoder = make_recurrence(cell, n_read, hidden_size, num_layers, dropout)
        self.decoder: nn.RNNBase | None = None
        if n_known:
            directions = 1 + bidirectional
            self.decoder = make_recurrence(cell, n_known + n_own, hidden_size, num_layers, dropout, bidirectional)
            self.n_states = directions * num_layers
            self.bridge = nn.Linear(hidden_size, self.n_states * hidden_size * (2 if cell == "lstm" else 1))
            n_inputs, n_outputs = directions * hidden_size, n_targets
        else:
            n_inputs, n_outputs = hidden_size + n_own, horizon * n_targets
        self.dropout = nn.Dropout(dropout)
        self.input_dropout = ColumnDropout(input_dropout)
        self.skip: LinearSkip | None = None
        if linear_skip and window is not None:
            self.skip = LinearSkip(window, n_features, horizon, n_targets)
        self.output = self.head.make_layer(n_inputs, n_outputs)

    def forward(
        self,
        past: Tensor,
        known: Tensor | None = None,
        series: Tensor | None = None,
        state: State | None = None,
        static: Tensor | None = None,
    ) -> tuple[Tensor, State]:
        """Forecast the horizon after each window; see :class:`Forecaster`."""
        _, state = self.encode(past, series, state, static)
        last = state[0][-1]  # the hidden state of the last layer after the last row
        forecast = self.decode(last, known, series, static)
        if self.skip is None:
            return forecast, state
        share = self.skip(past)  # (B, H, T)
        return self.head.rescale(forecast, torch.ones_like(share), share), state

    def encode(
        self, past: Tensor, series: Tensor | None = None, state: State | None = None, static: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """Encode rows (B, L, F), going on from a state: hidden states (B, L, U), and the state after the last row."""
        past = self.input_dropout(past)
        steps = past if self.patches is None else self.patches(past)  # (B, S, F)
        return run(self.encoder, self._embed(steps, series, static), state)

    def decode(
        self,
        encoded: Tensor,
        known: Tensor | None = None,
        series: Tensor | None = None,
        static: Tensor | None = None,
    ) -> Tensor:
        """Forecast from encoded origins (N, U) and what is known from there on (N, H + A, K): (N, H, T, ...)."""
        if self.decoder is None:
            if self.embedding is not None:
                encoded = torch.cat([encoded, self.embedding(series, static)], dim=1)  # (N, U + E)
            return self.output(self.dropout(encoded)).unflatten(1, self.shape)  # (N, H, T, ...)
        assert known is not None
        known = self.input_dropout(known)
        decoded, _ = run(self.decoder, self._embed(known, series, static), self._first_state(encoded))  # (N, H + A, U)
        return self.output(self.dropout(decoded[:, : self.shape[0]]))  # (N, H, T, ...)

    def _embed(self, rows: Tensor, series: Tensor | None, static: Tensor | None) -> Tensor:
        """Put what tells series apart beside every row: (N, L, F) to (N, L, F + E)."""
        if self.embedding is None:
            return rows
        own = self.embedding(series, static)[:, None].expand(-1, rows.shape[1], -1)  # (N, L, E)
        return torch.cat([rows, own], dim=2)

    def _first_state(self, encoded: Tensor) -> State:
        """Turn encoded origins (N, U) into the first state of the decoder, (layers x directions, N, U)."""
        states = self.bridge(encoded).unflatten(1, (-1, self.n_states, encoded.shape[1]))  # (N, 1 or 2, S, U)
        states = states.permute(1, 2, 0, 3).contiguous()  # (1 or 2, S, N, U)
        return torch.tanh(states[0]), *(states[i] for i in range(1, len(states)))


def make_recurrence(
    cell: Cell, n_inputs: int, hidden_size: int, num_layers: int, dropout: float, bidirectional: bool = False
) -> nn.RNNBase:
    """Make batch-first recurrent layers whose LSTM forget gates start open.

    An open gate lets gradients reach far back (Gers et al. 2000, https://doi.org/10.1162/089976600300015015).
    """
    between = dropout if num_layers > 1 else 0.0
    layers = _CELLS[cell](
        n_inputs, hidden_size, num_layers, batch_first=True, dropout=between, bidirectional=bidirectional
    )
    if cell == "lstm":
        with torch.no_grad():
            for name, bias in layers.named_parameters():
                if name.startswith("bias_ih"):
                    bias[hidden_size : 2 * hidden_size] += 1.0
    return layers


def run(layers: nn.RNNBase, rows: Tensor, state: State | None = None) -> tuple[Tensor, State]:
    """Run recurrent layers over rows (B, L, F): their outputs (B, L, U), and all parts of their state."""
    if isinstance(layers, nn.LSTM):
        return layers(rows, state)
    outputs, hidden = layers(rows, None if state is None else state[0])
    return outputs, (hidden,)
