"""Sums over series, by what scenarios say."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from skts.panel import RUN, read_index

Floats = NDArray[np.float64]


def portfolio(
    samples: ArrayLike,
    index: Any,
    quantiles: Iterable[float] = (0.1, 0.5, 0.9),
    *,
    by: str | list[str] | None = None,
    weights: Mapping | pd.Series | None = None,
) -> pd.DataFrame:
    """Give quantiles of the sum over series at each time.

    The quantiles of a sum are not the sum of the quantiles: errors of stations partly cancel, by as much as they are
    not correlated. Scenarios know by how much. It is a function of samples, not a method, so that one draw of scenarios
    answers for every portfolio, and scenarios of any origin will do.

    Parameters
    ----------
    samples : array-like of shape (n_samples, n_rows)
        Scenarios, as :meth:`ScenarioSampler.sample` gives them.
    index : DataFrame, Series or Index of length n_rows
        The table that was forecast, or its index: the series and times of the rows.
    quantiles : iterable of float, default=(0.1, 0.5, 0.9)
        Levels, each strictly between 0 and 1.
    by : str or list of str, default=None
        Levels of the index, such as "region", each name of which is a sum of its own. None sums all series.
    weights : mapping or Series, default=None
        A factor for each series by its name (a tuple where several levels name it): shares of ownership, prices.

    Returns
    -------
    sums : DataFrame of shape (n_sums, n_quantiles)
        Indexed by the levels `by`, by the run where there are runs, and by time, in their order; columns "q0.1" and so
        on, as those of a :func:`~skts.model_selection.backtest`. NaN where a series of the sum has no row at that time:
        a sum that lacks a station would look like a calm.

    Raises
    ------
    ValueError
        Samples that are not as above, levels that are not known, or a series without a weight.

    See Also
    --------
    ScenarioSampler : Draws the scenarios.

    Notes
    -----
    Quantiles are those of the samples: of 0.01 with 100 samples there is little to know; take 1,000 or more.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skts.strategies import portfolio
    >>> index = pd.MultiIndex.from_product([["a", "b"], [0, 1]], names=["station", "hour"])
    >>> samples = np.array([[1.0, 1.0, 9.0, 1.0], [3.0, 2.0, 7.0, 2.0], [5.0, 3.0, 5.0, 3.0]])
    >>> portfolio(samples, index, [0.5])["q0.5"]
    hour
    0    10.0
    1     4.0
    Name: q0.5, dtype: float64
    """
    table = index if isinstance(index, pd.DataFrame | pd.Series) else pd.DataFrame(index=index)
    values, levels = _read_samples(samples, len(table)), _read_levels(quantiles)
    rows = read_index(table)
    if weights is not None:
        values = values * _read_weights(weights, rows.names)[rows.series]
    keys = _keys_of(table.index, by)
    number, labels = pd.factorize(keys, sort=True)
    order = np.argsort(number, kind="stable")
    starts = np.searchsorted(number[order], np.arange(len(labels)))
    sums = np.add.reduceat(values[:, order], starts, axis=1)
    sums[:, ~_are_whole(labels, by, number, rows.series)] = np.nan
    labels.names = keys.names
    answers = np.quantile(sums, levels, axis=0).T
    return pd.DataFrame(answers, index=labels, columns=[f"q{level:g}" for level in levels])


def _keys_of(index: pd.Index, by: str | list[str] | None) -> pd.Index:
    """Give what each row is summed by: some levels, the run, and the time."""
    if not isinstance(index, pd.MultiIndex):
        if by is not None:
            raise ValueError(f"portfolio(by={by!r}): levels of the index are expected, and it has one, the time.")
        return index
    named = [] if by is None else [by] if isinstance(by, str) else list(by)
    wrong = [name for name in named if name not in index.names[:-1] or name == RUN]
    if wrong:
        series = [name for name in index.names[:-1] if name != RUN]
        raise ValueError(f"portfolio(by={by!r}): some of the levels {series} that name the series are expected.")
    kept = [*named, *(name for name in index.names[:-1] if name == RUN)]
    levels = [index.get_level_values(name) for name in kept] + [index.get_level_values(-1)]
    return levels[0] if len(levels) == 1 else pd.MultiIndex.from_arrays(levels)


def _are_whole(labels: pd.Index, by: Any, number: NDArray[np.intp], series: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which sums have a row of every series that the others of their kind have."""
    n_named = 0 if by is None else 1 if isinstance(by, str) else len(by)
    if n_named:
        kinds = pd.MultiIndex.from_arrays([labels.get_level_values(level) for level in range(n_named)])
        kind = pd.factorize(kinds)[0]
    else:
        kind = np.zeros(len(labels), dtype=np.intp)
    pairs = np.unique(np.column_stack([kind[number], series]), axis=0)
    return np.bincount(number) == np.bincount(pairs[:, 0])[kind]


def _read_samples(samples: ArrayLike, n_rows: int) -> Floats:
    values = np.asarray(samples, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != n_rows or not len(values):
        raise ValueError(
            f"portfolio(samples of shape {values.shape}, index of {n_rows} rows): a column for each row is expected, "
            "(n_samples, n_rows), as ScenarioSampler.sample gives them."
        )
    return values


def _read_levels(quantiles: Iterable[float]) -> Floats:
    levels = np.atleast_1d(np.asarray(list(quantiles), dtype=np.float64))
    if not len(levels) or not ((levels > 0) & (levels < 1)).all():
        raise ValueError(f"portfolio(quantiles={levels.tolist()}): levels between 0 and 1 are expected.")
    return levels


def _read_weights(weights: Any, names: pd.Index | None) -> Floats:
    """Give the weight of each series."""
    given = dict(weights)
    missing = [] if names is None else [name for name in names if name not in given]
    if names is None or missing:
        which = "names of series in the index are" if names is None else f"one for {missing[0]!r} is"
        raise ValueError(f"portfolio(weights=...): {which} expected. Give a weight to each series, 0 to leave it out.")
    return np.array([given[name] for name in names], dtype=np.float64)
