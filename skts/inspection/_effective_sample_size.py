"""How many independent windows a training set is worth."""

import pandas as pd
from numpy.typing import ArrayLike

from skts.windows import Windows


def effective_sample_size(
    windows: Windows, y: ArrayLike | None = None, *, by_series: bool = False
) -> "float | pd.Series[float]":
    """Count the independent windows that overlapping, autocorrelated ones are worth.

    A window teaches through the mean of its loss over the horizon. So n windows are worth as many independent ones as
    would fix the mean of what they carry equally well, and each carries the mean of the target over its horizon
    (the mean of the rows that are there). For the windows of one series this is [1]_

    ``n_eff = n / (1 + 2 / n * sum(n_pairs[k] * rho[k] for k >= 1))``

    where `n_pairs[k]` says how many two of the windows start k rows apart, and `rho` is the autocorrelation of those
    means at k rows. Where every `stride`-th row starts a window, this is the usual
    ``n / (1 + 2 * sum((1 - k / n) * rho[k * stride]))``; gaps and dropped windows are counted as they are.

    Parameters
    ----------
    windows : Windows
        From :meth:`SlidingWindower.fit_transform`; forecasting windows are counted alike.
    y : array-like of shape (n_rows,) or (n_rows, n_targets), default=None
        The target, or the errors of a forecast, with one value for every row that entered the windower. NaN is
        missing, and a window without any target is not counted. The result is the mean over the targets. None takes
        the first observed column of the windows in its place, or the first of all where every column is known.
    by_series : bool, default=False
        Whether to give the count of each series.

    Returns
    -------
    n_eff : float or Series of float of shape (n_series,)
        From 1 to the number of windows in each series, 0 where it has none. The float is the sum.

    Raises
    ------
    ValueError
        `y` has not one value for every row.

    See Also
    --------
    SlidingWindower : Its `max_similarity` drops windows that look like the one before.

    Notes
    -----
    What this assumes, and when it misleads:

    - *Targets count, not inputs.* Windows whose inputs overlap and whose targets do not are different evidence about
      the same function; windows that share target rows are partly the same evidence. Rows without any autocorrelation
      are therefore worth ``n / horizon`` windows at stride 1, and windows with separate horizons count in full.
    - *The target stands for the loss.* A forecaster explains a part of the target, and its errors are less
      autocorrelated: given as `y`, they give a larger and more apt number.
    - *Stationary.* A season or a daily cycle counts as autocorrelation, although a calendar column explains it: take
      it off `y` first. Above all where the horizon is much shorter than the cycle.
    - *Series are independent.* The sum overrates neighbouring stations, which see the same weather.

    `rho` is estimated from the means at every row of the series, not from those of the windows alone, so that a
    subset of windows is judged by the same autocorrelation as all of them. It is cut off where the sum of two
    neighbouring lags is first not positive, and no such sum counts more than one before it: the initial monotone
    sequence [2]_. In simulations with 8,760 rows (independent ones and autoregressions, horizons of 1 to 24) the
    estimate for one series strays by 3 to 9 % where rows are independent, and by 12 to 20 % where one is 0.9 to 0.97
    times the one before (one standard deviation); its mean is 2 % low to 6 % high. Of windows
    that are independent it is up to 10 % low, because no window counts as more than one.

    A mean that never changes counts as one window. A gap longer than `window + horizon` rows counts as that long, and
    a last forecasting block that is short is not counted.

    References
    ----------
    .. [1] G. V. Bayley and J. M. Hammersley. "The 'effective' number of independent observations in an autocorrelated
       time series". Supplement to the Journal of the Royal Statistical Society 8(2), 1946. :doi:`10.2307/2983560`
    .. [2] C. J. Geyer. "Practical Markov chain Monte Carlo". Statistical Science 7(4), 1992.
       :doi:`10.1214/ss/1177011137`

    Examples
    --------
    Windows that start at every hour teach hardly more than those that start once a day:

    >>> import numpy as np
    >>> from skts import SlidingWindower
    >>> from skts.inspection import effective_sample_size
    >>> rng = np.random.default_rng(0)
    >>> wind = np.convolve(rng.normal(size=8760), 0.95 ** np.arange(200), mode="valid").reshape(-1, 1)
    >>> for stride in (1, 24):
    ...     windows = SlidingWindower(168, horizon=24, stride=stride).fit_transform(wind)
    ...     print(len(windows), round(effective_sample_size(windows)))
    8370 157
    349 157
    """
    counts = windows.count_independent(y)
    if by_series:
        return pd.Series(counts, index=windows.series_names, name="n_eff")
    return float(counts.sum())
