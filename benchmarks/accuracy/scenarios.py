"""Scenarios of whole days of ten wind farms and of four turbines, beside the same margins drawn independently.

    python benchmarks/accuracy/scenarios.py [--seeds 0 1 2] [--parts GEFCom2014]

The first data set is that of `gefcom2014.py`, the second is bundled. References are the very same samples, put together
anew: each hour, each station or each value on its own.
"""

import sys
import time
import warnings
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import torch
from sklearn.compose import make_column_selector
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a checkout that is not installed
import skts
from benchmarks._report import (
    Parser,
    data_file,
    made_with,
    markdown,
    number_of,
    results_file,
    save_json,
    write_page,
)
from benchmarks.accuracy import gefcom2014
from skts import HistoryPrepender, LSTMRegressor, SlidingWindower
from skts.datasets import load_la_haute_borne
from skts.exceptions import MissingHistoryWarning
from skts.features import CalendarFeatures, WindFeatures
from skts.inspection import ReliabilityDisplay
from skts.metrics import energy_score, mean_quantile_loss, variogram_score
from skts.strategies import ScenarioSampler, portfolio

NAME = "scenarios"
HORIZON = 24
LEVELS = [0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99]
SCORED = (np.arange(1, 20) / 20).round(2)
RATED = 2050.0  # kW, of a turbine of La Haute Borne
PARTS = {"GEFCom2014": "ten wind farms", "La Haute Borne": "four turbines"}
WAYS = {
    "independent": "all independent",
    "hours": "hours as they go together, stations independent",
    "stations": "stations as they go together, hours independent",
    "separable": "**skts ScenarioSampler**",
    "shrunk": '**skts ScenarioSampler**, `structure="shrunk"`',
}
LINES = {"scenarios": "separable", "independent": "independent"}  # of the picture
SCORES = {
    "energy": ("energy score", 4),
    "variogram": ("variogram score", 1),
    "hour": ("sum of an hour: pinball loss", 4),
    "hour covered": ("80 % interval covers", 3),
    "day": ("sum of a day: pinball loss", 3),
    "day covered": ("80 % interval covers", 3),
}


def read(part, data):
    """Give the table, its power in units of capacity, and which rows train; the others begin with a day."""
    if part == "GEFCom2014":
        table = gefcom2014.load(data_file(data, gefcom2014.FILE))
        X, y, begin = table.drop(columns="power"), table["power"], pd.Timestamp("2013-03-01 01:00")
    else:
        X, y = load_la_haute_borne(return_X_y=True)
        y, begin = y / RATED, pd.Timestamp("2015-07-01", tz="UTC")
    return X, y, X.index.get_level_values(-1) < begin


def make_pipeline(part, seed, quick=False):
    """A bidirectional LSTM over the weather of the day ahead, which forecasts quantiles."""
    network = LSTMRegressor(
        hidden_size=8 if quick else 32,
        dropout=0.2,
        input_dropout=0.1,
        lookahead=6,
        series_embedding=8 if part == "GEFCom2014" else 4,
        max_epochs=1 if part == "GEFCom2014" or quick else 4,
        subsample=0.25,
        lr_schedule="one_cycle",
        batch_size=64,
        weight_decay=0.05 if part == "GEFCom2014" else 0.01,
        quantiles=LEVELS,
        bounds=(0, 1),
        bidirectional=True,
        origins_per_pass=1,
        lr=5e-3 if part == "GEFCom2014" else 3e-3,
        random_state=seed,
    )
    stride = 12 if quick else 1
    if part == "GEFCom2014":
        first, windower = (
            gefcom2014.make_features("lstm"),
            SlidingWindower(12, HORIZON, stride=stride, known=slice(None)),
        )
    else:
        first = [("wind", WindFeatures("era5_u100", "era5_v100")), ("calendar", CalendarFeatures(["hour"]))]
        windower = SlidingWindower(48, HORIZON, stride=stride, known=make_column_selector("^(?!power_kw)"))
    steps = [*first, ("scale", StandardScaler()), ("history", HistoryPrepender(windower.window)), ("windows", windower)]
    return Pipeline([*steps, ("lstm", network)]).set_output(transform="pandas")


