"""All tests and figures on a CUDA device: one command, on a machine that has one.

Run: python benchmarks/speed/cuda.py [--parts tests figures peers] [--epochs 5] [--output FOLDER]

- tests: `python -m pytest -m cuda`.
- figures: `LSTMRegressor` on 10 series x 8,760 rows x 24 features, window 168, horizon 24, 64 units, at batches of 64,
  512 and 4,096 windows; a pass for each window, and one for 24; float32 and bf16; with and without a CUDA graph.
  Windows a second, the share of the time in which the device computes, the peak of its memory; forecasts; what
  `batch_size="auto"` finds.
- peers: a loop by hand with the data on the device, skorch as it comes, and where they are installed darts and
  neuralforecast.

A cell that fails says so and the others go on. Results of another run on the same device and versions are kept for
parts that are left out. `--quick --device cpu` is a smoke test of all but the tests.
"""

# Only the standard library here: torch looks for NVIDIA's package `cuda`, and in this folder finds this file.
import argparse
import importlib.util
import os
import platform
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
PARTS = ("tests", "figures", "peers")
NEEDED = ("torch", "sklearn", "pandas", "skorch", "tabulate")


def run_tests():
    """Run what is marked `cuda`, and import no other test; say how that ended."""
    if importlib.util.find_spec("pytest") is None:
        print("The tests need pytest, which is not installed.")
        return {"exit": None, "summary": "pytest is not installed"}
    files = [path for path in sorted(ROOT.glob("tests/**/test_*.py")) if "pytest.mark.cuda" in path.read_text()]
    command = [sys.executable, "-m", "pytest", "-m", "cuda", "-q", "-ra", *map(str, files)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    print(done.stdout + done.stderr, flush=True)
    return {"exit": done.returncode, "summary": done.stdout.strip().splitlines()[-1:]}


def describe(device):
    """Say on what it ran."""
    import sklearn
    import torch

    name = torch.cuda.get_device_name() if device == "cuda" else platform.processor() or platform.machine()
    return {
        "device": name,
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "scikit-learn": sklearn.__version__,
        "python": platform.python_version(),
    }


def earlier(found, about):
    """Give the results of another run, if it was on the same device."""
    return found if found.get("with") == about else {}


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--epochs", type=int, default=5, help="timed, behind one that warms up")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--quick", action="store_true", help="a smoke test")
    parser.add_argument("--output", type=Path, default=FOLDER.parent / "results")
    options = parser.parse_args(arguments)
    if options.device == "cpu" and not options.quick:
        parser.error("--device cpu is there for the smoke test: add --quick")
    return options


def why_not(device):
    """Say in a line what is missing, or nothing."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        return f"cuda.py needs packages that are not installed: {', '.join(missing)}."
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        return "cuda.py measures on a CUDA device, and torch sees none here."
    try:
        import skts  # noqa: F401
    except ImportError as error:
        return f"cuda.py cannot import skts: {error}."
    return None


def main(arguments=None):
    options = parse(arguments)
    if (reason := why_not(options.device)) is not None:
        print(reason)
        return 1
    from benchmarks._report import load_json, save_json
    from benchmarks.speed import _cuda_figures

    sizes = _cuda_figures.QUICK if options.quick else _cuda_figures.Sizes(epochs=options.epochs)
    about = describe(options.device)
    path = options.output / "cuda.json"
    found = earlier(load_json(path), about) | {"with": about}
    parts = {
        "tests": run_tests,
        "figures": lambda: _cuda_figures.measure(sizes, options.device),
        "peers": lambda: _cuda_figures.measure_peers(sizes, options.device),
    }
    for name in PARTS:
        if name in options.parts and (name, options.device) != ("tests", "cpu"):
            found[name] = parts[name]()
            save_json(found, path)
    print(_cuda_figures.as_markdown(found))
    return 1 if found.get("tests", {}).get("exit") else 0


if __name__ == "__main__":
    sys.path[0] = str(ROOT)  # a checkout that is not installed; not this folder, so that `cuda` is NVIDIA's
    os.environ.setdefault("TEARDOWN_CUPTI", "0")  # a profiler that ends must not disturb graphs
    sys.exit(main())
