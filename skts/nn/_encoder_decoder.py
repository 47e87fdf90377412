"""A recurrent encoder of the window and a recurrent decoder of the horizon."""

import torch
from torch import Tensor, nn

from skts.nn._patches import Patches
from skts.nn._quantile_head import QuantileHead
from skts.nn._recurrence import Cell, State, carry, make_recurrence, run
from skts.nn._series_embedding import SeriesEmbedding

_DECODED_AT_ONCE = 512  # on a CPU: forecasts whose gates stay in its caches


class EncoderDecoder(nn.Module):
    """One recurrence reads the window; a second one, started from what it said last, reads what is known ahead.

    Shapes: B windows, W rows of window, H rows of horizon, F features, K known features, T targets, U hidden units,
    E numbers of embedding, O origins of one pass, C rows of context.

    Parameters
    ----------
    n_features, n_known, n_targets : int
        F, K and T.
    horizon : int
        H.
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
    patch_len : int, default=1
        Rows of the window that make one step of the encoder.
    skip_window : int, default=None
        W, for a linear map of the whole window that is added to the forecast. None has none.
    n_series : int, default=1
        How many series the embedding tells apart.
    series_embedding : int, default=0
        E; put beside every row that a recurrence reads.
    levels : tuple of float, default=None
        Q quantile levels to answer instead of a mean.

    Notes
    -----
    The encoder is causal, so one pass serves several origins: what it said at row r forecasts from row r + 1 on.
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
        *,
        cell: Cell = "lstm",
        hidden_size: int = 64,
        num_layers: int = 1,
        dropout: float = 0.0,
        input_dropout: float = 0.0,
        bidirectional: bool = False,
        patch_len: int = 1,
        skip_window: int | None = None,
        n_series: int = 1,
        series_embedding: int = 0,
        levels: tuple[float, ...] | None = None,
    ):
        super().__init__()
        self.horizon = horizon
        self.n_targets = n_targets
        self.embedding = SeriesEmbedding(n_series, series_embedding) if series_embedding else None
        self.patches = Patches(n_features, patch_len, hidden_size) if patch_len > 1 else None
        n_read = (hidden_size if patch_len > 1 else n_features) + series_embedding
        self.encoder = make_recurrence(cell, n_read, hidden_size, num_layers, dropout)
        self.decoder: nn.RNNBase | None = None
        if n_known:
            directions = 1 + bidirectional
            self.decoder = make_recurrence(
                cell, n_known + series_embedding, hidden_size, num_layers, dropout, bidirectional
            )
            self.n_states = directions * num_layers
            self.bridge = nn.Linear(hidden_size, self.n_states * hidden_size * (2 if cell == "lstm" else 1))
            n_inputs, n_outputs = directions * hidden_size, n_targets
        else:
            n_inputs, n_outputs = hidden_size + series_embedding, horizon * n_targets
        self.state: State | None = None
        self.dropout = nn.Dropout(dropout)
        self.input_dropout = nn.Dropout1d(input_dropout)
        self.skip: nn.Linear | None = None
        if skip_window:
            self.skip = nn.Linear(skip_window * n_features, horizon * n_targets)
            nn.init.zeros_(self.skip.weight)
            nn.init.zeros_(self.skip.bias)
        self.head = QuantileHead(n_inputs, n_outputs, levels) if levels else nn.Linear(n_inputs, n_outputs)

    def forward(
        self,
        past: Tensor,
        future: Tensor | None = None,
        series: Tensor | None = None,
        origins: Tensor | None = None,
        continues: Tensor | None = None,
    ) -> Tensor:
        """Forecast the horizon of every window, or of every origin of each pass.

        Parameters
        ----------
        past : Tensor of shape (B, W + O - 1, F)
        future : Tensor of shape (B, H + C + O - 1, K), default=None
            Only with known columns.
        series : Tensor of int64 of shape (B,), default=None
            Only with an embedding.
        origins : Tensor of bool of shape (B, O), default=None
            Forecasts are made behind each of the last O rows of `past`, whether they are asked for or not, so that all
            shapes are fixed; 1 by default.
        continues : Tensor of bool of shape (B,), default=None
            Which windows go on where those of the last call ended, whose state was kept; by default none does.

        Returns
        -------
        forecast : Tensor of shape (B * O, H, T), or (B * O, H, T, Q) with levels
        """
        said = self._say(past, series, continues)  # (B, W + O - 1, U)
        if origins is None:
            return self._skipping(past, self.decode(said[:, -1], future, series))
        n_origins = origins.shape[1]
        said = said[:, -n_origins:].flatten(0, 1)  # (B * O, U)
        series = None if series is None else series.repeat_interleave(n_origins)
        if future is not None:
            future = _ahead_of(future, n_origins).flatten(0, 1)  # (B * O, H + C, K)
        return self.decode(said, future, series)

    def at_origins(
        self,
        past: Tensor,
        origins: Tensor,
        future: Tensor | None = None,
        series: Tensor | None = None,
        continues: Tensor | None = None,
    ) -> Tensor:
        """Forecast as `forward`, but only behind the rows that `origins` asks for, all N of them.

        Returns
        -------
        forecast : Tensor of shape (N, H, T), or (N, H, T, Q) with levels
        """
        n_origins = origins.shape[1]
        said = self._say(past, series, continues)[:, -n_origins:][origins]  # (N, U)
        series = None if series is None else series[:, None].expand(-1, n_origins)[origins]
        if future is not None:
            future = _ahead_of(future, n_origins)[origins]  # (N, H + C, K)
        forecasts = []
        at_once = _DECODED_AT_ONCE if said.device.type == "cpu" else max(len(said), 1)
        for start in range(0, max(len(said), 1), at_once):
            few = slice(start, start + at_once)
            ahead, told = (None if rows is None else rows[few] for rows in (future, series))
            forecasts.append(self.decode(said[few], ahead, told))
        return torch.cat(forecasts)

    def _say(self, past: Tensor, series: Tensor | None, continues: Tensor | None) -> Tensor:
        """Read rows (B, L, F), where asked from the kept state on: (B, L, U)."""
        before = None if continues is None else carry(self.state, continues)
        said, state = self.encode(past, series, before)
        self.state = None if continues is None else tuple(part.detach() for part in state)
        return said

    def encode(self, past: Tensor, series: Tensor | None = None, state: State | None = None) -> tuple[Tensor, State]:
        """Read rows (B, L, F), going on from a state: what is said at each (B, L, U), and the state behind the last."""
        past = self._drop_columns(past)
        steps = past if self.patches is None else self.patches(past)  # (B, S, F)
        return run(self.encoder, self._beside(steps, series), state)

    def decode(self, said: Tensor, future: Tensor | None = None, series: Tensor | None = None) -> Tensor:
        """Forecast from what the encoder said (N, U) and what is known ahead (N, H + C, K): (N, H, T, Q)."""
        if self.decoder is None:
            if self.embedding is not None:
                said = torch.cat([said, self.embedding(series)], dim=1)  # (N, U + E)
            return self.head(self.dropout(said)).unflatten(1, (self.horizon, self.n_targets))  # (N, H, T, Q)
        assert future is not None
        future = self._drop_columns(future)
        told, _ = run(self.decoder, self._beside(future, series), self._first_state(said))  # (N, H + C, U)
        return self.head(self.dropout(told[:, : self.horizon]))  # (N, H, T, Q)

    def _skipping(self, past: Tensor, forecast: Tensor) -> Tensor:
        """Add the linear map of the window (B, W, F) to a forecast (B, H, T, Q)."""
        if self.skip is None:
            return forecast
        share = self.skip(past.flatten(1)).unflatten(1, (self.horizon, self.n_targets))  # (B, H, T)
        return forecast + (share[..., None] if forecast.ndim == 4 else share)

    def _drop_columns(self, rows: Tensor) -> Tensor:
        """Drop columns from whole sequences (N, L, F), in training only."""
        if not self.training or not self.input_dropout.p:
            return rows
        return self.input_dropout(rows.transpose(1, 2)).transpose(1, 2)

    def _beside(self, rows: Tensor, series: Tensor | None) -> Tensor:
        """Put the embedding beside every row: (N, L, F) to (N, L, F + E)."""
        if self.embedding is None:
            return rows
        own = self.embedding(series)[:, None].expand(-1, rows.shape[1], -1)  # (N, L, E)
        return torch.cat([rows, own], dim=2)

    def _first_state(self, said: Tensor) -> State:
        """Turn what the encoder said (N, U) into the first state of the decoder, (layers x directions, N, U)."""
        states = self.bridge(said).unflatten(1, (-1, self.n_states, said.shape[1]))  # (N, 1 or 2, S, U)
        states = states.permute(1, 2, 0, 3).contiguous()  # (1 or 2, S, N, U)
        return torch.tanh(states[0]), *states[1:]


def _ahead_of(future: Tensor, n_origins: int) -> Tensor:
    """Give each origin the rows ahead of it: (B, H + C + O - 1, K) to (B, O, H + C, K)."""
    return future.unfold(1, future.shape[1] - n_origins + 1, 1).transpose(2, 3)
