"""How long the history should be: the error and the cost of windows of several lengths."""

from collections.abc import Callable, Iterable, Sequence
from numbers import Integral
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student
from sklearn.base import clone
from sklearn.model_selection import check_cv
from sklearn.utils import Bunch, check_consistent_length
from sklearn.utils.parallel import Parallel, delayed

from skts._compat import HasMethods, Subtask, progress, safe_indexing, validate_params
from skts.exceptions import ShortSeriesError
from skts.metrics import ignore_missing
from skts.model_selection import PanelTimeSeriesSplit, place_before
from skts.panel import PanelIndex, check_same_series, check_squares, stretch_starts
from skts.windows import HistoryPrepender, SlidingWindower

Floats = NDArray[np.float64]


class Fold(NamedTuple):
    """The table of one training, its targets, and the rows to test on."""

    train: NDArray[np.int64]
    X: Any
    y: Any
    test: NDArray[np.int64]


@validate_params(
    {
        "estimator": [HasMethods(["fit", "predict"])],
        "X": ["array-like"],
        "y": ["array-like"],
        "lengths": ["array-like"],
        "cv": [HasMethods(["split", "get_n_splits"]), Iterable, None],
        "scoring": [str, callable, None],
        "same_targets": ["boolean"],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=False,  # the estimator is not validated yet
)
def history_curve(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    lengths: Sequence[int],
    cv: Any = None,
    scoring: str | Callable | None = None,
    same_targets: bool = True,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> Bunch:
    """Train with windows of several lengths, and give the error of each beside the time it takes.

    How long should the history be? As long as the error falls by more than it varies from fold to fold. So the answer
    is not only the length of the smallest error but also the shortest one that cannot be told from it: the rule of one
    standard error [1]_, with the error of the paired difference.

    Parameters
    ----------
    estimator : estimator
        With a :class:`~skts.HistoryPrepender` and a :class:`~skts.SlidingWindower` in it, such as a pipeline. It is
        cloned and stays as it is.
    X : array-like or DataFrame of shape (n_rows, n_features)
        Its index names series and times.
    y : array-like of shape (n_rows,) or (n_rows, n_targets)
        NaN is missing: such a row is forecast, and not scored.
    lengths : sequence of int
        Windows to try, in rows.
    cv : splitter or iterable of (train, test), default=None
        ``PanelTimeSeriesSplit()`` by default.
    scoring : str or scorer, default=None
        The mean absolute error by default. Of any other scorer the error is the negative score. Rows without a target
        are left out.
    same_targets : bool, default=True
        Whether all lengths learn the targets of the same rows: those that the longest window can be trained on. False
        gives each length all that it can be trained on, as it would be in service.
    n_jobs : int, default=None
        How many trainings run at once, as :class:`joblib.Parallel` has it. They slow each other down, and so change
        the seconds.
    verbose : int, default=0
        1 shows a progress bar that counts the trainings, 2 one of each training too, 3 those of its steps, such as the
        epochs of a network in a pipeline. They take the package rich. Callbacks that were set on the estimator by
        ``set_callbacks(sklearn.callback.ProgressBar())`` show the same.

    Returns
    -------
    result : Bunch
        With the attributes

        - `lengths`: ndarray of shape (n_lengths,), increasing, each once;
        - `errors`: ndarray of shape (n_lengths, n_folds), in the unit of the score;
        - `fit_seconds`, `predict_seconds`: ndarray of shape (n_lengths, n_folds), of the training, and of forecasting
          and scoring the test rows;
        - `best`: the length of the smallest mean error;
        - `shortest`: the shortest length whose mean error is at most one standard error of the paired difference above
          that of `best`; `best` itself where there is one fold;
        - `table`: DataFrame with a row for each length: `error` (the mean over the folds), `difference` to that of
          `best`, its `standard_error` and 95 % interval `low` to `high`, `fit_seconds` and `predict_seconds` (means).

    Raises
    ------
    ValueError
        There is nothing whose window could be set, no HistoryPrepender, or a length below 1.
    ShortSeriesError
        No series of a training set is long enough for the longest window and its horizon.

    See Also
    --------
    HistoryCurveDisplay : Draws it.
    sklearn.model_selection.validation_curve : Varies any one parameter; `history` and the length of the prepender have
        to be set to the longest window by hand, and every window learns from rows of its own.

    Notes
    -----
    All lengths train on the same rows and test on the same rows, fold by fold: `history` of the windower and `length`
    of the prepender are the longest of the lengths, so that every test row is forecast from the same origin. What makes
    one fold harder than another cancels in the difference of two lengths within it, and the standard error is that of
    these differences: their standard deviation over the folds, by the root of the number of folds. The interval is
    Student's, with one degree of freedom less than folds.

    With `same_targets` the targets of the first rows of each stretch without a gap, as many as the longest window has,
    are taken for missing in training, and all targets of a stretch that is too short for it. `X` stays whole, so that
    scalers and histories are the same for all. Where a forecaster learns from windows that lack some of their targets,
    a shorter one still begins up to `horizon - 1` windows earlier in each stretch, and learns no other rows by it. With
    a `stride` above 1 or `max_similarity` the windows of two lengths begin at different rows. An estimator that takes
    no NaN in `y` needs ``same_targets=False``.

    What it cannot tell:

    - The folds share training rows, and no estimate of the variance over folds is unbiased [2]_: with the few folds
      that time series allow, the standard error is a hint. The best of many lengths is also the luckiest one.
    - A length that a forecaster of another size, or trained for longer, would make better use of: the other parameters
      stay as they are. Put a search into the estimator where they should not.
    - A difference may be the luck of initial weights: the folds carry it into the standard error, and an
      :class:`~skts.strategies.EnsembleRegressor` averages it out.

    References
    ----------
    .. [1] L. Breiman, J. H. Friedman, R. A. Olshen, C. J. Stone. "Classification and Regression Trees", section 3.4.3.
       Wadsworth, 1984. :doi:`10.1201/9781315139470`
    .. [2] Y. Bengio and Y. Grandvalet. "No unbiased estimator of the variance of k-fold cross-validation". Journal of
       Machine Learning Research 5, 2004. https://jmlr.org/papers/v5/grandvalet04a.html

    Examples
    --------
    A value that is an echo of the one four rows before needs four rows of history:

    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from skts import HistoryPrepender, SlidingWindower
    >>> from skts.inspection import history_curve
    >>> from skts.strategies import WindowedRegressor
    >>> y = np.random.default_rng(0).normal(size=600)
    >>> for t in range(4, len(y)):
    ...     y[t] += 0.9 * y[t - 4]
    >>> pipe = make_pipeline(HistoryPrepender(1), SlidingWindower(1), WindowedRegressor(Ridge()))
    >>> result = history_curve(pipe, y.reshape(-1, 1), y, lengths=[2, 4, 8])
    >>> result.table["error"].round(1).tolist(), result.shortest
    ([1.9, 0.8, 0.8], 4)
    """
    tried = _read_lengths(lengths)
    check_same_series(X, y)
    check_consistent_length(X, y)
    check_squares(y)
    paths, horizon = _find_parameters(estimator)
    longest = int(tried[-1])
    folds = [
        _make_fold(number, train, test, X, y, longest, horizon, same_targets)
        for number, (train, test) in enumerate(check_cv(PanelTimeSeriesSplit() if cv is None else cv).split(X, y))
    ]
    scorer = ignore_missing("neg_mean_absolute_error" if scoring is None else scoring)
    sized = [clone(estimator).set_params(**_sizes(paths, int(length), longest)) for length in tried]
    with progress("history_curve", len(tried) * len(folds), estimator, verbose, subtask="training") as training:
        jobs = [delayed(_run)(training.make(), each, X, y, fold, scorer) for each in sized for fold in folds]
        results = np.array(Parallel(n_jobs=n_jobs)(jobs)).reshape(len(tried), len(folds), 3)
    return _summarise(tried, *np.moveaxis(results, 2, 0))


def _run(training: Subtask, estimator: Any, X: Any, y: Any, fold: Fold, scorer: Callable) -> tuple[float, float, float]:
    """Train a clone and test it: the error, and the seconds of both."""
    start = perf_counter()
    fitted = training.fit(clone(estimator), fold.X, fold.y)
    fit_seconds = perf_counter() - start
    ready = place_before(fitted, X, PanelIndex.read(X), fold.train, fold.test)
    X_test, y_test = safe_indexing(X, fold.test), safe_indexing(y, fold.test)
    start = perf_counter()
    error = -scorer(ready, X_test, y_test)
    return error, fit_seconds, perf_counter() - start


def _summarise(lengths: NDArray[np.int64], errors: Floats, fit_seconds: Floats, predict_seconds: Floats) -> Bunch:
    """Compare the lengths, fold by fold, with the best of them."""
    best = int(np.argmin(errors.mean(axis=1)))  # the shortest of equally good ones
    difference, standard_error, half = paired_difference(errors, best)
    table = pd.DataFrame(
        {
            "error": errors.mean(axis=1),
            "difference": difference,
            "standard_error": standard_error,
            "low": difference - half,
            "high": difference + half,
            "fit_seconds": fit_seconds.mean(axis=1),
            "predict_seconds": predict_seconds.mean(axis=1),
        },
        index=pd.Index(lengths, name="length"),
    )
    return Bunch(
        lengths=lengths,
        errors=errors,
        fit_seconds=fit_seconds,
        predict_seconds=predict_seconds,
        best=int(lengths[best]),
        shortest=int(lengths[_find_sufficient(difference, standard_error, best)]),
        table=table,
    )


def paired_difference(errors: Floats, best: int) -> tuple[Floats, Floats, Floats]:
    """Compare rows of errors with one of them, column by column.

    Parameters
    ----------
    errors : ndarray of shape (n_lengths, n_folds)
    best : int
        The row to compare with.

    Returns
    -------
    difference, standard_error, half : ndarray of shape (n_lengths,)
        The mean difference, its standard error, and half of its 95 % interval; the last two NaN where there is one
        fold, and 0 for the row itself where there are more.
    """
    differences = errors - errors[best]
    n_folds = errors.shape[1]
    if n_folds < 2:
        unknown = np.full(len(errors), np.nan)
        return differences.mean(axis=1), unknown, unknown
    standard_error = differences.std(axis=1, ddof=1) / n_folds**0.5
    return differences.mean(axis=1), standard_error, student.ppf(0.975, n_folds - 1) * standard_error


def _find_sufficient(difference: Floats, standard_error: Floats, best: int) -> int:
    """Find the first that is at most one standard error worse than the best."""
    alike = difference <= standard_error  # False beside NaN
    alike[best] = True
    return int(np.argmax(alike))


def _read_lengths(lengths: ArrayLike) -> NDArray[np.int64]:
    read = np.asarray(lengths)
    if read.ndim != 1 or len(read) == 0 or read.dtype.kind not in "iu" or read.min() < 1:
        raise ValueError(f"history_curve(lengths={lengths!r}): whole numbers of rows are expected, each at least 1.")
    return np.unique(read).astype(np.int64)


def _find_parameters(estimator: Any) -> tuple[dict[str, list[str]], int]:
    """Find the names by which `set_params` reaches the windowers and the prependers, and the longest horizon."""
    parts = estimator.get_params()
    windowers = {name: part for name, part in parts.items() if isinstance(part, SlidingWindower)}
    prependers = [name for name, part in parts.items() if isinstance(part, HistoryPrepender)]
    if not windowers:
        raise ValueError(
            f"history_curve: {type(estimator).__name__} has no SlidingWindower among its parameters, whose window "
            "could be set: give the pipeline, not fitted or frozen, in which it is a step."
        )
    whole = [name for name, part in windowers.items() if part.window is None]
    if whole:
        raise ValueError(
            f"history_curve: {whole[0]!r} is a SlidingWindower(window=None), which reads whole series: there is no "
            "window to vary. Give it a window."
        )
    if not prependers:
        raise ValueError(
            f"history_curve: {type(estimator).__name__} has no HistoryPrepender, so that longer windows would leave "
            "fewer rows to forecast: put HistoryPrepender before SlidingWindower."
        )
    return {"windowers": list(windowers), "prependers": prependers}, max(each.horizon for each in windowers.values())


def _sizes(paths: dict[str, list[str]], length: int, longest: int) -> dict[str, int]:
    """Give the parameters that set one length, with the history of the longest."""
    windows = {f"{name}__window": length for name in paths["windowers"]}
    histories = {f"{name}__history": longest for name in paths["windowers"]}
    return windows | histories | {f"{name}__length": longest for name in paths["prependers"]}


def _make_fold(
    number: int, train: ArrayLike, test: ArrayLike, X: Any, y: Any, longest: int, horizon: int, same_targets: bool
) -> Fold:
    """Take the training rows, and hide the targets that the longest window cannot be trained on."""
    rows = [np.flatnonzero(some) if np.asarray(some).dtype == np.bool_ else np.asarray(some) for some in (train, test)]
    rows[0] = np.sort(rows[0])
    X_train, y_train = safe_indexing(X, rows[0]), safe_indexing(y, rows[0])
    since, stretch = rows_since_gap(PanelIndex.read(X_train, reader="history_curve"))
    needed, n_longest = longest + horizon, int(stretch.max())
    if n_longest < needed:
        raise ShortSeriesError(
            f"history_curve(lengths=[..., {longest}]) needs {needed} consecutive rows for one training window and its "
            f"horizon, and fold {number} trains on at most {n_longest}: give shorter lengths, or fewer or later folds "
            "by cv=PanelTimeSeriesSplit(n_splits, test_size=...)."
        )
    if same_targets:
        y_train = hide(y_train, (since < longest) | (stretch < needed))
    return Fold(rows[0], X_train, y_train, rows[1])


def rows_since_gap(panel: PanelIndex) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count the rows right before each row without a gap between them.

    Returns
    -------
    since : ndarray of int64 of shape (n_rows,)
        In the order of the table.
    stretch : ndarray of int64 of shape (n_rows,)
        How many rows the stretch without a gap has that each row lies in.
    """
    stretches = stretch_starts(panel.ticks, panel.indptr, panel.step)
    lengths = np.diff(stretches)
    since, stretch = np.empty((2, len(panel.rows)), dtype=np.int64)
    since[panel.rows] = np.arange(len(panel.rows)) - np.repeat(stretches[:-1], lengths)
    stretch[panel.rows] = np.repeat(lengths, lengths)
    return since, stretch


def hide(y: Any, rows: NDArray[np.bool_]) -> Any:
    """Copy targets, with NaN in some rows."""
    if hasattr(y, "iloc"):
        hidden = y.astype(np.float64)
        hidden.iloc[rows] = np.nan
        return hidden
    hidden = np.array(y, dtype=np.float64)
    hidden[rows] = np.nan
    return hidden
