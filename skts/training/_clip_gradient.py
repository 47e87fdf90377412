"""The gradient, clipped by few calls, since a step of a small network is not much longer than the usual ones."""

from collections.abc import Iterable

import torch
from torch import Tensor


def clip_gradient(parameters: Iterable[Tensor], max_norm: float) -> None:
    """Scale the gradients of all parameters, in place, so that their common norm is at most `max_norm`.

    The arithmetic of `torch.nn.utils.clip_grad_norm_`, for dense gradients of one type on one device.

    Parameters
    ----------
    parameters : iterable of Tensor
        Those without a gradient are left out.
    max_norm : float
    """
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if not gradients:
        return
    norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
    torch._foreach_mul_(gradients, (max_norm / (norm + 1e-6)).clamp(max=1.0))
