"""What an estimator would have forecast, fold by fold."""

import copy
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import check_cv
from sklearn.utils import check_consistent_length
from sklearn.utils.parallel import Parallel, delayed

from skts._compat import HasMethods, Interval, StrOptions, Subtask, progress, safe_indexing, validate_params
from skts.exceptions import FutureTrainingWarning
from skts.model_selection._fold_table import check_level_names, make_fold_table, read_forecasts, read_levels
from skts.model_selection._history import place_before
from skts.model_selection._leave_series_out import LeaveSeriesOut
from skts.model_selection._purged_panel_k_fold import PurgedPanelKFold
from skts.model_selection._quantiles import check_forecasts_quantiles
from skts.panel import PanelIndex, check_same_series, check_squares, has_target
from skts.strategies import update
from skts.windows import find_horizon, find_windowers, unwrap, walk


class Fold(NamedTuple):
    """A split and its number: rows to train on, increasing, and rows to forecast, ndarrays of int64."""

    number: int
    train: NDArray[np.int64]
    test: NDArray[np.int64]


@validate_params(
    {
        "estimator": [HasMethods(["fit", "predict"])],
        "X": ["array-like"],
        "y": ["array-like"],
        "cv": [HasMethods(["split", "get_n_splits"]), Iterable, Integral],
        "refit": ["boolean", Interval(Integral, 1, None, closed="left")],
        "update_epochs": [Interval(Integral, 0, None, closed="left"), None],
        "n_jobs": [Integral, None],
        "quantiles": ["array-like", None],
        "on_error": [StrOptions({"warn", "raise"})],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=False,  # the estimator is not validated yet
)
def backtest(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    cv: Any,
    refit: bool | int = True,
    update_epochs: int | None = None,
    n_jobs: int | None = None,
    quantiles: ArrayLike | None = None,
    on_error: str = "warn",
    verbose: int = 0,
) -> pd.DataFrame:
    """Forecast every test set of a splitter, and give all forecasts in one table.

    The counterpart of :func:`~sklearn.model_selection.cross_val_predict` for rolling origins: a row may be forecast
    more than once, and each forecast has the time it was made at and its lead.

    Parameters
    ----------
    estimator : estimator
        Any with `fit` and `predict`, such as a pipeline with :class:`~skts.SlidingWindower` or a search over one. It
        is cloned and stays as it is.
    X : array-like or DataFrame of shape (n_rows, n_features)
        Its index names series and times.
    y : array-like of shape (n_rows,)
        One target. NaN is missing: such a row is forecast, and `y_true` is NaN. An estimator without a windower is
        trained on the other rows alone.
    cv : splitter or iterable of (train, test)
        Such as :class:`PanelTimeSeriesSplit`. An integer, which scikit-learn takes for folds that train on the future,
        is refused.
    refit : bool or int, default=True
        True trains for every fold, an integer k for every k-th, False for the first one alone. Between two trainings
        the estimator rolls on: it stays as trained, and reads the rows right before each test set as history.
    update_epochs : int, default=None
        Between two trainings the estimator is brought up to date, too, by :func:`skts.update` with the rows by which
        the training set of a fold is larger than those before: conformal scores, weights and bias, and with 1 or more
        so many epochs of its networks. None leaves all but history as trained.
    n_jobs : int, default=None
        How many trainings run at once, as :class:`joblib.Parallel` has it.
    quantiles : array-like of shape (n_quantiles,), default=None
        Levels strictly between 0 and 1 to forecast, too, by ``predict(X, quantiles=...)``.
    on_error : {"warn", "raise"}, default="warn"
        Whether a fold that fails is left out, with a warning that names it and its error, or ends the backtest.
    verbose : int, default=0
        1 shows a progress bar that counts the trainings, 2 one of each training too, 3 those of its steps, such as the
        epochs of a network in a pipeline. They take the package rich. Callbacks that were set on the estimator by
        ``set_callbacks(sklearn.callback.ProgressBar())`` show the same.

    Returns
    -------
    result : DataFrame of shape (n_forecasts, n_columns)
        A row for each forecast, fold by fold, in the order of `X`. Its columns:

        - the series: the levels of the index that name it, by their names ("series" or "series_0", "series_1", ...
          where they have none);
        - `time`: of the row that is forecast; the row number where the table has no times;
        - `origin`: the time that lead 1 of the same forecast is for, and what was observed was known up to the row
          before; of a table with runs (a level `run` in its index) the run;
        - `lead`: how many rows ahead, from 1 up to the horizon of the windower;
        - `fold`: from 0;
        - `y_true` and `y_pred`, in the unit of `y`;
        - `q0.1` and the like, for every level in `quantiles`, increasing.

    Raises
    ------
    LostSeriesError
        `X` is a table without series while `y` has several.
    TypeError
        Quantiles of an estimator that forecasts none.
    ValueError
        An integer for `cv`, `update_epochs` with a training for every fold, more than one target, a fold to be forecast
        by an estimator that was trained on its rows, a `predict` that does not forecast every row, or no fold that
        works.

    Warns
    -----
    FitFailedWarning
        A fold failed, or its worker process was killed, with ``on_error="warn"``.
    FutureTrainingWarning
        A splitter, such as KFold, trains on rows that are no earlier than those it tests on. Those of this package that
        are made for it (:class:`PurgedPanelKFold`, :class:`LeaveSeriesOut`) and a list of splits do not warn.

    See Also
    --------
    score_table : Scores the result by lead, series, hour, ...
    skts.update : Goes on after `fit`.

    Notes
    -----
    With a windower every series is forecast in consecutive blocks of `horizon` rows from its first row in the test
    set on; without one, a single block begins there. The blocks are the same whatever `refit` is.

    The history of a test set are the rows of `X` before it, and where these are not the rows that the estimator was
    trained on (between two trainings, after a `gap` or an embargo), :class:`~skts.HistoryPrepender` alone is given
    them, after the fitted steps before it have transformed them; so rolling on costs no more than a look at the
    table, and a network sees exactly what it would see after another training. Where the training rows are the rows
    before the test set, the forecasts are those of ``fit`` and ``predict``. Training rows stand in the order of `X`.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from skts.datasets import make_panel
    >>> from skts.model_selection import PanelTimeSeriesSplit, backtest
    >>> X, y = make_panel(n_series=2, n_rows=48, random_state=0)
    >>> result = backtest(Ridge(), X[["wind"]], y, cv=PanelTimeSeriesSplit(2, test_size=12), refit=False)
    >>> result.shape
    (48, 7)
    >>> result.columns.tolist()
    ['station', 'time', 'origin', 'lead', 'fold', 'y_true', 'y_pred']
    """
    _refuse_integer(cv)
    check_same_series(X, y)
    check_consistent_length(X, y)
    _check_one_target(y)
    check_squares(y)
    check_level_names(X)
    levels = None if quantiles is None else read_levels(quantiles)
    if levels is not None:
        check_forecasts_quantiles(estimator)
    splits = enumerate(check_cv(cv).split(X, y))
    folds = [Fold(number, np.sort(_read_rows(train)), _read_rows(test)) for number, (train, test) in splits]
    groups = _group(folds, refit)
    _check_updates(update_epochs, refit)
    _warn_of_future(cv, folds, X)
    with progress("backtest", len(groups), estimator, verbose, subtask="fold") as training:
        jobs = [
            delayed(_run)(training.make(), estimator, X, y, group, update_epochs, levels, on_error) for group in groups
        ]
        done = [each for some in _run_all(jobs, groups, n_jobs, on_error) for each in some]
    return _collect(done)


def _run_all(
    jobs: list[Any], groups: list[list[Fold]], n_jobs: int | None, on_error: str
) -> Iterator[list[pd.DataFrame | str]]:
    """Give the results in order. Where a worker process dies, all that are left run one by one, each in a process."""
    n_done = 0
    try:
        for result in Parallel(n_jobs=n_jobs, return_as="generator")(jobs):
            yield result
            n_done += 1
        return
    except BrokenProcessPool:
        if on_error == "raise":
            raise
    for job, group in zip(jobs[n_done:], groups[n_done:], strict=True):
        try:
            yield from Parallel(n_jobs=2)([job])
        except BrokenProcessPool as error:
            yield [f"fold {fold.number}: {type(error).__name__}: its process was killed" for fold in group]


def _read_rows(some: ArrayLike) -> NDArray[np.int64]:
    """Read row numbers, which may be given as a mask."""
    rows = np.asarray(some)
    return np.flatnonzero(rows) if rows.dtype == np.bool_ else rows


def _refuse_integer(cv: Any) -> None:
    if isinstance(cv, Integral):
        raise ValueError(
            f"backtest(cv={cv}): a splitter is expected. Folds of rows, which scikit-learn makes of an integer, train "
            f"on the future of what they test: give PanelTimeSeriesSplit({max(int(cv), 2)})."
        )


def _warn_of_future(cv: Any, folds: list[Fold], X: Any) -> None:
    """Warn of a splitter that trains on the future and is not made for it; splits by hand are taken as they are."""
    if not hasattr(cv, "split") or isinstance(cv, PurgedPanelKFold | LeaveSeriesOut):
        return
    cuts = PanelIndex.read(X).row_cuts
    numbers = [fold.number for fold in folds if cuts[fold.train].max() >= cuts[fold.test].min()]
    if numbers:
        warnings.warn(
            f"backtest(cv={type(cv).__name__}(...)): folds {numbers[:5]}{' ...' if len(numbers) > 5 else ''} train on "
            "rows that are no earlier than rows they forecast, so their scores are better than those in service: give "
            "PanelTimeSeriesSplit, which trains on the past alone.",
            FutureTrainingWarning,
            stacklevel=4,
        )


def _check_one_target(y: Any) -> None:
    shape = np.shape(y)
    if len(shape) > 1 and shape[1:] != (1,):
        raise ValueError(
            f"backtest: y has shape {shape}, and one target, of shape (n_rows,), is expected: backtest one at a time."
        )


def _check_updates(update_epochs: int | None, refit: bool | int) -> None:
    if update_epochs is not None and refit == 1:
        raise ValueError(
            f"backtest(update_epochs={update_epochs}, refit={refit}) trains for every fold, and has nothing to update "
            "between: give refit=False, or every how many folds to train."
        )


def _group(folds: list[Fold], refit: bool | int) -> list[list[Fold]]:
    """Put the folds together that one training serves."""
    size = int(refit) or max(len(folds), 1)
    groups = [folds[i : i + size] for i in range(0, len(folds), size)]
    for first, *others in groups:
        for fold in others:
            if np.isin(fold.test, first.train).any():
                raise ValueError(
                    f"backtest(refit={refit}): the estimator of fold {first.number} forecasts fold {fold.number} as "
                    "well, and was trained on rows of it. Give refit=True, or a splitter that trains on the past "
                    "alone, such as PanelTimeSeriesSplit."
                )
    return groups


def _run(
    training: Subtask,
    estimator: Any,
    X: Any,
    y: Any,
    group: list[Fold],
    update_epochs: int | None,
    levels: NDArray[np.float64] | None,
    on_error: str,
) -> list[pd.DataFrame | str]:
    """Train once, and forecast the folds that the training serves; a fold that fails gives its message."""
    try:
        fitted = _fit(training, estimator, X, y, group[0].train)
        if update_epochs is not None and any(isinstance(part, FrozenEstimator) for part in walk(fitted)):
            fitted = copy.deepcopy(fitted)  # a clone of a frozen estimator is the estimator itself
    except Exception as error:
        if on_error == "raise":
            raise
        return [_describe(fold, error) for fold in group]
    done: list[pd.DataFrame | str] = []
    learned = group[0].train
    for fold in group:
        try:
            if update_epochs is not None:
                learned = _update(fitted, X, y, learned, fold.train, update_epochs)
            done.append(_forecast(fitted, X, y, learned, fold, levels))
        except Exception as error:
            if on_error == "raise":
                raise
            done.append(_describe(fold, error))
    return done


def _describe(fold: Fold, error: Exception) -> str:
    return f"fold {fold.number}: {type(error).__name__}: {error}"


def _fit(training: Subtask, estimator: Any, X: Any, y: Any, train: NDArray[np.int64]) -> Any:
    if not find_windowers(estimator):  # which need rows without a target
        train = train[has_target(safe_indexing(y, train))]
    return training.fit(clone(estimator), safe_indexing(X, train), safe_indexing(y, train))


def _update(
    fitted: Any, X: Any, y: Any, learned: NDArray[np.int64], train: NDArray[np.int64], epochs: int
) -> NDArray[np.int64]:
    """Bring an estimator up to date with the rows of a training set that it has not seen; give all that it has."""
    new = np.setdiff1d(train, learned)
    if len(new):
        update(fitted, safe_indexing(X, new), safe_indexing(y, new), epochs=epochs)
    return np.union1d(learned, new)


def _forecast(
    fitted: Any, X: Any, y: Any, train: NDArray[np.int64], fold: Fold, levels: NDArray[np.float64] | None
) -> pd.DataFrame:
    """Forecast one test set."""
    X_test = safe_indexing(X, fold.test)
    layout = PanelIndex.read(safe_indexing(X, train)).layout
    ready = place_before(fitted, X, PanelIndex.read(X), train, fold.test)
    y_pred = read_forecasts("predict(X)", ready.predict(X_test), (len(fold.test),))
    table = make_fold_table(X_test, PanelIndex.read(X_test, layout), fold.test, find_horizon(fitted))
    table["fold"] = fold.number
    table["y_true"] = np.asarray(safe_indexing(y, fold.test), dtype=np.float64).ravel()
    table["y_pred"] = y_pred
    if levels is not None:
        forecasts = unwrap(ready).predict(X_test, quantiles=levels.tolist())
        forecasts = read_forecasts("predict(X, quantiles=...)", forecasts, (len(fold.test), len(levels)))
        table[[f"q{level}" for level in levels]] = forecasts
    return table


def _collect(done: list[pd.DataFrame | str]) -> pd.DataFrame:
    """Join what worked, and warn of what did not."""
    tables = [each for each in done if isinstance(each, pd.DataFrame)]
    failures = [each for each in done if isinstance(each, str)]
    if not tables:
        raise ValueError("backtest: no fold gave a forecast.\n" + "\n".join(failures))
    for failure in failures:
        warnings.warn(f"backtest left out {failure}", FitFailedWarning, stacklevel=4)
    return pd.concat(tables, ignore_index=True)
