"""The splits that an estimator makes inside its fit."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.model_selection import BaseCrossValidator, BaseShuffleSplit

from skts.model_selection import PurgedPanelKFold
from skts.panel import PanelIndex
from skts.windows import SlidingWindower, Windows

Ints = NDArray[np.int64]


def count_not_later(ticks: Ints, train: Ints, valid: Ints) -> int:
    """Count the validation rows that are no later than some training row.

    Parameters
    ----------
    ticks : ndarray of shape (n_rows,)
        The time of each row.
    train, valid : ndarray of int64
        Row numbers.
    """
    return int((ticks[valid] <= ticks[train].max(initial=np.iinfo(np.int64).min)).sum())


class SplitWatcher:
    """Judges every split that is made while it watches.

    For that time it replaces `split` of the splitters of scikit-learn, for the whole process: two of them at once, or
    a search in another thread, disturb each other.

    Parameters
    ----------
    ticks : ndarray of shape (n_train,)
        The time of each training row, for splits that are given no table with times.

    Attributes
    ----------
    not_later : dict of str to (int, int)
        Of each splitter, by its caller and itself, the split with most validation rows that are no later than a
        training row: how many, and of how many.
    """

    def __init__(self, ticks: Ints):
        self._ticks = {len(ticks): ticks}
        self._depth = 0
        self.not_later: dict[str, tuple[int, int]] = {}

    @contextmanager
    def watching(self, estimator: Any) -> Iterator[None]:
        """Watch the splits of scikit-learn's splitters, and of those that are parameters of the estimator."""
        parameters = estimator.get_params().values() if hasattr(estimator, "get_params") else []
        own: set[Any] = {type(value) for value in parameters if hasattr(value, "get_n_splits")}
        with ExitStack() as stack:
            for splitter in own | _subclasses(BaseCrossValidator) | _subclasses(BaseShuffleSplit):
                if "split" in vars(splitter):
                    stack.enter_context(patch.object(splitter, "split", self._watch_split(splitter.split)))
            cut = SlidingWindower.fit_transform
            stack.enter_context(patch.object(SlidingWindower, "fit_transform", self._watch_cut(cut)))
            yield

    def _watch_split(self, split: Callable) -> Callable:
        @wraps(split)
        def watched(splitter: Any, X: Any = None, *args: Any, **kwargs: Any) -> Iterator[tuple[Ints, Ints]]:
            splits = iter(split(splitter, X, *args, **kwargs))
            while True:
                self._depth += 1  # a splitter may use another one, which nobody else uses
                try:
                    train, valid = next(splits)
                except StopIteration:
                    return
                finally:
                    self._depth -= 1
                if self._depth == 0:
                    self._judge(splitter, X, np.asarray(train), np.asarray(valid))
                yield train, valid

        return watched

    def _watch_cut(self, cut: Callable) -> Callable:
        @wraps(cut)
        def watched(windower: SlidingWindower, X: Any, *args: Any, **kwargs: Any) -> Windows:
            windows = cut(windower, X, *args, **kwargs)
            self._ticks[len(windows)] = windows.origin_ticks  # for a splitter of windows
            return windows

        return watched

    def _judge(self, splitter: Any, X: Any, train: Ints, valid: Ints) -> None:
        caller, ticks = _caller(), self._ticks_of(X)
        # what does not forecast (TargetEncoder) splits to encode, not to validate; a purged split declares its future
        if ticks is None or isinstance(splitter, PurgedPanelKFold) or not hasattr(type(caller), "predict"):
            return
        n_not_later = count_not_later(ticks, train, valid)
        name = f"{type(splitter).__name__} in {type(caller).__name__}"
        if n_not_later > self.not_later.get(name, (0, 0))[0]:
            self.not_later[name] = n_not_later, len(valid)

    def _ticks_of(self, X: Any) -> Ints | None:
        if isinstance(getattr(X, "index", None), pd.MultiIndex | pd.DatetimeIndex | pd.PeriodIndex):
            return PanelIndex.read(X).row_ticks
        return self._ticks.get(len(X) if hasattr(X, "__len__") else X.shape[0])


def _caller() -> Any:
    """Find the estimator that iterates over a splitter."""
    frame = inspect.currentframe()
    while frame is not None:
        caller = frame.f_locals.get("self")
        if isinstance(caller, BaseEstimator):
            return caller
        frame = frame.f_back
    return None


def _subclasses(cls: Any) -> set[Any]:
    return {cls}.union(*map(_subclasses, cls.__subclasses__()))
