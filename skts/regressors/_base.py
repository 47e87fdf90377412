"""What all network regressors share: data in, a skorch net trained, forecasts out."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
import torch
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted

from skts._compat import Interval, StrOptions, fit_context, fit_task
from skts.nn import DistributionHead, Head, InstanceNorm, PointHead
from skts.panel import Levels, series_keys
from skts.regressors._net_options import (
    DISTRIBUTIONS,
    check_bounds,
    choose_head,
    go_as_before,
    go_slowly,
    net_options,
    settle_batch_size,
    take_over,
)
from skts.supervised import (
    Inputs,
    Limits,
    ScoreMixin,
    SummaryMixin,
    Targets,
    TrainedOn,
    check_sizes,
    find_target_columns,
    read_inputs,
    read_sizes,
    read_targets,
    split_holdout,
    to_output,
    warn_missing_history,
    warn_unscaled,
)
from skts.training import (
    AddressTable,
    WindowNet,
    check_precision,
    draws_in_training,
    make_table,
    mention_allocator,
    resolve_device,
    seeded,
)
from skts.windows import Windows

Norm = Literal["last", "mean", "median", "series"]
Rolling = Literal["windows", "stateful"]
_MAX_SEED = np.iinfo(np.int32).max
_USUAL_ORIGINS = 4  # the most that taught as well as windows apart, at equal numbers: benchmarks/speed/forking.py
_LEARNED = ("net_", "_learned", "_trained_on", "n_iter_", "batch_size_", "lr_")


@dataclass(frozen=True)
class Learned:
    """What forecasting needs beside the net, as it was in `fit`: parameters that change afterwards change nothing.

    Parameters
    ----------
    head : Head
    sizes : dict
        As `read_sizes` gives them.
    series_names : Index or None
    series_keys : Index or None
        The names by `embedding_by`, each once, in the order of the numbers that the network knows them by.
    y_mean, y_scale : ndarray of shape (n_targets,)
    y_shape : tuple of int
        The shape of what one window (of an array) or one row (beside Windows) forecasts, as `y` had it.
    params : dict
        All parameters of the estimator.
    limits : Limits or None
        The bounds of the target, and where it is known to be zero; None without either.
    """

    head: Head
    sizes: dict[str, Any]
    series_names: pd.Index | None
    series_keys: pd.Index | None
    y_mean: NDArray[np.float64]
    y_scale: NDArray[np.float64]
    y_shape: tuple[int, ...]
    params: dict[str, Any]
    limits: Limits | None

    @property
    def by(self) -> Levels | None:
        """The index levels that `series_keys` are names by; None is all."""
        return self.params.get("embedding_by")


@dataclass(kw_only=True, eq=False, repr=False)
class BaseNetRegressor(SummaryMixin, CallbackSupportMixin, ScoreMixin, BaseEstimator):
    """A regressor around a skorch net. A subclass supplies its network and the parameters of it.

    A dataclass, so that the parameters which all share are written once: each subclass adds its own, and gets an
    `__init__` with the names of all.
    """

    max_epochs: int = 20
    lr: float = 3e-3
    lr_schedule: Literal["constant", "cosine", "one_cycle"] = "constant"
    batch_size: int | Literal["auto"] = 64
    subsample: float = 1.0
    weight_decay: float = 0.0
    early_stopping: bool = False
    validation_fraction: float = 0.1
    n_iter_no_change: int = 5
    warm_start: bool = False
    quantiles: Sequence[float] | None = None
    distribution: Literal["normal", "student_t", "censored_normal", "inflated_beta"] | DistributionHead | None = None
    bounds: tuple[float | str | None, float | str | None] | None = None
    active: str | int | None = None
    random_state: int | RandomState | None = None
    device: Literal["auto", "cpu", "cuda"] | str = "auto"
    precision: Literal["float32", "bf16"] = "float32"
    verbose: int = 0
    net_params: dict[str, Any] | None = None

    __metadata_request__predict: ClassVar[dict[str, bool]] = {"quantiles": True, "rolling": True}
    _parameter_constraints: ClassVar[dict[str, list]] = {
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "lr_schedule": [StrOptions({"constant", "cosine", "one_cycle"})],
        "batch_size": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "subsample": [Interval(Real, 0, 1, closed="right")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "warm_start": ["boolean"],
        "quantiles": ["array-like", None],
        "distribution": [StrOptions(set(DISTRIBUTIONS)), DistributionHead, None],
        "bounds": ["array-like", None],
        "active": [str, Integral, None],
        "random_state": ["random_state"],
        "device": [str],
        "precision": [StrOptions({"float32", "bf16"})],
        "verbose": ["verbose"],
        "net_params": [dict, None],
    }

    _network_class: ClassVar[Callable[..., torch.nn.Module]]
    _network_params: ClassVar[dict[str, Any]] = {}  # that are fixed
    _network_names: ClassVar[tuple[str, ...]] = ()  # of the parameters that go to the network

    def _network(self) -> tuple[Callable[..., torch.nn.Module], dict[str, Any]]:
        """Give the class of the network, a :class:`~skts.nn.Forecaster`, and its parameters."""
        own = {name: getattr(self, name) for name in self._network_names}
        return type(self)._network_class, self._network_params | own

    def _head(self) -> Head:
        """Give the head of the network."""
        return choose_head(type(self).__name__, self.quantiles, self.distribution)

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
        ValueError
            With `warm_start`, a parameter changed that the net of the last fit cannot take over.
        """
        return self._fit(
            X, y, sample_weight, goes_on=self.warm_start and self.__sklearn_is_fitted__(), n_epochs=self.max_epochs
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
        return self._fit(X, y, sample_weight, goes_on=self.__sklearn_is_fitted__(), n_epochs=1)

    def predict(
        self, X: Any, quantiles: Iterable[float] | None = None, *, rolling: Rolling | None = None
    ) -> NDArray[np.float64]:
        """Forecast. Changes nothing of the estimator, so that many threads may forecast at once.

        Parameters
        ----------
        X : Windows, or array-like of shape (n_windows, window, n_features) or (n_windows, n_features)
        quantiles : iterable of float, default=None
            Levels to forecast: of a `distribution` any, exactly; with `quantiles` interpolated between those that were
            trained. By default one value, the mean of the distribution or the median of the quantiles. Only for a
            regressor that was fitted with one of the two. A pipeline passes them on:
            `pipe.predict(X, quantiles=[0.1, 0.9])`.
        rolling : {"windows", "stateful"}, default=None
            How the past is read: "windows" reads the `window` rows before each origin alone, "stateful" reads each
            series once and forecasts at each origin from all it has read. None takes what `rolling` was in `fit`,
            "windows" where the regressor has no such parameter.

        Returns
        -------
        y_pred : ndarray of float64
            For forecasting windows: (n_rows,) or (n_rows, n_targets), one per row that is no history, in the order
            of the table. For training windows: (n_windows, horizon) or (n_windows, horizon, n_targets). For arrays:
            as `y` was. With `quantiles` given, one more dimension at the end, (n_rows, n_quantiles).

        Warns
        -----
        MissingHistoryWarning
            Some forecasts rest on blank or missing inputs that were filled.
        """
        check_is_fitted(self)
        learned, name = self._learned, type(self).__name__
        inputs = read_inputs(self, X, reset=False)
        if quantiles is not None and not learned.head.gives_quantiles:
            raise ValueError(
                f"{name}.predict(quantiles=...): fit with {name}(quantiles=(0.1, 0.5, 0.9)) first, or with a "
                "distribution."
            )
        rolling = learned.params.get("rolling", "windows") if rolling is None else rolling
        if rolling not in ("windows", "stateful"):
            raise ValueError(f"{name}.predict(rolling={rolling!r}): 'windows' or 'stateful' is expected.")
        if rolling == "stateful":
            self._refuse_whole_window(self.net_.module_, f"rolling={rolling!r}")
        if inputs.windows is not None:
            warn_missing_history(inputs.windows, ", filled with the last value seen in the window or 0")
        check_sizes(name, learned.sizes, inputs)
        forecast = self._forecast(inputs.whole_series() if rolling == "stateful" else inputs)
        levels = None if quantiles is None else list(quantiles)
        if learned.limits is not None:
            answer = learned.limits.answer(learned.head, forecast, levels, inputs)
        else:
            answer = learned.head.point(forecast) if levels is None else learned.head.quantiles(forecast, levels)
        return to_output(answer, inputs, learned.y_shape)

    def input_gradient(self, X: Any) -> NDArray[np.float32]:
        """Differentiate every forecast by the rows of its window. Changes nothing of the estimator, as `predict`.

        Parameters
        ----------
        X : Windows, or array-like of shape (n_windows, window, n_features) or (n_windows, n_features)

        Returns
        -------
        gradient : ndarray of float32 of shape (n_windows, horizon, n_targets, window, n_features)
            Of what `predict` answers where it is given neither quantiles nor `rolling`, in the target's unit per unit
            of the column as the regressor is given it. A missing value has none: it is that of the row that fills it.

        See Also
        --------
        skts.inspection.memory_profile : Sums it up by lag.
        """
        inputs, learned = self._read_windows(X, "input_gradient"), self._learned
        scale, level = (torch.from_numpy(part.astype(np.float32)) for part in (learned.y_scale, learned.y_mean))
        bounds = None if learned.limits is None else learned.limits.of_windows(inputs)
        at_zero = None if learned.limits is None else learned.limits.at_zero(inputs)
        limits = [np.broadcast_to(bound, (len(inputs), 1, 1)).astype(np.float32) for bound in bounds or ()]

        def answer(forecast: torch.Tensor, items: slice) -> torch.Tensor:
            rescaled = learned.head.rescale(forecast, scale.to(forecast.device), level.to(forecast.device))
            if bounds is None:
                return learned.head.point(rescaled)
            own = [torch.from_numpy(bound[items]).to(forecast.device) for bound in limits]
            return learned.head.point_within(rescaled, *own)

        gradient = self.net_.differentiate(self._table(inputs), answer)
        if at_zero is not None:
            gradient[at_zero] = 0.0
        return gradient

    def input_batches(self, X: Any) -> Iterator[dict[str, torch.Tensor]]:
        """Give what the network reads of each window, batch by batch. Changes nothing of the estimator, as `predict`.

        Parameters
        ----------
        X : Windows, or array-like of shape (n_windows, window, n_features) or (n_windows, n_features)

        Returns
        -------
        batches : iterator of dict of str to Tensor
            What `predict` gives the `forward` of ``net_.module_``, holes filled and on its device: `past`, and where
            there are such `known`, `series` and `static`, as :class:`~skts.nn.Forecaster` has them. Window after window
            of `X`.

        See Also
        --------
        skts.inspection.attention_map : Looks into a network with them.
        """
        return self.net_.read(self._table(self._read_windows(X, "input_batches")))

    def _read_windows(self, X: Any, caller: str) -> Inputs:
        """Read the windows that a method reads without forecasting; whole series are refused."""
        check_is_fitted(self)
        learned, name = self._learned, type(self).__name__
        inputs = read_inputs(self, X, reset=False)
        check_sizes(name, learned.sizes, inputs)
        if learned.sizes["window"] is None:
            raise ValueError(
                f"{name}.{caller} needs windows, and was given whole series: give SlidingWindower(window=...) a number "
                "of rows."
            )
        return inputs

    def _table(self, inputs: Inputs) -> AddressTable:
        """Lay out windows that no target belongs to."""
        learned = self._learned
        read = inputs if learned.limits is None else learned.limits.scaled(inputs)
        return make_table(read, self.net_.module_, learned.series_keys, by=learned.by)

    def _forecast(self, inputs: Inputs) -> NDArray[np.float64]:
        """Forecast in the units of the target: (n_windows, horizon, n_targets, ...)."""
        learned = self._learned
        raw = self.net_.forecast(self._table(inputs)).astype(np.float64)
        return learned.head.rescale(raw, learned.y_scale, learned.y_mean)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "net_")

    @property
    def lookahead_(self) -> int:
        """Rows after the horizon whose known columns the network reads."""
        check_is_fitted(self)
        return int(getattr(self.net_.module_, "lookahead", 0))

    def _fit(self, X: Any, y: Any, sample_weight: ArrayLike | None, *, goes_on: bool, n_epochs: int) -> Self:
        device, name = resolve_device(self.device), type(self).__name__
        if self.verbose:
            mention_allocator(device)
        if not goes_on:
            self._forget()
        inputs = read_inputs(self, X, reset=not goes_on)
        targets = read_targets(name, inputs, y, sample_weight)
        limits = self._learned.limits if goes_on else self._learn_limits(inputs)
        if limits is not None:
            targets, inputs = limits.put_on(targets, inputs), limits.scaled(inputs)
        train, valid = self._split(inputs, targets)
        order = torch.Generator()
        try:
            if goes_on:
                seed = self._take_over(inputs, targets)
                order.manual_seed(seed)
            else:
                self._random_state = check_random_state(self.random_state)
                seed, first_seed = (int(self._random_state.randint(_MAX_SEED)) for _ in range(2))
                with seeded(first_seed, device):
                    self._start(inputs, targets, train, limits, device)
                    order.set_state(torch.get_rng_state())
            trained_on = TrainedOn.read(inputs, y, len(train), len(valid))
            tables = self._make_tables(inputs, targets, train, valid)
            del inputs, targets, train, valid  # the tables are all that training needs
            self.batch_size_, self.lr_ = settle_batch_size(self, tables[0], search=not goes_on)
            with seeded(seed, device) if draws_in_training(self.net_.module_) else nullcontext():
                self._train(X, y, sample_weight, *tables, n_epochs, order)
        except BaseException:
            if not goes_on:
                self._forget()
            raise
        self.n_iter_ = len(self.net_.history)
        self._trained_on = trained_on.until_now()
        return self

    def _learn_limits(self, inputs: Inputs) -> Limits | None:
        """Read where the target can lie; None where it can lie anywhere."""
        if self.bounds is None and self.active is None:
            return None
        return Limits.learn(type(self).__name__, inputs, self.bounds, self.active)

    def _forget(self) -> None:
        """Be as never fitted."""
        for learned in _LEARNED:
            self.__dict__.pop(learned, None)

    def _split(self, inputs: Inputs, targets: Targets) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Choose the windows that teach, and those that validate."""
        teaching, name = targets.teaching(), type(self).__name__
        if not len(teaching):
            raise ValueError(
                f"{name}: y is missing (NaN) over the horizon of every window: there is nothing to learn from."
            )
        if self.early_stopping:
            return split_holdout(name, self.validation_fraction, inputs, teaching)
        return teaching, np.empty(0, dtype=np.int64)

    def _start(
        self, inputs: Inputs, targets: Targets, train: NDArray[np.int64], limits: Limits | None, device: torch.device
    ) -> None:
        """Learn the scale of the targets and build a fresh net."""
        head, name, sizes = self._head(), type(self).__name__, read_sizes(inputs, targets.n_targets, targets.horizon)
        check_bounds(name, head, self.bounds)
        y_mean, y_scale = targets.moments(train)
        params = self.get_params(deep=False)
        keys = self._series_keys(inputs)
        sizes["n_series"] = 1 if keys is None else len(keys)
        self._learned = Learned(head, sizes, inputs.series_names, keys, y_mean, y_scale, targets.shape, params, limits)
        make_network: Callable[[], torch.nn.Module] = partial(self._network()[0], **self._arguments(sizes, head))
        kind = self._norm(inputs)
        if kind is not None:
            own = find_target_columns(name, inputs, targets, y_mean, y_scale)
            by_series = self._scales_by_series(inputs, targets, train) if kind == "series" else None
            norm: dict[str, Any] = {**own, "by_series": by_series, "head": head, "kind": kind}
            make_network = partial(InstanceNorm, make_network, **norm)
        try:
            self.net_ = WindowNet(make_network, **net_options(self, head, device)).initialize()
        except (TypeError, ValueError) as error:
            error.add_note(f"Raised in making the network of {type(self).__name__}.")
            raise
        self._check_reads(self.net_.module_, sizes)
        check_precision(self.precision, self.net_.module_, device)
        warn_unscaled(name, inputs, [] if kind is None else own["columns"])

    def _scales_by_series(
        self, inputs: Inputs, targets: Targets, train: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give mean and deviation of the standardised target in each series; 0 and 1 where one has no target."""
        learned = self._learned
        numbers = inputs.series_numbers(learned.series_keys, learned.by)[train]
        mean, scale = targets.moments_by(train, numbers, learned.sizes["n_series"])
        mean, scale = (mean - learned.y_mean) / learned.y_scale, scale / learned.y_scale
        return np.nan_to_num(mean), np.where(np.isnan(scale), 1.0, scale)

    def _series_keys(self, inputs: Inputs) -> pd.Index | None:
        """List what the network has a number for each of: the series, or what `embedding_by` puts together."""
        by = getattr(self, "embedding_by", None)
        if by is None:
            return inputs.series_names
        keys = series_keys(inputs.series_names, by, f"{type(self).__name__}(embedding_by={by!r})")
        return None if keys is None else keys.unique()

    def _arguments(self, sizes: dict[str, Any], head: Head) -> dict[str, Any]:
        """Choose, of what there is to know, the arguments that the network takes, beside its own parameters."""
        network, params = self._network()
        known = sizes | {"head": head}
        taken = inspect.signature(network).parameters
        if not any(parameter.kind == parameter.VAR_KEYWORD for parameter in taken.values()):
            known = {name: value for name, value in known.items() if name in taken}
        if "head" not in known and not isinstance(head, PointHead):
            raise ValueError(
                f"{type(self).__name__}: {network.__name__} takes no `head` and forecasts points alone. Let its "
                "__init__ take `head`, and make its last layer by head.make_layer(n_inputs, n_outputs)."
            )
        return known | params

    def _norm(self, inputs: Inputs) -> Norm | None:
        """Say what is taken off the past of the target in each window."""
        return getattr(self, "instance_norm", None)

    def _check_reads(self, network: torch.nn.Module, sizes: dict[str, Any]) -> None:
        """Refuse what the network, or whole series, cannot serve."""
        if sizes["n_static"] and not getattr(network, "reads_static", False):
            raise ValueError(
                f"{type(self).__name__}: {type(network).__name__} reads no static columns, and the windows have "
                f"{sizes['n_static']}: leave SlidingWindower(static=...) away, or let the network declare "
                "reads_static = True and take `static` in its forward."
            )
        params = self.get_params(deep=False)
        usual: dict[str, tuple] = {"rolling": ("windows",), "origins_per_pass": ("auto", 1), "subsample": (1.0,)}
        unusual = [name for name, values in usual.items() if params.get(name, values[0]) not in values]
        for parameter in unusual:
            if parameter != "subsample":
                self._refuse_whole_window(network, f"{parameter}={params[parameter]!r}")
        if sizes["window"] is not None:
            return
        for parameter in unusual:
            if parameter != "rolling":
                raise ValueError(
                    f"{type(self).__name__}({parameter}={params[parameter]!r}) needs windows, and was given whole "
                    "series: give SlidingWindower(window=...) a number of rows."
                )
        self._refuse_whole_window(network, None)

    def _refuse_whole_window(self, network: torch.nn.Module, asked: str | None) -> None:
        """Refuse, where the network reads a window as a whole, what takes one that reads row by row."""
        if getattr(network, "causal", False):
            return
        culprit, name = getattr(network, "whole_window", ""), type(self).__name__
        if asked is None:
            owner = f"{name}({culprit})" if culprit else name
            raise ValueError(
                f"{owner} needs windows, and was given whole series: give SlidingWindower(window=...) a number of rows."
            )
        raise ValueError(
            f"{name}({', '.join(filter(None, [culprit, asked]))}): what reads a window as a whole serves one origin "
            "alone, and cannot go on from the state of the one before. Leave one of the two out."
        )

    def _make_tables(
        self, inputs: Inputs, targets: Targets, train: NDArray[np.int64], valid: NDArray[np.int64]
    ) -> tuple[AddressTable, AddressTable | None]:
        """Put what trains and what validates on the device."""
        network, n_origins = self.net_.module_, 1
        if getattr(network, "causal", False):
            n_origins = getattr(self, "origins_per_pass", 1)
            if n_origins == "auto":
                n_origins = _USUAL_ORIGINS if inputs.are_consecutive() else 1
        values = targets.standardised(self._learned.y_mean, self._learned.y_scale)
        make = partial(
            make_table,
            inputs,
            network,
            self._learned.series_keys,
            by=self._learned.by,
            targets=(*values, targets.starts, targets.horizon),
            n_origins=n_origins,
            device=torch.device(self.net_.device),
            by_series=self.subsample < 1 or bool((self.net_params or {}).get("iterator_train__by_series")),
        )
        return make(items=train), make(items=valid) if len(valid) else None

    def _take_over(self, inputs: Inputs, targets: Targets) -> int:
        """Keep the net, and take over what may change between two fits; give a seed for this one."""
        check_sizes(type(self).__name__, self._learned.sizes, inputs, targets.n_targets, targets.horizon)
        self._check_reads(self.net_.module_, self._learned.sizes)
        check_precision(self.precision, self.net_.module_, torch.device(self.net_.device))
        if "random_state" in take_over(self, self._learned.params):
            self._random_state = check_random_state(self.random_state)
        self._learned = replace(self._learned, params=self.get_params(deep=False))
        return int(self._random_state.randint(_MAX_SEED))

    def _train(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        train: AddressTable,
        valid: AddressTable | None,
        n_epochs: int,
        order: torch.Generator,
    ) -> None:
        """Run the epochs, each a task of scikit-learn's callbacks."""
        given: dict[str, Any] = {"X": X, "y": y}
        if sample_weight is not None:
            given["metadata"] = {"sample_weight": sample_weight}
        if isinstance(X, Windows):  # forecast by window, so given by window; made only for a callback that asks
            given["y"] = lambda: X.targets(y)
            if sample_weight is not None:
                given["metadata"] = lambda: {"sample_weight": np.nanmean(X.targets(sample_weight), axis=1)}
        epochs = []
        with fit_task(self, max_subtasks=n_epochs, **given) as fit:

            def begin() -> None:
                epochs.append(fit.subcontext(task_name="epoch"))
                epochs[-1].call_on_fit_task_begin(estimator=self, **given)

            def end() -> bool:
                return epochs[-1].call_on_fit_task_end(estimator=self, **given, reconstruction_attributes={})

            self.net_.train_on(train, valid, n_epochs, order, begin_epoch=begin, end_epoch=end)

    @fit_context(prefer_skip_nested_validation=True)
    def __skts_update__(self, X: Any, y: Any, epochs: int) -> int:
        """Train for some more epochs as `fit` did, but slowly; parameters stay, whatever they became since."""
        if not epochs:
            return 0
        slow = go_slowly(self, self._learned.params)
        slow._fit(X, y, None, goes_on=True, n_epochs=epochs)
        self.net_ = go_as_before(slow.net_, self.net_)
        self.n_iter_ = slow.n_iter_
        return 1

    @property
    def history_(self) -> dict[str, list[float]]:
        """The loss of every epoch so far, of the standardised target: its squared error, where a point is forecast.

        Keys are "epoch", "train_loss" and, with `early_stopping`, "valid_loss"; NaN in epochs without validation.
        """
        check_is_fitted(self)
        whole = [epoch for epoch in self.net_.history if "train_loss" in epoch]  # an interrupted one has none
        losses = ["train_loss", "valid_loss"] if any("valid_loss" in epoch for epoch in whole) else ["train_loss"]
        return {key: [epoch.get(key, np.nan) for epoch in whole] for key in ["epoch", *losses]}

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        tags.target_tags.multi_output = True
        return tags
