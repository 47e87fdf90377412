"""What the studies share: the turbines cut in time, equal numbers of gradient steps, intervals, tables and pictures."""

import argparse
import json
import math
import os
import platform
import statistics
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.stats import t as student
from sklearn.compose import make_column_selector
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skts import HistoryPrepender, LSTMRegressor, SlidingWindower, Windows, __version__
from skts.datasets import load_la_haute_borne
from skts.exceptions import MissingHistoryWarning
from skts.features import CalendarFeatures, WindFeatures
from skts.training import tune_allocator

ROOT = Path(__file__).resolve().parents[2]
TEST_FROM = "2015-07-01"  # all before teaches, all from then on is forecast
WINDOW, HORIZON, BATCH_SIZE = 48, 24, 64
AHEAD = make_column_selector("^(?!power_kw)")  # weather and hour are known; the power is observed
COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555"]  # told apart by all eyes


def make_regressor(seed: int, **options: Any) -> LSTMRegressor:
    """The network of every study; one window a pass, so that a gradient step is what everybody takes it for."""
    usual = {"dropout": 0.1, "lr_schedule": "one_cycle", "batch_size": BATCH_SIZE, "origins_per_pass": 1}
    return LSTMRegressor(32, **usual | options, random_state=seed, device="cpu")


def for_steps(n_windows: int, n_steps: int) -> dict[str, Any]:
    """Give the epochs, and the share of the windows in each, that make some number of gradient steps."""
    steps_of_all = n_windows / BATCH_SIZE
    n_epochs = math.ceil(n_steps / steps_of_all - 0.01)
    return {"max_epochs": n_epochs, "subsample": min(1.0, n_steps / (n_epochs * steps_of_all))}


def load() -> tuple[pd.DataFrame, "pd.Series[float]", np.ndarray]:
    """Give the table with wind speed and the hour of the day, the power, and which rows are new."""
    X, y = load_la_haute_borne(return_X_y=True)
    X = CalendarFeatures(["hour"]).fit_transform(WindFeatures("era5_u100", "era5_v100").fit_transform(X))
    return X, y, np.asarray(X.index.get_level_values("time") >= TEST_FROM)


def make_pipeline(regressor: Any, **windower: Any) -> Pipeline:
    """Scale, put the past in front, cut and forecast."""
    options = {"window": WINDOW, "horizon": HORIZON, "known": AHEAD} | windower
    steps = [
        ("scale", StandardScaler()),
        ("history", HistoryPrepender(options["window"])),
        ("windows", SlidingWindower(**options)),
        ("regressor", regressor),
    ]
    return Pipeline(steps).set_output(transform="pandas")


def cut(X: pd.DataFrame, is_new: np.ndarray, **windower: Any) -> tuple[Windows, Windows]:
    """Cut the windows to train on and those to forecast once, for many networks."""
    pipe = make_pipeline(None, **windower)[:-1]
    training = pipe.fit_transform(X[~is_new])
    return training, pipe.transform(X[is_new])


def mean_absolute_error(y: "pd.Series[float]", y_pred: np.ndarray) -> float:
    """Average over the rows that have a measurement, in kW."""
    return float(np.nanmean(np.abs(y.to_numpy() - y_pred)))


def interval(values: Iterable[float]) -> tuple[float, float]:
    """Mean, and half of its 95 % interval by Student's t."""
    values = list(values)
    if len(values) < 2:
        return values[0], 0.0
    half = student.ppf(0.975, len(values) - 1) * statistics.stdev(values) / len(values) ** 0.5
    return statistics.mean(values), float(half)


