"""Trend and remainder of the window, each mapped linearly to the horizon."""

from dataclasses import dataclass, field
from numbers import Integral
from typing import ClassVar

from skts._compat import Interval
from skts.nn import LinearForecaster
from skts.regressors._base import BaseNetRegressor


@dataclass(eq=False, repr=False)
class DLinearRegressor(BaseNetRegressor):
    """Forecast linearly from the trend of the window and from the rest.

    A moving average splits each column in trend and remainder; a linear map of each forecasts the whole horizon, and
    the known columns of every row add their share, with the same weights at each row; static columns add the same to
    all. Trains in seconds and is the bar
    that larger networks must clear. Trained as :class:`~skts.LSTMRegressor` is.

    Parameters
    ----------
    kernel_size : int, default=25
        Rows of the moving average; at the ends of the window its first and last row are repeated.
    max_epochs : int, default=20
        Passes over the training windows.
    lr : float, default=0.01
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
    NLinearRegressor : Takes the last value off instead.
    SlidingWindower : Makes the windows.

    References
    ----------
    A. Zeng, M. Chen, L. Zhang and Q. Xu, "Are transformers effective for time series forecasting?", AAAI 2023,
    https://arxiv.org/abs/2205.13504.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from skts import HistoryPrepender, DLinearRegressor, SlidingWindower
    >>> from skts.datasets import make_panel
    >>> X, y = make_panel(n_series=2, n_rows=240, random_state=0)
    >>> is_new = X.index.get_level_values("time") >= "2024-01-10"
    >>> pipe = make_pipeline(
    ...     HistoryPrepender(24),
    ...     SlidingWindower(24, horizon=6, known=["wind"]),
    ...     DLinearRegressor(max_epochs=2, random_state=0),
    ... )
    >>> y_pred = pipe.fit(X[~is_new], y[~is_new]).predict(X[is_new])
    >>> len(y_pred) == is_new.sum()
    np.True_
    """

    kernel_size: int = 25
    lr: float = field(default=1e-2, kw_only=True)

    _parameter_constraints: ClassVar[dict[str, list]] = {
        "kernel_size": [Interval(Integral, 1, None, closed="left")],
        **BaseNetRegressor._parameter_constraints,
    }
    _network_class = LinearForecaster
    _network_names: ClassVar[tuple[str, ...]] = ("kernel_size",)
