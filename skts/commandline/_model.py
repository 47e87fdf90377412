"""The file of a model as the command reads and writes it."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skts.commandline._file import WORDS
from skts.commandline._table import load_rows
from skts.exceptions import UntrustedTypeError
from skts.panel import find_column, read_index
from skts.persistence import load, read_manifest, save
from skts.windows import HistoryPrepender, TrainedTimes, walk


@dataclass(frozen=True)
class Model:
    """A model from a file, and what its file says of it.

    Parameters
    ----------
    estimator : estimator
    manifest : dict
    """

    estimator: Any
    manifest: dict[str, Any]

    @classmethod
    def load(cls, options: argparse.Namespace) -> "Model":
        """Load the model that the command line names."""
        try:
            return cls(load(options.model, trusted=options.trust), read_manifest(options.model))
        except UntrustedTypeError as error:
            raise ValueError(f"{error} Name it with --trust if you trust whoever wrote the file.") from error

    def save(self, path: Path, card: Mapping[str, Any]) -> None:
        """Write the model to a file, with a card."""
        save(self.estimator, path, card=card, trusted=self.manifest["trusted"])

    @property
    def card(self) -> dict[str, Any]:
        """What the command wrote about the model."""
        return self.manifest["card"]

    @property
    def columns(self) -> list[str]:
        """The columns that it was trained on."""
        return self.manifest["trained"].get("columns", [])

    def read_target(self, options: argparse.Namespace) -> str | None:
        """Name the column that it forecasts."""
        if options.target is not None:
            return options.target
        names = self.manifest["trained"].get("target", [])
        return names[0] if len(names) == 1 else None

    def read_rows(self, options: argparse.Namespace, path: Path) -> pd.DataFrame:
        """Load a table as the model was given its own."""
        left_out = self.card.get("command", {}).get("left_out", {})
        X = load_rows(options, path, self.columns, [name for names in left_out.values() for name in names])
        if options.target is not None:
            find_column(X.columns, options.target, "target", WORDS)
        return X

    def seen(self, X: pd.DataFrame) -> NDArray[np.bool_]:
        """Tell which rows are no later than the last that the model has seen of their series."""
        index = read_index(X)
        found = [part._trained for part in walk(self.estimator) if isinstance(part, HistoryPrepender)]
        if index.ticks is None or not found:
            return np.zeros(len(X), dtype=bool)
        return np.any([_reached(each, index) for each in found], axis=0)


def _reached(trained: TrainedTimes, index: Any) -> NDArray[np.bool_]:
    if (trained.names is None) != (index.names is None):  # which the model refuses itself
        return np.zeros(len(index.series), dtype=bool)
    return trained.reached(index)
