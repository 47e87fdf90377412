"""The contract of an adapter: one library, set up to train on a task, to be watched while it does, and to forecast."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch

from benchmarks.adapters._watch import Watch

LEARNING_RATE, CLIP = 3e-3, 1.0
ADAMW = {"weight_decay": 0.0, "fused": True}


@dataclass(frozen=True)
class Task:
    """Tables, indexed by (series, time) with the same times for all series, and what of them is read and forecast."""

    train: pd.DataFrame
    test: pd.DataFrame  # what is forecast from; it begins with rows that are only read
    target: str  # the column to forecast; its past is read as well
    window: int
    horizon: int
    first: int  # the row of each series of `test` that is forecast first
    known: Sequence[str] = ()  # columns known over the horizon; the others are read up to the row before the origin
    static: pd.DataFrame | None = None  # columns with one value a series, in the order of the series
    loss: str | tuple[float, ...] = "mse"  # or "mae", or the levels of quantiles
    stride: int = 1  # rows from one training window to the next
    step: int = 1  # and from one forecast to the next

    @property
    def observed(self) -> list[str]:
        """The columns beside the target that are read up to the origin."""
        return [column for column in self.train if column != self.target and column not in self.known]

    @property
    def n_series(self) -> int:
        return self.train.index.get_level_values(0).nunique()

    def recent(self, n_rows: int) -> pd.DataFrame:
        """Give the rows of `test` from `n_rows` before the first forecast on."""
        return self.test[rows_within(self.test, self.n_series) >= self.first - n_rows]

    @cached_property
    def origins(self) -> np.ndarray:
        """The row of `train` that each training window forecasts first."""
        n_rows = len(self.train) // self.n_series
        own = np.arange(self.window, n_rows - self.horizon + 1, self.stride)
        return (np.arange(self.n_series)[:, None] * n_rows + own).ravel()

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Give the table as float32, and the target, standardised."""
        target = self.train[self.target].to_numpy()
        return self.train.to_numpy(np.float32), ((target - target.mean()) / target.std()).astype(np.float32)


def rows_within(table: pd.DataFrame, n_series: int) -> np.ndarray:
    """Number the rows of each series, in a table that has one series after the other."""
    return np.arange(len(table)) % (len(table) // n_series)


@dataclass(frozen=True)
class Boostings:
    """Rows to grow boostings from, each a column of the forecasts: the task of those who read no windows."""

    jobs: list[dict[str, Any]]  # for each boosting "rows" and "targets", "rows_test" to forecast from, own "params"
    shape: tuple[int, ...]  # of the forecasts, all rows of a boosting after each other before its last axis
    options: dict[str, Any] = field(default_factory=dict)  # for the data set that cuts columns into bins
    are_levels: bool = False  # whether the boostings are quantiles, to be put in order


@dataclass(frozen=True)
class Plan:
    """How an LSTM of one layer under a linear head is trained where all do the same work; see `Adapter.plain_lstm`."""

    hidden: int
    batch: int  # windows of a step
    epochs: int = 1
    steps: int | None = None  # of the optimizer, for libraries that have no epochs over all windows
    precision: str = "float32"  # or "bf16", of those who offer it


class Adapter(ABC):
    """One library: a task, its parameters by its own names, who watches, a seed, and "cpu" or "cuda"."""

    looks_after: ClassVar[str] = "epoch"  # or "step"
    n_taught = 0  # windows that an epoch of the last fit taught

    def __init__(self, task: Any, settings: dict[str, Any], watch: Watch, seed: int = 0, device: str = "cpu"):
        self.task, self.settings, self.watch, self.seed, self.device = task, dict(settings), watch, seed, device

    @staticmethod
    def plain_lstm(plan: Plan) -> dict[str, Any]:
        """Give the settings of one LSTM layer under a linear head, AdamW at one rate, gradients clipped at norm 1."""
        raise NotImplementedError

    @abstractmethod
    def fit(self) -> None:
        """Train from the tables on, watched."""

    @abstractmethod
    def forecast(self, learned: Any = None) -> np.ndarray:
        """Forecast from every `step` rows of each series of `test`, one series after the other.

        With what the watch has kept, weights or rounds, or with what is there after the fit. The shape is (n_origins,
        horizon), or (n_origins, horizon, n_levels).
        """


def rolling_view(table: torch.Tensor, length: int) -> torch.Tensor:
    """View each `length` consecutive rows of a table: (n_rows - length + 1, length, n_columns)."""
    n_rows, n_columns = table.shape
    return table.as_strided((n_rows - length + 1, length, n_columns), (n_columns, n_columns, 1))
