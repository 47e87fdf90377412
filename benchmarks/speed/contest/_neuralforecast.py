"""neuralforecast: its LSTM and NHITS, one model for all series."""

import numpy as np
import pandas as pd
from neuralforecast import NeuralForecast, models
from neuralforecast.losses.pytorch import MAE, MQLoss

from contest._clock import Clock
from contest._lightning import QUIET, Marks, hush, one_cycle
from contest._long_tables import price_rows, wind_rows
from contest._tasks import HORIZON, LEVELS

READ_BEFORE = pd.Timedelta(days=15)  # of the past, more than any model reads, goes with the rows to forecast


def fit_wind(task, seed, settings):
    """A day of power and weather, the weather of the next 24 hours, the farm; the loss of nine quantiles."""
    clock = Clock()
    settings = {**settings, "input_size": 24, "loss": MQLoss(quantiles=list(LEVELS))}
    forecast = train(clock, task, wind_rows(task), seed, settings, stride=HORIZON)
    return clock, lambda weights: np.sort(forecast(weights), axis=1)


def fit_prices(task, seed, settings):
    """A week of everything, and calendar and exogenous columns of the next 24 hours; the absolute error."""
    clock = Clock()
    settings = {**settings, "input_size": 168, "loss": MAE()}
    forecast = train(clock, task, price_rows(task), seed, settings, stride=1)
    return clock, lambda weights: forecast(weights).reshape(-1, HORIZON)


def train(clock, task, tables, seed, settings, stride):
    """Fit, and give what forecasts every `stride` hours, in the order of series, origins and hours."""
    hush()
    rows, known, static = tables
    first = task.valid.index.get_level_values(-1).min()
    if static is not None:
        settings["stat_exog_list"] = [column for column in static if column != "unique_id"]
    network = getattr(models, settings.pop("model"))
    scheduler, arguments = one_cycle(settings["learning_rate"], settings["max_steps"])
    model = network(
        **settings,
        h=HORIZON,
        futr_exog_list=known,
        lr_scheduler=scheduler,
        lr_scheduler_kwargs=arguments,
        random_seed=seed,
        callbacks=[Marks(clock, settings["max_steps"])],
        **QUIET,
    )
    forecaster = NeuralForecast([model], freq="h")
    forecaster.fit(rows[rows["ds"] < first], static_df=static)
    fitted = forecaster.models[0]
    fitted.trainer_kwargs["callbacks"] = []
    recent = rows[rows["ds"] >= first - READ_BEFORE]
    n_hours = recent.loc[recent["ds"] >= first, "ds"].nunique()

    def forecast(weights):
        fitted.load_state_dict(weights)
        answers = forecaster.cross_validation(
            recent, static, n_windows=None, step_size=stride, test_size=n_hours, use_fitted=True
        )
        answers = answers.sort_values(["unique_id", "cutoff", "ds"])
        return answers.drop(columns=["unique_id", "cutoff", "ds", "y"]).to_numpy()

    return forecast


FIT = {"wind": fit_wind, "prices": fit_prices}
