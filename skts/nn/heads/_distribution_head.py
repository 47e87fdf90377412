"""What heads share that forecast a whole distribution: a location, a scale, and numbers of its shape."""

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skts.nn.heads._head import Head

Loss = Literal["crps", "likelihood"]
_NARROWEST = 1e-3  # scale, in units of the standardised target


class DistributionHead(Head):
    """Forecast a distribution by its location, its scale and, where it has some, numbers of its shape.

    A forecast is (..., T, 2 + n_shapes): location and scale are in units of the target and move with it, the numbers of
    the shape do not.

    Parameters
    ----------
    loss : {"crps", "likelihood"}, default="crps"
        "crps" is the continuous ranked probability score in closed form, in units of the target; "likelihood" the
        negative logarithm of the density, which gains more from a sharp forecast and loses more by a bad one.

    Notes
    -----
    Both are proper: the true distribution has the lowest expected loss (Gneiting and Raftery 2007,
    https://doi.org/10.1198/016214506000001437). The closed forms are those of Jordan, Krüger and Lerch (2019),
    https://doi.org/10.18637/jss.v090.i12.
    """

    gives_quantiles = True
    shapes: ClassVar[tuple[float, ...]] = ()  # where the numbers of the shape start

    def __init__(self, loss: Loss = "crps"):
        if loss not in ("crps", "likelihood"):
            raise ValueError(f"{type(self).__name__}(loss={loss!r}): 'crps' or 'likelihood' is expected.")
        self.loss = loss

    def make_layer(self, n_inputs: int, n_outputs: int) -> nn.Module:
        """Make a layer of locations, positive scales and shapes."""
        return LocationScale(n_inputs, n_outputs, self.shapes)

    def rescale(self, forecast: Any, scale: Any, level: Any) -> Any:
        """Scale and shift the location, scale the scale."""
        stack: Any = torch.stack if isinstance(forecast, Tensor) else np.stack
        join: Any = torch.cat if isinstance(forecast, Tensor) else np.concatenate
        moved = stack([forecast[..., 0] * scale + level, forecast[..., 1] * scale], -1)
        return join([moved, forecast[..., 2:]], -1) if self.shapes else moved

    def point(self, forecast: Any) -> Any:
        """Give the location, which is the mean."""
        return forecast[..., 0]

    @abstractmethod
    def quantiles(self, forecast: NDArray[np.float64], levels: Sequence[float]) -> NDArray[np.float64]:
        """Give quantiles exactly: any level within 0 and 1."""


class LocationScale(nn.Module):
    """A linear layer of locations, positive scales that start at about 1, and numbers of the shape.

    Parameters
    ----------
    n_inputs, n_outputs : int
    shapes : tuple of float
        Where the numbers of the shape start; P of them.
    """

    def __init__(self, n_inputs: int, n_outputs: int, shapes: tuple[float, ...] = ()):
        super().__init__()
        self.n_outputs = n_outputs
        self.linear = nn.Linear(n_inputs, n_outputs * (2 + len(shapes)))
        start = torch.tensor([0.0, math.log(math.e - 1), *shapes])  # softplus of the second is 1
        with torch.no_grad():
            bias = self.linear.bias.unflatten(0, (n_outputs, -1))
            bias += start

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (..., n_inputs) to (..., n_outputs, 2 + P)."""
        raw = self.linear(inputs).unflatten(-1, (self.n_outputs, -1))  # (..., N, 2 + P)
        scale = nn.functional.softplus(raw[..., 1:2]) + _NARROWEST
        return torch.cat([raw[..., :1], scale, raw[..., 2:]], dim=-1)


class DistributionLoss(nn.Module):
    """A loss for each target, or their mean.

    Parameters
    ----------
    loss : {"crps", "likelihood"}
    reduction : {"none", "mean"}, default="mean"
    """

    def __init__(self, loss: Loss, reduction: str = "mean"):
        super().__init__()
        self.loss = loss
        self.reduction = reduction

    def _reduce(self, losses: Tensor) -> Tensor:
        return losses.mean() if self.reduction == "mean" else losses


def check_levels(levels: Sequence[float]) -> NDArray[np.float64]:
    """Give the levels as an array.

    Raises
    ------
    ValueError
        One is not within 0 and 1.
    """
    asked = np.asarray(list(levels), dtype=np.float64)
    if not ((asked > 0) & (asked < 1)).all():
        raise ValueError(f"quantiles={asked.tolist()}: levels lie within 0 and 1, such as [0.1, 0.9].")
    return asked


def in_torch(values: Any) -> tuple[Tensor, bool]:
    """Give a tensor, and whether it was an array."""
    return (values, False) if isinstance(values, Tensor) else (torch.from_numpy(np.array(values, np.float64)), True)
