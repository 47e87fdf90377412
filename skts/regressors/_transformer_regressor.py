"""A transformer as a scikit-learn regressor."""

from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import ClassVar

from skts._compat import Interval, StrOptions
from skts.nn import Transformer
from skts.panel import Levels
from skts.regressors._base import BaseNetRegressor, Norm


@dataclass(kw_only=True, eq=False, repr=False)
class TransformerRegressor(BaseNetRegressor):
    """Forecast with attention between patches of the window and the rows of the horizon.

    Each `patch_len` rows of the window become one token, and each row of the horizon another, made of the columns that
    are known there; where none are, `patch_len` rows of the horizon share a token. All tokens attend to each other,
    `num_layers` times, each time followed by a feed-forward network; a linear head forecasts from the tokens of the
    horizon. Where :class:`~skts.LSTMRegressor` must carry what it has seen from row to row, this one looks it up:
    :func:`~skts.inspection.attention_map` shows where. Trained as that is.

    Parameters
    ----------
    hidden_size : int, default=64
        Numbers of a token, a multiple of `num_heads`.
    num_layers : int, default=2
        Blocks of attention and feed-forward network.
    num_heads : int, default=4
        Heads of attention, which share the numbers of a token evenly.
    ffn_expansion : int, default=4
        Width of the feed-forward network in multiples of `hidden_size`; 0 leaves it out.
    patch_len : int, default=8
        Consecutive rows of the window that make one token. Where they do not divide the window, its first row is
        repeated in front. Time and memory grow with the square of the number of tokens.
    around : int, default=2
        Rows on both sides of a row of the horizon whose known columns its token is made of, too: how the weather moves
        at that hour. At both ends the last row is repeated.
    dropout : float, default=0.0
        Share of values dropped from what attention and feed-forward network add to a token.
    input_dropout : float, default=0.0
        Share of columns dropped from the whole of a window, and from the whole of its horizon, in training: so that a
        network rests on no column alone where many say nearly the same.
    lookahead : int, default=0
        Rows after the horizon whose known columns are tokens as well: a weather forecast reaches past the block. Where
        the table ends, its last row is repeated.
    instance_norm : {"last", "mean", "median", "series"}, default=None
        Take the level of each window off the target's past and give it back to the forecast: its last value; its mean,
        with its standard deviation as scale; or, where there are spikes, its median, with its mean deviation from that
        as scale. "series" takes the mean and the standard deviation that the series had in training instead, so that
        stations of unlike sizes are alike to the network; an unseen one takes those of all. Needs the target itself
        among the observed columns of X, in whatever units; it is found there.
    series_embedding : int, default=0
        Length of a vector that is learned for each series and mapped onto its tokens; an unseen series takes the mean.
        0 learns none. Static columns of the windower are mapped to a vector of that length, which is added, so that an
        unseen series starts from what describes it; with 0 they are mapped onto the tokens as they are.
    embedding_by : str, int, or list of str or int, default=None
        The index levels whose names `series_embedding` tells apart: "farm" gives the phases of a farm one vector, where
        farm and phase name a series. All by default.
    max_epochs : int, default=20
        Passes over the training windows.
    lr : float, default=0.001
        Learning rate.
    lr_schedule : {"constant", "cosine", "one_cycle"}, default="constant"
        How the learning rate moves over the steps of a fit: "cosine" falls from `lr` to 0, "one_cycle" rises to `lr`
        first (Smith and Topin 2017, https://arxiv.org/abs/1708.07120).
    batch_size : int or "auto", default=64
        Windows per gradient step. "auto" times a few steps of 64, 128, ... and takes the
        largest that trains at least a tenth faster than the one before, with `lr` scaled by the square root of
        `batch_size_` / 64 (Malladi et al. 2022, https://arxiv.org/abs/2205.10287; by the ratio itself for SGD). Times
        differ from run to run: for fits that repeat themselves give the number that was found, and `lr_`.
    subsample : float, default=1.0
        Share of the training windows that an epoch sees, of each series alike; drawn anew for every epoch.
    weight_decay : float, default=0.0
        Decoupled weight decay (AdamW).
    early_stopping : bool, default=False
        Whether to hold out the latest `validation_fraction` of the times, stop when the loss there has not improved
        for `n_iter_no_change` epochs, and keep the weights of the best epoch.
    validation_fraction : float, default=0.1
        Share of the times, the latest, to validate on. A window whose targets reach over the cut is dropped.
    n_iter_no_change : int, default=5
        Epochs without improvement before stopping early.
    warm_start : bool, default=False
        Whether `fit` goes on from the weights of the last one. What a trained network cannot take over (`hidden_size`,
        `quantiles`, ...) must not have changed.
    quantiles : tuple of float, default=None
        Levels within 0 and 1 to train with the pinball loss, instead of the mean; the median is always among them, and
        is what `predict` answers unless asked for others. They never cross.
    distribution : {"normal", "student_t", "censored_normal", "inflated_beta"} or DistributionHead, default=None
        Forecast a whole distribution: `predict` answers its mean and, exactly, any quantile that is asked for. The
        first three are trained by the CRPS, "inflated_beta" by likelihood; a head such as
        `skts.nn.StudentTHead("likelihood")` says otherwise. The last two need `bounds` and have a probability on them.
    bounds : (lower, upper), default=None
        What the target cannot go beyond, in its unit: `(0, 2500.0)`, `(0, None)`, or `(0, "capacity")` for a static
        column of the windower that says it by series, which the network reads standardised. No forecast lies outside,
        what `y` has outside counts as on the bound, and what lies on a bound is learned: where the truth is on it, a
        forecast beyond it is right. Not with "normal" and "student_t".
    active : str or int, default=None
        The name of a column known ahead that is 0 in rows where the target is known to be 0, and 1 elsewhere, as the
        `is_day` of :class:`~skts.features.SolarFeatures` for solar power; a scaler may have changed the two values.
        Rows with 0 teach nothing, and every forecast of them is 0.
    random_state : int, RandomState instance or None, default=None
        Decides the initial weights, the order of the windows and the dropout. Torch's global generator stays as it is.
    device : str, default="auto"
        "auto" takes CUDA where it is; else any torch device, such as "cpu", "cuda:1" or "mps".
    precision : {"float32", "bf16"}, default="float32"
        What the network computes in, in training and forecasting. "bf16" is torch's autocast to bfloat16, which keeps
        two to three digits: for an LSTM faster on CPUs with AVX512-BF16 or AMX, slower on those that emulate it, and
        refused on those that can neither. On CUDA torch computes recurrent layers in float16 then. Weights, loss and
        the optimizer's state are float32 in any case.
    verbose : int, default=0
        1 prints a line for every epoch: its losses, its seconds, what is left.
    net_params : dict, default=None
        Further parameters of the skorch net, such as `{"optimizer": torch.optim.SGD, "criterion": torch.nn.HuberLoss,
        "gradient_clip": None, "callbacks": [...], "iterator_train__by_series": True}`. The last one lets each batch
        hold windows of one series alone.

    Attributes
    ----------
    net_ : WindowNet
        The trained skorch net.
    history_ : dict of str to list of float
        The loss of every epoch: "epoch", "train_loss" and, with `early_stopping`, "valid_loss".
    n_iter_ : int
        Epochs trained in all.
    batch_size_ : int
        Size of the batches trained on.
    lr_ : float
        Learning rate trained with, before `lr_schedule` moves it.
    lookahead_ : int
        Rows after the horizon whose known columns are read.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where `X` was a 2-D DataFrame.

    See Also
    --------
    LSTMRegressor : A recurrent network.
    skts.inspection.attention_map : Which rows, and which columns of them, the heads look at.
    skts.inspection.AttentionMapDisplay : Draws it.
    EnsembleRegressor : Trains several and averages them.
    SlidingWindower : Makes the windows.

    References
    ----------
    A. Vaswani et al., "Attention is all you need", 2017, https://arxiv.org/abs/1706.03762. R. Xiong et al., "On layer
    normalization in the transformer architecture", 2020, https://arxiv.org/abs/2002.04745. Y. Nie et al., "A time
    series is worth 64 words", 2023, https://arxiv.org/abs/2211.14730.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from skts import HistoryPrepender, SlidingWindower, TransformerRegressor
    >>> from skts.datasets import make_panel
    >>> X, y = make_panel(n_series=2, n_rows=240, random_state=0)
    >>> is_new = X.index.get_level_values("time") >= "2024-01-10"
    >>> pipe = make_pipeline(
    ...     HistoryPrepender(24),
    ...     SlidingWindower(24, horizon=6, known=["wind"]),
    ...     TransformerRegressor(hidden_size=8, max_epochs=2, random_state=0),
    ... )
    >>> y_pred = pipe.fit(X[~is_new], y[~is_new]).predict(X[is_new])
    >>> len(y_pred) == is_new.sum()
    np.True_
    """

    hidden_size: int = field(default=64, kw_only=False)
    num_layers: int = 2
    num_heads: int = 4
    ffn_expansion: int = 4
    patch_len: int = 8
    around: int = 2
    dropout: float = 0.0
    input_dropout: float = 0.0
    lookahead: int = 0
    instance_norm: Norm | None = None
    series_embedding: int = 0
    embedding_by: Levels | None = None
    lr: float = 1e-3

    _parameter_constraints: ClassVar[dict[str, list]] = {
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "num_layers": [Interval(Integral, 1, None, closed="left")],
        "num_heads": [Interval(Integral, 1, None, closed="left")],
        "ffn_expansion": [Interval(Integral, 0, None, closed="left")],
        "patch_len": [Interval(Integral, 1, None, closed="left")],
        "around": [Interval(Integral, 0, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "input_dropout": [Interval(Real, 0, 1, closed="left")],
        "lookahead": [Interval(Integral, 0, None, closed="left")],
        "instance_norm": [StrOptions({"last", "mean", "median", "series"}), None],
        "series_embedding": [Interval(Integral, 0, None, closed="left")],
        "embedding_by": [str, Integral, "array-like", None],
        **BaseNetRegressor._parameter_constraints,
    }
    _network_class = Transformer
    _network_names: ClassVar[tuple[str, ...]] = (
        *("hidden_size", "num_layers", "num_heads", "ffn_expansion", "patch_len", "around", "dropout"),
        *("input_dropout", "lookahead", "series_embedding"),
    )
