"""A network of one's own as a scikit-learn regressor."""

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar, Literal

import torch

from skts._compat import Interval, StrOptions
from skts.nn import Head
from skts.panel import Levels
from skts.regressors._base import BaseNetRegressor, Norm, Rolling


@dataclass(eq=False, repr=False)
class NetRegressor(BaseNetRegressor):
    """Forecast with any network that keeps the contract of :class:`skts.nn.Forecaster`.

    The network gets windows without a hole, missing targets are masked, and it is trained, stopped early, saved and
    watched as those of this package are: they stand on the same. See CONTRIBUTING for a recipe.

    Parameters
    ----------
    network : class
        A :class:`torch.nn.Module`. Of `n_features`, `n_known`, `n_static`, `n_targets`, `n_series`, `window`, `horizon`
        and `head` its `__init__` is given those that its signature names. Its ``forward(past, known=None, series=None,
        state=None)``, with `static=None` too where it declares to read static columns, gives ``(forecast, state)``, the
        forecast of shape (n_windows, horizon, n_targets).
    network_params : dict, default=None
        Further arguments of its `__init__`. Searched as a whole: ``{"net__network_params": [{...}, {...}]}``.
    head : Head, default=None
        Makes the last layer, the loss, and what is forecast; a point, or quantiles where `quantiles` are given, by
        default.
    instance_norm : {"last", "mean", "median", "series"}, default=None
        Take the level of each window off the target's past and give it back to the forecast, as in
        :class:`~skts.LSTMRegressor`.
    embedding_by : str, int, or list of str or int, default=None
        The index levels whose names are numbered for a network that reads `series`: "farm" gives the phases of a farm
        one number, where farm and phase name a series. All by default.
    origins_per_pass : int or "auto", default="auto"
        Up to how many training windows, whose origins follow each other, a causal network is taught by one pass.
    rolling : {"windows", "stateful"}, default="windows"
        How `predict` reads the past; "stateful" takes a causal network, which goes on from its state.
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

    See Also
    --------
    LSTMRegressor, GRURegressor : Recurrent networks.
    skts.nn.Forecaster : The contract.

    Examples
    --------
    >>> import torch
    >>> from skts import NetRegressor, SlidingWindower
    >>> from skts.datasets import make_panel
    >>> from skts.nn import Forecaster
    >>> class Mean(Forecaster):
    ...     def __init__(self, n_features, n_targets, horizon, head):
    ...         super().__init__()
    ...         self.shape = (horizon, n_targets)
    ...         self.output = head.make_layer(n_features, horizon * n_targets)
    ...
    ...     def forward(self, past, known=None, series=None, state=None):
    ...         return self.output(past.mean(dim=1)).unflatten(1, self.shape), None
    >>> X, y = make_panel(n_series=2, n_rows=240, random_state=0)
    >>> windows = SlidingWindower(24, horizon=6).fit_transform(X)
    >>> regressor = NetRegressor(Mean, quantiles=(0.1, 0.9), max_epochs=2, random_state=0).fit(windows, y)
    >>> regressor.predict(windows, quantiles=[0.1, 0.5, 0.9]).shape
    (422, 6, 3)
    """

    network: Callable[..., torch.nn.Module]
    network_params: dict[str, Any] | None = None
    head: Head | None = None
    instance_norm: Norm | None = None
    embedding_by: Levels | None = None
    origins_per_pass: int | Literal["auto"] = "auto"
    rolling: Rolling = "windows"

    _parameter_constraints: ClassVar[dict[str, list]] = {
        "network": [callable],
        "network_params": [dict, None],
        "head": [Head, None],
        "instance_norm": [StrOptions({"last", "mean", "median", "series"}), None],
        "embedding_by": [str, Integral, "array-like", None],
        "origins_per_pass": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "rolling": [StrOptions({"windows", "stateful"})],
        **BaseNetRegressor._parameter_constraints,
    }

    def _network(self) -> tuple[Callable[..., torch.nn.Module], dict[str, Any]]:
        return self.network, self.network_params or {}

    def _head(self) -> Head:
        for name in ("quantiles", "distribution"):
            if self.head is not None and getattr(self, name) is not None:
                raise ValueError(f"NetRegressor(head=..., {name}=...): a head decides what is forecast. Give only one.")
        return super()._head() if self.head is None else self.head
