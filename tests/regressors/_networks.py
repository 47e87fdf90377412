"""A network and a head as a user would write them."""

import numpy as np
import torch
from scipy import stats
from torch import nn

from skts.nn import Forecaster, Head


class LeakyMemory(Forecaster):
    """A memory that leaks by learned rates: causal, so one pass serves many origins, and it goes on from its state."""

    causal = True

    def __init__(self, n_features, n_known, n_targets, horizon, head, n_units=8):
        super().__init__()
        self.shape = (horizon, n_targets)
        self.read = nn.Linear(n_features, n_units)
        self.rate = nn.Parameter(torch.linspace(-2.0, 2.0, n_units))
        self.ahead = nn.Linear(n_known, n_units, bias=False) if n_known else None
        self.lead = nn.Parameter(0.1 * torch.randn(horizon, n_units))
        self.output = head.make_layer(n_units, n_targets)

    def encode(self, past, series=None, state=None):
        kept = torch.sigmoid(self.rate)  # (U,)
        values = (1 - kept) * self.read(past)  # (B, L, U)
        memory = values.new_zeros(len(past), len(kept)) if state is None else state[0][0]
        encoded = []
        for row in values.unbind(dim=1):
            memory = kept * memory + row
            encoded.append(memory)
        return torch.stack(encoded, dim=1), (memory[None],)

    def decode(self, encoded, known=None, series=None):
        rows = encoded[:, None] + self.lead  # (N, H, U)
        if known is not None:
            rows = rows + self.ahead(known)
        return self.output(torch.tanh(rows))  # (N, H, T, ...)


class LaplaceHead(Head):
    """A Laplace distribution: its middle and the logarithm of its width, by maximum likelihood."""

    gives_quantiles = True

    def make_layer(self, n_inputs, n_outputs):
        return nn.Sequential(nn.Linear(n_inputs, 2 * n_outputs), nn.Unflatten(-1, (n_outputs, 2)))

    def make_criterion(self):
        return LaplaceLoss, {}

    def rescale(self, forecast, scale, level):
        stack, log = (torch.stack, torch.log) if isinstance(forecast, torch.Tensor) else (np.stack, np.log)
        return stack([forecast[..., 0] * scale + level, forecast[..., 1] + log(scale)], -1)

    def point(self, forecast):
        return forecast[..., 0]

    def quantiles(self, forecast, levels):
        middle, width = forecast[..., :1], np.exp(forecast[..., 1:])
        return stats.laplace.ppf(levels, loc=middle, scale=width)

    def __repr__(self):
        return "LaplaceHead()"


class LaplaceLoss(nn.Module):
    def __init__(self, reduction):
        super().__init__()

    def forward(self, forecast, targets):
        return forecast[..., 1] + (targets - forecast[..., 0]).abs() * torch.exp(-forecast[..., 1])


class Plain(nn.Module):
    """A module of torch that knows nothing of skts: it takes no head and inherits nothing."""

    def __init__(self, n_features, n_targets, window, horizon):
        super().__init__()
        self.map = nn.Linear(n_features * window, horizon * n_targets)
        self.shape = (horizon, n_targets)

    def forward(self, past, known=None, series=None, state=None):
        return self.map(past.flatten(1)).unflatten(1, self.shape), None
