"""Whether forecasts depend on what they must not see: an experiment."""

from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_consistent_length

from skts._compat import HasMethods, Interval, progress, validate_params, without_propagated
from skts.exceptions import LeakError
from skts.inspection.leakage._experiment import Experiment, Leak, split_leak
from skts.inspection.leakage._leak_report import LeakReport
from skts.inspection.leakage._procedure import Procedure, with_seeds
from skts.inspection.leakage._splits import count_not_later
from skts.model_selection import PanelTimeSeriesSplit, PurgedPanelKFold
from skts.panel import Columns, PanelIndex, check_same_series, check_squares

_columns = [str, Integral, slice, "array-like", callable, None]


@validate_params(
    {
        "estimator": [HasMethods(["fit"])],  # a stacking has no predict before it is fitted
        "X": ["array-like"],
        "y": ["array-like"],
        "prepare": [callable, None],
        "known": _columns,
        "target": _columns,
        "cv": [HasMethods(["split", "get_n_splits"]), None],
        "n_origins": [Interval(Integral, 1, None, closed="left")],
        "per_series": ["boolean"],
        "watch_splits": ["boolean"],
        "strict": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def check_leakage(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    prepare: Callable | None = None,
    known: Columns | None = None,
    target: Columns | None = None,
    cv: Any = None,
    n_origins: int = 20,
    per_series: bool = False,
    watch_splits: bool = False,
    strict: bool = False,
    random_state: int | RandomState | None = None,
    verbose: int = 0,
) -> LeakReport:
    """Change what forecasts must not see, and report which of them change.

    A leak is the use of what would not be there at the time of the forecast [1]_: a scaler that has seen the test
    rows, a rolling mean that is centred, a gap that is filled from later rows. An estimator is fitted on the training
    rows of one fold and forecasts its test rows. Then, from each of several origins on, the table gets other values,
    the whole procedure is run again, and every forecast made up to that origin is compared with what it was.

    A forecast for row t made at origin o may read the target and observed columns up to row o - 1, known columns up to
    the end of its horizon (and as many rows after it as a network declares by its `lookahead_`), and nothing else.
    Origins and horizon are those of the :class:`~skts.SlidingWindower` in the estimator. Without one each row is
    forecast on its own: it may read its own row of the known columns. Of a table with runs (a level `run` in its index)
    the origins tried are runs: a forecast may read the known columns of its own run and of earlier ones, for all times,
    and the target and observed columns up to the time of its run.

    It is an experiment, and finds leaks that show in the forecasts of the cases it tries; where it finds none, that is
    no proof (see the notes).

    Parameters
    ----------
    estimator : estimator
        Any regressor of scikit-learn, :class:`~sklearn.pipeline.Pipeline` or search; cloned and fitted.
    X : array-like or DataFrame of shape (n_rows, n_features)
        The raw table: that which `prepare` is given. Its index names series and times.
    y : array-like, Series or DataFrame of shape (n_rows,) or (n_rows, n_targets)
    prepare : callable, default=None
        What is done to the whole table before it is split, as `prepare(X, y)`, which returns `X`, or `X` and `y`: lags,
        scaling, filling of gaps. Where it is given, the raw table is perturbed and prepared anew each time. It may drop
        rows, but not add any.
    known : str, int, slice, list of str or int, or callable, default=None
        The columns of the raw `X` whose values are known over the horizon. By default those that the windower knows,
        by name; without a windower all but the target's own. Static columns of the windower are not perturbed: they
        have one value for all times.
    target : str, int, slice, list of str or int, or callable, default=None
        The columns of the raw `X` that hold the target, which are never known; by default those that equal `y`.
    cv : splitter, default=None
        Its last split is the fold; all of them are checked for training rows that are no earlier than a test row.
        ``PanelTimeSeriesSplit(2)`` by default.
    n_origins : int, default=20
        How many origins of the test rows to try: the first, and others at random, half of them right after missing
        values where there are such.
    per_series : bool, default=False
        Whether a forecast may read its own series alone: the test rows of all others, the past ones too, are perturbed.
        What training has learned from the others is no matter here.
    watch_splits : bool, default=False
        Whether to watch the splits that the estimator makes within its fit, and report one that validates on rows no
        later than those it trains on (shuffled rows, the earliest fifth, other stations at the same times). To do so
        the method `split` of the splitters of scikit-learn is replaced for the time of one fit, in the whole process:
        not thread-safe.
    strict : bool, default=False
        Whether to raise an error where there is a leak.
    random_state : int, RandomState instance or None, default=None
        Decides the origins, the values, and a number for every `random_state` of the estimator that is None.
    verbose : int, default=0
        1 shows a progress bar of the first fit and of the origins and series tried, 2 one of that fit too, 3 those of
        its steps. They take the package rich. Callbacks that were set on the estimator by
        ``set_callbacks(sklearn.callback.ProgressBar())`` show the same.

    Returns
    -------
    report : LeakReport
        `ok` says whether nothing changed, `leaks` what did; printed, it names the suspects.

    Raises
    ------
    LeakError
        There is a leak, and `strict`.
    ValueError
        Two fits or two forecasts on the same rows with the same seeds differ, so that a change would show nothing; a
        `prepare` that adds rows; a fold without training or test rows.

    See Also
    --------
    PanelTimeSeriesSplit : Trains on the past alone.

    Notes
    -----
    The target (with its own columns), the observed and the known columns are perturbed in turn where perturbing all at
    once changes anything. The new values are, one after the other, such as the column has elsewhere, thousands of
    standard deviations away (so that what dilutes in a mean shows), and missing. Values that the procedure refuses, by
    a ValueError, are listed in the report.

    A forecast counts as changed from 1e-6 of the standard deviation of all forecasts on: far below what a value that
    is read makes, and far above what rounding makes of a sum over a table in which wild values stand elsewhere. All
    else is computed from the same numbers in the same order and is bitwise the same.

    Training is repeated only where `prepare` has changed the training rows, which is a leak in itself, and so only for
    the first few origins: after that the training rows alone are compared.

    With `watch_splits`, windows that reach over the boundary of a split are not reported, nor is
    :class:`~skts.model_selection.PurgedPanelKFold`.

    What it cannot see:

    - values that `prepare` or the estimator take from elsewhere than their arguments: a table of the truth in a
      closure, a global variable or a file stays as it is when the cells of `X` and `y` change;
    - what a :class:`~sklearn.frozen.FrozenEstimator` was fitted on;
    - changes within the tolerance, and leaks at origins, or by values, that were not drawn;
    - splits within the fit, without `watch_splits`; and with it those that an estimator makes in its own code or in
      another process (`n_jobs`);
    - rows that `prepare` keeps or drops by what comes after them, such as the target of the next row: a forecast that
      is gone cannot be compared, and whether a training row goes with it depends on the values drawn, so that some
      seeds of `random_state` show it and others do not.

    References
    ----------
    .. [1] S. Kaufman, S. Rosset, C. Perlich, O. Stitelman, "Leakage in data mining: formulation, detection, and
       avoidance", ACM Transactions on Knowledge Discovery from Data 6(4), 2012,
       https://doi.org/10.1145/2382577.2382579

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from skts.datasets import make_panel
    >>> from skts.inspection import check_leakage
    >>> X, y = make_panel(n_series=2, n_rows=120, random_state=0)
    >>> def trailing(X, y, center=False):
    ...     past = X.groupby("station")["power"].shift(1)
    ...     smooth = past.groupby("station").rolling(5, center=center).mean().droplevel(0)
    ...     return X.assign(power=smooth).dropna()
    >>> check_leakage(Ridge(), X, y, prepare=trailing, random_state=0).ok
    True
    >>> def centred(X, y):
    ...     return trailing(X, y, center=True)
    >>> print(check_leakage(Ridge(), X, y, prepare=centred, random_state=0))
    LeakReport: 1 suspect in 76 forecasts from 20 origins
      target (power) from the origin on changed 2 of 154 training rows
      target (power) from the origin on changed 78 of 808 forecasts (lead 1, 20 origins, by up to 0.544 sd)
      perturbed target: power
      perturbed known columns: wind
    """
    rng = check_random_state(random_state)
    X, y = _read(X, "X"), _read(y, "y")
    check_consistent_length(X, y)
    check_same_series(X, y)
    check_squares(y)
    panel = PanelIndex.read(X)
    train, test, cv_leaks = _choose_fold(cv, X, y, panel.row_ticks)
    rows = np.arange(len(X))
    seeded = without_propagated(with_seeds(estimator, rng))
    procedure = Procedure(seeded, prepare, np.isin(rows, train), np.isin(rows, test))
    settings = {"known": known, "target": target, "watch_splits": watch_splits, "rng": rng}
    n_trials = 1 + n_origins * (1 + per_series)
    with progress("check_leakage", n_trials, estimator, verbose, subtask="trial") as advance:
        experiment = Experiment(procedure, X, y, panel, advance, **settings)
        leaks = [*cv_leaks, *experiment.try_origins(n_origins)]
        if per_series:
            leaks += experiment.try_series(n_origins)
    report = experiment.report(leaks)
    if strict and not report.ok:
        raise LeakError(report)
    return report


def _read(table: Any, name: str) -> Any:
    """Give a table that can be indexed by position: pandas stays, anything else becomes an array."""
    if isinstance(table, pd.Series | pd.DataFrame):
        return table
    return check_array(
        table, dtype=None, ensure_2d=name == "X", ensure_all_finite="allow-nan", allow_nd=False, input_name=name
    )


def _choose_fold(
    cv: Any, X: Any, y: Any, ticks: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], list[Leak]]:
    """Take the last split that trains on the past alone, and report those that do not."""
    leaks: list[Leak] = []
    folds = []
    for train, test in [] if cv is None else cv.split(X, y):
        n_not_later = count_not_later(ticks, train, test)
        if n_not_later == 0:
            folds.append((train, test))
        elif not isinstance(cv, PurgedPanelKFold):
            leaks.append(split_leak(f"{type(cv).__name__} given as cv", n_not_later, len(test)))
    train, test = (folds or list(PanelTimeSeriesSplit(2).split(X, y)))[-1]
    worst = sorted(leaks, key=lambda leak: leak["n_changed"])[-1:]
    return train, test, worst
