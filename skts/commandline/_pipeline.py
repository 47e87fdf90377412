"""The command's own forecaster: what it is made of, and what is tried of it."""

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skts.commandline._job import Job
from skts.features import CalendarFeatures, SolarFeatures
from skts.regressors import LSTMRegressor
from skts.strategies import EnsembleRegressor
from skts.windows import HistoryPrepender, SlidingWindower

Coordinate = float | Mapping[Any, float]
IS_DAY = "is_day"
_LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
_N_STEPS = 28  # about, that a network takes through a long window
_DARK = 0.01  # share of the highest target, up to which a row counts as one without power
_SOLAR = 0.25  # share of such rows from which on a target looks like solar power


def settle_job(job: Job, X: pd.DataFrame, y: pd.Series) -> Job:
    """Fill in what a job leaves open and its training rows tell.

    Bounds are 0 and the capacity; without a capacity 0 and nothing, where no training row is negative. With
    coordinates, nights are known to be 0 where training rows are 0 at night.

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
        Columns that are bounds are among its static ones.

    Warns
    -----
    UserWarning
        The target is 0 in many rows as solar power is, but not at night: its times are in another zone than they say.
    """
    bounds = job.bounds
    if bounds is None and job.capacity is not None:
        bounds = (0.0, job.capacity)
    elif bounds is None and y.min() >= 0:
        bounds = (0.0, None)
    named = [bound for bound in bounds or () if isinstance(bound, str) and bound not in job.static]
    job = replace(job, bounds=bounds, static=(*job.static, *named))
    place = _place_of(job)
    if job.active is None and place is not None and _is_dark_at_night(job.target, place, X, y):
        job = replace(job, active=IS_DAY)
    return job


def build_pipeline(job: Job) -> Pipeline:
    """Put the steps of the forecaster together: sun, calendar, scale, history, windows, networks.

    The networks learn quantiles within the bounds, and answer the median, which absolute errors ask for.

    Parameters
    ----------
    job : Job
        As :func:`settle_job` gives it.

    Returns
    -------
    pipeline : Pipeline
        Not fitted. Takes the table, and forecasts every row of it.
    """
    made = _features(job)
    known = [*job.known, *(name for _, _, names in made for name in names)]
    passed = {bound for bound in job.bounds or () if isinstance(bound, str)}  # a bound stays in the target's unit
    scaler = make_column_transformer(
        ("passthrough", sorted(passed)), remainder=StandardScaler(), verbose_feature_names_out=False
    )
    windower = SlidingWindower(
        job.window,
        job.horizon,
        stride=job.stride,
        known=known,
        static=list(job.static) or None,
        history=job.window,
    )
    return Pipeline(
        [
            *((name, step) for name, step, _ in made),
            ("scale", scaler if passed else StandardScaler()),
            ("history", HistoryPrepender(job.window)),
            ("windows", windower),
            ("lstm", _networks(job)),
        ]
    ).set_output(transform="pandas")


def grid_of(job: Job) -> dict[str, list[Any]]:
    """Name the settings of the pipeline that a search tries."""
    short = max(1, job.window // 4)
    return {"windows__window": [short] if short == job.window else [short, job.window]}


def _features(job: Job) -> list[tuple[str, Any, list[str]]]:
    """Give the steps that add columns, and the names of these."""
    place = _place_of(job)
    calendar = CalendarFeatures(["hour", "weekday", "year"] if place is None else ["hour"])
    made = [("calendar", calendar, [f"{cycle}_{part}" for cycle in calendar.cycles for part in ("sin", "cos")])]
    if place is not None:
        sun = SolarFeatures(*place)
        made.insert(0, ("sun", sun, ["sun_elevation", "sun_azimuth_sin", "sun_azimuth_cos", "clearsky_ghi", IS_DAY]))
    return made


def _networks(job: Job) -> EnsembleRegressor:
    network = LSTMRegressor(
        hidden_size=8 if job.quick else 32,
        bidirectional=True,
        patch_len=max(1, job.window // _N_STEPS),
        instance_norm="series",
        series_embedding=4,
        max_epochs=3 if job.quick else 10,
        lr=5e-3,
        lr_schedule="one_cycle",
        weight_decay=0.01,
        early_stopping=not job.quick,
        quantiles=tuple(sorted({*_LEVELS, *job.quantiles})),
        bounds=job.bounds,
        active=job.active,
        device=job.device,
    )
    return EnsembleRegressor(network, 1 if job.quick else job.n_members, random_state=job.seed)


def _place_of(job: Job) -> tuple[Coordinate, Coordinate] | None:
    return None if job.latitude is None or job.longitude is None else (job.latitude, job.longitude)


def _is_dark_at_night(target: str, place: tuple[Coordinate, Coordinate], X: pd.DataFrame, y: pd.Series) -> bool:
    """Tell whether the target is all but 0 wherever the sun is down, as solar power is."""
    sun = SolarFeatures(*place).set_output(transform="pandas")
    is_night = sun.fit_transform(X)[IS_DAY].to_numpy() == 0
    power = np.abs(y.to_numpy(dtype=np.float64))
    there = ~np.isnan(power)
    is_dark = power[there] <= _DARK * np.nanmax(power)
    at_night = is_dark[is_night[there]]
    if len(at_night) == 0 or is_dark.mean() < _SOLAR:
        return False
    if at_night.mean() > 0.999:
        return True
    warnings.warn(
        f"{target!r} is 0 in {is_dark.mean():.0%} of the rows, as solar power is, but in only "
        f"{at_night.mean():.0%} of those with the sun down: times without a zone are taken as UTC. Say which zone they "
        "are in (--tz), or correct the coordinates.",
        UserWarning,
        stacklevel=3,
    )
    return False
