"""The progress of a training, as lines that also a file or a pipe can hold."""

import sys
from collections.abc import Callable, Iterable
from numbers import Real
from statistics import median
from time import perf_counter
from typing import Any

from skorch.callbacks import EarlyStopping, PrintLog

_ALWAYS_SHOWN = ("epoch", "train_loss", "valid_loss", "dur")


class EpochLines(PrintLog):
    """Print a line for every epoch: which of how many, its losses, its seconds, what is left.

    The loss of the validation is marked by a star where it is the lowest so far, and what other callbacks have recorded
    comes after it. With early stopping a last line says which epoch was kept.

    Parameters
    ----------
    keys_ignored : str or list of str, default=None
        What other callbacks record and is not shown.
    sink : callable, default=print
        Called with each line. Any other than `print` is called whatever `verbose` is.

    Notes
    -----
    A kind of skorch's `PrintLog`, which comes after all other callbacks.
    """

    def __init__(self, keys_ignored: str | list[str] | None = None, sink: Callable[[str], Any] = print):
        super().__init__(keys_ignored=keys_ignored, sink=sink)

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Begin to count: a net that goes on has epochs already."""
        self.n_before_ = self.n_told_ = len(net.history)
        self.n_epochs_ = 0
        self.seconds_: list[float] = []

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        """Look at the clock."""
        self.n_epochs_ = self.n_before_ + net.n_epochs_asked
        self.began_ = perf_counter()

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Print the line of an epoch."""
        self.n_told_ = len(net.history)
        self.seconds_.append(perf_counter() - self.began_)
        left = (self.n_epochs_ - self.n_told_) * median(self.seconds_)  # the first one may record or compile
        self._tell(net, write_epoch(net.history[-1], self.n_epochs_, self.seconds_[-1], left, self._others(net)))

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Print the line of an epoch that ended the training, and which one was kept."""
        if len(net.history) > self.n_told_ and "train_loss" in net.history[-1]:  # whoever ends it, ends its callbacks
            self.on_epoch_end(net)
        for _, callback in net.callbacks_:
            if isinstance(callback, EarlyStopping) and callback.load_best and callback.best_epoch_:
                loss = net.history[callback.best_epoch_ - 1].get(callback.monitor)
                shown = "" if loss is None else f", {callback.monitor.removesuffix('_loss')} {write_loss(loss)}"
                self._tell(net, f"kept epoch {callback.best_epoch_} of {len(net.history)}{shown}")

    def _others(self, net: Any) -> Iterable[str]:
        """Give what other callbacks have recorded of the last epoch, as text."""
        row = net.history[-1]
        for key in self._sorted_keys(row):
            name = key.removeprefix("event_")
            if isinstance(row[key], bool):  # a checkpoint says so that it has saved
                yield name if row[key] else " " * len(name)
            elif key not in _ALWAYS_SHOWN:
                yield f"{name} {write_loss(row[key]) if isinstance(row[key], Real) else row[key]}"

    def _tell(self, net: Any, line: str) -> None:
        self._sink(line, net.verbose)
        if self.sink is print:
            sys.stdout.flush()


def write_epoch(row: dict[str, Any], n_epochs: int, seconds: float, left: float, others: Iterable[str] = ()) -> str:
    """Write the line of an epoch.

    Parameters
    ----------
    row : dict
        Of skorch's history.
    n_epochs : int
        At which epoch the training ends.
    seconds, left : float
        That this one took, and all to come will take; 0 for the last.
    others : iterable of str
        What else there is to say.

    Examples
    --------
    >>> row = {"epoch": 3, "train_loss": 0.2134, "valid_loss": 0.2561, "valid_loss_best": True}
    >>> print(write_epoch(row, 20, 1.8, 31))
    epoch  3/20  loss 0.2134  valid 0.2561*    1.8 s      31 s left
    """
    parts = [f"epoch {row['epoch']:{len(str(n_epochs))}}/{n_epochs}", f"loss {write_loss(row['train_loss'])}"]
    if "valid_loss" in row:
        parts.append(f"valid {write_loss(row['valid_loss'])}{'*' if row.get('valid_loss_best') else ' '}")
    parts += [*others, f"{write_seconds(seconds):>7}"]
    if left > 0:
        parts.append(f"{write_seconds(left):>8} left")
    return "  ".join(parts)


def write_loss(loss: float) -> str:
    """Write a loss with four decimals, where they say something.

    Examples
    --------
    >>> write_loss(0.21344), write_loss(-1.5), write_loss(2e-6)
    ('0.2134', '-1.5000', '2.00e-06')
    """
    return f"{loss:6.4f}" if loss == 0 or 1e-3 <= abs(loss) < 1e3 else f"{loss:6.2e}"


def write_seconds(seconds: float) -> str:
    """Write a time in the unit that suits it.

    Examples
    --------
    >>> [write_seconds(seconds) for seconds in (0.041, 1.84, 59.96, 125, 7500)]
    ['0.04 s', '1.8 s', '60 s', '2 min 05 s', '2 h 05 min']
    """
    if seconds < 9.95:
        return f"{seconds:.{2 if seconds < 0.995 else 1}f} s"
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"
