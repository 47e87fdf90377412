"""Write the files that every later version has to load: run once for each format, and never over what is there.

python -m tests.persistence.write_files
"""

import json
from pathlib import Path

import numpy as np
from sklearn.base import clone

from skts.persistence import save
from tests.persistence._estimators import PIPELINES
from tests.persistence._tables import make_tables

FILES = Path(__file__).parent / "files"
FORMAT = 1
NAMES = ("lstm", "gru", "dlinear", "transformer", "sources", "conformal", "combination", "boosting", "per_series")


def main():
    """Fit, save, and keep what was forecast."""
    X, y, X_new, _ = make_tables()
    folder = FILES / f"format_{FORMAT}"
    folder.mkdir(parents=True, exist_ok=True)
    forecasts = {}
    for name in NAMES:
        path = folder / f"{name}.skts"
        if path.exists():
            raise FileExistsError(f"{path} is there: files of a format stay as they were written.")
        estimator = clone(PIPELINES[name]).fit(X, y)
        save(estimator, path, card={"name": name})
        forecasts[name] = np.asarray(estimator.predict(X_new)).tolist()
    (folder / "forecasts.json").write_text(json.dumps(forecasts))


if __name__ == "__main__":
    main()
