"""The work that all contenders do, and the table that they do it on."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

N_SERIES, N_ROWS, HORIZON = 10, 8760, 24
LEARNING_RATE, CLIP = 3e-3, 1.0


@dataclass(frozen=True)
class Work:
    """What is trained, on what.

    Parameters
    ----------
    hidden, window, batch, n_features : int
        Units of the one LSTM layer, rows that it reads, windows in a batch, columns (the target is the first).
    n_steps : int
        About how many batches one round of training takes; windows are spread evenly over the panel.
    n_big_steps : int
        The same where one step costs as much as an epoch (neuralforecast with ten series a batch).
    n_origins : int
        From how many consecutive rows of each series a round forecasts.
    n_rows : int, default=8760
        Rows of each of the ten series.
    stop_after : int, default=None
        Batches after which a peer stops, though its epoch would go on (for memory and growth only).
    """

    hidden: int
    window: int
    batch: int
    n_features: int
    n_steps: int
    n_big_steps: int
    n_origins: int
    n_rows: int = N_ROWS
    stop_after: int | None = None

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

    @property
    def n_all(self) -> int:
        """Windows of the whole panel."""
        return N_SERIES * (self.n_rows - self.window - HORIZON + 1)

    def told(self) -> dict[str, Any]:
        return asdict(self)


def make_table(work: Work) -> tuple[pd.DataFrame, pd.Series]:
    """Make a panel of noise; its first column is the target."""
    random = np.random.default_rng(0)
    times = pd.date_range("2000-01-01", periods=work.n_rows, freq="h")
    index = pd.MultiIndex.from_product([range(N_SERIES), times], names=["series", "time"])
    columns = [f"x{i}" for i in range(work.n_features)]
    values = random.standard_normal((len(index), work.n_features), dtype=np.float32)
    X = pd.DataFrame(values, index=index, columns=columns, copy=False)
    return X, X["x0"]


def first_rows(X: pd.DataFrame, n_rows: int) -> pd.DataFrame:
    """Give the first rows of each series."""
    return X[np.arange(len(X)) % (len(X) // N_SERIES) < n_rows]


SIZES = {"64/168/64": (64, 168, 64), "32/48/64": (32, 48, 64), "16/24/32": (16, 24, 32)}
_LENGTHS = {"64/168/64": (12, 1, 50), "32/48/64": (50, 2, 200), "16/24/32": (150, 3, 150)}  # steps, big steps, origins


def make_work(size: str, n_features: int, quick: bool = False) -> Work:
    """Give the work of a size, of about a second a round and contender."""
    if quick:
        return Work(*SIZES[size], n_features, n_steps=3, n_big_steps=1, n_origins=5, n_rows=500)
    n_steps, n_big_steps, n_origins = _LENGTHS[size]
    return Work(*SIZES[size], n_features, n_steps, n_big_steps, n_origins)
