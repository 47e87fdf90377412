"""Quantiles that cover what they promise."""

from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils import Tags
from sklearn.utils.metadata_routing import MetadataRouter
from sklearn.utils.validation import check_is_fitted, column_or_1d

from skts._compat import HasMethods, Interval, StrOptions, fit_context, fit_task, fit_within
from skts.nn import interpolate_levels
from skts.panel import find_columns
from skts.strategies._base import BaseTableStrategy
from skts.strategies._conformal import ACI, PID, one_sided, two_sided
from skts.strategies._held_out import (
    HeldOut,
    check_forecasts,
    choose_splits,
    forecast_held_out,
    read_held_out,
    take_training,
)
from skts.strategies._levels import choose_levels
from skts.strategies._places import Taught, check_by
from skts.strategies._pools import Pools
from skts.strategies._replay import replay, split_cells
from skts.windows import find_horizon

Floats = NDArray[np.float64]
Bounds = tuple[float | None, float | None]
_ADAPTIVE: dict[str, tuple[Any, float]] = {"aci": (ACI, 0.01), "pid": (PID, 0.01)}


class ConformalRegressor(BaseTableStrategy):
    """Calibrate the quantiles of a forecaster by how its held-out forecasts did.

    Learned quantiles are too narrow or too wide on rows that training has not seen. Conformal prediction moves each by
    as much as it missed on rows that were held out, so that the share below is what was promised, whatever the
    forecaster is [1]_.

    Parameters
    ----------
    estimator : estimator
        Usually a :class:`~sklearn.pipeline.Pipeline`: it takes the table and forecasts every row of it.
    method : {"cqr", "residual"}, default="cqr"
        - "cqr": conformalized quantile regression [1]_: the quantiles of the estimator, each moved.
        - "residual": the point forecast, moved by the quantiles of its errors. For an estimator without quantiles; all
          intervals of a cell of `by` are equally wide.
    by : tuple of {"lead", "series", "hour"}, default=("lead", "series")
        What is calibrated on its own. () puts all rows together.
    calibration : float or splitter, default=0.2
        What is held out: the share of the times, the latest, or the test sets of a splitter, such as
        :class:`~skts.model_selection.PanelTimeSeriesSplit`. 1.0 calibrates a fitted estimator in a
        :class:`~sklearn.frozen.FrozenEstimator` on the whole table.
    adaptive : {"aci", "pid"}, default=None
        Whether corrections follow the truths that were there before each origin: by adaptive conformal inference [2]_,
        which moves the level, or by conformal PID control [3]_, which moves the quantile itself, also beyond all errors
        that were held out. None leaves them where `fit` found them.
    target : str or int, default=None
        The column of `X` that holds the past of `y`, for `adaptive` to learn from at `predict`.
    quantiles : iterable of float, default=None
        Levels to calibrate with "cqr", by default those that the estimator has learned. Others are interpolated.
        "residual" answers any.
    symmetric : bool, default=False
        Whether both ends of a central interval move by the same, as split conformal prediction is mostly written.
        Otherwise each level is calibrated on its own, which also mends forecasts that are too low or too high.
    min_rows : int, default=1000
        How many held-out rows a correction takes: a cell of `by` with fewer is given those of the leads next to it, or
        of all series. Hours of one day err together, so that few rows of each day are worth as much as many.
    refit : bool, default=True
        Whether the estimator is trained again on all rows after calibration. Otherwise the one that was calibrated
        forecasts, as theory has it; it then remembers no history of the rows that were held out.
    rate : float, default=None
        How fast `adaptive` follows: for a miss a hundredth of a level ("aci") or of the greatest held-out error ("pid")
        by default. Faster ones mend coverage sooner, with wider intervals.
    bounds : tuple of (float or None, float or None), default=(None, None)
        What the target cannot be below or above; quantiles are cut there.
    horizon : int, default=None
        How many rows the estimator forecasts at once, by default that of the windower in it. To be given where there is
        none: rows are else taken to be forecast one by one, all truths before each of them known.

    Attributes
    ----------
    estimator_ : estimator
        What forecasts.
    levels_ : tuple of float or None
        The levels that "cqr" has calibrated, increasing; the median is always among them.
    n_calibration_ : int
        How many held-out rows have a target.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where `X` was a DataFrame.

    See Also
    --------
    CombinationRegressor : Combines several forecasters, quantiles included.

    Notes
    -----
    With n held-out scores the correction of a level above one half is the ``ceil((n + 1) level)``-th of them, of a
    level below its mirror image: were all rows exchangeable and ``refit=False``, the share below would on average be
    the level or more (less, for levels below one half), by ``1 / (n + 1)`` at most. A level that takes more rows than
    there are is given the outermost score.

    Hours of weather are not exchangeable. What that costs is measured, not promised: coverage holds as far as the
    calibration times resemble those to come, and a season that was not held out may break it. `adaptive` mends that as
    truths come in: its long-run share of misses approaches the level whatever happens [2]_ [3]_, for each cell of `by`
    alone, and up to the outermost held-out score with "aci". It says nothing of any single day.

    `predict(X)` is the forecast of the estimator as it is. Corrected quantiles that cross are sorted. An unseen series
    is corrected by the scores of all.

    Held-out scores are of an estimator that was trained on less: after ``refit`` they are rather too wide.

    References
    ----------
    .. [1] Y. Romano, E. Patterson, E. J. Candes, "Conformalized quantile regression", NeurIPS 2019,
       https://arxiv.org/abs/1905.03222
    .. [2] I. Gibbs, E. J. Candes, "Adaptive conformal inference under distribution shift", NeurIPS 2021,
       https://arxiv.org/abs/2106.00170
    .. [3] A. N. Angelopoulos, E. J. Candes, R. J. Tibshirani, "Conformal PID control for time series prediction",
       NeurIPS 2023, https://arxiv.org/abs/2307.16895

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from skts import HistoryPrepender, SlidingWindower
    >>> from skts.datasets import make_panel
    >>> from skts.strategies import ConformalRegressor, WindowedRegressor
    >>> X, y = make_panel(n_series=2, n_rows=1000, random_state=0)
    >>> is_new = X.index.get_level_values("time") >= "2024-02-01"
    >>> pipe = make_pipeline(HistoryPrepender(6), SlidingWindower(6, 3, known="wind"), WindowedRegressor(Ridge()))
    >>> regressor = ConformalRegressor(pipe, method="residual").fit(X[~is_new], y[~is_new])
    >>> regressor.n_calibration_
    298
    >>> regressor.predict(X[is_new], quantiles=[0.1, 0.9]).shape
    (512, 2)
    """

    __metadata_request__predict = {"quantiles": True}
    _parameter_constraints = {
        **BaseTableStrategy._parameter_constraints,
        "method": [StrOptions({"cqr", "residual"})],
        "by": [str, tuple, list, None],
        "calibration": [Interval(Real, 0, 1, closed="right"), HasMethods(["split"])],
        "adaptive": [StrOptions(set(_ADAPTIVE)), None],
        "target": [str, Integral, None],
        "quantiles": ["array-like", None],
        "symmetric": ["boolean"],
        "min_rows": [Interval(Integral, 1, None, closed="left")],
        "refit": ["boolean"],
        "rate": [Interval(Real, 0, None, closed="left"), None],
        "bounds": [tuple, list],
        "horizon": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        method: str = "cqr",
        by: str | Sequence[str] = ("lead", "series"),
        calibration: Any = 0.2,
        adaptive: str | None = None,
        target: str | int | None = None,
        quantiles: Iterable[float] | None = None,
        symmetric: bool = False,
        min_rows: int = 1000,
        refit: bool = True,
        rate: float | None = None,
        bounds: Bounds = (None, None),
        horizon: int | None = None,
    ):
        self.estimator = estimator
        self.method = method
        self.by = by
        self.calibration = calibration
        self.adaptive = adaptive
        self.target = target
        self.quantiles = quantiles
        self.symmetric = symmetric
        self.min_rows = min_rows
        self.refit = refit
        self.rate = rate
        self.bounds = bounds
        self.horizon = horizon

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, **params: Any) -> Self:
        """Fit on what is not held out, score what is, and fit again on all rows.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
            The training table.
        y : array-like of shape (n_rows,)
            One target. Rows without it calibrate nothing.
        **params : dict
            Passed to `fit` of `estimator`. With metadata routing, only what it requests.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            Nothing to train on or to hold out, an estimator that does not forecast every row, or levels that are not
            known.
        """
        self._check_parameters()
        X = self._read_table(X, reset=True)
        y = self._read_target(X, y)
        column_or_1d(y, warn=True)
        self._learned = {
            name: getattr(self, name) for name in ("method", "adaptive", "symmetric", "min_rows", "bounds")
        }
        self._by, self._rate = check_by(type(self).__name__, self.by, X), self.rate
        self._taught = Taught.read(X)
        owner = f"ConformalRegressor(target={self.target!r})"
        self._target = None if self.target is None else find_columns(X, self.target, owner)
        self._horizon = self.horizon or find_horizon(self.estimator)
        params = self._route("fit", params)
        splits = choose_splits(type(self).__name__, self.calibration, X, y)
        if len(splits) > 1 and not self.refit:
            raise ValueError("ConformalRegressor(refit=False) has one estimator per fold: give refit=True, or a share.")
        with fit_task(self, X, y, max_subtasks=len(splits) + self.refit) as context:
            expert = [("estimator", self.estimator, params)]
            held_out, fitted = forecast_held_out(context, self, expert, X, y, splits, self._forecast_held_out)
            places, truths = read_held_out(X, y, splits, self._horizon, self._taught)
            self._keep(HeldOut(places, np.concatenate([some for (some,) in held_out]), truths))
            self.estimator_ = fitted[0]
            if self.refit:
                task = context.subcontext(task_name="estimator")
                own = take_training(self.estimator, X, y, params, np.arange(len(X)))
                self.estimator_ = fit_within(task, self, clone(self.estimator), *own)
        return self

    def predict(self, X: Any, quantiles: Iterable[float] | None = None, **params: Any) -> Floats:
        """Forecast.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
            The rows to forecast. Of the column `target` what lies before an origin is read.
        quantiles : iterable of float, default=None
            Levels to answer, calibrated. The forecast of the estimator as it is by default.
        **params : dict
            Passed to `predict` of the estimator.

        Returns
        -------
        y_pred : ndarray of shape (n_rows,) or (n_rows, n_quantiles)
            In the order of the rows.
        """
        check_is_fitted(self)
        X, params = self._read_table(X, reset=False), self._route("predict", params)
        if quantiles is None:
            return _check(self.estimator_.predict(X, **params), len(X))
        asked = np.asarray(list(quantiles), dtype=np.float64)
        if not ((asked > 0) & (asked < 1)).all():
            raise ValueError(f"ConformalRegressor.predict(quantiles={asked.tolist()}): levels between 0 and 1.")
        levels = self.levels_ or tuple(np.unique(asked))
        forecasts = self._forecast(self.estimator_, X, **params)
        low, high = self._learned["bounds"]
        corrected = np.sort(forecasts + self._corrections(X, forecasts, np.array(levels)), axis=1)
        return interpolate_levels(np.clip(corrected, low, high), levels, asked)

    def _corrections(self, X: Any, forecasts: Floats, levels: Floats) -> Floats:
        """Give what is added to each level of each row: (n_rows, n_levels)."""
        places = self._taught.places(X, self._horizon)
        held, adaptive = self._held_out, self._learned["adaptive"]
        n_start = held.places.n_rows if adaptive is None else self._n_fitted  # what comes since, it goes through
        scores = (held.y[:, None] - held.forecasts) + np.zeros(len(levels))  # (n_held, n_levels)
        pools = Pools(held.places.keys(self._by)[:n_start], self._by, self._learned["min_rows"])
        out = np.empty((len(X), len(levels)))
        if adaptive is None:
            for cell, rows in split_cells(places.keys(self._by)):
                some = scores[pools.rows_for(cell)]
                symmetric = self._learned["symmetric"]
                out[rows] = two_sided(some, levels) if symmetric else one_sided(np.sort(some, axis=0), levels)
            return out
        y = np.full(len(X), np.nan)
        if self._target is not None:
            y = self._taught.truths(X, self._target, places)
        whole, n_held = held.places.join(places), held.places.n_rows
        scores = np.concatenate([scores, (y[:, None] - forecasts) + np.zeros(len(levels))])
        teaches = np.asarray(~np.isnan(scores).any(axis=1))
        learner, rate = _ADAPTIVE[adaptive]
        rate = rate if self._rate is None else self._rate
        for cell, rows in split_cells(whole.keys(self._by)):
            is_new = rows >= n_held
            if not is_new.any():
                continue
            own = scores[rows]

            def covered(some: Any, used: Floats, own: Floats = own) -> Floats:
                return (own[some] <= used).mean(axis=0)

            start = learner(np.sort(scores[:n_start][pools.rows_for(cell)], axis=0), levels, rate)
            answers = replay(start, whole.ticks[rows], whole.seen[rows], teaches[rows], covered)
            out[rows[is_new] - n_held] = answers[is_new]
        return out

    def _forecast_held_out(self, name: str, fitted: Any, X: Any) -> Floats:
        if self.method == "residual":
            self.levels_ = None
        else:
            self.levels_ = self._find_levels(fitted)
        return self._forecast(fitted, X)

    def _forecast(self, fitted: Any, X: Any, **params: Any) -> Floats:
        """Forecast what is to be corrected: (n_rows, n_levels), or (n_rows, 1) by the point."""
        if self.levels_ is None:
            return _check(fitted.predict(X, **params), len(X))[:, None]
        levels = list(self.levels_)
        forecasts = fitted.predict(X, quantiles=levels, **params)
        return _check(forecasts, len(X), len(levels))

    def _find_levels(self, fitted: Any) -> tuple[float, ...]:
        levels = choose_levels(fitted, self.quantiles)
        if levels is None:
            raise ValueError(
                'ConformalRegressor(method="cqr") calibrates the quantiles of the estimator, and it names none: give '
                'it quantiles=(0.1, 0.5, 0.9), or give them here, or method="residual" for a point forecast.'
            )
        mirrored = np.sort(1 - np.array(levels))
        if self.symmetric and not np.allclose(mirrored, levels):
            raise ValueError(
                f"ConformalRegressor(symmetric=True): central intervals are expected, and the levels are {levels}: "
                "give each with its mirror image, or symmetric=False."
            )
        return levels

    def _keep(self, held_out: HeldOut) -> None:
        self._held_out = held_out.complete()
        self.n_calibration_ = self._n_fitted = len(self._held_out.y)
        if not self.n_calibration_:
            raise ValueError(
                "ConformalRegressor: no held-out row has a target and a forecast. Hold out more by calibration."
            )

    def __skts_update__(self, X: Any, y: Any, epochs: int) -> int:
        """Hold new rows out before anything learns from them, and bring the estimator up to date."""
        X = self._read_table(X, reset=False)
        X_new, y_new = self._taught.news(X, y)
        taught, places, truths = self._taught.learn(X_new, y_new, self._horizon)
        if y is not None:
            new = HeldOut(places, self._forecast(self.estimator_, X_new), truths)
            self._held_out = self._held_out.join(new.complete())
            self.n_calibration_ = len(self._held_out.y)
        self._taught = taught
        return super().__skts_update__(X, y, epochs)

    def _check_parameters(self) -> None:
        if len(self.bounds) != 2:
            raise ValueError(f"ConformalRegressor(bounds={self.bounds!r}): (low, high), each a number or None.")
        if self.adaptive is not None and self.symmetric:
            raise ValueError(
                f"ConformalRegressor(adaptive={self.adaptive!r}, symmetric=True): each level follows its own misses: "
                "give symmetric=False."
            )

    def get_metadata_routing(self) -> MetadataRouter:
        """Say which metadata goes where.

        Returns
        -------
        routing : MetadataRouter
            This regressor takes quantiles; `fit` and `predict` pass on what the estimator requests.
        """
        return super().get_metadata_routing().add_self_request(self)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output, tags.target_tags.single_output = False, True
        return tags


def _check(forecasts: Any, *shape: int) -> Floats:
    return check_forecasts("ConformalRegressor", "the estimator", forecasts, shape)
