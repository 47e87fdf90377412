"""Forecasts of training rows by an estimator that has not seen them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from skts._compat import check_method_params, fit_within, safe_indexing
from skts.panel import PanelIndex, has_target
from skts.strategies._places import Places, Taught
from skts.supervised import split_latest
from skts.windows import find_windowers

Ints = NDArray[np.int64]


class Split(NamedTuple):
    """What is trained on, what is forecast, and which of these forecasts count.

    Parameters
    ----------
    train, test : ndarray of int64
        Rows.
    counts : ndarray of bool of shape (n_test,)
    """

    train: Ints
    test: Ints
    counts: NDArray[np.bool_]


@dataclass(frozen=True)
class HeldOut:
    """What was forecast of rows that were held out, and what came.

    Parameters
    ----------
    places : Places
    forecasts : ndarray of shape (n_rows, n_levels) or (n_rows, n_experts)
    y : ndarray of shape (n_rows,)
        The truths, NaN where they are missing or do not count.
    """

    places: Places
    forecasts: NDArray[np.float64]
    y: NDArray[np.float64]

    def complete(self) -> Self:
        """Give the rows that have a truth and all forecasts."""
        there = np.flatnonzero(~np.isnan(self.y) & ~np.isnan(self.forecasts).any(axis=1))
        return replace(self, places=self.places.take(there), forecasts=self.forecasts[there], y=self.y[there])

    def join(self, other: Self) -> Self:
        """Put the rows of another after these."""
        forecasts = np.concatenate([self.forecasts, other.forecasts])
        return replace(self, places=self.places.join(other.places), forecasts=forecasts, y=np.append(self.y, other.y))


def choose_splits(owner: str, calibration: Any, X: Any, y: Any) -> list[Split]:
    """Choose the rows to train on and those to be held out, once or fold by fold.

    Of a table with runs those made before the cut are trained on. Where they reach over it, later runs are forecast
    from there, so that they have their history, but count only for the times that no training run has.

    Parameters
    ----------
    owner : str
        For messages.
    calibration : float or splitter
        The share of the times, the latest, that is held out; 1.0 holds out all.
    X, y : table and target

    Returns
    -------
    splits : list of Split

    Raises
    ------
    ValueError
        Nothing is left to train on, or nothing is held out.
    """
    if hasattr(calibration, "split"):
        folds = [(np.sort(train), np.sort(test)) for train, test in calibration.split(X, y)]
        return [Split(train, test, np.ones(len(test), dtype=bool)) for train, test in folds]
    if calibration == 1.0:
        return [Split(np.empty(0, dtype=np.int64), np.arange(len(X)), np.ones(len(X), dtype=bool))]
    panel = PanelIndex.read(X)
    cuts, ticks = panel.row_cuts, panel.row_ticks
    train, test = (np.flatnonzero(some) for some in split_latest(cuts, cuts, calibration))
    counts = ticks[test] > ticks[train].max(initial=np.iinfo(np.int64).min)
    there = has_target(np.asarray(y, dtype=np.float64))
    if not there[train].any() or not there[test[counts]].any():
        raise ValueError(
            f"{owner}(calibration={calibration}) leaves {there[train].sum()} rows with a target to train on and "
            f"{there[test[counts]].sum()} to calibrate on, of n_samples={len(X)}: give a longer table or another share."
        )
    return [Split(train, test, counts)]


def take_training(estimator: Any, X: Any, y: Any, params: dict[str, Any], rows: Ints) -> tuple[Any, Any, dict]:
    """Take the rows to fit on: those with a target, for an estimator that cuts no windows and so needs no others."""
    if not find_windowers(estimator):
        rows = rows[has_target(np.asarray(y, dtype=np.float64)[rows])]
    return safe_indexing(X, rows), safe_indexing(y, rows), check_method_params(X, params, rows)


def check_trainable(owner: str, estimator: Any) -> None:
    """Refuse to hold out everything where something is to be trained."""
    if not isinstance(estimator, FrozenEstimator):
        raise ValueError(
            f"{owner}(calibration=1.0) trains nothing, and {type(estimator).__name__} is to be trained: put a fitted "
            "one into FrozenEstimator, or give a smaller share."
        )


def forecast_held_out(
    context: Any,
    caller: Any,
    experts: list[tuple[str, Any, dict[str, Any]]],
    X: Any,
    y: Any,
    splits: list[Split],
    forecast: Callable[[str, Any, Any], NDArray[np.float64]],
) -> tuple[list[list[NDArray[np.float64]]], list[Any]]:
    """Fit clones on what is not held out, and forecast what is.

    Parameters
    ----------
    context : CallbackContext
        Each fit is a subtask.
    caller : estimator
    experts : list of (name, estimator, parameters of fit)
    X, y : table and target
    splits : list of Split
    forecast : callable
        Given a name, its fitted clone and a table, gives its forecasts.

    Returns
    -------
    forecasts : list of list of ndarray
        Those of every split and expert.
    fitted : list of estimator
        The clones of the last split.
    """
    all_forecasts: list[list[NDArray[np.float64]]] = []
    clones: list[Any] = []
    for train, test, _ in splits:
        own, clones = [], []
        for name, estimator, params in experts:
            fitted = clone(estimator)
            task = context.subcontext(task_name=f"{name}, held out")
            if len(train):
                fitted = fit_within(task, caller, fitted, *take_training(fitted, X, y, params, train))
            else:
                check_trainable(type(caller).__name__, estimator)
            own.append(forecast(name, fitted, safe_indexing(X, test)))
            clones.append(fitted)
        all_forecasts.append(own)
    return all_forecasts, clones


def read_held_out(
    X: Any, y: Any, splits: list[Split], horizon: int | None, taught: Taught
) -> tuple[Places, NDArray[np.float64]]:
    """Read the places and the truths of all that is held out, split after split; NaN for what does not count."""
    places, truths, target = [], [], np.asarray(y, dtype=np.float64).ravel()
    for _, test, counts in splits:
        part = safe_indexing(X, test)
        places.append(replace(taught, n_rows=int(test.min())).places(part, horizon))
        truths.append(np.where(counts, target[test], np.nan))
    return places[0].join(*places[1:]), np.concatenate(truths)


def check_forecasts(owner: str, name: str, forecasts: Any, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Refuse forecasts that are not one for each row."""
    values = np.asarray(forecasts, dtype=np.float64)
    if values.shape != shape and values.shape != (*shape, 1):
        raise ValueError(
            f"{owner} needs one forecast for each row, of shape {shape}, and {name} gave {values.shape}: put "
            "HistoryPrepender before SlidingWindower in it, and fit it on one target."
        )
    return values.reshape(shape)
