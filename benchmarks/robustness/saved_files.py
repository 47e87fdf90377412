"""What becomes of files that somebody made who means harm, and what it takes to save and load a model.

Run: python benchmarks/robustness/saved_files.py [--parts attacks sizes] [--tables]

The attacks are those of `tests/persistence/_attacks.py`, on files of three estimators, the random ones on all nine that
lie beside the tests. The models of the other table are a pipeline with an LSTM, and the same with an ensemble of 20
networks of other seeds. Each load is timed in a process of its own, in seconds of the processor, because the machine is
shared.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # a checkout that is not installed
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks._report import Parser, load_json, made_with, markdown, results_file, save_json, spread, write_page
from skts import HistoryPrepender, LSTMRegressor, SlidingWindower
from skts.datasets import load_la_haute_borne
from skts.exceptions import SavedFileError, UntrustedTypeError
from skts.persistence import load, save
from skts.strategies import EnsembleRegressor
from tests.persistence._attacks import ATTACKS, FILES, Bomb, mutations

NAME, PAGE = "saved_files", "persistence.md"
PARTS = ("attacks", "sizes")
MODELS = {"one network": 1, "an ensemble of 20": 20}
ATTACKED = ("dlinear", "conformal", "boosting")
SINCE_START = "import time; began = time.process_time(); "
IMPORT = SINCE_START + "import skts; print(time.process_time() - began)"
FORECAST = """
import json, sys, time
import torch
torch.set_num_threads(1)
from benchmarks.robustness import saved_files as s
X = s.tables()[2]
began = time.process_time()
pipe = s.load(sys.argv[1])
loaded = time.process_time()
pipe = s.load(sys.argv[1])
again = time.process_time()
pipe.predict(X)
first = time.process_time()
pipe.predict(X)
found = {"first load": loaded - began, "load": again - loaded, "first forecast": first - again}
print(json.dumps(found | {"forecast": time.process_time() - first}))
"""


def try_attack(data, path):
    """Load an attacker's file: what came of it."""
    path.write_bytes(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            load(path)
    except SavedFileError:
        return "damaged or forged"
    except UntrustedTypeError:
        return "untrusted"
    except Exception as error:
        print(f"not ours: {error!r}", flush=True)
        return "another error"
    return "loaded"


def run_attacks(quick):
    """Try all, and count what came of them."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, attack in ATTACKS.items():
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            counts = dict.fromkeys(("files", "damaged or forged", "untrusted", "loaded", "another error"), 0)
            for file in FILES:
                if file.stem not in ATTACKED and attack is not mutations:
                    continue
                for number, data in enumerate(attack(file.read_bytes())):
                    if not quick or number % 20 == 0:
                        counts["files"] += 1
                        counts[try_attack(data, Path(folder) / "attack.skts")] += 1
            counts["ran"] = int(Bomb.went_off)
            counts["MB more"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
            found[name] = counts
            print(name, counts, flush=True)
    return found


def tables(n_hours=300):
    """Give the first hours of the turbines to train on, with the target, and the day that follows."""
    X, y = load_la_haute_borne(return_X_y=True)
    time_of_row = X.index.get_level_values("time")
    times = time_of_row.unique().sort_values()
    is_train, is_before = time_of_row < times[n_hours], time_of_row < times[n_hours + 24]
    return X[is_train], y[is_train], X[is_before & ~is_train]


def fit(n_members, X, y):
    """Train one epoch: what is saved is as large as after eight."""
    network = LSTMRegressor(hidden_size=32, max_epochs=1, random_state=0)
    known = [name for name in X.columns if name.startswith("era5_")]
    steps = [
        ("scale", StandardScaler()),
        ("history", HistoryPrepender(168)),
        ("windows", SlidingWindower(168, horizon=24, stride=6, known=known, history=168)),
        ("lstm", network if n_members == 1 else EnsembleRegressor(network, n_members, random_state=0)),
    ]
    return Pipeline(steps).set_output(transform="pandas").fit(X, y)


def time_of(code, *arguments):
    """Run in a process of its own, and give what it prints."""
    done = subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def measure_sizes(n_rounds, quick):
    """Save, load and forecast, several times each."""
    torch.set_num_threads(1)
    X, y, _ = tables()
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, n_members in MODELS.items():
            pipe, path, saves, others = (
                fit(min(n_members, 2) if quick else n_members, X, y),
                Path(folder) / "m.skts",
                [],
                [],
            )
            for _ in range(n_rounds):
                began = time.process_time()
                save(pipe, path)
                saves.append(time.process_time() - began)
                others.append(time_of(FORECAST, str(path)))
            found[name] = {"kB": path.stat().st_size / 1000, "save": spread(saves)}
            found[name] |= {key: spread([one[key] for one in others]) for key in others[0]}
            print(name, found[name], flush=True)
    return found | {"import skts": spread([time_of(IMPORT) for _ in range(n_rounds)])}


def attack_table(found):
    """Make the table of attacks."""
    rows = []
    for name, counts in found.items():
        outcome = [
            f"{counts[key]:,} {words}"
            for key, words in (
                ("damaged or forged", "`SavedFileError`"),
                ("untrusted", "`UntrustedTypeError`"),
                ("loaded", "loaded: a value that fits, or a part that nobody reads"),
                ("another error", "errors of others"),
            )
            if counts[key]
        ]
        rows.append(
            [name, f"{counts['files']:,}", "; ".join(outcome), counts["ran"], f"{max(counts['MB more'], 0):.0f}"]
        )
    total = sum(counts["files"] for counts in found.values())
    rows.append(["in all", f"{total:,}", "", sum(counts["ran"] for counts in found.values()), ""])
    return markdown(["attack", "files", "outcome", "ran something", "MB more at the highest"], rows)


def size_table(found):
    """Make the table of sizes and times."""
    keys = ("save", "first load", "load", "first forecast", "forecast")
    rows = [
        [name, f"{found[name]['kB']:,.0f}", *(f"{1000 * found[name][key]['median']:,.0f}" for key in keys)]
        for name in MODELS
    ]
    header = ["", "file (kB)", *(f"{key} (ms)" for key in keys)]
    return markdown(header, rows) + f"\n\n`import skts`: {found['import skts']['median']:.2f} s."


def with_table(found):
    """Say on what it was measured."""
    return ", ".join(f"{name} {value}" for name, value in found.items())


def main(arguments=None):
    """Do the parts that are asked for, and fill the page."""
    parser = Parser(__doc__, rounds=3)
    parser.add_choice("--parts", PARTS)
    parser.add_argument("--tables", action="store_true", help="fill the page from the results that are there")
    options = parser.parse_args(arguments)
    path = results_file(options.output, NAME)
    found = load_json(path)
    if not options.tables:
        if "attacks" in options.parts:
            found["attacks"] = run_attacks(options.quick)
        if "sizes" in options.parts:
            found["sizes"] = measure_sizes(1 if options.quick else options.rounds, options.quick)
        found["with"] = made_with("scikit-learn", "torch", "skops", "safetensors")
        save_json(found, path)
    blocks = {"attacks": attack_table, "sizes": size_table, "with": with_table}
    write_page(PAGE, {name: make(found[name]) for name, make in blocks.items() if name in found}, options.output)


if __name__ == "__main__":
    main()
