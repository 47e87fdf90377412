"""LightGBM: one boosting for each level, or each hour ahead, all grown in step."""

import lightgbm
import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from contest._clock import Clock
from contest._tasks import HORIZON, LEVELS, epf, gefcom2014
from skts.features import CalendarFeatures

WEEK = 168
N_MARKS = 20


def fit_wind(task, seed, settings):
    """One row for each hour: weather of all farms and of the hours around, and the power before midnight."""
    clock = Clock()
    features = make_pipeline(
        *(step for _, step in gefcom2014.make_features("boosting")), FunctionTransformer(gefcom2014.add_hours_around)
    ).set_output(transform="pandas")
    table = pd.concat([task.train, task.valid]).sort_index()
    rows = features.fit_transform(table.drop(columns="power")).assign(**power_before_midnight(table))
    rows, rows_valid = (rows.loc[part.index].to_numpy() for part in (task.train, task.valid))
    params = settings | {"objective": "quantile", "seed": seed}
    data = make_data(rows, task.train["power"], params, categorical_feature=[0])
    boosters, clock.marks = grow(clock, [(params | {"alpha": level}, data) for level in LEVELS])

    def forecast(n_rounds):
        levels = [booster.predict(rows_valid, num_iteration=n_rounds) for booster in boosters]
        return np.sort(np.stack(levels, axis=1), axis=1)

    return clock, forecast


def power_before_midnight(table):
    """Give the hours since the last midnight of every row, the power then, and its mean over six hours before."""
    farms = table["power"].groupby("farm")
    lead = farms.cumcount() % HORIZON
    last = farms.shift(1)
    mean = farms.transform(lambda power: power.shift(1).rolling(6).mean())
    told = {name: column.where(lead == 0).groupby("farm").ffill() for name, column in (("last", last), ("mean", mean))}
    return {"lead": lead, **told}


def fit_prices(task, seed, settings):
    """One row for each second origin, and a boosting for each hour ahead that reads what stands around that hour."""
    clock = Clock()
    params = settings | {"objective": "mae", "seed": seed}
    table = pd.concat([task.train, task.valid])
    table = CalendarFeatures(["hour", "weekday", "year"]).set_output(transform="pandas").fit_transform(table)
    price = table["price"].to_numpy()
    n_train = len(task.train)
    origins = np.arange(WEEK, n_train - HORIZON + 1, 2)
    origins_valid = np.arange(n_train, len(table) - HORIZON + 1)
    jobs = [(params, make_data(design(table, origins, lead), price[origins + lead], params)) for lead in range(HORIZON)]
    boosters, clock.marks = grow(clock, jobs)
    rows_valid = [design(table, origins_valid, lead) for lead in range(HORIZON)]

    def forecast(n_rounds):
        return np.stack(
            [one.predict(rows, num_iteration=n_rounds) for one, rows in zip(boosters, rows_valid, strict=True)], axis=1
        )

    return clock, forecast


def design(table, origins, lead):
    """Make the row of each origin: the last day's prices, the same hour of seven days, and what is known ahead."""
    price, exog = table["price"].to_numpy(), table[["exog1", "exog2"]].to_numpy()
    hour = origins + lead
    last_known = origins + HORIZON - 1
    day = sliding_window_view(price, HORIZON)[origins - HORIZON]  # (origins, 24)
    week = sliding_window_view(price, WEEK)[origins - WEEK]
    exog_days = sliding_window_view(exog, HORIZON, axis=0).mean(-1)  # (hours - 23, 2), the day from each hour on
    return np.column_stack(
        [
            day,
            day.mean(1),
            day.min(1),
            day.max(1),
            week.mean(1),
            *(price[hour - HORIZON * days] for days in range(1, 8)),
            *(exog[np.minimum(hour + step, last_known)] for step in range(-3, 4)),
            exog[hour - HORIZON],
            exog[hour - WEEK],
            exog_days[origins],
            exog_days[origins - HORIZON],
            table[epf.CALENDAR].to_numpy()[hour],
        ]
    ).astype(np.float32)


def make_data(rows, targets, params, **options):
    """Cut the columns into bins, once for all levels."""
    told = {key: params[key] for key in ("max_bin", "min_data_in_leaf")} | {"verbose": -1, "num_threads": 1}
    return lightgbm.Dataset(rows, np.asarray(targets), params=told, free_raw_data=False, **options).construct()


def grow(clock, jobs):
    """Grow the boosters one after the other; a mark counts what all of them took up to its round."""
    prepared = clock.seconds
    n_rounds = jobs[0][0]["num_boost_round"]
    spent = np.zeros(n_rounds)
    boosters = []
    for params, data in jobs:
        began, ended = clock.seconds, []
        params = {key: value for key, value in params.items() if key != "num_boost_round"}
        booster = lightgbm.train(
            params | {"num_threads": 1, "verbose": -1},
            data,
            n_rounds,
            callbacks=[lambda env, ended=ended: ended.append(clock.seconds)],
        )
        spent += np.array(ended) - began
        boosters.append(booster)
    kept = np.unique(np.geomspace(min(4, n_rounds), n_rounds, N_MARKS).round().astype(int))
    return boosters, [(prepared + spent[each - 1], each) for each in kept.tolist()]


FIT = {"wind": fit_wind, "prices": fit_prices}
