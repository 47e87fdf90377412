"""A model trained on the series of others, under the row contract."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skts._compat import Interval, fit_context
from skts.nn import interpolate_levels
from skts.regressors._chronos import forecast_quantiles, load_pipeline
from skts.supervised import (
    Inputs,
    ScoreMixin,
    Targets,
    check_sizes,
    find_target_columns,
    read_inputs,
    read_sizes,
    read_targets,
    to_output,
    warn_missing_history,
)
from skts.training import resolve_device


@dataclass(frozen=True)
class _Learned:
    """What forecasting needs beside the weights, as it was in `fit`.

    Parameters
    ----------
    sizes : dict
        As `read_sizes` gives them.
    columns : ndarray of int64 of shape (n_targets,)
        The column that holds the past of each target.
    slope, offset : ndarray of float64 of shape (n_targets,)
        target = slope * column + offset.
    y_mean, y_scale : ndarray of float64 of shape (n_targets,)
        What stands in where a window has no value of its target.
    y_shape : tuple of int
        The shape of what one window (of an array) or one row (beside Windows) forecasts, as `y` had it.
    params : dict
        All parameters of the estimator.
    device : Device
    """

    sizes: dict[str, Any]
    columns: NDArray[np.int64]
    slope: NDArray[np.float64]
    offset: NDArray[np.float64]
    y_mean: NDArray[np.float64]
    y_scale: NDArray[np.float64]
    y_shape: tuple[int, ...]
    params: dict[str, Any]
    device: torch.device


class FoundationRegressor(ScoreMixin, BaseEstimator):
    """Forecast by Chronos-2, a model that was trained on the series of others and learns nothing from these.

    Reads the past of all columns, the target's own among them, and the known columns over the horizon. Answers
    quantiles. The package chronos-forecasting (``pip install skts[foundation]``) runs the model; its weights are a
    download.

    Parameters
    ----------
    model : str, default="amazon/chronos-2"
        A folder with the weights, or the name of a Chronos-2 model on the Hugging Face Hub, which is downloaded once.
        For a machine without internet, ``hf download amazon/chronos-2 --local-dir chronos-2`` on another one.
    target : int, default=None
        For arrays of windows alone: the number of the column that holds the target's past, in the unit of `y`.
        :class:`~skts.Windows` tell it by themselves, whatever unit a scaler gave the column.
    cross_series : bool, default=False
        Whether windows with the same origin read each other's columns, as stations near each other may want. The
        answer then depends on which series are forecast together. Not for tables with runs.
    batch_size : int, default=256
        How many columns pass through the model at once, those of every window counted; the answer does not depend on
        it.
    device : str, default="auto"
        "auto" takes CUDA where it is; else any torch device, such as "cpu", "cuda:1" or "mps".

    Attributes
    ----------
    levels_ : tuple of float
        The levels that the model was trained on, increasing.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where `X` was a 2-D DataFrame.

    See Also
    --------
    LSTMRegressor : Learns from the series at hand.
    skts.strategies.CombinationRegressor : Puts both side by side.
    skts.strategies.ConformalRegressor : Calibrates its quantiles.

    Notes
    -----
    `fit` loads the model, finds the column that holds the target's past, and learns nothing else. Estimators of the
    same model share its weights in memory. A pickle holds the name of the model, not its weights: where it is loaded,
    the same folder, or the same download, must be there.

    The last rows of a window that the model has room for are read, and all rows before an origin with
    ``SlidingWindower(window=None)``. Every origin is a pass over its whole window and over every column: far slower
    than the networks of this package, above all without a GPU.

    A missing value is told to the model as missing. Where the past of the target is missing in a whole window, the
    forecast has the mean and the deviation of `y` in `fit`.

    Quantiles that cross are sorted, those between `levels_` are interpolated, and none beyond them is answered.

    It cannot tell whether the model has seen the very series in its training: data that was public before its release
    proves little about it.

    References
    ----------
    .. [1] A. F. Ansari et al., "Chronos-2: From univariate to universal forecasting", 2025,
       https://arxiv.org/abs/2510.15821

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from skts import FoundationRegressor, HistoryPrepender, SlidingWindower
    >>> windows = SlidingWindower(512, horizon=24, known="wind")
    >>> pipe = make_pipeline(HistoryPrepender(512), windows, FoundationRegressor("chronos-2"))
    >>> pipe.fit(X_train, y_train).predict(X_new, quantiles=[0.1, 0.9])  # doctest: +SKIP
    """

    __metadata_request__predict = {"quantiles": True}
    _parameter_constraints = {
        "model": [str],
        "target": [Interval(Integral, 0, None, closed="left"), None],
        "cross_series": ["boolean"],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "device": [str],
    }

    def __init__(
        self,
        model: str = "amazon/chronos-2",
        *,
        target: int | None = None,
        cross_series: bool = False,
        batch_size: int = 256,
        device: str = "auto",
    ):
        self.model = model
        self.target = target
        self.cross_series = cross_series
        self.batch_size = batch_size
        self.device = device

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any) -> Self:
        """Load the model and find the column of the target.

        Parameters
        ----------
        X : Windows, or array-like of shape (n_windows, window, n_features) or (n_windows, n_features)
            A 2-D array is taken as windows of one row. NaN is missing.
        y : array-like of shape (n_rows,) or (n_rows, n_targets)
            Beside :class:`~skts.Windows`: one value for every row of the table that entered the windower. Beside an
            array: (n_windows,) or (n_windows, horizon, 1).

        Returns
        -------
        self : object

        Raises
        ------
        ImportError
            The package chronos-forecasting is not installed.
        OSError
            No weights are there, nor can they be downloaded.
        ValueError
            No column is the target, or the windows are none that the model serves.
        """
        name, device = type(self).__name__, resolve_device(self.device)
        inputs = read_inputs(self, X, reset=True)
        targets = read_targets(name, inputs, y, None)
        self._check_inputs(inputs)
        own = self._find_own(inputs, targets)
        pipeline = load_pipeline(name, self.model, device)
        if targets.horizon > pipeline.model_prediction_length:
            raise ValueError(
                f"{name}(model={self.model!r}) forecasts at most {pipeline.model_prediction_length} rows at once, and "
                f"the horizon is {targets.horizon}: give SlidingWindower a shorter one."
            )
        sizes = read_sizes(inputs, targets.n_targets, targets.horizon)
        moments = targets.moments(np.arange(len(inputs)))
        self.levels_ = tuple(float(level) for level in pipeline.quantiles)
        self._learned = _Learned(sizes, *own, *moments, targets.shape, self.get_params(deep=False), device)
        self._pipeline = pipeline
        return self

    def predict(self, X: Any, quantiles: Iterable[float] | None = None) -> NDArray[np.float64]:
        """Forecast. Many threads may forecast at once.

        Parameters
        ----------
        X : Windows, or array-like of shape (n_windows, window, n_features) or (n_windows, n_features)
        quantiles : iterable of float, default=None
            Levels to answer, interpolated between `levels_`; the median alone by default.

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
        levels = [0.5] if quantiles is None else self._check_levels(quantiles)
        inputs = read_inputs(self, X, reset=False)
        if inputs.windows is not None:
            warn_missing_history(inputs.windows, ", which the model is told")
        check_sizes(type(self).__name__, self._learned.sizes, inputs)
        forecasts = interpolate_levels(self._forecast(inputs), self.levels_, levels)
        return to_output(forecasts[..., 0] if quantiles is None else forecasts, inputs, self._learned.y_shape)

    def _check_inputs(self, inputs: Inputs) -> None:
        """Refuse what the model cannot read."""
        name = type(self).__name__
        if inputs.n_static:
            raise ValueError(
                f"{name}: Chronos-2 reads no static columns, and the windows have {inputs.n_static}: leave "
                "SlidingWindower(static=...) away."
            )
        if self.cross_series and (inputs.windows is None or inputs.has_runs):
            what = "arrays of windows, which have no times" if inputs.windows is None else "a table with runs"
            raise ValueError(f"{name}(cross_series=True) was given {what}: give cross_series=False.")

    def _find_own(self, inputs: Inputs, targets: Targets) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Find the column that holds the past of each target, with target = slope * column + offset."""
        name, n_targets = type(self).__name__, targets.n_targets
        if inputs.windows is not None:
            if self.target is not None:
                raise ValueError(
                    f"{name}(target={self.target!r}) is for arrays, and was given Windows, which tell the column of "
                    "the target by themselves: leave target out."
                )
            own = find_target_columns(name, inputs, targets, np.zeros(n_targets), np.ones(n_targets), "the model")
            return np.array(own["columns"]), np.array(own["slope"]), np.array(own["offset"])
        if self.target is None or n_targets > 1:
            several = f" of each of the {n_targets} targets" if n_targets > 1 else ""
            raise ValueError(
                f"{name}: arrays of windows do not tell which column holds the past{several}. Give Windows of a "
                "SlidingWindower, or, for one target, the number of the column: target=0."
            )
        if self.target >= inputs.panel.shape[1]:
            raise ValueError(
                f"{name}(target={self.target}): X has n_features={inputs.panel.shape[1]}. Give a column from 0 to "
                f"{inputs.panel.shape[1] - 1}."
            )
        return np.array([self.target]), np.ones(1), np.zeros(1)

    def _check_levels(self, quantiles: Iterable[float]) -> list[float]:
        """Refuse levels beyond those that the model was trained on."""
        levels, low, high = list(quantiles), self.levels_[0], self.levels_[-1]
        if not all(low <= level <= high for level in levels):
            raise ValueError(
                f"{type(self).__name__}.predict(quantiles={levels}): the model was trained on levels from {low} to "
                f"{high}, and a tail is nothing to guess. Ask for levels between."
            )
        return levels

    def _forecast(self, inputs: Inputs) -> NDArray[np.float64]:
        """Forecast all levels in the unit of the target: (n_windows, horizon, n_targets, n_levels)."""
        learned, pipeline = self._learned, self._load()
        inputs = _shortened(inputs, pipeline.model_context_length)
        n, horizon = len(inputs), learned.sizes["horizon"]
        groups = np.arange(n)
        if learned.params["cross_series"] and inputs.windows is not None:
            groups = np.unique(inputs.windows.origin_ticks, return_inverse=True)[1]
        known = np.setdiff1d(inputs.known, learned.columns)  # the future of a target is nothing to tell
        sign = np.ones(inputs.panel.shape[1], dtype=np.float32)
        sign[learned.columns[learned.slope < 0]] = -1  # so that a high quantile of the column is one of the target
        slope = learned.slope * sign[learned.columns]
        out = np.empty((n, horizon, len(learned.columns), len(self.levels_)))
        at_once = max(1, learned.params["batch_size"] // inputs.panel.shape[1])
        for items in cut_batches(groups, at_once):
            past = inputs.past(items) * sign  # (n, L, V)
            ahead = np.full((len(items), horizon, past.shape[2]), np.nan, dtype=np.float32)
            if len(known):
                rows = inputs.ahead_starts[items, None] + np.arange(horizon)
                ahead[..., known] = inputs.panel[rows[..., None], known]
            answer = forecast_quantiles(pipeline, past, ahead, groups[items], learned.columns)
            is_blank = np.isnan(past[..., learned.columns]).all(axis=1)  # (n, T), which the model answers around 0
            scale = np.where(is_blank, learned.y_scale, slope)[:, None, :, None]
            level = np.where(is_blank, learned.y_mean, learned.offset)[:, None, :, None]
            out[items] = answer * scale + level
        return np.sort(out, axis=-1)

    def _load(self) -> Any:
        """Give the model, which a pickle or a copy has to load first."""
        if "_pipeline" not in self.__dict__:
            device = self._learned.device
            if device.type == "cuda" and not torch.cuda.is_available():
                device = torch.device("cpu")
            self._pipeline = load_pipeline(type(self).__name__, self._learned.params["model"], device)
        return self._pipeline

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__getstate__().items() if name != "_pipeline"}

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        tags.target_tags.multi_output = True
        tags.regressor_tags.poor_score = True
        return tags


def cut_batches(groups: NDArray[np.int64], at_once: int) -> Iterator[NDArray[np.int64]]:
    """Cut windows into batches of whole groups, of as many windows as fit, and one group at least.

    Parameters
    ----------
    groups : ndarray of shape (n_windows,)
        The number of the group of each window.
    at_once : int
        How many windows fit.

    Yields
    ------
    items : ndarray of int64
        The places of the windows of a batch.
    """
    order = np.argsort(groups, kind="stable")
    ends = np.flatnonzero(np.diff(groups[order], append=-1)) + 1  # after the last window of each group
    begin = 0
    while begin < len(order):
        fits = np.searchsorted(ends, begin + at_once, side="right") - 1
        end = int(ends[max(fits, np.searchsorted(ends, begin, side="right"))])
        yield order[begin:end]
        begin = end


def _shortened(inputs: Inputs, longest: int) -> Inputs:
    """Read of each window, or of each whole series up to the origin, the last rows that the model has room for."""
    windows = inputs.windows
    if windows is None:
        return inputs
    window = windows.window
    if window is None:
        window = max(1, int((windows.origins - windows.own_spans[:, 0]).max(initial=0)))
    return replace(inputs, windows=replace(windows, window=min(window, longest), chunk=None))
