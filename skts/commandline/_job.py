"""What is to be forecast from what, as every part of the command reads it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Bound = float | str | None
Place = float | Mapping[Any, float] | None

_DAY, _WEEK = 24, 168  # hours


@dataclass(frozen=True)
class Job:
    """What is to be forecast from what.

    Parameters
    ----------
    target : str
        The column to forecast; its past is a column of the table, too.
    known : tuple of str, default=()
        Columns known ahead, such as a weather forecast.
    observed : tuple of str, default=()
        Columns of which the past alone is read, the target among them.
    static : tuple of str, default=()
        Columns with one value per series. One that `capacity` or `bounds` names is static without being named here.
    window : int, default=168
        Rows read before a forecast; see :func:`choose_window`.
    horizon : int, default=24
        Rows forecast at a time.
    stride : int, default=6
        Rows between training windows.
    time_of_origin : str, default=None
        The hour of the day that forecasts begin at, such as "00:00"; None is from the first new row on.
    bounds : (lower, upper), default=None
        What the target cannot go beyond, in its unit; a name is that of a static column, None is no bound.
    capacity : float or str, default=None
        The most that a series can give, in the unit of the target, or the static column that says it: the upper bound
        where `bounds` names none, with 0 as the lower one.
    active : str, default=None
        Column known ahead that is 0 where the target is known to be 0. "is_day" is made where there are coordinates.
    latitude, longitude : float or mapping of float by series, default=None
        In degrees, north and east positive.
    quantiles : tuple of float, default=()
        Levels to answer, within 0 and 1.
    n_members : int, default=3
        Networks, which differ by their seeds.
    seed : int, default=0
        Of the networks.
    device : str, default="auto"
        "auto", "cpu" or "cuda".
    quick : bool, default=False
        Few epochs of a small network: to see that it runs.
    """

    target: str
    known: tuple[str, ...] = ()
    observed: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    window: int = 168
    horizon: int = 24
    stride: int = 6
    time_of_origin: str | None = None
    bounds: tuple[Bound, Bound] | None = None
    capacity: float | str | None = None
    active: str | None = None
    latitude: Place = None
    longitude: Place = None
    quantiles: tuple[float, ...] = ()
    n_members: int = 3
    seed: int = 0
    device: str = "auto"
    quick: bool = False


def choose_window(known: Sequence[str], horizon: int) -> int:
    """Give the rows to read before a forecast where nobody says how many.

    Columns known ahead, such as the weather, leave little to older rows than the latest: as many are read as are
    forecast, and not fewer than 24. Without them the same day of last week tells most: 168.
    """
    return max(_DAY, horizon) if known else _WEEK
