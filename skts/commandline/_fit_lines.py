"""The progress of a search, as lines that also a file or a pipe can hold."""

from datetime import UTC, datetime
from typing import Any


def describe(params: dict[str, Any]) -> str:
    """Write parameters as text, without the steps of the pipeline that they belong to."""
    return ", ".join(f"{name.rpartition('__')[2]} = {value}" for name, value in params.items())


class FitLines:
    """Print a line for every fit of a search: which of them, its parameters, its split, its time.

    One of scikit-learn's callbacks. It keeps nothing, so the processes of a search print their own lines.

    Parameters
    ----------
    names : list of str
        The parameters that the search varies.
    n_splits : int
        Fits of one candidate.
    """

    max_propagation_depth = 1  # to the candidates: the search itself knows no parameters

    def __init__(self, names: list[str], n_splits: int):
        self.names = names
        self.n_splits = n_splits

    def setup(self, estimator: Any, context: Any) -> None:
        """Nothing is to be made ready."""

    def teardown(self, estimator: Any, context: Any) -> None:
        """Nothing is left."""

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Nothing is to be said yet."""

    def on_fit_task_end(self, estimator: Any, context: Any) -> None:
        """Print the line of a candidate that was fitted on a split."""
        if context.source_estimator_name is None:  # a step of the candidate, or the search itself
            return
        n_fits = context.parent.max_subtasks
        params = estimator.get_params()
        settings = describe({name: params[name] for name in self.names})
        seconds = (datetime.now(UTC) - context.init_time).total_seconds()
        number = f"{context.task_id + 1:{len(str(n_fits))}} of {n_fits}"
        split = f"split {context.task_id % self.n_splits + 1} of {self.n_splits}"
        print(f"  fit {number}: {settings}, {split}, {seconds:.1f} s", flush=True)
