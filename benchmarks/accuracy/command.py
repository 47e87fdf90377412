"""The command's own pipeline beside untuned gradient boosting and naive forecasts, on solar parks and turbines.

    python benchmarks/accuracy/command.py [--sets 1 2 3] [--parts measured "one forecast" bare turbines]

The pipeline is what `skts fit` and `skts demo` train, and the rivals are those of the command. Results are kept after
each table; `--add` keeps those of other parts and sets.
"""

import argparse
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a checkout that is not installed
import skts
from benchmarks._report import Parser, load_json, made_with, markdown, number_of, results_file, save_json, write_page
from benchmarks.accuracy._parks import N_DAYS, N_TEST, make_parks
from skts.commandline._job import Job, choose_window
from skts.commandline._pipeline import build_pipeline, settle_job
from skts.commandline._rivals import rivals
from skts.datasets import load_la_haute_borne
from skts.exceptions import MissingHistoryWarning, ShortSeriesWarning

NAME = "command"
PARTS = {
    "measured": "Solar parks, the weather measured at each",
    "one forecast": "Solar parks, the weather forecast by one provider",
    "bare": "The same, told neither coordinates nor capacity",
    "turbines": "La Haute Borne, four turbines",
}
ONE, OWN = "one network of it", "**skts**"
BOOSTING = ("boosting", "boosting (median)")
RATED = 2050.0  # kW, of a turbine of La Haute Borne
UNITS = {"turbines": ("kW", 1)}


def load(part, number, quick=False):
    """Give a table, its job, and which rows test: the last 59 days."""
    if part == "turbines":
        X, _ = load_la_haute_borne(return_X_y=True)
        known = tuple(name for name in X if name.startswith("era5_"))
        job = Job("power_kw", known=known, capacity=RATED, window=choose_window(known, 24))
    else:
        kind = "one forecast" if part == "bare" else part
        X, known, places = make_parks(kind, number, *((2, 90) if quick else ()))
        job = Job("power", known=tuple(known), capacity="capacity", window=choose_window(known, 24))
        if part == "bare":
            X, job = X.drop(columns="capacity"), replace(job, capacity=None)
        else:
            job = replace(job, latitude=places["latitude"].to_dict(), longitude=places["longitude"].to_dict())
    days = X.index.get_level_values(-1).normalize()
    is_test = np.asarray(days >= days.unique().sort_values()[-(10 if quick else N_TEST)])
    return X, replace(job, quick=quick), is_test


def score(y, y_pred):
    """Score forecasts over the rows that have a target."""
    there = y.notna().to_numpy()
    error = y_pred[there] - y.to_numpy()[there]
    return {
        "mae": float(np.abs(error).mean()),
        "rmse": float(np.sqrt((error**2).mean())),
        "negative": float((y_pred[there] < 0).mean()),
    }


def forecasts_of(X, job, is_test):
    """Fit and forecast: name, seed or None, seconds of the fit, forecasts."""
    train, test = X[~is_test], X[is_test]
    y = train[job.target]
    job = settle_job(job, train, y)
    for name, rival in rivals(job).items():
        began = time.process_time()
        y_pred = rival.fit(train, y).predict(test)
        yield name, None, time.process_time() - began, y_pred
    began = time.process_time()
    pipeline = build_pipeline(job).fit(train, y)
    seconds = time.process_time() - began
    members = pipeline.predict(test, members=True)
    for seed, own in enumerate(members.T):
        yield ONE, seed, seconds / len(members.T), own
    yield OWN, None, seconds, pipeline.predict(test)


def make_blocks(found):
    """Write the tables of the page."""
    records, blocks = pd.DataFrame(found["records"]), []
    for part, title in PARTS.items():
        own = records[records["part"] == part]
        if own.empty:
            continue
        unit, digits = UNITS.get(part, ("MW", 3))
        sets = sorted(own["set"].unique())
        header = ["", *(f"{score.upper()} ({unit}){_of_set(n, sets)}" for score in ("mae", "rmse") for n in sets)]
        rows = []
        for model in own["model"].unique():
            some = own[own["model"] == model]
            cells = [_cell(some[some["set"] == n][score], digits) for score in ("mae", "rmse") for n in sets]
            rows.append([model, *cells, f"{some['negative'].max():.0%}"])
        blocks.append(f"## {title}\n\n{markdown([*header, 'below 0, at most'], rows)}\n\n{_gain(own, sets)}")
    made = ", ".join(f"{key} {value}" for key, value in found["made_with"].items())
    seconds = records[records["model"] == OWN]["seconds"]
    run = (
        f"```console\n$ python benchmarks/accuracy/command.py\n```\n\nThe three networks of a table trained for "
        f"{seconds.min():.0f} to {seconds.max():.0f} s of one core, shared with other work. {made}. Every fit: "
        f"[accuracy_{NAME}.json](../../benchmarks/results/accuracy_{NAME}.json)."
    )
    return {"results": "\n\n".join(blocks), "the run": run}


def _of_set(number, sets):
    return f", set {number}" if len(sets) > 1 else ""


def _cell(values, digits):
    also = f" ± {number_of(values.std(), digits)}" if len(values) > 1 else ""
    return number_of(values.mean(), digits) + also


def _gain(records, sets):
    """Say by how much the command is below the better of the two boostings, set by set."""
    by = records[records["seed"].isna()].set_index(["model", "set"])
    said = []
    for score in ("mae", "rmse"):
        gains = [1 - by.loc[(OWN, n), score] / min(by.loc[(rival, n), score] for rival in BOOSTING) for n in sets]
        said.append(f"{score.upper()} {', '.join(f'{gain:.1%}' for gain in gains)}")
    return f"Below the better of the two boostings: {'; '.join(said)}."


def main():
    """Run the benchmark."""
    parser = Parser(__doc__)
    parser.add_choice("--parts", PARTS)
    parser.add_argument(
        "--sets", type=int, nargs="+", default=[1, 2, 3], help="seeds of the generator (default: 1 2 3)"
    )
    parser.add_argument("--add", action=argparse.BooleanOptionalAction, default=False, help="keep other parts and sets")
    options = parser.parse_args()
    path = results_file(options.output, f"accuracy_{NAME}")
    records = load_json(path).get("records", []) if options.add else []
    for part in options.parts:
        for number in [0] if part == "turbines" else options.sets:
            records = [record for record in records if (record["part"], record["set"]) != (part, number)]
            X, job, is_test = load(part, number, options.quick)
            y = X[job.target][is_test]
            for model, seed, seconds, y_pred in forecasts_of(X, job, is_test):
                at = {"part": part, "set": number, "model": model, "seed": seed, "seconds": round(seconds, 1)}
                records.append(at | score(y, y_pred))
                print(records[-1], flush=True)
            found = {
                "name": NAME,
                "made_with": made_with("torch", "scikit-learn", "pvlib") | {"skts": skts.__version__, "threads": 1},
                "days": {"train": N_DAYS - N_TEST, "test": N_TEST},
                "records": records,
            }
            save_json(found, path)
            write_page(f"accuracy/{NAME}.md", make_blocks(found), options.output)


if __name__ == "__main__":
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", MissingHistoryWarning)
    warnings.simplefilter("ignore", ShortSeriesWarning)
    main()
