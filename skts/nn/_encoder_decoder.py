"""A recurrent encoder of the window and a recurrent decoder of the horizon."""

import torch
from torch import Tensor, nn

from skts.nn._quantile_head import QuantileHead


class EncoderDecoder(nn.Module):
    """An LSTM reads the window; a second one, started from its state, reads the known columns of the horizon.

    Shapes: B windows, W rows of window, H rows of horizon, F features, K known features, T targets, U hidden units.

    Parameters
    ----------
    n_features, n_known, n_targets : int
        F, K and T.
    horizon : int
        H.
    hidden_size : int
        U.
    num_layers : int
        Recurrent layers, of encoder and decoder alike.
    dropout : float
        Share of values dropped between layers and before the head.
    levels : tuple of float, default=None
        Q quantile levels to answer instead of a mean.

    Notes
    -----
    Without known columns there is nothing to read over the horizon, and the whole of it is forecast from the last
    state. After Sutskever, Vinyals and Le (2014), arXiv:1409.3215.
    """

    def __init__(
        self,
        n_features: int,
        n_known: int,
        n_targets: int,
        horizon: int,
        hidden_size: int = 64,
        num_layers: int = 1,
        dropout: float = 0.0,
        levels: tuple[float, ...] | None = None,
    ):
        super().__init__()
        between = dropout if num_layers > 1 else 0.0
        self.horizon = horizon
        self.n_targets = n_targets
        self.encoder = nn.LSTM(n_features, hidden_size, num_layers, batch_first=True, dropout=between)
        self.decoder: nn.LSTM | None = None
        if n_known:
            self.decoder = nn.LSTM(n_known, hidden_size, num_layers, batch_first=True, dropout=between)
        self.dropout = nn.Dropout(dropout)
        n_outputs = n_targets if n_known else horizon * n_targets
        self.head = QuantileHead(hidden_size, n_outputs, levels) if levels else nn.Linear(hidden_size, n_outputs)
        for lstm in filter(None, (self.encoder, self.decoder)):
            remember(lstm)

    def forward(self, past: Tensor, future: Tensor | None = None) -> Tensor:
        """Forecast the horizon.

        Parameters
        ----------
        past : Tensor of shape (B, W, F)
        future : Tensor of shape (B, H, K), default=None
            Only with known columns.

        Returns
        -------
        forecast : Tensor of shape (B, H, T), or (B, H, T, Q) with levels
        """
        read, state = self.encoder(past)  # (B, W, U)
        if self.decoder is None:
            last = self.dropout(read[:, -1])  # (B, U)
            return self.head(last).unflatten(1, (self.horizon, self.n_targets))  # (B, H, T, Q)
        told, _ = self.decoder(future, state)  # (B, H, U)
        return self.head(self.dropout(told))  # (B, H, T, Q)


def remember(lstm: nn.LSTM) -> None:
    """Start the forget gates open, so that gradients reach far back (Gers et al. 2000, 10.1162/089976600300015015)."""
    with torch.no_grad():
        for name, bias in lstm.named_parameters():
            if name.startswith("bias_ih"):
                bias[lstm.hidden_size : 2 * lstm.hidden_size] += 1.0
