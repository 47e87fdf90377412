"""The work that all contenders do, the tables that they do it on, and the proof that it was the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.adapters import Adapter, Plan, Task, Watch, load_adapter
from benchmarks.adapters._contract import rows_within

N_SERIES, N_ROWS, HORIZON = 10, 8760, 24
CONTENDERS = {  # name: library, windows that one pass teaches, further settings
    "skts": ("skts", 1, {"origins_per_pass": 1}),
    "skts, forking": ("skts", HORIZON, {"origins_per_pass": HORIZON}),
    "skts, as it comes": ("skts", 4, {"origins_per_pass": "auto"}),
    "loop by hand": ("loop by hand", 1, {}),
    "skorch": ("skorch", 1, {}),
    "darts": ("darts", 1, {}),
    "neuralforecast, one series": ("neuralforecast", 1, {"batch_size": 1}),
    "neuralforecast, ten series": ("neuralforecast", 1, {"batch_size": N_SERIES}),
}
OURS = ("skts", "skts, forking", "skts, as it comes")
SIZES = {"64/168/64": (64, 168, 64), "32/48/64": (32, 48, 64), "16/24/32": (16, 24, 32)}
_LENGTHS = {"64/168/64": (12, 1, 50), "32/48/64": (50, 2, 200), "16/24/32": (150, 3, 150)}  # steps, big steps, origins
_SAME = ("features", "hidden", "layers", "dtype", "optimizer", "fused", "clip")


@dataclass(frozen=True)
class Work:
    """What is trained, on what: windows spread evenly over a panel of ten series."""

    hidden: int  # units of the one LSTM layer
    window: int  # rows that it reads
    batch: int
    n_features: int  # columns, of which the target is the first
    n_steps: int  # about how many batches one round of training takes
    n_big_steps: int  # the same where one step costs as much as an epoch (neuralforecast with ten series a batch)
    n_origins: int  # from how many consecutive rows of each series a round forecasts
    n_rows: int = N_ROWS  # of each series
    stop_after: int | None = None  # batches after which a contender stops, though its epoch would go on

    @property
    def name(self) -> str:
        return f"{self.hidden}/{self.window}/{self.batch}, {self.n_features} feature{'s' * (self.n_features > 1)}"

    @property
    def stride(self) -> int:
        """Rows between two windows, so that an epoch has about `n_steps` batches."""
        return max(1, N_SERIES * (self.n_rows - self.window - HORIZON) // (self.n_steps * self.batch))

    @property
    def n_windows(self) -> int:
        """Windows of an epoch at that stride."""
        return N_SERIES * ((self.n_rows - self.window - HORIZON) // self.stride + 1)

    @property
    def n_batches(self) -> int:
        n_batches = -(-self.n_windows // self.batch)
        return n_batches if self.stop_after is None else min(n_batches, self.stop_after)


def make_work(size: str, n_features: int, quick: bool = False) -> Work:
    """Give the work of a size, of about a second a round and contender."""
    if quick:
        return Work(*SIZES[size], n_features, n_steps=3, n_big_steps=1, n_origins=5, n_rows=500)
    n_steps, n_big_steps, n_origins = _LENGTHS[size]
    return Work(*SIZES[size], n_features, n_steps, n_big_steps, n_origins)


def make_panel(n_series: int, n_rows: int, n_features: int) -> pd.DataFrame:
    """Make a panel of noise; its first column is the target."""
    times = pd.date_range("2000-01-01", periods=n_rows, freq="h")
    index = pd.MultiIndex.from_product([range(n_series), times], names=["series", "time"])
    values = np.random.default_rng(0).standard_normal((len(index), n_features), dtype=np.float32)
    return pd.DataFrame(values, index=index, columns=[f"x{i}" for i in range(n_features)], copy=False)


def make_contender(name: str, work: Work, X: pd.DataFrame, watch: Watch, **settings: Any) -> Adapter:
    """Set a contender up to train for a round, and to forecast from every row that has a window before it."""
    library, n_origins, own = CONTENDERS[name]
    batch, stride, train = work.batch, work.stride, X
    if n_origins > 1:  # windows that begin at every row, as many rows as the steps of the round take
        batch *= n_origins if n_origins == HORIZON else 1
        per_series = min(work.n_steps * batch // N_SERIES, work.n_rows - work.window - HORIZON + 1)
        per_series -= per_series % n_origins  # every pass is full
        stride, train = 1, first_rows(X, work.window + HORIZON - 1 + per_series)
    test = first_rows(X, work.window + work.n_origins + HORIZON - 1)
    kind = load_adapter(library)
    steps = work.n_big_steps if own.get("batch_size") == N_SERIES else work.n_batches
    settings = kind.plain_lstm(Plan(work.hidden, batch, steps=steps)) | own | settings
    if work.stop_after is not None and kind.looks_after == "epoch":
        settings["stop_after"] = work.stop_after
    task = Task(train, test, "x0", work.window, HORIZON, first=work.window, stride=stride)
    return kind(task, settings, watch)


def first_rows(X: pd.DataFrame, n_rows: int) -> pd.DataFrame:
    """Give the first rows of each series."""
    return X[rows_within(X, N_SERIES) < n_rows]


def check_sameness(work: Work, checked: Mapping[str, dict[str, Any]]) -> None:
    """Refuse to compare what did not do the same work."""
    first = next(iter(checked.values()))
    for name, found in checked.items():
        for fact in _SAME:
            assert found[fact] == first[fact], f"{name} has {fact} {found[fact]}, not {first[fact]}"
        assert found["clipped"] == found["steps"], name
        assert found["answers"] == N_SERIES * work.n_origins, name
        library, n_origins, own = CONTENDERS[name.removesuffix(" (tuned)")]
        assert found["rows"] == work.window + n_origins - 1, name
        if n_origins > 1:  # windows of the network are passes
            passes_a_step = work.batch if n_origins == HORIZON else work.batch // n_origins
            assert found["steps"] == -(-found["windows"] // passes_a_step), name
            assert found["targets"] == n_origins * found["windows"], name
            continue
        n_steps = work.n_big_steps if own.get("batch_size") == N_SERIES else work.n_batches
        drawn = library == "neuralforecast"  # whose last batch is as large as the others
        n_windows = n_steps * work.batch if drawn else work.n_windows
        assert (found["steps"], found["windows"]) == (n_steps, n_windows), name
