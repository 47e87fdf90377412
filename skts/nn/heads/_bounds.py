"""Forecasts of a target that has bounds."""

from typing import Any

import numpy as np
import torch
from torch import Tensor


def clip(values: Any, lower: Any, upper: Any) -> Any:
    """Put values within bounds that broadcast against them: of arrays or tensors."""
    if isinstance(values, Tensor):
        return torch.minimum(torch.maximum(values, lower), upper)
    return np.clip(values, lower, upper)


def excuse_beyond(forecast: Tensor, targets: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    """Let a forecast beyond a bound be right where the truth is at that bound.

    Parameters
    ----------
    forecast : Tensor of shape (..., T, *S)
        Values of the target, such as quantiles.
    targets, lower, upper : Tensor of shape (..., T)

    Returns
    -------
    forecast : Tensor of shape (..., T, *S)
        On the bound where the truth is on it and the forecast beyond; elsewhere as it was.

    Notes
    -----
    The censored loss of Powell (1986), https://doi.org/10.1016/0304-4076(86)90016-3, clips every forecast, so that one
    beyond a bound gets no gradient from a truth within and stays there for good. Here that one keeps its whole loss: it
    has the same minimum, since a forecast beyond a bound is never better than one on it, is convex wherever the loss
    is, and always has a gradient.
    """
    while targets.ndim < forecast.ndim:
        targets, lower, upper = targets[..., None], lower[..., None], upper[..., None]
    forecast = torch.where(targets <= lower, torch.maximum(forecast, lower), forecast)
    return torch.where(targets >= upper, torch.minimum(forecast, upper), forecast)
