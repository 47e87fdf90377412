"""The tables of `docs/speed_peers.md`, from what was measured."""

from collections.abc import Iterator
from typing import Any

from benchmarks._report import markdown, spread

# peer: targets at 64/168/64 with the same allocator and with ours tuned, at 16/24/32 with the same allocator
TARGETS: dict[str, tuple[float | None, float | None, float | None]] = {
    "loop by hand": (0.97, 1.4, 1.0),
    "skorch": (1.0, 1.4, 1.4),
    "darts": (1.1, 1.5, 2.3),
    "neuralforecast, one series": (1.2, 1.6, 3.5),
    "neuralforecast, ten series": (25, 35, None),
}
FORKING = (15, 20, 8)
WINDOWED, STATEFUL = 2, 50
RATES = {
    "targets_per_s": "Targets/s of training",
    "forecasts_per_s": "Forecasts/s",
    "stateful_per_s": "Forecasts/s, one pass over each series",
}
RATIOS = {  # a side of ours: the title of the table, and which of the targets holds
    "skts": ("Ordinary training, same allocator", TARGETS),
    "skts (tuned)": ("Ordinary training, ours with tune_allocator, peers as installed", TARGETS),
    "skts, forking": ("Forking, same allocator", dict.fromkeys(TARGETS, FORKING)),
    "skts, forking (tuned)": ("Forking, ours with tune_allocator, peers as installed", dict.fromkeys(TARGETS, FORKING)),
    "skts, as it comes": ("As it comes, same allocator", {}),
}
_COLUMNS = {"64/168/64, 24 features": 0, "16/24/32, 24 features": 2}
_GROWTH = ("rows", "windows trained on", "set-up, s", "training, s", "held, MB", "peak above it, MB")
_PEAKS = ("imports_of_torch_optim", "table", "fit", "forecast")


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
    if "with" not in found:
        return ""
    loads = [load[0] for each in found.get("speed", {}).values() for load in each["load"]]
    about = {**found["with"]}
    python, cpu, threads = (about.pop(key) for key in ("python", "cpu", "threads"))
    made = ", ".join(f"{name} {version}" for name, version in about.items())
    load = f"; load average before the rounds {min(loads):.1f} to {max(loads):.1f}" if loads else ""
    return f"{made}; Python {python}. Machine: {cpu}, shared, no GPU, threads: {threads}{load}."


def speed(found: dict[str, Any]) -> Iterator[str]:
    """Give rates, and ratios within rounds beside their targets."""
    for what, title in RATES.items():
        names = [name for name in next(iter(found.values()))["rounds"] if _has(found, name, what)]
        if names:
            rows = [[name, *(_rate(each["rounds"][name], what) for each in found.values())] for name in names]
            yield markdown([f"{title}: median (least to most)", *found], rows)
    for ours, (title, targets) in RATIOS.items():
        tuned = ours.endswith("(tuned)")
        aims = {peer: (aim[1], None, None) if tuned else (aim[0], None, aim[2]) for peer, aim in targets.items()}
        yield from _ratios(title, found, ours, aims)
    for title, what, aim in (
        ("A forecast from every row, windowed", "forecasts_per_s", WINDOWED),
        ("A forecast from every row, stateful", "stateful_per_s", STATEFUL),
    ):
        libraries = [peer for peer in TARGETS if peer.startswith(("darts", "neuralforecast"))]
        yield from _ratios(title, found, "skts", dict.fromkeys(libraries, (aim, None, None)), what, "forecasts_per_s")


def _ratios(
    title: str, found: dict[str, Any], ours: str, aims: dict, what: str = "targets_per_s", theirs: str = "targets_per_s"
) -> Iterator[str]:
    """Compare ours with each peer, and say whether the target is reached where there is one."""
    peers = [peer for peer in TARGETS if _has(found, peer, theirs)]
    if not peers or not _has(found, ours, what):
        return
    rows = []
    for peer in peers:
        cells = []
        for size, each in found.items():
            of = ratio(each, ours, peer, what, theirs)
            aim = aims.get(peer, (None, None, None))[_COLUMNS[size]] if size in _COLUMNS else None
            shown = f"{_short(of['median'])} ({_short(of['min'])} to {_short(of['max'])})"
            cells.append(shown + _verdict(of["median"], aim))
        rows.append([peer, *cells])
    yield markdown([title, *found], rows)


def ratio(found: dict[str, Any], ours: str, other: str, what: str, theirs: str) -> dict[str, float]:
    """Compare two sides within each round, `what` of the first with `theirs` of the other."""
    pairs = zip(found["rounds"][ours], found["rounds"][other], strict=True)
    return spread([one[what] / another[theirs] for one, another in pairs])


def _rate(rounds: list[dict[str, float]], what: str) -> str:
    of = spread([one[what] for one in rounds])
    return f"{of['median']:,.0f} ({of['min']:,.0f} to {of['max']:,.0f})"


def _short(value: float) -> str:
    return f"{value:.3f}" if value < 3 else f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def _verdict(value: float, aim: float | None) -> str:
    if aim is None:
        return ""
    return f"; target {aim:g}: {'reached' if value >= aim else '**missed**'}"


def profile(found: dict[str, Any]) -> Iterator[str]:
    """Give the milliseconds of each part of a step."""
    for size, sides in found.items():
        rows = [[name, *(f"{value:.3f}" for value in parts.values())] for name, parts in sides.items()]
        yield markdown([f"ms a step, {size}", *next(iter(sides.values()))], rows)


def memory(found: dict[str, Any]) -> Iterator[str]:
    """Give the peaks after each stage."""
    rows = []
    for name, peaks in found.items():
        values = [peaks.get(f"peak_mb_{column}") for column in _PEAKS]
        rows.append([name, *("" if value is None else f"{value:,.0f}" for value in values)])
    yield markdown(["Peak MB above imports, after", "torch's late imports", "table", "fit", "forecast"], rows)


def growth(found: dict[str, Any]) -> Iterator[str]:
    """Give time and memory of ours by the number of rows."""
    keys = {"n_rows": ",", "n_windows": ",", "setup_s": ".2f", "loop_s": ".2f", "held_mb": ",.0f"}
    keys["mb_above_table"] = ",.0f"
    rows = [[name, *(format(each[key], shown) for key, shown in keys.items())] for name, each in found.items()]
    yield markdown(["Rows", *_GROWTH], rows)


def _has(found: dict[str, Any], name: str, what: str) -> bool:
    return all(what in each["rounds"].get(name, [{}])[0] for each in found.values())
