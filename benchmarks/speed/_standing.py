"""From curves of error against seconds to levels, and the time at which each contender reaches them for good."""

import math
import statistics
from pathlib import Path

from benchmarks._report import markdown, spread
from benchmarks.speed._races import RACES

OURS = "skts"
COLOURS = ("#c2410c", "#fdba74", "#7f1d1d", "#db2777", "#15803d", "#0369a1", "#7dd3fc", "#7c3aed")


def curve_of(record):
    """Give error against seconds of the core: wall seconds times the share of it that the fit got.

    On a core of its own these are the wall seconds; a busy machine gives less, and not to all alike.
    """
    share = min(1.0, record["cpu_seconds"] / record["curve"][-1][0])
    return [(share * seconds, error) for seconds, error in record["curve"]]


def by_contender(records, task, of):
    """Give what a function gives of each run of a task, by contender."""
    found = {}
    for record in records:
        if record["task"] == task:
            found.setdefault(record["contender"], []).append(of(record))
    return found


def final_error(record):
    return record["curve"][-1][1]


def choose_levels(records, task, naive):
    """Choose the errors to reach: half way from the naive one to the best peer's at its end, then 5 % and 2 % above it.

    The best peer has the lowest median over seeds among those that are not skts.
    """
    finals = medians(records, task, final_error)
    best = min([error for name, error in finals.items() if not name.startswith(OURS)] or finals.values())
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
    return by_contender(records, task, lambda record: seconds_to(curve_of(record), level))


def medians(records, task, of):
    """Give the median over the seeds, by contender."""
    return {name: statistics.median(values) for name, values in by_contender(records, task, of).items()}


def show(times, total):
    """Show a median and its range, such as `5.2 (4.9 to 6.0)`, or `> 20` where it never got there."""
    of = spread(times)
    if math.isinf(of["median"]):
        return f"> {total:.0f}"
    low, high = ("never" if math.isinf(of[key]) else f"{of[key]:.1f}" for key in ("min", "max"))
    return f"{of['median']:.1f} ({low} to {high})"


def make_block(results, task):
    """Write the table of one task, and who was first at each level."""
    records, naive, race = results["records"], results["naive"][task], RACES[task]
    levels = choose_levels(records, task, naive)
    finals = by_contender(records, task, final_error)
    total = medians(records, task, lambda record: curve_of(record)[-1][0])
    wall = medians(records, task, lambda record: record["curve"][-1][0])
    forecast = medians(records, task, lambda record: record["forecast_seconds"])
    times = {label: times_to(records, task, level) for label, level in levels.items()}
    digits = race.digits
    header = ["", *(f"{level:.{digits}f}" for level in levels.values()), "error at the end"]
    header += ["seconds in all", "wall seconds in all", "seconds to forecast"]
    rows = [
        [
            f"**{name}**" if name.startswith(OURS) else name,
            *(show(found[name], total[name]) for found in times.values()),
            f"{statistics.median(errors):.{digits}f} ({min(errors):.{digits}f} to {max(errors):.{digits}f})",
            *(f"{seconds[name]:.1f}" for seconds in (total, wall, forecast)),
        ]
        for name, errors in finals.items()
    ]
    told = "; ".join(f"{level:.{digits}f} is {label}" for label, level in levels.items())
    orders = " ".join(f"To {levels[label]:.{digits}f}: {order(found)}." for label, found in times.items())
    best = min(finals, key=lambda name: statistics.median(finals[name]))
    return (
        f"## {race.title}\n\nSeconds until the error is, and stays, at or below a level: median and range of the "
        f"seeds.\n\n{markdown(header, rows)}\n\nLevels: {told}. The naive forecast has {naive:.{digits}f}. {orders} "
        f"The lowest error at the end: {best}."
    )


def order(times):
    """Name the first four that got there."""
    middles = {name: statistics.median(found) for name, found in times.items()}
    there = sorted((name for name in middles if middles[name] < float("inf")), key=middles.get)
    return ", then ".join(f"{name} ({middles[name]:.1f} s)" for name in there[:4]) or "nobody"


def draw(results, names, path: Path) -> bool:
    """Draw error against seconds, a curve per contender and seed; False where matplotlib is missing."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    tasks = list(results["naive"])
    figure = Figure(figsize=(6.2 * len(tasks), 4.6), layout="constrained")
    colours = dict(zip(names, COLOURS, strict=True))
    for axes, task in zip(figure.subplots(1, len(tasks), squeeze=False)[0], tasks, strict=True):
        for name, curves in by_contender(results["records"], task, curve_of).items():
            for number, curve in enumerate(curves):
                label = None if number else name
                axes.plot(*zip(*curve, strict=True), color=colours[name], label=label, lw=1.3, alpha=0.85)
        levels = choose_levels(results["records"], task, results["naive"][task])
        for level in levels.values():
            axes.axhline(level, color="#78716c", lw=0.7, ls=":")
        lowest = min(error for each in results["records"] if each["task"] == task for _, error in each["curve"])
        axes.set(xscale="log", xlabel="seconds", ylim=(0.96 * lowest, 1.6 * next(iter(levels.values()))))
        axes.set_title(RACES[task].title.split(",")[0], fontsize=11)
        axes.xaxis.set_major_formatter("{x:g}")
    figure.axes[0].legend(*figure.axes[-1].get_legend_handles_labels(), frameon=False, fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    return True
