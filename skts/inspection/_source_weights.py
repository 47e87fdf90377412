"""How much each source of a fitted network weighs, row by row."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from skts._compat import HasMethods, StrOptions, validate_params
from skts.inspection._fitted import read_windows
from skts.nn import SourceAttention
from skts.windows import Windows, holder_of_parts, walk

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@validate_params(
    {
        "estimator": [HasMethods(["predict"])],
        "X": ["array-like", Windows],
        "part": [StrOptions({"horizon", "window"})],
    },
    prefer_skip_nested_validation=True,
)
def source_weights(estimator: Any, X: Any, *, part: str = "horizon") -> pd.DataFrame:
    """Give the weight of every source at every row, as a fitted network weighs them to forecast.

    Parameters
    ----------
    estimator : estimator
        Fitted: a :class:`~skts.SourceAttentionRegressor`, or a :class:`~skts.NetRegressor` of a
        :class:`~skts.nn.SourceAttention`, at the end of a pipeline with a :class:`~skts.SlidingWindower`, a search over
        one, or alone with `Windows`. Of an ensemble one member.
    X : array-like or DataFrame of shape (n_rows, n_features), or Windows
        What the estimator forecasts. A table is cut into windows as at `predict`.
    part : {"horizon", "window"}, default="horizon"
        Which rows the weights are of:

        - "horizon": the rows that are forecast, whose known columns the sources are then. A source without a known
          column weighs 0.
        - "window": the rows before the origins, as past. A row weighs the same in every window that reads it, so each
          stands there once.

    Returns
    -------
    weights : DataFrame of shape (n_rows, n_sources)
        A column for each source, rows sum to 1. A source that is missing at a row weighs exactly 0 there; where all are
        missing the row is NaN. The index has the levels of the series, where the table has such, then "time", or what
        that level is called (for arrays the number of the row), and for the horizon "lead", from 1. Rows are in the
        order of the table, those of the horizon one for each forecast of `predict`. Of a table with runs, a level "run"
        stands before the time of the horizon. Of training windows a row stands there once for each lead.

    Raises
    ------
    ValueError
        There is no windower and regressor to be found, the network weighs no sources, an ensemble is given, or
        ``part="horizon"`` is asked for where no column of a source is known.

    See Also
    --------
    SourceWeightsDisplay : Draws them by lead, month, hour or series.
    feature_importance : By how much the error rises without a source.

    Notes
    -----
    What it cannot tell:

    - *Who is right.* A weight is what the network has learned to trust from the training rows, not how good a source is
      on these rows. Whether it pays, :func:`feature_importance` with ``groups`` of the same columns measures.
    - *What would be without it.* Two providers that say the same may share the weight in any proportion at the same
      error, and another seed shares it otherwise. So it is with the rows of a window whose sources hardly matter to
      the forecast, as where the weather ahead is known: their weights say little.
    - *What a source says.* The LSTM behind the weighted sum may make much of a source of little weight, since each says
      as many numbers as it likes; that all are normed to one length limits it.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skts import SlidingWindower, SourceAttentionRegressor
    >>> from skts.inspection import source_weights
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"good_wind": rng.standard_normal(400), "poor_wind": rng.standard_normal(400)})
    >>> windows = SlidingWindower(4, horizon=2, known=[0, 1]).fit_transform(X)
    >>> options = {"hidden_size": 8, "lr": 0.03, "max_epochs": 8, "random_state": 0, "device": "cpu"}
    >>> regressor = SourceAttentionRegressor({"good": "good", "poor": "poor"}, **options)
    >>> weights = source_weights(regressor.fit(windows, X["good_wind"]), windows)
    >>> bool(weights["good"].mean() > 0.7), bool(np.allclose(weights.sum(axis=1), 1))
    (True, True)
    """
    check_is_fitted(estimator)
    regressor, windows, _, _ = read_windows("source_weights", estimator, X)
    network = _network_of(regressor)
    names = list(getattr(regressor, "sources_", range(len(network.reads_missing))))
    if windows.window is None:
        raise ValueError(
            "source_weights reads windows, and SlidingWindower(window=None) gives whole series: give windows of as "
            "many rows as the regressor was fitted with."
        )
    if part == "window":
        values, index = _of_window(network, regressor, windows)
    elif network.known is None:
        raise ValueError(
            "source_weights(part='horizon') needs a source with a column that is known over the horizon, and there is "
            "none: name such in SlidingWindower(known=...), or give part='window'."
        )
    else:
        values, index = _of_horizon(network, regressor, windows, X)
    values[values.sum(axis=1) == 0] = np.nan  # nobody was there to be trusted
    return pd.DataFrame(values, index=index, columns=pd.Index(names, name="source"))


def _of_horizon(network: SourceAttention, regressor: Any, windows: Windows, X: Any) -> tuple[Floats, pd.Index]:
    """Give the weights of the rows that are forecast, in the order of the table, and whose they are."""
    by_window = _collect(regressor, windows, lambda past, known, *own: network.weights_ahead(known, *own))
    places = np.arange(windows.horizon)
    rows = windows.rows[windows.horizon_positions()]
    window, place = np.nonzero(rows >= 0)
    order = np.argsort(rows[window, place], kind="stable")
    window, place = window[order], place[order]
    ticks = windows.origin_ticks[:, None] + windows.step * places
    if isinstance(X, pd.DataFrame) and len(X) == len(window):  # whose index names runs, too
        index = _name_levels(X.index)
    else:
        index = label_rows(windows, windows.series[window], ticks[window, place])
    return by_window[window, place], _add_level(index, place + 1, "lead")


def _of_window(network: SourceAttention, regressor: Any, windows: Windows) -> tuple[Floats, pd.Index]:
    """Give the weights of the rows before the origins, each once, in the order of the table, and whose they are."""
    assert windows.window is not None
    by_window = _collect(regressor, windows, lambda past, known, *own: network.weights_of_window(past, *own))
    positions = windows.origins[:, None] + np.arange(-windows.window, 0)
    begins = windows.own_spans[:, :1]
    is_row = (positions >= begins) & (windows.rows[np.maximum(positions, 0)] >= 0)
    found, first = np.unique(positions[is_row], return_index=True)
    order = np.argsort(windows.rows[found], kind="stable")
    lengths = np.diff(windows.spans, axis=1)[:, 0]
    series = np.repeat(windows.span_series, lengths)[found]
    index = label_rows(windows, series[order], windows.ticks[found][order])
    return by_window[is_row][first][order], index


def _collect(regressor: Any, windows: Windows, weigh: Callable[..., Tensor]) -> Floats:
    """Give the weights (n_windows, n_places, n_sources) of all windows."""
    with torch.no_grad():
        parts = [weigh(*inputs).cpu().numpy() for inputs in _read(regressor, windows)]
    return np.concatenate(parts).astype(np.float64)


def _read(regressor: Any, windows: Windows) -> Iterator[tuple[Tensor | None, ...]]:
    for inputs in regressor.input_batches(windows):
        yield tuple(inputs.get(name) for name in ("past", "known", "series", "static"))


def label_rows(windows: Windows, series: Ints, ticks: Ints) -> pd.Index:
    """Give the series and the time of rows as an index.

    Parameters
    ----------
    windows : Windows
    series : ndarray of int64 of shape (n_rows,)
        Their numbers.
    ticks : ndarray of int64 of shape (n_rows,)
    """
    times = pd.Index(ticks) if windows.clock is None else windows.clock.labels(ticks)
    if windows.series_names is None:
        return _name_levels(times)
    names = windows.series_names.take(series)
    levels = [names.get_level_values(i) for i in range(names.nlevels)]
    return _name_levels(pd.MultiIndex.from_arrays([*levels, times], names=[*names.names, times.name]))


def _name_levels(index: pd.Index) -> pd.Index:
    """Name the levels that have no name: the last is the time."""
    *series, time = index.names
    unnamed = "series" if len(series) == 1 else "series_{}"
    names = [unnamed.format(i) if name is None else name for i, name in enumerate(series)]
    return index.set_names([*names, "time" if time is None else time])


def _add_level(index: pd.Index, values: Ints, name: str) -> pd.MultiIndex:
    """Put a level behind all others."""
    levels = [index.get_level_values(i) for i in range(index.nlevels)]
    return pd.MultiIndex.from_arrays([*levels, values], names=[*index.names, name])


def _network_of(regressor: Any) -> SourceAttention:
    """Find the network in a fitted regressor."""
    network = getattr(getattr(regressor, "net_", None), "module_", None)
    if isinstance(network, SourceAttention):
        return network
    name, holder = type(regressor).__name__, holder_of_parts(regressor)
    if any(
        isinstance(getattr(getattr(part, "net_", None), "module_", None), SourceAttention) for part in walk(regressor)
    ):
        raise ValueError(
            f"source_weights looks into one network, and {name} holds others in `{holder}`: give a member, "
            f"`{holder}[0]`, with Windows, or the pipeline with it at the end, `make_pipeline(pipe[:-1], "
            f"pipe[-1].{holder}[0])`, and average what you are given."
        )
    raise ValueError(
        f"source_weights needs a network that weighs sources, and {name} has none: give a SourceAttentionRegressor, or "
        "a NetRegressor(network=SourceAttention)."
    )
