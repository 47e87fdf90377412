"""What a regressor is given: windows, 3-D arrays or 2-D arrays, all turned into windows in one table."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.validation import check_array, validate_data

from skts.exceptions import PanelIndexError, UnscaledColumnsWarning
from skts.panel import Levels, series_keys
from skts.windows import Windows

_CHUNK_ROWS = 256  # rows that a state is carried over at a time
_SAMPLED_ROWS = 10_000
_LARGEST_SPREAD = 100.0  # standard deviations of a column that passes for scaled


@dataclass(frozen=True)
class Inputs:
    """Windows in one table, whatever they came as.

    Parameters
    ----------
    panel : ndarray of float32 of shape (n_panel_rows, n_features)
    starts : ndarray of int of shape (n_windows,)
        The panel row where each window starts; of whole series, the last row before each origin.
    window, horizon : int
        In rows; an array has no rows after its windows, so its horizon is decided by `y`.
    known : ndarray of int64 of shape (n_known,)
    windows : Windows or None
        What came, unless it was an array.
    """

    panel: NDArray[np.float32]
    starts: NDArray[np.integer]
    window: int
    horizon: int
    known: NDArray[np.int64]
    windows: Windows | None

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def series_names(self) -> pd.Index | None:
        """The names of the series; None for arrays, and for one series without a name."""
        return None if self.windows is None else self.windows.series_names

    @property
    def ahead_starts(self) -> NDArray[np.integer]:
        """The panel row of the first row of each horizon: ndarray of shape (n_windows,)."""
        return self.starts + self.window if self.windows is None else self.windows.horizon_starts

    @property
    def has_runs(self) -> bool:
        """Whether the rows of a horizon stand apart from the window before them, as those of a run do."""
        return self.windows is not None and self.windows.horizons is not None

    def past(self, items: NDArray[np.int64]) -> NDArray[np.float32]:
        """Gather some windows: ndarray of shape (n_items, window, n_features)."""
        if self.windows is not None:
            return self.windows[items]
        return self.panel[self.starts[items, None] + np.arange(self.window)]

    def are_consecutive(self) -> bool:
        """Tell whether most windows begin one row after another."""
        if self.windows is None or self.has_runs or len(self) < 2:
            return False
        return float(np.median(np.diff(self.starts))) == 1

    def whole_series(self) -> Self:
        """Read each series once, up to every origin, instead of windows; arrays have no series to read.

        Raises
        ------
        PanelIndexError
            The table has runs.
        """
        if self.has_runs:
            raise PanelIndexError(
                "rolling='stateful' reads each series from row to row, and this table has runs (a level 'run' in its "
                "index), each a forecast of its own: give rolling='windows'."
            )
        if self.windows is None or self.windows.chunk is not None:
            return self
        windows = replace(self.windows, window=None, chunk=_CHUNK_ROWS)
        return replace(self, starts=windows.origins - 1, window=1, windows=windows)

    @property
    def n_static(self) -> int:
        """The number of static columns; arrays have none."""
        return 0 if self.windows is None else self.windows.n_static

    def static(self, items: NDArray[np.int64]) -> NDArray[np.float32]:
        """Give the static columns of some windows: ndarray of shape (n_items, n_static)."""
        if self.windows is None or self.windows.static is None:
            return np.empty((len(items), 0), dtype=np.float32)
        return self.windows.static[self.windows.series[items]]

    def series_numbers(self, trained: pd.Index | None, by: Levels | None = None) -> NDArray[np.int64]:
        """Give the number that the series of each window had in `fit`, by name; -1 where it was not there.

        Parameters
        ----------
        trained : Index or None
            The names in `fit`, each once; None where there was one series without a name.
        by : str, int, or list of str or int, default=None
            The index levels that those are names by; all by default.

        Returns
        -------
        numbers : ndarray of int64 of shape (n_windows,)
        """
        if trained is None:
            return np.zeros(len(self), dtype=np.int64)
        if self.windows is None or self.windows.series_names is None:
            return np.full(len(self), -1, dtype=np.int64)
        names: Any = self.windows.series_names
        if by is not None:
            names = series_keys(names, by, f"embedding_by={by!r}")
        return trained.get_indexer(names)[self.windows.series].astype(np.int64)


def read_inputs(estimator: Any, X: Any, *, reset: bool) -> Inputs:
    """Validate `X` and turn it into windows in one table.

    Parameters
    ----------
    estimator : estimator
        Whose `n_features_in_` is set (`reset`) or checked.
    X : Windows, or array-like of shape (n_windows, window, n_features) or (n_windows, n_features)
    reset : bool

    Returns
    -------
    inputs : Inputs
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


