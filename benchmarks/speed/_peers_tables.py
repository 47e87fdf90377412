"""The tables of `docs/speed_peers.md`, from what was measured."""

from collections.abc import Iterator
from typing import Any

from benchmarks._report import markdown, spread

PEERS = ("loop by hand", "skorch", "darts", "neuralforecast, one series", "neuralforecast, ten series")
RATES = {
    "targets_per_s": "Targets/s of training",
    "forecasts_per_s": "Forecasts/s",
    "stateful_per_s": "Forecasts/s, one pass over each series",
}
TRAINED, FORECAST, STATEFUL = RATES
LARGE, SMALL = "64/168/64, 24 features", "16/24/32, 24 features"
ALIKE = {LARGE: (0.97, 1.0, 1.1, 1.2, 25), SMALL: (1.0, 1.4, 2.3, 3.5, None)}  # targets for each peer, by size
TUNED, FASTER = {LARGE: (1.4, 1.4, 1.5, 1.6, 35)}, {LARGE: (20,) * 5}
RATIOS = {  # title: a side of ours, its rate, the rate of the peers, and the targets
    "Ordinary training, same allocator": ("skts", TRAINED, TRAINED, ALIKE),
    "Ordinary training, ours with tune_allocator, peers as installed": ("skts (tuned)", TRAINED, TRAINED, TUNED),
    "Forking, same allocator": ("skts, forking", TRAINED, TRAINED, {LARGE: (15,) * 5, SMALL: (8,) * 5}),
    "Forking, ours with tune_allocator, peers as installed": ("skts, forking (tuned)", TRAINED, TRAINED, FASTER),
    "As it comes, same allocator": ("skts, as it comes", TRAINED, TRAINED, {}),
    "A forecast from every row, windowed": ("skts", FORECAST, FORECAST, {LARGE: (None, None, 2, 2, 2)}),
    "A forecast from every row, stateful": ("skts", STATEFUL, FORECAST, {LARGE: (None, None, 50, 50, 50)}),
}
PEAKS = {
    "imports_of_torch_optim": "torch's late imports",
    "table": "table",
    "fit": "fit",
    "forecast": "forecast",
}
GROWTH = {
    "rows": ("n_rows", ","),
    "windows trained on": ("n_windows", ","),
    "set-up, s": ("setup_s", ".2f"),
    "training, s": ("loop_s", ".2f"),
    "held, MB": ("held_mb", ",.0f"),
    "peak above it, MB": ("mb_above_table", ",.0f"),
}


def make_blocks(found: dict[str, Any]) -> dict[str, str]:
    """Give what fills the page, as far as there are figures."""
    parts = {
        "Training and forecasting": ("speed", speed),
        "Where a step's time goes": ("profile", profile),
        "Memory": ("memory", memory),
        "More rows": ("growth", growth),
    }
    tables = [
        f"## {title}\n\n" + "\n\n".join(make(found[part])) for title, (part, make) in parts.items() if found.get(part)
    ]
    return {"the machine": machine(found), "the tables": "\n\n".join(tables)}


def machine(found: dict[str, Any]) -> str:
    """Say on what the figures were made."""
    about = dict(found["with"])
    python, processor, threads = (about.pop(key) for key in ("python", "processor", "threads"))
    made = ", ".join(f"{name} {version}" for name, version in about.items())
    loads = [load[0] for each in found.get("speed", {}).values() for load in each["load"]]
    load = f"; load average before the rounds {min(loads):.1f} to {max(loads):.1f}" if loads else ""
    return f"{made}; Python {python}. Machine: {processor}, shared, no GPU, threads: {threads}{load}."


def speed(found: dict[str, Any]) -> Iterator[str]:
    """Give rates, and ratios within rounds beside their targets."""
    for what, title in RATES.items():
        names = [name for name in next(iter(found.values()))["rounds"] if _has(found, name, what)]
        if names:
            rows = [[name, *(_rate(each["rounds"][name], what) for each in found.values())] for name in names]
            yield markdown([f"{title}: median (least to most)", *found], rows)
    for title, (ours, what, theirs, targets) in RATIOS.items():
        rows = []
        for number, peer in enumerate(PEERS):
            if _has(found, peer, theirs) and _has(found, ours, what):
                aims = [targets.get(size, (None,) * len(PEERS))[number] for size in found]
                ratios = [ratio(each, ours, peer, what, theirs) for each in found.values()]
                rows.append([peer, *map(_verdict, ratios, aims)])
        if rows:
            yield markdown([title, *found], rows)


def ratio(found: dict[str, Any], ours: str, other: str, what: str, theirs: str) -> dict[str, float]:
    """Compare two sides within each round, `what` of the first with `theirs` of the other."""
    pairs = zip(found["rounds"][ours], found["rounds"][other], strict=True)
    return spread([one[what] / another[theirs] for one, another in pairs])


def _verdict(of: dict[str, float], target: float | None) -> str:
    """Show a median and its range, and whether the target is reached where there is one."""
    shown = f"{_short(of['median'])} ({_short(of['min'])} to {_short(of['max'])})"
    if target is None:
        return shown
    return f"{shown}; target {target:g}: {'reached' if of['median'] >= target else '**missed**'}"


def _short(value: float) -> str:
    return f"{value:.3f}" if value < 3 else f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def _rate(rounds: list[dict[str, float]], what: str) -> str:
    of = spread([one[what] for one in rounds])
    return f"{of['median']:,.0f} ({of['min']:,.0f} to {of['max']:,.0f})"


def _has(found: dict[str, Any], name: str, what: str) -> bool:
    return all(what in each["rounds"].get(name, [{}])[0] for each in found.values())


def profile(found: dict[str, Any]) -> Iterator[str]:
    """Give the milliseconds of each part of a step."""
    for size, sides in found.items():
        rows = [[name, *(f"{value:.3f}" for value in parts.values())] for name, parts in sides.items()]
        yield markdown([f"ms a step, {size}", *next(iter(sides.values()))], rows)


def memory(found: dict[str, Any]) -> Iterator[str]:
    """Give the peaks after each stage."""
    rows = []
    for name, peaks in found.items():
        values = [peaks.get(f"peak_mb_{stage}") for stage in PEAKS]
        rows.append([name, *("" if value is None else f"{value:,.0f}" for value in values)])
    yield markdown(["Peak MB above imports, after", *PEAKS.values()], rows)


def growth(found: dict[str, Any]) -> Iterator[str]:
    """Give time and memory of ours by the number of rows."""
    rows = [[name, *(format(each[key], shown) for key, shown in GROWTH.values())] for name, each in found.items()]
    yield markdown(["Rows", *GROWTH], rows)