def put_together_anew(samples, keys, seed):
    """Draw anew which scenarios stand beside each other, the same for all rows of one key; margins stay as they are."""
    rng, number = np.random.default_rng(seed), pd.factorize(keys)[0]
    orders = np.stack([rng.permutation(len(samples)) for _ in range(number.max() + 1)])
    return samples[orders[number].T, np.arange(samples.shape[1])]


def draw(part, seed, X, y, trains, n, quick):
    """Give the scenarios of the test rows, by all ways."""
    test = X[~trains]
    sampler = ScenarioSampler(make_pipeline(part, seed, quick), calibration=0.3, random_state=seed)
    samples = sampler.fit(X[trains], y[trains]).sample(test, n, random_state=seed)
    hours, stations = (test.index.get_level_values(level) for level in (-1, 0))
    return {
        "independent": put_together_anew(samples, np.arange(len(test)), seed),
        "hours": put_together_anew(samples, stations, seed),
        "stations": put_together_anew(samples, hours, seed),
        "separable": samples,
        "shrunk": sampler.set_params(structure="shrunk").fit(X[trains], y[trains]).sample(test, n, random_state=seed),
    }


def sums_of(samples, y, day):
    """Give the truth and the quantiles of the sum over stations, of each hour and of each day that has all values."""
    whole = y.groupby(level=-1).sum(min_count=len(y.index.unique(0)))
    yield whole, portfolio(samples, y.index, SCORED)
    number, labels = pd.factorize(day, sort=True)
    totals = np.stack([np.bincount(number, one) for one in samples])
    told = pd.Series(np.bincount(number, y.to_numpy()), index=labels)  # NaN where a value is missing
    yield told, pd.DataFrame(np.quantile(totals, SCORED, axis=0).T, index=labels)


def score(samples, y, day):
    """Give all scores of the scenarios."""
    found = {
        "energy": energy_score(y, samples, groups=day),
        "variogram": variogram_score(y, samples, groups=day),
    }
    for name, (told, quantiles) in zip(("hour", "day"), sums_of(samples, y, day), strict=True):
        there = told.notna().to_numpy()
        told, levels = told.to_numpy()[there], quantiles.to_numpy()[there]
        low, high = (levels[:, np.searchsorted(SCORED, level)] for level in (0.1, 0.9))
        found[name] = mean_quantile_loss(told, levels, quantiles=SCORED)
        found[f"{name} covered"] = float(((low <= told) & (told <= high)).mean())
    low, high = np.quantile(samples, [0.1, 0.9], axis=0)
    there = y.notna()
    found["covered"] = y[there].between(low[there], high[there]).mean()  # of single values, by all ways alike
    return {name: float(value) for name, value in found.items()}


def reliability(told, quantiles):
    """Give the shares of sums below their quantiles, and where those of a calibrated forecast would lie."""
    import matplotlib.pyplot as plt

    there = told.notna().to_numpy()
    display = ReliabilityDisplay.from_predictions(told[there], quantiles.to_numpy()[there], quantiles=SCORED)
    plt.close(display.figure_)
    return {name: getattr(display, name).tolist() for name in ("levels", "observed", "low", "high")}


