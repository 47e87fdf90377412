"""The parameters of a regressor as its head and those of its skorch net: in a first fit, and in one that goes on."""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from skorch.callbacks import EarlyStopping
from skorch.utils import noop

from skts.nn import (
    CensoredNormalHead,
    DistributionHead,
    Head,
    InflatedBetaHead,
    NormalHead,
    PointHead,
    QuantileHead,
    StudentTHead,
)
from skts.training import (
    REFERENCE_BATCH_SIZE,
    AddressTable,
    check_callbacks,
    find_batch_size,
    resolve_device,
    scale_lr,
)

_RATES = {"lr", "optimizer__lr", "optimizer__param_groups"}  # parameters of skorch that a user may have set
_TAKEN_OVER = {
    *("max_epochs", "lr", "lr_schedule", "batch_size", "subsample", "weight_decay", "precision", "verbose"),
    *("early_stopping", "validation_fraction", "n_iter_no_change"),
    *("warm_start", "random_state", "rolling", "origins_per_pass"),
}
_SLOW = 0.1  # of the learning rate of fit
DISTRIBUTIONS: dict[str, type[DistributionHead]] = {
    "normal": NormalHead,
    "student_t": StudentTHead,
    "censored_normal": CensoredNormalHead,
    "inflated_beta": InflatedBetaHead,
}


def choose_head(owner: str, quantiles: Sequence[float] | None, distribution: str | DistributionHead | None) -> Head:
    """Give the head that forecasts quantiles, a distribution or, without either, a point."""
    if distribution is None:
        return PointHead() if quantiles is None else QuantileHead(quantiles)
    if quantiles is not None:
        raise ValueError(
            f"{owner}(distribution={distribution!r}, quantiles={quantiles!r}): a distribution gives any quantile, "
            "without being trained for it. Leave quantiles out here, and ask predict(X, quantiles=[...])."
        )
    return DISTRIBUTIONS[distribution]() if isinstance(distribution, str) else distribution


def check_bounds(owner: str, head: Head, bounds: Any) -> None:
    """Refuse a head that needs bounds and has none, or has bounds and cannot keep them."""
    if head.with_bounds == "needed" and bounds is None:
        raise ValueError(
            f"{owner}: {type(head).__name__} forecasts within bounds. Give bounds=(0, 2500.0), or the name of a static "
            "column for one that differs by series."
        )
    if head.with_bounds == "refused" and bounds is not None:
        raise ValueError(
            f"{owner}(bounds={bounds!r}): {type(head).__name__} knows no bounds. Give "
            "distribution='censored_normal' or 'inflated_beta', or quantiles, or leave bounds out."
        )
    if getattr(head, "needs_both", False) and None in bounds:
        raise ValueError(f"{owner}(bounds={bounds!r}): {type(head).__name__} needs a lower and an upper bound.")


def net_options(regressor: Any, head: Head, device: torch.device) -> dict[str, Any]:
    """Give the arguments of the skorch net.

    Parameters
    ----------
    regressor : estimator
    head : Head
        Its loss is the criterion, unless `net_params` has another.
    device : torch.device

    Returns
    -------
    options : dict
    """
    given = dict(regressor.net_params or {})
    options: dict[str, Any] = _changing_options(regressor) | {"max_epochs": regressor.max_epochs, "device": str(device)}
    if "optimizer" not in given:
        options |= {
            "optimizer": torch.optim.AdamW,
            "optimizer__weight_decay": regressor.weight_decay,
            "optimizer__fused": device.type in ("cpu", "cuda"),
        }
    if "criterion" not in given:
        criterion, arguments = head.make_criterion()
        options |= {"criterion": criterion, **{f"criterion__{name}": value for name, value in arguments.items()}}
    if regressor.bounds is not None:
        options["bounds"] = head.with_bounds
    return options | given | {"callbacks": _callbacks(regressor)}


