"""Scenarios of whole days: what may happen together."""

from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils import Tags, check_random_state, check_scalar
from sklearn.utils.metadata_routing import MetadataRouter
from sklearn.utils.validation import check_is_fitted, column_or_1d

from skts._compat import HasMethods, Interval, StrOptions, fit_context, fit_task, fit_within, safe_indexing
from skts.panel import PanelIndex, find_columns, read_index
from skts.strategies._base import BaseTableStrategy
from skts.strategies._cells import Cells
from skts.strategies._columns import read_numbers
from skts.strategies._copula import STRUCTURES, Copula, score
from skts.strategies._held_out import Split, check_forecasts, choose_splits, forecast_held_out, take_training
from skts.strategies._levels import choose_levels
from skts.strategies._margins import draw_at, transform
from skts.windows import find_horizon, walk

Floats = NDArray[np.float64]
Bound = float | str | None
_LEVELS = tuple((np.arange(1, 100) / 100).tolist())  # where the estimator names none: it answers any


class ScenarioSampler(BaseTableStrategy):
    """Draw scenarios: whole courses of all series, each as likely as the next.

    Quantiles say what may happen at one hour of one station. What a battery, a grid or a portfolio meets is a whole day
    of all stations, and how their errors go together. A Gaussian copula [1]_ [2]_ ties the quantiles of the estimator
    together: every scenario is a course of ranks, correlated as those of held-out truths within their forecasts were,
    and each rank is looked up in the quantiles of its row.

    Parameters
    ----------
    estimator : estimator
        Usually a :class:`~sklearn.pipeline.Pipeline`: it takes the table and forecasts every row of it, by
        ``predict(X, quantiles=...)``.
    structure : {"separable", "shrunk", "independent"}, default="separable"
        How the correlation of all pairs of lead and series is estimated.

        - "separable": that of two leads times that of two series. Few numbers, which few blocks tell.
        - "shrunk": of each pair what was counted, drawn towards the product by as much as counts are uncertain [3]_.
        - "independent": none; a reference.
    calibration : float or splitter, default=0.2
        What is held out: the share of the times, the latest, or the test sets of a splitter, such as
        :class:`~skts.model_selection.PanelTimeSeriesSplit`. 1.0 learns from a fitted estimator in a
        :class:`~sklearn.frozen.FrozenEstimator` on the whole table.
    quantiles : iterable of float, default=None
        The levels that the margins are made of; at least two, best close to each other. By default those that the
        estimator names, else 0.01, 0.02, ... 0.99.
    bounds : tuple of (float, str or None, float, str or None), default=None
        What the target cannot be below or above: a number, or the column of `X` that has it. By default the `bounds` of
        the estimator, where it has some.
    horizon : int, default=None
        How many rows the estimator forecasts at once, by default that of the windower in it. To be given where there is
        none: rows are else taken to be forecast one by one, and independent of each other.
    random_state : int, RandomState instance or None, default=None
        Decides the ranks of truths that lie where the forecast has a probability, as on a bound.

    Attributes
    ----------
    estimator_ : estimator
        What forecasts, trained on all rows.
    levels_ : tuple of float
        Increasing.
    correlation_ : DataFrame of shape (n_leads * n_series, n_leads * n_series)
        Of the normal scores, by lead and the levels of the index that name the series.
    shrinkage_ : float
        How near the correlation is to the separable one: 1 is the product, 0 what was counted.
    n_calibration_ : int
        How many held-out rows have a target.
    n_blocks_ : int
        How many held-out blocks (days, runs) they are of.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where `X` was a DataFrame.

    See Also
    --------
    portfolio : Quantiles of sums over series.
    ConformalRegressor : Quantiles that cover what they promise; scenarios are no better than their margins.
    skts.metrics.energy_score, skts.metrics.variogram_score : Scores of scenarios.

    Notes
    -----
    The margins of the scenarios are the quantiles of the estimator, interpolated linearly between its levels. Beyond
    the outermost two they go on as the normal distribution that has both, up to the bounds, on which the rest lies:
    nobody has measured that, and it matters the more the nearer the outermost levels are to the middle.

    Correlations are those of normal scores of ranks, by lead and series, so that margins which are too wide or too
    narrow leave them as they are. A truth that is missing is left out of the pairs that it would be in. Ranks of truths
    that tie with a mass of their forecast (calm, night) are drawn at random [4]_, each on its own: where stations are
    calm together, correlations come out too low.

    A block is what the estimator forecasts at once: `horizon` rows from the first row of the table on, or a run. The
    fewer there are, the nearer the correlation of leads is to one by distance alone, that of series to their mean, and
    "shrunk" to "separable". Of 24 leads and ten wind farms, four months of days told about as much by either.

    What the copula cannot say: that ranks go together more in a storm than in calm weather, and that one day goes on
    from the day before: **blocks are drawn independently**. Leads count from the first row of a table; where the time
    of day matters more than the lead, as for the sun, tables are to begin at the same hour, held-out ones too.

    Series whose blocks begin at different times are correlated by the distance in time, within blocks that begin with
    the first of them. A series never seen has the correlation of the leads, and none with the others. Of a table with
    runs every run is a scenario of its own: runs that reach the same time do not agree on it.

    Memory: `sample` gives 8 bytes for each scenario and row, and "shrunk" takes the square of leads times series.

    References
    ----------
    .. [1] P. Pinson, H. Madsen, H. A. Nielsen, G. Papaefthymiou, B. Klöckl. "From probabilistic forecasts to
       statistical scenarios of short-term wind power production". Wind Energy 12(1), 2009. :doi:`10.1002/we.284`
    .. [2] P. Pinson, R. Girard. "Evaluating the quality of scenarios of short-term wind power generation". Applied
       Energy 96, 2012. :doi:`10.1016/j.apenergy.2011.11.004`
    .. [3] J. Schäfer, K. Strimmer. "A shrinkage approach to large-scale covariance matrix estimation and implications
       for functional genomics". Statistical Applications in Genetics and Molecular Biology 4(1), 2005.
       :doi:`10.2202/1544-6115.1175`
    .. [4] C. Czado, T. Gneiting, L. Held. "Predictive model assessment for count data". Biometrics 65(4), 2009.
       :doi:`10.1111/j.1541-0420.2009.01191.x`

    Examples
    --------
    >>> from sklearn.linear_model import QuantileRegressor
    >>> from sklearn.pipeline import make_pipeline
    >>> from skts import HistoryPrepender, SlidingWindower
    >>> from skts.datasets import make_panel
    >>> from skts.strategies import ScenarioSampler, WindowedRegressor
    >>> X, y = make_panel(n_series=2, n_rows=500, random_state=0)
    >>> is_new = X.index.get_level_values("time") >= "2024-01-20"
    >>> linear = WindowedRegressor(QuantileRegressor(alpha=0), leads="rows", quantiles=[0.1, 0.9])
    >>> pipe = make_pipeline(HistoryPrepender(3), SlidingWindower(3, 6, known="wind"), linear)
    >>> sampler = ScenarioSampler(pipe, random_state=0).fit(X[~is_new], y[~is_new])
    >>> sampler.sample(X[is_new], n=50, random_state=0).shape == (50, is_new.sum())
    True
    """

    __metadata_request__predict = {"quantiles": True}
    _parameter_constraints = {
        **BaseTableStrategy._parameter_constraints,
        "structure": [StrOptions(set(STRUCTURES))],
        "calibration": [Interval(Real, 0, 1, closed="right"), HasMethods(["split"])],
        "quantiles": ["array-like", None],
        "bounds": [tuple, list, None],
        "horizon": [Interval(Integral, 1, None, closed="left"), None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        structure: str = "separable",
        calibration: Any = 0.2,
        quantiles: Iterable[float] | None = None,
        bounds: tuple[Bound, Bound] | None = None,
        horizon: int | None = None,
        random_state: int | RandomState | None = None,
    ):
        self.estimator = estimator
        self.structure = structure
        self.calibration = calibration
        self.quantiles = quantiles
        self.bounds = bounds
        self.horizon = horizon
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, **params: Any) -> Self:
        """Fit on what is not held out, learn how the ranks of the rest go together, and fit again on all rows.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
            The training table.
        y : array-like of shape (n_rows,)
            One target; NaN where it is missing.
        **params : dict
            Passed to `fit` of `estimator`. With metadata routing, only what it requests.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            Nothing to train on or to hold out, an estimator that does not forecast every row, less than two levels, or
            bounds that are not known.
        """
        X = self._read_table(X, reset=True)
        y = self._read_target(X, y)
        column_or_1d(y, warn=True)
        self._names, self._layout = read_index(X).names, PanelIndex.read(X).layout
        self._horizon = self.horizon or find_horizon(self.estimator)
        self._bounds = _find_bounds(self.estimator, self.bounds)
        params = self._route("fit", params)
        splits = choose_splits(type(self).__name__, self.calibration, X, y)
        with fit_task(self, X, y, max_subtasks=len(splits) + 1) as context:
            expert = [("estimator", self.estimator, params)]
            held_out, _ = forecast_held_out(context, self, expert, X, y, splits, self._forecast_held_out)
            self._learn_copula(X, np.asarray(y, dtype=np.float64).ravel(), splits, [some for (some,) in held_out])
            task, own = context.subcontext(task_name="estimator"), np.arange(len(X))
            training = take_training(self.estimator, X, y, params, own)
            self.estimator_ = fit_within(task, self, clone(self.estimator), *training)
        return self

    def predict(self, X: Any, quantiles: Iterable[float] | None = None, **params: Any) -> Floats:
        """Forecast as the estimator does.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
        quantiles : iterable of float, default=None
            Levels to answer.
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
        levels = list(quantiles)
        return _check(self.estimator_.predict(X, quantiles=levels, **params), len(X), len(levels))

    def sample(self, X: Any, n: int = 100, *, random_state: int | RandomState | None = None, **params: Any) -> Floats:
        """Draw scenarios.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
            The rows to forecast.
        n : int, default=100
            How many scenarios.
        random_state : int, RandomState instance or None, default=None
            Decides which. The order of the rows changes nothing.
        **params : dict
            Passed to `predict` of the estimator.

        Returns
        -------
        samples : ndarray of shape (n, n_rows)
            Each a course of all rows, in their order and in the unit of the target. NaN where a quantile is.

        Raises
        ------
        ValueError
            A run that is longer than those of `fit`.
        """
        check_is_fitted(self)
        n = check_scalar(n, "n", Integral, min_val=1)
        X, params = self._read_table(X, reset=False), self._route("predict", params)
        quantiles = self._forecast(self.estimator_, X, **params)
        low, high = self._limits(X)
        cells = self._cells(X)
        levels, rng = np.array(self.levels_), check_random_state(random_state)
        n_leads, n_series = len(self._copula.leads), len(self._copula.series)
        longest = int(cells.steps.max()) + 1
        if longest > n_leads:
            raise ValueError(
                f"ScenarioSampler.sample(X): a run of {longest} rows, and those of fit had {n_leads} at most: fit on "
                "runs as long, or leave the later rows out."
            )
        n_unseen = max(0, int(cells.series.max()) + 1 - n_series)
        samples = np.empty((n, len(X)))
        for rows in cells.by_block():
            scores = self._copula.draw(n, n_unseen, rng)[:, cells.steps[rows], cells.series[rows]]
            samples[:, rows] = draw_at(scores, quantiles[rows], levels, low[rows], high[rows])
        return samples

    def _learn_copula(self, X: Any, y: Floats, splits: list[Split], forecasts: list[Floats]) -> None:
        """Learn the correlations of the ranks of what was held out."""
        parts, shares, levels = [], [], np.array(self.levels_)
        random_state = check_random_state(self.random_state)
        n_leads = int(self._cells(X).steps.max()) + 1 if self._layout.has_runs else self._horizon or 1
        for (_, test, counts), quantiles in zip(splits, forecasts, strict=True):
            part = safe_indexing(X, test)
            low, high = self._limits(part)
            there = counts & ~np.isnan(y[test]) & ~np.isnan(quantiles).any(axis=1)
            own = np.full(len(test), np.nan)
            own[there] = transform(y[test][there], quantiles[there], levels, low[there], high[there], random_state)
            cells = self._cells(part)
            table = np.full((cells.n_blocks, n_leads, 1 if self._names is None else len(self._names)), np.nan)
            table[cells.blocks, cells.steps, cells.series] = own
            parts.append(table[~np.isnan(table).all(axis=(1, 2))])
            shares.append(there.sum())
        table = np.concatenate(parts)
        self.n_calibration_, self.n_blocks_ = int(np.sum(shares)), len(table)
        if not len(table):
            raise ValueError("ScenarioSampler: no held-out row has a target and a forecast. Hold out more.")
        self._copula = Copula.learn(score(table), self.structure)
        self.shrinkage_ = self._copula.shrinkage
        names = _name_pairs(n_leads, self._names)
        self.correlation_ = pd.DataFrame(self._copula.correlation, index=names, columns=names)

    def _forecast_held_out(self, name: str, fitted: Any, X: Any) -> Floats:
        self.levels_ = choose_levels(fitted, self.quantiles) or _LEVELS
        if len(self.levels_) < 2:
            raise ValueError(
                f"ScenarioSampler needs at least two levels to make a distribution of, and has {self.levels_}: give "
                "the estimator quantiles=(0.05, 0.25, 0.5, 0.75, 0.95), or more of them."
            )
        return self._forecast(fitted, X)

    def _forecast(self, fitted: Any, X: Any, **params: Any) -> Floats:
        """Forecast the margins, within the bounds: (n_rows, n_levels)."""
        levels = list(self.levels_)
        forecasts = _check(fitted.predict(X, quantiles=levels, **params), len(X), len(levels))
        low, high = self._limits(X)
        return np.clip(np.sort(forecasts, axis=1), low[:, None], high[:, None])

    def _limits(self, X: Any) -> tuple[Floats, Floats]:
        """Give the bounds of each row."""
        limits = []
        for bound, default in zip(self._bounds, (-np.inf, np.inf), strict=True):
            if isinstance(bound, str):
                column = find_columns(X, bound, f"ScenarioSampler(bounds={self._bounds!r}), which `estimator` may have")
                limits.append(np.nan_to_num(read_numbers(X, column)[:, 0], nan=default))
            else:
                limits.append(np.full(len(X), default if bound is None else float(bound)))
        return limits[0], limits[1]

    def _cells(self, X: Any) -> Cells:
        return Cells.read(X, self._horizon, self._names, self._layout)

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


def _find_bounds(estimator: Any, given: Any) -> tuple[Bound, Bound]:
    """Find the bounds: those given, or the first that a part of the estimator has."""
    each = [given, *(getattr(part, "bounds", None) for part in walk(estimator))]
    found = next((some for some in each if isinstance(some, tuple | list) and list(some) != [None, None]), (None, None))
    if len(found) != 2:
        raise ValueError(
            f"ScenarioSampler(bounds={found!r}): (low, high) is expected, each a number, a column, or None."
        )
    low, high = found
    return low, high


def _name_pairs(n_leads: int, names: pd.Index | None) -> pd.MultiIndex:
    """Name the rows of the correlation: by lead, and series."""
    names = pd.Index([0], name="series") if names is None else names
    leads = np.repeat(np.arange(1, n_leads + 1), len(names))
    series = names.take(np.tile(np.arange(len(names)), n_leads))
    levels = [series.get_level_values(level) for level in range(series.nlevels)]
    return pd.MultiIndex.from_arrays([leads, *levels], names=["lead", *names.names])


def _check(forecasts: Any, *shape: int) -> Floats:
    return check_forecasts("ScenarioSampler", "the estimator", forecasts, shape)