def draw_picture(panels, path):
    """Draw how often the sums lie below their quantiles: a panel for hours and one for days."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(6.0, 3.4), layout="constrained", sharey=True)
    for ax, (title, lines) in zip(axes, panels.items(), strict=True):
        for (name, each), color in zip(lines.items(), ("#0072B2", "#D55E00"), strict=True):
            if name == "scenarios":
                label = "where 90 % of calibrated forecasts would lie"
                ax.vlines(each["levels"], each["low"], each["high"], color="#BBBBBB", linewidth=5, label=label)
            ax.plot(each["levels"], each["observed"], "o-", color=color, markersize=4, linewidth=1.3, label=name)
        ax.plot([0, 1], [0, 1], color="#444444", linewidth=0.8, linestyle="--")
        ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xlabel="level of the quantile")
        ax.set_title(title, loc="left", fontsize="medium", color="#444444")
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("share of sums below it")
    entries = axes[0].get_legend_handles_labels()
    figure.legend(*entries, loc="outside upper left", ncols=3, frameon=False, fontsize="small")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)
    plt.close(figure)


def make_blocks(found):
    """Write the tables of the page."""
    blocks, records = [], pd.DataFrame(found["records"])
    for part, what in PARTS.items():
        own = records[records["part"] == part]
        if own.empty:
            continue
        rows = []
        for way, label in WAYS.items():
            some = own[own["way"] == way]
            cells = [_cell(some[name], digits) for name, (_, digits) in SCORES.items()]
            rows.append([label, *cells])
        table = markdown(["", *(label for label, _ in SCORES.values())], rows)
        alone = f"Of single values, intervals of 80 % cover {_cell(own[own['way'] == 'separable']['covered'], 3)}."
        blocks.append(f"## {part}, {what}\n\n{table}\n\n{alone}")
    made = ", ".join(f"{key} {value}" for key, value in found["made_with"].items())
    seeds = " ".join(str(seed) for seed in sorted(records["seed"].unique()))
    run = (
        f"```console\n$ python benchmarks/accuracy/scenarios.py --seeds {seeds}\n```\n\n"
        f"{found['wall_seconds'] / 60:.0f} minutes in all, {found['scenarios']} scenarios. {made}. Every draw: "
        "[accuracy_scenarios.json](../../benchmarks/results/accuracy_scenarios.json)."
    )
    return {"results": "\n\n".join(blocks), "the run": run}


def _cell(values, digits):
    also = f" ± {number_of(values.std(), digits)}" if len(values) > 1 else ""
    return number_of(values.mean(), digits) + also


def main():
    """Run the benchmark."""
    parser = Parser(__doc__, data=True, seeds=(0, 1, 2))
    parser.add_choice("--parts", PARTS)
    parser.add_argument("--scenarios", type=int, default=300)
    options = parser.parse_args()
    n = 20 if options.quick else options.scenarios
    matplotlib.use("Agg")
    began, records, panels = time.perf_counter(), [], {}
    for part in options.parts:
        X, y, trains = read(part, options.data)
        test = y[~trains]
        first = test.index.get_level_values(-1).min()
        day = np.asarray((test.index.get_level_values(-1) - first) // pd.Timedelta(days=1))
        for seed in options.seeds:
            for way, samples in draw(part, seed, X, y, trains, n, options.quick).items():
                records.append({"part": part, "way": way, "seed": seed, **score(samples, test, day)})
                print(records[-1], flush=True)
                if part == options.parts[0] and seed == options.seeds[0] and way in LINES.values():
                    name = next(name for name in LINES if LINES[name] == way)
                    for title, sums in zip(
                        ("sum of an hour", "sum of a day"), sums_of(samples, test, day), strict=True
                    ):
                        panels.setdefault(title, {})[name] = reliability(*sums)
    found = {
        "name": NAME,
        "wall_seconds": time.perf_counter() - began,
        "scenarios": n,
        "made_with": made_with("torch", "scikit-learn") | {"skts": skts.__version__, "threads": 1},
        "settings": {part: make_pipeline(part, None).__repr__(N_CHAR_MAX=10_000) for part in options.parts},
        "reliability": {title: {name: lines[name] for name in LINES} for title, lines in panels.items()},
        "records": records,
    }
    save_json(found, results_file(options.output, f"accuracy_{NAME}"))
    draw_picture(found["reliability"], options.output / "docs" / "images" / "scenarios_reliability.png")
    write_page(f"accuracy/{NAME}.md", make_blocks(found), options.output)


if __name__ == "__main__":
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", MissingHistoryWarning)
    main()
