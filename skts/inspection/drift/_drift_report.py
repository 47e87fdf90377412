"""Which columns of new rows left the range of training, and whether forecasts are what was promised."""

from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted

from skts._compat import HasMethods, Interval, validate_params
from skts.inspection._plot._forecast_table import forecast_table
from skts.inspection.drift._blocks import Floats, Grid
from skts.inspection.drift._compare_columns import COLUMN_CHECKS, NewColumns, compare_columns, find_broken, find_gone
from skts.inspection.drift._compare_errors import compare_errors, error_checks
from skts.inspection.drift._drift_reference import DriftReference
from skts.inspection.drift._promise import Promise
from skts.inspection.drift._rows import Rows
from skts.panel import PanelIndex, check_same_series, naming_cells
from skts.windows import unwrap, walk


@validate_params(
    {
        "pipe": [HasMethods(["predict"]), None],
        "X_new": ["array-like"],
        "y_new": ["array-like", None],
        "reference": [DriftReference, None],
        "backtest": [pd.DataFrame, None],
        "forecasts": [pd.DataFrame, None],
        "level": [Interval(Real, 0, 1, closed="neither")],
    },
    prefer_skip_nested_validation=True,
)
def drift_report(
    pipe: Any,
    X_new: Any,
    y_new: Any = None,
    *,
    reference: DriftReference | None = None,
    backtest: pd.DataFrame | None = None,
    forecasts: pd.DataFrame | None = None,
    level: float = 0.05,
) -> pd.DataFrame:
    """Tell which columns of new rows left the range of training, and whether forecasts are as good as was promised.

    New rows are cut into blocks of a week (`DriftReference.block`), and each block is compared with those of training,
    or of a backtest: by series, column and season.

    Parameters
    ----------
    pipe : estimator or None
        Fitted. Its training is known from a :class:`DriftReference` among its steps, or from `reference`. None where
        `reference` is given and nothing is to be forecast.
    X_new : DataFrame or array-like of shape (n_rows, n_features)
        Rows later than those of training: at least a block, at best all since then. Blocks are counted back from the
        last time; what is left of less than a block at the beginning is not judged.
    y_new : array-like of shape (n_rows,), default=None
        The target, NaN where it is missing. `pipe` forecasts `X_new`, and its errors are compared with those of the
        backtest.
    reference : DriftReference, default=None
        Fitted on the table that `pipe` was trained on. None takes the one that is a step of the pipeline.
    backtest : DataFrame, default=None
        What :func:`~skts.model_selection.backtest` gave, with quantiles where these are to be watched. None takes what
        :meth:`DriftReference.promise` has kept; without either, errors are not judged.
    forecasts : DataFrame, default=None
        Forecasts as they were made in service, with their truth, in the columns of a backtest. None forecasts `X_new`
        by `pipe`, as its history and its blocks have it.
    level : float, default=0.05
        With which probability the report sounds an alarm of any statistical check, anywhere, where nothing has changed.

    Returns
    -------
    report : DataFrame of shape (n_checks, 10)
        A row for each series, column and check, in these columns:

        - `series`: its name; None of a table with one that has no name; "all" for the errors of all together;
        - `column`: None where a check is of no column;
        - `check`: see below;
        - `value`: of the block that differs most, or of all blocks together where these do;
        - `low`, `high`: the band that it lies in where nothing has changed;
        - `p_value`: of the whole report, as many checks, series, columns and blocks as it has; NaN of what is no
          statistical check, or could not be judged;
        - `alarm`: whether `value` is out of its band;
        - `since`: the time (row, where there are none) from which on, to a day; missing without an alarm;
        - `note`: what is to be said, such as why something could not be judged.

        Statistical checks, of which `level` holds:

        - *level*: the mean distance from the middle of the season, in deviations, of each column;
        - *range*: the share of values outside of the season's band;
        - *beside*: the mean distance from the median of the other series at the same time, in deviations;
        - *error*, *pinball*, *coverage*: the mean absolute error and the mean pinball loss, in the unit of the target,
          and the share of targets between the lowest and the highest quantile.

        What is plainly broken, which hardly happens by chance:

        - *rows*: the share of times without a row; a series that is gone or new;
        - *column*: one that is gone or new;
        - *missing*: the share of rows without a value, in the worst block;
        - *stuck*: the longest stretch in which a value never changes, in rows;
        - *unit*: how large values are by those of training, where it is about what a change of units makes: 1,000,
          1/1,000, 3.6, ...; or degrees Celsius for kelvin.

    Raises
    ------
    ValueError
        No reference, fewer rows than a block, `forecasts` without a backtest.
    PanelIndexError
        An index unlike that of training.

    See Also
    --------
    DriftReference : What is compared with.
    DriftDisplay : Draws it.

    Notes
    -----
    *Blocks respect autocorrelation.* Hours that follow each other, and stations under the same weather, stray together;
    so what is compared is the mean of a block with the means of blocks, not rows with rows. For each block of training
    the score of the column and series that is farthest from its own mean is found, each block judged by the others;
    a Gumbel distribution [1]_ is fitted to these largest scores, and its tail at a share of `level` is the limit, the
    same for all columns and series [2]_. It allows for as many columns, series, blocks and checks as the report has.
    All blocks together are judged, too: their mean strays as that of an autoregression would whose correlation is that
    of one block with the next.

    *Who is odd.* The check *beside* finds a drift of one station that the weather would hide. The station farthest from
    the others is taken away from these before the others are judged, so that only it is named. Of two series it cannot
    tell which one has changed; then that one is named whose level is farther from the usual.

    *Since when* is the day after which the sum of the values, less the usual ones and half of the shift, begins to
    grow.

    In simulations of six stations (three hourly columns with a yearly and a daily cycle, a weather in common, .97 times
    that of the hour before, and a part of their own, .9 times; a year of training, four new weeks, 120 draws) 5.8 % of
    the reports had an alarm where nothing had changed, 5 % being stated. Where one column of one station was moved by
    one deviation in the last week, 99 % named it, and 90 % of these to the very day.

    *Errors* of a windy week are larger than those of a calm one. Of each block, the bands of errors and coverage allow
    for the mean size of its forecasts, by one slope for all series that the backtest shows.

    What it cannot tell:

    - *Why*: a new sensor, another turbine behind the wake, or a winter as there was none in training, all look alike.
      From one year of training it cannot know how much years differ, so that an unusual month is an alarm: a true one,
      and no fault of a station.
    - *What all stations share* is found by *level* and *range* alone, within weeks or months: the weather strays by
      about as much as a small drift. Whether it matters, the errors say.
    - *Slow or small drifts*: those within the band.
    - *Months that training did not have* are not judged (`note`); errors in months that the backtest did not have are,
      and the note says so.
    - Fewer than 8 blocks of training or backtest tell too little: `note` says so.

    References
    ----------
    .. [1] S. Coles. "An introduction to statistical modeling of extreme values". Springer, 2001.
       :doi:`10.1007/978-1-4471-3675-0`
    .. [2] P. H. Westfall, S. S. Young. "Resampling-based multiple testing". Wiley, 1993: the largest statistic over
       tests that depend on each other.

    Examples
    --------
    >>> from skts.datasets import make_panel
    >>> from skts.inspection import DriftReference, drift_report
    >>> X, _ = make_panel(n_series=4, n_rows=24 * 7 * 20, random_state=0)
    >>> is_new = X.index.get_level_values("time") >= "2024-04-29"
    >>> reference, X_new = DriftReference().fit(X[~is_new]), X[is_new].copy()
    >>> drift_report(None, X_new, reference=reference)["alarm"].any()
    np.False_
    >>> X_new.loc[("station_2", slice("2024-05-10", None)), "wind"] *= 1.5
    >>> report = drift_report(None, X_new, reference=reference)
    >>> report.loc[report["alarm"], ["series", "column", "check", "since"]].iloc[0].tolist()
    ['station_2', 'wind', 'beside', Timestamp('2024-05-10 00:00:00')]
    """
    reference, X_new = _find_reference(pipe, reference, X_new)
    if y_new is not None:
        check_consistent_length(X_new, y_new)
        check_same_series(X_new, y_new)
    promise = reference.promise_ if backtest is None else Promise.of(backtest, reference.block_length_)
    values, columns, lacking, added = _read(reference, X_new)
    panel = PanelIndex.read(X_new, reference._layout)
    _check_long_enough(reference, panel)
    grid = Grid.of(panel, reference.series_)
    table = _forecasts(pipe, X_new, y_new, promise, forecasts, lacking)
    names = [None] if reference.series_ is None else list(reference.series_)
    own = panel.index.names
    others = [] if own is None or reference.series_ is None else [each for each in own if each not in reference.series_]
    new, rows = NewColumns(reference, grid, values), Rows(panel.index.clock)
    n_checks = len(COLUMN_CHECKS) - (len(names) < 2) + len(error_checks(promise) if table is not None else [])
    for column in lacking:
        rows.add(None, column, "column", alarm=True, since=grid.first, note="not in the new table")
    for column in added:
        rows.add(None, column, "column", alarm=True, since=grid.first, note="not in the table of training")
    find_gone(new, names, others, rows)
    find_broken(new, names, columns, rows)
    compare_columns(new, names, columns, rows, level, n_checks)
    if promise is not None and table is not None:
        compare_errors(new, promise, table, rows, level, n_checks)
    return rows.table()


