"""Direct, rolling or recursive: the error by lead, and how a path that feeds on itself flattens.

Run: python examples/studies/paths.py [--seeds 0 1 2 3 4]

"direct" forecasts 24 hours at once. "recursive" forecasts the next hour (or the next 6) and reads its own forecasts as
the past from then on. "rolling" forecasts the next hour, and the hour is measured before the next forecast is made: the
error of another task, and a bound.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from _study import COLOURS, HORIZON, Study, differences, for_steps, interval, make_pipeline, make_regressor, said
from sklearn.compose import make_column_selector

from skts.exceptions import UnseenSeriesWarning
from skts.strategies import RecursiveRegressor

STEPS = 1640  # of 64 windows
PAST = 24  # hours that each forecast reads
DIRECT, BY_SIX, BY_ONE, ROLLING = "direct", "recursive, 6 hours at a time", "recursive, hour by hour", "rolling"
STEP_OF = {DIRECT: HORIZON, BY_SIX: 6, BY_ONE: 1, ROLLING: 1}
WEATHER = {"with the weather": "^(?!power_kw)", "without weather": "^hour"}
SHOWN = [1, 3, 6, 12, 24]


def cut_days(X, is_new, every):
    """Give the forecasts of days as series of their own: the hours before midnight, and the day."""
    turbines = X.index.get_level_values(0)
    days = []
    for turbine in turbines.unique():
        rows = np.flatnonzero(turbines == turbine)
        new = is_new[rows]
        for start in range(int(np.argmax(new)), len(rows) - HORIZON + 1, 24 * every):
            days.append(rows[start - PAST : start + HORIZON])
    names = [f"{turbines[rows[0]]} {number}" for number, rows in enumerate(days)]
    return np.stack(days), names


def as_series(X, days, names):
    """Stack the days under each other, each under a name of its own."""
    times = X.index.get_level_values("time")[days.ravel()]
    index = pd.MultiIndex.from_arrays([np.repeat(names, days.shape[1]), times], names=["day", "time"])
    return X.iloc[days.ravel()].set_axis(index)


def run(study):
    """Train a network for each length of step, and forecast every second day with it."""
    X, y, is_new = study.load()
    days, names = cut_days(X, is_new, every=15 if study.options.quick else 2)
    table, truth = as_series(X, days, names), y.to_numpy()[days[:, PAST:]]
    ahead = np.tile(np.arange(days.shape[1]) >= PAST, len(days))
    blind = table.assign(power_kw=table["power_kw"].mask(ahead))
    length = for_steps(int((~is_new).sum()), study.steps(STEPS))
    for weather, columns in WEATHER.items():
        kept = [name for name in X if name == "power_kw" or pd.Series([name]).str.contains(columns)[0]]
        for seed in study.options.seeds:
            for horizon in sorted(set(STEP_OF.values())):
                known = make_column_selector(WEATHER[weather])
                pipe = make_pipeline(make_regressor(seed, **length), window=PAST, horizon=horizon, known=known)
                forecaster = RecursiveRegressor(pipe, target="power_kw")
                forecaster.fit(X.loc[~is_new, kept], y[~is_new])
                for arm in [arm for arm, step in STEP_OF.items() if step == horizon]:
                    known_past = table if arm == ROLLING else blind
                    y_pred = study.timed(
                        lambda: forecaster.predict(known_past[kept]).reshape(days.shape)[:, PAST:],  # noqa: B023
                        arm=arm,
                        weather=weather,
                        seed=seed,
                    )
                    errors = np.nanmean(np.abs(y_pred - truth), axis=0)
                    there = np.where(np.isnan(truth), np.nan, y_pred)
                    spread = np.nanstd(there, axis=0) / np.nanstd(truth, axis=0)
                    study.note(
                        days=len(days),
                        mae=round(float(np.nanmean(np.abs(y_pred - truth))), 2),
                        mae_by_lead=errors.round(2).tolist(),
                        spread_by_lead=spread.round(4).tolist(),
                    )
    study.save()


def report(study):
    """Write the table and draw the picture."""
    frame = study.frame()
    heads = ["", "", "MAE of all leads, kW", "against direct", *(f"lead {lead}" for lead in SHOWN), "spread at lead 24"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    figure, axes = plt.subplots(2, 2, figsize=(9, 6), sharex=True, sharey="row", layout="constrained")
    leads = np.arange(1, HORIZON + 1)
    for column, weather in zip(axes.T, WEATHER, strict=True):
        column[0].set_title(weather)
        column[1].set_xlabel("lead, hours")
        for number, arm in enumerate(STEP_OF):
            own = frame[(frame["arm"] == arm) & (frame["weather"] == weather)]
            by_lead = {key: np.array(own[f"{key}_by_lead"].tolist()) for key in ("mae", "spread")}
            for axis, values in zip(column, by_lead.values(), strict=True):
                mean, half = np.transpose([interval(at_lead) for at_lead in values.T])
                axis.plot(leads, mean, color=COLOURS[number], label=arm)
                axis.fill_between(leads, mean - half, mean + half, color=COLOURS[number], alpha=0.2, linewidth=0)
                axis.grid(alpha=0.3)
            cells = [said(interval(by_lead["mae"][:, lead - 1])) for lead in SHOWN]
            spread = said(interval(by_lead["spread"][:, -1]), digits=2)
            part = frame[frame["weather"] == weather]
            against = "" if arm == DIRECT else said(differences(part, arm, DIRECT), sign=True)
            error = said(interval(own["mae"]))
            lines.append(f"| {weather} | {arm} | {error} | {against} | {' | '.join(cells)} | {spread} |")
        column[1].axhline(1, color="black", linewidth=0.8, linestyle=":")
        column[1].set_xticks(range(0, HORIZON + 1, 6))
    axes[0, 0].set_ylabel("mean absolute error, kW")
    axes[1, 0].set_ylabel("spread of the forecasts\n/ spread of the truth")
    axes[1, 0].legend()
    study.write_table(lines)
    study.save_picture(figure)


if __name__ == "__main__":
    study = Study.start("paths", __doc__)
    warnings.simplefilter("ignore", UnseenSeriesWarning)  # each day is a series that brings its past along
    if not study.options.redraw:
        run(study)
    report(study)
