"""Recurrent layers, ready to remember."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

Cell = Literal["lstm", "gru"]
State = Tensor | tuple[Tensor, Tensor]
_CELLS: dict[str, Callable[..., nn.RNNBase]] = {"lstm": nn.LSTM, "gru": nn.GRU}


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
