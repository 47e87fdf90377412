"""One model for all stations, one that tells them apart, or one model per station?

Run: python examples/studies/stations.py [--seeds 0 1 2 3 4]
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from _study import (
    Study,
    differences,
    draw_arms,
    for_steps,
    interval,
    make_pipeline,
    make_regressor,
    mean_absolute_error,
    said,
)

from skts.model_selection import LeaveSeriesOut
from skts.strategies import PerSeriesRegressor

POOLED = "one for all"
FEWER = "one for all, a quarter of the steps"
EMBEDDED = "one for all, with an embedding of 4 numbers"
SHARED_OUT = "one per station, a quarter of the steps each"
APART = "one per station, all steps each"
UNSEEN = "one for all, trained without the station"
ARMS = [POOLED, FEWER, EMBEDDED, SHARED_OUT, APART, UNSEEN]
PAST = {"18 months": (None, 1640), "60 days": (60, 400)}  # of training: days, and steps of 64 windows


def forecast(arm, seed, X, y, is_old, is_new, n_steps):
    """Train one arm, and forecast the new rows."""
    n_series = X.index.get_level_values(0).nunique()
    n_windows = int(is_old.sum())  # one begins at nearly every row
    regressor = make_regressor(seed, **for_steps(n_windows, n_steps // n_series if arm == FEWER else n_steps))
    if arm in (POOLED, FEWER, EMBEDDED):
        regressor.set_params(series_embedding=4 if arm == EMBEDDED else 0)
        return make_pipeline(regressor).fit(X[is_old], y[is_old]).predict(X[is_new])
    if arm in (SHARED_OUT, APART):
        own_steps = n_steps // n_series if arm == SHARED_OUT else n_steps
        regressor.set_params(**for_steps(n_windows // n_series, own_steps))
        each = PerSeriesRegressor(make_pipeline(regressor))
        return each.fit(X[is_old], y[is_old]).predict(X[is_new])
    regressor.set_params(**for_steps(n_windows * (n_series - 1) // n_series, n_steps))
    y_pred = pd.Series(np.nan, index=X.index[is_new])
    for others, own in LeaveSeriesOut().split(X, y):
        learn = np.isin(np.arange(len(X)), others) & is_old
        answer = np.isin(np.arange(len(X)), own) & is_new
        pipe = make_pipeline(regressor).fit(X[learn], y[learn])
        # its past is measured by now, though nothing was trained on it
        past = pipe["history"].fit(pipe["scale"].transform(X[is_old]))
        rows = past.transform(pipe["scale"].transform(X[answer]))
        y_pred[X.index[answer]] = pipe["regressor"].predict(pipe["windows"].transform(rows))
    return y_pred.to_numpy()


def run(study):
    """Train every arm with every seed, on a long and on a short past."""
    X, y, is_new = study.load()
    times = X.index.get_level_values("time")
    for past, (days, n_steps) in PAST.items():
        is_old = ~is_new
        if days is not None:
            is_old &= np.asarray(times >= times[is_new].min() - pd.Timedelta(days=days))
        for seed in study.options.seeds:
            for arm in ARMS:
                y_pred = study.timed(
                    lambda: forecast(arm, seed, X, y, is_old, is_new, study.steps(n_steps)),  # noqa: B023
                    arm=arm,
                    past=past,
                    seed=seed,
                )
                study.note(mae=round(mean_absolute_error(y[is_new], y_pred), 2))
    study.save()


def report(study):
    """Write the table and draw the picture."""
    frame = study.frame()
    lines = ["| trained on | networks | MAE, kW | against one for all |", "|---|---|---|---|"]
    figure, axes = plt.subplots(1, len(PAST), figsize=(10, 3.4), sharey=True, layout="constrained")
    for axis, past in zip(axes, PAST, strict=True):
        part = frame[frame["past"] == past]
        for arm in ARMS:
            own = part[part["arm"] == arm]
            against = "" if arm == POOLED else said(differences(part, arm, POOLED), sign=True)
            lines.append(f"| {past} | {arm} | {said(interval(own['mae']))} | {against} |")
        draw_arms(axis, part, ARMS)
        axis.set(title=f"trained on {past}", xlabel="mean absolute error, kW")
    study.write_table(lines)
    study.save_picture(figure)


if __name__ == "__main__":
    study = Study.start("stations", __doc__)
    if not study.options.redraw:
        run(study)
    report(study)