def _find_reference(pipe: Any, reference: DriftReference | None, X_new: Any) -> tuple[DriftReference, Any]:
    """Find what to compare with, and the table as it came there."""
    if reference is not None:
        check_is_fitted(reference)
        return reference, X_new
    own = unwrap(pipe)
    if isinstance(own, Pipeline):
        for number, (_, step) in enumerate(own.steps):
            if isinstance(step, DriftReference):
                check_is_fitted(step)
                return step, own[:number].transform(X_new) if number else X_new
    inside = next((part for part in walk(own) if isinstance(part, DriftReference)), None) if own is not None else None
    if inside is not None:
        check_is_fitted(inside)
        return inside, X_new
    raise ValueError(
        f"drift_report: {type(own).__name__} has no DriftReference among its steps, and keeps nothing of its training "
        "table that new rows could be compared with: give reference=DriftReference().fit(X_train), or put a "
        "DriftReference() first in the pipeline."
    )


def _read(reference: DriftReference, X_new: Any) -> tuple[Floats, list[Any], list[Any], list[Any]]:
    """Give the columns of training, NaN where the new table lacks them, and what is lacking and what is added."""
    names = getattr(reference, "feature_names_in_", None)
    if names is None or not isinstance(X_new, pd.DataFrame):
        with naming_cells(X_new):
            values = np.asarray(X_new, dtype=np.float64)
        if values.shape[1] != reference.n_features_in_:
            raise ValueError(
                f"drift_report: X_new has {values.shape[1]} columns, and the table of training had "
                f"{reference.n_features_in_}."
            )
        columns = [f"x{i}" for i in range(values.shape[1])] if names is None else list(names)
        return values, columns, [], []
    lacking = [name for name in names if name not in X_new.columns]
    added = [name for name in X_new.columns if name not in names]
    there = X_new[[name for name in names if name in X_new.columns]]
    with naming_cells(there):
        values = there.astype(np.float64).reindex(columns=list(names)).to_numpy()
    return values, list(names), lacking, added


def _check_long_enough(reference: DriftReference, panel: PanelIndex) -> None:
    past = panel.latest
    n_times = (int(past.ticks.max()) - int(past.ticks.min())) // (past.step or 1) + 1
    if n_times < reference.block_length_:
        raise ValueError(
            f"drift_report: X_new spans {n_times} times, and DriftReference(block={reference.block}) compares blocks "
            f"of {reference.block_length_}: give the rows before them, too, or fit one with a shorter block."
        )


def _forecasts(
    pipe: Any, X_new: Any, y_new: Any, promise: Promise | None, forecasts: pd.DataFrame | None, lacking: list[Any]
) -> pd.DataFrame | None:
    """Give new forecasts beside the truth, where there are such and something to compare them with."""
    if promise is None and forecasts is not None:
        raise ValueError(
            "drift_report(forecasts=...): there is no backtest to compare them with: give backtest=..., or keep it by "
            "DriftReference.promise(backtest)."
        )
    if promise is None or forecasts is not None:
        return forecasts
    if y_new is None or lacking:
        return None
    return forecast_table(pipe, X_new, y_new, list(promise.levels.values()) or None)
