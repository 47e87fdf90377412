"""How many files and functions of skts one call goes through: `fit` and `predict` of an LSTMRegressor on windows.

Run: python benchmarks/hops.py

Fewer hops are easier to follow. Counted are functions that are called in the main thread, once each.
"""

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
from sklearn.base import clone

sys.path.insert(0, str(ROOT))  # a checkout that is not installed
import skts
from benchmarks._report import markdown
from skts import LSTMRegressor, SlidingWindower
from skts.datasets import make_panel

PACKAGE = Path(skts.__file__).parent


def count_hops(function: Callable[..., Any], *arguments: Any) -> Counter[str]:
    """Give the files of skts that a call goes through, and how many functions of each (lambdas are none)."""
    found: set[CodeType] = set()

    def on_event(frame: Any, event: str, argument: Any) -> None:
        code = frame.f_code
        if event == "call" and not code.co_name.startswith("<") and Path(code.co_filename).is_relative_to(PACKAGE):
            found.add(code)

    before = sys.getprofile()
    sys.setprofile(on_event)
    try:
        function(*arguments)
    finally:
        sys.setprofile(before)
    return Counter(str(Path(code.co_filename).relative_to(PACKAGE.parent)) for code in found)


def count_fit_and_predict() -> dict[str, Counter[str]]:
    """Count both calls of a small regressor, after one that is not counted: what is only done once does not matter."""
    X, y = make_panel(n_series=2, n_rows=120, random_state=0)
    windows = SlidingWindower(12, horizon=4, known=["wind"]).fit_transform(X)
    regressor = LSTMRegressor(hidden_size=4, max_epochs=2, random_state=0, device="cpu")
    regressor.fit(windows, y).predict(windows)
    return {"fit": count_hops(clone(regressor).fit, windows, y), "predict": count_hops(regressor.predict, windows)}


def main() -> None:
    """Print the files of both calls."""
    for name, files in count_fit_and_predict().items():
        print(f"\n{name}: {len(files)} files, {files.total()} functions\n")
        print(markdown(["file", "functions"], sorted(files.items())))


if __name__ == "__main__":
    main()
