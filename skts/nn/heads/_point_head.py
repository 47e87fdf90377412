"""One number for each target."""

from typing import Any

from torch import nn

from skts.nn.heads._head import Head


class PointHead(Head):
    """Forecast one number, trained by the mean squared error: the conditional mean."""

    with_bounds = "clipped"

    def make_layer(self, n_inputs: int, n_outputs: int) -> nn.Module:
        """Make a linear layer."""
        return nn.Linear(n_inputs, n_outputs)

    def make_criterion(self) -> tuple[type[nn.Module], dict[str, Any]]:
        """Give the squared error."""
        return nn.MSELoss, {}

    def rescale(self, forecast: Any, scale: Any, level: Any) -> Any:
        """Scale and shift."""
        return forecast * scale + level

    def point(self, forecast: Any) -> Any:
        """Give the forecast itself."""
        return forecast
