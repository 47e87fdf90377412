"""From curves of error against seconds to levels, and the time at which each contender reaches them for good."""

import math
import statistics

OURS = "skts"


def curve_of(record):
    """Give error against seconds of the core: wall seconds times the share of it that the fit got.

    On a core of its own these are the wall seconds; a busy machine gives less, and not to all alike.
    """
    share = min(1.0, record["cpu_seconds"] / record["curve"][-1][0])
    return [(share * seconds, error) for seconds, error in record["curve"]]


def final_errors(records, task):
    """Give the error at the end of each run, by contender."""
    found = {}
    for record in records:
        if record["task"] == task:
            found.setdefault(record["contender"], []).append(record["curve"][-1][1])
    return found


def choose_levels(records, task, naive):
    """Choose the errors to reach: half way from the naive one to the best peer's at its end, then 5 % and 2 % above it.

    The best peer has the lowest median over seeds among those that are not skts.
    """
    peers = {name: errors for name, errors in final_errors(records, task).items() if not name.startswith(OURS)}
    best = min(statistics.median(errors) for errors in (peers or final_errors(records, task)).values())
    return {
        "half way from the naive error to the best peer's": (naive + best) / 2,
        "the best peer's and 5 %": 1.05 * best,
        "the best peer's and 2 %": 1.02 * best,
    }


def seconds_to(curve, level):
    """Give the seconds of the first mark from which on no error is above a level; infinite where there is none."""
    reached = math.inf
    for seconds, error in reversed(curve):
        if error > level:
            break
        reached = seconds
    return reached


def times_to(records, task, level):
    """Give the seconds of each run, by contender."""
    found = {}
    for record in records:
        if record["task"] == task:
            found.setdefault(record["contender"], []).append(seconds_to(curve_of(record), level))
    return found


def totals(records, task):
    """Give the median of the seconds that a contender takes in all."""
    found = {}
    for record in records:
        if record["task"] == task:
            found.setdefault(record["contender"], []).append(curve_of(record)[-1][0])
    return {name: statistics.median(seconds) for name, seconds in found.items()}


def show(times, total):
    """Show a median and its range, such as `5.2 (4.9 to 6.0)`, or `> 20` where it never got there."""
    middle, low, high = statistics.median(times), min(times), max(times)
    if math.isinf(middle):
        return f"> {total:.0f}"
    shown = ["never" if math.isinf(each) else f"{each:.1f}" for each in (low, high)]
    return f"{middle:.1f} ({shown[0]} to {shown[1]})"
