"""skts: one LSTM for all series, its learning rate on one cycle."""

import pandas as pd
import torch
from sklearn.base import clone
from sklearn.compose import make_column_selector
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback

from contest._clock import Clock
from contest._tasks import HORIZON, LEVELS, epf, gefcom2014
from skts import HistoryPrepender, LSTMRegressor, SlidingWindower
from skts.features import CalendarFeatures

DAY, WEEK = 24, 168


class Marks(Callback):
    """Look at the clock when an epoch ends."""

    def __init__(self, clock, n_epochs):
        self.clock = clock
        self.n_epochs = n_epochs

    def on_epoch_end(self, net, **kwargs):
        self.clock.look(net.module_, is_last=len(net.history) == self.n_epochs)


def fit_wind(task, seed, settings):
    """Weather of all farms, known ahead, and a day of the farm's own power before midnight."""
    clock = Clock()
    marks = Marks(clock, settings["max_epochs"])
    steps = [
        *gefcom2014.make_features("lstm"),
        ("scale", StandardScaler()),
        ("history", HistoryPrepender(DAY)),
        ("windows", SlidingWindower(DAY, HORIZON, known=make_column_selector("^(?!power)"))),
        ("lstm", LSTMRegressor(**settings, quantiles=LEVELS, random_state=seed, callbacks=[marks])),
    ]
    pipe = Pipeline(steps).set_output(transform="pandas").fit(task.train, task.train["power"])

    def forecast(weights):
        pipe["lstm"].net_.module_.load_state_dict(weights)
        return pipe.predict(task.valid, quantiles=LEVELS)

    return clock, forecast


def fit_prices(task, seed, settings):
    """A week of everything, and calendar and exogenous columns of the next 24 hours; learns asinh(price)."""
    clock = Clock()
    marks = Marks(clock, settings["max_epochs"])
    criterion = {"criterion": torch.nn.L1Loss}
    steps = [
        ("calendar", CalendarFeatures(["hour", "weekday", "year"])),
        ("windows", SlidingWindower(WEEK, HORIZON, known=[*epf.CALENDAR, "exog1", "exog2"])),
        ("lstm", LSTMRegressor(**settings, net_params=criterion, random_state=seed, callbacks=[marks])),
    ]
    tame, back = epf.TAMED
    X, X_valid = (part.assign(price=tame(part["price"])) for part in (task.train, task.valid))
    pipe = Pipeline(steps).set_output(transform="pandas").fit(X, X["price"])
    read = pd.concat([X[-WEEK:], X_valid])

    def forecast(weights):
        pipe["lstm"].net_.module_.load_state_dict(weights)
        windows = clone(pipe["windows"]).fit_transform(pipe["calendar"].transform(read))
        return back(pipe["lstm"].predict(windows))

    return clock, forecast


FIT = {"wind": fit_wind, "prices": fit_prices}
