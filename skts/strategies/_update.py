"""Going on after `fit`: a whole fitted pipeline brought up to date with rows that came since."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import singledispatch
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from skts._compat import Interval, validate_params
from skts.panel import check_same_series, read_index
from skts.windows import SlidingWindower, TrainedTimes, holder_of_parts, walk


@validate_params(
    {
        "pipe": "no_validation",
        "X_new": ["array-like"],
        "y_new": ["array-like", None],
        "epochs": [Interval(Integral, 0, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def update(pipe: Any, X_new: Any, y_new: Any = None, *, epochs: int = 0) -> Any:
    """Bring a fitted pipeline up to date with rows that came after those it was fitted on.

    Every part learns what it can without another fit:

    - :class:`~skts.HistoryPrepender` remembers the new rows, as a fit on all rows would (`partial_fit`).
    - :class:`ConformalRegressor`, :class:`CombinationRegressor` and :class:`RecalibratedRegressor` first forecast the
      new rows as they are, and put these forecasts, with the truths, beside those that were held out in `fit`. So fixed
      corrections and stacked weights come from more rows; adaptive corrections, online weights and the rolling bias
      have gone through the new truths, exactly as `predict` does where the column `target` holds them.
    - with `epochs`, networks train for so many epochs on the windows that forecast the rows given: new ones, and those
      before that are given again, so that what they say is not forgotten.
    - scalers and other transformers stay, as the network behind them knows the units that they give. So does an
      estimator that learns by `fit` alone, such as gradient boosting on windows.

    Parameters
    ----------
    pipe : estimator
        Fitted: a pipeline, a strategy or a search around one, or a part of it. It is changed.
    X_new : array-like or DataFrame of shape (n_rows, n_features)
        Rows that are later than all rows so far of their series (of a table with runs, runs that were made later), as
        `fit` was given them; series may be new. With `epochs` it may begin earlier, with rows that were given before:
        networks train on them once more, and nothing else reads them. Every series has a row that is new. A table
        without times follows the rows before.
    y_new : array-like of shape (n_rows,) or (n_rows, n_targets), default=None
        The truths, NaN where they are missing. None brings history alone up to date.
    epochs : int, default=0
        How many epochs networks train on the rows given: at a tenth of the learning rate of `fit`, constant, without
        early stopping, and otherwise as `fit` did. The parameters of the estimator stay.

    Returns
    -------
    pipe : estimator
        The same one.

    Raises
    ------
    NotFittedError
    PanelIndexError
        An index unlike that of `fit`.
    ShortSeriesError
        With `epochs`: the new rows and the history before them make no training window.
    ValueError
        Rows that are no later than those so far, without `epochs`; other columns; `epochs` without `y_new`, or of what
        holds no network that could be trained. The pipe is then as it was before.

    See Also
    --------
    skts.HistoryPrepender.partial_fit : Remembers rows, wherever they lie.
    skts.model_selection.backtest : Measures with `update_epochs` what updates are worth.

    Notes
    -----
    Give every row as a new one once, when its truth is there. New rows are forecast in blocks of the horizon from the
    first of each series on, as in `predict`: begin them where forecasts are issued.

    Adaptive corrections still start from the scores of `fit`, and then go through all since.

    What it cannot tell: whether epochs help. On a few weeks alone a network follows what has changed and what is chance
    alike, and forgets the other seasons; a year that ends with those weeks is the safer choice. A backtest tells.

    In a frozen estimator (:class:`~sklearn.frozen.FrozenEstimator`) and in meta-estimators that are not known here,
    such as :class:`~sklearn.ensemble.VotingRegressor`, history alone is brought up to date.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from skts import DLinearRegressor, HistoryPrepender, SlidingWindower, update
    >>> from skts.datasets import make_panel
    >>> X, y = make_panel(n_series=1, n_rows=240, random_state=0)
    >>> network = DLinearRegressor(max_epochs=2, random_state=0)
    >>> pipe = make_pipeline(HistoryPrepender(24), SlidingWindower(24, horizon=6, known="wind"), network)
    >>> pipe = pipe.fit(X[:180], y[:180])
    >>> update(pipe, X[180:234], y[180:234], epochs=1).predict(X[234:]).shape
    (6,)
    >>> network.n_iter_
    3
    """
    check_is_fitted(pipe)
    if y_new is not None:
        check_consistent_length(X_new, y_new)
        check_same_series(X_new, y_new)
    elif epochs:
        raise ValueError(f"update(epochs={epochs}, y_new=None): give y_new, the target to train on, or epochs=0.")
    _check_later(pipe, X_new, once_more=epochs > 0)
    with _as_before_on_error(pipe):
        n_trained = update_part(pipe, X_new, y_new, epochs)
        if epochs and not n_trained:
            raise ValueError(
                f"update(epochs={epochs}): {type(pipe).__name__} holds no network that could be trained further. Give "
                "epochs=0 to bring all else up to date, or fit anew."
            )
    return pipe


@singledispatch
def update_part(part: Any, X: Any, y: Any, epochs: int) -> int:
    """Bring an estimator up to date, and give how many networks in it were trained.

    One that has `__skts_update__` (or `__skts_go_on__`, a transformer) knows itself how; of another the fitted ones
    that it holds get history.

    Parameters
    ----------
    part : estimator
    X : table, or what a step before made of it
    y : target or None
    epochs : int
    """
    if hasattr(part, "__skts_update__"):
        return part.__skts_update__(X, y, epochs)
    if hasattr(part, "__skts_go_on__"):
        part.__skts_go_on__(X, y, 0)
        return 0
    if hasattr(part, "best_estimator_"):
        return update_part(part.best_estimator_, X, y, epochs)
    name = holder_of_parts(part)
    held = [] if name is None else getattr(part, name)
    for each in held if isinstance(held, list | tuple) else held.values() if isinstance(held, dict) else [held]:
        update_part(each[-1] if isinstance(each, tuple) else each, X, None, 0)
    return 0


@update_part.register
def _(part: Pipeline, X: Any, y: Any, epochs: int) -> int:
    for _, step in part.steps[:-1]:
        if isinstance(step, SlidingWindower) and not epochs:
            return 0  # there is nothing to learn behind it
        X, y = _pass_through(step, X, y, epochs)
    return update_part(part.steps[-1][1], X, y, epochs)


@update_part.register
def _(part: FrozenEstimator, X: Any, y: Any, epochs: int) -> int:
    update_part(part.estimator, X, None, 0)
    return 0


@update_part.register
def _(part: TransformedTargetRegressor, X: Any, y: Any, epochs: int) -> int:
    if y is not None:
        values = np.asarray(y, dtype=np.float64)
        y = part.transformer_.transform(values.reshape(len(values), -1)).reshape(values.shape)
    return update_part(part.regressor_, X, y, epochs)


def _pass_through(step: Any, X: Any, y: Any, epochs: int) -> tuple[Any, Any]:
    """Bring a transformer up to date, and give what it makes of the rows."""
    if step is None or isinstance(step, str):  # "passthrough"
        return X, y
    if isinstance(step, Pipeline):
        for _, inner in step.steps:
            X, y = _pass_through(inner, X, y, epochs)
        return X, y
    if hasattr(step, "__skts_go_on__"):
        return step.__skts_go_on__(X, y, epochs)
    return step.transform(X), y


@contextmanager
def _as_before_on_error(pipe: Any) -> Iterator[None]:
    """Put every part back to what it was where the block raises; nothing that a part holds is changed in place."""
    before = [(part, vars(part).copy()) for part in walk(pipe) if hasattr(part, "__dict__")]
    try:
        yield
    except BaseException:
        for part, state in before:
            vars(part).clear()
            vars(part).update(state)
        raise


def _check_later(pipe: Any, X: Any, *, once_more: bool) -> None:
    """Refuse rows that are no later than those that parts of the pipe have learned from.

    Where rows may be given once more, only series without a later row are refused.
    """
    index = read_index(X)
    if index.ticks is None:
        return
    for part in walk(pipe):
        trained = _trained_times(part)
        if trained is None or (trained.names is None) != (index.names is None):
            continue
        is_early = trained.reached(index)
        if once_more:  # what is left has series without a later row
            is_early &= ~np.isin(index.series, index.series[~is_early])
        early = np.flatnonzero(is_early)
        if len(early):
            row = int(early[0])
            assert index.clock is not None
            time = f"{index.clock.label(index.ticks[row])} of {index.describe(row)}"
            where = time if index.runs is None else index.describe_run(row)
            raise ValueError(
                f"update: {len(early)} of {len(index.ticks)} rows of X_new are no later than those that "
                f"{type(part).__name__} has seen of their series, the first of them row {row}, {where}. "
                "Give rows that came since, each once; with epochs, rows before them may be given again, too. "
                "HistoryPrepender.partial_fit takes any."
            )


def _trained_times(part: Any) -> TrainedTimes | None:
    if isinstance(part, FrozenEstimator):  # whose attributes are those of the estimator in it, which comes next
        return None
    taught = getattr(part, "_taught", None)
    return getattr(part, "_trained", None) if taught is None else taught.trained
