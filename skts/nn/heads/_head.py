"""What a head is asked for."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from torch import nn

from skts.nn.heads._bounds import clip


class Head(ABC):
    """The last layer of a network, the loss it is trained by, and what is made of a forecast.

    A head is a small object without tensors; layers and losses are made by it. A forecast has the shape (..., T, *S):
    T targets, each described by numbers of the shape S, which is () for a point and (Q,) for Q quantiles.

    Of a target that has bounds, `with_bounds` says what becomes: "refused", as a head that has not heard of them must;
    "clipped", where the numbers of a forecast are values of the target, which are clipped in the answer and in the
    losses of truths on a bound; "needed", where there is no forecast without bounds, and the loss is called with them
    too, `(forecast, targets, lower, upper)`, the last three of shape (..., T).
    """

    gives_quantiles: bool = False
    with_bounds: ClassVar[Literal["refused", "clipped", "needed"]] = "refused"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"

    @abstractmethod
    def make_layer(self, n_inputs: int, n_outputs: int) -> nn.Module:
        """Make the last layer, which maps (..., n_inputs) to a forecast (..., n_outputs, *S)."""

    @abstractmethod
    def make_criterion(self) -> tuple[type[nn.Module], dict[str, Any]]:
        """Give the class of the loss, and its arguments beside `reduction`.

        Called with a forecast (..., T, *S) and targets (..., T), with ``reduction="none"`` it gives a loss (..., T).
        """

    @abstractmethod
    def rescale(self, forecast: Any, scale: Any, level: Any) -> Any:
        """Turn the forecast of y into that of scale * y + level.

        Parameters
        ----------
        forecast : Tensor or ndarray of shape (..., T, *S)
        scale, level : Tensor or ndarray of shape (..., T)
            `scale` is positive.
        """

    @abstractmethod
    def point(self, forecast: Any) -> Any:
        """Give the one value that `predict` answers: (..., T, *S) to (..., T).

        Parameters
        ----------
        forecast : ndarray or Tensor of shape (..., T, *S)
            A Tensor where a forecast is differentiated.
        """

    def quantiles(self, forecast: NDArray[np.float64], levels: Sequence[float]) -> NDArray[np.float64]:
        """Give quantiles of the forecast: (..., T, *S) to (..., T, n_levels)."""
        raise TypeError(f"{type(self).__name__} gives no quantiles.")

    def point_within(self, forecast: Any, lower: Any, upper: Any) -> Any:
        """Give the one value that `predict` answers within bounds that broadcast against (..., T)."""
        return clip(self.point(forecast), lower, upper)

    def quantiles_within(
        self, forecast: NDArray[np.float64], levels: Sequence[float], lower: Any, upper: Any
    ) -> NDArray[np.float64]:
        """Give quantiles within bounds that broadcast against (..., T): (..., T, n_levels)."""
        return clip(self.quantiles(forecast, levels), np.asarray(lower)[..., None], np.asarray(upper)[..., None])
