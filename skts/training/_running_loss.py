"""The loss of an epoch, summed where the batches are."""

import torch
from torch import Tensor


class RunningLoss:
    """Average losses, each by the number of targets that it was taken over.

    Parameters
    ----------
    device : torch.device
        Where the sums stay until somebody asks: `mean` is the only synchronisation.
    """

    def __init__(self, device: torch.device):
        precise = torch.float32 if device.type == "mps" else torch.float64  # which has no float64
        self.total = torch.zeros((), dtype=precise, device=device)
        self.n_targets = torch.zeros((), dtype=torch.int64, device=device)

    def add(self, loss: Tensor, n_targets: Tensor | int) -> None:
        """Add the mean loss over some targets."""
        if isinstance(n_targets, int):
            self.total.add_(loss.detach(), alpha=n_targets)  # one call less
        else:
            self.total += loss.detach() * n_targets
        self.n_targets += n_targets

    def clear(self) -> None:
        """Begin anew, in the same memory."""
        self.total.zero_()
        self.n_targets.zero_()

    def mean(self) -> float:
        """Wait for the device, and give the mean over all targets so far."""
        return float(self.total / self.n_targets.clamp(min=1))
