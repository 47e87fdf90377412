"""Which of skorch's callbacks can serve."""

from typing import Any

from skorch.callbacks import PassthroughScoring
from skorch.callbacks.scoring import ScoringBase


def check_callbacks(callbacks: list[Any], owner: str, *, validates: bool) -> None:
    """Refuse callbacks of skorch that would fail in the middle of a training.

    Parameters
    ----------
    callbacks : list
        Callbacks, classes of them, or (name, callback).
    owner : str
        The estimator, for messages.
    validates : bool
        Whether there are windows to validate on.

    Raises
    ------
    ValueError
        One scores data sets of scikit-learn's kind, or watches a validation that there is not.
    """
    for entry in callbacks:
        callback = entry[1] if isinstance(entry, tuple) else entry
        kind = callback if isinstance(callback, type) else type(callback)
        if issubclass(kind, ScoringBase) and not issubclass(kind, PassthroughScoring):
            raise ValueError(
                f"{owner}(net_params={{'callbacks': [{kind.__name__}(...)]}}): windows are addresses, which skorch's "
                f"{kind.__name__} cannot score. Use scikit-learn's: {owner}(...).set_callbacks("
                "sklearn.callback.ScoringMonitor(scoring=...)), or read history_."
            )
        monitor = getattr(callback() if isinstance(callback, type) else callback, "monitor", None)
        if isinstance(monitor, str) and monitor.startswith("valid") and not validates:
            raise ValueError(
                f"{owner}(net_params={{'callbacks': [{kind.__name__}(monitor={monitor!r})]}}): nothing validates. Give "
                "early_stopping=True, which holds out the latest validation_fraction of the times and brings its own "
                "EarlyStopping, or monitor='train_loss'."
            )
