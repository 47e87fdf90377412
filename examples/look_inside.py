"""How long should the history be, and what do two networks look at: measured and drawn, on four wind turbines.

Run: python examples/look_inside.py [--only memory history_curve]
"""

import argparse
import json
import os
import platform
import time
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.compose import make_column_selector
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skts import HistoryPrepender, LSTMRegressor, SlidingWindower, TransformerRegressor, __version__
from skts.datasets import load_la_haute_borne
from skts.exceptions import MissingHistoryWarning
from skts.features import CalendarFeatures, WindFeatures
from skts.inspection import (
    AttentionMapDisplay,
    ErrorByLeadDisplay,
    FeatureImportanceDisplay,
    ForecastDisplay,
    HistoryCurveDisplay,
    LearningCurveDisplay,
    MemoryDisplay,
    PanelDisplay,
    ReliabilityDisplay,
    ResidualMapDisplay,
    SplitDisplay,
    attention_map,
    feature_importance,
    history_curve,
    memory_profile,
)
from skts.model_selection import PanelTimeSeriesSplit, backtest
from skts.strategies import EnsembleRegressor, WindowedRegressor

ROOT = Path(__file__).resolve().parents[1]
TEST_FROM = "2015-07-01"  # all before teaches, all from then on is forecast
WINDOW, HORIZON = 168, 24
NETWORKS = {"LSTM": LSTMRegressor, "Transformer": TransformerRegressor}
LEVELS = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95]
GROUPS = {
    "past power": "power_kw",
    "wind": make_column_selector("100|wind"),
    "temperature": "era5_t2m",
    "pressure": "era5_sp",
    "hour of the day": make_column_selector("^hour"),
}


def make_pipeline(regressor):
    """A week of every turbine in, a day out; all columns but the power are known ahead."""
    windower = SlidingWindower(WINDOW, horizon=HORIZON, known=make_column_selector("^(?!power_kw)"))
    steps = [("scale", StandardScaler()), ("history", HistoryPrepender(WINDOW)), ("windows", windower)]
    return Pipeline([*steps, ("regressor", regressor)]).set_output(transform="pandas")


class Inside:
    """The table, the networks that were trained on it so far, and what was found."""

    def __init__(self, options):
        self.options, self.quick = options, options.quick
        X, y = load_la_haute_borne(return_X_y=True)
        if self.quick:
            times = X.index.get_level_values("time")
            few = np.asarray((times >= "2015-06-01") & (times < "2015-07-25"))
            X, y = X[few], y[few]
        self.raw, self.y = X, y
        self.X = CalendarFeatures(["hour"]).fit_transform(WindFeatures("era5_u100", "era5_v100").fit_transform(X))
        self.is_new = np.asarray(X.index.get_level_values("time") >= TEST_FROM)
        self.new = self.X[self.is_new], y[self.is_new]
        quarters = PanelTimeSeriesSplit(4, test_size=24 * 91)  # 2015: each quarter after all hours before it
        self.cv = PanelTimeSeriesSplit(2, test_size=24 * 12) if self.quick else quarters
        self.fitted = {}

    def network(self, name, seed=0, **options):
        """Give a network as it is by default, but for how long it is trained."""
        usual = {"max_epochs": 4, "subsample": 0.25, "lr_schedule": "one_cycle", "random_state": seed, "device": "cpu"}
        little = {"max_epochs": 1, "subsample": 0.01} if self.quick else {}
        return NETWORKS[name](**usual | options | little)

    def fit(self, name):
        """Train one of them, once."""
        if name not in self.fitted:
            regressor = WindowedRegressor(Ridge(), lags=range(1, 7)) if name == "Ridge" else self.network(name)
            self.fitted[name] = make_pipeline(regressor).fit(self.X[~self.is_new], self.y[~self.is_new])
        return self.fitted[name]

    def backtest(self):
        """Forecast 2015 with quantiles, quarter by quarter, once."""
        if "backtest" not in self.fitted:
            pipe = make_pipeline(self.network("LSTM", quantiles=LEVELS))
            self.fitted["backtest"] = backtest(pipe, self.X, self.y, cv=self.cv, quantiles=LEVELS)
        return self.fitted["backtest"]


