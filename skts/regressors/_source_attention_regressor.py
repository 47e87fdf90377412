"""Attention over sources as a scikit-learn regressor."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from skts._compat import Interval, StrOptions
from skts.nn import Head, SourceAttention
from skts.panel import Levels
from skts.regressors._base import BaseNetRegressor, Rolling
from skts.regressors._sources import Source, find_sources
from skts.supervised import Inputs, Limits, Targets


@dataclass(kw_only=True, eq=False, repr=False)
class SourceAttentionRegressor(BaseNetRegressor):
    """Forecast from several sources of columns, such as weather providers, and say which is trusted when.

    Each source has an encoder of its own into a space common to all. At every row of the window and of the horizon one
    projection and one query, shared by all sources, score what the encoders say, the softmax of the scores weighs the
    sources, and an LSTM encoder-decoder, as in :class:`~skts.LSTMRegressor`, forecasts from the weighted sum. A source
    that is missing has no weight, so forecasts go on when a provider fails. :func:`~skts.inspection.source_weights`
    shows the weights. Trained as :class:`~skts.LSTMRegressor` is.

    Parameters
    ----------
    sources : dict of str to (str, int, list of str or int), default=None
        The columns of each source: a regular expression that is searched for in their names ("^ecmwf_"), a position, or
        a list of names or positions. No column may be in two sources. The columns of none, such as the calendar, a lead
        or the past of the target, are read by the encoders of all sources and by the LSTM, and are not weighed: they
        tell when to trust whom. None takes all columns for one source, "all".
    shared : bool, default=True
        Whether one projection and one query score all sources, so that their scores compare; else each source has its
        own, which is there for comparison.
    source_dropout : float, default=0.0
        Share of sources that are dropped from the whole of a window, and from the whole of its horizon, in training,
        never all that are there: so that the network has learned to do without each of them before it fails.
    hidden_size : int, default=64
        Numbers of the common space, and units of the LSTM.
    num_layers : int, default=2
        Layers of the encoder of each source, which are weighed as sources are. The LSTM has one.
    dropout : float, default=0.0
        Share of values dropped before the head.
    bidirectional : bool, default=False
        Whether the decoder reads the known columns of the horizon backwards too, so that each hour sees the weather
        after it.
    lookahead : int, default=0
        Rows after the horizon whose known columns are read as well: a weather forecast reaches past the block. Where
        the table ends, its last row is repeated.
    series_embedding : int, default=0
        Length of a vector that is learned for each series and put beside its rows; an unseen series takes the mean. 0
        learns none. Static columns of the windower are mapped to a vector of that length, which is added, so that an
        unseen series starts from what describes it; with 0 they stand beside the rows as they are.
    embedding_by : str, int, or list of str or int, default=None
        The index levels whose names `series_embedding` tells apart: "farm" gives the phases of a farm one vector, where
        farm and phase name a series. All by default.
    origins_per_pass : int or "auto", default="auto"
        Up to how many training windows, whose origins follow each other, are taught by one pass over their rows. Each
        counts as a window of its own; later ones have read the whole pass before them instead of `window` rows. "auto"
        takes 4 where windows begin at every row, which is faster at the same error (`docs/speed.md`), and 1 elsewhere.
    rolling : {"windows", "stateful"}, default="windows"
        How `predict` reads the past. "windows" reads the `window` rows before each origin alone. "stateful" reads each
        series once, from its first row on, and forecasts at each origin from all it has read: many times faster where
        origins are close, and the same where the window holds the whole past. Of arrays each window is read alone.
        `predict` takes another one for itself.
    max_epochs : int, default=20
        Passes over the training windows.
    lr : float, default=0.003
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
    sources_ : dict of str to ndarray of int64
        The columns of each source, by position.

    See Also
    --------
    skts.inspection.source_weights : How much each source weighs, row by row.
    skts.inspection.SourceWeightsDisplay : Draws it.
    LSTMRegressor : Reads all columns side by side.
    skts.nn.SourceAttention : The network, with its formulas.

    Notes
    -----
    A source is missing at a row where all of its columns are NaN there; over the horizon, all of those that are known.
    Where all sources are missing, the LSTM reads zeros in place of their weighted sum. A hole in a source that is there
    is filled with the last value seen. For scores to follow the season, the hour or a provider's own lead, the network
    must be given them, best as columns of no source; the lead from the origin on it knows.

    What goes into a source should be able to stand alone: two sources of which the forecast needs both, such as wind
    and air pressure, share the weight between them, and the network makes up for it.

    References
    ----------
    X. Wang et al., "Heterogeneous graph attention network", 2019, https://arxiv.org/abs/1903.07293, whose semantic
    attention has one projection and query for all. Y. Chen et al., "Deep structural knowledge exploitation and synergy
    for estimating node importance value on heterogeneous information networks", 2024, https://arxiv.org/abs/2402.12411.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from skts import HistoryPrepender, SlidingWindower, SourceAttentionRegressor
    >>> from skts.datasets import make_panel
    >>> from skts.inspection import source_weights
    >>> X, y = make_panel(n_series=2, n_rows=240, random_state=0)
    >>> X["other_wind"] = X["wind"].to_numpy()[::-1]  # of another time
    >>> is_new = X.index.get_level_values("time") >= "2024-01-10"
    >>> pipe = make_pipeline(
    ...     HistoryPrepender(24),
    ...     SlidingWindower(24, horizon=6, known=["wind", "other_wind"]),
    ...     SourceAttentionRegressor({"good": "^wind$", "poor": "^other"}, hidden_size=8, max_epochs=2, random_state=0),
    ... ).set_output(transform="pandas")
    >>> y_pred = pipe.fit(X[~is_new], y[~is_new]).predict(X[is_new])
    >>> len(y_pred) == is_new.sum()
    np.True_
    >>> source_weights(pipe, X[is_new]).columns.tolist()
    ['good', 'poor']
    """

    sources: dict[str, Source] | None = field(default=None, kw_only=False)
    shared: bool = True
    source_dropout: float = 0.0
    hidden_size: int = 64
    num_layers: int = 2
    dropout: float = 0.0
    bidirectional: bool = False
    lookahead: int = 0
    series_embedding: int = 0
    embedding_by: Levels | None = None
    origins_per_pass: int | Literal["auto"] = "auto"
    rolling: Rolling = "windows"

    _parameter_constraints: ClassVar[dict[str, list]] = {
        "sources": [Mapping, None],
        "shared": ["boolean"],
        "source_dropout": [Interval(Real, 0, 1, closed="left")],
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "num_layers": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "bidirectional": ["boolean"],
        "lookahead": [Interval(Integral, 0, None, closed="left")],
        "series_embedding": [Interval(Integral, 0, None, closed="left")],
        "embedding_by": [str, Integral, "array-like", None],
        "origins_per_pass": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "rolling": [StrOptions({"windows", "stateful"})],
        **BaseNetRegressor._parameter_constraints,
    }
    _network_class = SourceAttention
    _network_names: ClassVar[tuple[str, ...]] = (
        *("shared", "source_dropout", "hidden_size", "num_layers", "dropout", "bidirectional", "lookahead"),
        "series_embedding",
    )

    def _start(
        self, inputs: Inputs, targets: Targets, train: NDArray[np.int64], limits: Limits | None, device: torch.device
    ) -> None:
        names = getattr(self, "feature_names_in_", None) if inputs.windows is None else inputs.windows.feature_names
        self.sources_ = find_sources(self.sources, names, self.n_features_in_, type(self).__name__)
        self._known_columns = inputs.known.tolist()
        super()._start(inputs, targets, train, limits, device)

    def _arguments(self, sizes: dict[str, Any], head: Head) -> dict[str, Any]:
        columns = {"sources": [one.tolist() for one in self.sources_.values()], "known": self._known_columns}
        return super()._arguments(sizes, head) | columns

    def _forget(self) -> None:
        super()._forget()
        for learned in ("sources_", "_known_columns"):
            self.__dict__.pop(learned, None)
