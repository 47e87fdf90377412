"""Several experts, and one forecast of them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils import Tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import check_is_fitted, column_or_1d

from skts._compat import (
    BaseComposition,
    HasMethods,
    Interval,
    StrOptions,
    fit_context,
    fit_task,
    fit_within,
    routing_enabled,
)
from skts.panel import find_columns
from skts.strategies._base import BaseTableStrategy
from skts.strategies._held_out import (
    HeldOut,
    check_forecasts,
    choose_splits,
    forecast_held_out,
    read_held_out,
    take_training,
)
from skts.strategies._places import Taught, check_by
from skts.strategies._pools import Pools
from skts.strategies._replay import replay, split_cells
from skts.strategies._update import update_part
from skts.strategies._weights import BOA, MLPoly, average, share_out, stack
from skts.windows import find_horizon

Floats = NDArray[np.float64]
_ONLINE: dict[str, Any] = {"ml_poly": MLPoly, "boa": BOA}


class CombinationRegressor(BaseComposition, BaseTableStrategy):
    """Combine the forecasts of several experts.

    The mean of two good forecasts that err differently is most often better than each of them [1]_. Stands around whole
    pipelines: networks, gradient boosting on windows, and forecasts that others publish
    (:class:`ColumnRegressor`), side by side.

    Parameters
    ----------
    estimators : list of (str, estimator)
        The experts by name: each takes the table and forecasts every row of it.
    method : {"mean", "stacked", "ml_poly", "boa"}, default="mean"
        How they are weighed. No weight is negative, and they are 1 in sum.

        - "mean": all alike. Nothing to learn, and hard to beat.
        - "stacked": by least squares on held-out forecasts [2]_.
        - "ml_poly", "boa": online, first through the held-out forecasts, then through the truths that were there before
          each origin: polynomially weighted averages [3]_, and Bernstein online aggregation [4]_. Neither has a rate to
          set.
    by : tuple of {"lead", "series", "hour"}, default=("lead",)
        What has weights of its own. () has one set of weights for all rows.
    calibration : float or splitter, default=0.2
        What is held out to learn weights from: the share of the times, the latest, or the test sets of a splitter, such
        as :class:`~skts.model_selection.PanelTimeSeriesSplit`. The experts are then trained again on all rows. Not read
        by "mean".
    target : str or int, default=None
        The column of `X` that holds the past of `y`, for the online methods to learn from at `predict`. Without it
        their weights stay where `fit` left them.
    loss : {"square", "absolute"}, default="square"
        What the online methods keep small.
    min_rows : int, default=1000
        How many held-out rows "stacked" takes for a set of weights: a cell of `by` with fewer is given those of the
        leads next to it, or of all series. With few months to learn from, ``by=()`` is the steadier choice.
    horizon : int, default=None
        How many rows the experts forecast at once, by default that of the windowers in them. To be given where no
        expert has a windower: rows are else taken to be forecast one by one, all truths before each of them known.

    Attributes
    ----------
    estimators_ : list of estimator
        The experts, fitted on all rows.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where `X` was a DataFrame.

    See Also
    --------
    EnsembleRegressor : Clones of one network that differ by their seeds.
    ConformalRegressor : Calibrates quantiles.
    ColumnRegressor : Published forecasts as an expert.

    Notes
    -----
    Quantiles are combined level by level with the weights of the point forecast: the quantile of the answer is the
    weighted mean of the quantiles of the experts. That keeps the shape and does not widen as a mixture would [5]_; they
    cannot cross where those of the experts do not. The weights are not learned from how good the quantiles are.

    Regret, the loss of the online methods less that of the best expert, after T rounds with losses (linearised, so
    that it bounds the regret to the best fixed weights, too) of a range of 1 and K experts: that of "ml_poly" to expert
    k is at most of order ``sqrt(K ln(T) sum(r_k ** 2))`` [3]_, of "boa" ``sqrt(ln(K) sum(r_k ** 2)) + ln K``, up to
    ``ln ln T`` [4]_; `r_k` are its regrets in each round, so that both are small where an expert is clearly best. A
    round is a time, its loss the mean over the rows of the cell. Truths come late, so that the forecasts of a day are
    made with the weights of the day before; the bounds are those without that delay.

    What it cannot tell: weights that are learned from a few weeks follow chance, and "mean" is then the better choice.
    Held-out forecasts are of experts that were trained on less.

    An expert that says nothing (NaN) is left out of the row, in forecasts and in learning.

    Of training rows "ml_poly" and "boa" know what was held out before their own origins. Truths in `X` count that lie
    after the training table: a gap between the two teaches nothing.

    References
    ----------
    .. [1] R. T. Clemen, "Combining forecasts: A review and annotated bibliography", International Journal of
       Forecasting 5(4), 1989, https://doi.org/10.1016/0169-2070(89)90012-5
    .. [2] L. Breiman, "Stacked regressions", Machine Learning 24, 1996, https://doi.org/10.1007/BF00117832
    .. [3] P. Gaillard, G. Stoltz, T. van Erven, "A second-order bound with excess losses", COLT 2014,
       https://arxiv.org/abs/1402.2044
    .. [4] O. Wintenberger, "Optimal learning with Bernstein online aggregation", Machine Learning 106, 2017,
       https://arxiv.org/abs/1404.1356
    .. [5] K. C. Lichtendahl, Y. Grushka-Cockayne, R. L. Winkler, "Is it better to average probabilities or
       quantiles?", Management Science 59(7), 2013, https://doi.org/10.1287/mnsc.1120.1667

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from skts import DLinearRegressor, HistoryPrepender, SlidingWindower
    >>> from skts.datasets import make_panel
    >>> from skts.strategies import CombinationRegressor, WindowedRegressor
    >>> X, y = make_panel(n_series=1, n_rows=240, random_state=0)
    >>> def pipe(regressor):
    ...     return make_pipeline(HistoryPrepender(24), SlidingWindower(24, horizon=6, known="wind"), regressor)
    >>> experts = [
    ...     ("linear", pipe(WindowedRegressor(Ridge()))),
    ...     ("network", pipe(DLinearRegressor(max_epochs=2, random_state=0))),
    ... ]
    >>> CombinationRegressor(experts).fit(X[:200], y[:200]).predict(X[200:]).shape
    (40,)
    >>> online = CombinationRegressor(experts, method="boa", target="power").fit(X[:200], y[:200])
    >>> online.weigh(X[200:]).shape
    (40, 2)
    """

    __metadata_request__predict = {"quantiles": True}
    _parameter_constraints = {
        "estimators": [list],
        "method": [StrOptions({"mean", "stacked", *_ONLINE})],
        "by": [str, tuple, list, None],
        "calibration": [Interval(Real, 0, 1, closed="right"), HasMethods(["split"])],
        "target": [str, Integral, None],
        "loss": [StrOptions({"square", "absolute"})],
        "min_rows": [Interval(Integral, 1, None, closed="left")],
        "horizon": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        estimators: list[tuple[str, Any]],
        *,
        method: str = "mean",
        by: str | Sequence[str] = ("lead",),
        calibration: Any = 0.2,
        target: str | int | None = None,
        loss: str = "square",
        min_rows: int = 1000,
        horizon: int | None = None,
    ):
        self.estimators = estimators
        self.method = method
        self.by = by
        self.calibration = calibration
        self.target = target
        self.loss = loss
        self.min_rows = min_rows
        self.horizon = horizon

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Give the parameters, those of the experts as ``name__parameter``.

        Parameters
        ----------
        deep : bool, default=True

        Returns
        -------
        params : dict
        """
        return self._get_params("estimators", deep=deep)

    def set_params(self, **params: Any) -> Self:
        """Set parameters, an expert by its name.

        Parameters
        ----------
        **params : dict

        Returns
        -------
        self : object
        """
        return self._set_params("estimators", **params)

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, **params: Any) -> Self:
        """Fit the experts, before that on what is not held out, where weights are learned.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
            The training table.
        y : array-like of shape (n_rows,)
            One target. An expert without a windower is trained on the rows that have it.
        **params : dict
            Passed to `fit` of every expert. With metadata routing, only what each requests.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            No experts, names that repeat, an expert that does not forecast every row, or nothing to hold out.
        """
        self._check_experts()
        X = self._read_table(X, reset=True)
        y = self._read_target(X, y)
        column_or_1d(y, warn=True)
        self._by = check_by(type(self).__name__, self.by, X)
        self._method, self._loss, self._min_rows = self.method, self.loss, self.min_rows  # whatever they become
        self._taught = Taught.read(X)
        owner = f"CombinationRegressor(target={self.target!r})"
        self._target = None if self.target is None else find_columns(X, self.target, owner)
        self._horizon = self.horizon or find_horizon(clone(self))  # which has no experts of an earlier fit
        experts = [(name, each, self._route_to(name, "fit", params)) for name, each in self.estimators]
        splits = [] if self.method == "mean" else choose_splits(type(self).__name__, self.calibration, X, y)
        with fit_task(self, X, y, max_subtasks=len(experts) * (len(splits) + 1)) as context:
            held_out, _ = forecast_held_out(context, self, experts, X, y, splits, _forecast)
            self._held_out = self._join(X, y, splits, held_out)
            self.estimators_ = []
            for name, each, routed in experts:
                task = context.subcontext(task_name=name)
                rows = np.arange(len(X))
                self.estimators_.append(fit_within(task, self, clone(each), *take_training(each, X, y, routed, rows)))
        return self

    def predict(self, X: Any, quantiles: Iterable[float] | None = None, **params: Any) -> Floats:
        """Forecast the weighted mean of the experts.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
            The rows to forecast. Of the column `target` what lies before an origin is read.
        quantiles : iterable of float, default=None
            Levels to forecast, of experts that all give quantiles.
        **params : dict
            Passed to `predict` of the experts.

        Returns
        -------
        y_pred : ndarray of shape (n_rows,) or (n_rows, n_quantiles)
            In the order of the rows.
        """
        check_is_fitted(self)
        X = self._read_table(X, reset=False)
        levels = None if quantiles is None else list(quantiles)
        learns = self._method in _ONLINE and self._target is not None
        points = self._ask(X, None, params) if levels is None or learns else None
        forecasts = points if levels is None else self._ask(X, levels, params)
        assert forecasts is not None
        return average(forecasts, self._weights(X, points if learns else None))

    def weigh(self, X: Any, **params: Any) -> Floats:
        """Give the weights that the rows are forecast with.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
        **params : dict
            Passed to `predict` of the experts.

        Returns
        -------
        weights : ndarray of shape (n_rows, n_experts)
            In the order of `estimators`; none negative, 1 in sum.
        """
        check_is_fitted(self)
        X = self._read_table(X, reset=False)
        learns = self._method in _ONLINE and self._target is not None
        return self._weights(X, self._ask(X, None, params) if learns else None)

    def _weights(self, X: Any, forecasts: Floats | None) -> Floats:
        n_experts = len(self.estimators_)
        places = self._taught.places(X, self._horizon)
        weights = np.full((len(X), n_experts), 1 / n_experts)
        if self._held_out is None:
            return weights
        if self._method == "stacked":
            keys = self._held_out.places.keys(self._by)
            pools = Pools(keys, self._by, self._min_rows)
            for cell, rows in split_cells(places.keys(self._by)):
                some = pools.rows_for(cell)
                weights[rows] = stack(self._held_out.forecasts[some], self._held_out.y[some])
            return weights
        y = np.full(len(X), np.nan)
        if forecasts is None:
            forecasts = np.full((len(X), n_experts), np.nan)
        else:
            y = self._taught.truths(X, self._target, places)
        whole = self._held_out.join(HeldOut(places, forecasts, y))
        return self._learn_online(whole)[self._held_out.places.n_rows :]

    def _learn_online(self, table: HeldOut) -> Floats:
        """Go through all truths of a table, cell by cell: the weights of every row, (n_rows, n_experts)."""
        weights = np.empty_like(table.forecasts)
        teaches = ~np.isnan(table.y) & ~np.isnan(table.forecasts).all(axis=1)
        for _, rows in split_cells(table.places.keys(self._by)):
            experts, y = table.forecasts[rows], table.y[rows]

            def regrets(some: Any, used: Floats, experts: Floats = experts, y: Floats = y) -> Floats:
                return _regrets(experts[some], y[some], used, self._loss)

            learner = _ONLINE[self._method](experts.shape[1])
            ticks, seen = table.places.ticks[rows], table.places.seen[rows]
            weights[rows] = replay(learner, ticks, seen, teaches[rows], regrets)
        return weights

    def _join(self, X: Any, y: Any, splits: list[Any], held_out: list[list[Floats]]) -> HeldOut | None:
        """Put the held-out forecasts of all splits together."""
        if not splits:
            return None
        places, truths = read_held_out(X, y, splits, self._horizon, self._taught)
        whole = HeldOut(places, np.concatenate([np.column_stack(forecasts) for forecasts in held_out]), truths)
        if self.method in _ONLINE:
            return whole
        whole = whole.complete()
        if not len(whole.y):
            raise ValueError(
                f"CombinationRegressor(method={self.method!r}): no held-out row has a target and the forecasts of all "
                "experts. Hold out more by calibration, or leave out the expert that says nothing."
            )
        return whole

    def __skts_update__(self, X: Any, y: Any, epochs: int) -> int:
        """Hold new rows out before anything learns from them, and bring the experts up to date."""
        X = self._read_table(X, reset=False)
        X_new, y_new = self._taught.news(X, y)
        taught, places, truths = self._taught.learn(X_new, y_new, self._horizon)
        if y is not None and self._held_out is not None:
            new = HeldOut(places, self._ask(X_new, None, {}), truths)
            self._held_out = self._held_out.join(new if self._method in _ONLINE else new.complete())
        self._taught = taught
        return sum(update_part(each, X, y, epochs) for each in self.estimators_)

    def _ask(self, X: Any, levels: list[float] | None, params: dict[str, Any]) -> Floats:
        """Let all experts forecast: (n_rows, n_experts) or (n_rows, n_levels, n_experts)."""
        names = [name for name, _ in self.estimators]
        asked = zip(names, self.estimators_, strict=True)
        forecasts = [
            _forecast(name, each, X, levels, **self._route_to(name, "predict", params)) for name, each in asked
        ]
        return np.stack(forecasts, axis=-1)

    def _check_experts(self) -> None:
        if not self.estimators:
            raise ValueError("CombinationRegressor(estimators=[]): give at least one expert, [(name, estimator), ...].")
        names, experts = zip(*self.estimators, strict=True)
        self._validate_names(names)
        self._check_estimators_are_instances(experts)

    def get_metadata_routing(self) -> MetadataRouter:
        """Say which metadata goes where.

        Returns
        -------
        routing : MetadataRouter
            This regressor takes quantiles; `fit` and `predict` pass on what each expert requests.
        """
        mapping = MethodMapping().add(caller="fit", callee="fit").add(caller="predict", callee="predict")
        router = MetadataRouter(owner=self).add_self_request(self)
        for name, each in self.estimators:
            router.add(**{name: each}, method_mapping=mapping)
        return router

    def _route_to(self, name: str, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Choose what an expert's method is given."""
        if not routing_enabled() or not params:
            return params
        return process_routing(self, method, **params)[name][method]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags = replace(tags.target_tags, multi_output=False, single_output=True)
        return tags

    def _inner(self) -> list[Any]:
        return [each for _, each in self.estimators]


def _forecast(name: str, expert: Any, X: Any, levels: list[float] | None = None, **params: Any) -> Floats:
    shape = (len(X),) if levels is None else (len(X), len(levels))
    if levels is not None:
        params = params | {"quantiles": levels}
    try:
        forecasts = expert.predict(X, **params)
    except Exception as error:
        error.add_note(f"CombinationRegressor was asking the expert {name!r} to forecast.")
        raise
    return check_forecasts("CombinationRegressor", f"the expert {name!r}", forecasts, shape)


def _regrets(experts: Floats, y: Floats, weights: Floats, loss: str) -> Floats:
    """Give the loss of the mean less that of each expert, both linear around the mean: the mean over some rows.

    Parameters
    ----------
    experts : ndarray of shape (n_rows, n_experts)
    y : ndarray of shape (n_rows,)
    weights : ndarray of shape (n_rows, n_experts)
        With which the rows were forecast.
    loss : {"square", "absolute"}

    Returns
    -------
    regrets : ndarray of shape (n_experts,)
        0 of an expert that says nothing.
    """
    awake = ~np.isnan(experts)
    there = np.where(awake, experts, 0.0)
    mean = (share_out(weights, awake) * there).sum(axis=1)
    slope = 2 * (mean - y) if loss == "square" else np.sign(mean - y)
    return np.where(awake, slope[:, None] * (mean[:, None] - there), 0.0).mean(axis=0)
