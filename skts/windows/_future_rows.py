"""The rows that come next, after the last of every series."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skts._compat import Interval, validate_params
from skts.exceptions import PanelIndexError
from skts.panel import RUN, Clock, PanelIndex, RowIndex, commonest_step, is_static, read_index, refusal
from skts.windows._history_prepender import HistoryPrepender
from skts.windows._origins import ranges
from skts.windows._sliding_windower import SlidingWindower
from skts.windows._tail import make_index, number_series
from skts.windows._walk import find_horizon, find_known, find_windowers, unwrap, walk

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Ends:
    """Where every series ends.

    Parameters
    ----------
    like : Index
        An index with the levels of the table.
    names : Index or None
        The names of the series; None where the table has one without a name.
    clock : Clock
    last : ndarray of int64 of shape (n_series,)
        The tick of the last row of each.
    step : int
        Ticks from one row to the next.
    """

    like: pd.Index
    names: pd.Index | None
    clock: Clock
    last: Ints
    step: int

    def next(self, horizon: int) -> pd.Index:
        """Give the index of the next rows of every series."""
        ticks = ranges(self.last + self.step, np.full(len(self.last), horizon), self.step)
        names = None if self.names is None else self.names[np.repeat(np.arange(len(self.last)), horizon)]
        return make_index(self.like, names, self.clock.labels(ticks))


@validate_params(
    {
        "pipe_or_X": "no_validation",
        "horizon": [Interval(Integral, 1, None, closed="left"), None],
        "known": [pd.DataFrame, None],
    },
    prefer_skip_nested_validation=True,
)
def future_rows(pipe_or_X: Any, horizon: int | None = None, *, known: pd.DataFrame | None = None) -> pd.DataFrame:
    """Make the rows that come right after the last one of every series, to forecast past the end of the data.

    Parameters
    ----------
    pipe_or_X : estimator or DataFrame of shape (n_rows, n_features)
        A fitted pipeline with :class:`~skts.HistoryPrepender`, which knows where its training rows, and those of
        :func:`skts.update`, end; or the table itself.
    horizon : int, default=None
        How many rows each series gets. None takes the horizon of the pipeline.
    known : DataFrame of shape (n_known_rows, n_known), default=None
        The columns that are known ahead, such as a weather forecast, with series and time in its index; with times
        alone it holds for all series. Rows at other times are not read. NaN in it stays.

    Returns
    -------
    X : DataFrame of shape (n_series * horizon, n_features)
        By series and time, its times in the kind of those before (zone, periods, integers), one step after another.
        Observed columns are blank (NaN): what a forecast reads of them lies before. With a table, columns with one
        value in each series, such as coordinates, go on with it.

    Raises
    ------
    NotFittedError
    PanelIndexError
        A table with runs, one without times that could go on, or one whose step is unknown.
    ValueError
        No horizon, a column that is known ahead and not given, or given for too few times; it is named with the first
        such time.

    See Also
    --------
    skts.forecast : The forecasts of these rows, with their origin and lead.
    skts.to_panel : Makes a table of what people have.

    Notes
    -----
    Given a pipeline, a column must be in `known` where the windower takes it for known, or where one that it takes for
    known is missing without it, as the wind speed is without its components. Columns that steps make of the index
    alone, such as the calendar, need nothing. Given a table, nobody knows what is needed, and what `known` leaves out
    is blank.

    Series that end at different times each get their own next rows. More rows than the horizon are forecast in blocks
    of it, and from the second block on nobody has the observed past: the forecasts rest on blank rows. A network that
    reads known columns after the horizon (`lookahead`) finds none there.

    Where the table has runs, the rows to forecast are those of the next run of the weather forecast.

    Examples
    --------
    >>> from skts import future_rows
    >>> from skts.datasets import make_panel
    >>> X, _ = make_panel(n_series=1, n_rows=48, random_state=0)
    >>> weather = X[["wind"]].tail(2).set_axis(future_rows(X, 2).index)
    >>> future_rows(X, 2, known=weather).isna().to_dict("list")
    {'power': [True, True], 'wind': [False, False]}
    >>> print(*future_rows(X, 2).index.get_level_values("time"), sep=", ")
    2024-01-03 00:00:00, 2024-01-03 01:00:00
    """
    if isinstance(pipe_or_X, pd.DataFrame):
        if horizon is None:
            raise ValueError("future_rows(X, horizon=None): a table has no horizon of its own: give one, in rows.")
        index = _ends_of_table(pipe_or_X).next(horizon)
        rows = _go_on(pipe_or_X, index)
        return rows if known is None else _fill(rows, known, list(known.columns))
    if not hasattr(pipe_or_X, "fit"):
        raise TypeError(
            f"future_rows takes a fitted pipeline or a DataFrame, and this is a {type(pipe_or_X).__name__}: "
            "skts.to_panel makes a DataFrame with series and time in its index."
        )
    check_is_fitted(pipe_or_X)
    horizon = find_horizon(pipe_or_X) if horizon is None else horizon
    if horizon is None:
        raise ValueError(
            f"future_rows(horizon=None): {type(pipe_or_X).__name__} holds no SlidingWindower, and so no horizon: give "
            "one, in rows."
        )
    index = _ends_of_pipe(pipe_or_X).next(horizon)
    names = _find_columns(pipe_or_X)
    rows = pd.DataFrame(np.nan, index=index, columns=names)
    given = [] if known is None else list(known.columns)
    needed = [name for name in _find_needed(pipe_or_X, rows) if name not in given]
    if needed:
        there, them = None if known is None else given, "them" if len(needed) > 1 else "it"
        raise ValueError(
            f"future_rows: {', '.join(map(repr, needed))} must be known ahead, and known={there} does not hold {them} "
            f"for {_at(index, 0)} and the rows after it. Give known=..., a DataFrame with a row for each of these "
            f"{len(index)} rows."
        )
    return rows if known is None else _fill(rows, known, given)


def _ends_of_table(X: pd.DataFrame) -> Ends:
    if len(X) == 0:
        raise PanelIndexError("future_rows: the table has no rows, after which others could come.")
    panel = PanelIndex.read(X)
    return _read_ends(X.index, panel.index, panel.step)


def _read_ends(labels: pd.Index, index: RowIndex, step: int | None) -> Ends:
    """Find where the series of an index end."""
    if index.runs is not None:
        raise PanelIndexError(
            f"future_rows: the index has runs (a level {RUN!r}), whose next rows are those of the next run of the "
            "weather forecast: give these to predict, weather.reindex(columns=X.columns)."
        )
    if index.ticks is None or index.clock is None:
        if not pd.api.types.is_integer_dtype(labels.dtype):
            raise PanelIndexError(
                f"future_rows: the index has no times (dtype {labels.dtype}), so that what comes next is unclear: "
                "skts.to_panel(X, time=...) puts them there."
            )
        clock, ticks = Clock.read(labels)
        return Ends(labels, None, clock, ticks[-1:], commonest_step(ticks, np.array([0, len(ticks)])) or 1)
    if step is None:
        raise PanelIndexError(
            "future_rows: the time between rows is unknown, as no series has two rows. Give a longer table."
        )
    last = np.full(index.n_series, np.iinfo(np.int64).min)
    np.maximum.at(last, index.series, index.ticks)
    return Ends(labels, index.names, index.clock, last, step)


def _ends_of_pipe(pipe: Any) -> Ends:
    """Find where the remembered rows of all prependers end: several have one each where a network serves one series."""
    found = [_ends_of_prepender(part) for part in walk(pipe) if isinstance(part, HistoryPrepender)]
    if not found:
        raise ValueError(
            f"future_rows: {type(pipe).__name__} holds no HistoryPrepender, which knows where the training rows end: "
            "give the table instead, future_rows(X, horizon)."
        )
    names, last = found[0].names, found[0].last
    for each in found[1:]:
        numbers, names = number_series(names, each.names)
        last = np.append(last, np.full(max(int(numbers.max()) + 1 - len(last), 0), np.iinfo(np.int64).min))
        np.maximum.at(last, numbers, each.last)
    return Ends(found[0].like, names, found[0].clock, last, found[0].step)


def _ends_of_prepender(prepender: HistoryPrepender) -> Ends:
    tail = prepender.tail_
    if not isinstance(tail, pd.DataFrame):
        raise PanelIndexError(
            "future_rows: the pipeline was fitted on an array, or a step before HistoryPrepender made one, so that no "
            'times are known. Fit it on a DataFrame (skts.to_panel makes one), with set_output(transform="pandas").'
        )
    return _read_ends(tail.index, read_index(tail), prepender._layout.step)


def _find_columns(pipe: Any) -> list[Any]:
    """Name the columns that an estimator was fitted on."""
    for part in walk(unwrap(pipe)):
        names = getattr(part, "feature_names_in_", None)
        if names is not None:
            return list(names)
        if isinstance(part, Pipeline):
            break  # what comes after its first step is given other columns
    raise ValueError(
        f"future_rows: the columns that {type(pipe).__name__} was fitted on are unknown, as its first step does not "
        "keep their names: give the table instead, future_rows(X, horizon)."
    )


def _go_on(X: pd.DataFrame, index: pd.Index) -> pd.DataFrame:
    """Make rows of blanks, but for columns with one value in each series."""
    panel = PanelIndex.read(X)
    n_series = panel.n_series
    horizon, columns = len(index) // n_series, []
    for i in range(X.shape[1]):
        column = X.iloc[:, i]
        column = column.astype(np.float64) if column.dtype.kind in "biu" else column
        values = column.groupby(panel.index.series).first()  # in the order of the series' numbers
        if len(X) == n_series or not is_static(column, panel.index.series):
            values = column.iloc[:0].reset_index(drop=True).reindex(range(n_series))
        columns.append(values.iloc[np.repeat(np.arange(n_series), horizon)].set_axis(index))
    return pd.concat(columns, axis=1, keys=X.columns) if columns else pd.DataFrame(index=index)


def _fill(rows: pd.DataFrame, known: pd.DataFrame, names: list[Any]) -> pd.DataFrame:
    """Put what is known into the rows."""
    unknown = [name for name in names if name not in rows.columns]
    if unknown:
        raise ValueError(
            f"future_rows(known=...): {refusal(unknown, list(map(str, rows.columns)), 'column')} Give known columns of "
            "the table alone."
        )
    places = _find_places(rows.index, known)
    missing = np.flatnonzero(places < 0)
    if len(missing):
        raise ValueError(
            f"future_rows(known=...): {', '.join(map(repr, names))} must be known for every row to come, and known has "
            f"no row for {_at(rows.index, missing[0])} ({len(missing)} of {len(rows)} are missing). It goes from "
            f"{_at(known.index, 0)} to {_at(known.index, -1)}."
        )
    rows = rows.copy(deep=False)
    for name in names:
        rows[name] = known[name].to_numpy()[places]
    return rows


def _find_places(index: pd.Index, known: pd.DataFrame) -> Ints:
    """Find the row of a table for each label of an index, by time alone where it has no series; -1 for none."""
    ours, theirs = read_index(pd.DataFrame(index=index)), read_index(known)
    if ours.clock is None and isinstance(index, pd.Index) and theirs.clock is None:
        places = known.index.get_indexer(index)
        return np.asarray(places, dtype=np.int64)
    kinds = [None if each.clock is None else each.clock.kind for each in (ours, theirs)]
    levels = [0 if each.names is None else each.names.nlevels for each in (ours, theirs)]
    if kinds[0] != kinds[1] or levels[1] not in (0, levels[0]) or theirs.runs is not None:
        raise PanelIndexError(
            f"future_rows(known=...): its index has {theirs.kind()}{' and runs' * (theirs.runs is not None)}, and the "
            f"rows to come have {ours.kind()}: give the same, or times alone."
        )
    assert ours.ticks is not None
    assert theirs.ticks is not None
    numbers = np.zeros(ours.n_series, dtype=np.int64)
    if theirs.names is not None and ours.names is not None:
        numbers = theirs.names.get_indexer(ours.names).astype(np.int64)
    keys = pd.MultiIndex.from_arrays([theirs.series, theirs.ticks])
    if keys.has_duplicates:
        row = int(np.flatnonzero(keys.duplicated())[0])
        raise PanelIndexError(
            f"future_rows(known=...): row {row} is the second one for {_at(known.index, row)}: drop one."
        )
    wanted = pd.MultiIndex.from_arrays([numbers[ours.series], ours.ticks])
    return np.asarray(keys.get_indexer(wanted), dtype=np.int64)


def _at(index: pd.Index, row: int) -> str:
    label = index[row]
    return ", ".join(map(str, label)) if isinstance(label, tuple) else str(label)


def _find_needed(pipe: Any, rows: pd.DataFrame) -> list[Any]:
    """Name the columns that must be there over the horizon: those known to windowers, and what they are made of."""
    named = [find_known(windower, rows) for windower in find_windowers(pipe)]
    needed = {rows.columns[i] for found in named if found is not None for i in found}
    for steps, windower in _ways_to_windowers(pipe, list(rows.columns)):
        needed |= _find_sources(steps, windower, rows)
    return [name for name in rows.columns if name in needed]


def _ways_to_windowers(pipe: Any, names: list[Any]) -> Iterator[tuple[list[Any], SlidingWindower]]:
    """Find the steps before each windower whose pipeline is given the table itself."""
    for part in walk(pipe):
        if isinstance(part, Pipeline) and list(getattr(part, "feature_names_in_", [])) == names:
            steps = [step for _, step in part.steps if step is not None and not isinstance(step, str)]
            places = [i for i, step in enumerate(steps) if isinstance(step, SlidingWindower)]
            if places:
                yield steps[: places[0]], steps[places[0]]


def _find_sources(steps: list[Any], windower: SlidingWindower, rows: pd.DataFrame) -> set[Any]:
    """Find without which columns one that a windower takes for known is missing."""

    def is_missing(table: pd.DataFrame) -> NDArray[np.bool_]:
        for step in steps:
            table = step.transform(table)
        values = np.asarray(table, dtype=np.float64)[-len(rows) :]
        missing: NDArray[np.bool_] = np.isnan(values[:, windower.known_])
        return missing

    full = rows.fillna(1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            by_itself = is_missing(full)
            return {
                name for name in rows.columns if (is_missing(full.assign(**{str(name): np.nan})) & ~by_itself).any()
            }
        except Exception:  # a step that cannot do with made-up numbers: what the windower names is all that is known
            return set()
