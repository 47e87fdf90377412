"""What regressors with a recurrent network share: its parameters."""

from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import ClassVar, Literal

from skts._compat import Interval, StrOptions
from skts.nn import EncoderDecoder
from skts.panel import Levels
from skts.regressors._base import BaseNetRegressor, Norm, Rolling


@dataclass(kw_only=True, eq=False, repr=False)
class RecurrentMixin:
    """The parameters of a recurrent encoder-decoder."""

    hidden_size: int = field(default=64, kw_only=False)
    num_layers: int = 1
    dropout: float = 0.0
    input_dropout: float = 0.0
    bidirectional: bool = False
    lookahead: int = 0
    patch_len: int = 1
    instance_norm: Norm | None = None
    series_embedding: int = 0
    embedding_by: Levels | None = None
    origins_per_pass: int | Literal["auto"] = "auto"
    rolling: Rolling = "windows"

    _network_class = EncoderDecoder
    _network_names: ClassVar[tuple[str, ...]] = (
        *("hidden_size", "num_layers", "dropout", "input_dropout", "bidirectional", "lookahead", "patch_len"),
        "series_embedding",
    )
    _parameter_constraints: ClassVar[dict[str, list]] = {
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "num_layers": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "input_dropout": [Interval(Real, 0, 1, closed="left")],
        "bidirectional": ["boolean"],
        "lookahead": [Interval(Integral, 0, None, closed="left")],
        "patch_len": [Interval(Integral, 1, None, closed="left")],
        "instance_norm": [StrOptions({"last", "mean", "median", "series"}), None],
        "series_embedding": [Interval(Integral, 0, None, closed="left")],
        "embedding_by": [str, Integral, "array-like", None],
        "origins_per_pass": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "rolling": [StrOptions({"windows", "stateful"})],
        **BaseNetRegressor._parameter_constraints,
    }
