"""What networks say of themselves in a notebook, beside scikit-learn's diagram."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from skts._html import Line, draw_lines, write_count, write_facts, write_names
from skts.panel import write_period
from skts.supervised._trained_on import TrainedOn
from skts.windows import walk

_VALID_COLOR = "#D55E00"  # told apart by the colour-blind, and on light and dark pages
_N_LOOKED_AT = 50  # networks of one estimator
_N_DRAWN = 10


class SummaryMixin:
    """Show in a notebook, below scikit-learn's diagram, what the networks in an estimator have learned from."""

    def _html_repr(self) -> str:
        diagram: str = super()._html_repr()  # type: ignore[misc]
        try:
            check_is_fitted(self)
        except NotFittedError:
            return diagram
        return diagram + summarise(find_networks(self))


def find_networks(estimator: Any) -> list[Any]:
    """Find the fitted networks in an estimator, of many the first 50."""
    fitted = (part for part in walk(estimator) if getattr(part, "_trained_on", None) is not None)
    return list(islice(fitted, _N_LOOKED_AT))


def summarise(networks: Sequence[Any]) -> str:
    """Write a box with the losses of fitted networks and what they were trained on.

    Parameters
    ----------
    networks : sequence of estimator
        Members of an ensemble, or of a series each.

    Returns
    -------
    html : str
        "" without any.
    """
    if not networks:
        return ""
    trained_on: list[TrainedOn] = [network._trained_on for network in networks]
    names, n_networks = networks[0]._learned.series_names, len(networks)
    facts = {
        "epochs": _range([network.n_iter_ for network in networks]) + _kept(networks),
        "loss": _losses(networks),
        "weights": _range([_count_weights(network) for network in networks]) + (" each" if n_networks > 1 else ""),
        "device": ", ".join(sorted({str(network.net_.device) for network in networks})),
        "windows": _range([each.n_train for each in trained_on]) + _validated(trained_on),
        "worth": _worth(trained_on),
        "series": None if names is None else write_names(names),
        "period": _period(trained_on),
    }
    if n_networks > 1 and not _are_alike(trained_on):  # of a series each
        facts["series"] = None
    title = "Trained network" if n_networks == 1 else f"{n_networks} trained networks"
    title += " (and maybe more)" * (n_networks == _N_LOOKED_AT)
    return write_facts(title, facts, _draw(networks[:_N_DRAWN]))


def _draw(networks: Sequence[Any]) -> str:
    """Draw the losses of every epoch."""
    histories = [network.history_ for network in networks]
    lines = []
    for history, network, is_first in zip(histories, networks, [True] + [False] * len(networks), strict=False):
        kept = network.net_.kept_epoch
        if "valid_loss" in history:
            mark = None if kept is None else kept - 1
            lines.append(Line(history["valid_loss"], "validation" * is_first, _VALID_COLOR, mark))
        lines.append(Line(history["train_loss"], "train" * is_first))
    return draw_lines(lines, f"Losses of {write_count(len(networks), 'network')} by epoch")


def _kept(networks: Sequence[Any]) -> str:
    kept = [network.net_.kept_epoch for network in networks if network.net_.kept_epoch is not None]
    return f", epoch {_range(kept)} kept" if kept else ""


def _losses(networks: Sequence[Any]) -> str:
    """Write the losses of the epoch that counts, the last or the one that was kept."""
    rows = [(network.history_, (network.net_.kept_epoch or 0) - 1) for network in networks]
    parts = []
    for key, name in (("train_loss", "train"), ("valid_loss", "validation")):
        losses = [history[key][place] for history, place in rows if key in history]
        if losses:
            low, high = min(losses), max(losses)
            parts.append(f"{name} {low:.4g}" if low == high else f"{name} {low:.4g} to {high:.4g}")
    return ", ".join(parts)


def _count_weights(network: Any) -> int:
    return sum(weights.numel() for weights in network.net_.module_.parameters())


def _validated(trained_on: Sequence[TrainedOn]) -> str:
    n_valid = [each.n_valid for each in trained_on]
    return f" to train, {_range(n_valid)} to validate" if any(n_valid) else " to train"


def _worth(trained_on: Sequence[TrainedOn]) -> str | None:
    counts = [each.n_independent for each in trained_on if each.n_independent is not None]
    return f"about {_range([round(count) for count in counts])} independent windows" if counts else None


def _period(trained_on: Sequence[TrainedOn]) -> str | None:
    """Write from when to when all were trained together."""
    ends = [(each.first, each.last) for each in trained_on if each.first is not None and each.last is not None]
    if not ends:
        return None
    first, last = zip(*ends, strict=True)
    return write_period(trained_on[0].clock, min(first), max(last))


def _are_alike(trained_on: Sequence[TrainedOn]) -> bool:
    return all(each == trained_on[0] for each in trained_on)


def _range(numbers: Sequence[int]) -> str:
    low, high = min(numbers), max(numbers)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
