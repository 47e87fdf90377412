"""What a competent forecaster makes by hand for gradient boosting: a row for each forecast, by origin and lead."""

import numpy as np
import pandas as pd

BY_HAND, ON_WINDOWS = "LightGBM, by hand", "LightGBM on windows"
LIGHTGBM = [BY_HAND, ON_WINDOWS]
DAY = 24


def make_lightgbm(n_estimators, quick=False, **settings):
    """Gradient boosting on one thread, which gives the same forecasts again."""
    from lightgbm import LGBMRegressor

    fixed = {"subsample_freq": 1, "max_bin": 63, "n_jobs": 1, "random_state": 0, "verbose": -1}
    return LGBMRegressor(n_estimators=20 if quick else n_estimators, **(fixed | settings))


def price_rows(table, origins, horizon, *, ahead):
    """Put side by side what may be read of a market when its prices are forecast.

    Parameters
    ----------
    table : DataFrame
        Hour by hour `exog1`, `exog2` and `price`.
    origins : ndarray of int of shape (n_origins,)
        Rows from which so many hours as `horizon` are forecast, at least a week after the first.
    horizon : int
        At most a day.
    ahead : bool
        Whether `exog1` and `exog2` are known for the hours to forecast.

    Returns
    -------
    rows : DataFrame of shape (n_origins * horizon, n_columns)
        The price, and what is beside it, of the same hour on the days before; the last prices, and what the last day
        and week were like; hour, weekday and season; the lead.
    level : ndarray of shape (n_origins * horizon,)
        The median price of the week before.
    """
    lead = np.arange(horizon)
    at = origins[:, None] + lead  # the row of each forecast
    price = table["price"].to_numpy()
    last = np.lib.stride_tricks.sliding_window_view(price, 7 * DAY)[origins - 7 * DAY]  # the week before each origin
    level = np.median(last, axis=1)
    days = last.reshape(len(origins), 7, DAY)  # of 24 hours that end at the origin

    def once(values):
        return np.broadcast_to(values[:, None], at.shape)

    rows = {f"price {day} days before": price[at - DAY * day] for day in (1, 2, 3, 6, 7)}
    rows |= {"price an hour before on the last day": price[at - DAY - 1]}
    rows |= {f"price {hour} h before the origin": once(price[origins - hour]) for hour in (1, 2, 3)}
    rows |= {"mean of the hour over the week": days.mean(axis=1)[:, lead % DAY]}
    rows |= {
        "mean of the day": once(days[:, -1].mean(axis=1)),
        "least of the day": once(days[:, -1].min(axis=1)),
        "most of the day": once(days[:, -1].max(axis=1)),
        "mean of the day before": once(days[:, -2].mean(axis=1)),
        "spread of the week": once(np.abs(last - level[:, None]).mean(axis=1)),
    }
    rows = {name: values - (0 if name.startswith("spread") else once(level)) for name, values in rows.items()}
    rows |= {"level": once(level)}
    for name in ("exog1", "exog2"):
        values = table[name].to_numpy()
        rows |= {f"{name} {day} days before": values[at - DAY * day] for day in (1, 7)}
        rows |= {f"{name} an hour before the origin": once(values[origins - 1])}
        mean = np.lib.stride_tricks.sliding_window_view(values, DAY).mean(axis=1)  # of the 24 hours from each on
        rows |= {f"mean {name} of the day": once(mean[origins - DAY])}
        if ahead:
            inside = (at[:, :1] <= at + 1) & (lead < horizon - 1)
            rows |= {
                name: values[at],
                f"{name} an hour before": values[at - 1],
                f"{name} an hour after": np.where(inside, values[np.minimum(at + 1, len(values) - 1)], np.nan),
                f"{name} beside a day before": values[at] - values[at - DAY],
                f"{name} beside a week before": values[at] - values[at - 7 * DAY],
                f"mean {name} ahead": once(mean[origins]),
                f"mean {name} ahead beside the day": once(mean[origins] - mean[origins - DAY]),
            }
    times = table.index[at.ravel()]
    rows = {name: values.ravel() for name, values in rows.items()}
    rows |= {"hour": times.hour, "weekday": times.day_of_week, "season": times.day_of_year}
    rows |= {"lead": np.broadcast_to(lead + 1, at.shape).ravel()}
    return pd.DataFrame(rows).astype(np.float32), once(level).ravel()


