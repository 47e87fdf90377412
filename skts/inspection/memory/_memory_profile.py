"""What each lag of the window contributes to the forecasts of a fitted estimator."""

from numbers import Integral
from typing import Any, Literal

import numpy as np
from numpy.random import RandomState
from sklearn.utils import Bunch, check_random_state
from sklearn.utils.validation import check_is_fitted

from skts._compat import HasMethods, Interval, StrOptions, progress, validate_params
from skts.inspection.memory._measure import count_batches, differentiate, occlude
from skts.inspection.memory._sample import Sample
from skts.windows import Windows


@validate_params(
    {
        "estimator": [HasMethods(["predict"])],
        "X": ["array-like", Windows],
        "y": ["array-like"],
        "method": [StrOptions({"occlusion", "gradient", "both"})],
        "n_windows": [Interval(Integral, 2, None, closed="left")],
        "block": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def memory_profile(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    method: Literal["occlusion", "gradient", "both"] = "occlusion",
    n_windows: int = 500,
    block: int = 1,
    random_state: int | RandomState | None = None,
    verbose: int = 0,
) -> Bunch:
    """Measure what each lag of the window contributes to the forecasts of a fitted estimator.

    Lag 1 is the row right before the origin, the last one of the window; the rows of the horizon are no lags.

    - *forward*, by occlusion: the rows at a lag are hidden, replaced by those of another window at the same lag, and
      the windows are forecast again [1]_. What counts is how far the forecasts move, and how much their error rises.
      Any regressor can be asked.
    - *backward*, by the gradient: how much a forecast moves for a small move of those rows [2]_. It measures how
      sensitive the forecasts are, not what they would lose. Networks only.

    Parameters
    ----------
    estimator : estimator
        Fitted: a pipeline that ends with a :class:`~skts.SlidingWindower` and a regressor, a search over one, or a
        regressor that is given `Windows`.
    X : array-like or DataFrame of shape (n_rows, n_features), or Windows
        What the estimator forecasts, best rows that did not train it. A table is cut into windows as at `predict`;
        `Windows` may be of training or of forecasting.
    y : array-like of shape (n_rows,) or (n_rows, n_targets)
        The target of each row of `X`, for `Windows` of each row that entered the windower. NaN is missing.
    method : {"occlusion", "gradient", "both"}, default="occlusion"
    n_windows : int, default=500
        How many windows are drawn, of those that have a target and a history; all where there are fewer.
    block : int, default=1
        How many neighbouring rows are hidden together, without overlap: lags 1 to `block`, the next `block`, ...
    random_state : int, RandomState instance or None, default=None
        Decides which windows are drawn, and what hides their rows.
    verbose : int, default=0
        1 shows a progress bar of the lags to hide and the batches of windows to differentiate. It takes the package
        rich. Callbacks that were set on the estimator by ``set_callbacks(sklearn.callback.ProgressBar())`` show the
        same.

    Returns
    -------
    profile : Bunch
        lags : ndarray of int64 of shape (n_lags,)
            1 to `window`; with a larger `block` the first lag of each.
        block : int
            The rows of a lag.
        forward : Bunch or None
            change : Bunch
                Mean absolute change of the forecasts, in the unit of the target.
            rise : Bunch
                Rise of the mean absolute error over the rows that have a target, in that unit.
            effective_memory : int
                By `change`.
        backward : Bunch or None
            gradient : Bunch
                Mean absolute gradient, in the unit of the target per standard deviation of each column in the windows
                drawn, summed over the columns.
            effective_memory : int
                By `gradient`.
        effective_memory : int
            The shortest history, in rows, that keeps 95 % of the contributions of all lags: those of `forward`, where
            it is there.
        feature_names : ndarray of str of shape (n_features,)

        Each of `change`, `rise` and `gradient` has three tables, DataFrames with a row for each lag:

        by_lag : columns "mean", "low" and "high"
            The interval holds the mean of other such windows with a probability of about 95 %.
        by_feature : a column for each feature
            Of `forward` what a lag of one column alone contributes.
        by_lead : columns 1 to `horizon`

    Raises
    ------
    ValueError
        There is no windower and regressor to be found, the windows are whole series, fewer than two windows have a
        target and a history, or a gradient is asked of what is no network.

    See Also
    --------
    MemoryDisplay : Draws it.
    sklearn.inspection.permutation_importance : Shuffles a column of a design matrix.

    Notes
    -----
    A window takes the rows of another drawn window, always the same one: of its series where that is possible, and of
    another time. What hides a lag is as common as what it hides, and contradicts the rows around. By feature, each
    window hides the lag a second time in one column alone, the columns taking turns from window to window and from lag
    to lag: `by_feature` rests on ``n_windows / n_features`` windows a cell. All in all the windows are forecast
    ``2 * window / block + 1`` times.

    Intervals are those of a bootstrap over blocks of time, each with the windows of all series in it: neighbours in
    time, and stations under the same weather, err alike. A block is `window` and `horizon` rows long, shorter where
    the windows would make fewer than twenty. Two blocks lend their rows to each other, and are drawn together. The
    interval is NaN where there are fewer than five pairs.

    A regressor of several targets is judged by the mean over them: give them one unit. One that goes on from its
    state (``rolling="stateful"``) is asked for what it reads within the window. Of quantiles the median counts.

    What it cannot tell:

    - *Neighbours stand in for each other.* Hourly power is so smooth that a hidden row is mended by those around it.
      Then each lag alone seems to contribute little, and all of them together much: compare with a larger `block`.
      Contributions do not add up to that of the whole window, and `effective_memory` is a share of their sum.
    - *What another estimator would use.* It is about the one that is given: a network that was trained poorly, or on
      short windows, shows no long memory where the data have one.
    - *What is of use.* `change`, the gradient and `effective_memory` count all that moves a forecast, be it noise that
      a network has not learned to leave out. `rise` counts what the error would lose, and is within its interval of 0
      at most lags of a long window.
    - *What is the same in all windows.* Where all forecasts are issued at one hour of the day, a column with the hour
      holds the same at a lag of every window, and nothing hides it; `Windows` that begin at every row do.
    - *Replaced rows are unlike any that trained the estimator*, for they do not fit their neighbours: far from them a
      network or a tree may answer anything. The gradient stays at the data, but sees no step of a tree and nothing
      where a unit saturates.

    References
    ----------
    .. [1] M. D. Zeiler, R. Fergus, "Visualizing and understanding convolutional networks", 2014,
       https://doi.org/10.1007/978-3-319-10590-1_53; for the rows of another window instead of a constant see L.
       Breiman, "Random forests", Machine Learning 45, 2001, https://doi.org/10.1023/A:1010933404324
    .. [2] K. Simonyan, A. Vedaldi, A. Zisserman, "Deep inside convolutional networks: visualising image
       classification models and saliency maps", 2014, https://arxiv.org/abs/1312.6034

    Examples
    --------
    A signal that repeats what its first column was three rows ago:

    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from skts import HistoryPrepender, SlidingWindower
    >>> from skts.inspection import memory_profile
    >>> from skts.strategies import WindowedRegressor
    >>> X = np.random.default_rng(0).normal(size=(600, 2))
    >>> y = np.r_[np.zeros(3), 2 * X[:-3, 0]]
    >>> pipe = make_pipeline(HistoryPrepender(8), SlidingWindower(8), WindowedRegressor(Ridge())).fit(X[:400], y[:400])
    >>> profile = memory_profile(pipe, X[400:], y[400:], random_state=0)
    >>> profile.effective_memory
    3
    >>> profile.forward.change.by_feature.loc[3].round(1).to_dict()
    {'x0': 2.0, 'x1': 0.0}
    """
    check_is_fitted(estimator)
    rng = check_random_state(random_state)
    sample = Sample.draw(estimator, X, y, n_windows, rng)
    if method != "occlusion" and not hasattr(sample.regressor, "input_gradient"):
        raise ValueError(
            f"memory_profile(method={method!r}): {type(sample.regressor).__name__} has no gradient, as networks and "
            "ensembles of them have: method='occlusion' is for any regressor."
        )
    lags = np.arange(1, sample.window + 1, block, dtype=np.int64)
    seed = rng.randint(np.iinfo(np.int32).max)  # what one method draws does not depend on the other
    profile = Bunch(lags=lags, block=block, forward=None, backward=None, feature_names=sample.feature_names)
    n_steps = len(lags) * (method != "gradient") + count_batches(sample) * (method != "occlusion")
    with progress("memory_profile", n_steps, estimator, verbose) as advance:
        if method != "occlusion":
            profile.backward = differentiate(sample, lags, block, np.random.RandomState(seed), advance)
            profile.effective_memory = profile.backward.effective_memory
        if method != "gradient":
            profile.forward = occlude(sample, lags, block, np.random.RandomState(seed), advance)
            profile.effective_memory = profile.forward.effective_memory
    return profile
