"""What a network reads of its windows."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Reading:
    """What a network asks for beside the window and the known columns of the horizon.

    Parameters
    ----------
    context : int, default=0
        Rows behind the horizon whose known columns are read too.
    series : bool, default=False
        Whether it tells series apart.
    n_origins : int, default=1
        Origins that one pass over the rows may serve in training.
    instance_norm : {"last", "mean", "median"}, default=None
        What is taken off the past of the target in each window.
    """

    context: int = 0
    series: bool = False
    n_origins: int = 1
    instance_norm: Literal["last", "mean", "median"] | None = None
