"""What is asked of a fitted estimator: the regressor in it, its windows, and some of them apart from the rest."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_consistent_length

from skts.panel import check_same_series
from skts.windows import SlidingWindower, Windows, find_windowers, holder_of_parts, unwrap

Ints = NDArray[np.int64]


def read_windows(
    caller: str, estimator: Any, X: Any, y: Any = None
) -> tuple[Any, Windows, NDArray[Any] | None, NDArray[Any]]:
    """Find the regressor, and make its windows where a table is given.

    Parameters
    ----------
    caller : str
        The function that asks, for messages.
    estimator : estimator
        Fitted: a pipeline that ends with a windower and a regressor, a search over one, or a regressor.
    X : array-like or DataFrame of shape (n_rows, n_features), or Windows
    y : array-like of shape (n_rows,) or (n_rows, n_targets), default=None

    Returns
    -------
    regressor : estimator
    windows : Windows
    y : ndarray of shape (n_rows,) or (n_rows, n_targets), or None
        One value for every row that entered the windower; None where none was given.
    feature_names : ndarray of str of shape (n_features,)
    """
    steps = list(_steps_of(estimator))
    if isinstance(X, Windows):
        if len(steps) != 1:
            raise ValueError(
                f"{caller} was given Windows and {type(estimator).__name__}, which takes a table: give it the "
                "table, or the regressor alone."
            )
        return steps[0], X, None if y is None else np.asarray(y), _default_names(X.panel.shape[1])
    if y is not None:
        check_consistent_length(X, y)
        check_same_series(X, y)
    *before, windower, regressor = [None, *steps] if len(steps) < 2 else steps
    if not isinstance(windower, SlidingWindower):
        raise ValueError(_no_windower(caller, estimator))
    for step in filter(None, before):
        X = step.transform(X)
    windows = windower.transform(X)
    names = getattr(windower, "feature_names_in_", None)
    names = _default_names(windower.n_features_in_) if names is None else names
    names = np.delete(names, windower.static_)  # which are no columns of a window
    return regressor, windows, None if y is None else _beside_rows(caller, windows, np.asarray(y)), names


def _steps_of(estimator: Any) -> Iterator[Any]:
    """List the fitted steps that rows go through, whatever pipelines, searches and frozen ones hold them."""
    estimator = unwrap(estimator)
    if isinstance(estimator, Pipeline):
        for _, step in estimator.steps:
            if step is not None and not isinstance(step, str):
                yield from _steps_of(step)
    else:
        yield estimator


def _no_windower(caller: str, estimator: Any) -> str:
    name = type(estimator).__name__
    if find_windowers(estimator) and holder_of_parts(estimator):
        return (
            f"{caller} takes a pipeline that ends with SlidingWindower and a regressor, or a search over one, "
            f"and {name} holds such a pipeline inside: give one of its `{holder_of_parts(estimator)}`, with the rows "
            "that it forecasts."
        )
    return (
        f"{caller} takes a pipeline that ends with SlidingWindower and a regressor, or a search over one, and "
        f"{name} does not: give such a pipeline, or a regressor together with Windows."
    )


def _beside_rows(caller: str, windows: Windows, y: NDArray[Any]) -> NDArray[Any]:
    """Give every row that entered the windower its target; those that were put in front have none."""
    if len(y) == windows.n_rows:
        return y
    is_new = np.ones(windows.n_rows, dtype=bool)
    is_new[windows.history_rows] = False
    if len(y) != is_new.sum():
        raise ValueError(
            f"{caller}: y has {len(y)} rows, and {int(is_new.sum())} rows are forecast: let HistoryPrepender "
            "put as many rows in front as SlidingWindower takes for history."
        )
    out = np.full((windows.n_rows, *y.shape[1:]), np.nan)
    out[is_new] = y
    return out


def _default_names(n_features: int) -> NDArray[Any]:
    return np.asarray([f"x{i}" for i in range(n_features)], dtype=object)


def has_history(windows: Windows) -> NDArray[np.bool_]:
    """Tell which windows begin with a row that somebody has: their history is no blank."""
    first = windows.origins - windows.window
    is_there: NDArray[np.bool_] = ~np.logical_and.reduce(np.isnan(windows.panel), axis=1)
    return (first >= windows.own_spans[:, 0]) & is_there[np.maximum(first, 0)]


def unfold(windows: Windows, chosen: Ints, lookahead: int) -> Windows:
    """Copy some windows, so that no two share a cell.

    Parameters
    ----------
    windows : Windows
    chosen : ndarray of int64 of shape (n_chosen,)
    lookahead : int
        Rows after the horizon that are read too.

    Returns
    -------
    windows : Windows of shape (n_chosen, window, n_features)
        Training windows, whose forecasts are by window, each the only one of its span. They read what they read
        before: what lies outside of their span is blank.
    """
    assert windows.window is not None
    length = windows.window + windows.horizon + lookahead
    places, outside = _places_ahead(windows, chosen, lookahead)
    panel, is_blank = windows.panel[places], outside | (windows.rows[places] < 0)
    panel[outside] = np.nan
    own = windows.origins[chosen].astype(np.int64)[:, None] + np.arange(-windows.window, 0)
    is_before = own < windows.own_spans[chosen][:, :1]
    panel = np.concatenate([windows[chosen], panel], axis=1)  # (n, L, F)
    is_blank = np.concatenate([is_before | (windows.rows[np.where(is_before, 0, own)] < 0), is_blank], axis=1)
    first = length * np.arange(len(chosen), dtype=np.int64)
    return replace(
        windows,
        panel=panel.reshape(-1, panel.shape[2]),
        origins=first + windows.window,
        spans=np.stack([first, first + length], axis=1),
        span_series=windows.series[chosen],
        span_ticks=windows.origin_ticks[chosen] - windows.window * windows.step,
        rows=np.where(is_blank.ravel(), -1, np.arange(is_blank.size)),
        n_rows=is_blank.size,
        history_rows=None,
        dropped=None,
        horizons=None,
        measured=None,
    )


def _places_ahead(windows: Windows, chosen: Ints, lookahead: int) -> tuple[Ints, NDArray[np.bool_]]:
    """Find the panel rows of the horizon and the lookahead of some windows: (n, horizon + lookahead).

    Returns
    -------
    places : ndarray of int64
    outside : ndarray of bool
        Which of them nobody has, since they lie after the span or the run: their place is 0.
    """
    starts = windows.horizon_starts[chosen].astype(np.int64)
    stops = windows.own_spans[chosen, 1] if windows.horizons is None else starts + windows.horizon
    places = starts[:, None] + np.arange(windows.horizon + lookahead)
    outside = places >= stops[:, None]
    places[outside] = 0
    return places, outside
