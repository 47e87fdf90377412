"""Forecasts as a table that says of each from when and how far ahead it is."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from skts.model_selection._fold_table import find_origins, read_forecasts, read_levels
from skts.model_selection._quantiles import check_forecasts_quantiles
from skts.windows import find_horizon, forecast_blocks, future_rows, unwrap


def forecast(pipe: Any, X: Any = None, *, quantiles: ArrayLike | None = None) -> pd.DataFrame:
    """Forecast every row of a table, and say of each forecast when it was made and how far ahead it is.

    Parameters
    ----------
    pipe : estimator
        Fitted, with one target. Without a windower in it, all rows of a series have one origin.
    X : array-like or DataFrame of shape (n_rows, n_features), default=None
        The rows to forecast. None takes the rows that come after the training table, ``future_rows(pipe)``, where no
        column must be known ahead.
    quantiles : array-like of shape (n_quantiles,), default=None
        Levels strictly between 0 and 1 to forecast, too, by ``predict(X, quantiles=...)``.

    Returns
    -------
    table : DataFrame of shape (n_rows, 3 + n_quantiles)
        With the index of `X`, in its order. Its columns:

        - `origin`: the time that lead 1 of the same forecast is for, and what was observed was known up to the row
          before; of a table with runs the run, of one without times the row's place;
        - `lead`: how many rows ahead, from 1 up to the horizon;
        - `forecast`: what ``predict(X)`` gives, in the unit of the target;
        - `q0.1` and the like, for every level in `quantiles`, increasing.

    Raises
    ------
    NotFittedError
    TypeError
        Quantiles of an estimator that forecasts none.
    ValueError
        Without `X`: columns that must be known ahead, which are named. More than one target.

    See Also
    --------
    skts.future_rows : Rows past the end of the data, with what is known of them.
    backtest : What would have been forecast, with the truth beside it.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from skts import DLinearRegressor, HistoryPrepender, SlidingWindower, forecast
    >>> from skts.datasets import make_panel
    >>> X, y = make_panel(n_series=1, n_rows=120, random_state=0)
    >>> network = DLinearRegressor(max_epochs=2, random_state=0)
    >>> pipe = make_pipeline(HistoryPrepender(24), SlidingWindower(24, horizon=6), network).fit(X, y)
    >>> table = forecast(pipe)
    >>> table["lead"].tolist(), table.index[-1][1] - table["origin"].iloc[-1]
    ([1, 2, 3, 4, 5, 6], Timedelta('0 days 05:00:00'))
    """
    check_is_fitted(pipe)
    levels = None if quantiles is None else read_levels(quantiles, "forecast")
    if levels is not None:
        check_forecasts_quantiles(pipe, "forecast")
    X = future_rows(pipe) if X is None else X
    table = _describe_rows(pipe, X)
    y_pred = pipe.predict(X)
    if np.ndim(y_pred) == 2 and np.shape(y_pred)[1] > 1:
        raise ValueError(
            f"forecast: predict(X) gave {np.shape(y_pred)[1]} targets for each row, and one is expected: call predict, "
            "or fit an estimator for each target."
        )
    table["forecast"] = read_forecasts("predict(X)", y_pred, (len(X),))
    if levels is not None:
        values = unwrap(pipe).predict(X, quantiles=levels.tolist())
        names = [f"q{level}" for level in levels]
        table[names] = read_forecasts("predict(X, quantiles=...)", values, (len(X), len(levels)))
    return table


def _describe_rows(pipe: Any, X: Any) -> pd.DataFrame:
    """Say of every row from when and how far ahead it is forecast."""
    panel = forecast_blocks(pipe, X)
    origins, leads = find_origins(X, panel, np.arange(len(X)), find_horizon(pipe))
    index = X.index if isinstance(X, pd.DataFrame) else pd.RangeIndex(len(X))
    return pd.DataFrame({"origin": pd.Series(origins, index=index), "lead": leads}, index=index)