def draw_panel(inside):
    """What is in the table."""
    display = PanelDisplay.from_table(inside.raw, inside.y)
    hours = inside.y.isna().groupby(level=0).sum()
    return display.figure_, {"rows": len(inside.y), "hours_without_power": {k: int(n) for k, n in hours.items()}}


def draw_split(inside):
    """What the quarters of the history curve and of the backtest train on and test."""
    return SplitDisplay.from_splitter(inside.cv, inside.X, inside.y).figure_, {}


def draw_forecast(inside):
    """Two weeks of two turbines, with quantiles."""
    result = inside.backtest()
    series = list(result["turbine"].unique()[:2])
    shown = {"series": series, "start": None if inside.quick else "2015-11-06", "n_rows": 24 * 10}
    columns = [name for name in result.columns if name not in ("q0.25", "q0.75", "q0.05", "q0.95")]
    display = ForecastDisplay.from_backtest(result[columns], unit="kW", **shown)
    for ax in display.axes_:
        ax.set_ylabel("power (kW)")
    return display.figure_, {}


def draw_learning_curve(inside):
    """The losses of both networks, stopped early."""
    options = {"max_epochs": 15, "subsample": 0.1, "lr_schedule": "constant", "early_stopping": True}
    networks = {
        name: make_pipeline(inside.network(name, **options)).fit(inside.X[~inside.is_new], inside.y[~inside.is_new])
        for name in NETWORKS
    }
    display = LearningCurveDisplay.from_estimator(networks)
    kept = display.losses[display.losses["kept"]].reset_index()
    epochs = display.losses.groupby("estimator").size()
    found = {name: {"kept": int(epoch)} for name, epoch in zip(kept["estimator"], kept["epoch"], strict=True)}
    for name in found:
        found[name]["epochs"] = int(epochs[name])
    return display.figure_, found


def draw_error_by_lead(inside):
    """The error of both networks and two rivals, hour by hour."""
    X, y = inside.new
    forecasts = {name: inside.fit(name).predict(X) for name in [*NETWORKS, "Ridge"]}
    forecasts["persistence"] = repeat_last_power(inside)
    lead = X.index.get_level_values("time").hour + 1  # every day is forecast at its midnight
    ax, found = None, {}
    for name, y_pred in forecasts.items():
        display = ErrorByLeadDisplay.from_predictions(y, y_pred, lead=lead, name=name, unit="kW", ax=ax)
        ax = display.ax_
        mae = float(np.nanmean(np.abs(y - y_pred)))
        found[name] = {"mae": mae, "first_hour": display.error[0], "last_hour": display.error[-1]}
    return display.figure_, found


def repeat_last_power(inside):
    """Forecast the last power that was measured before midnight."""
    last = inside.y.groupby(level=0).ffill().groupby(level=0).shift(1)
    is_midnight = last.index.get_level_values("time").hour == 0
    return last.where(is_midnight).groupby(level=0).ffill()[inside.is_new].to_numpy()


def draw_reliability(inside):
    """Whether the quantiles of 2015 hold what they promise."""
    display = ReliabilityDisplay.from_backtest(inside.backtest(), name="LSTM")
    found = {name: getattr(display, name).tolist() for name in ("levels", "observed", "low", "high")}
    return display.figure_, found | {"by_series": display.observed_by_series.to_dict("list")}


def draw_residual_map(inside):
    """At which hours and in which months of 2015 the forecasts are wrong."""
    display = ResidualMapDisplay.from_backtest(inside.backtest(), unit="kW")
    means = {"by_month": display.bias.mean(axis=1), "by_hour": display.bias.mean(axis=0)}
    hours = inside.X.index.get_level_values("time").hour
    means |= {
        "wind_by_hour": inside.X["speed_era5_u100"].groupby(hours).mean(),
        "power_by_hour": inside.y.groupby(hours).mean(),
    }
    found = {name: {int(key): float(mean) for key, mean in one.items()} for name, one in means.items()}
    return display.figure_, found | {"mean": float(display.bias.stack().mean())}


