"""A fitted pipeline taken apart: what moves and scales columns, what cuts windows, the networks, the target's scale."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skts.exceptions import ExportError
from skts.export._affine import Affine
from skts.export._fold import fold
from skts.strategies import EnsembleRegressor
from skts.windows import HistoryPrepender, SlidingWindower, Windows, unwrap

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Member:
    """A network, and what becomes of its forecasts: `scale * forecast + shift`, both of shape (n_targets,).

    Parameters
    ----------
    regressor : estimator
        Fitted, with the skorch net `net_`.
    scale, shift : ndarray of float64 of shape (n_targets,)
        Back through the transformers of the target.
    """

    regressor: Any
    scale: Floats
    shift: Floats

    @property
    def learned(self) -> Any:
        """What forecasting needs beside the net."""
        return self.regressor._learned

    @property
    def deviation(self) -> Floats:
        """The standard deviation of the target in training, in its units: ndarray of shape (n_targets,)."""
        return np.abs(self.learned.y_scale * self.scale)


@dataclass(eq=False)
class Parts:
    """The parts of a fitted pipeline, in the order that a table goes through them.

    Parameters
    ----------
    before, after : Affine or None
        What is done to columns before the prepender, and between it and the windower; without a prepender all is
        before. None where there is no step.
    prepender : HistoryPrepender or None
    windower : SlidingWindower or None
    members : list of Member
        One network, or those of an ensemble.
    steps : list of transformer
        All that turn a table into windows, as they are.
    """

    before: Affine | None = None
    after: Affine | None = None
    prepender: HistoryPrepender | None = None
    windower: SlidingWindower | None = None
    members: list[Member] = field(default_factory=list)
    steps: list[Any] = field(default_factory=list)

    @property
    def columns(self) -> Affine:
        """What is done to columns in all."""
        assert self.windower is not None
        whole = Affine.identity(self.first.n_features_in_) if self.before is None else self.before
        return whole if self.after is None else whole.then(self.after)

    @property
    def first(self) -> Any:
        """The step that the table is given to."""
        return next(step for step in self.steps if hasattr(step, "n_features_in_"))

    @property
    def learned(self) -> Any:
        """What the first network has learned beside its weights, in which all of them are alike."""
        return self.members[0].learned

    def windows(self, X: Any) -> Windows:
        """Turn a table into forecasting windows, as the pipeline does."""
        for step in self.steps:
            if hasattr(step, "transform"):
                X = step.transform(X)
        return X


def take_apart(estimator: Any) -> Parts:
    """Take a fitted pipeline apart.

    Parameters
    ----------
    estimator : estimator
        A pipeline, what holds one (a search, a frozen one, a TransformedTargetRegressor), or a part of one that cuts
        windows itself.

    Raises
    ------
    ExportError
        It holds what is not written into a graph; the message names it.
    """
    check_is_fitted(estimator)
    parts, scalers = Parts(), []
    last = estimator
    while True:
        last = unwrap(last)
        if type(last) is TransformedTargetRegressor:
            scalers.append(last.transformer_)
            last = last.regressor_
        elif type(last) is Pipeline:
            for name, step in last.steps[:-1]:
                _take_step(parts, name, step)
            last = last.steps[-1][1]
        else:
            break
    if parts.windower is None:
        raise ExportError(
            f"to_onnx needs a pipeline with a SlidingWindower before its network, and was given a "
            f"{type(estimator).__name__} without: put HistoryPrepender and SlidingWindower before it."
        )
    members = last.estimators_ if type(last) is EnsembleRegressor else [last]
    parts.members = [_take_member(member, list(scalers)) for member in members]
    return parts


def _take_step(parts: Parts, name: str, step: Any) -> None:
    if parts.windower is not None:
        raise ExportError(f"Step {name!r} stands after SlidingWindower, where a graph takes nothing but the network.")
    if step is None or step == "passthrough":
        return
    kind = type(step)
    if kind is SlidingWindower:
        parts.windower = step
    elif kind is HistoryPrepender:
        if parts.prepender is not None:
            raise ExportError(f"Step {name!r} is a second HistoryPrepender: leave one of the two out.")
        parts.prepender = step
    else:
        place = "before" if parts.prepender is None else "after"
        so_far = getattr(parts, place)
        n_columns = step.n_features_in_ if so_far is None else len(so_far)
        folded = fold(step, n_columns, name)
        setattr(parts, place, folded if so_far is None else so_far.then(folded))
    parts.steps.append(step)


def _take_member(member: Any, scalers: list[Any]) -> Member:
    """Read one network, and the way back from its standardised target."""
    member = unwrap(member)
    while type(member) is TransformedTargetRegressor:
        scalers.append(member.transformer_)
        member = unwrap(member.regressor_)
    if not (hasattr(member, "net_") and hasattr(member, "_learned")):
        raise ExportError(
            f"{type(member).__name__} is no network of skts, and a graph holds one, or an EnsembleRegressor of several "
            "inside the pipeline: export the pipeline that it stands around, and let it work on the forecasts."
        )
    _check_network(member)
    n_targets = member._learned.sizes["n_targets"]
    scale, shift = np.ones(n_targets), np.zeros(n_targets)
    for scaler in reversed(scalers):  # the innermost is undone first
        own = fold(scaler, n_targets, "transformer of the target")
        if len(own) != n_targets or (own.sources != np.arange(n_targets)).any() or (own.scale <= 0).any():
            raise ExportError("The transformer of the target changes the order or the sign of targets.")
        scale, shift = scale / own.scale, (shift - own.shift) / own.scale
    return Member(member, scale, shift)


def _check_network(member: Any) -> None:
    """Refuse what a graph of one fixed window in float32 does not say."""
    learned, name, network = member._learned, type(member).__name__, member.net_.module_
    if learned.sizes["window"] is None:
        raise ExportError(
            f"{name} was fitted to whole series, and a graph reads a fixed window: fit with "
            "SlidingWindower(window=...) of so many rows."
        )
    if learned.params.get("rolling", "windows") != "windows":
        raise ExportError(
            f"{name}(rolling={learned.params['rolling']!r}) reads each series from its first row on, and a graph reads "
            "a fixed window: fit with rolling='windows'."
        )
    if member.net_.precision != "float32":
        raise ExportError(
            f"{name}(precision={member.net_.precision!r}) forecasts in that precision, and a graph in float32: call "
            "net_.set_params(precision='float32') on it, or fit with that."
        )
    if getattr(network, "reads_missing", ()) and getattr(network, "lookahead", 0):
        raise ExportError(
            f"{name}(lookahead={network.lookahead}) tells sources that are missing from rows after the end of the "
            "table, which a graph cannot: fit with lookahead=0."
        )
