"""Files of ONNX beside the pipelines that they were made of: how far apart, how fast; and the time of `import skts`.

Run: python benchmarks/speed/export.py [--rounds 7] [--before CHECKOUT]

LSTMRegressor and TransformerRegressor of their default sizes, a window of 168 hours, a horizon of 24, four columns of
which two are known; one thread each, in turn, each round after the other. "one" is the next 24 rows of one series,
"10,000" are the blocks of 24 rows of ten series. The whole call is timed, from a table to forecasts, and the network
alone: its graph in onnxruntime, and its module in torch, on windows that lie ready in memory. With `--before` the same
import is timed in another checkout, in turn. Every kind of network and head is exported once, on the bundled turbines.
"""

import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # a checkout that is not installed
from benchmarks._report import Parser, made_with, markdown, results_file, save_json, spread, write_page
from skts import (
    DLinearRegressor,
    GRURegressor,
    HistoryPrepender,
    LSTMRegressor,
    NLinearRegressor,
    SlidingWindower,
    SourceAttentionRegressor,
    TransformerRegressor,
)
from skts.datasets import load_la_haute_borne, make_panel
from skts.export import OnnxForecaster, to_onnx, to_torch_export
from skts.strategies import EnsembleRegressor

WINDOW, HORIZON, N_SERIES, N_MANY = 168, 24, 10, 10_000
REGRESSORS = {"LSTM": LSTMRegressor, "Transformer": TransformerRegressor}
WHO = ("torch, predict", "ONNX, predict", "torch, network", "ONNX, network")
IMPORTS = {"import skts": "import skts", "with OnnxForecaster": "from skts.export import OnnxForecaster"}
QUICK = {"max_epochs": 1, "random_state": 0}
QUANTILES, RATED = (0.1, 0.5, 0.9), {"bounds": (-50.0, 2100.0)}
KINDS = {
    "LSTM": LSTMRegressor(**QUICK),
    "LSTM, bidirectional, lookahead, instance norm": LSTMRegressor(
        bidirectional=True, lookahead=3, instance_norm="mean", **QUICK
    ),
    "LSTM, quantiles, vectors of the series": LSTMRegressor(quantiles=QUANTILES, series_embedding=4, **QUICK),
    "GRU, inflated beta": GRURegressor(distribution="inflated_beta", **RATED, **QUICK),
    "GRU, censored normal": GRURegressor(distribution="censored_normal", **RATED, **QUICK),
    "DLinear, Student's t": DLinearRegressor(distribution="student_t", **QUICK),
    "NLinear, normal": NLinearRegressor(distribution="normal", **QUICK),
    "Transformer, quantiles": TransformerRegressor(quantiles=QUANTILES, **QUICK),
    "source attention": SourceAttentionRegressor(sources={"wind": "u100|v100", "rest": "t2m|sp"}, **QUICK),
    "ensemble of 3 LSTM": EnsembleRegressor(LSTMRegressor(**QUICK), n_members=3, random_state=0),
}


def compare_all(kinds):
    """How far graphs are from `predict` on four turbines, in deviations: {kind: [of ONNX, of torch.export]}."""
    X, y = load_la_haute_borne(return_X_y=True)
    X, y = (table[table.index.get_level_values("time") < "2014-03-01"] for table in (X, y))
    X = X.assign(power=y.to_numpy())
    is_new, apart = X.index.get_level_values("time") >= "2014-02-20", {}
    for kind in kinds:
        known = [name for name in X.columns if name.startswith("era5")]
        steps = StandardScaler(), HistoryPrepender(48), SlidingWindower(48, HORIZON, stride=4, known=known)
        pipe = make_pipeline(*steps, KINDS[kind]).set_output(transform="pandas").fit(X[~is_new], y[~is_new])
        with tempfile.TemporaryDirectory() as folder:
            found = (write(pipe, Path(folder) / "model", X=X[is_new]) for write in (to_onnx, to_torch_export))
            apart[kind] = list(found)
        print(kind, apart[kind], flush=True)
    return apart