def draw_memory(inside):
    """What each lag of the week contributes, hour by hour, and half a day at a time."""
    options = {"n_windows": 8 if inside.quick else 500, "random_state": 0}
    figure, axes = plt.subplots(2, len(NETWORKS), figsize=(9, 4.4), sharex=True, layout="constrained")
    found = {}
    for column, name in zip(axes.T, NETWORKS, strict=True):
        profile = memory_profile(inside.fit(name), *inside.new, method="both", **options)
        halves = memory_profile(inside.fit(name), *inside.new, block=12, **options)
        MemoryDisplay(**profile).plot(column, unit="h")
        column[0].set_title(name, loc="left", fontsize="medium")
        found[name] = tell_memory(profile, halves)
    return figure, found


def tell_memory(profile, halves):
    """Sum up: how far back, how much of it in the last days, and what forgetting costs."""
    rise, by_half_days = (each.forward.rise.by_lag for each in (profile, halves))
    measures = {"occlusion": profile.forward.change, "gradient": profile.backward.gradient}
    measures["occlusion_12"] = halves.forward.change
    return {
        "effective_memory": {
            "occlusion": profile.forward.effective_memory,
            "gradient": profile.backward.effective_memory,
            "occlusion_12": halves.forward.effective_memory,
        },
        "share": {
            name: {days: float(one.by_lag["mean"].loc[:days].sum() / one.by_lag["mean"].sum()) for days in (24, 48)}
            for name, one in measures.items()
        },
        "rise": {int(lag): rise.loc[lag].tolist() for lag in (1, 2, 3, 6, 12, 24)},
        "rise_12": {int(lag): by_half_days.loc[lag].tolist() for lag in by_half_days.index[:5]},
        "clear_12": [int(lag) for lag in by_half_days.index[by_half_days["low"] > 0]],
    }


def draw_history_curve(inside):
    """How long the history should be: of the mean of three networks, and of each of three LSTMs alone."""
    lengths = [6, 24] if inside.quick else [6, 12, 24, 48, 96, 168]
    sizes = {"figsize": (9, 4.6), "height_ratios": [2, 1]}
    figure, axes = plt.subplots(2, len(NETWORKS), sharex=True, layout="constrained", **sizes)
    found, seeds = {"folds": inside.cv.get_n_splits(), "members": 3}, range(3)
    for column, name in zip(axes.T, NETWORKS, strict=True):
        short = inside.network(name, subsample=0.1)
        pipe = make_pipeline(EnsembleRegressor(short, n_members=len(seeds), random_state=0))
        result = history_curve(pipe, inside.X, inside.y, lengths=lengths, cv=inside.cv)
        result.table["fit_seconds"] = [time_training(inside, name, length) for length in lengths]
        HistoryCurveDisplay.from_result(result, name="MAE", unit="kW", ax=column)
        column[0].set_title(f"{name}, mean of {len(seeds)}", loc="left", fontsize="medium")
        found[name] = tell_curve(result)
    found["one LSTM"] = [
        tell_curve(history_curve(pipe, inside.X, inside.y, lengths=lengths, cv=inside.cv))
        for pipe in (make_pipeline(inside.network("LSTM", seed=seed, subsample=0.1)) for seed in seeds)
    ]
    return figure, found


def time_training(inside, name, length):
    """Take the seconds of one network on one core, which other work on the machine does not add to."""
    pipe = make_pipeline(inside.network(name, subsample=0.1)).set_params(windows__window=length)
    start = time.process_time()
    pipe.fit(inside.X[~inside.is_new], inside.y[~inside.is_new])
    return time.process_time() - start


def tell_curve(result):
    """Sum up a history curve."""
    table = result.table.reset_index().to_dict("list")
    return {"best": result.best, "shortest": result.shortest, "table": table}


