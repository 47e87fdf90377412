"""What a network is built for."""

from dataclasses import dataclass
from typing import Any, Self

from skts.regressors._inputs import Inputs
from skts.regressors._targets import Targets

_CUT_THEM = "give SlidingWindower(window=...) a number of rows."


@dataclass(frozen=True)
class Sizes:
    """How large everything is that a network sees.

    Parameters
    ----------
    n_features, n_known, n_targets, n_series : int
    window : int or None
        In rows; None where whole series are read.
    horizon : int
    """

    n_features: int
    n_known: int
    n_targets: int
    n_series: int
    window: int | None
    horizon: int

    @classmethod
    def read(cls, inputs: Inputs, targets: Targets) -> Self:
        """Read the sizes off the data of `fit`."""
        names = None if inputs.windows is None else inputs.windows.series_names
        return cls(
            n_features=inputs.panel.shape[1],
            n_known=len(inputs.known),
            n_targets=targets.values.shape[1],
            n_series=1 if names is None else len(names),
            window=_window_of(inputs),
            horizon=targets.horizon,
        )

    def of_linear(self, owner: str) -> dict[str, int]:
        """Give the arguments of a linear network, which the estimator named `owner` asks for."""
        self.refuse_whole_series(owner)
        assert self.window is not None
        return {
            "n_features": self.n_features,
            "n_known": self.n_known,
            "n_targets": self.n_targets,
            "horizon": self.horizon,
            "window": self.window,
        }

    def check(self, owner: Any, inputs: Inputs, targets: Targets | None = None) -> None:
        """Refuse windows, or targets, of other sizes than those that `owner` was fitted with."""
        pairs: dict[str, tuple[int | None, int | None]] = {
            "known columns": (self.n_known, len(inputs.known)),
            "rows of window": (self.window, _window_of(inputs)),
        }
        if inputs.windows is not None:
            pairs["rows of horizon"] = (self.horizon, inputs.windows.horizon)
        elif targets is not None:
            pairs["rows of horizon"] = (self.horizon, targets.horizon)
        if targets is not None:
            pairs["targets"] = (self.n_targets, targets.values.shape[1])
        for what, (before, now) in pairs.items():
            if before != now:
                raise ValueError(
                    f"{type(owner).__name__} was fitted with {before} {what} and is now given {now}: use the "
                    "SlidingWindower it was fitted with."
                )

    def refuse_whole_series(self, asked: str) -> None:
        """Refuse what only windows can do."""
        if self.window is None:
            raise ValueError(f"{asked} needs windows, and was given whole series: {_CUT_THEM}")


def _window_of(inputs: Inputs) -> int | None:
    return inputs.window if inputs.windows is None else inputs.windows.window