def take_over(regressor: Any, before: dict[str, Any]) -> set[str]:
    """Let the net of a fitted regressor go on with the parameters of now.

    Parameters
    ----------
    regressor : estimator
    before : dict
        The parameters of the fit that it goes on from.

    Returns
    -------
    changed : set of str
        Which of them are others now.

    Raises
    ------
    ValueError
        A parameter changed that a trained net cannot take over.
    """
    now = regressor.get_params(deep=False)
    changed = {name for name, value in now.items() if not _same(value, before[name])}
    refused = sorted(changed - _TAKEN_OVER)
    if refused == ["device"] and resolve_device(regressor.device) == torch.device(regressor.net_.device):
        refused = []  # another name for where the net is, as after a move to another machine
    if refused:
        name, fitted = type(regressor).__name__, {name: before[name] for name in refused}
        asked = ", ".join(f"{name}={now[name]!r}" for name in refused)
        raise ValueError(
            f"{name}({asked}) cannot go on from the net that was fitted with "
            f"{', '.join(f'{name}={value!r}' for name, value in fitted.items())}: set that back, or fit a fresh one "
            "(warm_start=False)."
        )
    net, given = regressor.net_, set(regressor.net_params or {})
    options = {
        name: value
        for name, value in _changing_options(regressor).items()
        if name not in given and not _same(value, getattr(net, name, None))
    }
    for name in [name for name in options if "__" in name]:
        vars(net)[name] = options.pop(name)  # skorch would look for a part of the net to make anew
    if options:
        net.set_params(**options)
    if "weight_decay" in changed and "optimizer" not in given:
        vars(net)["optimizer__weight_decay"] = regressor.weight_decay
        for group in net.optimizer_.param_groups:
            group["weight_decay"] = regressor.weight_decay
    if changed & {"early_stopping", "n_iter_no_change"}:
        net.set_params(callbacks=_callbacks(regressor)).initialize_callbacks()
    return changed


def settle_batch_size(regressor: Any, training: AddressTable, *, search: bool) -> tuple[int, float]:
    """Find the size of batches where that is asked for; give it and the learning rate of the net.

    What stands in `net_params` is left alone, and whole series are not tried: their batches are chunks of up to 64.
    """
    net, given = regressor.net_, set(regressor.net_params or {})
    fixed = any("batch_size" in key for key in given) or training.chunks is not None
    if search and regressor.batch_size == "auto" and not fixed:
        options = _batch_options(regressor, find_batch_size(net, training, regressor.subsample))
        if given & _RATES:
            del options["lr"]
        net.set_params(**options)
    size = getattr(net.get_iterator(training, training=True), "batch_size", net.batch_size)
    if size == -1:  # all at once
        size = (
            round(len(training) * training.windows_per_item) if training.chunks is None else len(training.chunks.first)
        )
    return int(size), float(net.optimizer_.param_groups[0]["lr"])


def _changing_options(regressor: Any) -> dict[str, Any]:
    """Give what may differ between two fits of one net."""
    return {
        **_batch_options(regressor),
        "lr_schedule": regressor.lr_schedule,
        "iterator_train__subsample": regressor.subsample,
        "precision": regressor.precision,
        "verbose": regressor.verbose,
    }


def _batch_options(regressor: Any, found: int | None = None) -> dict[str, Any]:
    """Give the size of batches and the learning rate for it; `found` is what "auto" stands for."""
    if regressor.batch_size != "auto":
        return {"batch_size": regressor.batch_size, "lr": regressor.lr}
    size = getattr(regressor, "batch_size_", REFERENCE_BATCH_SIZE) if found is None else found
    optimizer = (regressor.net_params or {}).get("optimizer", torch.optim.AdamW)
    return {"batch_size": size, "lr": scale_lr(regressor.lr, size, optimizer)}


def _callbacks(regressor: Any) -> list[Any]:
    given = list((regressor.net_params or {}).get("callbacks") or [])
    if given:
        check_callbacks(given, type(regressor).__name__, validates=regressor.early_stopping)
    if not regressor.early_stopping:
        return given
    stopping = EarlyStopping(patience=regressor.n_iter_no_change, load_best=True, sink=noop)  # EpochLines tells
    return [("early_stopping", stopping), *given]


def _same(one: Any, other: Any) -> bool:
    """Tell whether two values of a parameter are alike; what cannot be compared is not."""
    if one is other:
        return True
    try:
        return bool(np.all(one == other)) and np.shape(one) == np.shape(other)
    except (ValueError, TypeError):
        return False


def go_slowly(regressor: Any, params: dict[str, Any]) -> Any:
    """Copy a fitted regressor, so that it goes on at a small constant rate, without early stopping.

    Parameters
    ----------
    regressor : estimator
    params : dict
        Those of the fit that it goes on from.

    Returns
    -------
    regressor : estimator
        With a net of its own.
    """
    slow = copy.copy(regressor)
    slow.net_ = copy.deepcopy(regressor.net_)
    slow.net_.lr_schedule = "constant"
    vars(slow).update(params | {"lr_schedule": "constant", "early_stopping": False, "device": regressor.device})
    for group in slow.net_.optimizer_.param_groups:
        group["lr"] = group["lr"] * _SLOW
    return slow


def go_as_before(net: Any, before: Any) -> Any:
    """Give a net that went on slowly the rates and callbacks that it had before."""
    for group, own in zip(net.optimizer_.param_groups, before.optimizer_.param_groups, strict=True):
        group["lr"] = own["lr"]
    net.lr_schedule, net.callbacks, net.callbacks_ = before.lr_schedule, before.callbacks, before.callbacks_
    return net