def draw_feature_importance(inside):
    """What forecasts owe to the past power, the wind, ..."""
    figure, axes = plt.subplots(1, len(NETWORKS), figsize=(9, 2.8), layout="constrained", sharex=True)
    found = {}
    for ax, name in zip(axes, NETWORKS, strict=True):
        options = {"groups": GROUPS, "n_repeats": 2 if inside.quick else 10, "random_state": 0}
        options |= {"block": 24 * 5} if inside.quick else {}
        result = feature_importance(inside.fit(name), *inside.new, **options)
        FeatureImportanceDisplay(table=result.table).plot(ax, unit="kW")
        ax.set_title(name, loc="left", fontsize="medium")
        found[name] = result.table.to_dict("index") | {"baseline": -result.baseline_score}
    return figure, found


def draw_attention(inside):
    """Where the heads of the transformer's first layer look."""
    found = attention_map(inside.fit("Transformer"), inside.new[0], random_state=0)
    display = AttentionMapDisplay(**found).plot(unit="h")
    in_window = found.by_lag.groupby(["layer", "head"]).mean()
    shares = {"window": in_window.sum(axis=1), "last_24": in_window.loc[:, :24].sum(axis=1)}
    shares["latest_patch_from_lead_1"] = found.by_lag.xs(1, level="lead").loc[:, : found.lags[-1, 1]].sum(axis=1)
    return display.figure_, {
        name: {f"layer {layer}, head {head}": float(share) for (layer, head), share in one.items()}
        for name, one in shares.items()
    }


def draw_attention_parts(inside):
    """Which columns of a row ahead and of a patch tell the heads where to look."""
    found = attention_map(inside.fit("Transformer"), inside.new[0], random_state=0)
    names = {"ahead": found.parts.query_names.tolist(), "window": found.parts.key_names.tolist()}
    return AttentionMapDisplay(**found).plot(kind="parts").figure_, names | {"sizes": found.parts.sizes.tolist()}


def with_interval(mean, low, high):
    """Write a mean and its interval, without a sign before nought."""
    mean, low, high = (round(number, 1) + 0.0 for number in (mean, low, high))
    return f"{mean:.1f} ({low:.1f} to {high:.1f})"


def write_errors(found):
    """Give the errors of all forecasters."""
    lines = ["| | MAE, kW | first hour | last hour |", "|---|---|---|---|"]
    for name, one in found.items():
        lines.append(f"| {name} | {one['mae']:.1f} | {one['first_hour']:.1f} | {one['last_hour']:.1f} |")
    return lines


def write_memory(found):
    """Give how far back both networks look, by each method."""
    lines = ["| | hidden | 95 % within | last 24 h | last 48 h |", "|---|---|---|---|---|"]
    ways = {"occlusion": "an hour", "occlusion_12": "12 hours at once", "gradient": "nothing: the gradient"}
    for name, one in found.items():
        for way, words in ways.items():
            shares = " | ".join(f"{100 * one['share'][way][days]:.0f} %" for days in ("24", "48"))
            lines.append(f"| {name} | {words} | {one['effective_memory'][way]} h | {shares} |")
    return lines


def write_rises(found):
    """Give what the error rises by where the latest rows are hidden."""
    lines = ["| hidden | " + " | ".join(f"{name}, kW" for name in found) + " |", "|---" * (1 + len(found)) + "|"]
    first = next(iter(found.values()))
    for kind, words in (("rise", "hour {}"), ("rise_12", "hours {} to {}")):
        for lag in first[kind]:
            cells = (with_interval(*one[kind][lag]) for one in found.values())
            lines.append(f"| {words.format(lag, int(lag) + 11)} | {' | '.join(cells)} |")
    return lines


def write_curve(found):
    """Give the errors by length, and their differences to the best."""
    names = list(NETWORKS)
    heads = " | ".join(f"{name}: MAE, kW | against the best | training, s" for name in names)
    lines = [f"| hours | {heads} |", "|---" * (1 + 3 * len(names)) + "|"]
    for i, length in enumerate(found[names[0]]["table"]["length"]):
        cells = []
        for name in names:
            table = {key: values[i] for key, values in found[name]["table"].items()}
            against = f"{table['difference']:+.1f} ± {table['standard_error']:.1f}"
            against = "best" if length == found[name]["best"] else against
            cells.append(f"{table['error']:.1f} | {against} | {table['fit_seconds']:.1f}")
        lines.append(f"| {length} | {' | '.join(cells)} |")
    return lines


