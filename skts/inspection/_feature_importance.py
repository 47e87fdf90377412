"""What forecasts owe to groups of columns: the rise of the error where blocks of time of them change places."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch, check_consistent_length, check_random_state
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_array

from skts._compat import HasMethods, Interval, StrOptions, Subtask, progress, safe_indexing, validate_params
from skts.inspection._block_intervals import jackknife_half
from skts.inspection._movable_blocks import MovableBlocks, steps_of_cycle
from skts.metrics import ignore_missing
from skts.panel import Columns, PanelIndex, check_same_series, check_squares, find_columns, has_target
from skts.windows import HistoryPrepender, SlidingWindower, find_horizon, find_static, find_windowers, unwrap, walk

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_MOST_STRETCHES = 30  # that the interval is made of
_UNCHANGED = 0.9  # correlation of a column with itself from which on whole days count as no change


@validate_params(
    {
        "estimator": [HasMethods(["predict"])],
        "X": ["array-like"],
        "y": ["array-like"],
        "groups": [Mapping, None],
        "at": [StrOptions({"input", "features"})],
        "block": [Interval(Integral, 1, None, closed="left"), None],
        "same_hour": ["boolean"],
        "n_repeats": [Interval(Integral, 1, None, closed="left")],
        "scoring": [str, callable, None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def feature_importance(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    groups: Mapping[str, Columns] | None = None,
    at: str = "input",
    block: int | None = None,
    same_hour: bool = True,
    n_repeats: int = 10,
    scoring: str | Callable | None = None,
    n_jobs: int | None = None,
    random_state: int | RandomState | None = None,
    verbose: int = 0,
) -> Bunch:
    """Let blocks of time of some columns change places, and give the rise of the error.

    The permutation importance of [1]_ for forecasters. :func:`sklearn.inspection.permutation_importance`
    (https://scikit-learn.org/stable/modules/permutation_importance.html) shuffles rows: each window becomes a jumble of
    hours of other days and other series, as no forecaster has ever seen one, and the figure says how badly it fails on
    nonsense. Here whole blocks of time change places, so that a window holds a past that was, only at another time.

    Parameters
    ----------
    estimator : estimator
        Fitted: any regressor, with windows or without. It is not changed.
    X : array-like or DataFrame of shape (n_rows, n_features)
        The rows to forecast, better new than those of the training. Its index names series and times.
    y : array-like of shape (n_rows,) or (n_rows, n_targets)
        NaN is missing: such a row is not scored.
    groups : dict of str to (str, int, slice, list of str or int, or callable), default=None
        Columns that change places together, such as those of one weather provider, under the name of the group; a
        callable is given the table, such as :func:`~sklearn.compose.make_column_selector`, which takes a regular
        expression. A column may be in several groups. By default each column is a group of its own, but for static ones
        of the windower, which other times do not change.
    at : {"input", "features"}, default="input"
        Which table the columns are in: `X` itself, or what the steps of a pipeline before the
        :class:`~skts.HistoryPrepender` (or windower) make of it; without one, what its last step is given. "features"
        reaches columns that a step adds, such as the calendar. What was computed from a column there does not change
        with it: put it into the same group.
    block : int, default=None
        Rows of a block, at least; twice `window + horizon` of the windower by default, a day without one. With
        `same_hour` it is brought up to whole days; a given one must be that already.
    same_hour : bool, default=True
        Whether a block moves by whole days (weeks where a row is a day), so that the hour stays and the importance is
        what a column says beyond the daily cycle. The `block` that is given is what blocks move by: with 168 hours the
        weekday stays, too. A group that moving by whole days leaves nearly as it was (the hour of the day, the position
        of the sun) moves by any number of rows all the same. Without dates nothing is kept.
    n_repeats : int, default=10
        Permutations, the same for all groups.
    scoring : str or scorer, default=None
        ``"neg_mean_absolute_error"`` by default. Rows without a target are left out.
    n_jobs : int, default=None
        How many permutations are forecast at once, as :class:`joblib.Parallel` has it.
    random_state : int, RandomState instance or None, default=None
        Decides the permutations.
    verbose : int, default=0
        1 shows a progress bar of the permutations. It takes the package rich. Callbacks that were set on the estimator
        by ``set_callbacks(sklearn.callback.ProgressBar())`` show the same.

    Returns
    -------
    result : Bunch
        With the attributes

        - `names`: list of the groups;
        - `baseline_score`: of the table as it is;
        - `importances`: ndarray of shape (n_groups, n_repeats), by how much the score falls;
        - `importances_mean`, `importances_std`: ndarray of shape (n_groups,), over the repeats;
        - `low`, `high`: ndarray of shape (n_groups,), a 95 % interval of the mean;
        - `same_hour`: ndarray of bool of shape (n_groups,), whether blocks of the group moved by whole days;
        - `block`: rows of a block;
        - `table`: DataFrame with a row for each group, the most important first: `importance`, `std`, `low`, `high` and
          `same_hour`.

    Raises
    ------
    ValueError
        A group names a column that is not there, or static ones alone, `X` is too short for two blocks, or no row can
        be scored.

    See Also
    --------
    FeatureImportanceDisplay : Draws it.
    sklearn.inspection.permutation_importance : Shuffles rows; right for tables whose rows stand for themselves.

    Notes
    -----
    All series of a panel are permuted alike, so that columns that are correlated between stations stay so. Each series
    keeps the values that it has, each once. Where it lacks the row that should come to a place (it starts later, or has
    a gap), a row that is left over comes there, of the same hour where there is one.

    No block stays at its place. What lies after the last whole day or block stays, and is not scored. Neither are the
    forecasts of the first rows of each series, whose window reaches into rows that HistoryPrepender remembers from the
    training: these do not change. Blocks have seams; by default about half of the forecasts read none.

    The interval is that of the jackknife over stretches of time [2]_, up to 30 of them as long as a block or longer:
    how much the importance would change with other days to forecast. It holds the luck of the permutations, as far as
    it differs between stretches. The standard deviation over the repeats alone does not tell that: a column that says
    nothing but has some weight shows the same small importance, of either sign, in all of them.

    What it cannot tell:

    - Importance to this fitted estimator, and not of the column: a better estimator may make more of it.
    - Of columns that say the same, each looks unimportant while the other stays. Put them into one group.
    - What permuted columns say together with those that stay may contradict (wind of a storm under the pressure of a
      calm), and the estimator is asked outside of what it has learned. The larger the group, the less so.
    - Whether the importance is used rightly: on the training rows, it also counts what was learned by heart.

    References
    ----------
    .. [1] L. Breiman. "Random Forests". Machine Learning 45(1), 2001. :doi:`10.1023/A:1010933404324`
    .. [2] H. R. Künsch. "The jackknife and the bootstrap for general stationary observations". Annals of Statistics
       17(3), 1989. :doi:`10.1214/aos/1176347265`

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from skts import HistoryPrepender, SlidingWindower
    >>> from skts.datasets import make_panel
    >>> from skts.inspection import feature_importance
    >>> from skts.strategies import WindowedRegressor
    >>> X, y = make_panel(n_series=2, n_rows=1500, random_state=0)
    >>> X["unused"] = X["wind"].to_numpy()[::-1]
    >>> is_new = X.index.get_level_values("time") >= "2024-02-01"
    >>> pipe = make_pipeline(HistoryPrepender(6), SlidingWindower(6, 3, known=["wind"]), WindowedRegressor(Ridge()))
    >>> pipe = pipe.fit(X[~is_new], y[~is_new])
    >>> result = feature_importance(pipe, X[is_new], y[is_new], n_repeats=5, random_state=0)
    >>> result.table.index.tolist()
    ['wind', 'power', 'unused']
    """
    X = X if isinstance(X, pd.DataFrame) else check_array(X, dtype=None, ensure_all_finite="allow-nan")
    check_same_series(X, y)
    check_consistent_length(X, y)
    check_squares(y)
    rng, panel = check_random_state(random_state), PanelIndex.read(X, reader="feature_importance")
    daily, free = _cut(panel, estimator, block, same_hour)
    y_parts, parts = _lay_out_scores(panel, daily, y, estimator)
    table, forecaster = _cut_pipeline(estimator, X, at)
    columns = _find_groups(table, groups, at, _static_columns(estimator, table))
    draws = [(daily.draw(rng), free.draw(rng)) for _ in range(n_repeats)]
    by_days = [aligned for aligned, _ in draws] if daily.unit > 1 else []
    kept = np.array([bool(by_days) and not _stays_the_same(table, each, by_days) for each in columns.values()])
    scorer = ignore_missing("neg_mean_absolute_error" if scoring is None else scoring)
    baseline = _score(forecaster, table, scorer, y_parts, parts)
    with progress(
        "feature_importance", len(columns) * n_repeats, estimator, verbose, subtask="permutation"
    ) as permuting:
        jobs = [
            delayed(_score_permuted)(
                permuting.make(), forecaster, table, each, draw[0 if keeps else 1], scorer, y_parts, parts
            )
            for each, keeps in zip(columns.values(), kept, strict=True)
            for draw in draws
        ]
        scores = np.array(Parallel(n_jobs=n_jobs)(jobs)).reshape(len(columns), n_repeats, len(parts))
    return _summarise(list(columns), baseline, scores, kept, block=daily.shortest * daily.unit)


def _summarise(names: list[str], baseline: Floats, scores: Floats, same_hour: NDArray[np.bool_], block: int) -> Bunch:
    """Compare the scores (n_groups, n_repeats, 1 + n_stretches) with those of the table as it is."""
    falls = baseline - scores
    importances = falls[..., 0]
    mean, std = importances.mean(axis=1), importances.std(axis=1)
    half = jackknife_half(falls[..., 1:].mean(axis=1))
    low, high = mean - half, mean + half
    columns = {"importance": mean, "std": std, "low": low, "high": high, "same_hour": same_hour}
    table = pd.DataFrame(columns, index=pd.Index(names, name="group", tupleize_cols=False))
    return Bunch(
        names=names,
        baseline_score=float(baseline[0]),
        importances=importances,
        importances_mean=mean,
        importances_std=std,
        low=low,
        high=high,
        same_hour=same_hour,
        block=block,
        table=table.sort_values("importance", ascending=False, kind="stable"),
    )


def _cut(panel: PanelIndex, estimator: Any, block: int | None, same_hour: bool) -> tuple[MovableBlocks, MovableBlocks]:
    """Cut blocks that move by whole days (or what else was asked for), and others that move by any number of rows."""
    cycle = steps_of_cycle(panel) if same_hour else None
    if block is not None and cycle is not None and block % cycle:
        raise ValueError(
            f"feature_importance(block={block}, same_hour=True): blocks of whole days are expected, and a day has "
            f"{cycle} rows (a week, where a row is a day). Give a multiple of that, or same_hour=False."
        )
    shortest = block or _usual_block(panel, estimator)
    unit = 1 if cycle is None else block or cycle
    daily = MovableBlocks.cut(panel, shortest, unit)
    if daily.n_blocks < 2:
        raise ValueError(
            f"feature_importance: two blocks of {daily.shortest * daily.unit} rows, which change places, are needed, "
            f"and X has {int(daily.places.max()) + 1} time steps: give a longer table or a smaller block=..."
        )
    # of lengths that differ by about a day, where there is room, so that blocks come to all hours
    free = MovableBlocks.cut(panel, shortest, 1)
    room = min(steps_of_cycle(panel) or 0, free.n_units // 2 - shortest)
    return daily, replace(free, slack=max(room, 0))


def _usual_block(panel: PanelIndex, estimator: Any) -> int:
    reach = [_window(windower) + windower.horizon for windower in find_windowers(estimator)]
    return 2 * max(reach) if reach else steps_of_cycle(panel) or 1


def _window(windower: SlidingWindower) -> int:
    return int(windower.window or windower.history or 1)


def _lay_out_scores(panel: PanelIndex, blocks: MovableBlocks, y: Any, estimator: Any) -> tuple[list[Any], list[Ints]]:
    """Choose the rows to score: all that count, and these without one stretch of time after the other."""
    origins = panel.leads(find_horizon(estimator))[1]
    first = panel.ticks[panel.indptr[:-1]][panel.index.series]
    window = max((_window(windower) for windower in find_windowers(estimator)), default=0)
    counts = has_target(y) & blocks.moves
    if window:  # its whole past lies in the table
        counts &= origins - first >= window * (panel.step or 1)
    rows = np.flatnonzero(counts)
    if len(rows) == 0:
        raise ValueError(
            f"feature_importance: no row of X has a target and {window} rows of its series before its origin, which "
            "are permuted with it. Give a longer table."
        )
    places = blocks.in_table_order(blocks.places)[rows]
    n_stretches = min(blocks.n_blocks, _MOST_STRETCHES)
    stretch = places * n_stretches // (blocks.n_units * blocks.unit)
    present = np.unique(stretch)
    parts = [rows, *(rows[stretch != number] for number in (present if len(present) > 1 else []))]
    return [safe_indexing(y, part) for part in parts], parts


def _cut_pipeline(estimator: Any, X: Any, at: str) -> tuple[Any, Any]:
    """Give the table in which columns are permuted, and what forecasts from it."""
    if at == "input":
        return X, estimator
    estimator = unwrap(estimator)
    if not isinstance(estimator, Pipeline):
        if find_windowers(estimator):
            raise ValueError(
                f'feature_importance(at="features"): {type(estimator).__name__} has its windower inside another '
                'estimator than a pipeline or a search over one, where no table can be changed. Give at="input".'
            )
        return X, estimator
    ends = [number for number, (_, step) in enumerate(estimator.steps) if _takes_history(step)]
    first = ends[0] if ends else len(estimator.steps) - 1
    return (estimator[:first].transform(X), estimator[first:]) if first else (X, estimator)


def _takes_history(step: Any) -> bool:
    return any(isinstance(part, HistoryPrepender | SlidingWindower) for part in walk(step))


def _static_columns(estimator: Any, table: Any) -> set[int]:
    """Find the columns of a table that hold one value per series."""
    found = [find_static(windower, table) for windower in find_windowers(estimator)]
    return {int(column) for columns in found if columns is not None for column in columns}


def _find_groups(
    table: Any, groups: Mapping[str, Columns] | None, at: str, static: Collection[int] = ()
) -> dict[Any, Ints]:
    """Find the columns of each group."""
    if groups is None:
        names = table.columns if isinstance(table, pd.DataFrame) else range(table.shape[1])
        return {name: np.array([i]) for i, name in enumerate(names) if i not in static}
    if not groups:
        raise ValueError("feature_importance(groups={}): at least one group is expected. None gives each column.")
    found = {}
    for name, key in groups.items():
        try:
            found[name] = find_columns(table, key, f"feature_importance(groups={{{name!r}: ...}}, at={at!r})")
        except ValueError as error:
            if at == "input":
                error.add_note('Columns that a step of the pipeline adds are found with at="features".')
            raise
        if len(found[name]) == 0:
            raise ValueError(f"feature_importance(groups={{{name!r}: ...}}) has no columns: give at least one.")
        if static and set(found[name].tolist()) <= set(static):
            raise ValueError(
                f"feature_importance(groups={{{name!r}: ...}}) has static columns alone, which stay as they are where "
                "blocks of time change places. Leave the group out, and compare estimators with and without them, by "
                "cross_val_score(..., cv=LeaveSeriesOut()), say."
            )
    return found


def _stays_the_same(table: Any, columns: Ints, draws: list[Ints]) -> bool:
    """Tell whether a column among some hardly differs from itself after whole days have changed places."""
    for i in columns:
        column = table.iloc[:, i] if isinstance(table, pd.DataFrame) else table[:, i]
        values = pd.to_numeric(pd.Series(np.asarray(column)), errors="coerce").to_numpy(dtype=np.float64)
        pairs = np.stack([np.tile(values, len(draws)), values[np.concatenate(draws)]])
        pairs = pairs[:, np.isfinite(pairs).all(axis=0)]
        if pairs.shape[1] > 1 and (np.ptp(pairs, axis=1) > 0).all() and np.corrcoef(pairs)[0, 1] > _UNCHANGED:
            return True
    return False


def _score_permuted(
    done: Subtask,
    estimator: Any,
    table: Any,
    columns: Ints,
    rows: Ints,
    scorer: Callable,
    y_parts: list[Any],
    parts: list[Ints],
) -> Floats:
    """Score the table with some columns of other rows, and tell that it is done."""
    scores = _score(estimator, take_columns_of(table, columns, rows), scorer, y_parts, parts)
    done()
    return scores


def take_columns_of(table: Any, columns: Ints, rows: Ints) -> Any:
    """Copy a table, with the values of some columns from other rows."""
    if isinstance(table, pd.DataFrame):
        changed = table.copy()
        for i in columns:
            changed.isetitem(int(i), table.iloc[rows, i].array)
        return changed
    permuted = np.array(table)
    permuted[:, columns] = permuted[np.ix_(rows, columns)]
    return permuted


def _score(estimator: Any, table: Any, scorer: Callable, y_parts: list[Any], parts: list[Ints]) -> Floats:
    """Forecast once, and score several sets of rows."""
    forecasts = _Forecasts(estimator, table)
    return np.array([scorer(forecasts.of(part), part, y_part) for part, y_part in zip(parts, y_parts, strict=True)])


class _Forecasts(RegressorMixin, BaseEstimator):
    """Stands in for an estimator at a scorer: forecasts the whole table once, and answers some rows of it."""

    def __init__(self, estimator: Any, table: Any):
        self.estimator = unwrap(estimator)
        self.table = table
        self._made: dict[str, NDArray[Any]] = {}

    def of(self, rows: Ints) -> "_Forecasts":
        """Answer these rows from now on."""
        self._rows = rows
        return self

    def predict(self, X: Any, **params: Any) -> NDArray[Any]:
        """Forecast, whatever is given, the rows asked for."""
        key = repr(params)
        if key not in self._made:
            self._made[key] = np.asarray(self.estimator.predict(self.table, **params))
            if len(self._made[key]) != len(self.table):
                raise ValueError(
                    f"feature_importance: predict(X) gave {len(self._made[key])} forecasts of {len(self.table)} rows: "
                    "put HistoryPrepender before SlidingWindower."
                )
        return self._made[key][self._rows]
