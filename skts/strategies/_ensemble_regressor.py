"""Several regressors that differ by their seeds, and their mean."""

from collections.abc import Iterable
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import Tags, check_random_state, get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.metaestimators import available_if
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from skts._compat import HasMethods, Interval, check_sample_weight, fit_context, fit_task, fit_within
from skts.panel import has_target
from skts.strategies._update import update_part
from skts.supervised import ScoreMixin, SummaryMixin, split_latest
from skts.windows import Windows

_MAX_SEED = np.iinfo(np.int32).max


def _estimator_has(method: str) -> Any:
    return lambda self: hasattr(self.estimator, method)


class EnsembleRegressor(SummaryMixin, CallbackSupportMixin, MetaEstimatorMixin, ScoreMixin, BaseEstimator):
    """Fit clones of a regressor that differ by their seeds, and forecast their mean.

    Stands around the regressor, inside of a pipeline: windows are cut once for all. The mean of several networks of one
    kind is nearly always better than each of them [1]_.

    Parameters
    ----------
    estimator : estimator
        A regressor with a `random_state`, such as :class:`~skts.LSTMRegressor`.
    n_members : int, default=5
        How many clones are fitted.
    bootstrap_rows : int, default=None
        Each clone draws blocks of so many consecutive times with replacement, for all series alike, and weighs the
        targets by how often theirs was drawn: 168 resamples weeks of hours. With `early_stopping` the times that
        validate are not drawn, and weigh alike. None weighs all alike.
    n_jobs : int, default=None
        How many clones are fitted at once, each in a process of its own; None is 1 unless in a
        :obj:`joblib.parallel_config`, -1 all processors.
    random_state : int, RandomState instance or None, default=None
        Decides the `random_state` of each clone, and the blocks that it draws.

    Attributes
    ----------
    estimators_ : list of estimator
        The fitted clones. Each is what a separate fit with its `random_state` gives.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where `X` was a 2-D DataFrame.

    See Also
    --------
    PerSeriesRegressor : Fits one clone per series.

    References
    ----------
    .. [1] B. Lakshminarayanan, A. Pritzel, C. Blundell, "Simple and scalable predictive uncertainty estimation using
       deep ensembles", 2017, https://arxiv.org/abs/1612.01474

    Examples
    --------
    >>> from skts import DLinearRegressor, SlidingWindower
    >>> from skts.datasets import make_panel
    >>> from skts.strategies import EnsembleRegressor
    >>> X, y = make_panel(n_series=2, n_rows=100, random_state=0)
    >>> windows = SlidingWindower(24, horizon=6).fit_transform(X)
    >>> ensemble = EnsembleRegressor(DLinearRegressor(max_epochs=2), n_members=3, random_state=0).fit(windows, y)
    >>> ensemble.predict(windows, members=True).shape
    (142, 6, 3)
    """

    __metadata_request__predict = {"quantiles": True, "rolling": True, "members": True}
    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "predict"])],
        "n_members": [Interval(Integral, 1, None, closed="left")],
        "bootstrap_rows": [Interval(Integral, 1, None, closed="left"), None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any,
        n_members: int = 5,
        *,
        bootstrap_rows: int | None = None,
        n_jobs: int | None = None,
        random_state: int | RandomState | None = None,
    ):
        self.estimator = estimator
        self.n_members = n_members
        self.bootstrap_rows = bootstrap_rows
        self.n_jobs = n_jobs
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the clones.

        Parameters
        ----------
        X : Windows, or array-like of shape (n_windows, window, n_features) or (n_windows, n_features)
            As the estimator takes it.
        y : array-like of shape (n_rows,) or (n_rows, n_targets)
            Likewise.
        sample_weight : array-like of shape (n_rows,), default=None
            As long as `y`; only for an estimator that takes it.

        Returns
        -------
        self : object
        """
        rng = check_random_state(self.random_state)
        seeds = rng.randint(_MAX_SEED, size=self.n_members)
        members = [_seeded_clone(self.estimator, int(seed)) for seed in seeds]
        return self._fit_members(members, X, y, sample_weight, "fit", max_subtasks=self.n_members)

    @available_if(_estimator_has("partial_fit"))
    @fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Train every clone for one more epoch; the first call makes them.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        self : object
        """
        members = getattr(self, "estimators_", None)
        if members is None:
            seeds = check_random_state(self.random_state).randint(_MAX_SEED, size=self.n_members)
            members = [_seeded_clone(self.estimator, int(seed)) for seed in seeds]
        return self._fit_members(members, X, y, sample_weight, "partial_fit", max_subtasks=len(members))

    def predict(
        self, X: Any, quantiles: Iterable[float] | None = None, *, members: bool = False, **params: Any
    ) -> NDArray[np.float64]:
        """Forecast the mean of the clones.

        Parameters
        ----------
        X : Windows, or array-like of shape (n_windows, window, n_features) or (n_windows, n_features)
        quantiles : iterable of float, default=None
            Levels to forecast, for an estimator that gives quantiles: their mean over the clones.
        members : bool, default=False
            Whether to give what each clone forecasts, instead of their mean.
        **params : dict
            Passed to `predict` of every clone.

        Returns
        -------
        y_pred : ndarray of float64
            As the estimator gives it; with `members` one more dimension at the end, (..., n_members).
        """
        check_is_fitted(self)
        if quantiles is not None:
            params = {"quantiles": list(quantiles)} | params
        forecasts = [np.asarray(member.predict(X, **params)) for member in self.estimators_]
        if members:
            return np.stack(forecasts, axis=-1)
        return forecasts[0] if len(forecasts) == 1 else np.mean(forecasts, axis=0)

    @available_if(_estimator_has("input_gradient"))
    def input_gradient(self, X: Any) -> NDArray[np.float32]:
        """Differentiate every forecast, the mean of the clones, by the rows of its window.

        Parameters
        ----------
        X : Windows, or array-like of shape (n_windows, window, n_features) or (n_windows, n_features)

        Returns
        -------
        gradient : ndarray of float32 of shape (n_windows, horizon, n_targets, window, n_features)
            As the estimator gives it.
        """
        check_is_fitted(self)
        total = self.estimators_[0].input_gradient(X)
        for member in self.estimators_[1:]:
            total += member.input_gradient(X)
        return total / len(self.estimators_)

    def _fit_members(
        self, members: list[Any], X: Any, y: Any, sample_weight: ArrayLike | None, method: str, *, max_subtasks: int
    ) -> Self:
        weights = [self._weights(X, y, sample_weight, member) for member in members]
        with fit_task(self, X, y, max_subtasks=max_subtasks, sequential_subtasks=False) as fit:
            tasks = [fit.subcontext(task_name="member", task_id=i) for i in range(len(members))]
            self.estimators_ = list(
                Parallel(n_jobs=self.n_jobs)(
                    delayed(_fit_member)(task, self, member, X, y, weight, method)
                    for task, member, weight in zip(tasks, members, weights, strict=True)
                )
            )
            for name in ("n_features_in_", "feature_names_in_"):
                self.__dict__.pop(name, None)
                if hasattr(self.estimators_[0], name):
                    setattr(self, name, getattr(self.estimators_[0], name))
        return self

    def __skts_update__(self, X: Any, y: Any, epochs: int) -> int:
        """Bring every clone up to date; rows weigh alike."""
        return sum(update_part(member, X, y, epochs) for member in self.estimators_)

    def _weights(self, X: Any, y: Any, sample_weight: ArrayLike | None, member: Any) -> Any:
        """Give the weights of one member: those that were given, times how often each row was drawn."""
        if self.bootstrap_rows is None or np.ndim(y) == 0 or not has_target(y).any():
            return sample_weight  # what is no target, the estimator refuses
        weights = np.ones(len(y)) if sample_weight is None else check_sample_weight(sample_weight, y)
        times, params = row_times(X, len(y)), member.get_params()
        is_drawn = np.ones(len(y), dtype=bool)
        if params.get("early_stopping"):  # what validates is not drawn: it may not come at all
            is_drawn = split_latest(times, times, params.get("validation_fraction", 0.1))[0]
        counts = draw_blocks(times, has_target(y) & is_drawn, self.bootstrap_rows, _seed_of(member))
        return weights * np.where(is_drawn, counts, 1.0)

    def get_metadata_routing(self) -> MetadataRouter:
        """Say which metadata goes where.

        Returns
        -------
        routing : MetadataRouter
            This regressor takes its own, and passes weights, quantiles and `rolling` on.
        """
        mapping = MethodMapping().add(caller="fit", callee="fit").add(caller="predict", callee="predict")
        router = MetadataRouter(owner=self).add_self_request(self)
        return router.add(estimator=self.estimator, method_mapping=mapping)

    def __sklearn_tags__(self) -> Tags:
        tags, inner = super().__sklearn_tags__(), get_tags(self.estimator)
        tags.input_tags = inner.input_tags
        tags.target_tags = inner.target_tags
        if inner.regressor_tags is not None:
            tags.regressor_tags = inner.regressor_tags
        return tags


