"""What all network regressors share: data in, a skorch net trained, forecasts out."""

from abc import ABCMeta, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted
from skorch.callbacks import EarlyStopping

from skts._compat import Interval, StrOptions, fit_context
from skts.nn import InstanceNorm, PinballLoss
from skts.regressors._answers import shape_answers, warn_missing_history
from skts.regressors._inputs import Inputs, read_inputs
from skts.regressors._latest import split_windows
from skts.regressors._members import fit_members, make_member
from skts.regressors._own_past import find_own_past
from skts.regressors._quantiles import interpolate_levels, trained_levels
from skts.regressors._reading import Reading
from skts.regressors._score_mixin import ScoreMixin
from skts.regressors._settled import batch_options, settle_batch_size
from skts.regressors._sizes import Sizes
from skts.regressors._targets import Targets, read_targets
from skts.training import (
    EpochListener,
    WindowDataset,
    WindowNet,
    check_precision,
    mention_allocator,
    resolve_device,
    seeded,
)
from skts.windows import Windows

_MAX_SEED = np.iinfo(np.int32).max
_MAY_CHANGE = ("lr", "lr_schedule", "batch_size", "precision", "verbose")  # between two fits of one net


@dataclass(kw_only=True, eq=False, repr=False)
class BaseNetRegressor(CallbackSupportMixin, ScoreMixin, BaseEstimator, metaclass=ABCMeta):
    """A regressor around a skorch net. A subclass supplies its network and the parameters of it.

    A dataclass, so that the parameters which all share are written once: each subclass adds its own, and gets an
    `__init__` with the names of all.
    """

    max_epochs: int = 20
    lr: float = 3e-3
    lr_schedule: Literal["constant", "cosine", "one_cycle"] = "constant"
    batch_size: int | Literal["auto"] = 64
    batches: Literal["mixed", "by_series"] = "mixed"
    subsample: float = 1.0
    weight_decay: float = 0.0
    early_stopping: bool = False
    validation_fraction: float = 0.1
    n_iter_no_change: int = 5
    warm_start: bool = False
    normalize_y: bool = True
    quantiles: Sequence[float] | None = None
    n_members: int = 1
    bootstrap_rows: int | None = None
    n_jobs: int | None = None
    random_state: int | RandomState | None = None
    device: Literal["auto", "cpu", "cuda"] | str = "auto"
    precision: Literal["float32", "bf16"] = "float32"
    verbose: int = 0
    callbacks: list | None = None
    net_params: dict[str, Any] | None = None

    _parameter_constraints: ClassVar[dict[str, list]] = {
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "lr_schedule": [StrOptions({"constant", "cosine", "one_cycle"})],
        "batch_size": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "batches": [StrOptions({"mixed", "by_series"})],
        "subsample": [Interval(Real, 0, 1, closed="right")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "warm_start": ["boolean"],
        "normalize_y": ["boolean"],
        "quantiles": ["array-like", None],
        "n_members": [Interval(Integral, 1, None, closed="left")],
        "bootstrap_rows": [Interval(Integral, 1, None, closed="left"), None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "device": [str],
        "precision": [StrOptions({"float32", "bf16"})],
        "verbose": ["verbose"],
        "callbacks": [list, None],
        "net_params": [dict, None],
    }

    __metadata_request__predict = {"quantiles": True, "members": True}

    @abstractmethod
    def _module(self, sizes: Sizes) -> tuple[type, dict[str, Any]]:
        """Give the class of the network and its arguments."""

    def _reading(self, inputs: Inputs) -> Reading:
        """Say what the network reads of its windows."""
        return Reading()

    def _is_stateful(self) -> bool:
        """Tell whether forecasts go on from the state of the one before, in one pass over each series."""
        return False

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Train the network.

        Parameters
        ----------
        X : Windows, or array-like of shape (n_windows, window, n_features) or (n_windows, n_features)
            A 2-D array is taken as windows of one row. NaN is filled with the last value seen in the window, else 0.
        y : array-like of shape (n_rows,) or (n_rows, n_targets)
            Beside :class:`~skts.Windows`: one value for every row of the table that entered the windower; the targets
            are cut out here. Beside an array: (n_windows,), (n_windows, n_targets) or
            (n_windows, horizon, n_targets). NaN is missing and teaches nothing.
        sample_weight : array-like of shape (n_rows,), default=None
            As long as `y`.

        Returns
        -------
        self : object

        Raises
        ------
        NonFiniteLossError
            The loss became NaN or infinite.
        """
        return self._fit_all(
            X, y, sample_weight, go_on=self.warm_start and self.__sklearn_is_fitted__(), epochs=self.max_epochs
        )

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Train for one more epoch on the given windows.

        Parameters
        ----------
        X : Windows, or array-like of shape (n_windows, window, n_features) or (n_windows, n_features)
        y : array-like of shape (n_rows,) or (n_rows, n_targets)
            As in `fit`. Standardised with the mean and deviation of the first call.
        sample_weight : array-like of shape (n_rows,), default=None

        Returns
        -------
        self : object
        """
        return self._fit_all(X, y, sample_weight, go_on=self.__sklearn_is_fitted__(), epochs=1)

    def predict(
        self, X: Any, quantiles: Iterable[float] | None = None, *, members: bool = False
    ) -> NDArray[np.float64]:
        """Forecast.

        Parameters
        ----------
        X : Windows, or array-like of shape (n_windows, window, n_features) or (n_windows, n_features)
        quantiles : iterable of float, default=None
            Levels to answer, interpolated between those that were trained; the median alone by default. Only for a
            regressor with `quantiles`. A pipeline passes them on: `pipe.predict(X, quantiles=[0.1, 0.9])`.
        members : bool, default=False
            Whether to answer what each member of the ensemble forecasts, instead of their mean.

        Returns
        -------
        y_pred : ndarray of float64
            For forecasting windows: (n_rows,) or (n_rows, n_targets), one per row that is no history, in the order
            of the table. For training windows: (n_windows, horizon) or (n_windows, horizon, n_targets). For arrays:
            as `y` was. With `quantiles` given, one more dimension at the end, (n_rows, n_quantiles), and with `members`
            yet another, (n_rows, n_members).

        Warns
        -----
        MissingHistoryWarning
            Some forecasts rest on blank or missing inputs that were filled.
        """
        check_is_fitted(self)
        inputs = read_inputs(self, X, reset=False)
        if inputs.windows is not None:
            warn_missing_history(inputs.windows, ", filled with the last value seen in the window or 0")
        if quantiles is not None and self.quantiles is None:
            name = type(self).__name__
            raise ValueError(f"{name}.predict(quantiles=...): fit with {name}(quantiles=(0.1, 0.5, 0.9)) first.")
        levels = None if quantiles is None else list(quantiles)
        stateful = self._is_stateful()
        answers = [member._answer(inputs, levels, stateful) for member in getattr(self, "members_", [self])]
        if members:
            return np.stack(answers, axis=-1)
        return answers[0] if len(answers) == 1 else np.mean(answers, axis=0)

    def _answer(self, inputs: Inputs, quantiles: list[float] | None, stateful: bool) -> NDArray[np.float64]:
        """Forecast with one network."""
        self._sizes.check(self, inputs)
        return shape_answers(self._forecast(inputs, quantiles, stateful), inputs, self._y_shape)

    def _forecast(self, inputs: Inputs, quantiles: list[float] | None, stateful: bool) -> NDArray[np.float64]:
        if stateful:
            inputs = inputs.whole_series()
        dataset = inputs.passes(inputs.dataset(self._reading(inputs), self._series), n_origins=1)
        raw = self.net_.forecast(dataset).astype(np.float64)
        if self._levels is None:
            return raw * self._y_scale + self._y_mean
        raw = raw * self._y_scale[:, None] + self._y_mean[:, None]
        if quantiles is None:
            return interpolate_levels(raw, self._levels, [0.5])[..., 0]
        return interpolate_levels(raw, self._levels, quantiles)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "net_") or hasattr(self, "members_")

    def _fit_all(self, X: Any, y: Any, sample_weight: ArrayLike | None, *, go_on: bool, epochs: int) -> Self:
        """Train the network, or every member of the ensemble."""
        if not go_on:
            for learned in ("net_", "members_", "batch_size_", "lr_"):
                self.__dict__.pop(learned, None)
        elif (n_fitted := len(getattr(self, "members_", [self]))) != self.n_members:
            raise ValueError(
                f"{type(self).__name__}(n_members={self.n_members}) cannot go on from {n_fitted}: set n_members "
                "back, or fit a fresh one (warm_start=False)."
            )
        if self.n_members == 1:
            return self._fit(X, y, sample_weight, go_on=go_on, epochs=epochs)
        seeds = None if go_on else check_random_state(self.random_state).randint(_MAX_SEED, size=self.n_members)
        if self.batch_size == "auto" and seeds is not None:  # once for all, since times differ
            scout = make_member(self, int(seeds[0]))._fit(X, y, sample_weight, go_on=False, epochs=0)
            self.batch_size_, self.lr_ = scout.batch_size_, scout.lr_
        self.members_: list[Self] = fit_members(self, seeds, X, y, sample_weight, epochs)
        for learned in ("n_features_in_", "feature_names_in_", "batch_size_", "lr_"):
            self.__dict__.pop(learned, None)
            if hasattr(self.members_[0], learned):
                setattr(self, learned, getattr(self.members_[0], learned))
        self.n_iter_: int = max(member.n_iter_ for member in self.members_)
        return self

    def _fit(self, X: Any, y: Any, sample_weight: ArrayLike | None, *, go_on: bool, epochs: int) -> Self:
        device = resolve_device(self.device)
        check_precision(self.precision, device)
        if self.verbose:
            mention_allocator(device)
        inputs = read_inputs(self, X, reset=not go_on)
        targets = read_targets(self, inputs, y, sample_weight)
        train, valid = split_windows(self, inputs, targets)
        if not go_on:
            self._random_state = check_random_state(self.random_state)
            self._bootstrap_seed = int(self._random_state.randint(_MAX_SEED))
        with seeded(int(self._random_state.randint(_MAX_SEED)), device):
            if go_on:
                self._go_on(inputs, targets, device)
            else:
                self._start(inputs, targets, train, device)
            try:
                training, validating = self._datasets(inputs, targets, train, valid)
                self.batch_size_, self.lr_ = settle_batch_size(self, training, search=not go_on)
                if epochs:
                    self._train(X, y, sample_weight, training, validating, epochs)
            except BaseException:
                if not go_on:
                    del self.net_
                raise
        self.n_iter_ = len(self.net_.history)
        return self

    def _start(self, inputs: Inputs, targets: Targets, train: NDArray[np.int64], device: torch.device) -> None:
        """Learn the scale of the targets and build a fresh net."""
        n_targets = targets.values.shape[1]
        self._y_mean, self._y_scale = (
            targets.moments(train) if self.normalize_y else (np.zeros(n_targets), np.ones(n_targets))
        )
        self._y_shape = targets.shape
        self._series = None if inputs.windows is None else inputs.windows.series_names
        self._sizes = Sizes.read(inputs, targets)
        self._levels = None if self.quantiles is None else trained_levels(self.quantiles)
        module, arguments = self._module(self._sizes)
        if self._levels is not None:
            arguments["levels"] = self._levels
        kind = self._reading(inputs).instance_norm
        if kind is not None:
            own = find_own_past(self, inputs, targets, self._y_mean, self._y_scale)
            module, arguments = InstanceNorm, {"make_network": partial(module, **arguments), "kind": kind, **own}
        options = {f"module__{key}": value for key, value in arguments.items()}
        self.net_ = WindowNet(module, **options, **self._net_options(device)).initialize()

    def _datasets(
        self, inputs: Inputs, targets: Targets, train: NDArray[np.int64], valid: NDArray[np.int64]
    ) -> tuple[WindowDataset, WindowDataset | None]:
        """Put what trains and what validates on the device."""
        reading = self._reading(inputs)
        dataset = inputs.dataset(reading, self._series, **targets.tensors(self._y_mean, self._y_scale))
        dataset.to(torch.device(self.net_.device))
        if self.subsample < 1:
            self._sizes.refuse_whole_series(f"{type(self).__name__}(subsample={self.subsample})")
        if self.batches == "by_series":
            self._sizes.refuse_whole_series(f"{type(self).__name__}(batches={self.batches!r})")
        dataset.subsample = self.subsample
        dataset.by_series = self.batches == "by_series"
        training = dataset.subset(train)
        if self.bootstrap_rows is not None:
            drawn = targets.resampled(inputs.times(), self.bootstrap_rows, train, self._bootstrap_seed)
            training = dataset.subset(train[drawn.teaching()[train]])
            training.weights = torch.from_numpy(drawn.weights.astype(np.float32)).to(dataset.panel.device)
        dataset.by_series = False  # batches of any kind validate alike
        validating = inputs.passes(dataset.subset(valid), reading.n_origins) if len(valid) else None
        return inputs.passes(training, reading.n_origins), validating

    def _net_options(self, device: torch.device) -> dict[str, Any]:
        """Translate the parameters into those of skorch."""
        stopping = [("early_stopping", EarlyStopping(patience=self.n_iter_no_change, load_best=True))]
        given = self.net_params or {}
        optimizer = {
            "optimizer": torch.optim.AdamW,
            "optimizer__weight_decay": self.weight_decay,
            "optimizer__fused": device.type in ("cpu", "cuda"),
        }
        criterion = {"criterion": PinballLoss, "criterion__levels": self._levels} if self._levels else {}
        return {
            **({} if "optimizer" in given else optimizer),
            **criterion,
            "max_epochs": self.max_epochs,
            "lr_schedule": self.lr_schedule,
            **batch_options(self),
            "callbacks": [*(stopping if self.early_stopping else []), *(self.callbacks or [])],
            "device": str(device),
            "precision": self.precision,
            "verbose": self.verbose,
            **given,
        }

    def _go_on(self, inputs: Inputs, targets: Targets, device: torch.device) -> None:
        """Keep the net, and take over what may change between two fits."""
        self._sizes.check(self, inputs, targets)
        options = self._net_options(device)
        changed = {key: options[key] for key in _MAY_CHANGE if options[key] != getattr(self.net_, key)}
        stops_early = any(isinstance(callback, EarlyStopping) for _, callback in self.net_.callbacks_)
        if changed:
            self.net_.set_params(**changed)
        if self.early_stopping and not stops_early:
            self.net_.set_params(callbacks=options["callbacks"]).initialize_callbacks()

    def _train(
        self, X: Any, y: Any, sample_weight: Any, train: WindowDataset, valid: WindowDataset | None, epochs: int
    ) -> None:
        """Run the epochs, each a task of scikit-learn's callbacks."""
        context = self._init_callback_context(max_subtasks=epochs)
        told = {"estimator": self, "X": X, "y": y}
        if sample_weight is not None:
            told["metadata"] = {"sample_weight": sample_weight}
        if isinstance(X, Windows):  # answered by window, so told by window; made only for a callback that asks
            told["y"] = lambda: X.targets(y)
            if sample_weight is not None:
                told["metadata"] = lambda: {"sample_weight": np.nanmean(X.targets(sample_weight), axis=1)}
        context.call_on_fit_task_begin(**told)
        tasks = []

        def begin() -> None:
            tasks.append(context.subcontext(task_name="epoch").call_on_fit_task_begin(**told))

        def end() -> bool:
            return tasks[-1].call_on_fit_task_end(**told, reconstruction_attributes={})

        with EpochListener(begin, end).listening_to(self.net_):
            self.net_.partial_fit((train, valid), epochs=epochs)
        context.call_on_fit_task_end(**told, reconstruction_attributes={})

    @property
    def history_(self) -> dict[str, list[float]]:
        """The loss of every epoch so far, in squared units of the standardised target.

        Keys are "epoch", "train_loss" and, with `early_stopping`, "valid_loss"; NaN in epochs without validation. Of an
        ensemble, each of `members_` has its own.
        """
        check_is_fitted(self, "net_")
        whole = [epoch for epoch in self.net_.history if "train_loss" in epoch]  # an interrupted one has none
        losses = ["train_loss", "valid_loss"] if any("valid_loss" in epoch for epoch in whole) else ["train_loss"]
        return {key: [epoch.get(key, np.nan) for epoch in whole] for key in ["epoch", *losses]}

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        tags.target_tags.multi_output = True
        return tags
