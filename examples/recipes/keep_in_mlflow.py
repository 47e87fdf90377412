"""Keep a forecaster as a model of MLflow, in two flavours.

MLflow's flavour for scikit-learn takes a pipeline of skts as any other, and writes it as a pickle: whoever loads it has
to trust whoever wrote it. Its way without pickle, `serialization_format="skops"`, refuses what a network is made of.
The second flavour keeps the file of `skts.persistence.save`, and `mlflow_forecaster.py` to read it: no pickle.

`log_model` of both takes the same arguments, and puts the model into a run instead of a folder.
"""

import tempfile
from pathlib import Path

import mlflow.pyfunc
import mlflow.sklearn
import numpy as np
import torch
from mlflow.models import infer_signature
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skts import DLinearRegressor, HistoryPrepender, SlidingWindower, forecast
from skts.datasets import make_panel
from skts.persistence import save

NEEDS = ["skts[save]"]  # else MLflow loads the model once more, to see what it imports
CODE = Path(__file__).resolve().parent / "mlflow_forecaster.py"


def fit():
    """Train a small network, and give it with the rows that come after."""
    X, y = make_panel(n_series=2, n_rows=240, random_state=0)
    time = X.index.get_level_values("time")
    is_new = time >= np.sort(time.unique())[192]
    windows = SlidingWindower(24, horizon=6, known=["wind"])
    network = DLinearRegressor(quantiles=(0.1, 0.5, 0.9), max_epochs=3, random_state=0)
    pipe = make_pipeline(StandardScaler(), HistoryPrepender(24), windows, network).set_output(transform="pandas")
    return pipe.fit(X[~is_new], y[~is_new]), X[is_new]


def main():
    """Keep it, load it, and look whether it forecasts as before."""
    torch.set_num_threads(1)
    folder, params = Path(tempfile.mkdtemp()), {"quantiles": [0.1, 0.9]}
    pipe, X = fit()
    mlflow.sklearn.save_model(pipe, folder / "pickle", serialization_format="cloudpickle", pip_requirements=NEEDS)
    save(pipe, folder / "model.skts")
    mlflow.pyfunc.save_model(
        folder / "plain",
        python_model=str(CODE),
        artifacts={"model": str(folder / "model.skts")},
        signature=infer_signature(X, params=params),
        pip_requirements=NEEDS,
    )
    same = np.array_equal(mlflow.sklearn.load_model(folder / "pickle").predict(X), pipe.predict(X))
    print(f"scikit-learn's flavour, a pickle: forecasts are the same: {same}")
    table = mlflow.pyfunc.load_model(str(folder / "plain")).predict(X, params=params)
    print(f"the file of skts: forecasts are the same: {table.equals(forecast(pipe, X, quantiles=params['quantiles']))}")
    print(f"files with pickles beside it: {len([*(folder / 'plain').rglob('*.pkl')])}")


if __name__ == "__main__":
    main()
