"""Any regressor of scikit-learn's kind, on windows."""

from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import Tags, get_tags
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from skts._compat import HasMethods, Interval, StrOptions, check_sample_weight, fit_context, fit_task
from skts.nn import PointHead, QuantileHead, sort_levels
from skts.panel import has_target
from skts.strategies._clones import clone_for, warn_if_alike
from skts.strategies._design import Design, DesignMatrix, read_lags
from skts.supervised import (
    Inputs,
    Limits,
    ScoreMixin,
    Targets,
    check_sizes,
    read_inputs,
    read_sizes,
    read_targets,
    to_output,
    warn_missing_history,
)
from skts.windows import Windows


class WindowedRegressor(CallbackSupportMixin, MetaEstimatorMixin, ScoreMixin, BaseEstimator):
    """Put a tabular regressor where a network stands: after :class:`~skts.SlidingWindower`.

    Every window is flattened into columns, and the known columns of its horizon, and the static ones of its series, are
    put beside them. Linear models and gradient boosting so forecast from the very windows that the networks are given.

    Parameters
    ----------
    estimator : estimator
        A regressor with `fit` and `predict`, such as :class:`~sklearn.linear_model.Ridge`,
        :class:`~sklearn.ensemble.HistGradientBoostingRegressor` or LightGBM's `LGBMRegressor`.
    leads : {"outputs", "rows"}, default="outputs"
        A lead is the distance of a row of the horizon from the origin, 1 to `horizon`.

        - "outputs": one design row per window, all leads forecast at once. Where the tags of `estimator` say that it
          has one output only, one clone per lead is fitted by :class:`~sklearn.multioutput.MultiOutputRegressor`.
        - "rows": one design row per window and lead, with the known columns of that very row, and the lead as a
          further column. One fit serves all leads.
    lags : sequence of int, default=None
        The rows of the window that are read, counted back from the origin: 1 is the last one. All by default; ``()``
        reads none, and forecasts from the known and static columns alone.
    around : int, default=0
        With ``leads="rows"``: how many rows before and after its own a lead reads the known columns of. Those after
        the horizon are missing but for `lookahead`. With "outputs" every lead reads the whole horizon.
    lookahead : int, default=0
        How many rows after the horizon `around` may read, where the known columns are known further than the horizon.
        Of a table with runs none is: a run ends with its horizon.
    series : bool, default=False
        Whether the number of the series is a column of its own, before the lead. For an estimator that has a parameter
        `categorical_features` it is a category, unless that is set; likewise for LightGBM, whose `fit` takes
        `categorical_feature`.
    quantiles : iterable of float, default=None
        Levels to learn, such as (0.1, 0.9); the median is always among them. One clone of `estimator` is fitted per
        level.
    quantile_parameter : str, default="quantile"
        The parameter of `estimator` that takes the level: "quantile" of ``HistGradientBoostingRegressor(
        loss="quantile")``, "alpha" of ``LGBMRegressor(objective="quantile")``.
    bounds : (lower, upper), default=None
        What the target cannot go beyond, in its unit: `(0, 2500.0)`, `(0, None)`, or `(0, "capacity")` for a static
        column of the windower that says it by series. Forecasts and quantiles are clipped to them.
    active : str or int, default=None
        The name of a column known ahead that is 0 in rows where the target is known to be 0, and 1 elsewhere, as the
        `is_day` of :class:`~skts.features.SolarFeatures` for solar power; a scaler may have changed the two values.
        Rows with 0 teach nothing, and every forecast of them is 0. Only with ``leads="rows"``.

    Attributes
    ----------
    estimators_ : list of estimator
        The fitted clones: one per level of `levels_`, or a single one.
    levels_ : tuple of float or None
        The levels that were learned, increasing.
    n_features_in_ : int
        Number of columns of a window.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where `X` was a DataFrame.

    See Also
    --------
    LSTMRegressor : A network on the same windows.
    RecursiveRegressor : Forecasts further than a horizon by feeding forecasts back.

    Notes
    -----
    "outputs" learns from windows whose targets are all there; "rows" from every row that has its target. So where
    targets are missing at random, prefer "rows".

    `estimator` is given columns lag by lag as `lags` lists them (by default oldest first), then the known columns row
    by row, then the static ones, the number of the series, and the lead. At `predict` they are made in chunks; `fit`
    needs them at once: 8 bytes x windows (x horizon, with "rows") x columns, and 4 where the tags of `estimator` allow
    NaN. `lags` here and `stride` of the windower make them fewer.

    A missing input takes the last value seen in its window, else 0, unless the tags of `estimator` allow NaN: then it
    is passed on, and the columns are float32, which serves trees as well. A :class:`~sklearn.pipeline.Pipeline` has no
    such tag.

    Weights are given by row of the table: "rows" passes them on, "outputs" passes the mean over the horizon. What has
    the weight 0 is left out.

    Forecast quantiles that would cross are sorted [2]_. "outputs" is the multi-input multi-output, or with several
    clones the direct, strategy of [1]_.

    References
    ----------
    .. [1] S. Ben Taieb, G. Bontempi, A. F. Atiya, A. Sorjamaa, "A review and comparison of strategies for multi-step
       ahead time series forecasting based on the NN5 forecasting competition", Expert Systems with Applications
       39(8), 2012, https://doi.org/10.1016/j.eswa.2012.01.039
    .. [2] V. Chernozhukov, I. Fernandez-Val, A. Galichon, "Quantile and probability curves without crossing",
       Econometrica 78(3), 2010, https://doi.org/10.3982/ECTA7880

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from skts import HistoryPrepender, SlidingWindower
    >>> from skts.datasets import make_panel
    >>> from skts.strategies import WindowedRegressor
    >>> X, y = make_panel(n_series=1, n_rows=240, random_state=0)
    >>> pipe = make_pipeline(
    ...     HistoryPrepender(24), SlidingWindower(24, horizon=6, known="wind"), WindowedRegressor(Ridge())
    ... )
    >>> pipe.fit(X[:200], y[:200]).predict(X[200:]).shape
    (40,)
    """

    __metadata_request__predict = {"quantiles": True}
    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "predict"])],
        "leads": [StrOptions({"outputs", "rows"})],
        "lags": ["array-like", None],
        "around": [Interval(Integral, 0, None, closed="left")],
        "lookahead": [Interval(Integral, 0, None, closed="left")],
        "series": ["boolean"],
        "quantiles": ["array-like", None],
        "quantile_parameter": [str],
        "bounds": ["array-like", None],
        "active": [str, Integral, None],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        leads: str = "outputs",
        lags: Sequence[int] | None = None,
        around: int = 0,
        lookahead: int = 0,
        series: bool = False,
        quantiles: Iterable[float] | None = None,
        quantile_parameter: str = "quantile",
        bounds: tuple[float | str | None, float | str | None] | None = None,
        active: str | int | None = None,
    ):
        self.estimator = estimator
        self.leads = leads
        self.lags = lags
        self.around = around
        self.lookahead = lookahead
        self.series = series
        self.quantiles = quantiles
        self.quantile_parameter = quantile_parameter
        self.bounds = bounds
        self.active = active

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the estimator, once per level.

        Parameters
        ----------
        X : Windows, or array-like of shape (n_windows, window, n_features) or (n_windows, n_features)
            A 2-D array is taken as windows of one row.
        y : array-like of shape (n_rows,) or (n_rows, n_targets)
            Beside :class:`~skts.Windows`: one value for every row of the table that entered the windower. Beside an
            array: (n_windows,), (n_windows, n_targets) or (n_windows, horizon, n_targets). NaN is missing.
        sample_weight : array-like of shape (n_rows,), default=None
            As long as `y`; only for an estimator that takes it.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            No window has the targets that it takes to learn.

        Warns
        -----
        UserWarning
            The estimator forecasts the same for the lowest and the highest level.
        """
        if isinstance(X, Windows) and X.window is None:
            raise ValueError(
                "WindowedRegressor makes columns of a window, and SlidingWindower(window=None) reads whole series: "
                "give it a window."
            )
        with fit_task(self, X, y):
            inputs = read_inputs(self, X, reset=True)
            self._limits = self._learn_limits(inputs)
            targets = self._limits.put_on(read_targets(type(self).__name__, inputs, y, sample_weight), inputs)
            self.levels_ = None if self.quantiles is None else sort_levels(self.quantiles)
            self._y_shape = targets.shape
            self._sizes = read_sizes(inputs, targets.n_targets, targets.horizon)
            self._design = self._make_design(inputs)
            values = targets.values[targets.starts[:, None] + np.arange(targets.horizon)]  # (n, H, T)
            at_zero = self._limits.at_zero(inputs)
            if at_zero is not None:
                values[at_zero] = np.nan  # which teaches nothing
            weights = None if sample_weight is None else self._weights(inputs, targets, y, sample_weight)  # (n, H)
            if self._design.around is None:
                values = values.reshape(len(values), 1, -1)  # (n, 1, H T)
                weights = None if weights is None else weights.mean(axis=1, keepdims=True)
            self._fit_clones(self._design.of(inputs), values, weights)
        return self

    def predict(self, X: Any, quantiles: Iterable[float] | None = None) -> NDArray[np.float64]:
        """Forecast.

        Parameters
        ----------
        X : Windows, or array-like of shape (n_windows, window, n_features) or (n_windows, n_features)
        quantiles : iterable of float, default=None
            Levels to answer, interpolated between those that were learned; the median alone by default.

        Returns
        -------
        y_pred : ndarray of float64
            For forecasting windows: (n_rows,) or (n_rows, n_targets), one per row that is no history, in the order
            of the table. For training windows: (n_windows, horizon) or (n_windows, horizon, n_targets). For arrays:
            as `y` was. With `quantiles` given, one more dimension at the end.

        Warns
        -----
        MissingHistoryWarning
            Some forecasts rest on blank or missing inputs.
        """
        check_is_fitted(self)
        if quantiles is not None and self.levels_ is None:
            raise ValueError(
                "WindowedRegressor.predict(quantiles=...): fit with WindowedRegressor(quantiles=(0.1, 0.5, 0.9)) first."
            )
        inputs = read_inputs(self, X, reset=False)
        check_sizes(type(self).__name__, self._sizes, inputs)
        if inputs.windows is not None:
            warn_missing_history(inputs.windows)
        forecasts = self._forecast(inputs)  # (n_windows, horizon, n_targets, n_levels)
        head = PointHead() if self.levels_ is None else QuantileHead(self.levels_)
        forecasts = forecasts[..., 0] if self.levels_ is None else forecasts
        levels = None if quantiles is None else list(quantiles)
        answer = self._limits.answer(head, forecasts, levels, inputs)
        return to_output(answer, inputs, self._y_shape)

    def _learn_limits(self, inputs: Inputs) -> Limits:
        """Read where the target can lie."""
        if self.active is not None and self.leads == "outputs":
            raise ValueError(
                f'WindowedRegressor(active={self.active!r}, leads="outputs") would learn all leads at once, '
                'those known to be 0 among them: give leads="rows".'
            )
        return Limits.learn(type(self).__name__, inputs, self.bounds, self.active)

    def _fit_clones(
        self, design: DesignMatrix, values: NDArray[np.float64], weights: NDArray[np.float64] | None
    ) -> None:
        """Fit on the design rows, `values` (n_windows, rows_per_window, n_outputs), that have all their targets."""
        wanted = has_target(values.reshape(-1, values.shape[2])).reshape(values.shape[:2])
        wanted &= True if weights is None else weights > 0
        if not wanted.any():
            way_out = "give more complete targets" + (' or leads="rows"' if self.leads == "outputs" else "")
            raise ValueError(
                f'WindowedRegressor(leads="{self.leads}"): none of {len(values)} windows has targets to learn from, '
                f"of positive weight and none missing in {values.shape[2]}: {way_out}."
            )
        matrix, y = design.matrix(wanted), values[wanted]
        params: dict[str, Any] = {} if weights is None else {"sample_weight": weights[wanted]}
        params |= self._category_at_fit(design)
        self.estimators_ = []
        for level in self.levels_ or [None]:
            estimator = clone_for(self._with_category(design), y.shape[1], self.quantile_parameter, level)
            flat = y.shape[1] == 1 and get_tags(estimator).target_tags.single_output
            try:
                self.estimators_.append(estimator.fit(matrix, y[:, 0] if flat else y, **params))
            except ValueError as error:
                error.add_note(
                    f"WindowedRegressor was fitting {estimator!r} to columns of values up to "
                    f"{np.nanmax(np.abs(matrix), initial=0):g} and targets up to {np.abs(y).max():g}: where these are "
                    "extreme, scale the columns of X (StandardScaler) or correct them, and give y in another unit."
                )
                raise
        if self.levels_ is not None and np.ptp(y) > 0:
            warn_if_alike(self.estimators_, self.levels_, self.quantile_parameter, matrix[:100])

    def _with_category(self, design: DesignMatrix) -> Any:
        """Tell an estimator that can be told that the number of the series is no quantity."""
        params = self.estimator.get_params(deep=False) if hasattr(self.estimator, "get_params") else {}
        chosen = params.get("categorical_features", 0)
        if design.design.series_names is None or not (
            chosen is None or (isinstance(chosen, str) and chosen == "from_dtype")
        ):
            return self.estimator
        return clone(self.estimator).set_params(categorical_features=[design.column_of_series])

    def _category_at_fit(self, design: DesignMatrix) -> dict[str, Any]:
        """Tell the same to an estimator whose `fit` is told, as that of LightGBM is."""
        if design.design.series_names is None or not has_fit_parameter(self.estimator, "categorical_feature"):
            return {}
        if "categorical_feature" in self.estimator.get_params(deep=False):
            return {}
        return {"categorical_feature": [design.column_of_series]}

    def _forecast(self, inputs: Inputs) -> NDArray[np.float64]:
        """Forecast all levels, in increasing order: (n_windows, horizon, n_targets, n_levels)."""
        design = self._design.of(inputs)
        n, horizon, n_levels = len(inputs), self._sizes["horizon"], len(self.estimators_)
        n_targets = self._sizes["n_targets"]
        out = np.empty((n, horizon, n_targets, n_levels))
        for items in design.chunks(np.arange(n)):
            rows = design.rows(items)
            for i, estimator in enumerate(self.estimators_):
                out[items, ..., i] = np.asarray(estimator.predict(rows)).reshape(len(items), horizon, n_targets)
        return np.sort(out, axis=-1)

    @property
    def lookahead_(self) -> int:
        """Rows after the horizon whose known columns are read."""
        check_is_fitted(self)
        return 0 if self._design.around is None else min(self._design.around, self._design.lookahead)

    def _make_design(self, inputs: Inputs) -> Design:
        by_lead = self.leads == "rows"
        if by_lead and len(inputs.known) and self.around > inputs.window:
            raise ValueError(
                f"WindowedRegressor(around={self.around}) reads further back than the window of {inputs.window} "
                f"rows: give at most {inputs.window}, or a longer window to SlidingWindower."
            )
        lags = read_lags(self.lags, inputs.window)
        if len(lags) == 0 and not len(inputs.known) and not inputs.n_static:
            raise ValueError(
                f"WindowedRegressor(lags={self.lags!r}) reads no row of the window, and the windows have neither known "
                "nor static columns: give lags, or name columns in SlidingWindower(known=...)."
            )
        return Design(
            self._sizes["horizon"],
            lags,
            self.around if by_lead else None,
            fill=not get_tags(self.estimator).input_tags.allow_nan,
            lookahead=self.lookahead,
            series_names=inputs.series_names if self.series else None,
        )

    def _weights(self, inputs: Inputs, targets: Targets, y: Any, sample_weight: ArrayLike) -> NDArray[np.float64]:
        """Give the weight of every forecast value: (n_windows, horizon)."""
        if not has_fit_parameter(self.estimator, "sample_weight"):
            raise ValueError(
                f"WindowedRegressor.fit(sample_weight=...): {self.estimator!r} takes no sample_weight. Leave the "
                "weights away, or give an estimator whose fit has that parameter."
            )
        weights = check_sample_weight(sample_weight, y, dtype=np.float64)
        if inputs.windows is None:
            return np.repeat(weights[:, None], targets.horizon, axis=1)
        return inputs.windows.to_panel(weights, fill=0.0)[inputs.windows.horizon_positions()]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        tags.target_tags.multi_output = True
        tags.regressor_tags.poor_score = get_tags(self.estimator).regressor_tags.poor_score
        return tags
