"""Dense layers over the whole window and all that is known ahead."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from skts.nn._forecaster import Forecaster, State
from skts.nn._layers import SeriesEmbedding
from skts.nn.heads import Head, PointHead


class MLP(Forecaster):
    """A multilayer perceptron from the window, and from what is known ahead, to the whole horizon at once.

    Shapes: B windows, W rows of window, H rows of horizon, A rows of lookahead, F features, K known features,
    D static columns, T targets; `...` are the dimensions that the head adds.

    Parameters
    ----------
    n_features, n_known, n_targets : int
        F, K and T.
    horizon, window : int
        H and W. None, for whole series, is refused.
    n_series : int, default=1
        How many series the embedding tells apart.
    head : Head, default=None
        Makes the last layer; a point by default.
    n_static : int, default=0
        D.
    hidden_sizes : sequence of int, default=(256, 128)
        Units of each hidden layer.
    lags : sequence of int, default=None
        Which rows of the window are read, counted back from the origin: 1 is the last. None reads all.
    columns : sequence of int, default=None
        Which columns of the window are read, by their place among the features, from 0. None reads all. The past of a
        calendar, for one, tells nothing that the horizon does not tell, and is so many weights more.
    dropout : float, default=0.0
        Share of hidden units dropped in training.
    lookahead : int, default=0
        A: known rows after the horizon that are read too.
    linear_skip : bool, default=False
        Whether a linear map of all that is read is added to the forecast.
    series_embedding : int, default=0
        Numbers of the vector that is learned for each series and read beside the rows.

    Notes
    -----
    Each lead has weights of its own, and so has each row that is read. That suits forecasts that are always made at the
    same hour, such as prices of the day ahead at midnight: train it on those origins alone
    (``SlidingWindower(stride=24)``). With the lags of 1, 2, 3 and 7 days it is much like the deep neural network of
    Lago et al. (2018), https://doi.org/10.1016/j.apenergy.2018.02.069.

    Examples
    --------
    >>> from skts import NetRegressor
    >>> from skts.nn import MLP
    >>> days = [24 * day - hour for day in (1, 2, 3, 7) for hour in range(24)]
    >>> net = NetRegressor(MLP, network_params={"lags": days, "dropout": 0.2, "linear_skip": True}, lr=1e-3)
    """

    def __init__(
        self,
        n_features: int,
        n_known: int,
        n_targets: int,
        horizon: int,
        window: int | None,
        n_series: int = 1,
        head: Head | None = None,
        n_static: int = 0,
        *,
        hidden_sizes: Sequence[int] = (256, 128),
        lags: Sequence[int] | None = None,
        columns: Sequence[int] | None = None,
        dropout: float = 0.0,
        lookahead: int = 0,
        linear_skip: bool = False,
        series_embedding: int = 0,
    ):
        super().__init__()
        if window is None:
            raise ValueError(
                "An MLP needs windows, and was given whole series: give SlidingWindower(window=...) a number of rows."
            )
        self.rows = _find_rows(window, lags)
        self.columns = _find_columns(n_features, columns)
        self.shape = (horizon, n_targets)
        self.lookahead = lookahead
        self.reads_series = series_embedding > 0
        self.reads_static = n_static > 0
        self.head = PointHead() if head is None else head
        self.embedding: SeriesEmbedding | None = None
        n_rows = window if self.rows is None else len(self.rows)
        n_columns = n_features if self.columns is None else len(self.columns)
        size = n_rows * n_columns + (horizon + lookahead) * n_known
        if series_embedding or n_static:
            self.embedding = SeriesEmbedding(n_series, series_embedding, n_static)
            size += self.embedding.width
        n_outputs = horizon * n_targets
        self.skip = nn.Linear(size, n_outputs) if linear_skip else None
        hidden: list[nn.Module] = []
        for n_units in hidden_sizes:
            hidden += [nn.Linear(size, n_units), nn.ReLU(), nn.Dropout(dropout)]
            size = n_units
        self.hidden = nn.Sequential(*hidden)
        self.output = self.head.make_layer(size, n_outputs)

    def forward(
        self,
        past: Tensor,
        known: Tensor | None = None,
        series: Tensor | None = None,
        state: State | None = None,
        static: Tensor | None = None,
    ) -> tuple[Tensor, None]:
        """Forecast the horizon after each window; see :class:`Forecaster`."""
        if self.rows is not None:
            past = past[:, self.rows]
        if self.columns is not None:
            past = past[..., self.columns]
        read = [past.flatten(1)]
        if known is not None:
            read.append(known.flatten(1))
        if self.embedding is not None:
            read.append(self.embedding(series, static))
        values = torch.cat(read, dim=1)
        forecast = self.output(self.hidden(values)).unflatten(1, self.shape)  # (B, H, T, ...)
        if self.skip is None:
            return forecast, None
        share = self.skip(values).unflatten(1, self.shape)  # (B, H, T)
        return self.head.rescale(forecast, torch.ones_like(share), share), None


def _find_rows(window: int, lags: Sequence[int] | None) -> list[int] | None:
    """Give the places in the window of the rows that are read, the oldest first; None is all of them."""
    if lags is None:
        return None
    beyond = [lag for lag in lags if not 1 <= lag <= window]
    if beyond or not len(lags):
        raise ValueError(
            f"MLP(lags={list(lags)}): rows of a window of {window} are counted back from the origin, from 1 to {window}"
            f"{f', and {beyond[0]} is none of them' if beyond else ', and at least one is needed'}."
        )
    return sorted({window - lag for lag in lags})


def _find_columns(n_features: int, columns: Sequence[int] | None) -> list[int] | None:
    """Give the places of the columns of the window that are read; None is all of them."""
    if columns is None:
        return None
    beyond = [column for column in columns if not 0 <= column < n_features]
    if beyond or not len(columns):
        raise ValueError(
            f"MLP(columns={list(columns)}): a window of {n_features} features has the columns 0 to {n_features - 1}"
            f"{f', and {beyond[0]} is none of them' if beyond else ', and at least one is needed'}."
        )
    return sorted(set(columns))