def load_rows(values, origins, horizon, *, days):
    """Put side by side what may be read of a load or temperature when it is forecast from its own past.

    Parameters
    ----------
    values : ndarray of float of shape (n_rows,)
        Hour by hour.
    origins : ndarray of int of shape (n_origins,)
        Rows from which so many hours as `horizon` are forecast, at least `days` after the first.
    days : int
        How many days before the origin are read.

    Returns
    -------
    rows : DataFrame of shape (n_origins * horizon, n_columns)
        The same hour on the days before the origin, the last hours, what the last days were like, all beside the
        level; the lead.
    level : ndarray of shape (n_origins * horizon,)
        The mean of the day before the origin.
    """
    lead = np.arange(horizon)
    n, hour = len(origins), lead % DAY
    last = np.lib.stride_tricks.sliding_window_view(values, days * DAY)[origins - days * DAY].reshape(n, days, DAY)
    level = last[:, -1].mean(axis=1)
    last = last - level[:, None, None]

    def once(values):
        return np.broadcast_to(values[:, None], (n, horizon))

    shown = sorted({1, 2, 3, 7, days} & set(range(1, days + 1)))
    rows = {f"{day} days before": last[:, -day][:, hour] for day in shown}
    rows |= {"an hour before on the last day": last[:, -1][:, (lead - 1) % DAY]}
    rows |= {"an hour after on the last day": last[:, -1][:, (lead + 1) % DAY]}
    rows |= {f"mean of the hour over {day} days": last[:, -day:].mean(axis=1)[:, hour] for day in shown[1:]}
    rows |= {f"least of the hour over {days} days": last.min(axis=1)[:, hour]}
    rows |= {f"most of the hour over {days} days": last.max(axis=1)[:, hour]}
    rows |= {f"{h} h before the origin": once(last[:, -1, -h]) for h in (1, 2, 3, 6, 12)}
    rows |= {f"mean of {day} days": once(last[:, -day:].mean(axis=(1, 2))) for day in shown[1:]}
    rows |= {f"spread of {day} days": once(last[:, -day:].std(axis=(1, 2))) for day in (1, days)}
    rows |= {"level": once(level), "lead": np.broadcast_to(lead + 1, (n, horizon))}
    return pd.DataFrame({name: v.ravel() for name, v in rows.items()}).astype(np.float32), once(level).ravel()


def turbine_rows(X, power, origin, *, hours=(-6, -4, -3, -2, -1, 1, 2, 3, 4, 6)):
    """Put side by side what may be read when the power of turbines is forecast from an origin on.

    Parameters
    ----------
    X : DataFrame
        By turbine and time: the weather, which is known ahead, of which `WindFeatures` has made speed and direction.
    power : Series
        What was measured, as `X` is indexed.
    origin : Series or Index
        The time of the origin of each row: nothing that was measured from it on is read.
    hours : sequence of int
        Of which hours around its own each row reads the wind.

    Returns
    -------
    rows : DataFrame of float32
        The weather of the hour and of those around it, its mean over 5 and 13 hours; the last power of the turbine and
        of all, the wind at that time, means over 6 and 24 hours; hour, season, lead and turbine.
    """
    turbine, time = X.index.get_level_values(0), X.index.get_level_values(-1)
    by_turbine = X.groupby(level=0, sort=False)
    wind = X[[name for name in X if "100" in name]].groupby(level=0, sort=False)
    around = [wind.shift(-hour).add_suffix(f" {hour:+d} h") for hour in hours]
    speed = [name for name in X if name.startswith("speed")]
    means = [
        by_turbine[speed]
        .transform(lambda each, n=n: each.rolling(n, center=True, min_periods=1).mean())
        .add_suffix(f" over {n} h")
        for n in (5, 13)
    ]
    own = power.groupby(level=0, sort=False)
    seen = own.ffill(limit=DAY).groupby(level=0, sort=False)
    past = {
        "power": seen.shift(1),
        "power 2 h before": seen.shift(2),
        "power over 6 h": own.transform(lambda each: each.rolling(6, min_periods=1).mean().shift(1)),
        "power over 24 h": own.transform(lambda each: each.rolling(DAY, min_periods=1).mean().shift(1)),
    }
    past["power of all"] = past["power"].groupby(level=-1).transform("mean")
    past["speed before the origin"] = by_turbine[speed[-1]].shift(1)
    at = pd.MultiIndex.from_arrays([turbine, pd.DatetimeIndex(origin)])
    past = pd.DataFrame(past).reindex(at).set_axis(X.index)
    when = {
        "hour": time.hour,
        "season": time.day_of_year,
        "lead": (time - pd.DatetimeIndex(origin)) // pd.Timedelta(hours=1) + 1,
        "turbine": pd.factorize(turbine, sort=True)[0],
    }
    parts = [X, *around, *means, past, pd.DataFrame(when, index=X.index)]
    return pd.concat(parts, axis=1).astype(np.float32)
