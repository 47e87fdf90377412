"""What the scripts for a CUDA device share: sizes, cells that may fail, the timing of training, and tables."""

import time
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

from benchmarks._report import Parser, load_json, made_with, markdown, results_file, save_json
from benchmarks.adapters import Plan, Task, Watch, load_adapter, missing_packages
from benchmarks.speed._work import make_panel
from skts import LSTMRegressor, SlidingWindower

N_WARM, N_STEPS = 10, 100  # of libraries that are watched step by step
NO_DEVICE = "needs a CUDA device"


@dataclass(frozen=True)
class Sizes:
    """The sizes of panel, network and run."""

    n_series: int = 10
    n_rows: int = 8760
    n_features: int = 24
    n_known: int = 4  # where columns are known over the horizon
    window: int = 168
    horizon: int = 24
    units: int = 64
    batches: tuple[int, ...] = (64, 512, 4096)
    steps: tuple[int, ...] = (100, 60, 20)  # of an epoch of the probe, by batch
    n_origins: int = 24
    epochs: int = 5
    layers: tuple[int, ...] = (5, 33, 64, 128, 160, 192, 256)  # units, where a layer alone is compared
    small: int = 32  # windows, and rows of each, there

    def task(self, n_windows=None, known=False):
        """Give a panel with all windows, or so many, to train on."""
        n_rows = self.n_rows
        if n_windows is not None:
            n_rows = self.window + self.horizon - 1 + -(-n_windows // self.n_series)
        X = make_panel(self.n_series, n_rows, self.n_features)
        ahead = list(X)[-self.n_known :] if known else []
        return Task(X, X, "x0", self.window, self.horizon, first=self.window, known=ahead)


QUICK = Sizes(2, 90, 3, 1, 8, 4, 4, batches=(32,), steps=(4,), n_origins=4, epochs=1, layers=(5,), small=4)


class Trial:
    """Call what measures a cell: what it found, in what it failed, or that the time was up; no cell ends the others."""

    def __init__(self, sizes, device, minutes=np.inf):
        self.sizes, self.device, self.deadline = sizes, device, time.monotonic() + 60 * minutes
        self.graphs = (False, True) if device == "cuda" else (False,)

    def __call__(self, function, **options):
        began = time.monotonic()
        if began > self.deadline:
            return options | {"left out": "the time was up"}
        try:
            found = function(self.sizes, self.device, **options)
        except Exception as error:
            found = {"failed": f"{type(error).__name__}: {error}".splitlines()[0][:160]}
        print(f"{function.__name__} ({time.monotonic() - began:.1f} s): {options | found}", flush=True)
        return options | found


class CountingWatch(Watch):
    """Count the steps that optimizers take by running Python; a step that is replayed runs none."""

    def __init__(self, at=None):
        super().__init__(at)
        self.n_steps = self.n_steps_of_look = 0

    def begin(self):
        self.hook = register_optimizer_step_post_hook(self._count)
        super().begin()

    def _count(self, *_):
        self.n_steps += 1

    def look(self, module):
        super().look(module)
        self.n_steps_of_look, self.n_steps = self.n_steps, 0

    def end(self, module):
        super().end(module)
        self.hook.remove()


def time_training(
    sizes, device, *, library="skts", batch, precision="float32", origins=1, graph=None, known=False, n_steps=None
):
    """Time epochs, or steps where a library is watched so; the first, in which graphs are recorded, are left out."""
    if absent := missing_packages(library):
        return {"absent": ", ".join(absent)}
    adapter, task = load_adapter(library), sizes.task(n_steps and n_steps * batch, known)
    n_windows = len(task.origins)
    n_watched = min(N_WARM + N_STEPS, n_windows // batch)
    settings = adapter.plain_lstm(Plan(sizes.units, batch, 1 + sizes.epochs, n_watched, precision))
    own = {
        "skts": {"origins_per_pass": origins, "net_params": {"cuda_graph": graph}},
        "skorch": {"max_epochs": 2},  # its epochs are long
        "darts": {"n_epochs": 1},
    }
    by_step = adapter.looks_after == "step"
    watch = CountingWatch({min(N_WARM, n_watched // 2), n_watched} if by_step else None)
    forget_peak(device)
    adapter(task, settings | own.get(library, {}), watch, device=device).fit()
    seconds = watch.seconds_of_a_look() / (1 if by_step else n_windows / batch)
    rates = {"ms a step": round(1e3 * seconds, 3), "windows/s": round(batch / seconds)}
    replays = {"replays": watch.n_steps_of_look < n_windows // batch} if library == "skts" else {}
    return {**rates, "targets/s": round(sizes.horizon * batch / seconds), **replays, "peak MB": peak_mb(device)}


def forget_peak(device):
    if device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def peak_mb(device):
    return round(torch.cuda.max_memory_reserved() / 2**20) if device == "cuda" else None


def fit(sizes, device, task, **options):
    """Fit an LSTM to the windows of a task, for an epoch unless more is asked for."""
    usual = {"hidden_size": sizes.units, "origins_per_pass": 1, "max_epochs": 1, "random_state": 0, "device": device}
    return LSTMRegressor(**usual | options).fit(windows_of(task), task.train[task.target])


def windows_of(task):
    return SlidingWindower(task.window, task.horizon, known=list(task.known)).fit_transform(task.train)


def describe(device):
    """Say on what it ran."""
    about = made_with("torch", "scikit-learn", "skorch")
    name = torch.cuda.get_device_name() if device == "cuda" else about["processor"]
    return {**about, "device": name, "cuda": torch.version.cuda, "cuDNN": torch.backends.cudnn.version()}


def earlier(found, about):
    """Give the results of another run, if it was on the same device."""
    return found if found.get("with") == about else {}


def run(name, doc, parts, arguments=None, *, epochs=5, minutes=np.inf):
    """Do the parts that are asked for, each a function of a `Trial` that gives tables of rows; 1 where no device is."""
    parser = Parser(doc)
    parser.add_choice("--parts", parts)
    parser.add_argument("--epochs", type=int, default=epochs, help="timed, after one that warms up")
    parser.add_argument("--minutes", type=float, default=minutes, help="after which no cell is begun")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda", help="cpu: a smoke test, with --quick")
    options = parser.parse_args(arguments)
    if options.device == "cpu" and not options.quick:
        parser.error("--device cpu is there for the smoke test: add --quick")
    if options.device == "cuda" and not torch.cuda.is_available():
        print(f"{name}.py runs on a CUDA device, and torch sees none here (--quick --device cpu is a smoke test).")
        return 1
    if options.device == "cpu":
        torch.set_num_threads(1)
    tried = Trial(QUICK if options.quick else replace(Sizes(), epochs=options.epochs), options.device, options.minutes)
    about, path = describe(options.device), results_file(options.output, name)
    found = earlier(load_json(path), about) | {"with": about}
    for part in options.parts:
        found |= parts[part](tried)
        save_json(found, path)
    print(as_markdown(found))
    return int(any(row.get("exit") for row in found.get("tests", [])))


def as_markdown(found):
    """Make a table of each part."""
    lines = [", ".join(f"{key} {value}" for key, value in found["with"].items())]
    for part, rows in found.items():
        if part != "with":
            columns = list(dict.fromkeys(key for row in rows for key in row))
            cells = [[as_cell(row.get(column)) for column in columns] for row in rows]
            lines.append(f"## {part}\n\n{markdown(columns, cells)}")
    return "\n\n".join(lines)


def as_cell(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.2e}" if isinstance(value, float) and abs(value) < 0.1 else str(value)
