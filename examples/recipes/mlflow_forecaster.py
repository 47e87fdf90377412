"""What MLflow runs to load a model of skts without pickle: it keeps this file, and the model beside it.

    mlflow.pyfunc.save_model(folder, python_model="mlflow_forecaster.py", artifacts={"model": "model.skts"})

`mlflow.pyfunc.load_model(folder).predict(X)` gives the table of `skts.forecast`; `params={"quantiles": [0.1, 0.9]}`
adds quantiles, where the signature that it was saved with names them.
"""

from typing import Any

import mlflow

from skts import forecast
from skts.persistence import load


class Forecaster(mlflow.pyfunc.PythonModel):
    """A forecaster that lies in the file `model`."""

    def load_context(self, context: Any) -> None:
        """Read the file."""
        self.pipe = load(context.artifacts["model"])

    def predict(self, context: Any, model_input, params: dict[str, Any] | None = None):
        """Forecast the rows of a table, whose index says who and when."""
        return forecast(self.pipe, model_input, quantiles=(params or {}).get("quantiles"))


mlflow.models.set_model(Forecaster())