@dataclass
class Study:
    """The records of a study, a dict for each fit, and where they go.

    Parameters
    ----------
    name : str
        Of the script, its results and its page.
    options : argparse.Namespace
    records : list of dict
    """

    name: str
    options: argparse.Namespace
    records: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def start(cls, name: str, doc: str) -> "Study":
        """Read the arguments, and set this process up as a user would for small networks on a CPU."""
        parser = argparse.ArgumentParser(description=doc.splitlines()[0])
        parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
        parser.add_argument("--quick", action="store_true", help="a smoke test: few rows and steps")
        parser.add_argument("--redraw", action="store_true", help="write table and picture from the results again")
        parser.add_argument("--output", type=Path, default=ROOT, help="where benchmarks/results and docs are")
        study = cls(name, parser.parse_args())
        torch.set_num_threads(1)
        tune_allocator()
        warnings.simplefilter("ignore", MissingHistoryWarning)
        if study.options.redraw:
            study.records = json.loads(study.results.read_text())["records"]
        return study

    @property
    def results(self) -> Path:
        """The file of the records."""
        return self.options.output / "benchmarks" / "results" / f"study_{self.name}.json"

    @property
    def picture(self) -> Path:
        """The picture."""
        return self.options.output / "docs" / "images" / f"study_{self.name}.png"

    def load(self) -> tuple[pd.DataFrame, "pd.Series[float]", np.ndarray]:
        """Give table, power and which rows are new."""
        X, y, is_new = load()
        if not self.options.quick:
            return X, y, is_new
        times = X.index.get_level_values("time")
        few = np.asarray((times >= "2015-06-10") & (times < "2015-07-11"))
        return X[few], y[few], is_new[few]

    def steps(self, number: int) -> int:
        """Give the number of gradient steps, or a few in a smoke test."""
        return 4 if self.options.quick else number

    def timed(self, run: Callable[[], Any], **record: Any) -> Any:
        """Run a fit, and note down how long it took with what is known of it."""
        start = time.perf_counter()
        answer = run()
        self.records.append({**record, "seconds": round(time.perf_counter() - start, 2)})
        return answer

    def note(self, **found: Any) -> None:
        """Add to the last record, and tell."""
        self.records[-1] |= found
        print(
            self.name,
            {key: value for key, value in self.records[-1].items() if not isinstance(value, list)},
            flush=True,
        )

    def frame(self) -> pd.DataFrame:
        """The records as a table."""
        return pd.DataFrame(self.records)

    def save(self) -> None:
        """Write the records and what they were made with."""
        if self.options.redraw:
            return
        made_with = {
            "skts": __version__,
            "torch": torch.__version__,
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}",
            "threads": 1,
        }
        self.results.parent.mkdir(parents=True, exist_ok=True)
        self.results.write_text(json.dumps({"made_with": made_with, "records": self.records}, indent=1) + "\n")

    def write_table(self, lines: list[str], mark: str = "table") -> None:
        """Put a Markdown table between two marks of the page; without a page, print it."""
        page = self.options.output / "docs" / "studies" / f"{self.name}.md"
        begin, end = f"<!-- {mark} -->\n", f"<!-- end of {mark} -->"
        print("\n".join(lines))
        if page.exists():
            before, rest = page.read_text().split(begin)
            page.write_text(before + begin + "\n" + "\n".join(lines) + "\n\n" + end + rest.split(end)[1])

    def save_picture(self, figure: Any) -> None:
        """Write the picture."""
        self.picture.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(self.picture, dpi=110)


def draw_arms(axis: Any, part: pd.DataFrame, arms: Iterable[str]) -> None:
    """Draw the error of every seed, and its mean with the interval, an arm a line."""
    arms = list(arms)
    for place, arm in enumerate(arms):
        errors = part.loc[part["arm"] == arm, "mae"]
        mean, half = interval(errors)
        axis.scatter(errors, [place] * len(errors), color=COLOURS[place], alpha=0.4, s=18)
        axis.errorbar(mean, place, xerr=half, color=COLOURS[place], marker="o", capsize=4, linewidth=2)
    axis.set_ylim(len(arms) - 0.5, -0.5)
    axis.set_yticks(range(len(arms)), [arm.replace(", ", ",\n") for arm in arms])
    axis.grid(axis="x", alpha=0.3)


def differences(frame: pd.DataFrame, arm: str, usual: str) -> tuple[float, float]:
    """Give the mean difference of the errors of two arms, seed by seed, with half of its 95 % interval."""
    errors = frame.pivot_table(index="seed", columns="arm", values="mae")
    return interval(errors[arm] - errors[usual])


def said(pair: tuple[float, float], digits: int = 1, sign: bool = False) -> str:
    """Write a mean and half of its interval."""
    mean, half = pair
    return f"{mean:{'+' if sign else ''}.{digits}f} ± {half:.{digits}f}"
