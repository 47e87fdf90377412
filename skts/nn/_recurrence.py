"""Recurrent layers, ready to remember."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

Cell = Literal["lstm", "gru"]
State = tuple[Tensor, ...]
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


def run(layers: nn.RNNBase, rows: Tensor, state: State | None = None) -> tuple[Tensor, State]:
    """Run recurrent layers over rows (B, L, F): what they say at each (B, L, U), and all parts of their state."""
    if isinstance(layers, nn.LSTM):
        return layers(rows, state)
    said, hidden = layers(rows, None if state is None else state[0])
    return said, (hidden,)


def carry(state: State | None, goes_on: Tensor) -> State | None:
    """Give the state of a batch (B,) of which some go on from the first of the batch before, and others begin."""
    if state is None:
        return None
    n_before = min(len(goes_on), state[0].shape[1])
    carried = tuple(part.new_zeros(part.shape[0], len(goes_on), part.shape[2]) for part in state)
    for new, old in zip(carried, state, strict=True):
        new[:, :n_before] = old[:, :n_before] * goes_on[None, :n_before, None]
    return carried