def draw_blocks(times: NDArray[np.int64], teaches: NDArray[np.bool_], rows: int, seed: int) -> NDArray[np.float64]:
    """Draw blocks of consecutive times with replacement, as many as there are with a target.

    Parameters
    ----------
    times : ndarray of int64 of shape (n_rows,)
        Rows of one time are drawn together, whatever their series.
    teaches : ndarray of bool of shape (n_rows,)
        Which rows have a target; blocks without are not drawn.
    rows : int
        Times of a block: 168 is a week of hours.
    seed : int

    Returns
    -------
    counts : ndarray of float64 of shape (n_rows,)
        How often the block of each row was drawn; 1 where no row has a target.
    """
    block = np.unique(times, return_inverse=True)[1] // rows
    candidates = np.unique(block[teaches])
    if len(candidates) == 0:
        return np.ones(len(times))
    drawn = candidates[np.random.RandomState(seed).randint(len(candidates), size=len(candidates))]
    return np.bincount(drawn, minlength=int(block.max()) + 1)[block].astype(np.float64)


def row_times(X: Any, n_rows: int) -> NDArray[np.int64]:
    """Give the time of every row of `y` as an increasing number; the number of the row where `X` has no times."""
    times = np.arange(n_rows, dtype=np.int64)
    if isinstance(X, Windows):
        there = X.rows >= 0
        times[X.rows[there]] = X.ticks[there]
    return times


def _seeded_clone(estimator: Any, seed: int) -> Any:
    """Clone an estimator and seed it, wherever in it a `random_state` is."""
    copy = clone(estimator)
    states = {name for name in copy.get_params() if name == "random_state" or name.endswith("__random_state")}
    if not states:
        raise ValueError(
            f"EnsembleRegressor(estimator={estimator!r}): it has no random_state, so all clones would be alike. Give "
            "an estimator that draws, such as LSTMRegressor()."
        )
    return copy.set_params(**dict.fromkeys(sorted(states), seed))


def _seed_of(member: Any) -> int:
    params = member.get_params()
    return int(next(value for name, value in params.items() if name.split("__")[-1] == "random_state"))


def _fit_member(task: Any, caller: Any, member: Any, X: Any, y: Any, sample_weight: Any, method: str) -> Any:
    params = {} if sample_weight is None else {"sample_weight": sample_weight}
    return fit_within(task, caller, member, X, y, params, method=method)