def read_sizes(inputs: Inputs, n_targets: int, horizon: int) -> dict[str, Any]:
    """Say how large everything is that a network sees.

    Returns
    -------
    sizes : dict
        `n_features`, `n_known`, `n_static`, `n_targets`, `n_series`, `window` (in rows, None for whole series) and
        `horizon`.
    """
    return {
        "n_features": inputs.panel.shape[1],
        "n_known": len(inputs.known),
        "n_static": inputs.n_static,
        "n_targets": n_targets,
        "n_series": 1 if inputs.series_names is None else len(inputs.series_names),
        "window": _window_of(inputs),
        "horizon": horizon,
    }


def check_sizes(
    owner: str, sizes: dict[str, Any], inputs: Inputs, n_targets: int | None = None, horizon: int | None = None
) -> None:
    """Refuse windows, or targets, of other sizes than those that `owner` was fitted with."""
    if inputs.windows is not None:
        horizon = inputs.windows.horizon
    checked = [
        ("known columns", sizes["n_known"], len(inputs.known)),
        ("static columns", sizes["n_static"], inputs.n_static),
        ("rows of window", sizes["window"], _window_of(inputs)),
        ("rows of horizon", sizes["horizon"], sizes["horizon"] if horizon is None else horizon),
        ("targets", sizes["n_targets"], sizes["n_targets"] if n_targets is None else n_targets),
    ]
    for what, before, now in checked:
        if before != now:
            raise ValueError(
                f"{owner} was fitted with {before} {what} and is now given {now}: use the "
                "SlidingWindower it was fitted with."
            )


def warn_unscaled(owner: str, inputs: Inputs, normalised: Sequence[int]) -> None:
    """Warn of columns in units far from their deviation, which a network hardly learns from, or from nothing else.

    Parameters
    ----------
    owner : str
        The estimator, for the message.
    inputs : Inputs
        Of `fit`.
    normalised : sequence of int
        Columns whose unit does not count.
    """
    rows = inputs.panel[:: max(1, len(inputs.panel) // _SAMPLED_ROWS)].astype(np.float64)
    spread, own = _spread(rows), _spread(inputs.static(np.arange(len(inputs))).astype(np.float64))
    far = _is_far(spread)
    far[list(normalised)] = False
    names = [str(column) for column in range(len(spread))] + [f"static {i}" for i in range(inputs.n_static)]
    spread, far = np.append(spread, own), np.append(far, _is_far(own))
    if not far.any():
        return
    listed = ", ".join(f"{names[column]} ({spread[column]:.3g})" for column in np.flatnonzero(far)[:5])
    warnings.warn(
        f"{owner} was given columns whose standard deviation is far from 1: {listed}"
        f"{' ...' if far.sum() > 5 else ''}. A network learns from them poorly, or from nothing else: put a "
        "StandardScaler before HistoryPrepender.",
        UnscaledColumnsWarning,
        stacklevel=6,  # who called `fit`
    )


def _spread(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the standard deviation of each column, 0 of one without values, which numpy would warn of."""
    spread: NDArray[np.float64] = np.nanstd(np.where(np.isnan(rows).all(axis=0), 0.0, rows), axis=0)
    return spread


def _is_far(spread: NDArray[np.float64]) -> NDArray[np.bool_]:
    return (spread > _LARGEST_SPREAD) | ((spread > 0) & (spread < 1 / _LARGEST_SPREAD))


def _check_n_features(estimator: Any, n_features: int, reset: bool) -> None:
    if reset:
        estimator.n_features_in_ = n_features
        estimator.__dict__.pop("feature_names_in_", None)
    elif n_features != estimator.n_features_in_:
        raise ValueError(
            f"X has {n_features} features, but {type(estimator).__name__} is expecting {estimator.n_features_in_} "
            "features as input."
        )


def _window_of(inputs: Inputs) -> int | None:
    return inputs.window if inputs.windows is None else inputs.windows.window
