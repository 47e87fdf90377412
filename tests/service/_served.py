"""A model to serve, and what it says when it is asked without a service."""

import importlib.util
import os
import warnings
from pathlib import Path

import numpy as np
from sklearn.pipeline import make_pipeline

from skts import GRURegressor, HistoryPrepender, SlidingWindower, forecast, to_panel
from skts.datasets import make_panel
from skts.persistence import save
from tests.service._sleeper import Sleeper

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "service"
LEVELS = [0.1, 0.9]
PARQUET = "application/vnd.apache.parquet"


def load_script(name):
    """Import a file of the example."""
    spec = importlib.util.spec_from_file_location(f"service_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_tables():
    """Give X, y, and X of the two days that follow."""
    X, y = make_panel(n_series=3, n_rows=240, random_state=0)
    time = X.index.get_level_values("time")
    is_new = time >= np.sort(time.unique())[192]
    return X[~is_new], y[~is_new], X[is_new]


def fit(X, y):
    """Fit a small forecaster of quantiles."""
    network = GRURegressor(hidden_size=4, quantiles=(0.1, 0.5, 0.9), max_epochs=1, random_state=0)
    steps = HistoryPrepender(12), Sleeper(), SlidingWindower(12, horizon=6, known=["wind"]), network
    return make_pipeline(*steps).set_output(transform="pandas").fit(X, y)


def write(pipe, path):
    """Save it, and say what the environment of its service has to be."""
    save(pipe, path, trusted=[Sleeper])
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {"PYTHONPATH": paths, "SKTS_TRUSTED": f"{Sleeper.__module__}.Sleeper"}


def flat(X):
    """Give a table as people send it: who and when are columns, times are text."""
    rows = X.reset_index()
    return rows.assign(**{name: [str(time) for time in rows[name]] for name in ("time",) if name in rows})


def as_json(X):
    """Give the columns of a table as JSON takes them."""
    return {name: [None if value != value else value for value in X[name].tolist()] for name in X.columns}


def ask_directly(pipe, rows):
    """Forecast a flat table without a service: the table, or what was refused, and the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        try:
            answer = forecast(pipe, to_panel(rows, series=["station"], time="time"), quantiles=LEVELS)
        except (ValueError, TypeError) as error:
            answer = str(error)
    said = dict.fromkeys((each.category.__name__, str(each.message)) for each in caught)
    return answer, [{"kind": kind, "message": message} for kind, message in said]
