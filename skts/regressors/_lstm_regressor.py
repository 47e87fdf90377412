"""An LSTM encoder-decoder as a scikit-learn regressor."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, Literal

from numpy.random import RandomState
from sklearn.utils._param_validation import Interval

from skts.nn import EncoderDecoder
from skts.regressors._base import BaseNetRegressor


class LSTMRegressor(BaseNetRegressor):
    """Forecast with an LSTM that reads the window and another that reads what is known of the horizon.

    An LSTM encodes the window. Where columns are known ahead, a second LSTM starts from its state and reads them over
    the horizon, and a linear head answers at each of its rows; else the head forecasts the whole horizon from the last
    state. Trained with AdamW on the mean squared error of shuffled windows (their pinball loss with `quantiles`), the
    norm of the gradient clipped at 1.

    Parameters
    ----------
    hidden_size : int, default=64
        Units of each recurrent layer.
    num_layers : int, default=1
        Recurrent layers of encoder and decoder alike.
    dropout : float, default=0.0
        Share of values dropped between layers and before the head.
    max_epochs : int, default=20
        Passes over the training windows.
    lr : float, default=0.003
        Learning rate.
    batch_size : int, default=64
        Windows per gradient step.
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
        Whether `fit` goes on from the weights of the last one.
    normalize_y : bool, default=True
        Whether to standardise each target inside, by its training mean and deviation.
    quantiles : tuple of float, default=None
        Levels within 0 and 1 to train with the pinball loss, instead of the mean; the median is always among them, and
        is what `predict` answers unless asked for others. They never cross.
    random_state : int, RandomState instance or None, default=None
        Decides the initial weights, the order of the windows and the dropout. Torch's global generator stays as it is.
    device : str, default="auto"
        "auto" takes CUDA where it is; else a torch device such as "cpu" or "cuda:1".
    verbose : int, default=0
        1 shows skorch's table of epochs.
    callbacks : list, default=None
        Callbacks of skorch. Those of scikit-learn go to `set_callbacks`.
    net_params : dict, default=None
        Further parameters of the skorch net, such as `{"optimizer": torch.optim.SGD, "criterion": torch.nn.HuberLoss,
        "gradient_clip": None}`.

    Attributes
    ----------
    net_ : WindowNet
        The trained skorch net.
    history_ : dict of str to list of float
        The loss of every epoch: "epoch", "train_loss" and, with `early_stopping`, "valid_loss".
    n_iter_ : int
        Epochs trained in all.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where `X` was a 2-D DataFrame.

    See Also
    --------
    SlidingWindower : Makes the windows.

    References
    ----------
    S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9(8), 1997,
    https://doi.org/10.1162/neco.1997.9.8.1735. I. Sutskever, O. Vinyals and Q. V. Le, "Sequence to sequence learning
    with neural networks", 2014, https://arxiv.org/abs/1409.3215.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from skts import HistoryPrepender, LSTMRegressor, SlidingWindower
    >>> from skts.datasets import make_panel
    >>> X, y = make_panel(n_series=2, n_rows=240, random_state=0)
    >>> is_new = X.index.get_level_values("time") >= "2024-01-10"
    >>> pipe = make_pipeline(
    ...     HistoryPrepender(24),
    ...     SlidingWindower(24, horizon=6, known=["wind"]),
    ...     LSTMRegressor(hidden_size=8, max_epochs=2, random_state=0),
    ... )
    >>> y_pred = pipe.fit(X[~is_new], y[~is_new]).predict(X[is_new])
    >>> len(y_pred) == is_new.sum()
    np.True_
    """

    _parameter_constraints: dict[str, list] = {
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "num_layers": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        **BaseNetRegressor._parameter_constraints,
    }

    def __init__(
        self,
        hidden_size: int = 64,
        *,
        num_layers: int = 1,
        dropout: float = 0.0,
        max_epochs: int = 20,
        lr: float = 3e-3,
        batch_size: int = 64,
        weight_decay: float = 0.0,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        warm_start: bool = False,
        normalize_y: bool = True,
        quantiles: Sequence[float] | None = None,
        random_state: int | RandomState | None = None,
        device: Literal["auto", "cpu", "cuda"] | str = "auto",
        verbose: int = 0,
        callbacks: list | None = None,
        net_params: dict[str, Any] | None = None,
    ):
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.dropout = dropout
        self.max_epochs = max_epochs
        self.lr = lr
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.normalize_y = normalize_y
        self.quantiles = quantiles
        self.random_state = random_state
        self.device = device
        self.verbose = verbose
        self.callbacks = callbacks
        self.net_params = net_params

    def _module(self, n_features: int, n_known: int, n_targets: int, horizon: int) -> tuple[type, dict[str, Any]]:
        return EncoderDecoder, {
            "n_features": n_features,
            "n_known": n_known,
            "n_targets": n_targets,
            "horizon": horizon,
            "hidden_size": self.hidden_size,
            "num_layers": self.num_layers,
            "dropout": self.dropout,
        }