def write_importance(found):
    """Give what permuting costs."""
    lines = ["| | " + " | ".join(f"{name}, kW" for name in found) + " |", "|---" * (1 + len(found)) + "|"]
    for group in GROUPS:
        means = (each[group] for each in found.values())
        cells = (with_interval(one["importance"], one["low"], one["high"]) for one in means)
        lines.append(f"| {group} | {' | '.join(cells)} |")
    return lines


def write_reliability(found):
    """Give the share below each quantile."""
    lines = ["| level | below it | 90 % of calibrated forecasts |", "|---|---|---|"]
    for level, observed, low, high in zip(*list(found.values())[:4], strict=True):
        lines.append(f"| {level:g} | {observed:.3f} | {low:.3f} to {high:.3f} |")
    return lines


PARTS = {
    "panel": draw_panel,
    "split": draw_split,
    "error_by_lead": draw_error_by_lead,
    "feature_importance": draw_feature_importance,
    "memory": draw_memory,
    "attention": draw_attention,
    "attention_parts": draw_attention_parts,
    "forecast": draw_forecast,
    "reliability": draw_reliability,
    "residual_map": draw_residual_map,
    "learning_curve": draw_learning_curve,
    "history_curve": draw_history_curve,
}
TABLES = {  # the mark on the page, the part, and what writes its table
    "errors": ("error_by_lead", write_errors),
    "memory": ("memory", write_memory),
    "rises": ("memory", write_rises),
    "curve": ("history_curve", write_curve),
    "importance": ("feature_importance", write_importance),
    "reliability": ("reliability", write_reliability),
}


def run(part, inside, pictures, results):
    """Measure and draw a part, and put what was found into the results."""
    start = time.process_time()
    figure, found = PARTS[part](inside)
    pictures.mkdir(parents=True, exist_ok=True)
    figure.savefig(pictures / f"display_{part}.png", dpi=100)
    plt.close(figure)
    print(f"{part}: {time.process_time() - start:.1f} s of one core", flush=True)
    results.parent.mkdir(parents=True, exist_ok=True)
    known = json.loads(results.read_text())["parts"] if results.exists() else {}
    made_with = {
        "skts": __version__,
        "torch": torch.__version__,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}",
        "threads": 1,
    }
    parts = known | {part: found}
    results.write_text(json.dumps({"made_with": made_with, "parts": parts}, indent=1, default=to_plain) + "\n")


def to_plain(number):
    """Make a number of Python of one of NumPy."""
    return number.item()


def fill_in(page, results):
    """Put the tables between the marks of the page."""
    parts = json.loads(results.read_text())["parts"]
    for mark, (part, write) in TABLES.items():
        if part not in parts or not page.exists():
            continue
        begin, end = f"<!-- {mark} -->\n", f"<!-- end of {mark} -->"
        before, rest = page.read_text().split(begin)
        lines = "\n".join(write(parts[part]))
        page.write_text(f"{before}{begin}\n{lines}\n\n{end}{rest.split(end)[1]}")


def main(arguments=None):
    """Run all parts or some, draw a picture of each, and fill in the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="parts to run")
    parser.add_argument("--quick", action="store_true", help="a smoke test: few rows, hardly any training")
    parser.add_argument("--tables", action="store_true", help="fill in the page from the results, and run nothing")
    parser.add_argument("--output", type=Path, default=ROOT, help="where benchmarks/results and docs are")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore", MissingHistoryWarning)  # power has its holes
    torch.set_num_threads(1)
    results = options.output / "benchmarks" / "results" / "look_inside.json"
    inside = None if options.tables else Inside(options)
    for part in [] if options.tables else options.only:
        run(part, inside, options.output / "docs" / "images", results)
    fill_in(options.output / "docs" / "inspection.md", results)


if __name__ == "__main__":
    main()
