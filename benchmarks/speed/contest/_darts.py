"""darts: TiDE, one model for all series."""

import numpy as np
import torch
from darts import TimeSeries
from darts.models import TiDEModel
from darts.utils.likelihood_models import QuantileRegression

from contest._clock import Clock
from contest._lightning import QUIET, Marks, hush, one_cycle
from contest._long_tables import price_rows, wind_rows
from contest._tasks import HORIZON, LEVELS

N_EPOCHS = 1000  # more than max_steps needs


def fit_wind(task, seed, settings):
    """A day of power and weather, the weather of the next 24 hours, the farm; the loss of nine quantiles."""
    clock = Clock()
    settings = {**settings, "input_chunk_length": 24, "likelihood": QuantileRegression(list(LEVELS))}
    forecast = train(clock, task, wind_rows(task), seed, settings, stride=HORIZON)
    return clock, lambda weights: np.sort(forecast(weights), axis=1)


def fit_prices(task, seed, settings):
    """A week of everything, and calendar and exogenous columns of the next 24 hours; the absolute error."""
    clock = Clock()
    settings = {**settings, "input_chunk_length": 168, "loss_fn": torch.nn.L1Loss()}
    forecast = train(clock, task, price_rows(task), seed, settings, stride=1)
    return clock, lambda weights: forecast(weights).reshape(-1, HORIZON)


def train(clock, task, tables, seed, settings, stride):
    """Fit, and give what forecasts every `stride` hours, in the order of series, origins and hours."""
    hush()
    first = task.valid.index.get_level_values(-1).min()
    series, ahead = make_series(*tables)
    n_steps, rate = settings.pop("max_steps"), settings.pop("learning_rate")
    scheduler, arguments = one_cycle(rate, n_steps)
    model = TiDEModel(
        **settings,
        output_chunk_length=HORIZON,
        n_epochs=N_EPOCHS,
        optimizer_kwargs={"lr": rate},
        lr_scheduler_cls=scheduler,
        lr_scheduler_kwargs={**arguments, "interval": "step"},
        random_state=seed,
        pl_trainer_kwargs={**QUIET, "max_steps": n_steps, "callbacks": [Marks(clock, n_steps)]},
    )
    model.fit([each.drop_after(first) for each in series], future_covariates=ahead)
    model.trainer_params["callbacks"] = []
    recent = [each.drop_before(first - each.freq * 400) for each in series]

    def forecast(weights):
        model.model.load_state_dict(weights)
        answers = model.historical_forecasts(
            recent,
            future_covariates=ahead,
            start=first,
            forecast_horizon=HORIZON,
            stride=stride,
            retrain=False,
            last_points_only=False,
            predict_likelihood_parameters="likelihood" in settings,
            predict_kwargs={"batch_size": 1024},
        )
        return np.concatenate([one.values() for of_series in answers for one in of_series])

    return forecast


def make_series(rows, known, static):
    """Give the targets, with the series as static covariates, and what is known ahead, by series."""
    series, ahead = [], []
    for number, (_, own) in enumerate(rows.groupby("unique_id", sort=True)):
        own = own.set_index("ds")
        who = None if static is None else static.drop(columns="unique_id").iloc[[number]].astype(np.float32)
        series.append(TimeSeries.from_dataframe(own, value_cols=["y"], freq="h", static_covariates=who))
        ahead.append(TimeSeries.from_dataframe(own, value_cols=known, freq="h"))
    return series, ahead


FIT = {"wind": fit_wind, "prices": fit_prices}
