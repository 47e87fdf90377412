"""What a regressor is given: windows, 3-D arrays or 2-D arrays, all turned into windows in one table."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_array, validate_data

from skts.regressors._reading import Reading
from skts.training import ChunkDataset, WindowDataset
from skts.windows import Windows

_CHUNK_ROWS = 256  # rows that a state is carried over at a time


@dataclass(frozen=True)
class Inputs:
    """Windows in one table, whatever they came as.

    Parameters
    ----------
    panel : ndarray of float32 of shape (n_panel_rows, n_features)
    starts : ndarray of int64 of shape (n_windows,)
        The panel row where each window starts; of whole series, the last row before each origin.
    window, horizon : int
        In rows; an array has no rows behind its windows, so its horizon is decided by `y`.
    known : ndarray of int64 of shape (n_known,)
    windows : Windows or None
        What came, unless it was an array.
    """

    panel: NDArray[np.float32]
    starts: NDArray[np.int64]
    window: int
    horizon: int
    known: NDArray[np.int64]
    windows: Windows | None

    def __len__(self) -> int:
        return len(self.starts)

    def dataset(self, reading: Reading, trained: pd.Index | None, **targets: Any) -> WindowDataset:
        """Turn into the tensors that a network reads; `trained` are the names of the series of `fit`."""
        panel = torch.from_numpy(self.panel if self.panel.flags.writeable else self.panel.copy())
        windows = self.windows
        return WindowDataset(
            panel,
            torch.from_numpy(self.starts),
            window=self.window,
            known=torch.from_numpy(self.known),
            series=torch.from_numpy(self._series_numbers(trained)),
            tells_series=reading.series,
            context=0 if windows is None else reading.context,
            stops=None if windows is None else torch.from_numpy(windows.own_spans[:, 1].copy()),
            **{"horizon": self.horizon, **targets},
        )

    def passes(self, dataset: WindowDataset, n_origins: int) -> WindowDataset:
        """Let one pass over the rows serve several windows of a dataset, where they were cut for that."""
        if self.windows is None:
            return dataset
        if self.windows.chunk is not None:
            return ChunkDataset.cut(dataset, self.windows.spans, self.windows.chunk)
        return dataset.fork(n_origins) if n_origins > 1 else dataset

    def neighbours(self) -> bool:
        """Tell whether most windows begin one row behind another."""
        return self.windows is not None and len(self) > 1 and float(np.median(np.diff(self.starts))) == 1

    def whole_series(self) -> Self:
        """Read each series once, up to every origin, instead of windows; arrays have no series to read."""
        if self.windows is None or self.windows.chunk is not None:
            return self
        windows = replace(self.windows, window=None, chunk=_CHUNK_ROWS)
        return replace(self, starts=windows.origins - 1, window=1, windows=windows)

    def times(self) -> NDArray[np.int64]:
        """Give the time of every row of the targets, as a number that increases."""
        return np.arange(len(self), dtype=np.int64) if self.windows is None else self.windows.ticks

    def _series_numbers(self, trained: pd.Index | None) -> NDArray[np.int64]:
        """Give the number that the series of each window had in `fit`; -1 where it was not there."""
        if trained is None:
            return np.zeros(len(self), dtype=np.int64)
        if self.windows is None or self.windows.series_names is None:
            return np.full(len(self), -1, dtype=np.int64)
        return trained.get_indexer(self.windows.series_names)[self.windows.series].astype(np.int64)


def read_inputs(estimator: Any, X: Any, *, reset: bool) -> Inputs:
    """Validate `X` and turn it into windows in one table.

    Parameters
    ----------
    estimator : estimator
        Whose `n_features_in_` is set (`reset`) or checked.
    X : Windows, or array-like of shape (n_windows, window, n_features) or (n_windows, n_features)
    """
    if isinstance(X, Windows):
        _check_n_features(estimator, X.panel.shape[1], reset)
        window = 1 if X.window is None else X.window
        return Inputs(X.panel, X.origins - window, window, X.horizon, X.known, X)
    options = {"dtype": np.float32, "order": "C", "ensure_all_finite": "allow-nan"}
    if getattr(X, "ndim", 2) == 3:
        values = check_array(X, allow_nd=True, input_name="X", **options)
        _check_n_features(estimator, values.shape[2], reset)
    else:
        values = validate_data(estimator, X, reset=reset, **options)[:, None, :]
    n_windows, window, n_features = values.shape
    starts = window * np.arange(n_windows, dtype=np.int64)
    panel = np.ascontiguousarray(values.reshape(-1, n_features))
    return Inputs(panel, starts, window, 1, np.empty(0, dtype=np.int64), None)


def _check_n_features(estimator: Any, n_features: int, reset: bool) -> None:
    if reset:
        estimator.n_features_in_ = n_features
        estimator.__dict__.pop("feature_names_in_", None)
    elif n_features != estimator.n_features_in_:
        raise ValueError(
            f"X has {n_features} features, but {type(estimator).__name__} is expecting {estimator.n_features_in_} "
            "features as input."
        )
