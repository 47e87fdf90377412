"""Independent fits side by side, what they scored, and the page that they write."""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
import torch
from scipy.stats import t as student
from threadpoolctl import threadpool_limits

import skts
from benchmarks._report import (
    ROOT,
    Parser,
    load_json,
    made_with,
    markdown,
    number_of,
    results_file,
    save_json,
    write_page,
)

KEY = ["model", "part", "seed"]
KEPT = ("name", "wall_seconds", "made_with", "settings", "records")
PUBLISHED = json.loads(Path(__file__).with_name("published.json").read_text(encoding="utf-8"))


def make_parser(doc: str, models: Sequence[str], seeds: Sequence[int] = (0, 1, 2)) -> Parser:
    """Make the options that all of them have."""
    parser = Parser(doc, data=True, seeds=seeds)
    parser.add_choice("--models", models)
    parser.add_argument("--n-jobs", type=int, default=2, help="fits at once, each with one thread (default: 2)")
    parser.add_argument("--add", action="store_true", help="keep what the results file has of other models and parts")
    return parser


@dataclass
class Results:
    """The scores of every fit, and how they came about."""

    name: str  # of the benchmark: of its script, its results and its page
    folder: Path = ROOT  # where benchmarks/results and docs/accuracy are
    records: list[dict[str, Any]] = field(default_factory=list)  # "model", "part", "seed", "seconds", and scores
    settings: dict[str, str] = field(default_factory=dict)  # the estimator of each model, as it prints
    wall_seconds: float = 0.0
    made_with: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def start(cls, name: str, options: argparse.Namespace, estimators: Mapping[str, Any]) -> "Results":
        """Begin anew, or with what the file has (`--add`)."""
        results = cls.read(name, options.output) if options.add else cls(name, options.output)
        results.settings |= {model: each.__repr__(N_CHAR_MAX=10_000) for model, each in estimators.items()}
        results.made_with = made_with("torch", "scikit-learn") | {
            "skts": skts.__version__,
            "processes": options.n_jobs,
            "threads of each": 1,
            "networks on": torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU",
        }
        return results

    @classmethod
    def read(cls, name: str, folder: Path = ROOT) -> "Results":
        """Take what the file has."""
        return cls(**{"name": name} | load_json(results_file(folder, f"accuracy_{name}")), folder=folder)

    def save(self) -> None:
        kept = {key: getattr(self, key) for key in KEPT}
        save_json(kept, results_file(self.folder, f"accuracy_{self.name}"))

    def run(
        self, function: Callable[..., dict[str, Any]], parts: Mapping[str, dict], seeded: Sequence[str], options: Any
    ) -> None:
        """Let a function, which gives scores, do every model and part, with the part's own arguments.

        Models that are seeded have a fit for each seed. Results are kept after each, so that nothing is lost.
        """
        jobs = [
            {"model": model, "part": part, "seed": seed, "quick": options.quick, **own}
            for model in reversed(options.models)
            for seed in (options.seeds if model in seeded else [None])
            for part, own in parts.items()
        ]
        began, before = time.perf_counter(), self.wall_seconds
        with joblib.parallel_config("loky", n_jobs=options.n_jobs, inner_max_num_threads=1):
            done = joblib.Parallel(return_as="generator_unordered")(joblib.delayed(_timed)(function, j) for j in jobs)
            for number, record in enumerate(done, start=1):
                self.records = [old for old in self.records if any(old[key] != record[key] for key in KEY)] + [record]
                self.wall_seconds = before + time.perf_counter() - began
                self.save()
                print(f"{number}/{len(jobs)}", *(f"{key} {value}" for key, value in record.items()), flush=True)

    def check(self, scores: Sequence[str], digits: int, options: argparse.Namespace) -> None:
        """See that naive forecasts have the published scores, which proves the protocol; another file has its own."""
        expected = PUBLISHED[self.name]["checked"]
        for record in self.records:
            wanted = expected.get(record["model"], {}).get(record["part"])
            if wanted and not (options.data and options.data.is_file()):
                found = [round(record[score], digits) for score in scores]
                assert found == wanted, (record, wanted)
                print(f"{record['model']}, {record['part']}: as it must be.")

    def table(self, score: str) -> pd.DataFrame:
        """Give mean, deviation and number over the seeds of a score: rows by model and part."""
        frame = pd.DataFrame(self.records, columns=[*KEY, score])
        return frame.groupby(["model", "part"], sort=False)[score].agg(["mean", "std", "count"])

    def cell(self, model: str, part: str, scores: Sequence[str], digits: int = 4, *, deviation: bool = True) -> str:
        """Show scores of a model and a part, such as `.1234 ± .0011 / .2345 ± .0012`; blank where there are none."""
        shown = []
        for score in scores:
            row = self.table(score).reindex([(model, part)]).iloc[0]
            if pd.isna(row["mean"]):
                return ""
            also = f" ± {number_of(row['std'], digits)}" if deviation and row["count"] > 1 else ""
            shown.append(number_of(row["mean"], digits) + also)
        return " / ".join(shown)

    def mean(self, model: str, parts: Iterable[str], scores: Sequence[str], digits: int = 4) -> str:
        """Show the mean over the parts of each score; blank where a part is missing."""
        pairs = [(model, part) for part in parts]
        means = [self.table(score)["mean"].reindex(pairs).mean(skipna=False) for score in scores]
        return "" if pd.isna(means).any() else " / ".join(number_of(each, digits) for each in means)

    def rows(
        self,
        models: Iterable[str],
        parts: Sequence[str],
        scores: Sequence[str],
        ours: Sequence[str],
        mean: Sequence = (),
    ) -> dict[str, list[str]]:
        """Give the cells of each model that ran, by its name (those of skts are bold): a part each, and a mean."""
        rows = {model: [self.cell(model, part, scores) for part in parts] for model in models}
        return {
            f"**skts {model}**" if model in ours else model: cells + ([self.mean(model, mean, scores)] if mean else [])
            for model, cells in rows.items()
            if any(cells)
        }

    def publish(self, blocks: dict[str, str]) -> None:
        """Print what fills the page, and keep it with the results."""
        blocks = blocks | {"the run": self.about_the_run()}
        print("\n\n".join(blocks.values()))
        self.save()
        write_page(f"accuracy/{self.name}.md", blocks, self.folder)

    def about_the_run(self) -> str:
        """Say how the figures were made, and with which settings."""
        made = ", ".join(f"{key} {value}" for key, value in self.made_with.items())
        frame = pd.DataFrame(self.records)
        seeds = sorted(frame["seed"].dropna().astype(int).unique())
        seconds = dict(iter(frame.groupby("model", sort=False)["seconds"]))
        timed = [[model, len(runs), runs.median().round(1)] for model, runs in seconds.items()]
        again = f"python benchmarks/accuracy/{self.name}.py" + "".join(f" {s}" for s in ["--seeds", *seeds] if seeds)
        shown = [f"\n{model}:\n\n```text\n{each}\n```" for model, each in self.settings.items() if model in seconds]
        file = f"[accuracy_{self.name}.json](../../benchmarks/results/accuracy_{self.name}.json)"
        about = f"{self.wall_seconds / 60:.0f} minutes in all. {made}. Every fit: {file}.\n"
        table = markdown(["model", "fits", "seconds of one (median)"], timed)
        return "\n".join([f"```console\n$ {again}\n```\n", about, table, "\n## Settings", *shown])


def half_interval(values: Sequence[float]) -> float:
    """Give half of the 95 % interval of a mean, by Student's t; nought for a single value."""
    if len(values) < 2:
        return 0.0
    return float(student.ppf(0.975, len(values) - 1) * statistics.stdev(values) / len(values) ** 0.5)


def _timed(function: Callable[..., dict[str, Any]], job: dict[str, Any]) -> dict[str, Any]:
    torch.set_num_threads(1)
    began = time.perf_counter()
    with threadpool_limits(1):
        scores = function(**job)
    seconds = round(time.perf_counter() - began, 2)
    return {**{key: job[key] for key in KEY}, "seconds": seconds, **{key: float(each) for key, each in scores.items()}}
