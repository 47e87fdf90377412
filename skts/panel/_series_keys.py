"""Series named by some of the levels that name them."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from skts.panel._columns import refusal

Levels = str | int | Sequence[str] | Sequence[int]


def series_keys(names: pd.Index | None, by: Levels | None, owner: str) -> pd.Index | None:
    """Name each series by some levels of the index alone: by the farm, say, of a table by farm, phase and time.

    Parameters
    ----------
    names : Index of length n_series, or None
        The names of the series; None where the table has one without a name.
    by : str, int, or list of str or int, or None
        The names or the positions of index levels. None takes all that name the series.
    owner : str
        Who wants them, for the message: `PerSeriesRegressor(by='farm')`.

    Returns
    -------
    keys : Index of length n_series, or None
        The key of each series; several series may share one.

    Raises
    ------
    ValueError
        The series have no such level.
    """
    if by is None:
        return names
    if names is None:
        raise ValueError(
            f"{owner}: the table has no series in its index. Put their names there, X.set_index([series, time]); where "
            'a step before lost them, call set_output(transform="pandas") on the pipeline.'
        )
    levels = [by] if isinstance(by, str | int) else list(by)
    places = [_find_level(names, level, owner) for level in levels]
    if names.nlevels == 1:
        return names
    others: Any = [place for place in range(names.nlevels) if place not in places]
    bare = names.set_names([None] * names.nlevels)  # so that a number is a position, whatever the names
    kept = bare.droplevel(others)
    return kept.set_names([name for place, name in enumerate(names.names) if place in places])


def _find_level(names: pd.Index, level: Any, owner: str) -> int:
    if level in names.names:
        return list(names.names).index(level)
    if isinstance(level, int) and 0 <= level < names.nlevels:
        return level
    raise ValueError(f"{owner}: {refusal([level], [str(name) for name in names.names], 'index level')}")
