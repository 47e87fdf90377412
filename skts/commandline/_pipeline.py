"""The command's own forecaster: what it is made of, and what is tried of it."""

from typing import Any

import pandas as pd
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skts.commandline._job import Job
from skts.regressors import LSTMRegressor
from skts.windows import HistoryPrepender, SlidingWindower


def settle_job(job: Job, X: pd.DataFrame, y: pd.Series) -> Job:
    """Fill in what a job leaves open and its training rows tell: bounds, and whether nights are 0.

    Parameters
    ----------
    job : Job
    X : DataFrame of shape (n_rows, n_columns)
        The rows to learn from.
    y : Series of shape (n_rows,)
        Their target.

    Returns
    -------
    job : Job
    """
    return job


def build_pipeline(job: Job) -> Pipeline:
    """Put the steps of the forecaster together: scale, history, windows, network.

    Parameters
    ----------
    job : Job
        As :func:`settle_job` gives it.

    Returns
    -------
    pipeline : Pipeline
        Not fitted. Takes the table, and forecasts every row of it.
    """
    network = LSTMRegressor(max_epochs=3 if job.quick else 8, random_state=job.seed, device=job.device)
    windower = SlidingWindower(job.window, job.horizon, stride=job.stride, known=list(job.known), history=job.window)
    return Pipeline(
        [
            ("scale", StandardScaler()),
            ("history", HistoryPrepender(job.window)),
            ("windows", windower),
            ("lstm", network),
        ]
    ).set_output(transform="pandas")


def grid_of(job: Job) -> dict[str, list[Any]]:
    """Name the settings of the pipeline that a search tries."""
    short = max(1, job.window // 4)
    if job.quick:
        return {"windows__window": [short], "lstm__hidden_size": [8, 16]}
    return {"windows__window": [short, job.window], "lstm__hidden_size": [16, 32]}
