"""What regressors with a recurrent network share."""

from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

from skts._compat import Interval, StrOptions
from skts.nn import Cell, EncoderDecoder
from skts.regressors._base import BaseNetRegressor
from skts.regressors._inputs import Inputs
from skts.regressors._reading import Reading
from skts.regressors._sizes import Sizes

_USUAL_ORIGINS = 4  # the most that taught as well as windows apart, at equal numbers: benchmarks/speed/forking.py


@dataclass(kw_only=True, eq=False, repr=False)
class RecurrentMixin:
    """The parameters of a recurrent encoder-decoder, and how they make one."""

    hidden_size: int = field(default=64, kw_only=False)
    num_layers: int = 1
    dropout: float = 0.0
    input_dropout: float = 0.0
    bidirectional: bool = False
    context: int = 0
    patch_len: int = 1
    linear_skip: bool = False
    instance_norm: Literal["last", "mean", "median"] | None = None
    series_embedding: int = 0
    origins_per_window: int | Literal["auto"] = "auto"
    rolling: Literal["windows", "stateful"] = "windows"

    _cell: ClassVar[Cell]
    _parameter_constraints: ClassVar[dict[str, list]] = {
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "num_layers": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "input_dropout": [Interval(Real, 0, 1, closed="left")],
        "bidirectional": ["boolean"],
        "context": [Interval(Integral, 0, None, closed="left")],
        "patch_len": [Interval(Integral, 1, None, closed="left")],
        "linear_skip": ["boolean"],
        "instance_norm": [StrOptions({"last", "mean", "median"}), None],
        "series_embedding": [Interval(Integral, 0, None, closed="left")],
        "origins_per_window": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "rolling": [StrOptions({"windows", "stateful"})],
        **BaseNetRegressor._parameter_constraints,
    }

    def _module(self, sizes: Sizes) -> tuple[type, dict[str, Any]]:
        name = type(self).__name__
        if not sizes.n_known and (self.bidirectional or self.context):
            asked = "bidirectional=True" if self.bidirectional else f"context={self.context}"
            raise ValueError(
                f"{name}({asked}) reads known columns over the horizon, and the windows have none: name them in "
                "SlidingWindower(known=...)."
            )
        for parameter, usual in (
            ("patch_len", 1),
            ("linear_skip", False),
            ("instance_norm", None),
            ("origins_per_window", 1 if self.origins_per_window == 1 else "auto"),
        ):
            value = getattr(self, parameter)
            if value != usual:
                sizes.refuse_whole_series(f"{name}({parameter}={value!r})")
        if self.origins_per_window not in ("auto", 1) and (self.patch_len > 1 or self.linear_skip):
            asked = f"patch_len={self.patch_len}" if self.patch_len > 1 else "linear_skip=True"
            raise ValueError(
                f"{name}({asked}, origins_per_window={self.origins_per_window}): what reads a window as a whole serves "
                "one origin alone. Leave one of the two out."
            )
        self._is_stateful()
        return EncoderDecoder, {
            "n_features": sizes.n_features,
            "n_known": sizes.n_known,
            "n_targets": sizes.n_targets,
            "horizon": sizes.horizon,
            "n_series": sizes.n_series,
            "cell": self._cell,
            "hidden_size": self.hidden_size,
            "num_layers": self.num_layers,
            "dropout": self.dropout,
            "input_dropout": self.input_dropout,
            "bidirectional": self.bidirectional,
            "patch_len": self.patch_len,
            "skip_window": sizes.window if self.linear_skip else None,
            "series_embedding": self.series_embedding,
        }

    def _is_stateful(self) -> bool:
        if self.rolling == "windows":
            return False
        for parameter, usual in (("patch_len", 1), ("linear_skip", False), ("instance_norm", None)):
            value = getattr(self, parameter)
            if value != usual:
                raise ValueError(
                    f"{type(self).__name__}({parameter}={value!r}, rolling={self.rolling!r}): what reads a window as a "
                    "whole cannot go on from the state of the one before. Leave one of the two out."
                )
        return True

    def _reading(self, inputs: Inputs) -> Reading:
        return Reading(self.context, self.series_embedding > 0, self._origins_of_pass(inputs), self.instance_norm)

    def _origins_of_pass(self, inputs: Inputs) -> int:
        """Say how many origins one pass over the rows may serve in training."""
        if self.origins_per_window != "auto":
            return self.origins_per_window
        alone = self.patch_len > 1 or self.linear_skip or self.instance_norm is not None
        return 1 if alone or not inputs.neighbours() else _USUAL_ORIGINS
