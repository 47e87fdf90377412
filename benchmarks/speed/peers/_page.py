"""The page of the results: tables, and what they say."""

from _rounds import label, ratio, spread

DEFAULT, SMALL = "64/168/64, 24 features", "16/24/32, 24 features"
PEERS = {
    "loop by hand": "hand-written loop, lazy gather",
    "skorch": "skorch, as it comes",
    "darts": "darts, BlockRNNModel",
    "neuralforecast, one series": "neuralforecast LSTM, a series a batch",
    "neuralforecast, ten series": "neuralforecast LSTM, ten series a batch",
}
WANTED = {  # of ours to theirs: default size, the same with the allocator tuned, small size
    "loop by hand": (0.97, 1.4, 1.0),
    "skorch": (1.0, 1.4, 1.4),
    "darts": (1.1, 1.5, 2.3),
    "neuralforecast, one series": (1.2, 1.6, 3.5),
    "neuralforecast, ten series": (25, 35, None),
}
WANTED_FORKING = (15, 20, 8)
WANTED_FROM_EVERY_ROW = {"skts": 2, "skts, stateful": 50}
WANTED_MB = 200
INTRO = """# Speed beside other libraries

`make peers && .venv-peers/bin/python benchmarks/speed/peers/run.py` writes this page and the
[results](../benchmarks/results/peers.json). {processor}, {cores} cores, one thread, no GPU; load of the machine
before the rounds {load}. {versions}.

The same work for all: one LSTM layer that reads the window, a linear head for 24 values, mean squared error, AdamW
(fused) at one rate, the gradient clipped, float32, shuffled batches; ten series of 8,760 rows of noise, nothing known
ahead. Each contender's steps, windows, rows, columns, units and optimizer were counted by hooks of torch before it
was timed, and asserted to be alike. What differs as each library is built is said in [the
code](../benchmarks/speed/peers/_contenders.py). Every contender has its process; they take turns, and a ratio is
taken within a round. What stands here are medians of {n_rounds} rounds, and their least and greatest. Timed is the
loop over batches; cutting windows and setting up a trainer is the column "set-up".

"""


def as_ratio(found, wanted=None):
    """Say a ratio with its spread, and whether it is what was wanted."""
    text = f"{found['median']:.2f} ({found['min']:.2f} to {found['max']:.2f})"
    if found["median"] >= 10:
        text = f"{found['median']:.0f} ({found['min']:.0f} to {found['max']:.0f})"
    if wanted is None:
        return text
    return f"{text}; {'reached' if found['median'] >= wanted else '**missed**'}: {wanted}"


def ratios(by_name):
    """Compare ours with each peer, and say what was wanted."""
    heads = [
        "ours to",
        "64/168/64, same allocator",
        "64/168/64, ours with `tune_allocator`",
        "16/24/32, same allocator",
    ]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    cases = ((DEFAULT, False), (DEFAULT, True), (SMALL, False))
    for peer, name in PEERS.items():
        cells = [
            as_ratio(ratio(by_name[size], label(("skts", tuned)), peer), wanted)
            for (size, tuned), wanted in zip(cases, WANTED[peer], strict=True)
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    cells = []
    for (size, tuned), wanted in zip(cases, WANTED_FORKING, strict=True):
        against = [ratio(by_name[size], label(("skts, forking", tuned)), peer) for peer in PEERS]
        cells.append(as_ratio(min(against, key=lambda found: found["median"]), wanted))
    lines.append(f"| the fastest of them, ours with `origins_per_window=24`: targets | {' | '.join(cells)} |")
    return lines


def forecasts(by_name):
    """Compare a forecast from every row."""
    lines = ["| a forecast from every row, 64/168, 24 features | ours by windows | ours, stateful |", "|---|---|---|"]
    for peer, name in PEERS.items():
        cells = [
            as_ratio(
                ratio(by_name[DEFAULT], ours, peer, "forecasts_per_s"),
                wanted if "darts" in peer or "neural" in peer else None,
            )
            for ours, wanted in WANTED_FROM_EVERY_ROW.items()
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def rates(measured):
    """List targets and forecasts per second of every side, for each size."""
    lines = ["| units/window/batch | who | targets/s | set-up, s | forecasts/s |", "|---|---|---|---|---|"]
    for found in measured:
        work = found["work"]
        size = f"{work['hidden']}/{work['window']}/{work['batch']}, {work['n_features']} features"
        for name, rounds in found["rounds"].items():
            trained, ready, forecast = (
                spread([each[key] for each in rounds]) for key in ("targets_per_s", "setup_s", "forecasts_per_s")
            )
            lines.append(
                f"| {size} | {name} | {trained['median']:,.0f} ({trained['min']:,.0f} to {trained['max']:,.0f}) "
                f"| {ready['median']:.2f} | {forecast['median']:,.0f} |"
            )
    return lines


def memory(found):
    """List the peaks of resident memory above the imports."""
    keys = {"imports_of_torch_optim": "an optimizer", "table": "the table", "fit": "20 steps", "forecast": "forecasts"}
    lines = [f"| MB above imports, after | {' | '.join(keys.values())} |", "|---" * (1 + len(keys)) + "|"]
    for name, peaks in found.items():
        cells = [f"{peaks[f'peak_mb_{key}']:,.0f}" if f"peak_mb_{key}" in peaks else "failed" for key in keys]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def growth(found):
    """List seconds and memory for more and more rows."""
    lines = ["| | rows | seconds of an epoch, set-up included | MB above imports | MB of the table alone |"]
    lines.append("|---" * 5 + "|")
    for each in found:
        if "error" in each:
            cells = [f"failed: {each['error'][:80]}", "", ""]
        else:
            cells = [f"{each['fit_s']:.2f}", f"{each['peak_mb_fit']:,.0f}", f"{each['peak_mb_table']:,.0f}"]
        lines.append(f"| {each['contender']} | {each['rows']:,} | {' | '.join(cells)} |")
    return lines


def write_page(found, path):
    """Write the page, but for what a person says of it: that stands behind the mark, and stays."""
    mark = "<!-- what a reader should know -->\n"
    by_name = {}
    for each in found["rounds"]:
        work = each["work"]
        by_name[f"{work['hidden']}/{work['window']}/{work['batch']}, {work['n_features']} features"] = each
    loads = [load[0] for each in found["rounds"] for load in each["load"]]
    intro = INTRO.format(
        processor=found["processor"],
        cores=found["cores"],
        load=f"{min(loads):.1f} to {max(loads):.1f}",
        versions=", ".join(f"{name} {version}" for name, version in found["versions"].items()),
        n_rounds=len(loads) // len(found["rounds"]),
    )
    parts = {
        "Against what was wanted": [*ratios(by_name), "", *forecasts(by_name)],
        "Rates": rates(found["rounds"]),
        "Memory": [
            f"64/168/64, 24 features, all windows at hand; wanted are at most {WANTED_MB} MB.",
            "",
            *memory(found["memory"]),
        ],
        "More rows": [
            "16/24/32, 1 feature, windows at every 24th row (forking: at every row).",
            "",
            *growth(found["growth"]),
        ],
    }
    said = path.read_text().split(mark)[1] if path.exists() else "\n"
    tables = "".join(f"## {title}\n\n" + "\n".join(lines) + "\n\n" for title, lines in parts.items())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(intro + tables + mark + said)
