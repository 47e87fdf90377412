"""The tables of the page, from what was measured."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from _rounds import ratio, spread

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
_FORECASTERS = ("darts", "neuralforecast, one series", "neuralforecast, ten series")


_MARK = "<!-- Below: written by hand; above: by benchmarks/speed/peers/run.py -->\n"
_INTRO = """# Speed beside other libraries

The tables come from `python benchmarks/speed/peers/run.py` ([results](../benchmarks/results/peers.json)), which
installs the peers once, with the versions of [its requirements](../benchmarks/speed/requirements-peers.txt):
{versions}; Python {python}. Machine: {cpu}, shared, no GPU, one thread; load average before the rounds {load}.

Sizes read units of the LSTM / rows of the window / windows a step; the horizon is 24, on ten series of 8,760 rows of
noise. Every contender has a process of its own. They take turns; a ratio is taken within a round, and cells are medians
of {n_rounds} rounds with the least and the most. Timed is the loop over batches, for forecasts the whole call.
"""


def write_page(found: dict[str, Any], path: Path) -> None:
    """Write the page anew, but for what stands below the mark."""
    by_hand = path.read_text().partition(_MARK)[2] if path.exists() else ""
    path.write_text(f"{_intro(found)}\n{tables(found)}\n{_MARK}{by_hand}")


def _intro(found: dict[str, Any]) -> str:
    kept = {"cpu", "python", "threads"}
    loads = [load[0] for each in found["speed"].values() for load in each["load"]]
    return _INTRO.format(
        versions=", ".join(f"{name} {version}" for name, version in found["with"].items() if name not in kept),
        python=found["with"]["python"],
        cpu=found["with"]["cpu"],
        load=f"{min(loads):.1f} to {max(loads):.1f}",
        n_rounds=len(next(iter(found["speed"].values()))["load"]),
    )


def tables(found: dict[str, Any]) -> str:
    """Give all tables that there are figures for, as Markdown."""
    parts = {"speed": speed, "profile": profile, "memory": memory, "growth": growth}
    heads = {
        "speed": "Training and forecasting",
        "profile": "Where a step's time goes",
        "memory": "Memory",
        "growth": "More rows",
    }
    lines = []
    for name, part in parts.items():
        if found.get(name):
            lines += [f"## {heads[name]}", "", *part(found[name])]
    return "\n".join(lines)


def speed(found: dict[str, Any]) -> Iterator[str]:
    yield from _rates("Targets/s of training", found, "targets_per_s")
    yield from _rates("Forecasts/s", found, "forecasts_per_s")
    yield from _rates("Forecasts/s, one pass over each series", found, "stateful_per_s")
    for title, ours, tuned in (
        ("Ordinary training, same allocator", "skts", False),
        ("Ordinary training, ours with tune_allocator, peers as installed", "skts", True),
        ("Forking, same allocator", "skts, forking", False),
        ("Forking, ours with tune_allocator, peers as installed", "skts, forking", True),
        ("As it comes, same allocator", "skts, as it comes", False),
    ):
        yield from _ratios(title, found, f"{ours} (tuned)" if tuned else ours, _aims(ours, tuned))
    for title, what, aim in (
        ("A forecast from every row, windowed", "forecasts_per_s", WINDOWED),
        ("A forecast from every row, stateful", "stateful_per_s", STATEFUL),
    ):
        aims = dict.fromkeys(_FORECASTERS, (aim, None))
        yield from _ratios(title, found, "skts", aims, what, "forecasts_per_s")


def _aims(ours: str, tuned: bool) -> dict[str, tuple[float | None, float | None]]:
    """Give the targets at 64/168/64 and at 16/24/32 for each peer."""
    if ours == "skts, as it comes":
        return {}
    of = dict.fromkeys(TARGETS, FORKING) if ours == "skts, forking" else TARGETS
    return {peer: (aims[1], None) if tuned else (aims[0], aims[2]) for peer, aims in of.items()}


def _rates(title: str, found: dict[str, Any], what: str) -> Iterator[str]:
    yield from _head([f"{title}: median (least to most)", *found])
    names = [name for name in next(iter(found.values()))["rounds"] if _has(found, name, what)]
    for name in names:
        spreads = [spread([one[what] for one in each["rounds"][name]]) for each in found.values()]
        yield _row([name, *(f"{s['median']:,.0f} ({s['min']:,.0f} to {s['max']:,.0f})" for s in spreads)])
    yield ""


def _ratios(
    title: str,
    found: dict[str, Any],
    ours: str,
    aims: dict[str, tuple[float | None, float | None]],
    what: str = "targets_per_s",
    theirs: str | None = None,
) -> Iterator[str]:
    """Give the ratios of ours to each peer, with the target where there is one."""
    if not _has(found, ours, what):
        return
    yield from _head([title, *found])
    for peer in TARGETS:
        if not _has(found, peer, theirs or what):
            continue
        cells = []
        for size, each in found.items():
            of = ratio(each, ours, peer, what, theirs)
            place = {"64/168/64, 24 features": 0, "16/24/32, 24 features": 1}.get(size)
            aim = aims[peer][place] if peer in aims and place is not None else None
            cells.append(
                f"{_short(of['median'])} ({_short(of['min'])} to {_short(of['max'])}){_verdict(of['median'], aim)}"
            )
        yield _row([peer, *cells])
    yield ""


def _short(ratio: float) -> str:
    return f"{ratio:.3f}" if ratio < 3 else f"{ratio:,.1f}" if ratio < 100 else f"{ratio:,.0f}"


def _verdict(value: float, aim: float | None) -> str:
    if aim is None:
        return ""
    return f"; target {aim:g}: {'reached' if value >= aim else '**missed**'}"


def profile(found: dict[str, Any]) -> Iterator[str]:
    for size, sides in found.items():
        yield from _head([f"ms a step, {size}", *next(iter(sides.values()))])
        for name, parts in sides.items():
            yield _row([name, *(f"{value:.3f}" for value in parts.values())])
        yield ""


def memory(found: dict[str, Any]) -> Iterator[str]:
    columns = ("imports_of_torch_optim", "table", "fit", "forecast")
    yield from _head(["Peak MB above imports, after", "torch's late imports", "table", "fit", "forecast"])
    for name, peaks in found.items():
        values = [peaks.get(f"peak_mb_{column}") for column in columns]
        yield _row([name, *("" if value is None else f"{value:,.0f}" for value in values)])
    yield ""


def growth(found: dict[str, Any]) -> Iterator[str]:
    yield from _head(
        ["Rows", "rows", "windows trained on", "set-up, s", "training, s", "held, MB", "peak above it, MB"]
    )
    for name, each in found.items():
        yield _row(
            [
                name,
                f"{each['n_rows']:,}",
                f"{each['n_windows']:,}",
                f"{each['setup_s']:.2f}",
                f"{each['loop_s']:.2f}",
                f"{each['held_mb']:,.0f}",
                f"{each['mb_above_table']:,.0f}",
            ]
        )
    yield ""


def _has(found: dict[str, Any], name: str, what: str) -> bool:
    return all(what in each["rounds"].get(name, [{}])[0] for each in found.values())


def _head(cells: Sequence[str]) -> Iterator[str]:
    yield _row(cells)
    yield "|" + "---|" * len(cells)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
