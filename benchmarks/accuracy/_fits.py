"""Independent fits side by side, what they scored, and the page that they write."""

import argparse
import os
import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
import torch
from threadpoolctl import threadpool_limits

import skts
from benchmarks._report import DATA_HELP, ROOT, load_json, markdown, number_of, save_json, versions, write_page

KEY = ["model", "part", "seed"]
KEPT = ("name", "wall_seconds", "made_with", "settings", "records")


def make_parser(doc: str, models: Sequence[str]) -> argparse.ArgumentParser:
    """Make the arguments that all of them have."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help=DATA_HELP)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="one fit of each network per seed")
    parser.add_argument("--models", nargs="+", choices=models, default=list(models), help="all by default")
    parser.add_argument("--n-jobs", type=int, default=2, help="fits at once, each with one thread (default: 2)")
    parser.add_argument("--add", action="store_true", help="keep what the results file has of other models and parts")
    parser.add_argument("--quick", action="store_true", help="a smoke test: tiny networks, nothing kept but --output")
    parser.add_argument("--output", type=Path, help="where benchmarks/results and docs/accuracy are (the repository)")
    return parser


@dataclass
class Results:
    """The scores of every fit, and how they came about.

    Parameters
    ----------
    name : str
        Of the benchmark: of its script, its results and its page.
    folder : Path or None
        Where `benchmarks/results` and `docs/accuracy` are; None keeps nothing.
    records : list of dict
        One for each fit: "model", "part" (a month, a market, ...), "seed", "seconds" and the scores.
    settings : dict of str to str
        The estimator of each model, as it prints.
    """

    name: str
    folder: Path | None
    records: list[dict[str, Any]] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    wall_seconds: float = 0.0
    made_with: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def start(cls, name: str, options: argparse.Namespace) -> "Results":
        """Begin anew, or with what the file has (`--add`)."""
        results = cls(name, options.output or (None if options.quick else ROOT))
        if options.add and results.folder and results.path.exists():
            results = cls.read(name, results.folder)
        results.made_with = environment(options.n_jobs)
        return results

    @classmethod
    def read(cls, name: str, folder: Path = ROOT) -> "Results":
        """Take what the file has."""
        kept = load_json(cls(name, folder).path)
        return cls(folder=folder, **{key: kept[key] for key in KEPT})

    @property
    def path(self) -> Path:
        """The file of the results."""
        assert self.folder is not None
        return self.folder / "benchmarks" / "results" / f"accuracy_{self.name}.json"

    def run(self, function: Callable[..., dict[str, Any]], jobs: Iterable[dict[str, Any]], n_jobs: int) -> None:
        """Call `function(**job)`, which gives scores, for every job; kept after each, so that nothing is lost."""
        jobs, began, before = list(jobs), time.perf_counter(), self.wall_seconds
        with joblib.parallel_config("loky", n_jobs=n_jobs, inner_max_num_threads=1):
            done = joblib.Parallel(return_as="generator_unordered")(joblib.delayed(_timed)(function, j) for j in jobs)
            for number, record in enumerate(done, start=1):
                self.records = [old for old in self.records if any(old[key] != record[key] for key in KEY)] + [record]
                self.wall_seconds = before + time.perf_counter() - began
                self._save()
                print(f"{number}/{len(jobs)} {_show(record)}", flush=True)

    def run_models(
        self, function: Callable[..., dict[str, Any]], parts: Mapping[str, dict], seeded: Sequence[str], options: Any
    ) -> None:
        """Call a function for every model and part, the part's own arguments given; networks once for each seed."""
        jobs = [
            {"model": model, "part": part, "seed": seed, "quick": options.quick, **own}
            for model in reversed(options.models)
            for seed in (options.seeds if model in seeded else [None])
            for part, own in parts.items()
        ]
        self.run(function, jobs, options.n_jobs)

    def check(self, expected: Mapping[tuple[str, str], Sequence[float]], scores: Sequence[str], digits: int) -> None:
        """See that naive forecasts have the published scores, which proves the protocol, where they ran."""
        for record in self.records:
            key = record["model"], record["part"]
            found = [round(record[score], digits) for score in scores] if key in expected else []
            assert found == list(expected.get(key, [])), (key, found)
            if found:
                print(f"{key[0]}, {key[1]}: as it must be.")

    def table(self, score: str) -> pd.DataFrame:
        """Give mean, deviation and number over the seeds of a score: rows by model and part."""
        frame = pd.DataFrame(self.records)
        return frame.groupby(["model", "part"], sort=False)[score].agg(["mean", "std", "count"])

    def cell(self, model: str, part: str, scores: Sequence[str], digits: int = 4, *, deviation: bool = True) -> str:
        """Show scores of a model and a part, such as `.1234 ± .0011 / .2345 ± .0012`; blank where there are none."""
        shown = []
        for score in scores:
            if not any(score in record for record in self.records):
                return ""
            row = self.table(score).reindex([(model, part)]).iloc[0]
            if pd.isna(row["mean"]):
                return ""
            shown.append(number_of(row["mean"], digits))
            if deviation and row["count"] > 1:
                shown[-1] += f" ± {number_of(row['std'], digits)}"
        return " / ".join(shown)

    def publish(self, blocks: dict[str, str]) -> None:
        """Print what fills the page, and keep it with the results."""
        blocks = blocks | {"the run": self.about_the_run()}
        print("\n\n".join(blocks.values()))
        if self.folder is not None:
            self._save()
            write_page(f"accuracy/{self.name}.md", blocks, self.folder)

    def about_the_run(self) -> str:
        """Say how the figures were made, and with which settings."""
        made = ", ".join(f"{key} {value}" for key, value in self.made_with.items())
        frame = pd.DataFrame(self.records)
        seeds = sorted(frame["seed"].dropna().astype(int).unique())
        seconds = dict(iter(frame.groupby("model", sort=False)["seconds"]))
        timed = [[model, len(runs), runs.median().round(1)] for model, runs in seconds.items()]
        again = f"python benchmarks/accuracy/{self.name}.py" + "".join(f" {s}" for s in ["--seeds", *seeds] if seeds)
        ran = [model for model in self.settings if model in seconds]
        return "\n".join(
            [
                f"```console\n$ {again}\n```\n",
                f"{self.wall_seconds / 60:.0f} minutes in all. {made}. "
                f"Every fit: [accuracy_{self.name}.json](../../benchmarks/results/accuracy_{self.name}.json).\n",
                markdown(["model", "fits", "seconds of one (median)"], timed),
                "\n## Settings",
                *(f"\n{model}:\n\n```text\n{self.settings[model]}\n```" for model in ran),
            ]
        )

    def _save(self) -> None:
        if self.folder is not None:
            save_json({key: getattr(self, key) for key in KEPT}, self.path)


def environment(n_jobs: int) -> dict[str, Any]:
    """Say what the figures were made with."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        **versions("scikit-learn"),
        "skts": skts.__version__,
        "cores": os.cpu_count(),
        "processes": n_jobs,
        "threads of each": 1,
        "networks on": torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU",
    }


def describe(estimator: Any) -> str:
    """Print an estimator in full, with what differs from the defaults."""
    return estimator.__repr__(N_CHAR_MAX=10_000)


def _timed(function: Callable[..., dict[str, Any]], job: dict[str, Any]) -> dict[str, Any]:
    torch.set_num_threads(1)
    began = time.perf_counter()
    with threadpool_limits(1):
        scores = function(**job)
    seconds = round(time.perf_counter() - began, 2)
    return {**{key: job[key] for key in KEY}, "seconds": seconds, **{key: float(each) for key, each in scores.items()}}


def _show(record: dict[str, Any]) -> str:
    seed = "" if record["seed"] is None else f" seed {record['seed']}"
    scores = ", ".join(f"{key} {value:.5f}" for key, value in record.items() if key not in (*KEY, "seconds"))
    return f"{record['model']} {record['part']}{seed}: {scores} ({record['seconds']:.0f} s)"