def make_tables(n_many):
    """Training rows of ten series, the next 24 rows of one, and the next rows of all: `n_many` blocks."""
    n_train, n_new = 400, HORIZON * -(-n_many // N_SERIES)
    X, y = make_panel(n_series=N_SERIES, n_rows=n_train + n_new, random_state=0)
    hour = X.index.get_level_values("time").hour.to_numpy()
    X["sine"], X["cosine"] = np.sin(hour * np.pi / 12), np.cos(hour * np.pi / 12)
    times = X.index.get_level_values("time").unique()
    is_new = X.index.get_level_values("time") >= times[n_train]
    new = X[is_new]
    one = new[(new.index.codes[0] == 0) & (new.index.get_level_values("time") < times[n_train + HORIZON])]
    return X[~is_new], y[~is_new], {"one": one, f"{n_many:,}": new}


def measure(rounds, n_many):
    """Seconds of each call: {network: {how many: {who: spread}}}."""
    X, y, tables = make_tables(n_many)
    found = {}
    for name, regressor in REGRESSORS.items():
        steps = StandardScaler(), HistoryPrepender(WINDOW), SlidingWindower(WINDOW, HORIZON, known=["wind", "sine"])
        pipe = make_pipeline(*steps, regressor(**QUICK)).set_output(transform="pandas").fit(X, y)
        with tempfile.TemporaryDirectory() as folder:
            to_onnx(pipe, Path(folder) / "model.onnx")
            forecaster = OnnxForecaster(Path(folder) / "model.onnx", n_threads=1)
            found[name] = {size: race(racers(pipe, forecaster, table), rounds) for size, table in tables.items()}
    return found


def racers(pipe, forecaster, table):
    """Who forecasts a table: the whole calls, and the networks alone on windows that lie ready."""
    inputs = forecaster._reader.inputs(forecaster, table)
    items = np.array_split(np.arange(len(inputs)), -(-len(inputs) // 256))
    feeds = [forecaster._reader.feeds(inputs, some) for some in items]
    windows = pipe[:-1].transform(table)
    batches, network = list(pipe[-1].input_batches(windows)), pipe[-1].net_.module_

    def run_module():
        with torch.inference_mode():
            for batch in batches:
                network(**batch)

    return {
        "torch, predict": lambda: pipe.predict(table),
        "ONNX, predict": lambda: forecaster.predict(table),
        "torch, network": run_module,
        "ONNX, network": lambda: [forecaster._session.run(["point"], each) for each in feeds],
    }


def race(racers, rounds):
    """Let all run in turn, once before the clock: seconds by round."""
    for run in racers.values():
        run()
    seconds = {who: [] for who in racers}
    for _ in range(rounds):
        for who, run in racers.items():
            start = time.perf_counter()
            run()
            seconds[who].append(time.perf_counter() - start)
    return {who: spread(times) for who, times in seconds.items()}


def time_imports(rounds, before):
    """Seconds of a process that imports, and of its processor: {what: [[wall, busy] by round]}."""
    code = (
        "import time; wall, busy = time.perf_counter(), time.process_time()\n{}\n"
        "print(time.perf_counter() - wall, time.process_time() - busy)"
    )
    runs = {what: (line, ROOT) for what, line in IMPORTS.items()}
    if before:
        runs = {"import skts, before": ("import skts", before)} | runs
    found = {what: [] for what in runs}
    for _ in range(rounds):
        for what, (line, root) in runs.items():
            done = subprocess.run(
                [sys.executable, "-c", code.format(line)], cwd=root, capture_output=True, text=True, check=True
            )
            found[what].append([float(each) for each in done.stdout.split()])
    return {
        what: {kind: spread(each) for kind, each in zip(("wall", "processor"), zip(*times, strict=True), strict=True)}
        for what, times in found.items()
    }


def main(arguments=None):
    """Measure, and write the results and the page."""
    parser = Parser(__doc__, rounds=5)
    parser.add_argument("--before", type=Path, help="a checkout to time the import of, too")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    rounds, n_many = (2, 100) if options.quick else (options.rounds, N_MANY)
    kinds = ["NLinear, normal"] if options.quick else list(KINDS)
    found = {
        "imports": time_imports(rounds, options.before),
        "apart": compare_all(kinds),
        "seconds": measure(rounds, n_many),
        "with": made_with("numpy", "torch", "onnx", "onnxruntime"),
    }
    save_json(found, results_file(options.output, "export"))
    write_page("export.md", blocks(found), options.output)


def blocks(found):
    """Write the tables of the page."""
    apart = [[kind, *(f"{each:.1e}" for each in both)] for kind, both in found["apart"].items()]
    times = [
        [what, *(f"{each[kind]['median']:.2f}" for kind in ("wall", "processor"))]
        for what, each in found["imports"].items()
    ]
    speed = [
        [name, size, *(f"{1000 * each['median']:,.1f}" for each in by_who.values())]
        for name, by_size in found["seconds"].items()
        for size, by_who in by_size.items()
    ]
    return {
        "agreement": markdown(["network", "ONNX", "torch.export"], apart),
        "imports": markdown(["", "seconds", "of the processor"], times),
        "speed": markdown(["network", "forecasts", *(f"{who} (ms)" for who in WHO)], speed),
    }


if __name__ == "__main__":
    main()
