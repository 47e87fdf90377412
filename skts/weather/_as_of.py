"""The as-of join on integers: of all that was there by then, the latest run that has the time."""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def find_latest(group: Ints, run: Ints, available: Ints, wanted: Ints, by: Ints) -> Ints:
    """Find, for a group and a moment, the row with the latest run among those available by that moment.

    Parameters
    ----------
    group : ndarray of shape (n_rows,)
        What a row says something about: a number for each pair of a series and a time.
    run : ndarray of shape (n_rows,)
        Larger is later; no two rows of a group have the same.
    available : ndarray of shape (n_rows,)
        When each row was there.
    wanted : ndarray of shape (n_wanted,)
        Groups; a negative one is found nowhere.
    by : ndarray of shape (n_wanted,)
        Moments: a row is found where `available <= by`.

    Returns
    -------
    row : ndarray of shape (n_wanted,)
        -1 where there is none.

    Notes
    -----
    Two sorts and one binary search. Within a group in the order of arrival, what was there by a moment is a beginning,
    and the latest run of a beginning is a running maximum: so a run that arrives after its successor is never taken.
    """
    if len(group) == 0:
        return np.full(len(wanted), -1, dtype=np.int64)
    by_run = order_of(group, run)
    moments = np.unique(available)
    arrival = np.searchsorted(moments, available)
    if (np.diff(arrival[by_run])[np.diff(group[by_run]) == 0] >= 0).all():  # runs arrive in their order
        place, latest = by_run, np.arange(len(group))
    else:
        place = order_of(group, arrival)
        rank = np.empty(len(group), dtype=np.int64)
        rank[by_run] = np.arange(len(group))
        latest = np.maximum.accumulate(rank[place])  # a later group has larger ranks: none reaches into the next
    n_codes = len(moments) + 1
    keys = group[place] * n_codes + arrival[place]
    before = np.searchsorted(moments, by, side="right")  # how many moments are over
    found = np.searchsorted(keys, wanted * n_codes + before) - 1
    there = (wanted >= 0) & (found >= 0)
    there[there] = group[place[found[there]]] == wanted[there]
    return np.where(there, by_run[latest[np.where(there, found, 0)]], -1)


def order_of(group: Ints, within: Ints) -> Ints:
    """Sort rows by group, and within a group by another number: quick where they are nearly so."""
    low = within.min(initial=0)
    return np.argsort(group * (within.max(initial=0) - low + 1) + (within - low), kind="stable")


def first_repeat(group: Ints, run: Ints) -> int | None:
    """Find a row whose group and run another row before it has too."""
    order = order_of(group, run)
    repeats = (np.diff(group[order]) == 0) & (np.diff(run[order]) == 0)
    return int(order[1:][repeats].min()) if repeats.any() else None
