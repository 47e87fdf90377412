"""Where the heads of a fitted transformer look, and which columns of two tokens meet there."""

from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.utils import Bunch, check_random_state
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from skts._compat import HasMethods, Interval, validate_params
from skts.inspection._fitted import has_history, read_windows, unfold
from skts.nn import InstanceNorm, Transformer, attention_parts, attention_scores
from skts.windows import Windows, holder_of_parts, walk

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Inputs = dict[str, Tensor]
_AT_ONCE = 2**24  # numbers that hold the parts of some windows: 64 MiB


@validate_params(
    {
        "estimator": [HasMethods(["predict"])],
        "X": ["array-like", Windows],
        "n_windows": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def attention_map(
    estimator: Any, X: Any, *, n_windows: int = 500, random_state: int | RandomState | None = None
) -> Bunch:
    """Show where the heads of a fitted transformer look when they forecast, and which columns make them look there.

    A head compares each token of the horizon (its query q) with every token (its key k) by the bilinear form
    ``q' W k / sqrt(size)``, the score; the softmax of the scores over all tokens is the attention, the share in which
    the head mixes what the tokens say [1]_. Tokens are the patches of the window in the order of time, then what is
    ahead: the rows of horizon and lookahead, or where nothing is known of them, patches of the horizon.

    Parameters
    ----------
    estimator : estimator
        Fitted: a :class:`~skts.TransformerRegressor`, or a :class:`~skts.NetRegressor` of a
        :class:`~skts.nn.Transformer`, at the end of a pipeline with a :class:`~skts.SlidingWindower`, a search over
        one, or alone with `Windows`. Of an ensemble one member.
    X : array-like or DataFrame of shape (n_rows, n_features), or Windows
        What the estimator forecasts. A table is cut into windows as at `predict`.
    n_windows : int, default=500
        How many windows are drawn, of those that have a history and all rows of their horizon; all where there are
        fewer.
    random_state : int, RandomState instance or None, default=None
        Decides which windows are drawn.

    Returns
    -------
    attention : Bunch
        scores : ndarray of float64 of shape (n_layers, n_heads, horizon, n_tokens)
            Means over the windows. Rows of the horizon that share a token are alike, here and below.
        attention : ndarray of float64 of shape (n_layers, n_heads, horizon, n_tokens)
            Means of the softmax of each window; over the tokens they sum to 1.
        lags : ndarray of int64 of shape (n_patches, 2)
            The nearest and the farthest lag of each patch, token after token; lag 1 is the row right before the
            origin. Where patches do not divide the window, the first one holds fewer rows, the oldest of them repeated.
        leads : ndarray of int64 of shape (n_tokens - n_patches, 2)
            The first and the last lead of each token ahead; those of the lookahead are larger than the horizon.
        by_lag : DataFrame of shape (n_layers * n_heads * horizon, window)
            Attention by lag, 1 to `window`, that of a patch shared evenly by its rows. The index is layer and head,
            from 0, and lead, from 1: ``by_lag.loc[0, 1]`` are leads and lags of a head. What a row lacks to 1 goes to
            rows ahead.
        parts : Bunch
            Of the first layer, where a token is still a sum over columns:

            query_names : ndarray of str of shape (n_query_parts,)
                What a token of the horizon is made of: known columns, there and in the rows around, "place" and
                "series".
            key_names : ndarray of str of shape (n_key_parts,)
                What a patch is made of: all columns, "place" and "series".
            scores : ndarray of float64 of shape (n_heads, n_query_parts, n_key_parts, horizon, n_patches)
                What each pair adds to the score, mean over the windows: the sum over all pairs is
                ``scores[0, :, :, :n_patches]`` of above.
            sizes : ndarray of float64 of shape (n_heads, n_query_parts, n_key_parts)
                How much each pair does to tell patches apart: the standard deviation, over the patches of a window,
                of what it adds to the score of one token of the horizon; mean over windows and those tokens. What a
                pair adds to all patches alike is left out, since the softmax ignores it among them.
        n_windows : int
            How many windows were drawn.

    Raises
    ------
    ValueError
        There is no windower and regressor to be found, the network has no attention, an ensemble is given, or no window
        has a history and all rows of its horizon.

    See Also
    --------
    AttentionMapDisplay : Draws it.
    memory_profile : What each lag contributes to forecasts, of any regressor.
    skts.nn.attention_scores, skts.nn.attention_parts : The scores of single windows, as tensors.

    Notes
    -----
    "place" is the vector learned for the place of a token, with the bias of its map; "series" is nought without
    `series_embedding`. Scores are computed in float32, whatever the `precision` of the regressor.

    What it cannot tell:

    - *What forecasts rest on.* Attention is where a head reads, not what the network makes of it: a token may be read
      and ignored, or pass on what it has read of others. Jain and Wallace [2]_ find that other attention often gives
      the same answer. Whether a lag counts, :func:`memory_profile` measures by hiding it.
    - *What deeper layers look at.* From the second layer on a token holds what it has gathered from all others: a
      place in the window is no longer that row alone.
    - *Who serves what.* Heads have no order: another seed puts the same work on others, or on several together.
    - *What a mean hides.* A head that finds a row by what stands in it looks somewhere else in each window. Its mean is
      flat, and `parts` tell which columns it goes by.
    - *Pairs that cancel.* Columns that rise and fall together may add much to a score with opposite signs, and little
      as a whole: then both are large in `sizes`.

    References
    ----------
    .. [1] A. Vaswani et al., "Attention is all you need", 2017, https://arxiv.org/abs/1706.03762
    .. [2] S. Jain, B. C. Wallace, "Attention is not explanation", 2019, https://arxiv.org/abs/1902.10186

    Examples
    --------
    A signal that repeats what its column was six rows ago, so that lead 1 reads lag 6, lead 2 lag 5:

    >>> import numpy as np
    >>> from skts import SlidingWindower, TransformerRegressor
    >>> from skts.inspection import attention_map
    >>> X = np.random.default_rng(0).standard_normal((1200, 1))
    >>> windows = SlidingWindower(8, horizon=2).fit_transform(X)
    >>> options = {"patch_len": 1, "num_layers": 1, "num_heads": 1, "lr": 0.01, "lr_schedule": "one_cycle"}
    >>> regressor = TransformerRegressor(16, max_epochs=8, random_state=0, device="cpu", **options)
    >>> found = attention_map(regressor.fit(windows, np.roll(X[:, 0], 6)), windows, random_state=0)
    >>> found.by_lag.loc[0, 0].idxmax(axis="columns").to_dict()
    {1: 6, 2: 5}
    """
    check_is_fitted(estimator)
    regressor, windows, _, feature_names = read_windows("attention_map", estimator, X)
    network = _network_of(regressor)
    drawn = _draw(windows, n_windows, network.lookahead, check_random_state(random_state))
    assert drawn.window is not None
    *by_token, sizes = _average(network, _read(regressor, drawn), len(drawn))
    scores, attention, part_scores = (
        np.repeat(values, network.rows_ahead, axis=-2)[..., : drawn.horizon, :] for values in by_token
    )
    lags = lags_of_patches(drawn.window, network.patches.length)
    query_names, key_names = (
        np.array([*names, "place", "series"], dtype=object) for names in (feature_names[drawn.known], feature_names)
    )
    return Bunch(
        scores=scores,
        attention=attention,
        lags=lags,
        leads=leads_of_tokens(drawn.horizon, network.rows_ahead, network.lookahead),
        by_lag=attention_by_lag(attention, lags),
        parts=Bunch(query_names=query_names, key_names=key_names, scores=part_scores, sizes=sizes),
        n_windows=len(drawn),
    )


def lags_of_patches(window: int, length: int) -> Ints:
    """Give the nearest and the farthest lag of each patch of `length` rows: ndarray of shape (n_patches, 2)."""
    nearest = np.arange(1, window + 1, length, dtype=np.int64)[::-1]
    return np.stack([nearest, np.minimum(nearest + length - 1, window)], axis=1)


def leads_of_tokens(horizon: int, length: int, lookahead: int) -> Ints:
    """Give the first and the last lead of each token of `length` rows, and of the rows after: (n_tokens ahead, 2)."""
    first = np.arange(1, horizon + 1, length, dtype=np.int64)
    last = np.minimum(first + length - 1, horizon)
    after = horizon + np.arange(1, lookahead + 1, dtype=np.int64)
    return np.stack([np.append(first, after), np.append(last, after)], axis=1)


def attention_by_lag(attention: Floats, lags: Ints) -> pd.DataFrame:
    """Share what goes to each patch evenly by its rows.

    Parameters
    ----------
    attention : ndarray of shape (n_layers, n_heads, horizon, n_tokens)
        Of the patches first.
    lags : ndarray of int64 of shape (n_patches, 2)

    Returns
    -------
    by_lag : DataFrame of shape (n_layers * n_heads * horizon, window)
    """
    n_rows = lags[:, 1] - lags[:, 0] + 1
    by_row = np.repeat(attention[..., : len(lags)] / n_rows, n_rows, axis=3)[..., ::-1]
    layers, heads, leads = (range(first, first + n) for first, n in zip((0, 0, 1), by_row.shape[:3], strict=True))
    index = pd.MultiIndex.from_product([layers, heads, leads], names=["layer", "head", "lead"])
    columns = pd.RangeIndex(1, by_row.shape[3] + 1, name="lag")
    return pd.DataFrame(by_row.reshape(-1, by_row.shape[3]), index=index, columns=columns)


def sizes_of_parts(parts: Tensor) -> Tensor:
    """Measure how much parts tell patches apart.

    Parameters
    ----------
    parts : Tensor of shape (B, num_heads, n_query_parts, n_key_parts, M, S)

    Returns
    -------
    sizes : Tensor of shape (B, num_heads, n_query_parts, n_key_parts)
        Standard deviation over the patches, mean over the tokens of the horizon.
    """
    return parts.std(dim=5, correction=0).mean(dim=4)


def _network_of(regressor: Any) -> Transformer:
    """Find the transformer in a fitted regressor."""
    network = _attentive(regressor)
    if network is not None:
        return network
    name, holder = type(regressor).__name__, holder_of_parts(regressor)
    if any(_attentive(part) for part in walk(regressor)):
        raise ValueError(
            f"attention_map looks into one network, and {name} holds others in `{holder}`, whose heads have nothing to "
            f"do with each other: give a member, `{holder}[0]`, with Windows, or the pipeline with it at the end, "
            f"`make_pipeline(pipe[:-1], pipe[-1].{holder}[0])`."
        )
    raise ValueError(
        f"attention_map needs a network with attention, and {name} has none: give a TransformerRegressor, or a "
        "NetRegressor(network=Transformer)."
    )


def _attentive(regressor: Any) -> Transformer | None:
    """Give the transformer of a regressor, without what takes the level off its windows; None of any other."""
    module = getattr(getattr(regressor, "net_", None), "module_", None)
    network = module.network if isinstance(module, InstanceNorm) else module
    return network if isinstance(network, Transformer) else None


def _draw(windows: Windows, n_windows: int, lookahead: int, rng: RandomState) -> Windows:
    """Draw windows that have a history and all rows of their horizon."""
    if windows.window is None:
        raise ValueError(
            "attention_map reads windows, and SlidingWindower(window=None) gives whole series: give windows of as many "
            "rows as the regressor was fitted with."
        )
    is_whole = (windows.rows[windows.horizon_positions()] >= 0).all(axis=1)
    candidates = np.flatnonzero(has_history(windows) & is_whole)
    if len(candidates) == 0:
        raise ValueError(
            f"attention_map needs a window with a history and all {windows.horizon} rows of its horizon, and X gives "
            f"none of {len(windows)}: give a longer table. The training table itself has no history before its first "
            "rows."
        )
    if n_windows < len(candidates):
        candidates = np.sort(rng.choice(candidates, n_windows, replace=False))
    return unfold(windows, candidates, lookahead)


def _read(regressor: Any, windows: Windows) -> Iterator[Inputs]:
    """Give what the transformer reads of the windows, batch by batch."""
    module = regressor.net_.module_
    for inputs in regressor.input_batches(windows):
        if isinstance(module, InstanceNorm):
            inputs["past"] = module.normalise(inputs["past"], inputs.get("series"))
        yield inputs


def _average(network: Transformer, batches: Iterator[Inputs], n_windows: int) -> list[Floats]:
    """Average over all windows: scores, attention, and of the first layer the scores of its parts and their sizes.

    By token of the horizon, which may stand for several rows.
    """
    sums: list[Any] = [0.0] * 4
    with torch.no_grad():
        for inputs in batches:
            scores = attention_scores(network, **inputs)  # (B, num_layers, num_heads, M, P)
            found = [scores, torch.softmax(scores, dim=4)]
            sums[:2] = [total + _sum(part) for total, part in zip(sums[:2], found, strict=True)]
            for some in _split(inputs, network, scores.shape[2]):
                parts = attention_parts(network, **some)
                found = [parts, sizes_of_parts(parts)]
                sums[2:] = [total + _sum(part) for total, part in zip(sums[2:], found, strict=True)]
    return [total / n_windows for total in sums]


def _sum(values: Tensor) -> Floats:
    """Add up over a batch, in as many digits as many windows take."""
    return values.cpu().double().sum(dim=0).numpy()


def _split(inputs: Inputs, network: Transformer, n_heads: int) -> Iterator[Inputs]:
    """Split a batch so that the parts of all pairs of columns have room."""
    n_known = inputs["known"].shape[2] if "known" in inputs else 0
    n_pairs = (n_known + 2) * (inputs["past"].shape[2] + 2)
    of_window = n_heads * n_pairs * network.n_ahead * network.n_patches
    size = max(_AT_ONCE // of_window, 1)
    pieces = {name: part.split(size) for name, part in inputs.items()}
    for some in zip(*pieces.values(), strict=True):
        yield dict(zip(pieces, some, strict=True))
