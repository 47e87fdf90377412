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
import importlib.util
import os
import sys
from pathlib import Path

NEEDED = ("torch", "sklearn", "pandas", "skorch", "tabulate")


def main(arguments=None):
    """Measure, or say in a line what is missing."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        print(f"cuda.py needs packages that are not installed: {', '.join(missing)}.")
        return 1
    from benchmarks.speed._cuda_figures import PARTS
    from benchmarks.speed._device import run

    return run("cuda", __doc__, PARTS, arguments)


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])  # not this folder, so that `cuda` is NVIDIA's
    os.environ.setdefault("TEARDOWN_CUPTI", "0")  # a profiler that ends must not disturb graphs
    sys.exit(main())
